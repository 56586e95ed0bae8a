"""The account of a body's consolidated year: what counts, what is left out and why, and where other lines went.

All totals on pages, in feeds and in the API come from these accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from functools import cached_property
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


@dataclass(frozen=True, slots=True)
class YearShare:
    """How many lines of a release belong to a year, counted or not; `undated_rows` of them have no date."""

    rows: int
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
