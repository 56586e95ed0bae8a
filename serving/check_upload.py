"""`/check`: a page to upload a file, and the report on it. The file is held in memory and never stored."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import AsyncGenerator
from email.message import Message

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from piperoll.checking.check_file import FileToCheck
from piperoll.describing.pages.rendering import render_upload_page
from piperoll.errors import DescriptorError
from serving.limits import ApiLimits, WorkSlots
from serving.problems import Problem
from serving.response_formats import prefers
from serving.sandboxed_check import check_in_sandbox

_FORM_OVERHEAD_BYTES = 65_536
"""Bytes of a form beside the file: boundaries, headers and the two text fields."""
_MAX_FIELDS = 4
"""Text fields of a form; the page sends two, and a browser may add its own."""
_MAX_NAME_CHARACTERS = 200
"""Characters of a file name, counted from its end; longer names are cut for the report."""
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_MAIN = '<main id="main" tabindex="-1">'


class CheckEndpoint:
    """The upload page and the reports; `checks_at_once` files are checked at a time."""

    def __init__(self, limits: ApiLimits) -> None:
        self._limits = limits
        self._slots = WorkSlots(limits.checks_at_once, limits.wait_seconds)

    def get_page(self) -> Response:
        """The upload page."""
        return _html_response(render_upload_page(self._limits.check_bytes))

    async def check(self, request: Request) -> Response:
        """The report on the uploaded file: a page, or the JSON of `piperoll check --json`. Raises: Problem."""
        media_type = prefers(request.headers.get("Accept"), ("application/json", "text/html"))
        await self._slots.acquire()
        try:
            checked = await run_in_threadpool(check_in_sandbox, await self._read_form(request), self._limits)
        finally:
            self._slots.release()
        if media_type == "text/html":
            return _html_response(_add_save_link(checked.page))
        content = json.dumps(checked.report, ensure_ascii=False, indent=2)
        headers = {"Cache-Control": "no-store", "Vary": "Accept"}
        return Response(content, media_type="application/json", headers=headers)

    async def _read_form(self, request: Request) -> FileToCheck:
        """Read the file of a form into memory. Raises: Problem: there is none, or it is too large."""
        declared = request.headers.get("Content-Length", "0")
        if not declared.isdecimal() or int(declared) > self._limits.check_bytes + _FORM_OVERHEAD_BYTES:
            raise self._too_large()
        content_type = Message()
        content_type["Content-Type"] = request.headers.get("Content-Type", "")
        if content_type.get_content_type() != "multipart/form-data":
            raise Problem(415, "no-form", "send the file as multipart/form-data, in a field named 'file'")
        try:
            parser = _InMemoryParser(request.headers, self._stream_body(request), max_files=1, max_fields=_MAX_FIELDS)
            form = await parser.parse()
        except MultiPartException as error:
            raise Problem(400, "no-form", f"the form is not valid: {error.message}") from error
        try:
            file = form.get("file")
            if not isinstance(file, UploadFile) or not file.filename:
                raise Problem(
                    400, "no-file", "the form has no file: send one in a field named 'file'", parameter="file"
                )
            content = await file.read()
            if len(content) > self._limits.check_bytes:
                raise self._too_large()
            # One line for the report, without the folders that some browsers send.
            name = _CONTROL_CHARACTERS.sub(" ", re.split(r"[/\\]", file.filename)[-1])
            name = name[-_MAX_NAME_CHARACTERS:].strip() or "unnamed"
            return FileToCheck(content, name, _text_field(form, "dataset"), _text_field(form, "period"))
        finally:
            await form.close()

    async def _stream_body(self, request: Request) -> AsyncGenerator[bytes, None]:
        """The body, refused as soon as it is too long: a chunked request has no Content-Length to check before."""
        received = 0
        async for chunk in request.stream():
            received += len(chunk)
            if received > self._limits.check_bytes + _FORM_OVERHEAD_BYTES:
                raise self._too_large()
            yield chunk

    def _too_large(self) -> Problem:
        most = self._limits.check_bytes // 1_000_000
        return Problem(
            413, "too-large", f"the file is larger than {most} MB: check it on your own computer with piperoll check"
        )


class _InMemoryParser(MultiPartParser):
    """A form parser that never writes the file to disk."""

    spool_max_size = 1 << 40

    async def parse(self) -> FormData:
        """Parse the form. If it is too large, free what was read; Starlette does so for its own errors only."""
        try:
            return await super().parse()
        except Problem:
            for file in self._files_to_close_on_error:
                file.close()
            raise


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


def _add_save_link(page: str) -> str:
    """Add a link to a report's page that saves the page, which the link holds in base64.

    Raises: DescriptorError: the template of the report has changed, so that there is no place for the link.
    """
    if page.count(_MAIN) != 1:
        raise DescriptorError(f"catalogue/report.html must have exactly one {_MAIN}")
    content = b64encode(page.encode()).decode()
    link = (
        f'<p><a download="report.html" href="data:text/html;charset=utf-8;base64,{content}">Save this report</a>'
        ', or print it. <a href="/check">Check another file</a>.</p>'
    )
    return page.replace(_MAIN, f"{_MAIN}\n{link}")
