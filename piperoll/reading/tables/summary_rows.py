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
from piperoll.reading.tables.classified_rows import ClassifiedRows
from piperoll.reading.tables.row_kinds import ClassifiedRow, TableShape
from piperoll.reading.tables.total_rows import NEAR

_FEW = 3
"""With fewer records than this, no record is taken for a sum of the others."""

_TAIL = 60
"""The most records at the end of a table that may summarise the others."""

_FIGURES = 3
"""A row of figures that equals a sum in this many columns, none of them zero, does not do so by chance."""


def exclude_proved_totals(judgement: ClassifiedRows, shape: TableShape, columns: Sequence[int] = ()) -> ClassifiedRows:
    """Exclude records that are sums of the other records.

    `columns` are the columns of figures; they are used if there is no column of amounts.
    """
    records, whole = judgement.records, judgement.whole
    if len(records) < _FEW:
        return judgement
    if shape.amount is None:
        return _settle_figures(judgement, columns)
    if above := find_total_above(records, whole, shape):
        return _without(judgement, records[1:], [above])
    block = [ClassifiedRow(row, "total", _amount(row, shape)) for row in find_summary_below(records, whole, shape)]
    return _without(judgement, records[: len(records) - len(block)], block)


def _without(judgement: ClassifiedRows, records: Rows, totals: Sequence[ClassifiedRow]) -> ClassifiedRows:
    if not totals:
        return judgement
    others = sorted([*judgement.others, *totals], key=lambda judged: judged.row.number)
    stated = sum((judged.amount or Decimal(0) for judged in totals), Decimal(0))
    below = replace(judgement.below, whole=judgement.below.whole - stated)
    return replace(judgement, records=records, others=others, whole=judgement.whole - stated, below=below)


def find_total_above(records: Rows, whole: Decimal, shape: TableShape) -> ClassifiedRow | None:
    """Return the first record as a total if it is the sum of all the others, or is labelled so.

    It has no date and few cells.
    """
    first = records[0]
    amount = _amount(first, shape)
    if amount is None or not is_sparse(first, shape):
        return None
    difference = amount - (whole - amount)
    proved = bool(amount) and abs(difference) <= NEAR
    said = any(is_label(tidy(cell)) for cell in first.cells if cell)
    return ClassifiedRow(first, "total", amount, proved, difference) if proved or said else None


def find_summary_below(records: Rows, whole: Decimal, shape: TableShape) -> list[Row]:
    """Return the last records if they add up the others by classes.

    They have no date and few cells. Either their amounts add up to the sum of all other records, or each is the sum of
    the records with its label in one column. The first or last of them may be the sum of the block.
    """
    tail = list(records[max(0, len(records) - _TAIL) :])
    block = list(takewhile(lambda row: is_sparse(row, shape), reversed(tail)))[::-1]
    if not block or len(block) == len(records):
        return []
    for start in range(len(block)):
        rows = block[start:]
        amounts = [_amount(row, shape) or Decimal(0) for row in rows]
        rest = whole - sum(amounts, Decimal(0))
        if len(rows) > 1 and any(amounts) and _adds_up(amounts, rest):
            return rows
    return block if _by_class(block, records[: len(records) - len(block)], shape) else []


def _adds_up(amounts: Sequence[Decimal], rest: Decimal) -> bool:
    """Return whether amounts add up to the rest, without the first or last if that is the sum of the amounts."""
    whole = sum(amounts, Decimal(0))
    options = [whole, *(whole - one for one in (amounts[0], amounts[-1]) if abs(whole - one - one) <= NEAR)]
    # the rest excludes the whole block, so a first or last row that sums up the block must be left out of it too
    return any(option and abs(option - rest) <= NEAR for option in options)


def _by_class(block: Sequence[Row], others: Rows, shape: TableShape) -> bool:
    """Return whether each row of a block is the sum of the records with its label in one column."""
    labels = {label for row in block for label in _labels(row)}
    sums: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    counts: dict[tuple[int, str], int] = defaultdict(int)
    for row in others:
        amount = _amount(row, shape) or Decimal(0)
        for place in _said(row, labels):
            sums[place] += amount
            counts[place] += 1
    proved = [
        any(
            abs(sums[place] - (_amount(row, shape) or Decimal(0))) <= NEAR for place in sums if place[1] in _labels(row)
        )
        for row in block
    ]
    return all(proved) and (len(block) > 1 or max(counts.values(), default=0) > 1)


def _said(row: Row, labels: set[str]) -> Iterator[tuple[int, str]]:
    for column, cell in enumerate(row.cells):
        if cell and (text := tidy(cell).casefold()) in labels:
            yield column, text


def _labels(row: Row) -> set[str]:
    """Return what a row may be the sum of: its words, without a `total` at either end."""
    texts = (tidy(cell).casefold() for cell in row.cells if any(map(str.isalpha, cell)))
    return {re.sub(r"^(?:sub-?)?totals?(?: for)?\s+|\s+totals?\W*$", "", text) for text in texts}


def is_sparse(row: Row, shape: TableShape) -> bool:
    """Return whether a row has no date and at most half of the typical number of filled cells."""
    if any(tidy(cell_at(row, column)).strip("-") for column in shape.date):
        return False
    return sum(1 for cell in row.cells if tidy(cell)) <= shape.typical / 2


def _amount(row: Row, shape: TableShape) -> Decimal | None:
    return None if shape.amount is None else shape.amount_in(cell_at(row, shape.amount))


def _settle_figures(judgement: ClassifiedRows, columns: Sequence[int]) -> ClassifiedRows:
    """Exclude sums at the end of a table with many columns of figures and no column of amounts.

    A row named like the whole begins the sums. The rows below it add up classes: together they equal it in most
    columns, and most of them are, in some columns, the sum of the records that share a word with them.
    """
    records = judgement.records
    start = max(1, len(records) - _TAIL)
    tail = list(records[start:])
    head = next((place for place, row in enumerate(tail) if _is_whole(row)), None)
    if head is None or len(columns) < _FIGURES:
        return judgement
    whole, classes, others = tail[head], tail[head + 1 :], records[: start + head]
    agreeing = _agreeing(whole, classes, others, columns)
    if not agreeing:
        return judgement
    narrow = any(2 * count <= _filled(_figures(row, columns)) for row, count in zip(tail[head:], agreeing, strict=True))
    totals = [ClassifiedRow(row, "total") for row in tail[head:]]
    return replace(_without(judgement, others, totals), narrow=narrow)


def _agreeing(whole: Row, classes: Sequence[Row], others: Rows, columns: Sequence[int]) -> list[int]:
    """Return in how many columns the whole and each class are sums; empty if that proves nothing."""
    figures = _figures(whole, columns)
    least = max(_FIGURES, _filled(figures) // 2)
    if not classes:
        count = _agree(figures, _sums(others, columns))
        return [count] if count >= least else []
    count = _agree(figures, _sums(classes, columns))
    proved = _class_columns(classes, others, columns) if count >= least else []
    return [count, *proved] if 2 * sum(each >= _FIGURES for each in proved) > len(classes) else []


def _is_whole(row: Row) -> bool:
    return any(names_whole(tidy(cell)) for cell in row.cells if cell)


def _figures(row: Row, columns: Sequence[int]) -> dict[int, Decimal]:
    found = ((column, read_amount(cell_at(row, column))) for column in columns)
    return {column: amount for column, amount in found if amount is not None}


def _sums(rows: Iterable[Row], columns: Sequence[int]) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for row in rows:
        for column, amount in _figures(row, columns).items():
            sums[column] += amount
    return sums


def _filled(figures: Mapping[int, Decimal]) -> int:
    return sum(1 for amount in figures.values() if amount)


def _agree(figures: Mapping[int, Decimal], sums: Mapping[int, Decimal]) -> int:
    """Count the columns, none of them zero, in which figures and sums are equal."""
    return sum(1 for column, amount in figures.items() if amount and _same(amount, sums.get(column, Decimal(0))))


def _same(one: Decimal | None, other: Decimal) -> bool:
    return one is not None and abs(one - other) <= max(NEAR, abs(one) / 1_000_000)


def _class_columns(classes: Sequence[Row], others: Rows, columns: Sequence[int]) -> list[int]:
    """Return for each row in how many columns, at best, it is the sum of the records that share a word with it."""
    labels = {label for row in classes for label in _labels(row)}
    sums: dict[tuple[int, str], dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in others:
        figures = _figures(row, columns)
        for place in _said(row, labels):
            for column, amount in figures.items():
                sums[place][column] += amount
    return [
        max(
            (_agree(_figures(row, columns), sums[place]) for place in sums if place[1] in _labels(row)),
            default=0,
        )
        for row in classes
    ]
