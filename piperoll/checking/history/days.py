"""Days of a period on which nothing is dated, where there was always something before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from piperoll.checking.history import findings as say
from piperoll.checking.history.profile import Profile
from piperoll.model import Finding

_WEEK = 7
_ENOUGH_RELEASES = 2
_DAY = timedelta(days=1)


def gaps(ours: Profile, before: Sequence[Profile]) -> Iterator[Finding]:
    """A warning for the longest stretch without a row, if it is a week or more and none was before.

    Releases in which few rows are dated within the period say nothing: lists of what there is, and snapshots.
    """
    if ours.is_stock or len(before) < _ENOUGH_RELEASES or any(one.is_stock for one in before):
        return
    first, last = _longest(ours)
    never_before = all(_length(*_longest(one)) < _WEEK for one in before)
    if _length(first, last) >= _WEEK and never_before and _has_days(ours):
        yield say.days_missing([one.released for one in before], first, last)


def _has_days(release: Profile) -> bool:
    return any(day in release.period for day in release.days)


def _longest(release: Profile) -> tuple[date, date]:
    """The first and the last day of the longest stretch of the period on which nothing is dated, the earliest of them.

    Where there is none, the last is before the first.
    """
    start, end = release.period.start, release.period.end
    inside = [start - _DAY, *(day for day in release.days if start <= day <= end), end + _DAY]
    stretches = [(left + _DAY, right - _DAY) for left, right in pairwise(inside)]
    return max(stretches, key=lambda stretch: _length(*stretch))


def _length(first: date, last: date) -> int:
    return (last - first).days + 1
