"""Which tables of a file say again what others say: summaries and copies, proved by sums and by equal rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from piperoll.model import Dataset
from piperoll.reading.reading import ReadTable

_SUM_TOLERANCE = Decimal("0.05")
"""How far two sums may lie apart and be one: rounding of pennies."""

_FEW_ROWS = 3
"""Fewer rows than this may be equal, or add up, by chance."""


@dataclass(frozen=True)
class Overlap:
    """A table (by its place) that says again what `others` say: it `sums` them up, or its rows stand among theirs."""

    table: int
    others: tuple[int, ...]
    sums: bool
    total: Decimal


class _Facts:
    """What a table holds, as far as another could say it again."""

    def __init__(self, table: ReadTable, dataset: Dataset) -> None:
        self.table = table
        self.amount = next((name for name in dataset.amount if name in table.columns), None)

    @cached_property
    def amounts(self) -> Counter[str]:
        """How often each amount stands in the table."""
        return Counter(cell for cell in self._cells(self.amount or "") if cell is not None)

    @cached_property
    def total(self) -> Decimal:
        """The sum of the amounts."""
        return sum((Decimal(cell) * times for cell, times in self.amounts.items()), Decimal(0))

    def keys(self, names: Sequence[str]) -> Counter[tuple[str | None, ...]]:
        """How often each record stands in the table, by some of its fields."""
        return Counter(zip(*map(self._cells, names), strict=True))

    def _cells(self, name: str) -> Iterator[str | None]:
        for batch in self.table.batches():
            yield from batch.column(name).to_pylist()


def overlaps(tables: Sequence[ReadTable], dataset: Dataset) -> list[Overlap]:
    """The tables to leave out so that nothing is counted twice, each with those that hold its records."""
    facts = [_Facts(table, dataset) for table in tables]
    held = [place for place, each in enumerate(facts) if each.amount is not None]
    found: list[Overlap] = []
    for place in sorted(held, key=lambda place: (tables[place].rows, -place)):
        left = [other for other in held if other != place and other not in {one.table for one in found}]
        if overlap := _overlap(place, left, facts):
            found.append(overlap)
    return sorted(found, key=lambda overlap: overlap.table)


def _overlap(place: int, others: Sequence[int], facts: Sequence[_Facts]) -> Overlap | None:
    own = facts[place]
    for other in others:
        if own.table.rows >= _FEW_ROWS and _stands_in(own, facts[other]):
            return Overlap(place, (other,), sums=False, total=own.total)
    larger = [other for other in others if facts[other].table.rows > max(own.table.rows, _FEW_ROWS - 1)]
    for group in [*([other] for other in larger), list(others)]:
        rows = sum(facts[other].table.rows for other in group)
        total = sum((facts[other].total for other in group), Decimal(0))
        if rows > own.table.rows and rows >= _FEW_ROWS and own.total and abs(total - own.total) <= _SUM_TOLERANCE:
            return Overlap(place, tuple(group), sums=True, total=own.total)
    return None


def _stands_in(own: _Facts, other: _Facts) -> bool:
    """Whether every record of a table stands in another as well, by all fields that both have."""
    if not own.amounts <= other.amounts:
        return False
    names = [name for name in own.table.columns if name in other.table.columns]
    return len(names) >= _FEW_ROWS and own.keys(names) <= other.keys(names)
