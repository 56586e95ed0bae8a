"""The protocol of a store, and the one way in which several writers can change the same object.

Keys are made by `piperoll.layout`. An object is written once (`create`), or is a pointer that is changed only if nobody
else changed it meanwhile (`replace`), or can be made again at any time (`put`).
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from piperoll.errors import NotThere, PointerMoved, StoreCorrupt
from piperoll.model import to_json_bytes

JsonObject = dict[str, Any]

MAX_TRIES = 100
"""Conditional writes before we give up. Each failure means that another writer succeeded, so progress is made; more
writers than this on one object at once are a fault, not a race."""

_GZIP = b"\x1f\x8b"
"""How compressed content begins."""

PARALLEL_WRITES = 16
"""Objects that are written to a bucket at the same time: each takes the time of a request, and no time of ours."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's bytes and its tag, which changes whenever the bytes do."""

    content: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A local file and its sha256, so that a store need not find it again.

    With `take`, nobody writes or reads the file any more and the sha256 was read back from it: a store may take the
    file itself, and it is gone when it is stored.
    """

    path: Path
    sha256: str
    take: bool = False


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object's size in bytes and a tag that changes with the bytes; it is not the tag that `replace` takes.

    `modified` is when it was written, in seconds since 1970.
    """

    size: int
    tag: str
    modified: float


class StoreReader(Protocol):
    """Anything that published objects can be read from: a store, or its address on the web.

    Every method raises StoreUnavailable (retryable) if there is no answer.
    """

    def read(self, key: str, *, first: int | None = None) -> StoredObject:
        """Read an object, or only its first bytes. Raises: NotThere."""

    def fetch(self, key: str, to: Path) -> None:
        """Copy an object of any size to a local file. Raises: NotThere."""

    def exists(self, key: str) -> bool:
        """True if there is an object under `key`."""


class Store(StoreReader, Protocol):
    """A folder or a bucket with conditional writes.

    Every method raises StoreUnavailable (retryable) if the store does not answer.
    """

    def stat(self, key: str) -> ObjectInfo:
        """The size and tag of an object, without reading it. Raises: NotThere."""

    def compare(self, key: str) -> None:
        """Read an object and compare it with the sha256 that its writer stored with it, if it did.

        Raises: NotThere. StoreCorrupt: it is not what was written.
        """

    def read_range(self, key: str, start: int, stop: int, tag: str) -> bytes:
        """Read the bytes from `start` up to but not including `stop`, if the object still has the tag from `stat`.

        Raises: NotThere. PointerMoved: someone wrote the object since.
        """

    def local_path(self, key: str) -> Path | None:
        """The path of an object or prefix on this machine, whether it exists or not; None for a remote store."""

    def create(self, key: str, content: bytes | Path | HashedFile) -> bool:
        """Write bytes or a local file under a key that is written once, and make sure that they are what is stored.

        Writing the same bytes again succeeds and makes the object as young as if it were new. True if there was
        certainly nothing before.
        Raises: AlreadyThere: the key holds other bytes. StoreCorrupt: what was stored is not what was sent, or a file
        does not have the sha256 that it came with.
        """

    def replace(self, key: str, content: bytes, tag: str | None) -> str:
        """Write a pointer if its tag is still `tag` (None: if it does not exist yet); return the new tag.

        Raises: PointerMoved: someone else wrote it since.
        """

    def put(self, key: str, content: bytes) -> None:
        """Write what can be made again; readers see the old bytes or the new, never a mix."""

    def delete(self, key: str) -> None:
        """Delete an object; it is no error if there is none."""

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete objects, in as few requests as the store allows; those that are not there are no error."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """List every key that begins with `prefix`, in order."""

    def folders(self, prefix: str) -> Iterator[str]:
        """List the folders below a prefix that ends with `/`, in order, without what is in them. One may be empty."""

    def list_objects(self, prefix: str = "") -> Iterator[tuple[str, ObjectInfo]]:
        """List every key that begins with `prefix` with its size, tag and time, in order, without reading objects."""

    def is_empty(self) -> bool:
        """True if there is no object at all."""

    def lacks_digest(self, key: str) -> bool:
        """True if the object has no sha256 stored with it, or is private and others can read it.

        False for the former where the store can keep none.

        Raises: NotThere.
        """

    def store_digest(self, key: str) -> None:
        """Store the sha256 of an object as it is now with it, and close it to others if it is private.

        Raises: NotThere. PointerMoved: someone wrote the object meanwhile, so it has one.
        """

    def age(self, key: str) -> float:
        """Seconds since the object was written, by the store's own clock. Raises: NotThere."""

    def delete_if_older(self, key: str, seconds: float) -> bool:
        """Delete an object if it was written at least `seconds` ago; True if it is gone."""

    def old_versions(self, prefix: str = "") -> Iterator[str]:
        """List the keys below a prefix of which the store keeps versions that are not current, in order.

        Raises: StoreError: the store keeps versions and does not let us see them.
        """

    def erase_old_versions(self, prefix: str) -> int:
        """Delete every version below a prefix that is not a current object; return how many.

        Raises: StoreError: the store keeps versions and does not let us see or delete them.
        """

    def abort_unfinished(self, older_than: float) -> int:
        """Remove the parts of writes that were never finished and that nobody is working on; return how many.

        `older_than`, in seconds, decides where the store cannot tell otherwise.
        """


def update_object(store: Store, key: str, change: Callable[[bytes | None], bytes | None]) -> None:
    """Write `change(content)` under `key`, again on what others wrote if they write at the same time.

    `change` gets None where there is no object yet, and returns None to leave the object as it is.
    Raises: PointerMoved (retryable): others write the object faster than we can.
    """
    for _ in range(MAX_TRIES):
        try:
            stored = store.read(key)
        except NotThere:
            before, tag = None, None
        else:
            before, tag = stored.content, stored.tag
        after = change(before)
        if after is None or after == before:
            return
        try:
            store.replace(key, after, tag)
        except PointerMoved:
            continue
        return
    raise PointerMoved(f"{key} was changed by other writers {MAX_TRIES} times in a row: try again later")


def update_json(store: Store, key: str, change: Callable[[JsonObject], JsonObject]) -> None:
    """Write a JSON object with `change` made to it; an object that does not exist yet is empty."""
    update_object(store, key, lambda content: to_json_bytes(change(_parse_json(key, content))))


def read_json(store: StoreReader, key: str) -> JsonObject:
    """Read a JSON object; an empty one if there is none. Raises: StoreCorrupt: it is not JSON."""
    try:
        return _parse_json(key, store.read(key).content)
    except NotThere:
        return {}


def compress(content: bytes) -> bytes:
    """Compress an object that only we read; the same content gives the same bytes."""
    return gzip.compress(content, mtime=0)


def is_compressed(content: bytes) -> bool:
    """True if an object of ours, which is JSON otherwise, is compressed."""
    return content.startswith(_GZIP)


def decompress(content: bytes) -> bytes:
    """The content of an object of ours, compressed or not."""
    return gzip.decompress(content) if is_compressed(content) else content


def delete_prefix(store: Store, prefix: str) -> None:
    """Delete every object whose key begins with `prefix`."""
    for key in list(store.keys(prefix)):
        store.delete(key)


def sha256_of(content: bytes | Path | HashedFile) -> str:
    """The sha256 of bytes or of a local file, in hex digits."""
    if isinstance(content, HashedFile):
        return content.sha256
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _parse_json(key: str, content: bytes | None) -> JsonObject:
    try:
        document: JsonObject = json.loads(content) if content is not None else {}
    except ValueError as error:
        raise StoreCorrupt(f"{key} is not JSON: {error}") from error
    return document
