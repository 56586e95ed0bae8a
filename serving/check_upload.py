"""`/check`: a page to upload a file, the report on it, and blank forms. The file is held in memory and never stored."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from hosting.limits import ApiLimits, WorkSlots
from hosting.problems import Problem, bad_parameter, printable, unknown_name
from hosting.sandboxed_check import Upload, check_in_sandbox
from hosting.transfers import UploadBody, UploadBudget, too_large
from hosting.uploads import read_upload_form, upload_body
from piperoll import assets, releasing
from piperoll.describing.pages.rendering import render_problem_page, render_upload_page
from piperoll.errors import DescriptorError
from piperoll.model import KINDS, Period
from piperoll.reading.cells.periods import parse_typed_period
from serving.response_formats import XLSX, prefers

PATH = "/check"
PAGES = (PATH, "/templates/")
"""Addresses whose errors are pages, if the client prefers pages."""

_MAX_FIELDS = 6
"""Text fields of a form; the page sends four, and a browser may add its own."""
_MAX_NAME_CHARACTERS = 200
"""Characters of a file name, counted from its end; longer names are cut for the report."""
_MAX_STEM_CHARACTERS = 60
"""Characters of the name of the file checked that the name of its report has."""
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_UNSAFE_IN_NAMES = re.compile(r"[^\w.-]+")
_MAIN = re.compile(r'<main id="?main"?[^>]*>')


class CheckEndpoint:
    """The upload page and the reports; `checks_at_once` files are checked at a time.

    `store` is the address of the store with which the files of a known body are compared.
    """

    def __init__(self, limits: ApiLimits, store: str | None = None) -> None:
        self._limits = limits
        self._store = store
        self._slots = WorkSlots(limits.checks_at_once, limits.wait_seconds)
        self._budget = UploadBudget(limits.upload_bytes)

    def get_page(self) -> Response:
        """The upload page."""
        return _html_response(render_upload_page(self._limits.check_bytes))

    async def check(self, request: Request) -> Response:
        """The report on the uploaded file: a page, or the JSON of `piperoll check --json`. Raises: Problem."""
        media_type = prefers(request.headers.get("Accept"), ("application/json", "text/html"))
        body = upload_body(request, self._budget, self._limits)
        try:
            upload = await self._read_form(request, body)
            await self._slots.acquire()  # a client that is still sending keeps nobody else waiting
            try:
                checked = await run_in_threadpool(check_in_sandbox, upload, self._limits)
            finally:
                self._slots.release()
        finally:
            body.close()
        if media_type == "text/html":
            return _html_response(_add_save_link(checked.page, name_report(upload.name)))
        content = json.dumps(checked.report, ensure_ascii=False, indent=2)
        headers = {"Cache-Control": "no-store", "Vary": "Accept"}
        return Response(content, media_type="application/json", headers=headers)

    async def _read_form(self, request: Request, body: UploadBody) -> Upload:
        """Read the file of a form into memory. Raises: Problem: there is none, or it is too large."""
        form = await read_upload_form(request, body, self._limits, fields=_MAX_FIELDS)
        try:
            return await self._read_fields(form)
        finally:
            await form.close()

    async def _read_fields(self, form: FormData) -> Upload:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Problem(400, "no-file", "no file was chosen: send one in a field named 'file'", parameter="file")
        content = await file.read()
        if len(content) > self._limits.check_bytes:
            raise too_large(self._limits)
        # One line for the report, without the folders that some browsers send.
        name = _CONTROL_CHARACTERS.sub(" ", re.split(r"[/\\]", file.filename)[-1])
        name = name[-_MAX_NAME_CHARACTERS:].strip() or "unnamed"
        kind = _text_field(form, "kind")
        if kind is not None and kind not in KINDS:
            raise unknown_name("kind", kind, KINDS, see=f"use {', '.join(KINDS)}")
        period = parse_period(text) if (text := _text_field(form, "period")) else None
        return Upload(content, name, _text_field(form, "dataset"), period, _text_field(form, "body"), kind, self._store)


def parse_period(text: str) -> Period:
    """The period that a person writes: 2026-10, October 2026, 10/2026, Q2 2026-27. Raises: Problem."""
    period = parse_typed_period(text)
    if period is None:
        raise bad_parameter(
            "period",
            f"'{printable(text)}' is not a period: write it like October 2026, 2026-10, 2026-Q4, 2026-27 or 2026-10-31",
        )
    return period


def name_report(file: str) -> str:
    """The name under which the report on a file is saved: letters, digits, dots, hyphens and underscores only."""
    stem = file.rpartition(".")[0] or file
    safe = _UNSAFE_IN_NAMES.sub("-", stem).strip("-.")[:_MAX_STEM_CHARACTERS].strip("-.")
    return f"report-{safe}.html" if safe else "report.html"


async def get_template(request: Request) -> Response:
    """A blank form of a dataset, as CSV or XLSX. Raises: Problem."""
    stem, _, kind = request.path_params["name"].rpartition(".")
    makers = {
        "csv": (releasing.make_template_csv, "text/csv; charset=utf-8"),
        "xlsx": (releasing.make_template_xlsx, XLSX.media_type),
    }
    if kind not in makers or stem not in assets.dataset_names():
        names = [f"{name}.{each}" for name in assets.dataset_names() for each in makers]
        raise unknown_name("template", request.path_params["name"], names, status=404, see=f"see {PATH}")
    make, media_type = makers[kind]
    content = await run_in_threadpool(make, assets.dataset(stem))
    headers = {"Content-Disposition": f'attachment; filename="{stem}.{kind}"', "Cache-Control": "public, max-age=3600"}
    return Response(content, media_type=media_type, headers=headers)


def problem_response(problem: Problem) -> Response:
    """A problem as a page, for a person at a browser: what is wrong, and what to do next."""
    page = render_problem_page(problem.kind, str(problem))
    response = _html_response(page)
    response.status_code = problem.status
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _text_field(form: FormData, name: str) -> str | None:
    value = form.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _html_response(page: str) -> Response:
    """A page whose security policy allows its own style and nothing else: no scripts, no requests, no frames."""
    digests = (hashlib.sha256(style.encode()).digest() for style in _STYLE.findall(page))
    styles = " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests)
    policy = (
        f"default-src 'none'; style-src {styles}; img-src data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Vary": "Accept"}
    return HTMLResponse(page, headers=headers)


def _add_save_link(page: str, name: str) -> str:
    """Add a link to a report's page that saves the page, which the link holds in base64.

    Raises: DescriptorError: the template of the report has changed, so that there is no place for the link.
    """
    if len(_MAIN.findall(page)) != 1:
        raise DescriptorError('catalogue/report.html must have exactly one <main id="main">')
    content = b64encode(page.encode()).decode()
    link = (
        f'<p class="actions"><a download="{name}" href="data:text/html;charset=utf-8;base64,{content}">'
        f'Save this report</a> <a href="{PATH}">Check another file</a></p>'
    )
    return _MAIN.sub(lambda main: f"{main[0]}\n{link}", page)
