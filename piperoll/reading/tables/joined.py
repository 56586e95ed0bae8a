"""Headings that take several rows: words continued below, group titles over columns, units and numbers below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from piperoll.reading.cells.amounts import is_number
from piperoll.reading.cells.dates import is_date
from piperoll.reading.cells.marks import is_error, means_nothing
from piperoll.reading.columns.lexicon import Lexicon
from piperoll.reading.grids.grid import Row, squeezed, tidy

_MOST_ROWS = 3
"""Headings take at most so many rows above their last."""

_TITLE_CELLS = 2
"""A row of titles above headings has so many cells or more: a single cell may be said again by chance."""

_LONGEST_PART = 80
"""A part of a heading is no longer than this; what is longer is a sentence."""

_LEAST_JOINED = 2
"""One heading of two words may be put together by chance."""

_UNIT = re.compile(
    r"[(\[]?\s*(?:£|€|\$|gbp|eur|pounds?|pence|p|%|per cent|number|no\.?|text|fte|days?|date|"
    r"[£€$]\s?['’]?(?:0{3}s?|k|m|s)|['’]0{3}s?|d{1,2}[/.-]m{1,3}[/.-]y{2,4}|y{4}-m{2}-d{2})\s*[)\]]?",
    re.I,
)
_MONEY = re.compile(r"£|€|\$|gbp|eur|pence|0{3}", re.I)
_NUMBER = re.compile(r"[(\[]?\s*(?:col(?:umn|\.)?\s*)?([0-9]{1,3}|[A-Za-z])\s*[)\].]?", re.I)


def words_above(rows: Sequence[Row], index: int) -> list[Row]:
    """The rows right above a row that may hold a part of its headings, nearest first, at most three."""
    found: list[Row] = []
    for row in reversed(rows[max(0, index - _MOST_ROWS) : index]):
        texts = [text for cell in row.cells if (text := tidy(cell))]
        if not any(map(_is_word, texts)) or any(is_number(text) or is_date(text) for text in texts):
            break
        if any(len(text) > _LONGEST_PART for text in texts):
            break
        found.append(row)
    return found


def _is_word(text: str) -> bool:
    """Whether a cell may be a part of a heading: no dash, no error, nothing but marks."""
    return any(map(str.isalpha, text)) and not is_error(text) and not means_nothing(text, typed=False)


def continues(upper: Sequence[str], lower: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether a row goes on with the words of the one above: put together, half of its headings or more are known."""
    both = [(one, other) for one, other in zip(upper, lower, strict=False) if tidy(one) and tidy(other)]
    known = sum(lexicon.knows(f"{squeezed(one)} {squeezed(other)}") for one, other in both)
    return known >= _LEAST_JOINED and 2 * known >= len(both)


def joined(upper: Sequence[str], lower: Sequence[str], lexicon: Lexicon) -> tuple[str, ...]:
    """The headings that two rows give together, column by column.

    `Payment` over `Date` is `Payment Date`. `Amount` over `Net`, with nothing over the `Gross` and `VAT` beside it,
    stands over those too, as a merged cell does. Unless the words go on throughout, they are only joined where that is
    a heading we know, or where the lower word alone says nothing.
    """
    titles, whole = _carried(upper, lower), continues(upper, lower, lexicon)
    return tuple(
        _joined_cell(_at(upper, column), titles[column], _at(lower, column), lexicon, whole=whole)
        for column in range(len(titles))
    )


def _at(cells: Sequence[str], column: int) -> str:
    return cells[column] if column < len(cells) else ""


def _carried(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """For each column the title that stands over it: its own, or that of the nearest column to the left."""
    titles, last = [], ""
    for column in range(max(len(upper), len(lower))):
        own = squeezed(_at(upper, column))
        last = own or (last if tidy(_at(lower, column)) else "")
        titles.append(last)
    return titles


def _joined_cell(own: str, title: str, lower: str, lexicon: Lexicon, *, whole: bool) -> str:
    own, word = squeezed(own), squeezed(lower)
    if not word:
        return own
    for text in (f"{title} {word}", f"{word} {title}"):
        if title and lexicon.knows(text):
            return text
    return lower if not own or (lexicon.meanings(lower) and not whole) else f"{own} {word}"


def below_headings(rows: Sequence[Row]) -> list[Row]:
    """The rows right below the headings that only give units (`(£)`) or number the columns (`1 2 3`)."""
    found: list[Row] = []
    for row in rows[:_MOST_ROWS]:
        if not (is_unit_row(row) or is_numbering_row(row)):
            break
        found.append(row)
    return found


def is_unit_row(row: Row) -> bool:
    """Whether every filled cell of a row is a unit or a form of date, as in `(£)` or `dd/mm/yyyy`."""
    texts = [text for cell in row.cells if (text := tidy(cell))]
    return bool(texts) and all(_UNIT.fullmatch(text) for text in texts)


def is_numbering_row(row: Row) -> bool:
    """Whether a row counts its columns from the first: `1 2 3`, `(a) (b) (c)`, at least three of them."""
    texts = [text for cell in row.cells if (text := tidy(cell))]
    counts = [match[1].lower() for text in texts if (match := _NUMBER.fullmatch(text))]
    if len(texts) < 3 or len(counts) < len(texts):
        return False
    letters = [chr(ord("a") + place) for place in range(26)][: len(counts)]
    return counts == [str(place + 1) for place in range(len(counts))] or counts == letters


def with_units(cells: Sequence[str], rows: Sequence[Row]) -> tuple[str, ...]:
    """The headings with the units of money that stand below them: `Amount` over `(£000)` is `Amount (£000)`."""
    found = list(cells)
    for row in filter(is_unit_row, rows):
        for column, cell in enumerate(row.cells[: len(found)]):
            if tidy(found[column]) and _MONEY.search(cell):
                found[column] = f"{squeezed(found[column])} {squeezed(cell)}"
    return tuple(found)


def as_said(rows: Sequence[Row], start: int, end: int) -> frozenset[tuple[str, ...]]:
    """The words of the rows of headings, from `start` to before `end`, and of those right above them.

    A row that says one of these again further down is no record.
    """
    titles = (words(row.cells) for row in reversed(rows[max(0, start - _MOST_ROWS) : start]))
    above = takewhile(lambda texts: sum(map(bool, texts)) >= _TITLE_CELLS, titles)
    return frozenset((*above, *(words(row.cells) for row in rows[start:end])))


def words(cells: Sequence[str]) -> tuple[str, ...]:
    """The cells up to the last filled one, without the space around them."""
    texts = [squeezed(cell) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)
