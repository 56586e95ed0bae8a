"""Work on block after block, done ahead on two threads: Arrow and NumPy compute without holding Python's lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

_THREADS = 2
"""More than two give little: between the kernels Python's lock is held."""

Item = TypeVar("Item")
Done = TypeVar("Done")


def ahead(work: Callable[[Item], Done], items: Iterable[Item]) -> Generator[Done]:
    """What the work gives for each item, in their order; few are in hand at a time, and one alone needs no thread."""
    waiting = iter(items)
    first = list(islice(waiting, 2))
    if len(first) < 2:
        yield from map(work, first)
        return
    with ThreadPoolExecutor(_THREADS) as pool:
        begun: deque[Future[Done]] = deque()
        for item in chain(first, waiting):
            begun.append(pool.submit(work, item))
            if len(begun) > _THREADS:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
