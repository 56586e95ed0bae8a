"""What is published, served on this machine for a look: the catalogue, the data and the public reports."""

from __future__ import annotations

import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from piperoll import layout
from piperoll.errors import NotThere, PointerMoved, StoreError
from publishers.ranges import ByteRange, Unsatisfiable, parse_range, tag_matches
from publishers.stores.protocol import ObjectInfo, Store

HOME = "/catalogue/index.html"

_PIECE = 8 << 20
"""Bytes that are held at a time, however large the object: one request to a bucket each."""

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


def serve_site(store: Store, host: str = "127.0.0.1", port: int = 8000) -> Site:
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
        return key if "%" not in key and layout.is_public(layout.check_key(key)) else None
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
        """Answer with the object or the part of it that is asked for, and with 404 for all that is not published."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer as for GET, without the object."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        if self.path == "/":
            self._send(HTTPStatus.FOUND, {"Location": HOME, "Content-Length": "0"})
            return
        key = key_of(self.path)
        seen = self._look(key)
        if key is None or seen is None:
            self._refuse(HTTPStatus.NOT_FOUND, {}, with_body=with_body)
            return
        tag = f'"{seen.tag.strip(chr(34))}"'
        headers = {"Content-Type": layout.content_type(key), "Cache-Control": layout.cache_control(key), "ETag": tag}
        if tag_matches(self.headers.get("If-None-Match"), tag):
            self._send(HTTPStatus.NOT_MODIFIED, headers)
            return
        try:
            part = parse_range(self._range(tag), seen.size)
        except Unsatisfiable:
            self._refuse(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {"Content-Range": f"bytes */{seen.size}"}, with_body=True
            )
            return
        told, start, stop = _told(part, seen.size)
        self._send(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK, headers | told)
        if with_body:
            self._copy(key, seen, start, stop)

    def _range(self, tag: str) -> str | None:
        """The range that is asked for; none by HEAD, or if the reader has the beginning of something older."""
        if self.command != "GET" or self.headers.get("If-Range", tag) != tag:
            return None
        return self.headers.get("Range")

    def _look(self, key: str | None) -> ObjectInfo | None:
        if key is None:
            return None
        try:
            return self.server.store.look(key)
        except NotThere:
            return None

    def _copy(self, key: str, seen: ObjectInfo, start: int, stop: int) -> None:
        """Send bytes piece by piece; an object that changes meanwhile is cut short, so that nobody takes a mix."""
        try:
            for at in range(start, stop, _PIECE):
                self.wfile.write(self.server.store.read_range(key, at, min(at + _PIECE, stop), seen.tag))
        except (NotThere, PointerMoved):
            self.close_connection = True

    def _refuse(self, status: HTTPStatus, headers: dict[str, str], *, with_body: bool) -> None:
        content = f"{status.phrase.capitalize()}\n".encode()
        self._send(status, headers | {"Content-Type": "text/plain", "Content-Length": str(len(content))})
        if with_body:
            self.wfile.write(content)

    def _send(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"X-Content-Type-Options": "nosniff"}).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Say nothing: the person at the terminal is looking at the page."""


def _told(part: ByteRange | None, size: int) -> tuple[dict[str, str], int, int]:
    """What is said of the bytes that follow, and where they start and stop."""
    start, stop = (part.start, part.stop) if part else (0, size)
    told = {"Accept-Ranges": "bytes", "Content-Length": str(stop - start)}
    return told | ({"Content-Range": f"bytes {start}-{stop - 1}/{size}"} if part else {}), start, stop
