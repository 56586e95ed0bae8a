"""A store as one batch of a run sees it: what the batch has read or written it does not ask for again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias, cast

from piperoll import layout
from piperoll.errors import NotThere
from publishers.stores.protocol import HashedFile, Store, StoredObject

_KEPT = (layout.DATA, layout.MAPPINGS, layout.RECEIVED_BYTES)
"""The prefixes of objects that a view keeps: received bytes, and what is changed by conditional write only."""
_LISTED = (layout.DECISIONS, layout.tombstones_prefix())
"""The prefixes of which a view keeps listings: decisions, and what was purged before."""
_MOST_BYTES = 32 << 20
"""The bytes that a view keeps: those of a batch as received, which are half of it, and of the releases it compares."""
_MOST_OBJECT_BYTES = 16 << 20

Seen: TypeAlias = tuple[tuple[str, StoredObject | tuple[str, ...] | None], ...]
"""What a view has seen: objects by key, None for one that is not there; and keys by the prefix that was listed."""


class StoreView:
    """A view of a store for a batch, which is used by one thread.

    It keeps the bytes and tags of some objects (`_KEPT`), also that there are none, and some listings (`_LISTED`). What
    it says may be older than the store, by the length of a batch: that is as if the batch had been that much quicker.
    A conditional write with an old tag is refused, and then the object is read anew. Where something else is to be as
    it is now, call `forget_seen`, or take `latest`.
    """

    def __init__(self, store: Store, seen: Iterable[Seen] = ()) -> None:
        self.store = store
        self._objects: dict[str, StoredObject | None] = {}
        self._bytes = 0
        self._listings: dict[str, tuple[str, ...]] = {}
        self._folders: dict[str, set[str]] = {}
        for key, what in (one for some in seen for one in some):
            if isinstance(what, tuple):
                self._listings[key] = what
            else:
                self._keep(key, what)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def forget(self) -> None:
        """Read and list everything again from now on."""
        self._objects.clear()
        self._listings.clear()
        self._folders.clear()
        self._bytes = 0

    def export(self, keys: Iterable[str], prefixes: Iterable[str]) -> Seen:
        """What has been seen of some objects and listings, for another view."""
        objects = tuple((key, self._objects[key]) for key in keys if key in self._objects)
        return objects + tuple(
            (prefix, found) for prefix in prefixes if (found := self._find_listing(prefix)) is not None
        )

    def read(self, key: str, *, first: int | None = None) -> StoredObject:
        """Read an object, unless it has been seen."""
        if first is not None or not key.startswith((*_KEPT, *_LISTED)):
            return self.store.read(key, first=first)
        if key in self._objects:
            found = self._objects[key]
        elif self._find_listing(key) == () or self._is_in_no_folder(key):
            found = None
        else:
            try:
                found = self.store.read(key)
            except NotThere:
                found = None
            if key.startswith(_KEPT):
                self._keep(key, found)
        if found is None:
            raise NotThere(f"there is nothing under {key}")
        return found

    def keys(self, prefix: str = "") -> Iterator[str]:
        """List keys; some are listed once."""
        if not prefix.startswith(_LISTED):
            return self.store.keys(prefix)
        found = self._find_listing(prefix)
        if found is None:
            found = self._listings[prefix] = tuple(self.store.keys(prefix))
        return iter(found)

    def folders(self, prefix: str) -> Iterator[str]:
        """List folders, once."""
        if prefix not in self._folders:
            self._folders[prefix] = set(self.store.folders(prefix))
        return iter(sorted(self._folders[prefix]))

    def create(self, key: str, content: bytes | Path | HashedFile) -> bool:
        """Write once; received bytes are kept."""
        self._drop(key)
        is_new = self.store.create(key, content)
        if isinstance(content, bytes) and key.startswith(layout.RECEIVED_BYTES):
            self._keep(key, StoredObject(content, ""))  # nothing replaces them, so they need no tag
        return is_new

    def replace(self, key: str, content: bytes, tag: str | None) -> str:
        """Write a pointer if its tag is still `tag`; if it is not, the pointer is read anew."""
        self._drop(key)
        written = self.store.replace(key, content, tag)
        if key.startswith(_KEPT):
            self._keep(key, StoredObject(content, written))
        return written

    def put(self, key: str, content: bytes) -> None:
        """Write what can be made again."""
        self._drop(key)
        self.store.put(key, content)

    def delete(self, key: str) -> None:
        """Delete an object."""
        self._drop(key)
        self.store.delete(key)

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete objects."""
        names = list(keys)
        for key in names:
            self._drop(key)
        self.store.delete_many(names)

    def _keep(self, key: str, found: StoredObject | None) -> None:
        size = len(found.content) if found else 0
        if self._bytes + size > _MOST_BYTES:
            self._objects.clear()
            self._bytes = 0
        if size <= _MOST_OBJECT_BYTES:
            self._objects[key] = found
            self._bytes += size

    def _drop(self, key: str) -> None:
        """Forget an object that is about to be written: it is known again when that has succeeded."""
        if (found := self._objects.pop(key, None)) is not None:
            self._bytes -= len(found.content)
        for prefix in [one for one in self._listings if key.startswith(one)]:
            del self._listings[prefix]
        for prefix, folders in self._folders.items():
            if key.startswith(prefix) and "/" in key[len(prefix) :]:
                folders.add(key[len(prefix) :].partition("/")[0])

    def _find_listing(self, prefix: str) -> tuple[str, ...] | None:
        """What is known to be below a prefix: it was listed, or one that it begins with."""
        for listed, found in self._listings.items():
            if prefix.startswith(listed):
                return tuple(key for key in found if key.startswith(prefix))
        return None

    def _is_in_no_folder(self, key: str) -> bool:
        """True if the folder in which an object would be is known not to exist."""
        return any(
            key.startswith(prefix) and "/" in key[len(prefix) :] and key[len(prefix) :].partition("/")[0] not in folders
            for prefix, folders in self._folders.items()
        )


def view_store(store: Store, seen: Iterable[Seen] = ()) -> Store:
    """A view of a store, which is a store; it begins with what other views have `seen`."""
    return cast("Store", StoreView(latest(store), seen))


def latest(store: Store) -> Store:
    """The store behind a view: what it says is so now. Any other store is returned as it is."""
    return store.store if isinstance(store, StoreView) else store


def forget_seen(store: Store) -> None:
    """Let a view read everything again; any other store does so anyway."""
    if isinstance(store, StoreView):
        store.forget()


def export_seen(store: Store, keys: Iterable[str], prefixes: Iterable[str]) -> Seen:
    """What a view has seen of some objects and listings; nothing of any other store."""
    return store.export(keys, prefixes) if isinstance(store, StoreView) else ()
