"""What a consolidated table is made from, and what it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cached_property
from pathlib import Path

from piperoll.model.series import Series

_EXACT = Context(prec=100)
"""Python's default of 28 digits would round long sums."""


@dataclass(frozen=True)
class CurrentRelease:
    """The current version of a series; `folder` fetches its files when they are needed and returns where they are."""

    series: Series
    version: int
    folder: Callable[[], Path]

    @cached_property
    def files(self) -> Path:
        """The folder of its files."""
        return self.folder()


@dataclass(frozen=True, slots=True)
class Portion:
    """Lines of a series that are counted, or left out because another series has them (`counted_in`)."""

    series: Series
    rows: int
    amount_gbp: Decimal | None
    counted_in: Series | None = None


@dataclass(frozen=True, slots=True)
class Consolidated:
    """What a consolidated table holds: the lines counted of each series, and those left out."""

    counted: tuple[Portion, ...]
    republished: tuple[Portion, ...]

    @property
    def rows(self) -> int:
        """The lines of the table."""
        return sum(portion.rows for portion in self.counted)

    @property
    def amount_gbp(self) -> Decimal | None:
        """The pounds of the table; None where the dataset has no amount."""
        return pounds_of(self.counted)


def pounds_of(portions: Iterable[Portion]) -> Decimal | None:
    """The exact pounds of some portions; None where none of them has an amount."""
    amounts = [portion.amount_gbp for portion in portions if portion.amount_gbp is not None]
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total if amounts else None
