"""The tallies of charts, row by row in Python: the plain meaning of what `release_summary` adds up column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa

from piperoll.describing.release_summary import BarMeasure, ChartRule, ChartTally, RowGroup


def as_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> pa.Table:
    """Rows of a CSV as a table of canonical strings."""
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.table({name: pa.array([cell or None for cell in column], pa.string())
                     for name, column in zip(names, columns, strict=True)})  # fmt: skip


def tally_by_row(
    rules: Sequence[ChartRule], names: Sequence[str], rows: Sequence[Sequence[str]], adds_up: Sequence[bool]
) -> tuple[ChartTally, ...]:
    """Add up the rows, whose cells are text as published (an empty cell is an empty string), for each chart."""
    counts = [_RunningTally(rule) for rule in rules if rule.fields <= set(names)]
    figures = {name for one in counts for name in one.rule.figures}
    for cells, additive in zip(rows, adds_up, strict=True):
        row = dict(zip(names, cells, strict=True))
        numbers = {name: Decimal(row[name]) if row[name] else None for name in figures}
        for one in counts:
            one.add_row(row, numbers, additive=additive)
    return tuple(tally for one in counts if (tally := one.choose_fields()) is not None)


@dataclass
class _RunningTally:
    """The groups of a chart for every pair of fields it may measure and group by, until all rows are read."""

    rule: ChartRule
    groups: dict[str, dict[str, dict[str, RowGroup]]] = field(default_factory=dict)
    overlapping: int = 0

    def add_row(self, row: Mapping[str, str], numbers: Mapping[str, Decimal | None], *, additive: bool) -> None:
        rule = self.rule
        leave_out = rule.measure is BarMeasure.SUM and not additive
        self.overlapping += leave_out
        weight = None if rule.weight is None else numbers[rule.weight]
        rank = next((numbers[name] for name in rule.rank if numbers[name] is not None), None)
        for of in rule.of:
            for by in rule.by:
                group = self.groups.setdefault(of, {}).setdefault(by, {}).setdefault(row[by], RowGroup())
                _add(group, None if leave_out else numbers[of], weight, rank)

    def choose_fields(self) -> ChartTally | None:
        rule = self.rule
        measured = {
            of: sum(group.measured for group in next(iter(by_field.values())).values())
            for of, by_field in self.groups.items()
        }
        of = next((of for of in rule.of if measured.get(of)), None)
        if of is None and (rule.measure is BarMeasure.MEAN or self.overlapping):
            return None
        by_field = self.groups.get(of or rule.of[0], {})
        filled = {by: sum(one.rows for value, one in groups.items() if value) for by, groups in by_field.items()}
        if not any(filled.values()):
            return None
        rows = sum(group.rows for group in next(iter(by_field.values())).values())
        by = next((by for by in rule.by if filled[by] * 2 >= rows), max(rule.by, key=lambda name: filled[name]))
        return ChartTally(rule, by, of, by_field[by], self.overlapping)


def _add(group: RowGroup, value: Decimal | None, weight: Decimal | None, rank: Decimal | None) -> None:
    group.rows += 1
    if value is not None:
        group.measured += 1
        group.value += value
        group.weighted += value * (weight or 0)
        group.weight += weight or 0
    if rank is not None and (group.rank is None or rank > group.rank):
        group.rank = rank
