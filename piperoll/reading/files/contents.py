"""The bytes of a file as received: in memory, or on the disk and read piece by piece."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Protocol
from weakref import finalize

STRETCH = 2_000_000
"""Bytes that are read at a time."""


class Content(Protocol):
    """Bytes of which a slice is a copy in memory; `bytes` satisfy this protocol."""

    def __len__(self) -> int: ...

    def __getitem__(self, stretch: slice, /) -> bytes: ...


class OnDisk:
    """The bytes of a file on the disk, which must not change while it is read.

    Raises: OSError: the file cannot be read, on opening or later.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._size = os.fstat(self._file.fileno()).st_size
        finalize(self, self._file.close)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, stretch: slice) -> bytes:
        start, stop, step = stretch.indices(self._size)
        parts = []
        while start < stop and (part := os.pread(self._file.fileno(), stop - start, start)):  # returns at most 2 GiB
            parts.append(part)
            start += len(part)
        return b"".join(parts)[::step]


def whole(content: Content) -> bytes:
    """All of it in memory."""
    return content if isinstance(content, bytes) else content[:]


def sha256(content: Content) -> str:
    """The SHA-256 of all of it, in hexadecimal."""
    digest = hashlib.sha256()
    for at in range(0, len(content), STRETCH):
        digest.update(content[at : at + STRETCH])
    return digest.hexdigest()
