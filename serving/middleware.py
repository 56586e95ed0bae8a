"""What holds for every request: HEAD, who may ask from where, and headers that keep a browser safe."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"cross-origin",
    b"x-frame-options": b"DENY",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}
"""An answer that is no page runs nothing of what it holds; a page brings a policy of its own."""

_ANYONE = {
    b"access-control-allow-origin": b"*",
    b"access-control-expose-headers": b"ETag, Link, Retry-After, Piperoll-Left-Out",
}
_PREFLIGHT = {
    b"access-control-allow-methods": b"GET, HEAD",
    b"access-control-allow-headers": b"Accept, If-None-Match",
    b"access-control-max-age": b"86400",
}


class Middle:
    """Around the application: what is read may be read from any page, and nothing else may be done from another."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, reads = scope["method"], scope["method"] in ("GET", "HEAD", "OPTIONS")

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = dict(message["headers"])
                ours = _SAFE | (_ANYONE if reads else {})
                untold = method == "HEAD" and own.get(b"content-length") == b"0"
                kept = _without_length(message["headers"]) if untold else message["headers"]
                message["headers"] = [*kept, *((n, v) for n, v in ours.items() if n not in own)]
            elif method == "HEAD" and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        if method == "OPTIONS" and any(name == b"access-control-request-method" for name, _ in scope["headers"]):
            await safely({"type": "http.response.start", "status": 204, "headers": list(_PREFLIGHT.items())})
            await safely({"type": "http.response.body"})
            return
        asked = {**scope, "method": "GET", "head": True} if method == "HEAD" else scope
        await self._app(asked, receive, safely)


def _without_length(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What was not made for HEAD has no length that could be told."""
    return [(name, value) for name, value in headers if name != b"content-length"]
