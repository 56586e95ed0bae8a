"""A table in blocks of whole columns, judged block by block: the cells, then what may not stand twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piperoll.checking.structure.compiling import CompiledField
from piperoll.checking.structure.keys import Repeats, values
from piperoll.checking.structure.predicates import Cells
from piperoll.checking.structure.replaying import Replay
from piperoll.checking.structure.verdicts import Judged, judge


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
    """An error of a row, in its place within the block. `field` counts from 1; 0 stands for the row as a whole.

    `kind` is Frictionless's type; `rule` is the constraint that is broken, if one is.
    """

    place: int
    field: int
    kind: str
    rule: str | None = None


def cell_errors(judged: Sequence[Judged]) -> Iterator[Found]:
    """What the cells of a block break, field by field."""
    for number, column in enumerate(judged, start=1):
        for faults in column.faults:
            kind, rule = ("type-error", None) if faults.breaks == "type" else ("constraint-error", faults.breaks)
            for place in faults.places.tolist():
                yield Found(place, number, kind, rule)


@dataclass(frozen=True)
class Uniques:
    """The fields whose values may not stand twice, by their place among the fields, from 0."""

    fields: tuple[CompiledField, ...]
    repeats: dict[int, Repeats]

    @classmethod
    def noted(cls, fields: tuple[CompiledField, ...], blocks: Blocks, replay: Replay) -> Uniques:
        """Every unique field, its values taken down."""
        uniques = cls(fields, {at: Repeats() for at, field in enumerate(fields) if field.spec.unique})
        if uniques.repeats:
            for block in blocks():
                for at, repeats in uniques.repeats.items():
                    cells = block.columns[at]
                    repeats.note(values(cells, fields[at], judge(cells, fields[at], replay), replay))
        return uniques

    def errors(self, block: Block, judged: Sequence[Judged], replay: Replay) -> Iterator[Found]:
        """The repeats in the next block."""
        for at, repeats in self.repeats.items():
            for place in repeats.again(_values_at(block.columns[at], self.fields[at], judged[at], replay)):
                yield Found(place, at + 1, "unique-error")


def _values_at(
    cells: Cells, field: CompiledField, judged: Judged, replay: Replay
) -> Callable[[Sequence[int]], Sequence[Hashable]]:
    def at(places: Sequence[int]) -> list[Hashable]:
        found = values(cells, field, judged, replay)
        return [found[place] for place in places]

    return at


def judged(block: Block, fields: Sequence[CompiledField], replay: Replay) -> list[Judged]:
    """Every column of the block judged."""
    return [judge(cells, field, replay) for cells, field in zip(block.columns, fields, strict=True)]


def in_order(found: Iterable[Found]) -> list[Found]:
    """Errors row by row, within a row in the order in which they were found."""
    return sorted(found, key=lambda each: each.place)


def empty(length: int) -> Cells:
    """A column in which nothing stands."""
    return pa.nulls(length, pa.string())
