"""Comparison: a submission beside the version of its series that stands."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from piperoll.checking import findings
from piperoll.model import Finding, Version

_MUCH_MORE = Decimal("1.25")
"""A late invoice or two is no surprise, a quarter more is. What is far less is held when it comes to publishing."""


def compare(lines: int, pounds: Decimal | None, standing: Version) -> Iterator[Finding]:
    """A warning where `lines` or `pounds` to be published are far more than those of the version that stands."""
    if lines > standing.rows * _MUCH_MORE:
        yield findings.more_rows(lines, standing)
    theirs = standing.amount_gbp
    if pounds is not None and theirs is not None and abs(pounds) > abs(theirs) * _MUCH_MORE:
        yield findings.more_pounds(pounds, theirs, standing)
