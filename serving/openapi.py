"""The OpenAPI 3.1 description of the API. Tests send what it allows and compare the answers with it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from hosting.problems import MEDIA_TYPE
from piperoll import assets
from piperoll.model import KINDS
from serving import documents, listings
from serving.response_formats import FORMATS, XLSX

TAGS = [
    {"name": "catalogue", "description": "What is published: datasets, bodies, series and their histories."},
    {"name": "rows", "description": "Rows of a dataset, filtered, grouped, sorted and paged."},
    {"name": "measures", "description": "Figures that answer a question, with bounds, reasons and working."},
    {"name": "check", "description": "Check a file before you publish it."},
]

_DESCRIPTION = """Query what public bodies spend, contract for, employ and deliver, line by line.

Filter by any field of a dataset: `field=value`, or `field__ieq`, `lt`, `lte`, `gt`, `gte`, `ne`, `in`, `contains`,
`starts` and `isnull`; search all texts with `q`. Amounts are strings in JSON, so that they are not rounded. No line
counts twice: an answer lists the tables that it used, and what it left out because another table counts it.
"""

_PERIOD = r"^\d{4}-(\d{2}|Q[1-4]|\d{2}-\d{2}|\d{2}--\d{4}-\d{2})$"


def _query_parameter(name: str, description: str, example: Any, **schema: Any) -> dict[str, Any]:
    parameter = {"name": name, "in": "query", "required": False, "description": description}
    parameter["schema"] = {"type": "string"} | schema
    return parameter if example is None else parameter | {"example": example}


_SERIES_PARAMETERS = (
    _query_parameter("dataset", "Only this dataset.", "spend"),
    _query_parameter("body", "Only this body, by its slug or another of its names.", "anytown"),
    _query_parameter("period", "Only this period.", "2026-10"),
    _query_parameter("after", "Only series after this one: `next` of the previous page.", "spend/anytown/2026-10"),
)
_ROWS_PARAMETERS = (
    _query_parameter("body", "Bodies by their slugs or other names, separated by commas.", "anytown"),
    _query_parameter("period", "Periods, separated by commas: 2026-10, 2026-Q4, 2026-27 or a day.", "2026-10"),
    _query_parameter("part", "Parts of the dataset, separated by commas; `none` for files without a part.", "card"),
    _query_parameter("within", "Only lines of this period, by their own date.", "2026-27", pattern=_PERIOD),
    _query_parameter("year", "Financial years (April to March), separated by commas.", "2026-27"),
    _query_parameter("q", "Words that must all be in a text of the row; a phrase in double quotes.", "acorn roofing"),
    _query_parameter(
        "as_known_on",
        "Use the versions that were current at the end of this day or at this instant, in UTC.",
        "2026-11-01",
    ),
    _query_parameter(
        "overlapping",
        "`keep` uses all lines of every table, so that the same payment may count twice.",
        "leave-out",
        enum=["leave-out", "keep"],
    ),
    _query_parameter(
        "columns", "Columns of the answer, separated by commas; by default all.", "supplier_name,net_amount"
    ),
    _query_parameter(
        "group_by",
        "Fields to group by, separated by commas; also `month`, `quarter`, `year` (calendar) and `financial_year` of a "
        "date.",
        "month(payment_date)",
    ),
    _query_parameter("sum", "Fields to add up, exactly.", "net_amount"),
    _query_parameter("min", "Fields to give the smallest value of.", "net_amount"),
    _query_parameter("max", "Fields to give the largest value of.", "net_amount"),
    _query_parameter("avg", "Fields to give the mean of, rounded to the last place of the column.", "net_amount"),
    _query_parameter("count", "Count the rows.", "true", enum=["true", "false", ""]),
    _query_parameter("having", "Conditions on the figures of a group.", "count>=2"),
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

_MEASURE_PARAMETERS = (
    _query_parameter("body", "Bodies by their slugs or other names, separated by commas.", "anytown"),
    _query_parameter("kind", "Kinds of body, separated by commas.", "council"),
    _query_parameter("year", "Financial years, separated by commas, or `all`; by default the newest.", "2026-27"),
    _query_parameter("figure", "Figures, separated by commas; /measures lists those of each measure.", "months"),
    _query_parameter("item", "Items of a figure that is broken down, separated by commas; `none`: as a whole.", "none"),
    _query_parameter(
        "status", "Statuses, separated by commas: shown, indicative, list-only or withheld.", "shown,indicative"
    ),
    _query_parameter("limit", "The most rows of a page.", 100, type="integer", minimum=1, maximum=10_000),
    _query_parameter("cursor", "Where the page starts: follow `next` unchanged.", None, maxLength=8000),
    _query_parameter("format", "The format of the answer; it takes precedence over Accept.", "csv", enum=list(FORMATS)),
)

_PROBLEMS = {
    400: "A parameter is not valid. The message says what to use.",
    404: "It does not exist. The message suggests similar names.",
    406: "None of the formats is acceptable.",
    410: "The data was withdrawn or purged, or has changed since the first page: start again.",
    408: "The file did not arrive in time.",
    413: "The file is too large.",
    415: "The request is not a form.",
    422: "The file needs more time or memory than the server allows.",
    429: "The server is busy. Retry-After says when to try again.",
    503: "The query takes too long or too much memory, or the store does not answer. Retry-After is set.",
}
"""What a status means, for every operation that can answer with it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the API: the type of its JSON document, and the statuses of the problems that it can have."""

    path: str
    tag: str
    summary: str
    document: Any = None
    problems: tuple[int, ...] = ()
    parameters: tuple[Mapping[str, Any], ...] = ()


_SERIES_PATH = "/series/{dataset}/{body}/{period}"
_OPERATIONS: Mapping[str, Operation] = {
    "home": Operation("/", "catalogue", "The links of the API", documents.HomeDocument),
    "health": Operation("/health", "catalogue", "Whether the server can answer", documents.HealthDocument, (503,)),
    "datasets": Operation("/datasets", "catalogue", "The datasets", documents.DatasetsDocument, (503,)),
    "dataset": Operation(
        "/datasets/{dataset}", "catalogue", "A dataset and its fields", documents.DatasetDocument, (404, 503)
    ),
    "bodies": Operation(
        "/bodies", "catalogue", "The bodies that have published something", documents.BodiesDocument, (503,)
    ),
    "body": Operation("/bodies/{slug}", "catalogue", "A body and its series", documents.BodyDocument, (404, 503)),
    "series": Operation(
        "/series",
        "catalogue",
        f"The series, {listings.SERIES_PER_PAGE:,} to a page",
        documents.SeriesListDocument,
        (400, 404, 503),
        _SERIES_PARAMETERS,
    ),
    "history": Operation(_SERIES_PATH, "catalogue", "A series and its versions", documents.HistoryDocument, (404, 503)),
    "diff": Operation(
        f"{_SERIES_PATH}/diff/{{before}}/{{after}}",
        "catalogue",
        "The rows that differ between two versions",
        documents.DiffDocument,
        (400, 404, 410, 429, 503),
    ),
    "rows": Operation(
        "/rows/{dataset}",
        "rows",
        "Rows of a dataset, or groups of them",
        documents.RowsDocument,
        (400, 404, 406, 410, 429, 503),
        _ROWS_PARAMETERS,
    ),
    "used": Operation(
        "/rows/{dataset}/series",
        "rows",
        "The series that a query uses, and those that it leaves out",
        documents.UsedDocument,
        (400, 404, 406, 410, 503),
        _ROWS_PARAMETERS,
    ),
    "measures": Operation("/measures", "measures", "What is measured", documents.MeasuresDocument, (410, 503)),
    "measure": Operation(
        "/measures/{measure}",
        "measures",
        "The figures of a measure",
        documents.MeasureRowsDocument,
        (400, 404, 406, 410, 429, 503),
        _MEASURE_PARAMETERS,
    ),
    "figure": Operation(
        "/measures/{measure}/{figure_id}",
        "measures",
        "One figure with its working",
        documents.FigureDocument,
        (404, 410, 429, 503),
    ),
    "check-page": Operation("/check", "check", "A page to check a file with"),
    "check": Operation(
        "/check",
        "check",
        "Check a file, as `piperoll check` does. The file is not kept",
        problems=(400, 408, 413, 415, 422, 429, 503),
    ),
    "template": Operation("/templates/{name}", "check", "A blank form of a dataset, as CSV or XLSX", problems=(404,)),
}
"""Every operation by its id."""

_TEXT = {"schema": {"type": "string"}}
_ROW_FORMATS = {
    one.media_type.split(";")[0]: _TEXT if one.name in ("csv", "ndjson") else {} for one in FORMATS.values()
}
_OTHER_CONTENT: Mapping[str, Mapping[str, Any]] = {
    "rows": _ROW_FORMATS,
    "measure": _ROW_FORMATS,
    "diff": {"text/csv": _TEXT},
    "check": {"application/json": {"schema": {"$ref": "#/components/schemas/Report"}}, "text/html": _TEXT},
    "check-page": {"text/html": _TEXT},
    "template": {"text/csv": _TEXT, XLSX.media_type: {}},
}
"""The media types of the answers beside the JSON document of the operation."""

_UPLOAD_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "The file, unchanged."},
        "dataset": {"type": "string", "description": "Its dataset; recognised from the file by default."},
        "period": {"type": "string", "description": "The period that it covers; recognised from the file by default."},
        "body": {
            "type": "string",
            "description": "The body that sends it: the report compares it with what the body published before.",
        },
        "kind": {
            "type": "string",
            "enum": list(KINDS),
            "description": "The kind of body, which decides its legal duties; that of the body by default.",
        },
    },
}

_PATH_EXAMPLES = {
    "slug": "anytown",
    "body": "anytown",
    "period": "2026-10",
    "before": 1,
    "after": 2,
    "name": "spend.xlsx",
    "measure": "coverage",
    "figure_id": "0123456789abcdef",
}


def describe_operation(name: str) -> dict[str, Any]:
    """The arguments with which FastAPI adds an operation: its path, its method and its description."""
    operation = _OPERATIONS[name]
    content: dict[str, Any] = dict(_OTHER_CONTENT.get(name, {}))
    if operation.document:
        content["application/json"] = {"schema": {"$ref": f"#/components/schemas/{_schema_name(operation.document)}"}}
    responses: dict[int, Any] = {200: {"description": "The answer.", "content": content}}
    if operation.tag != "check":
        responses[304] = {"description": "The client has the answer already."}
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses |= {status: {"description": _PROBLEMS[status], "content": problem} for status in operation.problems}
    # The endpoints read the path from the request and answer problems of their own, so FastAPI knows no parameters.
    parameters: list[Mapping[str, Any]] = []
    for key in re.findall(r"\{(\w+)\}", operation.path):
        example: Any = _PATH_EXAMPLES.get(key, "spend")
        schema: dict[str, Any] = {"type": "integer" if isinstance(example, int) else "string"}
        if key == "dataset":
            schema["enum"] = list(assets.dataset_names())
        parameters.append({"name": key, "in": "path", "required": True, "schema": schema, "example": example})
    extra: dict[str, Any] = {}
    if parameters or operation.parameters:
        extra["parameters"] = [*parameters, *operation.parameters]
    if name == "check":
        extra["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD_FORM}}}
    return {
        "path": operation.path,
        "methods": ["POST" if name == "check" else "GET"],
        "operation_id": name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": " ",  # without one FastAPI publishes the docstring of the endpoint
        "responses": responses,
        "openapi_extra": extra,
        "response_model": None,
    }


def _schema_name(document: Any) -> str:
    return str(document.__name__).removesuffix("Document")


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
        description.setdefault("components", {})["schemas"] = _schemas()
        app.openapi_schema = description
    return app.openapi_schema


def _schemas() -> dict[str, Any]:
    """The schemas of all documents: `RowsDocument` is named `Rows`, and so on."""
    types = [one.document for one in _OPERATIONS.values() if one.document]
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
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
            "instead": {"type": "string", "description": "The parameters of the request in the language of this API."},
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
    "undated": None,
    "notes": [],
    "series": {
        "used": [{"series": "spend/anytown/2026-10", "version": 2, "rows": 12, "amount_gbp": "7278.00"}],
        "left_out": [
            {
                "series": "spend/anytown/2026-Q4",
                "reason": "the same lines are counted in another table",
                "because": ["spend/anytown/2026-10"],
                "rows": 12,
                "amount_gbp": "7278.00",
            }
        ],
        "used_count": 1,
        "left_out_count": 1,
        "rows": 12,
        "amount_gbp": "7278.00",
        "left_out_rows": 12,
        "left_out_amount_gbp": "7278.00",
        "not_added": None,
        "all": "/rows/spend/series?group_by=supplier_name&sum=net_amount",
    },
    "next": None,
}
