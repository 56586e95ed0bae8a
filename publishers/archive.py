"""What came in: bytes as received, the record of each submission, its reports, and decisions about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from piperoll import layout
from piperoll.errors import NotThere, PointerMoved, StoreCorrupt, UnknownSubmission, UsageError
from piperoll.model import Report, Submission, from_document, to_compact_json_bytes, to_document, to_json_bytes
from publishers.change_log import log_arrival, logging_submission_change
from publishers.purge import purge_again, refuse_purged
from publishers.stores.protocol import Store, compress, decompress, sha256_of, update_object
from publishers.versions import Decision

_MIN_DIGITS = 6
"""Digits of a sha256 that name a submission; fewer would soon be ambiguous."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What someone decided about a submission, why, when (ISO 8601, UTC), and who; older stores lack the last."""

    decision: Decision
    because: str
    decided: str
    by: str | None = None


def archive_submission(store: Store, content: bytes | Path, submission: Submission) -> bool:
    """Write the bytes to the archive, and then the record that they came.

    Returns True if they certainly did not come before from this body for this dataset.
    Raises: StoreCorrupt: the bytes are not those that the record names. BytesPurged: they were purged.
    """
    if sha256_of(content) != submission.sha256:
        raise StoreCorrupt(f"the file is not the one that was received as {submission.sha256[:12]}")
    refuse_purged(store, submission.sha256)
    store.create(layout.received_bytes(submission.sha256), content)
    is_new = store.create(layout.sender_link(submission), b"")
    log_arrival(store, submission)
    store.create(layout.record(submission), to_json_bytes(to_document(submission)))
    purge_again(store, submission)
    return is_new


def file_reports(
    store: Store, submission: Submission, report: Report, public: Report, *, is_logged: bool = False
) -> None:
    """Write the full report (private), and then the public one, which marks the submission as done.

    `is_logged` if the caller logs the change of the submission, before and after.
    Raises: BytesPurged: the submission was purged meanwhile; neither report stays.
    """
    packed = compress(to_compact_json_bytes(to_document(report)))
    _write_report(store, layout.full_report(submission), packed)
    logging = logging_submission_change(store, submission.dataset, submission.body, submission.sha256)
    with nullcontext() if is_logged else logging:
        _write_report(store, layout.public_report_of(submission), to_compact_json_bytes(to_document(public)))
    purge_again(store, submission)


def read_report(store: Store, submission: Submission) -> Report | None:
    """Read the public report of a submission; None if it is not done."""
    try:
        return from_document(Report, _read_json(store, layout.public_report_of(submission)))
    except NotThere:
        return None


def read_full_report(store: Store, submission: Submission) -> Report | None:
    """Read the full report of a submission, which is private; None if there is none."""
    try:
        return from_document(Report, _read_json(store, layout.full_report(submission)))
    except NotThere:
        return None


def list_submissions(store: Store, body: str | None = None) -> Iterator[tuple[Submission, Report | None]]:
    """List all submissions, or those of a body, each with its public report if it is done.

    The order is that of body, dataset and sha256. Bytes that came again are listed once, by their first record.
    """
    listed = None
    for key in store.keys(layout.submissions_prefix(body)):
        named = layout.parse_record(key)
        if named is not None and named != listed:
            listed = named
            submission = from_document(Submission, _read_json(store, key))
            yield submission, read_report(store, submission)


def read_submission(store: Store, dataset: str, body: str, sha256: str) -> tuple[Submission, Report | None] | None:
    """Read one submission as `list_submissions` lists it; None if there is no record of it, or no longer."""
    key = next(iter(store.keys(layout.records_prefix(body, dataset, sha256))), None)
    if key is None:
        return None
    submission = from_document(Submission, _read_json(store, key))
    return submission, read_report(store, submission)


def find_submission(store: Store, sha256: str) -> Submission:
    """Find the submission whose sha256 begins with these digits; of several records of the same bytes, the last.

    Where several bodies sent the same bytes, or one for several datasets, write `{body}/{dataset}/` before the digits.
    Raises: UnknownSubmission: there is none, or the digits are too few. UsageError: there are several.
    """
    whose, _, start = sha256.lower().rpartition("/")
    if len(start) < _MIN_DIGITS:
        raise UnknownSubmission(f"'{sha256}' is too short: give at least {_MIN_DIGITS} digits of the file's sha256")
    found: dict[str, str] = {}
    for link in store.keys(layout.senders_prefix(start)):
        digest, body, dataset = layout.parse_sender_link(link)
        if whose in ("", f"{body}/{dataset}"):
            records = list(store.keys(layout.records_prefix(body, dataset, digest)))
            found |= {f"{body}/{dataset}/{digest}": key for key in records[-1:]}
    if not found:
        raise UnknownSubmission(
            f"no submission begins with '{sha256}': find its sha256 in its report, or in the summary of the run"
        )
    if len(found) > 1:
        raise UsageError(f"'{sha256}' may be any of these: {', '.join(sorted(found))}. Write out the one you mean.")
    return from_document(Submission, _read_json(store, next(iter(found.values()))))


def read_received_bytes(store: Store, submission: Submission) -> bytes:
    """Read the bytes as received. Raises: StoreCorrupt: the archive holds other bytes."""
    key = layout.received_bytes(submission.sha256)
    content = store.read(key).content
    if sha256_of(content) != submission.sha256:
        raise StoreCorrupt(f"{key} does not hold the bytes it is named for")
    return content


def record_ruling(store: Store, submission: Submission, ruling: Ruling) -> None:
    """Write a decision beside the record of a submission, where nothing is ever changed."""
    document = asdict(ruling) | {"decision": str(ruling.decision)}
    store.create(layout.ruling(submission, ruling.decided), to_json_bytes(document))


def list_rulings(store: Store, submission: Submission) -> tuple[Ruling, ...]:
    """What was decided about a submission, oldest first."""
    documents = (_read_json(store, key) for key in store.keys(layout.rulings_prefix(submission)))
    return tuple(Ruling(Decision(one["decision"]), one["because"], one["decided"], one.get("by")) for one in documents)


def _write_report(store: Store, key: str, content: bytes) -> None:
    """Write a report over an older one; if several are written at the same time, the last one stays."""
    try:
        store.replace(key, content, None)  # one request, for nearly all of them
    except PointerMoved:
        update_object(store, key, lambda _: content)


def _read_json(store: Store, key: str) -> Mapping[str, Any]:
    document: dict[str, Any] = json.loads(decompress(store.read(key).content))
    return document
