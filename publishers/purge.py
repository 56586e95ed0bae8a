"""Taking back what was published: a withdrawal marks a version, a purge removes every trace of a submission.

Both go on an append-only log before anything else is done. What a purge leaves behind is a tombstone: the hash of the
bytes, so that they are refused if they come again, the reason, the day and the counts; never a value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from piperoll import layout
from piperoll.errors import BytesPurged, NotThere, UsageError
from piperoll.model import History, Manifest, Series, Status, Submission, Version, to_json_bytes
from publishers.change_log import logging_submission_change
from publishers.index import update_index
from publishers.pointer import amend_history, delete_prefix, list_series, read_history
from publishers.stores.protocol import Store


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of a submission that was purged: `versions` names those that held its rows, as `series/vN`.

    `rows` counts the lines of all of them, `others` the submissions whose rows stood in the same versions and went with
    them: those may be released again.
    """

    sha256: str
    purged: str
    because: str
    versions: tuple[str, ...]
    rows: int
    others: tuple[str, ...]

    @property
    def key(self) -> str:
        """Where a tombstone stands; private."""
        return tombstone_key(self.sha256)


def tombstone_key(sha256: str) -> str:
    """Where the tombstone of these bytes stands, if they were purged."""
    return layout.tombstone(sha256)


def read_tombstone(store: Store, sha256: str) -> Tombstone | None:
    """The tombstone of bytes that were purged; None: they were not."""
    try:
        document = json.loads(store.read(tombstone_key(sha256)).content)
    except NotThere:
        return None
    return Tombstone(**document | {name: tuple(document[name]) for name in ("versions", "others")})


def refuse_purged(store: Store, sha256: str) -> None:
    """Raises: BytesPurged: these bytes were purged; the message says when and why."""
    tombstone = read_tombstone(store, sha256)
    if tombstone is not None:
        raise BytesPurged(f"{sha256[:12]} was purged on {tombstone.purged[:10]}: {tombstone.because}")


def purge_again(store: Store, submission: Submission) -> None:
    """See that nothing of a submission that was purged came back; whoever writes anything of it asks this afterwards.

    A purge writes its tombstone before it removes anything: so either it sees what was written, or we see it.

    Raises: BytesPurged: it was purged, and what was written since is removed again.
    """
    tombstone = read_tombstone(store, submission.sha256)
    if tombstone is not None:
        store.create(layout.sender_link(submission), b"")
        remove_submission(store, submission.sha256, because=tombstone.because, now=tombstone.purged)
        refuse_purged(store, submission.sha256)


def leave_nothing_purged(store: Store, manifest: Manifest) -> None:
    """See that no submission that a release is made of was purged; if one was, see that nothing of it stands.

    A publisher asks before its pointer is written and again after it. A purge writes its tombstone before it looks for
    versions: so either the purge sees our version, or we see its tombstone.

    Raises: BytesPurged: one was purged; the message says when and why.
    """
    for sha256 in manifest.sources:
        tombstone = read_tombstone(store, sha256)
        if tombstone is not None:
            _purge_versions(store, manifest.series, tombstone)
            refuse_purged(store, sha256)


def mark_withdrawn(store: Store, series: Series, number: int, *, because: str, now: str) -> Version:
    """Mark a version as withdrawn for a reason: its files stay, the pointer names it no longer.

    No older version takes its place: that one was superseded because it was wrong too. The same call again changes
    nothing.

    Raises: UsageError: there is no such version, or it was purged.
    """
    _note(store, "withdraw", now, {"series": str(series), "version": number, "because": because})

    def marked(history: History) -> History:
        version = history.version(number)
        if version is None or version.status is Status.PURGED:
            state = "was purged" if version else "does not exist"
            raise UsageError(f"version {number} of {series} {state}: there is nothing to withdraw")
        return _ended(history, {number}, Status.WITHDRAWN, because, now)

    after = amend_history(store, series, marked).version(number)
    update_index(store, series)
    if after is None:
        raise UsageError(f"version {number} of {series} went while it was being withdrawn")
    return after


def remove_submission(store: Store, sha256: str, *, because: str, now: str) -> Tombstone:
    """Remove a submission and everything that was made of it: pointers first, then files, reports and bytes.

    Every version that holds rows of it goes, in every series, with its Parquet and report and the differences from it
    and to it; then the reports and the record of the submission, and the bytes in the archive. The catalogue is
    whoever calls' to make anew. Killed at any moment, the same call again finishes the job.
    """
    tombstone = read_tombstone(store, sha256) or _tombstone(sha256, list(_holding(store, sha256)), because, now)
    store.create(tombstone.key, to_json_bytes(asdict(tombstone)))
    _note(store, "purge", tombstone.purged, asdict(tombstone))
    for series in sorted({series for series, _ in _holding(store, sha256)}):  # anew: some may have come
        _purge_versions(store, series, tombstone)
    for body, dataset in _senders(store, sha256):
        with logging_submission_change(store, dataset, body, sha256):
            store.delete(layout.public_report(dataset, body, sha256))
            delete_prefix(store, layout.submission_folder(body, dataset, sha256))
    store.delete(layout.received_bytes(sha256))
    delete_prefix(store, layout.senders_prefix(sha256))
    return tombstone


def _senders(store: Store, sha256: str) -> list[tuple[str, str]]:
    """Whose the submission is, and for which dataset: of the same bytes there may be several."""
    return [layout.parse_sender_link(key)[1:] for key in store.keys(layout.senders_prefix(sha256))]


def _holding(store: Store, sha256: str) -> Iterator[tuple[Series, Version]]:
    """Every version that holds rows of the submission."""
    for body, dataset in _senders(store, sha256):
        for series in list_series(store, dataset, body):
            history, _ = read_history(store, series)
            yield from ((series, version) for version in history.versions if sha256 in version.sources)


def _tombstone(sha256: str, held: list[tuple[Series, Version]], because: str, now: str) -> Tombstone:
    return Tombstone(
        sha256=sha256,
        purged=now,
        because=because,
        versions=tuple(f"{series}/v{version.version}" for series, version in held),
        rows=sum(version.rows for _, version in held),
        others=tuple(sorted({source for _, version in held for source in version.sources} - {sha256})),
    )


def _purge_versions(store: Store, series: Series, tombstone: Tombstone) -> None:
    def marked(history: History) -> History:
        gone = {version.version for version in history.versions if tombstone.sha256 in version.sources}
        return _ended(history, gone, Status.PURGED, tombstone.because, tombstone.purged)

    history = amend_history(store, series, marked)
    update_index(store, series)
    gone = {version.version for version in history.versions if tombstone.sha256 in version.sources}
    for version in history.versions:
        if version.version in gone:
            delete_prefix(store, layout.version_folder(series, version))
        if version.changes and gone & {version.version, version.changes.against}:
            delete_prefix(
                store, f"{layout.series_folder(series)}changes/v{version.changes.against}-v{version.version}-"
            )


def _ended(history: History, gone: set[int], status: Status, because: str, now: str) -> History:
    """The history with the versions `gone` at an end, and without the files of differences that a purge removes."""
    versions = tuple(_taken_back(version, gone, status, because, now) for version in history.versions)
    return History(history.series, versions, None if history.current in gone else history.current)


def _taken_back(version: Version, gone: set[int], status: Status, because: str, now: str) -> Version:
    if version.version in gone and version.status is not status:
        version = replace(version, status=status, ended=version.ended or now, because=because)
    if status is Status.PURGED and version.changes and gone & {version.version, version.changes.against}:
        version = replace(version, changes=replace(version.changes, file=None))
    return version


def _note(store: Store, action: str, now: str, document: dict[str, object]) -> None:
    """Put an action on the log, where nothing is ever changed; the same action of the same instant stands once."""
    content = to_json_bytes({"action": action, "at": now, **document})
    moment = now.replace(":", "").replace("-", "")
    store.create(f"log/{moment}-{action}-{hashlib.sha256(content).hexdigest()[:12]}.json", content)
