"""Nil returns: whether a file says that there is nothing to report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from piperoll.findings import make_finding
from piperoll.model import Address, Finding
from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.cells.marks import means_nothing, says_nil
from piperoll.reading.grids.grid import Row, cell_at, tidy

FEW_ROWS = 30
"""The most rows in a nil return, including its title and notes."""

_POUNDS = re.compile(r"£|\d[.,]\d\d\b|,\d{3}\b")
_FEW_RECORDS = 3
"""The most rows that look like records in a nil return."""


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


def find_nil_record(records: Iterable[tuple[Row, int | None]]) -> int | None:
    """Return the number of the first record if all of a few records say that there is nothing to report.

    Each record comes with its column of amounts, and none may have an amount.
    """
    few = list(islice(records, _FEW_RECORDS + 1))
    if not 0 < len(few) <= _FEW_RECORDS:
        return None
    for row, amount in few:
        text = "" if amount is None else tidy(cell_at(row, amount))
        empty = amount is not None and (means_nothing(text, typed=True) or read_amount(text) == 0)
        if not empty or not any(map(says_nil, _filled_cells(row))):
            return None
    return few[0][0].number


def _filled_cells(row: Row) -> list[str]:
    return [text for cell in row.cells if (text := tidy(cell))]
