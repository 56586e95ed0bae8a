"""The preview server of `piperoll site`: the catalogue, the data and the public reports of any store, on this machine.

It serves ranges and ETags from buckets as well as folders; Starlette's file responses know local files only. What it
serves and with which headers is decided by `piperoll.layout`, as for objects in a public bucket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from piperoll import layout
from piperoll.errors import NotThere, PointerMoved, StoreCorrupt, StoreError
from publishers.stores.protocol import ObjectInfo, Store

_PIECE_BYTES = 8 << 20
"""Bytes held in memory at a time, however large the object: each piece is one request to a bucket."""

_ENCODED_SEPARATOR = re.compile(r"%(2f|5c|00)", re.IGNORECASE)
"""A slash, backslash or NUL in a path that is percent-encoded: no key of ours needs one."""

_SINGLE_RANGE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*\Z", re.ASCII | re.IGNORECASE)

_MOST_COMPARED = 100_000
"""Objects that are remembered as compared, some 20 MB."""

_EVERY_RESPONSE = {
    "Access-Control-Allow-Origin": "*",  # everything here is public
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}

_MAX_DIGITS = 18
"""Digits of a number in a range: no object is larger, and converting long numbers takes time."""


class SiteServer(ThreadingHTTPServer):
    """A server of one store, bound to its address: call `serve_forever`; `shutdown`, or leaving `with`, stops it."""

    daemon_threads = True

    def __init__(self, store: Store, host: str, port: int) -> None:
        self.store = store
        self._compared: dict[str, str] = {}
        super().__init__((host, port), _SiteHandler)

    def require_unaltered(self, key: str, info: ObjectInfo) -> None:
        """Compare an object with its stored sha256, once and again if it changes. Raises: StoreCorrupt."""
        if self._compared.get(key) != info.tag:
            self.store.compare(key)
            if len(self._compared) >= _MOST_COMPARED:
                self._compared.clear()
            self._compared[key] = info.tag

    @property
    def address(self) -> str:
        """The web address of the server."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"


def serve_site(store: Store, host: str = "127.0.0.1", port: int = 8000) -> SiteServer:
    """A server of what `store` publishes, ready to start; port 0 takes a free port."""
    return SiteServer(store, host, port)


def key_of(target: str) -> str | None:
    """The public key that a request target names; None if it names none that may be served, however it is written."""
    path = urlsplit(target).path if target.startswith("/") else ""
    if _ENCODED_SEPARATOR.search(path) or not path:
        return None
    try:
        key = unquote(path, errors="strict")[1:]
        if key.endswith("/"):
            key += "index.html"
        return key if "%" not in key and layout.is_public(layout.check_key(key)) else None
    except (UnicodeDecodeError, StoreError):
        return None


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` up to but not including `stop`."""

    start: int
    stop: int


class UnsatisfiableRangeError(ValueError):
    """A range that holds none of an object's bytes: the answer is 416."""


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The part of an object of `size` bytes that a `Range` header asks for (RFC 9110 §14); None for the whole.

    Several ranges, other units and malformed headers are answered with the whole, as the standard allows.
    Raises: UnsatisfiableRangeError: the range begins after the end, or asks for the last 0 bytes.
    """
    match = _SINGLE_RANGE.match(header or "")
    if not match or match[0].endswith("=-") or max(map(len, match.groups())) > _MAX_DIGITS:
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is None:
        start, stop = max(0, size - (last or 0)), size
    elif last is not None and last < first:
        return None
    else:
        start, stop = first, size if last is None else min(last + 1, size)
    if start >= stop:
        raise UnsatisfiableRangeError
    return ByteRange(start, stop)


def tag_matches(header: str | None, tag: str) -> bool:
    """True if an `If-None-Match` header names `tag` (with its quotes), compared weakly (RFC 9110 §13.1.2)."""
    named = {one.strip().removeprefix("W/") for one in (header or "").split(",")}
    return bool(named & {tag, "*"})


class _SiteHandler(BaseHTTPRequestHandler):
    server: SiteServer
    server_version = "Piperoll"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds in which a client must send or take something
    wbufsize = 1 << 16  # headers and a small body leave in one packet: two take 40 ms more on a kept connection
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer with the object or the range that is asked for, and with 404 for everything that is not public."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer as for GET, without the object."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        if self.path == "/":
            self._send(HTTPStatus.FOUND, {"Location": f"/{layout.HOME}", "Content-Length": "0"})
            return
        key = key_of(self.path)
        try:
            info = None if key is None else self.server.store.stat(key)
            if key and info:
                self.server.require_unaltered(key, info)
        except NotThere:
            info = None
        except StoreCorrupt:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, {}, with_body=with_body)
            return
        if key is None or info is None:
            self._refuse(HTTPStatus.NOT_FOUND, {}, with_body=with_body)
            return
        tag = '"{}"'.format(info.tag.strip('"'))
        headers = {"Content-Type": layout.content_type(key), "Cache-Control": layout.cache_control(key), "ETag": tag}
        if tag_matches(self.headers.get("If-None-Match"), tag):
            self._send(HTTPStatus.NOT_MODIFIED, headers)
            return
        # HEAD has no ranges; a reader with the start of an older object (If-Range) needs the whole of this one.
        ranged = self.command == "GET" and self.headers.get("If-Range", tag) == tag
        try:
            part = parse_range(self.headers.get("Range") if ranged else None, info.size)
        except UnsatisfiableRangeError:
            size = {"Content-Range": f"bytes */{info.size}"}
            self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, size, with_body=True)
            return
        start, stop = (part.start, part.stop) if part else (0, info.size)
        headers |= {"Accept-Ranges": "bytes", "Content-Length": str(stop - start)}
        if part:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{info.size}"
        self._send(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK, headers)
        if with_body:
            self._copy_object(key, info, start, stop)

    def _copy_object(self, key: str, info: ObjectInfo, start: int, stop: int) -> None:
        """Send bytes piece by piece; stop short if the object changes meanwhile, so that nobody gets a mix."""
        try:
            for at in range(start, stop, _PIECE_BYTES):
                self.wfile.write(self.server.store.read_range(key, at, min(at + _PIECE_BYTES, stop), info.tag))
        except (NotThere, PointerMoved):
            self.close_connection = True

    def _refuse(self, status: HTTPStatus, headers: dict[str, str], *, with_body: bool) -> None:
        content = f"{status.phrase.capitalize()}\n".encode()
        self._send(status, headers | {"Content-Type": "text/plain", "Content-Length": str(len(content))})
        if with_body:
            self.wfile.write(content)

    def _send(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | _EVERY_RESPONSE).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Log nothing: the person at the terminal is looking at the page."""
