"""Which time a line belongs to, and which lines of several tables count: pure functions over columns.

`line_times` is the only place that decides the day, month and financial year of a line. Consolidated files, `piperoll
get --year`, the API, totals, charts and pages all use it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from piperoll.model import Dataset, Period, financial_year_label, partition_of
from piperoll.model.columns import Cells, pc


@dataclass(frozen=True, slots=True)
class LineTimes:
    """The time of each line of a batch, as columns.

    `day` (date32) is the day used, null if there is none. `month` is `2024-04`, null if the line belongs to no single
    month. `financial_year` is `2024-25`, null if the line belongs to no single year. `year` is never null: the
    financial year as `str(Period)` spells it, or `UNDATED`; consolidated files are kept by it. `undated` (boolean) is
    true for lines that should have a date and have none.
    """

    day: Cells
    month: Cells
    financial_year: Cells
    year: Cells
    undated: Cells


def line_times(dataset: Dataset, period: Period, lines: pa.RecordBatch | pa.Table) -> LineTimes:
    """Find the time of each line of a table that covers `period`.

    A line belongs to its own date: the first filled of the dataset's `date` fields, which are dates or canonical
    strings. A line without a date belongs to the period of its table. Rows of registers and snapshots are statements
    about the time of their table, whatever dates they hold. A row with a period of its own belongs to the year in
    which that ends, and to a month if it lies in one.
    """
    size = lines.num_rows
    by_table = dataset.snapshot or (dataset.restates and dataset.row_period is None)
    names = [name for name in dataset.date if name in lines.schema.names]
    if by_table or not names:
        stated = period.end if dataset.snapshot else None
        day: Cells = pa.repeat(pa.scalar(stated, pa.date32()), size)
    else:
        day = _flat(pc.coalesce(*(_as_days(lines.column(name)) for name in names)))
    has_own_day = pc.is_valid(day)
    month = _by_month(day, lambda first: f"{first.year:04}-{first.month:02}")
    if dataset.row_period is not None and dataset.row_period.start in lines.schema.names:
        starts = _flat(_as_days(lines.column(dataset.row_period.start)))
        begins = _by_month(starts, lambda first: f"{first.year:04}-{first.month:02}")
        month = pc.if_else(pc.fill_null(pc.equal(begins, month), False), month, pa.scalar(None, pa.string()))
    table = partition_of(period)
    months = list(period.months())
    own_month = str(months[0]) if len(months) == 1 else None
    own_year = financial_year_label(Period.financial_year_of(period.start)) if _is_one_year(period) else None
    label = _by_month(day, lambda first: financial_year_label(Period.financial_year_of(first)))
    year = _by_month(day, lambda first: str(Period.financial_year_of(first)))
    return LineTimes(
        day=day,
        month=pc.if_else(has_own_day, month, pa.scalar(own_month, pa.string())),
        financial_year=pc.if_else(has_own_day, label, pa.scalar(own_year, pa.string())),
        year=pc.if_else(has_own_day, year, pa.scalar(table, pa.string())),
        undated=pa.repeat(pa.scalar(False), size) if by_table or not dataset.date else pc.invert(has_own_day),
    )


def _is_one_year(period: Period) -> bool:
    return period.end <= Period.financial_year_of(period.start).end


def _as_days(column: Cells) -> Cells:
    return column if pa.types.is_date32(column.type) else column.cast(pa.date32())


def _flat(column: Cells) -> Cells:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _by_month(days: Cells, name: Callable[[date], str]) -> Cells:
    """What `name` says of the first day of each day's month; it is called once for each distinct month."""
    numbers = days.cast(pa.int32()).to_numpy(zero_copy_only=False) if days.null_count == 0 else None
    if numbers is None:
        numbers = pc.fill_null(days.cast(pa.int32()), 0).to_numpy(zero_copy_only=False)
    months = numbers.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)  # since January 1970
    distinct, indices = np.unique(months, return_inverse=True)
    names = [name(date(1970 + month // 12, month % 12 + 1, 1)) for month in distinct.tolist()]
    values: Cells = pa.array(names, pa.string())
    found = values.take(pa.array(indices.ravel(), pa.int64()))
    return pc.if_else(pc.is_valid(days), found, pa.scalar(None, pa.string()))
