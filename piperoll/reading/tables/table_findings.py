"""Findings about the rows of a table, and what may be wrong with it although every cell can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from piperoll.findings import make_finding
from piperoll.model import Address, Dataset, Finding, Severity, format_decimal
from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.cells.marks import is_total, names_whole
from piperoll.reading.columns.assignment import Columns
from piperoll.reading.columns.profiles import profile_columns
from piperoll.reading.grids.grid import Grid, Row, Rows, address_of, cell_at, tidy
from piperoll.reading.tables.classified_rows import ClassifiedRows, may_be_day
from piperoll.reading.tables.heading_rows import is_numbering_row
from piperoll.reading.tables.sections import Section
from piperoll.reading.tables.total_rows import NEAR

_UNIT = re.compile(
    r"[£(]\s*['’]?0{3}s?\b|\bin ['’]?0{3}s\b|£\s?(?:k|m|millions?|thousands?)\b"
    r"|\bin (?:£\s?)?(?:thousands|millions|pence)\b",
    re.I,
)
_FULL = 4
"""A row with fewer filled cells is not full, however few headings there are."""

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
    named = max((column + 1 for column, heading in enumerate(headings) if tidy(heading)), default=0)
    usual = max(usual, len(headings))
    if len(widths) == 1 or 2 * count < len(records):
        return []
    return [row for row in records.longer_than(usual) if any(map(tidy, row.cells[named:]))]


def may_be_cut(row: Row, column: int, headings: Sequence[str]) -> bool:
    """Return whether the amount of an overlong row may be another's or half of one: a number follows it."""
    beyond = max(1, len(row.cells) - len(headings))
    return any(read_amount(cell_at(row, column + step)) is not None for step in range(1, beyond + 1))


def find_unit_outside(rows: Sequence[Row]) -> tuple[Row, str] | None:
    """Return the first of the titles and notes that says that figures are not in pounds, with its words."""
    texts = ((row, tidy(cell)) for row in rows for cell in row.cells)
    return next(((row, text) for row, text in texts if _UNIT.search(text)), None)


_CREDIT = frozenset(["cr", "credit", "c", "-", "credit note", "creditnote", "crn"])
_DEBIT = frozenset(["dr", "debit", "d", "+", "invoice", "inv"])
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
        marks = {_mark(cell_at(row, column)) for row in records[:_SEEN]} - {""}
        # `C` alone may be any code, so it needs a debit beside it
        clear = marks & _DEBIT or marks & (_CREDIT - {"c", "-"})
        if marks <= _CREDIT | _DEBIT and marks & _CREDIT and clear:
            credited = records.where(column, _is_credit, _is_credit)
            amounts = (read_amount(cell_at(row, amount)) for row in credited[:_SEEN])
            if all(value is None or value >= 0 for value in amounts):
                return CreditMarks(column, credited)
    return None


def _mark(cell: str) -> str:
    return tidy(cell).rstrip(".").casefold()


def _is_credit(cell: str) -> bool:
    return _mark(cell) in _CREDIT


def find_records_above(grid: Grid, section: Section, columns: Columns, dataset: Dataset) -> list[Row]:
    """Return the records above the headings, as in a sheet that was sorted with its headings.

    A record has two of three: an amount in its column, a date in a column of dates, and nearly as many cells as there
    are headings.
    """
    amount = next((columns.column(name) for name in dataset.amount if name in columns.choices), None)
    dates = [choice.column for name, choice in columns.choices.items() if dataset.field(name).type == "date"]
    if amount is None or section.below or section.heading.index < 1:
        return []
    full = max(_FULL, 0.7 * sum(1 for heading in columns.headings if tidy(heading)))
    found = []
    for row in grid.rows[: section.heading.index]:
        if is_numbering_row(row):
            continue
        has_amount = read_amount(cell_at(row, amount)) is not None
        has_date = any(may_be_day(tidy(cell_at(row, column))) for column in dates)
        if has_amount + has_date + (sum(map(bool, map(tidy, row.cells))) >= full) >= 2:
            found.append(row)
    return found


def find_damaged_references(records: Rows, column: int) -> Rows:
    """Return the records with a reference that a spreadsheet took for a number: `4.72E+21`, or zeros for digits."""
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
        holds = _is_whole if field.is_name else _is_total  # outside a name, only the word total names the whole
        named = records.indices_where([column], holds, holds)
        if len(named) != 1 or len(records) < 3:
            continue
        index, row = named[0], records[named[0]]
        if amount is not None:
            own = _size(cell_at(row, amount))
            if records.indices_where([amount], partial(_is_as_large, least=own)) != [index]:
                continue
        first, last = records[min(index + 1, len(records) - 1)].number, records[-1].number
        below = RowsBelow(len(records) - index - 1, first, last, len(records))
        return PossibleTotal(row, field.name, column, below)
    return None


def _is_whole(cell: str) -> bool:
    return names_whole(tidy(cell))


def _is_total(cell: str) -> bool:
    return is_total(tidy(cell))


def _is_as_large(cell: str, least: Decimal) -> bool:
    return _size(cell) >= least


def _size(cell: str) -> Decimal:
    """Return the size of an amount, whichever decimal mark it has; zero if it cannot be read."""
    amount = read_amount(cell)
    return abs((read_amount(cell, decimal_comma=True) if amount is None else amount) or Decimal(0))


def holds_figures(grid: Grid) -> bool:
    """Return whether a grid without known headings looks like a table: numbers beside dates or organisations."""
    rows = grid.rows.select(lambda row: sum(1 for cell in row.cells if tidy(cell)) > 2)
    if len(rows) < 3:
        return False
    seen = [profile for profile in profile_columns(rows, grid.width) if profile.filled > 0.6]
    return any(each.numbers > 0.6 for each in seen) and any(max(each.dates, each.companies) > 0.6 for each in seen)


def quote_list(words: Sequence[str], conjunction: str = "and") -> str:
    """Return the words in quotation marks as a list in a sentence: `'a', 'b' and 'c'`."""
    quoted = [f"'{word}'" for word in words]
    return f" {conjunction} ".join([", ".join(quoted[:-1]), quoted[-1]] if quoted[1:] else quoted) or "headings"


_FEW_RECORDS = 4
"""With fewer records than this, one may equal the sum of the others by chance."""

_LOOK = 20_000
"""The most records to search for cells that hold several values."""


@dataclass(frozen=True)
class AmountColumn:
    """The field that holds the amounts of a table, and its column; both None if there is none."""

    field: str | None = None
    column: int | None = None


def find_row_findings(groups: Sequence[ClassifiedRows], sheet: str | None, amounts: AmountColumn) -> Iterator[Finding]:
    """Yield findings about the rows left out of a table's sections, and about records that may not be records."""
    excluded = [each for classified in groups for each in classified.others]
    for one in excluded:
        if one.kind == "total" and one.amount is not None:
            if one.proved:
                yield make_finding("total-row-left-out", address_of(sheet, one.row), amount=format_decimal(one.amount))
                continue
            yield make_finding(
                "total-does-not-add-up",
                address_of(sheet, one.row, field=amounts.field),
                amount=format_decimal(one.amount),
                sum=format_decimal(one.amount - one.difference),
                difference=format_decimal(one.difference),
            )
    if totals := [one.row for one in excluded if one.kind == "total" and one.amount is None]:
        narrow = any(classified.narrow for classified in groups)
        yield make_finding(
            "total-rows-left-out",
            Address(sheet, totals[0].number, totals[0].line),
            variant="narrow" if narrow else "proved",
            severity=Severity.WARNING if narrow else Severity.INFO,
            count=len(totals),
            last=totals[-1].number,
        )
    for kind, code in (("note", "note-left-out"), ("other", "residue-left-out")):
        if rows := [one.row for one in excluded if one.kind == kind]:
            yield make_finding(code, address_of(sheet, rows[0]), count=len(rows))
    for classified in groups:
        if row := find_chance_total(classified, amounts.column):
            yield make_finding("record-equals-total", Address(sheet, row.number, row.line, field=amounts.field))
        if rows := find_several_in_one(classified.records[:_LOOK]):
            address = Address(sheet, rows[0].number, rows[0].line, field=amounts.field)
            yield make_finding("records-in-one-row", address, count=len(rows), lines=count_lines(rows[0]))


def find_chance_total(classified: ClassifiedRows, column: int | None) -> Row | None:
    """Return the last record if its amount is the sum of all the others, although it looks like a record."""
    if column is None or len(classified.records) < _FEW_RECORDS:
        return None
    last = classified.records[len(classified.records) - 1]
    amount = read_amount(cell_at(last, column), decimal_comma=classified.decimal_comma)
    return last if amount and abs(classified.whole - amount - amount) <= NEAR else None


def find_several_in_one(records: Rows) -> list[Row]:
    """Return the records that seem to hold several records, one below another.

    Several cells have the same number of lines, two or more, and one of them holds only figures.
    """
    held = (row for block in records.blocks() if b"\n" in block.text for row in block)
    return [row for row in held if any("\n" in cell for cell in row.cells) and count_lines(row) > 1]


def count_lines(row: Row) -> int:
    """Count the records that the cells of a row hold, one below another: 1 for an ordinary row."""
    held = [[tidy(line) for line in tidy(cell).splitlines() if tidy(line)] for cell in row.cells if "\n" in cell]
    held = [lines for lines in held if len(lines) > 1]
    figures = [lines for lines in held if all(read_amount(line) is not None for line in lines)]
    if not figures or len(held) < 2 or len({len(lines) for lines in held}) > 1:
        return 1
    return len(figures[0])
