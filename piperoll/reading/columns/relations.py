"""What columns of money have to do with one another: the same, one with the tax, a total on each of its lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.grids.grid import Row, cell_at, tidy

_SAMPLE = 2000
_PENNY = Decimal("0.02")
_RATE = Decimal("0.2")
"""The highest rate of value added tax (Value Added Tax Act 1994, section 2)."""
_MOST_INVOICES = 0.95


@dataclass(frozen=True)
class Figures:
    """The amounts in the first 2,000 rows of a table, a column at a time, each column read once."""

    rows: Sequence[Row] = ()
    known: dict[int, list[Decimal | None]] = field(default_factory=dict, compare=False, repr=False)

    def of(self, column: int) -> list[Decimal | None]:
        """The amounts of a column; None for a cell that holds none."""
        if column not in self.known:
            self.known[column] = [read_amount(text) for text in self.texts(column)]
        return self.known[column]

    def texts(self, column: int) -> list[str]:
        """The cells of a column."""
        return [tidy(cell_at(row, column)) for row in self.rows[:_SAMPLE]]

    def both(self, one: int, other: int) -> list[tuple[int, Decimal, Decimal]]:
        """The rows in which two columns hold an amount, counted from 0, with both."""
        pairs = enumerate(zip(self.of(one), self.of(other), strict=True))
        return [(row, a, b) for row, (a, b) in pairs if a is not None and b is not None]


def are_equal(figures: Figures, one: int, other: int) -> bool:
    """Whether two columns say the same in every row."""
    same = [a == b for a, b in zip(figures.of(one), figures.of(other), strict=True)]
    return bool(same) and all(same) and bool(figures.both(one, other))


def adds_tax(figures: Figures, net: int, gross: int, others: Iterable[int]) -> bool:
    """Whether one column is another with the tax in one of the `others` on top, in every row."""
    return may_add_tax(figures, net, gross) and any(_sums(figures, net, gross, other) for other in others)


def may_add_tax(figures: Figures, net: int, gross: int) -> bool:
    """Whether one column is never less than another, nor more than that with the tax on top, and not the same."""
    pairs = figures.both(net, gross)
    return all(_is_taxed(a, b) for _, a, b in pairs) and any(a != b for _, a, b in pairs)


def _is_taxed(net: Decimal, gross: Decimal) -> bool:
    """Whether a figure may be another with the tax: of the same sign, no smaller, and by no more than the rate."""
    return net * gross >= 0 and -_PENNY <= abs(gross) - abs(net) <= abs(net) * _RATE + _PENNY


def _sums(figures: Figures, net: int, gross: int, tax: int) -> bool:
    taxes = figures.of(tax)
    return all(less + (taxes[row] or 0) == more for row, less, more in figures.both(net, gross))


def repeats_total(figures: Figures, total: int, line: int, references: Collection[int]) -> bool:
    """Whether one column says on each line of an invoice what the invoice's lines in the other come to.

    `references` are the columns that may tell the invoices apart. One row in twenty may disagree, as lines are cut off
    where the sample ends.
    """
    pairs = figures.both(total, line)
    return any(_is_total(pairs, figures.texts(column)) for column in references)


def _is_total(pairs: Sequence[tuple[int, Decimal, Decimal]], references: Sequence[str]) -> bool:
    groups: dict[str, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for row, total, line in pairs:
        groups[references[row]].append((total, line))
    groups.pop("", None)
    held = [all(total == sum(line for _, line in lines) for total, _ in lines) for lines in groups.values()]
    parted = any(total != line for lines in groups.values() for total, line in lines)
    return parted and sum(held) >= _MOST_INVOICES * len(held)
