"""Grids: the cells of one sheet, text file or list of records as text, each row with its address.

The rows behave as a plain sequence, however many there are: they are held in blocks, most of which may be in a
temporary file.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import accumulate, chain
from typing import NamedTuple, overload

import pyarrow as pa

from piperoll.model import Address
from piperoll.model.columns import Mask, mask_at, pc, true_indices
from piperoll.reading.grids.batch_spill import BatchSpill
from piperoll.reading.grids.blocks import Block, Row, blocks_of
from piperoll.reading.grids.cell_shapes import COLUMNS, CellTest, ShapeIndex, index_shapes, match_cells

__all__ = [
    "Grid", "Row", "Rows", "address_of", "cell_at", "column_number", "is_blank", "letter", "sample_rows", "squeeze",
    "tidy", "without_blanks",
]  # fmt: skip

_SAMPLE_CELLS = 100_000
"""Keep a sample of rows for the next caller if it has at most this many cells."""

_INVISIBLE: dict[int, str | None] = {
    **dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\x00")),
    **dict.fromkeys(map(ord, "\u00a0\u2007\u202f"), " "),
}
"""Characters that are left out, and no-break spaces, which become ordinary ones."""

_SPACES = re.compile(r"\s+")


class _Storage:
    """The blocks of a table, and the shapes of their cells, which are indexed on first use."""

    def __init__(self) -> None:
        self._batches = BatchSpill()
        self._last: tuple[int, Block] | None = None

    def append(self, block: Block) -> int:
        """Store a block and return its index."""
        self._batches.append(block.batch)
        return len(self._batches) - 1

    def block(self, index: int) -> Block:
        """The block at an index; the last one is kept, with what is known of it."""
        last = self._last
        if last is None or last[0] != index:
            last = self._last = index, Block(self._batches[index])
        return last[1]

    @cached_property
    def shapes(self) -> list[ShapeIndex]:
        """The shapes of each block."""
        return index_shapes(map(Block, self._batches))


class _Piece(NamedTuple):
    """The rows of one stored block that belong to a sequence; `picks` are their indices in the block, in order."""

    storage: _Storage
    number: int
    picks: range | Sequence[int]

    def block(self) -> Block:
        """The rows."""
        whole, picks = self.storage.block(self.number), self.picks
        if picks == range(len(whole)):
            return whole
        if isinstance(picks, range) and picks.step == 1:
            return Block(whole.batch.slice(picks.start, len(picks)))
        return whole.take(picks)

    @property
    def shapes(self) -> ShapeIndex:
        """The shapes of the whole stored block, so of these rows and maybe of others."""
        return self.storage.shapes[self.number]

    def filter(self, mask: Mask) -> _Piece:
        """The rows for which a mask is true."""
        if pc.all(mask).as_py():
            return self
        return self._replace(picks=array("q", [self.picks[index] for index in true_indices(mask)]))


class Rows(Sequence[Row]):
    """Rows in order, of which one block at a time is in memory as Python objects.

    A forward slice or a sum of `Rows` shares the stored blocks and copies nothing.
    """

    def __init__(self, pieces: Iterable[_Piece] = ()) -> None:
        self._pieces = tuple(piece for piece in pieces if len(piece.picks))
        self._ends = list(accumulate(len(piece.picks) for piece in self._pieces))
        self._last: tuple[int, Block] | None = None
        self._sample: tuple[int, Sequence[Row]] | None = None

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Rows:
        """Store rows; `Rows` are returned as they are."""
        return rows if isinstance(rows, Rows) else cls.of_blocks(blocks_of(rows))

    @classmethod
    def of_blocks(cls, blocks: Iterable[Block]) -> Rows:
        """Store the rows of blocks."""
        storage = _Storage()
        return cls([_Piece(storage, storage.append(block), range(len(block))) for block in blocks])

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> Rows: ...

    def __getitem__(self, index: int | slice) -> Row | Rows:
        picked = range(len(self))[index]
        if isinstance(picked, range):
            return Rows(self._slice(picked))
        number = bisect_right(self._ends, picked)
        if self._last is None or self._last[0] != number:
            self._last = number, self._pieces[number].block()
        return self._last[1].row(picked - (self._ends[number - 1] if number else 0))

    def _slice(self, picked: range) -> Iterator[_Piece]:
        start = 0
        for piece, end in zip(self._pieces, self._ends, strict=True):
            first, last = (max(0, -((picked.start - edge) // picked.step)) for edge in (start, end))
            inside = picked[first:last]
            if inside:
                picks = piece.picks[inside.start - start : inside[-1] - start + 1 : picked.step]
                yield piece._replace(picks=picks)
            start = end

    def __iter__(self) -> Iterator[Row]:
        return chain.from_iterable(self.blocks())

    def __add__(self, other: Rows) -> Rows:
        return Rows((*self._pieces, *other._pieces))

    def blocks(self) -> Iterator[Block]:
        """The rows block by block, for work on whole columns."""
        return (piece.block() for piece in self._pieces)

    def indexed_blocks(self) -> Iterator[tuple[Block, ShapeIndex]]:
        """The rows block by block, each with the shapes of its cells."""
        return ((piece.block(), piece.shapes) for piece in self._pieces)

    def filter(self, masks: Iterable[Mask]) -> Rows:
        """The rows for which a mask is true; there is one mask for each block."""
        return Rows(piece.filter(mask) for piece, mask in zip(self._pieces, masks, strict=True))

    def select(self, test: Callable[[Row], bool]) -> Rows:
        """The rows that pass a test."""
        return self.filter(pa.array(map(test, block), pa.bool_()) for block in self.blocks())

    def longer_than(self, cells: int) -> Rows:
        """The rows with more than this many cells."""
        return self.filter(pc.greater(block.lengths, cells) for block in self.blocks())

    def where(self, column: int, test: Callable[[str], bool], shape_test: CellTest) -> Rows:
        """The rows whose cell in a column passes a test; the shape of such a cell always passes `shape_test`."""
        return Rows(
            piece.filter(match_cells(piece.block().column(column), test, shape_test))
            for piece in self._pieces
            if piece.shapes.may_match(column, shape_test)
        )

    def indices_where(
        self, columns: Sequence[int], test: Callable[[str], bool], shape_test: CellTest = bool
    ) -> list[int]:
        """The indices of the rows with a cell in one of the columns that passes a test.

        With more columns than are indexed, every cell of a row is tested. The shape of a cell that passes `test` always
        passes `shape_test`, which by default leaves out empty cells.
        """
        found: list[int] = []
        start = 0
        for piece in self._pieces if columns else ():
            if len(columns) > COLUMNS:
                block = piece.block()
                mask = block.any(match_cells(block.flat, test, shape_test))
                found += [start + index for index in true_indices(mask)]
            elif candidates := [column for column in columns if piece.shapes.may_match(column, shape_test)]:
                block = piece.block()
                mask = reduce(pc.or_, (match_cells(block.column(column), test, shape_test) for column in candidates))
                found += [start + index for index in true_indices(mask)]
            start += len(piece.picks)
        return found

    def widths(self) -> Counter[int]:
        """How many rows have each number of cells, in order of first appearance."""
        found: Counter[int] = Counter()
        for piece in self._pieces:
            if piece.shapes.even:
                found[piece.shapes.width] += len(piece.picks)
                continue
            lengths, counts = (column.to_pylist() for column in pc.value_counts(piece.block().lengths).flatten())
            for length, count in zip(lengths, counts, strict=True):
                found[length] += count
        return found

    @property
    def width(self) -> int:
        """The number of cells in the widest row."""
        return max(self.widths(), default=0)

    def sample(self, step: int) -> Sequence[Row]:
        """Every n-th row, starting with the first; cached if the sample is small."""
        if self._sample is not None and self._sample[0] == step:
            return self._sample[1]
        found = list(self[::step])
        if sum(len(row.cells) for row in found) <= _SAMPLE_CELLS:
            self._sample = step, found
        return found


def sample_rows(rows: Sequence[Row], least: int) -> Sequence[Row]:
    """Rows at equal distances, starting with the first: all of them, or between `least` and twice as many."""
    step = max(1, len(rows) // least)
    return rows.sample(step) if isinstance(rows, Rows) else rows[::step]


@dataclass(frozen=True)
class Grid:
    """The rows of one sheet, text file or list of records; `sheet` is None where there are no sheets.

    `headings` is given for records that name their own values (JSON); elsewhere the headings are still to be found.
    `hidden` sheets are read like others and reported. `delimiter` is the cell separator of a text file. `names` are
    those of the sheet and the file, which can give the period, and before them the period that was given. `proofs`
    count the dates of the other sheets that can only be read day first, and only month first.
    """

    sheet: str | None
    rows: Rows
    hidden: bool = False
    headings: tuple[str, ...] | None = None
    delimiter: str = ","
    names: tuple[str, ...] = ()
    proofs: tuple[int, int] = (0, 0)

    @property
    def width(self) -> int:
        """The number of cells in the widest row."""
        return self.rows.width


def tidy(cell: str) -> str:
    """The cell without surrounding white space and invisible characters; no-break spaces become ordinary ones."""
    if cell.isascii():
        return cell.strip(" \t\r\n\x0b\x0c\x00") if "\x00" not in cell else cell.replace("\x00", "").strip()
    return cell.translate(_INVISIBLE).strip()


def squeeze(cell: str) -> str:
    """The tidy cell with every run of white space inside it replaced by one space."""
    return _SPACES.sub(" ", tidy(cell))


def is_blank(row: Row) -> bool:
    """Whether every cell of the row is empty or white space."""
    return not any(tidy(cell) for cell in row.cells)


def without_blanks(rows: Rows) -> Rows:
    """The rows that are not blank."""
    masks = []
    for block in rows.blocks():
        # A cell that begins with visible ASCII proves that its row is not blank; test only the other rows one by one.
        mask = block.any(block.match("^[!-~]"))
        if not pc.all(mask).as_py():
            unsure = pc.invert(mask)
            pairs = zip(true_indices(unsure), block.filter(unsure), strict=True)
            mask = pc.or_(mask, mask_at((index for index, row in pairs if not is_blank(row)), len(block)))
        masks.append(mask)
    return rows.filter(masks)


def cell_at(row: Row, column: int) -> str:
    """The cell as sent; empty where the row is too short."""
    return row.cells[column] if 0 <= column < len(row.cells) else ""


def address_of(sheet: str | None, row: Row, column: int | None = None, field: str | None = None) -> Address:
    """The address of a row, or of the cell of a row in a column counted from 0."""
    return Address(sheet, row.number, row.line, None if column is None else letter(column), field)


def letter(column: int) -> str:
    """The spreadsheet letter of a column counted from 0: 0 is A, 26 is AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """The number of a spreadsheet column, counted from 1: A is 1, AA is 27."""
    number = 0
    for one in letters:
        number = number * 26 + ord(one) - 64
    return number
