"""Run many fetches at once: bounded in all and for each host, and tried again when they are due.

One thread schedules, and each request that is under way has a thread of its own. A fetch that waits, for its host or
for its next attempt, has none.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from queue import Empty, SimpleQueue
from typing import TypeAlias

from piperoll.errors import is_out_of_memory


@dataclass(frozen=True, slots=True)
class QueuedFetch:
    """A request to make of `host`, not before `delay` seconds from now.

    `work` makes it, in a thread, and returns what follows from it: the next hop, another attempt, the files of a page;
    nothing if this was the last. Of those that are due, the ones of the lowest `priority` go first. Fetches of one
    `group` end together.
    """

    group: Hashable
    host: str
    work: Callable[[], Iterable[QueuedFetch]]
    delay: float = 0
    priority: int = 0


_Entry: TypeAlias = tuple[int, int, QueuedFetch]
"""A fetch that is due, in the order in which they begin: its priority, its number, and itself."""


def run_fetches(fetches: Iterable[QueuedFetch], *, at_once: int, per_host: int) -> Iterator[Hashable]:
    """Make all requests; yield each group when the last fetch of it has ended.

    At most `at_once` requests are under way, and `per_host` to one host. They go on while the caller works on a group.
    Stop iterating, and no more are begun. Raises: whatever a `work` raises; no more are begun.
    """
    queue = _FetchQueue(fetches, at_once, per_host)
    scheduler = threading.Thread(target=queue.schedule, name="fetches", daemon=True)
    scheduler.start()
    try:
        while (ended := queue.ended.get()) is not None:
            if isinstance(ended, _Failed):
                raise ended.error
            yield ended.group
    finally:
        queue.stop()
        scheduler.join()


@dataclass(frozen=True, slots=True)
class _Ended:
    group: Hashable


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


class _FetchQueue:
    """The fetches of one `run_fetches`, all changed by the one thread that schedules them."""

    def __init__(self, fetches: Iterable[QueuedFetch], at_once: int, per_host: int) -> None:
        self.ended: SimpleQueue[_Ended | _Failed | None] = SimpleQueue()
        self._at_once, self._per_host = at_once, per_host
        self._numbers = count()
        self._later: list[tuple[float, int, QueuedFetch]] = []
        self._due: list[_Entry] = []
        self._behind: defaultdict[str, list[_Entry]] = defaultdict(list)  # those whose host is busy
        self._busy: Counter[str] = Counter()
        self._open: Counter[Hashable] = Counter()
        self._results: SimpleQueue[tuple[QueuedFetch, list[QueuedFetch] | BaseException] | None] = SimpleQueue()
        for fetch in fetches:
            self._add(fetch)

    def stop(self) -> None:
        """Begin no more requests. Those under way end at their deadline, in threads that do not keep the process."""
        self._results.put(None)

    def schedule(self) -> None:
        """Begin requests until all groups have ended, or `stop` is called."""
        try:
            while self._open:
                self._begin()
                try:
                    result = self._results.get(timeout=self._seconds_to_next())
                except Empty:
                    continue
                if result is None:
                    return
                self._settle(*result)
            self.ended.put(None)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that iterates
            self.ended.put(_Failed(error))

    def _add(self, fetch: QueuedFetch) -> None:
        self._open[fetch.group] += 1
        if fetch.delay > 0:
            heapq.heappush(self._later, (time.monotonic() + fetch.delay, next(self._numbers), fetch))
        else:
            heapq.heappush(self._due, (fetch.priority, next(self._numbers), fetch))

    def _seconds_to_next(self) -> float | None:
        return max(0.0, self._later[0][0] - time.monotonic()) if self._later else None

    def _begin(self) -> None:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            fetch = heapq.heappop(self._later)[2]
            heapq.heappush(self._due, (fetch.priority, next(self._numbers), fetch))
        while self._due and self._busy.total() < self._at_once:
            entry = heapq.heappop(self._due)
            host = entry[2].host
            if self._busy[host] >= self._per_host:
                heapq.heappush(self._behind[host], entry)
            elif not self._start_thread(entry):
                return

    def _start_thread(self, entry: _Entry) -> bool:
        """Begin a request. Where memory is too short for another thread, make do with those that there are."""
        try:
            threading.Thread(target=self._work, args=(entry[2],), name="fetch", daemon=True).start()
        except RuntimeError as error:
            if not is_out_of_memory(error) or not self._busy.total():
                raise
            self._at_once = self._busy.total()
            heapq.heappush(self._due, entry)
            return False
        self._busy[entry[2].host] += 1
        return True

    def _work(self, fetch: QueuedFetch) -> None:
        try:
            following = list(fetch.work())
        except BaseException as error:  # noqa: BLE001 - raised in the thread that iterates
            self._results.put((fetch, error))
        else:
            self._results.put((fetch, following))

    def _settle(self, fetch: QueuedFetch, result: list[QueuedFetch] | BaseException) -> None:
        """Free the host of a request that has ended, and queue what follows from it."""
        if isinstance(result, BaseException):
            raise result
        self._busy[fetch.host] -= 1
        if not self._busy[fetch.host]:
            del self._busy[fetch.host]
        if behind := self._behind.get(fetch.host):
            heapq.heappush(self._due, heapq.heappop(behind))
        for following in result:
            self._add(following)
        self._open[fetch.group] -= 1
        if not self._open[fetch.group]:
            del self._open[fetch.group]
            self.ended.put(_Ended(fetch.group))
