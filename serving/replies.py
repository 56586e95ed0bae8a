"""Answers over HTTP: documents and streams with their tags, and 304 for who has them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from publishers.site import tag_matches

FRESH = "public, max-age=60, must-revalidate"
"""As long as our pointers may be kept (publishers.keys)."""


def document(
    request: Request, content: Mapping[str, Any], *, tag: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON document, or 304 for a reader that has it. Its tag is its hash where none is given."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    told = {"ETag": tag or f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": FRESH, **(headers or {})}
    if has(request, told["ETag"]):
        return Response(status_code=304, headers=told)
    return Response(body, media_type="application/json", headers=told)


def has(request: Request, tag: str) -> bool:
    """Whether the reader says that it has the answer of this tag."""
    return tag_matches(request.headers.get("If-None-Match"), tag)


def is_head(request: Request) -> bool:
    """Whether only the headers are asked for (serving.middleware makes GET of HEAD)."""
    return bool(request.scope.get("head"))


class Stream(StreamingResponse):
    """Pieces that are made as they are sent; `done` is called when the last is sent or the reader has gone."""

    def __init__(
        self,
        pieces: Generator[bytes, None, None],
        media_type: str,
        headers: Mapping[str, str],
        done: Callable[[], None],
    ) -> None:
        super().__init__(pieces, media_type=media_type, headers=headers)
        self._pieces = pieces
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send, and let go of what the pieces were made from."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._pieces.close()
            self._done()
