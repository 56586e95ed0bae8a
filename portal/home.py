"""A body's home page, everything that it sent, what became of each file, and how it is trusted."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

import publishers
from piperoll.errors import UsageError
from piperoll.model import Role, Status
from piperoll.operations.queue_items import group_items
from piperoll.operations.standing import BodyStanding, SentFile
from piperoll.operations.trust import read_rules
from piperoll.operations.withdrawing import Withdrawal, ask_to_withdraw, find_withdrawal
from portal.indexes import moment_of, standing_of
from portal.rendering import page
from portal.sessions import Signed, log_reading, own_body, require, sent_form, settings_of

router = APIRouter()

FILES_A_PAGE = 50
"""Files on one page of what a body sent."""

STATES = {
    "received": ("We have it and have not examined it yet", ""),
    "published": ("Published", "good"),
    "partly": ("Published, some rows held", "warn"),
    "replaced": ("Replaced by a later file", ""),
    "withdrawn": ("Withdrawn", "warn"),
    "removed": ("Removed", "bad"),
    "held": ("Held", "bad"),
    "rejected": ("Cannot be published", "bad"),
}
"""What became of a file, in words, and the kind of tag."""


@router.get("/bodies/{body}/")
def get_home(request: Request, body: str = Depends(own_body), signed: Signed = Depends(require())) -> Response:
    """What the body owes, what came, and what waits for whom."""
    standing = standing_of(request, body)
    return page(
        request,
        "home.html",
        standing=standing,
        questions=group_items(standing.for_body),
        file_states=STATES,
        waiting=[one for one, _ in publishers.list_waiting(settings_of(request).opened) if one.body == body],
        roles={str(role) for role in signed.roles},
    )


@router.get("/bodies/{body}/submissions/")
def get_submissions(request: Request, body: str = Depends(own_body), number: int = 1, state: str = "") -> Response:
    """Everything that the body sent, the newest first, also what was held and rejected."""
    standing = standing_of(request, body)
    files = [file for file in standing.files if state in ("", file.state)]
    pages = max(1, -(-len(files) // FILES_A_PAGE))
    if not 1 <= number <= pages or (state and state not in STATES):
        raise HTTPException(404)
    shown = files[(number - 1) * FILES_A_PAGE : number * FILES_A_PAGE]
    return page(
        request,
        "submissions.html",
        standing=standing,
        files=shown,
        found=len(files),
        number=number,
        pages=pages,
        state=state,
        file_states=STATES,
    )


@router.get("/bodies/{body}/submissions/{reference}")
@log_reading
def get_submission(request: Request, reference: str, body: str = Depends(own_body)) -> Response:
    """One file: what was found, what of it is published, and what can be done now."""
    standing, file = _find_file(request, body, reference)
    return _submission_page(request, standing, file)


@router.post("/bodies/{body}/submissions/{reference}/withdraw")
def ask_withdrawal(
    request: Request,
    reference: str,
    body: str = Depends(own_body),
    signed: Signed = Depends(require(Role.DECIDE)),
    form: FormData = Depends(sent_form),
) -> Response:
    """Ask to withdraw what was published of a file; because of personal data, at once."""
    standing, file = _find_file(request, body, reference)
    if file.series is None or file.version is None:
        raise HTTPException(404)
    because, reason = str(form.get("because", "")), str(form.get("reason", ""))
    if reason not in ("mistake", "personal"):
        error = "say whether personal data is the reason"
        return _submission_page(request, standing, file, error=error, because=because, status=400)
    try:
        ask_to_withdraw(
            settings_of(request).opened,
            file.series,
            file.version.version,
            because=because,
            personal_data=reason == "personal",
            by=signed.person,
            moment=moment_of(request),
        )
    except UsageError as error:
        return _submission_page(request, standing, file, error=str(error), because=because, status=400)
    request.app.state.work.ask()
    return RedirectResponse(f"/bodies/{body}/submissions/{reference}?done=withdrawal#withdraw", 303)


@router.get("/bodies/{body}/standing")
def get_trust(request: Request, body: str = Depends(own_body)) -> Response:
    """The ladder of earned trust, where the body is on it, and why."""
    return page(request, "standing.html", standing=standing_of(request, body), rules=read_rules())


def _find_file(request: Request, body: str, reference: str) -> tuple[BodyStanding, SentFile]:
    """A file of a body by the first digits of its sha256. Raises: HTTPException: 404."""
    if not 8 <= len(reference) <= 64 or not set(reference) <= set("0123456789abcdef"):
        raise HTTPException(404)
    standing = standing_of(request, body)
    file = standing.file(reference)
    if file is None:
        raise HTTPException(404)
    return standing, file


def _submission_page(
    request: Request,
    standing: BodyStanding,
    file: SentFile,
    *,
    error: str = "",
    because: str = "",
    status: int = 200,
) -> Response:
    store, sha256 = settings_of(request).opened, file.submission.sha256
    report = publishers.read_full_report(store, file.submission) or publishers.read_report(store, file.submission)
    withdrawal: Withdrawal | None = None
    if file.series is not None and file.version is not None:
        withdrawal = find_withdrawal(store, file.series, file.version.version)
    is_public = file.version is not None and file.version.status in (Status.CURRENT, Status.SUPERSEDED)
    given = f"?dataset={quote(file.submission.dataset)}&period={quote(str(file.period or ''))}"
    return page(
        request,
        "sent.html",
        status=status,
        standing=standing,
        file=file,
        report=report,
        items=standing.items_about(file),
        withdrawal=withdrawal,
        receipts=[one for one in publishers.list_receipts(store, standing.body.slug) if one.sha256 == sha256],
        is_public=is_public,
        send_again=f"/bodies/{standing.body.slug}/send{given}",
        file_states=STATES,
        error=error,
        because=because,
        done=request.query_params.get("done", ""),
    )
