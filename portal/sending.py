"""Send a file: choose it, confirm what it is, put right what was found, and submit it. Every state has an address."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

import publishers
from hosting.problems import Problem
from hosting.sandboxed_check import CheckFailed, as_problem, sandbox_limits
from piperoll import assets
from piperoll.errors import PeriodError, UsageError
from piperoll.findings import deciding_finding
from piperoll.model import Draft, Report, Role, Verdict
from piperoll.operations import submitting
from piperoll.operations.draft_questions import answer_draft_questions, list_draft_questions
from piperoll.operations.marked_copy import write_changes
from piperoll.operations.queue_items import ItemKind
from piperoll.operations.sandbox import SandboxFailed, SandboxLimits
from piperoll.operations.submitting import Given, SentFile, SubmissionRefused
from piperoll.reading import ASKING
from portal.indexes import moment_of, standing_of
from portal.questions import MOST_SHOWN, read_answers
from portal.receipts import mail_receipt
from portal.rendering import page
from portal.sessions import Signed, log_reading, own_body, require, sent_form, settings_of

router = APIRouter()

ResultT = TypeVar("ResultT")

MOST_NAME = 200
"""Characters of a file name, counted from its end; the rest is cut."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_DRAFT = re.compile(r"[0-9a-f]{24}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def clean_name(name: str) -> str:
    """The name of a file on one line, without the folders that some browsers send."""
    name = _CONTROL.sub(" ", re.split(r"[/\\]", name)[-1])
    return name[-MOST_NAME:].strip() or "unnamed"


def own_draft(request: Request, body: str = Depends(own_body)) -> Draft:
    """The draft in the address, which is one of the body's. Raises: HTTPException: 404."""
    identifier = request.path_params["draft"]
    draft = (
        publishers.read_draft(settings_of(request).opened, body, identifier) if _DRAFT.fullmatch(identifier) else None
    )
    if draft is None:
        raise HTTPException(404)
    return draft


def limits_of(request: Request) -> SandboxLimits:
    """What checking one file may use."""
    return sandbox_limits(settings_of(request).limits)


async def in_a_slot(request: Request, work: Callable[[], ResultT]) -> ResultT:
    """Do work that checks a file, a few at a time. Raises: Problem: the server is busy, or the file is too heavy."""
    slots = request.app.state.check_slots
    await slots.acquire()
    try:
        return await run_in_threadpool(work)
    except SandboxFailed as failed:
        raise as_problem(failed) from failed
    finally:
        slots.release()


@router.get("/bodies/{body}/send")
def get_send(
    request: Request,
    body: str = Depends(own_body),
    _: Signed = Depends(require(Role.SUBMIT)),
    dataset: str = "",
    period: str = "",
    part: str = "",
) -> Response:
    """The page to choose a file; what is known already may be in the address."""
    values = {"dataset": _choice(dataset, part), "period": period[:40]}
    return _send_page(request, body, values, {})


@router.post("/bodies/{body}/send")
def post_send(
    request: Request,
    body: str = Depends(own_body),
    signed: Signed = Depends(require(Role.SUBMIT)),
    form: FormData = Depends(sent_form),
) -> Response:
    """Begin a draft with the file."""
    values = {"dataset": _text(form, "dataset"), "period": _text(form, "period")}
    given, errors = _read_given(values)
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        errors["file"] = "Choose a file"
    elif not (content := file.file.read()):
        errors["file"] = "The file is empty: choose another"
    if errors:
        return _send_page(request, body, values, errors, status=422)
    assert isinstance(file, UploadFile)  # noqa: S101 - it has no error
    sent = SentFile(clean_name(file.filename or ""), content, given)
    settings = settings_of(request)
    draft = submitting.begin_draft(settings.opened, body, signed.person, sent, settings.kind_of(body))
    return RedirectResponse(_address(draft), 303)


@router.get("/bodies/{body}/drafts/{draft}/")
@log_reading
async def get_draft(
    request: Request, draft: Draft = Depends(own_draft), _: Signed = Depends(require(Role.SUBMIT))
) -> Response:
    """What was recognised and found, and what to do next. The first time, the file is checked."""
    return await _draft_page(request, draft, {}, {})


@router.post("/bodies/{body}/drafts/{draft}/confirm")
async def post_confirm(
    request: Request,
    draft: Draft = Depends(own_draft),
    _: Signed = Depends(require(Role.SUBMIT)),
    form: FormData = Depends(sent_form),
) -> Response:
    """Say what the file is; it is checked again if that is not what was recognised."""
    if draft.reference is not None:
        return RedirectResponse(_receipt_address(draft), 303)
    values = {"dataset": _text(form, "dataset"), "period": _text(form, "period")}
    given, errors = _read_given(values)
    if errors:
        return await _draft_page(request, draft, values, errors, status=422)
    await run_in_threadpool(submitting.confirm_facts, settings_of(request).opened, draft, given)
    return RedirectResponse(_address(draft), 303)


@router.post("/bodies/{body}/drafts/{draft}/file")
async def post_file(
    request: Request,
    draft: Draft = Depends(own_draft),
    _: Signed = Depends(require(Role.SUBMIT)),
    form: FormData = Depends(sent_form),
) -> Response:
    """Upload the corrected file."""
    file = form.get("file")
    if draft.reference is not None:
        return RedirectResponse(_receipt_address(draft), 303)
    content = await file.read() if isinstance(file, UploadFile) and file.filename else b""
    if not isinstance(file, UploadFile) or not content:
        return await _draft_page(request, draft, {}, {"file": "Choose a file that is not empty"}, status=422)
    store, name = settings_of(request).opened, clean_name(file.filename or "")
    try:
        await run_in_threadpool(submitting.add_attempt, store, draft, name, content)
    except UsageError as error:
        return await _draft_page(request, draft, {}, {"file": _sentence(str(error))}, status=422)
    return RedirectResponse(_address(draft), 303)


@router.post("/bodies/{body}/drafts/{draft}/answers")
async def post_answers(
    request: Request,
    draft: Draft = Depends(own_draft),
    signed: Signed = Depends(require(Role.DECIDE)),
    form: FormData = Depends(sent_form),
) -> Response:
    """Answer questions about the file before it is sent; then it is checked again."""
    if draft.reference is not None:
        return RedirectResponse(_receipt_address(draft), 303)
    settings, limits = settings_of(request), limits_of(request)

    def answer() -> tuple[int, str]:
        checked = submitting.check_draft(settings.store, settings.opened, draft, limits)
        items = list_draft_questions(draft, checked)
        answers = read_answers(form, items)
        because, by = str(form.get("because", "")), signed.person
        store, moment = settings.opened, moment_of(request)
        done = answer_draft_questions(store, draft, checked, answers, because=because, by=by, moment=moment)
        return len(done.taken), done.describe(items)

    try:
        answered, error = await in_a_slot(request, answer)
    except UsageError as refused:
        return await _draft_page(request, draft, {}, {"questions": _sentence(str(refused))}, status=422, sent=form)
    if error:
        return await _draft_page(request, draft, {}, {"questions": error}, status=409, sent=form)
    return RedirectResponse(f"{_address(draft)}?answered={answered}", 303)


@router.get("/bodies/{body}/drafts/{draft}/{kind}-copy")
@log_reading
async def get_copy(
    request: Request, kind: str, draft: Draft = Depends(own_draft), _: Signed = Depends(require(Role.SUBMIT))
) -> Response:
    """The body's own file back: `marked` with what was found, or `corrected` where that needs no judgement.

    `changes-of-corrected` is what the corrected copy changes, as CSV.
    """
    if kind not in ("marked", "corrected", "changes-of-corrected") or draft.reference is not None:
        raise HTTPException(404)
    settings, limits = settings_of(request), limits_of(request)
    copy = await in_a_slot(
        request,
        lambda: submitting.make_copy(settings.store, settings.opened, draft, corrected=kind != "marked", limits=limits),
    )
    stem = draft.last.name.rpartition(".")[0] or draft.last.name
    if kind == "changes-of-corrected":
        text = io.StringIO(newline="")
        write_changes(copy.changes, text)
        return _download(text.getvalue().encode("utf-8-sig"), f"{stem}-changes.csv")
    return _download(copy.content, f"{stem}-{kind}{copy.extension}")


@router.post("/bodies/{body}/drafts/{draft}/submit")
async def post_submit(
    request: Request, draft: Draft = Depends(own_draft), signed: Signed = Depends(require(Role.SUBMIT))
) -> Response:
    """Give the receipt, and begin to publish. A double click leads to the same receipt."""
    settings, limits = settings_of(request), limits_of(request)
    try:
        receipt, new = await in_a_slot(
            request, lambda: submitting.submit_draft(settings.store, settings.opened, draft, limits)
        )
    except SubmissionRefused as refused:
        return await _draft_page(request, draft, {}, {"submit": _sentence(str(refused))}, status=422)
    request.app.state.work.ask()
    if new:
        await run_in_threadpool(mail_receipt, settings, signed, receipt)
    return RedirectResponse(f"/bodies/{draft.body}/receipts/{receipt.reference}", 303)


@router.post("/bodies/{body}/drafts/{draft}/give-up")
def post_give_up(
    request: Request, draft: Draft = Depends(own_draft), _: Signed = Depends(require(Role.SUBMIT))
) -> Response:
    """Delete a draft."""
    submitting.give_up_draft(settings_of(request).opened, draft)
    return RedirectResponse(f"/bodies/{draft.body}/send", 303)


def dataset_choices() -> list[tuple[str, str]]:
    """Each dataset and part: its value in a form, and its name."""
    choices = []
    for dataset in assets.datasets():
        choices.append((dataset.name, dataset.title))
        choices += [(f"{dataset.name}/{part.name}", f"{dataset.title}: {part.title}") for part in dataset.parts]
    return choices


def _send_page(
    request: Request, body: str, values: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    drafts = publishers.list_drafts(settings_of(request).opened, body)
    return page(
        request,
        "send.html",
        status=status,
        values=values,
        errors=errors,
        drafts=drafts,
        datasets=dataset_choices(),
        most_bytes=settings_of(request).limits.check_bytes,
    )


async def _draft_page(
    request: Request,
    draft: Draft,
    values: dict[str, str],
    errors: dict[str, str],
    *,
    status: int = 200,
    sent: FormData | None = None,
) -> Response:
    if draft.reference is not None:
        return RedirectResponse(_receipt_address(draft), 303)
    settings, limits = settings_of(request), limits_of(request)

    def check() -> tuple[submitting.CheckedAttempt, submitting.Progress | None]:
        checked = submitting.check_draft(settings.store, settings.opened, draft, limits)
        return checked, submitting.compare_attempts(settings.store, settings.opened, draft, limits)

    checked, progress, trouble = None, None, ""
    try:
        checked, progress = await in_a_slot(request, check)
    except Problem as problem:
        if problem.status != 422:
            raise
        trouble = _sentence(str(problem))
    except CheckFailed:
        trouble = "This file met a fault of ours. Choose another file, or tell the operator."
    report = checked.report if checked else None
    shown = {
        "dataset": _choice(report.dataset or "", report.part or "") if report else "",
        "period": report.period or "" if report else "",
    }
    asked = list_draft_questions(draft, checked) if checked else []
    signed: Signed = request.state.signed
    return page(
        request,
        "draft.html",
        status=status,
        draft=draft,
        checked=checked,
        report=report,
        headings=[item for item in asked if item.kind is ItemKind.HEADING],
        names=[item for item in asked if item.kind is ItemKind.VALUE][:MOST_SHOWN],
        more_names=max(0, sum(item.kind is ItemKind.VALUE for item in asked) - MOST_SHOWN),
        decider=await run_in_threadpool(_who_releases, request, report) if report else "",
        may_decide=signed.operates or Role.DECIDE in signed.roles,
        sent=FormData() if sent is None else sent,
        answered=request.query_params.get("answered", ""),
        progress=progress,
        trouble=trouble,
        values=shown | values,
        errors=errors,
        datasets=dataset_choices(),
    )


def _who_releases(request: Request, report: Report) -> str:
    """Who can publish a file that is held as a whole, once it is sent: `body`, `operator`, or nobody (empty)."""
    deciding = deciding_finding(report)
    if report.verdict is not Verdict.HELD or deciding is None or deciding.code in ASKING:
        return ""
    body = request.path_params["body"]
    return "body" if standing_of(request, body).trust.may_release(deciding.code) else "operator"


def _read_given(values: dict[str, str]) -> tuple[Given, dict[str, str]]:
    """What a form says of a file, and the errors by field."""
    dataset, _, part = values["dataset"].partition("/")
    try:
        return submitting.parse_given(Given(dataset or None, values["period"] or None, part or None)), {}
    except PeriodError as error:
        return Given(), {"period": _sentence(str(error))}
    except UsageError:
        return Given(), {"dataset": "Choose a dataset of the list"}


def _choice(dataset: str, part: str) -> str:
    return f"{dataset}/{part}" if dataset and part else dataset


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip()[:200] if isinstance(value, str) else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _address(draft: Draft) -> str:
    return f"/bodies/{draft.body}/drafts/{draft.id}/"


def _receipt_address(draft: Draft) -> str:
    return f"/bodies/{draft.body}/receipts/{draft.reference}"


def _download(content: bytes, name: str) -> Response:
    plain = _UNSAFE.sub("-", name).strip("-.") or "file"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, media_type="application/octet-stream", headers={"Content-Disposition": disposition})
