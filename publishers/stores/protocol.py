"""Where bytes go: one small protocol for a folder and a bucket.

Keys are relative, parted by `/`. A key is either written once (`create`) or a pointer (`replace`,
`put` for what may be made anew at any time, such as the catalogue).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's bytes and its tag, which changes whenever the bytes do."""

    content: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object's size in bytes, and a tag that changes when the bytes do; it is not the one that `replace` takes."""

    size: int
    tag: str


class StoreReader(Protocol):
    """Anywhere that published objects can be read from: a store, or an address on the web.

    Every method raises StoreUnavailable (retryable) where the place does not answer.
    """

    def read(self, key: str, *, first: int | None = None) -> StoredObject:
        """The object under `key`, or only its first bytes. Raises: NotThere."""

    def fetch(self, key: str, to: Path) -> None:
        """Bring an object of any size into a local file. Raises: NotThere."""

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`."""


class Store(StoreReader, Protocol):
    """A folder or a bucket with conditional writes.

    Every method raises StoreUnavailable (retryable) where the store does not answer.
    """

    def look(self, key: str) -> ObjectInfo:
        """What can be told of an object without reading it. Raises: NotThere."""

    def read_range(self, key: str, start: int, stop: int, tag: str) -> bytes:
        """The bytes of an object from `start` to just before `stop`, and no others, if its tag is what `look` said.

        Raises: NotThere. PointerMoved: someone else wrote it since.
        """

    def local(self, key: str) -> Path | None:
        """Where an object (or all below a prefix) lies on this machine, whether it is there or not; None: elsewhere."""

    def create(self, key: str, content: bytes | Path) -> None:
        """Write bytes or a local file under a key that is written once, and make sure that they arrived.

        The same bytes again are no error, and are as young as if they were written now.
        Raises: AlreadyThere: the key holds other bytes; StoreCorrupt: what was stored is not what was sent.
        """

    def replace(self, key: str, content: bytes, tag: str | None) -> str:
        """Write a pointer if its tag is still `tag` (None: if there is none yet); the new tag.

        Raises: PointerMoved: someone else wrote it since.
        """

    def put(self, key: str, content: bytes) -> None:
        """Write what may be made anew at any time; readers see the old bytes or the new, never a mix."""

    def delete(self, key: str) -> None:
        """Remove an object; no error where there is none."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Every key that begins with `prefix`, in order."""

    def age(self, key: str) -> float:
        """Seconds since the object was written, by the store's own clock. Raises: NotThere."""

    def discard(self, key: str, older_than: float) -> bool:
        """Remove an object if it was written so many seconds ago; whether it is gone."""

    def abandon(self, older_than: float) -> int:
        """Remove what was begun and never finished, and is not being written now; how many pieces.

        What cannot be told from work in hand otherwise must be older than so many seconds.
        """
