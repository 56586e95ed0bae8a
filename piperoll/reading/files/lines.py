"""The physical lines of a text that comes in pieces, fetched as they are wanted and given back to nobody."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, count, islice
from typing import overload


class Lines:
    """The lines not yet taken, each with its ending; only those that were asked for stand in memory."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._more = chain.from_iterable(_lines(pieces))
        self._ahead: deque[str] = deque()
        self.taken = 0

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        """A line, counted from the first not yet taken; or, for `[:count]`, so many of the next ones if there are."""
        if isinstance(place, slice):
            self._fetch(place.stop)
            return list(islice(self._ahead, place.start, place.stop))
        self._fetch(place + 1)
        return self._ahead[place]

    def onwards(self) -> Iterator[str]:
        """Every line from the first not yet taken to the last; those it gives may be taken meanwhile."""
        for place in count(self.taken):
            self._fetch(place - self.taken + 1)
            if place - self.taken >= len(self._ahead):
                return
            yield self._ahead[place - self.taken]

    def take(self, lines: int) -> None:
        """Have done with the next lines."""
        for _ in range(lines):
            self._ahead.popleft()
        self.taken += lines

    def _fetch(self, lines: int) -> None:
        if lines > len(self._ahead):
            self._ahead.extend(islice(self._more, lines - len(self._ahead)))


def _lines(pieces: Iterable[str]) -> Iterator[list[str]]:
    """The lines of each piece, the last one with the next piece; CR, LF and CRLF each end a line."""
    rest: list[str] = []
    for piece in pieces:
        if "\n" not in piece and "\r" not in piece:
            rest.append(piece)
            continue
        lines = list(io.StringIO("".join([*rest, piece]), newline=""))
        rest = [] if lines[-1].endswith("\n") else [lines.pop()]  # after a CR an LF may still come
        yield lines
    yield list(io.StringIO("".join(rest), newline=""))
