"""Columns: which are missing, and which have gaps or cells that hold their row."""

from __future__ import annotations

from collections.abc import Iterator

from piperoll.checking import findings
from piperoll.checking.places import cells, filled, place
from piperoll.checking.tally import missing_rows
from piperoll.model import Body, Dataset, Field, Finding, Level, Origin
from piperoll.reading import ReadTable


def missing_core(table: ReadTable, dataset: Dataset, *, period_given: bool) -> tuple[Finding, ...]:
    """One finding for each core group of which `table` has no column; any of them makes the table useless."""
    groups = dataset.missing_core(filled(table), period_given=period_given)
    return tuple(findings.core_missing(dataset, group, place(table)) for group in groups)


def gaps(table: ReadTable, dataset: Dataset, body: Body) -> Iterator[Finding]:
    """One warning for each column that law or code asks of `body` and that is absent, or that has gaps.

    Of a core group the first column that is there is looked at. A column that can be derived is not missed. Of a
    body whose kind we do not know, a column that is asked of some kinds only is told and not warned of.
    """
    first_of_core = {next((name for name in group if name in table.columns), None) for group in dataset.core}
    for field in dataset.fields:
        asked = field.level is Level.DUTY and field.origin is Origin.SENT and field.derive is None
        if field.name in table.columns and (asked or field.name in first_of_core):
            missing = len(missing_rows(table, field.name))
            if missing and not (field.constraints or {}).get("required"):
                yield findings.cells_missing(field, place(table, field.name), missing, table.rows)
        elif asked and field.name not in table.columns and _falls_on(field, body):
            yield findings.column_absent(field, table.sheet, certain=not field.kinds or not body.provisional)


def _falls_on(field: Field, body: Body) -> bool:
    return not field.kinds or body.provisional or body.kind in field.kinds


def unreadable_core(table: ReadTable, dataset: Dataset) -> Iterator[tuple[int, Finding]]:
    """Each row that is held because of a core group no cell can be read, though one of them is there."""
    for group in dataset.core:
        names = [name for name in group if name in table.columns]
        suspects = {row: name for name in names for row in table.unreadable.get(name, ())}
        readable = (
            {row for name in names for row, cell in cells(table, name) if cell is not None} if suspects else set()
        )
        for row in sorted(suspects.keys() - readable):
            name = suspects[row]
            yield row, findings.core_unreadable(dataset.field(name), place(table, name, row))
