"""The physical lines of a text that arrives in pieces; only the lines in use are in memory."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import NamedTuple, overload

import numpy as np

_LEAST = 1_000_000
"""The least bytes of a window, unless the text ends."""


class Window(NamedTuple):
    """A part of a text in UTF-8; `last` says that it reaches the end of the text."""

    content: bytes
    last: bool


class TextLines:
    """The lines that have not been taken yet, each with its line ending.

    The pieces are text or UTF-8, cut anywhere. CR, LF and CRLF each end a line. The lines can be looked at one by one,
    or as bytes in `windows` of many lines, before they are taken.
    """

    def __init__(self, pieces: Iterable[str | bytes]) -> None:
        self._pieces = iter(pieces)
        self._ahead: deque[str] = deque()
        self._rest: list[bytes] = []
        """The bytes after the lines ahead, not yet split into lines."""
        self._given: deque[bytes] = deque()
        self._ended = False
        """True after the last piece."""
        self.taken = 0

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        """The line at an index, counted from the first one not taken; for `[:count]` the next lines, if there are."""
        if isinstance(index, slice):
            self._split(index.stop)
            return list(islice(self._ahead, index.start, index.stop))
        self._split(index + 1)
        return self._ahead[index]

    def onwards(self) -> Iterator[str]:
        """Every line from the first one not taken to the last; lines can be taken during the iteration."""
        for number in count(self.taken):
            self._split(number - self.taken + 1)
            if number - self.taken >= len(self._ahead):
                return
            yield self._ahead[number - self.taken]

    def take(self, lines: int) -> None:
        """Drop the next lines, which are in memory."""
        for _ in range(lines):
            self._ahead.popleft()
        self.taken += lines

    def __bool__(self) -> bool:
        """Whether any line is left."""
        while not (self._ahead or any(self._rest) or self._ended):
            self._fetch()
        return bool(self._ahead) or any(self._rest)

    def windows(self) -> Iterator[Window]:
        """The rest of the text in windows that each consist of whole rows, if quotes are used correctly.

        Windows can be produced ahead of those that are taken. Afterwards, `give_back` those that were not taken.
        """
        while self:
            content = self._window()
            cut = len(content) if self._ended else _last_row_end(content) or len(content)
            self._rest = [content[cut:]] if cut < len(content) else []
            self._given.append(content[:cut])
            yield Window(content[:cut], self._ended)

    def take_window(self, size: int, lines: int) -> bool:
        """Drop the first bytes of the oldest window, which have this many lines; True if that is the whole window."""
        window = self._given.popleft()
        self.taken += lines
        if size < len(window):
            self._given.appendleft(window[size:])
        return size == len(window)

    def give_back(self) -> None:
        """Return to the first byte that was not taken."""
        self._rest = [*self._given, *self._rest]
        self._given.clear()

    def _window(self) -> bytes:
        """The bytes of the lines ahead and of what follows, as long as a window should be."""
        if self._ahead:
            self._rest.insert(0, _encoded("".join(self._ahead)))
            self._ahead.clear()
        while not self._ended and sum(map(len, self._rest)) < _LEAST:
            self._fetch()
        return b"".join(self._rest)

    def _split(self, lines: int) -> None:
        """Have this many lines ahead, unless the text ends."""
        while lines > len(self._ahead) and (any(self._rest) or not self._ended):
            rest = b"".join(self._rest)
            # An LF may follow a CR at the very end.
            cut = len(rest) if self._ended else max(rest.rfind(b"\n"), rest.rfind(b"\r", 0, -1)) + 1
            self._ahead.extend(io.StringIO(rest[:cut].decode(), newline=""))
            self._rest = [rest[cut:]] if cut < len(rest) else []
            if lines > len(self._ahead):
                self._fetch_line_end()

    def _fetch_line_end(self) -> None:
        """Fetch pieces until one contains a line end."""
        while not self._ended:
            piece = self._fetch()
            if b"\n" in piece or b"\r" in piece:
                return

    def _fetch(self) -> bytes:
        """Fetch the next piece."""
        piece = next(self._pieces, None)
        self._ended = piece is None
        self._rest.append(_encoded(piece or b""))
        return self._rest[-1]


def _last_row_end(content: bytes) -> int:
    """The end of the last row: after an LF with an even number of quotes before it; 0 if there is none."""
    cut = content.rfind(b"\n") + 1
    odd = np.count_nonzero(np.frombuffer(content, np.uint8, cut) == ord('"')) % 2
    while odd and cut:
        before = content.rfind(b"\n", 0, cut - 1) + 1
        odd = (odd + content.count(b'"', before, cut)) % 2
        cut = before
    return cut


def _encoded(piece: str | bytes) -> bytes:
    return piece.encode("utf-8", "replace") if isinstance(piece, str) else piece
