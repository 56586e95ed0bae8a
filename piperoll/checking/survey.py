"""One pass over a table: its rows, the gaps of its columns, its dates; and which of its columns a check is about."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from piperoll.checking.row_sets import RowSet
from piperoll.model import Address, Dataset, Field, Origin
from piperoll.model.columns import Integers, is_filled, pc
from piperoll.reading import SENT, ReadTable

_MOST_NAMES = 200
"""A column with more names than this does not name the body that sends the file."""


class BatchVisitor(Protocol):
    """Something that is shown every batch of a table once."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Look at one more batch."""


def visit_batches(table: ReadTable, *visitors: BatchVisitor) -> None:
    """Show each batch of `table` to all visitors, in order."""
    for batch in table.batches():
        for visitor in visitors:
            visitor.add(batch)


@dataclass(frozen=True)
class TableSurvey:
    """What one pass over a table shows.

    `missing` has, for each field whose gaps count, the rows where no line has a cell, not even an unreadable one.
    `readable` has, for each core group with an unreadable cell, the group and the rows where one of its cells can be
    read. `dates` counts the cells of each main date (ISO 8601). `pounds` are the absolute amounts beside each, added up
    as floats, to weigh the dates. `names` counts, for each column that names the body or its department, the cells by
    what they say, and `headings` has the heading of each; a column with too many names to be about one sender has none.
    """

    rows: RowSet
    lines: int
    missing: Mapping[str, RowSet]
    readable: Sequence[tuple[Sequence[str], RowSet]]
    dates: Mapping[str, int]
    names: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    headings: Mapping[str, str] = field(default_factory=dict)
    pounds: Mapping[str, float] = field(default_factory=dict)
    titles: Sequence[str] = ()
    """The texts above the headings."""
    starts: Mapping[str, int] = field(default_factory=dict)
    """If each line covers several months and the main date is the last day, the counts of the first days."""
    marks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """For each typed field whose gaps count, the cells that are not empty but have no value, by what they say."""


def survey_table(table: ReadTable, dataset: Dataset) -> TableSurvey:
    """Survey `table` in a pass of its own."""
    surveyor = TableSurveyor(table, dataset)
    visit_batches(table, surveyor)
    return surveyor.survey()


class TableSurveyor:
    """Makes a survey batch by batch."""

    def __init__(self, table: ReadTable, dataset: Dataset) -> None:
        groups = core_columns(table, dataset)
        counted = {one.name for one in dataset.fields if is_duty(one)}
        counted |= {group[0] for group in groups if group}
        counted |= {name for name in (main_field(dataset.amount, table), main_field(dataset.date, table)) if name}
        self._table = table
        self._rows = RowSet()
        self._lines = 0
        self._filled: dict[str, RowSet | None] = dict.fromkeys(counted & table.columns.keys())
        self._readable = [(group, RowSet()) for group in groups if any(table.unreadable.get(name) for name in group)]
        self._date = date_field(table, dataset)
        self._amount = main_field(dataset.amount, table)
        self._dates: Counter[str] = Counter()
        self._pounds: defaultdict[str, float] = defaultdict(float)
        self._start = _start_field(table, dataset, self._date)
        self._starts: Counter[str] = Counter()
        names = [name for name in (*dataset.body_fields, *dataset.parent_fields) if name in table.columns]
        self._names: dict[str, Counter[str]] = {name: Counter() for name in names}
        self._marks: dict[str, Counter[str]] = {}
        self._unreadable: dict[str, RowSet] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Look at one more batch."""
        rows = batch["row"].to_numpy()
        for name, known in self._filled.items():
            filled = known
            if filled is None and batch[name].null_count:  # until the first gap, every row so far is filled
                filled = self._filled[name] = self._rows.copy()
            if filled is not None:
                filled.add(rows[is_filled(batch[name])])
                self._add_marks(batch, name, rows)
        for group, readable in self._readable:
            for name in group:
                readable.add(rows[is_filled(batch[name])])
        if self._date:
            self._add_dates(batch, self._date)
        if self._start:
            for entry in pc.value_counts(batch[self._start].drop_null()).to_pylist():
                self._starts[entry["values"]] += entry["counts"]
        for name, counts in self._names.items():
            if len(counts) <= _MOST_NAMES:
                found = pc.value_counts(batch[name].drop_null())
                counts.update({entry["values"]: entry["counts"] for entry in found[: _MOST_NAMES + 1].to_pylist()})
        self._rows.add(rows)
        self._lines += batch.num_rows

    def _add_marks(self, batch: pa.RecordBatch, name: str, rows: Integers) -> None:
        if name + SENT not in batch.schema.names:
            return
        unreadable = self._unreadable.setdefault(name, RowSet(self._table.unreadable.get(name, ())))
        marked = ~is_filled(batch[name]) & is_filled(batch[name + SENT]) & ~unreadable.contains(rows)
        if marked.any():
            counts = self._marks.setdefault(name, Counter())
            for entry in pc.value_counts(batch[name + SENT].filter(pa.array(marked))).to_pylist():
                counts[entry["values"]] += entry["counts"]

    def _add_dates(self, batch: pa.RecordBatch, date: str) -> None:
        if self._amount is None:
            amounts = pa.nulls(batch.num_rows, pa.float64())
        else:
            amounts = pc.abs(pc.cast(batch[self._amount], pa.float64()))
        dated = pa.table({"date": batch[date], "pounds": amounts}).group_by("date", use_threads=False)
        for entry in dated.aggregate([("pounds", "sum"), ([], "count_all")]).to_pylist():
            if entry["date"] is not None:
                self._dates[entry["date"]] += entry["count_all"]
                self._pounds[entry["date"]] += entry["pounds_sum"] or 0.0

    def survey(self) -> TableSurvey:
        """Finish the survey."""
        unreadable = self._table.unreadable
        missing = {
            name: RowSet() if filled is None else self._rows - filled - RowSet(unreadable.get(name, ()))
            for name, filled in self._filled.items()
        }
        names = {name: counts for name, counts in self._names.items() if 0 < len(counts) <= _MOST_NAMES}
        headings = {name: self._table.columns[name] for name in names}
        return TableSurvey(
            rows=self._rows,
            lines=self._lines,
            missing=missing,
            readable=self._readable,
            dates=self._dates,
            names=names,
            headings=headings,
            titles=self._table.titles,
            pounds=self._pounds,
            starts=self._starts,
            marks=self._marks,
        )


def address_in(table: ReadTable, field: str | None = None, row: int | None = None, line: int | None = None) -> Address:
    """The address of a cell, a column (no `row`) or a row (no `field`) of `table`, as its sender sees it.

    A measure of a wide table has a column for each period, so its address names none.
    """
    letter = table.letter(field, row) if field and field not in table.wide else None
    return Address(table.sheet, row, line, letter, field)


def fields_present(table: ReadTable) -> frozenset[str]:
    """The fields that the lines of `table` have: its columns, and what the headings of a wide table give."""
    first = next(table.batches(), None)
    return frozenset(table.columns) | frozenset(first.schema.names if first else ())


def main_field(candidates: Iterable[str], table: ReadTable) -> str | None:
    """The first of `candidates` that is a column of `table`: its main amount or main date."""
    return next((name for name in candidates if name in table.columns), None)


def date_field(table: ReadTable, dataset: Dataset) -> str | None:
    """The field with the main date of each line, which may come from the headings of a wide table."""
    found = main_field(dataset.date, table)
    return found or next((name for name in dataset.date if name in fields_present(table)), None)


def _start_field(table: ReadTable, dataset: Dataset, date: str | None) -> str | None:
    """The field with the first day of what a line covers, if `date` is the last day."""
    if date is None or dataset.field(date).reading.edge != "end":
        return None
    present = fields_present(table)
    return next((each.name for each in dataset.fields if each.reading.edge == "start" and each.name in present), None)


def core_columns(table: ReadTable, dataset: Dataset) -> tuple[tuple[str, ...], ...]:
    """The columns of `table` in each core group of the dataset."""
    return tuple(tuple(name for name in group if name in table.columns) for group in dataset.core)


def is_duty(field: Field) -> bool:
    """Whether law or a code asks some bodies to send this field. A field that we can derive is never missed."""
    return bool(field.duties) and field.origin is Origin.SENT and field.derive is None
