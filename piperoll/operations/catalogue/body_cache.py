"""What a build keeps of one body: the facts of its series and files, and the hashes of their pages.

It makes the cost of a build independent of how many years a body has: only series and files with changes are read
again, and only their pages are rendered, unless something else on them has changed (`surroundings`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll import assets, layout
from piperoll.describing import catalogue
from piperoll.describing.context import CatalogueContext, Holdings, collect_holdings, identify_body
from piperoll.describing.pages.site_pages import render_submission
from piperoll.describing.release_summary import (
    SUMMARY_FORMAT,
    extract_posts,
    fields_summarised,
    summarise_release,
)
from piperoll.describing.series_facts import SeriesFacts, extract_facts
from piperoll.duties import ReceivedFiles, ReportOutcome
from piperoll.enriching import annotations_version
from piperoll.model import Body, Listing, Series, Submission
from piperoll.operations.catalogue.build_plan import BuildState, CatalogueBuild, PageHashes, hash_document
from piperoll.operations.catalogue.received_index import IndexUpdate, as_published
from piperoll.releasing.files import count_filled, read_columns
from publishers import list_series, list_submissions, read_listing, read_submission

FileKey: TypeAlias = tuple[str, str]
"""The dataset and sha256 of a file as received."""


@dataclass(frozen=True)
class CachedSeries:
    """A series: its facts, the hash of everything else that its pages depend on, and its pages."""

    facts: SeriesFacts
    surroundings: str
    pages: PageHashes


@dataclass(frozen=True)
class CachedFile:
    """A file as received, the outcome of its report, and its page, if it has one."""

    submission: Submission
    outcome: ReportOutcome | None
    pages: PageHashes


@dataclass(frozen=True)
class CacheDocument:
    """What is kept of one body and dataset, as it is written to the store."""

    series: tuple[CachedSeries, ...] = ()
    files: tuple[CachedFile, ...] = ()


@dataclass(frozen=True)
class BodyCache:
    """Everything that is kept of a body."""

    series: Mapping[Series, CachedSeries] = field(default_factory=dict)
    files: Mapping[FileKey, CachedFile] = field(default_factory=dict)

    @property
    def facts(self) -> list[SeriesFacts]:
        """The facts of every series."""
        return [cached.facts for cached in self.series.values()]

    @property
    def received(self) -> ReceivedFiles:
        """Every file received, with the outcome of its report."""
        return [(cached.submission, cached.outcome) for cached in self.files.values()]

    @property
    def datasets(self) -> list[str]:
        """The datasets with any series or file."""
        return sorted({series.dataset for series in self.series} | {dataset for dataset, _ in self.files})

    @property
    def hashes(self) -> PageHashes:
        """The hashes of all pages of series and files."""
        pages = [*(one.pages for one in self.series.values()), *(one.pages for one in self.files.values())]
        return {key: hashed for hashes in pages for key, hashed in hashes.items()}

    @property
    def sender(self) -> Mapping[str, str] | None:
        """The body as its own releases name it."""
        return next((facts.sender for facts in self.facts if facts.sender), None)

    def body(self, context: CatalogueContext, slug: str) -> Body:
        """The body as a register, or its own releases, name it."""
        return identify_body(context, slug, self.facts, sent=bool(self.files))


def load_cache(state: BuildState, slug: str, datasets: Iterable[str]) -> BodyCache:
    """Load what is kept of a body."""
    series: dict[Series, CachedSeries] = {}
    files: dict[FileKey, CachedFile] = {}
    for dataset in datasets:
        document = state.read(f"shelves/{dataset}/{slug}", CacheDocument) or CacheDocument()
        series |= {cached.facts.series: cached for cached in document.series}
        files |= {(dataset, cached.submission.sha256): cached for cached in document.files}
    return BodyCache(series, files)


def load_body(build: CatalogueBuild, slug: str) -> BodyCache:
    """Load what is kept of a body; empty if nothing is."""
    record = build.records.get(slug)
    return load_cache(build.state, slug, record.datasets) if record else BodyCache()


def refresh_body(build: CatalogueBuild, slug: str) -> BodyCache:
    """Read again what changed of a body, and write the pages of its series and files that differ."""
    before, store = load_body(build, slug), build.store
    index = IndexUpdate(store, slug, build.changes)
    if slug in build.anew:
        series = {one for dataset in build.context.datasets for one in list_series(store, dataset.name, slug)}
        files = {(one.dataset, one.sha256) for one, _ in list_submissions(store, slug)}
        recorded = {} if build.is_suspect(slug) else before.hashes
        after = _refresh(build, slug, BodyCache(), series, files, recorded)
    else:
        series = {one for one in build.changes.series if one.body == slug}
        files = {(dataset, sha256) for dataset, body, sha256 in build.changes.files if body == slug}
        after = _refresh(build, slug, before, series, files, before.hashes)
    if not build.whole:
        build.state.remove(before.hashes.keys() - after.hashes.keys())
    _save(build.state, slug, after, before.datasets)
    index.write(after.received)
    return after


def _refresh(
    build: CatalogueBuild,
    slug: str,
    before: BodyCache,
    series: set[Series],
    files: set[FileKey],
    recorded: PageHashes,
) -> BodyCache:
    """Read `series` and `files` again, and render every page whose content may have changed."""
    listings = {one: _read_listing(build, one) for one in sorted(series)}
    read = {file: read_submission(build.store, file[0], slug, file[1]) for file in sorted(files)}
    present = {file: (*as_published(*found), found[1]) for file, found in read.items() if found is not None}
    facts = {one: cached.facts for one, cached in before.series.items()}
    facts |= {one: extract_facts(found) for one, found in listings.items()}
    kept = {file: cached for file, cached in before.files.items() if file not in read}
    received = {file: (cached.submission, cached.outcome) for file, cached in kept.items()}
    received |= {file: (submission, outcome) for file, (submission, outcome, _) in present.items()}
    body = identify_body(build.context, slug, facts.values(), sent=bool(received))
    holdings = collect_holdings(build.context, body, facts.values(), list(received.values()), {})
    after_series = dict(_render_series(build, holdings, before, listings, recorded))
    for file, (submission, outcome, report) in present.items():
        pages = () if report is None else render_submission(holdings, submission, report)
        kept[file] = CachedFile(submission, outcome, build.publish(pages, recorded))
    return BodyCache(after_series, kept)


def _render_series(
    build: CatalogueBuild,
    holdings: Holdings,
    before: BodyCache,
    listings: Mapping[Series, Listing],
    recorded: PageHashes,
) -> Iterator[tuple[Series, CachedSeries]]:
    """Render the series that were read again, and those whose pages depend on something that changed."""
    for facts in holdings.series:
        series, surroundings = facts.series, catalogue.hash_surroundings(holdings, facts)
        cached = before.series.get(series)
        if series not in listings and cached is not None and cached.surroundings == surroundings:
            yield series, cached
        else:
            listing = listings.get(series) or _read_listing(build, series)
            pages = build.publish(catalogue.render_series(holdings, listing), recorded)
            yield series, CachedSeries(facts, surroundings, pages)


def _save(state: BuildState, slug: str, cache: BodyCache, before: Iterable[str]) -> None:
    """Write the cache of a body, a document for each dataset; `before` are the datasets that had one."""
    for dataset in cache.datasets:
        series = (cached for one, cached in sorted(cache.series.items()) if one.dataset == dataset)
        files = (cached for (name, _), cached in sorted(cache.files.items()) if name == dataset)
        state.write(f"shelves/{dataset}/{slug}", CacheDocument(tuple(series), tuple(files)))
    for dataset in set(before) - set(cache.datasets):
        state.drop(f"shelves/{dataset}/{slug}")


def _read_listing(build: CatalogueBuild, series: Series) -> Listing:
    """A series with the summary of its rows, which is computed once for each version and kept."""
    listing, name = read_listing(build.store, series), f"summaries/{series}"
    kept, current = build.state.read(name, dict[str, Any]), listing.history.current_version
    if current is None:
        if kept is not None:
            build.state.drop(name)
        return listing
    shown = assets.shown(series.dataset)
    rules = [assets.rules_version(series.dataset), annotations_version()]
    made_of = [current.path, SUMMARY_FORMAT, hash_document(shown), *rules]
    if kept is None or kept["made_of"] != made_of:
        dataset = assets.dataset(series.dataset)
        with TemporaryDirectory(dir=build.scratch) as scratch:
            path = Path(scratch) / "rows.parquet"
            build.store.fetch(layout.release_file(series, current, f"{series.dataset}.parquet"), path)
            rows, filled = read_release(path, fields_summarised(dataset))
        summary = summarise_release(dataset, series.period, rows)
        posts = extract_posts(shown["posts"], rows)
        kept = {"made_of": made_of, "summary": summary | {"posts": posts, "filled": filled}}
        build.state.write(name, kept)
    return replace(listing, summary=kept["summary"])


def read_release(parquet: Path, names: Iterable[str]) -> tuple[pa.Table, dict[str, int]]:
    """Read those of the columns `names` that a release has, and count its rows with a value in each of its columns.

    Texts that recur are kept once.
    """
    with pq.ParquetFile(parquet) as file:
        schema, metadata = file.schema_arrow, file.metadata
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    with pq.ParquetFile(parquet, metadata=metadata, read_dictionary=texts) as file:
        return read_columns(file, names).unify_dictionaries(), count_filled(metadata)
