"""Send a file: upload it to a draft, check it, put it right, and submit it for a receipt.

Nothing here needs HTTP. A draft is private and of no effect. Submitting writes the receipt, and only then is the file
archived and processed, by `publish_waiting` or by the next run: a receipt that was given is never lost, and a file
without one leaves nothing public.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import publishers
from piperoll import assets, layout
from piperoll.errors import NotThere, PeriodError, UsageError
from piperoll.model import (
    Attempt,
    Counted,
    Draft,
    Finding,
    Period,
    Question,
    Receipt,
    Report,
    ReturnKind,
    Verdict,
    from_document,
    to_document,
    to_json_bytes,
)
from piperoll.operations import pipeline, receipts
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.checked_upload import MadeCopy, Upload, check_upload, correct_upload, mark_upload
from piperoll.operations.collecting import CollectedFiles
from piperoll.operations.preview import SideBySide
from piperoll.operations.run_request import Run, current_moment, open_run
from piperoll.operations.run_summary import FileResult, RunSummary
from piperoll.operations.sandbox import SandboxLimits, run_in_sandbox
from piperoll.reading.cells.periods import parse_typed_period
from publishers import Store

LIMITS = SandboxLimits()
"""What checking a file may use, if the caller sets no other limits."""

MOST_ATTEMPTS = 50
"""Uploads to one draft; each is kept until the draft is submitted or abandoned."""


class SubmissionRefused(UsageError):
    """A draft cannot be submitted as it is; `report` says why."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


@dataclass(frozen=True, slots=True)
class CheckedAttempt:
    """What checking an attempt found; see `piperoll.operations.checked_upload.CheckedUpload`."""

    report: Report
    beside: SideBySide | None
    accepted: Counted
    held: Counted
    left_out: Counted
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """An attempt compared with the last one that was of another file: findings by kind, rows and pounds."""

    before: Attempt
    solved: tuple[Finding, ...]
    remaining: tuple[Finding, ...]
    new: tuple[Finding, ...]
    accepted_before: Counted
    accepted: Counted


@dataclass(frozen=True, slots=True)
class Given:
    """What a sender says about a file; None leaves it to be recognised."""

    dataset: str | None = None
    period: str | None = None
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """For which body a file is sent, of which kind if known, and by whom: an opaque identifier of a person or a key."""

    body: str
    person: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it is uploaded, and what its sender says about it."""

    name: str
    content: bytes = field(repr=False)
    given: Given = Given()

    @property
    def sha256(self) -> str:
        """The sha256 of the bytes, in hex digits."""
        return hashlib.sha256(self.content).hexdigest()


def begin_draft(store: Store, body: str, by: str, file: SentFile, kind: str | None = None) -> Draft:
    """Begin a draft with a file; `by` is the opaque identifier of the person, `kind` the kind of body, if known.

    Raises: UsageError: the file is empty.
    """
    identifier = secrets.token_hex(12)
    attempt = _store_file(store, body, identifier, file)
    draft = Draft(identifier, body, attempt.at, by, (attempt,), kind=kind)
    publishers.create_draft(store, draft)
    return draft


def add_attempt(store: Store, draft: Draft, name: str, content: bytes) -> Draft:
    """Upload another file to a draft, for the same dataset, period and part. The same file again is no new attempt.

    Raises: UsageError: the file is empty, there are MOST_ATTEMPTS, or the draft is submitted or given up.
    """
    last = draft.last
    file = SentFile(name, content, Given(last.dataset, last.period, last.part))
    if (file.sha256, name) == (last.sha256, last.name):
        return draft
    if len(draft.attempts) >= MOST_ATTEMPTS:
        raise UsageError(f"this draft has {MOST_ATTEMPTS} attempts: give it up and begin again")
    return _append(store, draft, _store_file(store, draft.body, draft.id, file))


def confirm_facts(store: Store, draft: Draft, given: Given) -> Draft:
    """Record what the sender says of the file's dataset, period and part. What they said before is no new attempt.

    Raises: UsageError: the dataset or period does not exist.
    """
    last, given = draft.last, parse_given(given)
    if given == Given(last.dataset, last.period, last.part):
        return draft
    attempt = replace(
        last,
        at=current_moment(),
        dataset=given.dataset,
        period=given.period,
        part=given.part,
        verdict="",
    )
    return _append(store, draft, attempt)


def parse_given(given: Given) -> Given:
    """What a sender says, in our own words: a name of a part like `gpc` becomes the dataset and the part.

    Raises: UnknownDataset, PeriodError. UsageError: the dataset has no such part.
    """
    dataset, part = given.dataset, given.part
    if dataset is not None:
        known, meant = assets.find_dataset(dataset)
        dataset, part = known.name, part or meant
        if part is not None and part not in {one.name for one in known.parts}:
            raise UsageError(f"'{part}' is no part of {dataset}: leave it out, or choose one of the list")
    elif part is not None:
        raise UsageError("a part needs its dataset: choose both")
    period = None
    if given.period and (period := parse_typed_period(given.period)) is None:
        raise PeriodError("this is not a period: write it like October 2026, 2026-10, 2026-Q4, 2026-27 or 2026-10-31")
    return Given(dataset, str(period) if period else None, part)


def _store_file(store: Store, body: str, draft: str, file: SentFile) -> Attempt:
    """Write the bytes of a file below a draft; return it as the first attempt."""
    if not file.content:
        raise UsageError("the file is empty: choose another")
    store.create(layout.draft_file(body, draft, file.sha256), file.content)
    given = file.given
    size = len(file.content)
    return Attempt(1, file.name, file.sha256, size, current_moment(), given.dataset, given.period, given.part)


def _append(store: Store, draft: Draft, attempt: Attempt) -> Draft:
    def add(current: Draft) -> Draft:
        if current.reference is not None:
            raise UsageError("this draft was submitted: begin another to send a corrected file")
        return replace(current, attempts=(*current.attempts, replace(attempt, number=current.last.number + 1)))

    return publishers.update_draft(store, draft.body, draft.id, add)


def give_up_draft(store: Store, draft: Draft) -> None:
    """Delete a draft with everything uploaded to it, unless it is submitted."""
    if draft.reference is None:
        publishers.delete_draft(store, draft.body, draft.id)


# --- checking ---------------------------------------------------------------------------------------------------------


def check_draft(
    to: str, store: Store, draft: Draft, limits: SandboxLimits = LIMITS, attempt: Attempt | None = None
) -> CheckedAttempt:
    """Check an attempt, by default the last, in the sandbox; what was found is kept, and read again the next time.

    Raises: SandboxFailed: see `run_in_sandbox`. UsageError: the draft's files are gone.
    """
    attempt = attempt or draft.last
    key = layout.draft_check(draft.body, draft.id, attempt.number)
    try:
        return from_document(CheckedAttempt, json.loads(store.read(key).content))
    except NotThere:
        pass
    checked = run_in_sandbox(check_upload, _as_upload(to, store, draft, attempt), limits)
    document = {
        "report": checked.report,
        "beside": checked.beside and to_document(checked.beside),
        "accepted": to_document(checked.accepted),
        "held": to_document(checked.held),
        "left_out": to_document(checked.left_out),
        "questions": [to_document(one) for one in checked.questions],
    }
    store.put(key, to_json_bytes(document))
    return from_document(CheckedAttempt, document)


def check_again(store: Store, draft: Draft) -> None:
    """Forget what checking the last attempt found, because answers were given: the next `check_draft` checks anew."""
    store.delete(layout.draft_check(draft.body, draft.id, draft.last.number))


def make_copy(to: str, store: Store, draft: Draft, *, corrected: bool, limits: SandboxLimits = LIMITS) -> MadeCopy:
    """Make the marked or the corrected copy of the last attempt, in the sandbox. Raises: SandboxFailed."""
    return run_in_sandbox(
        correct_upload if corrected else mark_upload, _as_upload(to, store, draft, draft.last), limits
    )


def _as_upload(to: str, store: Store, draft: Draft, attempt: Attempt) -> Upload:
    try:
        content = store.read(layout.draft_file(draft.body, draft.id, attempt.sha256)).content
    except NotThere:
        raise UsageError("the file of this draft is gone: it was submitted, or given up") from None
    period = Period.parse(attempt.period) if attempt.period else None
    return Upload(
        content,
        attempt.name,
        attempt.dataset,
        period,
        draft.body,
        draft.kind,
        store=to,
        part=attempt.part,
        from_body=True,
    )


def compare_attempts(to: str, store: Store, draft: Draft, limits: SandboxLimits = LIMITS) -> Progress | None:
    """Compare the last attempt with the one before it that was of another file; None if there is none."""
    before = next((one for one in reversed(draft.attempts) if one.sha256 != draft.last.sha256), None)
    if before is None:
        return None
    then, now = check_draft(to, store, draft, limits, before), check_draft(to, store, draft, limits)
    kinds_then, kinds_now = ({_kind(one) for one in checked.report.findings} for checked in (then, now))
    return Progress(
        before,
        solved=tuple(one for one in then.report.findings if _kind(one) not in kinds_now),
        remaining=tuple(one for one in now.report.findings if _kind(one) in kinds_then),
        new=tuple(one for one in now.report.findings if _kind(one) not in kinds_then),
        accepted_before=then.accepted,
        accepted=now.accepted,
    )


def _kind(finding: Finding) -> tuple[Any, ...]:
    """What makes a finding the same in two attempts: rows move when others are removed, so its row does not."""
    return finding.code, finding.sheet, finding.column, finding.value


# --- submitting -------------------------------------------------------------------------------------------------------


def submit_draft(
    to: str, store: Store, draft: Draft, limits: SandboxLimits = LIMITS, *, held: bool = True
) -> tuple[Receipt, bool]:
    """Give a receipt for the last attempt of a draft; return it and whether it is new. Nothing is published yet.

    The same file, for the same dataset, period and part, has one receipt however often it is submitted. With `held`
    False, a file that would be held is refused.

    Raises: SubmissionRefused: the file is rejected, or has no dataset or period. SandboxFailed: it cannot be checked.
    """
    if draft.reference is not None and (receipt := publishers.read_receipt(store, draft.body, draft.reference)):
        return receipt, False
    checked = check_draft(to, store, draft, limits)
    _require_acceptable(checked.report, held=held)
    if publishers.read_tombstone(store, draft.last.sha256) is not None:
        raise SubmissionRefused(
            "this file was purged because of what it holds: remove that, and send it", checked.report
        )
    receipt, new = record_receipt_for(store, draft, checked)
    if (purged := publishers.read_tombstone(store, draft.last.sha256)) is not None:  # while we wrote the receipt
        publishers.remove_submission(store, receipt.sha256, because=purged.because, now=purged.purged)
        return publishers.read_receipt(store, draft.body, receipt.reference) or receipt, new
    mark_submitted(store, draft, receipt)
    return receipt, new


def mark_submitted(store: Store, draft: Draft, receipt: Receipt) -> None:
    """Record in a draft which receipt it has, so that its address leads there."""
    publishers.update_draft(store, draft.body, draft.id, lambda one: replace(one, reference=receipt.reference))


def record_receipt_for(
    store: Store, draft: Draft, checked: CheckedAttempt, kind: ReturnKind = ReturnKind.FILE
) -> tuple[Receipt, bool]:
    """Write the receipt for the last attempt of a draft, as it was checked; return it and whether it is new."""
    key, report, attempt = publishers.signing_key(store), checked.report, draft.last
    now = current_moment()
    at_once = report.verdict.publishes
    receipt = Receipt(
        reference=key.reference(draft.body, report.dataset, report.period, report.part, attempt.sha256),
        time=now,
        kind=kind,
        body=draft.body,
        dataset=report.dataset or "",
        period=report.period,
        part=report.part,
        file=attempt.name,
        sha256=attempt.sha256,
        bytes=attempt.bytes,
        verdict=str(report.verdict),
        accepted=checked.accepted,
        held=checked.held,
        left_out=checked.left_out,
        publication="at-once" if at_once else "after-review",
        expected=now[:10] if at_once else None,
    )
    return publishers.record_receipt(store, key.sign(receipt), draft.id)


def _require_acceptable(report: Report, *, held: bool) -> None:
    if report.verdict is Verdict.REJECTED:
        raise SubmissionRefused("the file cannot be published as it is: put right what must be fixed", report)
    if report.dataset is None:
        raise SubmissionRefused("we do not know what the file holds: choose the dataset", report)
    if report.period is None:
        raise SubmissionRefused("we do not know which period the file is for: give the period", report)
    if report.verdict is Verdict.HELD and not held:
        raise SubmissionRefused("the file would be held: the report says why, and what to do", report)


def find_receipt(store: Store, body: str, given: Given, sha256: str) -> Receipt | None:
    """The receipt for a file of which everything is known already; None if there is none, or if something is not."""
    if given.dataset is None or given.period is None:
        return None
    reference = publishers.signing_key(store).reference(body, given.dataset, given.period, given.part, sha256)
    return publishers.read_receipt(store, body, reference)


def put_submission(
    to: str, store: Store, sender: Sender, file: SentFile, limits: SandboxLimits = LIMITS, *, held: bool = False
) -> tuple[Receipt, bool]:
    """Send a file in one step, as a program does; return its receipt and whether it is new.

    Raises: SubmissionRefused: it is rejected, or would be held and `held` is False; nothing is kept of it.
    UsageError: the dataset, part or period does not exist. SandboxFailed: it cannot be checked.
    """
    file = replace(file, given=parse_given(file.given))
    if before := find_receipt(store, sender.body, file.given, file.sha256):
        return before, False
    draft = begin_draft(store, sender.body, sender.person, file, sender.kind)
    try:
        return submit_draft(to, store, draft, limits, held=held)
    except Exception:
        publishers.delete_draft(store, sender.body, draft.id)
        raise


def publish_waiting(to: str, bodies: Path | None = None) -> RunSummary | None:
    """Process every file that has a receipt, and build the catalogue; None if there was none.

    A run does the same. Two at a time do no harm: releases are published by conditional writes.
    """
    with open_run(to, bodies=bodies) as run:
        if next(publishers.list_waiting(run.store), None) is None:
            return None
        results = process_waiting(run)
        return pipeline.summarise(CollectedFiles(), results, lambda: build_catalogue(run))


def publish_from_arguments() -> None:
    """`publish_waiting` for a process of its own: the arguments are the store, and the operator's file of bodies."""
    store, *bodies = sys.argv[1:]
    publish_waiting(store, Path(bodies[0]) if bodies else None)


def process_waiting(run: Run) -> list[FileResult]:
    """Process every file that has a receipt."""
    return pipeline.run_in_process(run, CollectedFiles())


def is_processed(store: Store, receipt: Receipt) -> Report | None:
    """The public report of the file of a receipt; None while it waits, or if the receipt is of a statement."""
    if not receipt.sha256 or publishers.is_waiting(store, receipt):
        return None
    return publishers.read_report(store, receipts.submission_of(receipt))
