"""The account of a body's consolidated year: what counts, what is left out and why, and where other lines went.

All totals on pages, in feeds and in the API come from these accounts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from piperoll.model.period import Period
from piperoll.model.serialize import from_document, to_document
from piperoll.model.series import Series

UNDATED = "undated"
"""The year of lines that have no date, in a table that covers more than one financial year."""

_EXACT = Context(prec=100)
"""100 digits: Python's own 28 would round long sums."""


class Because(StrEnum):
    """Why lines of a table are left out."""

    RECURS = "recurs"
    """The same lines are counted in another table."""
    RESTATED = "restated later"
    """A later table of the year has rows with the same keys."""
    OLDER_SNAPSHOT = "older snapshot"
    """A later snapshot of the same year counts."""


def partition_of(period: Period) -> str:
    """The year of a table's undated lines: the financial year that its period lies in, or `UNDATED`."""
    year = Period.financial_year_of(period.start)
    return str(year) if period.end <= year.end else UNDATED


def financial_year_label(year: Period) -> str:
    """A financial year as `2024-25`, also where `str(year)` is a range because 2010-11 could be a month."""
    return f"{year.start.year:04}-{year.end.year % 100:02}"


@dataclass(frozen=True, slots=True)
class YearShare:
    """How many lines of a release belong to a year, counted or not; `undated_rows` of them have no date."""

    rows: int
    amount_gbp: Decimal | None
    undated_rows: int


@dataclass(frozen=True, slots=True)
class CountedLines:
    """Lines of a version that count in a year; `undated_rows` of them have no date of their own.

    `path` is the version's folder, relative to the prefix of its series: it identifies the version beyond doubt.
    """

    series: Series
    version: int
    path: str
    part: str | None
    rows: int
    amount_gbp: Decimal | None
    undated_rows: int = 0
    undated_amount_gbp: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LeftOutLines:
    """Lines of a version that belong to a year and do not count; `counted_in` is the series that counts them."""

    series: Series
    version: int
    path: str
    part: str | None
    rows: int
    amount_gbp: Decimal | None
    counted_in: Series
    because: Because
    undated_rows: int = 0


@dataclass(frozen=True, slots=True)
class LinesElsewhere:
    """Lines of a version that belong to another year, counted or not."""

    series: Series
    version: int
    rows: int
    amount_gbp: Decimal | None
    year: str


@dataclass(frozen=True, slots=True)
class PayeeTotal:
    """What counts by class of payee and part."""

    payee_class: str
    part: str | None
    rows: int
    amount_gbp: Decimal | None


@dataclass(frozen=True, slots=True)
class MonthTotal:
    """What counts by month (None: not known), part and class of payee (None: the dataset declares no payee)."""

    month: str | None
    part: str | None
    payee_class: str | None
    rows: int
    amount_gbp: Decimal | None


@dataclass(frozen=True, slots=True)
class RowsNotAdded:
    """Rows that are listed, but whose figures must not be added up: their own periods overlap one another.

    `row_periods` says what the periods are, such as `12 months`.
    """

    series: Series
    version: int
    part: str | None
    rows: int
    row_periods: str


@dataclass(frozen=True, slots=True)
class YearAccount:
    """The account of one dataset, body and year: a financial year as `str(Period)` spells it, or `UNDATED`.

    The lines in `counted` are those of the consolidated files. `payees` is empty for a dataset without a payee.
    `months` add up to `counted`.
    """

    dataset: str
    body: str
    year: str
    counted: tuple[CountedLines, ...]
    left_out: tuple[LeftOutLines, ...]
    elsewhere: tuple[LinesElsewhere, ...]
    payees: tuple[PayeeTotal, ...]
    months: tuple[MonthTotal, ...]
    not_added: tuple[RowsNotAdded, ...]

    @property
    def rows(self) -> int:
        """The number of lines that count."""
        return sum(one.rows for one in self.counted)

    @property
    def amount_gbp(self) -> Decimal | None:
        """The pounds of the lines that count; None if no table of them has an amount."""
        return add_pounds(one.amount_gbp for one in self.counted)

    def to_json(self) -> dict[str, Any]:
        """The account as JSON values."""
        document: dict[str, Any] = to_document(self)
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> YearAccount:
        """Read what `to_json` wrote. Raises: ValueError: it is not an account."""

        def read(kind: type[Any], name: str, *series: str) -> tuple[Any, ...]:
            return tuple(
                from_document(kind, one, **{key: Series.parse(one[key]) for key in series}) for one in document[name]
            )

        return from_document(
            cls,
            document,
            counted=read(CountedLines, "counted", "series"),
            left_out=read(LeftOutLines, "left_out", "series", "counted_in"),
            elsewhere=read(LinesElsewhere, "elsewhere", "series"),
            payees=read(PayeeTotal, "payees"),
            months=read(MonthTotal, "months"),
            not_added=read(RowsNotAdded, "not_added", "series"),
        )


@dataclass(frozen=True)
class CurrentRelease:
    """The current version of a series; `folder` fetches its files when they are first needed."""

    series: Series
    version: int
    folder: Callable[[], Path]
    path: str = ""

    @cached_property
    def files(self) -> Path:
        """The local folder with its files."""
        return self.folder()


def add_pounds(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The exact sum of amounts, however many digits it has; None if all of them are None."""
    known = [amount for amount in amounts if amount is not None]
    total = Decimal(0)
    for amount in known:
        total = _EXACT.add(total, amount)
    return total if known else None


# --- choosing whole tables: for readers that have not moved to the accounts yet ---------------------------------------


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
