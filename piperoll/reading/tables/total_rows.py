"""The rule that proves a total row: its amount is a sum of the rows above it. A label alone proves nothing."""

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
"""The most subtotals that are added up to prove a total over them."""

_TOTAL = r"(?:sub[\s\-]?)?totals?(?: for)?"
_GROUP = re.compile(r"\S.*[\s:\-–](?:sub-?)?totals?\W*", re.I)


@dataclass(frozen=True, slots=True)
class TotalCandidate:
    """A row that may be a total: its amount, its words, its number of filled cells, and whether it has a date."""

    amount: Decimal
    words: Sequence[str]
    filled: int
    dated: bool


@dataclass(frozen=True, slots=True)
class TotalProof:
    """The proof that a row is a total; if it is not `proved`, the row is a total by its label alone.

    `difference` is its amount less the nearest sum of rows above it.
    """

    proved: bool
    difference: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class SumsAbove:
    """The sums of the sections above a section: of all their records (`whole`), and since the last total (`part`)."""

    whole: Decimal = Decimal(0)
    rows: int = 0
    part: Decimal = Decimal(0)
    part_rows: int = 0


NOTHING_ABOVE = SumsAbove()
"""The sums above the first section of a sheet."""


@dataclass
class RunningSums:
    """The sums that a total may state: of everything so far, since the last total, and of the last subtotals.

    Each may also include the sections `above`.
    """

    above: SumsAbove = NOTHING_ABOVE
    whole: Decimal = Decimal(0)
    part: Decimal = Decimal(0)
    rows: int = 0
    part_rows: int = 0
    parts: list[Decimal] = field(default_factory=list)
    group: str = ""
    """The text of the last row with nothing else, which may be the heading of a group of records."""

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


def prove_total(row: TotalCandidate, sums: RunningSums, typical: float) -> TotalProof | None:
    """Return the proof that a row is a total; None for a record.

    A label and the right sum prove it. So does the right sum alone, in a row with little else. A row with a date, or
    with as many cells as the others, is a record unless a cell says nothing but `Total`. A label without the right sum
    makes a row with nothing else a total, with its difference.
    """
    if row.dated or len(row.words) > 2:
        alone = any(map(is_total, row.words))
        return _prove_labelled(row, sums, least=2) if alone and row.amount else None
    named = any(_names_group(word, sums.group) for word in row.words)
    sparse = named or row.filled <= typical / 2
    if named or any(map(is_label, row.words)) or (sparse and any(_GROUP.fullmatch(word) for word in row.words)):
        return _prove_labelled(row, sums, least=1) or _total_by_label(row, sums, sparse=sparse)
    if row.amount and (sparse or not row.words):
        near = Decimal(0) if row.words else NEAR
        for total, count in sums.stated():
            # Without a label, a single row above proves nothing, unless there are other subtotals above.
            if abs(row.amount - total) <= near and (count > 1 or (sums.parts and count == sums.part_rows)):
                return TotalProof(proved=True, difference=row.amount - total)
    return None


def _names_group(word: str, group: str) -> bool:
    """Return whether a cell is the label of the total of a group: `Total Acme Ltd` or `Acme Ltd total`."""
    if not group or group.casefold() not in word.casefold():
        return False
    name = re.escape(group)
    return bool(re.fullmatch(rf"{_TOTAL}\W+{name}\W*|{name}\W+{_TOTAL}\W*", word, re.I))


def _prove_labelled(row: TotalCandidate, sums: RunningSums, *, least: int) -> TotalProof | None:
    """Return the proof by the first sum of `least` rows or more that the row's amount states."""
    for total, count in sums.stated():
        tolerance = NEAR
        if row.amount == row.amount.to_integral_value():
            if total != total.to_integral_value():
                tolerance = _HALF  # the total was rounded to whole pounds
            elif count > 1:  # all amounts were rounded, so the error grows with the rows
                tolerance = max(NEAR, min(_HALF * count, _SHARE * abs(total)))
        if count >= least and abs(row.amount - total) <= tolerance:
            return TotalProof(proved=True, difference=row.amount - total)
    return None


def _total_by_label(row: TotalCandidate, sums: RunningSums, *, sparse: bool) -> TotalProof | None:
    """Return a labelled row that fits no sum as a total, with its difference; None if it says anything else."""
    if len(row.words) > 1 and not sparse:
        return None
    if not sums.rows:  # nothing to add up yet: only an amount carried over from another page is a total
        return TotalProof(proved=False, difference=row.amount) if any(map(is_carried, row.words)) else None
    nearest = min((row.amount - total for total, _ in sums.stated()), key=abs)
    return TotalProof(proved=False, difference=nearest)
