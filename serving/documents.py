"""The JSON documents of the API as types. OpenAPI's schemas are generated from them (`serving.openapi`)."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, TypedDict

from msgspec import Meta

Count: TypeAlias = Annotated[int, Meta(ge=0)]
FieldType: TypeAlias = Literal["string", "number", "integer", "date", "boolean"]
Row: TypeAlias = dict[str, str | int | bool | None]


class HomeDocument(TypedDict):
    """`/`."""

    title: str
    links: dict[str, str]
    example: str


class HealthDocument(TypedDict):
    """`/health`."""

    status: Literal["ok"]
    datasets: Count


class DatasetSummary(TypedDict):
    """A dataset in `/datasets`."""

    dataset: str
    title: str
    description: str
    version: str
    bodies: Count
    links: dict[str, str]


class DatasetsDocument(TypedDict):
    """`/datasets`."""

    datasets: list[DatasetSummary]


class PartDescription(TypedDict):
    """A part of a dataset."""

    part: str
    title: str


class FieldDescription(TypedDict):
    """A field that a query can name."""

    name: str
    type: FieldType
    title: str
    description: str
    unit: str | None
    operators: list[str]


class DatasetDocument(TypedDict):
    """`/datasets/{dataset}`."""

    dataset: str
    title: str
    description: str
    version: str
    parts: list[PartDescription]
    fields: list[FieldDescription]
    bodies: list[str]
    links: dict[str, str]


class SeriesSummary(TypedDict):
    """A series, as the index has it."""

    series: str
    dataset: str
    body: str
    period: str
    part: str | None
    current: Count | None
    versions: Count
    published: str | None
    rows: Count | None
    amount_gbp: str | None
    links: dict[str, str]


class SeriesListDocument(TypedDict):
    """`/series`."""

    series: list[SeriesSummary]
    next: str | None


class BodySummary(TypedDict):
    """A body in `/bodies`. A provisional one is in no register: its identifier is ours, and its name the sender's."""

    body: str
    id: str
    name: str
    short_name: str | None
    kind: str
    provisional: bool
    region: str | None
    area_code: str | None
    datasets: list[str]
    links: dict[str, str]


class BodiesDocument(TypedDict):
    """`/bodies`."""

    bodies: list[BodySummary]


class BodyDataset(TypedDict):
    """What a body has published of a dataset."""

    dataset: str
    series: list[SeriesSummary]


class BodyDocument(TypedDict):
    """`/bodies/{slug}`."""

    body: str
    id: str | None
    name: str | None
    kind: str | None
    provisional: bool
    short_name: str | None
    former_names: list[str]
    aliases: list[str]
    region: str | None
    area_code: str | None
    datasets: list[BodyDataset]
    links: dict[str, str]


class FileDescription(TypedDict):
    """A published file."""

    key: str
    bytes: Count
    sha256: str


class VersionDescription(TypedDict):
    """A version in the history of a series. It also has the other keys of versions.json."""

    version: Count
    published: str
    status: Literal["current", "superseded", "withdrawn", "purged"]
    reason: str
    rows: Count
    amount_gbp: str | None
    files: list[FileDescription]


class HistoryDocument(TypedDict):
    """`/series/{dataset}/{body}/{period}`."""

    series: str
    current: Count | None
    versions: list[VersionDescription]
    links: dict[str, str]


class EffectDescription(TypedDict):
    """The rows that were added, removed or changed, and the difference in pounds."""

    rows: Count
    amount_gbp: str | None


class DiffDocument(TypedDict):
    """`/series/{dataset}/{body}/{period}/diff/{before}/{after}`."""

    series: str
    before: Count
    after: Count
    added: EffectDescription
    removed: EffectDescription
    changed: EffectDescription
    fields: dict[str, Count]
    rows: list[Row]
    rows_count: Count


class UsedSeries(TypedDict):
    """A version that a query read, with its lines that count in the years that the query reads."""

    series: str
    version: Count
    rows: Count
    amount_gbp: str | None


class LeftOutSeries(TypedDict):
    """A series that a query left out or, if `rows` is given, lines of it, and the series that count them instead."""

    series: str
    reason: str
    because: list[str]
    rows: Count | None
    amount_gbp: str | None


class NotAddedRows(TypedDict):
    """Rows that are in no sum and no mean, and what their own periods are."""

    rows: Count
    row_periods: list[str]
    reason: str


class QuerySeries(TypedDict):
    """The series of a query. Long lists are cut; `all` links to the whole."""

    used: list[UsedSeries]
    left_out: list[LeftOutSeries]
    used_count: Count
    left_out_count: Count
    rows: Count
    amount_gbp: str | None
    left_out_rows: Count
    left_out_amount_gbp: str | None
    not_added: NotAddedRows | None
    all: str


class UndatedRowsDocument(TypedDict):
    """Rows without a date, which a condition on dates leaves out, and their pounds."""

    rows: Count
    amount_gbp: str | None


class RowsDocument(TypedDict):
    """`/rows/{dataset}`. `undated` is null if the query asks for no dates."""

    dataset: str
    as_known_on: str | None
    columns: list[str]
    rows: list[Row]
    undated: UndatedRowsDocument | None
    notes: list[str]
    series: QuerySeries
    next: str | None


class UsedDocument(TypedDict):
    """`/rows/{dataset}/series`."""

    dataset: str
    rows: Count
    used: list[UsedSeries]
    left_out: list[LeftOutSeries]
    not_added: NotAddedRows | None
    notes: list[str]


class MeasureYearDescription(TypedDict):
    """A published year of a measure, and the number of its version."""

    year: str
    version: Count


class MeasureFigureDescription(TypedDict):
    """A figure that a measure has; rows name it in `figure`."""

    figure: str
    title: str
    unit: str
    headline: bool
    high_is: str


class MeasureDescription(TypedDict):
    """A measure in `/measures`."""

    measure: str
    title: str
    question: str
    summary: str
    method: list[str]
    method_version: str
    perimeter: str
    compared_with: str
    datasets: list[str]
    figures: list[MeasureFigureDescription]
    years: list[MeasureYearDescription]
    links: dict[str, str]


class MeasuresDocument(TypedDict):
    """`/measures`."""

    measures: list[MeasureDescription]
    statuses: list[str]


class MeasureRowsDocument(TypedDict):
    """`/measures/{measure}`."""

    measure: str
    years: list[MeasureYearDescription]
    columns: list[str]
    rows_count: Count
    rows: list[Row]
    links: dict[str, str]
    next: str | None


class FigureInput(TypedDict):
    """What a figure was made from: the name of a file or rule, and its hash."""

    what: str
    sha256: str


class FigureWorking(TypedDict):
    """How a figure was worked out."""

    method: list[str]
    method_version: str
    query: str
    inputs: list[FigureInput]
    command: str


class FigureDocument(TypedDict):
    """`/measures/{measure}/{figure_id}`."""

    measure: str
    question: str
    title: str
    year: str
    version: Count
    row: Row
    working: FigureWorking
    links: dict[str, str]
