"""Find the cells of a table that its dataset's published schema refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from piperoll.checking.engine import CheckEngine
from piperoll.checking.schema.compile import compile_field
from piperoll.checking.schema.evaluate import RepeatFinder, evaluate_column, read_values
from piperoll.checking.schema.frictionless_cells import CellError, FrictionlessCells, load_schema, read_cells, read_rows
from piperoll.model import Dataset
from piperoll.model.columns import Cells, pc
from piperoll.reading import SENT, ReadTable


@dataclass(frozen=True, slots=True)
class Breach:
    """One cell that the published schema refuses: `kind` is Frictionless's error type.

    `rule` and `bound` are the constraint's name and value, None for other kinds. `sent` is the cell as sent.
    """

    kind: str
    row: int
    line: int | None
    field: str
    sent: str | None
    rule: str | None
    bound: str | None


class _BatchError(NamedTuple):
    """An error in a batch: `at` is the index of its row."""

    at: int
    field: str
    kind: str
    rule: str | None = None


_BatchErrors = Iterator[tuple[pa.RecordBatch, list[_BatchError]]]


def find_breaches(table: ReadTable, dataset: Dataset, engine: CheckEngine = CheckEngine.COMPILED) -> Iterator[Breach]:
    """Yield every breach of the published schema in `table`, row by row, without a limit.

    Raises: DescriptorError: Frictionless refuses our schema or reports an error that we do not know.
    """
    fields, constraints = _describe_fields(table, dataset)
    if not fields:
        return
    find = _find_by_frictionless if engine is CheckEngine.REFERENCE else _find_compiled
    for batch, errors in find(table, fields):
        if errors:
            yield from _breaches(batch, errors, constraints)


def find_breaches_together(tables: Sequence[ReadTable], dataset: Dataset) -> list[list[Breach]]:
    """Return what Frictionless refuses in each of `tables`, as `find_breaches` does.

    Whether Frictionless accepts a cell depends on the cell and its field alone, unless the field is `unique`. So it
    reads each different cell of the tables once.

    Raises: DescriptorError: Frictionless refuses our schema or reports an error that we do not know.
    """
    alike: dict[str, list[int]] = {}
    for number, table in enumerate(tables):
        alike.setdefault(json.dumps(_describe_fields(table, dataset)[0]), []).append(number)
    found: list[list[Breach]] = [[] for _ in tables]
    for numbers in alike.values():
        fields, constraints = _describe_fields(tables[numbers[0]], dataset)
        if not fields:
            continue
        if any(field["constraints"].get("unique") for field in fields):
            for number in numbers:
                found[number] = list(find_breaches(tables[number], dataset, CheckEngine.REFERENCE))
            continue
        refused = _read_distinct([tables[number] for number in numbers], fields)
        for number in numbers:
            for batch in tables[number].batches():
                errors = [error for field in refused for error in _refused_cells(batch, field, refused[field])]
                found[number] += _breaches(batch, errors, constraints) if errors else ()
    return found


def _read_distinct(
    tables: Sequence[ReadTable], fields: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str | None, list[CellError]]]:
    """What Frictionless finds in each different cell of each field, without the cells in which it finds nothing."""
    refused: dict[str, dict[str | None, list[CellError]]] = {}
    for name in (field["name"] for field in fields):
        parts = [_text(batch, name) for table in tables for batch in table.batches()]
        distinct = pa.chunked_array(parts, pa.string()).unique().to_pylist()
        found = zip(distinct, read_cells({"fields": fields}, name, distinct), strict=True)
        if broken := {cell: errors for cell, errors in found if errors}:
            refused[name] = broken
    return refused


def _refused_cells(
    batch: pa.RecordBatch, name: str, refused: Mapping[str | None, Sequence[CellError]]
) -> Iterator[_BatchError]:
    """An error for each line of `batch` and each error of its cell."""
    known = list(refused)
    which = pc.index_in(_text(batch, name), pa.array(known, pa.string())).to_numpy(zero_copy_only=False)
    for at in np.flatnonzero(~np.isnan(which)):
        for error in refused[known[int(which[at])]]:
            yield _BatchError(int(at), *error)


def _describe_fields(
    table: ReadTable, dataset: Dataset
) -> tuple[list[dict[str, Any]], Mapping[str, Mapping[str, Any]]]:
    """The fields of the table that have a type or a constraint, as a schema has them; the constraints of all fields."""
    constraints = {field.name: dict(field.constraints or {}) for field in dataset.fields}
    for field in dataset.fields:
        if field.derive is not None:  # we derive it, so the file need not have it
            constraints[field.name].pop("required", None)
    fields = [
        {"name": field.name, "type": field.type, "constraints": constraints[field.name]}
        for field in dataset.fields
        if field.name in table.columns and (field.type != "string" or constraints[field.name])
    ]
    return fields, constraints


def _find_compiled(table: ReadTable, fields: Sequence[Mapping[str, Any]]) -> _BatchErrors:
    compiled = [compile_field(field) for field in fields]
    if not all(field.compiled for field in compiled):
        load_schema({"fields": fields})  # raises what is wrong with it, even if no cell is in doubt
    frictionless = FrictionlessCells({"fields": fields})
    repeats = {field.name: RepeatFinder() for field in compiled if field.unique}
    for batch in table.batches() if repeats else ():
        for field in compiled:
            if field.unique:
                cells = _text(batch, field.name)
                column = evaluate_column(cells, field, frictionless)
                repeats[field.name].add(read_values(cells, field, column, frictionless))
    for batch in table.batches():
        errors: list[_BatchError] = []
        repeated: list[_BatchError] = []
        for field in compiled:
            cells = _text(batch, field.name)
            column = evaluate_column(cells, field, frictionless)
            for fault in column.faults:
                kind, rule = ("type-error", None) if fault.breaks == "type" else ("constraint-error", fault.breaks)
                errors += [_BatchError(index, field.name, kind, rule) for index in fault.indices.tolist()]
            if field.unique:
                found = repeats[field.name].find(read_values(cells, field, column, frictionless))
                repeated += [_BatchError(index, field.name, "unique-error") for index in found]
        yield batch, sorted([*errors, *repeated], key=lambda error: error.at)


def _find_by_frictionless(table: ReadTable, fields: Sequence[Mapping[str, Any]]) -> _BatchErrors:
    names = [field["name"] for field in fields]
    rows = (row for batch in table.batches() for row in zip(*(batch[name].to_pylist() for name in names), strict=True))
    errors = read_rows({"fields": fields}, rows)
    for batch in table.batches():
        yield batch, [_BatchError(index, *error) for index in range(batch.num_rows) for error in next(errors)]


def _text(batch: pa.RecordBatch, name: str) -> Cells:
    """Return a column as plain text; reading may have encoded it as a dictionary."""
    cells: Cells = batch[name]
    return cells if cells.type == pa.string() else pc.cast(cells, pa.string())


def _breaches(
    batch: pa.RecordBatch, errors: Sequence[_BatchError], constraints: Mapping[str, Mapping[str, Any]]
) -> Iterator[Breach]:
    indices = pa.array([error.at for error in errors], pa.int64())
    rows: list[Any] = batch["row"].take(indices).to_pylist()
    lines: list[Any] = batch["line"].take(indices).to_pylist()
    names = {error.field for error in errors}
    columns = {name: f"{name}{SENT}" if f"{name}{SENT}" in batch.schema.names else name for name in names}
    sent = {name: batch[column].take(indices).to_pylist() for name, column in columns.items()}
    for index, error in enumerate(errors):
        bound = str(constraints[error.field][error.rule]) if error.rule else None
        yield Breach(error.kind, rows[index], lines[index], error.field, sent[error.field][index], error.rule, bound)
