"""Text files to rows: which delimiter, which quotes are broken, and where each record begins."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from piperoll.model.columns import Mask
from piperoll.reading.files.lines import Lines, Window
from piperoll.reading.files.tokens import Parted, parted
from piperoll.reading.grids.blocks import ROWS, Block
from piperoll.reading.grids.grid import Rows
from piperoll.reading.grids.parallel import map_in_order

_DELIMITERS = ",\t;|"
_SAMPLE = 200
_REPAIRS = 200
"""How many broken quotes are mended singly; a file with more is read as if quotes meant nothing."""
_CHARACTERS = 8_000_000
"""How many characters of text a block of several lines may hold."""


@dataclass(frozen=True, slots=True)
class TextRows:
    """The rows of a text file: how they are parted, and the rows whose quotes are broken."""

    rows: Rows
    delimiter: str
    broken_quotes: Rows


def read_text(pieces: Iterable[str | bytes]) -> TextRows:
    """Every record of a text file, with its record number and first physical line.

    The file comes in pieces of text, or of its UTF-8, cut anywhere. An empty line is a record, as a spreadsheet program
    shows it. CR, LF and CRLF each end a line.
    """
    lines = Lines(pieces)
    delimiter = choose_delimiter(lines[: 5 * _SAMPLE])
    broken: list[Mask] = []
    rows = Rows.of_blocks(_blocks(lines, delimiter, broken))
    return TextRows(rows, delimiter, rows.filter(broken))


class _Parting(NamedTuple):
    """How evenly a delimiter parts lines, from 0 to 1, into how many cells most of them, and how many lines at all."""

    evenness: float
    width: int
    lines: int


def choose_delimiter(lines: Sequence[str]) -> str:
    """The delimiter under which most of the first lines have the same number of cells, more than one.

    Commas must be beaten clearly, or by more cells to a line: in a semicolon file the commas may part pounds and pence,
    or thousands, but they do not stand in the line of headings too.
    """
    sample = [line for line in lines if line.strip()][:_SAMPLE]
    found = {delimiter: _parting(sample, delimiter) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: (*found[delimiter], -_DELIMITERS.index(delimiter)))
    if best == "," and (finer := [other for other in _DELIMITERS if _is_finer(found[other], found[","])]):
        return max(finer, key=lambda delimiter: found[delimiter])
    (score, width, _), (commas, usual, _) = found[best], found[","]
    return best if score > 1.15 * commas or (score >= commas and width > usual) else ","


def _is_finer(one: _Parting, other: _Parting) -> bool:
    """Whether a delimiter parts more lines than another, and into more cells, though less evenly."""
    return one.lines > other.lines and one.width > other.width


def _parting(sample: Sequence[str], delimiter: str) -> _Parting:
    widths = Counter(len(cells) for cells in _naive(sample, delimiter) if cells)
    many = {width: count for width, count in widths.items() if width > 1}
    if not many:
        return _Parting(0.0, 1, 0)
    width = max(many, key=lambda width: (many[width], width))
    near = sum(count for other, count in many.items() if abs(other - width) <= 2)
    return _Parting((near + many[width]) / (2 * sum(widths.values())), width, sum(many.values()))


def _naive(sample: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(sample, delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in sample]


def _blocks(lines: Lines, delimiter: str, broken: list[Mask]) -> Iterator[Block]:
    """The records in blocks; `broken` is given a mask for each block: the records whose quotes are broken."""
    careful = _Careful(lines, delimiter)
    number = 1
    while lines:
        for block in () if careful.literal else _at_once(lines, delimiter, careful.width, number):
            number += len(block)
            broken.append(pa.array(np.zeros(len(block), np.bool_)))
            yield block
        if lines:
            block, quotes = _with_care(lines, delimiter, careful, number)
            number += len(block)
            broken.append(quotes)
            yield block


def _at_once(lines: Lines, delimiter: str, width: int, number: int) -> Iterator[Block]:
    """The next records, from this number on, as far as they need no care: whole windows at a time, looked at ahead."""

    def looked_at(window: Window) -> Parted | None:
        return parted(window.content, delimiter, width, last=window.last)

    with closing(map_in_order(looked_at, lines.windows())) as windows:
        for found in windows:
            if found is None:
                break
            numbers = np.arange(number, number + len(found.starts))
            block = Block.of_arrays(numbers, found.starts + lines.taken + 1, found.rows, found.cells, found.text)
            number += len(block)
            whole = lines.take_window(found.size, found.lines)
            yield from block.slices(ROWS)
            if not whole:
                break
    lines.give_back()


def _with_care(lines: Lines, delimiter: str, careful: _Careful, number: int) -> tuple[Block, Mask]:
    """The records that begin on the next lines, from this number on, and which of them have broken quotes."""
    ahead, first = _ahead(lines), lines.taken + 1
    plain = None if careful.literal else _one_a_line(ahead, delimiter)
    if plain is not None:
        lines.take(len(ahead))
        block = Block.of(range(number, number + len(plain)), range(first, first + len(plain)), plain)
        return block, pa.array(np.zeros(len(plain), np.bool_))
    starts, cells, quotes = zip(*careful.records(first - 1 + len(ahead)), strict=True)
    return Block.of(range(number, number + len(cells)), starts, cells), pa.array(quotes, pa.bool_())


def _ahead(lines: Lines) -> list[str]:
    """The next lines, as many as a block may hold."""
    ahead = lines[:ROWS]
    while len(ahead) > 1 and sum(map(len, ahead)) > _CHARACTERS:
        ahead = ahead[: len(ahead) // 2]
    return ahead


def _one_a_line(lines: Sequence[str], delimiter: str) -> list[list[str]] | None:
    """The cells of each line where every line is a record of its own; None where some record goes on beyond its line.

    A reader that gives as many records as lines, one more for a line that we add, has joined no two of them; it stops
    where a quote closes a cell before something else than a delimiter.
    """
    try:
        cells = list(csv.reader([*lines, "."], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return cells[:-1] if len(cells) == len(lines) + 1 else None


class _Record(NamedTuple):
    line: int
    cells: list[str]
    mended: bool


class _Careful:
    """Records one by one; a quote that swallows rows is taken as a letter."""

    def __init__(self, lines: Lines, delimiter: str) -> None:
        self.lines, self.delimiter = lines, delimiter
        self.width = _usual_width(lines[:_SAMPLE], delimiter)
        self.repairs = 0

    @property
    def literal(self) -> bool:
        """Whether so many quotes are broken that those to come mean nothing."""
        return self.repairs > _REPAIRS

    def records(self, stop: int) -> list[_Record]:
        """The records that begin on the next lines, up to `stop` lines from the start of the file."""
        found: list[_Record] = []
        while self.lines.taken < stop and self.lines[:1]:
            if not self.literal:
                found += self._whole(stop)
            if self.lines.taken < stop and self.lines[:1]:
                cells, count = self._mended()
                found.append(_Record(self.lines.taken + 1, cells, True))
                self.lines.take(count)
        return found

    def _mended(self) -> Mended:
        """The next record with its quotes mended: one that goes on over lines only while broken quotes are few."""
        return mended(self.lines[:1] if self.literal else self.lines[:AHEAD], self.delimiter, self.width)

    def _whole(self, stop: int) -> Iterator[_Record]:
        """The records up to the next one whose quotes are broken."""
        for span, cells in _parse(self.lines, self.delimiter):
            if cells is None or _broken(self.lines[:span], cells, self.delimiter, self.width):
                self.repairs += 1
                return
            yield _Record(self.lines.taken + 1, cells, False)
            self.lines.take(span)
            if self.lines.taken >= stop:
                return


def _parse(lines: Lines, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """How many lines the next record takes, and its cells; None for a cell that never ends. Lines are not taken."""
    reader = csv.reader(lines.onwards(), delimiter=delimiter)
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a cell of over 131,072 characters: an open quote
            yield 1, None
            return
        yield reader.line_num - before, cells
        before = reader.line_num


def _usual_width(lines: Sequence[str], delimiter: str) -> int:
    widths = Counter(len(cells) for cells in _naive(lines, delimiter) if len(cells) > 1)
    return widths.most_common(1)[0][0] if widths else 1


def _broken(lines: Sequence[str], cells: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether quotes are left open, or join what stands apart: whole rows in one cell, or cells of one row.

    A line that is a record by itself, as most are, is none of these: it is read so among others too.
    """
    if len(lines) == 1 and _one_a_line(lines, delimiter) is not None:
        return False
    quotes = sum(line.count('"') for line in lines)
    if quotes % 2:
        return True
    return quotes > 0 and (_swallows(cells, delimiter, width) or joins("".join(lines), cells, delimiter))


def _swallows(cells: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether a cell over several lines holds whole rows."""
    if width < 3:
        return False
    inner = [line for cell in cells if "\n" in cell or "\r" in cell for line in re.split(r"\r\n|\r|\n", cell)[1:-1]]
    full = len([line for line in inner if line.count(delimiter) >= width - 1])
    return full > 0 and 2 * full >= len(inner)


# Records whose quotation marks are broken: which of them hold a cell together and which are letters.


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
