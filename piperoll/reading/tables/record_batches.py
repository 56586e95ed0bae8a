"""Convert records to Arrow batches: one text column for each field, with the cells as sent beside typed ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pyarrow as pa

from piperoll.findings import cap_findings, make_finding
from piperoll.model import Dataset, Field, Finding, Period, Severity
from piperoll.model.columns import mask_at, pc, texts
from piperoll.reading.cells.amounts import explain_unreadable
from piperoll.reading.cells.date_order import NO_CONTEXT, make_date_context
from piperoll.reading.cells.decisions import FieldColumn, MostlyZero, decide
from piperoll.reading.cells.marks import means_nothing
from piperoll.reading.cells.value_counts import PatternCounts, ValueCounts
from piperoll.reading.cells.values import Reader, SpelledColumn, is_plain_text, null_if_empty, spell
from piperoll.reading.columns.assignment import Columns
from piperoll.reading.grids.batch_spill import BatchSpill
from piperoll.reading.grids.blocks import ROWS, Block, Row
from piperoll.reading.grids.cell_shapes import CellTest, ShapeIndex
from piperoll.reading.grids.grid import Rows, address_of, cell_at, tidy
from piperoll.reading.grids.parallel import map_in_order
from piperoll.reading.reading import SENT
from piperoll.reading.tables.wide_tables import WideTable

_Periods = Sequence[tuple[Mapping[str, int], Period]]
"""Each period of a wide table with its columns by field, in chronological order."""


@dataclass(frozen=True)
class UnreadLines:
    """Lines whose cells are not converted yet: `block` holds the row of each line."""

    block: Block
    cells: Mapping[str, Any] = field(default_factory=dict)
    place: Callable[[str, int], int] = lambda _name, _line: 0
    fixed: Mapping[str, Any] = field(default_factory=dict)
    shapes: ShapeIndex | None = None

    def all(self, name: str, holds: CellTest) -> bool:
        """Return whether a check accepts the shape of each of a field's cells; False if that is unknown."""
        return self.shapes is not None and self.shapes.all_match(self.place(name, 0), holds)


def split_records(block: Block, shapes: ShapeIndex, columns: Columns, wide: WideTable | None) -> Iterator[UnreadLines]:
    """Yield the lines of a block of records, in order."""
    own = {name: choice.column for name, choice in columns.choices.items()}
    if wide is None:
        cells = {name: block.column(column) for name, column in own.items()}
        yield UnreadLines(block, cells, lambda name, _: own[name], shapes=shapes)
        return
    rows, periods = list(block), [(wide.of(period), period) for period in wide.periods]
    pairs = [(place, which) for place, row in enumerate(rows) for which in _with_figures(row, periods)]
    for start in range(0, len(pairs), ROWS):
        yield _wide_lines(block, rows, own, wide, periods, pairs[start : start + ROWS])


def _with_figures(row: Row, periods: _Periods) -> Sequence[int]:
    """Return the periods that a row has figures for; the last period if it has none."""
    there = [which for which, (columns, _) in enumerate(periods) if any(_says(row, each) for each in columns.values())]
    return there or [len(periods) - 1]


def _says(row: Row, column: int) -> bool:
    return not means_nothing(tidy(cell_at(row, column)), typed=True)


def _wide_lines(
    block: Block,
    rows: Sequence[Row],
    own: Mapping[str, int],
    wide: WideTable,
    periods: _Periods,
    pairs: Sequence[tuple[int, int]],
) -> UnreadLines:
    lines = block.take(place for place, _ in pairs)
    days = [periods[which][1] for _, which in pairs]

    def place(name: str, line: int) -> int:
        return own[name] if name in own else periods[pairs[line][1]][0].get(name, -1)

    measured = {
        name: texts([cell_at(rows[row], place(name, line)) for line, (row, _) in enumerate(pairs)])
        for name in wide.fields
    }
    bounds = {
        wide.start_field: texts([day.start.isoformat() for day in days]),
        wide.end_field: texts([day.end.isoformat() for day in days]),
    }
    return UnreadLines(lines, {name: lines.column(column) for name, column in own.items()} | measured, place, bounds)


LINES = ROWS
"""Lines in a batch."""

_FieldCells = tuple[FieldColumn, tuple[int, ...]]
"""The column of a field, and the indexes of its cells: several for the measures of a wide table."""


@dataclass(frozen=True)
class Segment:
    """Records with the same columns."""

    records: Rows
    columns: Columns
    wide: WideTable | None = None
    cut: frozenset[int] = frozenset()
    """The rows with more cells than there are columns, whose amounts may belong to another column."""


@dataclass
class BuiltTable:
    """The result of `build`: batches, the rows with unreadable cells by field, and findings."""

    batches: BatchSpill = field(default_factory=BatchSpill)
    unreadable: dict[str, list[int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def build(
    segments: Sequence[Segment], dataset: Dataset, sheet: str | None, periods: Sequence[Period] = ()
) -> BuiltTable:
    """Convert a table's records to batches, and collect its unreadable cells and findings.

    `periods` are those that the names of the file and sheet may mean.
    """
    built = BuiltTable()
    builder = _Builder(dataset, sheet, list(_fields(segments, dataset)), built)
    evidence = [_evidence(segment, dataset, sheet) for segment in segments]
    dates, told = _dates(evidence, dataset), set[str]()
    for segment, counts in zip(segments, evidence, strict=True):
        readers, said = _readers(_columns(segment, dataset, sheet), counts, periods, dates)
        built.findings += [finding for finding in said if finding.field not in told]
        told |= dates.keys() & readers.keys()
        for read in map_in_order(
            partial(builder.read, segment=segment, readers=readers), segment.records.indexed_blocks()
        ):
            for lines in read:
                builder.lay(lines, {name for name, reader in readers.items() if reader.reported})
    if not len(built.batches):
        builder.lay(builder.batch_of(UnreadLines(Block.of((), (), ())), {}, frozenset()), set())
    return built


def _fields(segments: Sequence[Segment], dataset: Dataset) -> Iterator[Field]:
    """Return every field of the table, in the dataset's order."""
    named = {name for segment in segments for name in segment.columns.choices}
    for segment in segments:
        if segment.wide:
            named |= {*segment.wide.fields, segment.wide.start_field, segment.wide.end_field}
    return (each for each in dataset.fields if each.name in named)


def _evidence(segment: Segment, dataset: Dataset, sheet: str | None) -> dict[str, Counter[str]]:
    """Count the distinct cells of each column whose notation must be decided.

    All columns are counted in one pass through the records.
    """
    columns = _columns(segment, dataset, sheet)
    asked = {name: each for name, each in columns.items() if each[0].counted or each[0].field.type == "date"}
    counts = {name: _counts(column) for name, (column, places) in asked.items() if len(places) == 1}

    places = [asked[name][1][0] for name in counts]
    for seen in map_in_order(partial(_seen, list(counts.values()), places), segment.records.blocks() if counts else ()):
        for own, each in zip(counts.values(), seen, strict=True):
            own.add(each)
    return {name: counts[name].found if name in counts else _of_all(segment.records, asked[name][1]) for name in asked}


def _counts(column: FieldColumn) -> ValueCounts:
    return ValueCounts() if column.field.type == "date" else PatternCounts(names=column.reference)


def _seen(counts: Sequence[ValueCounts], places: Sequence[int], block: Block) -> list[Any]:
    """Count the cells of some columns of a block."""
    return [own.prepare(block.column(place)) for own, place in zip(counts, places, strict=True)]


def _of_all(records: Rows, places: Sequence[int]) -> Counter[str]:
    """Count the distinct cells of some columns together, row by row."""
    return Counter(cell_at(row, place) for row in records for place in places)


def _dates(evidence: Sequence[Mapping[str, Counter[str]]], dataset: Dataset) -> dict[str, Counter[str]]:
    """Count the distinct dates of each column over all segments.

    Repeated headings do not change the order of day and month.
    """
    found: dict[str, Counter[str]] = {}
    for counts in evidence:
        for name, own in counts.items():
            if dataset.field(name).type == "date":
                found.setdefault(name, Counter()).update(own)
    return found


def _readers(
    columns: Mapping[str, _FieldCells],
    counts: Mapping[str, Counter[str]],
    periods: Sequence[Period],
    dates: Mapping[str, Counter[str]],
) -> tuple[dict[str, Reader], list[Finding]]:
    """Return a reader for each field, decided from all its cells, and the findings about how they are written."""
    readers, findings, mostly_zero = dict[str, Reader](), list[Finding](), MostlyZero()
    for name, (column, _) in columns.items():
        own = dates.get(name) or counts.get(name, Counter[str]())
        context = make_date_context(dates, name, periods) if name in dates else NO_CONTEXT
        readers[name], said = decide(column, own, context)
        findings += said
        mostly_zero.add(column, own)
    return readers, [*findings, *mostly_zero.findings()]


def _columns(segment: Segment, dataset: Dataset, sheet: str | None) -> dict[str, _FieldCells]:
    """Return the column of each field, and the indexes of its cells: several for the measures of a wide table."""
    found: dict[str, _FieldCells] = {}
    for name, choice in segment.columns.choices.items():
        found[name] = (_column(dataset, name, choice.column, choice.heading, sheet), (choice.column,))
    for name in segment.wide.fields if segment.wide else ():
        own = segment.wide.of_field(name) if segment.wide else []
        column = _column(dataset, name, own[0].column, own[0].heading, sheet)
        found.setdefault(name, (column, tuple(measure.column for measure in own)))
    return found


def _column(dataset: Dataset, name: str, place: int, heading: str, sheet: str | None) -> FieldColumn:
    wanted = dataset.field(name)
    return FieldColumn(
        wanted,
        place,
        heading,
        sheet,
        amount=name in dataset.amount,
        reference=wanted.is_identifier,
        within=any({name, "@period"} <= {*group} for group in dataset.core),
        least_amount=dataset.least_amount,
    )


@dataclass(frozen=True)
class _UnreadableCell:
    """A cell that cannot be read: its line in the batch, its field's position in the table, its column."""

    line: int
    field: int
    column: int
    cell: str


@dataclass(frozen=True)
class _ReadBatch:
    """Lines that were read: the block with the row of each, their batch, and the cells that cannot be read."""

    block: Block
    batch: pa.RecordBatch
    lost: Sequence[_UnreadableCell]


@dataclass(frozen=True)
class _Builder:
    """Converts the cells of lines and stores the batches."""

    dataset: Dataset
    sheet: str | None
    fields: Sequence[Field]
    built: BuiltTable

    def read(
        self, looked: tuple[Block, ShapeIndex], segment: Segment, readers: Mapping[str, Reader]
    ) -> list[_ReadBatch]:
        """Convert a block of records; blocks may be converted in parallel."""
        parts = split_records(*looked, segment.columns, segment.wide)
        return [self.batch_of(lines, readers, segment.cut) for lines in parts]

    def batch_of(self, lines: UnreadLines, readers: Mapping[str, Reader], cut: frozenset[int]) -> _ReadBatch:
        """Return the batch of some lines; the amounts of the rows in `cut` count as unreadable."""
        columns: dict[str, Any] = {"row": lines.block.batch["number"], "line": lines.block.batch["line"]}
        lost: list[_UnreadableCell] = []
        nothing = pa.nulls(len(lines.block), pa.string())
        for order, each in enumerate(self.fields):
            cells = lines.cells.get(each.name)
            columns[each.name] = lines.fixed.get(each.name, nothing)
            if cells is not None:
                spelt = self._spelt(each, lines, readers[each.name], _places(lines.block, cut))
                columns[each.name] = spelt.values
                lost += [
                    _UnreadableCell(line, order, lines.place(each.name, line), cells[line].as_py())
                    for line in spelt.unreadable
                ]
            if each.type != "string":
                columns[each.name + SENT] = nothing if cells is None else null_if_empty(cells)
        lost.sort(key=lambda one: (one.line, one.field))
        return _ReadBatch(lines.block, pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), lost)

    def lay(self, read: _ReadBatch, told: Set[str]) -> None:
        """Store the next batch, and report unreadable cells except for fields in `told`."""
        self.built.batches.append(read.batch)
        self._tell(read.block, read.lost, told)

    def _spelt(self, wanted: Field, lines: UnreadLines, reader: Reader, cut: Sequence[int]) -> SpelledColumn:
        cells = lines.cells[wanted.name]
        if reader.keeps_plain_texts and lines.all(wanted.name, is_plain_text):
            return SpelledColumn(null_if_empty(cells), [])
        whole = spell(cells, reader)
        if not cut or wanted.name not in self.dataset.amount:
            return whole
        refused = spell(cells.take(pa.array(cut, pa.int64())), replace(reader, refuses=True, known={}))
        mask = mask_at(cut, len(cells))
        lost = {cut[place] for place in refused.unreadable} | {*whole.unreadable} - {*cut}
        return SpelledColumn(pc.replace_with_mask(whole.values, mask, refused.values), sorted(lost))

    def _tell(self, block: Block, lost: Sequence[_UnreadableCell], told: Set[str]) -> None:
        """Report unreadable cells, except for fields that were reported for the whole column."""
        if not lost:
            return
        numbers, physical = block.numbers, block.lines
        for one in lost:
            wanted, row = self.fields[one.field], Row(numbers[one.line], physical[one.line], ())
            rows = self.built.unreadable.setdefault(wanted.name, [])
            if rows[-1:] != [row.number]:
                rows.append(row.number)
            if wanted.name in told:
                continue
            amount = wanted.name in self.dataset.amount
            self.built.findings.append(_unreadable(self.sheet, row, one.column, wanted, one.cell, amount=amount))
        self.built.findings[:] = cap_findings(self.built.findings)


def _unreadable(sheet: str | None, row: Row, column: int, field: Field, cell: str, *, amount: bool) -> Finding:
    """Report a cell that cannot be read."""
    codes = {"date": "date-unreadable", "number": "number-unreadable", "integer": "number-unreadable"}
    code = "amount-unreadable" if amount else {**codes, "boolean": "cell-unreadable"}.get(field.type, "cell-error")
    return make_finding(
        code,
        address_of(sheet, row, column, field.name),
        variant=explain_unreadable(cell) if code in ("amount-unreadable", "number-unreadable") else "",
        severity=Severity.WARNING if code == "cell-error" and field.level == "core" else None,
        value=cell,
        text=cell.strip(),
    )


def _places(block: Block, rows: frozenset[int]) -> list[int]:
    """Return the positions of rows with these numbers in a block."""
    if not rows:
        return []
    return [place for place, number in enumerate(block.numbers) if number in rows]
