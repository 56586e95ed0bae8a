"""What the published schema refuses in a table that was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.checking.engine import CheckEngine
from piperoll.checking.places import as_sent
from piperoll.checking.schema import reference
from piperoll.checking.schema.blocks import Block, Found, cell_errors, in_order, judged
from piperoll.checking.schema.compiling import compiled
from piperoll.checking.schema.evaluate import text
from piperoll.checking.schema.fields import specs, understood
from piperoll.checking.schema.frictionless_cells import Replay
from piperoll.checking.schema.keys import Unique, noted, valued
from piperoll.model import Dataset, Field
from piperoll.reading import ReadTable


@dataclass(frozen=True, slots=True)
class Breach:
    """One cell that the published schema refuses: `kind` is Frictionless's error type.

    `rule` and `bound` are the constraint's name and value, None for other kinds. `sent` is the cell as it stands.
    """

    kind: str
    row: int
    line: int | None
    field: str
    sent: str | None
    rule: str | None
    bound: str | None


def find_breaches(table: ReadTable, dataset: Dataset, engine: CheckEngine = CheckEngine.COMPILED) -> Iterator[Breach]:
    """Every breach of the published schema in `table`, row by row, however many.

    Raises: DescriptorError: Frictionless refuses our schema or says something that we do not expect.
    """
    fields = [field for field in dataset.fields if field.name in table.columns and _refuses(field)]
    if not fields:
        return
    schema = _described(fields)
    found = _by_reference if engine == CheckEngine.REFERENCE else _compiled
    for batch, errors in found(table, schema):
        yield from _breaches(batch, errors, fields)


def _refuses(field: Field) -> bool:
    return field.type != "string" or bool(_constraints(field))


def _constraints(field: Field) -> dict[str, Any]:
    """What must hold of the cell as sent: where the field can be derived, it need not be there."""
    constraints = dict(field.constraints or {})
    if field.derive is not None:
        constraints.pop("required", None)
    return constraints


def _described(fields: Iterable[Field]) -> dict[str, Any]:
    return {
        "fields": [{"name": field.name, "type": field.type, "constraints": _constraints(field)} for field in fields]
    }


def _compiled(table: ReadTable, schema: dict[str, Any]) -> Iterator[tuple[pa.RecordBatch, list[Found]]]:
    if not understood(schema):
        reference.require_sound(schema)
    fields, replay = tuple(compiled(spec) for spec in specs(schema)), Replay(schema)

    def block(batch: pa.RecordBatch) -> Block:
        return Block(tuple(text(batch[field.spec.name]) for field in fields), np.zeros(0, np.int64))

    uniques = [Unique("unique-error", (at,)) for at, field in enumerate(fields) if field.spec.unique]
    noted(uniques, lambda: map(block, table.batches()), fields, replay)
    for batch in table.batches():
        columns = block(batch)
        verdicts = judged(columns, fields, replay)
        own = valued(columns, fields, dict(enumerate(verdicts)), replay)
        repeated = (found for unique in uniques for found in unique.errors(own, batch.num_rows))
        yield batch, in_order([*cell_errors(verdicts), *repeated])


def _by_reference(table: ReadTable, schema: dict[str, Any]) -> Iterator[tuple[pa.RecordBatch, list[Found]]]:
    names = [field["name"] for field in schema["fields"]]
    errors = reference.row_errors(schema, (row for batch in table.batches() for row in _rows(batch, names)))
    for batch in table.batches():
        found = []
        for place in range(batch.num_rows):
            found += [Found(place, names.index(each.field) + 1, each.kind, each.rule) for each in next(errors)]
        yield batch, found


def _rows(batch: pa.RecordBatch, names: list[str]) -> Iterator[tuple[str | None, ...]]:
    return zip(*(batch[name].to_pylist() for name in names), strict=True)


def _breaches(batch: pa.RecordBatch, errors: list[Found], fields: list[Field]) -> Iterator[Breach]:
    if not errors:
        return
    places = pa.array([error.place for error in errors], pa.int64())
    rows: list[Any] = batch["row"].take(places).to_pylist()
    lines: list[Any] = batch["line"].take(places).to_pylist()
    there = {error.column for error in errors}
    sent = {column: as_sent(batch, fields[column - 1].name).take(places).to_pylist() for column in there}
    bounds = {column: _constraints(fields[column - 1]) for column in there}
    for at, (_place, column, kind, rule) in enumerate(errors):
        yield Breach(
            kind=kind,
            row=rows[at],
            line=lines[at],
            field=fields[column - 1].name,
            sent=sent[column][at],
            rule=rule,
            bound=str(bounds[column][rule]) if rule else None,
        )
