"""The OpenAPI 3.1 description of the API. Tests send what it allows and compare the answers with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from piperoll import assets
from serving import problems
from serving.documents import DOCUMENTS
from serving.response_formats import FORMATS

TAGS = [
    {"name": "catalogue", "description": "What is published: datasets, bodies, series and their histories."},
    {"name": "rows", "description": "Rows of a dataset, filtered, grouped, sorted and paged."},
    {"name": "check", "description": "Check a file before you publish it."},
]

_DESCRIPTION = """Query what public bodies spend, contract for, employ and deliver, line by line.

Filter by any field of a dataset: `field=value`, or `field__lt`, `lte`, `gt`, `gte`, `ne`, `in`, `contains`, `starts`
and `isnull`. Amounts are strings in JSON, so that they are not rounded. No day of a body counts twice: where monthly,
quarterly and yearly files overlap, an answer lists the series that it used and those that it left out.
"""

_PERIOD = r"^\d{4}-(\d{2}|Q[1-4]|\d{2}-\d{2}|\d{2}--\d{4}-\d{2})$"


def _query_parameter(name: str, description: str, example: Any, **schema: Any) -> dict[str, Any]:
    parameter = {"name": name, "in": "query", "required": False, "description": description}
    parameter["schema"] = {"type": "string"} | schema
    return parameter if example is None else parameter | {"example": example}


SERIES_PARAMETERS = (
    _query_parameter("dataset", "Only this dataset.", "spend"),
    _query_parameter("body", "Only this body, by its short name.", "anytown"),
    _query_parameter("period", "Only this period.", "2026-10"),
    _query_parameter("after", "Only series after this one: `next` of the previous page.", "spend/anytown/2026-10"),
)
ROWS_PARAMETERS = (
    _query_parameter("body", "Bodies by their short names, separated by commas.", "anytown"),
    _query_parameter("period", "Periods, separated by commas: 2026-10, 2026-Q4, 2026-27 or a day.", "2026-10"),
    _query_parameter("part", "Parts of the dataset, separated by commas; `none` for files without a part.", "card"),
    _query_parameter("within", "Only series whose whole period is within this one.", "2026-27", pattern=_PERIOD),
    _query_parameter(
        "as_known_on",
        "Use the versions that were current at the end of this day or at this instant, in UTC.",
        "2026-11-01",
    ),
    _query_parameter(
        "overlapping",
        "`keep` uses every series, so that the same days may count twice.",
        "leave-out",
        enum=["leave-out", "keep"],
    ),
    _query_parameter(
        "columns", "Columns of the answer, separated by commas; by default all.", "supplier_name,net_amount"
    ),
    _query_parameter("group_by", "Fields to group by, separated by commas.", "supplier_name"),
    _query_parameter("sum", "Fields to add up, exactly.", "net_amount"),
    _query_parameter("min", "Fields to give the smallest value of.", "net_amount"),
    _query_parameter("max", "Fields to give the largest value of.", "net_amount"),
    _query_parameter("avg", "Fields to give the mean of, rounded to the last place of the column.", "net_amount"),
    _query_parameter("count", "Count the rows.", "true", enum=["true", "false", ""]),
    _query_parameter(
        "sort", "Columns to sort by, separated by commas; descending with a minus before it.", "-net_amount"
    ),
    _query_parameter("limit", "The most rows of a page.", 100, type="integer", minimum=1, maximum=10_000),
    _query_parameter("cursor", "Where the page starts: follow `next` unchanged.", None, maxLength=8000),
    _query_parameter("format", "The format of the answer; it takes precedence over Accept.", "csv", enum=list(FORMATS)),
    {
        "name": "conditions",
        "in": "query",
        "required": False,
        "style": "form",
        "explode": True,
        "description": "Conditions on fields, such as `supplier_name__contains=acorn`. /datasets/{dataset} lists the "
        "fields and the operators of each.",
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        "example": {"net_amount__gte": "1000", "supplier_name__contains": "acorn"},
    },
)

_BAD = {400: "A parameter is not valid. The message says what to use."}
_MISSING = {404: "It does not exist. The message suggests similar names."}
_NOT_ACCEPTABLE = {406: "None of the formats is acceptable."}
_CHANGED = {410: "The data that the first page was read from has changed: start again."}
_BUSY = {429: "The server is busy. Retry-After says when to try again."}
_UNAVAILABLE = {503: "The query takes too long or too much memory, or the store does not answer. Retry-After is set."}
_UPLOAD = {
    413: "The file is too large.",
    415: "The request is not a form.",
    422: "The file needs more time or memory than the server allows.",
}

_OPERATIONS: Mapping[str, tuple[str, str, str, Mapping[int, str]]] = {
    "home": ("catalogue", "The links of the API", "Home", {}),
    "health": ("catalogue", "Whether the server can answer", "Health", _UNAVAILABLE),
    "datasets": ("catalogue", "The datasets", "Datasets", _UNAVAILABLE),
    "dataset": ("catalogue", "A dataset and its fields", "Dataset", _MISSING | _UNAVAILABLE),
    "bodies": ("catalogue", "The bodies that have published something", "Bodies", _UNAVAILABLE),
    "body": ("catalogue", "A body and its series", "Body", _MISSING | _UNAVAILABLE),
    "series": ("catalogue", "The series, 1,000 to a page", "SeriesList", _BAD | _MISSING | _UNAVAILABLE),
    "history": ("catalogue", "A series and its versions", "History", _MISSING | _UNAVAILABLE),
    "diff": (
        "catalogue",
        "The rows that differ between two versions",
        "Diff",
        _BAD | _MISSING | {410: "The version was withdrawn or purged."} | _BUSY | _UNAVAILABLE,
    ),
    "rows": (
        "rows",
        "Rows of a dataset, or groups of them",
        "Rows",
        _BAD | _MISSING | _NOT_ACCEPTABLE | _CHANGED | _BUSY | _UNAVAILABLE,
    ),
    "used": (
        "rows",
        "The series that a query uses, and those that it leaves out",
        "Used",
        _BAD | _MISSING | _NOT_ACCEPTABLE | _CHANGED | _UNAVAILABLE,
    ),
    "check-page": ("check", "A page to check a file with", "", {}),
    "check": (
        "check",
        "Check a file, as `piperoll check` does. The file is not kept",
        "Report",
        _BAD | _UPLOAD | _BUSY,
    ),
}
"""By operation id: the tag, the summary, the schema of the JSON document, and the problems with their meaning."""

_TEXT = {"schema": {"type": "string"}}
_OTHER_MEDIA_TYPES: Mapping[str, Mapping[str, Any]] = {
    "rows": {one.media_type.split(";")[0]: _TEXT if one.name in ("csv", "ndjson") else {} for one in FORMATS.values()},
    "diff": {"text/csv": _TEXT},
    "check": {"text/html": _TEXT},
    "check-page": {"text/html": _TEXT},
}

_UPLOAD_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "The file, unchanged."},
        "dataset": {"type": "string", "description": "Its dataset; recognised from the file by default."},
        "period": {"type": "string", "description": "The period that it covers; recognised from the file by default."},
    },
}

_PATH_EXAMPLES = {
    "dataset": "spend",
    "slug": "anytown",
    "body": "anytown",
    "period": "2026-10",
    "before": 1,
    "after": 2,
}


def describe_operation(name: str, parameters: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The arguments that describe an operation to FastAPI."""
    tag, summary, schema, errors = _OPERATIONS[name]
    content: dict[str, Any] = dict(_OTHER_MEDIA_TYPES.get(name, {}))
    if schema:
        content["application/json"] = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    responses: dict[int, Any] = {200: {"description": "The answer.", "content": content}}
    if tag != "check":
        responses[304] = {"description": "The client has the answer already."}
    problem = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses |= {status: {"description": meaning, "content": problem} for status, meaning in errors.items()}
    extra: dict[str, Any] = {"parameters": list(parameters)} if parameters else {}
    if name == "check":
        extra["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD_FORM}}}
    return {
        "operation_id": name,
        "tags": [tag],
        "summary": summary,
        "responses": responses,
        "openapi_extra": extra,
        "response_model": None,
    }


def describe_api(app: FastAPI) -> dict[str, Any]:
    """The description of the whole API, made once."""
    if app.openapi_schema is None:
        description = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version="3.1.0",
            description=_DESCRIPTION,
            routes=app.routes,
            tags=TAGS,
        )
        for path, operations in description["paths"].items():
            for operation in operations.values():
                if path != "/check":
                    operation["responses"].pop("422", None)  # FastAPI's own, which we answer with 404
                for parameter in operation.get("parameters", ()):
                    if parameter["in"] == "path":
                        parameter["example"] = _PATH_EXAMPLES[parameter["name"]]
                        parameter["schema"].pop("title", None)
                        if parameter["name"] == "dataset":
                            parameter["schema"]["enum"] = list(assets.dataset_names())
        description.setdefault("components", {})["schemas"] = _schemas()
        app.openapi_schema = description
    return app.openapi_schema


def _schemas() -> dict[str, Any]:
    """The schemas of all documents: `RowsDocument` is named `Rows`, and so on."""
    _, components = msgspec.json.schema_components(DOCUMENTS, ref_template="#/components/schemas/{name}")
    schemas: dict[str, Any] = json.loads(json.dumps(components).replace('Document"', '"'))
    schemas["Problem"] = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What is wrong, and what to do next."},
            "parameter": {"type": "string"},
            "did_you_mean": {"type": "array", "items": {"type": "string"}},
        },
        "examples": [
            {
                "type": "urn:piperoll:problem:unknown-field",
                "title": "Bad Request",
                "status": 400,
                "detail": "there is no field 'suplier_name': did you mean supplier_name?",
                "did_you_mean": ["supplier_name"],
            }
        ],
    }
    schemas["Report"] = {
        "type": "object",
        "description": "The report of `piperoll check --json` (docs/check-report.schema.json).",
        "required": ["file", "sha256", "verdict", "tables", "findings"],
    }
    schemas["Rows"]["examples"] = [_ROWS_EXAMPLE]
    return schemas


_ROWS_EXAMPLE = {
    "dataset": "spend",
    "as_known_on": None,
    "columns": ["supplier_name", "sum_net_amount"],
    "rows": [{"supplier_name": "Acorn Roofing Ltd", "sum_net_amount": "7278.00"}],
    "series": {
        "used": [{"series": "spend/anytown/2026-10", "version": 2, "rows": 12}],
        "left_out": [
            {
                "series": "spend/anytown/2026-Q4",
                "reason": "the same days are counted in other series",
                "because": ["spend/anytown/2026-10"],
            }
        ],
        "used_count": 1,
        "left_out_count": 1,
        "all": "/rows/spend/series?group_by=supplier_name&sum=net_amount",
    },
    "next": None,
}
