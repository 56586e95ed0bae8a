"""The preview server of `piperoll site`: the catalogue, the data and the public reports of any store, on this machine.

It serves ranges and ETags from buckets as well as folders; Starlette's file responses know local files only, and with
uvicorn a small file on a kept connection took four times as long (1,000 requests a second instead of 3,400). What is
served and with which headers is decided by `piperoll.layout`, as for objects in a public bucket.
"""

from __future__ import annotations

import gzip
import re
import socket
import sys
import threading
import time
import zlib
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from piperoll import layout
from piperoll.errors import NotThere, PointerMoved, StoreCorrupt, StoreError
from publishers.stores.protocol import ObjectInfo, Store

_PIECE_BYTES = 8 << 20
"""Bytes held in memory at a time, however large the object: each piece is one request to a bucket. Larger objects are
not compressed, so that a download that broke off can be resumed with a range."""

_SLICE_BYTES = 1 << 18
"""Bytes that a client must take within `patience_seconds`."""

_LEAST_COMPRESSED = 1_000
"""Bytes below which compressing saves no packet."""

_COMPRESSED = re.compile(r"text/|image/svg|application/(.*[+/])?(json|xml|javascript|ld\+json)", re.ASCII)
"""Media types that compress well; Parquet and workbooks are compressed already."""

_KEPT_BYTES = 64 << 20
"""Bytes of compressed and rewritten pages that are kept for the next client."""

_ENCODED_SEPARATOR = re.compile(r"%(2f|5c|00)", re.IGNORECASE)
"""A slash, backslash or NUL in a path that is percent-encoded: no key of ours needs one."""

_SINGLE_RANGE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*\Z", re.ASCII | re.IGNORECASE)

_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)", re.ASCII | re.IGNORECASE)
"""An Accept-Encoding header that accepts gzip."""

_HOST = re.compile(r"([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?\Z", re.ASCII | re.IGNORECASE)

_LOCAL_SITE = re.compile(rb"Sitemap: (http://(?:localhost|127\.[0-9.]+|\[::1\])(?::\d+)?/)catalogue/sitemap\.xml")
"""The line of robots.txt that tells for which address a catalogue was built, if that is one of this machine."""

_MOST_COMPARED = 100_000
"""Objects that are remembered as compared, some 20 MB."""

_EVERY_RESPONSE = {
    "Access-Control-Allow-Origin": "*",  # everything here is public
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Length, Content-Range, ETag, Last-Modified",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-Modified-Since, If-None-Match, If-Range, Range",
    "Access-Control-Max-Age": "86400",
    "Content-Length": "0",
}

_MAX_DIGITS = 18
"""Digits of a number in a range: no object is larger, and converting long numbers takes time."""


@dataclass(slots=True)
class _Connection:
    """A connection: since when its client has to do something, or None while we work for it."""

    waits_since: float | None


class SiteServer(ThreadingHTTPServer):
    """A server of one store, bound to its address: call `serve_forever`; `shutdown`, or leaving `with`, stops it.

    A client must send each request, and take each 256 kB of an answer, within `patience_seconds`. Of more than
    `most_connections`, the one that has kept us waiting longest is closed, so slow and idle clients keep nobody out.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, store: Store, host: str, port: int, *, patience_seconds: float = 20, most_connections: int = 400
    ) -> None:
        self.store = store
        self.made = _MadeContents()
        self._patience = patience_seconds
        self._most = most_connections
        self._connections: dict[socket.socket, _Connection] = {}
        self._lock = threading.Lock()
        self._looked = 0.0
        self._compared: dict[str, str] = {}
        self._built_for: tuple[float, bytes | None] | None = None
        super().__init__((host, port), _SiteHandler)

    def server_bind(self) -> None:
        """Bind, without asking the name service for our own name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

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

    def built_for(self) -> bytes | None:
        """The address of this machine for which the catalogue was built; None if it was built for a public one."""
        now = time.monotonic()
        if self._built_for is None or now - self._built_for[0] > 1:
            try:
                match = _LOCAL_SITE.search(self.store.read(layout.ROBOTS, first=4096).content)
            except NotThere:
                match = None
            self._built_for = now, match[1] if match else None
        return self._built_for[1]

    # --- connections: `waits` and `works` are called by their threads, the rest by the thread that accepts them

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a new connection in a thread of its own."""
        with self._lock:
            if len(self._connections) >= self._most:
                waiting = {one: each.waits_since for one, each in self._connections.items() if each.waits_since}
                if waiting:
                    self._end(min(waiting, key=waiting.__getitem__))
            self._connections[request] = _Connection(time.monotonic())
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection and close it."""
        with self._lock:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def waits(self, request: socket.socket) -> None:
        """Note that it is the client's turn: to send a request, or to take a slice."""
        if connection := self._connections.get(request):
            connection.waits_since = time.monotonic()

    def works(self, request: socket.socket) -> None:
        """Note that it is our turn."""
        if connection := self._connections.get(request):
            connection.waits_since = None

    def service_actions(self) -> None:
        """Close the connections whose clients are late."""
        now = time.monotonic()
        if now - self._looked < min(0.5, self._patience / 4):
            return
        self._looked = now
        with self._lock:
            late = [
                one
                for one, each in self._connections.items()
                if each.waits_since is not None and now - each.waits_since > self._patience
            ]
            for one in late:
                self._end(one)

    def _end(self, request: socket.socket) -> None:
        """Shut a connection down, which wakes its thread; the thread closes it."""
        self._connections.pop(request, None)
        with suppress(OSError):  # the client has gone
            request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report errors of ours; a client that has gone is none."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def serve_site(store: Store, host: str = "127.0.0.1", port: int = 8000) -> SiteServer:
    """A server of what `store` publishes, ready to start; port 0 takes a free port."""
    return SiteServer(store, host, port)


def key_of(target: str) -> str | None:
    """The public key that a request target names; None if it names none that may be served, however it is written."""
    try:
        path = urlsplit(target).path if target.startswith("/") else ""
    except ValueError:  # `//[` begins an address that is not one
        return None
    if path == "/robots.txt":  # where crawlers look for it
        return layout.ROBOTS
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


def is_unmodified_since(header: str | None, modified: float) -> bool:
    """True if an object of this age is not younger than an `If-Modified-Since` header (RFC 9110 §13.1.3)."""
    try:
        return header is not None and int(modified) <= parsedate_to_datetime(header).timestamp()
    except (ValueError, TypeError, OverflowError):
        return False  # a date that cannot be read is ignored


class _MadeContents:
    """Compressed and rewritten pages, by name and tag; the ones not used for longest go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """The content, if it is kept."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def keep(self, name: str, content: bytes) -> None:
        """Keep a content."""
        with self._lock:
            self._bytes += len(content) - len(self._kept.pop(name, b""))
            self._kept[name] = content
            while self._bytes > _KEPT_BYTES:
                self._bytes -= len(self._kept.popitem(last=False)[1])


@dataclass(frozen=True, slots=True)
class _Representation:
    """What is sent of an object: `content`, or (None) the object as it is stored; with the headers that say so."""

    content: bytes | None
    size: int
    headers: dict[str, str]


class _SiteHandler(BaseHTTPRequestHandler):
    server: SiteServer
    server_version = "Piperoll"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # headers and a small body leave in one packet: two take 40 ms more on a kept connection
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        """Wait for a request, and answer it."""
        self.server.waits(self.connection)
        super().handle_one_request()

    def do_GET(self) -> None:
        """Answer with the object or the range that is asked for, and with 404 for everything that is not public."""
        self.server.works(self.connection)
        if "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # we read no body, and must not take it for the next request
        self._answer()
        self.server.waits(self.connection)  # what is left of the answer is sent now

    def do_HEAD(self) -> None:
        """Answer as for GET, without the object."""
        self.do_GET()

    def do_OPTIONS(self) -> None:
        """Allow pages of other sites to ask for ranges."""
        self._send(HTTPStatus.NO_CONTENT, _PREFLIGHT)

    def _answer(self) -> None:
        if self.path == "/":
            self._send(HTTPStatus.FOUND, {"Location": f"/{layout.HOME}", "Content-Length": "0"})
            return
        key = key_of(self.path)
        if key is None:
            self._answer_not_found()
            return
        try:
            info = self.server.store.stat(key)
            self.server.require_unaltered(key, info)
            found = self._represent(key, info)
        except NotThere:
            self._answer_not_found()
        except StoreCorrupt:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, {})
        except StoreError:  # it does not answer, or the object was replaced while we read it
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "1"})
        else:
            self._answer_with(key, info, found)

    def _answer_with(self, key: str, info: ObjectInfo, found: _Representation) -> None:
        tag = found.headers["ETag"]
        none_match = self.headers.get("If-None-Match")
        if (
            tag_matches(none_match, tag)
            if none_match is not None
            else is_unmodified_since(self.headers.get("If-Modified-Since"), info.modified)
        ):
            kept = ("ETag", "Last-Modified", "Cache-Control", "Vary")
            self._send(HTTPStatus.NOT_MODIFIED, {name: found.headers[name] for name in kept if name in found.headers})
            return
        # a reader with the start of an older object (If-Range) needs the whole of this one
        ranged = self.headers.get("If-Range", tag) == tag
        try:
            part = parse_range(self.headers.get("Range") if ranged else None, found.size)
        except UnsatisfiableRangeError:
            self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {"Content-Range": f"bytes */{found.size}"})
            return
        start, stop = (part.start, part.stop) if part else (0, found.size)
        headers = found.headers | {"Accept-Ranges": "bytes", "Content-Length": str(stop - start)}
        if part:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.size}"
        self._send(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK, headers)
        if self.command == "HEAD":
            return
        if found.content is not None:
            self._write(found.content[start:stop])
        else:
            self._copy_object(key, info, start, stop)

    def _represent(self, key: str, info: ObjectInfo) -> _Representation:
        """Choose what to send: addresses of this machine become the one that the client uses, and text is compressed.

        A range is one of the object without compression, so that it is the same for every client.
        """
        kind = layout.content_type(key)
        headers = {"Content-Type": kind, "Cache-Control": layout.cache_control(key)}
        headers["Last-Modified"] = formatdate(info.modified, usegmt=True)
        variant, swap = "", None
        if _COMPRESSED.match(kind) and info.size <= _PIECE_BYTES:
            headers["Vary"] = "Accept-Encoding"
            swap = self._addresses(key)
            variant = f"-{zlib.crc32(swap[1]):08x}" if swap else ""
            accepts = _GZIP.search(self.headers.get("Accept-Encoding", "")) and "Range" not in self.headers
            if accepts and info.size >= _LEAST_COMPRESSED:
                headers["Content-Encoding"], variant = "gzip", f"{variant}-gz"
        headers["ETag"] = '"{}{}"'.format(info.tag.strip('"'), variant)
        if not variant:
            return _Representation(None, info.size, headers)
        name = f"{key} {headers['ETag']}"
        content = self.server.made.get(name)
        if content is None:
            content = self.server.store.read_range(key, 0, info.size, info.tag) if info.size else b""
            content = content.replace(*swap) if swap else content
            if "Content-Encoding" in headers:
                content = gzip.compress(content, 5, mtime=0)
            self.server.made.keep(name, content)
        return _Representation(content, len(content), headers)

    def _addresses(self, key: str) -> tuple[bytes, bytes] | None:
        """The address for which a page was built, and the one that the client uses; None if nothing is to be changed.

        What indexes name with its hash is sent as it is.
        """
        if not key.startswith(layout.CATALOGUE) or key.startswith(layout.CONSOLIDATED):
            return None
        host = self.headers.get("Host", "")
        ours = f"http://{host}/" if _HOST.match(host) else self.server.address
        built_for = self.server.built_for()
        return None if built_for in (None, ours.encode()) else (built_for or b"", ours.encode())

    def _copy_object(self, key: str, info: ObjectInfo, start: int, stop: int) -> None:
        """Send bytes piece by piece; stop short if the object changes meanwhile, so that nobody gets a mix."""
        try:
            for at in range(start, stop, _PIECE_BYTES):
                self.server.works(self.connection)
                self._write(self.server.store.read_range(key, at, min(at + _PIECE_BYTES, stop), info.tag))
        except (NotThere, PointerMoved):
            self.close_connection = True

    def _write(self, content: bytes) -> None:
        """Send bytes; the client must take each slice in time."""
        view = memoryview(content)
        for at in range(0, len(content), _SLICE_BYTES):
            self.server.waits(self.connection)
            self.wfile.write(view[at : at + _SLICE_BYTES])

    def _answer_not_found(self) -> None:
        """Answer with the page that says so, if the client reads pages and the catalogue has one."""
        if "text/html" in self.headers.get("Accept", ""):
            try:
                page = self.server.store.read(layout.NOT_FOUND).content
            except StoreError:
                page = b""  # a catalogue of an earlier version of Piperoll
            if page:
                self._refuse(HTTPStatus.NOT_FOUND, {"Content-Type": "text/html; charset=utf-8"}, page)
                return
        self._refuse(HTTPStatus.NOT_FOUND, {})

    def _refuse(self, status: HTTPStatus, headers: dict[str, str], page: bytes | None = None) -> None:
        content = f"{status.phrase.capitalize()}\n".encode() if page is None else page
        more = {"Content-Type": "text/plain", "Content-Length": str(len(content)), "Vary": "Accept"}
        self._send(status, more | headers)
        if self.command != "HEAD":
            self._write(content)

    def _send(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | _EVERY_RESPONSE).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Log nothing: the person at the terminal is looking at the page."""
