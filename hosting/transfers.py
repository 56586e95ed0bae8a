"""Bounds on how long a client may take to send a request or to read an answer, and on what is held for it meanwhile."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import tempfile
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import suppress
from typing import IO

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from hosting.limits import ApiLimits
from hosting.problems import Problem
from piperoll.errors import describe_error

_LOGGER = logging.getLogger("uvicorn.error")
"""What the server says of itself on standard error."""

_DRAINED_TIMES = 10
"""Read on to at most this many times the largest body before it is refused: a browser shows an answer only if its whole
request was taken."""


_PIECE = 65_536
"""The most bytes of a message to the server that sends answers."""


_SEGMENT_BYTES = 64 << 20
"""Bytes of a temporary file of an answer; its disk space is free again when it is sent."""

_LOOK_SECONDS = 0.5
"""How often an answer that waits for room looks whether its client is still there."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 whose clients must send the head of each request within `patience_seconds`: uvicorn waits for ever.

    Connections whose answer was abandoned are closed within twice that time.

    Of more than `most_connections`, or a third of the files that the process may open, the one that has been idle
    longest is closed: a server that cannot open a file for the next connection tries again and again.
    """

    patience_seconds = 20.0
    most_connections = 500

    _idle_since = 0.0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request."""
        super().connection_made(transport)
        self._expect_request()
        if len(self.connections) > min(self.most_connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 3):
            # many connections are made before one that was closed is lost, which must not be closed again instead
            idle = [one for one in self.connections if isinstance(one, PatientProtocol) and one.is_idle]
            still_open = [one for one in idle if not one.transport.is_closing()]
            min(still_open, key=lambda one: one._idle_since).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._expect_nothing()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Expect the next request."""
        self._expect_nothing()
        self._expect_request()
        super().on_response_complete()

    @property
    def is_idle(self) -> bool:
        """True if no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _expect_request(self) -> None:
        self._idle_since = self.loop.time()
        self._look_later()

    def _look_later(self) -> None:
        self._late = self.loop.call_later(self.patience_seconds, self._close_if_late)

    def _expect_nothing(self) -> None:
        if self._late is not None:
            self._late.cancel()

    def _close_if_late(self) -> None:
        # an abandoned answer would be closing for ever: what the transport holds is sent first, and nobody reads it
        if self.is_idle or self.transport.is_closing():
            self.transport.abort()
        else:
            self._look_later()


class SlowClient(Exception):
    """A client does not read its answer, which is abandoned."""


class AnswerBroken(Exception):
    """The rest of an answer cannot be made: this machine has no room for it."""


class AnswerDeadline:
    """Abandons an answer that its client does not read, so that what the answer holds is given back.

    Each 64 kB may take `patience_seconds` and the whole `stream_seconds`. (A rate would be no bound: the buffers of the
    system take megabytes at once that nobody reads.)
    """

    def __init__(self, app: ASGIApp, limits: ApiLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limits = self._limits
        end = 0.0

        async def send_in_time(message: Message) -> None:
            nonlocal end
            now = time.monotonic()
            end = end or now + limits.stream_seconds
            try:
                async with asyncio.timeout(min(limits.patience_seconds, end - now)):
                    await send(message)
            except TimeoutError as error:
                raise SlowClient from error

        async def send_in_pieces(message: Message) -> None:
            # The server waits before each message until the one before has left, so a large one would never be late.
            body = message.get("body", b"")
            for at in range(0, max(len(body) - _PIECE, 0), _PIECE):
                await send_in_time({**message, "body": body[at : at + _PIECE], "more_body": True})
            await send_in_time({**message, "body": body[-(len(body) % _PIECE or _PIECE) :]} if body else message)

        try:
            await self._app(scope, receive, send_in_pieces)
        except* (SlowClient, AnswerBroken):
            pass  # the server closes a connection whose answer is not complete


class SpoolBudget:
    """The bytes of answers that may be made ahead of their readers, in temporary files. Used by many threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0
        self._freed = threading.Condition()

    def take(self, size: int, seconds: float) -> bool:
        """Count bytes; False if there is no room for them within `seconds`. Any one chunk fits if nothing is held."""
        with self._freed:
            if not self._freed.wait_for(lambda: not self._used or self._used + size <= self._most, seconds):
                return False
            self._used += size
            return True

    def release(self, size: int) -> None:
        """Give bytes back."""
        with self._freed:
            self._used -= size
            self._freed.notify_all()


class _Segments:
    """Bytes that one thread writes and another reads, in temporary files; the space of what was read is given back."""

    def __init__(self) -> None:
        self._files: deque[IO[bytes]] = deque()
        self._sizes: deque[int] = deque()
        self._at = 0
        self._lock = threading.Lock()

    def write(self, content: bytes) -> None:
        """Add bytes at the end."""
        with self._lock:
            if not self._files or self._sizes[-1] >= _SEGMENT_BYTES:
                self._sizes.append(0)
                self._files.append(tempfile.TemporaryFile(prefix="piperoll-answer-", buffering=0))  # noqa: SIM115
            file = self._files[-1]
        view = memoryview(content)
        while view:
            view = view[os.write(file.fileno(), view) :]
        with self._lock:
            self._sizes[-1] += len(content)  # a reader takes no more than this

    def read(self) -> bytes:
        """Take the next bytes, at most 64 kB; none if all that is there was taken."""
        with self._lock:
            if self._files and self._at == self._sizes[0] >= _SEGMENT_BYTES:  # nothing is added to this one
                self._files.popleft().close()
                self._sizes.popleft()
                self._at = 0
            if not self._files:
                return b""
            piece = os.pread(self._files[0].fileno(), min(_PIECE, self._sizes[0] - self._at), self._at)
            self._at += len(piece)
            return piece

    @property
    def is_empty(self) -> bool:
        """True if nothing was added."""
        return not any(self._sizes)

    def close(self) -> None:
        """Delete what is left."""
        while self._files:
            self._files.popleft().close()


class AnswerSpool:
    """An answer that is made at our own pace, so that its query ends however slowly its client reads.

    A thread writes the `chunks` to temporary files, as far as the budget allows, and `pieces` reads them. `done` is
    called on the event loop when the last chunk is made, or soon after `stop`. Call the methods on the event loop.
    """

    def __init__(self, chunks: Generator[bytes, None, None], done: Callable[[], None], budget: SpoolBudget) -> None:
        self._chunks = chunks
        self._done = done
        self._budget = budget
        self._segments = _Segments()
        self._held = 0
        self._stopped = self._made = False
        self._news = asyncio.Event()
        self._error: BaseException | None = None

    def start(self) -> None:
        """Begin to make the answer."""
        self._making = asyncio.create_task(run_in_threadpool(self._make, asyncio.get_running_loop()))

    def stop(self) -> None:
        """Stop making the answer, and drop what has not been sent."""
        self._stopped = True
        if self._made:
            self._clear()

    async def wait(self) -> None:
        """Wait for the first piece. Raises: OSError: there is none, because this machine has no room for it."""
        await self._news.wait()
        if isinstance(self._error, OSError) and self._segments.is_empty:
            raise self._error

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The answer in pieces of at most 64 kB. Raises: AnswerBroken, and what else making it raises."""
        made = False
        while not made:
            await self._news.wait()
            self._news.clear()
            made = self._made
            while piece := self._segments.read():
                self._give_back(len(piece))
                yield piece
        if isinstance(self._error, OSError):
            _LOGGER.error("an answer could not be made to its end: %s", describe_error(self._error))
            raise AnswerBroken from self._error
        if self._error is not None:
            raise self._error

    def _make(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write the chunks; runs in a thread."""
        try:
            for chunk in self._chunks:
                while not self._budget.take(len(chunk), _LOOK_SECONDS):
                    if self._stopped:
                        return
                loop.call_soon_threadsafe(self._hold, len(chunk))
                if self._stopped:
                    return
                self._segments.write(chunk)
                loop.call_soon_threadsafe(self._news.set)
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is sent
            self._error = error
        finally:
            self._chunks.close()  # which ends its database query
            with suppress(RuntimeError):  # the server has stopped
                loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._made = True
        self._news.set()
        if self._stopped:
            self._clear()
        self._done()

    def _clear(self) -> None:
        self._give_back(self._held)
        self._segments.close()

    def _hold(self, size: int) -> None:
        self._held += size

    def _give_back(self, size: int) -> None:
        self._held -= size
        self._budget.release(size)


def too_large(limits: ApiLimits) -> Problem:
    """The problem that a file is too large."""
    most = limits.check_bytes // 1_000_000
    return Problem(
        413, "too-large", f"the file is larger than {most} MB: check it on your own computer with piperoll check"
    )


class UploadBudget:
    """The bytes of uploads that may be held in memory. Call its methods on the event loop only."""

    def __init__(self, most: int) -> None:
        self._free = most

    def take(self, size: int) -> None:
        """Count bytes that were received. Raises: Problem: 429 if other uploads hold too much."""
        if size > self._free:
            raise Problem(429, "too-many-at-once", "the server is busy with other requests: try again", retry_after=5)
        self._free -= size

    def release(self, size: int) -> None:
        """Give bytes back."""
        self._free += size


class UploadBody:
    """The body of one request, as it arrives; `held` bytes of it are counted in the budget until `close`."""

    def __init__(self, request: Request, most: int, budget: UploadBudget, limits: ApiLimits) -> None:
        self._request = request
        self._most = most
        self._budget = budget
        self._limits = limits
        self._held = self._received = 0
        self._late = time.monotonic() + limits.patience_seconds

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body, piece by piece. Raises: Problem: it is too long, or arrives too slowly."""
        pieces = aiter(self._request.stream())
        while piece := await self._next(pieces):
            if self._received > self._most:
                await self._drain(pieces)
                raise too_large(self._limits)
            try:
                self._budget.take(len(piece))
            except Problem:
                await self._drain(pieces)
                raise
            self._held += len(piece)
            yield piece

    async def refuse(self) -> Problem:
        """Read a body to its end, and return the problem that it is too large."""
        await self._drain(aiter(self._request.stream()))
        return too_large(self._limits)

    def close(self) -> None:
        """Give back what is held."""
        self._budget.release(self._held)
        self._held = 0

    async def _next(self, pieces: AsyncIterator[bytes]) -> bytes:
        """The next piece; empty at the end. A client is late if it is slower than the least rate.

        A fast start earns no time to be idle later.
        """
        try:
            async with asyncio.timeout(max(self._late - time.monotonic(), 0)):
                piece = await anext(pieces, b"")  # Starlette ends a body with an empty piece
        except TimeoutError as error:
            raise Problem(
                408, "too-slow-to-send", "the file did not arrive in time: check your connection and try again"
            ) from error
        except ClientDisconnect as error:
            raise Problem(400, "gone", "the client went away before its file had arrived") from error
        self._received += len(piece)
        earned = self._late + len(piece) / self._limits.least_rate
        self._late = min(earned, time.monotonic() + self._limits.patience_seconds)
        return piece

    async def _drain(self, pieces: AsyncIterator[bytes]) -> None:
        while self._received <= _DRAINED_TIMES * self._most and await self._next(pieces):
            pass
