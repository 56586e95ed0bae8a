"""A grid: the cells of one sheet or text file as text, each row with its address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\x00"))
_SPACES = re.compile(r"\s+")


class Row(NamedTuple):
    """One row: its number as a spreadsheet program shows it, its first physical line, its cells as sent."""

    number: int
    line: int | None
    cells: Sequence[str]


@dataclass(frozen=True)
class Grid:
    """The rows of one sheet, CSV or list of records; `sheet` is None where there are no sheets.

    `headings` are given for records that name their own values (JSON); elsewhere they must be found.
    `hidden` sheets are read like others and told.
    """

    sheet: str | None
    rows: Sequence[Row]
    hidden: bool = False
    headings: tuple[str, ...] | None = None

    @property
    def width(self) -> int:
        """The cells of the widest row."""
        return max((len(row.cells) for row in self.rows), default=0)


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
