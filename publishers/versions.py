"""The line of versions of a series: publishing the next one (docs/publishing.md)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from piperoll import layout
from piperoll.errors import PointerMoved, StoreCorrupt
from piperoll.model import (
    Changes,
    Differences,
    History,
    Manifest,
    Packed,
    Series,
    Status,
    Version,
    file_entry,
)
from publishers.change_log import log_series_change, logging_series_change
from publishers.index import update_index
from publishers.outcome import Decision, OnHold, Outcome, Published, Unchanged
from publishers.pointer import TRIES, delete_prefix, fetch_version, read_history
from publishers.purge import leave_nothing_purged
from publishers.stores.protocol import Store
from publishers.succession import cause_of, decide_outcome

Compare: TypeAlias = Callable[[Path, Path, Path], Differences]
"""Compares the versions in two folders and writes the rows that differ to a file: `piperoll.releasing.differences`."""


_DICE = random.SystemRandom()
_MOST_DOUBLINGS = 3
"""Eight times as long as an upload takes is room for the rivals that one series may have."""


def publish_release(
    store: Store,
    packed: Packed,
    *,
    reason: str,
    now: str,
    received: str | None = None,
    decision: Decision = Decision.NORMAL,
    compare: Compare | None = None,
) -> Outcome:
    """Publish a release as the next version of its series: data first, each file verified, the pointer last.

    `reason` says why this version came; `now`, and `received` (when its file was), are ISO 8601 instants in UTC: all
    stand in versions.json. With `compare` the differences from the version that stands are published too. Killed at any
    moment, a reader sees the old version or the new, and the same call again finishes the job.

    Raises: PointerMoved (retryable): others publish to this series faster than we can, or what is to be added was
    put together with a version that stands no longer. StoreCorrupt: what is read back is not what was written; the
    pointer is untouched. BytesPurged: the submission was purged, and nothing of it stays published.
    """
    series = packed.manifest.series
    for losses in range(TRIES):
        began = time.monotonic()
        history, tag = read_history(store, series)
        settled = decide_outcome(history, packed.manifest, decision)
        if settled is not None:
            _index_again(store, series, settled)
            return settled
        if decision is Decision.ADD:
            _refuse_if_added_to_another(history.standing, packed.manifest)
        cause = cause_of(history, packed.manifest, decision)
        version = replace(_next(history, packed.manifest, reason, now), received=received, cause=cause)
        leave_nothing_purged(store, packed.manifest)
        if compare is not None and history.standing is not None:
            version = replace(version, changes=_changes(store, history.standing, packed, version, compare))
        _upload(store, packed, layout.version_folder(series, version))
        try:
            with logging_series_change(store, series):
                store.replace(layout.pointer(series), _with(history, version).to_bytes(), tag)
        except PointerMoved:
            won = _clear(store, series, version)
            if won is not None and _says_the_same(won, version):  # we had won; the answer was lost, and others followed
                update_index(store, series)
                log_series_change(store, series)
                return Published(won)
            _give_way(time.monotonic() - began, losses)
        else:
            leave_nothing_purged(store, packed.manifest)
            update_index(store, series)
            return Published(version)
    raise PointerMoved(f"{series} was published to by others {TRIES} times while we tried: try again later")


def _index_again(store: Store, series: Series, settled: Unchanged | OnHold) -> None:
    """What stands already may have been published by a run that was killed before it came to the index and the mark."""
    if isinstance(settled, Unchanged):
        update_index(store, series)
        log_series_change(store, series)


def _refuse_if_added_to_another(standing: Version | None, manifest: Manifest) -> None:
    """Rows that stand may not be lost because they came while a union with older ones was made."""
    if standing is not None and not set(standing.sources) <= set(manifest.sources):
        raise PointerMoved(f"{manifest.series} has a newer version than the one that was added to: add to that")


def _changes(store: Store, standing: Version, packed: Packed, version: Version, compare: Compare) -> Changes:
    """Write the differences from the version that stands; they are nobody's until the pointer names them."""
    series = packed.manifest.series
    with TemporaryDirectory() as scratch:
        written = Path(scratch) / "changes.csv"
        found = compare(fetch_version(store, series, standing, Path(scratch) / "standing"), packed.folder, written)
        entry = file_entry(written.parent, written.name)
        path = f"{_changes_prefix(version)}{entry.sha256[:12]}.csv"
        store.create(layout.series_folder(series) + path, written)
    return Changes(standing.version, found, replace(entry, path=path))


def _changes_prefix(version: Version) -> str:
    return f"changes/v{version.supersedes}-v{version.version}-"


def _next(history: History, manifest: Manifest, reason: str, now: str) -> Version:
    number = max((version.version for version in history.versions), default=0) + 1
    return Version(
        version=number,
        path=f"v{number}-{manifest.sha256[:12]}",
        manifest_sha256=manifest.sha256,
        published=now,
        status=Status.CURRENT,
        supersedes=history.current,
        reason=reason,
        rows=manifest.rows,
        amount_gbp=manifest.amount_gbp,
        rows_sha256=manifest.rows_sha256,
        sources=manifest.sources,
        rules_version=manifest.rules_version,
    )


def _with(history: History, version: Version) -> History:
    """The history with `version` current and the one that stood before superseded."""
    before = tuple(
        replace(one, status=Status.SUPERSEDED) if one.version == history.current else one for one in history.versions
    )
    return History(history.series, (*before, version), version.version)


def _upload(store: Store, packed: Packed, place: str) -> None:
    """Write every file of a version and then its manifest; what is there already from a killed run is kept."""
    for entry in packed.manifest.files:
        if file_entry(packed.folder, entry.path) != entry:
            raise StoreCorrupt(f"{entry.path} is not the file that was packed: run again")
        store.create(place + entry.path, packed.folder / entry.path)
    store.create(f"{place}manifest.json", packed.manifest.to_bytes())


def _clear(store: Store, series: Series, lost: Version) -> Version | None:
    """Remove the files of a version that lost its number, unless the winner is the same release; the winner.

    Once a number is awarded, no pointer can ever name another folder of that number: nobody can be reading it.
    """
    history, _ = read_history(store, series)
    won = history.version(lost.version)
    if won is None:
        return None
    if won.path != lost.path:
        delete_prefix(store, layout.version_folder(series, lost))
    ours = lost.changes and lost.changes.file
    if ours and ours != (won.changes and won.changes.file):
        store.delete(layout.series_folder(series) + ours.path)
    return won


def _says_the_same(won: Version, ours: Version) -> bool:
    """Whether a version that the history lists is what we wrote, whatever became of it since."""
    return replace(won, status=ours.status, ended=None, because=None, changes=ours.changes) == ours


def _give_way(seconds: float, losses: int) -> None:
    """After a lost race that took so long wait, longer each time: rivals who go on in step all upload in vain."""
    time.sleep(_DICE.uniform(0, seconds * 2 ** min(losses, _MOST_DOUBLINGS)))
