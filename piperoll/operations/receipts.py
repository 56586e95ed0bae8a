"""Receipts: process the files that have one, and verify one without the network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import publishers
from piperoll import layout
from piperoll.errors import NotThere, UsageError
from piperoll.model import Receipt, ReturnKind, Submission, receipt_bytes
from piperoll.operations.run_request import Run

ORIGIN = "portal/"
"""How the origin of a submission begins that came with a receipt, whose reference follows."""


def submission_of(receipt: Receipt) -> Submission:
    """The submission that a receipt is for, as the archive records it."""
    return Submission(
        sha256=receipt.sha256,
        bytes=receipt.bytes,
        name=receipt.file or "",
        dataset=receipt.dataset,
        body=receipt.body,
        origin=f"{ORIGIN}{receipt.reference}",
        received=receipt.time,
        period=receipt.period,
        part=receipt.part,
    )


def fetch_waiting(run: Run) -> Iterator[tuple[Submission, Path]]:
    """Copy each file that has a receipt and is not processed yet to the scratch folder."""
    folder = run.scratch / "sent"
    folder.mkdir(exist_ok=True)
    for receipt, draft in publishers.list_waiting(run.store):
        submission = submission_of(receipt)
        if not run.keeps(submission.body):
            continue
        if _is_done(run, submission):
            publishers.end_waiting(run.store, receipt, draft)
            continue
        path = folder / receipt.reference
        try:
            run.store.fetch(layout.draft_file(receipt.body, draft, receipt.sha256), path)
        except NotThere:  # it was archived and its draft is gone: the archive has it
            run.store.fetch(layout.received_bytes(receipt.sha256), path)
        yield submission, path


def settle(run: Run, submissions: Iterable[Submission]) -> None:
    """Record which submissions with a receipt are done, and delete the drafts that held their files."""
    done = {one.origin for one in submissions if one.origin.startswith(ORIGIN) and _is_done(run, one)}
    if done:
        for receipt, draft in publishers.list_waiting(run.store):
            if f"{ORIGIN}{receipt.reference}" in done:
                publishers.end_waiting(run.store, receipt, draft)


def _is_done(run: Run, submission: Submission) -> bool:
    """Whether a run has finished with these bytes: their report is filed, or they were purged."""
    report = publishers.read_report(run.store, submission)
    if report is None:
        return publishers.read_tombstone(run.store, submission.sha256) is not None
    # The same file was sent before for another period, and held: this receipt is of the file for this one.
    return report.verdict.publishes or submission.period in (None, report.period)


def verify_receipt(document: Mapping[str, Any], sent: bytes | None = None, key: str | None = None) -> list[str]:
    """What a receipt proves, one sentence each: signed, by whom, and that it is for the file `sent`.

    `key` is the platform's public key in hex. Without it, only the key in the receipt itself can be used, and the last
    sentence says where to compare it. Raises: UsageError: the receipt is not valid, or is for another file.
    """
    try:
        named, signature = str(document["public_key"]), bytes.fromhex(document["signature"])
        reference, digest, kind = document["reference"], document["sha256"], ReturnKind(document["kind"])
        valid = publishers.is_signed_by(key or named, signature, receipt_bytes(document))
    except (KeyError, ValueError, TypeError) as error:
        raise UsageError(f"this is not a receipt, or its key is not valid: {error}") from error
    if key is not None and key.lower() != named:
        raise UsageError(f"the receipt is signed with the key {named}, and the key given is {key}")
    if not valid:
        raise UsageError("the signature is not valid: the receipt was changed after it was signed")
    proved = [f"Receipt {reference} is signed and unchanged."]
    if purged := document.get("purged"):
        proved.append(f"The file was purged on {str(purged)[:10]}: its name was removed, and the rest signed again.")
    if sent is not None:
        found = hashlib.sha256(sent).hexdigest()
        if found != digest:
            what = digest or f"no file: it is for a return that is {kind}"
            raise UsageError(f"the receipt is for {what}, and the file given is {found}")
        proved.append("It is for the file given, byte by byte.")
    if key is None:
        proved.append(f"The key is its own: compare {named} with catalogue/receipts-key.json of the platform.")
    return proved
