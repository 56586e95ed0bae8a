"""All rows of a table judged: those that are surely records a block at a time, the others one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial, reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from piperoll.reading.cells.spelling import EXACT, plain_amounts
from piperoll.reading.cells.wholes import TOTAL
from piperoll.reading.columns.lexicon import bare
from piperoll.reading.grids import arrays
from piperoll.reading.grids.blocks import Block, Row
from piperoll.reading.grids.rows import Rows
from piperoll.reading.tables.records import Judged, Shape, judge_row
from piperoll.reading.tables.totals import TOP, Above, Sums

_FILLED = r"^[!-~]"
_DIGIT = r"^[0-9]"
_WORD = r"^[A-Za-z][ -/:-~]*$"
"""A cell that no amount can be read from: it begins with a letter and has no digit."""

_ENDS_IN_TOTAL = rf"(?i){TOTAL}s?[^a-z0-9]*$"
"""All that makes a total of a row with a date or with three words is a cell that says nothing but `Total`."""

_SAYS_MUCH = r"^(?:[0-9]|[!-~][ -~]{13,}[!-~])"
"""A cell that says something: it begins with a digit, or is longer than any mark for nothing."""


_COLUMNS = 60
"""More columns than this are not looked at one by one."""


@dataclass(frozen=True)
class Judgement:
    """The records of a table, and what each other row is, both in order.

    `whole` is the sum of the records' amounts, which are written with a comma before the pence if `decimal_comma`.
    `narrow` says that some sums agree in a part of their columns only. `below` are the sums for a section below.
    """

    records: Rows
    others: Sequence[Judged]
    whole: Decimal = Decimal(0)
    narrow: bool = False
    decimal_comma: bool = False
    below: Above = TOP


def judge(rows: Rows, shape: Shape, above: Above = TOP) -> Judgement:
    """What each row is. A row is a total because it adds up, with the sections `above` or without, not by its word."""
    running = _Running(shape, above)
    masks = [running.records_of(block) for block in rows.blocks()]
    sums, comma = running.sums, shape.decimal_comma
    return Judgement(rows.kept(masks), running.others, sums.whole, decimal_comma=comma, below=sums.below())


class _Running:
    """What is carried from row to row: the sums so far, the last record, and what was no record."""

    def __init__(self, shape: Shape, above: Above) -> None:
        self.shape, self.sums = shape, Sums(above)
        self.last: Row | None = None
        self.others: list[Judged] = []

    def records_of(self, block: Block) -> arrays.Mask:
        """Which rows of the next block are records."""
        amounts = _amounts(block, self.shape)
        doubtful = arrays.true_places(pc.invert(sure_records(block, self.shape, amounts)))
        empty = _empty(block)
        rows = _with_those_above(block, doubtful, empty)
        excluded, start = [], 0
        for place in (*doubtful, len(block)):
            if start < place:  # sure records stand between the last doubtful row and this one
                self.sums.add(pc.sum(amounts.slice(start, place - start)).as_py(), place - start)
                self.last = rows[place - 1]
            if place in empty:
                self.others.append(Judged(empty[place], "blank"))
                excluded.append(place)
            elif place < len(block) and not self._judge(rows[place]):
                excluded.append(place)
            start = place + 1
        return pc.invert(arrays.mask_of(excluded, len(block)))

    def _judge(self, row: Row) -> bool:
        judged = judge_row(row, self.shape, self.sums, self.last)
        if judged.kind == "record":
            self.sums.add(judged.amount)
            self.last = row
            return True
        if judged.kind == "total":
            self.sums.restart()
        self.others.append(judged)
        return False


def _empty(block: Block) -> dict[int, Row]:
    """The rows in which every cell is empty, by their place: a file may end in a million of them."""
    places = arrays.true_places(pc.invert(block.any(pc.not_equal(block.flat, arrays.text("")))))
    if not places:
        return {}
    numbers, lines = arrays.listed(block.batch["number"]), arrays.listed(block.batch["line"])
    return {place: Row(numbers[place], lines[place], ()) for place in places}


def _with_those_above(block: Block, places: Sequence[int], empty: Mapping[int, Row]) -> dict[int, Row]:
    """The rows at these places, the ones right above them, and the last of the block, by their place; no empty ones."""
    wanted = {*places, *(place - 1 for place in places if place), len(block) - 1}
    held = sorted(wanted.difference(empty))
    return dict(zip(held, block.take(held), strict=True))


def sure_records(block: Block, shape: Shape, amounts: Any) -> arrays.Mask:
    """Which rows `judge_row` takes for records whatever stands above them, told from whole columns.

    With an amount: it is plain, the row names a date or three words, and no cell ends in the word total. In a table
    without amounts: at least half as many cells as is typical, three or more, are filled; one of them says something,
    and one stands below a heading. Never a row that may repeat the headings. Rows not named here may be records all
    the same.
    """
    if shape.amount is None:
        enough = max(3, int(shape.typical / 2) + 1)
        sure = pc.and_(_at_least(block, _FILLED, enough), _at_least(block, _SAYS_MUCH, 1))
        sure = pc.and_(pc.and_(sure, _begins(block, shape.end)), pc.invert(_says_again(block, shape.said)))
    else:
        stated = pc.is_valid(amounts)
        dated = _dated(block, shape)
        named = dated if pc.all(dated).as_py() else pc.or_(dated, _at_least(block, _WORD, 3))
        sure = pc.and_(pc.and_(stated, named), pc.invert(_says_total(block)))
    return pc.and_(sure, pc.invert(_may_repeat(block, shape.headings)))


def _amounts(block: Block, shape: Shape) -> Any:
    if shape.amount is None or shape.decimal_comma:
        return pa.nulls(len(block), EXACT)
    return plain_amounts(block.column(shape.amount))


def _says(heading: str, cell: str) -> bool:
    return bare(cell) == heading


def _dated(block: Block, shape: Shape) -> Any:
    columns = [pc.match_substring_regex(block.column(column), _DIGIT) for column in shape.date]
    return reduce(pc.or_, columns, arrays.mask_of((), len(block)))


def _says_total(block: Block) -> Any:
    if TOTAL.encode() not in block.text.lower():
        return arrays.mask_of((), len(block))
    return block.any(block.matching(_ENDS_IN_TOTAL))


def _says_again(block: Block, said: Iterable[Sequence[str]]) -> arrays.Mask:
    """Which rows may say a row of titles again: they have the first word of its last cell in its place."""
    ends = ((len(cells) - 1, cells[-1].split()[0]) for cells in said if cells)
    masks = (pc.match_substring(block.column(column), text) for column, text in ends)
    return reduce(pc.or_, masks, arrays.mask_of((), len(block)))


def _begins(block: Block, end: int) -> Any:
    """Which rows hold something before a column; all where it is 0."""
    there = arrays.mask_of((), len(block)) if end else pc.invert(arrays.mask_of((), len(block)))
    for column in range(min(end, _COLUMNS)):
        if pc.all(there).as_py():
            break
        there = pc.or_(there, pc.match_substring_regex(block.column(column), _FILLED))
    return there


def _at_least(block: Block, pattern: str, count: int) -> Any:
    """Which rows have so many cells that match."""
    return pc.greater_equal(block.count(block.matching(pattern)), arrays.number(count))


def _may_repeat(block: Block, headings: Sequence[str]) -> Any:
    """Which rows say a heading in its own column among their first three filled cells, as a row of headings would.

    The columns up to the third without a blank hold the first three filled cells of every row. Where many columns
    have a blank it may be any row.
    """
    found, full = arrays.mask_of((), len(block)), 0
    for column, heading in enumerate(headings):
        if heading:
            found = pc.or_(found, block.where(column, partial(_says, heading)))
        full += pc.all(pc.match_substring_regex(block.column(column), _FILLED)).as_py()
        if full == 3:
            return found
        if column == _COLUMNS:
            break
    return found if len(headings) <= _COLUMNS else pc.invert(arrays.mask_of((), len(block)))
