"""The query language of `/rows/{dataset}`: fields, conditions, groups, sorting and cursors.

`parse_query` turns the parameters of a request into a `RowQuery`. It checks every name against the dataset's
descriptor, so that later steps handle known names and typed values only.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeAlias, cast

from piperoll.errors import PeriodError
from piperoll.model import Dataset, Period
from serving.documents import FieldType
from serving.limits import ApiLimits
from serving.problems import Problem, bad_parameter, given_twice, printable, unknown_name

FieldValue: TypeAlias = "str | int | bool | Decimal | date"

_COMPARISONS = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "isnull")
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "string": (*_COMPARISONS, "contains", "starts"),
    "number": _COMPARISONS,
    "integer": _COMPARISONS,
    "date": _COMPARISONS,
    "boolean": ("eq", "ne", "isnull"),
}
"""The operators that a condition can use, by the type of its field."""

AGGREGATES = ("sum", "min", "max", "avg")
RESERVED = (
    *("body", "period", "part", "within", "as_known_on", "overlapping"),
    *("columns", "group_by", *AGGREGATES, "count", "sort", "limit", "cursor", "format"),
)
"""The parameters that are not conditions on a field."""

_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?\Z", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,18}\Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?\Z", re.ASCII)
_SLUG = re.compile(r"[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]{0,199}\Z")
_EXAMPLES = {
    "string": "text, such as Acorn",
    "number": "a number, such as 1250.00",
    "integer": "a whole number, such as 3",
    "date": "a date, such as 2026-10-31",
    "boolean": "true or false",
}

_SQL_TYPES = {"string": "VARCHAR", "integer": "BIGINT", "date": "DATE", "boolean": "BOOLEAN"}
_SEE_FIELDS = "/datasets/{dataset} lists its fields"
_MAX_CURSOR_CHARACTERS = 8_000
"""A cursor holds the sort values of one row; a URL may be eight times as long."""


@dataclass(frozen=True, slots=True)
class QueryField:
    """A field that a query can name: one of the dataset, or one that describes the series of a row (`of_series`)."""

    name: str
    type: FieldType
    title: str
    description: str
    unit: str | None = None
    of_series: bool = False

    @property
    def quoted(self) -> str:
        """The name as an SQL identifier. It comes from the descriptor, never from a request."""
        return f'"{self.name}"'

    def sql_type(self, scale: int) -> str:
        """The DuckDB type of its values; numbers have `scale` decimal places."""
        return f"DECIMAL(38,{scale})" if self.type == "number" else _SQL_TYPES[self.type]


_SERIES_FIELDS = (
    QueryField("series", "string", "Series", "The published table of the row: dataset/body/period.", None, True),
    QueryField("body", "string", "Body", "The short name of the body that sent the row.", None, True),
    QueryField("period", "string", "Period", "The period that the row's table covers.", None, True),
    QueryField("part", "string", "Part", "Which of the body's files for the period has the row.", None, True),
    QueryField("version", "integer", "Version", "The version number of the row's table.", None, True),
)


def query_fields(dataset: Dataset) -> dict[str, QueryField]:
    """Every field that a query can name: the dataset's in published order, then those of the series.

    A field of the dataset hides a series field of the same name.
    """
    own = {
        one.name: QueryField(one.name, cast("FieldType", one.type), one.title, one.description, one.unit)
        for one in dataset.fields
    }
    return own | {one.name: one for one in _SERIES_FIELDS if one.name not in own}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a field. A row meets it if it meets it for any of the values (for `ne`: for all of them)."""

    field: QueryField
    operator: str
    values: tuple[FieldValue, ...]


@dataclass(frozen=True, slots=True)
class SeriesScope:
    """The series that a query reads. An empty tuple means all of them; `as_known_on` is a day or an instant in UTC."""

    dataset: str
    bodies: tuple[str, ...] = ()
    periods: tuple[Period, ...] = ()
    parts: tuple[str, ...] = ()
    within: Period | None = None
    as_known_on: str | None = None
    keep_overlapping: bool = False


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A figure of each group: `sum`, `min`, `max` or `avg` of a field, or the `count` of rows (its `field` is None)."""

    function: str
    field: QueryField | None

    @property
    def name(self) -> str:
        """The name of its column in the answer."""
        return self.function if self.field is None else f"{self.function}_{self.field.name}"


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column to sort by."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins. It holds everything that is needed, so any process can answer for it.

    `query` and `selection` are digests of the query and of the versions that the first page read. `until` is when the
    latest of those versions was published: selecting versions as of that instant gives the same ones again. `keys` are
    the sort values of the last row of the page before.
    """

    query: str
    selection: str
    until: str
    keys: tuple[FieldValue | None, ...]

    def token(self) -> str:
        """The cursor as text for a URL."""
        # JSON has neither decimals nor dates: {"n": …} and {"d": …} stand for them, as `parse` expects.
        keys: list[Any] = []
        for key in self.keys:
            if isinstance(key, Decimal):
                keys.append({"n": str(key)})
            else:
                keys.append({"d": key.isoformat()} if isinstance(key, date) else key)
        content = [self.query, self.selection, self.until, keys]
        packed = zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def parse(cls, token: str) -> Cursor:
        """Read a token. Raises: Problem: it is not the token of a cursor."""
        problem = bad_cursor("the cursor is not valid: follow `next` unchanged, or leave out cursor")
        if len(token) > _MAX_CURSOR_CHARACTERS:
            raise problem
        try:
            packed = base64.urlsafe_b64decode((token + "=" * (-len(token) % 4)).encode("ascii"))
            # Bound the decompressed size: a few bytes could expand to gigabytes.
            match json.loads(zlib.decompressobj().decompress(packed, _MAX_CURSOR_CHARACTERS * 8)):
                case [str(query), str(selection), str(until), list(keys)]:
                    return cls(query, selection, until, tuple(map(_decode_key, keys)))
        except (ValueError, RecursionError, ArithmeticError, zlib.error) as error:
            raise problem from error
        raise problem


def bad_cursor(detail: str) -> Problem:
    """The problem for a cursor that cannot be used."""
    return Problem(400, "bad-cursor", detail)


def digest(content: Sequence[Any]) -> str:
    """A short hash of JSON content, to recognise what is the same. It is not for security."""
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, default=str).encode()).hexdigest()[:16]


def _decode_key(key: Any) -> FieldValue | None:
    match key:
        case {"n": str(digits)}:
            number = Decimal(digits)
            if not number.is_finite():
                raise ValueError
            return number
        case {"d": str(day)}:
            return date.fromisoformat(day)
        case None | str() | bool() | int():
            return key
    raise ValueError


@dataclass(frozen=True, slots=True)
class RowQuery:
    """A query for rows of a dataset or, if it has `aggregates`, for groups of them.

    `columns` are those of the answer if it has rows. `limit` None means all rows, if the format allows it. `digest`
    identifies the query whatever the order of its parameters, its page size and its format.
    """

    scope: SeriesScope
    conditions: tuple[Condition, ...]
    columns: tuple[QueryField, ...]
    group_by: tuple[QueryField, ...]
    aggregates: tuple[Aggregate, ...]
    sort: tuple[SortKey, ...]
    limit: int | None
    cursor: Cursor | None
    digest: str
    fields: Mapping[str, QueryField]

    @property
    def names(self) -> list[str]:
        """The columns of the answer, in order."""
        if self.aggregates:
            return [one.name for one in self.group_by] + [one.name for one in self.aggregates]
        return [one.name for one in self.columns]


def parse_query(dataset: Dataset, parameters: Iterable[tuple[str, str]], limits: ApiLimits) -> RowQuery:
    """Parse the parameters of a request for rows.

    Raises: Problem: a parameter is unknown or given twice, its value is not valid, or the cursor is of another query.
    """
    texts: dict[str, list[str]] = {}
    for name, text in parameters:
        texts.setdefault(name, []).append(text)
    fields = query_fields(dataset)
    scope = _parse_scope(dataset, texts)
    names = [name for name in texts if name not in RESERVED]
    conditions = tuple(_parse_condition(name, texts[name], fields, limits) for name in names)
    if len(conditions) > limits.filters:
        raise Problem(
            400, "too-many-conditions", f"the query has {len(conditions)} conditions: {limits.filters} is the limit"
        )
    group_by, aggregates = _parse_groups(texts, fields)
    if aggregates and "columns" in texts:
        raise bad_parameter("columns", "a query with groups has no columns: list the groups in group_by")
    columns = () if aggregates else _list_fields("columns", texts, fields) or tuple(fields.values())
    sortable = [one.name for one in group_by] + [one.name for one in aggregates] if aggregates else list(fields)
    cursor = Cursor.parse(single_value("cursor", texts["cursor"])) if "cursor" in texts else None
    same_query = sorted((name, *values) for name, values in texts.items() if name not in ("cursor", "limit", "format"))
    query = RowQuery(
        scope=scope,
        conditions=conditions,
        columns=columns,
        group_by=group_by,
        aggregates=aggregates,
        sort=_parse_sort(texts, sortable),
        limit=_parse_limit(texts, limits),
        cursor=cursor,
        digest=digest([dataset.name, same_query]),
        fields=fields,
    )
    if cursor is not None and cursor.query != query.digest:
        raise bad_cursor("the cursor belongs to another query: follow `next` unchanged")
    return query


def single_value(name: str, texts: Sequence[str]) -> str:
    """The value of a parameter that takes one. Raises: Problem: it is given more than once."""
    if len(texts) != 1:
        raise given_twice(name)
    return texts[0]


def _parse_scope(dataset: Dataset, texts: Mapping[str, Sequence[str]]) -> SeriesScope:
    parts = [*(part.name for part in dataset.parts), "none"]
    for part in _list_values("part", texts):
        if part not in parts:
            raise unknown_name("part", part, parts, see=f"{dataset.name} has {', '.join(parts[:-1]) or 'no parts'}")
    for slug in _list_values("body", texts):
        if not _SLUG.match(slug):
            raise bad_parameter("body", f"'{printable(slug)}' is not the short name of a body: /bodies lists them")
    return SeriesScope(
        dataset=dataset.name,
        bodies=tuple(_list_values("body", texts)),
        periods=tuple(_parse_period("period", text) for text in _list_values("period", texts)),
        parts=tuple(_list_values("part", texts)),
        within=_parse_period("within", single_value("within", texts["within"])) if "within" in texts else None,
        as_known_on=_parse_instant(texts),
        keep_overlapping=_parse_choice("overlapping", texts, ("leave-out", "keep")) == "keep",
    )


def _parse_condition(
    parameter: str, texts: Sequence[str], fields: Mapping[str, QueryField], limits: ApiLimits
) -> Condition:
    """Parse `field=value` or `field__operator=value`."""
    name, separator, operator = parameter.rpartition("__")
    if not separator:
        name, operator = parameter, "eq"
    if name not in fields:
        raise unknown_name("field", name, fields, see=_SEE_FIELDS)
    field = fields[name]
    if operator not in OPERATORS[field.type]:
        allowed = ", ".join(f"{name}__{one}" for one in OPERATORS[field.type])
        raise bad_parameter(
            parameter, f"'{printable(operator)}' is not an operator of {name}, which is a {field.type}: use {allowed}"
        )
    items = [item for text in texts for item in split_list(text)] if operator == "in" else list(texts)
    if not 1 <= len(items) <= limits.values:
        raise bad_parameter(parameter, f"{parameter} has {len(items)} values: give 1 to {limits.values}")
    if len(items) > 1 and operator not in ("eq", "in", "ne", "contains", "starts"):
        raise given_twice(parameter)
    kind = "boolean" if operator == "isnull" else field.type
    return Condition(field, operator, tuple(_parse_value(parameter, item, kind) for item in items))


def _parse_value(parameter: str, text: str, kind: str) -> FieldValue:
    """Parse a value of a field's type."""
    value: FieldValue | None = None
    match kind:
        case "string":
            value = text or None
        case "number" if _NUMBER.match(text):
            value = Decimal(text)
        case "integer" if _INTEGER.match(text):
            value = int(text)
        case "date" if _DAY.match(text):
            try:
                value = date.fromisoformat(text)
            except ValueError:
                value = None  # such as 31 February
        case "boolean":
            value = {"true": True, "false": False}.get(text.lower())
    if value is None:
        raise bad_parameter(
            parameter,
            f"'{printable(text)}' is not a valid value of {parameter}: use {_EXAMPLES[kind]}",
        )
    return value


def split_list(text: str) -> list[str]:
    """Split a list at its commas; an item that contains a comma is in double quotes.

    Raises: Problem: a double quote is not closed.
    """
    try:
        rows = list(csv.reader([text.replace("\r", " ").replace("\n", " ")], strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise Problem(
            400, "bad-parameter", f"'{printable(text)}' has a double quote that is not closed: close it"
        ) from error
    return [item for row in rows for item in row]


def _list_values(name: str, texts: Mapping[str, Sequence[str]]) -> list[str]:
    """The values of a parameter that takes a list, each once. Raises: Problem: it is given but empty."""
    values = list(dict.fromkeys(item for text in texts.get(name, ()) for item in split_list(text)))
    if name in texts and not all(values or [""]):
        raise bad_parameter(name, f"{name} is empty: give a value, or leave out {name}")
    return values


def _list_fields(
    name: str, texts: Mapping[str, Sequence[str]], fields: Mapping[str, QueryField]
) -> tuple[QueryField, ...]:
    names = _list_values(name, texts)
    for one in names:
        if one not in fields:
            raise unknown_name("field", one, fields, see=_SEE_FIELDS)
    return tuple(fields[one] for one in names)


def _parse_choice(name: str, texts: Mapping[str, Sequence[str]], choices: Sequence[str]) -> str:
    """One of `choices`; the first if the parameter is left out."""
    choice = single_value(name, texts[name]) if name in texts else choices[0]
    if choice not in choices:
        allowed = " or ".join(filter(None, choices))
        raise bad_parameter(name, f"'{printable(choice)}' is not a valid value of {name}: use {allowed}")
    return choice


def _parse_period(name: str, text: str) -> Period:
    try:
        return Period.parse(text)
    except PeriodError as error:
        raise bad_parameter(
            name, f"'{printable(text)}' is not a period: use 2026-10, 2026-Q4, 2026-27 or a day"
        ) from error


def _parse_instant(texts: Mapping[str, Sequence[str]]) -> str | None:
    """The day or instant of `as_known_on`, if it is given."""
    if "as_known_on" not in texts:
        return None
    text = single_value("as_known_on", texts["as_known_on"])
    try:
        if _INSTANT.match(text):
            datetime.fromisoformat(text).astimezone(UTC)
            return text
    except (ValueError, OverflowError):
        pass  # such as 31 February: the same message
    raise bad_parameter(
        "as_known_on",
        f"'{printable(text)}' is not a day: use 2026-11-01, or an instant in UTC such as 2026-11-01T09:00:00Z",
    )


def _parse_groups(
    texts: Mapping[str, Sequence[str]], fields: Mapping[str, QueryField]
) -> tuple[tuple[QueryField, ...], tuple[Aggregate, ...]]:
    """The fields to group by, and the figures of each group. Groups without a figure are counted."""
    group_by = _list_fields("group_by", texts, fields)
    aggregates = []
    for function in AGGREGATES:
        for field in _list_fields(function, texts, fields):
            if field.type not in ("number", "integer") and (field.type != "date" or function not in ("min", "max")):
                raise bad_parameter(
                    function, f"{field.name} is a {field.type}, so it has no {function}: name a field of numbers"
                )
            aggregates.append(Aggregate(function, field))
    counted = "count" in texts and _parse_choice("count", texts, ("true", "", "false")) != "false"
    if counted or (group_by and not aggregates):
        aggregates.append(Aggregate("count", None))
    return group_by, tuple(aggregates)


def _parse_sort(texts: Mapping[str, Sequence[str]], sortable: Sequence[str]) -> tuple[SortKey, ...]:
    keys = [SortKey(name.removeprefix("-"), name.startswith("-")) for name in _list_values("sort", texts)]
    for key in keys:
        if key.name not in sortable:
            raise unknown_name("column", key.name, sortable, see=f"sort by {', '.join(sortable[:8])}")
    if len({key.name for key in keys}) != len(keys):
        raise bad_parameter("sort", "sort names a column twice: name it once")
    return tuple(keys)


def _parse_limit(texts: Mapping[str, Sequence[str]], limits: ApiLimits) -> int | None:
    if "limit" not in texts:
        return None
    text = single_value("limit", texts["limit"])
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= limits.page_rows:
        raise bad_parameter(
            "limit",
            f"'{printable(text)}' is not a valid value of limit: give a whole number from 1 to {limits.page_rows}",
        )
    return int(text)
