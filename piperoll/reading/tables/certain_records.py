"""Recognise rows that are certainly records from whole columns at once; the other rows are classified one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from piperoll.model.columns import Cells, Vector, pc, text_offsets, to_flags, utf8
from piperoll.reading.cells.amounts import PlainAmounts
from piperoll.reading.cells.marks import TOTAL
from piperoll.reading.columns.lexicon import bare
from piperoll.reading.grids.blocks import Block
from piperoll.reading.grids.cell_shapes import COLUMNS, CellTest, ShapeIndex, match_cells, to_shape
from piperoll.reading.tables.row_kinds import TableShape

_SPACE, _DELETE = 0x20, 0x7F
_DIGIT = r"^[0-9]"
_WORD = r"^[A-Za-z][ -/:-~]*$"
"""A cell that no amount can be read from: it begins with a letter and has no digit."""

_SAYS_MUCH = r"^(?:[0-9]|[!-~][ -~]{13,}[!-~])"
"""A cell with content: it begins with a digit, or is longer than any mark for an empty cell."""

_ENOUGH_WORDS = 3
_TOTAL = re.compile(rf"{TOTAL}s?[^a-z0-9]*\Z", re.I)
"""The only cell that makes a total of a row with a date or three words: one that says nothing but `Total`."""

_FIRST = 3
"""The first filled cells of a row, by number, that show whether it repeats the headings."""

_COLUMNS = 60
"""The most columns to look at one by one; a row can have thousands."""


class CertainRecords:
    """Recognises rows that `classify_row` takes for records whatever is above them.

    With an amount: it is plain, the row has a date or three words, and no cell ends in the word total. Without an
    amount: at least half of the typical number of cells, and three or more, are filled; one of them has content, and
    one is below a heading. Rows that may repeat the headings never count. The remaining rows may be records all the
    same.
    """

    def __init__(self, shape: TableShape) -> None:
        self.shape = shape
        self._headings = [(_saying(heading), _may_say(heading)) if heading else None for heading in shape.headings]

    def records(self, block: Block, shapes: ShapeIndex, amounts: PlainAmounts | None) -> Vector:
        """Return which rows of a block are certainly records.

        No row is if the amounts of the table were not read in bulk.
        """
        if self.shape.amount is None:
            found = self._without_amount(block, shapes)
        elif amounts is None:
            return np.zeros(len(block), np.bool_)
        else:
            found = amounts.plain & self._named(block, shapes) & ~_say_total(block, shapes)
            if not amounts.plain.all() and (none := amounts.no_amount).any():
                found[none] = self._without_amount(block.filter(pa.array(none)), shapes)
        return found & ~self._may_repeat(block, shapes)

    def _without_amount(self, block: Block, shapes: ShapeIndex) -> Vector:
        enough = max(3, int(self.shape.typical / 2) + 1)
        found = _at_least(block, _begun(block.flat), enough) & _at_least(block, _like(block.flat, _SAYS_MUCH), 1)
        return found & _begin(block, shapes, self.shape.end) & ~_say_again(block, self.shape.said)

    def _named(self, block: Block, shapes: ShapeIndex) -> Vector:
        """Return which rows have a date, or three words."""
        dated = np.zeros(len(block), np.bool_)
        for column in self.shape.date:
            if shapes.all_match(column, _begins_with_digit):
                return np.ones(len(block), np.bool_)
            if shapes.may_match(column, _begins_with_digit):
                dated |= _like(block.column(column), _DIGIT)
        if not dated.all():
            rest = block.filter(pa.array(~dated))
            dated[~dated] = _at_least(rest, _like(rest.flat, _WORD), _ENOUGH_WORDS)
        return dated

    def _may_repeat(self, block: Block, shapes: ShapeIndex) -> Vector:
        """Return which rows have a heading in its own column among their first three filled cells.

        Such a row may repeat the headings. The columns up to the third without a blank hold the first three filled
        cells of every row. If many columns have blanks, it may be any row.
        """
        found, full = np.zeros(len(block), np.bool_), 0
        for column, asked in enumerate(self._headings):
            if asked and shapes.may_match(column, asked[1]):
                found |= to_flags(match_cells(block.column(column), *asked))
            full += shapes.all_match(column, _begins_filled) or _begun(block.column(column)).all()
            if full == _FIRST:
                return found
            if column == _COLUMNS:
                break
        return found if len(self._headings) <= _COLUMNS else ~np.zeros(len(block), np.bool_)


def _saying(heading: str) -> CellTest:
    return lambda cell: bare(cell) == heading


def _may_say(heading: str) -> CellTest:
    form = to_shape(heading)
    return lambda cell: to_shape(bare(cell)) == form


def _begins_with_digit(form: str) -> bool:
    return form[:1] == "9"


def _begins_filled(form: str) -> bool:
    return "!" <= form[:1] <= "~"


def _ends_in_total(form: str) -> bool:
    """Return whether a cell ends in the word total, apart from punctuation."""
    return bool(_TOTAL.search(form))


def _say_total(block: Block, shapes: ShapeIndex) -> Vector:
    """Return which rows have a cell that ends in the word total."""
    found = np.zeros(len(block), np.bool_)
    if block.width > COLUMNS:
        return _at_least(block, _say(block.flat), 1) if TOTAL.encode() in block.text.lower() else found
    for column in range(block.width):
        if shapes.may_match(column, _ends_in_total):
            found |= _say(block.column(column))
    return found


def _say(cells: Cells) -> Vector:
    """Return which cells end in the word total."""
    if TOTAL.encode() not in utf8(cells).tobytes().lower():
        return np.zeros(len(cells), np.bool_)
    return _like(cells, f"(?i){_TOTAL.pattern}".replace(r"\Z", "$"))


def _say_again(block: Block, said: Iterable[Sequence[str]]) -> Vector:
    """Return which rows may repeat a row of titles: the first word of the row's last cell is in the same column."""
    found = np.zeros(len(block), np.bool_)
    for cells in said:
        if cells:
            found |= to_flags(pc.match_substring(block.column(len(cells) - 1), cells[-1].split()[0]))
    return found


def _begin(block: Block, shapes: ShapeIndex, end: int) -> Vector:
    """Return which rows have a filled cell before the column `end`; all rows if it is 0."""
    columns = range(min(end, _COLUMNS))
    if not end or any(shapes.all_match(column, _begins_filled) for column in columns):
        return np.ones(len(block), np.bool_)
    found = np.zeros(len(block), np.bool_)
    for column in columns:
        if not found.all():
            found |= _begun(block.column(column))
    return found


def _at_least(block: Block, holds: Vector, count: int) -> Vector:
    """Return which rows have at least `count` cells that are marked in `holds`."""
    so_far = np.concatenate([[0], np.cumsum(holds)])
    lengths = block.lengths.to_numpy()
    ends = np.cumsum(lengths)
    return so_far[ends] - so_far[ends - lengths] >= count


def _begun(cells: Cells) -> Vector:
    """Return which cells begin with a visible ASCII character, and so are certainly filled."""
    edges, letters = text_offsets(cells), utf8(cells)
    found = edges[1:] > edges[:-1]
    first = letters[edges[:-1][found]]
    found[found] = (first > _SPACE) & (first < _DELETE)
    return found


def _like(cells: Cells, pattern: str) -> Vector:
    """Return which cells match a regular expression (RE2 syntax)."""
    return to_flags(pc.match_substring_regex(cells, pattern))
