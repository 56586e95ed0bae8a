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
    """What parts a text, if each second quote closes a cell that the one before it opened.

    `ends` are the positions of delimiters and LFs outside of quotes, where cells end, and `rows` which of these end a
    row. Of each cell, `quoted` is how many quotes it holds. Of each row, `lines` is how many LFs stand in it with the
    one at its end, and `within` how many delimiters stand within its quotes.
    """

    quotes: Numbers
    ends: Numbers
    rows: Numbers
    quoted: Numbers
    lines: Numbers
    within: Numbers


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
    places = np.flatnonzero((text == delimiter) | (text == _LF) | (text == _QUOTE))
    kinds = text[places]
    quote = kinds == _QUOTE
    inside = np.logical_xor.accumulate(quote)
    at = np.flatnonzero(~(inside | quote))
    rows = np.flatnonzero(kinds[at] == _LF)

    def counted(flags: Flags, ends: Numbers) -> Numbers:
        return np.diff(np.cumsum(flags, dtype=np.int32)[ends], prepend=np.int32(0))

    ends = at[rows]
    lines = counted(kinds == _LF, ends)
    within = counted(inside & (kinds == delimiter), ends)
    return _Marks(places[quote], places[at], rows, counted(quote, at), lines, within)


def _sound(text: Numbers, delimiter: int, marks: _Marks, width: int) -> int:
    """How many of the first rows are proved to be what they seem."""
    doubts = [*_broken_quotes(text, delimiter, marks.quotes), *_lone_returns(text), *_long_cells(marks.ends)]
    sound = int(np.searchsorted(marks.ends[marks.rows], min(doubts, default=len(text))))
    swallowing = np.flatnonzero((marks.lines > 2) & (marks.within >= width - 1)) if width > 2 else ()
    return min(sound, *swallowing[:1]) if len(swallowing) else sound


def _broken_quotes(text: Numbers, delimiter: int, quotes: Numbers) -> Numbers:
    """The first quotes that neither open nor close a whole cell: the first of those that open, and of the others.

    Beside a quote of the other kind stands a doubled one.
    """
    opening, closing = quotes[::2], quotes[1::2]
    before, after = text[np.maximum(opening - 1, 0)], text[np.minimum(closing + 1, len(text) - 1)]
    apart = (before != delimiter) & (before != _LF) & (before != _QUOTE)
    astray = (after != delimiter) & (after != _LF) & (after != _QUOTE) & (after != _CR)
    return np.concatenate([opening[apart][:1], closing[astray][:1]])


def _lone_returns(text: Numbers) -> Numbers:
    """The first CR that no LF follows."""
    returns = np.flatnonzero(text == _CR)
    return returns[text[np.minimum(returns + 1, len(text) - 1)] != _LF][:1]


def _long_cells(ends: Numbers) -> Numbers:
    """The end of the first cell that may be too long."""
    return ends[np.diff(ends, prepend=-1) > _LONGEST][:1]


def _first(marks: _Marks, count: int) -> _Marks:
    """The marks of so many rows."""
    rows = marks.rows[:count]
    cells = int(rows[-1]) + 1
    ends = marks.ends[:cells]
    quotes = marks.quotes[: np.searchsorted(marks.quotes, ends[-1])]
    return _Marks(quotes, ends, rows, marks.quoted[:cells], marks.lines[:count], marks.within[:count])


def _without_marks(text: Numbers, marks: _Marks) -> Parted:
    """The rows, their text without what parts them.

    Of a cell with quotes, both at its ends go, and one of each pair within. A line of nothing is a row of no cells.
    """
    size = int(marks.ends[-1]) + 1
    kept = np.ones(size, bool)
    kept[marks.ends] = False
    kept[_superfluous(marks.quotes)] = False
    closes = marks.ends[marks.rows]
    returns = text[np.maximum(closes - 1, 0)] == _CR
    kept[closes[returns] - 1] = False
    lengths = np.diff(marks.ends, prepend=-1) - 1
    lengths[marks.rows] -= returns
    nothing = (lengths[marks.rows] == 0) & (marks.quoted[marks.rows] == 0) & (np.diff(marks.rows, prepend=-1) == 1)
    lengths -= np.where(marks.quoted > 0, marks.quoted // 2 + 1, 0)
    edges = marks.rows + 1 - np.cumsum(nothing)
    if nothing.any():
        lengths = np.delete(lengths, marks.rows[nothing])
    lines = np.cumsum(marks.lines, dtype=np.int64)
    return Parted(_from_nought(edges), _from_nought(np.cumsum(lengths)), text[:size][kept], lines - marks.lines,
                  size, int(lines[-1]))  # fmt: skip


def _superfluous(quotes: Numbers) -> Numbers:
    """The quotes that are no letters: those that open, and those that close and are not doubled by one that opens."""
    opening, closing = quotes[::2], quotes[1::2]
    single = np.ones(len(closing), bool)
    single[: len(opening) - 1] = closing[: len(opening) - 1] + 1 != opening[1:]
    return np.concatenate([opening, closing[single]])


def _from_nought(edges: Numbers) -> Numbers:
    """The edges with the one before the first, in 32 bits, as Arrow has them."""
    return np.concatenate([np.zeros(1, np.int32), edges.astype(np.int32)])
