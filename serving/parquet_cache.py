"""The Parquet files of versions, on this machine: in place where the store is a folder, else verified copies."""

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
from serving.index_cache import Shelf
from serving.limits import Limits
from serving.problems import Problem
from serving.version_selection import Used

_CHUNK = 1 << 20


class Files:
    """Where the engine reads.

    `cache` is a folder of our own for copies of a bucket's files; several processes may share one.
    """

    def __init__(self, shelf: Shelf, cache: Path, limits: Limits) -> None:
        self._shelf = shelf
        self._cache = cache
        self._limits = limits
        self._lock = threading.Lock()
        cache.mkdir(parents=True, exist_ok=True)

    @property
    def folder(self) -> Path:
        """The one folder that holds all that is ever read."""
        return self._shelf.store.local("data") or self._cache.absolute()

    def paths(self, used: Sequence[Used]) -> list[str]:
        """The files of versions in the order given; copies are of the size and hash that their manifest names.

        Raises: Problem: together they are larger than the cache. StoreCorrupt: a copy is not what it should be.
        NotThere: a file is gone, since what it is of was purged a moment ago.
        """
        if self._shelf.store.local("data") is not None:
            return [str(self._in_place(one)) for one in used]
        entries = list(self._shelf.each(self._entry, used))
        self._make_room(entries)
        keys = [one.key(f"{one.series.dataset}.parquet") for one in used]
        return [str(path) for path in self._shelf.each(self._copy, zip(keys, entries, strict=True))]

    def _in_place(self, used: Used) -> Path:
        key = used.key(f"{used.series.dataset}.parquet")
        path = self._shelf.store.local(key)
        if path is None or not path.is_file():
            raise NotThere(f"there is nothing under {key}")
        return path

    def _entry(self, used: Used) -> FileEntry:
        name = f"{used.series.dataset}.parquet"
        return next(one for one in self._shelf.manifest(used.series, used.version).files if one.path == name)

    def _copy(self, wanted: tuple[str, FileEntry]) -> Path:
        """The copy of an object, made if it is not there; whoever finds it younger leaves it alone."""
        key, entry = wanted
        path = self._cache.absolute() / f"{entry.sha256}.parquet"
        with suppress(FileNotFoundError):
            os.utime(path)
            return path
        beside = self._cache / f"{uuid.uuid4().hex}.part"
        try:
            self._shelf.store.fetch(key, beside)
            if (beside.stat().st_size, _sha256(beside)) != (entry.bytes, entry.sha256):
                raise StoreCorrupt(f"{key} is not the file that its manifest names")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return path

    def _make_room(self, entries: Sequence[FileEntry]) -> None:
        """Remove the copies that were used longest ago, none that an answer may still be made from.

        Raises: Problem: what is asked for is larger than the cache, or all of it is in use.
        """
        wanted = {f"{one.sha256}.parquet": one.bytes for one in entries}
        most = self._limits.cache_bytes
        if sum(wanted.values()) > most:
            raise Problem(400, "too-much", "this reaches over more files than we can look at: name bodies or periods")
        with self._lock:
            there = {path: path.stat() for path in self._there()}
            new = sum(size for name, size in wanted.items() if self._cache / name not in there)
            over = sum(found.st_size for found in there.values()) + new - most
            for path, found in sorted(there.items(), key=lambda each: each[1].st_mtime):
                if over <= 0:
                    return
                if path.name not in wanted and time.time() - found.st_mtime > self._limits.stream_seconds:
                    path.unlink(missing_ok=True)
                    over -= found.st_size
        if over > 0:
            raise Problem(503, "busy", "others use all the room there is: ask again in a minute", retry_after=60)

    def _there(self) -> list[Path]:
        return [path for path in self._cache.glob("*.parquet") if path.is_file()]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
