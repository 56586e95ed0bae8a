"""`/check`: one file from a browser or a program, and the report on it. Nothing is kept."""

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
from serving.check_page import form_page, saved
from serving.limits import Limits
from serving.problems import Problem
from serving.response_formats import preferred
from serving.sandboxed_check import examined
from serving.slots import Slots

_KINDS = ("text/html", "application/json")
_FIELDS = 4
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_LINE_LIKE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_NAME_CHARACTERS = 200
_NOWHERE_ELSE = "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


class Checks:
    """The page with the form, and the reports; so many at once."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._slots = Slots(limits.checks_at_once, limits.wait_seconds)

    def page(self) -> Response:
        """The page with one file field."""
        return _page(form_page(self._limits.check_bytes))

    async def check(self, request: Request) -> Response:
        """The report on the file that is sent: a page, or JSON as `piperoll check --json` has it. Raises: Problem."""
        kind = preferred(request.headers.get("Accept"), _KINDS[::-1])
        await self._slots.take()
        try:
            checked = await run_in_threadpool(examined, await self._sent(request), self._limits)
        finally:
            self._slots.leave()
        if kind == "application/json":
            body = json.dumps(checked.report, ensure_ascii=False, indent=2).encode()
            return Response(
                body, media_type="application/json", headers={"Cache-Control": "no-store", "Vary": "Accept"}
            )
        return _page(saved(checked.page, b64encode(checked.page.encode()).decode()))

    async def _sent(self, request: Request) -> FileToCheck:
        """The one file of a form, held in memory. Raises: Problem: there is none, or it is too large."""
        declared = request.headers.get("Content-Length", "0")
        if not declared.isdecimal() or int(declared) > self._limits.check_bytes + 65_536:
            raise self._too_large()
        kind = Message()
        kind["Content-Type"] = request.headers.get("Content-Type", "")
        if kind.get_content_type() != "multipart/form-data":
            raise Problem(415, "no-form", "send the file as multipart/form-data, in a field named 'file'")
        form = await self._form(request)
        try:
            return await self._file(form)
        finally:
            await form.close()

    async def _file(self, form: FormData) -> FileToCheck:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Problem(400, "no-file", "no file was sent: choose one (its field is named 'file')", parameter="file")
        content = await file.read()
        if len(content) > self._limits.check_bytes:
            raise self._too_large()
        return FileToCheck(content, named(file.filename), _text(form, "dataset"), _text(form, "period"))

    async def _form(self, request: Request) -> FormData:
        try:
            parser = _InMemory(request.headers, self._bounded(request), max_files=1, max_fields=_FIELDS)
            return await parser.parse()
        except MultiPartException as error:
            raise Problem(400, "no-form", f"the form cannot be read: {error.message}") from error

    async def _bounded(self, request: Request) -> AsyncGenerator[bytes, None]:
        """The body, refused as soon as it is too long, whatever it said of its length."""
        received = 0
        async for piece in request.stream():
            received += len(piece)
            if received > self._limits.check_bytes + 65_536:
                raise self._too_large()
            yield piece

    def _too_large(self) -> Problem:
        most = self._limits.check_bytes // 1_000_000
        return Problem(
            413, "too-large", f"the file is larger than {most} MB: check it on your own machine: piperoll check"
        )


class _InMemory(MultiPartParser):
    """A form whose file never comes to the disk."""

    spool_max_size = 1 << 40

    async def parse(self) -> FormData:
        """The form; what was read of one that is too large is let go at once."""
        try:
            return await super().parse()
        except Problem:
            for file in self._files_to_close_on_error:
                file.close()
            raise


def named(filename: str) -> str:
    """The name of a file as a stranger gives it, without the folders that some browsers send, on one line."""
    name = re.split(r"[/\\]", filename)[-1]
    return _LINE_LIKE.sub(" ", name)[-_NAME_CHARACTERS:].strip() or "unnamed"


def _text(form: FormData, name: str) -> str | None:
    """What a text field of the form says; nothing where it is left empty."""
    value = form.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _page(page: str) -> Response:
    """A page under a policy that lets its own style be and nothing else: no script, no request, no frame."""
    styles = " ".join(
        f"'sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" for style in _STYLE.findall(page)
    )
    policy = f"default-src 'none'; style-src {styles}; img-src data:; {_NOWHERE_ELSE}"
    return HTMLResponse(
        page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store", "Vary": "Accept"}
    )
