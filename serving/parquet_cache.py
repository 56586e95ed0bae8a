"""The Parquet files of versions as local files: in place if the store is a folder, else copies; verified either way."""

from __future__ import annotations

import hashlib
import os
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from piperoll.errors import NotThere, StoreCorrupt
from piperoll.model import FileEntry
from serving.index_cache import PublishedIndex
from serving.limits import ApiLimits
from serving.problems import Problem
from serving.version_selection import SelectedVersion


class ParquetCache:
    """Local paths of Parquet files.

    Copies of a bucket's files are kept in `folder`, named by their sha256; several processes can share the folder.
    """

    def __init__(self, index: PublishedIndex, folder: Path, limits: ApiLimits) -> None:
        self._index = index
        self._folder = folder.absolute()
        self._limits = limits
        self._lock = threading.Lock()
        self._verified: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def readable_folder(self) -> Path:
        """The folder that contains every file that `paths` returns."""
        return self._index.store.local_path("data") or self._folder

    def paths(self, versions: Sequence[SelectedVersion]) -> list[str]:
        """The local Parquet files of versions, in the order given.

        Raises: Problem: together they are larger than the cache, or other queries use all of it. StoreCorrupt: a file
        does not match its manifest. NotThere: a file was purged a moment ago.
        """
        if self._index.store.local_path("data") is not None:
            return [self._find_in_place(one) for one in versions]
        entries = list(self._index.map(self._entry, versions))
        self._make_room(entries)
        keys = [one.parquet_key for one in versions]
        return list(self._index.map(lambda item: self._copy(*item), zip(keys, entries, strict=True)))

    def _entry(self, selected: SelectedVersion) -> FileEntry:
        """The size and hash of a version's Parquet file by its manifest."""
        manifest = self._index.manifest(selected.series, selected.version)
        return next(entry for entry in manifest.files if entry.path == selected.parquet_name)

    def _find_in_place(self, selected: SelectedVersion) -> str:
        """The file in the folder of the store, verified once and again if it changes."""
        key = selected.parquet_key
        path, tag = self._index.store.local_path(key), self._index.store.stat(key).tag
        if path is None:
            raise NotThere(f"there is nothing under {key}")
        if self._verified.get(key) != tag:
            _verify(path, key, self._entry(selected))
            self._verified[key] = tag
        return str(path)

    def _copy(self, key: str, entry: FileEntry) -> str:
        """Copy an object into the cache unless it is there, and verify the copy."""
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

    def _make_room(self, entries: Sequence[FileEntry]) -> None:
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


def _verify(path: Path, key: str, entry: FileEntry) -> None:
    """Raise StoreCorrupt unless a file has the size and hash of its manifest."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if (path.stat().st_size, sha256) != (entry.bytes, entry.sha256):
        raise StoreCorrupt(f"{key} does not match the size and hash in its manifest")
