"""What the API says of itself: OpenAPI 3.1, with an example of everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from piperoll import assets
from serving.openapi_schemas import SCHEMAS
from serving.problems import described
from serving.response_formats import FORMS

OPENAPI_TAGS = [
    {"name": "catalogue", "description": "What is published: datasets, bodies, series and their histories."},
    {"name": "rows", "description": "The rows themselves, filtered, grouped, sorted and paged."},
    {"name": "check", "description": "Checking a file before it is published."},
]

DESCRIPTION = """What public bodies spend, contract for, employ and deliver, line by line, from the published files.

Filter by any field of a dataset: `field=value`, or `field__lt`, `lte`, `gt`, `gte`, `ne`, `in`, `contains`, `starts`
and `isnull`. Amounts are text in JSON so that nothing rounds them. No day of a body is counted twice: where monthly,
quarterly and yearly files overlap, an answer says which it used and which it left out.
"""

Parameters = Sequence[Mapping[str, Any]]


def _query(name: str, description: str, example: Any, **schema: Any) -> dict[str, Any]:
    about = {"name": name, "in": "query", "required": False, "description": description}
    shown = {} if example is None else {"example": example}
    return about | {"schema": {"type": "string"} | schema} | shown


_PERIOD = r"^\d{4}-(\d{2}|Q[1-4]|\d{2}-\d{2}|\d{2}--\d{4}-\d{2})$"
_NAMES = r"^[a-z0-9_]+(,[a-z0-9_]+)*$"

LIST: Parameters = (
    _query("dataset", "Only of this dataset.", "spend"),
    _query("body", "Only of this body, by its short name.", "anytown"),
    _query("period", "Only of this period.", "2026-10"),
    _query("after", "Only those after this series: `next` of the page before.", "spend/anytown/2026-10"),
)
SERIES: Parameters = ()
DIFF: Parameters = ()
ROWS: Parameters = (
    _query("body", "Bodies by their short names, parted by commas.", "anytown"),
    _query("period", "The periods of series, parted by commas: 2026-10, 2026-Q4, 2026-27 or a day.", "2026-10"),
    _query("part", "Parts of the dataset, parted by commas; `none` for what is of no part.", "card"),
    _query("within", "Only series whose whole period lies within this one.", "2026-27", pattern=_PERIOD),
    _query("as_known_on", "The versions that stood on this day (its end) or instant, in UTC.", "2026-11-01"),
    _query(
        "overlapping",
        "`keep` takes every series, so that days may be counted twice.",
        "leave-out",
        enum=["leave-out", "keep"],
    ),
    _query("columns", "The columns of the answer, parted by commas; all if left out.", "supplier_name,net_amount"),
    _query("group_by", "Fields to group by, parted by commas.", "supplier_name"),
    _query("sum", "Fields to add up, exactly.", "net_amount"),
    _query("min", "Fields of which to give the least.", "net_amount"),
    _query("max", "Fields of which to give the greatest.", "net_amount"),
    _query("avg", "Fields of which to give the mean, to the last place of a column.", "net_amount"),
    _query("count", "How many rows.", "true", enum=["true", "false", ""]),
    _query("sort", "Columns to sort by, parted by commas; a minus before one turns it round.", "-net_amount"),
    _query("limit", "The most rows of a page.", 100, type="integer", minimum=1, maximum=10_000),
    _query("cursor", "Where a page goes on: follow `next` as it is.", None, maxLength=8000),
    _query("format", "The form of the answer; else the header Accept says it.", "csv", enum=list(FORMS)),
    {
        "name": "conditions",
        "in": "query",
        "required": False,
        "style": "form",
        "explode": True,
        "description": "Conditions on fields: `supplier_name__contains=acorn`. /datasets/{dataset} lists the fields "
        "and what can be asked of each.",
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        "example": {"net_amount__gte": "1000", "supplier_name__contains": "acorn"},
    },
)

_BAD = {400: "A parameter cannot be understood; the message says what to write."}
_NONE = {404: "There is no such thing; the message names the nearest."}
_BUSY = {429: "More is asked for at once than can be answered; Retry-After says when to come again."}
_LONG = {503: "It takes too long or too much memory, or the store does not answer; the message says what to do."}
_FORMLESS = {406: "We have no such form."}
_CHANGED = {410: "What the first page was made from has changed: begin again."}
_TAKEN_BACK = {410: "It was taken back."}

_TABLES: dict[str, Any] = {
    form.media_type.split(";")[0]: {"schema": {"type": "string"} if form.name in ("csv", "ndjson") else {}}
    for form in FORMS.values()
}

_OPERATIONS: Mapping[str, tuple[str, str, str, Mapping[int, str]]] = {
    "home": ("catalogue", "What there is", "Home", {}),
    "health": ("catalogue", "Whether this copy can answer", "Health", _LONG),
    "datasets": ("catalogue", "The datasets", "Datasets", _LONG),
    "dataset": ("catalogue", "A dataset: its fields and what they mean", "Dataset", _NONE | _LONG),
    "bodies": ("catalogue", "The bodies of which something is published", "Bodies", _LONG),
    "body": ("catalogue", "A body and what is published of it", "Body", _NONE | _LONG),
    "series": ("catalogue", "The series, a thousand at a time", "SeriesList", _BAD | _NONE | _LONG),
    "history": ("catalogue", "A series: every version, when and why it came", "History", _NONE | _LONG),
    "diff": (
        "catalogue",
        "What differs between two versions, row by row",
        "Diff",
        _BAD | _NONE | _TAKEN_BACK | _BUSY | _LONG,
    ),
    "rows": (
        "rows",
        "Rows of a dataset, or groups of them",
        "Rows",
        _BAD
        | _NONE
        | {406: "We have no such form."}
        | {410: "What the first page was made from changed."}
        | _BUSY
        | _LONG,
    ),
    "used": (
        "rows",
        "Which series such an answer uses, and which it leaves out",
        "Used",
        _BAD | _NONE | _FORMLESS | _CHANGED | _LONG,
    ),
    "check-page": ("check", "A page with one file field", "", {}),
    "check": (
        "check",
        "The report on a file, as `piperoll check` gives it; nothing is kept",
        "Report",
        _BAD
        | {
            413: "The file is too large.",
            415: "It is no form.",
            422: "The file needs more time or memory than we give.",
        }
        | _BUSY,
    ),
}


def described_as(name: str, parameters: Parameters = ()) -> dict[str, Any]:
    """What an operation says of itself, for FastAPI."""
    tag, summary, schema, problems = _OPERATIONS[name]
    extra: dict[str, Any] = {"parameters": list(parameters)} if parameters else {}
    if name == "check":
        extra["requestBody"] = _FORM
    content: dict[str, Any] = (
        {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}} if schema else {}
    )
    if name == "rows":
        content = _TABLES | content
    if name == "diff":
        content["text/csv"] = {"schema": {"type": "string"}}
    if name in ("check", "check-page"):
        content["text/html"] = {"schema": {"type": "string"}}
    answers: dict[int | str, Any] = {200: {"description": "As asked.", "content": content}}
    if name not in ("check", "check-page"):
        answers[304] = {"description": "You have it already."}
    return {
        "operation_id": name,
        "tags": [tag],
        "summary": summary,
        "responses": answers | described(problems),
        "openapi_extra": extra,
        "response_model": None,
    }


_FORM: Mapping[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "The file as you have it."},
                    "dataset": {"type": "string", "description": "Which dataset it is of; found out if left out."},
                    "period": {"type": "string", "description": "Which time it covers; found out if left out."},
                },
            }
        }
    },
}


def whole(app: FastAPI) -> dict[str, Any]:
    """The whole description, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version="3.1.0",
            description=DESCRIPTION,
            routes=app.routes,
            tags=OPENAPI_TAGS,
        )
        for path, item in made["paths"].items():
            for operation in item.values():
                _tidy(operation, path)
        made.setdefault("components", {})["schemas"] = SCHEMAS
        app.openapi_schema = made
    return app.openapi_schema


_EXAMPLES = {
    "dataset": "spend",
    "slug": "anytown",
    "body": "anytown",
    "period": "2026-10",
    "before": 1,
    "after": 2,
}


def _tidy(operation: dict[str, Any], path: str) -> None:
    """Leave out what FastAPI takes for granted, and say what a name in the address may be."""
    if "422" in operation["responses"] and path != "/check":
        del operation["responses"]["422"]
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "path":
            continue
        parameter["example"] = _EXAMPLES[parameter["name"]]
        parameter["schema"].pop("title", None)
        if parameter["name"] == "dataset":
            parameter["schema"]["enum"] = list(assets.dataset_names())
