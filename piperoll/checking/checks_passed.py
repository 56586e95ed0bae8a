"""What was checked and found right, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from piperoll.checking.sums import exact_sum
from piperoll.checking.tables import Examined
from piperoll.model import Body, Finding, plain


def passed(tables: Sequence[Examined], said: Sequence[Finding], body: Body) -> Iterator[str]:
    """One sentence for each check that the submission passed."""
    rows = sum(each.tally.rows.read for each in tables)
    if not rows:
        return
    codes = {finding.code for finding in said}
    yield f"All {rows:,} rows are accounted for: published, held or told."
    yield from _amounts(tables)
    yield from _dates(tables)
    if not any(code.startswith("privacy-") for code in codes):
        yield (
            f"No row of {body.name} looks as if it were about a private person."
            if not body.provisional
            else ("No row looks as if it were about a private person.")
        )
    if not any(code.startswith("structure-") for code in codes):
        yield "Every cell is in the form that the published standard asks for."
    if not codes & {"duty-column-absent", "cells-missing"}:
        yield "Every column that law and code ask for is there, without gaps."
    if "dates-outside-period" not in codes and any(each.tally.date for each in tables):
        yield "No date lies outside the period."


def _amounts(tables: Sequence[Examined]) -> Iterator[str]:
    totals = [each.tally.amount for each in tables if each.tally.amount]
    if totals and not any(total.unreadable or total.missing for total in totals):
        rows = sum(each.tally.rows.read for each in tables if each.tally.amount)
        whole, _, pence = plain(exact_sum(total.read for total in totals)).partition(".")
        yield f"All {rows:,} amounts can be read: £{int(whole):,}.{pence} together."


def _dates(tables: Sequence[Examined]) -> Iterator[str]:
    spans = [each.tally.date for each in tables if each.tally.date]
    if spans and not any(span.unreadable or span.missing for span in spans):
        rows = sum(each.tally.rows.read for each in tables if each.tally.date)
        yield f"All {rows:,} dates can be read."
