"""Split many rows of a text at once with NumPy, as far as it is certain that they need no care.

`split_rows` returns exactly the rows, cell by cell and line by line, that the careful reader of `delimited.py` returns,
and none of them has broken quotes. It stops before the first row for which it cannot prove that. It proves of each row:

1. Its quotes follow RFC 4180, section 2: an opening quote is at the start of a cell, a closing one right before a
   delimiter or the end of the row, and those between them come in pairs. `csv.reader` reads such a row in only one way,
   strict or not.
2. It has a CR only before an LF, so that only LFs end lines.
3. No cell of it is too long for `csv.reader`.
4. If it spans more than two lines, its cells contain too few delimiters to be rows that a stray quote joined.
5. It is complete: an LF outside of quotes, or the end of the text, follows it.

It works on bytes: in UTF-8 a delimiter, quote, CR or LF is never part of another character.

Without this module a table of 300,000 rows takes 3.6 times as long to read, and a real file of 0.4 s more than twice as
long (November 2026).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from piperoll.model.columns import Vector

_LF, _CR, _QUOTE = b'\n\r"'
_LONGEST = 131_072
"""The longest cell that `csv.reader` allows, in characters; here in bytes, of which there are never fewer."""


class SplitRows(NamedTuple):
    """Rows as the buffers of an Arrow list of texts.

    `rows` are the offsets of the rows in the cells, `cells` those of the cells in `text`, which is UTF-8 without
    delimiters and enclosing quotes. `starts` are the numbers of lines before each row. All rows together are `size`
    bytes and `lines` lines of the piece.
    """

    rows: Vector
    cells: Vector
    text: Vector
    starts: Vector
    size: int
    lines: int


class _Marks(NamedTuple):
    """Every delimiter, quote, CR and LF of a text, on the assumption that quotes open and close cells in turn.

    `positions` are byte positions; `inside` says which marks are within quotes, where an opening quote is inside and a
    closing one is not. `quotes` are the indices of the quotes among the marks, `ends` the indices of marks that end
    cells, and `rows` the indices among `ends` of those that end rows.
    """

    positions: Vector
    kinds: Vector
    inside: Vector
    quotes: Vector
    ends: Vector
    rows: Vector


def split_rows(piece: bytes, delimiter: str, width: int, *, last: bool) -> SplitRows | None:
    """Split the first rows of a piece of UTF-8 that begins with a row; None if even the first needs care.

    `width` is the number of cells that most rows have. The end of the piece ends a row only if it is the `last` piece.
    """
    text = np.frombuffer(piece + b"\n" if last and not piece.endswith(b"\n") else piece, np.uint8)
    marks = _find_marks(text, ord(delimiter))
    count = _count_certain(text, ord(delimiter), marks, width)
    if not count:
        return None
    found = _remove_marks(text, _first_rows(marks, count))
    return found._replace(size=min(found.size, len(piece)))


def _find_marks(text: Vector, delimiter: int) -> _Marks:
    positions = np.flatnonzero(_among(text, delimiter, _LF, _QUOTE, _CR))
    kinds = text[positions]
    quote = kinds == _QUOTE
    inside = np.logical_xor.accumulate(quote)
    ends = np.flatnonzero(~(inside | quote | (kinds == _CR)))
    return _Marks(positions, kinds, inside, np.flatnonzero(quote), ends, np.flatnonzero(kinds[ends] == _LF))


def _among(text: Vector, first: int, *others: int) -> Vector:
    """Which bytes are one of these values."""
    found = text == first
    more = np.empty_like(found)
    for byte in others:
        found |= np.equal(text, byte, out=more)
    return found


def _count_certain(text: Vector, delimiter: int, marks: _Marks, width: int) -> int:
    """The number of rows before the first one that is not certain."""
    closes = marks.positions[marks.ends[marks.rows]]
    doubts = [*_broken_quotes(text, delimiter, marks.positions[marks.quotes]), *_lone_returns(marks)]
    doubts += [*_long_rows(closes), *_swallowing(delimiter, marks, width)]
    return int(np.searchsorted(closes, min(doubts, default=len(text))))


def _broken_quotes(text: Vector, delimiter: int, quotes: Vector) -> Vector:
    """The positions of the first opening quote and the first closing quote that are in the middle of a cell.

    A quote next to a quote of the other kind is a doubled quote, which is correct.
    """
    opening, closing = quotes[::2], quotes[1::2]
    before, after = text[np.maximum(opening - 1, 0)], text[np.minimum(closing + 1, len(text) - 1)]
    apart = (before != delimiter) & (before != _LF) & (before != _QUOTE)
    astray = (after != delimiter) & (after != _LF) & (after != _QUOTE) & (after != _CR)
    return np.concatenate([opening[apart][:1], closing[astray][:1]])


def _lone_returns(marks: _Marks) -> Vector:
    """The first CR without an LF after it; one at the very end is checked together with the next piece."""
    returns = np.flatnonzero(marks.kinds[:-1] == _CR)
    lone = (marks.kinds[returns + 1] != _LF) | (marks.positions[returns + 1] != marks.positions[returns] + 1)
    return marks.positions[returns[lone][:1]]


def _long_rows(closes: Vector) -> Vector:
    """The end of the first row that is so long that one of its cells can be too long."""
    return closes[np.diff(closes, prepend=-1) > _LONGEST][:1]


def _swallowing(delimiter: int, marks: _Marks, width: int) -> Vector:
    """The end of the first row whose cells can contain whole rows, joined by a stray quote."""
    feeds = marks.kinds == _LF
    if width < 3 or np.count_nonzero(feeds) == len(marks.rows):
        return marks.positions[:0]
    rows = marks.ends[marks.rows]
    lines = np.diff(np.cumsum(feeds)[rows], prepend=0)
    within = np.diff(np.cumsum(marks.inside & (marks.kinds == delimiter))[rows], prepend=0)
    return marks.positions[rows[(lines > 2) & (within >= width - 1)][:1]]


def _first_rows(marks: _Marks, count: int) -> _Marks:
    """The marks of the first rows."""
    rows = marks.rows[:count]
    ends = marks.ends[: rows[-1] + 1]
    stop = ends[-1] + 1
    quotes = marks.quotes[: np.searchsorted(marks.quotes, stop)]
    return _Marks(marks.positions[:stop], marks.kinds[:stop], marks.inside[:stop], quotes, ends, rows)


def _remove_marks(text: Vector, marks: _Marks) -> SplitRows:
    """The rows with the marks between their cells removed from the text. An empty line is a row without cells."""
    removed = _removed(marks)
    positions = marks.positions[removed]
    size = int(marks.positions[-1]) + 1
    kept = np.ones(size, bool)
    kept[positions] = False
    before = np.cumsum(removed, dtype=np.int32)[marks.ends]
    cells = marks.positions[marks.ends] + 1 - before
    empty = _empty_lines(text, marks)
    rows = marks.rows + 1 - np.cumsum(empty)
    if empty.any():
        cells = np.delete(cells, marks.rows[empty])
    lines = _line_counts(marks)
    return SplitRows(_with_zero(rows), _with_zero(cells), text[:size][kept], lines[:-1], size, int(lines[-1]))


def _removed(marks: _Marks) -> Vector:
    """Which marks are not part of a cell: those outside of quotes, and quotes, except one of each doubled quote."""
    opening, closing = marks.quotes[2::2], marks.quotes[1:-1:2]
    found = ~marks.inside
    found[marks.quotes] = True
    found[closing[marks.positions[closing] + 1 == marks.positions[opening]]] = False
    return found


def _empty_lines(text: Vector, marks: _Marks) -> Vector:
    """Which rows are empty lines."""
    closes = marks.positions[marks.ends[marks.rows]]
    before = np.concatenate([[-1], closes[:-1]])
    return (closes == before + 1) | ((closes == before + 2) & (text[before + 1] == _CR))


def _line_counts(marks: _Marks) -> Vector:
    """The number of lines before each row, and at the end the number of all lines."""
    feeds = marks.kinds == _LF
    if np.count_nonzero(feeds) == len(marks.rows):
        return np.arange(len(marks.rows) + 1)
    return np.concatenate([[0], np.cumsum(feeds)[marks.ends[marks.rows]]])


def _with_zero(edges: Vector) -> Vector:
    """The ends as 32-bit Arrow offsets, which begin with 0."""
    return np.concatenate([np.zeros(1, np.int32), edges.astype(np.int32)])
