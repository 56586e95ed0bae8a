"""Classify all rows of a table: the certain records a block at a time, the other rows one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import numpy as np
import pyarrow as pa

from piperoll.model.columns import Mask, Vector, text_offsets
from piperoll.reading.cells.amounts import PlainAmounts, sum_millionths
from piperoll.reading.grids.blocks import Block, Row
from piperoll.reading.grids.cell_shapes import ShapeIndex
from piperoll.reading.grids.grid import Rows
from piperoll.reading.grids.parallel import map_in_order
from piperoll.reading.tables.certain_records import CertainRecords
from piperoll.reading.tables.row_kinds import ClassifiedRow, TableShape, classify_row
from piperoll.reading.tables.total_rows import NOTHING_ABOVE, RunningSums, SumsAbove


@dataclass(frozen=True)
class ClassifiedRows:
    """The records of a table, and the kind of each other row, both in order.

    `whole` is the sum of the records' amounts, which have a comma before the pence if `decimal_comma`. `narrow` says
    that some sums agree in only some of their columns. `below` are the sums for a section below.
    """

    records: Rows
    others: Sequence[ClassifiedRow]
    whole: Decimal = Decimal(0)
    narrow: bool = False
    decimal_comma: bool = False
    below: SumsAbove = NOTHING_ABOVE


def classify_rows(rows: Rows, shape: TableShape, above: SumsAbove = NOTHING_ABOVE) -> ClassifiedRows:
    """Classify each row of a table.

    A row is a total because it adds up, alone or with the sections `above`, not because of its label.
    """
    running, sure = _RowClassifier(shape, above), CertainRecords(shape)
    masks = [
        running.records_of(*each)
        for each in map_in_order(partial(_looked_at, shape=shape, sure=sure), rows.indexed_blocks())
    ]
    sums, comma = running.sums, shape.decimal_comma
    return ClassifiedRows(rows.filter(masks), running.others, sums.whole, decimal_comma=comma, below=sums.below())


class _RowClassifier:
    """Carries from row to row the sums so far, the last record, and the rows that are no records."""

    def __init__(self, shape: TableShape, above: SumsAbove) -> None:
        self.shape, self.sums = shape, RunningSums(above)
        self.last: Row | None = None
        self.others: list[ClassifiedRow] = []

    def records_of(self, block: Block, amounts: Vector | None, records: Vector) -> Mask:
        """Return which rows of the next block are records; `records` marks the certain ones.

        Amounts are in millionths.
        """
        doubtful = np.flatnonzero(~records).tolist()
        empty = _empty(block, doubtful)
        rows = _with_those_above(block, doubtful, empty)
        start = 0
        for place in (*doubtful, len(block)):
            if start < place:  # certain records lie between the last doubtful row and this one
                self.sums.add(None if amounts is None else sum_millionths(amounts[start:place]), place - start)
                self.last = rows[place - 1]
            if place in empty:
                self.others.append(ClassifiedRow(empty[place], "blank"))
            elif place < len(block):
                records[place] = self._judge(rows[place])
            start = place + 1
        return pa.array(records)

    def _judge(self, row: Row) -> bool:
        judged = classify_row(row, self.shape, self.sums, self.last)
        if judged.kind == "record":
            self.sums.add(judged.amount)
            self.last = row
            return True
        if judged.kind == "total":
            self.sums.restart()
        self.others.append(judged)
        return False


def _looked_at(
    looked: tuple[Block, ShapeIndex], shape: TableShape, sure: CertainRecords
) -> tuple[Block, Vector | None, Vector]:
    """Return a block, its plain amounts (in millionths of a pound), and which of its rows are certainly records."""
    block, shapes = looked
    amounts = _amounts(block, shape)
    records = sure.records(block, shapes, amounts)
    return block, amounts and amounts.millionths, records


def _amounts(block: Block, shape: TableShape) -> PlainAmounts | None:
    if shape.amount is None or shape.decimal_comma:
        return None
    return PlainAmounts(block.column(shape.amount))


def _empty(block: Block, places: Sequence[int]) -> dict[int, Row]:
    """Return the rows at these indexes in which every cell is empty; a file may end in a million of them."""
    if not places:
        return {}
    some = block.take(places)
    filled = np.diff(text_offsets(some.flat)) > 0
    empty = np.flatnonzero(some.count(pa.array(filled)) == 0).tolist()
    numbers, lines = some.numbers, some.lines
    return {places[place]: Row(numbers[place], lines[place], ()) for place in empty}


def _with_those_above(block: Block, places: Sequence[int], empty: Mapping[int, Row]) -> dict[int, Row]:
    """Return the rows at these indexes, those right above them, and the last of the block.

    Empty rows are left out. The keys are indexes.
    """
    wanted = {*places, *(place - 1 for place in places if place), len(block) - 1}
    held = sorted(wanted.difference(empty))
    return dict(zip(held, block.take(held), strict=True))
