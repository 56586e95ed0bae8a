"""Histories: reading and amending the pointers of series, and bringing what they name."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from piperoll import layout
from piperoll.errors import NotThere, PointerMoved, StoreCorrupt
from piperoll.model import History, Listing, Manifest, Series, Status, Version, file_entry
from publishers.change_log import log_series_change, logging_series_change
from publishers.stores.protocol import Store, StoreReader

TRIES = 100
"""Each time we lose, someone else has written; so many rivals at once for one series are a fault, not a race."""

_HEAD_BYTES = 65_536
_FIRST_ROWS = 10


def read_history(store: StoreReader, series: Series) -> tuple[History, str | None]:
    """The history of a series and the tag of its pointer; an empty history and None where there is none yet."""
    try:
        stored = store.read(layout.pointer(series))
    except NotThere:
        return History(series), None
    history = History.from_bytes(stored.content)
    if history.series != series:
        raise StoreCorrupt(f"{layout.pointer(series)} is the pointer of {history.series}")
    return history, stored.tag


def amend_history(store: Store, series: Series, change: Callable[[History], History]) -> History:
    """Write the pointer with `change` made to the history that stands, whoever else is writing it; what it says then.

    Raises: PointerMoved (retryable): others write it faster than we can.
    """
    for _ in range(TRIES):
        history, tag = read_history(store, series)
        after = change(history)
        if after == history:  # it may have been written by a run that was killed before it could say so
            log_series_change(store, series)
            return after
        try:
            with logging_series_change(store, series):
                store.replace(layout.pointer(series), after.to_bytes(), tag)
        except PointerMoved:
            continue
        return after
    raise PointerMoved(f"{series} was written by others {TRIES} times while we tried: try again later")


def fetch_version(store: StoreReader, series: Series, version: Version, folder: Path) -> Path:
    """Bring every file of a version into `folder`, each compared with the manifest; the folder.

    Raises: StoreCorrupt: a file is not what the manifest says, or the manifest not what the history says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = layout.version_folder(series, version)
    store.fetch(f"{place}manifest.json", folder / "manifest.json")
    if file_entry(folder, "manifest.json").sha256 != version.manifest_sha256:
        raise StoreCorrupt(f"{place}manifest.json is not the one that {layout.pointer(series)} names")
    for entry in Manifest.from_bytes((folder / "manifest.json").read_bytes()).files:
        store.fetch(place + entry.path, folder / entry.path)
        if file_entry(folder, entry.path) != entry:
            raise StoreCorrupt(f"{place}{entry.path} is not the file that its manifest names")
    return folder


def list_series(store: Store, dataset: str = "", body: str = "") -> Iterator[Series]:
    """Every series in the store, in order of key; or only those of a dataset, or of a body for a dataset."""
    prefix = "/".join(["data", *filter(None, (dataset, body)), ""])
    for key in store.keys(prefix):
        if key.endswith("/versions.json") and key.count("/") == 4:
            yield Series.parse(key.removeprefix("data/").removesuffix("/versions.json"))


def read_listings(store: Store) -> Iterator[Listing]:
    """Every series with what its current version says of itself, in order of key."""
    return (read_listing(store, series) for series in list_series(store))


def read_listing(store: Store, series: Series) -> Listing:
    """One series with what its current version says of itself."""
    history, _ = read_history(store, series)
    if history.standing is None:
        return Listing(history, None, None, None, earlier=_earlier(store, history))
    place = layout.version_folder(series, history.standing)
    return Listing(
        history,
        Manifest.from_bytes(store.read(f"{place}manifest.json").content),
        _json(store, f"{place}datapackage.json"),
        _json(store, f"{place}report.json"),
        _first_rows(store, f"{place}{series.dataset}.csv"),
        earlier=_earlier(store, history),
    )


def _earlier(store: Store, history: History) -> dict[int, Manifest]:
    """The manifests of the versions that do not stand and are served all the same."""
    return {
        version.version: Manifest.from_bytes(
            store.read(layout.release_file(history.series, version, "manifest.json")).content
        )
        for version in history.versions
        if version.status is Status.SUPERSEDED
    }


def delete_prefix(store: Store, prefix: str) -> None:
    """Remove every object whose key begins with `prefix`."""
    for key in list(store.keys(prefix)):
        store.delete(key)


def _json(store: Store, key: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(store.read(key).content)
    return document


def _first_rows(store: Store, key: str) -> tuple[tuple[str, ...], ...]:
    """The header and the first rows of a CSV, from its first bytes; a row that is cut short is left out."""
    head = store.read(key, first=_HEAD_BYTES).content
    rows = list(csv.reader(io.StringIO(head.decode("utf-8", errors="ignore"), newline="")))
    whole = rows if len(head) < _HEAD_BYTES else rows[:-1]
    return tuple(tuple(row) for row in whole[: _FIRST_ROWS + 1])
