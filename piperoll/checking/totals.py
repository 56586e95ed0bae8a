"""What tables add up to: exact pounds, rows, spans of dates; that nothing is lost; and when too much is held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, FloatOperation, Inexact, InvalidOperation

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piperoll.checking.row_sets import RowSet
from piperoll.checking.survey import TableSurvey, main_field, survey_table, visit_batches
from piperoll.errors import ConservationError
from piperoll.findings import make_finding
from piperoll.model import AmountTotals, Dataset, DateSpan, Finding, RowCounts, Version, format_decimal
from piperoll.model.columns import Cells, Flags, Integers, is_filled, pc, to_flags
from piperoll.reading import ReadTable

_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, FloatOperation])
"""200 digits are enough for any sum of amounts in a ledger; a sum that would have to be rounded raises instead."""

_PLAIN = r"\A-?[0-9]{1,15}(?:\.[0-9]{1,6})?\z"
"""The amounts that Arrow adds up: at most 21 digits, so that its 38 digits hold the sum of any number of rows."""

_MUCH_MORE_THAN_PUBLISHED = Decimal("1.25")
"""Against the published version of its series, a late invoice or two is normal, and a quarter more is not."""


@dataclass(frozen=True, slots=True)
class ExaminedTotals:
    """The counts and sums of one table; `rows`, `amount` and `date` as the report has them.

    `lines` counts the accepted lines, which are what a release counts. `pounds` is the sum of absolute amounts over all
    rows, `held_pounds` over the rows that are held for other reasons than privacy.
    """

    rows: RowCounts
    amount: AmountTotals | None
    date: DateSpan | None
    lines: int
    pounds: Decimal
    held_pounds: Decimal


def count_table(
    table: ReadTable,
    dataset: Dataset,
    held: Iterable[int],
    held_not_for_privacy: Iterable[int],
    survey: TableSurvey | None = None,
) -> ExaminedTotals:
    """Count `table`, of which the rows `held` are held; `survey` is its survey, if that has been made already."""
    survey = survey or survey_table(table, dataset)
    held_rows = RowSet(held)
    amount, date = main_field(dataset.amount, table), main_field(dataset.date, table)
    sums = _RunningSums(amount, held_rows, RowSet(held_not_for_privacy))
    visit_batches(table, sums)
    excluded = (row.amount for row in table.excluded_rows if row.amount is not None)
    return ExaminedTotals(
        rows=RowCounts(
            len(survey.rows), len(survey.rows - held_rows), len(survey.rows & held_rows), dict(table.excluded)
        ),
        amount=None
        if amount is None
        else AmountTotals(
            field=amount,
            read=sums.read,
            accepted=sums.accepted,
            held=sums.held,
            held_unreadable=len(held_rows & RowSet(table.unreadable.get(amount, ()))),
            unreadable=len(set(table.unreadable.get(amount, ()))),
            missing=len(survey.missing[amount]),
            excluded=exact_sum(excluded),
        ),
        date=None
        if date is None
        else DateSpan(
            field=date,
            min=min(survey.dates, default=None),
            max=max(survey.dates, default=None),
            unreadable=len(set(table.unreadable.get(date, ()))),
            missing=len(survey.missing[date]),
        ),
        lines=sums.lines,
        pounds=sums.absolute,
        held_pounds=sums.held_not_for_privacy,
    )


class _RunningSums:
    """Adds up the amounts of one table, batch by batch."""

    def __init__(self, field: str | None, held: RowSet, held_not_for_privacy: RowSet) -> None:
        self._field, self._held, self._held_not_for_privacy = field, held, held_not_for_privacy
        self.lines = 0
        self.read = self.accepted = self.held = self.absolute = self.held_not_for_privacy = Decimal(0)

    def add(self, batch: pa.RecordBatch) -> None:
        """Add one more batch."""
        rows = batch["row"].to_numpy()
        held = self._held.contains(rows)
        self.lines += int(np.count_nonzero(~held))
        if self._field is None:
            return
        amounts = ColumnAmounts.parse(batch[self._field])
        absolute = replace(amounts, plain=pc.abs(amounts.plain), other=tuple(map(abs, amounts.other)))
        read = amounts.total()
        self.read = exact_sum((self.read, read))
        self.absolute = exact_sum((self.absolute, absolute.total()))
        if not held.any():  # most batches: no filter over the columns
            self.accepted = exact_sum((self.accepted, read))
            return
        counted = self._held_not_for_privacy.contains(rows)
        self.accepted = exact_sum((self.accepted, amounts.total(~held)))
        self.held = exact_sum((self.held, amounts.total(held)))
        self.held_not_for_privacy = exact_sum((self.held_not_for_privacy, absolute.total(counted)))


@dataclass(frozen=True)
class ColumnAmounts:
    """The readable amounts of a column: `plain` ones as Arrow decimals of one scale, `other` ones as Python decimals.

    `at` and `other_at` are their indices in the column, `scales` the number of decimal places of each plain one.
    """

    plain: Cells
    at: Integers
    scales: npt.NDArray[np.int32]
    other: tuple[Decimal, ...]
    other_at: Integers

    @classmethod
    def parse(cls, cells: Cells) -> ColumnAmounts:
        """Parse a column of canonical text (digits, a point, a minus sign)."""
        fits = to_flags(pc.match_substring_regex(cells, _PLAIN))
        others = np.flatnonzero(is_filled(cells) & ~fits)
        plain = cells if fits.all() else cells.filter(pa.array(fits))
        points = pc.find_substring(plain, ".").to_numpy()
        scales = np.where(points < 0, 0, pc.binary_length(plain).to_numpy() - points - 1).astype(np.int32)
        decimals = plain.cast(pa.decimal128(38, int(scales.max(initial=0))))
        return cls(
            decimals, np.flatnonzero(fits), scales, tuple(Decimal(cells[int(at)].as_py()) for at in others), others
        )

    def total(self, lines: Flags | None = None) -> Decimal:
        """The sum of the amounts in `lines` (None: all), with as many decimal places as the longest of them has."""
        amounts, scales, others = self.plain, self.scales, self.other
        if lines is not None:
            chosen = lines[self.at]
            amounts, scales = amounts.filter(pa.array(chosen)), scales[chosen]
            others = tuple(amount for amount, wanted in zip(others, lines[self.other_at], strict=True) if wanted)
        if len(amounts):
            total: Decimal = pc.sum(amounts).as_py()
            others = (total.quantize(Decimal(1).scaleb(-int(scales.max())), context=_EXACT), *others)
        return exact_sum(others)


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Add up `amounts` without rounding. Raises: decimal.Inexact: the sum has over 200 digits."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def require_conservation(tables: Sequence[ReadTable], totals: Sequence[ExaminedTotals]) -> None:
    """Check that every record that was read is accepted or held, and every pound too, to the last decimal place.

    Raises: ConservationError: they do not add up; the message has the figures.
    """
    for table, total in zip(tables, totals, strict=True):
        rows, amount = total.rows, total.amount
        if not table.rows == rows.read == rows.accepted + rows.held:
            raise ConservationError(
                f"sheet {table.sheet}: {table.rows} records were read, but {rows.read} are in the batches, "
                f"{rows.accepted} are accepted and {rows.held} held"
            )
        if amount and amount.read != exact_sum((amount.accepted, amount.held)):
            raise ConservationError(
                f"sheet {table.sheet}: £{format_decimal(amount.read)} was read, but "
                f"£{format_decimal(amount.accepted)} is accepted and £{format_decimal(amount.held)} held"
            )


def find_far_more_than_published(totals: Sequence[ExaminedTotals], published: Version) -> Iterator[Finding]:
    """Warn if the accepted lines or pounds are far more than those of the published version of the same series.

    If they are far less, the file is held when it is about to be published (`publishers.versions`).
    """
    lines, before = sum(each.lines for each in totals), published.amount_gbp
    amounts = [each.amount.accepted for each in totals if each.amount]
    pounds = exact_sum(amounts) if amounts else None
    if lines > published.rows * _MUCH_MORE_THAN_PUBLISHED:
        yield make_finding(
            "more-rows-than-before", rows=lines, version=published.version, published_rows=published.rows
        )
    if pounds is not None and before is not None and abs(pounds) > abs(before) * _MUCH_MORE_THAN_PUBLISHED:
        yield make_finding(
            "more-pounds-than-before",
            pounds=format_decimal(pounds),
            version=published.version,
            published_pounds=format_decimal(before),
        )


def find_too_much_held(totals: Sequence[ExaminedTotals], held_rows: int) -> Finding | None:
    """The finding that holds the file if more than one in ten rows, or absolute pounds, would be held.

    `held_rows` counts the rows that are held for other reasons than privacy; others do not count.
    """
    rows = sum(each.rows.read for each in totals)
    pounds, held = exact_sum(each.pounds for each in totals), exact_sum(each.held_pounds for each in totals)
    if held_rows * 10 <= rows and held * 10 <= pounds:
        return None
    return make_finding(
        "too-much-held", held_rows=held_rows, rows=rows, held_pounds=format_decimal(held), pounds=format_decimal(pounds)
    )


def find_only_zeros(tables: Sequence[ReadTable], totals: Sequence[ExaminedTotals], dataset: Dataset) -> Finding | None:
    """The finding that holds a file in which every amount is zero and no supplier is named: a form or a nil return.

    It is made only for a dataset in which each row must have an amount.
    """
    if not any(set(group) <= set(dataset.amount) for group in dataset.core):
        return None
    rows = sum(each.rows.read for each in totals)
    if not rows or any(each.amount is None or each.pounds or each.amount.unreadable for each in totals):
        return None
    if all(each.amount is not None and each.amount.missing == each.rows.read for each in totals):
        return None  # no amount at all: other findings say so
    names = [field.name for field in dataset.fields if field.privacy == "name"]
    for table in tables:
        named = [name for name in names if name in table.columns]
        if any(batch[name].null_count < batch.num_rows for batch in table.batches() for name in named):
            return None
    return make_finding("rows-only-zeros", rows=rows)
