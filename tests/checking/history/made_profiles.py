"""Release profiles for tests, made from published rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from piperoll import assets
from piperoll.checking import ReleaseIdentity, ReleaseProfile, profile_release
from piperoll.checking.history.compare import find_differences
from piperoll.model import Finding, Period, RowCounts, Series, TableReport

SPEND = assets.dataset("spend")
_TYPES: Mapping[str, Any] = {"payment_date": pa.date32(), "source_row": pa.int64()}

Row = dict[str, Any]


def rows(month: str, count: int = 30, *, pounds: int = 600, days: int = 28, **cells: Any) -> list[Row]:
    """Lines of a month, different from each other and from those of any other month, on each of `days` days."""
    start = Period.parse(month).start
    return [
        {
            "payment_date": start + timedelta(days=number % days),
            "supplier_name": f"Firm {number} Ltd",
            "net_amount": Decimal(pounds + number),
            "transaction_number": f"T{month}-{number}",
            "expense_type": "Supplies",
        }
        | cells
        for number in range(count)
    ]


def profile_of(
    month: str, lines: Sequence[Row], *, columns: Sequence[str] = (), dataset: str = "spend"
) -> ReleaseProfile:
    """The profile of a release of a month, whose table has the columns of its lines, or `columns`."""
    about = assets.dataset(dataset)
    names = list(columns) or list(lines[0])
    series = Series(dataset, "anytown", Period.parse(month))
    table = TableReport(
        sheet=None,
        header_row=1,
        header_line=1,
        columns={name: about.field(name).title for name in names},
        column_letters={name: chr(ord("A") + number) for number, name in enumerate(names)},
        rows=RowCounts(len(lines), len(lines), 0, {}),
        amount=None,
        date=None,
    )
    released = ReleaseIdentity(series, f"{series}/v1-{'0' * 12}", 1)
    numbered = [{"source_row": 2 + index} | line for index, line in enumerate(lines)]
    return profile_release(about, released, [table], [batch(numbered)])


def batch(lines: Sequence[Row], scale: int = 4) -> pa.RecordBatch:
    """A batch of published rows with the types of a Parquet file; amounts have `scale` decimal places."""
    names = dict.fromkeys(name for line in lines for name in line)
    arrays = []
    for name in names:
        values = [line.get(name) for line in lines]
        kind = pa.decimal128(38, scale) if any(isinstance(value, Decimal) for value in values) else None
        arrays.append(pa.array(values, _TYPES.get(name, kind or pa.string())))
    return pa.RecordBatch.from_arrays(arrays, names=list(names))


def findings_by_code(ours: ReleaseProfile, *before: ReleaseProfile, first: bool = True) -> dict[str, Finding]:
    """What comparing says, by code."""
    return {finding.code: finding for finding in find_differences(ours, before, SPEND, first=first)}


def day(text: str) -> date:
    """A day from its ISO spelling."""
    return date.fromisoformat(text)
