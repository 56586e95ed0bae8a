"""Measures as pages need them: what a measure is, its published years, and its figures.

A measure publishes one table a financial year, with a row for each figure of each body. Pages are made from these rows
and from the definition that is published beside them, and from nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from piperoll.model import FileEntry, Series, Version
from piperoll.model.columns import pc

MOST_ITEMS = 15
"""Items of one figure and body that pages show, the largest first; the published table has all of them."""

MOST_DATED = 200
"""Items of a figure in days, such as the contracts that end soon, the soonest first."""

ENDING = ("contracts", ("ends-6-list", "ends-12-list"))
"""The measure that lists contracts that end soon, and the figures whose items these contracts are, soonest first."""

FIGURE_COLUMNS = (
    *("figure_id", "body", "body_name", "figure", "item", "item_label", "unit", "status", "reason"),
    *("value", "lo", "hi", "n", "coverage", "inferred_share", "period_start", "period_end"),
    *("peers", "peer_kind", "peer_median", "peer_q1", "peer_q3", "rank_best", "rank_worst", "outlier", "reply"),
)
"""The columns of a measure's table that pages need."""

_YEAR = re.compile(r"\d{4}-\d\d", re.ASCII)
"""Items that are financial years are in the order of years."""

_NUMBERS = ("value", "lo", "hi", "coverage", "inferred_share", "peer_median", "peer_q1", "peer_q3")
_DAYS = ("period_start", "period_end")


@dataclass(frozen=True, slots=True)
class FigureDefinition:
    """A figure that a measure declares. `high_is` says whether a high value is `good`, `bad` or `unstated`."""

    id: str
    title: str
    unit: str
    headline: bool = False
    high_is: str = "unstated"


@dataclass(frozen=True, slots=True)
class MeasureDefinition:
    """What a measure says of itself in measure.toml. `method` is in plain words, its paragraphs apart."""

    id: str
    version: str
    title: str
    question: str
    summary: str
    method: tuple[str, ...]
    perimeter: str
    comparators: str
    owner: str
    sources: tuple[str, ...]
    coverage_of: str
    coverage_minimum: Decimal | None
    datasets: tuple[str, ...]
    figures: tuple[FigureDefinition, ...]
    changes: tuple[tuple[str, str, str], ...]
    """Version, day and what changed, newest first."""

    def figure(self, name: str) -> FigureDefinition | None:
        """Return the figure called `name`, if the measure declares it."""
        return next((figure for figure in self.figures if figure.id == name), None)

    @property
    def headlines(self) -> tuple[FigureDefinition, ...]:
        """The figures that are shown first; at least one if there are any."""
        return tuple(figure for figure in self.figures if figure.headline) or self.figures[:1]


def read_definition(document: Mapping[str, Any]) -> MeasureDefinition:
    """Read the content of a measure.toml."""
    coverage = document.get("coverage", {})
    minimum = coverage.get("minimum")
    paragraphs = (" ".join(part.split()) for part in document.get("method", "").split("\n\n"))
    return MeasureDefinition(
        id=document["id"],
        version=document["version"],
        title=document["title"],
        question=document["question"],
        summary=" ".join(document.get("summary", "").split()),
        method=tuple(part for part in paragraphs if part),
        perimeter=document.get("perimeter", ""),
        comparators=document.get("comparators", "none"),
        owner=document.get("owner", ""),
        sources=tuple(document.get("sources", ())),
        coverage_of=coverage.get("of", ""),
        coverage_minimum=None if minimum is None else Decimal(str(minimum)),
        datasets=tuple(document.get("datasets", ())),
        figures=tuple(
            FigureDefinition(
                id=one["id"],
                title=one["title"],
                unit=one["unit"],
                headline=one.get("headline", False),
                high_is=one.get("high_is", "unstated"),
            )
            for one in document.get("figures", ())
        ),
        changes=tuple(
            sorted(
                (
                    (one["version"], str(one["date"]), " ".join(one["what"].split()))
                    for one in document.get("changes", ())
                ),
                key=lambda change: change[1],
                reverse=True,
            )
        ),
    )


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of a measure: a figure of a body and period, for an item if it is broken down.

    Numbers are None where nothing is known. `items` counts the items of this figure and body, of which pages show
    MOST_ITEMS.
    """

    figure_id: str
    body: str
    body_name: str
    figure: str
    item: str
    item_label: str
    unit: str
    status: str
    reason: str
    value: Decimal | None
    lo: Decimal | None
    hi: Decimal | None
    n: int | None
    coverage: Decimal | None
    inferred_share: Decimal | None
    period_start: str
    period_end: str
    peers: int | None
    peer_kind: str
    peer_median: Decimal | None
    peer_q1: Decimal | None
    peer_q3: Decimal | None
    rank_best: int | None
    rank_worst: int | None
    outlier: bool
    reply: str
    items: int = 0

    @property
    def has_value(self) -> bool:
        """True if the figure may be shown."""
        return self.status != "withheld" and self.value is not None

    @property
    def has_bounds(self) -> bool:
        """True if the value may be lower or higher than stated."""
        return self.has_value and self.lo is not None and self.hi is not None and self.lo != self.hi


@dataclass(frozen=True, slots=True)
class MeasureYear:
    """A published year of a measure: its series, every version, the files of the current one, and its inputs."""

    series: Series
    versions: tuple[Version, ...]
    current: Version
    files: tuple[FileEntry, ...]
    rows: int
    inputs: int

    @property
    def year(self) -> str:
        """The financial year, as `2026-27`."""
        first = self.series.period.start.year
        return f"{first}-{(first + 1) % 100:02}"

    @property
    def title(self) -> str:
        """The year in words."""
        return self.series.period.title

    def file(self, name: str) -> FileEntry | None:
        """Return the file called `name` of the current version."""
        return next((file for file in self.files if file.path == name), None)


@dataclass(frozen=True, slots=True)
class PublishedMeasure:
    """A measure with its published years, newest first; there is at least one."""

    definition: MeasureDefinition
    years: tuple[MeasureYear, ...]

    @property
    def id(self) -> str:
        """The measure's name in addresses."""
        return self.definition.id

    @property
    def latest(self) -> MeasureYear:
        """The newest year."""
        return self.years[0]

    @property
    def updated(self) -> str:
        """The instant of the last release of any year."""
        return max(year.current.published for year in self.years)


@dataclass(frozen=True)
class MeasuredYear:
    """The figures of one year of a measure that pages show."""

    published: MeasureYear
    figures: tuple[Figure, ...]
    kinds_of: Mapping[str, str]
    """The kind of each body, by slug."""

    @property
    def year(self) -> str:
        """The financial year, as `2026-27`."""
        return self.published.year

    def of_figure(self, name: str, kind: str | None = None) -> list[Figure]:
        """Return the rows of a figure as a whole, by name of body: all, or those of bodies of a kind."""
        return sorted((row for row in self._rows(name, kind) if not row.item), key=_by_name)

    def items_of(self, name: str, kind: str | None = None) -> list[Figure]:
        """Return the items of a figure by name of body, those of a body with the largest first (days: the soonest)."""
        rows = (row for row in self._rows(name, kind) if row.item)
        return sorted(rows, key=lambda row: (*_by_name(row), *_largest_first(row)))

    @cached_property
    def kinds(self) -> list[str]:
        """The kinds of body that have a figure, those with the most bodies first."""
        bodies: dict[str, set[str]] = {}
        for row in self.figures:
            bodies.setdefault(self.kind_of(row.body), set()).add(row.body)
        return sorted(bodies, key=lambda kind: (-len(bodies[kind]), kind))

    def kind_of(self, body: str) -> str:
        """The kind of a body; `other` if nothing is known of it."""
        return self.kinds_of.get(body, "other")

    @cached_property
    def _by_figure(self) -> dict[str, list[Figure]]:
        """The rows of each figure: a measure may have many figures, and each is listed for each kind of body."""
        found: dict[str, list[Figure]] = {}
        for row in self.figures:
            found.setdefault(row.figure, []).append(row)
        return found

    def _rows(self, figure: str, kind: str | None) -> Iterator[Figure]:
        return (row for row in self._by_figure.get(figure, ()) if kind is None or self.kind_of(row.body) == kind)


@dataclass(frozen=True, slots=True)
class FigureCounts:
    """How many bodies a figure is known for: bodies with a row, with a value, and with a value withheld."""

    bodies: int
    shown: int
    withheld: int
    outliers: int


def count_figures(rows: Sequence[Figure]) -> FigureCounts:
    """Count the rows of one figure as a whole."""
    shown = sum(row.has_value for row in rows)
    return FigureCounts(len(rows), shown, len(rows) - shown, sum(row.outlier for row in rows))


def read_figures(table: pa.Table, *, with_items: bool = True, body: str | None = None) -> tuple[Figure, ...]:
    """Read the rows of a measure's table, with at most MOST_ITEMS items of each figure and body.

    `with_items=False` reads figures as a whole only; `body` reads those of one body only.
    """
    for name in FIGURE_COLUMNS:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows))
    if body is not None:
        table = table.filter(pc.equal(table["body"], body))
    is_whole = pc.equal(pc.fill_null(table["item"], ""), "")
    rows = [_make_figure(row, 0) for row in table.filter(is_whole).select(FIGURE_COLUMNS).to_pylist()]
    if with_items:
        rows += _read_items(table.filter(pc.invert(is_whole)).select(FIGURE_COLUMNS))
    return tuple(sorted(rows, key=lambda row: (row.body, row.figure, row.item)))


def _read_items(table: pa.Table) -> Iterator[Figure]:
    """The largest items of each figure and body, from a table of items alone."""
    if not table.num_rows:
        return
    value = pc.fill_null(table["value"].cast(pa.float64()), 0.0)
    is_dated = pc.equal(table["unit"], "days")
    size = pc.if_else(is_dated, pc.negate(value), pc.abs(value))  # the soonest come first
    names = ["body", "figure"]
    sortable = table.select([*names, "item_label", "item"]).append_column("size", size)
    order = pc.sort_indices(
        sortable,
        [(name, "descending" if name == "size" else "ascending") for name in (*names, "size", "item_label", "item")],
    )
    # A body may have a hundred thousand items: only those that are shown are gathered and become Python objects.
    keys = np.stack([_codes(table[name].take(order)) for name in names])
    begins = np.flatnonzero(np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)))
    counts = np.diff(np.append(begins, len(order)))
    position = np.arange(len(order)) - np.repeat(begins, counts)
    most = pc.if_else(pc.fill_null(is_dated.take(order), False), MOST_DATED, MOST_ITEMS).to_numpy()
    shown = np.flatnonzero(position < most)
    of_shown = np.repeat(counts, counts)[shown].tolist()
    for row, count in zip(table.take(order.take(pa.array(shown))).to_pylist(), of_shown, strict=True):
        yield _make_figure(row, count)


def _codes(column: Any) -> npt.NDArray[np.int64]:
    """A number for each cell, the same for the same text."""
    indices = column.combine_chunks().dictionary_encode().indices
    codes: npt.NDArray[np.int64] = pc.fill_null(indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _make_figure(row: Mapping[str, Any], items: int) -> Figure:
    def text(name: str) -> str:
        value = row[name]
        return value.isoformat() if isinstance(value, date) else value or ""

    def number(name: str) -> Decimal | None:
        value = row[name]
        return None if value is None else value if isinstance(value, Decimal) else Decimal(str(value))

    def count(name: str) -> int | None:
        return None if row[name] is None else int(row[name])

    values: dict[str, Any] = {name: text(name) for name in (*FIGURE_COLUMNS[:9], *_DAYS, "peer_kind", "reply")}
    values |= {name: number(name) for name in _NUMBERS}
    values |= {name: count(name) for name in ("n", "peers", "rank_best", "rank_worst")}
    return Figure(**values, outlier=bool(row["outlier"]), items=items)


def _by_name(row: Figure) -> tuple[str, str]:
    return (row.body_name.casefold(), row.body)


def _largest_first(row: Figure) -> tuple[Decimal, str, str]:
    if _YEAR.fullmatch(row.item):
        return (Decimal(0), row.item, "")
    value = Decimal(0) if row.value is None else row.value
    return (value if row.unit == "days" else -abs(value), row.item_label.casefold(), row.item)


@dataclass(frozen=True, slots=True)
class ProfilePart:
    """What a measure says of one body: its newest year with a row, its rows, and its headlines in every year."""

    measure: PublishedMeasure
    year: MeasureYear
    rows: tuple[Figure, ...]
    trend: tuple[tuple[MeasureYear, tuple[Figure, ...]], ...] = ()

    def row(self, figure: str) -> Figure | None:
        """Return the row of a figure as a whole."""
        return next((row for row in self.rows if row.figure == figure and not row.item), None)

    def items(self, figure: str) -> list[Figure]:
        """Return the items of a figure, the largest first."""
        return sorted((row for row in self.rows if row.figure == figure and row.item), key=_largest_first)


def group_by_body(
    measures: Iterable[PublishedMeasure], read: Callable[[PublishedMeasure], Sequence[MeasuredYear]]
) -> dict[str, list[ProfilePart]]:
    """Sort the figures of all measures by body. `read` returns the measured years of a measure, newest first."""
    profiles: dict[str, list[ProfilePart]] = {}
    for measure in measures:
        headlines = {figure.id for figure in measure.definition.headlines}
        found: dict[str, list[tuple[MeasureYear, list[Figure]]]] = {}
        for year in read(measure):
            by_body: dict[str, list[Figure]] = {}
            for row in year.figures:
                by_body.setdefault(row.body, []).append(row)
            for body, rows in by_body.items():
                found.setdefault(body, []).append((year.published, rows))
        for body, years in found.items():
            trend = tuple(
                (year, tuple(row for row in rows if row.figure in headlines and not row.item)) for year, rows in years
            )
            newest, rows = years[0]
            profiles.setdefault(body, []).append(ProfilePart(measure, newest, tuple(rows), trend))
    return profiles
