"""The physical lines of a text that comes in pieces, fetched as they are wanted and given back to nobody."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import NamedTuple, overload

import numpy as np

_LEAST = 1_000_000
"""So many bytes are looked at together, if the text has as many."""


class Window(NamedTuple):
    """Some of a text in UTF-8, and whether that is all that is left of it."""

    content: bytes
    last: bool


class Lines:
    """The lines not yet taken, each with its ending; only those that were asked for stand in memory.

    The pieces, cut anywhere, are text or its UTF-8. CR, LF and CRLF each end a line. What is to come can be looked at
    line by line, or as bytes, in `windows` of many lines.
    """

    def __init__(self, pieces: Iterable[str | bytes]) -> None:
        self._pieces = iter(pieces)
        self._ahead: deque[str] = deque()
        self._rest: list[bytes] = []
        """What comes after the lines ahead: pieces whose lines have not been parted yet."""
        self._given: deque[bytes] = deque()
        self._ended = False
        """Whether there are no more pieces."""
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
        while not (self._ahead or any(self._rest) or self._ended):
            self._fetch()
        return bool(self._ahead) or any(self._rest)

    def windows(self) -> Iterator[Window]:
        """What comes next, in windows that each begin and end a row, if quotes mean what they should.

        They may be had ahead of what is taken; those of which nothing was taken are to be given back.
        """
        while self:
            content = self._window()
            cut = len(content) if self._ended else _last_row_end(content) or len(content)
            self._rest = [content[cut:]] if cut < len(content) else []
            self._given.append(content[:cut])
            yield Window(content[:cut], self._ended)

    def take_window(self, size: int, lines: int) -> bool:
        """Have done with so many bytes of the first window given, which are so many lines; whether these are all."""
        window = self._given.popleft()
        self.taken += lines
        if size < len(window):
            self._given.appendleft(window[size:])
        return size == len(window)

    def give_back(self) -> None:
        """Have what was given and is not taken come next again."""
        self._rest = [*self._given, *self._rest]
        self._given.clear()

    def _window(self) -> bytes:
        """The bytes of the lines ahead and of what comes after them, so many of it as are looked at together."""
        if self._ahead:
            self._rest.insert(0, _encoded("".join(self._ahead)))
            self._ahead.clear()
        while not self._ended and sum(map(len, self._rest)) < _LEAST:
            self._fetch()
        return b"".join(self._rest)

    def _part(self, lines: int) -> None:
        """Have so many lines ahead, if there are."""
        while lines > len(self._ahead) and (any(self._rest) or not self._ended):
            rest = b"".join(self._rest)
            cut = len(rest) if self._ended else max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, -1)) + 1  # an LF may come
            self._ahead.extend(io.StringIO(rest[:cut].decode(), newline=""))
            self._rest = [rest[cut:]] if cut < len(rest) else []
            if lines > len(self._ahead):
                self._fetch_line_end()

    def _fetch_line_end(self) -> None:
        """The next pieces, up to one in which a line may end."""
        while not self._ended:
            piece = self._fetch()
            if b"\n" in piece or b"\r" in piece:
                return

    def _fetch(self) -> bytes:
        """The next piece, put at the end of the rest."""
        piece = next(self._pieces, None)
        self._ended = piece is None
        self._rest.append(_encoded(piece or b""))
        return self._rest[-1]


def _last_row_end(content: bytes) -> int:
    """Where the last row ends: after an LF that an even number of quotes stands before; 0 if there is none."""
    cut = content.rfind(b"\n") + 1
    odd = np.count_nonzero(np.frombuffer(content, np.uint8, cut) == ord('"')) % 2
    while odd and cut:
        before = content.rfind(b"\n", 0, cut - 1) + 1
        odd = (odd + content.count(b'"', before, cut)) % 2
        cut = before
    return cut


def _encoded(piece: str | bytes) -> bytes:
    return piece.encode("utf-8", "replace") if isinstance(piece, str) else piece
