"""Consolidated Parquet files as local files: in place if the store is a folder, else copies; verified either way."""

from __future__ import annotations

import hashlib
import os
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from hosting.limits import ApiLimits
from hosting.problems import Problem
from piperoll import layout
from piperoll.errors import NotThere, StoreCorrupt
from serving.consolidated_copies import StoredFile
from serving.index_cache import PublishedIndex


class ParquetCache:
    """Local paths of Parquet files.

    Copies of a bucket's files are kept in `folder`, named by their sha256; several processes can share the folder.
    """

    def __init__(self, index: PublishedIndex, folder: Path, limits: ApiLimits) -> None:
        self._index = index
        self._folder = folder.absolute()
        self._limits = limits
        self._lock = threading.Lock()
        self._verified: dict[str, tuple[Path, tuple[int, ...]]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def readable_folder(self) -> Path:
        """The folder that contains every file that `paths` finds in the store."""
        return self._index.store.local_path(layout.CONSOLIDATED.rstrip("/")) or self._folder

    def paths(self, files: Sequence[StoredFile | Path]) -> list[str]:
        """The local paths of files, in the order given; those that are local are as they are.

        Raises: Problem: together they are larger than the cache, or other queries use all of it. StoreCorrupt: a file
        does not match the index. NotThere: a file was replaced a moment ago.
        """
        stored = [one for one in files if isinstance(one, StoredFile)]
        find = self._find_in_place
        if self._index.store.local_path("data") is None:
            self._make_room(stored)
            find = self._copy
        found = dict(zip(stored, self._index.map(find, stored), strict=True))
        return [found[one] if isinstance(one, StoredFile) else str(one) for one in files]

    def _find_in_place(self, entry: StoredFile) -> str:
        """The file in the folder of the store, verified once and again if it changes."""
        key = entry.key
        path, verified = self._verified.get(key, (None, None))
        try:
            path = path or self._index.store.local_path(key)
            if path is None:
                raise NotThere(f"there is nothing under {key}")
            found = _stamp(path)
            if found != verified:
                _verify(path, key, entry)
                self._verified[key] = path, found
        except FileNotFoundError as error:
            self._verified.pop(key, None)
            raise NotThere(f"there is nothing under {key}") from error
        return str(path)

    def _copy(self, entry: StoredFile) -> str:
        """Copy an object into the cache unless it is there, and verify the copy."""
        key = entry.key
        path = self._folder / f"{entry.sha256}.parquet"
        with suppress(FileNotFoundError):
            os.utime(path)  # `_make_room` of this or another process removes only files of an old mtime
            return str(path)
        part = self._folder / f"{uuid.uuid4().hex}.part"
        try:
            self._index.store.fetch(key, part)
            _verify(part, key, entry)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return str(path)

    def _make_room(self, entries: Sequence[StoredFile]) -> None:
        """Remove the copies that were used longest ago, but none that a running query may still read.

        Raises: Problem: the files of one query are larger than the cache, or all of it is in use.
        """
        needed = {self._folder / f"{one.sha256}.parquet": one.bytes for one in entries}
        if sum(needed.values()) > self._limits.cache_bytes:
            raise Problem(
                400, "too-much", "the query reads more files than the server can hold: name bodies or periods"
            )
        with self._lock:
            copies = {path: path.stat() for path in self._folder.glob("*.parquet") if path.is_file()}
            size = sum(found.st_size for found in copies.values())
            size += sum(size for path, size in needed.items() if path not in copies)
            for path, found in sorted(copies.items(), key=lambda item: item[1].st_mtime):
                if size <= self._limits.cache_bytes:
                    return
                if path not in needed and time.time() - found.st_mtime > self._limits.stream_seconds:
                    path.unlink(missing_ok=True)
                    size -= found.st_size
        if size > self._limits.cache_bytes:
            raise Problem(503, "busy", "other queries use the whole cache: try again in a minute", retry_after=60)


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes if a file does."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _verify(path: Path, key: str, entry: StoredFile) -> None:
    """Raise StoreCorrupt unless a file has the size and hash that the index names."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if (path.stat().st_size, sha256) != (entry.bytes, entry.sha256):
        raise StoreCorrupt(f"{key} does not match the size and hash in the index")
