"""Build the catalogue: write what changed, and remove what no longer belongs.

A build goes through four stages, and can be killed in any of them: the next build does what is missing.

    plan              which bodies changed (build_plan.py)
    refresh_body      the pages of each changed body's series and files (body_cache.py)
    build_body_pages  the pages about a body, and what it contributes to shared pages
    build_shared_pages  feeds, indexes, comparisons and search, from the contributions of all bodies
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import publishers
from piperoll import assets, layout
from piperoll.describing import catalogue
from piperoll.describing.context import (
    CatalogueContext,
    Holdings,
    collect_holdings,
)
from piperoll.describing.feeds import documents, releases
from piperoll.describing.overview import digest_body
from piperoll.describing.suppliers import merge_payees
from piperoll.duties import find_first_starts, merge_first_starts
from piperoll.errors import PiperollError, PointerMoved, describe_error
from piperoll.operations.catalogue.body_cache import BodyCache, load_body, load_cache, refresh_body
from piperoll.operations.catalogue.build_plan import (
    BODIES,
    BodyRecord,
    CatalogueBuild,
    PageHashes,
    hash_document,
    parse_days,
    plan_build,
)
from piperoll.operations.catalogue.groups import update_groups
from piperoll.operations.catalogue.measure_pages import build_measure_pages, have_measures_changed
from piperoll.operations.catalogue.year_cache import load_payees, load_years, refresh_years
from piperoll.operations.measure import MeasuringFailed, measure_for_build
from piperoll.operations.run_request import Run
from piperoll.releasing import consolidating

_MAX_TRIES = 10
"""How often to begin again because another build finished in the meantime."""


class CatalogueFailed(PiperollError):
    """The catalogue could not be built because of a bug or the machine; what is published is not affected."""


@dataclass(frozen=True)
class BodyHashes:
    """The hashes of what the last build made of a body: its pages, its contributions to shared pages, its feed items.

    It is kept in the store, so that the next build writes only what differs.
    """

    pages: PageHashes = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BodyRollup:
    """The result of building the pages about one body.

    `record` and `kept` are to be kept of it; both are None if nothing is left of the body. `groups` are its changed
    contributions to shared pages (None: it no longer contributes), `items` its feed items that are new or changed, and
    `lost_items` is True if it had an item that is gone.
    """

    slug: str
    record: BodyRecord | None
    kept: BodyHashes | None
    groups: Mapping[str, Any]
    items: tuple[releases.FeedItem, ...]
    lost_items: bool


def build_for_run(run: Run) -> tuple[int, str | None]:
    """Build the catalogue of a run's store; the number of files written and removed, or 0 and why it failed."""
    return try_to_build(lambda: build_catalogue(run))


def try_to_build(build: Callable[[], int]) -> tuple[int, str | None]:
    """Call `build`; the number of files that it wrote, or 0 and the message of its error."""
    try:
        return build(), None
    except PiperollError as error:
        return 0, str(error)


def build_catalogue(run: Run) -> int:
    """Bring the catalogue of a run's store up to date; return the number of files written and removed.

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
        written = build_from_store(run.store, context, run.scratch, lambda: _measure(run, trouble))
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
    store: publishers.Store, context: CatalogueContext, scratch: Path, measure: Callable[[], int] = lambda: 0
) -> int:
    """Build the catalogue of `store`; return the number of files written and removed.

    `measure` is called when the consolidated files are up to date and no page is written yet; it returns the number of
    measures that it published.
    Begins again if another build finished in the meantime, because that one may have written the same pages.
    Raises: PointerMoved (retryable): that happened every time.
    """
    overtaken_at = None
    for _ in range(_MAX_TRIES):
        build = plan_build(store, context, scratch, overtaken_at)
        try:
            _run_build(build, measure)
        except PointerMoved:
            overtaken_at = build.last.number
            continue
        finally:
            build.state.close()
        return build.state.touched
    raise PointerMoved(f"other builds of the catalogue finished {_MAX_TRIES} times in the meantime: try again later")


def _run_build(build: CatalogueBuild, measure: Callable[[], int]) -> None:
    if build.is_needless and not measure() and not have_measures_changed(build):
        return
    build.begin(build.stale | build.aged)
    _update_years(build)
    measure()
    caches = {slug: refresh_body(build, slug) for slug in sorted(build.stale)}
    caches |= {slug: load_body(build, slug) for slug in sorted(build.aged)}
    # A duty begins with the first period that anyone sent, so one body's file can change how the others are judged.
    since = _first_period_starts(build, caches)
    judged_anew = {slug for slug, record in build.records.items() if parse_days(record.since) != since}
    slugs = sorted(build.stale | build.aged | judged_anew)
    build.begin(slugs)
    bodies = [_build_body_pages(build, slug, caches.get(slug) or load_body(build, slug), since) for slug in slugs]
    pages = _build_shared_pages(build, bodies)
    build.finish(slugs, pages)
    publishers.clear_changes(build.store, build.changes)


def _update_years(build: CatalogueBuild) -> None:
    """Update the consolidated files of bodies that may have changed, and what is kept of their years."""
    pairs = _changed_pairs(build)
    consolidated = update_consolidated(build.store, pairs, build.scratch, careful=not build.is_clean)
    build.state.touched += consolidated.total()
    for dataset, body in sorted(pairs):
        refresh_years(
            build, body, dataset, {year for name, slug, year in consolidated if (name, slug) == (dataset, body)}
        )


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
    for name, body in sorted(pairs):
        with TemporaryDirectory(dir=scratch) as folder:
            dataset = assets.dataset(name)
            counts = publishers.consolidate_body(store, dataset, body, consolidating, Path(folder), check_files=careful)
        touched.update({(name, body, year): count for year, count in counts.items()})
    for key in list(publishers.list_unreferenced(store)) if careful else ():
        store.delete(key)
    return touched


def _first_period_starts(build: CatalogueBuild, caches: Mapping[str, BodyCache]) -> dict[str, date]:
    """For each dataset, when the first period began that any body ever sent."""
    refreshed = [find_first_starts(cache.received) for cache in caches.values()]
    others = [parse_days(record.first) for slug, record in build.records.items() if slug not in caches]
    return merge_first_starts([*refreshed, *others])


def _build_body_pages(build: CatalogueBuild, slug: str, cache: BodyCache, since: Mapping[str, date]) -> BodyRollup:
    """Write the pages about a body, and find out what it contributes to shared pages now."""
    suspect = build.is_suspect(slug)
    recorded = build.state.read(f"bodies/{slug}", BodyHashes) or BodyHashes()
    if not cache.datasets and slug not in {body.slug for body in build.context.expected}:
        _remove_stale_pages(build, slug, recorded.pages, {})
        groups = dict.fromkeys([*recorded.groups, *build.suspect.groups])
        return BodyRollup(slug, None, None, groups, (), lost_items=False)
    body = cache.body(build.context, slug)
    years = load_years(build, slug, cache.datasets)
    holdings = replace(collect_holdings(build.context, body, cache.facts, cache.received, since), years=years)
    pages = build.publish(catalogue.render_body(holdings), {} if suspect else recorded.pages)
    _remove_stale_pages(build, slug, recorded.pages, pages | cache.hashes)

    contributions = catalogue.collect_dated_contributions(holdings)
    unchanged: dict[str, str] = {}
    if slug in build.stale:
        payees = merge_payees(load_payees(build, slug, years))
        contributions |= catalogue.collect_lasting_contributions(holdings, payees)
    else:  # only time has passed
        unchanged = {name: hashed for name, hashed in recorded.groups.items() if not catalogue.is_dated(name)}
    hashes = unchanged | {name: hash_document(one) for name, one in contributions.items()}
    items = {item.id: item for item in releases.list_items(holdings)}
    item_hashes = {name: hash_document(item) for name, item in items.items()}
    in_full = build.whole or suspect
    groups = {name: one for name, one in contributions.items()
              if in_full or hashes[name] != recorded.groups.get(name)}  # fmt: skip
    gone = {*recorded.groups, *(build.suspect.groups if suspect else ())} - hashes.keys()
    return BodyRollup(
        slug=slug,
        record=_record(holdings, cache, since),
        kept=BodyHashes(pages, hashes, item_hashes),
        groups=groups | dict.fromkeys(sorted(gone)),
        items=tuple(items[name] for name in items if in_full or recorded.items.get(name) != item_hashes[name]),
        lost_items=not recorded.items.keys() <= items.keys(),
    )


def _record(holdings: Holdings, cache: BodyCache, since: Mapping[str, date]) -> BodyRecord:
    first = find_first_starts(cache.received)
    return BodyRecord(
        digest=digest_body(holdings),
        datasets=tuple(cache.datasets),
        sent=bool(cache.files),
        sender=cache.sender,
        first={name: day.isoformat() for name, day in first.items()},
        since={name: day.isoformat() for name, day in since.items()},
    )


def _remove_stale_pages(build: CatalogueBuild, slug: str, recorded: PageHashes, pages: PageHashes) -> None:
    """Remove the pages about a body that are no longer written. If the record is suspect, list what is in the store."""
    if build.whole:
        return  # _remove_leftovers compares everything
    present = set(recorded)
    if build.is_suspect(slug):
        for prefix in layout.prefixes_of_body(slug, [dataset.name for dataset in build.context.datasets]):
            present |= set(build.store.keys(prefix))
    build.state.remove(present - pages.keys())


def _build_shared_pages(build: CatalogueBuild, bodies: list[BodyRollup]) -> PageHashes:
    """Write the pages about several bodies; return their hashes, without those of the feed archives."""
    removed = {one.slug for one in bodies if one.record is None}
    records = {} if build.whole else dict(build.records)
    records |= {one.slug: one.record for one in bodies if one.record is not None}
    records = {slug: records[slug] for slug in sorted(records) if slug not in removed}
    digests = update_groups(build, {one.slug: one.groups for one in bodies})
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
            build.state.write(f"bodies/{one.slug}", one.kept)
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
    items = [item for one in bodies for item in one.items if releases.belongs_in_feed(name, item)]
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
