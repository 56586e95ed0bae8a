"""Readers report what they find in a published table, without an account and without leaving anything about them."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

import publishers
from piperoll import assets
from piperoll.describing.wording import CONCERNS
from piperoll.errors import PiperollError, UsageError
from piperoll.model import Series
from piperoll.operations.reader_reports import LONGEST_REPORT, report_table
from portal.indexes import moment_of
from portal.rates import client_address
from portal.rendering import page
from portal.sessions import public, sent_form, settings_of
from portal.settings import Rate

router = APIRouter()

REPORTS = Rate(10, 3600)
"""Reports from one address: ten at once, and then one every six minutes. The address is in memory only."""


@router.get("/report/{dataset}/{owner}/{period}")
@public
def get_report_form(request: Request, dataset: str, owner: str, period: str) -> Response:
    """The form to report something about a published table."""
    return _report_page(request, _find_series(request, dataset, owner, period))


@router.post("/report/{dataset}/{owner}/{period}")
@public
def send_report(
    request: Request, dataset: str, owner: str, period: str, form: FormData = Depends(sent_form)
) -> Response:
    """Keep a report; the body sees it, and its answer is published beside the table."""
    settings, series = settings_of(request), _find_series(request, dataset, owner, period)
    concern, text, line = (str(form.get(name, "")) for name in ("concern", "text", "line"))
    request.app.state.rates.check("report", client_address(request, settings), REPORTS)
    try:
        report_table(settings.opened, series, concern, text, moment=moment_of(request), line=line)
    except UsageError as error:
        return _report_page(request, series, error=str(error), concern=concern, text=text, line=line, status=400)
    return RedirectResponse(f"{request.url.path}?done=1", 303)


def _find_series(request: Request, dataset: str, owner: str, period: str) -> Series:
    """A published table. Raises: HTTPException: 404."""
    try:
        if dataset not in assets.dataset_names():
            raise HTTPException(404)
        series = Series.parse(f"{dataset}/{owner}/{period}")
        current = publishers.read_history(settings_of(request).opened, series)[0].current_version
    except (PiperollError, ValueError) as error:
        raise HTTPException(404) from error
    if current is None:
        raise HTTPException(404)
    return series


def _report_page(
    request: Request,
    series: Series,
    *,
    error: str = "",
    concern: str = "",
    text: str = "",
    line: str = "",
    status: int = 200,
) -> Response:
    owner = settings_of(request).find_body(series.body)
    return page(
        request,
        "report_table.html",
        status=status,
        owner=owner,
        series=series,
        about=publishers.describe_series(series),
        concern_words=CONCERNS,
        error=error,
        concern=concern,
        text=text,
        line=line,
        longest=LONGEST_REPORT,
        done=request.query_params.get("done", ""),
    )
