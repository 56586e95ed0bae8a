"""Tables side by side in one sheet: which columns belong to which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, pairwise

from piperoll.reading.columns.lexicon import Lexicon, bare
from piperoll.reading.grids.grid import Grid, Row, Rows, tidy
from piperoll.reading.tables.headings import HeadingRow, best_heading_row, heading_rows, names_core

Span = tuple[int, int]
"""Columns from the first to before the second, counted from 0."""

_LOOK = 400
"""So many rows from the headings on show which columns are empty."""


def spans_of(grid: Grid, best: HeadingRow, lexicon: Lexicon) -> list[Span]:
    """The columns of each table where two or more stand side by side; empty for one table.

    A table of its own has headings for every core field, and says some of them again. Tables are parted by an empty
    column, or by their headings beginning again: `Date, Supplier, Amount, Date, Supplier, Amount`.
    """
    near = grid.rows[max(0, best.start - 5) : best.index + _LOOK]
    filled = sorted({column for row in near for column, cell in enumerate(row.cells) if tidy(cell)})
    runs = _runs(filled)
    named = {run[0]: _named(near, (run[0], run[-1] + 1), lexicon) for run in runs if len(run) > 1}
    again = any(one & other for one, other in combinations(named.values(), 2))
    starts = [start for start, fields in named.items() if fields] if again else _beginnings(best, lexicon)
    if len(starts) < 2:
        return []
    starts[0] = 0
    return list(pairwise([*starts, max(grid.width, filled[-1] + 1)]))


def _runs(columns: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for column in columns:
        if runs and column == runs[-1][-1] + 1:
            runs[-1].append(column)
        else:
            runs.append([column])
    return runs


def _named(rows: Rows, span: Span, lexicon: Lexicon) -> frozenset[str]:
    """The fields that the headings in some columns name; none where they do not name the core."""
    found = best_heading_row(heading_rows(Grid(None, Rows.of(masked(rows, span))), lexicon))
    return found.fields if found is not None and names_core(found, lexicon) else frozenset()


def _beginnings(best: HeadingRow, lexicon: Lexicon) -> list[int]:
    """Where a row of headings begins, each time it says the same from the first; empty if it says all but once."""
    named = [(column, bare(cell)) for column, cell in enumerate(best.cells) if bare(cell)]
    for times in range(len(named) // 2, 1, -1):
        size, rest = divmod(len(named), times)
        keys = [key for _, key in named[:size]]
        if rest or len(set(keys)) < size or keys * times != [key for _, key in named]:
            continue
        fields = {match.field for column, _ in named[:size] for match in lexicon.meanings(best.cells[column])[:1]}
        if not lexicon.dataset.missing_core(fields, period_given=True):
            return [column for column, _ in named[::size]]
    return []


def masked(rows: Rows, span: Span) -> Iterator[Row]:
    """The rows with nothing outside some columns; every cell keeps its letter."""
    start, end = span
    for row in rows:
        yield Row(row.number, row.line, [""] * min(start, len(row.cells)) + list(row.cells[start:end]))


def band(grid: Grid, span: Span) -> Grid:
    """The grid with nothing outside some columns."""
    return replace(grid, rows=Rows.of(masked(grid.rows, span)))
