"""The questions that a body answers in the page: headings, held names, held files, and readers' reports."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from piperoll.errors import UsageError
from piperoll.model import DecidedAs, Role
from piperoll.operations.answering import answer_items, may_answer
from piperoll.operations.queue_items import ItemKind, QueueItem
from piperoll.operations.standing import BodyStanding
from portal.indexes import moment_of, standing_of
from portal.rendering import page
from portal.sessions import Signed, log_reading, own_body, require, sent_form, settings_of

router = APIRouter()

MOST_SHOWN = 60
"""Questions of one kind on a page, so that it stays small; the others follow when these are answered."""


@router.get("/bodies/{body}/questions/")
@log_reading
def get_questions(request: Request, body: str = Depends(own_body), signed: Signed = Depends(require())) -> Response:
    """Everything that waits for this body's answer."""
    return _questions_page(request, standing_of(request, body), signed)


@router.post("/bodies/{body}/questions/")
def answer_questions(
    request: Request,
    body: str = Depends(own_body),
    signed: Signed = Depends(require(Role.DECIDE)),
    form: FormData = Depends(sent_form),
) -> Response:
    """Record the answers of a form: any number of them, with one reason."""
    standing = standing_of(request, body)
    because = str(form.get("because", ""))
    items = standing.items
    try:
        answers = read_answers(form, items)
        answered = answer_items(
            settings_of(request).opened,
            items,
            answers,
            because=because,
            by=signed.person,
            moment=moment_of(request),
            standings=None if signed.operates else {body: standing.trust},
        )
    except UsageError as error:
        return _questions_page(request, standing, signed, error=str(error), sent=form, status=400)
    request.app.state.work.ask()
    if problem := answered.describe(items):
        return _questions_page(request, standing_of(request, body), signed, error=problem, sent=form, status=409)
    return RedirectResponse(f"/bodies/{body}/questions/?done={len(answered.taken)}", 303)


def read_answers(form: FormData, items: Sequence[QueueItem]) -> dict[str, str]:
    """The answers of a form, by identifier: those given one by one, and `all-names` for names without one.

    The form lists in `shown` what was on the page, so that `all-names` is about nothing that nobody saw.
    """
    answers = {
        name.removeprefix("a-"): value.strip()
        for name, value in form.multi_items()
        if name.startswith("a-") and isinstance(value, str) and value.strip()
    }
    for_all = str(form.get("all-names", ""))
    if for_all:
        if for_all not in set(DecidedAs):
            raise UsageError("choose a business, a public role or a private person for all other names")
        shown = {str(value) for value in form.getlist("shown")}
        values = {item.id for item in items if item.kind is ItemKind.VALUE}
        answers |= dict.fromkeys(shown & values - answers.keys(), for_all)
    return answers


def _questions_page(
    request: Request,
    standing: BodyStanding,
    signed: Signed,
    *,
    error: str = "",
    sent: FormData | None = None,
    status: int = 200,
) -> Response:
    judge = None if signed.operates else standing.trust
    ours = [item for item in standing.items if may_answer(item, judge) and item.choices]
    groups = {kind: [item for item in ours if item.kind is kind] for kind in ItemKind}
    return page(
        request,
        "questions.html",
        status=status,
        standing=standing,
        groups={str(kind): found[:MOST_SHOWN] for kind, found in groups.items()},
        more={str(kind): max(0, len(found) - MOST_SHOWN) for kind, found in groups.items()},
        for_operator=[item for item in standing.items if item not in ours],
        may_decide=signed.operates or Role.DECIDE in signed.roles,
        error=error,
        sent=sent if sent is not None else FormData(),
        done=request.query_params.get("done", ""),
    )
