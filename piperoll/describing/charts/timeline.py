"""Charts of a body over time: what it published, and how good its files were, series by series."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial

from piperoll import layout
from piperoll.describing.charts.drawing import DrawnChart, draw_chart
from piperoll.describing.charts.summaries import Bar, BarLayout, BarMeasure, Chart
from piperoll.describing.context import Holdings
from piperoll.describing.series_facts import ReportQuality, SeriesFacts
from piperoll.describing.wording import lower_first, part_title
from piperoll.model import Dataset, Period, PeriodKind, Series, count_once

MOST_PERIODS = 24
"""The newest periods that a chart shows: two years of months."""


def draw_timelines(holdings: Holdings, link: Callable[[str], str]) -> list[DrawnChart]:
    """Draw a chart for each dataset and part with more than one series that may be added up.

    A bar is the pounds published in a period, or the rows if the dataset has no pounds; no day is counted twice.
    `link` makes a link to a key.
    """
    drawn = []
    for dataset in holdings.datasets:
        facts = {one.series: one for one in holdings.current_series_of(dataset.name)}
        taken = count_once(facts).taken
        for part in sorted({series.part or "" for series in taken}):
            run = [facts[series] for series in taken if (series.part or "") == part]
            if len(run) > 1:
                drawn.append(_draw_timeline(dataset, part or None, run, link))
    return drawn


def _draw_timeline(
    dataset: Dataset, part: str | None, run: Sequence[SeriesFacts], link: Callable[[str], str]
) -> DrawnChart:
    run = sorted(run, key=lambda one: one.series.period.end)[-MOST_PERIODS:]
    amounts = [None if one.manifest is None else one.manifest.amount_gbp for one in run]
    amount = dataset.amount[0] if dataset.amount and None not in amounts else None
    bars = []
    for facts, pounds in zip(run, amounts, strict=True):
        rows = 0 if facts.manifest is None else facts.manifest.rows
        figure = Decimal(rows) if amount is None else pounds
        bars.append(Bar(facts.series.period.title, figure, rows, (("series", "is", str(facts.series)),)))
    rows = sum(bar.rows for bar in bars)
    chart = Chart(
        name=dataset.name + (f"-{part}" if part else ""),
        title=f"{_timeline_title(dataset, part)}: {'pounds' if amount else 'rows'} published",
        shape=BarLayout.TIME.value,
        measure=BarMeasure.SUM.value if amount else BarMeasure.COUNT.value,
        by="",
        of=amount,
        rows=rows,
        measured=rows,
        bars=tuple(_fill_gaps([one.series.period for one in run], bars)),
    )
    return draw_chart(chart, dataset, partial(_series_link, link=link), by="Period")


def _series_link(bar: Bar, link: Callable[[str], str]) -> str:
    """Link to the page of a bar's series; a month with nothing published links to what the body must publish."""
    return link(layout.series_page(Series.parse(bar.conditions[0][2]))) if bar.conditions else "#duties"


def _fill_gaps(periods: Sequence[Period], bars: Sequence[Bar]) -> Iterator[Bar]:
    """Yield the bars, with an empty one for each month that is missing between two months."""
    for n, (period, bar) in enumerate(zip(periods, bars, strict=True)):
        before = periods[n - 1] if n else period
        if period.kind is before.kind is PeriodKind.MONTH:
            first, last = (one.start.year * 12 + one.start.month - 1 for one in (before, period))
            for number in range(first + 1, last):
                yield Bar(Period.month(number // 12, number % 12 + 1).title, None, 0, ())
        yield bar


@dataclass(frozen=True, slots=True)
class SeriesQuality:
    """The quality of one series, and the widths of its bar in per cent."""

    series: Series
    quality: ReportQuality

    @property
    def words(self) -> str:
        """The share of the rows that is published."""
        return "no rows" if self.quality.share is None else f"{self.quality.share} %"

    @property
    def published_share(self) -> str:
        """The width of the published part."""
        return self._width(self.quality.published)

    @property
    def held_share(self) -> str:
        """The width of the held part."""
        return self._width(self.quality.held)

    def _width(self, rows: int) -> str:
        share = Decimal(rows) * 100 / self.quality.read if self.quality.read else Decimal(0)
        return str(share.quantize(Decimal("0.01"), ROUND_HALF_EVEN))


def quality_over_time(holdings: Holdings) -> list[tuple[str, list[SeriesQuality]]]:
    """Return the quality of a body's files by dataset and part, oldest first; a single series shows no trend."""
    runs: dict[tuple[str, str], list[SeriesQuality]] = {}
    for facts in holdings.series:
        if facts.quality is not None:
            key = (facts.series.dataset, facts.series.part or "")
            runs.setdefault(key, []).append(SeriesQuality(facts.series, facts.quality))
    found = []
    for (name, part), run in sorted(runs.items()):
        if len(run) > 1:
            run.sort(key=lambda one: (one.series.period.end, one.series.period.start))
            found.append((_timeline_title(holdings.dataset(name), part or None), run[-MOST_PERIODS:]))
    return found


def _timeline_title(dataset: Dataset, part: str | None) -> str:
    return dataset.title + (f", {lower_first(part_title(dataset, part) or part)}" if part else "")
