"""The checks that a submission passed, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from piperoll.checking.examine_table import ExaminedTable
from piperoll.checking.totals import exact_sum
from piperoll.model import Body, Finding, format_decimal


def checks_passed(tables: Sequence[ExaminedTable], findings: Sequence[Finding], body: Body) -> Iterator[str]:
    """Yield one sentence for each check that the submission passed."""
    totals = [table.totals for table in tables]
    rows = sum(each.rows.read for each in totals)
    if not rows:
        return
    codes = {finding.code for finding in findings}
    yield f"All {rows:,} rows are accounted for: published, held or told."
    amounts = [each.amount for each in totals if each.amount]
    if amounts and not any(amount.unreadable or amount.missing for amount in amounts):
        count = sum(each.rows.read for each in totals if each.amount)
        pounds, _, pence = format_decimal(exact_sum(amount.read for amount in amounts)).partition(".")
        yield f"All {count:,} amounts can be read: £{int(pounds):,}.{pence} together."
    dates = [each.date for each in totals if each.date]
    if dates and not any(date.unreadable or date.missing for date in dates):
        yield f"All {sum(each.rows.read for each in totals if each.date):,} dates can be read."
    if not any(code.startswith("privacy-") for code in codes):
        whose = "" if body.provisional else f" of {body.name}"
        yield f"No row{whose} looks as if it were about a private person."
    if not any(code.startswith("structure-") for code in codes):
        yield "Every cell is in the form that the published standard asks for."
    if not codes & {"duty-column-absent", "cells-missing"}:
        yield "Every column that law and code ask for is there, without gaps."
    if "dates-outside-period" not in codes and dates:
        yield "No date lies outside the period."
