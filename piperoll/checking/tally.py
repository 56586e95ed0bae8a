"""What tables add up to: exact pounds, rows of the source, spans of dates."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, FloatOperation, Inexact, InvalidOperation

from piperoll.checking.places import cells, lines_of
from piperoll.model import AmountTotals, Dataset, DateSpan, RowCounts
from piperoll.reading import ReadTable

_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, FloatOperation])
"""Wide enough for any sum of amounts that a ledger can hold; a sum that would be rounded raises instead."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One table counted: `rows` and `amount` as the report has them.

    `lines` counts the accepted lines, which are what a release counts; `held_pounds` and `pounds` are sums of
    absolute amounts: over rows held for other reasons than privacy, and over all rows.
    """

    rows: RowCounts
    amount: AmountTotals | None
    date: DateSpan | None
    lines: int
    pounds: Decimal
    held_pounds: Decimal


def tally(table: ReadTable, dataset: Dataset, held: Collection[int], counting: Collection[int]) -> Tally:
    """`table` counted: of the rows in `held`, `counting` are those that are held not for privacy alone."""
    addresses = [row for row, _line in lines_of(table)]
    everything = set(addresses)
    accepted = everything.difference(held)
    field = main_field(dataset.amount, table)
    absolute = [(row, abs(amount)) for row, amount in amounts(table, field)] if field else []
    return Tally(
        rows=RowCounts(len(everything), len(accepted), len(everything.intersection(held)), table.excluded),
        amount=_amount(table, field, held, accepted) if field else None,
        date=_date(table, dataset),
        lines=sum(row in accepted for row in addresses),
        pounds=exact_sum(amount for _row, amount in absolute),
        held_pounds=exact_sum(amount for row, amount in absolute if row in counting),
    )


def main_field(candidates: Iterable[str], table: ReadTable) -> str | None:
    """The first of `candidates` that `table` has."""
    return next((name for name in candidates if name in table.columns), None)


def amounts(table: ReadTable, field: str) -> list[tuple[int, Decimal]]:
    """Every line's row and readable amount in pounds."""
    return [(row, Decimal(cell)) for row, cell in cells(table, field) if cell is not None]


def exact_sum(numbers: Iterable[Decimal]) -> Decimal:
    """The sum of `numbers` to the last place. Raises: decimal.Inexact: it has over 200 digits."""
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, number)
    return total


def missing_rows(table: ReadTable, field: str) -> set[int]:
    """The rows where no line has a cell of `field`, not even one that cannot be read."""
    there: set[int] = set(table.unreadable.get(field, ()))
    empty: set[int] = set()
    for row, cell in cells(table, field):
        (empty if cell is None else there).add(row)
    return empty - there


def _amount(table: ReadTable, field: str, held: Collection[int], accepted: Collection[int]) -> AmountTotals:
    lines = amounts(table, field)
    left_out = (excluded.amount for excluded in table.excluded_rows)
    return AmountTotals(
        field=field,
        read=exact_sum(amount for _row, amount in lines),
        accepted=exact_sum(amount for row, amount in lines if row in accepted),
        held=exact_sum(amount for row, amount in lines if row in held),
        unreadable=len(set(table.unreadable.get(field, ()))),
        missing=len(missing_rows(table, field)),
        excluded=exact_sum(amount for amount in left_out if amount is not None),
    )


def _date(table: ReadTable, dataset: Dataset) -> DateSpan | None:
    field = main_field(dataset.date, table)
    if field is None:
        return None
    dates = [cell for _row, cell in cells(table, field) if cell is not None]
    return DateSpan(
        field=field,
        min=min(dates, default=None),
        max=max(dates, default=None),
        unreadable=len(set(table.unreadable.get(field, ()))),
        missing=len(missing_rows(table, field)),
    )
