"""What a query for rows consists of: fields, conditions, groups, figures, an order and a page.

`serving.query.parse_query` makes a `RowQuery` of a request; `serving.sql` makes a statement of a `RowQuery`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from piperoll.enriching.annotate import payee_fields
from piperoll.enriching.functions import FUNCTION_ADDED, has_functions
from piperoll.model import Dataset, Period
from piperoll.releasing.consolidating import ADDED, PAYEE_ADDED, PERIOD_ADDED
from serving.cursors import Cursor, FieldValue
from serving.documents import FieldType

_SQL_TYPES = {"string": "VARCHAR", "integer": "BIGINT", "date": "DATE", "boolean": "BOOLEAN"}
TIME_FUNCTIONS = ("month", "quarter", "year", "financial_year")
"""The functions of a date that rows can be grouped by; `quarter` and `year` are those of the calendar."""


@dataclass(frozen=True, slots=True)
class QueryField:
    """A field that a query can name: one of the dataset, or one that describes the series of a row (`of_series`).

    `searched`: the words of `q` are looked for in it.
    """

    name: str
    type: FieldType
    title: str
    description: str
    unit: str | None = None
    of_series: bool = False
    searched: bool = False

    @property
    def quoted(self) -> str:
        """The name as an SQL identifier. It comes from the descriptor, never from a request."""
        return f'"{self.name}"'

    def sql_type(self, scale: int) -> str:
        """The DuckDB type of its values; numbers have `scale` decimal places."""
        return f"DECIMAL(38,{scale})" if self.type == "number" else _SQL_TYPES[self.type]


SERIES_FIELDS = (
    QueryField("series", "string", "Series", "The published table of the row: dataset/body/period.", None, True),
    QueryField("body", "string", "Body", "The short name of the body that sent the row.", None, True),
    QueryField("period", "string", "Period", "The period that the row's table covers.", None, True),
    QueryField("part", "string", "Part", "Which of the body's files for the period has the row.", None, True),
    QueryField("version", "integer", "Version", "The version number of the row's table.", None, True),
)


def query_fields(dataset: Dataset) -> dict[str, QueryField]:
    """Every field that a query can name: the dataset's in published order, what Piperoll adds, and the series.

    A field of the dataset hides another of the same name. The words of `q` are looked for in text that people
    wrote: not in identifiers, codes, values of a fixed list, and what Piperoll adds.
    """
    own: dict[str, QueryField] = {}
    for one in dataset.fields:
        is_text = one.type == "string" and (one.origin == "sent" or one.is_name)
        own[one.name] = QueryField(
            one.name,
            cast("FieldType", one.type),
            one.title,
            one.description,
            one.unit,
            searched=is_text and not one.is_code and "enum" not in (one.constraints or {}),
        )
    series = {one.name: one for one in SERIES_FIELDS if one.name not in own}
    added = {
        name: QueryField(name, cast("FieldType", kind), title, description)
        for name, kind, title, description in (
            *ADDED,
            *(PAYEE_ADDED if payee_fields(dataset) else ()),
            *(FUNCTION_ADDED if has_functions(dataset) else ()),
            *(PERIOD_ADDED if dataset.row_period is not None else ()),
        )
        if name not in own and name not in series
    }
    return own | added | series


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a field. A row meets it if it meets it for any of the values (for `ne`: for all of them)."""

    field: QueryField
    operator: str
    values: tuple[FieldValue, ...]

    @property
    def asks_date(self) -> bool:
        """Whether it leaves out lines because they have no date."""
        return self.field.type == "date" and self.operator not in ("isnull", "ne")


@dataclass(frozen=True, slots=True)
class SeriesScope:
    """The series that a query reads, and the time of the rows that it takes from them.

    An empty tuple means all of them; `as_known_on` is a day or an instant in UTC. `within` and `years` are about the
    date of a row, or about the period of its table if it has none.
    """

    dataset: str
    bodies: tuple[str, ...] = ()
    periods: tuple[Period, ...] = ()
    parts: tuple[str, ...] = ()
    within: Period | None = None
    years: tuple[Period, ...] = ()
    as_known_on: str | None = None
    keep_overlapping: bool = False


@dataclass(frozen=True, slots=True)
class Grouping:
    """What rows are grouped by: a field, or one of `TIME_FUNCTIONS` of a date."""

    field: QueryField
    function: str | None = None

    @property
    def name(self) -> str:
        """The name of its column in the answer."""
        return self.field.name if self.function is None else f"{self.function}_{self.field.name}"

    @property
    def quoted(self) -> str:
        """The name as an SQL identifier."""
        return f'"{self.name}"'

    @property
    def unit(self) -> str | None:
        """The unit of its values."""
        return self.field.unit if self.function is None else None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A figure of each group: `sum`, `min`, `max` or `avg` of a field, or the `count` of rows (its `field` is None)."""

    function: str
    field: QueryField | None

    @property
    def name(self) -> str:
        """The name of its column in the answer."""
        return self.function if self.field is None else f"{self.function}_{self.field.name}"

    @property
    def unit(self) -> str | None:
        """The unit of its values."""
        return None if self.field is None else self.field.unit

    @property
    def type(self) -> FieldType:
        """The type of its values."""
        if self.field is None:
            return "integer"
        return self.field.type if self.function in ("min", "max") else "number"


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column to sort by."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class RowQuery:
    """A query for rows of a dataset or, if it has `aggregates`, for groups of them.

    `columns` are those of the answer if it has rows. Every one of `words` must be in a row, in any of the fields that
    are searched. `having` are conditions on the figures of a group. `limit` None means all rows, if the format allows
    it. `digest` identifies the query whatever the order of its parameters, its page size and its format. `amount` are
    the fields with the pounds of a row, the first that is filled. `adds_up` is the field that says whether the figures
    of a row add up with those of others, if the dataset has rows whose do not. `notes` tell the reader how an ambiguous
    parameter was understood.
    """

    scope: SeriesScope
    conditions: tuple[Condition, ...]
    words: tuple[str, ...]
    columns: tuple[QueryField, ...]
    group_by: tuple[Grouping, ...]
    aggregates: tuple[Aggregate, ...]
    having: tuple[Condition, ...]
    sort: tuple[SortKey, ...]
    limit: int | None
    cursor: Cursor | None
    digest: str
    fields: Mapping[str, QueryField]
    amount: tuple[QueryField, ...] = ()
    adds_up: QueryField | None = None
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The columns of the answer, in order."""
        if self.aggregates:
            return [one.name for one in self.group_by] + [one.name for one in self.aggregates]
        return [one.name for one in self.columns]

    @property
    def searched(self) -> list[QueryField]:
        """The fields in which the words are looked for; none if the query has no words."""
        return [one for one in self.fields.values() if one.searched] if self.words else []
