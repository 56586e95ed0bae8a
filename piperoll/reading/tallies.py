"""The distinct cells of a column as evidence of how it is written, in bounded memory however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc

from piperoll.reading import arrays
from piperoll.reading.rows import Rows

ALIKE = 3
"""So many cells of one pattern are kept: enough to show that it is no exception."""

_MANY = 1000
"""A column of fewer distinct cells is kept as it is."""

_NUMBER = r"^-?£?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]{2})?$"
_NAME = r"^[0-9/_-]*[A-Za-z][A-Za-z0-9/_-]*$"


def tally(rows: Rows, column: int, *, names: bool) -> Counter[str]:
    """The distinct cells of a column in order of first appearance, and how often each stands there.

    Where there are many, of plain numbers that differ only in their digits from 1 to 9 the first three stand for all:
    the third counts for those that are left out. With `names`, also of words that differ only in letters and digits.
    """
    found: Counter[str] = Counter()
    seen: dict[str, list[str]] = {}
    for cell, pattern, count in _counted(rows, column, names=names):
        if pattern is not None and cell not in found and len(found) >= _MANY:
            alike = seen.setdefault(pattern, [])
            if len(alike) == ALIKE:
                found[alike[-1]] += count
                continue
            alike.append(cell)
        found[cell] += count
    return found


def _counted(rows: Rows, column: int, *, names: bool) -> Iterator[tuple[str, str | None, int]]:
    """(cell, its pattern if it is plain, how often it stands there) of the distinct cells of each block."""
    for block in rows.blocks():
        cells, counts = pc.value_counts(block.column(column)).flatten()
        yield from zip(*map(arrays.listed, (cells, _pattern(cells, names=names), counts)), strict=True)


def _pattern(cells: Any, *, names: bool) -> Any:
    """The numbers with every 1 to 9 as 1, the names with every letter and digit as a; null for all others."""
    pattern = _where(cells, _NUMBER, "[1-9]", "1")
    return pc.coalesce(pattern, _where(cells, _NAME, "[A-Za-z0-9]", "a")) if names else pattern


def _where(cells: Any, plain: str, class_: str, mark: str) -> Any:
    marked = pc.replace_substring_regex(cells, class_, mark)
    return pc.if_else(pc.match_substring_regex(cells, plain), marked, arrays.texts([None])[0])
