"""Values that a report prints once, in a row of its own above the records they apply to.

Finance systems group payments by supplier or directorate:

    Supplier   Date         Amount
    Acme Ltd
               01/10/2026   600.00
               09/10/2026   700.00

`Acme Ltd` is the supplier of both payments.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from piperoll.model import Dataset
from piperoll.reading.cells.marks import is_label
from piperoll.reading.columns.assignment import Columns
from piperoll.reading.grids.grid import Row, Rows, cell_at, tidy
from piperoll.reading.tables.classified_rows import ClassifiedRows

_GROUPS = 2
"""The fewest group headings: a single one may be a note."""


@dataclass(frozen=True, slots=True)
class GroupHeadings:
    """The rows that hold only a value of one column, which is empty in every record."""

    field: str
    column: int
    rows: Sequence[Row]
    records: int
    """How many records are below them: all of the table."""


def find_group_headings(rows: ClassifiedRows, columns: Columns, dataset: Dataset) -> Iterator[GroupHeadings]:
    """Yield the group headings of each column that has them.

    Every record has to be below one, and every one above a record before the next, so that a note is none.
    """
    alone: dict[int, list[Row]] = {}
    for other in rows.others:
        filled = [column for column, cell in enumerate(other.row.cells) if tidy(cell)]
        if other.kind == "note" and len(filled) == 1 and not is_label(tidy(other.row.cells[filled[0]])):
            alone.setdefault(filled[0], []).append(other.row)
    for name, choice in columns.choices.items():
        candidates = alone.get(choice.column, [])
        if len(candidates) < _GROUPS or dataset.field(name).type != "string":
            continue
        numbers = [row.number for row in rows.records]
        records_above = [bisect_right(numbers, row.number) for row in candidates] + [len(numbers)]
        found = [
            row for row, above, end in zip(candidates, records_above, records_above[1:], strict=False) if above < end
        ]
        if len(found) < _GROUPS or found[0].number > numbers[0]:
            continue
        if not any(tidy(cell_at(row, choice.column)) for row in rows.records):
            yield GroupHeadings(name, choice.column, found, len(numbers))


def fill_groups(rows: Rows, records: Rows, groups: Sequence[GroupHeadings]) -> Rows:
    """Return the rows with the values of its group headings in each record."""
    starts = {each.column: [row.number for row in each.rows] for each in groups}
    width = max(starts) + 1
    numbers = {row.number for row in records}

    def filled(row: Row) -> Row:
        cells = [*row.cells, *[""] * (width - len(row.cells))]
        for each in groups:
            heading = each.rows[bisect_right(starts[each.column], row.number) - 1]
            cells[each.column] = cell_at(heading, each.column)
        return Row(row.number, row.line, cells)

    return Rows.of(filled(row) if row.number in numbers else row for row in rows)


def exclude_as_headings(rows: ClassifiedRows, groups: Sequence[GroupHeadings]) -> ClassifiedRows:
    """Return the rows with the group headings counted as headings, not as notes."""
    numbers = {row.number for each in groups for row in each.rows}
    others = [replace(other, kind="repeated_header") if other.row.number in numbers else other for other in rows.others]
    return replace(rows, others=others)
