"""Work on one block after another on two threads: Arrow and NumPy release Python's lock while they compute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

_THREADS = 2
"""More threads gain little: between the kernels of Arrow, Python's lock is held."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result]:
    """Apply `work` to each item and yield the results in the order of the items.

    At most three items are in progress at a time. A single item is worked on without a thread.
    """
    waiting = iter(items)
    first = list(islice(waiting, 2))
    if len(first) < 2:
        yield from map(work, first)
        return
    with ThreadPoolExecutor(_THREADS) as pool:
        started: deque[Future[Result]] = deque()
        for item in chain(first, waiting):
            started.append(pool.submit(work, item))
            if len(started) > _THREADS:
                yield started.popleft().result()
        while started:
            yield started.popleft().result()
