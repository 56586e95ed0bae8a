"""The query language of `/rows/{dataset}`: fields, conditions, groups, sorting and cursors.

`parse_query` turns the parameters of a request into a `RowQuery`. It checks every name against the dataset's
descriptor, so that later steps handle known names and typed values only.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from hosting.limits import ApiLimits
from hosting.problems import Problem, bad_parameter, given_twice, printable, unknown_name
from piperoll.enriching import supplier_key
from piperoll.errors import PeriodError, UsageError
from piperoll.model import Dataset, Period, find_ambiguity, parse_instant
from serving.cursors import Cursor, FieldValue, bad_cursor, digest
from serving.dialects import instead_of_operator, postgrest_hint, unknown_parameter
from serving.row_query import (
    TIME_FUNCTIONS,
    Aggregate,
    Condition,
    Grouping,
    QueryField,
    RowQuery,
    SeriesScope,
    SortKey,
    query_fields,
)

_COMPARISONS = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "isnull")
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "string": (*_COMPARISONS, "ieq", "contains", "starts"),
    "number": _COMPARISONS,
    "integer": _COMPARISONS,
    "date": _COMPARISONS,
    "boolean": ("eq", "ne", "isnull"),
}
"""The operators that a condition can use, by the type of its field."""

AGGREGATES = ("sum", "min", "max", "avg")
RESERVED = (
    *("body", "period", "part", "within", "year", "as_known_on", "overlapping", "q"),
    *("columns", "group_by", *AGGREGATES, "count", "having", "sort", "limit", "cursor", "format"),
)
"""The parameters that are not conditions on a field."""

_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?\Z", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,18}\Z", re.ASCII)
_CALENDAR_YEAR = re.compile(r"[12]\d{3}\Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_SLUG = re.compile(r"[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]{0,199}\Z")
_EXAMPLES = {
    "string": "text, such as Acorn",
    "number": "a number, such as 1250.00",
    "integer": "a whole number, such as 3",
    "date": "a date, such as 2026-10-31",
    "boolean": "true or false",
}

_SEE_FIELDS = "/datasets/{dataset} lists its fields"
_MOST_WORDS = 10
"""The most words of `q`; each is looked for in every text of a row."""

_GROUPING = re.compile(rf"({'|'.join(TIME_FUNCTIONS)})\((\w+)\)\Z", re.ASCII)
_HAVING = re.compile(r"(\w+?)(?:\s*(>=|<=|!=|<>|=|>|<)|__(\w+?)\s*[=:])\s*(.*)\Z", re.ASCII | re.DOTALL)
_HAVING_OPERATORS = {">=": "gte", "<=": "lte", "!=": "ne", "<>": "ne", "=": "eq", ">": "gt", "<": "lt"}


def parse_query(dataset: Dataset, parameters: Iterable[tuple[str, str]], limits: ApiLimits) -> RowQuery:
    """Parse the parameters of a request for rows.

    Raises: Problem: a parameter is unknown or given twice, its value is not valid, or the cursor is of another query.
    """
    given = list(parameters)
    texts: dict[str, list[str]] = {}
    for name, text in given:
        texts.setdefault(name, []).append(text)
    fields = query_fields(dataset)
    scope, notes = _parse_scope(dataset, texts)
    for name in texts:
        if name not in RESERVED and name.rpartition("__")[0] not in fields and name not in fields:
            raise unknown_parameter(name, texts[name][0], given, (*fields, *RESERVED))
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
        words=_parse_words(texts),
        columns=columns,
        group_by=group_by,
        aggregates=aggregates,
        having=_parse_having(texts, aggregates),
        sort=_parse_sort(texts, sortable),
        limit=_parse_limit(texts, limits),
        cursor=cursor,
        digest=digest([dataset.name, same_query]),
        fields=fields,
        amount=tuple(fields[name] for name in dataset.amount),
        adds_up=fields["adds_up"] if dataset.row_period is not None else None,
        notes=(*notes, *_note_foreign_values(texts, conditions)),
    )
    if cursor is not None and cursor.query != query.digest:
        raise bad_cursor("the cursor belongs to another query: follow `next` unchanged")
    return query


def single_value(name: str, texts: Sequence[str]) -> str:
    """The value of a parameter that takes one. Raises: Problem: it is given more than once."""
    if len(texts) != 1:
        raise given_twice(name)
    return texts[0]


def _parse_scope(dataset: Dataset, texts: Mapping[str, Sequence[str]]) -> tuple[SeriesScope, list[str]]:
    """The scope of a query, and notes on how its periods were understood."""
    parts = [*(part.name for part in dataset.parts), "none"]
    for part in _list_values("part", texts):
        if part not in parts:
            raise unknown_name("part", part, parts, see=f"{dataset.name} has {', '.join(parts[:-1]) or 'no parts'}")
    for slug in _list_values("body", texts):
        if not _SLUG.match(slug):
            raise bad_parameter("body", f"'{printable(slug)}' is not the short name of a body: /bodies lists them")
    periods = {text: _parse_period("period", text) for text in _list_values("period", texts)}
    within = {text: _parse_period("within", text) for text in texts.get("within", ())}
    if len(within) > 1 or len(texts.get("within", ())) > 1:
        raise given_twice("within")
    scope = SeriesScope(
        dataset=dataset.name,
        bodies=tuple(_list_values("body", texts)),
        periods=tuple(periods.values()),
        parts=tuple(_list_values("part", texts)),
        within=next(iter(within.values()), None),
        years=tuple(_parse_year(text) for text in _list_values("year", texts)),
        as_known_on=_parse_instant(texts),
        keep_overlapping=_parse_choice("overlapping", texts, ("leave-out", "keep")) == "keep",
    )
    asked = (("period", periods), ("within", within))
    found = [(name, find_ambiguity(text)) for name, given in asked for text in given]
    notes = [f"{name}: {one.message()}" for name, one in found if one]
    return scope, notes


def _parse_year(text: str) -> Period:
    """A financial year. `2011-12`, which elsewhere is December 2011, is April 2011 to March 2012 here."""
    try:
        return Period.parse_year(text)
    except PeriodError as error:
        hint = f"; for the calendar year, use within={text}-01--{text}-12" if _CALENDAR_YEAR.match(text) else ""
        raise bad_parameter("year", f"{printable(str(error), 120)}{hint}") from error


def _parse_words(texts: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The words of `q`; text in double quotes is looked for as it stands."""
    if "q" not in texts:
        return ()
    text = single_value("q", texts["q"])
    words = [phrase or word for phrase, word in re.findall(r'"([^"]+)"|([^\s"]+)', text)]
    if not 1 <= len(words) <= _MOST_WORDS:
        raise bad_parameter("q", f"q has {len(words)} words: give 1 to {_MOST_WORDS}, such as q=road+repairs")
    return tuple(dict.fromkeys(words))


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
        instead = instead_of_operator(operator)
        able = [instead] if instead in OPERATORS[field.type] else OPERATORS[field.type]
        allowed = ", ".join(f"{name}__{one}" for one in able)
        raise bad_parameter(
            parameter, f"'{printable(operator)}' is not an operator of {name}, which is a {field.type}: use {allowed}"
        )
    items = [item for text in texts for item in split_list(text)] if operator == "in" else list(texts)
    if not 1 <= len(items) <= limits.values:
        raise bad_parameter(parameter, f"{parameter} has {len(items)} values: give 1 to {limits.values}")
    if len(items) > 1 and operator not in ("eq", "ieq", "in", "ne", "contains", "starts"):
        raise given_twice(parameter)
    kind = "boolean" if operator == "isnull" else field.type
    values = tuple(_parse_value(parameter, item, kind) for item in items)
    if name == "supplier_key" and operator in ("eq", "ne", "in"):  # a name may be given as it is spelled
        values = tuple(supplier_key(str(value)) or value for value in values)
    return Condition(field, operator, values)


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
        use = postgrest_hint(parameter, text) or f"use {_EXAMPLES[kind]}"
        raise bad_parameter(parameter, f"'{printable(text)}' is not a valid value of {parameter}: {use}")
    return value


def _note_foreign_values(texts: Mapping[str, Sequence[str]], conditions: Sequence[Condition]) -> list[str]:
    """Notes on texts such as `ilike.*acorn*`, which are looked for as they stand."""
    names = [one.field.name for one in conditions if one.operator == "eq" and one.field.type == "string"]
    return [
        f"{name}={printable(text)} looks for this very text: {hint}"
        for name in names
        for text in texts.get(name, ())
        if (hint := postgrest_hint(name, text))
    ]


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
        return parse_instant(text)
    except UsageError as error:
        raise bad_parameter(
            "as_known_on",
            f"'{printable(text)}' is not a day: use 2026-11-01, or an instant in UTC such as 2026-11-01T09:00:00Z",
        ) from error


def _parse_groups(
    texts: Mapping[str, Sequence[str]], fields: Mapping[str, QueryField]
) -> tuple[tuple[Grouping, ...], tuple[Aggregate, ...]]:
    """What to group by, and the figures of each group. Groups without a figure are counted."""
    group_by = tuple(_parse_grouping(text, fields) for text in _list_values("group_by", texts))
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


def _parse_grouping(text: str, fields: Mapping[str, QueryField]) -> Grouping:
    """A field, or a function of a date such as `month(payment_date)`."""
    found = _GROUPING.match(text)
    if found is None:
        function, bracket, _ = text.partition("(")
        if bracket and re.fullmatch(r"\w+", function, re.ASCII):
            raise unknown_name("function", function, TIME_FUNCTIONS, see=f"use {', '.join(TIME_FUNCTIONS)}")
        if text not in fields:
            raise unknown_name("field", text, fields, see=_SEE_FIELDS)
        return Grouping(fields[text])
    function, name = found.groups()
    if name not in fields:
        raise unknown_name("field", name, fields, see=_SEE_FIELDS)
    if fields[name].type != "date":
        dates = ", ".join(f"{function}({one.name})" for one in fields.values() if one.type == "date")
        raise bad_parameter("group_by", f"{name} is a {fields[name].type}, so it has no {function}: use {dates}")
    return Grouping(fields[name], function)


def _parse_having(texts: Mapping[str, Sequence[str]], aggregates: Sequence[Aggregate]) -> tuple[Condition, ...]:
    """Conditions on the figures of a group: `sum_net_amount>=1000` or `sum_net_amount__gte=1000`."""
    figures = {one.name: one for one in aggregates}
    conditions = []
    for text in _list_values("having", texts):
        found = _HAVING.match(text)
        operator = "" if found is None else _HAVING_OPERATORS.get(found[2] or "", found[3] or "")
        if found is None or operator not in _HAVING_OPERATORS.values():
            raise bad_parameter(
                "having", f"'{printable(text)}' is not a condition on a figure: use one such as having=count>=10"
            )
        name = found[1]
        if name not in figures:
            see = f"use {', '.join(figures)}" if figures else "ask for a figure, such as sum=net_amount or count"
            raise unknown_name("column", name, figures, see=see)
        field = QueryField(name, figures[name].type, name, "")
        kind = "number" if field.type == "integer" else field.type
        conditions.append(Condition(field, operator, (_parse_value("having", found[4], kind),)))
    return tuple(conditions)


def _parse_sort(texts: Mapping[str, Sequence[str]], sortable: Sequence[str]) -> tuple[SortKey, ...]:
    names = [_GROUPING.sub(r"\1_\2", name) for name in _list_values("sort", texts)]
    keys = [SortKey(name.removeprefix("-"), name.startswith("-")) for name in names]
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
