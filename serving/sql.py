"""Questions as SQL: identifiers from the descriptor, everything else as bound parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from serving.fields import Known
from serving.query import Asked, Measure
from serving.shapes import Shape, column_sql, shape_of
from serving.terms import Term, Value
from serving.version_selection import Used

_COMPARED = {"eq": "=", "ne": "IS DISTINCT FROM", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


@dataclass(slots=True)
class Bound:
    """The parameters of a statement, named as they are bound."""

    values: dict[str, Any] = field(default_factory=dict)

    def add(self, value: Any) -> str:
        """The placeholder that stands for a value."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL, its parameters, and how many columns at its end are the keys that a page goes on from."""

    sql: str
    values: Mapping[str, Any]
    keys: int


@dataclass(frozen=True, slots=True)
class Place:
    """A version's file, and its place in the order of all that an answer is made from."""

    used: Used
    path: str
    number: int


def rows_statement(
    asked: Asked, places: Sequence[Place], scale: int, after: Sequence[Value | None] | None, limit: int | None
) -> Statement:
    """The rows of `places` that meet the conditions, in the order asked for, those after the keys `after`.

    The last keys are the place of a row: the number of its file and its number in it.
    """
    bound = Bound()
    sort = [(f'"{one.name}"', one.descending) for one in asked.sort]
    keys = [*sort, ('"_file"', False), ('"_row"', False)]
    named = {one.name: one for one in asked.columns}
    needed = named | {one.field.name: one.field for one in asked.terms} | _sorted_fields(asked, named)
    where = [_condition(one, scale, bound) for one in asked.terms]
    if after is not None:
        where.append(_beyond(keys, after, bound))
    columns = [one.quoted for one in asked.columns] + [f"{name} AS _key{n}" for n, (name, _) in enumerate(keys)]
    sql = f"SELECT {', '.join(columns)} FROM ({_source(needed, places, scale, bound)}){_where(where)}"
    if asked.sort:
        sql += f" ORDER BY {_order(keys)}"
    return Statement(sql + _limit(limit, bound), bound.values, len(keys))


def groups_statement(
    asked: Asked, places: Sequence[Place], scale: int, after: Sequence[Value | None] | None, limit: int | None
) -> Statement:
    """The groups of the rows that meet the conditions, with their figures, in the order asked for or of the groups."""
    bound = Bound()
    needed = {one.name: one for one in asked.group_by} | {one.field.name: one.field for one in asked.terms}
    needed |= {one.field.name: one.field for one in asked.measures if one.field is not None}
    where = _where([_condition(one, scale, bound) for one in asked.terms])
    chosen = [one.quoted for one in asked.group_by] + [_figure(one, scale) for one in asked.measures]
    by = f" GROUP BY {', '.join(one.quoted for one in asked.group_by)}" if asked.group_by else ""
    inner = f"SELECT {', '.join(chosen)} FROM ({_source(needed, places, scale, bound)}){where}{by}"
    keys = [(f'"{one.name}"', one.descending) for one in asked.sort]
    keys += [(one.quoted, False) for one in asked.group_by if one.name not in {each.name for each in asked.sort}]
    names = [one.quoted for one in asked.group_by] + [f'"{one.name}"' for one in asked.measures]
    told = ", ".join(names + [f"{name} AS _key{n}" for n, (name, _) in enumerate(keys)])
    beyond = "" if after is None else f" WHERE {_beyond(keys, after, bound)}"
    order = f" ORDER BY {_order(keys)}" if keys else ""
    return Statement(f"SELECT {told} FROM ({inner}){beyond}{order}{_limit(limit, bound)}", bound.values, len(keys))


def _sorted_fields(asked: Asked, named: Mapping[str, Known]) -> dict[str, Known]:
    return {one.name: asked.known[one.name] for one in asked.sort if one.name not in named}


def _source(needed: Mapping[str, Known], places: Sequence[Place], scale: int, bound: Bound) -> str:
    """All files as one table with one type a column; files of one shape are read together."""
    shaped: dict[Shape, list[Place]] = {}
    for place in places:
        shaped.setdefault(shape_of(place.path), []).append(place)
    if not shaped:
        empty = ", ".join(f"CAST(NULL AS {one.sql_type(scale)}) AS {one.quoted}" for one in needed.values())
        return f"SELECT {empty + ', ' if empty else ''}0::BIGINT AS _file, 0::BIGINT AS _row WHERE false"
    return " UNION ALL ".join(_of_shape(needed, shape, own, scale, bound) for shape, own in shaped.items())


def _of_shape(needed: Mapping[str, Known], shape: Shape, places: Sequence[Place], scale: int, bound: Bound) -> str:
    columns = [
        f"{_told(one, places, bound) if one.of_series else column_sql(one, shape, scale)} AS {one.quoted}"
        for one in needed.values()
    ]
    numbers = bound.add([place.number for place in places])
    columns += [f"{_at(numbers)}::BIGINT AS _file", "file_row_number AS _row"]
    paths = bound.add([place.path for place in places])
    return f"SELECT {', '.join(columns)} FROM read_parquet({paths}, file_row_number = true)"


def _told(one: Known, places: Sequence[Place], bound: Bound) -> str:
    """What is told of the series that a row stands in, by the number of its file."""
    items = bound.add([_of_series(one.name, place.used) for place in places])
    return _at(f"CAST({items} AS {one.sql_type(0)}[])")


def _at(items: str) -> str:
    return f"({items})[file_index::BIGINT + 1]"


def _of_series(name: str, used: Used) -> str | int | None:
    series = used.series
    told = {"series": str(series), "body": series.body, "period": str(series.period), "part": series.part}
    return used.version.version if name == "version" else told[name]


def _condition(one: Term, scale: int, bound: Bound) -> str:
    """A condition as SQL; several values mean any of them, and `ne` none of them."""
    if one.operator == "in" and one.field.type != "number":
        return f"{one.field.quoted} IN ({', '.join(bound.add(value) for value in one.values)})"
    each = [_compared(one.field, one.operator, value, scale, bound) for value in one.values]
    return f"({(' AND ' if one.operator == 'ne' else ' OR ').join(each)})"


def _compared(field: Known, operator: str, value: Value, scale: int, bound: Bound) -> str:
    name = field.quoted
    match operator:
        case "isnull":
            return f"{name} IS {'' if value else 'NOT '}NULL"
        case "contains":
            return f"contains(lower({name}), lower({bound.add(value)}))"
        case "starts":
            return f"starts_with(lower({name}), lower({bound.add(value)}))"
    operator = "eq" if operator == "in" else operator
    if isinstance(value, Decimal):
        return _compared_number(name, operator, value, scale, bound)
    return f"{name} {_COMPARED[operator]} {bound.add(value)}"


def _compared_number(name: str, operator: str, value: Decimal, scale: int, bound: Bound) -> str:
    """A comparison that is exact whatever places the value has: between two steps of the column lies no number."""
    step = Decimal(1).scaleb(-scale)
    floor = value.quantize(step, rounding=ROUND_FLOOR)
    if floor != value:
        if operator in ("eq", "ne"):
            return "false" if operator == "eq" else "true"
        operator = "lte" if operator.startswith("lt") else "gt"
    return f"{name} {_COMPARED[operator]} CAST({bound.add(f'{floor:f}')} AS DECIMAL(38,{scale}))"


def _beyond(keys: Sequence[tuple[str, bool]], after: Sequence[Value | None], bound: Bound) -> str:
    """Whether a row comes after the one with these keys; nulls come last, whichever way it is sorted."""
    either, same = [], ""
    for (name, descending), value in zip(keys, after, strict=True):
        held = None if value is None else _held(value, bound)
        if held is not None:
            either.append(f"{same}({name} {'<' if descending else '>'} {held} OR {name} IS NULL)")
        same += f"{name} IS NULL AND " if held is None else f"{name} = {held} AND "
    return f"({' OR '.join(either)})" if either else "false"


def _held(value: Value, bound: Bound) -> str:
    """A key as a parameter; a number with the places that it has."""
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return f"CAST({bound.add(str(value))} AS DECIMAL(38,{-int(exponent) if int(exponent) < 0 else 0}))"
    return bound.add(value)


def _figure(one: Measure, scale: int) -> str:
    """A measure as SQL; sums and means of numbers are decimals, exact to the last place of the column."""
    if one.field is None:
        return 'count(*) AS "count"'
    name, of_sum = one.field.quoted, f"sum({one.field.quoted})"
    if one.how == "sum" and one.field.type == "integer":
        return f'CAST({of_sum} AS DECIMAL(38,0)) AS "{one.name}"'
    if one.how != "avg":
        return f'{one.how}({name}) AS "{one.name}"'
    places = scale if one.field.type == "number" else 4
    return f'{_mean(of_sum, f"count({name})", scale if one.field.type == "number" else 0, places)} AS "{one.name}"'


def _mean(total: str, count: str, places: int, wanted: int) -> str:
    """A sum divided by a count, in whole numbers and never floats; half a last place is rounded away from nought."""
    units = f"CAST(replace(CAST({total} AS VARCHAR), '.', '') AS HUGEINT) * {10 ** (wanted - places)}"
    whole = f"((abs({units}) * 2 + {count}) // (2 * {count}))"
    step = 10**wanted
    digits = f"CAST({whole} // {step} AS VARCHAR) || '.' || lpad(CAST({whole} % {step} AS VARCHAR), {wanted}, '0')"
    sign = f"CASE WHEN {total} < 0 THEN '-' ELSE '' END"
    return f"CASE WHEN {count} > 0 THEN CAST({sign} || {digits} AS DECIMAL(38,{wanted})) END"


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _order(keys: Sequence[tuple[str, bool]]) -> str:
    return ", ".join(f"{name} {'DESC' if descending else 'ASC'} NULLS LAST" for name, descending in keys)


def _limit(limit: int | None, bound: Bound) -> str:
    return "" if limit is None else f" LIMIT {bound.add(limit)}"
