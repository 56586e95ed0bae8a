"""Nil returns: whether a file says that there is nothing to report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from piperoll.findings import make_finding
from piperoll.model import Address, Dataset, Finding
from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.cells.marks import is_label, means_nothing, says_nil
from piperoll.reading.grids.grid import Row, cell_at, tidy

FEW_ROWS = 30
"""The most rows in a nil return, including its title and notes."""

_POUNDS = re.compile(r"£|\d[.,]\d\d\b|,\d{3}\b")
_MOST_RECORDS = 2_000
"""Templates come with so many rows of zeros or blanks at most."""

_NOT_APPLICABLE = re.compile(r"n\s?[/\\.]\s?a\.?|not applicable", re.I)


def nil_return(sheet: str | None, row: int | None) -> Finding:
    """Report that a sheet says, in a row if that is known, that there was nothing to report."""
    return make_finding("nil-return", Address(sheet=sheet, row=row), variant="row" if row else "file")


def find_nil_row(rows: Iterable[Row]) -> int | None:
    """Return the number of the row that says there is nothing to report, in a file with few rows; None if none does.

    A `none` within a table does not count, nor does a note below rows with amounts of money.
    """
    few = list(islice(rows, FEW_ROWS + 1))
    if len(few) > FEW_ROWS:
        return None
    filled = [(row, _filled_cells(row)) for row in few]
    for _, cells in filled:
        if len(cells) >= 3 and any(_POUNDS.search(cell) and read_amount(cell) for cell in cells):
            return None  # a record with an amount
    for row, cells in filled:
        if cells and (all(map(says_nil, cells)) or (len(cells) <= 3 and any(map(says_nil, cells)))):
            return row.number
    return None


@dataclass(frozen=True, slots=True)
class NilTable:
    """The rows of a table that can be a nil return, in order, and its columns.

    `records` are the rows that look like records, `others` the notes and totals among and above them. `amount` is the
    column of the amounts, `context` are the columns that say whose return it is and of which day.
    """

    records: Iterable[Row]
    others: Iterable[Row]
    amount: int | None
    context: frozenset[int]

    @classmethod
    def of(
        cls, records: Iterable[Row], others: Iterable[Row], columns: Mapping[str, int], dataset: Dataset
    ) -> NilTable:
        """Return the table of some rows, given the column of each field."""
        whose = {*dataset.body_fields, *dataset.parent_fields}
        context = {at for name, at in columns.items() if name in whose or dataset.field(name).type == "date"}
        amount = next((columns[name] for name in dataset.amount if name in columns), None)
        return cls(records, others, amount, frozenset(context))

    def is_payment(self, row: Row) -> bool:
        """Whether a record has an amount other than zero, or several cells that say something."""
        amount = "" if self.amount is None else tidy(cell_at(row, self.amount))
        if not (means_nothing(amount, typed=True) or says_nil(amount) or read_amount(amount) == 0):
            return True
        if any(map(says_nil, _filled_cells(row))):
            return False
        told = {column for column, cell in enumerate(row.cells) if not _says_nothing(tidy(cell))}
        return len(told - self.context - {self.amount}) > 1


def find_nil_return(tables: Iterable[NilTable]) -> int | None:
    """Return the number of the row that says there is nothing to report, if the tables have no payment; else None.

    A row in which every cell is `n/a` says so too. Rows of blanks, zeros, totals and notes do not matter.
    """
    found: list[int] = []
    for table in tables:
        records: list[Row] = []
        for row in table.records:
            if table.is_payment(row) or len(records) == _MOST_RECORDS:
                return None
            records.append(row)
        said = [row for row in (*records, *table.others) if _states_nil(row, table)]
        found += [row.number for row in said]
    return min(found, default=None)


def _states_nil(row: Row, table: NilTable) -> bool:
    cells = _filled_cells(row)
    if any(map(says_nil, cells)):
        return True
    own = [tidy(cell) for column, cell in enumerate(row.cells) if column not in table.context]
    return any(map(_is_not_applicable, cells)) and all(map(_says_nothing, own))


def _is_not_applicable(text: str) -> bool:
    return bool(_NOT_APPLICABLE.fullmatch(text))


def _says_nothing(text: str) -> bool:
    """Whether a tidy cell is empty, a mark for nothing, a zero or the label of a total."""
    return means_nothing(text, typed=True) or is_label(text) or read_amount(text) == 0


def _filled_cells(row: Row) -> list[str]:
    return [text for cell in row.cells if (text := tidy(cell))]
