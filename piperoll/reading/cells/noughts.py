"""Amounts that are nearly all nought beside a column of sums: nought may stand for what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from piperoll.model import Finding
from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.findings.values import Column, amounts_all_nought

_NEARLY = 0.9
_FEW = 0.5
_ENOUGH = 3


@dataclass
class Noughts:
    """The columns of money of one table: those of its amounts that are nearly all nought, and those with sums."""

    empty: list[tuple[Column, int]] = field(default_factory=list)
    sums: list[Column] = field(default_factory=list)

    def look(self, column: Column, counts: Mapping[str, int]) -> None:
        """Note a column by its distinct cells and how often each stands there."""
        if column.field.unit != "GBP":
            return
        values = {cell: value for cell in counts if (value := read_amount(cell)) is not None}
        whole = sum(counts[cell] for cell in values)
        noughts = sum(counts[cell] for cell, value in values.items() if not value)
        if column.amount and whole >= _ENOUGH and noughts >= _NEARLY * whole:
            self.empty.append((column, noughts))
        elif whole and noughts < _FEW * whole:
            self.sums.append(column)

    def said(self) -> Iterator[Finding]:
        """What there is to say, once all columns have been looked at."""
        for column, count in self.empty if self.sums else ():
            yield amounts_all_nought(column, self.sums[0], count)


__all__ = ["Noughts"]
