"""Totals of a consolidated year: rows and amounts by day and by supplier, for readers who need no lines.

One Parquet file has both kinds, which the column `by` tells apart. For each amount field of the dataset it has `_sum`,
`_min`, `_max` and `_filled`, the number of lines that have an amount.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.enriching.annotate import payee_fields
from piperoll.model import Dataset
from piperoll.model.columns import Cells

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
        return () if payee is None else (*shared, payee, "supplier_key")
    days = dataset.date if len(dataset.date) == 1 else ()
    return (*shared, "series", "version", "line_date", "month", *days)


def write_totals(dataset: Dataset, lines: pa.Table, path: Path) -> None:
    """Write the totals of the lines of a consolidated year. Totals by supplier are in order of supplier."""
    amounts = [name for name in dataset.amount if name in lines.schema.names]
    names = list(dict.fromkeys(name for by in TotalsBy for name in totals_columns(dataset, by)))
    tables = [_add_up(lines, by, totals_columns(dataset, by), names, amounts) for by in TotalsBy]
    sorted_by = ["by", "supplier_key"]
    options: dict[str, Any] = {"use_dictionary": False, "write_statistics": sorted_by, "store_schema": False}
    with pq.ParquetWriter(path, tables[0].schema, compression="zstd", **options) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=_GROUP_ROWS)


def _add_up(lines: pa.Table, by: TotalsBy, columns: tuple[str, ...], names: list[str], amounts: list[str]) -> pa.Table:
    keys = [name for name in columns if name in lines.schema.names]
    wanted: list[Any] = [([], "count_all")]
    wanted += [(name, function) for name in amounts for function in ("sum", "min", "max", "count")]
    groups = lines.slice(0, 0)
    if keys:
        order: list[Any] = [(name, "ascending") for name in reversed(keys)]
        groups = lines.group_by(keys).aggregate(wanted).sort_by(order)
    arrays: dict[str, Cells] = {"by": pa.repeat(pa.scalar(by.value, pa.string()), groups.num_rows)}

    def add(name: str, found: str, kind: Any) -> None:
        has = bool(keys) and found in groups.schema.names
        arrays[name] = groups.column(found).cast(kind) if has else pa.nulls(groups.num_rows, kind)

    for name in names:
        add(name, name, lines.schema.field(name).type if name in lines.schema.names else pa.string())
    add("rows", "count_all", pa.int64())
    for name in amounts:
        for function in ("sum", "min", "max"):
            add(f"{name}_{function}", f"{name}_{function}", lines.schema.field(name).type)
        add(f"{name}_filled", f"{name}_count", pa.int64())
    return pa.table(arrays)
