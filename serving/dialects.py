"""Hints for people who write the query language of another service: SoQL, datasette, PostgREST, CKAN or Django.

Nothing of another language is executed: the answer is a problem that says what to write here, with the whole address
if it can be translated word by word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

from hosting.problems import Problem, printable, unknown_name

_PARAMETERS: Mapping[str, str] = {
    "limit": "$limit _size size per_page page_size pagesize rows top $top max_results first",
    "columns": "$select select _col fields $fields columns[] cols field",
    "sort": "$order order _sort _sort_desc sort_by order_by orderby $orderby ordering",
    "q": "$q _search search query text $search fulltext",
    "group_by": "$group group groupby group_by[] _facet facet",
    "having": "$having",
    "format": "_format $format f output",
    "cursor": "$offset offset _next page skip $skip start after next _offset",
    "conditions": "$where where _where filter filters $filter sql _filter_column and or not",
    "year": "financial_year fy",
    "body": "bodies organisation organization authority council publisher",
    "as_known_on": "as_at as_of asof known_on",
}
_INSTEAD = {name: ours for ours, names in _PARAMETERS.items() for name in names.split()}
"""The parameter of ours for one of another language."""

_ADVICE = {
    "limit": "use limit, such as limit=100",
    "columns": "use columns, such as columns=supplier_name,net_amount",
    "sort": "use sort, such as sort=-net_amount (a minus for descending)",
    "q": "use q, such as q=road+repairs",
    "group_by": "use group_by, such as group_by=supplier_name&sum=net_amount",
    "having": "use having, such as having=sum_net_amount>=1000",
    "format": "use format, such as format=csv",
    "cursor": "pages have no offset: use limit, and follow `next` in the answer, which holds a cursor",
    "conditions": "write a condition for each field, such as net_amount__gte=1000&supplier_name__contains=acorn; "
    "all of them must hold",
    "year": "use year for a financial year, such as year=2011-12",
    "body": "use body with short names, such as body=anytown; /bodies lists them",
    "as_known_on": "use as_known_on, such as as_known_on=2026-11-01",
}

_OPERATORS = {
    **dict.fromkeys(("exact", "equals", "is"), "eq"),
    **dict.fromkeys(("iexact", "ieq"), "ieq"),
    **dict.fromkeys(("not", "neq", "exclude"), "ne"),
    **dict.fromkeys(("startswith", "istartswith", "starts_with", "prefix"), "starts"),
    **dict.fromkeys(
        ("icontains", "like", "ilike", "match", "search", "contain", "glob", "regex", "iregex"), "contains"
    ),
    **dict.fromkeys(("null", "isblank", "isempty"), "isnull"),
    **dict.fromkeys(("ge", "min", "after", "from"), "gte"),
    **dict.fromkeys(("le", "max", "before", "to"), "lte"),
    **dict.fromkeys(("inarray", "any", "anyof"), "in"),
}
"""An operator of ours for one of another language."""

_POSTGREST = re.compile(r"(eq|neq|gte?|lte?|like|ilike|in|is|not|fts|plfts)\.(.+)", re.DOTALL)
_SOQL_SORT = re.compile(r"-?\w+([\s.]+(asc|desc))?(\s*,\s*-?\w+([\s.]+(asc|desc))?)*\Z", re.IGNORECASE | re.ASCII)


def unknown_parameter(name: str, value: str, given: Sequence[tuple[str, str]], known: Iterable[str]) -> Problem:
    """The problem for a parameter that is neither one of ours nor a condition on a field of `known`.

    `given` are all parameters of the request: `instead` in the problem are the same with this one translated.
    """
    base = name.lower()
    ours = _INSTEAD.get(base)
    if ours is None:
        problem = unknown_name(
            "field", name.rpartition("__")[0] or name, known, see="/datasets/{dataset} lists its fields"
        )
        problem.members["parameter"] = printable(name)
        return problem
    detail = f"there is no parameter '{printable(name)}' here: {_ADVICE[ours]}"
    translated = _translate(ours, base, value)
    problem = Problem(400, "unknown-parameter", detail, parameter=printable(name))
    problem.members["did_you_mean"] = [] if ours == "conditions" else [ours]
    if translated is not None and all(other != ours for other, _ in given):
        pairs = [(ours, translated) if one == name else (one, text) for one, text in given]
        problem.members["instead"] = f"?{urlencode(pairs)}"
    return problem


def _translate(ours: str, name: str, value: str) -> str | None:
    """The value of a parameter in our language; None if that needs more than exchanging names."""
    match ours:
        case "limit" if value.isdecimal():
            return value
        case "columns" | "group_by" if re.fullmatch(r"\w+(\s*,\s*\w+)*", value, re.ASCII):
            return re.sub(r"\s", "", value)
        case "sort" if name == "_sort_desc" and re.fullmatch(r"\w+", value, re.ASCII):
            return f"-{value}"
        case "sort" if _SOQL_SORT.match(value):
            keys = (one.split() for one in re.sub(r"\.(asc|desc)\b", r" \1", value, flags=re.IGNORECASE).split(","))
            return ",".join(("-" if len(key) > 1 and key[1].lower() == "desc" else "") + key[0] for key in keys)
        case "q" | "format":
            return value
    return None


def instead_of_operator(operator: str) -> str | None:
    """The operator of ours that an operator of another language (`startswith`, `icontains`) means."""
    return _OPERATORS.get(operator.lower())


def postgrest_hint(parameter: str, text: str) -> str | None:
    """What to write instead of a value such as `gte.100`, as PostgREST has it; None if it is not one."""
    found = _POSTGREST.match(text)
    if found is None:
        return None
    operator = {"neq": "ne", "like": "contains", "ilike": "contains", "is": "isnull", "not": "ne"}.get(
        found[1], found[1]
    )
    if found[1] in ("fts", "plfts"):
        return f"write q={printable(found[2])}"
    value = found[2].strip("*%()") if operator in ("contains", "in") else found[2]
    value = "true" if operator == "isnull" else value
    return f"write {parameter}{'' if operator == 'eq' else f'__{operator}'}={printable(value)}"
