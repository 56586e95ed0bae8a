"""The profile of a body: what all measures say of it, and what is not known."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from piperoll import assets, layout
from piperoll.describing.measure_charts import BoundsChart, PyramidLevel, draw_bounds, draw_pyramid
from piperoll.describing.measure_site import MeasureSite
from piperoll.describing.measures import Figure, FigureDefinition, ProfilePart, PublishedMeasure
from piperoll.describing.pages.measure_pages import used_columns
from piperoll.describing.pages.rendering import render_page
from piperoll.model import Body

MOST_BYTES = 115_000
"""A profile shows fewer items of each figure rather than becoming larger than this."""

_MOST_ITEMS = (8, 5, 3, 1, 0)
"""How many items of a figure a profile shows; the first number that fits."""

_MOST_PLAIN = 12
"""Figures of a measure on a profile, headlines first; the lists of the measure have all of them."""

_UNFOLDED = 2
"""Lists of items of a measure that a profile shows unfolded, beside those of headlines."""

PYRAMIDS = ("organisation-shape",)
"""Measures whose items are levels of an organisation, level-1 the lowest, which are drawn as a pyramid."""

NOT_REPORTED = "not-reported"
"""The figure of such a measure that says which share is on no level."""


@dataclass(frozen=True, slots=True)
class ItemList:
    """The items of a figure: those shown, and how many there are; folded, unless they are among the first."""

    figure: FigureDefinition
    rows: Sequence[Figure]
    total: int
    pyramid: Sequence[PyramidLevel]
    is_folded: bool


@dataclass(frozen=True, slots=True)
class Trend:
    """A headline figure of a body over the years, oldest first: as a picture, and year by year with its row."""

    figure: FigureDefinition
    years: Sequence[tuple[str, Figure]]
    drawn: BoundsChart | None


@dataclass(frozen=True, slots=True)
class MeasurePart:
    """One measure in a profile: its figures as a whole, those broken down, and those with several years."""

    part: ProfilePart
    figures: Sequence[tuple[FigureDefinition, Figure]]
    more: int
    drawn: BoundsChart | None
    items: Sequence[ItemList]
    trends: Sequence[Trend]

    @property
    def measure(self) -> PublishedMeasure:
        """The measure."""
        return self.part.measure

    @property
    def columns(self) -> set[str]:
        """The optional columns that have something to say of the figures as a whole."""
        return used_columns([row for _, row in self.figures])


@dataclass(frozen=True, slots=True)
class ProfileSection:
    """A section of a profile: its heading, a sentence, its measures, and those that have no row of this body."""

    id: str
    title: str
    words: str
    parts: Sequence[MeasurePart]
    absent: Sequence[PublishedMeasure]


@cache
def read_sections() -> tuple[dict[str, Any], ...]:
    """Read the sections of profiles."""
    path = assets.folder("catalogue") / "profile.toml"
    return tuple(tomllib.loads(path.read_text("utf-8"))["sections"])


def render_profile(site: MeasureSite, body: Body, parts: Sequence[ProfilePart]) -> tuple[str, bytes]:
    """Render the profile of a body from what each measure says of it, with as many items as fit."""
    key, page = _render(site, body, parts, _MOST_ITEMS[0])
    for most in _MOST_ITEMS[1:]:
        if len(page) <= MOST_BYTES:
            break
        key, page = _render(site, body, parts, most)
    return key, page


def _render(site: MeasureSite, body: Body, parts: Sequence[ProfilePart], most: int) -> tuple[str, bytes]:
    sections = _sort_sections(site, parts, lambda part: _describe_part(part, most))
    withheld: dict[str, list[tuple[PublishedMeasure, FigureDefinition]]] = {}
    for part in parts:
        for figure, row in _whole_figures(part):
            if not row.has_value:
                withheld.setdefault(row.reason, []).append((part.measure, figure))
    return render_page(
        site,
        layout.profile_page(body.slug),
        "profile.html",
        body=body,
        sections=sections,
        withheld=withheld,
        absent=[measure for section in sections for measure in section.absent],
        years=sorted({part.year.title for part in parts}),
    )


def _sort_sections(
    site: MeasureSite, parts: Sequence[ProfilePart], describe: Callable[[ProfilePart], MeasurePart]
) -> list[ProfileSection]:
    by_measure = {part.measure.id: part for part in parts}
    declared = [*read_sections()]
    named = {measure for one in declared for measure in one["measures"]}
    others = [measure.id for measure in site.measures if measure.id not in named]
    declared.append({"id": "more", "title": "More measures", "words": "", "measures": others})
    sections = [_make_section(site, one, by_measure, describe) for one in declared]
    return [section for section in sections if section.parts or section.absent]


def _make_section(
    site: MeasureSite,
    declared: Mapping[str, Any],
    by_measure: Mapping[str, ProfilePart],
    describe: Callable[[ProfilePart], MeasurePart],
) -> ProfileSection:
    published = {measure.id: measure for measure in site.measures}
    known = [measure for measure in declared["measures"] if measure in published]
    return ProfileSection(
        id=declared["id"],
        title=declared["title"],
        words=declared["words"],
        parts=[describe(by_measure[measure]) for measure in known if measure in by_measure],
        absent=[published[measure] for measure in known if measure not in by_measure],
    )


def _whole_figures(part: ProfilePart) -> list[tuple[FigureDefinition, Figure]]:
    """The figures as a whole, headlines first, else in the order in which the measure declares them."""
    figures = sorted(part.measure.definition.figures, key=lambda figure: not figure.headline)
    return [(figure, row) for figure in figures if (row := part.row(figure.id)) is not None]


def _describe_part(part: ProfilePart, most: int) -> MeasurePart:
    definition = part.measure.definition
    figures = _whole_figures(part)
    shares = [(figure, row) for figure, row in figures if figure.unit == "share" and figure.headline]
    items: list[ItemList] = []
    for figure in definition.figures:
        rows = part.items(figure.id)
        if not rows:
            continue
        levels: Sequence[PyramidLevel] = ()
        if part.measure.id in PYRAMIDS and figure.unit in ("share", "fte", "count"):
            rows = sorted(rows, key=lambda row: row.item, reverse=True)  # level-5 is the top
            levels = draw_pyramid(rows, part.row(NOT_REPORTED))
        shown = rows if levels else rows[:most]
        if shown:
            is_folded = len(items) >= _UNFOLDED and not figure.headline and not levels
            items.append(ItemList(figure, shown, rows[0].items, levels, is_folded))
    return MeasurePart(
        part=part,
        figures=figures[:_MOST_PLAIN],
        more=max(0, len(figures) - _MOST_PLAIN),
        drawn=draw_bounds([row for _, row in shares], [figure.title for figure, _ in shares]),
        items=items,
        trends=[trend for figure in definition.headlines if (trend := _describe_trend(part, figure)) is not None],
    )


def _describe_trend(part: ProfilePart, figure: FigureDefinition) -> Trend | None:
    years = [
        (year.title, row)
        for year, rows in reversed(part.trend)
        if (row := next((row for row in rows if row.figure == figure.id), None)) is not None
    ]
    if len(years) < 2:
        return None
    return Trend(figure, years, draw_bounds([row for _, row in years], [title for title, _ in years]))
