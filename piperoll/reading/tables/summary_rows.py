"""Totals that only the whole table proves: above the data, summaries by class below it, sums of sums."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import takewhile

from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.cells.marks import is_label, names_whole
from piperoll.reading.grids.grid import Row, Rows, cell_at, tidy
from piperoll.reading.tables.classified_rows import ClassifiedRow, ClassifiedRows, TableShape
from piperoll.reading.tables.total_rows import NEAR

_FEW = 3
"""With fewer records than this, no record is taken for a sum of the others."""

_TAIL = 60
"""The most records at the end of a table that may summarise the others."""

_FIGURES = 3
"""A row of figures that equals a sum in this many columns, none of them zero, does not do so by chance."""


def exclude_proved_totals(classified: ClassifiedRows, shape: TableShape, columns: Sequence[int] = ()) -> ClassifiedRows:
    """Exclude records that are sums of the other records.

    `columns` are the columns of figures; they are used if there is no column of amounts.
    """
    records, whole = classified.records, classified.whole
    if len(records) < _FEW:
        return classified
    if shape.amount is None:
        return _settle_figures(classified, columns)
    if above := find_total_above(records, whole, shape):
        return _without(classified, records[1:], [above])
    block = [ClassifiedRow(row, "total", _amount(row, shape)) for row in find_summary_below(records, whole, shape)]
    return _without(classified, records[: len(records) - len(block)], block)


def _without(classified: ClassifiedRows, records: Rows, totals: Sequence[ClassifiedRow]) -> ClassifiedRows:
    """Return the rows with these totals excluded from the records."""
    if not totals:
        return classified
    others = sorted([*classified.others, *totals], key=lambda each: each.row.number)
    stated = sum((each.amount or Decimal(0) for each in totals), Decimal(0))
    below = replace(classified.below, whole=classified.below.whole - stated)
    return replace(classified, records=records, others=others, whole=classified.whole - stated, below=below)


def find_total_above(records: Rows, whole: Decimal, shape: TableShape) -> ClassifiedRow | None:
    """Return the first record as a total if it has little else and is the sum of all the others, or is labelled so."""
    first = records[0]
    amount = _amount(first, shape)
    if amount is None or not is_sparse(first, shape):
        return None
    difference = amount - (whole - amount)
    proved = bool(amount) and abs(difference) <= NEAR
    labelled = any(is_label(tidy(cell)) for cell in first.cells if cell)
    return ClassifiedRow(first, "total", amount, proved, difference) if proved or labelled else None


def find_summary_below(records: Rows, whole: Decimal, shape: TableShape) -> list[Row]:
    """Return the last records, which have little but an amount, if they add up the others by classes.

    Either their amounts add up to the sum of all other records, or each is the sum of the records with its label in one
    column. The first or last of them may be the sum of the block.
    """
    tail = list(records[max(0, len(records) - _TAIL) :])
    block = list(takewhile(lambda row: is_sparse(row, shape), reversed(tail)))[::-1]
    if not block or len(block) == len(records):
        return []
    for start in range(len(block)):
        rows = block[start:]
        amounts = [_amount(row, shape) or Decimal(0) for row in rows]
        stated = sum(amounts, Decimal(0))
        rest = whole - stated
        # `rest` excludes the whole block, so a first or last row that sums up the block must be left out of it too
        ends = [stated - one for one in (amounts[0], amounts[-1]) if abs(stated - one - one) <= NEAR]
        if len(rows) > 1 and any(option and abs(option - rest) <= NEAR for option in (stated, *ends)):
            return rows
    return block if _by_class(block, records[: len(records) - len(block)], shape) else []


def _by_class(block: Sequence[Row], others: Rows, shape: TableShape) -> bool:
    """Return whether each row of a block is the sum of the records with its label in one column."""
    labels = {label for row in block for label in _labels(row)}
    sums: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    counts: dict[tuple[int, str], int] = defaultdict(int)
    for row in others:
        amount = _amount(row, shape) or Decimal(0)
        for key in _labelled_cells(row, labels):
            sums[key] += amount
            counts[key] += 1
    for row in block:
        stated, own = _amount(row, shape) or Decimal(0), _labels(row)
        if not any(label in own and abs(total - stated) <= NEAR for (_, label), total in sums.items()):
            return False
    return len(block) > 1 or max(counts.values(), default=0) > 1


def _labelled_cells(row: Row, labels: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the column and the text of each cell that is one of these labels."""
    for column, cell in enumerate(row.cells):
        if cell and (text := tidy(cell).casefold()) in labels:
            yield column, text


def _labels(row: Row) -> set[str]:
    """Return the labels of what a row may sum up: its cells with words, without a `total` at either end."""
    texts = (tidy(cell).casefold() for cell in row.cells if any(map(str.isalpha, cell)))
    return {re.sub(r"^(?:sub-?)?totals?(?: for)?\s+|\s+totals?\W*$", "", text) for text in texts}


def is_sparse(row: Row, shape: TableShape) -> bool:
    """Return whether a row has no date and at most half of the typical number of filled cells."""
    if any(tidy(cell_at(row, column)).strip("-") for column in shape.date):
        return False
    return sum(1 for cell in row.cells if tidy(cell)) <= shape.typical / 2


def _amount(row: Row, shape: TableShape) -> Decimal | None:
    return None if shape.amount is None else shape.amount_in(cell_at(row, shape.amount))


def _settle_figures(classified: ClassifiedRows, columns: Sequence[int]) -> ClassifiedRows:
    """Exclude sums at the end of a table with many columns of figures and no column of amounts.

    The first of the last records that is named like the whole begins the sums. The rows below it add up classes:
    together they equal it in most columns, and most of them are, in some columns, the sum of the records that share a
    word with them.
    """
    records = classified.records
    start = max(1, len(records) - _TAIL)
    tail = list(records[start:])
    named = (index for index, row in enumerate(tail) if any(names_whole(tidy(cell)) for cell in row.cells if cell))
    head = next(named, None)
    if head is None or len(columns) < _FIGURES:
        return classified
    classes, others = tail[head + 1 :], records[: start + head]
    whole = _figures(tail[head], columns)
    agreeing = [_count_equal(whole, _sums(classes or others, columns))]
    if agreeing[0] < max(_FIGURES, _count_filled(whole) // 2):
        return classified
    if classes:
        agreeing += _class_columns(classes, others, columns)
        if 2 * sum(count >= _FIGURES for count in agreeing[1:]) <= len(classes):
            return classified
    rows = zip(tail[head:], agreeing, strict=True)
    narrow = any(2 * count <= _count_filled(_figures(row, columns)) for row, count in rows)
    return replace(_without(classified, others, [ClassifiedRow(row, "total") for row in tail[head:]]), narrow=narrow)


def _figures(row: Row, columns: Sequence[int]) -> dict[int, Decimal]:
    found = ((column, read_amount(cell_at(row, column))) for column in columns)
    return {column: amount for column, amount in found if amount is not None}


def _sums(rows: Iterable[Row], columns: Sequence[int]) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for row in rows:
        for column, amount in _figures(row, columns).items():
            sums[column] += amount
    return sums


def _count_filled(figures: Mapping[int, Decimal]) -> int:
    return sum(1 for amount in figures.values() if amount)


def _count_equal(figures: Mapping[int, Decimal], sums: Mapping[int, Decimal]) -> int:
    """Count the columns, none of them zero, in which figures and sums are equal."""
    return sum(
        abs(amount - sums.get(column, Decimal(0))) <= max(NEAR, abs(amount) / 1_000_000)
        for column, amount in figures.items()
        if amount
    )


def _class_columns(classes: Sequence[Row], others: Rows, columns: Sequence[int]) -> list[int]:
    """Return for each row in how many columns, at best, it is the sum of the records that share a word with it."""
    labels = {label for row in classes for label in _labels(row)}
    sums: dict[tuple[int, str], dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in others:
        figures = _figures(row, columns)
        for key in _labelled_cells(row, labels):
            for column, amount in figures.items():
                sums[key][column] += amount
    counts = []
    for row in classes:
        figures, own = _figures(row, columns), _labels(row)
        counts.append(max((_count_equal(figures, each) for key, each in sums.items() if key[1] in own), default=0))
    return counts
