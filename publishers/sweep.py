"""Sweeping up what killed publishers left: files that no pointer names and nobody is writing any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from piperoll import layout
from piperoll.errors import NotThere
from piperoll.model import History, Series
from publishers.consolidated import list_unreferenced
from publishers.pointer import read_history
from publishers.stores.protocol import Store

SAFE_SECONDS = 24 * 3600
"""No publisher works on one release for so long: what is older and unnamed can be named by nobody any more."""

_VERSION_PARTS = 5
"""data/{dataset}/{body}/{period}/{folder}/…: what has as many parts or more belongs to a version or to its changes."""


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep removed: keys that no pointer names, and pieces of writes that were never finished.

    `waiting` are keys that no pointer names and that may still be in someone's hands.
    """

    removed: tuple[str, ...]
    unfinished: int
    waiting: tuple[str, ...]


def sweep_store(store: Store, *, older_than: float = SAFE_SECONDS) -> SweepResult:
    """Remove every orphan that was written at least `older_than` seconds ago.

    An orphan is a file of a version or of differences that the pointer of its series does not name, or a consolidated
    file that its year's does not. One that is still
    being uploaded will be named when its pointer is written: so the youngest file of a folder decides for all of it. A
    rerun that finds its files there makes them young again, and each is looked at once more as it is removed.
    """
    removed: list[str] = []
    waiting: list[str] = []
    for folder in (*_orphans(store), *([key] for key in list_unreferenced(store))):
        ages = [age for key in folder if (age := _age(store, key)) is not None]
        if ages and min(ages) < older_than:
            waiting += folder
            continue
        for key in folder:
            (removed if store.discard(key, older_than) else waiting).append(key)
    return SweepResult(tuple(removed), store.abandon(older_than), tuple(waiting))


def _age(store: Store, key: str) -> float | None:
    try:
        return store.age(key)
    except NotThere:  # whoever wrote it has removed it
        return None


def _orphans(store: Store) -> Iterator[list[str]]:
    """The files that no pointer names, folder by folder; each file of differences by itself."""
    keys = [key for key in store.keys("data/") if key.count("/") >= _VERSION_PARTS]
    for place, found in groupby(keys, key=lambda key: "/".join(key.split("/")[:4])):
        there = list(found)
        named = _named(read_history(store, Series.parse(place.removeprefix("data/")))[0])
        for _, folder in groupby(there, key=_unit):
            files = list(folder)
            if not any(files[0].startswith(name) for name in named):
                yield files


def _unit(key: str) -> str:
    """What is there or not as a whole: a version's folder, or one file of differences."""
    parts = key.split("/")
    return key if parts[4] == "changes" else parts[4]


def _named(history: History) -> list[str]:
    """The prefixes of everything that a pointer names."""
    prefix = layout.series_folder(history.series)
    folders = [f"{prefix}{version.path}/" for version in history.versions]
    changes = [version.changes.file.path for version in history.versions if version.changes and version.changes.file]
    return [*folders, *(prefix + path for path in changes)]
