"""The index and the pointers of a store, cached for seconds and read again only when they have changed."""

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
from piperoll.model import History, Manifest, Register, Series, Version, YearAccount
from publishers import Store
from publishers.published_bodies import register_from

T = TypeVar("T")

INDEX_SECONDS = 2.0
"""How long a page of the index is used without asking the store. A new release is visible after this time."""
POINTER_SECONDS = 30.0
"""How long a pointer is used while its entry in the index is the same; its `Cache-Control` allows twice as long.

A release or withdrawal changes the pointer and then the index, so it is visible with the index. Only if the publisher
is killed between the two writes does a pointer stay ahead of the index.
"""
_CACHED_DOCUMENTS = 20_000
"""Documents kept in memory; with some kilobytes each, about 100 MB."""
_CONCURRENT_REQUESTS = 16
"""Requests to a bucket at a time. A folder is read by one thread, since its files are local."""


@dataclass(frozen=True, slots=True)
class _CacheEntry(Generic[T]):
    value: T | None
    tag: str
    checked: float


class _LruCache(Generic[T]):
    """A dictionary of bounded size for several threads; the entry that was used longest ago goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[str, _CacheEntry[T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> _CacheEntry[T] | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: str, entry: _CacheEntry[T]) -> None:
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


class PublishedIndex:
    """The published series of a store, for several threads.

    Every method raises StoreUnavailable (retryable) if the store does not answer.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self.store = store
        self.generation = 0
        """How often everything was forgotten: what others keep of an earlier generation is out of date."""
        self._clock = clock
        self._pages: _LruCache[Mapping[str, Any]] = _LruCache(_CACHED_DOCUMENTS)
        self._histories: _LruCache[History] = _LruCache(_CACHED_DOCUMENTS)
        self._immutable: _LruCache[bytes] = _LruCache(_CACHED_DOCUMENTS)
        self._accounts: _LruCache[YearAccount] = _LruCache(_CACHED_DOCUMENTS)
        self._register: tuple[Mapping[str, Any], Register] | None = None
        self._pool = ThreadPoolExecutor(_CONCURRENT_REQUESTS, "index") if store.local_path("data") is None else None

    def register(self) -> Register:
        """The register of bodies, with those of the catalogue of this store, which can be an operator's own."""
        page = self._page(layout.BODIES_LIST)
        kept = self._register
        if kept is None or (kept[0] is not page and kept[0] != page):
            self._register = kept = (page, register_from(page))
        return kept[1]

    def datasets(self) -> dict[str, tuple[str, ...]]:
        """The datasets in the store, each with the bodies that have published it."""
        return self._list(layout.INDEX)

    def measures(self) -> tuple[str, ...]:
        """The measures in the store, whose series are not those of a dataset and body."""
        return self._list(layout.MEASURES_INDEX).get(layout.MEASURES, ())

    def _list(self, root: str) -> dict[str, tuple[str, ...]]:
        """What one of the two root indexes lists: of datasets, or of measures."""
        datasets = self._page(root).get("datasets", {})
        return {name: tuple(bodies) for name, bodies in sorted(datasets.items())}

    def datasets_by_body(self) -> dict[str, list[str]]:
        """The bodies in the store, each with the datasets that it has published."""
        bodies: dict[str, list[str]] = {}
        for name, slugs in self.datasets().items():
            for slug in slugs:
                bodies.setdefault(slug, []).append(name)
        return dict(sorted(bodies.items()))

    def entries(self, dataset: str, bodies: Sequence[str] = ()) -> dict[Series, Any]:
        """The series of a dataset (only of `bodies`, if any are given) with their entries in the index, in order."""

        def entries_of(body: str) -> dict[Series, Any]:
            entries: dict[Series, Any] = {}
            for page in self.body_pages(dataset, body):
                entries |= {Series.parse(name): entry for name, entry in page.get("series", {}).items()}
            return entries

        published = self._list(layout.root_index(dataset)).get(dataset, ())
        found: dict[Series, Any] = {}
        for entries in self.map(entries_of, [body for body in published if not bodies or body in bodies]):
            found |= entries
        return dict(sorted(found.items()))

    def body_pages(self, dataset: str, body: str) -> list[Mapping[str, Any]]:
        """The pages of the index with the series of a body. A page that has not changed is the same object."""
        years = self._page(layout.body_index(dataset, body)).get("years", ())
        return [self._page(layout.year_index(dataset, body, year)) for year in years]

    def histories(self, entries: Mapping[Series, Any]) -> Iterator[History]:
        """The histories of the series, read from their pointers, in the order given."""
        return self.map(lambda item: self._history(*item), entries.items())

    def history(self, series: Series) -> History | None:
        """The history of one series; None if it is not published."""
        if series.body not in self._list(layout.root_index(series.dataset)).get(series.dataset, ()):
            return None
        page = self._page(layout.year_index(series.dataset, series.body, series.period.start.year))
        entry = page.get("series", {}).get(str(series))
        return None if entry is None else self._history(series, entry)

    def manifest(self, series: Series, version: Version) -> Manifest:
        """The manifest of a version. Raises: StoreCorrupt: its hash is not the one in the pointer. NotThere."""
        key = layout.release_file(series, version, "manifest.json")
        return Manifest.from_bytes(self._read_immutable(key, version.manifest_sha256))

    def descriptor(self, series: Series, version: Version) -> dict[str, Any]:
        """The Data Package descriptor of a version. Raises: StoreCorrupt, NotThere."""
        hashes = {entry.path: entry.sha256 for entry in self.manifest(series, version).files}
        key = layout.release_file(series, version, "datapackage.json")
        document: dict[str, Any] = json.loads(self._read_immutable(key, hashes["datapackage.json"]))
        return document

    def consolidated(self, dataset: str) -> dict[str, Mapping[str, Any]]:
        """For each year of a dataset that has consolidated files, the entries of its bodies in the index."""
        years = self._page(layout.CONSOLIDATED_INDEX).get("datasets", {}).get(dataset, ())
        pages = self.map(lambda year: self._page(layout.consolidated_index(dataset, year)), years)
        return {year: page.get("bodies", {}) for year, page in zip(years, pages, strict=True)}

    def account(self, dataset: str, year: str, entry: Mapping[str, Any]) -> YearAccount:
        """The account of a body's consolidated year, by its entry in the index. Raises: StoreCorrupt, NotThere."""
        key, sha256 = layout.consolidated_file(dataset, year, entry["json"]["path"]), entry["json"]["sha256"]
        cached = self._accounts.get(key)
        if cached is not None and cached.value is not None:
            return cached.value
        content: bytes = self.store.read(key).content
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreCorrupt(f"{key} does not match the hash in the index")
        account = YearAccount.from_json(json.loads(content))
        self._accounts.put(key, _CacheEntry(account, sha256, 0))
        return account

    def now(self) -> float:
        """The time by the clock of the index, in seconds."""
        return self._clock()

    def forget(self) -> None:
        """Forget what can change, because a file that a pointer names was missing."""
        self.generation += 1
        self._pages.clear()
        self._histories.clear()

    def map(self, function: Callable[[Any], T], items: Iterable[Any]) -> Iterator[T]:
        """The results of `function` in order; for a bucket, several calls run at a time."""
        return map(function, items) if self._pool is None else self._pool.map(function, items)

    def _page(self, key: str) -> Mapping[str, Any]:
        """A page of the index; an empty one if it is not there."""

        def parse(content: bytes) -> Mapping[str, Any]:
            try:
                page: Mapping[str, Any] = json.loads(content)
            except ValueError as error:
                raise StoreCorrupt(f"{key} is not JSON: {error}") from error
            return page

        return self._read_current(self._pages, key, INDEX_SECONDS, parse) or {}

    def _history(self, series: Series, entry: Any) -> History:
        text = json.dumps(entry, sort_keys=True)
        history = self._read_current(self._histories, layout.pointer(series), POINTER_SECONDS, History.from_bytes, text)
        return History(series) if history is None else history

    def _read_immutable(self, key: str, sha256: str) -> bytes:
        cached = self._immutable.get(key)
        if cached is not None and cached.value is not None:
            return cached.value
        content: bytes = self.store.read(key).content
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreCorrupt(f"{key} does not match the hash in its pointer or manifest")
        self._immutable.put(key, _CacheEntry(content, sha256, 0))
        return content

    def _read_current(
        self, cache: _LruCache[T], key: str, seconds: float, parse: Callable[[bytes], T], index_entry: str = ""
    ) -> T | None:
        """The object under a key; None if there is none.

        The cached value is used without asking the store if it is younger than `seconds` and `index_entry` is the same.
        Otherwise the store is asked for the object's tag, and the object is read only if the tag has changed.
        """
        cached, now = cache.get(key), self._clock()
        if cached is not None and now - cached.checked < seconds and cached.tag.endswith(f"\n{index_entry}"):
            return cached.value
        try:
            tag = self.store.stat(key).tag
            value: T | None
            if cached is not None and cached.value is not None and cached.tag.split("\n", 1)[0] == tag:
                value = cached.value
            else:
                value = parse(self.store.read(key).content)
        except NotThere:
            tag, value = "", None
        cache.put(key, _CacheEntry(value, f"{tag}\n{index_entry}", now))
        return value
