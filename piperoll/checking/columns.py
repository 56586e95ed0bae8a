"""Columns: which are missing, and which have gaps or cells that hold their row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from piperoll.checking import findings
from piperoll.checking.places import filled, place
from piperoll.checking.rows import Rows
from piperoll.checking.survey import Survey, asked, core_columns
from piperoll.model import Body, Dataset, Field, Finding
from piperoll.reading import ReadTable


def missing_core(table: ReadTable, dataset: Dataset, *, period_given: bool) -> tuple[Finding, ...]:
    """One finding for each core group of which `table` has no column; any of them makes the table useless."""
    groups = dataset.missing_core(filled(table), period_given=period_given)
    return tuple(findings.core_missing(dataset, group, place(table)) for group in groups)


def gaps(table: ReadTable, dataset: Dataset, body: Body, seen: Survey) -> Iterator[Finding]:
    """One warning for each column that law or code asks of `body` and that is absent, or that has gaps.

    Of a core group the first column that is there is looked at. A column that can be derived is not missed. Of a
    body whose kind we do not know, a column that is asked of some kinds only is told and not warned of.
    """
    first_of_core = {group[0] for group in core_columns(table, dataset) if group}
    for field in dataset.fields:
        if field.name in table.columns and (asked(field) or field.name in first_of_core):
            missing = len(seen.missing[field.name])
            if missing and not (field.constraints or {}).get("required"):
                yield findings.cells_missing(field, place(table, field.name), missing, table.rows)
        elif asked(field) and field.name not in table.columns and _falls_on(field, body):
            yield findings.column_absent(field, table.sheet, certain=not field.kinds or not body.provisional)


def _falls_on(field: Field, body: Body) -> bool:
    return not field.kinds or body.provisional or body.kind in field.kinds


def unreadable_core(table: ReadTable, seen: Survey) -> Iterator[tuple[int, str]]:
    """Each row that is held because of a core group no cell can be read though one is there, and that one's field.

    Of several it is the last. The rows are in order within each group.
    """
    for names, readable in seen.readable:
        lost = [Rows(table.unreadable.get(name, ())) for name in names]
        union = Rows()
        for rows in lost:
            union.add(rows.numbers)
        held = (union - readable).numbers
        last = np.max([rows.holding(held) * number for number, rows in enumerate(lost)], axis=0)
        yield from zip(held.tolist(), (names[number] for number in last.tolist()), strict=True)
