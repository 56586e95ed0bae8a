"""Removing what killed publishers left: files that no pointer names and that nobody is writing any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from piperoll import layout
from piperoll.errors import NotThere
from piperoll.model import Series
from publishers.consolidated import list_unreferenced
from publishers.pointer import read_history
from publishers.receipts import delete_draft, list_waiting
from publishers.stores.protocol import Store

DRAFT_SECONDS = 7 * 24 * 3600
"""Age in seconds from which a draft counts as abandoned, if no receipt needs its file."""

SAFE_SECONDS = 24 * 3600
"""Age in seconds from which a file that no pointer names can be removed: no publisher works on a release for a day."""


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep removed: keys that no pointer names, and a count of writes that were never finished.

    `waiting` are keys that no pointer names but that someone may still be working on.
    """

    removed: tuple[str, ...]
    unfinished: int
    waiting: tuple[str, ...]


def sweep_store(store: Store, *, older_than: float = SAFE_SECONDS) -> SweepResult:
    """Remove every orphan that was written at least `older_than` seconds ago.

    An orphan is a file of a version, or of differences, that the pointer of its series does not name, or a consolidated
    file that the index of its year does not name. While a version is uploaded, none of its files is named yet: so the
    youngest file of a folder decides for all of it. A rerun that finds its files already there makes them young again,
    and the age of each is checked once more as it is removed.
    """
    removed: list[str] = []
    waiting: list[str] = []
    for keys in (*_list_orphans(store), *([key] for key in list_unreferenced(store))):
        ages = []
        for key in keys:
            with suppress(NotThere):  # its writer has removed it since we listed it
                ages.append(store.age(key))
        if ages and min(ages) < older_than:
            waiting += keys
            continue
        for key in keys:
            (removed if store.delete_if_older(key, older_than) else waiting).append(key)
    return SweepResult(tuple(removed), store.abort_unfinished(older_than), tuple(waiting))


def _list_orphans(store: Store) -> Iterator[list[str]]:
    """The files that no pointer names: each version's folder together, each file of differences by itself."""
    found: dict[Series, dict[str, list[str]]] = {}
    for key in store.keys(layout.DATA):  # listed before any pointer is read: what is published since is no orphan
        parsed = layout.parse_version_key(key)
        if parsed is not None:
            series, unit = parsed
            found.setdefault(series, {}).setdefault(unit, []).append(key)
    for series, units in found.items():
        named: set[str] = set()
        for version in read_history(store, series)[0].versions:
            named.add(layout.version_folder(series, version))
            if version.changes and version.changes.file:
                named.add(layout.series_folder(series) + version.changes.file.path)
        yield from (keys for unit, keys in units.items() if unit not in named)


def sweep_drafts(store: Store, *, older_than: float = DRAFT_SECONDS) -> int:
    """Delete every draft in which nothing was written for `older_than` seconds; return how many.

    A draft whose file is to be processed for a receipt stays. What names it is written before the receipt, so it is
    read after the age of the draft.
    """
    drafts: dict[tuple[str, str], list[str]] = {}
    for key in store.keys(layout.DRAFTS):
        drafts.setdefault(layout.parse_draft(key), []).append(key)
    old = []
    for draft, keys in drafts.items():
        with suppress(NotThere):  # it has been submitted or given up since we listed it
            if min(map(store.age, keys)) >= older_than:
                old.append(draft)
    needed = {(receipt.body, draft) for receipt, draft in list_waiting(store)} if old else set()
    abandoned = [draft for draft in old if draft not in needed]
    for body, identifier in abandoned:
        delete_draft(store, body, identifier)
    return len(abandoned)


def sweep_access_log(store: Store, *, before: str) -> int:
    """Delete what the portal logged on days before `before` (YYYY-MM-DD); return how many entries.

    Raises: StoreError: the bucket keeps old versions of what was deleted, and does not let us delete them.
    """
    old = [key for key in store.keys(layout.access_log()) if layout.parse_access_log(key) < before]
    store.delete_many(old)
    store.erase_old_versions(layout.access_log())  # an entry is never changed: old versions are of deleted entries
    return len(old)
