"""What there is to say about a workbook beside its values. One function a code."""

from __future__ import annotations

from piperoll.model import Finding, Severity
from piperoll.reading.files.workbooks import Places


def sheet_hidden(sheet: str) -> Finding:
    """A hidden sheet that was read like the others."""
    return Finding(
        "sheet-hidden",
        Severity.WARNING,
        f"The sheet '{sheet.strip()}' is hidden, and was read like the others.",
        "Delete the sheet if it should not be published.",
        sheet=sheet,
    )


def rows_hidden(sheet: str, places: Places) -> Finding:
    """Hidden or filtered rows that were read like the others."""
    return Finding(
        "rows-hidden",
        Severity.WARNING,
        f"{places.count:,} rows of the sheet '{sheet.strip()}' are hidden, the first of them {places.first}. "
        "They were read like the others.",
        "Take the filter off or show the rows, and delete those that should not be published.",
        sheet=sheet,
        count=places.count,
    )


def columns_hidden(sheet: str, places: Places) -> Finding:
    """Hidden columns that were read like the others."""
    return Finding(
        "columns-hidden",
        Severity.WARNING,
        f"Columns of the sheet '{sheet.strip()}' are hidden, the first of them {places.first}. "
        "They were read like the others.",
        "Show the columns, and delete those that should not be published.",
        sheet=sheet,
        count=places.count,
    )


def cells_in_error(sheet: str, places: Places) -> Finding:
    """Cells that show an error, which workbooks keep as no value."""
    return Finding(
        "cells-in-error",
        Severity.WARNING,
        f"{places.count:,} cells of the sheet '{sheet.strip()}' show an error such as #REF! or #N/A, the first of them "
        f"{places.first}. They were read as empty.",
        "Put the values back.",
        sheet=sheet,
        count=places.count,
    )


def formulas_unworked(sheet: str, places: Places) -> Finding:
    """Formulas without their results, as programs write them that do not work them out."""
    return Finding(
        "formulas-without-results",
        Severity.WARNING,
        f"{places.count:,} cells of the sheet '{sheet.strip()}' hold a formula without its result, the first of them "
        f"{places.first}. They were read as empty.",
        "Open the workbook in a spreadsheet program, save it, and send that.",
        sheet=sheet,
        count=places.count,
    )


def cells_merged(sheet: str, count: int, first: str) -> Finding:
    """Cells below the headings that are merged over several rows; their value stands in the first of these alone."""
    return Finding(
        "cells-merged",
        Severity.WARNING,
        f"{count:,} cells of the sheet '{sheet.strip()}' are merged over several rows below its headings, the first of "
        f"them {first}. The value was read in the first row alone, and the others as empty.",
        "Unmerge the cells and write the value in every row.",
        sheet=sheet,
        count=count,
    )
