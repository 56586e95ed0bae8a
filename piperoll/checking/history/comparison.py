"""Comparison: a submission beside the version of its series that stands, and beside the body's earlier releases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from piperoll.checking import findings
from piperoll.checking.history.days import gaps
from piperoll.checking.history.profile import Profile
from piperoll.checking.history.repeats import repeats
from piperoll.checking.history.shapes import codes, emptied, headings
from piperoll.checking.history.sizes import scale, signs, sizes, too_small
from piperoll.model import Dataset, Finding, Version

_MUCH_MORE = Decimal("1.25")
"""A late invoice or two is no surprise, a quarter more is. What is far less is held when it comes to publishing."""

_RECENT = 3
"""Columns are held against the three nearest releases: a layout of a year ago may have been given up since."""


def compare(lines: int, pounds: Decimal | None, standing: Version) -> Iterator[Finding]:
    """A warning where `lines` or `pounds` to be published are far more than those of the version that stands."""
    if lines > standing.rows * _MUCH_MORE:
        yield findings.more_rows(lines, standing)
    theirs = standing.amount_gbp
    if pounds is not None and theirs is not None and abs(pounds) > abs(theirs) * _MUCH_MORE:
        yield findings.more_pounds(pounds, theirs, standing)


def compare_with_earlier(
    ours: Profile, before: Sequence[Profile], dataset: Dataset, *, first: bool
) -> Iterator[Finding]:
    """What sets a release apart from those of earlier periods, `before`, the nearest first.

    `first` is whether it would be the first version of its series: only then may it be held for its size. A later one
    has the version that stands to be measured by, which is the better measure (DESIGN, which version).
    """
    if not before:
        return
    recent = before[:_RECENT]
    yield from repeats(ours, before)
    if first:
        yield from too_small(ours, before)
    yield from sizes(ours, before)
    yield from scale(ours, before)
    yield from signs(ours, before)
    yield from gaps(ours, before)
    yield from headings(ours, recent, dataset)
    yield from emptied(ours, recent, dataset)
    yield from codes(ours, recent, dataset)
