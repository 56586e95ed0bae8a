"""Delimited text files (CSV, TSV) to rows: the delimiter, where each record begins, and broken quotation marks.

Three readers take turns, the fastest first. `tokens.split_rows` splits whole windows of text; `csv.reader` splits
blocks in which every line is a record; the careful reader goes record by record. Without either of the first two,
some real files take more than a tenth longer to read.
"""

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
from piperoll.reading.files.lines import TextLines, Window
from piperoll.reading.files.tokens import SplitRows, split_rows
from piperoll.reading.grids.blocks import ROWS, Block
from piperoll.reading.grids.grid import Rows
from piperoll.reading.grids.parallel import map_in_order

_DELIMITERS = ",\t;|"
_SAMPLE = 200
"""TextLines by which the delimiter and the usual number of cells are chosen."""

_REPAIRS = 200
"""Repair at most this many broken quotes one by one; in a file with more, quotes are read as ordinary characters."""

_CHARACTERS = 8_000_000
"""The most characters of a block of several lines."""

_REPAIR_LINES = 5
"""The most lines of a record with a broken quote."""

_REPAIR_READINGS = 64
"""The most ways to split a record that are tried; each broken quote doubles them."""

_REPAIR_CELLS = 400
"""Records with more delimiters than this are not repaired."""


@dataclass(frozen=True, slots=True)
class TextRows:
    """The rows of a text file, its delimiter, and those of the rows with broken quotes."""

    rows: Rows
    delimiter: str
    broken_quotes: Rows


def read_text(pieces: Iterable[str | bytes]) -> TextRows:
    """Read every record of a text file, with its record number and first physical line.

    The pieces are text or UTF-8, cut anywhere. An empty line is a record, as in a spreadsheet program. CR, LF and CRLF
    each end a line.
    """
    lines = TextLines(pieces)
    delimiter = choose_delimiter(lines[: 5 * _SAMPLE])
    broken: list[Mask] = []
    rows = Rows.of_blocks(_blocks(lines, delimiter, broken))
    return TextRows(rows, delimiter, rows.filter(broken))


class _Fit(NamedTuple):
    """How well a delimiter fits: how evenly it splits lines (0 to 1), into how many cells, and how many lines."""

    evenness: float
    width: int
    lines: int


def choose_delimiter(lines: Sequence[str]) -> str:
    """The delimiter that splits most of the first lines into the same number of cells, more than one.

    Another delimiter must be clearly better than the comma, or give more cells: in a file with semicolons, commas can
    separate pence or thousands, but do not occur in the line of headings.
    """
    sample = [line for line in lines if line.strip()][:_SAMPLE]
    fits = {delimiter: _fit(sample, delimiter) for delimiter in _DELIMITERS}
    comma = fits[","]
    best = max(_DELIMITERS, key=lambda delimiter: (*fits[delimiter], -_DELIMITERS.index(delimiter)))
    if best == ",":
        # One that splits more lines, into more cells, is better though less even.
        finer = [other for other in _DELIMITERS if fits[other].lines > comma.lines and fits[other].width > comma.width]
        return max(finer, key=lambda delimiter: fits[delimiter]) if finer else ","
    even, width, _ = fits[best]
    return best if even > 1.15 * comma.evenness or (even >= comma.evenness and width > comma.width) else ","


def _fit(sample: Sequence[str], delimiter: str) -> _Fit:
    widths = Counter(len(cells) for cells in _split_simply(sample, delimiter) if cells)
    several = {width: count for width, count in widths.items() if width > 1}
    if not several:
        return _Fit(0.0, 1, 0)
    width = max(several, key=lambda width: (several[width], width))
    near = sum(count for other, count in several.items() if abs(other - width) <= 2)
    return _Fit((near + several[width]) / (2 * sum(widths.values())), width, sum(several.values()))


def _split_simply(sample: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(sample, delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in sample]


def _blocks(lines: TextLines, delimiter: str, broken: list[Mask]) -> Iterator[Block]:
    """The records in blocks; for each block a mask of the records with broken quotes is appended to `broken`."""
    careful = _CarefulReader(lines, delimiter)
    number = 1
    while lines:
        for block in () if careful.ignores_quotes else _split_windows(lines, delimiter, careful.width, number):
            number += len(block)
            broken.append(pa.array(np.zeros(len(block), np.bool_)))
            yield block
        if lines:
            block, mask = _split_lines(lines, delimiter, careful, number)
            number += len(block)
            broken.append(mask)
            yield block


def _split_windows(lines: TextLines, delimiter: str, width: int, number: int) -> Iterator[Block]:
    """The next records, from this number on, up to the first that needs care; windows are split in parallel."""

    def split(window: Window) -> SplitRows | None:
        return split_rows(window.content, delimiter, width, last=window.last)

    with closing(map_in_order(split, lines.windows())) as windows:
        for found in windows:
            if found is None:
                break
            numbers = np.arange(number, number + len(found.starts))
            block = Block.of_arrays(numbers, found.starts + lines.taken + 1, found.rows, found.cells, found.text)
            number += len(block)
            complete = lines.take_window(found.size, found.lines)
            yield from block.slices(ROWS)
            if not complete:
                break
    lines.give_back()


def _split_lines(lines: TextLines, delimiter: str, careful: _CarefulReader, number: int) -> tuple[Block, Mask]:
    """The records that begin on the next lines, from this number on, and which of them have broken quotes."""
    ahead, first = lines[:ROWS], lines.taken + 1
    while len(ahead) > 1 and sum(map(len, ahead)) > _CHARACTERS:
        ahead = ahead[: len(ahead) // 2]
    plain = None if careful.ignores_quotes else _one_record_a_line(ahead, delimiter)
    if plain is not None:
        lines.take(len(ahead))
        block = Block.of(range(number, number + len(plain)), range(first, first + len(plain)), plain)
        return block, pa.array(np.zeros(len(plain), np.bool_))
    starts, cells, broken = zip(*careful.records(first - 1 + len(ahead)), strict=True)
    return Block.of(range(number, number + len(cells)), starts, cells), pa.array(broken, pa.bool_())


def _one_record_a_line(lines: Sequence[str], delimiter: str) -> list[list[str]] | None:
    """The cells of each line if every line is a record; None if some record spans several lines.

    A strict reader that returns as many records as lines, and one more for a line that is added at the end, has joined
    no two of them; it fails where a quote closes a cell before anything other than a delimiter.
    """
    try:
        cells = list(csv.reader([*lines, "."], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return cells[:-1] if len(cells) == len(lines) + 1 else None


class _Record(NamedTuple):
    line: int
    cells: list[str]
    broken: bool


class _CarefulReader:
    """Reads records one by one; a quote that would join rows is read as an ordinary character."""

    def __init__(self, lines: TextLines, delimiter: str) -> None:
        self.lines, self.delimiter, self.repairs = lines, delimiter, 0
        widths = Counter(len(cells) for cells in _split_simply(lines[:_SAMPLE], delimiter) if len(cells) > 1)
        self.width = widths.most_common(1)[0][0] if widths else 1

    @property
    def ignores_quotes(self) -> bool:
        """True once too many quotes were broken: then all further quotes are ordinary characters."""
        return self.repairs > _REPAIRS

    def records(self, stop: int) -> list[_Record]:
        """The records that begin on the next lines, up to line number `stop` of the file."""
        found: list[_Record] = []
        while self.lines.taken < stop and self.lines[:1]:
            if not self.ignores_quotes:
                found += self._sound_records(stop)
            if self.lines.taken < stop and self.lines[:1]:
                ahead = self.lines[: 1 if self.ignores_quotes else _REPAIR_LINES]
                cells, count = repair_record(ahead, self.delimiter, self.width)
                found.append(_Record(self.lines.taken + 1, cells, True))
                self.lines.take(count)
        return found

    def _sound_records(self, stop: int) -> Iterator[_Record]:
        """The records up to the next one with broken quotes."""
        reader = csv.reader(self.lines.onwards(), delimiter=self.delimiter)
        before = 0
        while self.lines.taken < stop:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:  # a cell of more than 131,072 characters: a quote is left open
                self.repairs += 1
                return
            count = reader.line_num - before
            before = reader.line_num
            if _has_broken_quotes(self.lines[:count], cells, self.delimiter, self.width):
                self.repairs += 1
                return
            yield _Record(self.lines.taken + 1, cells, False)
            self.lines.take(count)


def _has_broken_quotes(lines: Sequence[str], cells: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether quotes of a record are left open, or join what does not belong together: rows or cells."""
    if len(lines) == 1 and _one_record_a_line(lines, delimiter) is not None:
        return False
    quotes = sum(line.count('"') for line in lines)
    if quotes % 2:
        return True
    return quotes > 0 and (_contains_rows(cells, delimiter, width) or joins_cells("".join(lines), cells, delimiter))


def _contains_rows(cells: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether a cell that spans several lines contains whole rows."""
    if width < 3:
        return False
    inner = [line for cell in cells if "\n" in cell or "\r" in cell for line in re.split(r"\r\n|\r|\n", cell)[1:-1]]
    full = len([line for line in inner if line.count(delimiter) >= width - 1])
    return full > 0 and 2 * full >= len(inner)


def joins_cells(text: str, cells: Sequence[str], delimiter: str) -> bool:
    """Whether the cells of a record, apart from surrounding space, differ from those that its quotes enclose."""
    text = text.rstrip("\r\n")
    if text.count(delimiter) > _REPAIR_CELLS:
        return False
    first = next(_readings(text, delimiter), [])
    return [cell.strip() for cell in first] != [cell.strip() for cell in cells]


class RepairedRecord(NamedTuple):
    """The cells of a record, and the number of its lines."""

    cells: list[str]
    lines: int


def repair_record(lines: Sequence[str], delimiter: str, width: int) -> RepairedRecord:
    """Read the record on the first of these lines so that it has `width` cells, if its quotes can be read that way.

    A quote closes a cell before a delimiter or the end of the record. One that opens a cell but is not closed in this
    way, or would join two cells, is an ordinary character. A record continues on the next line only within quotes.
    """
    for count in range(1, len(lines) + 1):
        text = "".join(lines[:count]).rstrip("\r\n")
        if text.count(delimiter) > _REPAIR_CELLS:
            break
        for cells in islice(_readings(text, delimiter), _REPAIR_READINGS):
            if len(cells) == width and not any(_is_part_of_rows(cell, delimiter, width) for cell in cells):
                return RepairedRecord(cells, count)
    return RepairedRecord(split_ignoring_quotes(lines[0], delimiter), 1)


def _is_part_of_rows(cell: str, delimiter: str, width: int) -> bool:
    """Whether a cell that spans several lines looks like a part of several rows: it contains many delimiters."""
    return ("\n" in cell or "\r" in cell) and 3 * cell.count(delimiter) >= width


def split_ignoring_quotes(line: str, delimiter: str) -> list[str]:
    """The cells of a line in which quotes enclose at most one whole cell."""
    cells = line.rstrip("\r\n").split(delimiter)
    return [cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell for cell in cells]


def _readings(text: str, delimiter: str, dead_ends: set[int] | None = None) -> Iterator[list[str]]:
    """All ways to split a record, first those in which quotes enclose cells.

    `dead_ends` are the lengths of the remaining text for which no way exists. Each is tried only once, because the
    number of ways that lead there doubles with every quote.
    """
    dead_ends = set() if dead_ends is None else dead_ends
    found = False
    for cell, rest in _first_cells(text, delimiter) if len(text) not in dead_ends else ():
        for others in [[]] if rest is None else _readings(rest, delimiter, dead_ends):
            found = True
            yield [cell, *others]
    if not found:
        dead_ends.add(len(text))


def _first_cells(text: str, delimiter: str) -> Iterator[tuple[str, str | None]]:
    """All ways to read the first cell, each with the rest of the record; None after the last cell."""
    if text.startswith('"') and (close := _closing_quote(delimiter).search(text[1:])):
        rest = text[1 + close.end() :]
        yield text[1 : 1 + close.start(1)].replace('""', '"'), rest[1:] if rest else None
    cell, found, rest = text.partition(delimiter)
    if not ("\n" in cell or "\r" in cell):
        yield cell, rest if found else None


@cache
def _closing_quote(delimiter: str) -> re.Pattern[str]:
    """A quote that can close a cell: not half of a doubled quote, and before a delimiter or the end."""
    return re.compile(rf'(?<!")(?:"")*(")(?!") *(?={re.escape(delimiter)}|\Z)')
