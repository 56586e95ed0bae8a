"""Cells as the values that Frictionless makes of them, so that they compare as it compares them.

As integers 01 is 1, as numbers 1.50 is 1.5, and no NaN is the same as another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from piperoll.checking.schema.compiling import CompiledField
from piperoll.checking.schema.evaluate import Judged
from piperoll.checking.schema.frictionless_cells import Replay
from piperoll.checking.schema.predicates import Cells, Mask
from piperoll.checking.schema.predicates.numbers import bare


def values(cells: Cells, field: CompiledField, judged: Judged, replay: Replay) -> list[Any]:
    """Every cell's value as Frictionless has it, None where there is none or where it is of the wrong type."""
    lost = judged.missing.copy()
    for fault in judged.faults:
        if fault.breaks == "type":
            lost[fault.places] = True
    name, make = field.spec.name, _maker(field)
    replayed = judged.doubtful | (make is None)
    read = _read(cells, field, lost | replayed)
    found: list[Any] = read
    if make is not None and make is not str:
        found = [value if value is None else make(value) for value in read]
    places = np.flatnonzero(replayed & ~lost)
    for place, cell in zip(places.tolist(), cells.take(places).to_pylist(), strict=True):
        found[place] = _comparable(replay.read(name, cell)[0])
    return found


def _read(cells: Cells, field: CompiledField, lost: Mask) -> list[str | None]:
    kept = pc.if_else(pa.array(lost), pa.scalar(None, pa.string()), cells) if lost.any() else cells
    return (bare(kept, field.number_form) if field.number_form else kept).to_pylist()


def _maker(field: CompiledField) -> Callable[[str], Any] | None:
    """What makes a value of a plain cell; None where Frictionless is to make it."""
    spec = field.spec
    if spec.type == "date" and spec.format != "default":
        return None
    return _MAKERS.get(spec.type)


_MAKERS: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "year": int,
    "number": Decimal,
    "date": date.fromisoformat,
}


def _comparable(value: Any) -> Any:
    """A value that equals only what it equals in Frictionless: of NaN no two are the same."""
    return object() if isinstance(value, Decimal) and value.is_nan() else value
