"""Sets of rows, and what is said of each row, as arrays: however many rows there are, and however many are meant."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from piperoll.model.columns import Flags, Integers

_Kinds = npt.NDArray[np.int32]
ValueT = TypeVar("ValueT")


class Rows:
    """A set of row numbers: one byte for each row of the file, up to the highest that is meant."""

    def __init__(self, rows: Iterable[int] = ()) -> None:
        self._marks: Flags = np.zeros(0, np.bool_)
        self.add(np.fromiter(rows, np.int64))

    def add(self, rows: Integers) -> None:
        """Put in `rows`, of which any may be there already."""
        if rows.size:
            self._marks = _reaching(self._marks, rows)
            self._marks[rows] = True

    def holding(self, rows: Integers) -> Flags:
        """Which of `rows` are in the set."""
        if rows.size:
            self._marks = _reaching(self._marks, rows)
        return self._marks[rows]

    @property
    def numbers(self) -> Integers:
        """The rows in order."""
        return np.flatnonzero(self._marks)

    def copy(self) -> Rows:
        """A set of the same rows."""
        return self._of(self._marks.copy())

    def __len__(self) -> int:
        return int(np.count_nonzero(self._marks))

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers.tolist())

    def __contains__(self, row: object) -> bool:
        return isinstance(row, int) and 0 <= row < len(self._marks) and bool(self._marks[row])

    def __sub__(self, other: Rows) -> Rows:
        marks = self._marks.copy()
        shared = min(len(marks), len(other._marks))
        marks[:shared] &= ~other._marks[:shared]
        return self._of(marks)

    def __and__(self, other: Rows) -> Rows:
        shared = min(len(self._marks), len(other._marks))
        return self._of(self._marks[:shared] & other._marks[:shared])

    def __or__(self, other: Rows) -> Rows:
        both = self.copy()
        both.add(other.numbers)
        return both

    @staticmethod
    def _of(marks: Flags) -> Rows:
        rows = Rows()
        rows._marks = marks
        return rows


class ByRow(Mapping[int, ValueT], Generic[ValueT]):
    """A mapping of rows, in order, to one of a few values: twelve bytes a row, where a dict takes a hundred."""

    def __init__(self, rows: Integers, kinds: _Kinds, values: Sequence[ValueT]) -> None:
        self._rows, self._kinds, self._values = rows, kinds, tuple(values)

    def __getitem__(self, row: int) -> ValueT:
        place = int(np.searchsorted(self._rows, row))
        if place == len(self._rows) or self._rows[place] != row:
            raise KeyError(row)
        return self._values[int(self._kinds[place])]

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows.tolist())

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return repr(dict(self))

    def items(self) -> ItemsView[int, ValueT]:
        """Rows with their values, in order."""
        return _Items(self)

    def pairs(self) -> Iterator[tuple[int, ValueT]]:
        """Rows with their values, in order, without a search for each."""
        return zip(self, (self._values[kind] for kind in self._kinds.tolist()), strict=True)

    def without(self, rows: Iterable[int]) -> ByRow[ValueT]:
        """The same of all rows but these."""
        return self._where(~_rows(rows).holding(self._rows))

    def rows_where(self, wanted: Sequence[bool]) -> Rows:
        """The rows of which the value is `wanted`, a truth value for each of `values`."""
        found = Rows()
        found.add(self._rows[np.array(wanted, np.bool_)[self._kinds]])
        return found

    @property
    def different(self) -> tuple[ValueT, ...]:
        """The values that there may be."""
        return self._values

    def _where(self, flags: Flags) -> ByRow[ValueT]:
        return ByRow(self._rows[flags], self._kinds[flags], self._values)


class _Items(ItemsView[int, ValueT]):
    """The pairs of a ByRow."""

    _mapping: ByRow[ValueT]

    def __iter__(self) -> Iterator[tuple[int, ValueT]]:
        return self._mapping.pairs()


class Labels:
    """Which labels each row bears, while it is gathered."""

    def __init__(self) -> None:
        self._sets: list[frozenset[str]] = [frozenset()]
        self._places: dict[frozenset[str], int] = {frozenset(): 0}
        self._kinds: _Kinds = np.zeros(0, np.int32)

    def add(self, label: str, rows: Integers) -> None:
        """Give `label` to `rows`, of which any may bear it already."""
        if rows.size:
            self._kinds = _reaching(self._kinds, rows)
            now = self._kinds[rows]
            then = np.zeros(len(self._sets), np.int32)
            for kind in np.unique(now).tolist():
                then[kind] = self._place(self._sets[kind] | {label})
            self._kinds[rows] = then[now]

    def by_row(self) -> ByRow[frozenset[str]]:
        """The labels of each row that bears any."""
        rows = np.flatnonzero(self._kinds)
        return ByRow(rows, self._kinds[rows], self._sets)

    def _place(self, labels: frozenset[str]) -> int:
        if labels not in self._places:
            self._places[labels] = len(self._sets)
            self._sets.append(labels)
        return self._places[labels]


class Latest:
    """One word for each row, the one that was said last."""

    def __init__(self) -> None:
        self._words: list[str] = [""]
        self._kinds: _Kinds = np.zeros(0, np.int32)

    def kind(self, word: str | None) -> int:
        """The number that stands for a word; nought for none."""
        if word and word not in self._words:
            self._words.append(word)
        return self._words.index(word) if word else 0

    def say(self, rows: Integers, kinds: _Kinds) -> None:
        """Of each row, in turn, the word of this number, unless that is nought."""
        said = np.flatnonzero(kinds)[::-1]
        last, first_from_the_end = np.unique(rows[said], return_index=True)
        if last.size:
            self._kinds = _reaching(self._kinds, last)
            self._kinds[last] = kinds[said][first_from_the_end]

    def by_row(self) -> ByRow[str]:
        """The word for each row of which there is one."""
        rows = np.flatnonzero(self._kinds)
        return ByRow(rows, self._kinds[rows], self._words)


def _rows(rows: Iterable[int]) -> Rows:
    return rows if isinstance(rows, Rows) else Rows(rows)


_ArrayT = TypeVar("_ArrayT", Flags, _Kinds)


def _reaching(array: _ArrayT, rows: Integers) -> _ArrayT:
    """`array`, made so long that it has a place for each of `rows`."""
    end = int(rows.max()) + 1
    if end <= len(array):
        return array
    longer: _ArrayT = np.zeros(max(end, len(array) * 5 // 4), array.dtype)
    longer[: len(array)] = array
    return longer
