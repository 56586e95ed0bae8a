"""The physical lines of a text that comes in pieces, fetched as they are wanted and given back to nobody."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import overload

_LEAST = 1_000_000
"""So many bytes are looked at together, if the text has as many."""


class Lines:
    """The lines not yet taken, each with its ending; only those that were asked for stand in memory.

    The pieces, cut anywhere, are text or its UTF-8. CR, LF and CRLF each end a line. What is to come can be looked at
    line by line, or as bytes, a whole `window` at a time.
    """

    def __init__(self, pieces: Iterable[str | bytes]) -> None:
        self._pieces = iter(pieces)
        self._ahead: deque[str] = deque()
        self._rest: list[bytes] = []
        """What comes after the lines ahead: pieces whose lines have not been parted yet."""
        self.ended = False
        """Whether all there is stands in memory."""
        self.taken = 0

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        """A line, counted from the first not yet taken; or, for `[:count]`, so many of the next ones if there are."""
        if isinstance(place, slice):
            self._part(place.stop)
            return list(islice(self._ahead, place.start, place.stop))
        self._part(place + 1)
        return self._ahead[place]

    def onwards(self) -> Iterator[str]:
        """Every line from the first not yet taken to the last; those it gives may be taken meanwhile."""
        for place in count(self.taken):
            self._part(place - self.taken + 1)
            if place - self.taken >= len(self._ahead):
                return
            yield self._ahead[place - self.taken]

    def take(self, lines: int) -> None:
        """Have done with the next lines."""
        for _ in range(lines):
            self._ahead.popleft()
        self.taken += lines

    def __bool__(self) -> bool:
        """Whether any line is left."""
        while not (self._ahead or any(self._rest) or self.ended):
            self._fetch()
        return bool(self._ahead) or any(self._rest)

    def window(self) -> bytes:
        """What comes next, in UTF-8: all there is if it has `ended`, else so much of it, cut anywhere."""
        if self._ahead:
            self._rest.insert(0, _encoded("".join(self._ahead)))
            self._ahead.clear()
        while not self.ended and sum(map(len, self._rest)) < _LEAST:
            self._fetch()
        self._rest = [b"".join(self._rest)]
        return self._rest[0]

    def skip(self, size: int, lines: int) -> None:
        """Have done with so many bytes of the window, which are so many lines."""
        self._rest = [self._rest[0][size:]]
        self.taken += lines

    def _part(self, lines: int) -> None:
        """Have so many lines ahead, if there are."""
        while lines > len(self._ahead) and (any(self._rest) or not self.ended):
            rest = b"".join(self._rest)
            cut = len(rest) if self.ended else max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, -1)) + 1  # an LF may come
            self._ahead.extend(io.StringIO(rest[:cut].decode(), newline=""))
            self._rest = [rest[cut:]] if cut < len(rest) else []
            if lines > len(self._ahead):
                self._fetch_line_end()

    def _fetch_line_end(self) -> None:
        """The next pieces, up to one in which a line may end."""
        while not self.ended:
            piece = self._fetch()
            if b"\n" in piece or b"\r" in piece:
                return

    def _fetch(self) -> bytes:
        """The next piece, put at the end of the rest."""
        piece = next(self._pieces, None)
        self.ended = piece is None
        self._rest.append(_encoded(piece or b""))
        return self._rest[-1]


def _encoded(piece: str | bytes) -> bytes:
    return piece.encode("utf-8", "replace") if isinstance(piece, str) else piece
