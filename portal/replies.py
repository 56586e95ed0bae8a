"""Right of reply: what a body says about a figure of its own, published beside the figure."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

import publishers
from piperoll.errors import UsageError
from piperoll.model import DecisionEntry, DecisionKind, Role, reviews_in_force
from piperoll.operations.decisions import take_back
from piperoll.operations.reviews import LONGEST_NOTE, record_reply
from portal.indexes import moment_of
from portal.rendering import page
from portal.sessions import Signed, own_body, require, sent_form, settings_of

router = APIRouter()


@router.get("/bodies/{body}/replies/")
def get_replies(request: Request, body: str = Depends(own_body), signed: Signed = Depends(require())) -> Response:
    """The replies of the body that are in force, and a form for another."""
    return _replies_page(request, body, signed)


@router.post("/bodies/{body}/replies/")
def send_reply(
    request: Request,
    body: str = Depends(own_body),
    signed: Signed = Depends(require(Role.DECIDE)),
    form: FormData = Depends(sent_form),
) -> Response:
    """Record a reply, or take one back."""
    store, moment = settings_of(request).opened, moment_of(request)
    figure, note, taken = (str(form.get(name, "")) for name in ("figure", "note", "take-back"))
    try:
        if taken:
            _require_own(store, body, taken)
            take_back(store, taken, because="taken back by the body", by=signed.person, moment=moment)
        else:
            record_reply(store, figure, note, by=signed.person, moment=moment, body=body)
    except UsageError as error:
        return _replies_page(request, body, signed, error=str(error), figure=figure, note=note, status=400)
    return RedirectResponse(f"/bodies/{body}/replies/?done=1", 303)


def _require_own(store: publishers.Store, body: str, identifier: str) -> None:
    """Raises: UsageError: it is no reply of this body."""
    if identifier not in {entry.id for entry in _list_replies(store, body)}:
        raise UsageError("there is no such reply of this body")


def _list_replies(store: publishers.Store, body: str) -> list[DecisionEntry]:
    return list(reviews_in_force(publishers.list_decisions(store, body), DecisionKind.REPLY))


def _replies_page(
    request: Request,
    body: str,
    signed: Signed,
    *,
    error: str = "",
    figure: str = "",
    note: str = "",
    status: int = 200,
) -> Response:
    return page(
        request,
        "replies.html",
        status=status,
        replies=_list_replies(settings_of(request).opened, body),
        may_decide=signed.operates or Role.DECIDE in signed.roles,
        error=error,
        figure=figure or request.query_params.get("figure", ""),
        note=note,
        longest=LONGEST_NOTE,
        done=request.query_params.get("done", ""),
    )
