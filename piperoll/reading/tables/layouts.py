"""Records laid out as the lines of a table: one line a record, or in a wide table one for each period with figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from piperoll.model import Period
from piperoll.model.columns import texts
from piperoll.reading.cells.marks import means_nothing
from piperoll.reading.columns.assigning import Columns
from piperoll.reading.grids.blocks import ROWS, Block, Row
from piperoll.reading.grids.forms import Holds, Looks
from piperoll.reading.grids.grid import cell_at, tidy
from piperoll.reading.tables.wide import Wide

_Periods = Sequence[tuple[Mapping[str, int], Period]]
"""Each period of a wide table with its columns by field, in order of time."""


@dataclass(frozen=True)
class Lines:
    """Some lines whose cells are not read yet: `block` holds the row of each line.

    `cells` are a field's cells as sent, `place` says in which column that of a line stands; `fixed` are the fields
    whose values are known without a cell. `looks` is what is known of the cells of each column, where the lines are
    rows as they stand.
    """

    block: Block
    cells: Mapping[str, Any] = field(default_factory=dict)
    place: Callable[[str, int], int] = lambda _name, _line: 0
    fixed: Mapping[str, Any] = field(default_factory=dict)
    looks: Looks | None = None

    def all(self, name: str, holds: Holds) -> bool:
        """Whether this holds of the form of each of a field's cells; False where that is not known."""
        return self.looks is not None and self.looks.all(self.place(name, 0), holds)


def lines_of(block: Block, looks: Looks, columns: Columns, wide: Wide | None) -> Iterator[Lines]:
    """The lines of a block of records, in order."""
    own = {name: choice.column for name, choice in columns.choices.items()}
    if wide is None:
        cells = {name: block.column(column) for name, column in own.items()}
        yield Lines(block, cells, lambda name, _: own[name], looks=looks)
        return
    rows, periods = list(block), [(wide.of(period), period) for period in wide.periods]
    pairs = [(place, which) for place, row in enumerate(rows) for which in _with_figures(row, periods)]
    for start in range(0, len(pairs), ROWS):
        yield _wide_lines(block, rows, own, wide, periods, pairs[start : start + ROWS])


def _with_figures(row: Row, periods: _Periods) -> Sequence[int]:
    """The periods that a row has figures for; the last one if it has none."""
    there = [which for which, (columns, _) in enumerate(periods) if any(_says(row, each) for each in columns.values())]
    return there or [len(periods) - 1]


def _says(row: Row, column: int) -> bool:
    return not means_nothing(tidy(cell_at(row, column)), typed=True)


def _wide_lines(
    block: Block,
    rows: Sequence[Row],
    own: Mapping[str, int],
    wide: Wide,
    periods: _Periods,
    pairs: Sequence[tuple[int, int]],
) -> Lines:
    lines = block.take(place for place, _ in pairs)
    days = [periods[which][1] for _, which in pairs]

    def place(name: str, line: int) -> int:
        return own[name] if name in own else periods[pairs[line][1]][0].get(name, -1)

    measured = {
        name: texts([cell_at(rows[row], place(name, line)) for line, (row, _) in enumerate(pairs)])
        for name in wide.fields
    }
    bounds = {
        wide.start_field: texts([day.start.isoformat() for day in days]),
        wide.end_field: texts([day.end.isoformat() for day in days]),
    }
    return Lines(lines, {name: lines.column(column) for name, column in own.items()} | measured, place, bounds)
