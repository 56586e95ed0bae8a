"""Run a measure: its query, then the checks in order, then the comparison with peers, as one long table.

A measure can have hundreds of thousands of rows, so each step works on columns (Arrow) and not on rows.

The order of checks is conserve, coverage, interval, comparability: the first that fails sets the status of a row. A row
that may not be shown is still there, without a value and with the reason, because silence would read as zero.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from piperoll import assets
from piperoll.errors import ConservationError, DescriptorError, is_of_machine
from piperoll.measuring import derived
from piperoll.measuring.checks import judge
from piperoll.measuring.definition import Measure
from piperoll.measuring.inputs import Inputs, add_csv, find_tables
from piperoll.measuring.peers import compare_with_peers
from piperoll.measuring.rows import NUMBER, QUERIED, SCHEMA, look_up, replace_columns
from piperoll.model.columns import Cells, Mask, pc

RULES_VERSION = "2"
"""The version of the engine's own rules. Raise it when they change: every measure is then measured again."""

_ROUNDS_TO_NOTHING = 1e-9
_DIGITS_OF_FLOATS = pa.decimal256(76, 30)
"""Holds floats of any size that we round: the smallest that does not become 0 has 17 digits from the ninth place on."""

_KEY = ("body", "figure", "item")
"""What a row is about: there is one row for each in a year."""


def run_measure(
    measure: Measure, inputs: Inputs, replies: Mapping[tuple[str, str], str] | None = None
) -> pa.RecordBatch:
    """The rows of a measure for the year of `inputs`, with the columns of `SCHEMA`, by body, figure and item.

    `replies` are notes by body and figure identifier. The column `inputs` is empty: `pack_measure` fills it.
    Raises: DescriptorError: the query does not run, or returns something that the definition does not declare.
    ConservationError: the parts of a figure do not add up to its total.
    """
    _require_declared(measure)
    prepare_tables(measure, inputs)
    rows = _read_rows(measure, inputs)
    _require_known(measure, inputs, rows)
    _require_conservation(measure, rows)
    rows = judge(measure, _round(measure, rows))
    rows = compare_with_peers(measure, rows, {body.body: body.kind for body in inputs.bodies})
    return _complete(measure, inputs, rows, replies or {})


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


def _identify(measure: Measure, year: str, rows: pa.RecordBatch) -> list[str]:
    """The `figure_id` of each row."""
    texts = pc.binary_join_element_wise(measure.id, rows["body"], year, rows["figure"], rows["item"], "|")
    return [hashlib.sha256(text).hexdigest()[:16] for text in texts.cast(pa.binary()).to_pylist()]


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


def _read_rows(measure: Measure, inputs: Inputs) -> pa.RecordBatch:
    """The rows of the query that lie in the year measured, in order, with all columns of `QUERIED`."""
    rows, year = _clean(_run_query(measure, inputs)), inputs.year
    is_in_year = pc.and_(
        pc.greater_equal(rows["period_start"], year.start), pc.less_equal(rows["period_end"], year.end)
    )
    order = pc.sort_indices(rows, [(name, "ascending") for name in _KEY])
    rows = rows.take(order.filter(is_in_year.take(order)))
    keys = rows.select(_KEY)
    before, after = keys.slice(0, max(rows.num_rows - 1, 0)), keys.slice(1)
    is_double = pc.and_(
        pc.and_(pc.equal(before["body"], after["body"]), pc.equal(before["figure"], after["figure"])),
        pc.equal(before["item"], after["item"]),
    )
    if one := _find_first(after, is_double):
        raise DescriptorError(
            f"measures/{measure.id}/query.sql returns {one['figure']} '{one['item']}' of {one['body']} twice for {year}"
        )
    return rows


def _run_query(measure: Measure, inputs: Inputs) -> pa.Table:
    try:
        found: pa.Table = inputs.connection.sql(measure.query).to_arrow_table()
    except duckdb.Error as error:
        if is_of_machine(error):  # a full disk is no fault of the query, nor of what is verified with it
            raise
        raise DescriptorError(f"measures/{measure.id}/query.sql: {error}") from error
    if unknown := sorted({*found.column_names} - QUERIED.keys()):
        raise DescriptorError(f"measures/{measure.id}/query.sql returns unknown columns: {', '.join(unknown)}")
    if missing := sorted({"body", "period_start", "period_end", "figure", "value"} - {*found.column_names}):
        raise DescriptorError(f"measures/{measure.id}/query.sql does not return {', '.join(missing)}")
    return found


def _clean(found: pa.Table) -> pa.RecordBatch:
    """What a query returns, with all columns of `QUERIED`; a text that is missing is empty."""
    columns = {}
    for name, kind in QUERIED.items():
        cells = found[name].combine_chunks() if name in found.column_names else pa.nulls(found.num_rows)
        cells = cells if kind is None else cells.cast(kind)
        columns[name] = pc.fill_null(cells, "") if kind == pa.string() else cells
    return pa.record_batch(columns)


def _require_known(measure: Measure, inputs: Inputs, rows: pa.RecordBatch) -> None:
    """Refuse figures that the definition does not declare, and bodies that are not measured."""
    for figure in pc.unique(rows["figure"]).to_pylist():
        if measure.figure(figure) is None:
            raise DescriptorError(f"measures/{measure.id}: the query returns the figure '{figure}', not declared")
    known = {body.body for body in inputs.bodies}
    for body in pc.unique(rows["body"]).to_pylist():
        if body not in known:
            raise DescriptorError(f"measures/{measure.id}: the query returns the body '{body}', not measured")


def _require_conservation(measure: Measure, rows: pa.RecordBatch) -> None:
    parts, totals = (round_exactly(rows[name], 2) for name in ("part_sum", "total"))
    if one := _find_first(rows, pc.not_equal(parts, totals)):
        raise ConservationError(
            f"measures/{measure.id}: {one['figure']} {one['item']} of {one['body']} has parts of {one['part_sum']} "
            f"and a total of {one['total']}"
        )


def _find_first(rows: pa.RecordBatch, mask: Mask) -> dict[str, Any] | None:
    """The first row for which the mask is true; None if there is none."""
    position = pc.index(mask, True).as_py()
    return None if position < 0 else rows.slice(position, 1).to_pylist()[0]


def _round(measure: Measure, rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows with all numbers rounded half to even, values and bounds to the places of their figure."""
    precise = pa.array([figure.id for figure in measure.figures if figure.places == 6], pa.string())
    is_precise = pc.is_in(rows["figure"], precise)
    rounded = {name: round_exactly(rows[name], 6) for name in ("coverage", "inferred_share")}
    for name in ("value", "lo", "hi"):
        rounded[name] = pc.if_else(is_precise, round_exactly(rows[name], 6), round_exactly(rows[name], 2))
    return replace_columns(rows, rounded).drop_columns(["part_sum", "total"])


def round_exactly(numbers: Cells, places: int) -> Cells:
    """Numbers of any type as decimals, rounded half to even to `places`: at most the six of `NUMBER`.

    A float is the shortest decimal that is read as it; what is no finite number becomes null.
    """
    if pa.types.is_floating(numbers.type):
        floats = numbers.cast(pa.float64())
        floats = pc.if_else(pc.is_finite(floats), floats, pa.scalar(None, pa.float64()))
        floats = pc.if_else(pc.less(pc.abs(floats), _ROUNDS_TO_NOTHING), 0.0, floats)
        numbers = floats.cast(pa.string()).cast(_DIGITS_OF_FLOATS)
    elif not pa.types.is_decimal(numbers.type):
        numbers = numbers.cast(pa.decimal128(38, 0))
    return pc.round(numbers, places, "half_to_even").cast(NUMBER)


def _complete(
    measure: Measure, inputs: Inputs, rows: pa.RecordBatch, replies: Mapping[tuple[str, str], str]
) -> pa.RecordBatch:
    """The rows with what follows from their measure, figure and body, and with the notes about them."""
    names = {body.body: body.name for body in inputs.bodies}
    kinds = {body.body: body.kind if measure.comparators == "kind" else "" for body in inputs.bodies}
    ids = _identify(measure, str(inputs.year), rows)
    added = {
        "figure_id": pa.array(ids, pa.string()),
        "body_name": look_up(rows["body"], names),
        "unit": look_up(rows["figure"], {figure.id: figure.unit for figure in measure.figures}),
        "peer_kind": look_up(rows["body"], kinds),
    }
    if replies:
        own: list[Any] = rows["body"].to_pylist()
        added["reply"] = pa.array([replies.get(key, "") for key in zip(own, ids, strict=True)], pa.string())
    same = {"measure": measure.id, "method_version": measure.version, "perimeter": measure.perimeter}
    same |= {"inputs": "", "reply": ""}
    columns = replace_columns(rows, {name: pa.repeat(text, rows.num_rows) for name, text in same.items()} | added)
    return pa.record_batch([columns[one.name].cast(one.type) for one in SCHEMA], schema=SCHEMA)
