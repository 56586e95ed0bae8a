"""Doubts about a table although every cell can be read: cut rows, other units, unproved totals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from piperoll.model import Dataset
from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.cells.marks import is_total, names_whole
from piperoll.reading.columns.assignment import Columns
from piperoll.reading.columns.profiles import profile_columns
from piperoll.reading.grids.grid import Grid, Row, Rows, cell_at, tidy
from piperoll.reading.tables.row_kinds import may_be_day
from piperoll.reading.tables.sections import Section

_UNIT = re.compile(
    r"[£(]\s*['’]?0{3}s?\b|\bin ['’]?0{3}s\b|£\s?(?:k|m|millions?|thousands?)\b"
    r"|\bin (?:£\s?)?(?:thousands|millions|pence)\b",
    re.I,
)
_FULL = 4
"""A row with fewer cells is not full, however few headings there are."""

_DAMAGED = re.compile(r"\d(?:\.\d+)?E\+?\d+|\d{15,17}0{3,}", re.I | re.ASCII)
_DAMAGED_FORM = re.compile(r"\d(?:\.\d+)?E\+?\d+|\d{18,}", re.I | re.ASCII)


@dataclass(frozen=True, slots=True)
class RowsBelow:
    """The records below a possible total: how many, the first and last row, and the number of all records."""

    count: int
    first: int
    last: int
    records: int


@dataclass(frozen=True, slots=True)
class PossibleTotal:
    """A record that is named like the sum of the others, with its column, and the records below it."""

    row: Row
    field: str
    column: int
    below: RowsBelow


def find_overlong(records: Rows, headings: Sequence[str]) -> list[Row]:
    """Return the records of a text file with more cells than the others and than there are headings.

    A delimiter within a cell that is not in quotation marks cuts the cell in two and moves everything after it.
    """
    if not records or records[0].line is None:
        return []
    widths = records.widths()
    usual, count = widths.most_common(1)[0]
    named = max((place + 1 for place, heading in enumerate(headings) if tidy(heading)), default=0)
    usual = max(usual, len(headings))
    if len(widths) == 1 or 2 * count < len(records):
        return []
    return [row for row in records.longer_than(usual) if any(map(tidy, row.cells[named:]))]


def may_be_cut(row: Row, column: int, headings: Sequence[str]) -> bool:
    """Return whether the amount of an overlong row may be another's or half of one: a number follows it."""
    beyond = max(1, len(row.cells) - len(headings))
    return any(read_amount(cell_at(row, column + step)) is not None for step in range(1, beyond + 1))


def find_unit_above(rows: Sequence[Row]) -> tuple[Row, str] | None:
    """Return the first row above the headings that says that figures are not in pounds, with its words."""
    said = ((row, tidy(cell)) for row in rows for cell in row.cells)
    return next(((row, text) for row, text in said if _UNIT.search(text)), None)


_CREDIT, _DEBIT = frozenset(["cr", "credit", "c"]), frozenset(["dr", "debit", "d"])
_SEEN = 500
"""The number of records that show whether a column says debit or credit."""


@dataclass(frozen=True, slots=True)
class CreditMarks:
    """A column that says which amounts are credits, and the records that it marks."""

    column: int
    credits: Rows


def find_credit_marks(records: Rows, columns: Columns, amount: int) -> CreditMarks | None:
    """Return the column that says debit or credit, if the amounts of credits have no sign of their own."""
    for column, heading in enumerate(columns.headings):
        if column in columns.used or not tidy(heading):
            continue
        said = {_said(cell_at(row, column)) for row in records[:_SEEN]} - {""}
        if said <= _CREDIT | _DEBIT and said & _CREDIT and (said & _DEBIT or said & {"cr", "credit"}):
            credited = records.where(column, _is_credit, _is_credit)
            amounts = (read_amount(cell_at(row, amount)) for row in credited[:_SEEN])
            if all(value is None or value >= 0 for value in amounts):
                return CreditMarks(column, credited)
    return None


def _said(cell: str) -> str:
    return tidy(cell).rstrip(".").casefold()


def _is_credit(cell: str) -> bool:
    return _said(cell) in _CREDIT


def find_records_above(grid: Grid, section: Section, columns: Columns, dataset: Dataset) -> list[Row]:
    """Return the rows above the headings with an amount and a date in the right columns: records of a sorted sheet.

    In a row nearly as full as the headings, one of the two is enough, because the other may be unreadable.
    """
    amount = next((columns.column(name) for name in dataset.amount if name in columns.choices), None)
    dates = [choice.column for name, choice in columns.choices.items() if dataset.field(name).type == "date"]
    if amount is None or section.below or section.heading.index < 1:
        return []
    full = max(_FULL, 0.7 * sum(1 for heading in columns.headings if tidy(heading)))
    above = grid.rows[: section.heading.index]
    return [row for row in above if _proofs(row, amount, dates) + (sum(map(bool, map(tidy, row.cells))) >= full) >= 2]


def _proofs(row: Row, amount: int, dates: Sequence[int]) -> int:
    """Count what a record has: an amount in its column, and a date in a column of dates."""
    return (read_amount(cell_at(row, amount)) is not None) + any(may_be_day(tidy(cell_at(row, one))) for one in dates)


def find_damaged_references(records: Rows, column: int) -> Rows:
    """Return the records with a reference that a spreadsheet took for a number.

    `4.72E+21`, or zeros in place of digits.
    """
    return records.where(column, _is_damaged, _may_be_damaged)


def _is_damaged(cell: str) -> bool:
    return bool(_DAMAGED.fullmatch(tidy(cell)))


def _may_be_damaged(form: str) -> bool:
    """Return whether a damaged reference may have this shape: any digit may be a zero."""
    return bool(_DAMAGED_FORM.fullmatch(tidy(form)))


def possible_total(records: Rows, columns: Columns, dataset: Dataset) -> PossibleTotal | None:
    """Return the only record that is named like the whole, if no other amount is as large."""
    amount = next((columns.column(name) for name in dataset.amount if name in columns.choices), None)
    for field in dataset.fields:
        column = columns.column(field.name)
        if column is None or column == amount:
            continue
        named = _whole(records, column, name=field.is_name)
        if len(named) == 1 and len(records) > 2 and _is_largest(records, named[0], amount):
            return PossibleTotal(records[named[0]], field.name, column, _below(records, named[0]))
    return None


def _whole(records: Rows, column: int, *, name: bool) -> list[int]:
    """Return where the cells of a column name the whole; outside a `name`, only the word total does."""
    holds = _is_whole if name else _is_total
    return records.indices_where([column], holds, holds)


def _is_whole(cell: str) -> bool:
    return names_whole(tidy(cell))


def _is_total(cell: str) -> bool:
    return is_total(tidy(cell))


def _below(records: Sequence[Row], place: int) -> RowsBelow:
    first = records[min(place + 1, len(records) - 1)].number
    return RowsBelow(len(records) - place - 1, first, records[-1].number, len(records))


def _is_largest(records: Rows, place: int, amount: int | None) -> bool:
    if amount is None:
        return True
    own = _size(cell_at(records[place], amount))
    return records.indices_where([amount], lambda cell: _size(cell) >= own) == [place]


def _size(cell: str) -> Decimal:
    """Return the size of an amount, whichever decimal mark it has; zero if it cannot be read."""
    amount = read_amount(cell)
    return abs((read_amount(cell, decimal_comma=True) if amount is None else amount) or Decimal(0))


def holds_figures(grid: Grid) -> bool:
    """Return whether a grid without known headings looks like a table.

    A column of numbers beside dates or organisations.
    """
    rows = grid.rows.select(lambda row: sum(1 for cell in row.cells if tidy(cell)) > 2)
    if len(rows) < 3:
        return False
    seen = [profile for profile in profile_columns(rows, grid.width) if profile.filled > 0.6]
    return any(each.numbers > 0.6 for each in seen) and any(max(each.dates, each.companies) > 0.6 for each in seen)


def quote_list(words: Sequence[str], conjunction: str = "and") -> str:
    """Return the words in quotation marks as a list in a sentence: `'a', 'b' and 'c'`."""
    quoted = [f"'{word}'" for word in words]
    return f" {conjunction} ".join([", ".join(quoted[:-1]), quoted[-1]] if quoted[1:] else quoted) or "headings"
