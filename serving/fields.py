"""The columns that a question may name: those of the dataset's descriptor, and which series a row stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from piperoll.model import Dataset

SERIES_COLUMNS = ("series", "body", "period", "part", "version")
"""Told of each row beside its own fields: `version` is a number, the others are text."""

_TYPES: Mapping[str, str] = {"string": "VARCHAR", "integer": "BIGINT", "date": "DATE", "boolean": "BOOLEAN"}


@dataclass(frozen=True, slots=True)
class Known:
    """A column: its name, the type of its values (as a Table Schema has it), its meaning and its unit.

    `of_series` columns are told of the series a row stands in; where a dataset has a field of that name, the field
    is meant.
    """

    name: str
    type: str
    title: str
    description: str
    unit: str | None = None
    of_series: bool = False

    @property
    def quoted(self) -> str:
        """The name as SQL has it: only ever one of the descriptor's, never a stranger's text."""
        return f'"{self.name}"'

    def sql_type(self, scale: int) -> str:
        """The engine's type, a number with `scale` decimal places."""
        return f"DECIMAL(38,{scale})" if self.type == "number" else _TYPES[self.type]


_OF_SERIES = (
    Known("series", "string", "Series", "The table that the row stands in: dataset/body/period.", None, True),
    Known("body", "string", "Body", "The short name of the body that sent the row.", None, True),
    Known("period", "string", "Period", "The time that the row's table covers.", None, True),
    Known(
        "part", "string", "Part", "Which of the body's files for the period it is, if there are several.", None, True
    ),
    Known("version", "integer", "Version", "The number of the version of the table.", None, True),
)


def known_fields(dataset: Dataset) -> dict[str, Known]:
    """Every column that may be asked for, by name: the dataset's in published order, then those of the series."""
    own = {one.name: Known(one.name, one.type, one.title, one.description, one.unit) for one in dataset.fields}
    return own | {one.name: one for one in _OF_SERIES if one.name not in own}
