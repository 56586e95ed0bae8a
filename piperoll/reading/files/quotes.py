"""Records whose quotation marks are broken: which of them hold a cell together and which are letters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple

AHEAD = 5
"""Over how many lines a record with a broken quote may go on."""

_READINGS = 64
"""How many ways to part a record are tried; each broken quote doubles them."""

_WIDEST = 400
"""A record of more cells is not tried."""


class Mended(NamedTuple):
    """The cells of a record, and how many lines it takes."""

    cells: list[str]
    lines: int


def mended(lines: Sequence[str], delimiter: str, width: int) -> Mended:
    """The record on the first of these lines, in the reading of its quotes that gives it `width` cells, if one does.

    A quote closes a cell before a delimiter or the end of the record; one that opens a cell and is not closed so, or
    would join two cells, is a letter. A record goes on over a line only within quotes.
    """
    for count in range(1, len(lines) + 1):
        text = "".join(lines[:count]).rstrip("\r\n")
        if text.count(delimiter) > _WIDEST:
            break
        for cells in islice(_readings(text, delimiter), _READINGS):
            if len(cells) == width and not any(_holds_rows(cell, delimiter, width) for cell in cells):
                return Mended(cells, count)
    return Mended(literally(lines[0], delimiter), 1)


def _holds_rows(cell: str, delimiter: str, width: int) -> bool:
    """Whether a cell over several lines is rather a piece of some rows: it holds many delimiters."""
    return ("\n" in cell or "\r" in cell) and 3 * cell.count(delimiter) >= width


def joins(text: str, cells: Sequence[str], delimiter: str) -> bool:
    """Whether these cells of a record are not those that its quotes hold together, the space about them apart."""
    text = text.rstrip("\r\n")
    if text.count(delimiter) > _WIDEST:
        return False
    first = next(_readings(text, delimiter), [])
    return [cell.strip() for cell in first] != [cell.strip() for cell in cells]


def literally(line: str, delimiter: str) -> list[str]:
    """The cells of a line in which quotes hold nothing together."""
    cells = line.rstrip("\r\n").split(delimiter)
    return [cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell for cell in cells]


def _readings(text: str, delimiter: str, dead: set[int] | None = None) -> Iterator[list[str]]:
    """The ways to part a record, those first in which quotes hold cells together.

    `dead` are the lengths of what is left of the record where no way leads on: each is looked at once, as the ways
    that lead there double with every quote.
    """
    dead = set() if dead is None else dead
    found = False
    for cell, rest in _first(text, delimiter) if len(text) not in dead else ():
        for others in [[]] if rest is None else _readings(rest, delimiter, dead):
            found = True
            yield [cell, *others]
    if not found:
        dead.add(len(text))


def _first(text: str, delimiter: str) -> Iterator[tuple[str, str | None]]:
    """The ways to read the first cell, each with what is left of the record; None after the last cell."""
    if text.startswith('"') and (close := _closing(delimiter).search(text[1:])):
        rest = text[1 + close.end() :]
        yield text[1 : 1 + close.start(1)].replace('""', '"'), rest[1:] if rest else None
    cell, found, rest = text.partition(delimiter)
    if not ("\n" in cell or "\r" in cell):
        yield cell, rest if found else None


@cache
def _closing(delimiter: str) -> re.Pattern[str]:
    """A quote that may close a cell: no half of a doubled one, and before a delimiter or the end."""
    return re.compile(rf'(?<!")(?:"")*(")(?!") *(?={re.escape(delimiter)}|\Z)')
