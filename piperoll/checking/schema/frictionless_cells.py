"""The doubtful cells: each distinct one is read by Frictionless once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from piperoll.checking.schema import reference
from piperoll.checking.schema.reference import Read

_REMEMBERED = 1 << 16
"""How many distinct cells of a field are remembered."""


@dataclass
class Replay:
    """Frictionless's reading of single cells, by field. `cells` counts how many were asked for, repeats included."""

    descriptor: Mapping[str, Any]
    cells: int = 0
    _readers: dict[str, Callable[[str | None], Read]] = field(default_factory=dict)

    def read(self, name: str, cell: str | None) -> Read:
        """The cell's value and what it breaks."""
        self.cells += 1
        if name not in self._readers:
            self._readers[name] = lru_cache(_REMEMBERED)(reference.reader(self.descriptor, name))
        return self._readers[name](cell)
