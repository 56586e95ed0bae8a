"""The checks that a submission passed, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from piperoll.checking.examine_table import ExaminedTable
from piperoll.checking.totals import exact_sum
from piperoll.findings import shared_text
from piperoll.model import Body, Finding, format_decimal


def checks_passed(
    tables: Sequence[ExaminedTable], findings: Sequence[Finding], body: Body, kind: str | None, *, dates_compared: bool
) -> Iterator[str]:
    """Yield one sentence for each check that the submission passed.

    `kind` is the kind of body whose duties were checked; None if none were, because it is not known.
    `dates_compared` is True if the dates were compared with the period: those of a snapshot are about other things.
    """
    totals = [table.totals for table in tables]
    if not any(each.rows.read for each in totals):
        return
    codes = {finding.code for finding in findings}
    accepted, held = sum(each.rows.accepted for each in totals), sum(each.rows.held for each in totals)
    yield f"Every row is accounted for: {accepted:,} accepted and {held:,} held."
    amounts = [each.amount for each in totals if each.amount]
    if amounts and not any(amount.unreadable or amount.missing for amount in amounts):
        pounds, _, pence = format_decimal(exact_sum(amount.read for amount in amounts)).partition(".")
        yield f"Every amount can be read: the total is £{int(pounds):,}.{pence}."
    dates = [each.date for each in totals if each.date]
    if dates and not any(date.unreadable or date.missing for date in dates):
        yield "Every date can be read."
    if not any(code.startswith("privacy-") for code in codes):
        whose = "" if body.provisional else f" of {body.name}"
        yield f"No row{whose} appears to be about a private person."
    if not any(code.startswith("structure-") for code in codes):
        yield "Every cell has the type and form that the published standard requires."
    if kind is not None and not codes & {"duty-column-absent", "cells-missing"}:
        whom = shared_text("kind-of-body", kind)
        yield f"Every column that a law or code requires of {whom} is present and has no empty cells."
    if dates and dates_compared and "dates-outside-period" not in codes:
        yield "Every date is within the period."
