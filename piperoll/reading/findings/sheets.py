"""What reading has to say, in words for the officer who sent the file. One function a code."""

from __future__ import annotations

from collections.abc import Sequence

from piperoll.model import Field, Finding, Severity
from piperoll.reading.grids.grid import letter


def _place(sheet: str | None, row: int | None, column: int | None = None) -> str:
    cell = f"cell {letter(column)}{row}" if row and column is not None else f"row {row}" if row else ""
    within = f"sheet '{sheet.strip()}'" if sheet else ""
    return " of ".join(part for part in (cell, within) if part) or "the file"


def quotes_broken(row: int, line: int | None) -> Finding:
    """A quotation mark opens a cell and never closes it properly."""
    return Finding(
        "quotes-broken",
        Severity.WARNING,
        f"In row {row} a quotation mark opens a cell and is not closed before the row ends. We took it as a letter.",
        'Write quotation marks within a cell twice (""), or leave them out.',
        row=row,
        line=line,
    )


def sheet_without_table(sheet: str, *, figures: bool) -> Finding:
    """A sheet that holds notes or a cover; a warning if it holds figures like a table's."""
    return Finding(
        "sheet-without-table",
        Severity.WARNING if figures else Severity.INFO,
        f"The sheet '{sheet.strip()}' holds no table of this kind and was left out.",
        "Nothing, if it is a cover or notes. Otherwise give its columns their usual headings.",
        sheet=sheet,
    )


def no_headings(looked_for: Sequence[str]) -> Finding:
    """No row of the file names columns we know."""
    return Finding(
        "no-headings",
        Severity.ERROR,
        f"We found no row of headings. We looked for {_list(looked_for)} and the like in every row.",
        "Put one row of headings above the data; 'piperoll template' writes a blank table.",
    )


def headings_missing(sheet: str | None, guessed: Sequence[str]) -> Finding:
    """The table has no headings; the columns were told by what they hold."""
    return Finding(
        "headings-missing",
        Severity.WARNING,
        f"The table in {_place(sheet, None)} has no headings. By what they hold we took columns for {_list(guessed)}.",
        "Put a row of headings above the data.",
        sheet=sheet,
    )


def headings_at_end(sheet: str | None, row: int, line: int | None) -> Finding:
    """The heading row stands below the data."""
    return Finding(
        "headings-at-end",
        Severity.INFO,
        f"The headings stand in row {row}, below the data, and were used for the rows above.",
        "Move the headings to the first row.",
        sheet=sheet,
        row=row,
        line=line,
    )


def preamble_left_out(sheet: str | None, rows: int, row: int) -> Finding:
    """Rows above the headings."""
    return Finding(
        "preamble-left-out",
        Severity.INFO,
        f"{rows:,} rows above the headings in row {row} hold titles or notes and were left out.",
        "Start the file with the headings.",
        sheet=sheet,
        count=rows,
    )


def records_above_headings(sheet: str | None, rows: int, row: int) -> Finding:
    """Records above the headings, as in a sheet that was sorted together with its headings."""
    return Finding(
        "records-above-headings",
        Severity.WARNING,
        f"{rows:,} rows above the headings in row {row} hold a date and an amount, and were read as records.",
        "Move the headings to the first row.",
        sheet=sheet,
        row=row,
        count=rows,
    )


def headings_changed(sheet: str | None, row: int, line: int | None) -> Finding:
    """A second row of headings puts the columns elsewhere."""
    return Finding(
        "headings-changed",
        Severity.WARNING,
        f"In row {row} new headings put the columns in another order. The rows below were read by them.",
        "Send one table with one row of headings.",
        sheet=sheet,
        row=row,
        line=line,
    )


def headings_in_rows(sheet: str | None, rows: int, row: int) -> Finding:
    """Headings split over several rows."""
    return Finding(
        "headings-in-several-rows",
        Severity.INFO,
        f"The headings take {rows} rows, the last of them row {row}; their words were put together.",
        "Write each heading in one cell.",
        sheet=sheet,
        row=row,
    )


def column_not_found(sheet: str | None, wanted: Sequence[Field], looked_for: Sequence[str], *, period: bool) -> Finding:
    """A column without which there is no table."""
    titles = _list([field.title.lower() for field in wanted], "or")
    return Finding(
        "column-not-found",
        Severity.WARNING if period else Severity.ERROR,
        f"We could not find a column for {titles}; we looked for {_list(looked_for, 'or')}.",
        "Name the column by one of these headings.",
        sheet=sheet,
        field=wanted[0].name,
    )


def heading_misspelt(sheet: str | None, field: Field, column: int, heading: str) -> Finding:
    """A heading read in spite of a slip of the pen."""
    return Finding(
        "heading-guessed",
        Severity.INFO,
        f"The heading '{heading.strip()}' of column {letter(column)} is near to one we know: "
        f"it was read as {field.title.lower()}.",
        f"Call the column '{field.title}'.",
        sheet=sheet,
        column=letter(column),
        field=field.name,
        value=heading,
    )


def column_not_mapped(sheet: str | None, column: int, heading: str) -> Finding:
    """A filled column that is none of the dataset's."""
    return Finding(
        "column-not-mapped",
        Severity.INFO,
        f"Column {letter(column)} ('{heading.strip()}') is not part of this dataset and is not published.",
        "Nothing, if that is right. Otherwise use a heading from the dataset's list.",
        sheet=sheet,
        column=letter(column),
        value=heading,
    )


def _list(words: Sequence[str], joint: str = "and") -> str:
    quoted = [f"'{word}'" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {joint} {quoted[-1]}" if quoted else "headings"
