"""The distinct cells of a column as evidence of how it is written, in bounded memory however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from piperoll.reading.grids import arrays
from piperoll.reading.grids.rows import Rows

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
    for block in rows.blocks():
        cells, counts = pc.value_counts(block.column(column)).flatten()
        patterns = _pattern(cells, names=names)
        usual = pc.is_in(
            patterns, value_set=arrays.texts([each for each, alike in seen.items() if len(alike) == ALIKE])
        )
        _add_usual(found, seen, patterns.filter(usual), counts.filter(usual))
        rest = pc.invert(usual)
        _add(found, seen, *(arrays.listed(each.filter(rest)) for each in (cells, patterns, counts)))
    return found


def _add_usual(found: Counter[str], seen: Mapping[str, Sequence[str]], patterns: Any, counts: Any) -> None:
    """Count cells of patterns of which enough are kept."""
    if not len(patterns):
        return
    alike = pa.table([patterns, counts], names=["pattern", "count"]).group_by("pattern").aggregate([("count", "sum")])
    for pattern, count in zip(*map(arrays.listed, (alike["pattern"], alike["count_sum"])), strict=True):
        found[seen[pattern][-1]] += count


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


def _pattern(cells: Any, *, names: bool) -> Any:
    """The numbers with every 1 to 9 as 1, the names with every letter and digit as a; null for all others."""
    pattern = _where(cells, _NUMBER, "[1-9]", "1")
    return pc.coalesce(pattern, _where(cells, _NAME, "[A-Za-z0-9]", "a")) if names else pattern


def _where(cells: Any, plain: str, class_: str, mark: str) -> Any:
    marked = pc.replace_substring_regex(cells, class_, mark)
    return pc.if_else(pc.match_substring_regex(cells, plain), marked, arrays.texts([None])[0])
