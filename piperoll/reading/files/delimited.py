"""Delimited text files (CSV, TSV) to rows: the delimiter, where each record begins, and broken quotation marks.

Three readers take turns, the fastest first. `tokens.split_rows` splits whole windows of text; `csv.reader` splits
blocks in which every line is a record; the careful reader goes record by record. Without either of the first two,
some real files take more than a tenth longer to read.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count, islice
from typing import NamedTuple, overload

import numpy as np
import pyarrow as pa

from piperoll.model.columns import Mask
from piperoll.reading.files.limits import RowBudget
from piperoll.reading.files.tokens import SplitRows, split_rows
from piperoll.reading.grids.blocks import ROWS, Block
from piperoll.reading.grids.grid import Rows
from piperoll.reading.grids.parallel import map_in_order

_DELIMITERS = ",\t;|"
_LEAST = 1_000_000
"""The least bytes of a window, except of the last one."""

_MARKS = 500_000
"""The most delimiters and line ends in a window of several rows: each takes about 100 bytes while it is split."""

_SAMPLE = 200
"""Choose the delimiter and the usual number of cells by at most this many lines from the start of the file."""

_REPAIRS = 200
"""Repair at most this many broken quotes one by one; in a file with more, quotes are read as ordinary characters."""

_CHARACTERS = 8_000_000
"""The most characters in a block of more than one line; it bounds the memory that a block needs."""

_REPAIR_LINES = 5
"""Look for the end of a record with a broken quote in at most this many lines."""

_REPAIR_READINGS = 64
"""Try at most this many ways to split a record; each broken quote doubles their number."""

_REPAIR_CELLS = 400
"""Do not repair a record with more delimiters than this: splitting it takes too long."""


class Window(NamedTuple):
    """A part of a text in UTF-8; `last` says that it reaches the end of the text."""

    content: bytes
    last: bool


class TextLines:
    """The lines that have not been taken yet, each with its line ending.

    The pieces are text or UTF-8, cut anywhere. CR, LF and CRLF each end a line. The lines can be looked at one by one,
    or as bytes in `windows` of many lines, before they are taken.
    """

    def __init__(self, pieces: Iterable[str | bytes]) -> None:
        self._pieces = iter(pieces)
        self._ahead: deque[str] = deque()
        self._rest: list[bytes] = []
        """The bytes after the lines ahead, not yet split into lines."""
        self._given: deque[bytes] = deque()
        self._ended = False
        """True after the last piece."""
        self.taken = 0

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        """The line at an index, counted from the first one not taken; for `[:count]` the next lines, if there are."""
        if isinstance(index, slice):
            self._split(index.stop)
            return list(islice(self._ahead, index.start, index.stop))
        self._split(index + 1)
        return self._ahead[index]

    def onwards(self) -> Iterator[str]:
        """Every line from the first one not taken to the last; lines can be taken during the iteration."""
        for number in count(self.taken):
            self._split(number - self.taken + 1)
            if number - self.taken >= len(self._ahead):
                return
            yield self._ahead[number - self.taken]

    def take(self, lines: int) -> None:
        """Drop the next lines, which are in memory."""
        for _ in range(lines):
            self._ahead.popleft()
        self.taken += lines

    def __bool__(self) -> bool:
        """Whether any line is left."""
        while not (self._ahead or any(self._rest) or self._ended):
            self._fetch()
        return bool(self._ahead) or any(self._rest)

    def windows(self) -> Iterator[Window]:
        """The rest of the text in windows that each consist of whole rows, if quotes are used correctly.

        Windows can be produced ahead of those that are taken. Afterwards, `give_back` those that were not taken.
        """
        while self:
            if self._ahead:
                self._rest.insert(0, _to_utf8("".join(self._ahead)))
                self._ahead.clear()
            while not self._ended and sum(map(len, self._rest)) < _LEAST:
                self._fetch()
            content = b"".join(self._rest)
            cut = len(content) if self._ended else _last_row_end(content) or len(content)
            while content.count(b"\n", 0, cut) + content.count(b",", 0, cut) > _MARKS:
                smaller = _last_row_end(content[: cut // 2])
                if not smaller:
                    break
                cut = smaller
            self._rest = [content[cut:]] if cut < len(content) else []
            self._given.append(content[:cut])
            yield Window(content[:cut], self._ended and cut == len(content))

    def take_window(self, size: int, lines: int) -> bool:
        """Drop the first bytes of the oldest window, which have this many lines; True if that is the whole window."""
        window = self._given.popleft()
        self.taken += lines
        if size < len(window):
            self._given.appendleft(window[size:])
        return size == len(window)

    def give_back(self) -> None:
        """Return to the first byte that was not taken."""
        self._rest = [*self._given, *self._rest]
        self._given.clear()

    def _split(self, lines: int) -> None:
        """Have this many lines ahead, unless the text ends."""
        while lines > len(self._ahead) and (any(self._rest) or not self._ended):
            rest = b"".join(self._rest)
            # An LF may follow a CR at the very end.
            cut = len(rest) if self._ended else max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, -1)) + 1
            self._ahead.extend(io.StringIO(rest[:cut].decode(), newline=""))
            self._rest = [rest[cut:]] if cut < len(rest) else []
            while lines > len(self._ahead) and not self._ended:
                piece = self._fetch()
                if b"\n" in piece or b"\r" in piece:
                    break

    def _fetch(self) -> bytes:
        """Fetch the next piece."""
        piece = next(self._pieces, None)
        self._ended = piece is None
        self._rest.append(_to_utf8(piece or b""))
        return self._rest[-1]


def _last_row_end(content: bytes) -> int:
    """The end of the last row: after an LF with an even number of quotes before it; 0 if there is none."""
    cut = content.rfind(b"\n") + 1
    odd = np.count_nonzero(np.frombuffer(content, np.uint8, cut) == ord('"')) % 2
    while odd and cut:
        before = content.rfind(b"\n", 0, cut - 1) + 1
        odd = (odd + content.count(b'"', before, cut)) % 2
        cut = before
    return cut


def _to_utf8(piece: str | bytes) -> bytes:
    return piece.encode("utf-8", "replace") if isinstance(piece, str) else piece


@dataclass(frozen=True, slots=True)
class TextRows:
    """The rows of a text file, its delimiter, and those of the rows with broken quotes."""

    rows: Rows
    delimiter: str
    broken_quotes: Rows


def read_text(pieces: Iterable[str | bytes], budget: RowBudget | None = None) -> TextRows:
    """Read every record of a text file, with its record number and first physical line.

    The pieces are text or UTF-8, cut anywhere. An empty line is a record, as in a spreadsheet program. CR, LF and CRLF
    each end a line.

    Raises: FileTooLarge: there are too many rows or columns.
    """
    lines = TextLines(pieces)
    delimiter = choose_delimiter(lines[: 5 * _SAMPLE])
    broken: list[Mask] = []
    blocks = _blocks(lines, delimiter, broken)
    rows = Rows.of_blocks(budget.check(blocks) if budget else blocks)
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
    if not any(delimiter in line for line in sample):
        return _Fit(0.0, 1, 0)
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
    quotes = sum(line.count('"') for line in lines)
    if not quotes or (len(lines) == 1 and _one_record_a_line(lines, delimiter) is not None):
        return False
    if quotes % 2:
        return True
    # Of the lines inside of cells, which are neither the first nor the last of their cell, half or more are whole rows.
    # With fewer than three columns an ordinary text can look like a row.
    inner = [line for cell in cells if "\n" in cell or "\r" in cell for line in re.split(r"\r\n|\r|\n", cell)[1:-1]]
    full = sum(line.count(delimiter) >= width - 1 for line in inner) if width >= 3 else 0
    return (full > 0 and 2 * full >= len(inner)) or _joins_cells("".join(lines), cells, delimiter)


def _joins_cells(text: str, cells: Sequence[str], delimiter: str) -> bool:
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
    for height in range(1, len(lines) + 1):
        text = "".join(lines[:height]).rstrip("\r\n")
        if text.count(delimiter) > _REPAIR_CELLS:
            break
        for cells in islice(_readings(text, delimiter), _REPAIR_READINGS):
            # A cell of several lines with many delimiters is probably made of parts of several rows.
            tall = (cell for cell in cells if "\n" in cell or "\r" in cell)
            if len(cells) == width and not any(3 * cell.count(delimiter) >= width for cell in tall):
                return RepairedRecord(cells, height)
    # No way gives the usual number of cells: quotes enclose at most one whole cell.
    cells = lines[0].rstrip("\r\n").split(delimiter)
    return RepairedRecord([cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell for cell in cells], 1)


def _readings(text: str, delimiter: str, dead_ends: set[int] | None = None) -> Iterator[list[str]]:
    """All ways to split a record, first those in which quotes enclose cells.

    `dead_ends` are the lengths of the remaining text for which no way exists. Each is tried only once, because the
    number of ways that lead there doubles with every quote.
    """
    dead_ends = set() if dead_ends is None else dead_ends
    if len(text) in dead_ends:
        return
    firsts: list[tuple[str, str | None]] = []  # the first cell, and the rest of the record; None after the last cell
    # A quote can close the cell if it is not half of a doubled quote, and is before a delimiter or the end.
    closing_quote = rf'(?<!")(?:"")*(")(?!") *(?={re.escape(delimiter)}|\Z)'
    if text.startswith('"') and (close := re.search(closing_quote, text[1:])):
        rest = text[1 + close.end() :]
        firsts.append((text[1 : 1 + close.start(1)].replace('""', '"'), rest[1:] if rest else None))
    cell, found, rest = text.partition(delimiter)
    if not ("\n" in cell or "\r" in cell):
        firsts.append((cell, rest if found else None))
    complete = False
    for first, after in firsts:
        for others in [[]] if after is None else _readings(after, delimiter, dead_ends):
            complete = True
            yield [first, *others]
    if not complete:
        dead_ends.add(len(text))
