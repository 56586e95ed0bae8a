"""Convert records to Arrow batches: a text column for each field and, for typed fields, one with the cells as sent."""

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
from piperoll.reading.cells.date_order import NO_CONTEXT, DateContext, make_date_context
from piperoll.reading.cells.decisions import FieldColumn, MostlyZero, decide
from piperoll.reading.cells.marks import is_error, means_nothing
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
    """Lines whose cells are not converted yet.

    `block` holds the row of each line, `cells` the cells of each field, and `fixed` the values that need no conversion.
    `column_of` returns the column of a field in a line, which differs from line to line in a wide table.
    """

    block: Block
    cells: Mapping[str, Any] = field(default_factory=dict)
    column_of: Callable[[str, int], int] = lambda _name, _line: 0
    fixed: Mapping[str, Any] = field(default_factory=dict)
    shapes: ShapeIndex | None = None

    def all(self, name: str, holds: CellTest) -> bool:
        """Return whether a check accepts the shape of each of a field's cells; False if that is unknown."""
        return self.shapes is not None and self.shapes.all_match(self.column_of(name, 0), holds)


def split_records(block: Block, shapes: ShapeIndex, columns: Columns, wide: WideTable | None) -> Iterator[UnreadLines]:
    """Yield the lines of a block of records, in order."""
    own = {name: choice.column for name, choice in columns.choices.items()}
    if wide is None:
        cells = {name: block.column(column) for name, column in own.items()}
        yield UnreadLines(block, cells, lambda name, _: own[name], shapes=shapes)
        return
    rows, periods = list(block), [(wide.of(period), period) for period in wide.periods]
    pairs = []
    for index, row in enumerate(rows):
        with_figures = [
            which
            for which, (measures, _) in enumerate(periods)
            if any(not means_nothing(tidy(cell_at(row, column)), typed=True) for column in measures.values())
        ]
        # A record without any figure gives one line, for the last period, so that it is not lost.
        pairs += [(index, which) for which in with_figures or [len(periods) - 1]]
    for start in range(0, len(pairs), ROWS):
        yield _wide_lines(block, rows, own, wide, periods, pairs[start : start + ROWS])


def _wide_lines(
    block: Block,
    rows: Sequence[Row],
    own: Mapping[str, int],
    wide: WideTable,
    periods: _Periods,
    pairs: Sequence[tuple[int, int]],
) -> UnreadLines:
    lines = block.take(index for index, _ in pairs)
    days = [periods[which][1] for _, which in pairs]

    def column_of(name: str, line: int) -> int:
        return own[name] if name in own else periods[pairs[line][1]][0].get(name, -1)

    measured = {
        name: texts([cell_at(rows[row], column_of(name, line)) for line, (row, _) in enumerate(pairs)])
        for name in wide.fields
    }
    bounds = {
        wide.start_field: texts([day.start.isoformat() for day in days]),
        wide.end_field: texts([day.end.isoformat() for day in days]),
    }
    return UnreadLines(
        lines, {name: lines.column(column) for name, column in own.items()} | measured, column_of, bounds
    )


LINES = ROWS
"""Lines in a batch."""

_FieldCells = tuple[FieldColumn, tuple[int, ...]]
"""The column of a field, and the indexes of the columns with its cells: several for a measure of a wide table."""


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
    """The result of `build`: batches, the rows with unreadable cells by field, and findings.

    `proofs` counts the payment dates that can only be read day first, and only month first; `order_unproved` is True if
    there are dates that can be read both ways and no proof.
    """

    batches: BatchSpill = field(default_factory=BatchSpill)
    unreadable: dict[str, list[int]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    proofs: tuple[int, int] = (0, 0)
    order_unproved: bool = False


def build(
    segments: Sequence[Segment],
    dataset: Dataset,
    sheet: str | None,
    names: Sequence[str] = (),
    proofs: tuple[int, int] = (0, 0),
) -> BuiltTable:
    """Convert a table's records to batches, and collect its unreadable cells and findings.

    `names` are the texts that can give the period, the most certain first. `proofs` counts the dates of other sheets
    that can only be read day first, and only month first.
    """
    built = BuiltTable()
    named = {name for segment in segments for name in segment.columns.choices}
    for segment in segments:
        if segment.wide:
            named |= {*segment.wide.fields, segment.wide.start_field, segment.wide.end_field}
    builder = _Builder(dataset, sheet, [each for each in dataset.fields if each.name in named], built)
    evidence = [_evidence(segment, dataset, sheet) for segment in segments]
    # Dates are decided from all segments together: repeated headings do not change the order of day and month.
    dates: dict[str, Counter[str]] = {}
    for counts in evidence:
        for name, own in counts.items():
            if dataset.field(name).type == "date":
                dates.setdefault(name, Counter()).update(own)
    reported = set[str]()
    for segment, counts in zip(segments, evidence, strict=True):
        own_columns = _columns(segment, dataset, sheet)
        contexts = {name: make_date_context(dates, name, names, proofs) for name in dates}
        readers, findings = _readers(own_columns, counts, contexts, dates)
        for name in dates.keys() & readers.keys():
            if own_columns[name][0].within:
                order = readers[name].order
                built.proofs = (order.day_proofs, order.month_proofs)
                built.order_unproved = order.unproved
        built.findings += [finding for finding in findings if finding.field not in reported]
        reported |= dates.keys() & readers.keys()
        for read in map_in_order(
            partial(builder.read, segment=segment, readers=readers), segment.records.indexed_blocks()
        ):
            for lines in read:
                builder.store(lines, {name for name, reader in readers.items() if reader.reported})
    if not len(built.batches):
        builder.store(builder.batch_of(UnreadLines(Block.of((), (), ())), {}, frozenset()), set())
    return built


def _evidence(segment: Segment, dataset: Dataset, sheet: str | None) -> dict[str, Counter[str]]:
    """Count the distinct cells of each column whose notation must be decided."""
    columns = _columns(segment, dataset, sheet)
    wanted = {name: each for name, each in columns.items() if each[0].counted or each[0].field.type == "date"}
    counts: dict[str, ValueCounts] = {}
    for name, (column, indexes) in wanted.items():
        if len(indexes) == 1:
            dated = column.field.type == "date"
            counts[name] = ValueCounts() if dated else PatternCounts(names=column.reference)
    # All columns are counted in one pass through the records.
    single = [(own, wanted[name][1][0]) for name, own in counts.items()]
    for prepared in map_in_order(partial(_prepare, single), segment.records.blocks() if counts else ()):
        for own, each in zip(counts.values(), prepared, strict=True):
            own.add(each)
    found = {}
    for name, (_, indexes) in wanted.items():
        if name in counts:
            found[name] = counts[name].found
        else:  # the columns of a measure, together
            found[name] = Counter(cell_at(row, index) for row in segment.records for index in indexes)
    return found


def _prepare(single: Sequence[tuple[ValueCounts, int]], block: Block) -> list[Any]:
    """Count the cells of some columns of a block; blocks are counted in parallel."""
    return [own.prepare(block.column(column)) for own, column in single]


def _readers(
    columns: Mapping[str, _FieldCells],
    counts: Mapping[str, Counter[str]],
    contexts: Mapping[str, DateContext],
    dates: Mapping[str, Counter[str]],
) -> tuple[dict[str, Reader], list[Finding]]:
    """Return a reader for each field, decided from all its cells, and the findings about how they are written."""
    readers, findings, mostly_zero = dict[str, Reader](), list[Finding](), MostlyZero()
    for name, (column, _) in columns.items():
        own = dates.get(name) or counts.get(name, Counter[str]())
        readers[name], notation = decide(column, own, contexts.get(name, NO_CONTEXT))
        findings += notation
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


def _column(dataset: Dataset, name: str, column: int, heading: str, sheet: str | None) -> FieldColumn:
    wanted = dataset.field(name)
    return FieldColumn(
        wanted,
        column,
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
        cut_lines = [line for line, number in enumerate(lines.block.numbers) if number in cut] if cut else []
        nothing = pa.nulls(len(lines.block), pa.string())
        for order, each in enumerate(self.fields):
            cells = lines.cells.get(each.name)
            columns[each.name] = lines.fixed.get(each.name, nothing)
            if cells is not None:
                spelt = self._spelt(each, lines, readers[each.name], cut_lines)
                columns[each.name] = spelt.values
                lost += [
                    _UnreadableCell(line, order, lines.column_of(each.name, line), cells[line].as_py())
                    for line in spelt.unreadable
                ]
            if each.type != "string":
                columns[each.name + SENT] = nothing if cells is None else null_if_empty(cells)
        lost.sort(key=lambda one: (one.line, one.field))
        return _ReadBatch(lines.block, pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), lost)

    def store(self, read: _ReadBatch, reported: Set[str]) -> None:
        """Store the next batch, and report unreadable cells, except for fields `reported` for the whole column."""
        self.built.batches.append(read.batch)
        if not read.lost:
            return
        numbers, physical = read.block.numbers, read.block.lines
        for one in read.lost:
            wanted, row = self.fields[one.field], Row(numbers[one.line], physical[one.line], ())
            rows = self.built.unreadable.setdefault(wanted.name, [])
            if rows[-1:] != [row.number]:
                rows.append(row.number)
            if wanted.name not in reported:
                amount = wanted.name in self.dataset.amount
                self.built.findings.append(_unreadable(self.sheet, row, one.column, wanted, one.cell, amount=amount))
        self.built.findings[:] = cap_findings(self.built.findings)

    def _spelt(self, wanted: Field, lines: UnreadLines, reader: Reader, cut: Sequence[int]) -> SpelledColumn:
        cells = lines.cells[wanted.name]
        if reader.keeps_plain_texts and lines.all(wanted.name, is_plain_text):
            return SpelledColumn(null_if_empty(cells), [])
        whole = spell(cells, reader)
        if not cut or wanted.name not in self.dataset.amount:
            return whole
        refused = spell(cells.take(pa.array(cut, pa.int64())), replace(reader, refuses=True, known={}))
        mask = mask_at(cut, len(cells))
        lost = {cut[index] for index in refused.unreadable} | {*whole.unreadable} - {*cut}
        return SpelledColumn(pc.replace_with_mask(whole.values, mask, refused.values), sorted(lost))


def _unreadable(sheet: str | None, row: Row, column: int, field: Field, cell: str, *, amount: bool) -> Finding:
    """Report a cell that cannot be read."""
    codes = {"date": "date-unreadable", "number": "number-unreadable", "integer": "number-unreadable"}
    code = "amount-unreadable" if amount else {**codes, "boolean": "cell-unreadable"}.get(field.type, "cell-error")
    return make_finding(
        code,
        address_of(sheet, row, column, field.name),
        variant=_unreadable_variant(code, cell),
        severity=Severity.WARNING if code == "cell-error" and field.level == "core" else None,
        value=cell,
        text=cell.strip(),
    )


def _unreadable_variant(code: str, cell: str) -> str:
    """Why a cell cannot be read: the variant of the message with this code."""
    if code in ("cell-error", "cell-unreadable"):
        return ""
    if is_error(tidy(cell)):
        return "error"
    return "plain" if code == "date-unreadable" else explain_unreadable(cell)
