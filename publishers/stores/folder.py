"""A folder as a store: file locks, fsync of files and directories, and atomic renames."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from piperoll import layout
from piperoll.errors import AlreadyThere, NotThere, PointerMoved, StoreCorrupt, StoreError, StoreUnavailable, advise
from publishers.stores.protocol import HashedFile, ObjectInfo, StoredObject, sha256_of

_CHUNK_BYTES = 1 << 20
_MINUTE = 60
_OWNER_ONLY, _OWNER_ONLY_FOLDER, _OTHERS = 0o600, 0o700, 0o077
_SHA256 = "user.piperoll.sha256"
_LOCKS = ".locks"
_UNFINISHED = ".unfinished"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PERMANENT_ERRORS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, *_FULL)
"""System errors that trying again does not cure."""


class FolderStore:
    """A store in a folder of a local file system that has `flock` and renames atomically.

    A tag is the sha256 of the bytes. Unfinished writes are in `.unfinished/` and locks in `.locks/`; they cannot be
    mistaken for objects, since no key begins with a dot. What is not public can be read by its owner only, whatever the
    umask: files have the mode 0600, and the folders at the top 0700. The sha256 of what was written is an extended
    attribute of each file, where the file system has them, so that a bit that rots is noticed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def __repr__(self) -> str:
        return f"FolderStore({str(self._root)!r})"

    def read(self, key: str, *, first: int | None = None) -> StoredObject:
        """Read an object; if only its first bytes are read, the tag is that of `stat` and not for `replace`."""
        path = self._path(key)
        with _raise_store_errors(key), path.open("rb") as stream:
            content = stream.read() if first is None else stream.read(first)
            status, written = os.fstat(stream.fileno()), _stored_sha256(stream.fileno())
        if first is not None:
            return StoredObject(content, _info(status).tag)
        found = sha256_of(content)
        if written not in (None, found) and not key.startswith(layout.MAPPINGS):  # people may edit those in place
            raise _altered(key)
        return StoredObject(content, found)

    def stat(self, key: str) -> ObjectInfo:
        """The size of an object, and a tag made of its size, age and inode."""
        with _raise_store_errors(key), self._path(key).open("rb") as stream:
            return _info(os.fstat(stream.fileno()))

    def compare(self, key: str) -> None:
        """Read an object and compare it with the sha256 in its extended attributes."""
        with _raise_store_errors(key), self._path(key).open("rb") as stream:
            written = _stored_sha256(stream.fileno())
            if written is not None and hashlib.file_digest(stream, "sha256").hexdigest() != written:
                raise _altered(key)

    def read_range(self, key: str, start: int, stop: int, tag: str) -> bytes:
        """Read some bytes of an object and nothing else of it."""
        with _raise_store_errors(key), self._path(key).open("rb") as stream:
            if _info(os.fstat(stream.fileno())).tag != tag:
                raise PointerMoved(f"{key} was written by someone else")
            stream.seek(start)
            return stream.read(stop - start)

    def fetch(self, key: str, to: Path) -> None:
        """Copy an object of any size to a local file."""
        with _raise_store_errors(key):
            shutil.copyfile(self._path(key), to)

    def local_path(self, key: str) -> Path | None:
        """The path of the object in the folder."""
        return self._path(key).absolute()

    def exists(self, key: str) -> bool:
        """True if there is an object under `key`."""
        return self._path(key).is_file()

    def create(self, key: str, content: bytes | Path | HashedFile) -> bool:
        """Write once, and read back what was written; a file that we may take gets a second name instead of a copy."""
        path = self._path(key)
        with _raise_store_errors(key), self._lock(key):
            is_new = not path.is_file()
            if is_new:
                self._write(path, content, read_back=True)
            elif sha256_of(path) != sha256_of(content):
                raise AlreadyThere(f"{key} holds other bytes, and is written once")
            else:
                os.utime(path)  # a sweep must see that a writer relies on this object again
            if isinstance(content, HashedFile) and content.take:
                content.path.unlink(missing_ok=True)
            return is_new

    def replace(self, key: str, content: bytes, tag: str | None) -> str:
        """Write a pointer if its tag is still `tag`; a pointer that already holds these bytes is a success."""
        path = self._path(key)
        with _raise_store_errors(key), self._lock(key):
            current = sha256_of(path.read_bytes()) if path.is_file() else None
            if current == sha256_of(content):
                return current
            if current != tag:
                raise PointerMoved(f"{key} was written by someone else")
            return self._write(path, content)

    def put(self, key: str, content: bytes) -> None:
        """Write what can be made again: whole or not at all, but not forced to the disk at once."""
        path = self._path(key)
        with _raise_store_errors(key):
            self._write(path, content, durable=False)

    def delete(self, key: str) -> None:
        """Delete an object; it is no error if there is none."""
        self.delete_many([key])

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete objects, one after the other; each of their folders is synced once, after its last deletion."""
        folders: dict[Path, str] = {}
        try:
            for key in keys:
                path = self._path(key)
                with _raise_store_errors(key), self._lock(key):
                    if path.is_file():
                        path.unlink()
                        folders[path.parent] = key
        finally:
            for folder, key in folders.items():
                with _raise_store_errors(key):
                    _sync_folder(folder)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """List every key that begins with `prefix`, in order."""
        *parents, start = prefix.split("/")
        top = self._root.joinpath(*parents)
        found: list[str] = []
        for folder, subfolders, names in os.walk(top):
            wanted = start if folder == str(top) else ""
            subfolders[:] = [name for name in subfolders if name.startswith(wanted) and not name.startswith(".")]
            relative = Path(folder).relative_to(self._root)
            found.extend((relative / name).as_posix() for name in names if name.startswith(wanted) and name[0] != ".")
        return iter(sorted(found))

    def folders(self, prefix: str) -> Iterator[str]:
        """List folders; one whose objects were deleted may still be there."""
        try:
            with os.scandir(self._root / prefix) as entries:
                return iter(sorted(one.name for one in entries if one.is_dir() and not one.name.startswith(".")))
        except FileNotFoundError:
            return iter(())

    def list_objects(self, prefix: str = "") -> Iterator[tuple[str, ObjectInfo]]:
        """List every key with its size, tag and time."""
        for key in self.keys(prefix):
            with suppress(FileNotFoundError):  # deleted since it was listed
                yield key, _info(self._path(key).stat())

    def is_empty(self) -> bool:
        """True if no folder of the store has a file."""
        for _, subfolders, names in os.walk(self._root):
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            if any(not name.startswith(".") for name in names):
                return False
        return True

    def lacks_digest(self, key: str) -> bool:
        """True if the file has no extended attribute of ours, or is private and others can read it or its prefix."""
        path = self._path(key)
        with _raise_store_errors(key), path.open("rb") as stream:
            if not layout.is_public(key):
                top = self._root / key.split("/", 1)[0]
                if (os.fstat(stream.fileno()).st_mode | (0 if top == path else top.stat().st_mode)) & _OTHERS:
                    return True
            return self._keeps_attributes and _stored_sha256(stream.fileno()) is None

    def store_digest(self, key: str) -> None:
        """Set the extended attribute and the modes, under the lock that writers take."""
        path = self._path(key)
        with _raise_store_errors(key), self._lock(key), path.open("rb") as stream:
            if not layout.is_public(key):
                os.fchmod(stream.fileno(), _OWNER_ONLY)
                top = self._root / key.split("/", 1)[0]
                if top != path:
                    top.chmod(_OWNER_ONLY_FOLDER)
            if self._keeps_attributes and _stored_sha256(stream.fileno()) is None:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
                os.setxattr(stream.fileno(), _SHA256, digest.encode())

    @cached_property
    def _keeps_attributes(self) -> bool:
        """Whether this file system and this platform have extended attributes."""
        folder = self._root / _UNFINISHED
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / uuid.uuid4().hex
        try:
            probe.touch()
            os.setxattr(probe, _SHA256, b"")
        except (OSError, AttributeError):
            return False
        finally:
            probe.unlink(missing_ok=True)
        return True

    def old_versions(self, prefix: str = "") -> Iterator[str]:  # noqa: ARG002 - the protocol has it
        """A folder keeps no earlier versions."""
        return iter(())

    def erase_old_versions(self, prefix: str) -> int:  # noqa: ARG002 - the protocol has it
        """A folder keeps no earlier versions."""
        return 0

    def age(self, key: str) -> float:
        """Seconds since the object was written."""
        with _raise_store_errors(key):
            return max(0.0, time.time() - self._path(key).stat().st_mtime)

    def delete_if_older(self, key: str, seconds: float) -> bool:
        """Delete an object of at least this age; its age is read under the lock that its writers take."""
        path = self._path(key)
        with _raise_store_errors(key), self._lock(key):
            if path.is_file():
                if time.time() - path.stat().st_mtime < seconds:
                    return False
                path.unlink()
                _sync_folder(path.parent)
        return True

    def abort_unfinished(self, older_than: float) -> int:
        """Remove the files in `.unfinished/` whose lock nobody holds: their writers were killed.

        A writer takes the lock right after it has made its file, so a file older than a minute without a lock is dead.
        """
        removed = 0
        for path in sorted((self._root / _UNFINISHED).glob("*")):
            with suppress(FileNotFoundError), path.open("rb") as stream:
                if time.time() - os.fstat(stream.fileno()).st_mtime < min(older_than, _MINUTE):
                    continue
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                path.unlink()
                removed += 1
        return removed

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*layout.check_key(key).split("/"))

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        """Hold the lock of `key`, one of 256 that keys share; the system releases it if we are killed."""
        folder = self._root / _LOCKS
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / hashlib.sha256(key.encode()).hexdigest()[:2]).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(
        self, path: Path, content: bytes | Path | HashedFile, *, durable: bool = True, read_back: bool = False
    ) -> str:
        """Write a temporary file and rename it into place; return the sha256 of what was meant to be written."""
        folder = self._root / _UNFINISHED
        self._make_folders(folder)
        temporary = folder / uuid.uuid4().hex
        try:
            taken = _link(content, temporary)
            with temporary.open("rb" if taken else "xb") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)  # while we hold it, no sweep removes the file
                digest = sha256_of(content) if taken else _copy(content, stream)
                if read_back and not taken and sha256_of(temporary) != digest:
                    key = path.relative_to(self._root).as_posix()
                    raise StoreCorrupt(f"{key} is not what was written: check the disk and run again")
                with suppress(OSError, AttributeError):  # this file system or this platform has no such attributes
                    os.setxattr(stream.fileno(), _SHA256, digest.encode())
                if durable and os.fstat(stream.fileno()).st_size:  # an empty object is whole with its folder
                    os.fsync(stream.fileno())
                self._make_folders(path.parent)
                if not layout.is_public(path.relative_to(self._root).as_posix()):
                    os.fchmod(stream.fileno(), _OWNER_ONLY)
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        if durable:
            _sync_folder(path.parent)
        return digest

    def _make_folders(self, folder: Path) -> None:
        """Make `folder` and its parents, each synced to the disk before anything is put into it."""
        if folder.is_dir():
            return
        self._make_folders(folder.parent)
        at_top = folder.parent == self._root
        private = at_top and folder.name != _LOCKS and not layout.is_public(f"{folder.name}/")
        folder.mkdir(_OWNER_ONLY_FOLDER if private else 0o777, exist_ok=True)
        _sync_folder(folder.parent)


@contextmanager
def _raise_store_errors(key: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise NotThere(f"there is nothing under {key}") from error
    except OSError as error:
        kind = StoreError if error.errno in _PERMANENT_ERRORS else StoreUnavailable
        raise kind(f"{key} cannot be read or written: {error.strerror}{advise(error)}") from error


def _stored_sha256(file: int) -> str | None:
    """The sha256 that the writer of an open file stored with it; None if there is none."""
    with suppress(OSError, AttributeError):
        return os.getxattr(file, _SHA256).decode("ascii", "replace")
    return None


def _altered(key: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"{key} is not what was written: it has another sha256. Restore it from a backup, or remake it."
    )


def _link(content: bytes | Path | HashedFile, to: Path) -> bool:
    """Give a file that we may take a second name; False if we may not, or it is on another file system."""
    if not (isinstance(content, HashedFile) and content.take):
        return False
    try:
        os.utime(content.path)  # a sweep leaves young files alone, also before we hold the lock
        os.link(content.path, to)
    except OSError:
        return False
    return True


def _copy(content: bytes | Path | HashedFile, stream: BinaryIO) -> str:
    """Write bytes or a file to a stream; return the sha256 of what was meant to be written."""
    digest = None if isinstance(content, HashedFile) else hashlib.sha256()
    for chunk in _chunks(content):
        if digest:
            digest.update(chunk)
        stream.write(chunk)
    stream.flush()
    return digest.hexdigest() if digest else sha256_of(content)


def _chunks(content: bytes | Path | HashedFile) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with (content.path if isinstance(content, HashedFile) else content).open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


def _info(status: os.stat_result) -> ObjectInfo:
    """Objects are never written in place, so the inode tells apart two of the same size and time."""
    tag = f"{status.st_size:x}-{status.st_mtime_ns:x}-{status.st_ino:x}"
    return ObjectInfo(status.st_size, tag, status.st_mtime)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
