"""Right of reply: what a body says about a figure of its own, published beside the figure."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

import publishers
from piperoll.errors import UsageError
from piperoll.measuring.definition import measures
from piperoll.model import DecisionEntry, DecisionKind, Role, reviews_in_force
from piperoll.operations.decisions import take_back
from piperoll.operations.own_figures import (
    OwnFigure,
    find_own_figure,
    list_measure_years,
    list_own_figures,
    name_figure,
)
from piperoll.operations.reviews import LONGEST_NOTE, record_reply
from portal.indexes import moment_of
from portal.rendering import page
from portal.sessions import Signed, own_body, require, sent_form, settings_of

router = APIRouter()

MOST_FIGURES = 150
"""Figures of a measure on a page, so that it stays small."""


@router.get("/bodies/{body}/replies/")
def get_replies(
    request: Request,
    body: str = Depends(own_body),
    signed: Signed = Depends(require()),
    figure: str = "",
) -> Response:
    """The replies of the body that are in force; and the way to another: a measure, a figure of the body, the reply."""
    error = ""
    try:
        chosen = find_own_figure(settings_of(request).opened, figure, body) if figure else None
    except UsageError as unknown:
        chosen, error = None, str(unknown)
    return _replies_page(request, body, signed, chosen=chosen, error=error)


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
    chosen = None
    try:
        if taken:
            _require_own(store, body, taken)
            take_back(store, taken, because="taken back by the body", by=signed.person, moment=moment)
        else:
            chosen = find_own_figure(store, figure, body)
            record_reply(store, figure, note, by=signed.person, moment=moment, body=body)
    except UsageError as error:
        return _replies_page(request, body, signed, error=str(error), chosen=chosen, note=note, status=400)
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
    chosen: OwnFigure | None = None,
    error: str = "",
    note: str = "",
    status: int = 200,
) -> Response:
    store = settings_of(request).opened
    measure, year = (request.query_params.get(name, "") for name in ("measure", "year"))
    years = list_measure_years(store, measure) if measure else []
    series = next((one for one in years if str(one.period) == year), years[0] if years else None)
    replies = _list_replies(store, body)
    return page(
        request,
        "replies.html",
        status=status,
        replies=[(entry, name_figure(store, body, entry.subject)) for entry in replies],
        may_decide=signed.operates or Role.DECIDE in signed.roles,
        measures=measures().values(),
        measure=measure,
        years=years,
        series=series,
        figures=list_own_figures(store, body, series) if series else [],
        most=MOST_FIGURES,
        chosen=chosen,
        error=error,
        note=note,
        longest=LONGEST_NOTE,
        done=request.query_params.get("done", ""),
    )
