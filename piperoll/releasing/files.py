"""The files of a release: writing its table as CSV and Parquet, and reading both back."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from piperoll.model.columns import Cells, pc, text_offsets, utf8
from piperoll.releasing.columns import SEPARATOR, PublishedColumn, merge_constants, sha256_lines
from piperoll.releasing.deriving import is_provenance

_GROUP_ROWS = 131_072
"""Rows of a Parquet row group, however the batches come: small enough to read a page of, large enough to compress."""

_BATCH_ROWS = 65_536
"""Rows of a batch read from a Parquet file, which bounds the memory that reading takes."""

_LARGE_ROWS = 4_096
"""Rows of a batch for which it is worth starting a thread."""

_AHEAD = 1
"""Batches that are waiting to be written, at most, which bounds the memory that they take."""

_MUST_QUOTE = (b",", b'"', b"\r", b"\n")


def parquet_options(columns: Sequence[PublishedColumn], first: pa.Table, sorted_by: str = "") -> dict[str, Any]:
    """Options of pyarrow's `ParquetWriter` for published lines whose `first` row group is given, with few bytes.

    Columns in which most cells differ have no dictionary, and line numbers are written as differences. Texts have no
    statistics, which in a small table take more bytes than the cells, except a column that is empty or `sorted_by`:
    readers pass over empty columns, and find a supplier in few row groups.
    """
    cells = {column.name: first.column(column.name) for column in columns if column.name in first.schema.names}
    filled = {name: len(own) - own.null_count for name, own in cells.items()}
    plain = {name for name, own in cells.items() if filled[name] and not pa.types.is_dictionary(own.type)}
    differing = {name for name in plain if 2 * pc.count_distinct(cells[name]).as_py() > filled[name]}
    numbers = {column.name for column in columns if is_provenance(column.field) and column.type == pa.int64()}
    return {
        "compression": "zstd",
        "store_schema": False,
        "use_dictionary": [column.name for column in columns if column.name not in differing | numbers],
        "column_encoding": dict.fromkeys(sorted(numbers), "DELTA_BINARY_PACKED"),
        "write_statistics": [
            column.name
            for column in columns
            if column.type != pa.string() or column.name == sorted_by or not filled.get(column.name)
        ],
    }


@dataclass(frozen=True, slots=True)
class TableTotals:
    """How many lines were written, and the hash of their content in any order."""

    lines: int
    rows_sha256: str


class TableFiles:
    """Writes `{name}.csv` and `{name}.parquet` in a folder, batch by batch.

    Large batches are written by a second thread and hashed by a third, while the caller makes the next: Arrow and files
    need no interpreter.
    """

    def __init__(self, folder: Path, name: str, columns: Sequence[PublishedColumn]) -> None:
        self._columns = columns
        self._schema = pa.schema([pa.field(column.name, column.type) for column in columns])
        self._path = folder / f"{name}.parquet"
        self._parquet: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        self._csv = (folder / f"{name}.csv").open("wb")
        self._csv.write(",".join(column.name for column in columns).encode() + b"\r\n")
        self._digests = RowDigests(columns)
        self._writer, self._hasher = Writer(), Writer()

    def write(self, batch: pa.RecordBatch) -> None:
        """Write lines, given as canonical strings in the order of `columns`."""
        self._writer.write(batch.num_rows, self._write, batch)
        self._hasher.write(batch.num_rows, self._digests.add, batch)

    def totals(self) -> TableTotals:
        """The totals of what has been written so far."""
        self._hasher.finish()
        return TableTotals(self._digests.count, self._digests.sha256())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._csv, self._writer, self._hasher:
                self._writer.finish()
                self._write_group(pa.concat_tables([self._schema.empty_table(), *self._waiting]))
        finally:
            if self._parquet is not None:
                self._parquet.close()

    def _write(self, batch: pa.RecordBatch) -> None:
        self._csv.write(csv_lines(batch))
        typed = [column.typed(cells) for column, cells in zip(self._columns, batch.columns, strict=True)]
        self._waiting.append(pa.Table.from_arrays(typed, schema=self._schema))
        while sum(table.num_rows for table in self._waiting) >= _GROUP_ROWS:
            whole = pa.concat_tables(self._waiting)
            self._write_group(whole.slice(0, _GROUP_ROWS))
            rest = whole.slice(_GROUP_ROWS)
            self._waiting = [rest] if rest.num_rows else []

    def _write_group(self, rows: pa.Table) -> None:
        group = rows.combine_chunks()
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._path, self._schema, **parquet_options(self._columns, group))
        if group.num_rows:
            self._parquet.write_table(group, row_group_size=_GROUP_ROWS)


class Writer:
    """Does what it is told in order, large pieces in a second thread: at most `_AHEAD` are waiting there."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._running: deque[Future[None]] = deque()

    def write(self, rows: int, function: Callable[..., None], *args: object) -> None:
        """Call `function`, now or soon. Raises: whatever an earlier call raised."""
        if self._thread is None and rows < _LARGE_ROWS:
            function(*args)
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "writer")
        while len(self._running) >= _AHEAD:
            self._running.popleft().result()
        self._running.append(self._thread.submit(function, *args))

    def finish(self) -> None:
        """Wait until everything is done. Raises: whatever a call raised."""
        while self._running:
            self._running.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)


def format_csv_lines(batch: pa.RecordBatch) -> bytes:
    """Format lines as CSV (RFC 4180), quoted only where a cell needs it, also for a lone CR (section 2, rule 6).

    `pyarrow.csv` quotes all text, and Python's `csv` takes half as long again.
    """
    return bytes(csv_lines(batch))


def csv_lines(batch: pa.RecordBatch) -> memoryview:
    """Format lines as `format_csv_lines` does, without a copy."""
    if not batch.num_rows:
        return memoryview(b"")
    *cells, last = [_quote_cells(column) for column in merge_constants(batch.columns, ",", quote=_quote_text)]
    if isinstance(last, pa.Scalar):
        last = pa.scalar(f"{last.as_py()}\r\n", pa.string())
    else:
        last = pc.binary_join_element_wise(last, "\r\n", "", null_handling="replace", null_replacement="")
    lines = pc.binary_join_element_wise(*cells, last, ",", null_handling="replace", null_replacement="")
    edges = text_offsets(lines)
    return memoryview(lines.buffers()[2])[edges[0] : edges[-1]]


def _quote_text(text: str) -> str:
    must_quote = any(mark in text for mark in ',"\r\n')
    return '"' + text.replace('"', '""') + '"' if must_quote else text


def _quote_cells(cells: Cells) -> Cells:
    if isinstance(cells, pa.Scalar) or not len(cells):
        return cells
    edges = text_offsets(cells)
    raw = utf8(cells)[edges[0] : edges[-1]].tobytes()
    if not any(mark in raw for mark in _MUST_QUOTE):
        return cells
    doubled = pc.replace_substring(cells, '"', '""') if b'"' in raw else cells
    quoted = pc.binary_join_element_wise('"', doubled, '"', "")
    return pc.if_else(pc.match_substring_regex(cells, '[",\r\n]'), quoted, cells)


class RowDigests:
    """The hash of a set of lines in any order: the sha256 of their sorted sha256s, without where they came from."""

    def __init__(self, columns: Sequence[PublishedColumn]) -> None:
        self._names = [column.name for column in columns if not is_provenance(column.field)]
        self._digests: list[bytes] = []
        self.count = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Add lines, given as canonical strings."""
        self._digests.append(b"".join(sha256_lines([batch.column(name) for name in self._names])))
        self.count += batch.num_rows

    def sha256(self) -> str:
        """The hash of all lines added so far."""
        whole = hashlib.sha256(SEPARATOR.join(self._names).encode())
        digests = np.frombuffer(b"".join(self._digests), np.dtype((np.void, 32)))
        words = digests.view(">u8").reshape(-1, 4).astype(np.uint64)
        order = np.argsort(words[:, 0])
        first = words[order, 0]
        if (first[1:] == first[:-1]).any():  # lines that say the same, as a rule
            order = np.lexsort(words.T[::-1])
        whole.update(digests[order].tobytes())
        return whole.hexdigest()


def read_published_lines(path: Path, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read the columns `names` of a published CSV in batches of canonical strings; an empty cell is a null."""
    options = pa_csv.ConvertOptions(
        column_types={name: pa.string() for name in names},
        include_columns=list(names),
        null_values=[""],
        strings_can_be_null=True,
    )
    parsing = pa_csv.ParseOptions(newlines_in_values=True)
    reading = pa_csv.ReadOptions(use_threads=False)
    with pa_csv.open_csv(path, read_options=reading, parse_options=parsing, convert_options=options) as stream:
        yield from stream


def read_column_names(path: Path) -> list[str]:
    """Read the header of a published CSV."""
    with path.open(encoding="utf-8", newline="") as stream:
        return next(csv.reader(stream))


def find_published_line(folder: Path, name: str, line: str) -> dict[str, str | None] | None:
    """Find one line of a release, as canonical strings, by its identifier or its number in the CSV (1: the first)."""
    fields = read_document(folder, "datapackage.json")["resources"][0]["schema"]["fields"]
    identifiers = [field["name"] for field in fields if "hash_of" in field.get("x_derive", {})]
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream), start=1):
            if line == str(number) or any(row[identifier] == line for identifier in identifiers):
                return {field: cell or None for field, cell in row.items()}
    return None


def find_source_fields(folder: Path) -> dict[str, str]:
    """The fields of a release that say where a line came from, by their content, such as `source.row`."""
    fields = read_document(folder, "datapackage.json")["resources"][0]["schema"]["fields"]
    facts = {field.get("x_derive", {}).get("from", ""): field["name"] for field in fields}
    return {fact: name for fact, name in facts.items() if fact.startswith("source.")}


def read_typed_lines(
    parquet: Path | bytes, columns: Collection[str], *, skip_empty: bool = False
) -> Iterator[pa.RecordBatch]:
    """Read a release's Parquet file in batches, with its own types: those of `columns` that it has.

    With `skip_empty`, columns without a single value are left out: half of those of spending.
    """
    source = parquet if isinstance(parquet, Path) else pa.BufferReader(parquet)
    with pq.ParquetFile(source) as file:
        names = [name for name in file.schema_arrow.names if name in columns]
        if skip_empty and file.metadata.num_rows:
            filled = count_filled(file.metadata)
            names = [name for name in names if filled[name]]
        yield from file.iter_batches(batch_size=_BATCH_ROWS, columns=names)


def count_filled(metadata: pq.FileMetaData) -> dict[str, int]:
    """Count the rows of a release with a value in each column, by what its Parquet file says of its row groups."""
    counts: dict[str, int] = dict.fromkeys(metadata.schema.names, 0)
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for chunk in map(group.column, range(group.num_columns)):
            facts: Any = chunk.statistics  # None of a group without rows
            counts[chunk.path_in_schema] += chunk.num_values - (facts.null_count if facts else 0)
    return counts


def read_columns(file: pq.ParquetFile, names: Iterable[str]) -> pa.Table:
    """Read those of the columns `names` that an open Parquet file has, in the order of `names`.

    `pq.read_table` prepares to read a folder of files and hands the columns to other threads, which takes longer than
    reading a few thousand rows.
    """
    present = set(file.schema_arrow.names)
    wanted = [name for name in dict.fromkeys(names) if name in present]
    return file.read(columns=wanted, use_threads=file.metadata.num_rows > _LARGE_ROWS).select(wanted)


def read_document(folder: Path, name: str) -> dict[str, Any]:
    """Read one of the JSON files of a release."""
    document: dict[str, Any] = json.loads((folder / name).read_bytes())
    return document


def amount_fields(folder: Path) -> frozenset[str]:
    """The fields that the totals of a release are sums of, by its report; several if its tables differ.

    A version without a report (of a measure) has none.
    """
    if not (folder / "report.json").exists():
        return frozenset()
    tables = read_document(folder, "report.json")["tables"]
    return frozenset(table["amount"]["field"] for table in tables if table["amount"])
