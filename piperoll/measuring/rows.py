"""The rows of measures: what a query returns, and the rows of the long table that is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa

from piperoll.model import Body, Period
from piperoll.model.columns import Cells


class RowStatus(StrEnum):
    """How far a figure may be used."""

    SHOWN = "shown"
    INDICATIVE = "indicative"
    """It is too uncertain to compare."""
    LIST_ONLY = "list-only"
    """Too few peers have a value for a band: values stand side by side."""
    WITHHELD = "withheld"
    """It has no value, and a reason."""


_NATIONS = {"E": "England", "W": "Wales", "S": "Scotland", "N": "Northern Ireland"}


@dataclass(frozen=True, slots=True)
class MeasuredBody:
    """A body as measures see it: the columns of the view `bodies`. `former`: it ended before the year measured."""

    body: str
    name: str
    kind: str
    short_name: str | None = None
    region: str | None = None
    nation: str | None = None
    former: bool = False
    population: int | None = None
    id: str = ""

    @property
    def slug(self) -> str:
        """The name that addresses use: the column `body`."""
        return self.body

    @classmethod
    def of(cls, body: Body, year: Period) -> MeasuredBody:
        """Describe a body of the register for a financial year."""
        return cls(
            body.slug,
            body.name,
            body.kind,
            body.short_name,
            body.region,
            _NATIONS.get((body.area_code or " ")[0]),
            former=body.valid_to is not None and body.valid_to < year.start,
            population=body.population,
            id=body.id,
        )


NUMBER = pa.decimal128(28, 6)
"""A number after rounding: no figure has more than six places. The digits that are left are for products of two."""

_REPEATED = pa.dictionary(pa.int32(), pa.string())
"""Texts that many rows share, such as the name of a body."""

QUERIED: Mapping[str, pa.DataType | None] = {
    **dict.fromkeys(("body", "figure", "item", "item_label", "status", "reason"), pa.string()),
    **dict.fromkeys(("period_start", "period_end"), pa.date32()),
    **dict.fromkeys(("value", "lo", "hi", "coverage", "inferred_share", "part_sum", "total")),
    "n": pa.int64(),
}
"""The columns that the query of a measure may return, which docs/measures.md describes. None: any type of number."""

COMPARED: Mapping[str, Any] = {
    **dict.fromkeys(("peers", "rank_best", "rank_worst"), pa.int64()),
    **dict.fromkeys(("peer_median", "peer_q1", "peer_q3"), NUMBER),
    **dict.fromkeys(("status", "reason"), pa.string()),
    "outlier": pa.bool_(),
}
"""The columns that the comparison with peers fills or changes."""

SCHEMA = pa.schema(
    {
        "figure_id": pa.string(),
        "measure": _REPEATED,
        "method_version": _REPEATED,
        "body": _REPEATED,
        "body_name": _REPEATED,
        "period_start": pa.date32(),
        "period_end": pa.date32(),
        "perimeter": _REPEATED,
        "figure": _REPEATED,
        "item": pa.string(),
        "item_label": pa.string(),
        "value": NUMBER,
        "lo": NUMBER,
        "hi": NUMBER,
        "unit": _REPEATED,
        "n": pa.int64(),
        "coverage": NUMBER,
        "inferred_share": NUMBER,
        "status": _REPEATED,
        "reason": _REPEATED,
        "peers": pa.int64(),
        "peer_kind": _REPEATED,
        "peer_median": NUMBER,
        "peer_q1": NUMBER,
        "peer_q3": NUMBER,
        "rank_best": pa.int64(),
        "rank_worst": pa.int64(),
        "outlier": pa.bool_(),
        "inputs": _REPEATED,
        "reply": _REPEATED,
    }
)
"""The columns of the long table, in order; measures/datapackage.json describes them. A missing text is empty."""

NO_ROWS = pa.RecordBatch.from_pylist([], SCHEMA)
"""The long table of a measure that nobody has figures for."""


def replace_columns(rows: pa.RecordBatch, columns: Mapping[str, Cells]) -> pa.RecordBatch:
    """The rows with other cells in these columns, or with these columns added."""
    return pa.record_batch({name: rows[name] for name in rows.schema.names} | dict(columns))


def look_up(keys: Cells, values: Mapping[str, str]) -> Cells:
    """The text that `values` has for each key; each text is stored once."""
    encoded = keys if pa.types.is_dictionary(keys.type) else keys.dictionary_encode()
    found = pa.array([values[key] for key in encoded.dictionary.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(encoded.indices, found)
