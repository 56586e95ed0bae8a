"""A chart as it is drawn: where each bar stands, in per cent of the width, so that letters keep their size on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from urllib.parse import quote, urlencode

from piperoll.describing.bars import Bar, Chart, Condition
from piperoll.describing.charts import Measure, Shape
from piperoll.describing.figures import counted, number, pounds
from piperoll.model import Dataset

ROW_HEIGHT = 40
"""Of a lying bar with its words above it, in pixels."""

COLUMNS_HEIGHT = 180
_LABELS = 8
_LABEL_LETTERS = 34

ROWS_ANCHOR = "rows"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One bar as drawn: `start` and `length` along the scale, in per cent with two places; `words` is its figure whole.

    `place` and `width` are across the scale: pixels from the top for a lying bar, per cent for a standing one. `label`
    is short (empty: none is written), `middle` where it stands across the scale; `query` finds the rows in the preview.
    """

    bar: Bar
    start: str
    length: str
    place: str
    width: str
    middle: str
    label: str
    words: str
    query: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart as drawn: `bars` are in the picture, `lines` in the table.

    `zero` is where the scale of lying bars begins, `base` where standing ones have their foot. `by` and `measured` say
    what is told of what, `coverage` of how many rows. `amounts`: whether lines have pounds beside their figure.
    """

    chart: Chart
    standing: bool
    height: int
    zero: str
    base: str
    highest: str
    bars: tuple[Drawn, ...]
    lines: tuple[Drawn, ...]
    by: str
    measured: str
    coverage: str
    amounts: bool


def drawing(chart: Chart, dataset: Dataset) -> Drawing:
    """The picture and the table of a chart of a dataset's rows."""
    standing = chart.shape in (Shape.TIME, Shape.AHEAD)
    shown = [bar for bar in chart.bars if not (standing and bar.rest)]
    figures = [bar.figure for bar in shown if bar.figure is not None]
    low, high = min([Decimal(0), *figures]), max([Decimal(0), *figures])
    unit = _unit(chart, dataset)
    lines = tuple(_drawn(bar, chart.bars.index(bar), 1, low, high, unit, "", standing=standing) for bar in chart.bars)
    every = -(-len(shown) // _LABELS)
    return Drawing(
        chart=chart,
        standing=standing,
        height=COLUMNS_HEIGHT if standing else ROW_HEIGHT * len(shown),
        zero=_share(-low, high - low),
        base=_share(high, high - low) if high - low else "100.00",
        highest=figure_words(high, unit),
        bars=tuple(
            _drawn(bar, n, len(shown), low, high, unit, _label(bar, n, every, standing=standing), standing=standing)
            for n, bar in enumerate(shown)
        ),
        lines=lines,
        by=dataset.field(chart.by).title,
        measured=_measured(chart, dataset),
        coverage=_coverage(chart),
        amounts=any(bar.amount is not None for bar in chart.bars),
    )


def query(conditions: Sequence[Condition]) -> str:
    """The question to a release's preview that finds rows: `?supplier_name=is.Oak+Ltd#rows`."""
    pairs = [(name, f"{how}.{value}") for name, how, value in conditions]
    return f"?{urlencode(pairs, quote_via=quote)}#{ROWS_ANCHOR}"


def figure_words(figure: Decimal | None, unit: str | None) -> str:
    """A figure with its unit: £1,250.00, 3.5 FTE, 12 rows; a dash where it is not known."""
    if figure is None:
        return "–"
    if unit == "GBP":
        return pounds(figure)
    whole = figure == figure.to_integral_value()
    words = number(int(figure)) if whole else f"{figure.normalize():,f}"
    if unit == "rows":
        return counted(int(figure), "row")
    return f"{words} {unit}" if unit else words


def _unit(chart: Chart, dataset: Dataset) -> str | None:
    return "rows" if chart.of is None or chart.measure == Measure.COUNT else dataset.field(chart.of).unit


def _measured(chart: Chart, dataset: Dataset) -> str:
    """What the length of a bar says, in words."""
    if chart.of is None or chart.measure == Measure.COUNT:
        return "Rows"
    title = dataset.field(chart.of).title
    return f"{title}, mean" if chart.measure == Measure.MEAN else title


def _coverage(chart: Chart) -> str:
    """Of how many rows the chart is."""
    if chart.measured == chart.rows:
        return "Of the one row." if chart.rows == 1 else f"Of all {counted(chart.rows, 'row')}."
    return f"{number(chart.measured)} of {counted(chart.rows, 'row')} say both."


def _drawn(
    bar: Bar, n: int, count: int, low: Decimal, high: Decimal, unit: str | None, label: str, *, standing: bool
) -> Drawn:
    figure = bar.figure or Decimal(0)
    lowest = min(figure, Decimal(0))
    return Drawn(
        bar=bar,
        start=_share(high - max(figure, Decimal(0)) if standing else lowest - low, high - low),
        length=_share(abs(figure), high - low),
        place=_share(Decimal(n) + Decimal("0.1"), Decimal(count)) if standing else str(ROW_HEIGHT * n),
        width=_share(Decimal("0.8"), Decimal(count)) if standing else "14",
        middle=_share(Decimal(n) + Decimal("0.5"), Decimal(count)),
        label=label,
        words=figure_words(bar.figure, unit),
        query=query(bar.conditions),
    )


def _share(part: Decimal, whole: Decimal) -> str:
    """A part of a whole in per cent, two places; nothing of nothing is nothing."""
    share = part * 100 / whole if whole else Decimal(0)
    return str(share.quantize(Decimal("0.01"), ROUND_HALF_EVEN))


def _label(bar: Bar, n: int, every: int, *, standing: bool) -> str:
    """The words beside a bar: a date without its year where there is little room, a long name cut short."""
    if standing:
        return _short_date(bar.label) if n % every == 0 else ""
    if len(bar.label) <= _LABEL_LETTERS:
        return bar.label
    return bar.label[: _LABEL_LETTERS - 1].rstrip() + "…"


def _short_date(label: str) -> str:
    pieces = label.split()
    if len(pieces) == 3 and pieces[0].isdecimal():
        return f"{pieces[0]} {pieces[1][:3]}"
    if "to" in pieces:
        return f"{pieces[0]} {pieces[-1][2:]}"
    return f"{pieces[0][:3]} {pieces[1][2:]}" if len(pieces) == 2 else label
