"""A grid: the cells of one sheet or text file as text, each row with its address."""

from __future__ import annotations

import re
from dataclasses import dataclass

from piperoll.model import Period
from piperoll.model.columns import Mask, mask_at, pc, true_indices
from piperoll.reading.grids.blocks import Block, Row
from piperoll.reading.grids.rows import Rows

__all__ = ["Grid", "Row", "cell_at", "filled", "is_blank", "letter", "squeezed", "tidy"]

_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\x00"))
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Grid:
    """The rows of one sheet, CSV or list of records; `sheet` is None where there are no sheets.

    `headings` are given for records that name their own values (JSON); elsewhere they must be found.
    `hidden` sheets are read like others and told. `delimiter` parts the cells of a text file. `periods` are those that
    the names of the sheet and the file may mean.
    """

    sheet: str | None
    rows: Rows
    hidden: bool = False
    headings: tuple[str, ...] | None = None
    delimiter: str = ","
    periods: tuple[Period, ...] = ()

    @property
    def width(self) -> int:
        """The cells of the widest row."""
        return self.rows.width


def tidy(cell: str) -> str:
    """The cell without the space around it (no-break spaces too) and without invisible marks."""
    if cell.isascii():
        return cell.strip(" \t\r\n\x0b\x0c\x00") if "\x00" not in cell else cell.replace("\x00", "").strip()
    return cell.translate(_INVISIBLE).strip()


def squeezed(cell: str) -> str:
    """The tidy cell with every run of space within it as one space."""
    return _SPACES.sub(" ", tidy(cell))


def is_blank(row: Row) -> bool:
    """Whether every cell of the row is empty or white space."""
    return not any(tidy(cell) for cell in row.cells)


def filled(rows: Rows) -> Rows:
    """The rows that are not blank."""
    return rows.kept(map(_filled, rows.blocks()))


def _filled(block: Block) -> Mask:
    sure = block.any(block.matching("^[!-~]"))
    if pc.all(sure).as_py():
        return sure
    unsure = pc.invert(sure)
    pairs = zip(true_indices(unsure), block.filter(unsure), strict=True)
    return pc.or_(sure, mask_at((place for place, row in pairs if not is_blank(row)), len(block)))


def cell_at(row: Row, column: int) -> str:
    """The cell as sent; empty where the row is too short."""
    return row.cells[column] if 0 <= column < len(row.cells) else ""


def letter(column: int) -> str:
    """The spreadsheet letter of a column counted from 0: 0 is A, 26 is AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
