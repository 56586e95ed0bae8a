"""Sets of row numbers, and values for rows, as NumPy arrays: a file may have millions of rows."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from piperoll.model.columns import Flags, Integers

_Codes = npt.NDArray[np.int32]
ValueT = TypeVar("ValueT")
_ArrayT = TypeVar("_ArrayT", Flags, _Codes)


class RowSet:
    """A set of row numbers. It takes one byte for each row of the file, up to the highest number in the set."""

    def __init__(self, rows: Iterable[int] = ()) -> None:
        self._marks: Flags = np.zeros(0, np.bool_)
        self.add(np.fromiter(rows, np.int64))

    def add(self, rows: Integers) -> None:
        """Add `rows`; any of them may be in the set already."""
        if rows.size:
            self._marks = _grow(self._marks, rows)
            self._marks[rows] = True

    def contains(self, rows: Integers) -> Flags:
        """Which of `rows` are in the set."""
        if rows.size:
            self._marks = _grow(self._marks, rows)
        return self._marks[rows]

    @property
    def numbers(self) -> Integers:
        """The rows in ascending order."""
        return np.flatnonzero(self._marks)

    def copy(self) -> RowSet:
        """A set of the same rows."""
        return self._from_marks(self._marks.copy())

    def __len__(self) -> int:
        return int(np.count_nonzero(self._marks))

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers.tolist())

    def __contains__(self, row: object) -> bool:
        return isinstance(row, int) and 0 <= row < len(self._marks) and bool(self._marks[row])

    def __sub__(self, other: RowSet) -> RowSet:
        marks = self._marks.copy()
        shared = min(len(marks), len(other._marks))
        marks[:shared] &= ~other._marks[:shared]
        return self._from_marks(marks)

    def __and__(self, other: RowSet) -> RowSet:
        shared = min(len(self._marks), len(other._marks))
        return self._from_marks(self._marks[:shared] & other._marks[:shared])

    @staticmethod
    def _from_marks(marks: Flags) -> RowSet:
        rows = RowSet()
        rows._marks = marks
        return rows


class ValueByRow(Mapping[int, ValueT], Generic[ValueT]):
    """A mapping from rows, in ascending order, to one of a few values.

    It takes twelve bytes a row where a dict takes a hundred: a whole national file can be held.
    """

    def __init__(self, rows: Integers, codes: _Codes, values: Sequence[ValueT]) -> None:
        self._rows, self._codes, self.values_used = rows, codes, tuple(values)

    def __getitem__(self, row: int) -> ValueT:
        index = int(np.searchsorted(self._rows, row))
        if index == len(self._rows) or self._rows[index] != row:
            raise KeyError(row)
        return self.values_used[int(self._codes[index])]

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows.tolist())

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return repr(dict(self))

    def items(self) -> ItemsView[int, ValueT]:
        """Rows with their values, in ascending order, without a search for each row."""
        return _ItemsByRow(self)

    def without(self, rows: Iterable[int]) -> ValueByRow[ValueT]:
        """The same mapping without `rows`."""
        left_out = rows if isinstance(rows, RowSet) else RowSet(rows)
        kept = ~left_out.contains(self._rows)
        return ValueByRow(self._rows[kept], self._codes[kept], self.values_used)

    def rows_where(self, wanted: Sequence[bool]) -> RowSet:
        """The rows whose value is wanted: `wanted` has a truth value for each of `values_used`."""
        found = RowSet()
        found.add(self._rows[np.array(wanted, np.bool_)[self._codes]])
        return found


class _ItemsByRow(ItemsView[int, ValueT]):
    _mapping: ValueByRow[ValueT]

    def __iter__(self) -> Iterator[tuple[int, ValueT]]:
        mapping = self._mapping
        values = (mapping.values_used[code] for code in mapping._codes.tolist())
        return zip(mapping, values, strict=True)


class RowLabels:
    """Collects the labels of each row: the codes that hold it, or the fields that are left out of it."""

    def __init__(self) -> None:
        self._sets: list[frozenset[str]] = [frozenset()]
        self._code_of: dict[frozenset[str], int] = {frozenset(): 0}
        self._codes: _Codes = np.zeros(0, np.int32)

    def add(self, label: str, rows: Integers) -> None:
        """Give `rows` a label; any of them may have it already."""
        if not rows.size:
            return
        self._codes = _grow(self._codes, rows)
        before = self._codes[rows]
        after = np.zeros(len(self._sets), np.int32)
        for code in np.unique(before).tolist():
            labels = self._sets[code] | {label}
            if labels not in self._code_of:
                self._code_of[labels] = len(self._sets)
                self._sets.append(labels)
            after[code] = self._code_of[labels]
        self._codes[rows] = after[before]

    def by_row(self) -> ValueByRow[frozenset[str]]:
        """The labels of each row that has any."""
        rows = np.flatnonzero(self._codes)
        return ValueByRow(rows, self._codes[rows], self._sets)


class LatestWord:
    """Collects one word for each row: the last that was given."""

    def __init__(self) -> None:
        self._words: list[str] = [""]
        self._codes: _Codes = np.zeros(0, np.int32)

    def code(self, word: str | None) -> int:
        """The code that stands for a word; 0 for none."""
        if word and word not in self._words:
            self._words.append(word)
        return self._words.index(word) if word else 0

    def set(self, rows: Integers, codes: _Codes) -> None:
        """Give each of `rows`, in turn, the word of its code, unless that is 0."""
        given = np.flatnonzero(codes)[::-1]
        last, first_from_the_end = np.unique(rows[given], return_index=True)
        if last.size:
            self._codes = _grow(self._codes, last)
            self._codes[last] = codes[given][first_from_the_end]

    def by_row(self) -> ValueByRow[str]:
        """The word of each row that has one."""
        rows = np.flatnonzero(self._codes)
        return ValueByRow(rows, self._codes[rows], self._words)


def _grow(array: _ArrayT, rows: Integers) -> _ArrayT:
    """Make `array` long enough to be indexed by every one of `rows`."""
    end = int(rows.max()) + 1
    if end <= len(array):
        return array
    longer: _ArrayT = np.zeros(max(end, len(array) * 5 // 4), array.dtype)
    longer[: len(array)] = array
    return longer
