"""Sums of whole columns of pounds, to the last place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, FloatOperation, Inexact, InvalidOperation

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piperoll.model.columns import Cells, Flags, is_filled, pc, to_flags

_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, FloatOperation])
"""Wide enough for any sum of amounts that a ledger can hold; a sum that would be rounded raises instead."""

_PLAIN = r"\A-?[0-9]{1,15}(?:\.[0-9]{1,6})?\z"
"""Amounts that Arrow adds up: of at most 21 digits, so that 38 hold the sum of more rows than there can be."""


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of `amounts` to the last place. Raises: decimal.Inexact: it has over 200 digits."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


@dataclass(frozen=True)
class Amounts:
    """The readable amounts of a column: the plain ones as decimals of one scale, any other as Python has it.

    `at` and `other_at` are the places of each in the column, `scales` how many places after the point it has.
    """

    plain: Cells
    at: npt.NDArray[np.int64]
    scales: npt.NDArray[np.int32]
    other: tuple[Decimal, ...]
    other_at: npt.NDArray[np.int64]

    @classmethod
    def of(cls, cells: Cells) -> Amounts:
        """Those of a column of text in the canonical spelling."""
        fits = to_flags(pc.match_substring_regex(cells, _PLAIN))
        others = np.flatnonzero(is_filled(cells) & ~fits)
        plain = cells if fits.all() else cells.filter(pa.array(fits))
        points = pc.find_substring(plain, ".").to_numpy()
        scales = np.where(points < 0, 0, pc.binary_length(plain).to_numpy() - points - 1).astype(np.int32)
        kind = pa.decimal128(38, int(scales.max(initial=0)))
        odd = tuple(Decimal(cells[int(at)].as_py()) for at in others)
        return cls(plain.cast(kind), np.flatnonzero(fits), scales, odd, others)

    @property
    def absolute(self) -> Amounts:
        """The same, signs apart."""
        return Amounts(pc.abs(self.plain), self.at, self.scales, tuple(map(abs, self.other)), self.other_at)

    def total(self, lines: Flags | None = None) -> Decimal:
        """The sum of those that stand in `lines` (None: of all), with as many places as the longest of them has."""
        if lines is None:
            return exact_sum((*_total(self.plain, self.scales), *self.other))
        chosen = lines[self.at]
        others = (amount for amount, there in zip(self.other, lines[self.other_at], strict=True) if there)
        return exact_sum((*_total(self.plain.filter(pa.array(chosen)), self.scales[chosen]), *others))


def _total(amounts: Cells, scales: npt.NDArray[np.int32]) -> tuple[Decimal, ...]:
    """The sum of `amounts`, if there are any."""
    if not len(amounts):
        return ()
    total: Decimal = pc.sum(amounts).as_py()
    return (total.quantize(Decimal(1).scaleb(-int(scales.max())), context=_EXACT),)
