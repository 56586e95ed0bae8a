"""Lines: the rows of a table as they are published, with every field of the dataset, as canonical strings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from piperoll.model import Dataset, Disposition, Origin, Table
from piperoll.model.columns import Cells, pc
from piperoll.releasing.columns import PublishedColumn, scale_for
from piperoll.releasing.deriving import DerivationFacts, LineIdentifiers, derive_column, is_hash

BATCH_LINES = 131_072
"""Lines made at a time: those of a row group of the Parquet file, which need not be put together again."""

_BATCH_BYTES = 1 << 28
"""Bytes of such lines as sent. Larger ones come in smaller batches: a column of Arrow holds 2 GB of text."""

NOT_REDACTED = "none"

REDACTION_WORDS = {
    "personal": "REDACTED PERSONAL DATA",
    "commercial": "REDACTED COMMERCIAL CONFIDENTIALITY",
    "security": "REDACTED NATIONAL SECURITY",
    "legal": "REDACTED LEGAL CONFIDENTIALITY",
}
"""What is published in place of a name, by kind of redaction. The first two are the wording of the Local Government
Transparency Code 2015 (docs/standards.md#privacy-rules); the others are ours, in the same manner."""


@dataclass(frozen=True, slots=True)
class LineBatch:
    """A batch of published lines, and the source row of each."""

    rows: Cells
    batch: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class RowDispositions:
    """What happens to the rows of one table (`piperoll.model.Disposition`), by row number."""

    held: Mapping[int, object]
    redacted: Mapping[int, str]
    blanked: Mapping[int, frozenset[str]]
    cut: Mapping[int, frozenset[str]]

    @classmethod
    def of(cls, disposition: Disposition, table: int) -> RowDispositions:
        """The dispositions of the rows of table number `table`."""
        return cls(
            disposition.held.get(table, {}),
            disposition.redacted.get(table, {}),
            disposition.blanked.get(table, {}),
            disposition.cut.get(table, {}),
        )


@dataclass(frozen=True)
class LineMaker:
    """Makes the published lines of a release table by table, and counts repeats over the whole release."""

    dataset: Dataset
    columns: Sequence[PublishedColumn]
    identifiers: Mapping[str, LineIdentifiers] = field(init=False)

    def __post_init__(self) -> None:
        identifiers = {one.name: LineIdentifiers() for one in self.dataset.fields if is_hash(one)}
        object.__setattr__(self, "identifiers", identifiers)

    def make_lines(
        self, table: Table[pa.RecordBatch], facts: DerivationFacts, dispositions: RowDispositions
    ) -> Iterator[LineBatch]:
        """Make the lines of the rows of a table that are not held.

        Raises: ConservationError: a cell is not spelled as reading promises.
        """
        held = pa.array(sorted(dispositions.held), pa.int64())
        accepted = table.batches()
        if len(held):
            accepted = (one.filter(pc.invert(pc.is_in(one.column("row"), value_set=held))) for one in accepted)
        names = ["row", *(column.name for column in self.columns)]
        for batch in _join_batches(_select(one, names) for one in accepted):
            cut = _cut_texts(self.dataset, _blank_cells(batch, dispositions.blanked), dispositions.cut)
            yield self._make_batch(cut, facts, dispositions.redacted)

    def _make_batch(self, batch: pa.RecordBatch, facts: DerivationFacts, kinds: Mapping[int, str]) -> LineBatch:
        rows = batch.column("row")
        redactions = list_redactions(rows, kinds)
        cells: dict[str, Cells] = {}
        for column in self.columns:
            one = column.field
            if is_hash(one):
                continue
            # A field of ours is always derived. Any other has the cells as sent, filled up with derived ones if it has
            # a derivation, and may be empty.
            is_sent = one.origin is not Origin.DERIVED and one.name in batch.schema.names
            values = batch.column(one.name) if is_sent else pa.nulls(batch.num_rows, pa.string())
            if one.derive is not None:
                made = derive_column(one, facts, rows, redactions)
                values = pc.coalesce(values, made) if is_sent else made
            cells[one.name] = column.spelled(values)
        cells = redact_columns(self.dataset, cells, redactions)
        # Hashes are made last and all from the same columns, so that none depends on another.
        cells |= {
            one.name: self.identifiers[one.name].make_column(one.derive or {}, facts, cells)
            for one in self.dataset.fields
            if is_hash(one)
        }
        names = [column.name for column in self.columns]
        return LineBatch(rows, pa.RecordBatch.from_arrays([cells[name] for name in names], names=names))


def _select(batch: pa.RecordBatch, names: Sequence[str]) -> pa.RecordBatch:
    """Those of the columns `names` that a batch has."""
    return batch.select([name for name in names if name in batch.schema.names])


def _join_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows of some batches in batches of `BATCH_LINES`; those with much text, and the last, have fewer."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        if waiting and (waiting[0].schema != batch.schema or sum(one.nbytes for one in waiting) > _BATCH_BYTES):
            yield from _as_one(waiting)
            waiting = []
        waiting += [batch] if batch.num_rows else []
        if sum(one.num_rows for one in waiting) >= BATCH_LINES:
            *full, rest = pa.Table.from_batches(list(_as_one(waiting))).to_batches(BATCH_LINES)
            yield from full
            waiting = [rest]
    yield from _as_one(waiting)


def _as_one(batches: Sequence[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows of some batches, if there are any, as one batch."""
    if batches:
        yield from pa.Table.from_batches(batches).combine_chunks().to_batches()


def columns_for(dataset: Dataset, tables: Sequence[Table[pa.RecordBatch]]) -> tuple[PublishedColumn, ...]:
    """The published columns in descriptor order, numbers with the decimal places that these tables need."""

    def list_numbers(name: str) -> Iterator[Cells]:
        for table in tables:
            if name in table.columns:
                yield from (batch.column(name) for batch in table.batches() if name in batch.schema.names)

    return tuple(
        PublishedColumn(one, scale_for(list_numbers(one.name))) if one.type == "number" else PublishedColumn(one)
        for one in dataset.fields
    )


def list_redactions(rows: Cells, kinds: Mapping[int, str]) -> Cells:
    """The kind of redaction of each of `rows`: a key of `REDACTION_WORDS`, or `none`."""
    if not kinds:
        return pa.repeat(pa.scalar(NOT_REDACTED), len(rows))
    numbers = sorted(kinds)
    index = pc.index_in(rows, value_set=pa.array(numbers, pa.int64()))
    return pc.fill_null(pa.array([kinds[number] for number in numbers]).take(index), NOT_REDACTED)


def redact_columns(dataset: Dataset, columns: Mapping[str, Cells], kinds: Cells) -> dict[str, Cells]:
    """Replace the names in redacted rows by the words for it, and blank the identifiers that would give them away.

    A name that is blank stays blank: nothing must say that there was one.
    """
    is_redacted = pc.not_equal(kinds, NOT_REDACTED)
    if not pc.any(is_redacted).as_py():
        return dict(columns)
    made = dict(columns)
    words = pa.array(list(REDACTION_WORDS.values())).take(pc.index_in(kinds, value_set=pa.array(list(REDACTION_WORDS))))
    for one in dataset.fields:
        if one.name in made and one.privacy == "dependent":
            made[one.name] = pc.if_else(is_redacted, pa.scalar(None, pa.string()), made[one.name])
        elif one.name in made and one.privacy == "name":
            named = pc.and_(is_redacted, pc.is_valid(made[one.name]))
            made[one.name] = pc.if_else(named, words, made[one.name])
    return made


def _cut_texts(dataset: Dataset, batch: pa.RecordBatch, cut: Mapping[int, frozenset[str]]) -> pa.RecordBatch:
    """The batch with words for a redaction in place of the texts that are left out.

    The identifiers that could lead to the person are blanked, as they are where a name is left out.
    """
    words = pa.scalar(REDACTION_WORDS["personal"])
    for name in sorted(frozenset[str]().union(*cut.values()) & set(batch.schema.names)):
        rows = pa.array([row for row, fields in sorted(cut.items()) if name in fields], pa.int64())
        out = pc.is_in(batch.column("row"), value_set=rows)
        cells = pc.if_else(out, words, batch.column(name))
        batch = batch.set_column(batch.schema.get_field_index(name), name, cells)
    dependent = frozenset(one.name for one in dataset.fields if one.privacy == "dependent")
    return _blank_cells(batch, dict.fromkeys(cut, dependent)) if cut else batch


def _blank_cells(batch: pa.RecordBatch, blanked: Mapping[int, frozenset[str]]) -> pa.RecordBatch:
    """The batch without the cells that are left out; where the field can be derived, the derivation replaces them."""
    names = sorted(frozenset[str]().union(*blanked.values()) & set(batch.schema.names))
    for name in names:
        rows = pa.array([row for row, fields in sorted(blanked.items()) if name in fields], pa.int64())
        out = pc.is_in(batch.column("row"), value_set=rows)
        cells = pc.if_else(out, pa.scalar(None, pa.string()), batch.column(name))
        batch = batch.set_column(batch.schema.get_field_index(name), name, cells)
    return batch
