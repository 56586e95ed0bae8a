"""Responses: content negotiation, JSON documents with ETags, and rows as JSON, NDJSON, CSV, Parquet, Arrow or XLSX."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from hosting.problems import Problem, bad_parameter, given_twice, printable
from hosting.transfers import AnswerSpool, SpoolBudget
from piperoll.releasing.columns import spell_decimals
from piperoll.releasing.files import format_csv_lines
from piperoll.releasing.spreadsheets import make_workbook

REVALIDATE = "public, max-age=60, must-revalidate"
"""Cache-Control of what can change: one minute, as for the pointers in the store."""

_ROW_GROUP_ROWS = 65_536
"""Rows of a Parquet row group, which is held in memory until it is sent."""


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """A format for rows: its name in `format=`, its media type, and whether all rows can be streamed."""

    name: str
    media_type: str
    streams: bool = True


JSON = ResponseFormat("json", "application/json", streams=False)
XLSX = ResponseFormat("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", streams=False)
FORMATS: Mapping[str, ResponseFormat] = {
    one.name: one
    for one in (
        JSON,
        ResponseFormat("ndjson", "application/x-ndjson"),
        ResponseFormat("csv", "text/csv; charset=utf-8"),
        ResponseFormat("parquet", "application/vnd.apache.parquet"),
        ResponseFormat("arrow", "application/vnd.apache.arrow.stream"),
        XLSX,
    )
}


def choose_format(names: Sequence[str], accept: str | None) -> ResponseFormat:
    """The format that `format=` names, else the one that the Accept header prefers; JSON if it has no preference.

    Raises: Problem: 400 for an unknown name, 406 if no format is acceptable.
    """
    if len(names) > 1:
        raise given_twice("format")
    if names and names[0] not in FORMATS:
        raise bad_parameter(
            "format", f"'{printable(names[0])}' is not a valid value of format: use {', '.join(FORMATS)}"
        )
    if names:
        return FORMATS[names[0]]
    by_media_type = {one.media_type.split(";")[0]: one for one in FORMATS.values()}
    media_type = _best_match(accept, tuple(by_media_type))
    if media_type is None:
        raise Problem(
            406, "no-such-form", f"no acceptable format: accept another media type, or use format={'|'.join(FORMATS)}"
        )
    return by_media_type[media_type]


def prefers(accept: str | None, media_types: Sequence[str]) -> str:
    """The media type that an Accept header prefers; the first one if it accepts none of them."""
    return _best_match(accept, media_types) or media_types[0]


def _best_match(accept: str | None, media_types: Sequence[str]) -> str | None:
    ranges = []
    for position, item in enumerate((accept or "*/*").split(",")):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        weights = [one.removeprefix("q=") for one in parameters if one.startswith("q=")]
        try:
            weight = float(weights[0]) if weights else 1.0
        except ValueError:
            weight = 0.0
        if weight > 0:
            ranges.append((-min(weight, 1.0), position, media_range))
    for _, _, media_range in sorted(ranges):
        for media_type in media_types:
            if media_range in (media_type, "*/*", f"{media_type.split('/')[0]}/*"):
                return media_type
    return None


def json_response(
    request: Request, content: Mapping[str, Any], *, etag: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON document, or 304 if the client has it. Its ETag is its hash, unless one is given."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    etag = etag or f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    all_headers = {"ETag": etag, "Cache-Control": REVALIDATE, **(headers or {})}
    if client_has(request, etag):
        return Response(status_code=304, headers=all_headers)
    return Response(body, media_type="application/json", headers=all_headers)


def client_has(request: Request, etag: str) -> bool:
    """Whether the client says in If-None-Match that it has the response with this ETag."""
    etags = {one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")}
    return bool(etags & {etag, "*"})


class ResultStream(StreamingResponse):
    """Chunks that are sent while they are made. `done` is called when the last is made, or if the client has gone."""

    def __init__(
        self,
        chunks: Generator[bytes, None, None],
        media_type: str,
        headers: Mapping[str, str],
        done: Callable[[], None],
        budget: SpoolBudget,
    ) -> None:
        self._spool = AnswerSpool(chunks, done, budget)
        super().__init__(self._spool.pieces(), media_type=media_type, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make and send the chunks; stop making them if the client has gone."""
        self._spool.start()
        try:
            try:
                await self._spool.wait()
            except OSError as error:
                message = f"the server cannot make an answer now ({error.strerror}): try again later"
                raise Problem(503, "no-room", message, retry_after=60) from error
            await super().__call__(scope, receive, send)
        finally:
            self._spool.stop()


def json_rows(batches: Iterator[pa.RecordBatch], pounds: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Rows for JSON: decimals and dates are strings, so that no client rounds an amount.

    The columns in `pounds` have at least two decimal places, as in our CSV files.
    """
    for batch in batches:
        yield from _as_text(batch, pounds, keep_json_types=True).to_pylist()


def encode_rows(
    form: ResponseFormat, schema: pa.Schema, batches: Iterator[pa.RecordBatch], pounds: frozenset[str]
) -> Generator[bytes, None, None]:
    """Rows in any format but JSON, in chunks."""
    match form.name:
        case "ndjson":
            for batch in batches:
                lines = (
                    json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
                    for row in json_rows(iter((batch,)), pounds)
                )
                yield "".join(lines).encode()
        case "csv":
            yield ",".join(schema.names).encode() + b"\r\n"
            for batch in batches:
                if batch.num_rows:
                    yield format_csv_lines(_as_text(batch, pounds, keep_json_types=False))
        case "parquet":
            yield from _parquet_chunks(schema, batches)
        case "arrow":
            yield from _arrow_chunks(schema, batches)
        case "xlsx":
            rows = (row for batch in batches for row in zip(*batch.to_pydict().values(), strict=True))
            yield make_workbook("Rows", schema.names, rows)


def _as_text(batch: pa.RecordBatch, pounds: frozenset[str], *, keep_json_types: bool) -> pa.RecordBatch:
    """A batch of strings, spelled as in our CSV files; integers and booleans keep their type for JSON."""

    def convert(name: str, kind: pa.DataType) -> Any:
        column = batch.column(name)
        if pa.types.is_string(kind) or (keep_json_types and (pa.types.is_integer(kind) or pa.types.is_boolean(kind))):
            return column
        if pa.types.is_decimal(kind):
            return spell_decimals(column, 2 if name in pounds else 0)
        return column.cast(pa.string())

    columns = [convert(field.name, field.type) for field in batch.schema]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _parquet_chunks(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    sink = _ChunkSink()
    with pq.ParquetWriter(pa.PythonFile(sink, "w"), schema, compression="zstd") as writer:
        waiting: list[pa.RecordBatch] = []
        for batch in batches:
            waiting.append(batch)
            if sum(one.num_rows for one in waiting) >= _ROW_GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(waiting, schema), row_group_size=_ROW_GROUP_ROWS)
                waiting = []
                yield sink.take()
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting, schema), row_group_size=_ROW_GROUP_ROWS)
    yield sink.take()


def _arrow_chunks(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    sink = _ChunkSink()
    with pyarrow.ipc.new_stream(pa.PythonFile(sink, "w"), schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


class _ChunkSink(io.RawIOBase):
    """A file for a writer; `take` returns what was written since the last call, so it is not kept in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, chunk: Any) -> int:
        self._chunks.append(bytes(chunk))
        return len(self._chunks[-1])

    def take(self) -> bytes:
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)
