"""The figures of a dataset and financial year, of one body or of many, from the accounts of consolidated files.

Every total that a page, feed or JSON file shows comes from here. Nothing else adds up releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, TypeAlias

from piperoll.enriching.annotate import payee_fields
from piperoll.model import UNDATED, Dataset, LeftOutLines, Period, Series, YearAccount, add_pounds

PAYEES = {
    "suppliers": ("To suppliers", ("company", "charity")),
    "public-bodies": ("To other public bodies", ("public-body",)),
    "people": ("To people or redacted", ("person-or-redacted",)),
    "not-known": ("Not known", ("not-known",)),
}
"""Groups of payees, in the order in which pages show them: the heading, and the payee classes."""

PAYEE_CLASSES = {
    "public-body": "A public body",
    "company": "A company",
    "charity": "A charity",
    "person-or-redacted": "A person, or redacted",
    "not-known": "Not known",
}
"""The classes of payees, in words."""

BECAUSE = {
    "recurs": ("line that another table has too", "lines that other tables have too"),
    "restated later": ("line that a later table states again", "lines that later tables state again"),
    "older snapshot": ("line of an older snapshot", "lines of older snapshots"),
}
"""Why lines are left out of a total, in words: of one line, and of several."""

LEAST_MONTHS = 3
"""Months that must be covered before a monthly average is shown: spending is uneven from month to month."""

ALL_MONTHS = 12
"""Months that must be covered before a figure for the whole year (per head) is shown."""

MOST_SERVICES = 60
"""Services that are kept of a body and year: those with the most pounds."""

_PENNY = Decimal("0.01")
_GROUPS = {name: group for group, (_, names) in PAYEES.items() for name in names}


@dataclass(frozen=True, slots=True)
class RowSum:
    """A number of rows and the sum of their pounds; `amount` is None if none of them has an amount."""

    rows: int = 0
    amount: Decimal | None = None

    def __add__(self, other: RowSum) -> RowSum:
        return RowSum(self.rows + other.rows, add_pounds((self.amount, other.amount)))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows of some tables (`series`, in order) that are in no total, for one reason."""

    rows: int
    amount: Decimal | None
    series: tuple[str, ...]

    @property
    def tables(self) -> int:
        """The number of tables that they are in."""
        return len(self.series)


@dataclass(frozen=True, slots=True)
class YearFigures:
    """What counts in a dataset and financial year, and what does not.

    `parts` has the rows and pounds by part ("" is the main list), `payees` by group of payees, `months` by month and
    group of payees, `left_out` by reason. Months of the year are `covered` if a table for a period that includes the
    whole month has a line in it. `undated` are those of the counted rows that have no date. `bodies` counts the bodies
    that are added up; `months`, `covered` and `services` are those of one body. `row_periods` names the periods of
    rows that overlap.
    """

    total: RowSum = RowSum()
    bodies: int = 1
    tables: int = 0
    parts: Mapping[str, RowSum] = field(default_factory=dict)
    payees: Mapping[str, RowSum] = field(default_factory=dict)
    months: Mapping[str, Mapping[str, RowSum]] = field(default_factory=dict)
    undated: RowSum = RowSum()
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)
    overlapping: int = 0
    row_periods: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()
    services: Mapping[str, RowSum] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The rows counted."""
        return self.total.rows

    @property
    def amount(self) -> Decimal | None:
        """The pounds counted; None if there are none."""
        return self.total.amount

    @property
    def left_out_sum(self) -> RowSum:
        """All rows left out."""
        return add_sums(RowSum(one.rows, one.amount) for one in self.left_out.values())

    def month(self, month: str) -> RowSum:
        """The rows and pounds of a month, to all payees."""
        return add_sums(self.months.get(month, {}).values())

    @property
    def per_month(self) -> Decimal | None:
        """The pounds of the covered months for each of them; None if too few are covered, or there are no pounds."""
        known = add_sums(self.month(month) for month in self.covered).amount
        if known is None or len(self.covered) < LEAST_MONTHS:
            return None
        return (known / len(self.covered)).quantize(_PENNY, ROUND_HALF_EVEN)

    def per_head(self, population: int | None) -> Decimal | None:
        """The pounds of the year for each head; None without a population, or if a month is not covered."""
        if self.amount is None or not population or len(self.covered) < ALL_MONTHS:
            return None
        return (self.amount / population).quantize(_PENNY, ROUND_HALF_EVEN)

    def share(self, group: str) -> Decimal | None:
        """The percentage of the pounds that goes to a group of payees; None if any group, or the total, is below 0."""
        amounts = [one.amount or Decimal(0) for one in self.payees.values()]
        if not self.amount or self.amount <= 0 or min(amounts, default=Decimal(0)) < 0:
            return None
        part = self.payees.get(group, RowSum()).amount or Decimal(0)
        return (part * 100 / self.amount).quantize(Decimal("0.1"), ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class BodyYear:
    """One body's year: its consolidated files by kind with path, size in bytes and sha256, and its figures."""

    files: Mapping[str, Mapping[str, Any]]
    figures: YearFigures


BodyYears: TypeAlias = Mapping[str, Mapping[str, BodyYear]]
"""The years of a body, by dataset and year."""


def add_sums(sums: Iterable[RowSum]) -> RowSum:
    """Add up rows and pounds, exactly."""
    every = list(sums)
    return RowSum(sum(one.rows for one in every), add_pounds(one.amount for one in every))


def read_account(account: YearAccount) -> YearFigures:
    """Take the figures of a body's year from its account; without those that only its lines tell (`covered`)."""
    left_out: dict[str, list[LeftOutLines]] = {}
    for one in account.left_out:
        if one.rows:
            left_out.setdefault(one.because.value, []).append(one)
    months: dict[str, dict[str, list[RowSum]]] = {}
    for month in account.months:
        group = _group_of(month.payee_class)
        months.setdefault(month.month or "", {}).setdefault(group, []).append(RowSum(month.rows, month.amount_gbp))
    return YearFigures(
        total=RowSum(account.rows, account.amount_gbp),
        tables=sum(one.rows > 0 for one in account.counted),
        parts=_add_by_name((one.part or "", RowSum(one.rows, one.amount_gbp)) for one in account.counted),
        payees=_add_by_name((_group_of(one.payee_class), RowSum(one.rows, one.amount_gbp)) for one in account.payees),
        months={
            month: {group: add_sums(sums) for group, sums in sorted(groups.items())}
            for month, groups in sorted(months.items())
        },
        undated=add_sums(RowSum(one.undated_rows, one.undated_amount_gbp) for one in account.counted),
        left_out={
            because: LeftOut(
                sum(one.rows for one in ones),
                add_pounds(one.amount_gbp for one in ones),
                tuple(sorted({str(one.series) for one in ones})),
            )
            for because, ones in sorted(left_out.items())
        },
        overlapping=sum(one.rows for one in account.not_added),
        row_periods=tuple(sorted({one.row_periods for one in account.not_added})),
    )


def add_figures(figures: Iterable[YearFigures]) -> YearFigures:
    """Add the figures of several bodies, or of several years, up; without what is of one body alone."""
    every = list(figures)
    left_out: dict[str, list[LeftOut]] = {}
    for because, one in (entry for figure in every for entry in figure.left_out.items()):
        left_out.setdefault(because, []).append(one)
    return YearFigures(
        total=add_sums(one.total for one in every),
        bodies=sum(one.bodies for one in every),
        tables=sum(one.tables for one in every),
        parts=_add_by_name(entry for one in every for entry in one.parts.items()),
        payees=_add_by_name(entry for one in every for entry in one.payees.items()),
        undated=add_sums(one.undated for one in every),
        left_out={
            because: LeftOut(
                sum(one.rows for one in ones),
                add_pounds(one.amount for one in ones),
                tuple(sorted({name for one in ones for name in one.series})),
            )
            for because, ones in sorted(left_out.items())
        },
        overlapping=sum(one.overlapping for one in every),
        row_periods=tuple(sorted({words for one in every for words in one.row_periods})),
    )


def payee_field(dataset: Dataset) -> str | None:
    """The field that names who is paid; None for a dataset without payees."""
    return payee_fields(dataset).get("name")


def adds_over_years(dataset: Dataset) -> bool:
    """True if a line is in one year only. Registers list a contract in each year; snapshots count posts in each."""
    return not dataset.snapshot and (not dataset.restates or dataset.row_period is not None)


def year_title(year: str) -> str:
    """A year in words: April 2026 to March 2027."""
    return "Not in one year" if year == UNDATED else Period.parse(year).title


def latest_first(years: Iterable[str]) -> list[str]:
    """Years in the order in which pages list them: the latest first, and lines that are in no year last."""
    return sorted(years, key=lambda year: "" if year == UNDATED else year, reverse=True)


def months_of_year(year: str) -> tuple[str, ...]:
    """The twelve months of a financial year; none for lines that are in no year."""
    return () if year == UNDATED else tuple(map(str, Period.parse(year).months()))


def find_covered_months(year: str, lines: Iterable[tuple[Series, str]]) -> tuple[str, ...]:
    """The months of a year that are covered, from the series and month of the counted lines.

    A month is covered if a table for a period that includes the whole month has a line in it. A late payment in the
    table of another month covers nothing. If there are tables of the main list, only they cover months.
    """
    found = list(lines)
    main = [one for one in found if one[0].part is None] or found
    own = set(months_of_year(year))
    covered = set()
    for series, month in main:
        if month in own:
            period = Period.parse(month)
            if series.period.start <= period.start and period.end <= series.period.end:
                covered.add(month)
    return tuple(sorted(covered))


def _group_of(payee_class: str | None) -> str:
    return _GROUPS.get(payee_class or "", "not-known")


def _add_by_name(sums: Iterable[tuple[str, RowSum]]) -> dict[str, RowSum]:
    found: dict[str, list[RowSum]] = {}
    for name, one in sums:
        found.setdefault(name, []).append(one)
    return {name: add_sums(found[name]) for name in sorted(found)}


def round_large_pounds(amount: Decimal) -> str | None:
    """Round a million pounds or more for reading beside the exact figure: £80.3 billion; None for a smaller amount."""
    for word, unit in (("billion", Decimal(10**9)), ("million", Decimal(10**6))):
        if abs(amount) >= unit:
            return f"{'-' if amount < 0 else ''}£{abs(amount) / unit:,.1f} {word}"
    return None
