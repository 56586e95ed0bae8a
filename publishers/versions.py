"""Publishing the next version of a series: whether a release becomes one, and the commit that makes it so.

`publish_release` follows the commit protocol of docs/publishing.md: data first, each file verified, the pointer last.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from piperoll import layout
from piperoll.errors import PointerMoved
from piperoll.findings import make_finding
from piperoll.model import (
    Address,
    Cause,
    Changes,
    Differences,
    Finding,
    History,
    Manifest,
    Packed,
    Series,
    Status,
    Submission,
    Version,
    file_entry,
    format_decimal,
)
from piperoll.scratch import scratch_folder
from publishers.change_log import log_series_change, logging_series_change
from publishers.index import update_index
from publishers.pointer import fetch_version, read_history
from publishers.purge import refuse_purged_sources
from publishers.stores.protocol import MAX_TRIES, HashedFile, Store, delete_prefix

CompareVersions: TypeAlias = Callable[[Path, Path, Path], Differences]
"""Compares the versions in two folders and writes the rows that differ to a file, as `releasing.compare_versions` does
for a given dataset."""

_MIN_PERCENT = 80
"""Hold a release with less than this share of the current rows or pounds: a file that was cut short is commoner than a
correction that removes a fifth."""

_RANDOM = random.SystemRandom()

_MAX_DOUBLINGS = 3
"""A publisher that keeps losing waits for up to 2^3 times the length of its upload: room for the rivals that one series
may have."""


class Decision(StrEnum):
    """What someone has decided about a release: nothing, that it replaces the current version, or is added to it.

    `RESTATE` is a release of the same files, examined again because of a decision about values in them.
    """

    NORMAL = "normal"
    REPLACE = "replace"
    ADD = "add"
    RESTATE = "restate"


@dataclass(frozen=True, slots=True)
class Published:
    """The release is the new current version."""

    version: Version


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The current version has the same rows: there is no new version."""

    version: Version


@dataclass(frozen=True, slots=True)
class OnHold:
    """Nothing is published until someone decides `replace` or `add`; the finding gives the reason."""

    finding: Finding


Outcome: TypeAlias = Published | Unchanged | OnHold


def decide_outcome(
    history: History, manifest: Manifest, decision: Decision = Decision.NORMAL
) -> Unchanged | OnHold | None:
    """Decide what becomes of a release, from the history and its manifest alone; None: it is the next version.

    The same rows, in whatever bytes, order or file, are Unchanged. Unless someone has decided otherwise, a release is
    OnHold if it is much smaller than the current version or has the rows of a version that was taken back.
    """
    current = history.current_version
    if current is not None and current.rows_sha256 == manifest.rows_sha256:
        return Unchanged(current)
    if decision is not Decision.NORMAL:
        return None
    finding = _find_taken_back(history, manifest) or (_find_shrinkage(current, manifest) if current else None)
    return OnHold(finding) if finding else None


def publish_release(  # noqa: PLR0913 - keyword-only options
    store: Store,
    packed: Packed,
    *,
    reason: str,
    now: str,
    received: str | None = None,
    decision: Decision = Decision.NORMAL,
    compare: CompareVersions | None = None,
    of: Submission | None = None,
) -> Outcome:
    """Publish a release as the next version of its series.

    `reason` says in words why this version came; `now`, and `received` (when its file came), are ISO 8601 instants in
    UTC. All three are written to versions.json. With `compare`, the differences from the current version are published
    too. If we are killed at any moment, readers see the old version or the new, and the same call again finishes the
    job.

    `of` is the submission of which the caller files the reports afterwards (`file_reports`): that it was purged
    meanwhile is found then, and the caller has logged the change of both (`logging_publication`).

    Raises: PointerMoved (retryable): others publish to this series faster than we can, or the release was added to a
    version that is no longer current. StoreCorrupt: what is stored is not what was written; the pointer is
    unchanged. BytesPurged: a submission in the release was purged, and nothing of it stays published.
    """
    series = packed.manifest.series
    sources = set(packed.manifest.sources) - ({of.sha256} if of else set())
    for losses in range(MAX_TRIES):
        began = time.monotonic()
        history, tag = read_history(store, series)
        outcome = decide_outcome(history, packed.manifest, decision)
        if outcome is not None:
            if isinstance(outcome, Unchanged):  # a run may have been killed before it wrote the index and the log
                update_index(store, series)
                if of is None:
                    log_series_change(store, series)
            return outcome
        current = history.current_version
        if decision is Decision.ADD and current and not set(current.sources) <= set(packed.manifest.sources):
            raise PointerMoved(f"{series} has a newer version than the one that was added to: add to that")
        version = _next_version(history, packed.manifest, decision, reason, now, received)
        refuse_purged_sources(store, series, sources)
        if compare is not None and current is not None:
            version = replace(version, changes=_write_differences(store, current, packed, version, compare))
        _upload(store, packed, version)
        written = _add_version(history, version)
        try:
            with logging_series_change(store, series) if of is None else nullcontext():
                store.replace(layout.pointer(series), written.to_bytes(), tag)
        except PointerMoved:
            winner = _remove_lost_version(store, series, version)
            if winner is not None and _is_our_write(winner, version):  # we won, the answer was lost, others followed
                update_index(store, series)
                if of is None:
                    log_series_change(store, series)
                return Published(winner)
            # Rivals that go on in step would all upload in vain: wait for a random time, longer after each loss.
            time.sleep(_RANDOM.uniform(0, (time.monotonic() - began) * 2 ** min(losses, _MAX_DOUBLINGS)))
        else:
            refuse_purged_sources(store, series, sources)
            update_index(store, series, written)
            return Published(version)
    raise PointerMoved(f"{series} was published to by others {MAX_TRIES} times in a row: try again later")


def describe_series(series: Series) -> str:
    """A series in the words of a message to its body: `spend (card) of October 2026`."""
    part = f" ({series.part})" if series.part else ""
    return f"{series.dataset}{part} of {series.period.title}"


def _find_taken_back(history: History, manifest: Manifest) -> Finding | None:
    """The finding that holds a release with the rows of a version that was withdrawn or purged."""
    for version in history.versions:
        if version.ended is not None and version.rows_sha256 == manifest.rows_sha256 and manifest.rows:
            return make_finding(
                "taken-back-before",
                Address(),
                table=describe_series(manifest.series),
                version=version.version,
                status=version.status,
                date=version.ended[:10],
            )
    return None


def _find_shrinkage(current: Version, manifest: Manifest) -> Finding | None:
    """The finding that holds a release which is much smaller than the current version."""
    table, number = describe_series(manifest.series), current.version
    if manifest.rows == 0 and current.rows > 0:
        return make_finding("nil-over-rows", table=table, version=number, rows=current.rows)
    if manifest.rows * 100 < current.rows * _MIN_PERCENT:
        return make_finding(
            "fewer-rows-than-before", table=table, version=number, rows=manifest.rows, before=current.rows
        )
    before, after = current.amount_gbp, manifest.amount_gbp
    if not before or after is None:
        return None
    least = before * _MIN_PERCENT / 100
    if after < least if before > 0 else after > least:  # a negative total is reached from above
        return make_finding(
            "fewer-pounds-than-before",
            table=table,
            version=number,
            pounds=_format_pounds(after),
            before=_format_pounds(before),
        )
    return None


def _format_pounds(amount: Decimal) -> str:
    whole, _, pence = format_decimal(abs(amount)).partition(".")
    return f"{'-' if amount < 0 else ''}£{int(whole):,}.{pence}"


def _next_version(
    history: History, manifest: Manifest, decision: Decision, reason: str, now: str, received: str | None
) -> Version:
    number = max((version.version for version in history.versions), default=0) + 1
    # time never runs backwards in a history, even if a clock was set back: it says what was known on a day
    published = max([now, *(version.published for version in history.versions)])
    return Version(
        version=number,
        path=layout.version_name(number, manifest.sha256),
        manifest_sha256=manifest.sha256,
        published=published,
        status=Status.CURRENT,
        supersedes=history.current,
        reason=reason,
        rows=manifest.rows,
        amount_gbp=manifest.amount_gbp,
        rows_sha256=manifest.rows_sha256,
        sources=manifest.sources,
        rules_version=manifest.rules_version,
        received=received,
        cause=_find_cause(history, manifest, decision),
    )


def _find_cause(history: History, manifest: Manifest, decision: Decision) -> Cause:
    """Why the next version came. The same submissions with other rows mean that a mapping or a rule of ours changed."""
    current = history.current_version
    if not history.versions:
        return Cause.FIRST
    if decision is Decision.ADD:
        return Cause.ADDITION
    if decision is Decision.RESTATE:
        return Cause.DECISION
    if current is None or set(current.sources) != set(manifest.sources):
        return Cause.CORRECTION
    return Cause.MAPPING if current.rules_version == manifest.rules_version else Cause.RULES


def _write_differences(
    store: Store, current: Version, packed: Packed, version: Version, compare: CompareVersions
) -> Changes:
    """Write the rows that differ from the current version; no reader knows of them until the pointer names them."""
    series = packed.manifest.series
    with scratch_folder("differences") as scratch:
        written = scratch / "changes.csv"
        found = compare(fetch_version(store, series, current, scratch / "current"), packed.folder, written)
        entry = file_entry(written.parent, written.name)
        path = layout.differences_name(current.version, version.version, entry.sha256)
        store.create(layout.series_folder(series) + path, written)
    return Changes(current.version, found, replace(entry, path=path))


def _add_version(history: History, version: Version) -> History:
    """The history with `version` current and the one that was current superseded."""
    before = tuple(
        replace(one, status=Status.SUPERSEDED) if one.version == history.current else one for one in history.versions
    )
    return History(history.series, (*before, version), version.version)


def _upload(store: Store, packed: Packed, version: Version) -> None:
    """Write every file of a version and then its manifest; files that a killed run has written already are kept."""
    series = packed.manifest.series
    for entry in packed.manifest.files:
        file = HashedFile(packed.folder / entry.path, entry.sha256)
        store.create(layout.release_file(series, version, entry.path), file)
    store.create(layout.release_file(series, version, "manifest.json"), packed.manifest.to_bytes())


def restore_files(store: Store, packed: Packed, version: Version) -> None:
    """Write the files of a version again that are missing; `packed` has the same manifest."""
    _upload(store, packed, version)


def _remove_lost_version(store: Store, series: Series, lost: Version) -> Version | None:
    """Remove the files of a version that lost the race for its number; return the version that has the number.

    Files that the winner names too are kept. Nobody can be reading the others: once a number is awarded, no pointer can
    ever name another folder of that number.
    """
    history, _ = read_history(store, series)
    winner = history.version(lost.version)
    if winner is None:
        return None
    if winner.path != lost.path:
        delete_prefix(store, layout.version_folder(series, lost))
    our_differences = lost.changes and lost.changes.file
    if our_differences and our_differences != (winner.changes and winner.changes.file):
        store.delete(layout.series_folder(series) + our_differences.path)
    return winner


def _is_our_write(winner: Version, ours: Version) -> bool:
    """True if a version in the history is what we wrote, whatever happened to it since."""
    return replace(winner, status=ours.status, ended=None, because=None, changes=ours.changes) == ours
