"""Whole pieces of a text parted into rows at once: those that can be proved to need no care, and no others.

The promise: the rows that `parted` takes are, cell for cell and line for line, those that the careful reader of
`text.py` gives, none of them with broken quotes. It takes the first rows of a piece, up to the first of which it cannot
prove that. What it proves of each row:

1. Quotes hold its cells together as they should (RFC 4180, section 2): one that opens a cell stands at its very start,
   one that closes it right before a delimiter or the end of the row, and those between them come in pairs. `csv.reader`
   reads such a row in one way, strictly or not; `quotes.joins` finds the same cells, and their number is even.
2. A CR stands in it only before an LF, so that lines end where the LFs stand.
3. No cell of it is too long for `csv.reader`.
4. If it goes on over more than two lines, its cells hold too few delimiters to be rows that a quote swallowed.
5. It has ended: an LF outside of quotes, or the end of the text, stands behind it.

Delimiters, quotes, CR and LF are bytes that are no part of another character in UTF-8, so that bytes are looked at.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

_LF, _CR, _QUOTE = b'\n\r"'
_LONGEST = 131_072
"""What `csv.reader` allows a cell, in characters; here bytes are counted, of which there are as many or more."""

Numbers = Any
"""A NumPy array of whole numbers, or of bytes."""
Flags = Any
"""A NumPy array of truth values."""


class Parted(NamedTuple):
    """Rows as an Arrow list of texts has them, and how much of the piece they took.

    `rows` are the edges of the rows among the cells, `cells` those of the cells in `text`, which is UTF-8 without
    delimiters and enclosing quotes. `starts` tells how many lines of the piece stand before each row. All of the rows
    together took `size` bytes and `lines` lines.
    """

    rows: Numbers
    cells: Numbers
    text: Numbers
    starts: Numbers
    size: int
    lines: int


class _Marks(NamedTuple):
    """Every delimiter, quote, CR and LF of a text, if each second quote closes a cell that the one before it opened.

    `places` is where they stand, `inside` whether within quotes, those that open being inside and those that close not.
    `quotes` tells which of them (by their place among them) are quotes, `ends` which end cells, and `rows` which of
    these ends are those of rows.
    """

    places: Numbers
    kinds: Numbers
    inside: Flags
    quotes: Numbers
    ends: Numbers
    rows: Numbers


def parted(piece: bytes, delimiter: str, width: int, *, last: bool) -> Parted | None:
    """The first rows of a piece of text in UTF-8 at the start of a row; None if not even one can be taken.

    Most rows have `width` cells. The end of the piece ends a row only if it is the `last` one.
    """
    text = np.frombuffer(piece + b"\n" if last and not piece.endswith(b"\n") else piece, np.uint8)
    marks = _marks(text, ord(delimiter))
    count = _sound(text, ord(delimiter), marks, width)
    if not count:
        return None
    found = _without_marks(text, _first(marks, count))
    return found._replace(size=min(found.size, len(piece)))


def _marks(text: Numbers, delimiter: int) -> _Marks:
    places = np.flatnonzero(_among(text, delimiter, _LF, _QUOTE, _CR))
    kinds = text[places]
    quote = kinds == _QUOTE
    inside = np.logical_xor.accumulate(quote)
    ends = np.flatnonzero(~(inside | quote | (kinds == _CR)))
    return _Marks(places, kinds, inside, np.flatnonzero(quote), ends, np.flatnonzero(kinds[ends] == _LF))


def _among(text: Numbers, first: int, *others: int) -> Flags:
    """Which bytes are one of these."""
    found = text == first
    more = np.empty_like(found)
    for byte in others:
        found |= np.equal(text, byte, out=more)
    return found


def _sound(text: Numbers, delimiter: int, marks: _Marks, width: int) -> int:
    """How many of the first rows are proved to be what they seem."""
    closes = marks.places[marks.ends[marks.rows]]
    doubts = [*_broken_quotes(text, delimiter, marks.places[marks.quotes]), *_lone_returns(marks)]
    doubts += [*_long_rows(closes), *_swallowing(delimiter, marks, width)]
    return int(np.searchsorted(closes, min(doubts, default=len(text))))


def _broken_quotes(text: Numbers, delimiter: int, quotes: Numbers) -> Numbers:
    """The first quotes that neither open nor close a whole cell: the first of those that open, and of the others.

    Beside a quote of the other kind stands a doubled one.
    """
    opening, closing = quotes[::2], quotes[1::2]
    before, after = text[np.maximum(opening - 1, 0)], text[np.minimum(closing + 1, len(text) - 1)]
    apart = (before != delimiter) & (before != _LF) & (before != _QUOTE)
    astray = (after != delimiter) & (after != _LF) & (after != _QUOTE) & (after != _CR)
    return np.concatenate([opening[apart][:1], closing[astray][:1]])


def _lone_returns(marks: _Marks) -> Numbers:
    """The first CR that no LF follows; one at the very end is looked at with what comes after it."""
    returns = np.flatnonzero(marks.kinds[:-1] == _CR)
    lone = (marks.kinds[returns + 1] != _LF) | (marks.places[returns + 1] != marks.places[returns] + 1)
    return marks.places[returns[lone][:1]]


def _long_rows(closes: Numbers) -> Numbers:
    """The end of the first row that is so long that one of its cells may be too long."""
    return closes[np.diff(closes, prepend=-1) > _LONGEST][:1]


def _swallowing(delimiter: int, marks: _Marks, width: int) -> Numbers:
    """The end of the first row whose cells may hold whole rows."""
    feeds = marks.kinds == _LF
    if width < 3 or np.count_nonzero(feeds) == len(marks.rows):
        return marks.places[:0]
    rows = marks.ends[marks.rows]
    lines = np.diff(np.cumsum(feeds)[rows], prepend=0)
    within = np.diff(np.cumsum(marks.inside & (marks.kinds == delimiter))[rows], prepend=0)
    return marks.places[rows[(lines > 2) & (within >= width - 1)][:1]]


def _first(marks: _Marks, count: int) -> _Marks:
    """The marks of so many rows."""
    rows = marks.rows[:count]
    ends = marks.ends[: rows[-1] + 1]
    stop = ends[-1] + 1
    quotes = marks.quotes[: np.searchsorted(marks.quotes, stop)]
    return _Marks(marks.places[:stop], marks.kinds[:stop], marks.inside[:stop], quotes, ends, rows)


def _without_marks(text: Numbers, marks: _Marks) -> Parted:
    """The rows, and their text without what parts them. A line of nothing is a row of no cells."""
    superfluous = _superfluous(marks)
    places = marks.places[superfluous]
    size = int(marks.places[-1]) + 1
    kept = np.ones(size, bool)
    kept[places] = False
    before = np.cumsum(superfluous, dtype=np.int32)[marks.ends]
    cells = marks.places[marks.ends] + 1 - before
    nothing = _nothing(text, marks)
    rows = marks.rows + 1 - np.cumsum(nothing)
    if nothing.any():
        cells = np.delete(cells, marks.rows[nothing])
    lines = _lines(marks)
    return Parted(_from_nought(rows), _from_nought(cells), text[:size][kept], lines[:-1], size, int(lines[-1]))


def _superfluous(marks: _Marks) -> Flags:
    """Which marks are no letters: those outside of quotes, and all quotes but the first of two that make one."""
    opening, closing = marks.quotes[2::2], marks.quotes[1:-1:2]
    found = ~marks.inside
    found[marks.quotes] = True
    found[closing[marks.places[closing] + 1 == marks.places[opening]]] = False
    return found


def _nothing(text: Numbers, marks: _Marks) -> Flags:
    """Which rows are empty lines."""
    closes = marks.places[marks.ends[marks.rows]]
    before = np.concatenate([[-1], closes[:-1]])
    return (closes == before + 1) | ((closes == before + 2) & (text[before + 1] == _CR))


def _lines(marks: _Marks) -> Numbers:
    """How many lines stand before each row, and before what comes after the last."""
    feeds = marks.kinds == _LF
    if np.count_nonzero(feeds) == len(marks.rows):
        return np.arange(len(marks.rows) + 1)
    return np.concatenate([[0], np.cumsum(feeds)[marks.ends[marks.rows]]])


def _from_nought(edges: Numbers) -> Numbers:
    """The edges with the one before the first, in 32 bits, as Arrow has them."""
    return np.concatenate([np.zeros(1, np.int32), edges.astype(np.int32)])
