"""Which series of a body may be added up together, and what a consolidated table made of them holds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cached_property
from itertools import groupby
from pathlib import Path

from piperoll.model.period import Period
from piperoll.model.series import Series

_EXACT = Context(prec=100)
"""100 digits: Python's own 28 would round long sums."""


@dataclass(frozen=True, slots=True)
class UncountedSeries:
    """A series that is not counted, and those that are counted in its place: they share time with it."""

    series: Series
    because: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class SeriesChoice:
    """The series that may be added up, and those that must not be added to them; both in order."""

    taken: tuple[Series, ...]
    left_out: tuple[UncountedSeries, ...]


def count_once(series: Iterable[Series]) -> SeriesChoice:
    """Choose which of `series` to add up so that no day of a body, dataset and part is counted twice.

    Of all choices without an overlap, take the one that covers the most days; of those, the one with the most series
    (three months rather than their quarter, since a month says more); of those, the one with the latest periods. Of the
    snapshots of one financial year, the latest counts. A part is never left out for another part.
    """
    taken: list[Series] = []
    left_out: list[UncountedSeries] = []

    # sorted by part before period, unlike series: `groupby` joins neighbours only
    def countable_together(one: Series) -> tuple[str, str, str, bool]:
        return one.dataset, one.body, one.part or "", one.period.start == one.period.end

    for (*_, snapshots), group in groupby(
        sorted(set(series), key=lambda one: (countable_together(one), one)), countable_together
    ):
        own = list(group)
        periods = sorted((one.period for one in own), key=lambda period: (period.end, period.start))
        # of the snapshots of a financial year, the last replaces the others
        by_year = {financial_year_of(period): period for period in periods}
        chosen = set(by_year.values()) if snapshots else set(_choose_intervals(periods))
        kept = [one for one in own if one.period in chosen]
        taken += kept
        for one in own:
            if one.period not in chosen:
                because = tuple(
                    other
                    for other in kept
                    if (
                        financial_year_of(one.period) == financial_year_of(other.period)
                        if snapshots
                        else one.period.overlaps(other.period)
                    )
                )
                left_out.append(UncountedSeries(one, because))
    return SeriesChoice(tuple(sorted(taken)), tuple(sorted(left_out, key=lambda each: each.series)))


def financial_year_of(period: Period) -> Period:
    """The financial year (April to March) in which a period begins."""
    return Period.financial_year_of(period.start)


def _choose_intervals(periods: Sequence[Period]) -> Iterator[Period]:
    """Weighted interval scheduling: `best[n]` is the value of the best choice among the first n periods by end."""
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


@dataclass(frozen=True)
class CurrentRelease:
    """The current version of a series; `folder` fetches its files when they are first needed."""

    series: Series
    version: int
    folder: Callable[[], Path]

    @cached_property
    def files(self) -> Path:
        """The local folder with its files."""
        return self.folder()


@dataclass(frozen=True, slots=True)
class Portion:
    """Lines of a series that are counted, or left out because the series `counted_in` has them."""

    series: Series
    rows: int
    amount_gbp: Decimal | None
    counted_in: Series | None = None


@dataclass(frozen=True, slots=True)
class Consolidated:
    """What a consolidated table holds: the lines counted of each series, and those left out as republished."""

    counted: tuple[Portion, ...]
    republished: tuple[Portion, ...]

    @property
    def rows(self) -> int:
        """The number of lines of the table."""
        return sum(portion.rows for portion in self.counted)

    @property
    def amount_gbp(self) -> Decimal | None:
        """The pounds of the table; None if the dataset has no amount."""
        return pounds_of(self.counted)


def pounds_of(portions: Iterable[Portion]) -> Decimal | None:
    """The exact sum of the pounds of `portions`; None if none of them has an amount."""
    amounts = [portion.amount_gbp for portion in portions if portion.amount_gbp is not None]
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total if amounts else None
