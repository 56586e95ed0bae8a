"""Evaluates columns: their cells through the rules of their fields, and those in doubt through Frictionless."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piperoll.checking.schema.compile import PREDICATES, CompiledField
from piperoll.checking.schema.frictionless_cells import FrictionlessCells
from piperoll.model.columns import Cells, Flags, pc


@dataclass(frozen=True, slots=True)
class CellFaults:
    """Cells of one column that break its type ("type") or a constraint; `indices` within the batch, ascending."""

    breaks: str
    indices: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class EvaluatedColumn:
    """The faults of a column, where it has no value, and which cells Frictionless has read."""

    faults: tuple[CellFaults, ...]
    missing: Flags
    doubtful: Flags


def evaluate_column(cells: Cells, field: CompiledField, frictionless: FrictionlessCells) -> EvaluatedColumn:
    """Find every cell of a column that Frictionless would refuse by its field."""
    missing = PREDICATES["missing"](cells, None)
    doubtful, settled = np.zeros(len(cells), np.bool_), missing
    faults: list[CellFaults] = []
    left = _blank(cells, missing) if np.count_nonzero(missing) > cells.null_count else cells
    for rule in field.rules:
        unproven = PREDICATES[rule.predicate](left, rule.argument) & ~settled
        if not unproven.any():
            continue
        if rule.breaks is None:
            doubtful |= unproven
        else:
            faults.append(CellFaults(rule.breaks, np.flatnonzero(unproven)))
        if rule.breaks in {None, "type"}:  # constraints are tested on cells whose type is right
            settled = settled | unproven
            left = _blank(left, unproven)
    if field.required:
        faults.append(CellFaults("required", np.flatnonzero(missing)))
    # Frictionless decides about the cells in doubt
    indices = np.flatnonzero(doubtful)
    broken: dict[str, list[int]] = {}
    for index, cell in zip(indices.tolist(), cells.take(indices).to_pylist(), strict=True):
        for breaks in frictionless.read(field.name, cell).breaks:
            broken.setdefault(breaks, []).append(index)
    faults += [CellFaults(breaks, np.array(where, np.intp)) for breaks, where in broken.items()]
    return EvaluatedColumn(tuple(each for each in faults if len(each.indices)), missing, doubtful)


def _blank(cells: Cells, where: Flags) -> Cells:
    return pc.if_else(pa.array(where), pa.scalar(None, pa.string()), cells)


VALUE_OF: dict[str, Callable[[str], Hashable]] = {
    "string": str,
    "integer": int,
    "number": Decimal,
    "date": date.fromisoformat,
}
"""How Frictionless converts a cell that is certainly valid, so that the integers 1 and 01 are equal."""


def read_values(
    cells: Cells, field: CompiledField, column: EvaluatedColumn, frictionless: FrictionlessCells
) -> list[Hashable | None]:
    """Return the values of a column as Frictionless reads them; None where there is none or the type is wrong."""
    lost = column.missing.copy()
    for fault in column.faults:
        if fault.breaks == "type":
            lost[fault.indices] = True
    make = VALUE_OF.get(field.type) if field.compiled else None

    def read(cell: str, doubtful: bool) -> Hashable:
        if make and not doubtful:
            return make(cell)
        value = frictionless.read(field.name, cell).value
        return object() if isinstance(value, Decimal) and value.is_nan() else value  # no NaN equals another

    rows = zip(cells.to_pylist(), lost.tolist(), column.doubtful.tolist(), strict=True)
    return [None if without else read(cell, doubtful) for cell, without, doubtful in rows]


class RepeatFinder:
    """Finds values that repeat one in an earlier row, with eight bytes in memory for each row.

    Call `add` with every batch, then `find` with every batch in the same order. None never repeats.
    """

    def __init__(self) -> None:
        self._hashes: list[npt.NDArray[np.int64]] = []
        self._seen: set[Hashable] = set()

    def add(self, values: Sequence[Hashable | None]) -> None:
        """Add the values of a batch."""
        self._hashes.append(np.array([hash(value) for value in values if value is not None], np.int64))

    @cached_property
    def _repeated(self) -> frozenset[int]:
        """The hashes of more than one row."""
        hashes = np.sort(np.concatenate([np.zeros(0, np.int64), *self._hashes]))
        self._hashes.clear()
        return frozenset(hashes[1:][hashes[1:] == hashes[:-1]].tolist())

    def find(self, values: Sequence[Hashable | None]) -> Iterator[int]:
        """Yield the indices, in the next batch, of the values that an earlier row of the table has too."""
        for index, value in enumerate(values if self._repeated else ()):
            if value is not None and hash(value) in self._repeated:
                if value in self._seen:
                    yield index
                self._seen.add(value)
