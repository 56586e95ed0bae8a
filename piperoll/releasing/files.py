"""The table of a release as files: CSV and Parquet, line for line the same, and the hash of what they say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.model.columns import Cells, pc
from piperoll.releasing.columns import PublishedColumn
from piperoll.releasing.deriving import SEPARATOR, is_provenance

_GROUP = 131_072
"""Rows in a Parquet row group, whatever batches they came in: small enough to read a page of, large enough to pack."""

_MUST_QUOTE = (b",", b'"', b"\r", b"\n")


@dataclass(frozen=True, slots=True)
class TableTotals:
    """How many lines were written, and the hash of what they say whatever their order."""

    lines: int
    rows_sha256: str


class TableFiles:
    """`{name}.csv` and `{name}.parquet` in a folder, written batch by batch."""

    def __init__(self, folder: Path, name: str, columns: Sequence[PublishedColumn]) -> None:
        self._columns = columns
        self._parquet = _ParquetGroups(folder / f"{name}.parquet", columns)
        self._csv = (folder / f"{name}.csv").open("wb")
        self._digests = Digests(columns)
        self._csv.write(",".join(column.name for column in columns).encode() + b"\r\n")

    def write(self, batch: pa.RecordBatch) -> None:
        """Write lines, whose columns are canonical strings in the order of `columns`."""
        self._csv.write(csv_lines(batch))
        self._parquet.write(batch)
        self._digests.add(batch)

    def totals(self) -> TableTotals:
        """What has been written so far."""
        return TableTotals(self._digests.count, self._digests.sha256())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._csv.close()
        self._parquet.close()


def csv_lines(batch: pa.RecordBatch) -> bytes:
    """RFC 4180, quoted only where a cell needs it: `pyarrow.csv` quotes all text, and `csv` takes half as long again.

    A lone carriage return in a cell is quoted too (RFC 4180 §2.6).
    """
    cells = [_quoted(column) for column in batch.columns]
    lines = pc.binary_join_element_wise(*cells, ",", null_handling="replace", null_replacement="")
    whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    return bytes(pc.binary_join(whole, "\r\n")[0].as_buffer()) + b"\r\n"


def _quoted(cells: Cells) -> Cells:
    text = cells.buffers()[2]
    raw = text.to_pybytes() if text is not None else b""
    if not any(mark in raw for mark in _MUST_QUOTE):
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    quoted = pc.binary_join_element_wise('"', doubled, '"', "")
    made: Cells = pc.if_else(pc.match_substring_regex(cells, '[",\r\n]'), quoted, cells)
    return made


class _ParquetGroups:
    """A Parquet file whose row groups do not depend on the batches that it is written in."""

    def __init__(self, path: Path, columns: Sequence[PublishedColumn]) -> None:
        self._columns = columns
        self._schema = pa.schema([pa.field(column.name, column.type) for column in columns])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._waiting = self._schema.empty_table()

    def write(self, batch: pa.RecordBatch) -> None:
        typed = [column.typed(cells) for column, cells in zip(self._columns, batch.columns, strict=True)]
        self._waiting = pa.concat_tables([self._waiting, pa.Table.from_arrays(typed, schema=self._schema)])
        while self._waiting.num_rows >= _GROUP:
            self._write_group(self._waiting.slice(0, _GROUP))
            self._waiting = self._waiting.slice(_GROUP)

    def _write_group(self, group: pa.Table) -> None:
        self._writer.write_table(group.combine_chunks(), row_group_size=_GROUP)

    def close(self) -> None:
        if self._waiting.num_rows:
            self._write_group(self._waiting)
        self._writer.close()


class Digests:
    """The hash of a set of lines: of each the sha256 without its provenance, sorted, and of those the sha256."""

    def __init__(self, columns: Sequence[PublishedColumn]) -> None:
        self._names = [column.name for column in columns if not is_provenance(column.field)]
        self._digests = [pa.array([], pa.binary(32))]
        self.count = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Count in lines of canonical strings."""
        cells = [batch.column(name) for name in self._names]
        lines = pc.binary_join_element_wise(*cells, SEPARATOR, null_handling="replace", null_replacement="")
        digests = [hashlib.sha256(line).digest() for line in lines.cast(pa.binary()).to_pylist()]
        self._digests.append(pa.array(digests, pa.binary(32)))
        self.count += batch.num_rows

    def sha256(self) -> str:
        """The hash of all lines counted in so far."""
        whole = hashlib.sha256(SEPARATOR.join(self._names).encode())
        digests = pa.concat_arrays(self._digests)
        ordered = digests.take(pc.sort_indices(digests)).buffers()[1]
        if ordered is not None:
            whole.update(memoryview(ordered)[: self.count * digests.type.byte_width])
        return whole.hexdigest()
