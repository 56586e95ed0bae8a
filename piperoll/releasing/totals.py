"""Totals of a consolidated year: rows and amounts by day and by supplier, for readers who need no lines.

One Parquet file has both kinds, which the column `by` tells apart. For each amount field of the dataset it has `_sum`,
`_min`, `_max` and `_filled`, the number of lines that have an amount.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.enriching.annotate import payee_fields
from piperoll.model import Dataset

_GROUP_ROWS = 131_072
"""Rows of a Parquet row group: a reader reads all totals of a kind."""


class TotalsBy(StrEnum):
    """What the lines of a total have in common, the kind with fewer totals first."""

    DAY = "day"
    SUPPLIER = "supplier"


def totals_columns(dataset: Dataset, by: TotalsBy) -> tuple[str, ...]:
    """The columns by which totals of a kind are made. A year without such a column has nulls in its place."""
    shared = ("body", "part", "financial_year", "payee_class")
    if by is TotalsBy.SUPPLIER:
        payee = payee_fields(dataset).get("name")
        return () if payee is None else (*shared, "supplier_key", payee)
    days = dataset.date if len(dataset.date) == 1 else ()
    return (*shared, "series", "version", "line_date", "month", *days)


def write_totals(dataset: Dataset, lines: pa.Table, path: Path) -> None:
    """Write the totals of the lines of a consolidated year. Totals by supplier keep the order of the lines."""
    amounts = [name for name in dataset.amount if name in lines.schema.names]
    names = list(dict.fromkeys(name for by in TotalsBy for name in totals_columns(dataset, by)))
    tables = [_add_up(lines, by, totals_columns(dataset, by), names, amounts) for by in TotalsBy]
    with pq.ParquetWriter(path, tables[0].schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table, row_group_size=_GROUP_ROWS)


def _add_up(lines: pa.Table, by: TotalsBy, columns: tuple[str, ...], names: list[str], amounts: list[str]) -> pa.Table:
    keys = [name for name in columns if name in lines.schema.names]
    figures = [(name, function) for name in amounts for function in ("sum", "min", "max", "count")]
    groups = lines.group_by(keys, use_threads=False).aggregate([([], "count_all"), *figures]) if keys else None
    arrays: dict[str, pa.ChunkedArray | pa.Array] = {}
    size = 0 if groups is None else groups.num_rows
    arrays["by"] = pa.repeat(pa.scalar(by.value, pa.string()), size)
    for name in names:
        kind = lines.schema.field(name).type if name in lines.schema.names else pa.string()
        arrays[name] = groups.column(name) if groups is not None and name in keys else pa.nulls(size, kind)
    arrays["rows"] = pa.nulls(0, pa.int64()) if groups is None else groups.column("count_all").cast(pa.int64())
    for name, function in figures:
        kind = pa.int64() if function == "count" else lines.schema.field(name).type
        ending = "filled" if function == "count" else function
        arrays[f"{name}_{ending}"] = pa.nulls(0, kind) if groups is None else groups.column(f"{name}_{function}").cast(kind)
    return pa.table(arrays)
