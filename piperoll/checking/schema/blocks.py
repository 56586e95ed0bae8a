"""A table in blocks of whole columns, judged block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from piperoll.checking.schema.compiling import CompiledField
from piperoll.checking.schema.evaluate import Judged, judge
from piperoll.checking.schema.frictionless_cells import Replay
from piperoll.checking.schema.predicates import Cells


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of a table: the cells of each field, in the order of the fields.

    `numbers` are the rows' own. `widths` says how many cells each row had, None where all had one for each field.
    """

    columns: tuple[Cells, ...]
    numbers: npt.NDArray[np.int64]
    widths: npt.NDArray[np.int64] | None = None


Blocks: TypeAlias = Callable[[], Iterable[Block]]
"""The table from its start, as often as wanted."""


class Found(NamedTuple):
    """An error of a row, in its place within the block. `column` counts from 1; 0 stands for the row as a whole.

    `kind` is Frictionless's type; `rule` is the constraint that is broken, if one is.
    """

    place: int
    column: int
    kind: str
    rule: str | None = None


def judged(block: Block, fields: Sequence[CompiledField], replay: Replay) -> list[Judged]:
    """Every column of the block judged."""
    return [judge(cells, field, replay) for cells, field in zip(block.columns, fields, strict=True)]


def cell_errors(verdicts: Sequence[Judged]) -> Iterator[Found]:
    """What the cells of a block break, field by field."""
    for number, column in enumerate(verdicts, start=1):
        for faults in column.faults:
            kind, rule = ("type-error", None) if faults.breaks == "type" else ("constraint-error", faults.breaks)
            for place in faults.places.tolist():
                yield Found(place, number, kind, rule)


def row_errors(block: Block, verdicts: Sequence[Judged]) -> Iterator[Found]:
    """What the cells of a block break, and what is wrong with its rows: of a blank one nothing else is said."""
    blank = np.logical_and.reduce([column.missing for column in verdicts])
    for place in np.flatnonzero(blank).tolist():
        yield Found(place, 0, "blank-row")
    for found in (*cell_errors(verdicts), *_width_errors(block)):
        if not blank[found.place]:
            yield found


def in_order(found: Iterable[Found]) -> list[Found]:
    """Errors row by row, within a row in the order in which they were found."""
    return sorted(found, key=lambda each: each.place)


def _width_errors(block: Block) -> Iterator[Found]:
    """Cells beyond the fields, and fields without a cell."""
    if block.widths is None:
        return
    wanted = len(block.columns)
    for place in np.flatnonzero(block.widths != wanted).tolist():
        width = int(block.widths[place])
        for number in range(wanted + 1, width + 1):
            yield Found(place, number, "extra-cell")
        for number in range(width + 1, wanted + 1):
            yield Found(place, number, "missing-cell")
