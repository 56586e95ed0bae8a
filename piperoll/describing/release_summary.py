"""Summarise the rows of a release, once: its charts with exact figures, the names to search by, and its posts.

`datapackages/{dataset}/catalogue.json` declares the charts of a dataset. Each has a `name`, a `title` and:

- `shape`: `time` (by days, months or years within the period), `ahead` (by quarters after its end), `ranked` (the
  largest first) or `ordered` (the largest of the `rank` fields first)
- `by`: fields to group by; the first that at least half of the rows fill is used
- `measure`: `sum`, `count`, or `mean` weighted by `weight`
- `of`: fields to measure; the first that is filled is used
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import Any

import msgspec
import pyarrow as pa

from piperoll import assets
from piperoll.describing.wording import format_count, format_day
from piperoll.enriching import supplier_key
from piperoll.enriching.annotate import payee_fields
from piperoll.errors import DescriptorError
from piperoll.model import MONTHS, UNDATED, Dataset, Field, Listing, Period
from piperoll.model.columns import Cells, Flags, pc
from piperoll.releasing.columns import scale_for, spell_decimals
from piperoll.releasing.counting import examine_row_periods

SUMMARY_FORMAT = 4
"""The version of the format of summaries. Increase it when the format changes, so that all are made again."""

MOST_BARS = 14
"""Bars of a ranked chart; the remaining values share one more bar."""

MOST_COLUMNS = 40
"""Columns of a chart over time. A longer period is shown by months instead of days, or years instead of months."""

_QUARTERS_AHEAD = 12
"""Quarters shown after the end of the period: three years, the usual length of a contract."""

_ONE_DAY = timedelta(days=1)

_EXACT = Context(prec=200)
"""Python's default of 28 digits would round sums and products of long numbers."""

Condition = tuple[str, str, str]
"""A field, one of `is`, `not`, `starts`, `from` and `to`, and a value: a filter that the page's rows understand.

All filters of a row must hold, but of several `is` of one field, any.
"""


class BarLayout(StrEnum):
    """How the bars of a chart are chosen and ordered."""

    TIME = "time"
    AHEAD = "ahead"
    RANKED = "ranked"
    ORDERED = "ordered"


class BarMeasure(StrEnum):
    """What the length of a bar means."""

    SUM = "sum"
    COUNT = "count"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class ChartRule:
    """One chart as catalogue.json declares it."""

    name: str
    title: str
    shape: BarLayout
    by: tuple[str, ...]
    measure: BarMeasure
    of: tuple[str, ...]
    weight: str | None = None
    rank: tuple[str, ...] = ()

    @classmethod
    def from_declared(cls, declared: Mapping[str, Any], dataset: Dataset) -> ChartRule:
        """Read an entry of catalogue.json.

        Raises: DescriptorError: the entry lacks a key, has an unknown value, or names a field that the dataset lacks.
        """
        try:
            rule = msgspec.convert(declared, cls)
        except msgspec.ValidationError as error:
            raise DescriptorError(f"charts of {dataset.name}: {error}") from error
        if unknown := rule.fields - {known.name for known in dataset.fields}:
            raise DescriptorError(f"charts of {dataset.name} name fields it lacks: {', '.join(sorted(unknown))}")
        if (rule.measure is BarMeasure.MEAN) != (rule.weight is not None):
            raise DescriptorError(f"charts of {dataset.name}: {rule.name}: give a weight to a mean and to nothing else")
        return rule

    @property
    def figures(self) -> tuple[str, ...]:
        """The fields that are read as numbers."""
        return (*self.of, *self.rank, *(() if self.weight is None else (self.weight,)))

    @property
    def fields(self) -> frozenset[str]:
        """Every field that the chart needs."""
        return frozenset((*self.by, *self.figures))


@dataclass(slots=True)
class RowGroup:
    """The sums of the rows with one value.

    `measured` counts the rows that have the figure, `value` is the sum of the figures, `weighted` that of each figure
    times its weight, and `rank` the highest rank.
    """

    rows: int = 0
    measured: int = 0
    value: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)
    weight: Decimal = Decimal(0)
    rank: Decimal | None = None

    def merge(self, other: RowGroup) -> None:
        """Add the rows of another group."""
        self.rows += other.rows
        self.measured += other.measured
        self.value = _EXACT.add(self.value, other.value)
        self.weighted = _EXACT.add(self.weighted, other.weighted)
        self.weight = _EXACT.add(self.weight, other.weight)
        self.rank = max((rank for rank in (self.rank, other.rank) if rank is not None), default=None)

    @property
    def mean(self) -> Decimal | None:
        """The weighted mean to the penny, half to even; None if no row has a weight. One row keeps its own figure."""
        if self.measured == 1:
            return self.value
        return (self.weighted / self.weight).quantize(Decimal("0.01"), ROUND_HALF_EVEN) if self.weight else None


@dataclass(frozen=True)
class ChartTally:
    """The groups of one chart: the field grouped by, the field measured (None: rows alone), and a group for each value.

    Rows without a value are in the group of the empty string. The figures of `overlapping` rows are not in the groups.
    `spellings` has every spelling of a value that is written in several ways.
    """

    rule: ChartRule
    by: str
    of: str | None
    groups: Mapping[str, RowGroup]
    overlapping: int = 0
    spellings: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def spelt(self, value: str) -> Sequence[str]:
        """Every spelling of a value."""
        return self.spellings.get(value, (value,))

    def figure(self, group: RowGroup) -> Decimal | None:
        """Return the length of a group's bar; None if none of its rows has the figure."""
        if self.rule.measure is BarMeasure.COUNT or self.of is None:
            return Decimal(group.rows)
        if self.rule.measure is BarMeasure.MEAN:
            return group.mean
        return group.value if group.measured or not group.rows else None

    def bar(self, label: str, values: Iterable[str], *conditions: Condition, rest: bool = False) -> Bar:
        """Make one bar of the groups of these values."""
        whole = RowGroup()
        for value in values:
            whole.merge(self.groups[value])
        amount = whole.value if self.rule.measure is BarMeasure.COUNT and self.of and whole.measured else None
        return Bar(label, self.figure(whole), whole.rows, conditions, amount, rest)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its figure (None: unknown), its number of rows, and the conditions that find those rows.

    `amount` is the sum of pounds where the figure is a count. `rest` marks a bar of several values, or of none.
    """

    label: str
    figure: Decimal | None
    rows: int
    conditions: tuple[Condition, ...]
    amount: Decimal | None = None
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of one release: `by` and `of` are fields; `measured` of its `rows` have both.

    `overlapping` rows have periods that overlap others, so their figures are not added.
    """

    name: str
    title: str
    shape: str
    measure: str
    by: str
    of: str | None
    rows: int
    measured: int
    bars: tuple[Bar, ...]
    overlapping: int = 0


@dataclass(frozen=True, slots=True)
class ReleaseSummary:
    """The charts of a release, the number of rows of each name that one may search by, and the posts it describes.

    `filled` counts the rows with a value in each field; it is empty for a summary made without it. A post has an id,
    title, unit, and the id of the post that it reports to.
    """

    charts: tuple[Chart, ...] = ()
    names: Mapping[str, int] = field(default_factory=dict)
    posts: tuple[tuple[str, str, str, str], ...] = ()
    filled: Mapping[str, int] = field(default_factory=dict)


def fields_summarised(dataset: Dataset) -> tuple[str, ...]:
    """The fields of a release that `summarise_release` and `extract_posts` read, in the dataset's order."""
    declared = assets.shown(dataset.name)
    wanted = {declared["search"], "redaction", *(declared["posts"] or {}).values()}
    for entry in declared["charts"]:
        wanted |= ChartRule.from_declared(entry, dataset).fields
    if (rule := dataset.row_period) is not None:
        wanted |= {rule.start, rule.end, *(name for key in rule.of for name in key)}
    return tuple(one.name for one in dataset.fields if one.name in wanted)


def summarise_release(dataset: Dataset, period: Period, rows: pa.Table) -> dict[str, Any]:
    """Summarise a release from its rows, as JSON values that `read_summary` reads.

    `rows` has the columns `fields_summarised` that the release has, as in its Parquet file or as canonical strings; an
    empty cell is a null. The result depends on the release alone, so it can be kept as long as the release. Figures of
    periods that overlap are not added up. Names that the release redacts are left out.

    Raises: DescriptorError: catalogue.json of the dataset is not valid.
    """
    declared = assets.shown(dataset.name)
    rules = [ChartRule.from_declared(entry, dataset) for entry in declared["charts"]]
    adds_up = None if dataset.row_period is None else _rows_that_add_up(dataset, rows)
    tallies = tally_rows(rules, rows, {one.name: one for one in dataset.fields}, adds_up)
    payee = payee_fields(dataset).get("name")
    charts = [lay_out_chart(_join_spellings(tally) if tally.by == payee else tally, period) for tally in tallies]
    names = _count_names(rows, declared["search"])
    return {"form": SUMMARY_FORMAT, "charts": msgspec.to_builtins(charts), "names": names}


def _count_names(rows: pa.Table, search: str | None) -> dict[str, int]:
    """The number of rows of each name that one may search by, in order; names that are redacted are left out."""
    if search not in rows.column_names:
        return {}
    names = rows.select([search])
    if "redaction" in rows.column_names:
        redaction = pc.fill_null(rows.column("redaction").cast(pa.string()), "none")
        names = names.filter(pc.equal(redaction, "none"))
    found = names.group_by(search).aggregate([([], "count_all")])
    counts = zip(found.column(search).to_pylist(), found.column("count_all").to_pylist(), strict=True)
    return dict(sorted((name, count) for name, count in counts if name))


def _join_spellings(tally: ChartTally) -> ChartTally:
    """Put the spellings of a supplier together (`supplier_key`), under the one that most rows have."""
    joined: dict[str, list[str]] = {}
    for value in tally.groups:
        joined.setdefault(supplier_key(value) or f" {value}", []).append(value)  # no key has a space
    groups: dict[str, RowGroup] = {}
    spellings: dict[str, Sequence[str]] = {}
    for values in joined.values():
        values.sort(key=lambda value: (-tally.groups[value].rows, value))
        whole = groups[values[0]] = RowGroup()
        for value in values:
            whole.merge(tally.groups[value])
        if len(values) > 1:
            spellings[values[0]] = tuple(values)
    return replace(tally, groups=groups, spellings=spellings)


def _rows_that_add_up(dataset: Dataset, rows: pa.Table) -> Flags:
    """Which rows may be added to others: their periods overlap no other row's."""
    plain = [(one.name, one.type.value_type if pa.types.is_dictionary(one.type) else one.type) for one in rows.schema]
    return examine_row_periods(dataset, UNDATED, rows.cast(pa.schema(plain))).adds_up


def read_summary(listing: Listing) -> ReleaseSummary:
    """Read the summary of a listing; an empty one if it has none."""
    return msgspec.convert(listing.summary or {}, ReleaseSummary)


def extract_posts(declared: Mapping[str, str] | None, rows: pa.Table) -> list[list[str]]:
    """Return the posts in the rows of a release, each once: id, title, unit and the post it reports to.

    `declared` is `posts` in catalogue.json of the dataset. It names the fields: `id` and, where the dataset has them,
    `title`, `unit` and `reports_to`. A row without an id is not a post; of several with one id, the first is taken.
    """
    if declared is None or declared["id"] not in rows.column_names:
        return []
    columns, empty = _Columns(rows, {}), [""] * rows.num_rows
    names = [declared.get(one, "") for one in ("id", "title", "unit", "reports_to")]
    cells = [columns.texts(name).to_pylist() if name in rows.column_names else empty for name in names]
    posts = ([cell or "" for cell in post] for post in zip(*cells, strict=True) if post[0])
    found: dict[str, list[str]] = {}
    for post in posts:
        found.setdefault(post[0], post)
    return list(found.values())


def tally_rows(
    rules: Sequence[ChartRule], rows: pa.Table, fields: Mapping[str, Field], adds_up: Flags | None = None
) -> tuple[ChartTally, ...]:
    """Add up the rows of a release for each chart whose fields it has. A sum leaves out rows that do not add up.

    Raises: DescriptorError: a cell of a number column is not a number.
    """
    known = set(rows.column_names)
    columns = _Columns(rows, fields)
    tallies = (_tally_chart(rule, columns, adds_up) for rule in rules if rule.fields <= known and rows.num_rows)
    return tuple(tally for tally in tallies if tally is not None)


class _Columns:
    """The columns of a release as charts need them: what is grouped by as text, figures as decimals."""

    def __init__(self, rows: pa.Table, fields: Mapping[str, Field]) -> None:
        self._rows, self._fields, self.size = rows, fields, rows.num_rows

    def texts(self, name: str) -> Cells:
        """The cells as published, or a dictionary of them."""
        cells = self._rows.column(name)
        if pa.types.is_decimal(cells.type):
            places = self._places(name)
            return pa.chunked_array([spell_decimals(chunk, places) for chunk in cells.chunks], pa.string())
        return cells if pa.types.is_dictionary(cells.type) else cells.cast(pa.string())

    def figures(self, name: str) -> Cells:
        """The cells as decimals."""
        cells = self._rows.column(name)
        if pa.types.is_decimal(cells.type):
            return cells
        if pa.types.is_integer(cells.type):
            return cells.cast(pa.decimal128(19, 0))
        texts = cells.cast(pa.string())
        try:
            return texts.cast(pa.decimal128(38, scale_for(texts.chunks)))
        except pa.ArrowInvalid as error:
            raise DescriptorError(f"the number column {name} of a release holds text: {error}") from error

    def figure(self, name: str, value: Decimal | None) -> Decimal:
        """A sum as it is published, without the zeros that the type of its column adds; 0 if there is none."""
        whole, _, digits = format(value or Decimal(0), "f").partition(".")
        return Decimal(f"{whole}.{digits.rstrip('0').ljust(self._places(name), '0')}")

    def _places(self, name: str) -> int:
        return 2 if name in self._fields and self._fields[name].unit == "GBP" else 0


def _tally_chart(rule: ChartRule, columns: _Columns, adds_up: Flags | None) -> ChartTally | None:
    """Measure the first field that has a figure, and group by the first field that half of the rows fill.

    If no field is half full, group by the fullest. None if there is nothing to group by, no figure for a mean, or none
    for a sum because the periods of all rows overlap.
    """
    leave_out: Cells = pa.array(~adds_up) if adds_up is not None and rule.measure is BarMeasure.SUM else None
    overlapping = 0 if leave_out is None else leave_out.true_count

    def figures_of(name: str) -> Cells:
        found = columns.figures(name)
        return found if leave_out is None else pc.if_else(leave_out, pa.scalar(None, found.type), found)

    of = next((name for name in rule.of if (found := figures_of(name)).null_count < len(found)), None)
    if of is None and (rule.measure is BarMeasure.MEAN or overlapping):
        return None
    filled = {by: columns.size - columns.texts(by).null_count for by in rule.by}
    if not any(filled.values()):
        return None
    by = next((by for by in rule.by if filled[by] * 2 >= columns.size), max(rule.by, key=lambda name: filled[name]))
    figures: Cells = pa.nulls(columns.size, pa.decimal128(1)) if of is None else figures_of(of)
    table = {"by": columns.texts(by), "value": figures.cast(pa.decimal256(76, figures.type.scale))}
    wanted: list[Any] = [([], "count_all"), ("value", "count"), ("value", "sum")]
    if rule.rank:
        scale = max(columns.figures(name).type.scale for name in rule.rank)
        table["rank"] = pc.coalesce(*(columns.figures(name).cast(pa.decimal128(38, scale)) for name in rule.rank))
        wanted.append(("rank", "max"))
    groups: dict[str, RowGroup] = {}
    for one in pa.table(table).group_by("by").aggregate(wanted).to_pylist():
        value = Decimal(0) if not one["value_count"] or of is None else columns.figure(of, one["value_sum"])
        groups[one["by"] or ""] = RowGroup(one["count_all"], one["value_count"], value, rank=one.get("rank_max"))
    if rule.weight is not None:
        _add_weights(groups, table, columns.figures(rule.weight))
    return ChartTally(rule, by, of, groups, overlapping)


def _add_weights(groups: Mapping[str, RowGroup], table: Mapping[str, Cells], weights: Cells) -> None:
    """Add to each group the weights of its figures, and the figures times their weights, exactly."""
    pairs = pa.table({"by": table["by"], "value": table["value"], "weight": weights})
    pairs = pairs.filter(pc.and_(pc.is_valid(table["value"]), pc.is_valid(weights)))
    for one in pairs.group_by(["by", "value", "weight"]).aggregate([([], "count_all")]).to_pylist():
        group, weight = groups[one["by"] or ""], _EXACT.multiply(one["weight"], one["count_all"])
        group.weight = _EXACT.add(group.weight, weight)
        group.weighted = _EXACT.add(group.weighted, _EXACT.multiply(one["value"], weight))


def lay_out_chart(tally: ChartTally, period: Period) -> Chart:
    """Lay out a tally of a release that covers `period` as bars: every row is in exactly one bar."""
    rule = tally.rule
    layouts: dict[BarLayout, Callable[[], Iterable[Bar]]] = {
        BarLayout.TIME: lambda: _dated_bars(tally, _split_period(period.start, period.end)),
        BarLayout.AHEAD: lambda: _dated_bars(tally, _quarters_after(period.end)),
        BarLayout.RANKED: lambda: _listed_bars(tally, tally.figure, MOST_BARS),
        BarLayout.ORDERED: lambda: _listed_bars(tally, lambda group: group.rank, 2 * MOST_BARS),
    }
    counts_rows = rule.measure is BarMeasure.COUNT or tally.of is None
    return Chart(
        name=rule.name,
        title=rule.title,
        shape=rule.shape.value,
        measure=rule.measure.value if tally.of is not None else BarMeasure.COUNT.value,
        by=tally.by,
        of=tally.of,
        rows=sum(group.rows for group in tally.groups.values()),
        measured=sum(group.rows if counts_rows else group.measured for value, group in tally.groups.items() if value),
        bars=tuple(layouts[rule.shape]()),
        overlapping=tally.overlapping,
    )


def _listed_bars(tally: ChartTally, key: Callable[[RowGroup], Decimal | None], most: int) -> Iterator[Bar]:
    """A bar for each of the first values, largest first; one for all other values; one for rows without a value."""

    def largest_first(value: str) -> tuple[bool, Decimal, str]:
        figure = key(tally.groups[value])
        return (figure is None, -(figure or Decimal(0)), value)

    order = sorted((value for value in tally.groups if value), key=largest_first)
    shown = order if len(order) <= most + 1 else order[:most]
    for value in shown:
        yield tally.bar(value, [value], *((tally.by, "is", spelling) for spelling in tally.spelt(value)))
    if others := order[len(shown) :]:
        named = [spelling for value in shown for spelling in tally.spelt(value)]
        conditions = [(tally.by, "not", value) for value in (*named, *([""] if "" in tally.groups else []))]
        yield tally.bar(f"All {format_count(len(others), 'other')}", others, *conditions, rest=True)
    if "" in tally.groups:
        yield tally.bar("Not said", [""], (tally.by, "is", ""), rest=True)


def _dated_bars(tally: ChartTally, spans: list[tuple[date, date, str]]) -> Iterator[Bar]:
    """A column for each span of days, and one each for rows dated before, after or not at all."""
    first, last = spans[0][0], spans[-1][1]
    days = sorted(value for value in tally.groups if value)
    if earlier := [value for value in days if value < first.isoformat()]:
        condition = (tally.by, "to", (first - _ONE_DAY).isoformat())
        yield tally.bar(f"Before {format_day(first)}", earlier, condition, rest=True)
    for start, end, label in spans:
        inside = [value for value in days if start.isoformat() <= value <= end.isoformat()]
        if start == end:
            yield tally.bar(label, inside, (tally.by, "is", start.isoformat()))
        else:
            yield tally.bar(label, inside, (tally.by, "from", start.isoformat()), (tally.by, "to", end.isoformat()))
    if later := [value for value in days if value > last.isoformat()]:
        condition = (tally.by, "from", (last + _ONE_DAY).isoformat())
        yield tally.bar(f"After {format_day(last)}", later, condition, rest=True)
    if "" in tally.groups:
        yield tally.bar("No date", [""], (tally.by, "is", ""), rest=True)


def _split_period(start: date, end: date) -> list[tuple[date, date, str]]:
    """Split a period into days, months or years: the finest that makes at most MOST_COLUMNS columns."""
    days = (end - start).days + 1
    if days <= MOST_COLUMNS:
        return [(one, one, format_day(one)) for one in (start + timedelta(days=n) for n in range(days))]
    months = (end.year - start.year) * 12 + end.month - start.month + 1
    if months <= MOST_COLUMNS:
        numbers = (start.month - 1 + n for n in range(months))
        found = [Period.month(start.year + number // 12, number % 12 + 1) for number in numbers]
        return [(one.start, one.end, one.title) for one in found]
    return [(date(year, 1, 1), date(year, 12, 31), str(year)) for year in range(start.year, end.year + 1)]


def _quarters_after(end: date) -> list[tuple[date, date, str]]:
    """The calendar quarters that follow `end`; the first begins the day after it."""
    first = end + _ONE_DAY
    spans = []
    for n in range(_QUARTERS_AHEAD):
        months = 3 * ((first.month - 1) // 3) + 3 * n
        quarter = Period.quarter(first.year + months // 12, months % 12 // 3 + 1)
        label = f"{MONTHS[quarter.start.month - 1][:3]} to {MONTHS[quarter.end.month - 1][:3]} {quarter.start.year}"
        spans.append((max(quarter.start, first), quarter.end, label))
    return spans
