"""What is published, as pointers and index say it: kept for a moment, and read again only when it changed."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from piperoll import layout
from piperoll.errors import NotThere, StoreCorrupt
from piperoll.model import History, Manifest, Series, Version
from publishers import Store

T = TypeVar("T")

INDEX_SECONDS = 2.0
"""So long a page of the index is believed without a look: a release is seen after this time."""
POINTER_SECONDS = 60.0
"""So long a pointer is believed whose entry in the index is the same: as long as `Cache-Control` allows any reader.

A release or withdrawal changes both, so it is seen with the index. Only if the publisher is killed between the two
writes is a pointer ahead of the index.
"""
_KEPT = 20_000
"""Documents of some kilobytes each: a hundred megabytes at the most."""
_AT_ONCE = 16
"""Requests to a bucket at a time."""


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T | None
    tag: str
    looked: float


class _Memory(Generic[T]):
    """What was read last, the longest unused forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, _Kept[T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> _Kept[T] | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, kept: _Kept[T]) -> None:
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


class Shelf:
    """The published series of a store. Safe to ask from many threads; a store on this machine is asked in turn.

    Every method raises StoreUnavailable (retryable) where the store does not answer.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self.store = store
        self._clock = clock
        self._pages: _Memory[Mapping[str, Any]] = _Memory(_KEPT)
        self._histories: _Memory[History] = _Memory(_KEPT)
        self._for_ever: _Memory[bytes] = _Memory(_KEPT)
        self._pool = ThreadPoolExecutor(_AT_ONCE, "shelf") if store.local("data") is None else None

    def datasets(self) -> dict[str, tuple[str, ...]]:
        """The bodies that each dataset is published of."""
        datasets = self._page(layout.INDEX).get("datasets", {})
        return {name: tuple(bodies) for name, bodies in sorted(datasets.items())}

    def entries(self, dataset: str, bodies: Sequence[str] = ()) -> dict[Series, Any]:
        """Every series of a dataset, or of some of its bodies, with what the index says of it, in order."""
        there = self.datasets().get(dataset, ())
        wanted = [body for body in there if body in bodies] if bodies else list(there)
        found: dict[Series, Any] = {}
        for page in self._each(self._years, [(dataset, body) for body in wanted]):
            found |= page
        return dict(sorted(found.items()))

    def histories(self, entries: Mapping[Series, Any]) -> Iterator[History]:
        """The histories of series as their pointers have them, in the order given."""
        return self._each(self._history, entries.items())

    def history(self, series: Series) -> History | None:
        """The history of one series; None: it is not published."""
        if series.body not in self.datasets().get(series.dataset, ()):
            return None
        page = self._page(layout.year_index(series.dataset, series.body, series.period.start.year))
        entry = page.get("series", {}).get(str(series))
        return None if entry is None else self._history((series, entry))

    def manifest(self, series: Series, version: Version) -> Manifest:
        """The manifest of a version, which must be the one that its pointer names. Raises: StoreCorrupt, NotThere."""
        return Manifest.from_bytes(
            self.immutable(layout.release_file(series, version, "manifest.json"), version.manifest_sha256)
        )

    def descriptor(self, series: Series, version: Version) -> dict[str, Any]:
        """The Data Package descriptor of a version. Raises: StoreCorrupt, NotThere."""
        wanted = {entry.path: entry.sha256 for entry in self.manifest(series, version).files}["datapackage.json"]
        document: dict[str, Any] = json.loads(
            self.immutable(layout.release_file(series, version, "datapackage.json"), wanted)
        )
        return document

    def immutable(self, key: str, sha256: str) -> bytes:
        """A small object that is written once. Raises: StoreCorrupt: it has another hash than it should have."""
        kept = self._for_ever.get(key)
        if kept is None:
            content: bytes = self.store.read(key).content
            if hashlib.sha256(content).hexdigest() != sha256:
                raise StoreCorrupt(f"{key} is not the file that its pointer names")
            self._for_ever.put(key, _Kept(content, sha256, 0))
            return content
        return bytes(kept.value or b"")

    def forget(self) -> None:
        """Believe nothing that may have changed: something that a pointer named was not there."""
        self._pages.clear()
        self._histories.clear()

    def each(self, do: Callable[[Any], T], of: Iterable[Any]) -> Iterator[T]:
        """The results of `do` in order; several at a time where each is a request to a bucket."""
        return self._each(do, of)

    def _each(self, do: Callable[[Any], T], of: Iterable[Any]) -> Iterator[T]:
        return map(do, of) if self._pool is None else self._pool.map(do, of)

    def _years(self, line: tuple[str, str]) -> dict[Series, Any]:
        dataset, body = line
        found: dict[Series, Any] = {}
        for year in self._page(layout.body_index(dataset, body)).get("years", ()):
            page = self._page(layout.year_index(dataset, body, year)).get("series", {})
            found |= {Series.parse(name): entry for name, entry in page.items()}
        return found

    def _page(self, key: str) -> Mapping[str, Any]:
        page = self._current(self._pages, key, INDEX_SECONDS, _document, "")
        return {} if page is None else page

    def _history(self, entry: tuple[Series, Any]) -> History:
        series, told = entry
        found = self._current(
            self._histories,
            layout.pointer(series),
            POINTER_SECONDS,
            History.from_bytes,
            json.dumps(told, sort_keys=True),
        )
        return History(series) if found is None else found

    def _current(
        self, memory: _Memory[T], key: str, seconds: float, parse: Callable[[bytes], T], beside: str
    ) -> T | None:
        """What stands under a key: as it was, if it was looked at of late and what is told `beside` it is the same."""
        kept, now = memory.get(key), self._clock()
        if kept is not None and now - kept.looked < seconds and kept.tag.endswith(f"\n{beside}"):
            return kept.value
        try:
            tag = self.store.look(key).tag
            if kept is None or kept.tag.split("\n", 1)[0] != tag or kept.value is None:
                value: T | None = parse(self.store.read(key).content)
            else:
                value = kept.value
        except NotThere:
            tag, value = "", None
        memory.put(key, _Kept(value, f"{tag}\n{beside}", now))
        return value


def _document(content: bytes) -> Mapping[str, Any]:
    try:
        page: Mapping[str, Any] = json.loads(content)
    except ValueError as error:
        raise StoreCorrupt(f"a page of the index is no JSON: {error}") from error
    return page
