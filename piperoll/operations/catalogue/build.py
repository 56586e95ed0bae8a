"""Build the catalogue: write what changed, and remove what no longer belongs.

A build goes through four stages, and can be killed in any of them: the next build does what is missing.

    plan              which bodies changed (build_plan.py)
    refresh           the pages of each changed body's series and files (body_cache.py)
    build_body_pages  the pages about a body, and what it contributes to shared pages (body_pages.py)
    update_groups     comparisons, suppliers and search, from the contributions of all bodies (groups.py)
    _build_shared_pages  feeds, indexes and pages of measures

What is done body by body or group by group is done by worker processes if there is enough of it (jobs.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import date
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import publishers
from piperoll import assets, layout
from piperoll.describing import catalogue
from piperoll.describing.context import CatalogueContext, collect_holdings
from piperoll.describing.feeds import documents, releases
from piperoll.duties import merge_first_starts
from piperoll.errors import NotThere, PiperollError, PointerMoved, describe_error
from piperoll.operations.catalogue.body_cache import load_cache
from piperoll.operations.catalogue.body_pages import BodyRollup, RefreshedBody, build_body_pages, refresh
from piperoll.operations.catalogue.build_plan import (
    BODIES,
    BodyRecord,
    CatalogueBuild,
    PageHashes,
    parse_days,
    plan_build,
)
from piperoll.operations.catalogue.groups import update_groups
from piperoll.operations.catalogue.jobs import BuildDied, BuildJobs
from piperoll.operations.catalogue.measure_pages import build_measure_pages, have_measures_changed
from piperoll.operations.catalogue.year_cache import refresh_years
from piperoll.operations.measure import MeasuringFailed, measure_for_build
from piperoll.operations.run_request import Run
from piperoll.operations.worker_processes import Workers
from piperoll.releasing import consolidating

_BODIES_TOGETHER = 25
"""Bodies whose consolidated files are made in one job, if there are enough: the index of a year, which has all bodies,
is then written for 25 and not for each."""
_LEAST_JOBS, _MOST_JOBS = 8, 100
"""Of a few bodies, fewer are put together, so that no process waits for long; of thousands more, so that the number of
times that the index is written does not grow with them."""

_MAX_TRIES = 10
"""How often to begin again because another build finished in the meantime."""


class CatalogueFailed(PiperollError):
    """The catalogue could not be built because of a bug or the machine; what is published is not affected."""


def build_for_run(run: Run) -> tuple[int, str | None]:
    """Build the catalogue of a run's store; the number of files written and removed, or 0 and why it failed."""
    return try_to_build(lambda: build_catalogue(run))


def try_to_build(build: Callable[[], int]) -> tuple[int, str | None]:
    """Call `build`; the number of files that it wrote, or 0 and the message of its error."""
    try:
        return build(), None
    except PiperollError as error:
        return 0, str(error)


def build_catalogue(run: Run, workers: Workers | None = None) -> int:
    """Bring the catalogue of a run's store up to date; return the number of files written and removed.

    If much has changed, it is done by the run's `workers`, or by workers that are started for it.
    Raises: PiperollError: it could not be built. Other exceptions become CatalogueFailed, so that a bug here does not
    hide what was published before.
    """
    trouble: list[MeasuringFailed] = []
    try:
        context = CatalogueContext(
            assets.datasets(),
            run.settings.base_url,
            run.settings.publisher_name,
            date.fromisoformat(run.moment[:10]),
            run.expected,
            run.register,
            run.settings.api_url,
            publishers.group_statements(run.store),
        )
        with nullcontext(workers) if workers else Workers(run) as at_work:
            written = build_from_store(run.store, context, run.scratch, lambda: _measure(run, trouble), at_work)
        publishers.erase_old_pages(run.store)
    except PiperollError:
        raise
    except Exception as error:
        raise CatalogueFailed(describe_error(error)) from error
    if trouble:
        raise trouble[-1]
    return written


def _measure(run: Run, trouble: list[MeasuringFailed]) -> int:
    """Make the measures; pages are built even if some fail, and what failed is reported after them."""
    try:
        return measure_for_build(run)
    except MeasuringFailed as failed:
        trouble.append(failed)
        return 0


def build_from_store(
    store: publishers.Store,
    context: CatalogueContext,
    scratch: Path,
    measure: Callable[[], int] = lambda: 0,
    workers: Workers | None = None,
) -> int:
    """Build the catalogue of `store`; return the number of files written and removed.

    `measure` is called in a thread when the consolidated files are up to date, and the pages of measures are written
    when it has ended; it returns the number of measures that it published. `workers` are of a run into the same store,
    and are used if much has changed.
    Begins again if another build finished in the meantime, because that one may have written the same pages, and once
    if a worker died: what the build recorded before it wrote says what is to be repaired.
    Raises: PointerMoved (retryable): that happened every time. BuildDied: a worker died twice.
    """
    overtaken_at, has_died = None, False
    for _ in range(_MAX_TRIES):
        with TemporaryDirectory(prefix="catalogue-", dir=scratch, ignore_cleanup_errors=True) as folder:
            build = plan_build(store, context, Path(folder), overtaken_at)
            try:
                _run_build(build, measure, workers)
            except (PointerMoved, BuildDied) as error:
                if isinstance(error, BuildDied) and has_died:
                    raise
                overtaken_at, has_died = build.last.number, isinstance(error, BuildDied) or has_died
                continue
            finally:
                build.state.close()
        return build.state.touched
    raise PointerMoved(f"other builds of the catalogue finished {_MAX_TRIES} times in the meantime: try again later")


def _run_build(build: CatalogueBuild, measure: Callable[[], int], workers: Workers | None) -> None:
    if build.is_needless and not measure() and not have_measures_changed(build):
        return
    build.begin(build.stale | build.aged)
    pairs = _changed_pairs(build)
    with BuildJobs(build, workers, len({body for _, body in pairs})) as jobs:
        _update_years(build, jobs, pairs)
        end_measuring = jobs.start(measure)
        refreshed = _refresh_bodies(build, jobs)
        # A duty begins with the first period that anyone sent, so one body's file can change how the others are judged.
        since = _first_period_starts(build, refreshed)
        judged_anew = {slug for slug, record in build.records.items() if parse_days(record.since) != since}
        slugs = sorted(build.stale | build.aged | judged_anew)
        build.begin(slugs)
        bodies = list(jobs.map(build_body_pages, [(slug, refreshed.get(slug), since) for slug in slugs]))
        digests = update_groups(build, jobs, {one.slug: one.groups for one in bodies})
        end_measuring()
    pages = _build_shared_pages(build, bodies, digests)
    build.finish(slugs, pages)
    publishers.clear_changes(build.store, build.changes)


def _update_years(build: CatalogueBuild, jobs: BuildJobs, pairs: set[tuple[str, str]]) -> None:
    """Update the consolidated files of bodies that may have changed, and what is kept of their years."""
    touched: Counter[tuple[str, str, str]] = Counter()
    for counts in jobs.map(_update_years_of, list(_put_together(pairs))):
        touched.update(counts)
    finish_consolidated(build.store, touched, careful=not build.is_clean)
    build.state.touched += touched.total()


def _put_together(pairs: Collection[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Put bodies of a dataset together whose consolidated files are made in one job, which writes the index once."""
    size = max(1, min(_BODIES_TOGETHER, len(pairs) // _LEAST_JOBS), len(pairs) // _MOST_JOBS)
    for name, own in groupby(sorted(pairs), key=lambda pair: pair[0]):
        bodies = [body for _, body in own]
        yield from ((name, bodies[start : start + size]) for start in range(0, len(bodies), size))


def _update_years_of(build: CatalogueBuild, task: tuple[str, Sequence[str]]) -> Counter[tuple[str, str, str]]:
    """Be `_update_years` of some bodies of a dataset; count objects by pair and year."""
    name, bodies = task
    touched = consolidate_together(build.store, name, bodies, build.scratch, careful=not build.is_clean)
    read_year = cache(partial(publishers.read_consolidated_year, build.store, name))
    for body in bodies:
        years = {year for _, slug, year in touched if slug == body}
        try:
            refresh_years(build, body, name, years, read_year)
        except NotThere:  # another build has replaced files since the index was read
            refresh_years(build, body, name, years, read_year.__wrapped__)
    return touched


def _changed_pairs(build: CatalogueBuild) -> set[tuple[str, str]]:
    """The (dataset, body) pairs whose releases may have changed."""
    if build.whole:
        return {(series.dataset, series.body) for series in publishers.list_indexed_series(build.store)}
    anew = build.anew & build.records.keys()
    return set(build.changes.pairs) | {(name, slug) for slug in anew for name in build.records[slug].datasets}


def update_consolidated(
    store: publishers.Store, pairs: Iterable[tuple[str, str]], scratch: Path, *, careful: bool
) -> Counter[tuple[str, str, str]]:
    """Update the consolidated files of (dataset, body) pairs; count objects written or removed by pair and year.

    Be `careful` after an interrupted build: files that no index names are deleted too, because they may hold rows that
    were purged since.
    """
    touched: Counter[tuple[str, str, str]] = Counter()
    for name, own in groupby(sorted(pairs), key=lambda pair: pair[0]):
        touched.update(consolidate_together(store, name, [body for _, body in own], scratch, careful=careful))
    finish_consolidated(store, touched, careful=careful)
    return touched


def consolidate_together(
    store: publishers.Store, name: str, bodies: Sequence[str], scratch: Path, *, careful: bool
) -> Counter[tuple[str, str, str]]:
    """Update the consolidated files of a dataset and some bodies, before `finish_consolidated`."""
    dataset = assets.dataset(name)
    counts = publishers.consolidate_bodies(store, dataset, bodies, consolidating, scratch, check_files=careful)
    return Counter({(name, body, year): count for body, own in counts.items() for year, count in own.items()})


def finish_consolidated(store: publishers.Store, touched: Iterable[tuple[str, str, str]], *, careful: bool) -> None:
    """Remove years without bodies from the index and, if `careful`, files that no index names.

    The bodies of a year are done by then, because one that adds itself to a year may not meet one that removes it.
    """
    years = {(name, year) for name, _, year in touched}
    if careful:
        years |= {(one.name, year) for one in assets.datasets()
                  for year in publishers.list_consolidated_years(store, one.name)}  # fmt: skip
    publishers.unlist_empty_years(store, years)
    for key in list(publishers.list_unreferenced(store)) if careful else ():
        store.delete(key)


def _refresh_bodies(build: CatalogueBuild, jobs: BuildJobs) -> dict[str, RefreshedBody]:
    """Read again what changed of each stale body, and write the pages of its series and files."""
    slugs = sorted(build.stale)
    return dict(zip(slugs, jobs.map(refresh, slugs), strict=True))


def _first_period_starts(build: CatalogueBuild, refreshed: Mapping[str, RefreshedBody]) -> dict[str, date]:
    """For each dataset, when the first period began that any body ever sent."""
    others = [parse_days(record.first) for slug, record in build.records.items() if slug not in refreshed]
    return merge_first_starts([*(one.first for one in refreshed.values()), *others])


def _build_shared_pages(build: CatalogueBuild, bodies: list[BodyRollup], digests: dict[str, Any]) -> PageHashes:
    """Write the pages about several bodies; return their hashes, without those of the feed archives.

    `digests` are those of the groups, whose pages are written already.
    """
    removed = {one.slug for one in bodies if one.record is None}
    records = {} if build.whole else dict(build.records)
    records |= {one.slug: one.record for one in bodies if one.record is not None}
    records = {slug: records[slug] for slug in sorted(records) if slug not in removed}
    measured = build_measure_pages(build, {slug: record.digest.body for slug, record in records.items()})
    overview = catalogue.build_overview(
        build.context, [record.digest for record in records.values()], digests, measured.measures
    )
    known = build.trusted(build.last.pages)
    pages: PageHashes = {}
    for name, feed in releases.list_feeds(overview).items():
        log, archive = _update_feed_log(build, name, feed, bodies, records)
        written = build.publish(documents.render_feed(feed, log, archive), known)
        archive_keys = {feed.key(form, page) for form in ("atom", "json") for page in archive}
        pages |= {key: hashed for key, hashed in written.items() if key not in archive_keys}
        build.state.write(_feed_log_name(name), log)
    pages |= build.publish(catalogue.render_overview(overview, digests), known)
    for one in bodies:
        if one.kept is None:
            build.state.drop(f"bodies/{one.slug}")
        else:
            build.state.write(f"bodies/{one.slug}", one.kept.load())
    build.state.write(BODIES, records)
    _remove_leftovers(build, pages)
    return pages


def _feed_log_name(feed: str) -> str:
    return f"feeds/{feed or 'all'}"


def _update_feed_log(
    build: CatalogueBuild, name: str, feed: releases.Feed, bodies: list[BodyRollup], records: Mapping[str, BodyRecord]
) -> tuple[documents.FeedLog, documents.ArchivePages]:
    """Add new items to a feed; return its log, and the pages of its archive that differ.

    A feed from which an item disappeared is made again from all items.
    """
    items = [item for one in bodies if one.items for item in one.items.load() if releases.belongs_in_feed(name, item)]
    if build.whole:
        return documents.archive_items(items)
    kept = build.state.read(_feed_log_name(name), documents.FeedLog)
    if kept is not None and not any(one.lost_items for one in bodies):
        updated = documents.add_items(
            kept,
            items,
            lambda page: documents.parse_items(build.store.read(feed.key("json", page)).content),
        )
        if updated is not None:
            return updated
    every = _list_all_items(build, records)
    log, archive = documents.archive_items(item for item in every if releases.belongs_in_feed(name, item))
    keys = {feed.key(form, page) for form in ("atom", "json") for page in archive}
    build.state.remove(set(build.store.keys(layout.feed_archive(feed.stem))) - keys)
    return log, archive


def _list_all_items(build: CatalogueBuild, records: Mapping[str, BodyRecord]) -> Iterator[releases.FeedItem]:
    """The feed items of every body, from the caches."""
    for slug, record in records.items():
        cache = load_cache(build.state, slug, record.datasets)
        body = cache.body(build.context, slug)
        holdings = collect_holdings(build.context, body, cache.facts, cache.received, {})
        yield from releases.list_items(holdings)


def _remove_leftovers(build: CatalogueBuild, pages: PageHashes) -> None:
    """Remove shared pages that are no longer written; after a whole build, everything that it did not write."""
    if not build.whole:
        build.state.remove(build.last.pages.keys() - pages.keys())
        return
    present = {key for key in build.store.keys(layout.CATALOGUE) if not key.startswith(layout.CONSOLIDATED)}
    build.state.remove(present - build.produced)
    build.state.drop_unwritten(("shelves", "bodies", "groups", "years", "payees"))
    for key in list(build.store.keys(layout.RECEIVED_INDEX)):
        if layout.parse_received_index(key) not in build.stale:
            build.store.delete(key)
