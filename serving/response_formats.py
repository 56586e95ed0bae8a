"""The forms of an answer: JSON, NDJSON, CSV, Parquet, Arrow and XLSX."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from piperoll.releasing.columns import plain_decimals
from piperoll.releasing.files import csv_lines
from piperoll.releasing.spreadsheets import make_workbook
from serving.problems import Problem, shown, unprocessable

_GROUP_ROWS = 65_536
"""Rows of a Parquet row group: what is held before any of it is sent."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its name in `format=`, its media type, and whether all rows may be sent one after another."""

    name: str
    media_type: str
    streams: bool = True


JSON = Form("json", "application/json", streams=False)
FORMS: Mapping[str, Form] = {
    form.name: form
    for form in (
        JSON,
        Form("ndjson", "application/x-ndjson"),
        Form("csv", "text/csv; charset=utf-8"),
        Form("parquet", "application/vnd.apache.parquet"),
        Form("arrow", "application/vnd.apache.arrow.stream"),
        Form("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", streams=False),
    )
}


def form_of(named: Sequence[str], accept: str | None) -> Form:
    """The form that `format=` names, else the one that `Accept` likes best; JSON if it likes all alike.

    Raises: Problem: neither names one that we have.
    """
    if named:
        if len(named) > 1 or named[0] not in FORMS:
            raise unprocessable("format", f"'{shown(named[0])}' is no format: write one of {', '.join(FORMS)}")
        return FORMS[named[0]]
    for kind in _liked(accept or "*/*"):
        for form in FORMS.values():
            plain = form.media_type.split(";")[0]
            if kind in (plain, "*/*", f"{plain.split('/')[0]}/*"):
                return form
    raise Problem(406, "no-such-form", f"we have {', '.join(FORMS)}: name one with format=, or accept its media type")


def preferred(accept: str | None, kinds: Sequence[str]) -> str:
    """Which of `kinds` an `Accept` header likes best; the first if it says nothing of them."""
    for liked in _liked(accept or "*/*"):
        for kind in kinds:
            if liked in (kind, "*/*", f"{kind.split('/')[0]}/*"):
                return kind
    return kinds[0]


def _liked(accept: str) -> list[str]:
    """The media types of an `Accept` header, the most liked first; what is weighed with nothing is left out."""
    found = []
    for number, item in enumerate(accept.split(",")):
        kind, *parameters = (piece.strip().lower() for piece in item.split(";"))
        weights = [one.removeprefix("q=") for one in parameters if one.startswith("q=")]
        found.append((-_weight(weights[0] if weights else "1"), number, kind))
    return [kind for weight, _, kind in sorted(found) if weight < 0]


def _weight(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


def written(form: Form, schema: pa.Schema, batches: Iterator[pa.RecordBatch], spell: Spell) -> Iterator[bytes]:
    """An answer in a form that is no JSON document, in pieces."""
    match form.name:
        case "ndjson":
            return _ndjson(batches, spell)
        case "csv":
            return _csv(schema, batches, spell)
        case "parquet":
            return _parquet(schema, batches)
        case "arrow":
            return _arrow(schema, batches)
        case "xlsx":
            return iter((make_workbook("Rows", schema.names, (row for batch in batches for row in _cells(batch))),))
    raise AssertionError(form.name)


@dataclass(frozen=True, slots=True)
class Spell:
    """How values become text: as in our CSV files, where pounds have two decimal places at least."""

    pounds: frozenset[str]

    def cells(self, batch: pa.RecordBatch, *, keep: bool) -> pa.RecordBatch:
        """A batch as text; whole numbers and truths stay what they are if they are to `keep` their type."""
        columns = [self._column(field, batch.column(field.name), keep) for field in batch.schema]
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)

    def _column(self, field: pa.Field[Any], column: pa.Array[Any], keep: bool) -> Any:
        if pa.types.is_string(field.type) or (keep and not _is_text_in_json(field.type)):
            return column
        if pa.types.is_decimal(field.type):
            return plain_decimals(column, 2 if field.name in self.pounds else 0)
        return column.cast(pa.string())


def records(batches: Iterator[pa.RecordBatch], spell: Spell) -> Iterator[dict[str, Any]]:
    """Rows as JSON has them: amounts as text, so that no reader rounds them; dates as 2026-10-31."""
    for batch in batches:
        yield from spell.cells(batch, keep=True).to_pylist()


def _is_text_in_json(kind: pa.DataType) -> bool:
    return not (pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _ndjson(batches: Iterator[pa.RecordBatch], spell: Spell) -> Iterator[bytes]:
    for batch in batches:
        rows = spell.cells(batch, keep=True).to_pylist()
        yield "".join(f"{json.dumps(row, ensure_ascii=False, separators=(',', ':'))}\n" for row in rows).encode()


def _csv(schema: pa.Schema, batches: Iterator[pa.RecordBatch], spell: Spell) -> Iterator[bytes]:
    yield ",".join(schema.names).encode() + b"\r\n"
    for batch in batches:
        if batch.num_rows:
            yield csv_lines(spell.cells(batch, keep=False))


def _parquet(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    sink = _Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, "w"), schema, compression="zstd") as writer:
        for group in _grouped(schema, batches):
            writer.write_table(group, row_group_size=_GROUP_ROWS)
            yield sink.taken()
    yield sink.taken()


def _grouped(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= _GROUP_ROWS:
            yield pa.Table.from_batches(waiting, schema)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting, schema)


def _arrow(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    sink = _Sink()
    with pyarrow.ipc.new_stream(pa.PythonFile(sink, "w"), schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """What a writer writes, until it is taken: nothing is held twice."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(self._pieces[-1])

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _cells(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)
