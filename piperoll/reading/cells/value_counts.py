"""The distinct cells of a column and how often each occurs, in bounded memory however many there are."""

from __future__ import annotations

from collections import Counter
from string import ascii_letters, digits
from typing import Any

import numpy as np

from piperoll.model.columns import Cells, Vector, pc, utf8, with_utf8

ALIKE = 3
"""Keep this many cells of each pattern: enough to show that the pattern is no exception."""

_MANY = 1000
"""A column with fewer distinct cells is kept as it is."""

_NUMBER = r"^-?£?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]{2})?$"
_NAME = r"^[0-9/_-]*[A-Za-z][A-Za-z0-9/_-]*$"

_ONES = np.arange(256, dtype=np.uint8)
_ONES[list(b"123456789")] = ord("1")
_LETTERS = np.arange(256, dtype=np.uint8)
_LETTERS[list((digits + ascii_letters).encode())] = ord("a")


class ValueCounts:
    """The distinct cells of a column in order of first appearance, and how often each occurs.

    Counting has two steps, so that blocks can be prepared in parallel and added in order.
    """

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()

    def prepare(self, cells: Cells) -> Any:
        """Count the cells of a block; can be called from several threads."""
        return [column.to_pylist() for column in pc.value_counts(cells).flatten()]

    def add(self, prepared: Any) -> None:
        """Add a prepared block; blocks must be added in order."""
        for cell, count in zip(*prepared, strict=True):
            self.found[cell] += count


class PatternCounts(ValueCounts):
    """The same for a column that can have very many distinct cells, of which examples are kept.

    Once there are many, the first three plain numbers that differ only in their digits from 1 to 9 represent all others
    of this pattern: these are counted as the third. With `names`, so do words that differ only in letters and digits.
    """

    def __init__(self, *, names: bool) -> None:
        super().__init__()
        self._names = names
        self._kept: dict[str, list[str]] = {}

    def prepare(self, cells: Cells) -> Any:
        """Find the patterns of the cells of a block; can be called from several threads."""
        return cells, *_patterns(cells, names=self._names)

    def add(self, prepared: Any) -> None:
        """Count the cells whose pattern has enough examples, then the others one by one."""
        cells, patterns, indices = prepared
        full = np.array([*(len(self._kept.get(pattern, ())) == ALIKE for pattern in patterns), False])[indices]
        counts = np.bincount(indices[full], minlength=len(patterns))
        for index in np.flatnonzero(counts).tolist():
            self.found[self._kept[patterns[index]][-1]] += int(counts[index])
        if full.all():
            return
        # Each distinct cell of the others, with its pattern and how often it occurs.
        coded = cells.filter(~full).dictionary_encode()
        codes = coded.indices.to_numpy()
        pattern_of = np.zeros(len(coded.dictionary), np.int64)
        pattern_of[codes] = indices[~full]
        named = [*patterns, None]  # the index -1 of a cell without a pattern gives None
        found = zip(coded.dictionary.to_pylist(), pattern_of.tolist(), np.bincount(codes).tolist(), strict=True)
        for cell, index, count in found:
            pattern = named[index]
            # Count the cell as itself, or as the last example of its pattern.
            if pattern is not None and cell not in self.found and len(self.found) >= _MANY:
                examples = self._kept.setdefault(pattern, [])
                if len(examples) < ALIKE:
                    examples.append(cell)
                cell = examples[-1]  # noqa: PLW2901
            self.found[cell] += count


def _patterns(cells: Cells, *, names: bool) -> tuple[list[str], Vector]:
    """The patterns of cells, and for each cell the index of its pattern: -1 for none.

    The pattern of a number has every digit from 1 to 9 as 1, that of a name every letter and digit as a.
    """
    coded = with_utf8(cells, _ONES[utf8(cells)]).dictionary_encode()
    shapes = coded.dictionary
    found = pc.if_else(pc.match_substring_regex(shapes, _NUMBER), shapes, None)
    if names:
        in_letters = with_utf8(shapes, _LETTERS[utf8(shapes)])
        found = pc.coalesce(found, pc.if_else(pc.match_substring_regex(shapes, _NAME), in_letters, None))
    patterns = found.dictionary_encode()
    pattern_of = pc.fill_null(patterns.indices, -1).to_numpy()
    return patterns.dictionary.to_pylist(), pattern_of[coded.indices.to_numpy()]
