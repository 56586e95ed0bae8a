"""Whether a file says that there was nothing to report."""

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
"""A nil return has no more rows than this, its title and notes with it."""

_POUNDS = re.compile(r"£|\d[.,]\d\d\b|,\d{3}\b")
_FEW_RECORDS = 3
"""Nor more rows than this that look like records."""


def nil_return(sheet: str | None, row: int | None) -> Finding:
    """The finding that a sheet says, in a row if that is known, that there was nothing to report."""
    return make_finding("nil-return", Address(sheet=sheet, row=row), variant="row" if row else "file")


def find_nil_row(rows: Iterable[Row]) -> int | None:
    """The row that says there was nothing, in a file of few rows.

    A `none` within a table says nothing, nor does a note below rows that hold pounds, whatever their headings.
    """
    few = list(islice(rows, _FEW + 1))
    if len(few) > _FEW or any(map(_holds_pounds, few)):
        return None
    return next((row.number for row in few if _is_said(_said(row))), None)


def _is_said(cells: Sequence[str]) -> bool:
    return bool(cells) and (all(map(says_nil, cells)) or (len(cells) <= 3 and any(map(says_nil, cells))))


def _holds_pounds(row: Row) -> bool:
    """Whether a row is like a record with an amount."""
    cells = _said(row)
    return len(cells) >= 3 and any(_POUNDS.search(cell) and read_amount(cell) for cell in cells)


def find_nil_record(records: Iterable[tuple[Row, int | None]]) -> int | None:
    """The first of a few records, each with its column of amounts, that all say there was nothing and have none."""
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
