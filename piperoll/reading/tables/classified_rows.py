"""Classify all rows of a table: certain records from whole columns at once, and the other rows one by one.

Most rows of a file are plain records. Classifying them a block at a time keeps large files fast.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import chain
from statistics import median

import numpy as np
import pyarrow as pa

from piperoll.model import Dataset
from piperoll.model.columns import Cells, Mask, Vector, pc, text_offsets, to_flags, utf8
from piperoll.model.mapping import bare
from piperoll.reading.cells.amounts import AmountStyle, PlainAmounts, find_amount_style, read_amount, sum_millionths
from piperoll.reading.cells.dates import is_date, is_serial
from piperoll.reading.cells.marks import TOTAL, is_error, is_label, means_nothing, says_nil
from piperoll.reading.columns.assignment import Columns
from piperoll.reading.grids.blocks import Block
from piperoll.reading.grids.cell_shapes import COLUMNS, CellTest, ShapeIndex, match_cells, to_shape
from piperoll.reading.grids.grid import Row, Rows, cell_at, sample_rows, tidy
from piperoll.reading.grids.parallel import map_in_order
from piperoll.reading.tables.heading_rows import repeats_headings, words
from piperoll.reading.tables.total_rows import NOTHING_ABOVE, RunningSums, SumsAbove, TotalCandidate, prove_total

_SAMPLE = 2000
"""Rows sampled to find what is usual in a table; more would not change the answer."""
_DAY = re.compile(r"\d{1,4}(?:st|nd|rd|th)?(?:[./\-]| )\w{1,9}(?:[./\-]| |, )\d{2,4}\b.{0,12}")
"""The form of a date: two parts and a year, as in `31/02/2026` or `32nd May 2026`."""


@dataclass(frozen=True, slots=True)
class ClassifiedRow:
    """The kind of a row, `record` or one of `piperoll.model.EXCLUSIONS`, and its amount.

    A total that adds up is `proved`; `difference` is the stated total less the nearest sum.
    """

    row: Row
    kind: str
    amount: Decimal | None = None
    proved: bool = True
    difference: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class TableShape:
    """What `classify_row` needs to know about the table."""

    headings: tuple[str, ...]
    """The headings by their letters and digits alone."""
    mapped: tuple[int, ...]
    amount: int | None
    date: tuple[int, ...]
    typical: float
    decimal_comma: bool = False
    """Whether amounts have a comma before the pence."""
    end: int = 0
    """The column after the last one with a heading or a field; 0 if the table has no headings."""
    heading_texts: frozenset[tuple[str, ...]] = frozenset()
    """The rows of the headings and the titles above them, as sent."""

    @classmethod
    def of(cls, rows: Sequence[Row], columns: Columns, dataset: Dataset, measures: Sequence[int] = ()) -> TableShape:
        """Measure a table from its rows and columns; `measures` are the columns of a wide table."""
        amount = next((columns.column(name) for name in dataset.amount if name in columns.choices), None)
        dates = tuple(choice.column for name, choice in columns.choices.items() if dataset.field(name).type == "date")
        sample = sample_rows(rows, _SAMPLE)
        blank = {cell for cell in set(chain.from_iterable(row.cells for row in sample)) if not tidy(cell)}
        counts = [len(row.cells) - sum(map(blank.__contains__, row.cells)) for row in sample]
        counts = [count for count in counts if count]
        mapped = tuple(sorted({*columns.used, *measures}))
        style = (
            find_amount_style(Counter(cell_at(row, amount) for row in sample)) if amount is not None else AmountStyle()
        )
        headings, typical = tuple(map(bare, columns.headings)), median(counts) if counts else 0
        named = [column for column, heading in enumerate(headings) if heading]
        end = max(*named, *mapped, -1, -1) + 1 if named else 0
        return cls(headings, mapped, amount, dates, typical, style.decimal_comma, end)

    def amount_in(self, cell: str) -> Decimal | None:
        """Return the amount in a cell of this table."""
        return read_amount(cell, decimal_comma=self.decimal_comma)


def classify_row(row: Row, shape: TableShape, sums: RunningSums, last: Row | None) -> ClassifiedRow:
    """Classify a row from its cells, the sums of the records above it, and the last record.

    `CertainRecords` recognises most records from whole columns without calling this. If you change a
    rule here, check whether to change it there; a test compares the two.
    """
    filled = [column for column, cell in enumerate(row.cells) if cell and not cell.isspace()]
    if len(filled) < 3:  # a cell with only invisible characters is empty
        filled = [column for column in filled if tidy(row.cells[column])]
    if not filled:
        return ClassifiedRow(row, "blank")
    if repeats_headings(row, shape.headings, filled) or (len(filled) > 1 and words(row.cells) in shape.heading_texts):
        return ClassifiedRow(row, "repeated_header")
    if shape.end and filled[0] >= shape.end:  # a sum or remark beside the table
        return ClassifiedRow(row, "other")
    text = "" if shape.amount is None else tidy(cell_at(row, shape.amount))
    amount = None if shape.amount is None else shape.amount_in(text)
    if amount is not None:
        texts = [tidy(row.cells[column]) for column in filled if column != shape.amount]
        wording = [text for text in texts if shape.amount_in(text) is None]
        dated = any(tidy(cell_at(row, column)).strip("-") for column in shape.date)
        proof = prove_total(TotalCandidate(amount, wording, len(filled), dated), sums, shape.typical)
        if proof:
            return ClassifiedRow(row, "total", amount, proof.proved, proof.difference)
        return ClassifiedRow(row, "record", amount)
    unreadable = shape.amount is not None and is_error(text) and len(filled) > 1
    return ClassifiedRow(row, "record" if unreadable else _kind_without_amount(row, filled, shape, last))


def _kind_without_amount(row: Row, filled: Sequence[int], shape: TableShape, last: Row | None) -> str:
    """Return the kind of a row without an amount: a record with a gap, a note, a total, or residue of a spreadsheet."""
    texts = {column: tidy(cell_at(row, column)) for column in filled}
    filled_in = [column for column, text in texts.items() if not means_nothing(text, typed=False)]
    few, copied = len(texts) < 0.5 * shape.typical, False
    if last is not None and few:  # every cell repeats the one above: a formula or label copied down too far
        copied = all(tidy(cell_at(last, column)).casefold() == text.casefold() for column, text in texts.items())
    if not filled_in or copied or is_error(texts.get(shape.amount, "") if shape.amount is not None else ""):
        return "other"
    if len(filled) <= 2 and any(says_nil(text) for text in texts.values()):
        return "note"
    # The label of a total, with figures although none in the column of amounts.
    if few and any(map(is_label, texts.values())) and any(read_amount(text) is not None for text in texts.values()):
        return "total"
    named = sum(1 for heading in shape.headings if heading)
    sparse = len(filled) <= max(1, shape.typical / 3) and max(shape.typical, named / 2) > 1.5
    dated = any(may_be_day(texts.get(column, "")) for column in shape.date)
    if not sparse or dated or len([column for column in filled_in if column in shape.mapped]) >= 3:
        return "record"
    wording = (text for text in texts.values() if not is_error(text))
    return "note" if any(any(char.isalpha() for char in text) for text in wording) else "other"


def may_be_day(text: str) -> bool:
    """Return whether a cell is meant as a date, even one that does not exist; `1. See page 3` is not."""
    return is_date(text) or is_serial(text) or bool(_DAY.fullmatch(text))


@dataclass(frozen=True)
class ClassifiedRows:
    """The records of a table, and the kind of each other row, both in order.

    `whole` is the sum of the records' amounts, which have a comma before the pence if `decimal_comma`. `narrow` is True
    if some totals of figures agree in only some of their columns. `below` are the sums for a section below.
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
    running, certain = _RowClassifier(shape, above), CertainRecords(shape)
    # Blocks are scanned in parallel; whether a row is a total depends on all rows above it, so that part is sequential.
    scanned = map_in_order(partial(_scan, shape=shape, certain=certain), rows.indexed_blocks())
    masks = [running.records_of(*block) for block in scanned]
    sums, comma = running.sums, shape.decimal_comma
    return ClassifiedRows(rows.filter(masks), running.others, sums.whole, decimal_comma=comma, below=sums.below())


class _RowClassifier:
    """Classifies rows in order; keeps the running sums, the last record, and the rows that are not records."""

    def __init__(self, shape: TableShape, above: SumsAbove) -> None:
        self.shape, self.sums = shape, RunningSums(above)
        self.last: Row | None = None
        self.others: list[ClassifiedRow] = []

    def records_of(self, block: Block, amounts: Vector | None, records: Vector) -> Mask:
        """Return which rows of the next block are records.

        `records` marks the certain ones. `amounts` are in millionths of a pound.
        """
        doubtful = np.flatnonzero(~records).tolist()
        empty = _empty(block, doubtful)
        # Read the doubtful rows, those right above them (which may be the last record), and the last of the block.
        wanted = {*doubtful, *(index - 1 for index in doubtful if index), len(block) - 1}
        held = sorted(wanted.difference(empty))
        rows = dict(zip(held, block.take(held), strict=True))
        start = 0
        for index in (*doubtful, len(block)):
            if start < index:  # certain records lie between the last doubtful row and this one
                self.sums.add(None if amounts is None else sum_millionths(amounts[start:index]), index - start)
                self.last = rows[index - 1]
            if index in empty:
                self.others.append(ClassifiedRow(empty[index], "blank"))
            elif index < len(block):
                records[index] = self._is_record(rows[index])
            start = index + 1
        return pa.array(records)

    def _is_record(self, row: Row) -> bool:
        """Classify one row, and count it among the records or the others."""
        classified = classify_row(row, self.shape, self.sums, self.last)
        if classified.kind == "record":
            self.sums.add(classified.amount)
            self.last = row
            return True
        if classified.kind == "total":
            self.sums.restart()
        elif classified.kind == "note" and len(texts := [text for cell in row.cells if (text := tidy(cell))]) == 1:
            self.sums.group = texts[0]
        self.others.append(classified)
        return False


def _scan(
    indexed: tuple[Block, ShapeIndex], shape: TableShape, certain: CertainRecords
) -> tuple[Block, Vector | None, Vector]:
    """Return a block, its plain amounts (in millionths of a pound), and which of its rows are certainly records."""
    block, shapes = indexed
    amounts = None
    if shape.amount is not None and not shape.decimal_comma:
        amounts = PlainAmounts(block.column(shape.amount))
    records = certain.records(block, shapes, amounts)
    return block, amounts and amounts.millionths, records


def _empty(block: Block, indexes: Sequence[int]) -> dict[int, Row]:
    """Return the rows at these indexes in which every cell is empty; a file may end in a million of them."""
    if not indexes:
        return {}
    some = block.take(indexes)
    filled = np.diff(text_offsets(some.flat)) > 0
    empty = np.flatnonzero(some.count(pa.array(filled)) == 0).tolist()
    numbers, lines = some.numbers, some.lines
    return {indexes[at]: Row(numbers[at], lines[at], ()) for at in empty}


_SPACE, _DELETE = 0x20, 0x7F
_DIGIT = r"^[0-9]"
_WORD = r"^[A-Za-z][ -/:-~]*$"
"""A cell from which no amount can be read: it begins with a letter and has no digit."""

_CONTENT = r"^(?:[0-9]|[!-~][ -~]{13,}[!-~])"
"""A cell with content: it begins with a digit, or is longer than any mark for an empty cell."""

_ENOUGH_WORDS = 3
"""Cells with words by which a row without a date may still be a record."""
_TOTAL = re.compile(rf"{TOTAL}s?[^a-z0-9]*\Z", re.I)
"""The only cell that makes a row with a date or three words a total: nothing but `Total`."""

_FIRST = 3
"""The first filled cells of a row, by number, that show whether it repeats the headings."""

_COLUMNS = 60
"""The most columns to look at one by one; a row can have thousands."""


class CertainRecords:
    """Recognises rows that `classify_row` takes for records whatever is above them, from whole columns.

    A row with an amount counts if the amount is plain, the row has a date or three words, and no cell ends in the word
    total. A row without an amount counts if three or more cells, and at least half of the typical number, are filled,
    one of them has content, and one is below a heading. Rows that may repeat the headings never count. Rows that do not
    count may still be records.
    """

    def __init__(self, shape: TableShape) -> None:
        self.shape = shape
        self._headings = [(_saying(heading), _may_say(heading)) if heading else None for heading in shape.headings]

    def records(self, block: Block, shapes: ShapeIndex, amounts: PlainAmounts | None) -> Vector:
        """Return which rows of a block are certainly records; none if its amounts were not read in bulk."""
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
        found = _at_least(block, _begun(block.flat), enough) & _at_least(block, _like(block.flat, _CONTENT), 1)
        columns = range(min(self.shape.end, _COLUMNS))
        if columns and not any(shapes.all_match(column, _begins_filled) for column in columns):
            inside = np.zeros(len(block), np.bool_)
            for column in columns:
                if not inside.all():
                    inside |= _begun(block.column(column))
            found &= inside
        for cells in self.shape.heading_texts:
            # A row may repeat these titles if it has the first word of their last cell in the same column.
            if cells:
                repeated = pc.match_substring(block.column(len(cells) - 1), cells[-1].split()[0])
                found &= ~to_flags(repeated)
        return found

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
        """Return which rows may repeat the headings: one of their first three filled cells does, in the same column."""
        # The columns up to the third without a blank hold the first three filled cells of every row. If there is no
        # third one among the first sixty columns, any row may repeat the headings.
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

    def say(cells: Cells) -> Vector:
        if TOTAL.encode() not in utf8(cells).tobytes().lower():  # much faster than the expression
            return np.zeros(len(cells), np.bool_)
        return _like(cells, f"(?i){_TOTAL.pattern}".replace(r"\Z", "$"))

    found = np.zeros(len(block), np.bool_)
    if block.width > COLUMNS:
        return _at_least(block, say(block.flat), 1) if TOTAL.encode() in block.text.lower() else found
    for column in range(block.width):
        if shapes.may_match(column, _ends_in_total):
            found |= say(block.column(column))
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
