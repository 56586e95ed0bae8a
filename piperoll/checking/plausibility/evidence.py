"""Gather evidence, batch by batch: what a rule must know about all rows.

Each class takes one batch after another and then reports what it found. None keeps a Python object for each row. Two
expectations that need the same evidence share it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from piperoll.checking.patterns import text_bytes
from piperoll.checking.plausibility.columns import ColumnKind, EncodedText, RowBatch
from piperoll.model.columns import Flags

LineIndices = npt.NDArray[np.uint32]
"""Lines of the frame, counted from 0. Four bytes each: no file has four billion lines."""
RowKeys = npt.NDArray[np.uint64]
"""One 64-bit number for a cell or for several cells of a row, equal where they are equal.

They find repeats with eight bytes a row, however long the texts. Two different rows get the same key only by chance:
one pair in some 370,000 tables of ten million different rows.
"""
RowTest = Callable[[RowBatch], Flags]
"""A test of each row of a batch."""


class Evidence(Protocol):
    """Gathers what a rule must know from the batches of a frame."""

    def take(self, rows: RowBatch) -> None:
        """Take in one more batch."""

    def found(self) -> Any:
        """What was found in all batches."""


@dataclass(frozen=True, slots=True)
class EvaluatedRows:
    """The outcome of a test of rows: `elements` met the row condition, `tested` of them have the cells it needs."""

    elements: int
    tested: int
    unexpected: LineIndices


@dataclass
class FailingRows:
    """Rows that must each pass a test: those that `domain` and `counted` let through must be `good`."""

    domain: RowTest
    counted: RowTest
    good: RowTest
    elements: int = 0
    tested: int = 0
    unexpected: list[LineIndices] = field(default_factory=list)

    def take(self, rows: RowBatch) -> None:
        """Test a batch."""
        within = self.domain(rows)
        counted = within & self.counted(rows)
        self.elements += int(np.count_nonzero(within))
        self.tested += int(np.count_nonzero(counted))
        self.unexpected.append((np.flatnonzero(counted & ~self.good(rows)) + rows.start).astype(np.uint32))

    def found(self) -> EvaluatedRows:
        """The outcome of the test."""
        return EvaluatedRows(self.elements, self.tested, join_parts(self.unexpected, np.uint32))


@dataclass
class RepeatedRows:
    """Rows that must differ from every other row in the columns `names`; of equal rows all are unexpected."""

    domain: RowTest
    counted: RowTest
    names: list[str]
    elements: int = 0
    keys: list[RowKeys] = field(default_factory=list)
    lines: list[LineIndices] = field(default_factory=list)

    def take(self, rows: RowBatch) -> None:
        """Take in the keys of a batch."""
        within = self.domain(rows)
        counted = np.flatnonzero(within & self.counted(rows))
        self.elements += int(np.count_nonzero(within))
        keys = np.zeros(rows.size, np.uint64)
        for name in self.names:
            keys = mix_keys(keys ^ _cell_keys(rows, name))
        self.keys.append(keys[counted])
        self.lines.append((counted + rows.start).astype(np.uint32))

    def found(self) -> EvaluatedRows:
        """The rows that occur more than once."""
        keys, lines = join_parts(self.keys, np.uint64), join_parts(self.lines, np.uint32)
        ordered = np.sort(keys)
        repeated = _sort_distinct(ordered[1:][ordered[1:] == ordered[:-1]])
        if not len(repeated):
            return EvaluatedRows(self.elements, len(keys), lines[:0])
        nearest = np.minimum(np.searchsorted(repeated, keys), len(repeated) - 1)
        return EvaluatedRows(self.elements, len(keys), lines[repeated[nearest] == keys])


@dataclass
class Numbers:
    """The cells of a column of numbers that meet the row condition, in order; NaN for an empty cell."""

    domain: RowTest
    name: str
    cells: list[npt.NDArray[Any]] = field(default_factory=list)

    def take(self, rows: RowBatch) -> None:
        """Take in the cells of a batch."""
        self.cells.append(rows.ordered(self.name)[self.domain(rows)])

    def found(self) -> npt.NDArray[Any]:
        """The cells of all batches."""
        return join_parts(self.cells, np.float64)


@dataclass(frozen=True, slots=True)
class DistinctCount:
    """The number of filled cells of a column, and of different cells among them."""

    filled: int
    different: int


@dataclass
class DistinctCells:
    """Counts the different cells of a column among the rows that meet the row condition."""

    domain: RowTest
    name: str
    filled: int = 0
    keys: list[RowKeys] = field(default_factory=list)
    held: int = 0

    def take(self, rows: RowBatch) -> None:
        """Take in the different cells of a batch, and drop repeats whenever the keys held may have doubled."""
        filled = self.domain(rows) & ~rows.missing(self.name)
        self.filled += int(np.count_nonzero(filled))
        if rows.kinds[self.name] is ColumnKind.TEXT:  # a key for each distinct text, not for each row
            text = rows.text(self.name)
            used = np.zeros(len(text.distinct), np.bool_)
            used[text.codes[filled]] = True
            self.keys.append(_sort_distinct(_text_keys(rows, self.name)[used]))
        else:
            self.keys.append(_sort_distinct(_cell_keys(rows, self.name)[filled]))
        if sum(map(len, self.keys)) > 2 * self.held + _WORTH_SORTING:
            self._drop_repeats()

    def found(self) -> DistinctCount:
        """The numbers of filled and of different cells."""
        self._drop_repeats()
        return DistinctCount(self.filled, self.held)

    def _drop_repeats(self) -> None:
        self.keys = [_sort_distinct(join_parts(self.keys, np.uint64))]
        self.held = len(self.keys[0])


_WORTH_SORTING = 100_000
"""Keys that may accumulate before repeats are dropped: 800 kB."""


def join_parts(parts: list[npt.NDArray[Any]], kind: Any) -> npt.NDArray[Any]:
    """Join `parts` and empty the list; each part is freed once it is copied, so memory never doubles."""
    whole = np.empty(sum(map(len, parts)), parts[0].dtype if parts else kind)
    end = len(whole)
    while parts:
        part = parts.pop()
        whole[end - len(part) : end] = part
        end -= len(part)
    return whole


_WORD = 8
"""Bytes hashed in one step: one 64-bit number."""
_EMPTY_KEY = np.uint64(0x9E3779B97F4A7C15)
_WORD_MASKS = np.array([(1 << 8 * taken) - 1 for taken in range(_WORD + 1)], np.uint64)
"""By index n, the mask that keeps the first n bytes of an eight-byte word."""


def text_keys(text: EncodedText) -> RowKeys:
    """A key for each distinct text, made of eight of its bytes at a time."""
    offsets, held = text_bytes(text.distinct)
    content = held.tobytes() + bytes(_WORD)
    # a word starts at every byte; the last ones run into the padding
    words: npt.NDArray[np.uint64] = np.ndarray((len(content) - _WORD + 1,), "<u8", content, strides=(1,))
    at, left = offsets[:-1].copy(), np.diff(offsets)
    keys = mix_keys(left.astype(np.uint64))
    where = np.flatnonzero(left > 0)
    while len(where):
        word = words[at[where]] & _WORD_MASKS[np.minimum(left[where], _WORD)]
        keys[where] = mix_keys(keys[where] ^ word)
        at[where] += _WORD
        left[where] -= _WORD
        where = where[left[where] > 0]
    return keys


def _sort_distinct(keys: RowKeys) -> RowKeys:
    """The different keys in order; sorts `keys` in place, which is ten times as fast as `np.unique`."""
    keys.sort()
    different: RowKeys = keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]
    return different


def _cell_keys(rows: RowBatch, name: str) -> RowKeys:
    """One key for each cell of a column; empty cells are equal to each other."""
    if rows.kinds[name] is ColumnKind.TEXT:
        return np.append(_text_keys(rows, name), _EMPTY_KEY)[rows.text(name).codes]
    cells: npt.NDArray[Any] = rows.ordered(name)
    if rows.kinds[name] is ColumnKind.DAY:
        keys = mix_keys(cells.astype(np.int64).view(np.uint64))
    else:
        keys = mix_keys((cells + 0.0).view(np.uint64))  # -0.0 becomes 0.0
    return np.where(rows.missing(name), _EMPTY_KEY, keys)


def _text_keys(rows: RowBatch, name: str) -> RowKeys:
    return rows.once("keys", name, lambda: text_keys(rows.text(name)))


def mix_keys(keys: RowKeys) -> RowKeys:
    """Map 64 bits to 64 bits, one to one, so that each bit affects all others (the last step of MurmurHash3)."""
    mixed = (keys ^ (keys >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    final: RowKeys = mixed ^ (mixed >> np.uint64(33))
    return final
