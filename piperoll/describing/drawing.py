"""A chart as it is drawn: bars stand in per cent of the width, so that letters keep their size on a phone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
_THICK = "14"
_TICKS = 6
_FEWEST = 8
"""Fewer columns than these are no broader than they: two months do not fill a page."""

_LABEL_LETTERS = 27
"""So much of a name has room beside a figure at the width of a phone; the table has it whole."""


@dataclass(frozen=True, slots=True)
class Line:
    """One bar in the table: its figure in words, and the address of the rows behind it."""

    bar: Bar
    words: str
    link: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """One bar in the picture: `start` and `length` along the scale, in per cent.

    `place` and `width` are across the scale: pixels from the top for a lying bar, per cent for a standing one; `middle`
    is where its label stands. `label` is short; empty where none is written.
    """

    line: Line
    start: str
    length: str
    place: str
    width: str
    middle: str
    label: str


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
    lines: tuple[Line, ...]
    by: str
    measured: str
    coverage: str
    amounts: bool


@dataclass(frozen=True, slots=True)
class _Scale:
    low: Decimal
    high: Decimal
    count: int
    standing: bool

    @property
    def whole(self) -> Decimal:
        return self.high - self.low


def query(conditions: Sequence[Condition]) -> str:
    """The question to a release's preview that finds rows: `?supplier_name=is.Oak%20Ltd#rows`."""
    pairs = [(name, f"{how}.{value}") for name, how, value in conditions]
    return f"?{urlencode(pairs, quote_via=quote)}#rows"


def _asked(bar: Bar) -> str:
    return query(bar.conditions)


def drawing(chart: Chart, dataset: Dataset, to: Callable[[Bar], str] = _asked, by: str | None = None) -> Drawing:
    """The picture and the table of a chart of a dataset's rows.

    `to` gives the address of the rows behind a bar; `by` says in words what the bars are, where it is no field.
    """
    standing = chart.shape in (Shape.TIME, Shape.AHEAD)
    unit = _unit(chart, dataset)
    lines = tuple(Line(bar, figure_words(bar.figure, unit), to(bar)) for bar in chart.bars)
    shown = [line for line in lines if not (standing and line.bar.rest)]
    figures = [Decimal(0), *(line.bar.figure for line in shown if line.bar.figure is not None)]
    scale = _Scale(min(figures), max(figures), max(len(shown), _FEWEST), standing)
    return Drawing(
        chart=chart,
        standing=standing,
        height=COLUMNS_HEIGHT if standing else ROW_HEIGHT * len(shown),
        zero=_share(-scale.low, scale.whole),
        base=_share(scale.high, scale.whole) if scale.whole else "100.00",
        highest=figure_words(scale.high, unit),
        bars=tuple(_drawn(line, n, scale) for n, line in enumerate(shown)),
        lines=lines,
        by=dataset.field(chart.by).title if by is None else by,
        measured=_measured(chart, dataset),
        coverage=_coverage(chart),
        amounts=any(line.bar.amount is not None for line in lines),
    )


def figure_words(figure: Decimal | None, unit: str | None) -> str:
    """A figure with its unit: £1,250.00, 3.5 FTE, 12 rows; a dash where it is not known."""
    if figure is None:
        return "–"
    if unit == "GBP":
        return pounds(figure)
    if unit == "rows":
        return counted(int(figure), "row")
    whole = figure == figure.to_integral_value()
    words = number(int(figure)) if whole else f"{figure.normalize():,f}"
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


def _drawn(line: Line, n: int, scale: _Scale) -> Drawn:
    figure = line.bar.figure or Decimal(0)
    before = scale.high - max(figure, Decimal(0)) if scale.standing else min(figure, Decimal(0)) - scale.low
    return Drawn(
        line=line,
        start=_share(before, scale.whole),
        length=_share(abs(figure), scale.whole),
        place=_share(n + Decimal("0.1"), Decimal(scale.count)) if scale.standing else str(ROW_HEIGHT * n),
        width=_share(Decimal("0.8"), Decimal(scale.count)) if scale.standing else _THICK,
        middle=_share(n + Decimal("0.5"), Decimal(scale.count)),
        label=_tick(line.bar.label, n, scale.count) if scale.standing else _cut(line.bar.label),
    )


def _share(part: Decimal, whole: Decimal) -> str:
    """A part of a whole in per cent, two places; nothing of nothing is nothing."""
    share = part * 100 / whole if whole else Decimal(0)
    return str(share.quantize(Decimal("0.01"), ROUND_HALF_EVEN))


def _cut(label: str) -> str:
    return label if len(label) <= _LABEL_LETTERS else label[: _LABEL_LETTERS - 1].rstrip() + "…"


def _tick(label: str, n: int, count: int) -> str:
    """The words below a column, where there is room for some: 5 Oct, Oct 26, Jul 27."""
    every = -(-count // _TICKS)
    if n % every:
        return ""
    pieces = label.split()
    if len(pieces) == 3 and pieces[0].isdecimal():
        return f"{pieces[0]} {pieces[1][:3]}"
    return f"{pieces[0][:3]} {pieces[-1][2:]}" if len(pieces) > 1 else label
