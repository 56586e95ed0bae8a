"""The pages of measures: an index, a page a measure, and lists of its figures by year, kind of body and figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from piperoll import layout
from piperoll.describing.measure_charts import BoundsChart, draw_bounds
from piperoll.describing.measure_site import MeasureSite
from piperoll.describing.measure_wording import STATUS_WORDS
from piperoll.describing.measures import (
    Figure,
    FigureCounts,
    FigureDefinition,
    MeasuredYear,
    PublishedMeasure,
    count_figures,
)
from piperoll.describing.pages.rendering import paginate, render_page

Files = Iterator[tuple[str, bytes]]

LIST_LINES = 40
"""Bodies on one page of a list, each with a bar and a line of a table: about 70 kB."""

_FIRST_LINES = 40
"""Bodies on the page of a measure itself, over all kinds."""

_FIRST_FIGURES = 6
"""Headline figures that the page of a measure sums up by kind of body."""

_MOST_ITEM_PAGES = 10
"""Pages of a list of items; the published table has all of them."""


@dataclass(frozen=True, slots=True)
class KindSummary:
    """A figure over the bodies of one kind: how many are known, and a row that has the statistics of the peers."""

    kind: str
    counts: FigureCounts
    peers: Figure | None
    key: str


@dataclass(frozen=True, slots=True)
class FigureSummary:
    """A figure by kind of body, for one year; `is_broken_down` if only its items are listed."""

    figure: FigureDefinition
    kinds: Sequence[KindSummary]
    is_broken_down: bool


@dataclass(frozen=True, slots=True)
class FigureSection:
    """Bodies of one kind with their figures, as a picture and a table; `total` counts the figures that there are."""

    summary: FigureSummary
    kind: str
    rows: Sequence[Figure]
    drawn: BoundsChart | None
    peers: Figure | None
    key: str
    total: int

    @property
    def columns(self) -> set[str]:
        """The optional columns that have something to say."""
        return used_columns(self.rows)


def render_index(site: MeasureSite) -> tuple[str, bytes]:
    """Render the list of measures, each by its question."""
    return render_page(site, layout.MEASURES_PAGE, "measures.html", measures=site.measures)


def render_measure(site: MeasureSite, measure: PublishedMeasure, years: Sequence[MeasuredYear]) -> Files:
    """Render the page of a measure and its lists; `years` are its measured years, newest first."""
    latest = years[0]
    lists = [(year, summary) for year in years for summary in _list_figures(measure, year, of_all=year is latest)]
    for year, summary in lists:
        for kind in summary.kinds:
            yield from _render_list(site, measure, years, year, summary, kind)
    summaries = [summary for year, summary in lists if year is latest]
    headlines = {figure.id for figure in measure.definition.headlines}
    first = [one for one in summaries if one.figure.id in headlines][:_FIRST_FIGURES]
    yield render_page(
        site,
        layout.measure_page(measure.id),
        "measure.html",
        measure=measure,
        latest=latest.published,
        headlines=first,
        others=[one for one in summaries if one not in first],
        sections=_first_sections(latest, first),
        years=[(year.published, [one for other, one in lists if other is year]) for year in years],
        statuses=[one for one in STATUS_WORDS if any(row.status == one for row in latest.figures)],
        example=_example(latest),
        has_ranks=any(row.rank_best is not None for row in latest.figures),
        withheld=sum(not row.has_value for row in latest.figures if not row.item),
        whole=sum(not row.item for row in latest.figures),
    )


def _list_figures(measure: PublishedMeasure, year: MeasuredYear, *, of_all: bool) -> list[FigureSummary]:
    """The figures that have a list in a year: all that have rows, or the headlines only."""
    figures = measure.definition.figures if of_all else measure.definition.headlines
    found = []
    for figure in figures:
        is_broken_down = not year.of_figure(figure.id)
        kinds = []
        for kind in year.kinds:
            rows = (year.items_of if is_broken_down else year.of_figure)(figure.id, kind)
            if rows:
                key = layout.measure_list(measure.id, year.year, kind, figure.id)(1)
                kinds.append(KindSummary(kind, count_figures(rows), _find_peers(rows), key))
        if kinds:
            found.append(FigureSummary(figure, kinds, is_broken_down))
    return found


def _find_peers(rows: Sequence[Figure]) -> Figure | None:
    """A row with the statistics of its kind of body; they are the same in all rows of the kind."""
    return next((row for row in rows if row.peer_median is not None and row.peer_q1 is not None), None)


def _first_sections(year: MeasuredYear, headlines: Sequence[FigureSummary]) -> list[FigureSection]:
    """The bodies that the page of a measure shows itself: of the first headline, kind by kind, as many as fit.

    A figure as a whole is taken before one that is broken down, and one with values before one without.
    """
    if not headlines:
        return []
    whole = [one for one in headlines if not one.is_broken_down]
    with_values = [one for one in whole if any(kind.counts.shown for kind in one.kinds)]
    summary = [*with_values, *whole, *headlines][0]
    room, sections = _FIRST_LINES, []
    for kind in summary.kinds:
        rows = (year.items_of if summary.is_broken_down else year.of_figure)(summary.figure.id, kind.kind)
        shown = rows[:room]
        if shown:
            drawn = None if summary.is_broken_down else draw_bounds(shown)
            sections.append(FigureSection(summary, kind.kind, shown, drawn, kind.peers, kind.key, len(rows)))
        room -= len(shown)
    return sections


def _example(year: MeasuredYear) -> Figure | None:
    """A row whose working the page offers to show: the first body that has a value, by name."""
    rows = sorted(year.figures, key=lambda row: (not row.has_value, row.body_name.casefold(), row.figure))
    return rows[0] if rows else None


def _render_list(
    site: MeasureSite,
    measure: PublishedMeasure,
    years: Sequence[MeasuredYear],
    year: MeasuredYear,
    summary: FigureSummary,
    kind: KindSummary,
) -> Files:
    figure = summary.figure
    keys = layout.measure_list(measure.id, year.year, kind.kind, figure.id)
    if summary.is_broken_down:
        rows = year.items_of(figure.id, kind.kind)[: LIST_LINES * _MOST_ITEM_PAGES]
    else:
        rows = year.of_figure(figure.id, kind.kind)
    others = [
        (one.published, layout.measure_list(measure.id, one.year, kind.kind, figure.id)(1))
        for one in years
        if one is not year
        and (one.items_of if summary.is_broken_down else one.of_figure)(figure.id, kind.kind)
        and (one is years[0] or figure in measure.definition.headlines)
    ]
    for page in paginate(rows, keys, LIST_LINES):
        yield render_page(
            site,
            page.key,
            "measure_list.html",
            measure=measure,
            figure=figure,
            year=year.published,
            kind=kind,
            page=page,
            is_broken_down=summary.is_broken_down,
            drawn=None if summary.is_broken_down else draw_bounds(page.lines),
            others=others,
            columns=used_columns(page.lines),
        )


def used_columns(rows: Sequence[Figure]) -> set[str]:
    """The optional columns that have something to say of some rows."""
    used: set[str] = set()
    for row in rows:
        used |= {"bounds"} if row.has_bounds else set()
        used |= {"rank"} if row.rank_best is not None else set()
        used |= {"coverage"} if row.coverage is not None else set()
    return used
