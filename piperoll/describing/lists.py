"""Lists that grow, so many lines to a page: the first stand on the page they belong to, the others on their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

PAGE = 100
"""So many lines of a table make some 40 kB."""


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """One page of a list: its number from 1, the keys of all the pages, its lines, how many lines there are in all."""

    number: int
    keys: tuple[str, ...]
    lines: Sequence[T]
    total: int

    @property
    def key(self) -> str:
        """The key of this page."""
        return self.keys[self.number - 1]


def paged(lines: Sequence[T], key: Callable[[int], str], size: int = PAGE) -> Iterator[ListPage[T]]:
    """The pages of a list; one page, of no lines, where there are none."""
    count = max(1, -(-len(lines) // size))
    keys = tuple(key(number) for number in range(1, count + 1))
    for n in range(count):
        yield ListPage(n + 1, keys, lines[n * size : (n + 1) * size], len(lines))
