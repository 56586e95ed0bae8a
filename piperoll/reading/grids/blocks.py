"""A block: some rows of a table as Arrow columns, for work on whole columns at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, pairwise
from typing import Any, NamedTuple

import pyarrow as pa

from piperoll.model.columns import Mask, Vector, lists_from_offsets, offsets, pc, texts, texts_from_buffers

ROWS = 20_000
"""Rows a block: large enough for Arrow to be quick, small enough to hold a few at a time."""

_NAMES = ["number", "line", "cells"]
_WEIGHT = 8_000_000
"""What a block of several rows may weigh: a character is one, a cell sixteen."""


class Row(NamedTuple):
    """One row: its number as a spreadsheet program shows it, its first physical line, its cells as sent."""

    number: int
    line: int | None
    cells: Sequence[str]


@dataclass(frozen=True)
class Block:
    """Some rows as Arrow columns: `number`, `line`, and `cells`, a list of text a row, as long as the row is."""

    batch: pa.RecordBatch

    @classmethod
    def of(cls, numbers: Iterable[int], lines: Iterable[int | None], cells: Sequence[Sequence[str]]) -> Block:
        """The block of rows with these numbers, first physical lines and cells."""
        held = texts(list(chain.from_iterable(cells)))
        return cls._of(numbers, lines, lists_from_offsets(offsets(map(len, cells)), held))

    @classmethod
    def of_buffers(cls, first: int, rows: bytes, cells: bytes, text: bytes) -> Block:
        """The block of rows from number `first` on that comes as the buffers of an Arrow list of texts.

        Raises: pyarrow.ArrowInvalid: an edge lies outside of what it parts, or the text is no UTF-8.
        """
        lists = lists_from_offsets(rows, texts_from_buffers(cells, text))
        lists.validate(full=True)
        return cls._of(range(first, first + len(lists)), [None] * len(lists), lists)

    @classmethod
    def of_arrays(cls, numbers: Vector, lines: Vector, rows: Vector, cells: Vector, text: Vector) -> Block:
        """The block of rows with these numbers and first physical lines from the buffers of an Arrow list of texts.

        These are believed: what parts the rows, the cells and the UTF-8 is not looked at.
        """
        lists = lists_from_offsets(rows, texts_from_buffers(cells, text))
        columns = [pa.array(numbers, pa.int64()), pa.array(lines, pa.int64()), lists]
        return cls(pa.RecordBatch.from_arrays(columns, names=_NAMES))

    @classmethod
    def _of(cls, numbers: Iterable[int], lines: Iterable[int | None], lists: Any) -> Block:
        columns = [pa.array(numbers, pa.int64()), pa.array(lines, pa.int64()), lists]
        return cls(pa.RecordBatch.from_arrays(columns, names=_NAMES))

    def __len__(self) -> int:
        return self.batch.num_rows

    def __iter__(self) -> Iterator[Row]:
        ends = accumulate(self.lengths.to_pylist(), initial=0)
        cells = self.flat.to_pylist()
        for number, line, (start, end) in zip(self.numbers, self.lines, pairwise(ends), strict=True):
            yield Row(number, line, cells[start:end])

    def row(self, place: int) -> Row:
        """The row at a place."""
        return next(iter(Block(self.batch.slice(place, 1))))

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
    def flat(self) -> Any:
        """Every cell, row after row."""
        return self._lists.flatten()

    @property
    def text(self) -> bytes:
        """The characters of every cell one after another, and maybe those of the rows beside them, in UTF-8."""
        return bytes(self.flat.buffers()[2] or b"")

    @cached_property
    def lengths(self) -> Any:
        """How many cells each row has."""
        return pc.list_value_length(self._lists)

    @cached_property
    def width(self) -> int:
        """The cells of the widest row."""
        return pc.max(self.lengths).as_py() or 0

    def column(self, column: int) -> Any:
        """The cells of one column; empty where a row is too short."""
        if len(self) and pc.min(self.lengths).as_py() > column:
            return pc.list_element(self._lists, column)
        starts = pc.subtract(pc.cumulative_sum(self.lengths), self.lengths)
        there = pc.greater(self.lengths, column)
        wanted = pc.if_else(there, pc.add(starts, column), None)
        return pc.coalesce(self.flat.take(wanted), "")

    def count(self, mask: Mask) -> Any:
        """How many of each row's cells a mask over `flat` is true for."""
        so_far = pc.cumulative_sum(mask.cast(pa.int64()))
        before = pa.chunked_array([pa.array([0], pa.int64()), so_far]).combine_chunks()
        ends = pc.cumulative_sum(self.lengths)
        return pc.subtract(before.take(ends), before.take(pc.subtract(ends, self.lengths)))

    def any(self, mask: Mask) -> Mask:
        """Which rows have a cell that a mask over `flat` is true for."""
        return pc.greater(self.count(mask), 0)

    def matching(self, pattern: str) -> Mask:
        """Which of the cells in `flat` match a regular expression (of RE2)."""
        return pc.match_substring_regex(self.flat, pattern)

    def slices(self, rows: int) -> Iterator[Block]:
        """The rows in blocks of so many, which share what they hold."""
        return (Block(self.batch.slice(start, rows)) for start in range(0, len(self), rows))

    def take(self, places: Iterable[int]) -> Block:
        """The rows at these places."""
        return Block(self.batch.take(pa.array(places, pa.int64())))

    def filter(self, mask: Mask) -> Block:
        """The rows for which a mask is true."""
        return Block(self.batch.filter(mask))

    def where(self, column: int, holds: Callable[[str], bool]) -> Mask:
        """Which rows have a cell in the column of which this holds; asked once of each distinct cell."""
        coded = self.column(column).dictionary_encode()
        return pa.array(map(holds, coded.dictionary.to_pylist()), pa.bool_()).take(coded.indices)


def blocks_of(rows: Iterable[Row]) -> Iterator[Block]:
    """The rows in blocks of bounded size."""
    waiting: list[Row] = []
    heavy = 0
    for row in rows:
        weight = 16 * len(row.cells) + sum(map(len, row.cells))
        if waiting and (len(waiting) == ROWS or heavy + weight > _WEIGHT):
            yield _block(waiting)
            waiting, heavy = [], 0
        waiting.append(row)
        heavy += weight
    if waiting:
        yield _block(waiting)


def _block(rows: Sequence[Row]) -> Block:
    numbers, lines, cells = zip(*rows, strict=True)
    return Block.of(numbers, lines, cells)
