"""What may not stand twice: values and keys compared as Frictionless compares them, in bounded memory.

Two cells are the same if their values are: as integers 01 is 1, as numbers 1.50 is 1.5. Of every row only a hash is
kept (8 bytes); the rows whose hash stands twice are then compared by value.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from piperoll.checking.structure.compiling import CompiledField
from piperoll.checking.structure.predicates import Cells
from piperoll.checking.structure.predicates.numbers import bare
from piperoll.checking.structure.replaying import Replay
from piperoll.checking.structure.verdicts import Judged

Hashes = npt.NDArray[np.int64]


def values(cells: Cells, field: CompiledField, judged: Judged, replay: Replay) -> list[Any]:
    """Every cell's value as Frictionless has it, None where there is none or where it is of the wrong type."""
    lost = judged.missing.copy()
    for fault in judged.faults:
        if fault.breaks == "type":
            lost[fault.places] = True
    name, make = field.spec.name, _maker(field)
    replayed = judged.doubtful | (make is None)
    read = _read(cells, field, lost | replayed)
    found = [value if value is None or make is None else make(value) for value in read]
    places = np.flatnonzero(replayed & ~lost)
    for place, cell in zip(places.tolist(), cells.take(places).to_pylist(), strict=True):
        found[place] = _comparable(replay.read(name, cell)[0])
    return found


@dataclass
class Repeats:
    """Which keys stand in an earlier row, too. First `note` every batch; then `again` every batch in the same order.

    A key is None where it counts for nothing.
    """

    _noted: list[Hashes] = field(default_factory=list)
    _seen: dict[Hashable, int] = field(default_factory=dict)
    _at: int = 0

    def note(self, keys: Sequence[Hashable]) -> None:
        """Take down a batch."""
        self._noted.append(np.fromiter(map(_hash, keys), np.int64, len(keys)))

    @cached_property
    def suspects(self) -> Hashes:
        """The hashes that stand twice. Everything has been noted by now."""
        noted = np.sort(np.concatenate([np.zeros(0, np.int64), *self._noted]))
        return np.unique(noted[1:][(noted[1:] == noted[:-1]) & (noted[1:] != _NOTHING)])

    @property
    def possible(self) -> bool:
        """Whether anything noted can stand twice."""
        return len(self.suspects) > 0

    def again(self, keys: Callable[[Sequence[int]], Sequence[Hashable]]) -> Iterator[int]:
        """The places in the next batch whose key stood before; `keys` are asked for of the suspected places only."""
        noted = self._noted[self._at]
        self._at += 1
        if not self.possible:
            return
        places = np.flatnonzero(np.isin(noted, self.suspects)).tolist()
        for place, key in zip(places, keys(places), strict=True):
            if key is None:
                continue
            if key in self._seen:
                yield place
            self._seen[key] = 1


_NOTHING = np.iinfo(np.int64).min
"""The hash of what counts for nothing. Python's own hashes of that size are rare, and a key that has it is noted as
the next number: a hash is only ever a suspicion."""


def _hash(key: Hashable) -> int:
    return _NOTHING if key is None else max(hash(key), _NOTHING + 1)


def _read(cells: Cells, field: CompiledField, lost: npt.NDArray[np.bool_]) -> list[str | None]:
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
