"""Draw the charts of a release, and those of a body over time: what it published, and how good its files were.

Positions are percentages of the width, so that text keeps its size on a phone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from urllib.parse import quote, urlencode

from piperoll import layout
from piperoll.describing.context import Holdings
from piperoll.describing.release_summary import Bar, BarLayout, BarMeasure, Chart
from piperoll.describing.series_facts import ReportQuality
from piperoll.describing.wording import format_count, format_number, format_pounds, lower_first, part_title
from piperoll.describing.year_figures import RowSum, add_sums
from piperoll.model import Dataset, Period, Series

ROW_HEIGHT = 40
"""Height in pixels of a horizontal bar with its label above it."""

COLUMNS_HEIGHT = 180
"""Height in pixels of a chart of columns."""

_BAR_THICKNESS = "14"
_MOST_TICKS = 6
"""Labels below the columns: more do not fit the width of a phone."""

_LEAST_COLUMNS = 8
"""Columns are at most an eighth of the width, so that two months do not fill the page."""

PHONE, WIDE = 20.5, 27.0
"""Width, in em, in which a label and its figure stand side by side on a phone 360 pixels wide, and on wider screens."""

_LEAST_LABEL = 8
"""Letters of a label that are always shown; the table has the whole label."""

MOST_PERIODS = 24
"""The newest periods that a chart shows: two years of months."""


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One bar in the table: its figure in words, and the link to the rows behind it, if there is one."""

    bar: Bar
    words: str
    link: str

    @property
    def is_empty(self) -> bool:
        """True if no rows are behind it and it leads nowhere else: it has a place on the axis, and nothing to show."""
        return not self.bar.rows and (not self.link or bool(self.bar.conditions))


@dataclass(frozen=True, slots=True)
class DrawnBar:
    """One bar in the picture; every position but that of a horizontal bar is a percentage.

    `start` and `length` are along the scale. `offset` and `width` are across it: pixels from the top for a horizontal
    bar, a percentage for a column. `middle` is the centre of the bar's `label`, which is empty if none is shown;
    `wide_label` is the label where there is more room than on a phone.
    """

    row: ChartRow
    start: str
    length: str
    offset: str
    width: str
    middle: str
    label: str
    wide_label: str


@dataclass(frozen=True, slots=True)
class DrawnChart:
    """A chart as drawn: `bars` are in the picture, `rows` in the table.

    `apart` are the rows that the picture leaves out, because they have no place on its axis (no date, or one outside
    the period) or because they sum up many values that would make the others small. They are listed beside it.
    `zero` is where the scale of horizontal bars begins, `base` the foot of the columns. `by` and `measured` name the
    axes, `coverage` says how many rows are included, and `amounts` is True if rows show pounds beside their figure.
    """

    chart: Chart
    columns: bool
    height: int
    zero: str
    base: str
    highest: str
    bars: tuple[DrawnBar, ...]
    rows: tuple[ChartRow, ...]
    apart: tuple[ChartRow, ...]
    by: str
    measured: str
    coverage: str
    amounts: bool


def rows_link(bar: Bar) -> str:
    """Return the link that filters the rows on the same page to those of a bar: `?supplier_name=is.Oak%20Ltd#rows`."""
    return f"?{urlencode([(name, f'{how}.{value}') for name, how, value in bar.conditions], quote_via=quote)}#rows"


def draw_chart(
    chart: Chart, dataset: Dataset, link: Callable[[Bar], str] = rows_link, by: str | None = None
) -> DrawnChart:
    """Draw a chart of a dataset's rows.

    `link` makes the link of a bar. `by` says what the bars are; by default, the title of the field grouped by.
    """
    columns = chart.shape in (BarLayout.TIME, BarLayout.AHEAD)
    counts_rows = chart.of is None or chart.measure == BarMeasure.COUNT
    unit = "rows" if chart.of is None or counts_rows else dataset.field(chart.of).unit
    rows = tuple(ChartRow(bar, format_figure(bar.figure, unit), link(bar)) for bar in chart.bars)
    shown = [row for row in rows if not row.bar.rest] or list(rows)
    figures = [Decimal(0), *(row.bar.figure for row in shown if row.bar.figure is not None)]
    low, high = min(figures), max(figures)
    measured = "Rows"
    if chart.of is not None and not counts_rows:
        measured = dataset.field(chart.of).title + (", mean" if chart.measure == BarMeasure.MEAN else "")
    coverage = f"{format_number(chart.measured)} of {format_count(chart.rows, 'row')} have both."
    if chart.overlapping:
        coverage = (
            f"Covers {format_number(chart.measured)} of {format_count(chart.rows, 'row')}: the periods of "
            f"{format_count(chart.overlapping, 'row')} overlap those of others, so their figures are not added."
        )
    if chart.measured == chart.rows:
        coverage = "Covers the one row." if chart.rows == 1 else f"Covers all {format_count(chart.rows, 'row')}."
    return DrawnChart(
        chart=chart,
        columns=columns,
        height=COLUMNS_HEIGHT if columns else ROW_HEIGHT * len(shown),
        zero=_percentage(-low, high - low),
        base=_percentage(high, high - low) if high - low else "100",
        highest=format_figure(high, unit),
        bars=tuple(_draw_bar(row, n, len(shown), low, high, columns=columns) for n, row in enumerate(shown)),
        rows=rows,
        apart=tuple(row for row in rows if row not in shown),
        by=dataset.field(chart.by).title if by is None else by,
        measured=measured,
        coverage=coverage,
        amounts=any(row.bar.amount is not None for row in rows),
    )


def format_figure(figure: Decimal | None, unit: str | None) -> str:
    """Format a figure with its unit: £1,250.00, 3.5 FTE, 12 rows; a dash if it is not known."""
    if figure is None:
        return "–"
    if unit == "GBP":
        return format_pounds(figure)
    if unit == "rows":
        return format_count(int(figure), "row")
    whole = figure == figure.to_integral_value()
    words = format_number(int(figure)) if whole else f"{figure.normalize():,f}"
    return f"{words} {unit}" if unit else words


def _draw_bar(row: ChartRow, n: int, shown: int, low: Decimal, high: Decimal, *, columns: bool) -> DrawnBar:
    figure, count = row.bar.figure or Decimal(0), max(shown, _LEAST_COLUMNS)
    before = high - max(figure, Decimal(0)) if columns else min(figure, Decimal(0)) - low
    label = row.bar.label
    wide_label = label
    if not columns:
        label, wide_label = (fit_label(label, row.words, width) for width in (PHONE, WIDE))
    elif columns and n % -(-count // _MOST_TICKS):  # there is no room for every label
        label = ""
    elif columns:
        pieces = label.split()
        if len(pieces) == 3 and pieces[0].isdecimal():  # 5 October 2026 becomes 5 Oct
            label = f"{pieces[0]} {pieces[1][:3]}"
        elif len(pieces) > 1:  # October 2026 becomes Oct 26
            label = f"{pieces[0][:3]} {pieces[-1][2:]}"
    return DrawnBar(
        row=row,
        start=_percentage(before, high - low),
        length=_percentage(abs(figure), high - low),
        offset=_percentage(n + Decimal("0.1"), Decimal(count)) if columns else str(ROW_HEIGHT * n),
        width=_percentage(Decimal("0.8"), Decimal(count)) if columns else _BAR_THICKNESS,
        middle=_percentage(n + Decimal("0.5"), Decimal(count)),
        label=label,
        wide_label=wide_label,
    )


def fit_label(label: str, figure: str, width: float) -> str:
    """Shorten a label so that it and its figure fit a width in em."""
    room = width - 1.08 * sum(map(_letter_width, figure))
    if sum(map(_letter_width, label)) <= room:
        return label
    kept = len(label)
    while kept > _LEAST_LABEL and sum(map(_letter_width, label[:kept])) > room - 1:
        kept -= 1
    return label[:kept].rstrip() + "…"


@lru_cache(maxsize=1 << 10)
def _letter_width(letter: str) -> float:
    """About how wide a letter is, in em: capitals are wider, and so are letters of other scripts."""
    if letter in " .,:;'’()|!-/ijlIt":
        return 0.37
    if letter in "mwMW@%" or ord(letter) > _LATIN:
        return 1.0
    return 0.72 if letter.isupper() else 0.58


_LATIN = 0x24F


def _percentage(part: Decimal, whole: Decimal) -> str:
    """A percentage to at most two decimal places; zero of zero is zero."""
    share = part * 100 / whole if whole else Decimal(0)
    return str(share.quantize(Decimal("0.01"), ROUND_HALF_EVEN)).rstrip("0").rstrip(".")


# --- charts over time ---------------------------------------------------------------------------------------------


def draw_timelines(holdings: Holdings, link: Callable[[str], str]) -> list[DrawnChart]:
    """Draw a chart for each dataset of which rows of more than one month count.

    A bar is the pounds that count in a month, or the rows if the dataset has no pounds, by the accounts of the body's
    consolidated years: a row is in the month of its own date. `link` makes a link to a key.
    """
    drawn = []
    for dataset in holdings.datasets:
        months = {
            month: figures.month(month)
            for figures in (one.figures for one in holdings.years.get(dataset.name, {}).values())
            for month in figures.months
            if month
        }
        covered = {
            month for one in holdings.years.get(dataset.name, {}).values() for month in one.figures.covered
        } & months.keys()
        if len(covered) > 1:
            drawn.append(_draw_timeline(holdings, dataset, months, covered, link))
    return drawn


def _draw_timeline(
    holdings: Holdings,
    dataset: Dataset,
    months: Mapping[str, RowSum],
    covered: Iterable[str],
    link: Callable[[str], str],
) -> DrawnChart:
    """Draw a timeline from the first to the last `covered` month, the latest `MOST_PERIODS` of them, and all others."""
    span = Period.months_of(Period.parse(min(covered)).start, Period.parse(max(covered)).end)
    shown = list(span.months())[-MOST_PERIODS:]
    amount = dataset.amount[0] if dataset.amount and all(one.amount is not None for one in months.values()) else None
    bars = [_month_bar(holdings, dataset, month, months.get(str(month)), counts=amount is None) for month in shown]
    outside = add_sums(one for month, one in months.items() if Period.parse(month) not in shown)
    if outside.rows:  # earlier months; late payments and dates that may be wrong, which would stretch the axis
        figure = Decimal(outside.rows) if amount is None else outside.amount
        bars.append(Bar("Other months", figure, outside.rows, (), rest=True))
    rows = sum(bar.rows for bar in bars)
    chart = Chart(
        name=dataset.name,
        title=f"{dataset.title}: {'pounds' if amount else 'rows'} by month",
        shape=BarLayout.TIME.value,
        measure=BarMeasure.SUM.value if amount else BarMeasure.COUNT.value,
        by="",
        of=amount,
        rows=rows,
        measured=rows,
        bars=tuple(bars),
    )

    def series_link(bar: Bar) -> str:
        if not bar.conditions:  # a month of which no table has the period links to what the body must publish
            return "#duties"
        return link(layout.series_page(Series.parse(bar.conditions[0][2])))

    return draw_chart(chart, dataset, series_link, by="Month")


def _month_bar(holdings: Holdings, dataset: Dataset, month: Period, one: RowSum | None, *, counts: bool) -> Bar:
    """The bar of a month: it links to the table of the shortest period that includes the month."""
    if one is None:
        return Bar(month.title, None, 0, ())
    tables = [
        facts.series
        for facts in holdings.current_series_of(dataset.name)
        if facts.series.period.start <= month.start and month.end <= facts.series.period.end
    ] or [facts.series for facts in holdings.current_series_of(dataset.name) if facts.series.period.overlaps(month)]
    shortest = sorted(tables, key=lambda series: (series.period.end - series.period.start, series))[:1]
    conditions = tuple(("series", "is", str(series)) for series in shortest)
    return Bar(month.title, Decimal(one.rows) if counts else one.amount, one.rows, conditions)


@dataclass(frozen=True, slots=True)
class SeriesQuality:
    """The quality of the files of one series, and its bar.

    `words` is the share of the rows that is published; `published_share` and `held_share` are the widths of the two
    parts of the bar, as percentages.
    """

    series: Series
    quality: ReportQuality
    words: str
    published_share: str
    held_share: str


def quality_over_time(holdings: Holdings) -> list[tuple[str, list[SeriesQuality]]]:
    """Return the quality of a body's files by dataset and part, oldest first; a single series shows no trend."""
    runs: dict[tuple[str, str], list[SeriesQuality]] = {}
    for facts in holdings.series:
        if (quality := facts.quality) is not None:
            read, rows = Decimal(quality.read), (Decimal(quality.published), Decimal(quality.held))
            words = f"{(rows[0] * 100 / read).quantize(Decimal('0.1'), ROUND_HALF_EVEN)} %" if read else "no rows"
            key = (facts.series.dataset, facts.series.part or "")
            published, held = (_percentage(part, read) for part in rows)
            runs.setdefault(key, []).append(SeriesQuality(facts.series, quality, words, published, held))
    found = []
    for (name, part), run in sorted(runs.items()):
        if len(run) > 1:
            run.sort(key=lambda one: (one.series.period.end, one.series.period.start))
            found.append((_timeline_title(holdings.dataset(name), part or None), run[-MOST_PERIODS:]))
    return found


def _timeline_title(dataset: Dataset, part: str | None) -> str:
    return dataset.title + (f", {lower_first(part_title(dataset, part) or part)}" if part else "")
