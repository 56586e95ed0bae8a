"""Blocks: some rows of a sheet or text file as Arrow columns, so that work runs on whole columns at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from piperoll.model.columns import (
    Cells,
    Mask,
    Vector,
    lists_from_offsets,
    offsets,
    pc,
    text_offsets,
    texts,
    texts_from_buffers,
    to_flags,
    utf8,
)

ROWS = 20_000
"""Rows in a block: enough for Arrow to be fast, few enough to hold several blocks in memory."""

_FEW = 32
"""Rows that are made into Python objects before all others of a block."""

_WEIGHT = 8_000_000
"""The largest weight of a block of several rows: a character counts 1, a cell 16."""


class Row(NamedTuple):
    """One row: its number as a spreadsheet program shows it, its first physical line, its cells as sent."""

    number: int
    line: int | None
    cells: Sequence[str]


@dataclass(frozen=True)
class Block:
    """Some rows as Arrow columns: `number`, `line`, and `cells`, a list of text for each row, as long as the row."""

    batch: pa.RecordBatch

    @classmethod
    def of(cls, numbers: Iterable[int], lines: Iterable[int | None], cells: Sequence[Sequence[str]]) -> Block:
        """Make a block from the row numbers, the first physical lines and the cells of each row."""
        flat = texts(list(chain.from_iterable(cells)))
        return cls._of(numbers, lines, lists_from_offsets(offsets(map(len, cells)), flat))

    @classmethod
    def of_buffers(cls, first: int, rows: bytes, cells: bytes, text: bytes) -> Block:
        """Make a block of rows, numbered from `first`, from the buffers of an Arrow list of texts.

        Raises: pyarrow.ArrowInvalid: an offset is out of range, or the text is not UTF-8.
        """
        lists = lists_from_offsets(rows, texts_from_buffers(cells, text))
        lists.validate(full=True)
        return cls._of(range(first, first + len(lists)), [None] * len(lists), lists)

    @classmethod
    def of_arrays(cls, numbers: Vector, lines: Vector, rows: Vector, cells: Vector, text: Vector) -> Block:
        """Make a block from row numbers, lines and the buffers of an Arrow list of texts, without validating them."""
        return cls._of(numbers, lines, lists_from_offsets(rows, texts_from_buffers(cells, text)))

    @classmethod
    def _of(cls, numbers: Iterable[int], lines: Iterable[int | None], lists: Any) -> Block:
        columns = [pa.array(numbers, pa.int64()), pa.array(lines, pa.int64()), lists]
        return cls(pa.RecordBatch.from_arrays(columns, names=["number", "line", "cells"]))

    def __len__(self) -> int:
        return self.batch.num_rows

    def __iter__(self) -> Iterator[Row]:
        # many a caller has seen enough after a few rows
        parts = (self,) if len(self) <= _FEW else (Block(self.batch.slice(0, _FEW)), Block(self.batch.slice(_FEW)))
        for part in parts:
            ends = accumulate(part.lengths.to_pylist(), initial=0)
            cells = part.flat.to_pylist()
            for number, line, (start, end) in zip(part.numbers, part.lines, pairwise(ends), strict=True):
                yield Row(number, line, cells[start:end])

    def row(self, index: int) -> Row:
        """The row at an index."""
        number, line, cells = (self.batch[name][index].as_py() for name in ("number", "line", "cells"))
        return Row(number, line, cells)

    @property
    def numbers(self) -> list[int]:
        """The number of each row."""
        found: list[Any] = self.batch["number"].to_pylist()
        return found

    @property
    def lines(self) -> list[int | None]:
        """The first physical line of each row."""
        found: list[Any] = self.batch["line"].to_pylist()
        return found

    @property
    def _lists(self) -> Any:
        return self.batch["cells"]

    @property
    def flat(self) -> Cells:
        """All cells, row after row."""
        return self._lists.flatten()

    @property
    def text(self) -> bytes:
        """The UTF-8 of all cells, row after row; a slice of a block includes the rows beside it."""
        return bytes(self.flat.buffers()[2] or b"")

    @cached_property
    def lengths(self) -> Any:
        """The number of cells in each row."""
        return pc.list_value_length(self._lists)

    @cached_property
    def width(self) -> int:
        """The number of cells in the widest row."""
        return pc.max(self.lengths).as_py() or 0

    @cached_property
    def shortest(self) -> int:
        """The number of cells in the shortest row."""
        return pc.min(self.lengths).as_py() or 0

    def column(self, column: int) -> Cells:
        """The cells of one column; empty where a row is too short."""
        if column < self.shortest:
            return pc.list_element(self._lists, column)
        lengths = self.lengths.to_numpy()
        long = lengths > column
        found = self.flat.take(pa.array((np.cumsum(lengths) - lengths + column)[long]))
        # Empty cells take no text, so the text of the others serves. (`take` with nulls would reserve a cell of average
        # length for each row: gigabytes, if a cell is long.)
        sizes = np.zeros(len(self), np.int64)
        sizes[long] = np.diff(text_offsets(found))
        return texts_from_buffers(offsets(sizes), utf8(found))

    def count(self, mask: Mask) -> Vector:
        """How many cells of each row are marked by a mask over `flat`."""
        lengths = self.lengths.to_numpy()
        so_far = np.concatenate([[0], np.cumsum(to_flags(mask))])
        ends = np.cumsum(lengths)
        return so_far[ends] - so_far[ends - lengths]

    def any(self, mask: Mask) -> Mask:
        """Which rows have a cell that is marked by a mask over `flat`."""
        return pa.array(self.count(mask) > 0)

    def match(self, pattern: str) -> Mask:
        """Which of the cells in `flat` match a regular expression (RE2 syntax)."""
        return pc.match_substring_regex(self.flat, pattern)

    def slices(self, rows: int) -> Iterator[Block]:
        """The rows in blocks of at most this many rows, which share memory with this one."""
        return (Block(self.batch.slice(start, rows)) for start in range(0, len(self), rows))

    def take(self, indices: Iterable[int]) -> Block:
        """The rows at these indices."""
        return Block(self.batch.take(pa.array(indices, pa.int64())))

    def filter(self, mask: Mask) -> Block:
        """The rows for which a mask is true."""
        return Block(self.batch.filter(mask))


def blocks_of(rows: Iterable[Row]) -> Iterator[Block]:
    """Group rows into blocks of bounded size."""
    waiting: list[Row] = []
    heavy = 0
    for row in rows:
        weight = 16 * len(row.cells) + sum(map(len, row.cells))
        if waiting and (len(waiting) == ROWS or heavy + weight > _WEIGHT):
            yield Block.of(*zip(*waiting, strict=True))
            waiting, heavy = [], 0
        waiting.append(row)
        heavy += weight
    if waiting:
        yield Block.of(*zip(*waiting, strict=True))
