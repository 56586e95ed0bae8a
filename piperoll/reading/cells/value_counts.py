"""The distinct cells of a column as evidence of how it is written, in bounded memory however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from string import ascii_letters, digits
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.model.columns import Vector, pc, utf8, with_utf8

ALIKE = 3
"""So many cells of one pattern are kept: enough to show that it is no exception."""

_MANY = 1000
"""A column of fewer distinct cells is kept as it is."""

_NUMBER = r"^-?£?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]{2})?$"
_NAME = r"^[0-9/_-]*[A-Za-z][A-Za-z0-9/_-]*$"


_ONES = np.arange(256, dtype=np.uint8)
_ONES[np.frombuffer(b"123456789", np.uint8)] = ord("1")
_LETTERS = np.arange(256, dtype=np.uint8)
_LETTERS[np.frombuffer((digits + ascii_letters).encode(), np.uint8)] = ord("a")


class Counts:
    """The distinct cells of a column in order of first appearance, and how often each stands there."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()

    def look(self, cells: Any) -> Any:
        """What there is to count in some more of its cells; may be asked from several threads."""
        return [column.to_pylist() for column in pc.value_counts(cells).flatten()]

    def add(self, seen: Any) -> None:
        """Count what was seen by `look`, in the order of the cells."""
        for cell, count in zip(*seen, strict=True):
            self.found[cell] += count


class Tally(Counts):
    """The same of a column that may have many distinct cells.

    Where there are many, of plain numbers that differ only in their digits from 1 to 9 the first three stand for all:
    the third counts for those that are left out. With `names`, also of words that differ only in letters and digits.
    """

    def __init__(self, *, names: bool) -> None:
        super().__init__()
        self._names = names
        self._seen: dict[str, list[str]] = {}

    def look(self, cells: Any) -> Any:
        """The cells with their patterns."""
        return cells, *_patterns(cells, names=self._names)

    def add(self, seen: Any) -> None:
        """Count the cells of a pattern of which enough are kept, then the others."""
        cells, patterns, places = seen
        usual = np.array([*(len(self._seen.get(pattern, ())) == ALIKE for pattern in patterns), False])[places]
        counts = np.bincount(places[usual], minlength=len(patterns))
        for place in np.flatnonzero(counts).tolist():
            self.found[self._seen[patterns[place]][-1]] += int(counts[place])
        if not usual.all():
            _add(self.found, self._seen, *_distinct(cells, [*patterns, None], places, ~usual))


def _distinct(
    cells: Any, patterns: Sequence[str | None], places: Vector, asked: Vector
) -> tuple[list[str], list[str | None], list[int]]:
    """Those of the cells that are asked for, each once, with its pattern and how often it stands there."""
    coded = cells.filter(pa.array(asked)).dictionary_encode()
    codes = coded.indices.to_numpy()
    own = np.zeros(len(coded.dictionary), np.int64)
    own[codes] = places[asked]
    return coded.dictionary.to_pylist(), [patterns[place] for place in own.tolist()], np.bincount(codes).tolist()


def _add(
    found: Counter[str],
    seen: dict[str, list[str]],
    cells: Sequence[str],
    patterns: Sequence[str | None],
    counts: Sequence[int],
) -> None:
    for cell, pattern, count in zip(cells, patterns, counts, strict=True):
        kept = cell
        if pattern is not None and cell not in found and len(found) >= _MANY:
            alike = seen.setdefault(pattern, [])
            kept = alike[-1] if len(alike) == ALIKE else cell
            if kept == cell:
                alike.append(cell)
        found[kept] += count


def _patterns(cells: Any, *, names: bool) -> tuple[list[str], Vector]:
    """The patterns of cells, and which of them each cell has: -1 for none.

    Numbers have every 1 to 9 as 1, names have every letter and digit as a.
    """
    coded = _marked(cells, _ONES).dictionary_encode()
    forms = coded.dictionary
    found = pc.if_else(pc.match_substring_regex(forms, _NUMBER), forms, pa.scalar(None, pa.string()))
    if names:
        named = pc.if_else(
            pc.match_substring_regex(forms, _NAME), _marked(forms, _LETTERS), pa.scalar(None, pa.string())
        )
        found = pc.coalesce(found, named)
    patterns = found.dictionary_encode()
    own = pc.fill_null(patterns.indices, -1).to_numpy()
    return patterns.dictionary.to_pylist(), own[coded.indices.to_numpy()]


def _marked(cells: Any, marks: Vector) -> Any:
    """The cells with a mark for each of their bytes."""
    return with_utf8(cells, marks[utf8(cells)])
