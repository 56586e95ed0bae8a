"""Findings about the rows of a table: totals, notes, residue, and rows that hold several records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from piperoll.findings import make_finding
from piperoll.model import Address, Finding, Severity, format_decimal
from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.grids.grid import Row, Rows, address_of, cell_at, tidy
from piperoll.reading.tables.classified_rows import ClassifiedRows
from piperoll.reading.tables.total_rows import NEAR

_FEW = 4
"""With fewer records than this, one may equal the sum of the others by chance."""

_LOOK = 20_000
"""The most records to search for cells that hold several values."""


@dataclass(frozen=True)
class AmountColumn:
    """The field that holds the amounts of a table, and its column; both None if there is none."""

    field: str | None = None
    column: int | None = None


def find_row_findings(
    judgements: Sequence[ClassifiedRows], sheet: str | None, amounts: AmountColumn
) -> Iterator[Finding]:
    """Yield findings about the rows left out of a table's sections, and about records that may not be records."""
    judged = [judged for judgement in judgements for judged in judgement.others]
    for one in judged:
        if one.kind == "total" and one.amount is not None:
            if one.proved:
                yield make_finding("total-row-left-out", address_of(sheet, one.row), amount=format_decimal(one.amount))
                continue
            yield make_finding(
                "total-does-not-add-up",
                address_of(sheet, one.row, field=amounts.field),
                amount=format_decimal(one.amount),
                sum=format_decimal(one.amount - one.difference),
                difference=format_decimal(one.difference),
            )
    if totals := [one.row for one in judged if one.kind == "total" and one.amount is None]:
        narrow = any(judgement.narrow for judgement in judgements)
        yield make_finding(
            "total-rows-left-out",
            Address(sheet, totals[0].number, totals[0].line),
            variant="narrow" if narrow else "proved",
            severity=Severity.WARNING if narrow else Severity.INFO,
            count=len(totals),
            last=totals[-1].number,
        )
    for kind, code in (("note", "note-left-out"), ("other", "residue-left-out")):
        if rows := [one.row for one in judged if one.kind == kind]:
            yield make_finding(code, address_of(sheet, rows[0]), count=len(rows))
    for judgement in judgements:
        yield from _about_records(judgement, sheet, amounts)


def _about_records(judgement: ClassifiedRows, sheet: str | None, amounts: AmountColumn) -> Iterator[Finding]:
    if row := find_chance_total(judgement, amounts.column):
        yield make_finding("record-equals-total", Address(sheet, row.number, row.line, field=amounts.field))
    if rows := find_several_in_one(judgement.records[:_LOOK]):
        address = Address(sheet, rows[0].number, rows[0].line, field=amounts.field)
        yield make_finding("records-in-one-row", address, count=len(rows), lines=count_lines(rows[0]))


def find_chance_total(judgement: ClassifiedRows, column: int | None) -> Row | None:
    """Return the last record if its amount is the sum of all the others, although it looks like a record."""
    if column is None or len(judgement.records) < _FEW:
        return None
    last = judgement.records[len(judgement.records) - 1]
    amount = read_amount(cell_at(last, column), decimal_comma=judgement.decimal_comma)
    return last if amount and abs(judgement.whole - amount - amount) <= NEAR else None


def find_several_in_one(records: Rows) -> list[Row]:
    """Return the records that seem to hold several records, one below another.

    Several cells have the same number of lines, two or more, and one of them holds only figures.
    """
    held = (row for block in records.blocks() if b"\n" in block.text for row in block)
    return [row for row in held if any("\n" in cell for cell in row.cells) and count_lines(row) > 1]


def count_lines(row: Row) -> int:
    """Count the records that the cells of a row hold, one below another: 1 for an ordinary row."""
    held = [[tidy(line) for line in tidy(cell).splitlines() if tidy(line)] for cell in row.cells if "\n" in cell]
    held = [lines for lines in held if len(lines) > 1]
    figures = [lines for lines in held if all(read_amount(line) is not None for line in lines)]
    if not figures or len(held) < 2 or len({len(lines) for lines in held}) > 1:
        return 1
    return len(figures[0])
