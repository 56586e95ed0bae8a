"""A list of Arrow batches that keeps the first in memory and writes the others to a temporary file."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from threading import Lock
from typing import IO, Any, NamedTuple
from weakref import finalize

import pyarrow as pa

IN_MEMORY = 24_000_000
"""Bytes of batches kept in memory, about 150,000 rows of spend; later batches go to the file."""


class _Stored(NamedTuple):
    """The position of a batch in the file and its size in bytes."""

    start: int
    size: int


def _close(file: IO[bytes]) -> None:
    with suppress(OSError):  # what could not be written to a full disk was reported when it was written
        file.close()


class BatchSpill:
    """Batches in the order they were added, which can be fetched by index any number of times.

    In the file each batch is an Arrow IPC stream of its own, so batches may have different columns. A batch from the
    file is not copied: it points into the memory-mapped file, and the system loads only the pages that are used. The
    file has no name, so nothing is left behind however the process ends.
    """

    def __init__(self, batches: Iterable[pa.RecordBatch] = (), *, in_memory: int = IN_MEMORY) -> None:
        self._batches: list[pa.RecordBatch | _Stored] = []
        self._free = in_memory
        self._end = 0
        self._lock = Lock()
        for batch in batches:
            self.append(batch)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> pa.RecordBatch:
        batch = self._batches[index]
        if not isinstance(batch, _Stored):
            return batch
        content = mmap.mmap(self._file.fileno(), batch.size, access=mmap.ACCESS_READ, offset=batch.start)
        return pa.ipc.open_stream(pa.py_buffer(content)).read_next_batch()

    def append(self, batch: pa.RecordBatch) -> None:
        """Add a batch at the end."""
        self._free -= batch.get_total_buffer_size()
        self._batches.append(batch if self._free >= 0 else self._store(batch))

    @cached_property
    def _file(self) -> IO[bytes]:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the finalizer
        finalize(self, _close, file)
        return file

    def _store(self, batch: pa.RecordBatch) -> _Stored:
        with self._lock:
            # A memory map can only begin at a multiple of this granularity.
            start = self._file.seek(-(-self._end // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY)
            sink: Any = self._file
            with pa.ipc.new_stream(sink, batch.schema) as stream:
                stream.write_batch(batch)
            self._file.flush()
            self._end = self._file.tell()
        return _Stored(start, self._end - start)
