"""The documents that the API answers with, as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_MAYBE_COUNT = {"type": ["integer", "null"], "minimum": 0}
_LINKS = {"type": "object", "additionalProperties": _TEXT}


def _object(properties: Mapping[str, Any], *optional: str, example: Any = None) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": dict(properties)}
    made["required"] = [name for name in properties if name not in optional]
    return made if example is None else made | {"examples": [example]}


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


_ENTRY = _object(
    {
        "series": _TEXT,
        "dataset": _TEXT,
        "body": _TEXT,
        "period": _TEXT,
        "part": _MAYBE_TEXT,
        "current": _MAYBE_COUNT,
        "versions": _COUNT,
        "published": _MAYBE_TEXT,
        "rows": _MAYBE_COUNT,
        "amount_gbp": _MAYBE_TEXT,
        "links": _LINKS,
    },
    example={
        "series": "spend/anytown/2026-10",
        "dataset": "spend",
        "body": "anytown",
        "period": "2026-10",
        "part": None,
        "current": 2,
        "versions": 2,
        "published": "2026-11-02T09:00:00Z",
        "rows": 1214,
        "amount_gbp": "8120956.78",
        "links": {"history": "/series/spend/anytown/2026-10"},
    },
)
_USED = _object({"series": _TEXT, "version": _COUNT, "rows": _COUNT})
_LEFT = _object({"series": _TEXT, "reason": _TEXT, "because": _list(_TEXT)})
_EFFECT = _object({"rows": _COUNT, "amount_gbp": _MAYBE_TEXT})
_ROW = {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean", "null"]}}

SCHEMAS: dict[str, Any] = {
    "Problem": _object(
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What is wrong, and what to do next."},
            "parameter": _TEXT,
            "did_you_mean": _list(_TEXT),
        },
        "parameter",
        "did_you_mean",
        example={
            "type": "urn:piperoll:problem:unknown-field",
            "title": "Bad Request",
            "status": 400,
            "detail": "there is no field 'suplier_name': did you mean supplier_name?",
            "did_you_mean": ["supplier_name"],
        },
    ),
    "Home": _object({"title": _TEXT, "links": _LINKS, "example": _TEXT}),
    "Health": _object({"status": {"const": "ok"}, "datasets": _COUNT}, example={"status": "ok", "datasets": 4}),
    "Datasets": _object(
        {
            "datasets": _list(
                _object(
                    {
                        "dataset": _TEXT,
                        "title": _TEXT,
                        "description": _TEXT,
                        "version": _TEXT,
                        "bodies": _COUNT,
                        "links": _LINKS,
                    }
                )
            )
        }
    ),
    "Dataset": _object(
        {
            "dataset": _TEXT,
            "title": _TEXT,
            "description": _TEXT,
            "version": _TEXT,
            "parts": _list(_object({"part": _TEXT, "title": _TEXT})),
            "fields": _list(
                _object(
                    {
                        "name": _TEXT,
                        "type": {"enum": ["string", "number", "integer", "date", "boolean"]},
                        "title": _TEXT,
                        "description": _TEXT,
                        "unit": _MAYBE_TEXT,
                        "operators": _list(_TEXT),
                    }
                )
            ),
            "bodies": _list(_TEXT),
        }
    ),
    "Bodies": _object({"bodies": _list(_object({"body": _TEXT, "datasets": _list(_TEXT)}))}),
    "Body": _object(
        {
            "body": _TEXT,
            "id": _MAYBE_TEXT,
            "name": _MAYBE_TEXT,
            "kind": _MAYBE_TEXT,
            "datasets": _list(_object({"dataset": _TEXT, "series": _list(_ENTRY)})),
        }
    ),
    "SeriesList": _object({"series": _list(_ENTRY), "next": _MAYBE_TEXT}),
    "History": _object(
        {
            "series": _TEXT,
            "current": _MAYBE_COUNT,
            "versions": _list(
                _object(
                    {
                        "version": _COUNT,
                        "published": _TEXT,
                        "status": {"enum": ["current", "superseded", "withdrawn", "purged"]},
                        "reason": _TEXT,
                        "rows": _COUNT,
                        "amount_gbp": _MAYBE_TEXT,
                        "files": _list(_object({"key": _TEXT, "bytes": _COUNT, "sha256": _TEXT})),
                    }
                )
            ),
            "links": _LINKS,
        }
    ),
    "Diff": _object(
        {
            "series": _TEXT,
            "before": _COUNT,
            "after": _COUNT,
            "added": _EFFECT,
            "removed": _EFFECT,
            "changed": _EFFECT,
            "fields": {"type": "object", "additionalProperties": _COUNT},
            "rows": _list(_ROW),
            "rows_count": _COUNT,
        }
    ),
    "Rows": _object(
        {
            "dataset": _TEXT,
            "as_known_on": _MAYBE_TEXT,
            "columns": _list(_TEXT),
            "rows": _list(_ROW),
            "series": _object(
                {
                    "used": _list(_USED),
                    "left_out": _list(_LEFT),
                    "used_count": _COUNT,
                    "left_out_count": _COUNT,
                    "all": _TEXT,
                }
            ),
            "next": _MAYBE_TEXT,
        },
        example={
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
        },
    ),
    "Used": _object({"dataset": _TEXT, "rows": _COUNT, "used": _list(_USED), "left_out": _list(_LEFT)}),
    "Report": {
        "type": "object",
        "description": "The public contract of `piperoll check --json` (docs/check-report.schema.json).",
        "required": ["file", "sha256", "verdict", "tables", "findings"],
    },
}
