"""What each body sent, in one document a body, so that duties are judged without opening every submission.

`collected/catalogue/received/{body}.json` holds the record of each file and the outcome of its report. A build writes
the document of every body with changes before it clears the log of changes. So a document, with the files that the log
names and the document has not `seen`, is what the store holds at any moment. Unlike the other documents of a build,
these outlive an upgrade: only another `INDEX_FORMAT` makes them unreadable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import msgspec

from piperoll import layout
from piperoll.checking.privacy.public_texts import public_file_name
from piperoll.duties import ReceivedFiles, ReportOutcome
from piperoll.errors import NotThere, PointerMoved, StoreCorrupt
from piperoll.model import Report, Submission
from publishers import LoggedChanges, Store, list_submissions, read_changes, read_submission

INDEX_FORMAT = 1
"""The number of the format. Raise it if `Submission` or `ReportOutcome` change, or what the outcome of a report is."""

_READERS = 16
"""Documents that are read at once; a bucket answers each in tens of milliseconds."""

_MAX_TRIES = 20


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """The files of a body, and the entries of the log of changes that they include."""

    files: tuple[tuple[Submission, ReportOutcome | None], ...] = ()
    seen: tuple[str, ...] = ()


class IndexUpdate:
    """Replaces the document of a body if nobody else has since this was made: make it before the files are read."""

    def __init__(self, store: Store, body: str, changes: LoggedChanges) -> None:
        self._store, self._body = store, body
        self._seen = tuple(sorted(_list_file_changes(changes).get(body, ())))
        self._before = _read(store, body)

    def write(self, files: ReceivedFiles) -> None:
        """Write the document; if another build wrote it meanwhile, bring its document up to date instead."""
        content, tag = self._before
        ordered = sorted(files, key=lambda one: (one[0].dataset, one[0].received, one[0].sha256))
        document = msgspec.json.encode(IndexDocument(tuple(ordered), self._seen))
        if document == content:
            return
        try:
            self._store.replace(layout.received_index(self._body), document, tag)
        except PointerMoved:
            _bring_up_to_date(self._store, self._body)


class ReceivedIndex:
    """What bodies sent, as of the moment when the log of changes was read.

    `is_complete` says that the last build has written a document for every body that had sent something. If it is
    False, bodies are read from their records and reports.
    """

    def __init__(self, store: Store, changes: LoggedChanges, *, is_complete: bool) -> None:
        self._store, self._is_complete = store, is_complete
        self._changes = _list_file_changes(changes)

    def list_bodies(self) -> set[str]:
        """The bodies that have sent a file, and perhaps some whose files were purged."""
        if self._is_complete:
            return {layout.parse_received_index(key) for key in self._store.keys(layout.RECEIVED_INDEX)} | {
                *self._changes
            }
        records = (layout.parse_record(key) for key in self._store.keys(layout.COLLECTED))
        return {record[0] for record in records if record is not None}

    def read(self, body: str) -> ReceivedFiles:
        """Every file that a body sent, with the outcome of its report."""
        if not self._is_complete:
            return [as_published(*found) for found in list_submissions(self._store, body)]
        return self._merge(body, _decode(body, _read(self._store, body)[0]))

    def read_all(self, bodies: Iterable[str]) -> Iterator[tuple[str, ReceivedFiles]]:
        """The files of each body, in order; several documents are fetched at once."""
        if not self._is_complete:
            yield from ((body, self.read(body)) for body in bodies)
            return
        wanted = tuple(bodies)
        with ThreadPoolExecutor(_READERS) as pool:
            for start in range(0, len(wanted), _READERS):
                batch = wanted[start : start + _READERS]
                contents = pool.map(lambda body: _read(self._store, body)[0], batch)
                for body, content in zip(batch, contents, strict=True):
                    yield body, self._merge(body, _decode(body, content))

    def _merge(self, body: str, document: IndexDocument) -> ReceivedFiles:
        return _merge(self._store, body, document, self._changes.get(body, {}))


def as_published(submission: Submission, report: Report | None) -> tuple[Submission, ReportOutcome | None]:
    """A file as the index has it: with the name that is published, that in its report, and the outcome of the report.

    The response of a web server is left out: it can be long, and nothing that is made from the index needs it.
    """
    name = public_file_name(submission.name) if report is None else report.file
    outcome = None if report is None else ReportOutcome.from_report(report)
    return replace(submission, name=name, origin=name, response=None), outcome


def _merge(store: Store, body: str, document: IndexDocument, changes: Mapping[str, tuple[str, str]]) -> ReceivedFiles:
    """The files of a document, with those that have changed since read again."""
    changed = {file for key, file in changes.items() if key not in document.seen}
    if not changed:
        return document.files
    files = {(one.dataset, one.sha256): (one, outcome) for one, outcome in document.files}
    for dataset, sha256 in sorted(changed):
        files.pop((dataset, sha256), None)
        if found := read_submission(store, dataset, body, sha256):
            files[dataset, sha256] = as_published(*found)
    return list(files.values())


def _bring_up_to_date(store: Store, body: str) -> None:
    """Add to the document of a body what the log of changes names. Raises: PointerMoved: others keep changing it."""
    for _ in range(_MAX_TRIES):
        content, tag = _read(store, body)
        changes = _list_file_changes(read_changes(store)).get(body, {})
        files = _merge(store, body, _decode(body, content), changes)
        try:
            store.replace(
                layout.received_index(body),
                msgspec.json.encode(IndexDocument(tuple(files), tuple(sorted(changes)))),
                tag,
            )
        except PointerMoved:
            continue
        return
    raise PointerMoved(f"{layout.received_index(body)} was changed by others {_MAX_TRIES} times: try again later")


def _list_file_changes(changes: LoggedChanges) -> dict[str, dict[str, tuple[str, str]]]:
    """The entries of the log that are about files: for each body the dataset and sha256, by the key of the entry."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for key in changes.keys:
        if (parsed := layout.parse_file_change(key)) is not None:
            dataset, body, sha256 = parsed
            found.setdefault(body, {})[key] = dataset, sha256
    return found


def _read(store: Store, body: str) -> tuple[bytes | None, str | None]:
    try:
        stored = store.read(layout.received_index(body))
    except NotThere:
        return None, None
    return stored.content, stored.tag


def _decode(body: str, content: bytes | None) -> IndexDocument:
    if content is None:
        return IndexDocument()
    try:
        return msgspec.json.decode(content, type=IndexDocument)
    except msgspec.DecodeError as error:
        key = layout.received_index(body)
        raise StoreCorrupt(f"{key} cannot be read: delete {layout.BUILD} and run again: {error}") from error
