"""The lines of a release, read back from its Parquet file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_STEP = 65_536


def read_typed_lines(parquet: Path | bytes, columns: Collection[str]) -> Iterator[pa.RecordBatch]:
    """The lines of a release in batches, of those `columns` that it has, typed as the file keeps them."""
    source = parquet if isinstance(parquet, Path) else pa.BufferReader(parquet)
    with pq.ParquetFile(source) as file:
        there = [name for name in file.schema_arrow.names if name in columns]
        yield from file.iter_batches(batch_size=_STEP, columns=there)
