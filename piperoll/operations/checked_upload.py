"""Check a file that someone uploads, and make copies of it to put right. Both run in the sandbox."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import publishers
from piperoll import assets, layout
from piperoll.checking.check_file import FileToCheck, check_file
from piperoll.describing.pages.rendering import render_report_page
from piperoll.errors import UsageError
from piperoll.model import Body, Counted, Period, Question, Report, count_report, resolve_body, to_document
from piperoll.operations.marked_copy import Change, make_corrected_copy, make_marked_copy
from piperoll.operations.preview import CandidateFile, Preview, SideBySide, preview_submission
from piperoll.operations.sandbox import SandboxLimits, run_in_sandbox
from piperoll.reading import ASKING


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to check and the text fields of its form; `store` is where earlier releases are published.

    `body` is a name of a body, or its slug. `kind` is the kind of body, for a body that is in no register.
    `from_body` is True if the body itself has signed in: then what the store knows of it counts even if nothing is
    published yet.
    """

    content: bytes = field(repr=False)
    name: str
    dataset: str | None = None
    period: Period | None = None
    body: str | None = None
    kind: str | None = None
    store: str | None = None
    part: str | None = None
    from_body: bool = False


@dataclass(frozen=True, slots=True)
class CheckedUpload:
    """The report as JSON, as `piperoll check --json` prints it, and as an HTML page.

    `beside` compares it with the last release of the same kind; None if there is none. The counts are what is
    accepted, held and left out. `questions` are about headings for which the file is held.
    """

    report: dict[str, Any]
    page: str
    beside: SideBySide | None
    accepted: Counted
    held: Counted
    left_out: Counted
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class MadeCopy:
    """A copy of a file: `extension` is `.csv` or `.xlsx`; `changes` are those of a corrected copy."""

    content: bytes = field(repr=False)
    extension: str
    changes: tuple[Change, ...] = ()


def check_in_sandbox(upload: Upload, limits: SandboxLimits) -> CheckedUpload:
    """Check a file in a child process. Raises: SandboxFailed: see `run_in_sandbox`."""
    return run_in_sandbox(check_upload, upload, limits)


def check_upload(upload: Upload) -> CheckedUpload:
    """Check a file, compared with earlier releases if the body is known. Raises: UsageError."""
    previewed = _preview(upload)
    report, beside = (previewed.report, previewed.beside) if previewed else (_check_alone(upload), None)
    document = json.loads(json.dumps(to_document(report), ensure_ascii=False))
    questions: tuple[Question, ...] = ()
    if previewed is not None:
        held_for = {finding.value for finding in report.findings if finding.code in ASKING}
        questions = tuple(one for one in previewed.examination.reading.questions if one.heading in held_for)
    return CheckedUpload(document, render_report_page(report), beside, *count_report(report), questions)


def mark_upload(upload: Upload) -> MadeCopy:
    """Make the marked copy of a file. Raises: UsageError: it has no cells, or too many."""
    previewed = _preview(upload, keep_tables=True)
    if previewed is None:
        raise UsageError("the file is none of our datasets, so no copy can be made: see the report")
    return MadeCopy(make_marked_copy(upload.content, previewed.examination), ".xlsx")


def correct_upload(upload: Upload) -> MadeCopy:
    """Make the copy of a file with the safe corrections. Raises: UsageError: there is nothing to correct."""
    previewed = _preview(upload, keep_tables=True)
    if previewed is None:
        raise UsageError("the file is none of our datasets, so no copy can be made: see the report")
    copy = make_corrected_copy(upload.content, previewed.examination)
    return MadeCopy(copy.content, copy.extension, copy.changes)


def _preview(upload: Upload, *, keep_tables: bool = False) -> Preview | None:
    """What a run would say of the file; None if it fits no dataset, or there is no body or store to compare with."""
    if upload.body is None or upload.store is None:
        return None
    slug = upload.body if upload.from_body else _find_sender(upload.body, upload.kind).slug
    # Where nothing is published yet, there is nothing to compare with. The report does not say where the store is.
    if not (upload.from_body or publishers.open_store(upload.store).exists(layout.HOME)):
        return None
    dataset, part = assets.find_dataset(upload.dataset) if upload.dataset else (None, None)
    part = upload.part or part
    candidate = CandidateFile(upload.content, upload.name, slug, dataset, part, upload.period, upload.kind)
    return preview_submission(upload.store, candidate, called="this site", keep_tables=keep_tables)


def _check_alone(upload: Upload) -> Report:
    body = None
    if upload.body:
        body = assets.register().find(upload.body) if upload.from_body else _find_sender(upload.body, upload.kind)
    period = str(upload.period) if upload.period else None
    return check_file(FileToCheck(upload.content, upload.name, upload.dataset, period, body, upload.kind))


def _find_sender(name: str, kind: str | None) -> Body:
    """The registered body of this name, or a provisional one if its kind is given. Raises: UsageError."""
    match = resolve_body(name, assets.register())
    if match.body is not None:
        return match.body
    if kind is not None:
        return Body.provisional_for(name)
    near = " or ".join(f"'{body.name}'" for body in match.suggestions)
    hint = f"did you mean {near}? If not, choose" if near else "check its spelling, or choose"
    raise UsageError(f"'{name}' is not in our register of public bodies: {hint} its kind of body too")
