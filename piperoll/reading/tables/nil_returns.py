"""Nil returns: whether a file says that there is nothing to report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from piperoll.findings import make_finding
from piperoll.model import Address, Finding
from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.cells.marks import means_nothing, says_nil
from piperoll.reading.grids.grid import Row, cell_at, tidy

_FEW = 30
"""The most rows in a nil return, including its title and notes."""

_POUNDS = re.compile(r"£|\d[.,]\d\d\b|,\d{3}\b")
_FEW_RECORDS = 3
"""The most rows that look like records in a nil return."""


def nil_return(sheet: str | None, row: int | None) -> Finding:
    """The finding that a sheet says, in a row if that is known, that there was nothing to report."""
    return make_finding("nil-return", Address(sheet=sheet, row=row), variant="row" if row else "file")


def find_nil_row(rows: Iterable[Row]) -> int | None:
    """Return the number of the row that says there is nothing to report, in a file with few rows.

    None if there is none.

    A `none` within a table does not count, nor does a note below rows with amounts of money.
    """
    few = list(islice(rows, _FEW + 1))
    if len(few) > _FEW or any(map(_holds_pounds, few)):
        return None
    return next((row.number for row in few if _is_said(_said(row))), None)


def _is_said(cells: Sequence[str]) -> bool:
    return bool(cells) and (all(map(says_nil, cells)) or (len(cells) <= 3 and any(map(says_nil, cells))))


def _holds_pounds(row: Row) -> bool:
    """Return whether a row looks like a record with an amount."""
    cells = _said(row)
    return len(cells) >= 3 and any(_POUNDS.search(cell) and read_amount(cell) for cell in cells)


def find_nil_record(records: Iterable[tuple[Row, int | None]]) -> int | None:
    """Return the number of the first record if all of a few records say that there is nothing to report.

    Each record comes with its column of amounts, and none may have an amount.
    """
    few = list(islice(records, _FEW_RECORDS + 1))
    if not 0 < len(few) <= _FEW_RECORDS or not all(_is_nil(row, column) for row, column in few):
        return None
    return few[0][0].number


def _is_nil(row: Row, amount: int | None) -> bool:
    if amount is None:
        return False
    text = tidy(cell_at(row, amount))
    return (means_nothing(text, typed=True) or read_amount(text) == 0) and any(map(says_nil, _said(row)))


def _said(row: Row) -> list[str]:
    return [text for cell in row.cells if (text := tidy(cell))]
