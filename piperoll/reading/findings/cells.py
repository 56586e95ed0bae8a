"""What reading has to say about rows and cells. One function a code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from piperoll.model import Field, Finding, Severity, plain
from piperoll.reading.cells.amounts import why_unreadable
from piperoll.reading.grids.grid import Row, letter


@dataclass(frozen=True, slots=True)
class Below:
    """The records that stand below a possible total: how many, the first and last row, and how many in all."""

    count: int
    first: int
    last: int
    records: int


def amount_gross(sheet: str | None, field: Field, column: int, heading: str) -> Finding:
    """The only amounts there are include VAT."""
    return Finding(
        "amount-gross-used",
        Severity.INFO,
        f"The amounts in column {letter(column)} ('{heading.strip()}') include VAT. "
        "There is no net amount, so we used them.",
        "Give net amounts: the Code asks for them without recoverable VAT.",
        sheet=sheet,
        column=letter(column),
        field=field.name,
        value=heading,
    )


def amount_scaled(sheet: str | None, field: Field, heading: str, scale: Decimal) -> Finding:
    """The heading says that amounts are in thousands, millions or pence."""
    return Finding(
        "amount-scaled",
        Severity.INFO,
        f"The heading '{heading.strip()}' gives another unit than pounds: every amount was multiplied by {scale:f}.",
        "Give amounts in pounds and pence.",
        sheet=sheet,
        field=field.name,
        value=heading,
    )


def unreadable(sheet: str | None, row: Row, column: int, field: Field, value: str, *, amount: bool) -> Finding:
    """A cell that holds something which cannot be read as its field."""
    code, what, fix = _UNREADABLE.get(field.type, ("cell-error", "a value", "Replace the error by the value."))
    if amount:
        code, what, fix = "amount-unreadable", "an amount", "Write the amount as digits, such as 1234.50 or -1234.50."
    core = amount or field.level == "core"
    reason = why_unreadable(value) if field.type in ("number", "integer") else None
    why = f": {reason}" if reason else ""
    return Finding(
        code,
        Severity.ERROR if amount else Severity.WARNING if core or field.type != "string" else Severity.INFO,
        f"In cell {letter(column)}{row.number} we cannot read '{value.strip()}' as {what} for certain{why}.",
        fix,
        sheet=sheet,
        row=row.number,
        line=row.line,
        column=letter(column),
        field=field.name,
        value=value,
    )


_UNREADABLE = {
    "date": ("date-unreadable", "one date", "Write one date, such as 2026-10-31."),
    "number": ("number-unreadable", "a number", "Write the number as digits."),
    "integer": ("number-unreadable", "a whole number", "Write the number as digits."),
    "boolean": ("cell-unreadable", "yes or no", "Write yes or no."),
}


def total_left_out(sheet: str | None, row: Row, amount: Decimal) -> Finding:
    """A row that adds up those above."""
    return Finding(
        "total-row-left-out",
        Severity.INFO,
        f"Row {row.number} is a total of other rows ({plain(amount)}) and is no record.",
        "Leave totals out of the table.",
        sheet=sheet,
        row=row.number,
        line=row.line,
    )


def total_wrong(sheet: str | None, row: Row, field: str | None, amount: Decimal, difference: Decimal) -> Finding:
    """A row that says it is a total and does not add up."""
    return Finding(
        "total-does-not-add-up",
        Severity.WARNING,
        f"Row {row.number} says it is a total of {plain(amount)}, "
        f"but its rows come to {plain(amount - difference)}: it differs by {plain(difference)}. "
        "We left it out; if it is a payment, the table is that much short.",
        "Check that every row is there, and leave the total out.",
        sheet=sheet,
        row=row.number,
        line=row.line,
        field=field,
    )


def rows_left_out(sheet: str | None, kind: str, rows: list[Row]) -> Finding:
    """Notes or residue among or after the records."""
    what = {"note": "hold a note", "other": "hold only cells copied down from the row above, or leftovers"}[kind]
    first = rows[0]
    return Finding(
        "note-left-out" if kind == "note" else "residue-left-out",
        Severity.INFO,
        f"{len(rows):,} rows {what} and are no records; the first is row {first.number}.",
        "Keep notes out of the table.",
        sheet=sheet,
        row=first.number,
        line=first.line,
        count=len(rows),
    )


def nil_return(sheet: str | None, row: int | None) -> Finding:
    """The body says that there was nothing."""
    where = f" in row {row}" if row else ""
    message = f"The file says{where} that there was nothing to report."
    return Finding("nil-return", Severity.INFO, message, "Nothing.", sheet=sheet, row=row)


def template_only(sheet: str | None, row: int) -> Finding:
    """Headings without any record."""
    return Finding(
        "no-records",
        Severity.ERROR,
        f"There are headings in row {row} but no records below them.",
        "Send the filled table. If there was nothing to report in this time, say so: write 'Nil return' in the first "
        "cell under the headings and send the file again. It is then published as a nil return.",
        sheet=sheet,
        row=row,
    )


def row_too_long(sheet: str | None, row: Row, usual: int, field: str | None) -> Finding:
    """A record with more cells than there are columns: some cell was cut in two."""
    return Finding(
        "row-too-long",
        Severity.WARNING,
        f"Row {row.number} has {len(row.cells):,} cells where there are {usual:,} columns: probably a comma or other "
        "delimiter stands within a cell, and what follows is one column too far to the right.",
        "Put cells that hold the delimiter in quotation marks, or save the file again from the spreadsheet.",
        sheet=sheet,
        row=row.number,
        line=row.line,
        field=field,
    )


def amount_not_in_pounds(sheet: str | None, field: Field, column: int, heading: str) -> Finding:
    """The heading says that the amounts are in another currency."""
    return Finding(
        "amount-not-in-pounds",
        Severity.ERROR,
        f"The heading '{heading.strip()}' of column {letter(column)} says that the amounts are not in pounds. "
        "We do not exchange currencies, so none of them was taken.",
        "Give the amounts in pounds.",
        sheet=sheet,
        column=letter(column),
        field=field.name,
        value=heading,
    )


def amount_unit_above(sheet: str | None, field: str | None, row: Row, words: str) -> Finding:
    """A title says that amounts are in thousands or the like, and the headings do not."""
    return Finding(
        "amount-unit-doubtful",
        Severity.WARNING,
        f"Row {row.number}, above the headings, says '{words}', but the heading of the amounts does not. "
        "We read them as pounds; if they are in another unit, every amount is wrong.",
        "Give amounts in pounds and pence, or say the unit in their heading, such as 'Amount (£000)'.",
        sheet=sheet,
        row=row.number,
        line=row.line,
        field=field,
        value=words,
    )


def signs_beside(sheet: str | None, field: str, column: int, heading: str, credited: Sequence[Row]) -> Finding:
    """A column of its own says which amounts are credits; we read them all as payments."""
    first = credited[0]
    return Finding(
        "amount-sign-beside",
        Severity.WARNING,
        f"Column {letter(column)} ('{heading.strip()}') says that {len(credited):,} of the amounts are credits, the "
        f"first in row {first.number}. We read them as they stand, as payments; if they are credits, the total is too "
        "high by twice their sum.",
        "Put a minus before each credit in the column of amounts, and send the file again.",
        sheet=sheet,
        row=first.number,
        line=first.line,
        column=letter(column),
        field=field,
        count=len(credited),
    )


def reference_damaged(sheet: str | None, field: Field, column: int, rows: Sequence[Row], value: str) -> Finding:
    """References that a spreadsheet has taken for numbers and rounded."""
    return Finding(
        "reference-damaged",
        Severity.WARNING,
        f"A spreadsheet has taken {len(rows):,} cells of column {letter(column)} for numbers and rounded them "
        f"(such as '{value.strip()}' in row {rows[0].number}); the {field.title.lower()} is lost.",
        "Format the column as text before the references are put in.",
        sheet=sheet,
        row=rows[0].number,
        line=rows[0].line,
        column=letter(column),
        field=field.name,
        value=value,
        count=len(rows),
    )


def possible_total(sheet: str | None, row: Row, column: int, field: str, value: str, below: Below) -> Finding:
    """A record that may be the sum of others, though it cannot be proved."""
    few = 0 < below.count <= 30
    span = f"row {below.first}" if below.count == 1 else f"rows {below.first} to {below.last}"
    more = f" If {span} below it are sums as well, {below.count + 1:,} rows are no records." if few else ""
    left = below.records - 1 - (below.count if few else 0)
    return Finding(
        "possible-total-rows",
        Severity.WARNING,
        f"Row {row.number} is named '{value.strip()}', like a total of the others. No sum proves it, so it was "
        f"read as a record: if it is a total, what it adds up is counted twice.{more} "
        f"There would then be {left:,} records, not {below.records:,}.",
        "Leave totals out of the table.",
        sheet=sheet,
        row=row.number,
        line=row.line,
        column=letter(column),
        field=field,
        value=value,
    )
