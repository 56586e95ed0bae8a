"""What reading has to say about tables that stand together in a file, and about whole rows. One function a code."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from piperoll.model import Finding, Severity, plain
from piperoll.reading.grids.grid import Row, letter


def where(sheet: str | None, row: int) -> str:
    """A table in words: by its sheet, and by the row of its headings where it has any."""
    below = f" below row {row}" if row else ""
    return f"the table{below} of sheet '{sheet.strip()}'" if sheet else f"the table{below}"


def table_sums_up(sheet: str | None, row: int, rows: int, total: Decimal, others: str) -> Finding:
    """A table whose rows add up those of another."""
    return Finding(
        "table-sums-up-another",
        Severity.WARNING,
        f"The {rows:,} rows of {where(sheet, row)} come to {plain(total)}, just as {others}. It is a summary of that "
        "and was left out, so that nothing is counted twice. If it is a table of its own, its rows are lacking.",
        "Send the detail alone.",
        sheet=sheet,
        row=row or None,
        count=rows,
    )


def table_repeated(sheet: str | None, row: int, rows: int, others: str) -> Finding:
    """A table all of whose rows stand in another."""
    return Finding(
        "table-repeats-another",
        Severity.WARNING,
        f"All {rows:,} rows of {where(sheet, row)} stand in {others} as well. It was left out, so that nothing is "
        "counted twice. If these are further records, its rows are lacking.",
        "Send each record once.",
        sheet=sheet,
        row=row or None,
        count=rows,
    )


def table_lesser(sheet: str | None, row: int, field: str | None, rows: int) -> Finding:
    """A smaller table beside or under a fuller one, which may be a summary that nothing proves."""
    return Finding(
        "table-perhaps-summary",
        Severity.WARNING,
        f"The sheet also holds a smaller table of {rows:,} rows, whose headings stand in row {row}. Nothing proves it "
        "a summary of the other, so it was read too: if it is one, its amounts are counted twice.",
        "Send the detail alone.",
        sheet=sheet,
        row=row,
        field=field,
        count=rows,
    )


def tables_side_by_side(sheet: str | None, row: int, starts: Sequence[int]) -> Finding:
    """Several tables beside each other in one sheet."""
    columns = " and ".join(letter(start) for start in starts)
    return Finding(
        "tables-side-by-side",
        Severity.WARNING,
        f"{len(starts)} tables stand side by side; they begin in columns {columns}. Each was read with its own "
        "headings.",
        "Put one table in each sheet.",
        sheet=sheet,
        row=row,
    )


def headings_of_another_sheet(sheet: str | None, other: str | None) -> Finding:
    """A sheet without headings that goes on with the columns of another."""
    return Finding(
        "headings-of-another-sheet",
        Severity.WARNING,
        f"The sheet '{(sheet or '').strip()}' has no headings. Its columns hold the same as those of sheet "
        f"'{(other or '').strip()}', so it was read by the headings of that.",
        "Repeat the headings in every sheet, or put all records in one.",
        sheet=sheet,
    )


def headings_unknown(sheet: str | None, row: int, headings: Sequence[str], titles: Sequence[str]) -> Finding:
    """A row of words over columns of figures, none of which is a heading that we know."""
    said = ", ".join(f"'{' '.join(heading.split())}'" for heading in headings if heading.strip())
    return Finding(
        "headings-unknown",
        Severity.WARNING,
        f"Row {row} seems to hold the headings, but we know none of them ({said}). By what they hold we took columns "
        f"for {', '.join(titles)}.",
        "Use the headings of the dataset, or tell us what each of yours means.",
        sheet=sheet,
        row=row,
    )


def sheets_of_several_months(months: Sequence[tuple[str, str]]) -> Finding:
    """Sheets whose dates lie in different months."""
    said = ", ".join(f"'{sheet.strip()}' in {month}" for sheet, month in months)
    return Finding(
        "sheets-of-several-months",
        Severity.INFO,
        f"The dates of the sheets lie in different months: {said}. All were read.",
        "Nothing, if the file is meant to cover them all.",
    )


def sheet_of_another_month(sheet: str, month: str, named: str, rows: int, field: str) -> Finding:
    """A sheet with another month than the one that the file's name gives."""
    return Finding(
        "sheet-of-another-month",
        Severity.WARNING,
        f"The file is named for {named}, but the dates of sheet '{sheet.strip()}' lie in {month}. Its {rows:,} rows "
        "were read like the others: if the sheet was left in by mistake, they do not belong here.",
        "Delete the sheet if it belongs to another month.",
        sheet=sheet,
        field=field,
        count=rows,
    )


def records_in_one_row(sheet: str | None, rows: Sequence[Row], lines: int, field: str | None) -> Finding:
    """Rows whose cells hold several records, one a line."""
    first = rows[0]
    return Finding(
        "records-in-one-row",
        Severity.WARNING,
        f"{len(rows):,} rows hold several records in their cells, one below another (the first is row {first.number}, "
        f"with {lines}). Each was read as one record, and what cannot be read as one value is told.",
        "Give every record a row of its own.",
        sheet=sheet,
        row=first.number,
        line=first.line,
        field=field,
        count=len(rows),
    )


def row_mended(sheet: str | None, row: Row, column: int, value: str) -> Finding:
    """A row with a cell cut by a delimiter, which was put together again."""
    return Finding(
        "row-mended",
        Severity.WARNING,
        f"Row {row.number} has more cells than there are columns. A delimiter stands within cell "
        f"{letter(column)}{row.number}: it was put together again to '{value.strip()}', because only so every date "
        "and number of the row stands in its own column.",
        "Put cells that hold the delimiter in quotation marks.",
        sheet=sheet,
        row=row.number,
        line=row.line,
        column=letter(column),
        value=value,
    )


def totals_left_out(sheet: str | None, rows: Sequence[Row], *, narrow: bool) -> Finding:
    """Rows of sums in a table without a column of amounts."""
    first = rows[0]
    doubt = (
        " Some agree with their records in a part of the columns only: if one is a record, it is lacking."
        if narrow
        else ""
    )
    return Finding(
        "total-rows-left-out",
        Severity.WARNING if narrow else Severity.INFO,
        f"{len(rows):,} rows are sums of others and no records; the first is row {first.number}, the last row "
        f"{rows[-1].number}.{doubt}",
        "Leave totals out of the table.",
        sheet=sheet,
        row=first.number,
        line=first.line,
        count=len(rows),
    )


def record_like_total(sheet: str | None, row: Row, field: str | None) -> Finding:
    """A last record whose amount is the sum of all the others."""
    return Finding(
        "record-equals-total",
        Severity.WARNING,
        f"Row {row.number}, the last, has all that a record has, and its amount is the sum of all the others. It was "
        "read as a record: if it is a total, everything is counted twice.",
        "Leave totals out of the table, or say that it is a payment.",
        sheet=sheet,
        row=row.number,
        line=row.line,
        field=field,
    )
