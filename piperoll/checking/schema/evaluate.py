"""The engine: a column's cells through the rules of its field, the doubtful ones through Frictionless."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from piperoll.checking.schema.compiling import CompiledField
from piperoll.checking.schema.frictionless_cells import Replay
from piperoll.checking.schema.predicates import PREDICATES, Cells, Mask


@dataclass(frozen=True, slots=True)
class Faults:
    """What cells of one field break: "type" or a constraint; `places` count from 0 within the batch, ascending."""

    breaks: str
    places: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Judged:
    """A column judged: its faults, where no value stands (None: everywhere one does), and what was doubtful."""

    faults: tuple[Faults, ...]
    missing: Mask
    doubtful: Mask


def text(cells: pa.Array[Any]) -> Cells:
    """The column as Arrow's `string`, whatever kind of text it is."""
    return cast("Cells", cells if cells.type == pa.string() else pc.cast(cells, pa.string()))


def judge(cells: Cells, field: CompiledField, replay: Replay) -> Judged:
    """Every fault of the column, by Frictionless's own reading."""
    missing = PREDICATES["missing"].unproven(cells, field.missing)
    faults, doubtful = _proven(cells, field, missing)
    if field.spec.required:
        faults.append(_faults("required", PREDICATES["required"].unproven(cells, field.missing)))
    faults += _replayed(cells, field, doubtful, replay)
    return Judged(tuple(each for each in faults if len(each.places)), missing, doubtful)


def _proven(cells: Cells, field: CompiledField, missing: Mask) -> tuple[list[Faults], Mask]:
    """What the rules prove by themselves, and which cells they leave in doubt."""
    faults, doubtful, settled = [], np.zeros(len(cells), np.bool_), missing
    if np.count_nonzero(missing) > cells.null_count:
        cells = _without(cells, missing)
    for rule in field.rules:
        unproven = PREDICATES[rule.predicate].unproven(cells, rule.argument) & ~settled
        if not unproven.any():
            continue
        if rule.breaks in {None, "type"}:  # what follows is about good values only
            settled = settled | unproven
            cells = _without(cells, unproven)
        if rule.breaks is None:
            doubtful |= unproven
        else:
            faults.append(_faults(rule.breaks, unproven))
    return faults, doubtful


def _replayed(cells: Cells, field: CompiledField, doubtful: Mask, replay: Replay) -> Iterator[Faults]:
    places = np.flatnonzero(doubtful)
    if not len(places):
        return
    broken: dict[str, list[int]] = {}
    for place, cell in zip(places.tolist(), cells.take(places).to_pylist(), strict=True):
        for breaks in replay.read(field.spec.name, cell)[1]:
            broken.setdefault(breaks, []).append(place)
    for breaks, at in broken.items():
        yield Faults(breaks, np.array(at, np.intp))


def _without(cells: Cells, where: Mask) -> Cells:
    """The column with nulls there."""
    return cast("Cells", pc.if_else(pa.array(where), pa.scalar(None, pa.string()), cells))


def _faults(breaks: str, where: Mask) -> Faults:
    return Faults(breaks, np.flatnonzero(where))
