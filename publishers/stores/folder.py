"""A folder as a store: flock, fsync of file and directory, atomic rename."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from piperoll import layout
from piperoll.errors import AlreadyThere, NotThere, PointerMoved, StoreCorrupt, StoreError, StoreUnavailable
from publishers.stores.protocol import ObjectInfo, StoredObject

_CHUNK = 1 << 20
_MINUTE = 60
_LOCKS = ".locks"
_UNFINISHED = ".unfinished"
_LASTING = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG)
"""Faults that trying again will not cure."""


class FolderStore:
    """A store in a folder of a local file system, which must have `flock` and an atomic `rename` within it.

    A tag is the sha256 of the bytes. What is not finished lies in `.unfinished/`, locks in `.locks/`: no key
    begins with a dot.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def __repr__(self) -> str:
        return f"FolderStore({str(self._root)!r})"

    def read(self, key: str, *, first: int | None = None) -> StoredObject:
        """The object under `key`; the tag of a part tells its size and age and is not for `replace`."""
        path = self._path(key)
        with _as_store_errors(key), path.open("rb") as stream:
            content = stream.read() if first is None else stream.read(first)
            found = os.fstat(stream.fileno())
        return StoredObject(content, _tag(content) if first is None else _seen(found).tag)

    def look(self, key: str) -> ObjectInfo:
        """The size of an object, and a tag made of its size, age and place on the disk."""
        with _as_store_errors(key), self._path(key).open("rb") as stream:
            return _seen(os.fstat(stream.fileno()))

    def read_range(self, key: str, start: int, stop: int, tag: str) -> bytes:
        """Some bytes of an object; nothing else of it is read."""
        with _as_store_errors(key), self._path(key).open("rb") as stream:
            if _seen(os.fstat(stream.fileno())).tag != tag:
                raise PointerMoved(f"{key} was written by someone else")
            stream.seek(start)
            return stream.read(stop - start)

    def fetch(self, key: str, to: Path) -> None:
        """Bring an object of any size into a local file."""
        with _as_store_errors(key):
            shutil.copyfile(self._path(key), to)

    def local(self, key: str) -> Path | None:
        """Where an object lies: in the folder."""
        return self._path(key).absolute()

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`."""
        return self._path(key).is_file()

    def create(self, key: str, content: bytes | Path) -> None:
        """Write once, and read back what was written."""
        path = self._path(key)
        with _as_store_errors(key), self._locked(key):
            if not path.is_file():
                digest = self._write(path, content)
                if _digest(path) != digest:
                    raise StoreCorrupt(f"{key} is not what was written: check the disk and run again")
            elif _digest(path) != _digest(content):
                raise AlreadyThere(f"{key} holds other bytes, and is written once")
            else:
                os.utime(path)  # a sweep must see that someone counts on it again

    def replace(self, key: str, content: bytes, tag: str | None) -> str:
        """Write a pointer if its tag is still `tag`; a pointer that holds these very bytes is ours."""
        path = self._path(key)
        with _as_store_errors(key), self._locked(key):
            standing = _tag(path.read_bytes()) if path.is_file() else None
            if standing == _tag(content):
                return standing
            if standing != tag:
                raise PointerMoved(f"{key} was written by someone else")
            self._write(path, content)
            return _tag(content)

    def put(self, key: str, content: bytes) -> None:
        """Write what may be made anew: whole or not at all, but not forced to the disk at once."""
        path = self._path(key)
        with _as_store_errors(key):
            self._write(path, content, durable=False)

    def delete(self, key: str) -> None:
        """Remove an object; no error where there is none."""
        path = self._path(key)
        with _as_store_errors(key), self._locked(key):
            if path.is_file():
                path.unlink()
                _sync(path.parent)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Every key that begins with `prefix`, in order."""
        *above, first = prefix.split("/")
        folder = self._root.joinpath(*above)
        found: list[str] = []
        for place, folders, names in os.walk(folder):
            start = first if place == str(folder) else ""
            folders[:] = [name for name in folders if name.startswith(start) and not name.startswith(".")]
            relative = Path(place).relative_to(self._root)
            found.extend((relative / name).as_posix() for name in names if name.startswith(start) and name[0] != ".")
        return iter(sorted(found))

    def age(self, key: str) -> float:
        """Seconds since the object was written."""
        with _as_store_errors(key):
            return max(0.0, time.time() - self._path(key).stat().st_mtime)

    def discard(self, key: str, older_than: float) -> bool:
        """Remove an object if it is so old; looked at and removed under the lock that its writers take."""
        path = self._path(key)
        with _as_store_errors(key), self._locked(key):
            if path.is_file():
                if time.time() - path.stat().st_mtime < older_than:
                    return False
                path.unlink()
                _sync(path.parent)
        return True

    def abandon(self, older_than: float) -> int:
        """Remove the files that a killed writer left in `.unfinished/`: those whose lock nobody holds.

        A writer takes the lock as soon as its file is there, so a minute's age tells as much as any.
        """
        left = 0
        for path in sorted((self._root / _UNFINISHED).glob("*")):
            with suppress(FileNotFoundError), path.open("rb") as stream:
                if time.time() - os.fstat(stream.fileno()).st_mtime < min(older_than, _MINUTE):
                    continue
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                path.unlink()
                left += 1
        return left

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*layout.check_key(key).split("/"))

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """Hold the lock of `key`, which a few other keys share; the system lets it go if we are killed."""
        shelf = self._root / _LOCKS
        shelf.mkdir(parents=True, exist_ok=True)
        with (shelf / hashlib.sha256(key.encode()).hexdigest()[:2]).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, path: Path, content: bytes | Path, *, durable: bool = True) -> str:
        """Write beside, then rename into place; the sha256 of what was meant to be written."""
        shelf = self._root / _UNFINISHED
        shelf.mkdir(parents=True, exist_ok=True)
        beside = shelf / uuid.uuid4().hex
        digest = hashlib.sha256()
        try:
            with beside.open("xb") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)  # while it is held nobody sweeps the file away
                for piece in _pieces(content):
                    digest.update(piece)
                    stream.write(piece)
                stream.flush()
                if durable:
                    os.fsync(stream.fileno())
                self._make_folders(path.parent)
                beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        if durable:
            _sync(path.parent)
        return digest.hexdigest()

    def _make_folders(self, folder: Path) -> None:
        """Make `folder`, each new level known on the disk before anything is put into it."""
        if folder.is_dir():
            return
        self._make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


@contextmanager
def _as_store_errors(key: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise NotThere(f"there is nothing under {key}") from error
    except OSError as error:
        kind = StoreError if error.errno in _LASTING else StoreUnavailable
        raise kind(f"{key} cannot be read or written: {error.strerror}") from error


def _pieces(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            yield piece


def _digest(content: bytes | Path) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(content):
        digest.update(piece)
    return digest.hexdigest()


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _seen(found: os.stat_result) -> ObjectInfo:
    """An object is never written in place: the number of its file tells two of one size and moment apart."""
    return ObjectInfo(found.st_size, f"{found.st_size:x}-{found.st_mtime_ns:x}-{found.st_ino:x}")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
