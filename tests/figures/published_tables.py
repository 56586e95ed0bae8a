"""What a store publishes, as tests read it: tables, periods and totals."""

from __future__ import annotations

import calendar
import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

DATASETS = ("contracts", "roles", "spend", "transactions")
UNDATED = "undated"
MONTHS = tuple(calendar.month_name[1:])


@dataclass(frozen=True, order=True)
class Span:
    """The days that the name of a period in a key means, both included."""

    start: date
    end: date

    @classmethod
    def of(cls, name: str) -> Span:
        """Read the name of a period: a day, a month, a quarter, a financial year or a range of months."""
        if re.fullmatch(r"\d{4}-\d\d-\d\d", name):
            return cls(date.fromisoformat(name), date.fromisoformat(name))
        if match := re.fullmatch(r"(\d{4})-Q([1-4])", name):
            return cls._months(int(match[1]), 3 * int(match[2]) - 2, int(match[1]), 3 * int(match[2]))
        if match := re.fullmatch(r"(\d{4})-(\d\d)--(\d{4})-(\d\d)", name):
            return cls._months(*map(int, match.groups()))
        year, tail = int(name[:4]), int(name[5:])
        if 1 <= tail <= 12:
            return cls._months(year, tail, year, tail)
        return cls._months(year, 4, year + 1, 3)

    @classmethod
    def _months(cls, year: int, month: int, last_year: int, last_month: int) -> Span:
        last = calendar.monthrange(last_year, last_month)[1]
        return cls(date(year, month, 1), date(last_year, last_month, last))

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def year(self) -> str:
        """The financial year that holds the whole span; `undated` if there is none."""
        years = {financial_year(self.start), financial_year(self.end)}
        return years.pop() if len(years) == 1 else UNDATED

    @property
    def words(self) -> str:
        """As pages write it: 31 March 2024, October 2026, April to June 2011, April 2011 to March 2012."""
        first, last = (f"{MONTHS[day.month - 1]} {day.year}" for day in (self.start, self.end))
        if self.start == self.end:
            return f"{self.start.day} {first}"
        if first == last:
            return first
        return f"{first[:-5] if self.start.year == self.end.year else first} to {last}"

    @property
    def month(self) -> str | None:
        """The month that is the span, or holds its one day."""
        same = (self.start.year, self.start.month) == (self.end.year, self.end.month)
        return f"{self.start:%Y-%m}" if same else None


def financial_year(day: date) -> str:
    """April to March, as `2024-25`."""
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first}-{(first + 1) % 100:02}"


def year_key(year: str) -> str:
    """How keys spell a financial year: 2010-11 to 2011-12 would be months, and are ranges."""
    first = int(year[:4]) if year != UNDATED else 0
    return f"{first}-04--{first + 1}-03" if 1 <= (first + 1) % 100 <= 12 and first else year


@dataclass(frozen=True)
class PublishedTable:
    """A series with a current version: where its files are, and what its pointer says."""

    name: str
    dataset: str
    body: str
    period: str
    part: str
    folder: Path
    history: Mapping[str, Any]

    @property
    def span(self) -> Span:
        return Span.of(self.period)

    @property
    def version(self) -> Mapping[str, Any]:
        return next(one for one in self.history["versions"] if one["version"] == self.history["current"])

    @property
    def csv(self) -> Path:
        return self.folder / f"{self.dataset}.csv"

    @cached_property
    def report(self) -> dict[str, Any]:
        """The report published with the version."""
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text("utf-8"))
        return found

    @property
    def held(self) -> int:
        """The rows of the file that are held back."""
        return sum(one["rows"]["held"] for one in self.report["tables"])


@dataclass(frozen=True)
class Total:
    """Rows and pounds; pounds are None if the dataset has no amounts."""

    rows: int
    pounds: Decimal | None

    def __add__(self, other: Total) -> Total:
        if self.pounds is None or other.pounds is None:
            return Total(self.rows + other.rows, self.pounds if other.pounds is None else other.pounds)
        return Total(self.rows + other.rows, self.pounds + other.pounds)


NOTHING = Total(0, None)


@dataclass(frozen=True)
class Group:
    """Lines with the same text in a field: how many, how many have a figure, its sum, and each with its weight."""

    rows: int
    filled: int
    total: Decimal
    pairs: tuple[tuple[Decimal, Decimal], ...]


@dataclass
class Counts:
    """What counts of one body and dataset in one year (or `undated`).

    `left_out` has, for each series, the lines that another series counts, by that series and the reason.
    """

    counted: dict[str, Total] = field(default_factory=dict)
    undated: dict[str, Total] = field(default_factory=dict)
    left_out: dict[tuple[str, str, str], Total] = field(default_factory=dict)
    parts: dict[str, Total] = field(default_factory=dict)
    months: dict[tuple[str | None, str], Total] = field(default_factory=dict)

    @property
    def total(self) -> Total:
        return sum_totals(self.counted.values())

    @property
    def all_left_out(self) -> Total:
        return sum_totals(self.left_out.values())

    @property
    def all_undated(self) -> Total:
        return sum_totals(self.undated.values())


def sum_totals(totals: Iterator[Total] | Sequence[Total] | Any) -> Total:
    """Add up totals."""
    result = NOTHING
    for one in totals:
        result += one
    return result


def amount_fields(report: Mapping[str, Any]) -> dict[str | None, str]:
    """The field that is the amount, for each sheet of a file; empty if it has no amounts."""
    return {one["sheet"]: one["amount"]["field"] for one in report["tables"] if one.get("amount")}


def add_cells(rows: Sequence[Mapping[str, str]], fields: Mapping[str | None, str]) -> Decimal:
    """Add up the pounds of lines, each from the column that is the amount of its sheet."""
    only = next(iter(fields.values()))
    cells = (row.get(fields.get(row.get("source_sheet") or None, only), "") for row in rows)
    return sum((Decimal(cell) for cell in cells if cell), Decimal(0))


def read_lines(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def add(totals: dict[Any, Total], name: Any, total: Total) -> None:
    """Add to the total of a name."""
    totals[name] = totals.get(name, NOTHING) + total


def split_part(tail: str) -> tuple[str, str]:
    """The period and the part of the last piece of a series' name: `2026-10--card`."""
    match = re.fullmatch(r"(\d{4}-\d\d--\d{4}-\d\d|\d{4}-\d\d-\d\d|\d{4}-\d\d|\d{4}-Q\d)(?:--([a-z-]+))?", tail)
    assert match is not None, tail
    return match[1], match[2] or ""
