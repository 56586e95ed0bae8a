"""What today's rules for functions would change in a store: its lines and pounds that would move, by body.

Consolidated files are made again when the rules change. This compares what they say now with what the rules would say,
before that is done: nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll import assets, layout
from piperoll.enriching.functions import FUNCTION_FIELD, UNKNOWN, annotate_functions, has_functions
from piperoll.model import Dataset
from piperoll.model.columns import Cells, pc
from piperoll.scratch import scratch_folder
from publishers import StoreReader, list_consolidated_years, list_line_files, read_consolidated_year

_SAID = ("assigned_function", "side", "contested")
_POSTS = "fte"
"""What is added up of posts, which have no pounds."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Lines of a body and year whose function, side or being contested would change, with their sum.

    `unit` is `GBP`, or `FTE` for posts. What a line was is `u-unknown` if its files are older than functions.
    """

    dataset: str
    body: str
    year: str
    function_before: str
    side_before: str
    contested_before: bool
    function: str
    side: str
    contested: bool
    lines: int
    amount: Decimal
    unit: str

    @property
    def changes_side(self) -> bool:
        """Whether the lines move between front line, overhead, not counted and unknown."""
        return self.side_before != self.side


def find_moved(reader: StoreReader) -> Iterator[Moved]:
    """Everything that today's rules would change, by dataset, year and body, in order.

    Raises: NotThere (retryable): a consolidated file was replaced while it was read.
    """
    for dataset in filter(has_functions, assets.datasets()):
        for year in list_consolidated_years(reader, dataset.name):
            entries = read_consolidated_year(reader, dataset.name, year).get("bodies", {})
            for body, entry in sorted(entries.items()):
                with scratch_folder("reclassify") as scratch:
                    names = [file["path"] for file in list_line_files(entry, "parquet")]
                    for name in names:
                        reader.fetch(layout.consolidated_file(dataset.name, year, name), scratch / name)
                    yield from compare_lines(dataset, body, year, *(scratch / name for name in names))


def compare_lines(dataset: Dataset, body: str, year: str, *files: Path) -> list[Moved]:
    """What today's rules would change in the lines of the consolidated files of a year."""
    texts = [name for names in dataset.function_texts.values() for name in names]
    amount = next(iter(dataset.amount), _POSTS)
    tables = []
    for path in files:
        there = pq.read_schema(path).names
        names = [name for name in (FUNCTION_FIELD, *texts, *_SAID, amount) if name in there]
        tables.append(pq.read_table(path, columns=list(dict.fromkeys(names))))
    lines = pa.concat_tables(tables, promote_options="permissive").combine_chunks()
    if not lines.num_rows:
        return []
    columns = [lines.column(name).combine_chunks() for name in lines.column_names]
    batch = pa.RecordBatch.from_arrays(columns, lines.column_names)
    now = annotate_functions(dataset, batch, assets.register().at_slug(body))
    before = {
        "function_before": _said(lines, "assigned_function", pa.scalar(UNKNOWN)),
        "side_before": _said(lines, "side", pa.scalar("U")),
        "contested_before": _said(lines, "contested", pa.scalar(False)),
    }
    after = {"function": now["assigned_function"], "side": now["side"], "contested": now["contested"]}
    amounts = _said(lines, amount, pa.scalar(Decimal(0), pa.decimal128(38, 4)))
    table = pa.table({**before, **after, "amount": amounts})
    changed = [pc.not_equal(before[f"{name}_before"], after[name]) for name in after]
    table = table.filter(pc.or_(pc.or_(changed[0], changed[1]), changed[2]))
    keys = [*before, *after]
    groups = table.group_by(keys).aggregate([([], "count_all"), ("amount", "sum")])
    groups = groups.sort_by([(name, "ascending") for name in keys])
    unit = "GBP" if dataset.amount else "FTE"
    return [
        Moved(
            dataset=dataset.name,
            body=body,
            year=year,
            lines=row["count_all"],
            amount=row["amount_sum"],
            unit=unit,
            **{key: row[key] for key in keys},
        )
        for row in groups.to_pylist()
    ]


def _said(lines: pa.Table, name: str, missing: Any) -> Cells:
    if name not in lines.column_names:
        return pa.repeat(missing, lines.num_rows)
    return pc.fill_null(lines.column(name).combine_chunks(), missing.cast(lines.schema.field(name).type))
