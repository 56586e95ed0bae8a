"""How much goes on at once: who comes when all is taken waits a little, and is then told when to come again."""

from __future__ import annotations

import asyncio

from serving.problems import Problem


class Slots:
    """So many places, each for one piece of work; `take` and `leave` are called on the event loop."""

    def __init__(self, places: int, wait_seconds: float) -> None:
        self._free = asyncio.Semaphore(places)
        self._wait = wait_seconds

    async def take(self) -> None:
        """Take a place. Raises: Problem: none was free for a while."""
        try:
            await asyncio.wait_for(self._free.acquire(), self._wait)
        except TimeoutError as error:
            raise Problem(
                429, "too-many-at-once", "more is asked for at once than we can answer: ask again", retry_after=5
            ) from error

    def leave(self) -> None:
        """Give a place back."""
        self._free.release()
