"""Records to Arrow batches: one string column a field, with the cells as sent beside the typed ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from piperoll.model import Dataset, Finding
from piperoll.reading import findings_cells as say
from piperoll.reading.arrays import texts, whole_numbers
from piperoll.reading.cells import means_nothing
from piperoll.reading.columns import Columns
from piperoll.reading.decisions import decide
from piperoll.reading.evidence import is_identifier
from piperoll.reading.findings_values import Column
from piperoll.reading.grids import Row, cell_at, tidy
from piperoll.reading.reading import SENT
from piperoll.reading.values import UNREADABLE, Reader
from piperoll.reading.wide import Wide

LINES = 10_000
"""Lines a batch: large enough for Arrow to be quick, small enough to hold a few at a time."""


@dataclass(frozen=True)
class Segment:
    """Records that share one layout of columns."""

    records: Sequence[Row]
    columns: Columns
    wide: Wide | None = None
    cut: frozenset[int] = frozenset()
    """The rows that have more cells than there are columns, so that their amounts may be others'."""


@dataclass
class Built:
    """What building gives: batches, the rows with unreadable cells by field, and findings."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    unreadable: dict[str, list[int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def build(segments: Sequence[Segment], dataset: Dataset, sheet: str | None) -> Built:
    """The lines of a table, its unreadable cells, and what there is to say about them."""
    built = Built()
    pending = _Pending(list(_names(segments, dataset)), dataset)
    for segment in segments:
        readers = _readers(segment, dataset, sheet, built.findings)
        refusing = {name: replace(readers[name], refuses=True, known={}) for name in dataset.amount if name in readers}
        for row, columns, constants in _lines(segment):
            those = readers | refusing if row.number in segment.cut else readers
            pending.add(row, columns, constants, those, sheet, built)
            if pending.lines == LINES:
                built.batches.append(pending.batch())
    if pending.lines or not built.batches:
        built.batches.append(pending.batch())
    return built


def _names(segments: Sequence[Segment], dataset: Dataset) -> Iterator[str]:
    """Every field of the table, in the dataset's order."""
    named = {name for segment in segments for name in segment.columns.choices}
    for segment in segments:
        if segment.wide:
            named |= {*segment.wide.fields, segment.wide.start_field, segment.wide.end_field}
    return (each.name for each in dataset.fields if each.name in named)


def _lines(segment: Segment) -> Iterator[tuple[Row, Mapping[str, int], Mapping[str, str]]]:
    """(record, field to column, field to fixed value) of every line: one a record, or one a period with figures."""
    own = {name: choice.column for name, choice in segment.columns.choices.items()}
    if segment.wide is None:
        for row in segment.records:
            yield row, own, {}
        return
    wide = segment.wide
    periods = [(wide.of(period), period) for period in wide.periods]
    for row in segment.records:
        there = [pair for pair in periods if any(_says(cell_at(row, column)) for column in pair[0].values())]
        for columns, period in there or periods[-1:]:
            bounds = {wide.start_field: period.start.isoformat(), wide.end_field: period.end.isoformat()}
            yield row, own | columns, bounds


def _says(cell: str) -> bool:
    return not means_nothing(tidy(cell), typed=True)


def _readers(segment: Segment, dataset: Dataset, sheet: str | None, findings: list[Finding]) -> dict[str, Reader]:
    """What reads each field's cells, decided from all of them, with what there is to say about how they are written."""
    columns = _columns(segment, dataset, sheet)
    looked_at = {name: places for name, (column, places) in columns.items() if column.counted}
    counts: dict[str, Counter[str]] = {name: Counter() for name in columns}
    for row in segment.records:
        for name, places in looked_at.items():
            counts[name].update([cell_at(row, place) for place in places])
    readers = {}
    for name, (column, _) in columns.items():
        readers[name], said = decide(column, counts[name])
        findings += said
    return readers


def _columns(segment: Segment, dataset: Dataset, sheet: str | None) -> dict[str, tuple[Column, tuple[int, ...]]]:
    """Each field's column, and the places where its cells stand: several for the measures of a wide table."""
    found: dict[str, tuple[Column, tuple[int, ...]]] = {}
    for name, choice in segment.columns.choices.items():
        found[name] = (_column(dataset, name, choice.column, choice.heading, sheet), (choice.column,))
    for name in segment.wide.fields if segment.wide else ():
        own = segment.wide.of_field(name) if segment.wide else []
        column = _column(dataset, name, own[0].column, own[0].heading, sheet)
        found.setdefault(name, (column, tuple(measure.column for measure in own)))
    return found


def _column(dataset: Dataset, name: str, place: int, heading: str, sheet: str | None) -> Column:
    wanted = dataset.field(name)
    return Column(wanted, place, heading, sheet, amount=name in dataset.amount, reference=is_identifier(wanted))


class _Pending:
    """The lines of the batch that is being filled."""

    def __init__(self, names: Sequence[str], dataset: Dataset) -> None:
        self.fields = [dataset.field(name) for name in names]
        self.amounts = frozenset(dataset.amount)
        self.clear()

    def clear(self) -> None:
        self.lines = 0
        self.rows: list[int] = []
        self.physical: list[int | None] = []
        self.cells: dict[str, list[str | None]] = {each.name: [] for each in self.fields}
        self.sent: dict[str, list[str | None]] = {each.name: [] for each in self.fields if each.type != "string"}

    def add(
        self,
        row: Row,
        columns: Mapping[str, int],
        constants: Mapping[str, str],
        readers: Mapping[str, Reader],
        sheet: str | None,
        built: Built,
    ) -> None:
        self.lines += 1
        self.rows.append(row.number)
        self.physical.append(row.line)
        for each in self.fields:
            name = each.name
            if name in constants or name not in columns:
                value: object = constants.get(name)
                cell = None
            else:
                cell = cell_at(row, columns[name])
                value = readers[name].read(cell)
            if value is UNREADABLE and cell is not None:
                self._unreadable(row, columns[name], name, cell, sheet, built)
                value = None
            self.cells[name].append(value if isinstance(value, str) else None)
            if name in self.sent:
                self.sent[name].append(cell or None)

    def _unreadable(self, row: Row, column: int, name: str, cell: str, sheet: str | None, built: Built) -> None:
        rows = built.unreadable.setdefault(name, [])
        if not rows or rows[-1] != row.number:
            rows.append(row.number)
        wanted = next(each for each in self.fields if each.name == name)
        built.findings.append(say.unreadable(sheet, row, column, wanted, cell, amount=name in self.amounts))

    def batch(self) -> pa.RecordBatch:
        columns: dict[str, pa.Array[Any]] = {"row": whole_numbers(self.rows), "line": whole_numbers(self.physical)}
        for each in self.fields:
            columns[each.name] = texts(self.cells[each.name])
            if each.name in self.sent:
                columns[each.name + SENT] = texts(self.sent[each.name])
        self.clear()
        return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
