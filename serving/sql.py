"""Row queries as DuckDB SQL over Parquet files.

Identifiers come from the dataset's descriptor and everything else is a bound parameter, so no text of a request becomes
part of a statement. Releases store numbers with different decimal places: columns are read with the largest number of
places (`scale`) of all files, so that no value is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from serving.cursors import FieldValue
from serving.row_query import Aggregate, Condition, Grouping, QueryField, RowQuery
from serving.version_selection import LineFilter

_OPERATORS = {"eq": "=", "ne": "IS DISTINCT FROM", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "in": "="}
_FEW_VALUES = 200
"""Values that are written as a list, which can skip row groups of a file; more are joined."""
_CASELESS = {
    "contains": "contains(lower({}), lower({}))",
    "starts": "starts_with(lower({}), lower({}))",
    "ieq": "lower({}) = lower({})",
}
_ARROW_TYPES = {"string": pa.string(), "integer": pa.int64(), "date": pa.date32(), "boolean": pa.bool_()}


FileSchema: TypeAlias = tuple[tuple[str, pa.DataType], ...]
"""The columns of a Parquet file with their types."""


@lru_cache(maxsize=100_000)
def file_schema(path: str) -> FileSchema:
    """Read the schema of a file. Cached for good: published files never change."""
    return tuple((column.name, column.type) for column in pq.read_schema(path))


def largest_scale(paths: Iterable[str]) -> int:
    """The decimal places that hold every number of the files exactly; releases have 4, 10 or 18."""
    schemas = {file_schema(path) for path in paths}
    scales = (kind.scale for schema in schemas for _, kind in schema if pa.types.is_decimal(kind))
    return max(scales, default=4)


@dataclass(frozen=True, slots=True)
class QueryFile:
    """A local Parquet file of a query, and its number in the order of the query's files."""

    path: str
    number: int


@dataclass(frozen=True, slots=True)
class QuerySource:
    """What a statement reads: `files`, and which of their lines. Numbers are read with `scale` decimal places.

    `totals` names the kind of totals (`piperoll.releasing.totals`) if the files hold totals and no lines.
    """

    files: Sequence[QueryFile]
    filter: LineFilter
    scale: int
    totals: str | None = None


@dataclass(slots=True)
class BoundParameters:
    """The parameters of a statement by name."""

    values: dict[str, Any] = field(default_factory=dict)

    def add(self, value: Any) -> str:
        """Bind a value and return its placeholder."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its parameters. Its last columns, `_key0`, `_key1` and so on, are the keys for the next page."""

    sql: str
    parameters: Mapping[str, Any]


def rows_statement(
    query: RowQuery, source: QuerySource, after: Sequence[FieldValue | None] | None, limit: int | None
) -> Statement:
    """Select the lines that meet the conditions, in the query's order, starting after the keys `after`.

    The last two keys identify a line: the number of its file, and its number in the file.
    """
    bound = BoundParameters()
    keys = [(f'"{one.name}"', one.descending) for one in query.sort] + [('"_file"', False), ('"_row"', False)]
    needed = {one.name: one for one in query.columns} | {one.name: query.fields[one.name] for one in query.sort}
    where = _filters_sql(query, query.conditions, source, needed, bound)
    if after is not None:
        where.append(_after_sql(keys, after, bound))
    columns = [one.quoted for one in query.columns] + [f"{name} AS _key{n}" for n, (name, _) in enumerate(keys)]
    sql = f"SELECT {', '.join(columns)} FROM ({_files_sql(needed, source, bound)}){_where_sql(where)}"
    order = keys if query.sort else []  # without a sort the files come in their order, and so do the rows of each
    return Statement(sql + _order_sql(order, limit, bound), bound.values)


def groups_statement(
    query: RowQuery, source: QuerySource, after: Sequence[FieldValue | None] | None, limit: int | None
) -> Statement:
    """Select the groups of the lines that meet the conditions, in the query's order and then by group."""
    bound = BoundParameters()
    needed = {one.field.name: one.field for one in query.group_by}
    needed |= {one.field.name: one.field for one in query.aggregates if one.field is not None and not source.totals}
    if query.adds_up is not None:
        needed[query.adds_up.name] = query.adds_up
    conditions = _where_sql(_filters_sql(query, query.conditions, source, needed, bound))
    groups = [one.quoted for one in query.group_by]
    grouped = [f"{_grouping_sql(one)} AS {one.quoted}" for one in query.group_by]
    columns = ", ".join(grouped + [_aggregate_sql(one, query, source) for one in query.aggregates])
    inner = f"SELECT {columns} FROM ({_files_sql(needed, source, bound)}){conditions}"
    if groups:
        inner += f" GROUP BY {', '.join(map(str, range(1, len(groups) + 1)))}"
    keys = [(f'"{one.name}"', one.descending) for one in query.sort]
    keys += [(name, False) for name in groups if name not in {sorted_by for sorted_by, _ in keys}]
    names = groups + [f'"{one.name}"' for one in query.aggregates]
    selected = ", ".join(names + [f"{name} AS _key{n}" for n, (name, _) in enumerate(keys)])
    where = [_condition_sql(one, source.scale, bound) for one in query.having]
    if after is not None:
        where.append(_after_sql(keys, after, bound))
    page = f"{_where_sql(where)}{_order_sql(keys, limit, bound)}"
    return Statement(f"SELECT {selected} FROM ({inner}){page}", bound.values)


def undated_statement(query: RowQuery, source: QuerySource) -> Statement | None:
    """Count the lines that a query leaves out because it asks for a time and they have no date; None if it does not.

    They meet all other conditions. The answer is one row: the number, and the sum (null if the dataset has no amount).
    """
    asked = {one.field.name: one.field for one in query.conditions if one.asks_date}
    if not asked and not source.filter.beside:
        return None
    bound = BoundParameters()
    needed: dict[str, QueryField] = dict(asked)
    others = [one for one in query.conditions if not one.asks_date]
    left_out = []
    if asked:
        where = _line_filter_sql(query, source.filter, needed, bound)
        where.append(f"({' OR '.join(f'{one.quoted} IS NULL' for one in asked.values())})")
        left_out.append(f"({' AND '.join(where)})")
    if source.filter.beside:
        needed |= {name: query.fields[name] for name in ("line_date", "series", "financial_year")}
        tables = _in_sql('"series"', source.filter.beside, bound)
        no_year = ' AND "financial_year" IS NULL' if source.filter.within is None else ""
        left_out.append(f'("line_date" IS NULL AND {tables}{no_year})')
    where = _filters_sql(query, others, replace(source, filter=LineFilter()), needed, bound)
    where.append(f"({' OR '.join(left_out)})")
    pounds = "NULL"
    if query.amount and not source.totals:
        needed |= {one.name: one for one in query.amount}
        pounds = f"sum(coalesce({', '.join(one.quoted for one in query.amount)}))"
    elif query.amount:
        pounds = f'sum("{query.amount[0].name}_sum")'
    rows = 'sum("rows")::BIGINT' if source.totals else "count(*)"
    lines = _files_sql(needed, source, bound)
    return Statement(f"SELECT {rows} AS rows, {pounds} AS pounds FROM ({lines}){_where_sql(where)}", bound.values)


def _filters_sql(
    query: RowQuery,
    conditions: Sequence[Condition],
    source: QuerySource,
    needed: dict[str, QueryField],
    bound: BoundParameters,
) -> list[str]:
    """What a line must meet: the filter of the source, the conditions, and every word in the text of the line.

    The fields that this takes are added to `needed`.
    """
    filters = _line_filter_sql(query, source.filter, needed, bound)
    needed.update({one.field.name: one.field for one in conditions} | {one.name: one for one in query.searched})
    filters += [_condition_sql(one, source.scale, bound) for one in conditions]
    if query.words:
        text = _folded(f"concat_ws(chr(10), {', '.join(one.quoted for one in query.searched)})")
        filters += [f"contains({text}, {_folded(bound.add(word))})" for word in query.words]
    return filters


def _line_filter_sql(
    query: RowQuery, lines: LineFilter, needed: dict[str, QueryField], bound: BoundParameters
) -> list[str]:
    """The tables and the time that a query asks for; a line without a date belongs to the period of its table."""
    filters = []
    if lines.series is not None:
        needed["series"] = query.fields["series"]
        filters.append(_in_sql('"series"', lines.series, bound))
    if lines.within is not None:
        needed |= {name: query.fields[name] for name in ("line_date", "series")}
        first, last = bound.add(lines.within.start), bound.add(lines.within.end)
        undated = f'"line_date" IS NULL AND {_in_sql("series", lines.undated, bound)}'
        filters.append(f'("line_date" BETWEEN {first} AND {last} OR ({undated}))')
    return filters


def _in_sql(name: str, values: Sequence[str], bound: BoundParameters) -> str:
    if not values:
        return "false"
    if len(values) > _FEW_VALUES:
        return f"{name} IN (SELECT unnest({bound.add(list(values))}))"
    return f"{name} IN ({', '.join(map(bound.add, values))})"


def _folded(text: str) -> str:
    return f"lower(strip_accents({text}))"


def _grouping_sql(one: Grouping) -> str:
    """A field, or what a date belongs to, spelled as a period: 2026-10, 2026-Q4, 2026, 2026-27."""
    day = one.field.quoted
    match one.function:
        case None:
            return day
        case "month":
            return f"strftime({day}, '%Y-%m')"
        case "quarter":
            return f"(strftime({day}, '%Y') || '-Q' || quarter({day}))"
        case "year":
            return f"strftime({day}, '%Y')"
        case _:
            first = f"strftime({day} - INTERVAL 3 MONTH, '%Y')"
            return f"({first} || '-' || strftime({day} + INTERVAL 9 MONTH, '%y'))"


def _files_sql(needed: Mapping[str, QueryField], source: QuerySource, bound: BoundParameters) -> str:
    """All files as one table with the `needed` columns, `_file` and `_row`; one SELECT for each file schema.

    Of totals it also has the figures, and only those of one kind.
    """
    by_schema: dict[FileSchema, list[QueryFile]] = {}
    for file in source.files:
        by_schema.setdefault(file_schema(file.path), []).append(file)
    selects = []
    for schema, own in by_schema.items():
        columns = [f"{_field_sql(one, schema, source.scale)} AS {one.quoted}" for one in needed.values()]
        if source.totals is not None:
            columns += [f'{_figure_sql(name, kind, source.scale)} AS "{name}"' for name, kind in _figures(schema)]
        columns.append(f"({bound.add([file.number for file in own])})[file_index::BIGINT + 1]::BIGINT AS _file")
        columns.append("file_row_number AS _row")
        kind = "" if source.totals is None else f' WHERE "by" = {bound.add(source.totals)}'
        paths = bound.add([file.path for file in own])
        selects.append(f"SELECT {', '.join(columns)} FROM read_parquet({paths}, file_row_number = true){kind}")
    if not selects:
        nulls = [f"CAST(NULL AS {one.sql_type(source.scale)}) AS {one.quoted}" for one in needed.values()]
        return f"SELECT {', '.join([*nulls, '0::BIGINT AS _file', '0::BIGINT AS _row'])} WHERE false"
    # Totals of files with other columns have other figures.
    return (" UNION ALL " if source.totals is None else " UNION ALL BY NAME ").join(selects)


def _figures(schema: FileSchema) -> FileSchema:
    """The columns of totals that are figures."""
    endings = ("_sum", "_min", "_max", "_filled")
    return tuple((name, kind) for name, kind in schema if name == "rows" or name.endswith(endings))


def _figure_sql(name: str, kind: pa.DataType, scale: int) -> str:
    return f'CAST("{name}" AS DECIMAL(38,{scale}))' if pa.types.is_decimal(kind) else f'"{name}"'


def _field_sql(one: QueryField, schema: FileSchema, scale: int) -> str:
    """A field of a file in the type that it has for all files; null if the file lacks it."""
    if one.of_series and one.name == "period":
        return "regexp_replace(split_part(\"series\", '/', 3), '--[^0-9].*$', '')"
    wanted, stored = one.sql_type(scale), dict(schema).get(one.name)
    if stored is None:
        return f"CAST(NULL AS {wanted})"
    if stored == (pa.decimal128(38, scale) if one.type == "number" else _ARROW_TYPES[one.type]):
        return one.quoted
    return f"CAST({one.quoted} AS {wanted})"


def _condition_sql(condition: Condition, scale: int, bound: BoundParameters) -> str:
    """A condition; several values mean any of them, for `ne` none of them."""
    if condition.operator == "in" and condition.field.type != "number":
        return f"{condition.field.quoted} IN ({', '.join(bound.add(value) for value in condition.values)})"
    comparisons = [_comparison_sql(condition, value, scale, bound) for value in condition.values]
    return f"({(' AND ' if condition.operator == 'ne' else ' OR ').join(comparisons)})"


def _comparison_sql(condition: Condition, value: FieldValue, scale: int, bound: BoundParameters) -> str:
    name, operator = condition.field.quoted, condition.operator
    if operator == "isnull":
        return f"{name} IS {'' if value else 'NOT '}NULL"
    if operator in _CASELESS:
        return _CASELESS[operator].format(name, bound.add(value))
    if not isinstance(value, Decimal):
        return f"{name} {_OPERATORS[operator]} {bound.add(value)}"
    # A value with more decimal places than the column lies between two values that the column can have: no row equals
    # it, and it is compared by the one below. Rounding it instead would let 0.12344 equal 0.1234.
    floor = value.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_FLOOR)
    if floor != value:
        if operator in ("eq", "in", "ne"):
            return "true" if operator == "ne" else "false"
        operator = "lte" if operator.startswith("lt") else "gt"
    return f"{name} {_OPERATORS[operator]} CAST({bound.add(f'{floor:f}')} AS DECIMAL(38,{scale}))"


def _after_sql(keys: Sequence[tuple[str, bool]], after: Sequence[FieldValue | None], bound: BoundParameters) -> str:
    """Whether a row comes after the row with the keys `after`; nulls sort last in both directions."""
    alternatives, same = [], ""
    for (name, descending), value in zip(keys, after, strict=True):
        if value is None:
            same += f"{name} IS NULL AND "
            continue
        if isinstance(value, Decimal):
            places = max(0, -int(value.as_tuple().exponent))
            placeholder = f"CAST({bound.add(str(value))} AS DECIMAL(38,{places}))"
        else:
            placeholder = bound.add(value)
        alternatives.append(f"{same}({name} {'<' if descending else '>'} {placeholder} OR {name} IS NULL)")
        same += f"{name} = {placeholder} AND "
    return f"({' OR '.join(alternatives)})" if alternatives else "false"


def _aggregate_sql(one: Aggregate, query: RowQuery, source: QuerySource) -> str:
    """A figure of a group, from lines or from totals. Sums and means are decimals, exact to the column's last place.

    Figures of rows that do not add up are in no sum and no mean. A mean has `wanted` places, half a last place rounded
    away from 0. It is computed in whole numbers, because DuckDB divides decimals as floats.
    """
    if one.field is None:
        return 'coalesce(sum("rows"), 0)::BIGINT AS "count"' if source.totals else 'count(*) AS "count"'
    name, only = one.field.quoted, f" FILTER (WHERE {query.adds_up.quoted})" if query.adds_up is not None else ""
    total, count, extreme = f"sum({name}){only}", f"count({name}){only}", f"{one.function}({name})"
    if source.totals:
        total, count = f'sum("{one.field.name}_sum")', f'sum("{one.field.name}_filled")::BIGINT'
        extreme = f'{one.function}("{one.field.name}_{one.function}")'
    match one.function:
        case "sum" if one.field.type == "integer":
            sql = f"CAST({total} AS DECIMAL(38,0))"
        case "sum":
            sql = total
        case "avg":
            scale = source.scale
            places, wanted = (scale, scale) if one.field.type == "number" else (0, 4)
            units = f"CAST(replace(CAST({total} AS VARCHAR), '.', '') AS HUGEINT) * {10 ** (wanted - places)}"
            whole, step = f"((abs({units}) * 2 + {count}) // (2 * {count}))", 10**wanted
            decimals = f"lpad(CAST({whole} % {step} AS VARCHAR), {wanted}, '0')"
            digits = f"CAST({whole} // {step} AS VARCHAR) || '.' || {decimals}"
            sign = f"CASE WHEN {total} < 0 THEN '-' ELSE '' END"
            sql = f"CASE WHEN {count} > 0 THEN CAST({sign} || {digits} AS DECIMAL(38,{wanted})) END"
        case _:
            sql = extreme
    return f'{sql} AS "{one.name}"'


def _where_sql(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _order_sql(keys: Sequence[tuple[str, bool]], limit: int | None, bound: BoundParameters) -> str:
    """The ORDER BY and LIMIT of a statement; no keys mean no order."""
    order = ", ".join(f"{name} {'DESC' if descending else 'ASC'} NULLS LAST" for name, descending in keys)
    order = f" ORDER BY {order}" if order else ""
    return order if limit is None else f"{order} LIMIT {bound.add(limit)}"
