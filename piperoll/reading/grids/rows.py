"""The rows of a table, however many: a plain sequence of rows over blocks that may lie in a temporary file."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from itertools import accumulate, chain
from typing import NamedTuple, overload

import pyarrow as pa

from piperoll.model.columns import Mask, pc, true_indices
from piperoll.reading.grids.blocks import Block, Row, blocks_of
from piperoll.reading.grids.forms import COLUMNS, Holds, Looks, looks_on, those
from piperoll.reading.grids.shelves import Shelf

_FEW = 100_000
"""So many cells of a sample are kept."""


class _Piece(NamedTuple):
    """The rows of one block on a shelf that belong to a sequence: `picks` are their places in it, in order."""

    shelf: Shelf
    place: int
    picks: range | Sequence[int]

    def block(self) -> Block:
        """The rows."""
        batch, picks = self.shelf.get(self.place), self.picks
        if isinstance(picks, range) and picks.step == 1:
            return Block(batch.slice(picks.start, len(picks)))
        return Block(batch).take(picks)

    @property
    def looks(self) -> Looks:
        """What is known of the cells of these rows, and of those beside them on the shelf."""
        return looks_on(self.shelf, self.place)

    def kept(self, mask: Mask) -> _Piece:
        """The rows for which a mask is true."""
        if pc.all(mask).as_py():
            return self
        there = true_indices(mask)
        return self._replace(picks=array("q", [self.picks[place] for place in there]))


class Rows(Sequence[Row]):
    """Rows in order, of which only a block at a time stands in memory as Python objects.

    A slice (forwards) and a sum of Rows share the blocks of the Rows they come from and copy nothing.
    """

    def __init__(self, pieces: Iterable[_Piece] = ()) -> None:
        self._pieces = tuple(piece for piece in pieces if len(piece.picks))
        self._ends = list(accumulate(len(piece.picks) for piece in self._pieces))
        self._last: tuple[int, Block] | None = None
        self._spread: tuple[int, Sequence[Row]] | None = None

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Rows:
        """These rows, laid on a shelf of their own."""
        return rows if isinstance(rows, Rows) else cls.of_blocks(blocks_of(rows))

    @classmethod
    def of_blocks(cls, blocks: Iterable[Block]) -> Rows:
        """The rows of these blocks, laid on a shelf of their own."""
        shelf = Shelf()
        return cls([_Piece(shelf, shelf.put(block.batch), range(len(block))) for block in blocks])

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> Rows: ...

    def __getitem__(self, place: int | slice) -> Row | Rows:
        picked = range(len(self))[place]
        if isinstance(picked, range):
            return Rows(self._sliced(picked))
        number = bisect_right(self._ends, picked)
        if self._last is None or self._last[0] != number:
            self._last = number, self._pieces[number].block()
        return self._last[1].row(picked - (self._ends[number - 1] if number else 0))

    def _sliced(self, picked: range) -> Iterator[_Piece]:
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
        """The rows a block at a time, for work on whole columns."""
        return (piece.block() for piece in self._pieces)

    def looked(self) -> Iterator[tuple[Block, Looks]]:
        """The rows a block at a time, each with what its cells look like."""
        return ((piece.block(), piece.looks) for piece in self._pieces)

    def kept(self, masks: Iterable[Mask]) -> Rows:
        """The rows for which a mask, one a block, is true."""
        return Rows(piece.kept(mask) for piece, mask in zip(self._pieces, masks, strict=True))

    def only(self, holds: Callable[[Row], bool]) -> Rows:
        """The rows of which this holds."""
        return self.kept(pa.array(map(holds, block), pa.bool_()) for block in self.blocks())

    def longer(self, cells: int) -> Rows:
        """The rows of more than so many cells."""
        return self.kept(pc.greater(block.lengths, cells) for block in self.blocks())

    def where(self, column: int, holds: Callable[[str], bool], may: Holds) -> Rows:
        """The rows with a cell in the column of which this holds, which `may` be so by its form."""
        return Rows(
            piece.kept(those(piece.block().column(column), holds, may))
            for piece in self._pieces
            if piece.looks.may(column, may)
        )

    def places(self, columns: Sequence[int], holds: Callable[[str], bool], may: Holds = bool) -> list[int]:
        """Where the rows stand with a cell in one of the columns of which this holds; of many, in any at all.

        `may` holds of the forms of such cells; without it, of every cell that is not empty.
        """
        found: list[int] = []
        start = 0
        for piece in self._pieces if columns else ():
            if len(columns) > COLUMNS:
                block = piece.block()
                there = block.any(those(block.flat, holds, may))
            elif asked := [column for column in columns if piece.looks.may(column, may)]:
                block = piece.block()
                there = reduce(pc.or_, (those(block.column(column), holds, may) for column in asked))
            else:
                there = pa.array((), pa.bool_())
            found += [start + place for place in true_indices(there)]
            start += len(piece.picks)
        return found

    def widths(self) -> Counter[int]:
        """How many rows have how many cells, in order of first appearance."""
        found: Counter[int] = Counter()
        for piece in self._pieces:
            if piece.looks.even:
                found[piece.looks.width] += len(piece.picks)
                continue
            lengths, counts = (each.to_pylist() for each in pc.value_counts(piece.block().lengths).flatten())
            for length, count in zip(lengths, counts, strict=True):
                found[length] += count
        return found

    @property
    def width(self) -> int:
        """The cells of the widest row."""
        return max(self.widths(), default=0)

    def spread(self, step: int) -> Sequence[Row]:
        """Every so manieth row from the first on: in memory, and kept for who asks again if they are few."""
        if self._spread is not None and self._spread[0] == step:
            return self._spread[1]
        found = list(self[::step])
        if sum(len(row.cells) for row in found) <= _FEW:
            self._spread = step, found
        return found


def spread(rows: Sequence[Row], most: int) -> Sequence[Row]:
    """Rows evenly spread from the first on: all, or less than twice so many."""
    step = max(1, len(rows) // most)
    return rows.spread(step) if isinstance(rows, Rows) else rows[::step]
