"""The pages of measures and the profiles of bodies, made again only if the figures on them have changed.

What a build keeps is in one private document, `measures.json`: the published measures, what their pages were made from,
and the hashes of the pages. The tables of measures are read only if something has changed.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from piperoll import layout
from piperoll.describing import catalogue
from piperoll.describing.measures import (
    FIGURE_COLUMNS,
    MeasuredYear,
    MeasureYear,
    ProfilePart,
    PublishedMeasure,
    group_by_body,
    read_definition,
    read_figures,
)
from piperoll.errors import StoreCorrupt
from piperoll.model import Body, Manifest, Series
from piperoll.operations.catalogue.build_plan import CatalogueBuild, PageHashes, hash_document
from publishers import Store, StoreReader, list_measured_series, read_history

_KEPT = "measures"
"""The private document."""


@dataclass(frozen=True)
class KeptMeasures:
    """What the last build kept.

    `made_from` has, for each measure and for the profile of each body (`@` and its slug), the hash of what its pages
    were made from; `identities` the slug and name of each body, by the name of its profile; `pages` the hashes.
    """

    measures: tuple[PublishedMeasure, ...] = ()
    made_from: dict[str, str] = field(default_factory=dict)
    identities: dict[str, list[str]] = field(default_factory=dict)
    pages: dict[str, PageHashes] = field(default_factory=dict)


@dataclass(frozen=True)
class MeasurePages:
    """The published measures, and the hashes of all their pages."""

    measures: tuple[PublishedMeasure, ...]
    pages: PageHashes


def build_measure_pages(build: CatalogueBuild, bodies: Mapping[str, Body]) -> MeasurePages:
    """Write the pages of measures and the profiles of `bodies`, by slug, as far as they have changed."""
    kept = (None if build.whole else build.state.read(_KEPT, KeptMeasures)) or KeptMeasures()
    measures = tuple(read_measures(build.store, list_measured_series(build.store), kept.measures))
    site = catalogue.make_measure_site(build.context, measures, bodies.values())
    made_from = {measure.id: hash_document([measure, sorted(site.kinds.items())]) for measure in measures}
    identities = {_name(slug): [body.slug, body.name] for slug, body in bodies.items()}
    if (
        build.is_clean
        and (measures, identities) == (kept.measures, kept.identities)
        and (made_from.items() <= kept.made_from.items())
    ):
        return MeasurePages(measures, _all_pages(kept.pages))

    with TemporaryDirectory(dir=build.scratch) as folder:
        years = {one.id: list(read_years(build.store, one, site.kinds, Path(folder))) for one in measures}
    profiles = group_by_body(measures, lambda measure: years[measure.id])
    definitions = [[measure.definition, measure.latest.year] for measure in measures]
    for slug in bodies:
        rows = [_identify(part) for part in profiles.get(slug, ())]
        made_from[_name(slug)] = hash_document([definitions, identities[_name(slug)], rows])

    pages: dict[str, PageHashes] = {}

    def update(name: str, rendered: Iterator[tuple[str, bytes]]) -> None:
        known = kept.pages.get(name, {})
        is_same = build.is_clean and kept.made_from.get(name) == made_from[name]
        pages[name] = known if is_same else build.publish(rendered, build.trusted(known))

    for measure in measures:
        update(measure.id, catalogue.render_measure(site, measure, years[measure.id]))
    for slug, body in bodies.items():
        update(_name(slug), catalogue.render_profile(site, body, profiles.get(slug, ())))
    _remove_old(build, kept, pages)
    build.state.write(_KEPT, KeptMeasures(measures, made_from, identities, pages))
    return MeasurePages(measures, _all_pages(pages))


def _name(slug: str) -> str:
    """The name under which the profile of a body is kept."""
    return f"@{slug}"


def _all_pages(pages: Mapping[str, PageHashes]) -> PageHashes:
    return {key: hashed for one in pages.values() for key, hashed in one.items()}


def _identify(part: ProfilePart) -> list[Any]:
    return [part.measure.id, part.year.year, part.rows, [(year.year, rows) for year, rows in part.trend]]


def _remove_old(build: CatalogueBuild, kept: KeptMeasures, pages: Mapping[str, PageHashes]) -> None:
    """Remove pages that are no longer written. If the record is suspect, list what is in the store."""
    if build.whole:
        return
    present = {key for one in kept.pages.values() for key in one}
    if not build.is_clean:
        present |= set(build.store.keys(layout.MEASURE_PAGES)) - {layout.MEASURES_PAGE}
        present |= set(build.store.keys(f"{layout.measures_feed(None)}/"))
    build.state.remove(present - _all_pages(pages).keys())


def have_measures_changed(build: CatalogueBuild) -> bool:
    """True if figures were published since the last build made its pages."""
    published = list(list_measured_series(build.store))
    if not published:  # a series that was published once stays listed, so there were none before
        return False
    kept = build.state.read(_KEPT, KeptMeasures) or KeptMeasures()
    return tuple(read_measures(build.store, published, kept.measures)) != kept.measures


def read_measures(
    store: Store, published: Iterable[Series], known: Iterable[PublishedMeasure] = ()
) -> Iterator[PublishedMeasure]:
    """Read the `published` series of measures: each measure by identifier, with its years, newest first, no figures.

    Of those that are `known` and have not changed, only the pointers are read.
    """
    before = {measure.id: measure for measure in known}
    series: dict[str, list[Series]] = {}
    for one in published:
        series.setdefault(one.body, []).append(one)
    for name, own in sorted(series.items()):
        own.sort(key=lambda one: one.period.start, reverse=True)
        kept = before.get(name)
        known_years = {} if kept is None else {year.series: year for year in kept.years}
        years = tuple(year for one in own if (year := _read_year(store, one, known_years.get(one))) is not None)
        if kept is not None and years == kept.years:
            yield kept
        elif years:
            files = _read_json(store, years[0], "definition.json")["files"]
            yield PublishedMeasure(read_definition(tomllib.loads(files["measure.toml"])), years)


def _read_year(store: Store, series: Series, known: MeasureYear | None) -> MeasureYear | None:
    history, _ = read_history(store, series)
    current = history.current_version
    if current is None or (known is not None and known.versions == history.versions):
        return None if current is None else known
    manifest = Manifest.from_bytes(store.read(layout.release_file(series, current, "manifest.json")).content)
    year = MeasureYear(series, history.versions, current, manifest.files, manifest.rows, 0)
    document = _read_json(store, year, "inputs.json")
    own = [one for body in document["bodies"].values() for one in body["inputs"]]
    return replace(year, inputs=len({one["sha256"] for one in [*document["shared"], *own]}))


def _read_json(store: StoreReader, year: MeasureYear, name: str) -> dict[str, Any]:
    key = layout.release_file(year.series, year.current, name)
    try:
        document: dict[str, Any] = json.loads(store.read(key).content)
    except ValueError as error:
        raise StoreCorrupt(f"{key} is not JSON: {error}") from error
    return document


def read_years(
    store: StoreReader, measure: PublishedMeasure, kinds: Mapping[str, str], folder: Path
) -> Iterator[MeasuredYear]:
    """Read the figures of a measure, newest year first; items of the newest year only."""
    for year in measure.years:
        path = folder / f"{measure.id}-{year.year}.parquet"
        store.fetch(layout.release_file(year.series, year.current, "measures.parquet"), path)
        columns = [name for name in pq.read_schema(path).names if name in FIGURE_COLUMNS]
        yield MeasuredYear(
            year, read_figures(pq.read_table(path, columns=columns), with_items=year is measure.latest), kinds
        )
        path.unlink()
