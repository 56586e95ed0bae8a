"""What one look over a table shows: its rows, where columns have gaps, and its dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from piperoll.checking.places import filled
from piperoll.checking.rows import Rows
from piperoll.model import Dataset, Field, Level, Origin
from piperoll.model.columns import Integers, is_filled, pc
from piperoll.reading import ReadTable


class Looks(Protocol):
    """What goes over the batches of a table."""

    def add(self, batch: pa.RecordBatch) -> None:
        """See one more batch."""


@dataclass(frozen=True)
class Survey:
    """One table seen as a whole.

    `missing` has the rows where no line has a cell of a field, not even one that cannot be read, for the fields that
    are asked for. `readable` has the rows where a cell of a core group can be read, for those groups of which some
    cell cannot. `dates` counts the cells of each main date (ISO 8601).
    """

    rows: Rows
    lines: int
    missing: Mapping[str, Rows]
    readable: Sequence[tuple[Sequence[str], Rows]]
    dates: Mapping[str, int]


def survey(table: ReadTable, dataset: Dataset) -> Survey:
    """What one look over `table` shows."""
    looking = Surveying(table, dataset)
    look_over(table, looking)
    return looking.survey()


def look_over(table: ReadTable, *looking: Looks) -> None:
    """Show each batch of `table` to all that look, in order."""
    for batch in table.batches():
        for one in looking:
            one.add(batch)


class Surveying:
    """A survey on its way."""

    def __init__(self, table: ReadTable, dataset: Dataset) -> None:
        self._table = table
        self._rows = Rows()
        self._lines = 0
        self._gaps = {name: _Gaps() for name in _looked_at(table, dataset)}
        self._readable = [(group, Rows()) for group in core_columns(table, dataset) if _suspects(table, group)]
        self._dated = dated(table, dataset)
        self._dates: Counter[str] = Counter()

    def add(self, batch: pa.RecordBatch) -> None:
        """See one more batch."""
        rows = batch["row"].to_numpy()
        for name, gaps in self._gaps.items():
            gaps.add(rows, batch[name], self._rows)
        for group, readable in self._readable:
            for name in group:
                readable.add(rows[is_filled(batch[name])])
        if self._dated:
            for met in pc.value_counts(batch[self._dated].drop_null()).to_pylist():
                self._dates[met["values"]] += met["counts"]
        self._rows.add(rows)
        self._lines += batch.num_rows

    def survey(self) -> Survey:
        """All that was seen."""
        unread = self._table.unreadable
        missing = {name: gaps.of(self._rows, unread.get(name, ())) for name, gaps in self._gaps.items()}
        return Survey(self._rows, self._lines, missing, self._readable, self._dates)


class _Gaps:
    """In which rows a column has a cell. Up to the first gap those are all, which needs no list."""

    def __init__(self) -> None:
        self._there: Rows | None = None

    def add(self, rows: Integers, cells: pa.Array[Any], before: Rows) -> None:
        """See the cells of `rows`; `before` are the rows up to there."""
        if self._there is None and cells.null_count:
            self._there = before.copy()
        if self._there is not None:
            self._there.add(rows[is_filled(cells)])

    def of(self, rows: Rows, unreadable: Iterable[int]) -> Rows:
        """The rows, of all `rows`, where there is none, and none that is unreadable."""
        return Rows() if self._there is None else rows - self._there - Rows(unreadable)


def main_field(candidates: Iterable[str], table: ReadTable) -> str | None:
    """The first of `candidates` that `table` has."""
    return next((name for name in candidates if name in table.columns), None)


def dated(table: ReadTable, dataset: Dataset) -> str | None:
    """The field with the main date of each line, even if only the headings of a wide table say it."""
    found = main_field(dataset.date, table)
    return found or next((name for name in dataset.date if name in filled(table)), None)


def core_columns(table: ReadTable, dataset: Dataset) -> tuple[tuple[str, ...], ...]:
    """The columns of `table` for each core group."""
    return tuple(tuple(name for name in group if name in table.columns) for group in dataset.core)


def asked(field: Field) -> bool:
    """Whether law or code asks a body to send this field."""
    return field.level is Level.DUTY and field.origin is Origin.SENT and field.derive is None


def _looked_at(table: ReadTable, dataset: Dataset) -> frozenset[str]:
    """The columns whose gaps are counted: what is asked for, the first of each core group, main amount and date."""
    wanted = {field.name for field in dataset.fields if asked(field)}
    wanted |= {group[0] for group in core_columns(table, dataset) if group}
    wanted |= {name for name in (main_field(dataset.amount, table), main_field(dataset.date, table)) if name}
    return frozenset(wanted & table.columns.keys())


def _suspects(table: ReadTable, group: Sequence[str]) -> bool:
    return any(table.unreadable.get(name) for name in group)
