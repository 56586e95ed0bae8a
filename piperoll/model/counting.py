"""Counting once: which series of a body may be added up together."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from piperoll.model.period import Period
from piperoll.model.series import Series


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A series that is not counted, and those that are counted in its place: they share time with it."""

    series: Series
    because: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """The series that may be added up, and those that must not be beside them; both in order."""

    taken: tuple[Series, ...]
    left_out: tuple[LeftOut, ...]


def counted_once(series: Iterable[Series]) -> Counted:
    """Which of `series` to add up so that no day of a body, dataset and part is counted twice.

    Of all choices without an overlap it is the one that covers the most days; of those the one of the most series
    (three months rather than their quarter, since a month says more); of those the one with the latest periods. Of
    the snapshots of one financial year the latest counts. A part is apart: it is never left out for another part.
    """
    taken: list[Series] = []
    left_out: list[LeftOut] = []
    for _, group in groupby(sorted(set(series)), key=_line):
        own = list(group)
        chosen = _chosen([each.period for each in own])
        kept = [each for each in own if each.period in chosen]
        taken += kept
        left_out += [
            LeftOut(each, tuple(other for other in kept if _clash(each.period, other.period)))
            for each in own
            if each.period not in chosen
        ]
    return Counted(tuple(sorted(taken)), tuple(sorted(left_out, key=lambda each: each.series)))


def year_of(period: Period) -> Period:
    """The financial year (April to March) in which a period begins."""
    start = period.start
    return Period.financial_year(start.year if start.month >= 4 else start.year - 1)


def _line(series: Series) -> tuple[str, str, str, bool]:
    return (series.dataset, series.body, series.part or "", _is_snapshot(series.period))


def _is_snapshot(period: Period) -> bool:
    return period.start == period.end


def _clash(one: Period, other: Period) -> bool:
    """Whether two periods must not be counted together."""
    if _is_snapshot(one):
        return year_of(one) == year_of(other)
    return one.overlaps(other)


def _chosen(periods: Sequence[Period]) -> frozenset[Period]:
    if periods and _is_snapshot(periods[0]):
        return frozenset({year_of(period): period for period in sorted(periods)}.values())
    return frozenset(_best(sorted(periods, key=lambda period: (period.end, period.start))))


def _best(periods: Sequence[Period]) -> Iterator[Period]:
    """Weighted interval scheduling: `best[n]` is the worth of the best choice among the first n by their end."""
    ends = [period.end for period in periods]
    before = [bisect_left(ends, period.start) for period in periods]
    best: list[tuple[int, int]] = [(0, 0)]
    for number, period in enumerate(periods):
        days, count = best[before[number]]
        best.append(max(best[number], (days + (period.end - period.start).days + 1, count + 1)))
    number = len(periods)
    while number:
        days, count = best[before[number - 1]]
        period = periods[number - 1]
        if best[number] == (days + (period.end - period.start).days + 1, count + 1):
            yield period
            number = before[number - 1]
        else:
            number -= 1
