"""What reading has to say about the columns of a table without headings. One function a code."""

from __future__ import annotations

from collections.abc import Sequence

from piperoll.model import Field, Finding, Severity
from piperoll.reading.cells.decisions import FieldColumn
from piperoll.reading.grids.grid import letter


def about(
    column: FieldColumn,
    code: str,
    severity: Severity,
    message: str,
    fix: str,
    *,
    value: str | None = None,
    count: int = 1,
) -> Finding:
    """A finding about a whole column."""
    return Finding(code, severity, message, fix, value=value, count=count, **column.address.values())


def _letters(places: Sequence[int]) -> str:
    """`column B`, or `column B, C or E`."""
    letters = [letter(place) for place in places]
    return f"column {letters[0]}" if len(letters) == 1 else f"column {', '.join(letters[:-1])} or {letters[-1]}"


def column_told_by_content(column: FieldColumn, others: Sequence[int]) -> Finding:
    """A column without a heading that was taken for a field by what it holds."""
    title = column.field.title.lower()
    instead = f"It may be {_letters(others)} instead." if others else "No other column fits."
    return about(
        column,
        "column-guessed",
        Severity.WARNING,
        f"There is no heading, and column {letter(column.column)} was taken for the {title} by what it holds. {instead}",
        f"Put a row of headings above the data, and call the column '{column.field.title}'.",
    )


def column_not_told(field: Field, places: Sequence[int], sheet: str | None) -> Finding:
    """A name for which no column was taken, as nothing but headings could tell it from other words."""
    title = field.title.lower()
    return Finding(
        "column-not-told",
        Severity.WARNING,
        f"There are no headings, and none of the columns was taken for the {title}. If there is one, it is "
        f"{_letters(places)}.",
        f"Put a row of headings above the data, and call the column '{field.title}'.",
        sheet=sheet,
        field=field.name,
    )
