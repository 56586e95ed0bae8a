"""The rule that proves a total row: its amount is a sum of the rows above it.

A label alone makes it a doubtful total.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from piperoll.reading.cells.marks import is_carried, is_label, is_total

NEAR = Decimal("0.05")
"""A stated total may differ from the sum of its rows by this many pounds, because pence are rounded."""

_HALF = Decimal("0.5")
_SHARE = Decimal("0.0005")
"""Rounded amounts may differ from their rounded total by at most this share."""

_LATELY = 200
"""The most subtotals that a total over them may add up."""

_GROUP = re.compile(r"\S.*[\s:\-–](?:sub-?)?totals?\W*", re.I)


@dataclass(frozen=True, slots=True)
class TotalCandidate:
    """What matters about a row that may be a total.

    Its amount, words, number of filled cells, and whether it has a date.
    """

    amount: Decimal
    words: Sequence[str]
    filled: int
    dated: bool


@dataclass(frozen=True, slots=True)
class TotalProof:
    """The proof that a row is a total. `difference` is its amount less the nearest sum of rows above it.

    One that is not `proved` is a total by its label alone.
    """

    proved: bool
    difference: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class SumsAbove:
    """The sums of the sections above one in its sheet: of all their records, and since the last total."""

    whole: Decimal = Decimal(0)
    rows: int = 0
    part: Decimal = Decimal(0)
    part_rows: int = 0


NOTHING_ABOVE = SumsAbove()
"""What is above the first section of a sheet."""


@dataclass
class RunningSums:
    """The running sums that a total may state: of everything so far, since the last total, and of the last subtotals.

    Each may include the sections `above`.
    """

    above: SumsAbove = NOTHING_ABOVE
    whole: Decimal = Decimal(0)
    part: Decimal = Decimal(0)
    rows: int = 0
    part_rows: int = 0
    parts: list[Decimal] = field(default_factory=list)

    def add(self, amount: Decimal | None, rows: int = 1) -> None:
        """Add a record, or several with the sum of their amounts."""
        self.whole += amount or 0
        self.part += amount or 0
        self.rows += rows
        self.part_rows += rows

    def restart(self) -> None:
        """Start a new part after a total."""
        if self.part_rows:
            self.parts.append(self.part)
        self.part, self.part_rows = Decimal(0), 0

    def stated(self) -> Iterator[tuple[Decimal, int]]:
        """Yield every sum that a total may state, with the number of rows or subtotals in it."""
        if self.rows:
            yield self.whole, self.rows
        if self.part_rows:
            yield self.part, self.part_rows
        elif self.parts:
            lately = self.parts[: -_LATELY - 1 : -1]
            total = Decimal(0)
            for count, part in enumerate(lately, start=1):
                total += part
                if count > 1:
                    yield total, count
        if self.above.rows:
            yield self.above.whole + self.whole, self.above.rows + self.rows
        if self.above.part_rows and self.part_rows and not self.parts:
            yield self.above.part + self.part, self.above.part_rows + self.part_rows

    def below(self) -> SumsAbove:
        """Return what a section below may add to its own sums."""
        whole, rows = self.above.whole + self.whole, self.above.rows + self.rows
        if self.parts:
            return SumsAbove(whole, rows, self.part, self.part_rows)
        return SumsAbove(whole, rows, self.above.part + self.part, self.above.part_rows + self.part_rows)


def prove_total(line: TotalCandidate, sums: RunningSums, typical: float) -> TotalProof | None:
    """Return the proof that a row is a total; None for a record.

    A label and the right sum prove it. So does the right sum alone, in a row with little else. A row with a date, or
    with as many cells as the others, is a record unless a cell says nothing but `Total`. A label without the right sum
    makes a total of a row with nothing else; the difference is reported.
    """
    said = any(is_label(word) for word in line.words)
    if line.dated or len(line.words) > 2:
        alone = any(map(is_total, line.words))
        return _matching(line, sums, least=2) if alone and line.amount else None
    sparse = line.filled <= typical / 2
    if said or (sparse and any(_GROUP.fullmatch(word) for word in line.words)):
        return _matching(line, sums, least=1) or _by_label(line, sums, sparse=sparse)
    if line.amount and (sparse or not line.words):
        return _unlabelled(line, sums)
    return None


def _matching(line: TotalCandidate, sums: RunningSums, *, least: int) -> TotalProof | None:
    for total, count in sums.stated():
        if count >= least and abs(line.amount - total) <= _tolerance(line.amount, total, count):
            return TotalProof(proved=True, difference=line.amount - total)
    return None


def _tolerance(amount: Decimal, total: Decimal, count: int) -> Decimal:
    """Return how far a labelled total may be from its sum: a pound if it has no pence, more if no amount has any."""
    if amount != amount.to_integral_value():
        return NEAR
    if total != total.to_integral_value():
        return _HALF
    return max(NEAR, min(_HALF * count, _SHARE * abs(total))) if count > 1 else NEAR


def _by_label(line: TotalCandidate, sums: RunningSums, *, sparse: bool) -> TotalProof | None:
    if len(line.words) > 1 and not sparse:
        return None
    carried = any(map(is_carried, line.words))
    if not sums.rows:
        return TotalProof(proved=False, difference=line.amount) if carried else None
    nearest = min((line.amount - total for total, _ in sums.stated()), key=abs)
    return TotalProof(proved=False, difference=nearest)


def _unlabelled(line: TotalCandidate, sums: RunningSums) -> TotalProof | None:
    """Return the proof without a label. A single row proves nothing, unless there are other subtotals above."""
    near = Decimal(0) if line.words else NEAR
    for total, count in sums.stated():
        if abs(line.amount - total) <= near and (count > 1 or (sums.parts and count == sums.part_rows)):
            return TotalProof(proved=True, difference=line.amount - total)
    return None
