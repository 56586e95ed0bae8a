"""Middleware for every request: security headers, CORS and HEAD."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECURITY = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"cross-origin",
    b"x-frame-options": b"DENY",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}
"""Defaults for every response; an HTML page sets a policy of its own, which allows its style."""

_CORS = {
    b"access-control-allow-origin": b"*",
    b"access-control-expose-headers": b"ETag, Link, Retry-After, Piperoll-Left-Out",
}
"""For requests that read: scripts of any web page may use public data."""

_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"Accept, If-None-Match"),
    (b"access-control-max-age", b"86400"),
]
"""The answer to a CORS preflight. It lacks POST, so no other site can send a file to `/check`."""


class SecurityHeaders:
    """Adds security and CORS headers, answers preflights, and turns HEAD into a GET whose body is not sent.

    The application sees `scope["head"]`, so that it can skip the work that only the body needs.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        added = _SECURITY | (_CORS if method in ("GET", "HEAD", "OPTIONS") else {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                # A response that skipped its body has a Content-Length of 0, which is not what GET would send.
                skipped_body = method == "HEAD" and headers.get(b"content-length") == b"0"
                kept = [pair for pair in message["headers"] if not (skipped_body and pair[0] == b"content-length")]
                message["headers"] = [*kept, *(pair for pair in added.items() if pair[0] not in headers)]
            elif method == "HEAD" and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        if method == "OPTIONS" and any(name == b"access-control-request-method" for name, _ in scope["headers"]):
            await send_with_headers({"type": "http.response.start", "status": 204, "headers": _PREFLIGHT})
            await send_with_headers({"type": "http.response.body"})
        elif method == "HEAD":
            await self._app({**scope, "method": "GET", "head": True}, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)
