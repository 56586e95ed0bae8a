"""The plan of one catalogue build, and the record that builds keep in the store.

A build writes only pages whose content differs from what the last build wrote. What it needs for that is private, below
`collected/catalogue/` in the store:

    state.json           which build finished last, and what its shared pages hold; replaced by a conditional write
    at-work/             one document for each build that is running or was killed, with what it may have written
    changed/             the log of changes since (publishers/change_log.py)
    received/            the files that each body sent (received_index.py)
    bodies.json          one `BodyRecord` for each body
    bodies/, shelves/    for each body: its pages, its contributions to shared pages, its series and its files
    groups/, feeds/, digests.json, summaries/
                         the contributions of all bodies to shared pages, and the summary of each series
"""

from __future__ import annotations

import gzip
import hashlib
import uuid
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for_all
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import msgspec

from piperoll import layout
from piperoll.describing.catalogue import hash_renderer
from piperoll.describing.context import CatalogueContext
from piperoll.describing.overview import BodyDigest
from piperoll.errors import NotThere, StoreCorrupt
from piperoll.operations.catalogue.received_index import INDEX_FORMAT
from publishers import PARALLEL_WRITES, LoggedChanges, Store, list_series, read_changes

BODIES = "bodies"
"""The document with the record of every body."""

_REMEMBERED_BUILDS = 50
"""How many finished builds `state.json` lists. A build that is overtaken by more than these starts from nothing."""

_GZIP, _GZIP_LEVEL = b"\x1f\x8b", 6
"""How a compressed document begins, and how much time is spent on compressing it."""

_MOST_WAITING = 16 * PARALLEL_WRITES
"""Objects that wait to be written: they are in memory."""

DocumentT = TypeVar("DocumentT")
PageHashes: TypeAlias = dict[str, str]
"""The beginning of the sha256 of each page's content, by key."""


@dataclass(frozen=True, slots=True)
class FinishedBuild:
    """The last finished build: its number, the hash of the code and templates, its day, and its shared pages.

    `builds` are the latest build numbers with the bodies that each wrote (None: all). The number is 0 if there was no
    build yet. `received` is the format of the index of what bodies sent (`received_index.INDEX_FORMAT`); 0 if the
    build wrote none.
    """

    number: int = 0
    made_by: str = ""
    on: str = ""
    pages: PageHashes = field(default_factory=dict)
    builds: tuple[tuple[int, tuple[str, ...] | None], ...] = ()
    received: int = 0

    def bodies_since(self, number: int) -> set[str] | None:
        """The bodies that builds after `number` wrote; None if it may be any body."""
        later = [bodies for one, bodies in self.builds if one > number]
        if len(later) < self.number - number or None in later:
            return None
        return {body for bodies in later for body in bodies or ()}


@dataclass(frozen=True, slots=True)
class BuildScope:
    """What a build may write: bodies (None: all), and groups of contributions to shared pages."""

    bodies: frozenset[str] | None
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Written:
    """What a job of a build wrote in another process: pages written or removed, private documents and pages."""

    touched: int
    documents: frozenset[str]
    pages: frozenset[str]


@dataclass(frozen=True)
class BodyRecord:
    """What a plan needs to know about a body, and its digest for the pages about all bodies.

    `datasets` are those with any series or file, `sent` is True if a file was received, `sender` is the body as its own
    releases name it. By dataset, as ISO days: `first` is when its first periods began, `since` what its duties were
    judged by (`find_first_starts`).
    """

    digest: BodyDigest
    datasets: tuple[str, ...]
    sent: bool
    sender: Mapping[str, str] | None
    first: Mapping[str, str]
    since: Mapping[str, str]


class BuildState:
    """Reads and writes the private documents, and writes pages; `touched` counts pages written and removed.

    A bucket takes many objects at a time. Whatever is not written when a build is killed is in the scope that `begin`
    recorded; `begin`, `finish` and every reading or listing wait until all is written.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._is_remote = store.local_path(layout.HOME) is None
        self._writers: ThreadPoolExecutor | None = None
        self._waiting: dict[str, Future[None]] = {}
        self._own_key = f"{layout.BUILDS_RUNNING}{uuid.uuid4().hex[:16]}.json"
        self._written: set[str] = set()
        self._tag: str | None = None  # of `state.json` as it was read, for the conditional write in `finish`
        self.touched = 0

    def last_build(self) -> FinishedBuild:
        """The last finished build."""
        try:
            stored = self._store.read(layout.BUILD_STATE)
        except NotThere:
            return FinishedBuild()
        self._tag = stored.tag
        return decode_document(layout.BUILD_STATE, stored.content, FinishedBuild)

    def unfinished_builds(self) -> dict[str, BuildScope]:
        """The scope of every build that is running or was killed, by the key that records it."""
        self.wait()
        scopes = {key: self._read(key, BuildScope) for key in self._store.keys(layout.BUILDS_RUNNING)}
        return {key: scope for key, scope in scopes.items() if scope is not None}

    def begin(self, scope: BuildScope) -> None:
        """Record what this build may write, before it writes any of it."""
        self.wait()
        self._store.put(self._own_key, msgspec.json.encode(scope))

    def finish(self, build: FinishedBuild) -> None:
        """Record this build as finished. Raises: PointerMoved: another build finished since `last_build` was read."""
        self.wait()
        self._store.replace(layout.BUILD_STATE, msgspec.json.encode(build), self._tag)

    def clear(self, others: Iterable[str]) -> None:
        """Delete the records of this build and of the interrupted `others`, whose work it has done."""
        self._store.delete_many([self._own_key, *others])

    def close(self) -> None:
        """Give up what is not being written yet, and wait for the rest: nothing may be written after the next build."""
        if self._writers:
            self._writers.shutdown(cancel_futures=True)

    def wait(self) -> None:
        """Wait until everything is written. Raises: StoreError: something could not be written."""
        waiting, self._waiting = self._waiting, {}
        wait_for_all(waiting.values())
        for written in waiting.values():
            written.result()

    def take_written(self) -> tuple[int, frozenset[str]]:
        """How many pages were written and removed, and which documents written, since this was last asked."""
        self.wait()
        written = self.touched, frozenset(self._written)
        self.touched, self._written = 0, set()
        return written

    def add_written(self, touched: int, documents: Iterable[str]) -> None:
        """Count what another process has written for this build."""
        self.touched += touched
        self._written.update(documents)

    def _put(self, key: str, content: bytes) -> None:
        if not self._is_remote:
            self._store.put(key, content)
            return
        if key in self._waiting or len(self._waiting) >= _MOST_WAITING:
            self.wait()
        self._writers = self._writers or ThreadPoolExecutor(PARALLEL_WRITES)
        self._waiting[key] = self._writers.submit(self._store.put, key, content)

    def read(self, name: str, kind: type[DocumentT]) -> DocumentT | None:
        """A private document; None if there is none of this name."""
        return self._read(f"{layout.BUILD}{name}.json", kind)

    def write(self, name: str, document: Any) -> None:
        """Write a private document: a dataclass, or a dict of JSON values. It is compressed: it takes a tenth."""
        self._written.add(name)
        content = gzip.compress(msgspec.json.encode(document), _GZIP_LEVEL, mtime=0)
        self._put(f"{layout.BUILD}{name}.json", content)

    def drop(self, name: str) -> None:
        """Delete a private document."""
        self.wait()
        self._store.delete(f"{layout.BUILD}{name}.json")

    def drop_unwritten(self, folders: Iterable[str]) -> None:
        """Delete the private documents in these folders that this build has not written."""
        self.wait()
        for folder in folders:
            keys = list(self._store.keys(f"{layout.BUILD}{folder}/"))
            names = [key.removeprefix(layout.BUILD).removesuffix(".json") for key in keys]
            self._store.delete_many([key for key, name in zip(keys, names, strict=True) if name not in self._written])

    def publish(self, pages: Iterable[tuple[str, bytes]], known: Mapping[str, str]) -> PageHashes:
        """Write the pages that differ from what is `known` of them; return the hashes of all."""
        hashes: PageHashes = {}
        for key, content in pages:
            hashes[key] = hashlib.sha256(content).hexdigest()[:20]
            if known.get(key) != hashes[key]:
                self._put(key, content)
                self.touched += 1
        return hashes

    def remove(self, keys: Iterable[str]) -> None:
        """Delete pages."""
        gone = sorted(keys)
        if not gone:
            return  # most bodies lose no page, and need not wait for what is being written
        self.wait()
        self._store.delete_many(gone)
        self.touched += len(gone)

    def _read(self, key: str, kind: type[DocumentT]) -> DocumentT | None:
        if key in self._waiting:
            self.wait()
        try:
            content = self._store.read(key).content
        except NotThere:
            return None
        return decode_document(key, content, kind)


@dataclass
class CatalogueBuild:
    """One build of the catalogue, as planned.

    `whole` builds everything anew. `stale` are the bodies with changes, `anew` those of them that are read again in
    full, `aged` the bodies that only the passing of time has changed. What is recorded about `suspect` bodies and
    groups may be wrong, because a build that wrote them was interrupted or ran at the same time; `interrupted` are the
    keys of the records of such builds. `caches` are the `BodyCache`s of a few bodies, between the stages that use them.
    """

    store: Store
    scratch: Path
    context: CatalogueContext
    state: BuildState
    changes: LoggedChanges
    last: FinishedBuild
    made_by: str
    records: Mapping[str, BodyRecord]
    whole: bool
    stale: frozenset[str]
    anew: frozenset[str]
    aged: frozenset[str]
    suspect: BuildScope
    interrupted: tuple[str, ...]
    produced: set[str] = field(default_factory=set)
    caches: dict[str, Any] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """True if no other build was interrupted or ran at the same time, so the record matches the store."""
        return not self.interrupted and self.suspect.bodies == frozenset()

    @property
    def is_needless(self) -> bool:
        """True if nothing has changed since the last build, which was today."""
        changed = self.stale or self.aged or self.changes.keys or not self.is_clean
        return not (self.whole or changed) and self.last.on == self.context.on.isoformat()

    def is_suspect(self, slug: str) -> bool:
        """True if what is recorded about a body may not match the store."""
        return self.suspect.bodies is None or slug in self.suspect.bodies

    def trusted(self, recorded: PageHashes) -> PageHashes:
        """The recorded hashes of pages about several bodies, if they can be relied on."""
        return recorded if self.is_clean else {}

    def begin(self, bodies: Iterable[str], groups: Iterable[str] = ()) -> None:
        """Record what is about to be written."""
        self.state.begin(BuildScope(None if self.whole else frozenset(bodies), frozenset(groups)))

    def finish(self, bodies: Iterable[str], pages: PageHashes) -> None:
        """Record that everything is built. Raises: PointerMoved: another build finished since this one began."""
        number, wrote = self.last.number + 1, None if self.whole else tuple(sorted(bodies))
        builds = (*self.last.builds, (number, wrote))[-_REMEMBERED_BUILDS:]
        self.state.finish(FinishedBuild(number, self.made_by, self.context.on.isoformat(), pages, builds, INDEX_FORMAT))
        self.state.clear(self.interrupted)

    def take_written(self) -> Written:
        """What was written since this was last asked, once it is; the names only if `whole`, when they are needed."""
        touched, documents = self.state.take_written()
        pages, self.produced = frozenset(self.produced), set()
        return Written(touched, documents if self.whole else frozenset(), pages)

    def add_written(self, written: Written) -> None:
        """Take in what another process has written for this build."""
        self.state.add_written(written.touched, written.documents)
        self.produced |= written.pages

    def publish(self, pages: Iterable[tuple[str, bytes]], known: PageHashes) -> PageHashes:
        """Write the pages that differ from what is `known` of them; return the hashes of all."""
        hashes = self.state.publish(pages, known)
        if self.whole:
            self.produced |= hashes.keys()
        return hashes


def plan_build(store: Store, context: CatalogueContext, scratch: Path, overtaken_at: int | None) -> CatalogueBuild:
    """Plan a build.

    `overtaken_at` is the number of the build that was last when our previous attempt began, if another build finished
    during that attempt.
    """
    state, changes = BuildState(store), read_changes(store)
    last, unfinished = state.last_build(), state.unfinished_builds()
    made_by = hash_builder(context)
    suspect = find_suspects(store, last, unfinished.values(), overtaken_at)
    # Other code may have recorded in another format, so its records are not even parsed.
    by_other_code = suspect.bodies is None or last.made_by != made_by
    records: dict[str, BodyRecord] = {}
    if not by_other_code:
        records = state.read(BODIES, dict[str, BodyRecord]) or {}
    whole = by_other_code or context.on.isoformat() < last.on
    if whole:
        received = (layout.parse_record(key) for key in store.keys(layout.COLLECTED))
        senders = {record[0] for record in received if record is not None} | {one.body for one in list_series(store)}
        anew = stale = frozenset({body.slug for body in context.expected} | senders | records.keys())
    else:
        anew = (suspect.bodies or frozenset()) | _bodies_with_new_names(context, records)
        stale = anew | changes.bodies
    return CatalogueBuild(
        store=store,
        scratch=scratch,
        context=context,
        state=state,
        changes=changes,
        last=last,
        made_by=made_by,
        records=records,
        whole=whole,
        stale=stale,
        anew=anew,
        aged=frozenset(slug for slug, one in records.items() if one.digest.until <= context.on) - stale,
        suspect=suspect,
        interrupted=tuple(unfinished),
    )


def hash_builder(context: CatalogueContext) -> str:
    """Hash what makes the pages and the private documents: with another hash, everything is built anew."""
    # The code of this package is part of it because it decides the format of the private documents.
    own_code = [path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hash_document([hash_renderer(context), own_code])


def hash_document(document: Any) -> str:
    """The beginning of the sha256 of a document."""
    return hashlib.sha256(msgspec.json.encode(document)).hexdigest()[:20]


def parse_days(days: Mapping[str, str]) -> dict[str, date]:
    """Days by dataset, from ISO text."""
    return {name: date.fromisoformat(day) for name, day in days.items()}


def find_suspects(
    store: Store, last: FinishedBuild, unfinished: Iterable[BuildScope], overtaken_at: int | None
) -> BuildScope:
    """The bodies and groups that an unfinished build, or one that overtook us, may have written."""
    overtaking = set() if overtaken_at is None else last.bodies_since(overtaken_at)
    if last.number == 0 or overtaking is None or not store.exists(layout.HOME):
        return BuildScope(None)
    bodies: set[str] = set(overtaking)
    groups: set[str] = set()
    for scope in unfinished:
        if scope.bodies is None:
            return BuildScope(None)
        bodies |= scope.bodies
        groups |= scope.groups
    return BuildScope(frozenset(bodies), frozenset(groups))


def _bodies_with_new_names(context: CatalogueContext, records: Mapping[str, BodyRecord]) -> set[str]:
    """The bodies that are expected for the first time or no longer, or whose name in a register has changed."""
    expected = {body.slug for body in context.expected}
    renamed = {
        slug
        for slug, record in records.items()
        if context.body(slug, sent=record.sent, sender=record.sender) != record.digest.body
    }
    gone = {slug for slug, record in records.items() if not record.datasets and slug not in expected}
    return (expected - records.keys()) | gone | renamed


def decode_document(key: str, content: bytes, kind: type[DocumentT]) -> DocumentT:
    """Decode a private document, compressed or not. Raises: StoreCorrupt: it is not one of this kind."""
    try:
        plain = gzip.decompress(content) if content.startswith(_GZIP) else content
        return msgspec.json.decode(plain, type=kind)
    except (msgspec.DecodeError, OSError, EOFError, zlib.error) as error:
        raise StoreCorrupt(f"{key} cannot be read: delete it, and the catalogue is built anew: {error}") from error
