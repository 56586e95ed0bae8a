"""Classify one row: record, blank, total, repeated heading, note or residue."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from piperoll.model import Dataset
from piperoll.reading.cells.amounts import AmountStyle, find_amount_style, read_amount
from piperoll.reading.cells.dates import is_date, is_serial
from piperoll.reading.cells.marks import is_error, is_label, means_nothing, says_nil
from piperoll.reading.columns.assignment import Columns
from piperoll.reading.columns.lexicon import bare
from piperoll.reading.grids.grid import Row, cell_at, sample_rows, tidy
from piperoll.reading.tables.heading_rows import repeats_headings, words
from piperoll.reading.tables.total_rows import RunningSums, TotalCandidate, prove_total

_SAMPLE = 2000
_DAY = re.compile(r"\d{1,4}(?:st|nd|rd|th)?(?:[./\-]| )\w{1,9}(?:[./\-]| |, )\d{2,4}\b.{0,12}")
"""The form of a date: two parts and a year, as in `31/02/2026` or `32nd May 2026`."""


@dataclass(frozen=True, slots=True)
class ClassifiedRow:
    """What a row is: `record` or one of the exclusions, with its amount. `proved` says that a total adds up.

    `difference` is the stated total less the nearest sum.
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
    """Whether its amounts have a comma before the pence."""
    end: int = 0
    """The column after the last with a heading or a field; 0 if nothing limits the table."""
    said: frozenset[tuple[str, ...]] = frozenset()
    """The rows of the headings and the titles above them, as sent."""

    @classmethod
    def of(cls, rows: Sequence[Row], columns: Columns, dataset: Dataset, measures: Sequence[int] = ()) -> TableShape:
        """Measure a table from its rows and columns; `measures` are the columns of a wide table."""
        amount = next((columns.column(name) for name in dataset.amount if name in columns.choices), None)
        dates = tuple(choice.column for name, choice in columns.choices.items() if dataset.field(name).type == "date")
        sample = sample_rows(rows, _SAMPLE)
        counts = [count for row in sample if (count := sum(1 for cell in row.cells if cell and _is_filled(cell)))]
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


def _is_filled(cell: str) -> bool:
    """Return whether a cell that is not empty has visible content."""
    return "!" <= cell[0] <= "~" or bool(tidy(cell))


def classify_row(row: Row, shape: TableShape, sums: RunningSums, last: Row | None) -> ClassifiedRow:
    """Classify a row from its cells, the sums of the records above it, and the last record.

    `certain_records.CertainRecords` recognises most records from whole columns without calling this. If you change a
    rule here, check whether to change it there; a test compares the two.
    """
    filled = [column for column, cell in enumerate(row.cells) if cell and not cell.isspace()]
    if len(filled) < 3:  # a cell with only invisible characters is empty
        filled = [column for column in filled if tidy(row.cells[column])]
    if kind := _no_record(row, filled, shape):
        return ClassifiedRow(row, kind)
    if shape.amount is None:
        return _without_amount(row, filled, shape, last)
    text = tidy(cell_at(row, shape.amount))
    amount = shape.amount_in(text)
    if amount is not None:
        total = _as_total(row, filled, amount, shape, sums)
        return total or ClassifiedRow(row, "record", amount)
    if is_error(text) and len(filled) > 1:
        return ClassifiedRow(row, "record")
    return _without_amount(row, filled, shape, last)


def _no_record(row: Row, filled: Sequence[int], shape: TableShape) -> str | None:
    """Return the kind of a row without content of its own in the table; a sum left beside the table is residue."""
    if not filled:
        return "blank"
    if repeats_headings(row, shape.headings, filled) or (len(filled) > 1 and words(row.cells) in shape.said):
        return "repeated_header"
    return "other" if shape.end and filled[0] >= shape.end else None


def _as_total(
    row: Row, filled: Sequence[int], amount: Decimal, shape: TableShape, sums: RunningSums
) -> ClassifiedRow | None:
    texts = [tidy(row.cells[column]) for column in filled if column != shape.amount]
    words = [text for text in texts if shape.amount_in(text) is None]
    dated = any(tidy(cell_at(row, column)).strip("-") for column in shape.date)
    proof = prove_total(TotalCandidate(amount, words, len(filled), dated), sums, shape.typical)
    return ClassifiedRow(row, "total", amount, proof.proved, proof.difference) if proof else None


def _without_amount(row: Row, filled: Sequence[int], shape: TableShape, last: Row | None) -> ClassifiedRow:
    """Classify a row without an amount: a record with a gap, a note, or cells that were filled down."""
    texts = {column: tidy(cell_at(row, column)) for column in filled}
    real = [column for column, text in texts.items() if not means_nothing(text, typed=False)]
    if not real or _is_residue(texts, shape, last):
        return ClassifiedRow(row, "other")
    if len(filled) <= 2 and any(says_nil(text) for text in texts.values()):
        return ClassifiedRow(row, "note")
    named = sum(1 for heading in shape.headings if heading)
    if len(filled) < 0.5 * shape.typical and _states_total(texts.values()):
        return ClassifiedRow(row, "total")
    sparse = len(filled) <= max(1, shape.typical / 3) and max(shape.typical, named / 2) > 1.5
    dated = any(may_be_day(texts.get(column, "")) for column in shape.date)
    if not sparse or dated or len([column for column in real if column in shape.mapped]) >= 3:
        return ClassifiedRow(row, "record")
    return ClassifiedRow(
        row, "note" if any(any(char.isalpha() for char in text) for text in texts.values()) else "other"
    )


def _is_residue(texts: dict[int, str], shape: TableShape, last: Row | None) -> bool:
    """Return whether a spreadsheet left this row: an error in place of the amount, or cells copied from above."""
    if shape.amount is not None and shape.amount in texts and is_error(texts[shape.amount]):
        return True
    return last is not None and len(texts) < 0.5 * shape.typical and _filled_down(texts, last)


def _states_total(texts: Iterable[str]) -> bool:
    """Return whether a row has the label of a total and figures, although none in the column of amounts."""
    return any(map(is_label, texts)) and any(read_amount(text) is not None for text in texts)


def may_be_day(text: str) -> bool:
    """Return whether a cell below a date heading is meant as a date, even one that does not exist; `1.

    See page 3` is not.
    """
    return is_date(text) or is_serial(text) or bool(_DAY.fullmatch(text))


def _filled_down(texts: dict[int, str], last: Row) -> bool:
    """Return whether every cell repeats the one above: a formula or label that was copied down too far."""
    return all(tidy(cell_at(last, column)).casefold() == text.casefold() for column, text in texts.items())
