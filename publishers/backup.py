"""Backups of a store, and how a store is made again from one.

A backup place is a folder or bucket of its own. It holds each content once, named by its sha256, and for each backup a
list of the keys of the store with the sha256 of what was there. What a build makes again is left out (`REMADE`).

A backup may be taken while runs publish. Writers write what is named before what names it, and a public report last of
all. So a backup reads in the opposite order (`_STAGES`): everything that it holds a name of was there when it came to
it. A restore writes in the order of the writers, so a reader never sees a name without what it names.

A purge ends the backups before it: the first backup after the purge deletes those that may hold what was purged, one
that was taken during the purge too. And a restore purges again what any backup knows to be purged.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from piperoll import layout
from piperoll.errors import NotThere, StoreCorrupt, UsageError
from piperoll.model import History, Series, Status, to_json_bytes
from piperoll.scratch import scratch_folder
from publishers.index import index_matches, update_index
from publishers.pointer import list_series, parse_history, read_history
from publishers.purge import apply_tombstones, remove_versions
from publishers.stores.protocol import ObjectInfo, Store, sha256_of

REMADE = (layout.CATALOGUE, layout.BUILD, layout.MEASURES_STATE, layout.RUNS_AT_WORK)
"""The prefixes of what the next build of the catalogue makes again, and of the runs that are going on."""

KEPT = 30
"""Backups that a backup place keeps unless told otherwise."""

_STAGES: tuple[tuple[str, ...], ...] = (
    (layout.RECEIPTS, layout.DRAFTS, layout.EXAMINED_BY),
    (layout.REPORTS, layout.COLLECTED),
    (layout.DATA, layout.MAPPINGS, layout.ACCESS),
    ("",),
    (layout.ARCHIVE, layout.LOG),
)
"""The prefixes in the order in which a backup reads them; `_stage_of` says which of their objects are read when."""

_AT_ONCE = 8
_WHOLE_BYTES = 16 << 20
"""Larger objects are copied by way of a local file."""

_SAVED_EVERY = 5_000
"""How many objects an unfinished backup copies between two records of its progress; the next backup resumes there."""

_GRACE_SECONDS = 24 * 3600
"""Content that no list names stays this long: another backup may be about to name it."""

_ROUNDS = 5
"""How often a backup looks again for versions that were purged while it was taken."""


@dataclass(frozen=True, slots=True)
class BackupEntry:
    """What was under a key: its sha256, and size and tag by which the next backup sees that it has not changed."""

    sha256: str
    size: int
    tag: str


Entries: TypeAlias = Mapping[str, BackupEntry]


@dataclass(frozen=True, slots=True)
class BackupList:
    """One backup: when it began (ISO 8601, UTC), which is its name, how much it holds, and the purges that had ended.

    It has nothing of what those purges deleted.
    """

    taken: str
    objects: int
    bytes: int
    purges: tuple[str, ...]


@dataclass(slots=True)
class BackupResult:
    """A backup: its name, objects and bytes of the store, what was new to the place, and which backups it ended.

    `damaged` are objects of the store that are not what was written; an earlier backup's content is kept for them.
    """

    taken: str
    objects: int = 0
    bytes: int = 0
    copied: int = 0
    copied_bytes: int = 0
    ended: tuple[str, ...] = ()
    damaged: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """A restored backup: its name, objects written and found there already, and submissions that were purged again."""

    taken: str
    written: int
    found: int
    purged: int


def take_backup(store: Store, place: Store, *, now: str, keep: int = KEPT) -> BackupResult:
    """Copy what has changed since the last backup, and write the list of all of it, last.

    Interrupted at any moment, it leaves the backups before it as they were, and the next one goes on from there.
    """
    lists = list_backups(place)
    before = _read_entries(place, lists[-1].taken) if lists else {}
    done = tuple(_list_finished_purges(store, lists[-1].purges if lists else ()))
    backup = _Backup(store, place, before, BackupResult(now))
    try:
        for stage in range(len(_STAGES)):
            backup.copy_stage(stage)
        backup.follow_purges()
    except BaseException:
        backup.save()
        raise
    result, entries = backup.result, backup.entries
    result.objects, result.bytes = len(entries), sum(one.size for one in entries.values())
    latest = BackupList(now, result.objects, result.bytes, done)
    place.create(layout.backup_entries(now), _pack_entries(entries))
    place.create(layout.backup_list(now), to_json_bytes(asdict(latest)))
    place.delete(layout.BACKUP_UNFINISHED)
    known = {*filter(layout.is_purge_record, entries)}
    ended = [one for one in lists if not known <= {*one.purges}]
    kept = [one for one in (*lists, latest) if one not in ended][-keep:]
    if ended or not lists:
        _end_purged(place, ended, kept)
    _end_old(place, [one for one in lists if one not in (*kept, *ended)], kept)
    result.ended = tuple(one.taken for one in ended)
    return result


def list_backups(place: Store) -> list[BackupList]:
    """Every backup of a place, oldest first."""
    documents = (json.loads(place.read(key).content) for key in list(place.keys(layout.BACKUP_LISTS)))
    return [BackupList(**document | {"purges": tuple(document["purges"])}) for document in documents]


def restore_backup(place: Store, store: Store, *, taken: str | None = None, now: str) -> RestoreResult:
    """Make a store again from the latest backup, or the one that was taken at `taken`.

    What any backup of the place knows to be purged is purged again. The catalogue is not in a backup: build it next.
    Interrupted, the same call goes on. Raises: UsageError: there is no such backup, or the store holds something else.
    StoreCorrupt: the backup is damaged.
    """
    lists = list_backups(place)
    chosen = next((one for one in reversed(lists) if taken in (None, one.taken)), None)
    if chosen is None:
        known = ", ".join(one.taken for one in lists) or "none"
        raise UsageError(f"there is no backup{f' of {taken}' if taken else ''} in {place!r}: it has {known}")
    entries = _read_entries(place, chosen.taken)
    found = _check_target(store, chosen.taken, entries)
    store.put(layout.RESTORING, chosen.taken.encode())
    missing = [key for key in entries if key not in found]
    for stage in reversed(range(len(_STAGES))):
        keys = [key for key in missing if _stage_of(key) == stage]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(lambda key: _restore_object(place, store, key, entries[key]), keys):
                pass
    purged = _purge_again(place, store, lists, now)
    for series in list_series(store):  # the index was read before the pointers, which may be newer
        if not index_matches(store, read_history(store, series)[0]):
            update_index(store, series)
    store.delete(layout.RESTORING)
    return RestoreResult(chosen.taken, len(missing), len(found), purged)


class _Backup:
    """A backup that is being taken. `entries` is what it holds so far."""

    def __init__(self, store: Store, place: Store, before: Entries, result: BackupResult) -> None:
        self.store, self.place, self.result = store, place, result
        self.before = dict(before) | _read_entries(place)
        self.there = {key.rpartition("/")[2] for key in place.keys(layout.BACKUP_OBJECTS)}
        self.entries: dict[str, BackupEntry] = {}

    def copy_stage(self, stage: int) -> None:
        """Copy every object that a stage reads."""
        for prefix in _STAGES[stage]:
            self.copy([(key, about) for key, about in self.store.list_objects(prefix) if _stage_of(key) == stage])

    def copy(self, objects: list[tuple[str, ObjectInfo]]) -> None:
        """Copy some objects, several at a time."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for number, (key, entry) in enumerate(pool.map(self._copy_object, objects), 1):
                if entry is not None:
                    self.entries[key] = entry
                if number % _SAVED_EVERY == 0:
                    self.save()

    def save(self) -> None:
        """Note what is copied, for the next backup if this one ends here."""
        self.place.put(layout.BACKUP_UNFINISHED, _pack_entries(self.entries))

    def follow_purges(self) -> None:
        """Take pointers again that were written meanwhile because versions were purged: their files may be missing.

        Every other pointer stays as it was read: it names what was there, and what names it was read before.
        Raises: UsageError: purges go on all the time.
        """
        for _ in range(_ROUNDS):
            purged = [series for series in list(self._list_written_pointers()) if self._was_purged(series)]
            for series in purged:
                folder = layout.series_folder(series)
                for key in [key for key in self.entries if key.startswith(folder)]:
                    del self.entries[key]
                for stage in (2, 3):
                    self.copy([one for one in self.store.list_objects(folder) if _stage_of(one[0]) == stage])
            if not purged:
                return
            self.copy_stage(len(_STAGES) - 1)
        raise UsageError("versions are being purged all the time: take the backup again when that has ended")

    def _list_written_pointers(self) -> Iterator[Series]:
        """The series whose pointers were written since they were read."""
        for key, about in self.store.list_objects(layout.DATA):
            entry = self.entries.get(key)
            series = layout.parse_pointer(key) if entry and entry.tag != about.tag else None
            if series is not None:
                yield series

    def _was_purged(self, series: Series) -> bool:
        """Whether a series has more purged versions now than in its pointer as it was read."""
        copied = self.place.read(layout.backup_object(self.entries[layout.pointer(series)].sha256)).content
        before, after = parse_history(series, copied), read_history(self.store, series)[0]
        return _count_purged(before) != _count_purged(after)

    def _copy_object(self, one: tuple[str, ObjectInfo]) -> tuple[str, BackupEntry | None]:
        key, about = one
        before = self.before.get(key)
        if before and (before.size, before.tag) == (about.size, about.tag) and before.sha256 in self.there:
            return key, before
        try:
            if about.size <= _WHOLE_BYTES:
                content = self.store.read(key).content
                return key, self._keep(content, BackupEntry(sha256_of(content), len(content), about.tag))
            self.store.compare(key)
            with scratch_folder("backup") as scratch:
                self.store.fetch(key, path := scratch / "copy")
                return key, self._keep(path, BackupEntry(sha256_of(path), path.stat().st_size, about.tag))
        except NotThere:  # deleted since it was listed
            return key, None
        except StoreCorrupt:
            self.result.damaged.append(key)
            return key, before

    def _keep(self, content: bytes | Path, entry: BackupEntry) -> BackupEntry:
        if entry.sha256 not in self.there:
            self.place.create(layout.backup_object(entry.sha256), content)
            self.there.add(entry.sha256)
            self.result.copied += 1
            self.result.copied_bytes += entry.size
        return entry


def _stage_of(key: str) -> int | None:
    """The stage in which a backup reads a key; None if it leaves it out."""
    if key.startswith((*REMADE, layout.RESTORING)):
        return None
    if key.startswith(_STAGES[0]):
        return 0
    if key.startswith(layout.REPORTS) or (key.startswith(layout.COLLECTED) and layout.is_rewritten(key)):
        return 1
    if layout.is_purge_record(key) or key.startswith(layout.LOG):
        return 4
    return 2 if layout.is_rewritten(key) else 3


def _pack_entries(entries: Entries) -> bytes:
    rows = {key: [one.sha256, one.size, one.tag] for key, one in sorted(entries.items())}
    return gzip.compress(json.dumps(rows).encode(), 6, mtime=0)


def _read_entries(place: Store, taken: str | None = None) -> dict[str, BackupEntry]:
    """The entries of a backup, or those that an unfinished one noted."""
    try:
        content = place.read(layout.backup_entries(taken) if taken else layout.BACKUP_UNFINISHED).content
    except NotThere:
        if taken:
            raise
        return {}
    return {key: BackupEntry(*one) for key, one in json.loads(gzip.decompress(content)).items()}


def _count_purged(history: History) -> int:
    return sum(version.status is Status.PURGED for version in history.versions)


def _list_finished_purges(store: Store, known: Collection[str]) -> Iterator[str]:
    """The records of purges that have ended; `known` are those that an earlier backup found to have ended.

    A purge is going on, or was killed, while the bytes of its submission or files of its versions are still there: a
    backup that is taken meanwhile may hold them.
    """
    for key in [*store.keys(layout.LOG), *store.keys(layout.tombstones_prefix())]:
        sha256 = key.rpartition("/")[2].removesuffix(".json")
        going_on = key == layout.tombstone(sha256) and store.exists(layout.received_bytes(sha256))
        if layout.is_purge_record(key) and not going_on and (key in known or not _has_purged_files(store, key)):
            yield key


def _has_purged_files(store: Store, record: str) -> bool:
    """Whether files are there of the versions that a record says are purged; they are deleted last."""
    document: dict[str, Any] = json.loads(store.read(record).content)
    if document.get("action") != "purge-versions":
        return False
    history, _ = read_history(store, Series.parse(document["series"]))
    folders = [layout.version_folder(history.series, one) for one in history.versions]
    numbered = {one.version: folder for one, folder in zip(history.versions, folders, strict=True)}
    purged = (numbered[number] for number in document["versions"] if number in numbered)
    return any(next(store.keys(folder), None) for folder in purged)


def _end_purged(place: Store, ended: list[BackupList], kept: list[BackupList]) -> None:
    """Delete every content that no list in `kept` names, also what interrupted backups left, and then other lists.

    In this order, a call that is killed is done again by the next backup.
    """
    named = _named_contents(place, kept)
    unnamed = [key for key in place.keys(layout.BACKUP_OBJECTS) if key.rpartition("/")[2] not in named]
    for key in unnamed:
        place.delete(key)
    for one in ended:
        place.delete(layout.backup_list(one.taken))
        place.delete(layout.backup_entries(one.taken))
    if ended or unnamed:
        place.erase_old_versions(layout.BACKUP)


def _end_old(place: Store, old: list[BackupList], kept: list[BackupList]) -> None:
    """Delete lists, and the content that only they name, unless it is young: another backup may be about to name it."""
    named = _named_contents(place, kept) if old else set()
    for one in old:
        digests = _named_contents(place, [one]) - named
        place.delete(layout.backup_list(one.taken))
        for digest in digests:
            place.delete_if_older(layout.backup_object(digest), _GRACE_SECONDS)
        place.delete(layout.backup_entries(one.taken))


def _named_contents(place: Store, lists: list[BackupList]) -> set[str]:
    return {entry.sha256 for one in lists for entry in _read_entries(place, one.taken).values()}


def _check_target(store: Store, taken: str, entries: Entries) -> set[str]:
    """The keys that an earlier call restored. Raises: UsageError: the store holds something else."""
    try:
        going_on = store.read(layout.RESTORING).content.decode() == taken
    except NotThere:
        going_on = False
    found = set()
    for key, about in store.list_objects(""):
        entry = entries.get(key)
        if entry and (about.size == entry.size or layout.is_rewritten(key)):
            found.add(key)
        if not going_on and not layout.is_purge_record(key) and key != layout.STORE_FORM:
            raise UsageError(f"{store!r} is not empty ({key}): restore into an empty folder or prefix")
    return found


def _restore_object(place: Store, store: Store, key: str, entry: BackupEntry) -> None:
    source = layout.backup_object(entry.sha256)
    with scratch_folder("restore") if entry.size > _WHOLE_BYTES else nullcontext() as scratch:
        content: bytes | Path
        if scratch is None:
            content = place.read(source).content
        else:
            place.fetch(source, content := scratch / "copy")
        if sha256_of(content) != entry.sha256:
            raise StoreCorrupt(f"{source} is not what was backed up: restore another backup")
        store.create(key, content)


def _purge_again(place: Store, store: Store, lists: list[BackupList], now: str) -> int:
    """Purge what any of the backups knows to be purged; return how many submissions."""
    for one in lists:
        entries = _read_entries(place, one.taken)
        for key in filter(layout.is_purge_record, entries):
            content = place.read(layout.backup_object(entries[key].sha256)).content
            document: dict[str, Any] = json.loads(content)
            if not store.exists(key):
                store.create(key, content)
            if document.get("action") == "purge-versions":
                series = Series.parse(document["series"])
                if store.exists(layout.pointer(series)):
                    remove_versions(store, series, document["versions"], because=document["because"], now=now)
    return apply_tombstones(store)
