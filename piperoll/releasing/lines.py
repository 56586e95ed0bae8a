"""From a table as read to the lines that are published: every field of the dataset, as canonical strings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from piperoll.model import Dataset, Disposition, Field, Origin, Table
from piperoll.model.columns import Cells, pc
from piperoll.releasing.columns import PublishedColumn, scale_for
from piperoll.releasing.deriving import DerivationFacts, Occurrences, derived, is_hash
from piperoll.releasing.redacting import redacted, redactions

STEP = 65_536
"""Lines worked on at once: joined into text, their cells stay far below the 2 GB of an Arrow string array."""


@dataclass(frozen=True, slots=True)
class LineBatch:
    """A batch of published lines and the source row of each."""

    rows: Cells
    batch: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class RowDispositions:
    """What becomes of the rows of one table, as `piperoll.model.Disposition` words it."""

    held: Mapping[int, object]
    redacted: Mapping[int, str]
    blanked: Mapping[int, frozenset[str]]

    @classmethod
    def of(cls, disposition: Disposition, table: int) -> RowDispositions:
        """The fate of the rows of the table of this number."""
        return cls(
            disposition.held.get(table, {}), disposition.redacted.get(table, {}), disposition.blanked.get(table, {})
        )


@dataclass(frozen=True)
class LineMaker:
    """Makes the published lines of a release, table by table; counts repeats over the whole release."""

    dataset: Dataset
    columns: Sequence[PublishedColumn]
    occurrences: Mapping[str, Occurrences] = field(init=False)

    def __post_init__(self) -> None:
        counters = {one.name: Occurrences() for one in self.dataset.fields if is_hash(one)}
        object.__setattr__(self, "occurrences", counters)

    def lines(self, table: Table[pa.RecordBatch], facts: DerivationFacts, fate: RowDispositions) -> Iterator[LineBatch]:
        """The lines of one table that are published: those whose row is not held.

        Raises: ConservationError: a cell is not in the canonical spelling that reading promises.
        """
        for whole in table.batches():
            for start in range(0, whole.num_rows, STEP):
                batch = _without(whole.slice(start, STEP), fate.held)
                if batch.num_rows:
                    yield self._lines(_blanked(batch, fate.blanked), facts, fate.redacted)

    def _lines(self, batch: pa.RecordBatch, facts: DerivationFacts, kinds: Mapping[int, str]) -> LineBatch:
        rows = batch.column("row")
        redaction = redactions(rows, kinds)
        cells = {
            column.name: column.spelled(_cells(column.field, batch, facts, redaction))
            for column in self.columns
            if not is_hash(column.field)
        }
        cells = redacted(self.dataset, cells, redaction)
        hashes = {
            one.name: self.occurrences[one.name].column(one.derive or {}, facts, cells)
            for one in self.dataset.fields
            if is_hash(one)
        }
        cells |= hashes
        names = [column.name for column in self.columns]
        return LineBatch(rows, pa.RecordBatch.from_arrays([cells[name] for name in names], names=names))


def columns_for(dataset: Dataset, tables: Sequence[Table[pa.RecordBatch]]) -> tuple[PublishedColumn, ...]:
    """The published columns in descriptor order, numbers with the places that these tables need."""
    return tuple(
        PublishedColumn(one, scale_for(_sent_numbers(one.name, tables)))
        if one.type == "number"
        else PublishedColumn(one)
        for one in dataset.fields
    )


def _sent_numbers(name: str, tables: Sequence[Table[pa.RecordBatch]]) -> Iterator[Cells]:
    for table in tables:
        if name in table.columns:
            yield from (batch.column(name) for batch in table.batches() if name in batch.schema.names)


def _without(batch: pa.RecordBatch, held: Mapping[int, object]) -> pa.RecordBatch:
    if not held:
        return batch
    return batch.filter(pc.invert(pc.is_in(batch.column("row"), value_set=pa.array(sorted(held), pa.int64()))))


def _blanked(batch: pa.RecordBatch, blanked: Mapping[int, frozenset[str]]) -> pa.RecordBatch:
    """`batch` without the cells that are left out; a derivation takes their place where there is one."""
    names = sorted(frozenset[str]().union(*blanked.values()) & set(batch.schema.names))
    for name in names:
        rows = pa.array([row for row, fields in sorted(blanked.items()) if name in fields], pa.int64())
        out = pc.is_in(batch.column("row"), value_set=rows)
        cells = pc.if_else(out, pa.scalar(None, pa.string()), batch.column(name))
        batch = batch.set_column(batch.schema.get_field_index(name), name, cells)
    return batch


def _cells(one: Field, batch: pa.RecordBatch, facts: DerivationFacts, redaction: Cells) -> Cells:
    """The sent cells where there are any, else the derivation, else nulls; a field that is ours is always derived."""
    ours = one.origin is Origin.DERIVED
    sent = batch.column(one.name) if one.name in batch.schema.names and not ours else None
    if one.derive is None:
        return pa.nulls(batch.num_rows, pa.string()) if sent is None else sent
    made = derived(one, facts, batch.column("row"), redaction)
    if sent is None:
        return made
    filled: Cells = pc.coalesce(sent, made)
    return filled
