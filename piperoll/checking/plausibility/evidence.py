"""Evidence: what the rules need to know of all rows, taken in batch by batch.

Each kind takes one batch after the other and says in the end what it found. It holds counts, places and numbers,
never a Python object a row; two expectations that need the same share it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from piperoll.checking.plausibility.columns import Kind, Mask, Rows
from piperoll.checking.plausibility.conditions import Predicate
from piperoll.checking.plausibility.hashing import Keys, distinct_keys, keys, once

Places = npt.NDArray[np.uint32]
"""Lines of the frame, counted from 0, in four bytes: a file of four thousand million lines is beyond us."""


class Evidence(Protocol):
    """What takes in the batches of a frame."""

    def take(self, rows: Rows) -> None:
        """Look at one batch more."""

    def found(self) -> Any:
        """What all the batches came to."""


@dataclass(frozen=True, slots=True)
class Judged:
    """How rows were judged: so many `looked_at` of the `elements` that a condition let through, some `unexpected`."""

    elements: int
    looked_at: int
    unexpected: Places


@dataclass
class RowByRow:
    """Rows that are judged each for itself: those of `domain` that `counts` lets through must be `good`."""

    domain: Predicate
    counts: Predicate
    good: Predicate
    elements: int = 0
    looked_at: int = 0
    unexpected: list[Places] = field(default_factory=list)

    def take(self, rows: Rows) -> None:
        """Judge a batch."""
        within = self.domain(rows)
        counted = within & self.counts(rows)
        self.elements += int(np.count_nonzero(within))
        self.looked_at += int(np.count_nonzero(counted))
        self.unexpected.append(_places(np.flatnonzero(counted & ~self.good(rows)), rows))

    def found(self) -> Judged:
        """How they were judged."""
        return Judged(self.elements, self.looked_at, joined(self.unexpected, np.uint32))


@dataclass
class InOrder:
    """Rows of which each is judged beside the one before it that counts; the first has none and is good."""

    domain: Predicate
    name: str
    good: Callable[[npt.NDArray[Any], npt.NDArray[Any]], Mask]
    elements: int = 0
    looked_at: int = 0
    unexpected: list[Places] = field(default_factory=list)
    last: npt.NDArray[Any] | None = None

    def take(self, rows: Rows) -> None:
        """Judge a batch beside the end of the one before."""
        within = self.domain(rows)
        places = np.flatnonzero(within & ~rows.missing(self.name))
        values = rows.ordered(self.name)[places]
        self.elements += int(np.count_nonzero(within))
        self.looked_at += len(places)
        if len(places):
            before = values[:1] if self.last is None else self.last
            bad = ~self.good(np.concatenate([before, values[:-1]]), values)
            bad[0] &= self.last is not None
            self.unexpected.append(_places(places[bad], rows))
            self.last = values[-1:]

    def found(self) -> Judged:
        """How they were judged."""
        return Judged(self.elements, self.looked_at, joined(self.unexpected, np.uint32))


@dataclass
class Repeated:
    """Rows that must differ from all others in the columns `names`: the first of those that repeat is one of them."""

    domain: Predicate
    counts: Predicate
    names: list[str]
    elements: int = 0
    keys: list[Keys] = field(default_factory=list)
    places: list[Places] = field(default_factory=list)

    def take(self, rows: Rows) -> None:
        """Take in the keys of a batch."""
        within = self.domain(rows)
        counted = np.flatnonzero(within & self.counts(rows))
        self.elements += int(np.count_nonzero(within))
        self.keys.append(keys(rows, self.names)[counted])
        self.places.append(_places(counted, rows))

    def found(self) -> Judged:
        """Which rows stand more than once."""
        made, places = joined(self.keys, np.uint64), joined(self.places, np.uint32)
        return Judged(self.elements, len(made), places[repeating(made)])


def repeating(made: Keys) -> Mask:
    """Which of the keys stand more than once."""
    in_order = np.sort(made)
    again = once(in_order[1:][in_order[1:] == in_order[:-1]])
    if not len(again):
        return np.zeros(len(made), np.bool_)
    found: Mask = again[np.minimum(np.searchsorted(again, made), len(again) - 1)] == made
    return found


@dataclass
class Numbers:
    """All cells of a column of numbers or dates as they stand, empty ones as NaN or NaT, among the rows of `domain`."""

    domain: Predicate
    name: str
    cells: list[npt.NDArray[Any]] = field(default_factory=list)

    def take(self, rows: Rows) -> None:
        """Take in the cells of a batch."""
        self.cells.append(rows.ordered(self.name)[self.domain(rows)])

    def found(self) -> npt.NDArray[Any]:
        """The cells, in order."""
        self.cells = [joined(self.cells, np.float64)]
        return self.cells[0]


@dataclass(frozen=True, slots=True)
class Differing:
    """How many cells of a column are `filled`, how many `rows` there are, and how many `different` cells."""

    rows: int
    filled: int
    different: int


@dataclass
class Different:
    """How many different cells a column has among the rows of `domain`."""

    domain: Predicate
    name: str
    rows: int = 0
    filled: int = 0
    keys: list[Keys] = field(default_factory=list)
    held: int = 0

    def take(self, rows: Rows) -> None:
        """Take in the different cells of a batch; what repeats is let go each time that it might have doubled."""
        within = self.domain(rows)
        self.rows += int(np.count_nonzero(within))
        self.filled += int(np.count_nonzero(within & ~rows.missing(self.name)))
        self.keys.append(distinct_keys(rows, self.name, within))
        if sum(map(len, self.keys)) > 2 * self.held + _SOME:
            self._settle()

    def found(self) -> Differing:
        """How many there are."""
        self._settle()
        return Differing(self.rows, self.filled, self.held)

    def _settle(self) -> None:
        self.keys = [once(joined(self.keys, np.uint64))]
        self.held = len(self.keys[0])


_SOME = 100_000
"""Keys that are not worth settling yet: 800 kB."""


@dataclass
class Values:
    """The different filled cells of a column among the rows of `domain`, and how often each stands there."""

    domain: Predicate
    name: str
    parts: list[pa.Table] = field(default_factory=list)

    def take(self, rows: Rows) -> None:
        """Count the cells of a batch."""
        filled = self.domain(rows) & ~rows.missing(self.name)
        if rows.kinds[self.name] is Kind.TEXT:
            text = rows.text(self.name)
            counts = np.bincount(text.codes[filled], minlength=len(text.distinct))
            self.parts.append(pa.table({"value": text.distinct, "count": counts}).filter(pc.field("count") > 0))
        else:
            values, counts = np.unique(rows.numbers(self.name)[filled] + 0.0, return_counts=True)  # -0 is 0
            self.parts.append(pa.table({"value": values, "count": counts}))

    def found(self) -> pa.Table:
        """`value` and `count`, in the order of the values."""
        if not self.parts:
            return pa.table({"value": pa.array([], pa.string()), "count": pa.array([], pa.int64())})
        whole = pa.concat_tables(self.parts).group_by("value").aggregate([("count", "sum")])
        return whole.rename_columns(["value", "count"]).sort_by("value")


@dataclass
class Size:
    """How many rows a condition lets through."""

    domain: Predicate
    rows: int = 0

    def take(self, rows: Rows) -> None:
        """Count those of a batch."""
        self.rows += int(np.count_nonzero(self.domain(rows)))

    def found(self) -> int:
        """How many there are."""
        return self.rows


def joined(parts: list[npt.NDArray[Any]], kind: Any) -> npt.NDArray[Any]:
    """All `parts` as one, each let go as soon as it is copied: what is held is never twice as much."""
    whole = np.empty(sum(map(len, parts)), parts[0].dtype if parts else kind)
    at = len(whole)
    while parts:
        part = parts.pop()
        whole[at - len(part) : at] = part
        at -= len(part)
    return whole


def _places(within: npt.NDArray[np.intp], rows: Rows) -> Places:
    return (within + rows.start).astype(np.uint32)
