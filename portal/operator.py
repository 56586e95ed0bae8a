"""The operator's room: everything that waits for a decision, and the duty calendar, of all bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from piperoll.duties import Duty, DutyState
from piperoll.errors import UsageError
from piperoll.model import Acts, Role
from piperoll.operations.answering import answer_items
from piperoll.operations.decision_queue import list_items
from piperoll.operations.duty_calendar import (
    CalendarFilter,
    count_states,
    list_calendar,
    list_upcoming,
    write_csv,
    write_icalendar,
)
from piperoll.operations.queue_items import ItemKind, QueueItem
from portal.indexes import index_of, moment_of
from portal.rendering import page
from portal.sessions import Signed, find_calendars, log_reading, public, require, sent_form, settings_of

router = APIRouter()

ITEMS_A_PAGE = 60
DUTIES_A_PAGE = 150

_MOST_DIGITS = 9
"""Digits of the number of a page: `int` refuses thousands of them."""

_FILTERS = ("kind", "turn", "of", "words", "order")

_KINDS = {
    "heading": "Headings",
    "value": "Held names and texts",
    "file": "Held files",
    "claim": "Several files for one period",
    "withdrawal": "Withdrawals that bodies ask for",
    "purge": "Withdrawn because of personal data: the file as received",
    "report": "Readers' reports",
    "supplier": "Which company a supplier is",
    "pair": "Contracts of different bodies that may be for the same need",
}


@router.get("/operator/queue")
@log_reading
def get_queue(request: Request, _: Signed = Depends(require(Role.OPERATE))) -> Response:
    """Everything that waits for a decision."""
    return _queue_page(request)


@router.post("/operator/queue")
def answer_queue(
    request: Request, signed: Signed = Depends(require(Role.OPERATE)), form: FormData = Depends(sent_form)
) -> Response:
    """Record one answer to all that were chosen, of any number of bodies."""
    picked = [str(value) for value in form.getlist("pick")]
    answer, because = str(form.get("answer", "")), str(form.get("because", ""))
    lacking = {"choose at least one question": picked, "choose an answer": answer.strip()}
    lacking["give a reason: it is kept with the answer"] = because.strip()
    if error := next((words for words, given in lacking.items() if not given), ""):
        return _queue_page(request, error=error, picked=picked, because=because, status=400)
    items = list_items(index_of(request))
    try:
        answered = answer_items(
            settings_of(request).opened,
            items,
            dict.fromkeys(picked, answer),
            because=because,
            by=signed.person,
            moment=moment_of(request),
            standings=None,
        )
    except UsageError as error:
        return _queue_page(request, error=str(error), picked=picked, because=because, status=400)
    request.app.state.work.ask()
    if problem := answered.describe(items):
        return _queue_page(request, error=problem, picked=[*answered.refused], because=because, status=409)
    number = request.query_params.get("number", "")
    back = _filters(request) | ({"number": number} if number else {}) | {"done": str(len(answered.taken))}
    return RedirectResponse(f"/operator/queue?{urlencode(back)}", 303)


@router.get("/operator/calendar")
def get_calendar(request: Request, _: Signed = Depends(require(Role.OPERATE)), number: int = 1) -> Response:
    """Who owes what, by when, and whose fault it is that it is not there."""
    wanted, duties = _read_calendar(request)
    pages = max(1, -(-len(duties) // DUTIES_A_PAGE))
    if not 1 <= number <= pages:
        raise HTTPException(404)
    index = index_of(request)
    settings = settings_of(request)
    return page(
        request,
        "calendar.html",
        duties=duties[(number - 1) * DUTIES_A_PAGE : number * DUTIES_A_PAGE],
        found=len(duties),
        counts=count_states(duties),
        wanted=wanted,
        number=number,
        pages=pages,
        on=index.context.on,
        bodies=[(slug, settings.find_body(slug).name) for slug in index.slugs],
        datasets=[dataset.name for dataset in index.context.datasets],
        duty_states=[str(state) for state in DutyState],
        query={name: value for name, value in request.query_params.items() if value and name != "number"},
    )


@router.get("/operator/calendar.csv")
def get_calendar_csv(request: Request, _: Signed = Depends(require(Role.OPERATE))) -> Response:
    """The same as CSV, all of it."""
    duties = _read_calendar(request)[1]
    headers = {"Content-Disposition": 'attachment; filename="duty-calendar.csv"'}
    return Response(write_csv(duties), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/operator/calendar.ics")
def get_icalendar(request: Request, _: Signed = Depends(require(Role.OPERATE))) -> Response:
    """The same as an iCalendar, with the returns that fall due within a year if no state or actor is asked for."""
    return _icalendar(request, None)


@router.get("/calendar/{key}.ics")
@public
def get_subscribed_icalendar(request: Request, key: str) -> Response:
    """The duty calendar of one body or of all, for programs that cannot sign in: the address has a key of its own."""
    bodies = find_calendars(request, key)
    if not bodies:
        raise HTTPException(404)
    return _icalendar(request, bodies[0])


def _icalendar(request: Request, body: str | None) -> Response:
    """What is asked for as an iCalendar, of one body, or (`body` None) of any."""
    wanted, duties = _read_calendar(request, body)
    index, settings = index_of(request), settings_of(request)
    if wanted.state is None and wanted.acts is None:
        named = [one for one in index.context.datasets if one.name in index.first_starts]
        datasets = [one for one in named if wanted.dataset in (None, one.name)]
        slugs = index.slugs if wanted.body is None else [slug for slug in index.slugs if slug == wanted.body]
        bodies = [settings.find_body(slug) for slug in slugs]
        duties = [*duties, *list_upcoming(datasets, bodies, index.context.on, index.context.statements)]
    name = "Returns" if body is None else f"Returns of {settings.find_body(body).name}"
    content = write_icalendar(duties, index.context.on, name, settings.address)
    headers = {"Content-Disposition": 'attachment; filename="duty-calendar.ics"'}
    return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)


def _read_calendar(request: Request, body: str | None = None) -> tuple[CalendarFilter, list[Duty]]:
    """What is asked for, of one body or (`body` None) of any, and the duties.

    Duties are kept while the index is the same, since judging all takes seconds.
    """
    state, given = request.app.state, request.query_params
    mark, index = state.indexes.open()
    on = index.context.on
    try:
        since = date.fromisoformat(given["since"]) if given.get("since") else date(on.year - 1, on.month, 1)
        duty_state = DutyState(given["state"]) if given.get("state") else None
    except ValueError as error:
        raise UsageError("the day or the state in this address is not valid") from error
    wanted = CalendarFilter(since, body or given.get("of") or None, given.get("dataset") or None, duty_state)
    if given.get("acts") in ("body", "platform"):
        wanted = replace(wanted, acts=given["acts"])
    if wanted.body is not None and wanted.body not in index.slugs:
        return wanted, []
    everything = CalendarFilter(since)
    kept = getattr(state, "calendar", None)
    if kept is None or kept[:2] != (mark, since):
        kept = mark, since, list_calendar(index, everything)
        state.calendar = kept
    duties = [duty for duty in kept[2] if wanted.keeps(duty) and wanted.body in (None, duty.body.slug)]
    return wanted, duties


def _queue_page(
    request: Request,
    *,
    error: str = "",
    picked: Sequence[str] = (),
    because: str = "",
    status: int = 200,
) -> Response:
    index, chosen = index_of(request), dict.fromkeys(_FILTERS, "") | _filters(request)
    items = list_items(index)
    kind, turn, of, words, order = (chosen[name] for name in _FILTERS)
    found = [
        item
        for item in items
        if kind in ("", item.kind)
        and turn in ("", item.turn)
        and (not of or of in item.concerns)
        and words.casefold() in item.question.casefold()
    ]
    if order == "pounds":
        found.sort(key=lambda one: one.pounds or 0, reverse=True)
    found.sort(key=lambda one: list(ItemKind).index(one.kind))
    pages, number = max(1, -(-len(found) // ITEMS_A_PAGE)), request.query_params.get("number", "1")
    if not number.isdecimal() or len(number) > _MOST_DIGITS or not 1 <= int(number) <= pages:
        number = str(pages)  # what was on the last page has been answered
    groups: dict[str, list[QueueItem]] = {}
    for item in found[(int(number) - 1) * ITEMS_A_PAGE : int(number) * ITEMS_A_PAGE]:
        groups.setdefault(str(item.kind), []).append(item)
    settings = settings_of(request)
    return page(
        request,
        "queue.html",
        status=status,
        groups=groups,
        kinds=_KINDS,
        found=len(found),
        ours=sum(item.turn is Acts.PLATFORM for item in found),
        number=int(number),
        pages=pages,
        rows=sum(item.rows for item in found),
        pounds=sum(item.pounds for item in found if item.pounds is not None),
        on=index.context.on,
        choices={name: max((item.choices for item in group), key=len) for name, group in groups.items()},
        names={slug: settings.find_body(slug).name for item in items for slug in item.concerns},
        chosen=chosen,
        query={name: value for name, value in chosen.items() if value},
        error=error,
        picked=picked,
        because=because,
        done=request.query_params.get("done", ""),
    )


def _filters(request: Request) -> dict[str, str]:
    """What the list of decisions is filtered by and its order, so that an answer leads back to the same list."""
    return {name: value for name in _FILTERS if (value := request.query_params.get(name, ""))}
