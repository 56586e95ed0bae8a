"""What came in: bytes as received, the log of every fetch, decisions and reports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from piperoll import layout
from piperoll.errors import NotThere, PointerMoved, StoreCorrupt, UnknownSubmission, UsageError
from piperoll.model import Report, Submission, from_document, to_document, to_json_bytes
from publishers.change_log import logging_submission_change
from publishers.outcome import Decision
from publishers.purge import purge_again, refuse_purged
from publishers.stores.protocol import Store

_LEAST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Ruling:
    """What someone decided about a submission, on the record: what, because of what, and when (ISO 8601, UTC)."""

    decision: Decision
    because: str
    decided: str


def archive_submission(store: Store, content: bytes | Path, submission: Submission) -> Submission:
    """Keep the bytes in the archive, written once, and then the record of their coming in the log.

    Raises: StoreCorrupt: the bytes are not those that the record names. BytesPurged: they were purged.
    """
    if _sha256(content) != submission.sha256:
        raise StoreCorrupt(f"{submission.name} is not the file that was received as {submission.sha256[:12]}")
    refuse_purged(store, submission.sha256)
    store.create(layout.received_bytes(submission.sha256), content)
    store.create(layout.sender_link(submission), b"")
    with logging_submission_change(store, submission.dataset, submission.body, submission.sha256):
        store.create(layout.record(submission), to_json_bytes(to_document(submission)))
    purge_again(store, submission)
    return submission


def file_reports(store: Store, submission: Submission, report: Report, public: Report) -> None:
    """File the full report (private) and then the public one, which marks the submission as done.

    Raises: BytesPurged: the submission was purged meanwhile; no report of it stays.
    """
    _file(store, layout.full_report(submission), report)
    with logging_submission_change(store, submission.dataset, submission.body, submission.sha256):
        _file(store, layout.public_report_of(submission), public)
    purge_again(store, submission)


def read_report(store: Store, submission: Submission) -> Report | None:
    """The public report of a submission; None: it is not done."""
    try:
        return from_document(Report, json.loads(store.read(layout.public_report_of(submission)).content))
    except NotThere:
        return None


def list_submissions(store: Store) -> Iterator[tuple[Submission, Report | None]]:
    """Every submission that came, with its public report if it is done; the same bytes again are named once.

    In order of body, dataset and sha256; of several records of the same bytes the first to come.
    """
    return _named_once(store, store.keys(layout.COLLECTED))


def _named_once(store: Store, keys: Iterable[str]) -> Iterator[tuple[Submission, Report | None]]:
    done = ""
    for key in keys:
        place, _, name = key.rpartition("/")
        if name.startswith("received-") and place != done:
            done = place
            submission = from_document(Submission, _document(store, key))
            yield submission, read_report(store, submission)


def read_submission(store: Store, dataset: str, body: str, sha256: str) -> tuple[Submission, Report | None] | None:
    """One submission, as `submissions` names it; None: there is no record of it, or no longer."""
    key = next(iter(store.keys(layout.records_prefix(body, dataset, sha256))), None)
    if key is None:
        return None
    submission = from_document(Submission, _document(store, key))
    return submission, read_report(store, submission)


def submissions_of(store: Store, body: str) -> Iterator[tuple[Submission, Report | None]]:
    """Every submission of a body, as `submissions` names them."""
    return _named_once(store, store.keys(layout.submissions_prefix(body)))


def find_submission(store: Store, sha256: str) -> Submission:
    """The submission whose sha256 begins with these digits; of several records of the same bytes the last to come.

    Where the same bytes came from several bodies, or for several datasets, `{body}/{dataset}/` before the digits says
    which is meant. Raises: UnknownSubmission: there is none, or the digits are too few; UsageError: there are several.
    """
    whose, _, start = sha256.lower().rpartition("/")
    if len(start) < _LEAST_DIGITS:
        raise UnknownSubmission(f"'{sha256}' is too short: give at least {_LEAST_DIGITS} digits of the file's sha256")
    found: dict[str, str] = {}
    for key in store.keys(layout.senders_prefix(start)):
        _, _, _, digest, place = key.split("/", maxsplit=4)
        body, dataset = place.split("/")
        if whose in ("", place):
            records = list(store.keys(layout.records_prefix(body, dataset, digest)))
            found |= {f"{place}/{digest}": key for key in records[-1:]}
    if not found:
        raise UnknownSubmission(
            f"no submission here begins with '{sha256}': its report says the sha256, and so does the summary of the run"
        )
    if len(found) > 1:
        raise UsageError(f"'{sha256}' may be any of these: {', '.join(sorted(found))}. Write out the one you mean.")
    return from_document(Submission, _document(store, next(iter(found.values()))))


def read_received_bytes(store: Store, submission: Submission) -> bytes:
    """The bytes as received. Raises: StoreCorrupt: the archive holds others."""
    content = store.read(layout.received_bytes(submission.sha256)).content
    if _sha256(content) != submission.sha256:
        raise StoreCorrupt(f"{layout.received_bytes(submission.sha256)} does not hold the bytes it is named for")
    return content


def record_ruling(store: Store, submission: Submission, ruling: Ruling) -> None:
    """Put a decision on the record, beside the submission; nothing there is ever changed."""
    document = asdict(ruling) | {"decision": str(ruling.decision)}
    store.create(layout.ruling(submission, ruling.decided), to_json_bytes(document))


def list_rulings(store: Store, submission: Submission) -> tuple[Ruling, ...]:
    """What was decided about a submission, the oldest first."""
    keys = store.keys(layout.rulings_prefix(submission))
    documents = [_document(store, key) for key in keys]
    return tuple(Ruling(Decision(one["decision"]), one["because"], one["decided"]) for one in documents)


def _file(store: Store, key: str, report: Report) -> None:
    """Write a report over an older one; if someone else files at the same time, the last one stands."""
    content = to_json_bytes(to_document(report))
    for _ in range(10):
        try:
            tag = store.read(key).tag
        except NotThere:
            tag = None
        try:
            store.replace(key, content, tag)
        except PointerMoved:
            continue
        return
    raise PointerMoved(f"{key} is being filed by others at the same time")


def _place(submission: Submission) -> str:
    return layout.full_report(submission).removesuffix("report.json")


def _compact(instant: str) -> str:
    return instant.replace(":", "").replace("-", "")


def _document(store: Store, key: str) -> Mapping[str, Any]:
    document: dict[str, Any] = json.loads(store.read(key).content)
    return document


def _sha256(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
