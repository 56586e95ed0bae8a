"""Withdrawing a version, and purging every trace of a submission that holds personal data.

Both are written to an append-only log before anything else is done. A purge leaves a tombstone: the hash of the bytes,
so that they are refused if they come again, the reason, the day and the counts; never a value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from piperoll import layout
from piperoll.errors import BytesPurged, NotThere, StoreError, UsageError
from piperoll.model import History, Series, Status, Submission, Version, to_json_bytes
from publishers.change_log import logging_submission_change
from publishers.index import update_index
from publishers.pointer import amend_history, list_series, read_history
from publishers.receipts import forget_in_receipts, forget_uploads
from publishers.stores.protocol import (
    Store,
    compress,
    decompress,
    delete_prefix,
    is_compressed,
    read_json,
    update_object,
)
from publishers.stores.view import forget_seen, latest

_TOMBSTONES = layout.tombstone("").removesuffix(".json")
_ERASURE = f"{layout.BUILD}erase-old-versions"
"""An empty object: something was purged, and old versions of pages may show it until the next build deletes them."""
_PURGED_FILE = "a file that was purged"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of a submission that was purged: `versions` names those that held its rows, as `series/vN`.

    `rows` counts the lines of all of them. `others` are the submissions whose rows were in the same versions and were
    removed with them; they can be released again.
    """

    sha256: str
    purged: str
    because: str
    versions: tuple[str, ...]
    rows: int
    others: tuple[str, ...]


def mark_withdrawn(store: Store, series: Series, number: int, *, because: str, now: str) -> Version:
    """Mark a version as withdrawn: its files stay, and the pointer no longer names it as current.

    No older version becomes current: it was superseded for a reason. The same call again changes nothing.
    Raises: UsageError: there is no such version, or it was purged.
    """
    _write_log(store, "withdraw", now, {"series": str(series), "version": number, "because": because})

    def withdraw(history: History) -> History:
        version = history.version(number)
        if version is None or version.status is Status.PURGED:
            state = "was purged" if version else "does not exist"
            raise UsageError(f"version {number} of {series} {state}: there is nothing to withdraw")
        return _end_versions(history, {number}, Status.WITHDRAWN, because, now)

    withdrawn = amend_history(store, series, withdraw).version(number)
    update_index(store, series)
    if withdrawn is None:
        raise UsageError(f"version {number} of {series} was removed while it was being withdrawn")
    return withdrawn


def remove_submission(store: Store, sha256: str, *, because: str, now: str) -> Tombstone:
    """Purge a submission and everything made of it: pointers first, then files, reports and bytes.

    Every version that holds its rows is removed, in every series, with the differences from and to it; then its reports
    and records, and the bytes in the archive. The caller rebuilds the catalogue. If we are killed at any moment, the
    same call again finishes the job. The file's name goes too, from histories, receipts and what is kept about others.
    Uploads in parts that others have in progress are aborted; their next run repeats them.
    """
    tombstone = read_tombstone(store, sha256) or _make_tombstone(store, sha256, because, now)
    store.create(layout.tombstone(sha256), to_json_bytes(asdict(tombstone)))
    _write_log(store, "purge", tombstone.purged, asdict(tombstone))
    store.put(_ERASURE, b"")
    for series in sorted({series for series, _ in _list_versions_with(store, sha256, tombstone)}):  # some may be new
        _purge_versions(store, series, tombstone)
    for body, dataset in (senders := _list_senders(store, sha256, tombstone)):
        _forget_file_names(store, body, dataset, sha256)
        _delete_fetches(store, body, dataset, sha256)
        with logging_submission_change(store, dataset, body, sha256):
            store.delete(layout.public_report(dataset, body, sha256))
            delete_prefix(store, layout.submission_folder(body, dataset, sha256))
    for prefix in _prefixes_of(senders):  # before the links to the senders go: a purge that is killed finds them again
        store.erase_old_versions(prefix)
    uploaders = forget_uploads(store, sha256)
    forget_in_receipts(store, sorted({*uploaders, *(body for body, _ in senders)}), sha256, tombstone.purged)
    store.delete(layout.received_bytes(sha256))
    delete_prefix(store, layout.senders_prefix(sha256))
    store.abort_unfinished(0)  # what a killed process was writing may be this file or its rows
    for prefix in (layout.received_bytes(sha256), layout.senders_prefix(sha256)):
        store.erase_old_versions(prefix)
    return tombstone


def _prefixes_of(senders: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The prefixes of what is kept about files of these bodies and datasets, apart from the catalogue."""
    for body, dataset in senders:
        yield f"{layout.DATA}{dataset}/{body}/"
        yield f"{layout.REPORTS}{dataset}/{body}/"
        yield f"{layout.COLLECTED}{body}/{dataset}/"
        yield layout.mapping(body, dataset)


def erase_old_pages(store: Store) -> None:
    """Delete the old versions of everything that the catalogue's build makes, if anything was purged since.

    A build calls this at its end: then no current page shows what is purged, and old versions may.
    Raises: StoreError: the bucket keeps old versions and does not let us delete them.
    """
    if not store.exists(_ERASURE):
        return
    store.delete(_ERASURE)  # first, since a purge that happens meanwhile asks again
    try:
        _erase_pages(store)
    except StoreError:
        store.put(_ERASURE, b"")
        raise


def _erase_pages(store: Store) -> None:
    for prefix in (layout.CATALOGUE, layout.BUILD, layout.INDEX, f"{layout.DATA}{layout.MEASURES}/"):
        store.erase_old_versions(prefix)


def list_tombstones(store: Store) -> list[Tombstone]:
    """The tombstone of every submission that was purged."""
    read = (read_tombstone(store, PurePosixPath(key).stem) for key in list(store.keys(_TOMBSTONES)))
    return [tombstone for tombstone in read if tombstone]


def list_returned(store: Store) -> list[Tombstone]:
    """The tombstones of what is in the store again, as after a backup was restored."""
    return [tombstone for tombstone in list_tombstones(store) if _is_back(store, tombstone)]


def apply_tombstones(store: Store) -> int:
    """Purge again what was purged and is in the store again; return how many submissions."""
    returned = list_returned(store)
    for tombstone in returned:
        remove_submission(store, tombstone.sha256, because=tombstone.because, now=tombstone.purged)
    return len(returned)


def _is_back(store: Store, tombstone: Tombstone) -> bool:
    """Whether the bytes, a report or a version of what was purged are in the store again."""
    sha256 = tombstone.sha256
    if store.exists(layout.received_bytes(sha256)) or next(store.keys(layout.senders_prefix(sha256)), None):
        return True
    senders = _list_senders(store, sha256, tombstone)
    if any(next(store.keys(layout.submission_folder(*sender, sha256)), None) for sender in senders):
        return True
    if any(store.exists(layout.public_report(dataset, body, sha256)) for body, dataset in senders):
        return True
    versions = _list_versions_with(store, sha256, tombstone)
    return any(version.status is not Status.PURGED for _, version in versions)


def remove_versions(store: Store, series: Series, numbers: Collection[int], *, because: str, now: str) -> None:
    """Purge some versions of a series, and keep the submissions that they are made of.

    The pointer is written first, then the files and the differences are deleted. The caller rebuilds the catalogue. If
    we are killed at any moment, the same call again finishes the job, and so does any later call for the series.
    `because` is published.
    """

    def purge(history: History) -> History:
        return _end_versions(history, {*numbers}, Status.PURGED, because, now)

    history, _ = read_history(store, series)
    if purge(history) != history:
        _write_log(
            store, "purge-versions", now, {"series": str(series), "versions": sorted(numbers), "because": because}
        )
        history = amend_history(store, series, purge)
    purged = {version.version for version in history.versions if version.status is Status.PURGED}
    if purged:
        store.put(_ERASURE, b"")
        _delete_purged(store, history, purged)


def read_tombstone(store: Store, sha256: str) -> Tombstone | None:
    """Read the tombstone of bytes; None if they were not purged."""
    try:
        document = json.loads(store.read(layout.tombstone(sha256)).content)
    except NotThere:
        return None
    return Tombstone(**document | {name: tuple(document[name]) for name in ("versions", "others")})


def refuse_purged(store: Store, sha256: str) -> None:
    """Do nothing unless these bytes were purged. Raises: BytesPurged: they were; the message says when and why."""
    tombstone = read_tombstone(store, sha256)
    if tombstone is not None:
        raise BytesPurged(f"{sha256[:12]} was purged on {tombstone.purged[:10]}: {tombstone.because}")


def purge_again(store: Store, submission: Submission) -> None:
    """Purge a submission again if it was purged while we wrote something of it: every writer calls this afterwards.

    A purge writes its tombstone before it removes anything. So either it sees what we wrote, or we see its tombstone.
    Raises: BytesPurged: it was purged, and what was written since is removed again.
    """
    tombstone = read_tombstone(latest(store), submission.sha256)
    if tombstone is not None:
        forget_seen(store)
        store.create(layout.sender_link(submission), b"")
        remove_submission(store, submission.sha256, because=tombstone.because, now=tombstone.purged)
        refuse_purged(store, submission.sha256)


def refuse_purged_sources(store: Store, series: Series, sources: Collection[str]) -> None:
    """Purge again what a release is made of, if any of its submissions, by their sha256, was purged.

    Of several, the tombstones are listed, because few files are ever purged. A publisher calls this before and after it
    writes the pointer. A purge writes its tombstone before it looks for versions. So either the purge sees our version,
    or we see its tombstone.
    Raises: BytesPurged: a submission was purged; the message says when and why.
    """
    if len(sources) > 1:
        sources = {PurePosixPath(key).stem for key in latest(store).keys(_TOMBSTONES)}.intersection(sources)
    for sha256 in sorted(sources):
        tombstone = read_tombstone(latest(store), sha256)
        if tombstone is not None:
            forget_seen(store)
            _purge_versions(store, series, tombstone)
            refuse_purged(store, sha256)


def _forget_file_names(store: Store, body: str, dataset: str, sha256: str) -> None:
    """Remove the names of a purged file from what is kept about the files that claimed the same series."""
    records = store.keys(layout.records_prefix(body, dataset, sha256))
    names = {read_json(store, key)["name"] for key in records}
    for key in list(store.keys(layout.claims_folder(body, dataset))):
        claim = read_json(store, key)
        if sha256 not in claim.get("files", {}):
            continue
        others = {other: name for other, name in claim["files"].items() if other != sha256}
        names.add(claim["files"][sha256])
        for other in others:
            with logging_submission_change(store, dataset, body, other):
                for report in (layout.public_report(dataset, body, other), layout.report_in_full(body, dataset, other)):
                    _replace_in_json(store, report, names)
        if len(others) > 1:
            content = to_json_bytes(claim | {"files": others})
            store.create(layout.claim(body, dataset, hashlib.sha256(content).hexdigest()), content)
        store.delete(key)


def _replace_in_json(store: Store, key: str, names: set[str]) -> None:
    """Replace every string part that is one of `names` in a document, if it is there."""

    def replace_names(value: Any) -> Any:
        if isinstance(value, str):
            for name in sorted(names, key=len, reverse=True):
                value = value.replace(name, _PURGED_FILE)
            return value
        if isinstance(value, list):
            return [replace_names(each) for each in value]
        return {name: replace_names(each) for name, each in value.items()} if isinstance(value, dict) else value

    def replace_content(content: bytes | None) -> bytes | None:
        if content is None:
            return None
        replaced = to_json_bytes(replace_names(json.loads(decompress(content))))
        return compress(replaced) if is_compressed(content) else replaced

    update_object(store, key, replace_content)


def _delete_fetches(store: Store, body: str, dataset: str, sha256: str) -> None:
    """Delete the log entries of fetches that brought these bytes: they have its address and name."""
    for key in list(store.keys(layout.fetches_folder(body, dataset))):
        if read_json(store, key).get("sha256") == sha256:
            store.delete(key)


def _list_senders(store: Store, sha256: str, tombstone: Tombstone | None = None) -> list[tuple[str, str]]:
    """The body and dataset of every submission of these bytes; the same bytes may have come several times.

    Once they are purged, the `tombstone` still names the series that they were in.
    """
    senders = {layout.parse_sender_link(key)[1:] for key in store.keys(layout.senders_prefix(sha256))}
    for version in tombstone.versions if tombstone else ():
        dataset, body, _ = version.split("/", 2)
        senders.add((body, dataset))
    return sorted(senders)


def _list_versions_with(
    store: Store, sha256: str, tombstone: Tombstone | None = None
) -> Iterator[tuple[Series, Version]]:
    """Every version that holds rows of the submission."""
    for body, dataset in _list_senders(store, sha256, tombstone):
        for series in list_series(store, dataset, body):
            history, _ = read_history(store, series)
            yield from ((series, version) for version in history.versions if sha256 in version.sources)


def _make_tombstone(store: Store, sha256: str, because: str, now: str) -> Tombstone:
    held = list(_list_versions_with(store, sha256))
    return Tombstone(
        sha256=sha256,
        purged=now,
        because=because,
        versions=tuple(f"{series}/v{version.version}" for series, version in held),
        rows=sum(version.rows for _, version in held),
        others=tuple(sorted({source for _, version in held for source in version.sources} - {sha256})),
    )


def _purge_versions(store: Store, series: Series, tombstone: Tombstone) -> None:
    """Mark every version of a series that holds the submission as purged, then delete the files and differences."""

    def list_purged(history: History) -> set[int]:
        return {version.version for version in history.versions if tombstone.sha256 in version.sources}

    def purge(history: History) -> History:
        return _end_versions(history, list_purged(history), Status.PURGED, tombstone.because, tombstone.purged)

    history = amend_history(store, series, purge)
    _delete_purged(store, history, list_purged(history))


def _delete_purged(store: Store, history: History, purged: set[int]) -> None:
    """Delete the files of versions that are marked as purged, last, and the differences from and to them."""
    series = history.series
    update_index(store, series)
    for version in history.versions:
        if version.changes and purged & {version.version, version.changes.against}:
            name = layout.differences_name(version.changes.against, version.version)
            delete_prefix(store, layout.series_folder(series) + name)
    for version in history.versions:
        if version.version in purged:
            delete_prefix(store, layout.version_folder(series, version))
    store.erase_old_versions(layout.series_folder(series))


def _end_versions(history: History, numbers: set[int], status: Status, because: str, now: str) -> History:
    """The history with some versions withdrawn or purged; a purge also drops the differences from and to them."""
    versions = []
    for version in history.versions:
        if version.version in numbers and version.status is not status:
            ended = version.ended or max(now, version.published)  # a clock may have been set back
            version = replace(version, status=status, ended=ended, because=because)  # noqa: PLW2901
        if status is Status.PURGED and version.version in numbers:
            version = replace(version, reason=f"received as {_PURGED_FILE}")  # noqa: PLW2901 - it has the file's name
        if status is Status.PURGED and version.changes and numbers & {version.version, version.changes.against}:
            version = replace(version, changes=replace(version.changes, file=None))  # noqa: PLW2901
        versions.append(version)
    return History(history.series, tuple(versions), None if history.current in numbers else history.current)


def _write_log(store: Store, action: str, now: str, document: dict[str, object]) -> None:
    """Write an action to the append-only log; the same action of the same instant is written once."""
    content = to_json_bytes({"action": action, "at": now, **document})
    store.create(layout.log_entry(now, action, hashlib.sha256(content).hexdigest()[:12]), content)
