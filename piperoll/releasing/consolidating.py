"""The releases of one body that count for a year, as one table in which every line is counted once.

Which series count is `piperoll.model.counted_once`, which of their lines are not to be counted `repeated`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.errors import ConservationError
from piperoll.model import Consolidated, Dataset, Field, Level, Origin, Portion, Series, Standing, pounds_of
from piperoll.model.columns import Cells
from piperoll.releasing.columns import SCALES, PublishedColumn
from piperoll.releasing.conserving import add_pounds, column_sum
from piperoll.releasing.files import TableFiles
from piperoll.releasing.published import amount_fields
from piperoll.releasing.repeated import Left, lines_of, repeated

ADDED = (
    ("body", "Body", "The body that sent the line, by the name that addresses use."),
    ("series", "Series", "The table that the line was published in."),
    ("version", "Version", "The version of that table."),
)
"""The columns that stand before those of the dataset."""


def consolidate_releases(
    dataset: Dataset, own: Sequence[Standing], others: Sequence[Standing], folder: Path
) -> Consolidated:
    """Write `{dataset}.csv` and `{dataset}.parquet` in `folder`: the lines of `own`, series by series, each once.

    `own` are the counted series of one body and year; `others` its counted series of other years, looked into only
    where a line is dated in their time. The lines are those of the releases, with their body, series and version
    before them; a field that a release lacks is empty.

    Raises: ConservationError: what is counted and what is left out are not what the releases hold.
    """
    own = sorted(own, key=lambda standing: standing.series)
    out = repeated(dataset, own, others)
    columns = _columns(dataset, own)
    counted: list[Portion] = []
    left: list[Portion] = []
    with TableFiles(folder, dataset.name, columns) as files:
        for standing in own:
            kept, gone = _write(dataset, standing, out.get(standing.series, {}), files, columns)
            counted.append(kept)
            left += gone
    return Consolidated(tuple(counted), tuple(left))


def _columns(dataset: Dataset, own: Sequence[Standing]) -> tuple[PublishedColumn, ...]:
    schemas = [pq.read_schema(standing.files / f"{dataset.name}.parquet") for standing in own]
    return (*(PublishedColumn(field) for field in _added()), *(_column(field, schemas) for field in dataset.fields))


def _added() -> Iterator[Field]:
    for name, title, description in ADDED:
        kind = "integer" if name == "version" else "string"
        yield Field(name, kind, title, description, Level.CORE, Origin.DERIVED, "the catalogue")


def _column(field: Field, schemas: Sequence[pa.Schema]) -> PublishedColumn:
    if field.type != "number":
        return PublishedColumn(field)
    scales = [schema.field(field.name).type.scale for schema in schemas if field.name in schema.names]
    return PublishedColumn(field, max(scales, default=SCALES[0]))


def _write(
    dataset: Dataset, standing: Standing, left: Left, files: TableFiles, columns: Sequence[PublishedColumn]
) -> tuple[Portion, list[Portion]]:
    """Write the lines that count; how many they are, and how many are left out for which series."""
    amounts = [column for column in columns if column.name in amount_fields(standing.files)]
    whole, counted = _Sum(amounts), _Sum(amounts)
    gone = {series: _Sum(amounts) for series in sorted(set(left.values()))}
    start = 0
    for batch in lines_of(dataset, standing):
        stay = pa.array([place not in left for place in range(start, start + batch.num_rows)], pa.bool_())
        kept = batch.filter(stay)
        files.write(_with_origin(kept, standing))
        whole.add(batch)
        counted.add(kept)
        for series, total in gone.items():
            mine = [place - start for place in left if left[place] == series and start <= place < start + len(batch)]
            total.add(batch.take(pa.array(sorted(mine), pa.int64())))
        start += batch.num_rows
    portions = [replace(total.portion(standing.series), counted_in=series) for series, total in gone.items()]
    _conserve(whole.portion(standing.series), [counted.portion(standing.series), *portions])
    return counted.portion(standing.series), portions


class _Sum:
    """Rows and pounds of some lines."""

    def __init__(self, amounts: Sequence[PublishedColumn]) -> None:
        self._amounts = amounts
        self._rows, self._pounds = 0, Decimal(0)

    def add(self, batch: pa.RecordBatch) -> None:
        self._rows += batch.num_rows
        for column in self._amounts:
            self._pounds = add_pounds(self._pounds, column_sum(column, batch))

    def portion(self, series: Series) -> Portion:
        return Portion(series, self._rows, self._pounds if self._amounts else None)


def _with_origin(batch: pa.RecordBatch, standing: Standing) -> pa.RecordBatch:
    facts = (standing.series.body, str(standing.series), str(standing.version))
    before: list[Cells] = [pa.repeat(pa.scalar(fact, pa.string()), batch.num_rows) for fact in facts]
    names = [name for name, _, _ in ADDED]
    return pa.RecordBatch.from_arrays([*before, *batch.columns], names=[*names, *batch.schema.names])


def _conserve(whole: Portion, parts: Sequence[Portion]) -> None:
    rows, pounds = sum(part.rows for part in parts), pounds_of(parts)
    if (rows, pounds) != (whole.rows, whole.amount_gbp):
        raise ConservationError(
            f"{whole.series}: {whole.rows} rows and £{whole.amount_gbp} stand, {rows} and £{pounds} are accounted for"
        )
