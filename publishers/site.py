"""What is published, served on this machine for a look: the catalogue, the data and the public reports."""

from __future__ import annotations

import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from piperoll.errors import NotThere, StoreError
from publishers.keys import cache_control, checked, content_type, is_public
from publishers.store import Store, Stored

HOME = "/catalogue/index.html"

_SLASH_IN_DISGUISE = re.compile(r"%(2f|5c|00)", re.IGNORECASE)


class Site(ThreadingHTTPServer):
    """A server of one store, bound to its address; `serve_forever` starts it, `shutdown` and leaving `with` end it."""

    daemon_threads = True

    def __init__(self, store: Store, host: str, port: int) -> None:
        self.store = store
        super().__init__((host, port), _Handler)

    @property
    def address(self) -> str:
        """Where to look."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"


def serve(store: Store, host: str = "127.0.0.1", port: int = 8000) -> Site:
    """A server of what `store` publishes, ready to start; port 0 takes a free one."""
    return Site(store, host, port)


def key_of(target: str) -> str | None:
    """The public key that a request's target names; None: none that is served, whatever its spelling."""
    path = urlsplit(target).path if target.startswith("/") else ""
    if _SLASH_IN_DISGUISE.search(path) or not path:
        return None
    key = unquote(path, errors="strict")[1:] if _is_utf8(path) else ""
    if key.endswith("/"):
        key += "index.html"
    try:
        return key if "%" not in key and is_public(checked(key)) else None
    except StoreError:
        return None


def _is_utf8(path: str) -> bool:
    try:
        unquote(path, errors="strict")
    except UnicodeDecodeError:
        return False
    return True


class _Handler(BaseHTTPRequestHandler):
    server: Site
    server_version = "Piperoll"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the object, or with 404 for all that is not published."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer as for GET, without the object."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        if self.path == "/":
            self._send(HTTPStatus.FOUND, b"", {"Location": HOME}, with_body=with_body)
            return
        key = key_of(self.path)
        stored = self._find(key)
        if key is None or stored is None:
            self._send(HTTPStatus.NOT_FOUND, b"Not found\n", {"Content-Type": "text/plain"}, with_body=with_body)
            return
        tag = f'"{stored.tag.strip(chr(34))}"'
        headers = {"Content-Type": content_type(key), "Cache-Control": cache_control(key), "ETag": tag}
        if self.headers.get("If-None-Match") == tag:
            self._send(HTTPStatus.NOT_MODIFIED, b"", headers, with_body=False)
        else:
            self._send(HTTPStatus.OK, stored.content, headers, with_body=with_body)

    def _find(self, key: str | None) -> Stored | None:
        if key is None:
            return None
        try:
            return self.server.store.read(key)
        except NotThere:
            return None

    def _send(self, status: HTTPStatus, content: bytes, headers: dict[str, str], *, with_body: bool) -> None:
        self.send_response(status)
        ours = {"Content-Length": str(len(content)), "X-Content-Type-Options": "nosniff"}
        if status is HTTPStatus.NOT_MODIFIED:
            ours.pop("Content-Length")
        for name, value in (headers | ours).items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Say nothing: the person at the terminal is looking at the page."""
