"""A shelf of Arrow batches: the first in memory, the others in a temporary file that goes when the shelf goes."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from functools import cached_property
from threading import Lock
from typing import IO, Any, NamedTuple
from weakref import finalize

import pyarrow as pa

IN_MEMORY = 24_000_000
"""Bytes of batches a shelf keeps in memory: some 150,000 rows of spend; what comes after them goes to the file."""


class _Stored(NamedTuple):
    """Where a batch lies in the file, and in how many bytes."""

    start: int
    size: int


class Shelf:
    """Batches in the order they were put, to be had again by their place as often as wanted.

    In the file each is a small Arrow IPC stream of its own, so that batches may differ in their columns. A batch from
    there is no copy: it lies where the file is mapped into memory, as long as it is held, and what is not looked at is
    not fetched. The file has no name: nothing is left behind however the process ends.
    """

    def __init__(self, batches: Iterable[pa.RecordBatch] = (), *, in_memory: int = IN_MEMORY) -> None:
        self._batches: list[pa.RecordBatch | _Stored] = []
        self._free = in_memory
        self._end = 0
        self._lock = Lock()
        for batch in batches:
            self.put(batch)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return (self.get(place) for place in range(len(self)))

    def put(self, batch: pa.RecordBatch) -> int:
        """The place of a batch, which has been laid on the shelf."""
        self._free -= batch.get_total_buffer_size()
        self._batches.append(batch if self._free >= 0 else self._store(batch))
        return len(self._batches) - 1

    def get(self, place: int) -> pa.RecordBatch:
        """The batch at a place."""
        batch = self._batches[place]
        return self._fetch(batch) if isinstance(batch, _Stored) else batch

    @cached_property
    def _file(self) -> IO[bytes]:
        file = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the shelf goes)
        finalize(self, file.close)
        return file

    def _store(self, batch: pa.RecordBatch) -> _Stored:
        with self._lock:
            start = self._file.seek(-(-self._end // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY)
            sink: Any = self._file
            with pa.ipc.new_stream(sink, batch.schema) as stream:
                stream.write_batch(batch)
            self._file.flush()
            self._end = self._file.tell()
        return _Stored(start, self._end - start)

    def _fetch(self, stored: _Stored) -> pa.RecordBatch:
        content = mmap.mmap(self._file.fileno(), stored.size, access=mmap.ACCESS_READ, offset=stored.start)
        return pa.ipc.open_stream(pa.py_buffer(content)).read_next_batch()
