"""What a body published over time, as charts of its series: each bar leads to the page of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from piperoll import layout
from piperoll.describing.bars import Bar, Chart
from piperoll.describing.charts import Measure, Shape
from piperoll.describing.drawing import Drawing, drawing
from piperoll.describing.facts import SeriesFacts
from piperoll.describing.holdings import Holdings
from piperoll.describing.quality import Moment, over_time
from piperoll.describing.wording import lower_first, part_title
from piperoll.model import Dataset, Period, PeriodKind, Series, counted_once

MOST = 24
"""So many of the newest periods are drawn: two years of months."""


def courses(holdings: Holdings, link: Callable[[str], str]) -> list[Drawing]:
    """A chart for each dataset and part of which more than one series may be added up, no day counted twice.

    Its figures are the pounds published, or the rows where a dataset counts none. `link` gives the way to a key.
    """
    drawn = []
    for dataset in holdings.datasets:
        facts = {one.series: one for one in holdings.of_dataset(dataset.name) if one.manifest is not None}
        taken = counted_once(facts).taken
        for part in sorted({series.part or "" for series in taken}):
            run = [facts[series] for series in taken if (series.part or "") == part]
            if len(run) > 1:
                drawn.append(_course(dataset, part or None, run, link))
    return drawn


def _course(dataset: Dataset, part: str | None, run: Sequence[SeriesFacts], link: Callable[[str], str]) -> Drawing:
    run = sorted(run, key=lambda one: one.series.period.end)[-MOST:]
    amount = dataset.amount[0] if dataset.amount and all(_amount(one) is not None for one in run) else None
    bars = tuple(_with_gaps([(one.series.period, _bar(one, in_pounds=amount is not None)) for one in run]))
    rows = sum(bar.rows for bar in bars)
    title = _title(dataset, part)
    chart = Chart(
        name=dataset.name + (f"-{part}" if part else ""),
        title=f"{title}: {'pounds' if amount else 'rows'} published",
        shape=Shape.TIME.value,
        measure=Measure.SUM.value if amount else Measure.COUNT.value,
        by="",
        of=amount,
        rows=rows,
        measured=rows,
        bars=bars,
    )
    return drawing(chart, dataset, lambda bar: _where(bar, link), by="Period")


def _where(bar: Bar, link: Callable[[str], str]) -> str:
    """The page of the series that a bar is of; of a month of which nothing is published, what the body owes."""
    return link(layout.series_page(Series.parse(bar.conditions[0][2]))) if bar.conditions else "#duties"


def _with_gaps(run: Sequence[tuple[Period, Bar]]) -> Iterator[Bar]:
    """The bars, and between two months that do not meet one of nothing for each month that is missing."""
    for n, (period, bar) in enumerate(run):
        before = run[n - 1][0] if n else period
        if period.kind is before.kind is PeriodKind.MONTH:
            for missing in _months_between(before, period):
                yield Bar(missing.title, None, 0, ())
        yield bar


def _months_between(one: Period, other: Period) -> Iterator[Period]:
    first, last = one.start.year * 12 + one.start.month, other.start.year * 12 + other.start.month - 2
    return (Period.month(number // 12, number % 12 + 1) for number in range(first, last + 1))


def qualities(holdings: Holdings) -> list[tuple[str, list[Moment]]]:
    """The quality of what a body sent over time, for each dataset and part of which there is more than one series."""
    runs = over_time([(facts.series, facts.quality) for facts in holdings.listings])
    return [(_title(holdings.dataset(name), part), run[-MOST:]) for (name, part), run in runs.items()]


def _title(dataset: Dataset, part: str | None) -> str:
    return dataset.title + (f", {lower_first(part_title(dataset, part) or part)}" if part else "")


def _bar(facts: SeriesFacts, *, in_pounds: bool) -> Bar:
    rows = 0 if facts.manifest is None else facts.manifest.rows
    figure = _amount(facts) if in_pounds else Decimal(rows)
    return Bar(facts.series.period.title, figure, rows, (("series", "is", str(facts.series)),))


def _amount(facts: SeriesFacts) -> Decimal | None:
    return None if facts.manifest is None else facts.manifest.amount_gbp
