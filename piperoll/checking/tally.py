"""What tables add up to: exact pounds, rows of the source, spans of dates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa

from piperoll.checking.rows import Rows
from piperoll.checking.sums import Amounts, exact_sum
from piperoll.checking.survey import Survey, look_over, main_field, survey
from piperoll.model import AmountTotals, Dataset, DateSpan, RowCounts
from piperoll.reading import ReadTable


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


def tally(
    table: ReadTable, dataset: Dataset, held: Iterable[int], counting: Iterable[int], seen: Survey | None = None
) -> Tally:
    """`table` counted: of the rows in `held`, `counting` are those that are held not for privacy alone.

    `seen` is its survey, if that has been made already.
    """
    seen = seen or survey(table, dataset)
    out = Rows(held)
    field = main_field(dataset.amount, table)
    adding = _Adding(field, out, Rows(counting))
    look_over(table, adding)
    return Tally(
        rows=RowCounts(len(seen.rows), len(seen.rows - out), len(seen.rows & out), table.excluded),
        amount=_amount(table, field, adding, seen) if field else None,
        date=_date(table, dataset, seen),
        lines=adding.lines,
        pounds=adding.absolute,
        held_pounds=adding.counting,
    )


class _Adding:
    """The sums of one table on their way."""

    def __init__(self, field: str | None, held: Rows, counting: Rows) -> None:
        self._field, self._held, self._counting = field, held, counting
        self.lines = 0
        self.read = self.accepted = self.held = self.absolute = self.counting = Decimal(0)

    def add(self, batch: pa.RecordBatch) -> None:
        """See one more batch."""
        rows = batch["row"].to_numpy()
        held = self._held.holding(rows)
        self.lines += int(np.count_nonzero(~held))
        if self._field is None:
            return
        amounts = Amounts.of(batch[self._field])
        absolute = amounts.absolute
        read = amounts.total()
        self.read = exact_sum((self.read, read))
        self.absolute = exact_sum((self.absolute, absolute.total()))
        if not held.any():
            self.accepted = exact_sum((self.accepted, read))
            return
        self.accepted = exact_sum((self.accepted, amounts.total(~held)))
        self.held = exact_sum((self.held, amounts.total(held)))
        self.counting = exact_sum((self.counting, absolute.total(self._counting.holding(rows))))


def _amount(table: ReadTable, field: str, adding: _Adding, seen: Survey) -> AmountTotals:
    left_out = (excluded.amount for excluded in table.excluded_rows)
    return AmountTotals(
        field=field,
        read=adding.read,
        accepted=adding.accepted,
        held=adding.held,
        unreadable=len(set(table.unreadable.get(field, ()))),
        missing=len(seen.missing[field]),
        excluded=exact_sum(amount for amount in left_out if amount is not None),
    )


def _date(table: ReadTable, dataset: Dataset, seen: Survey) -> DateSpan | None:
    field = main_field(dataset.date, table)
    if field is None:
        return None
    return DateSpan(
        field=field,
        min=min(seen.dates, default=None),
        max=max(seen.dates, default=None),
        unreadable=len(set(table.unreadable.get(field, ()))),
        missing=len(seen.missing[field]),
    )
