"""Run a measure: its query, then the checks in order, then the comparison with peers, as rows of one long table.

The order of checks is conserve, coverage, interval, comparability: the first that fails sets the status of a row. A row
that may not be shown is still there, without a value and with the reason, because silence would read as zero.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from piperoll import assets
from piperoll.errors import ConservationError, DescriptorError
from piperoll.measuring import derived
from piperoll.measuring.checks import judge
from piperoll.measuring.definition import Figure, Measure
from piperoll.measuring.inputs import Inputs, add_csv, find_tables
from piperoll.measuring.peers import compare_with_peers
from piperoll.measuring.rows import MeasureRow, RawRow

RULES_VERSION = "2"
"""The version of the engine's own rules. Raise it when they change: every measure is then measured again."""

_PLACES = {"share": 6, "ratio": 6}
"""Decimal places by unit; all others have two."""

_COLUMNS = set(RawRow.__dataclass_fields__)


def run_measure(
    measure: Measure, inputs: Inputs, replies: Mapping[tuple[str, str], str] | None = None
) -> list[MeasureRow]:
    """The rows of a measure for the year of `inputs`, in order of body, figure and item.

    `replies` are notes by body and figure identifier. The column `inputs` is empty: `pack_measure` fills it.
    Raises: DescriptorError: the query does not run, or returns something that the definition does not declare.
    ConservationError: the parts of a figure do not add up to its total.
    """
    _require_declared(measure)
    prepare_tables(measure, inputs)
    raw = _read_rows(measure, inputs)
    bodies = {body.body: body for body in inputs.bodies}
    rows = []
    for one in raw:
        figure = measure.figure(one.figure)
        body = bodies.get(one.body)
        if figure is None:
            raise DescriptorError(f"measures/{measure.id}: the query returns the figure '{one.figure}', not declared")
        if body is None:
            raise DescriptorError(f"measures/{measure.id}: the query returns the body '{one.body}', not measured")
        _require_conservation(measure, one)
        judged = judge(measure, figure, _round(one, figure))
        identifier = figure_id(measure.id, one.body, str(inputs.year), one.figure, one.item)
        rows.append(
            MeasureRow.of(measure, figure, body, judged, identifier, (replies or {}).get((one.body, identifier), ""))
        )
    return compare_with_peers(measure, rows)


def _require_declared(measure: Measure) -> None:
    """Refuse a query that reads what its definition does not declare: a change of it would go unnoticed."""
    read = {"contracts" if name == "contract_releases" else name for name in find_tables(measure.query)}
    undeclared = sorted((read & {*assets.dataset_names()}) - {*measure.datasets})
    undeclared += sorted((read & {*derived.TABLES, *derived.OUTSIDE}) - {*measure.tables})
    if undeclared:
        raise DescriptorError(f"measures/{measure.id}/query.sql reads {', '.join(undeclared)}, not declared")


def figure_id(measure: str, body: str, period: str, figure: str, item: str = "") -> str:
    """Identify a figure of a body and financial year, whatever its value and version; a body replies to it by this."""
    return hashlib.sha256(f"{measure}|{body}|{period}|{figure}|{item}".encode()).hexdigest()[:16]


def prepare_tables(measure: Measure, inputs: Inputs) -> None:
    """Make the tables that a measure names, and those of its own folder, as far as they are not there yet.

    Raises: DescriptorError: nobody makes a table of this name.
    """
    connection = inputs.connection
    there = {row[0] for row in connection.execute("SELECT table_name FROM information_schema.tables").fetchall()}
    for name in measure.tables:
        if name in there:
            continue
        if name in inputs.made_tables:
            made = inputs.made_tables[name]
        elif name in derived.TABLES:
            made = derived.TABLES[name](inputs)
        elif (supplied := inputs.outside(name)) is not None:
            made = supplied
        elif name in derived.OUTSIDE:
            columns = ", ".join(f'"{column}" {kind}' for column, kind in derived.OUTSIDE[name].items())
            connection.execute(f'CREATE TABLE "{name}" ({columns})')
            continue
        else:
            raise DescriptorError(f"measures/{measure.id}/measure.toml names the table {name}, which nobody makes")
        connection.register("_made", made)
        connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM _made')
        connection.unregister("_made")
    for name, text in measure.csv_tables.items():
        add_csv(connection, name, text)


def read_table(inputs: Inputs, name: str) -> pa.Table:
    """A table that a measure named, in the order of its rows' content."""
    table: pa.Table = inputs.connection.sql(f'SELECT * FROM "{name}" ORDER BY ALL').to_arrow_table()
    return table


def write_table(table: pa.Table) -> dict[str, bytes]:
    """A table as CSV and Parquet by their name; the same rows in the same order give the same bytes."""
    text, columns = io.BytesIO(), io.BytesIO()
    pa_csv.write_csv(table, text)
    pq.write_table(table, columns, compression="zstd", store_schema=False)
    return {"csv": text.getvalue(), "parquet": columns.getvalue()}


def _read_rows(measure: Measure, inputs: Inputs) -> list[RawRow]:
    """The rows of the query that lie in the year measured."""
    try:
        result = inputs.connection.execute(measure.query)
        names = [column[0] for column in result.description or ()]
        found = result.fetchall()
    except duckdb.Error as error:
        raise DescriptorError(f"measures/{measure.id}/query.sql: {error}") from error
    if unknown := sorted({*names} - _COLUMNS):
        raise DescriptorError(f"measures/{measure.id}/query.sql returns unknown columns: {', '.join(unknown)}")
    if missing := sorted({"body", "period_start", "period_end", "figure", "value"} - {*names}):
        raise DescriptorError(f"measures/{measure.id}/query.sql does not return {', '.join(missing)}")
    rows = [RawRow(**_clean(dict(zip(names, row, strict=True)))) for row in found]
    year = inputs.year
    rows = [one for one in rows if one.period_start >= year.start and one.period_end <= year.end]
    rows.sort(key=lambda one: (one.body, one.figure, one.item))
    for one, other in pairwise(rows):
        if (one.body, one.figure, one.item) == (other.body, other.figure, other.item):
            raise DescriptorError(
                f"measures/{measure.id}/query.sql returns {one.figure} '{one.item}' of {one.body} twice for {year}"
            )
    return rows


def _clean(row: dict[str, Any]) -> dict[str, Any]:
    """A row with exact decimals for numbers, and empty texts for missing ones."""
    cleaned = {key: Decimal(str(value)) if isinstance(value, float) else value for key, value in row.items()}
    for name in ("value", "lo", "hi", "coverage", "inferred_share", "part_sum", "total"):
        if isinstance(cleaned.get(name), int):
            cleaned[name] = Decimal(cleaned[name])
        if isinstance(cleaned.get(name), Decimal) and not cleaned[name].is_finite():
            cleaned[name] = None  # 0/0 in SQL
    for name in ("item", "item_label", "reason", "status"):
        cleaned[name] = cleaned.get(name) or ""
    return cleaned


def _require_conservation(measure: Measure, row: RawRow) -> None:
    if row.part_sum is None or row.total is None:
        return
    penny = Decimal("0.01")
    if row.part_sum.quantize(penny) != row.total.quantize(penny):
        raise ConservationError(
            f"measures/{measure.id}: {row.figure} {row.item} of {row.body} has parts of {row.part_sum} "
            f"and a total of {row.total}"
        )


def _round(row: RawRow, figure: Figure) -> RawRow:
    places = Decimal(1).scaleb(-_PLACES.get(figure.unit, 2))
    share = Decimal(1).scaleb(-6)

    def rounded(value: Decimal | None, step: Decimal) -> Decimal | None:
        return None if value is None else value.quantize(step, ROUND_HALF_EVEN)

    return replace(
        row,
        value=rounded(row.value, places),
        lo=rounded(row.lo, places),
        hi=rounded(row.hi, places),
        coverage=rounded(row.coverage, share),
        inferred_share=rounded(row.inferred_share, share),
    )
