"""The bytes of a file as received: in memory, or on the disk and read piece by piece."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol
from weakref import finalize

STRETCH = 2_000_000
"""Bytes that are read at a time."""

_UNPACKED_IN_MEMORY = 16_000_000
"""Bytes from an archive that are kept in memory; more go to an unnamed file."""


class Content(Protocol):
    """Bytes of which a slice is a copy in memory; `bytes` satisfy this protocol."""

    def __len__(self) -> int: ...

    def __getitem__(self, stretch: slice, /) -> bytes: ...


class Unpacking(Protocol):
    """A stream that unpacks as it is read."""

    def read(self, size: int, /) -> bytes:
        """At most this many bytes; none at the end."""


class OnDisk:
    """The bytes of a file on the disk, given by its path or open, which must not change while it is read.

    Raises: OSError: the file cannot be read, on opening or later.
    """

    def __init__(self, file: Path | IO[bytes]) -> None:
        self._file = file.open("rb", buffering=0) if isinstance(file, Path) else file
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


def unpack(stream: Unpacking, limit: int) -> Content | None:
    """All that an unpacking stream gives, in memory or, if it is large, in an unnamed file; None beyond the limit.

    The stream is read piece by piece, because a header can give a false size.

    Raises: OSError: there is no space for the file; and what the stream raises.
    """
    parts = []
    free = limit
    while piece := stream.read(STRETCH):
        parts.append(piece)
        free -= len(piece)
        if free < 0:
            return None
        if limit - free > _UNPACKED_IN_MEMORY:
            return _unpack_to_disk(parts, stream, free)
    return b"".join(parts)


def _unpack_to_disk(parts: list[bytes], stream: Unpacking, free: int) -> Content | None:
    """These parts and the rest of the stream in an unnamed file; None if the rest has more than `free` bytes."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - `OnDisk` closes it
    content = None
    try:
        file.writelines(parts)
        while piece := stream.read(STRETCH):
            file.write(piece)
            free -= len(piece)
            if free < 0:
                return None
        file.flush()
        content = OnDisk(file)
        return content
    finally:
        if content is None:
            with suppress(OSError):  # a full disk: writing failed before
                file.close()


def whole(content: Content) -> bytes:
    """All of it in memory."""
    return content if isinstance(content, bytes) else content[:]


def sha256(content: Content) -> str:
    """The SHA-256 of all of it, in hexadecimal."""
    digest = hashlib.sha256()
    for at in range(0, len(content), STRETCH):
        digest.update(content[at : at + STRETCH])
    return digest.hexdigest()
