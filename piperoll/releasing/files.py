"""The files of a release: writing its table as CSV and Parquet, and reading both back."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from piperoll.model.columns import Cells, pc
from piperoll.releasing.columns import SEPARATOR, PublishedColumn, join_cells
from piperoll.releasing.deriving import is_provenance

_GROUP_ROWS = 131_072
"""Rows of a Parquet row group, however the batches come: small enough to read a page of, large enough to compress."""

_BATCH_ROWS = 65_536
"""Rows of a batch read from a Parquet file, which bounds the memory that reading takes."""

_MUST_QUOTE = (b",", b'"', b"\r", b"\n")


@dataclass(frozen=True, slots=True)
class TableTotals:
    """How many lines were written, and the hash of their content in any order."""

    lines: int
    rows_sha256: str


class TableFiles:
    """Writes `{name}.csv` and `{name}.parquet` in a folder, batch by batch."""

    def __init__(self, folder: Path, name: str, columns: Sequence[PublishedColumn]) -> None:
        self._columns = columns
        self._schema = pa.schema([pa.field(column.name, column.type) for column in columns])
        self._parquet = pq.ParquetWriter(
            folder / f"{name}.parquet", self._schema, compression="zstd", store_schema=False
        )
        self._waiting = self._schema.empty_table()
        self._csv = (folder / f"{name}.csv").open("wb")
        self._csv.write(",".join(column.name for column in columns).encode() + b"\r\n")
        self._digests = RowDigests(columns)

    def write(self, batch: pa.RecordBatch) -> None:
        """Write lines, given as canonical strings in the order of `columns`."""
        self._csv.write(format_csv_lines(batch))
        self._digests.add(batch)
        typed = [column.typed(cells) for column, cells in zip(self._columns, batch.columns, strict=True)]
        self._waiting = pa.concat_tables([self._waiting, pa.Table.from_arrays(typed, schema=self._schema)])
        while self._waiting.num_rows >= _GROUP_ROWS:
            self._write_group(self._waiting.slice(0, _GROUP_ROWS))
            self._waiting = self._waiting.slice(_GROUP_ROWS)

    def totals(self) -> TableTotals:
        """The totals of what has been written so far."""
        return TableTotals(self._digests.count, self._digests.sha256())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._csv.close()
        if self._waiting.num_rows:
            self._write_group(self._waiting)
        self._parquet.close()

    def _write_group(self, group: pa.Table) -> None:
        self._parquet.write_table(group.combine_chunks(), row_group_size=_GROUP_ROWS)


def format_csv_lines(batch: pa.RecordBatch) -> bytes:
    """Format lines as CSV (RFC 4180), quoted only where a cell needs it, also for a lone CR (section 2, rule 6).

    `pyarrow.csv` quotes all text, and Python's `csv` takes half as long again.
    """
    cells = [_quote_cells(column) for column in _merge_empty(batch.columns)]
    lines = pc.binary_join_element_wise(*cells, ",", null_handling="replace", null_replacement="")
    whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    return bytes(pc.binary_join(whole, "\r\n")[0].as_buffer()) + b"\r\n"


def _merge_empty(columns: Sequence[Cells]) -> Iterator[Cells]:
    """The columns, each run of columns without a value as the commas between them: half of those of a release."""
    for is_empty, run in groupby(columns, key=lambda column: bool(len(column)) and column.null_count == len(column)):
        own = list(run)
        if is_empty and len(own) < len(columns):
            yield pa.scalar("," * (len(own) - 1), pa.string())
        else:
            yield from own


def _quote_cells(cells: Cells) -> Cells:
    if isinstance(cells, pa.Scalar):
        return cells
    text = cells.buffers()[2]
    raw = text.to_pybytes() if text is not None else b""
    if not any(mark in raw for mark in _MUST_QUOTE):
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    quoted = pc.binary_join_element_wise('"', doubled, '"', "")
    return pc.if_else(pc.match_substring_regex(cells, '[",\r\n]'), quoted, cells)


class RowDigests:
    """The hash of a set of lines in any order: the sha256 of their sorted sha256s, without where they came from."""

    def __init__(self, columns: Sequence[PublishedColumn]) -> None:
        self._names = [column.name for column in columns if not is_provenance(column.field)]
        self._digests = [pa.array([], pa.binary(32))]
        self.count = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Add lines, given as canonical strings."""
        lines = join_cells([batch.column(name) for name in self._names])
        digests = [hashlib.sha256(line).digest() for line in lines.to_pylist()]
        self._digests.append(pa.array(digests, pa.binary(32)))
        self.count += batch.num_rows

    def sha256(self) -> str:
        """The hash of all lines added so far."""
        whole = hashlib.sha256(SEPARATOR.join(self._names).encode())
        digests = pa.concat_arrays(self._digests)
        ordered = digests.take(pc.sort_indices(digests)).buffers()[1]
        if ordered is not None:
            whole.update(memoryview(ordered)[: self.count * digests.type.byte_width])
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


def read_typed_lines(parquet: Path | bytes, columns: Collection[str]) -> Iterator[pa.RecordBatch]:
    """Read a release's Parquet file in batches, with its own types: those of `columns` that it has."""
    source = parquet if isinstance(parquet, Path) else pa.BufferReader(parquet)
    with pq.ParquetFile(source) as file:
        names = [name for name in file.schema_arrow.names if name in columns]
        yield from file.iter_batches(batch_size=_BATCH_ROWS, columns=names)


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
