"""What may not stand twice and what must stand elsewhere: keys compared by value, in bounded memory.

Of every row only a hash is kept (8 bytes a key); the rows whose hash stands twice are then compared by value.
Of what a foreign key refers to the distinct values are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from piperoll.checking.schema.blocks import Block, Blocks, Found
from piperoll.checking.schema.compiling import CompiledField
from piperoll.checking.schema.evaluate import Judged, judge
from piperoll.checking.schema.frictionless_cells import Replay
from piperoll.checking.schema.values import values

Hashes = npt.NDArray[np.int64]
Values: TypeAlias = Callable[[int], list[Any]]
"""The values of a column, by its place among the fields."""


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
        self._noted.append(_hashes(keys))

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


_NOTHING = -1
"""The hash of what counts for nothing: Python gives it to no value."""


def _hashes(keys: Sequence[Hashable]) -> Hashes:
    """Python's own hashes, which are the same for what is equal."""
    there = None not in keys
    return np.fromiter(
        map(hash, keys) if there else (_NOTHING if key is None else hash(key) for key in keys), np.int64, len(keys)
    )


@dataclass(frozen=True)
class Unique:
    """Columns whose values together may not stand twice; `kind` is Frictionless's error type.

    A row in which all of them are empty counts for nothing in a unique field, and is an error of a primary key.
    """

    kind: str
    columns: tuple[int, ...]
    repeats: Repeats = field(default_factory=Repeats)

    def keys(self, values: Values) -> list[Hashable]:
        """Every row's key; None where all is empty."""
        return _together([values(column) for column in self.columns])

    def errors(self, values: Values, length: int) -> Iterator[Found]:
        """The errors of the next block."""
        column = self.columns[0] + 1 if self.kind == "unique-error" else 0
        if self.kind == "primary-key":
            keys = self.keys(values)
            yield from (Found(place, 0, self.kind) for place in range(length) if keys[place] is None)
        for place in self.repeats.again(lambda places: _taken(self.keys(values), places)):
            yield Found(place, column, self.kind)


@dataclass(frozen=True)
class Foreign:
    """Columns whose values must stand together in `known`, unless all are empty."""

    columns: tuple[int, ...]
    known: frozenset[Hashable]

    def errors(self, values: Values) -> Iterator[Found]:
        """The errors of a block."""
        for place, key in enumerate(_together([values(column) for column in self.columns])):
            if key is not None and key not in self.known:
                yield Found(place, 0, "foreign-key")


def noted(uniques: Sequence[Unique], blocks: Blocks, fields: Sequence[CompiledField], replay: Replay) -> None:
    """Take down the whole table, before the first error is asked for."""
    for block in blocks() if uniques else ():
        own = valued(block, fields, {}, replay)
        for unique in uniques:
            unique.repeats.note(unique.keys(own))


def known(
    blocks: Blocks, fields: Sequence[CompiledField], columns: Sequence[int | None], replay: Replay
) -> frozenset[Hashable]:
    """Every key that stands in a table that is referred to; a column that it lacks (None) is empty in every row."""
    keys: set[Hashable] = set()
    for block in blocks():
        own = valued(block, fields, {}, replay)
        read = [[None] * len(block.numbers) if column is None else own(column) for column in columns]
        keys.update(_together(read))
    return frozenset(keys - {None})


def valued(block: Block, fields: Sequence[CompiledField], verdicts: dict[int, Judged], replay: Replay) -> Values:
    """The values of a block's columns, each made when it is first asked for; `verdicts` are those at hand."""
    made: dict[int, list[Any]] = {}

    def column(at: int) -> list[Any]:
        if at not in made:
            verdict = verdicts.get(at) or judge(block.columns[at], fields[at], replay)
            made[at] = values(block.columns[at], fields[at], verdict, replay)
        return made[at]

    return column


def _together(columns: Sequence[list[Any]]) -> list[Hashable]:
    if len(columns) == 1:
        return columns[0]
    return [None if all(value is None for value in key) else key for key in zip(*columns, strict=True)]


def _taken(keys: Sequence[Hashable], places: Sequence[int]) -> list[Hashable]:
    return [keys[place] for place in places]
