"""Find the headings: the row whose cells best fit the dataset's list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, takewhile
from string import ascii_lowercase

from piperoll.model.mapping import bare
from piperoll.reading.cells.amounts import is_number
from piperoll.reading.cells.dates import is_date
from piperoll.reading.cells.marks import is_error, means_nothing
from piperoll.reading.columns.lexicon import Lexicon
from piperoll.reading.columns.profiles import is_reference, profile_columns
from piperoll.reading.grids.grid import Grid, Row, Rows, is_blank, squeeze, tidy, without_blanks

_MOST_ROWS = 3
"""The most rows that headings take above their last row."""

_TITLE_CELLS = 2
"""The fewest cells in a row of titles above headings: a single cell may be repeated by chance."""

_LONGEST_PART = 80
"""The most characters in a part of a heading; longer text is a sentence."""

_LEAST_JOINED = 2
"""The fewest joined headings that prove two rows belong together: a single one may be chance."""

_UNIT = re.compile(
    r"[(\[]?\s*(?:£|€|\$|gbp|eur|pounds?|pence|p|%|per cent|number|no\.?|text|fte|days?|date|"
    r"[£€$]\s?['’]?(?:0{3}s?|k|m|s)|['’]0{3}s?|d{1,2}[/.-]m{1,3}[/.-]y{2,4}|y{4}-m{2}-d{2})\s*[)\]]?",
    re.I,
)
_MONEY = re.compile(r"£|€|\$|gbp|eur|pence|0{3}", re.I)
_NUMBER = re.compile(r"[(\[]?\s*(?:col(?:umn|\.)?\s*)?([0-9]{1,3}|[A-Za-z])\s*[)\].]?", re.I)


def find_words_above(rows: Sequence[Row], index: int) -> list[Row]:
    """Return the rows right above a row that may hold part of its headings: the nearest first, at most three."""
    found: list[Row] = []
    for row in reversed(rows[max(0, index - _MOST_ROWS) : index]):
        texts = [text for cell in row.cells if (text := tidy(cell))]
        # Part of a heading is a word: not a dash, an error or only punctuation.
        words = (
            any(map(str.isalpha, text)) and not is_error(text) for text in texts if not means_nothing(text, typed=False)
        )
        if not any(words) or any(is_number(text) or is_date(text) for text in texts):
            break
        if any(len(text) > _LONGEST_PART for text in texts):
            break
        found.append(row)
    return found


def continues_headings(upper: Sequence[str], lower: Sequence[str], lexicon: Lexicon) -> bool:
    """Return whether a row continues the words of the one above: joined, at least half of the headings are known."""
    both = [(one, other) for one, other in zip(upper, lower, strict=False) if tidy(one) and tidy(other)]
    known = sum(lexicon.knows(f"{squeeze(one)} {squeeze(other)}") for one, other in both)
    return known >= _LEAST_JOINED and 2 * known >= len(both)


def join_headings(upper: Sequence[str], lower: Sequence[str], lexicon: Lexicon) -> tuple[str, ...]:
    """Join the headings in two rows, column by column.

    `Payment` over `Date` is `Payment Date`. `Amount` over `Net`, with nothing over the `Gross` and `VAT` beside it,
    applies to those too, as a merged cell does. Unless the rows continue throughout, words are joined only if that
    gives a known heading, or if the lower word alone is unknown.
    """
    whole = continues_headings(upper, lower, lexicon)
    joined, title = [], ""
    for column in range(max(len(upper), len(lower))):
        own, below = squeeze(_at(upper, column)), _at(lower, column)
        word = squeeze(below)
        title = own or (title if tidy(below) else "")
        known = [text for text in (f"{title} {word}", f"{word} {title}") if word and title and lexicon.knows(text)]
        if known or not word:
            joined.append(known[0] if known else own)
        elif not own or (lexicon.meanings(below) and not whole):
            joined.append(below)
        else:
            joined.append(f"{own} {word}")
    return tuple(joined)


def _at(cells: Sequence[str], column: int) -> str:
    return cells[column] if column < len(cells) else ""


def find_rows_below(rows: Sequence[Row]) -> list[Row]:
    """Return the rows right below the headings that only give units (`(£)`) or number the columns (`1 2 3`)."""
    found: list[Row] = []
    for row in rows[:_MOST_ROWS]:
        if not (is_unit_row(row) or is_numbering_row(row)):
            break
        found.append(row)
    return found


def is_unit_row(row: Row) -> bool:
    """Return whether every filled cell of a row is a unit or a date format, as in `(£)` or `dd/mm/yyyy`."""
    texts = [text for cell in row.cells if (text := tidy(cell))]
    return bool(texts) and all(_UNIT.fullmatch(text) for text in texts)


def is_numbering_row(row: Row) -> bool:
    """Return whether a row numbers its columns from the first: `1 2 3` or `(a) (b) (c)`, at least three."""
    texts = [text for cell in row.cells if (text := tidy(cell))]
    counts = [match[1].lower() for text in texts if (match := _NUMBER.fullmatch(text))]
    if len(texts) < 3 or len(counts) < len(texts):
        return False
    numbers = [str(number) for number in range(1, len(counts) + 1)]
    return counts == numbers or counts == list(ascii_lowercase[: len(counts)])


def with_units(cells: Sequence[str], rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the headings with the units of money below them: `Amount` over `(£000)` is `Amount (£000)`."""
    found = list(cells)
    for row in filter(is_unit_row, rows):
        for column, cell in enumerate(row.cells[: len(found)]):
            if tidy(found[column]) and _MONEY.search(cell):
                found[column] = f"{squeeze(found[column])} {squeeze(cell)}"
    return tuple(found)


def heading_words(rows: Sequence[Row], start: int, end: int) -> frozenset[tuple[str, ...]]:
    """Return the words of the heading rows, from `start` to before `end`, and of the titles right above them.

    A row that repeats one of these further down is no record.
    """
    titles = (words(row.cells) for row in reversed(rows[max(0, start - _MOST_ROWS) : start]))
    above = takewhile(lambda texts: sum(map(bool, texts)) >= _TITLE_CELLS, titles)
    return frozenset((*above, *(words(row.cells) for row in rows[start:end])))


def words(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the cells up to the last filled one, without surrounding spaces."""
    texts = [squeeze(cell) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


_CELL = 160
"""The most characters in a heading; the longest real one is 147 characters."""


_TOP = 200
"""Within this many rows from the top, one listed heading makes a candidate; further down it takes two."""

_FIRST = 20
"""Within this many rows from the top, headings may be understood without being listed."""

_START = 6
"""Further down, one of this many first cells must be a listed heading, so that long files stay fast."""


_WORDS = 3
"""A row with fewer filled cells is a title, or two words beside each other."""

_MOST = 0.8
"""The share of a column's cells that must be numbers or dates."""

_LOOK = 2000
"""The most rows to look at for figures."""

_THOROUGH = 20_000
"""If no row names the core, look at every cell of this many rows."""


_GOES_ON = 2.0
"""Added to the score of a row that continues the words above it, so that neither row alone is better."""


@dataclass(frozen=True)
class HeadingRow:
    """A row of headings: its index among the grid's rows, its cells, the fields they name, and how well.

    `extra` is the number of rows above that hold part of the headings, `after` the number of rows below that only give
    units or number the columns. `index` is -1 if there is no such row: the headings are empty or come with the records.
    """

    index: int
    cells: tuple[str, ...]
    fields: frozenset[str]
    score: float
    extra: int = 0
    after: int = 0

    @property
    def start(self) -> int:
        """The index of the first row of the headings."""
        return self.index - self.extra

    @property
    def end(self) -> int:
        """The index of the first row below the headings."""
        return self.index + self.after + 1


def find_heading_rows(grid: Grid, lexicon: Lexicon, *, thorough: bool = True) -> list[HeadingRow]:
    """Return every row that could hold the headings, in order, with the rows that continue it.

    With `thorough`, if no row names the core, also look at rows where headings are unlikely.
    """
    rows = grid.rows
    # One listed heading is enough near the top; further down it takes two, one of them in a first cell.
    top = list(rows[:_TOP])
    known = set(filter(lexicon.knows, set(chain.from_iterable(row.cells for row in top))))
    likely = [index for index, row in enumerate(top) if not known.isdisjoint(row.cells)]
    likely += [_TOP + index for index in _with_two(rows[_TOP:], _START, lexicon)]
    found = _candidates(grid, lexicon, likely)
    if thorough and not any(names_core(candidate, lexicon) for candidate in found):
        possible = _with_two(rows[:_THOROUGH], rows[:_THOROUGH].width, lexicon)
        found = _candidates(grid, lexicon, possible) or found
    if not found:  # names of a database, such as `VENDOR_NM`, are understood although no list has them
        worded = [i for i, row in enumerate(rows[:_FIRST]) if _count_filled(row) >= _WORDS and not _figures(row)]
        understood = [index for index in worded if all(map(lexicon.meanings, filter(tidy, rows[index].cells)))]
        found = [each for each in _candidates(grid, lexicon, understood) if names_core(each, lexicon)]
    # Of candidates that share rows, keep the better one; of equals, the first.
    kept: list[HeadingRow] = []
    for candidate in found:
        if kept and candidate.start <= kept[-1].index:
            if (candidate.score, len(candidate.fields)) <= (kept[-1].score, len(kept[-1].fields)):
                continue
            kept.pop()
        kept.append(candidate)
    for index, candidate in enumerate(kept):
        if below := find_rows_below(rows[candidate.index + 1 : candidate.index + 4]):
            kept[index] = replace(candidate, cells=with_units(candidate.cells, below), after=len(below))
    return kept


def names_core(heading: HeadingRow, lexicon: Lexicon) -> bool:
    """Return whether the headings name every core field of the dataset; the period may be given elsewhere."""
    return not lexicon.dataset.missing_core(heading.fields, period_given=True)


def _candidates(grid: Grid, lexicon: Lexicon, indexes: Sequence[int]) -> list[HeadingRow]:
    """Return the candidates among the rows at these indexes and right below them."""
    found, listed = [], {*indexes}
    for index in sorted(listed.union(above + 1 for above in indexes if above + 1 < len(grid.rows))):
        row = grid.rows[index]
        if index not in listed and is_blank(row):
            continue
        cells = tuple(row.cells)
        candidate = _score_row(index, cells, lexicon) or HeadingRow(index, cells, frozenset(), 0.0)
        if not _figures(row):
            candidate = _with_rows_above(grid, candidate, lexicon)
        if candidate.score:
            found.append(candidate)
    return found


def _with_two(rows: Rows, start: int, lexicon: Lexicon) -> list[int]:
    """Return the indexes of rows with two listed headings, one of them among the first `start` cells."""
    indexes = rows.indices_where(range(start), lexicon.knows, lexicon.may_know)  # looks up each distinct cell once
    return [index for index in indexes if sum(map(lexicon.knows, rows[index].cells)) >= 2]


def find_structural_headings(grid: Grid, lexicon: Lexicon) -> HeadingRow | None:
    """Return the last row of words above a block of figures if it has one known heading; None if there is none.

    This finds tables that are not of the dataset, so that the report can say which columns they lack.
    """
    for index, row in enumerate(grid.rows[:_TOP]):
        known = {match.field for cell in row.cells if lexicon.knows(cell) for match in lexicon.meanings(cell)[:1]}
        if not known or _figures(row) or len([cell for cell in row.cells if tidy(cell)]) < 3:
            continue
        below = [other for other in grid.rows[index + 1 : index + 40] if not is_blank(other)]
        if len(below) > 2 and sum(_figures(other) >= 2 for other in below) >= 0.9 * len(below):
            return HeadingRow(index, tuple(row.cells), frozenset(known), 1.0)
    return None


def find_unknown_headings(grid: Grid) -> HeadingRow | None:
    """Return the first row of words if it is above columns of numbers or dates: headings, although all are unknown.

    A record has a number or date wherever its column holds them; this row has a word without a digit in each such
    column.
    """
    index = next((index for index, row in enumerate(grid.rows[:_TOP]) if _count_filled(row) >= _WORDS), None)
    if index is None:
        return None
    cells = tuple(grid.rows[index].cells)
    for text in filter(None, map(tidy, cells)):
        wordy = any(map(str.isalpha, text)) and len(text) <= _CELL
        if not wordy or is_number(text) or is_date(text) or is_reference(text) or is_error(text):
            return None
    below = profile_columns(without_blanks(grid.rows[index + 1 :]), grid.width)
    over = [
        tidy(cell)
        for cell, column in zip(cells, below, strict=False)
        if column.count > 1 and column.filled > _MOST and max(column.numbers, column.dates) > _MOST
    ]
    if not any(over) or any(map(str.isdigit, "".join(over))):
        return None
    return HeadingRow(index, cells, frozenset(), 0.0)


def find_numbering(grid: Grid) -> HeadingRow | None:
    """Return the first row below the titles if it only numbers the columns: it is neither headings nor a record."""
    index = next((index for index, row in enumerate(grid.rows[:_TOP]) if _count_filled(row) >= _WORDS), None)
    if index is None or not is_numbering_row(grid.rows[index]):
        return None
    if not all(map(str.isdecimal, filter(None, map(tidy, grid.rows[index].cells)))):
        return None  # `Column 1` is a heading that says nothing
    return HeadingRow(index, (), frozenset(), 0.0)


def _count_filled(row: Row) -> int:
    return sum(1 for cell in row.cells if tidy(cell))


def _figures(row: Row) -> int:
    return sum(1 for cell in row.cells if is_number(cell) or is_date(cell))


def choose_heading_row(candidates: Sequence[HeadingRow]) -> HeadingRow | None:
    """Return the candidate that names the most fields, the first of equals."""
    return max(candidates, key=lambda candidate: (candidate.score, -candidate.index), default=None)


def _score_row(index: int, cells: tuple[str, ...], lexicon: Lexicon, least: float = 2.0) -> HeadingRow | None:
    """Return the row as a candidate; None if its cells name fewer than two fields or look like data."""
    texts = [cell for cell in cells if cell and not cell.isspace()]
    dates = sum(map(is_date, texts))
    if dates + sum(map(is_number, texts)) > max(1, len(texts) // 4):
        return None
    if dates and sum(map(lexicon.knows, texts)) < 4:  # a date can be a heading, but not beside unknown ones
        return None
    best: dict[str, float] = {}
    filled = wide = 0
    for cell in cells:
        if not cell or cell.isspace():
            continue
        filled += 1
        if len(cell) > _CELL:
            continue
        meanings = lexicon.meanings(cell) if filled > 1 or not tidy(cell).isdigit() else ()
        for match in meanings[:1]:
            best[match.field] = max(best.get(match.field, 0.0), match.score)
        wide += not meanings and lexicon.is_wide(cell)
    core = lexicon.dataset.core_fields
    score = sum(value * (1.5 if name in core else 1.0) for name, value in best.items()) + min(wide, 6) * 0.5
    if score < least or len(best) + min(wide, 2) < 2:
        return None
    if (len(best) + wide) * 5 < min(filled, 20):
        return None
    return HeadingRow(index, cells, frozenset(best), score - 0.02 * max(0, filled - len(best) - wide))


def _with_rows_above(grid: Grid, candidate: HeadingRow, lexicon: Lexicon) -> HeadingRow:
    """Return the candidate with the words of the rows above it, if they name more fields or tell columns apart."""
    best, cells = candidate, candidate.cells
    for extra, row in enumerate(find_words_above(grid.rows, candidate.index), start=1):
        continues = continues_headings(row.cells, cells, lexicon)
        cells = join_headings(row.cells, cells, lexicon)
        joined = _score_row(candidate.index, cells, lexicon)
        if joined is None:
            continue
        # Joined rows say more if they name more fields, or as many that are known as well. A field that only the last
        # row names may be lost: `type` means one thing, `Expense` over `type` another.
        as_good = len(joined.fields) >= len(best.fields) and joined.score >= best.score
        if continues or (joined.cells != best.cells and (joined.fields > best.fields or as_good)):
            best = replace(joined, extra=extra, score=joined.score + _GOES_ON * continues)
    return best


def repeats_headings(row: Row, keys: Sequence[str], filled: Sequence[int]) -> bool:
    """Return whether a row repeats the headings (in their `bare` form): at least 70 % of its filled cells, and two.

    A heading in another column than before is no repetition: the rows below it have a new layout.
    """
    cells = row.cells
    if len(filled) < 2 or not any(_same(keys, column, cells[column]) for column in filled[:3]):
        return False
    texts = [(column, cells[column]) for column in filled]
    other = [cell for column, cell in texts if not _same(keys, column, cell)]
    if any(bare(cell) in keys for cell in other if len(cell) <= _CELL and bare(cell)):
        return False
    same = len(texts) - len(other)
    named = sum(1 for key in keys if key)
    letters = any(any(char.isalpha() for char in cell) for _, cell in texts)
    return letters and same >= 2 and same >= 0.7 * len(texts) and 2 * same >= min(named, 12)


def _same(keys: Sequence[str], column: int, cell: str) -> bool:
    if column >= len(keys) or not keys[column] or len(cell) > _CELL:
        return False
    start = cell[0].lower()
    return not (start.isalnum() and start.isascii() and start != keys[column][0]) and bare(cell) == keys[column]


def is_below_data(grid: Grid, heading: HeadingRow) -> bool:
    """Return whether the headings come after their data: nothing follows them, and rows with figures precede them.

    Rows that fill at most half as many cells as the headings are titles and notes, and do not count.
    """
    if not all(map(is_blank, grid.rows[heading.index + 1 :])):
        return False
    before = without_blanks(grid.rows[: heading.index])
    full = [row for row in before[:: max(1, len(before) // _LOOK)] if _is_full(row, heading)]
    return sum(1 for row in full if _figures(row)) > len(full) // 2


def index_of_first_full(grid: Grid, heading: HeadingRow) -> int:
    """Return the index of the first row above the headings that has figures or most of the cells: no title or note."""
    above = enumerate(grid.rows[: heading.start])
    return next((index for index, row in above if _figures(row) or _is_full(row, heading)), 0)


def _is_full(row: Row, heading: HeadingRow) -> bool:
    return 2 * _count_filled(row) > sum(1 for cell in heading.cells if tidy(cell))
