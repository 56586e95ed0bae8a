"""A proxy between a client and an S3 server that fails, delays, cuts, corrupts and repeats, by a schedule."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from tests.fixtures.http_server import LocalServer, QuietHandler

_DELAY_SECONDS = 0.05
_PATIENCE_SECONDS = 30


class Fault(StrEnum):
    """What becomes of one request."""

    NONE = "none"
    INTERNAL_ERROR = "it is answered with 500, and goes no further"
    SLOW_DOWN = "it is answered with 503 SlowDown, and goes no further"
    TOO_MANY = "it is answered with 429, and goes no further"
    DELAYED = "it waits on its way"
    CUT_BEFORE = "the connection is cut before it gets through"
    CUT_AFTER = "it is carried out, and the connection cut before the answer"
    CUT_WITHIN = "it is carried out, and the connection cut in the middle of the answer"
    LOST_ANSWER = "it is carried out, and answered with 500"
    REQUEST_CORRUPTED = "a byte of its body is changed on its way in"
    ANSWER_CORRUPTED = "a byte of the answer's body is changed on its way out"
    REPEATED = "it is carried out twice, and the second answer given"
    REPEATED_LATER = "it is carried out, and once more after the next request"


_REFUSED = {
    Fault.INTERNAL_ERROR: (500, "InternalError"),
    Fault.SLOW_DOWN: (503, "SlowDown"),
    Fault.TOO_MANY: (429, "TooManyRequests"),
}


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Request:
    """What the client asked."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def lists(self) -> bool:
        """Whether it asks for a list of keys: that carries no checksum, so only TLS can tell that it was changed."""
        return bool({"list-type", "uploads"} & parse_qs(urlsplit(self.target).query, keep_blank_values=True).keys())


class FaultProxy(LocalServer):
    """Passes requests on to the server at `host`:`port`; the first ones meet the faults of `schedule`, in turn."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._schedule: list[Fault] = []
        self._later: list[Request] = []
        self._lock = threading.Lock()
        self.met: list[Fault] = []
        super().__init__(_Handler)

    def plan(self, schedule: Sequence[Fault]) -> None:
        """From now on let requests meet these faults, one each, and then none."""
        with self._lock:
            self._schedule = list(schedule)
            self._later = []

    def next_fault(self) -> Fault:
        """What becomes of the request that has just come in."""
        with self._lock:
            fault = self._schedule.pop(0) if self._schedule else Fault.NONE
            self.met += [fault] if fault is not Fault.NONE else []
            return fault

    def carry_out(self, request: Request) -> Answer:
        """Have the server carry a request out."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_PATIENCE_SECONDS)
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                if name.lower() not in ("expect", "connection"):
                    connection.putheader(name, value)
            connection.endheaders(request.body or None)
            answer = connection.getresponse()
            return Answer(answer.status, tuple(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def keep_for_later(self, request: Request) -> None:
        """Carry a request out once more when the next one has been."""
        with self._lock:
            self._later.append(request)

    def carry_out_what_was_kept(self) -> None:
        """Repeat the requests that were kept; nobody hears the answers."""
        with self._lock:
            kept, self._later = self._later, []
        for request in kept:
            self.carry_out(request)


class _Handler(QuietHandler):
    server: FaultProxy
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, tuple(self.headers.items()), body)
        fault = self.server.next_fault()
        if fault in _REFUSED:
            self._refuse(*_REFUSED[fault])
        elif fault is Fault.CUT_BEFORE:
            self._cut()
        else:
            self._answer(fault, request, self._carried_out(fault, request))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass  # noqa: N815 - the names that http.server looks for

    def _carried_out(self, fault: Fault, request: Request) -> Answer:
        if fault is Fault.DELAYED:
            time.sleep(_DELAY_SECONDS)
        if fault is Fault.REQUEST_CORRUPTED:
            request = Request(request.method, request.target, request.headers, _changed(request.body))
        answer = self.server.carry_out(request)
        self.server.carry_out_what_was_kept()
        if fault is Fault.REPEATED:
            return self.server.carry_out(request)
        if fault is Fault.REPEATED_LATER:
            self.server.keep_for_later(request)
        return answer

    def _answer(self, fault: Fault, request: Request, answer: Answer) -> None:
        if fault is Fault.CUT_AFTER:
            self._cut()
        elif fault is Fault.LOST_ANSWER:
            self._refuse(*_REFUSED[Fault.INTERNAL_ERROR])
        elif fault is Fault.CUT_WITHIN:
            self._send(answer, answer.body[: len(answer.body) // 2])
            self._cut()
        elif fault is Fault.ANSWER_CORRUPTED and not request.lists:
            self._send(answer, _changed(answer.body))
        else:
            self._send(answer, answer.body)

    def _refuse(self, status: int, code: str) -> None:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>by the proxy</Message></Error>".encode()
        body = b"" if self.command == "HEAD" else body
        self._send(
            Answer(status, (("Content-Type", "application/xml"), ("Content-Length", str(len(body)))), body), body
        )

    def _send(self, answer: Answer, body: bytes) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        if answer.body and not any(name.lower() == "content-length" for name, _ in answer.headers):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(2)


def _changed(body: bytes) -> bytes:
    """The body with one bit of its middle byte changed."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :] if body else body


def fault_proxy(endpoint: str) -> FaultProxy:
    """A proxy in front of the server at `endpoint`, to be used in a `with` block."""
    upstream = urlsplit(endpoint)
    assert upstream.hostname and upstream.port
    return FaultProxy(upstream.hostname, upstream.port)
