"""Forms with files: read into memory within the limits of size and time, and never written to disk."""

from __future__ import annotations

from email.message import Message

from fastapi import Request
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser

from hosting.limits import ApiLimits
from hosting.problems import Problem
from hosting.transfers import UploadBody, UploadBudget

FORM_OVERHEAD_BYTES = 65_536
"""Bytes of a form beside the file: boundaries, headers and the text fields."""


def upload_body(request: Request, budget: UploadBudget, limits: ApiLimits) -> UploadBody:
    """The body of a request with one file of at most `check_bytes`. Close it when what was read is no longer needed."""
    return UploadBody(request, limits.check_bytes + FORM_OVERHEAD_BYTES, budget, limits)


async def read_upload_form(
    request: Request, body: UploadBody, limits: ApiLimits, *, files: int = 1, fields: int = 6
) -> FormData:
    """Read a form with files into memory. The caller closes the form.

    Raises: Problem: it is no form (400, 415), too large (413), too slow (408), or the server is busy (429).
    """
    declared = request.headers.get("Content-Length", "0")
    if not declared.isdecimal() or int(declared) > limits.check_bytes + FORM_OVERHEAD_BYTES:
        raise await body.refuse()
    content_type = Message()
    content_type["Content-Type"] = request.headers.get("Content-Type", "")
    if content_type.get_content_type() != "multipart/form-data":
        raise Problem(415, "no-form", "send the file as multipart/form-data, in a field named 'file'")
    try:
        return await _InMemoryParser(request.headers, body.stream(), max_files=files, max_fields=fields).parse()
    except MultiPartException as error:
        raise Problem(400, "no-form", f"the form is not valid: {error.message}") from error


class _InMemoryParser(MultiPartParser):
    """A form parser that never writes the file to disk."""

    spool_max_size = 1 << 40

    async def parse(self) -> FormData:
        """Parse the form. If it is too large or late, free what was read; Starlette does so for its own errors only."""
        try:
            return await super().parse()
        except Problem:
            for file in self._files_to_close_on_error:
                file.close()
            raise
