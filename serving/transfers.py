"""Bounds on how long a client may take to send a body or to read an answer, and on the bodies held in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.limits import ApiLimits
from serving.problems import Problem

_DRAINED_TIMES = 10
"""Read on to at most this many times the largest body before it is refused: a browser shows an answer only if its whole
request was taken."""


_PIECE = 65_536
"""The most bytes of a message to the server that sends answers."""


class SlowClient(Exception):
    """A client does not read its answer, which is abandoned."""


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
        except* SlowClient:
            pass  # the server closes a connection whose answer is not complete


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
        self._begun = time.monotonic()

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
        """The next piece; none at the end. A client is late if it is slower than the least rate."""
        late = self._begun + self._limits.patience_seconds + self._received / self._limits.least_rate
        try:
            async with asyncio.timeout(max(late - time.monotonic(), 0)):
                piece = await anext(pieces, b"")  # Starlette ends a body with an empty piece
        except TimeoutError as error:
            raise Problem(
                408, "too-slow-to-send", "the file did not arrive in time: check your connection and try again"
            ) from error
        except ClientDisconnect as error:
            raise Problem(400, "gone", "the client went away before its file had arrived") from error
        self._received += len(piece)
        return piece

    async def _drain(self, pieces: AsyncIterator[bytes]) -> None:
        while self._received <= _DRAINED_TIMES * self._most and await self._next(pieces):
            pass
