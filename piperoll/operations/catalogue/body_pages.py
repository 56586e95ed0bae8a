"""The jobs of a build that are about one body: its pages, and what it contributes to pages about several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeAlias

from piperoll import layout
from piperoll.describing import catalogue
from piperoll.describing.context import Holdings, collect_holdings
from piperoll.describing.feeds import releases
from piperoll.describing.overview import digest_body
from piperoll.describing.suppliers import merge_payees
from piperoll.duties import find_first_starts
from piperoll.operations.catalogue.body_cache import BodyCache, load_body, load_cache, refresh_body
from piperoll.operations.catalogue.build_plan import BodyRecord, CatalogueBuild, PageHashes, hash_document
from piperoll.operations.catalogue.jobs import Spilled, spill
from piperoll.operations.catalogue.year_cache import load_payees, load_years

_FEW = 4
"""If no more bodies have changed, what was read of them stays in memory until their pages are made."""

_KEPT, _ITEMS = "*kept", "*items"
"""What is in the scratch folder beside the contributions to groups, none of which is called so."""


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

    `record` and `kept` (its `BodyHashes`) are to be kept; both are None if nothing is left of the body. `groups` are
    its changed contributions to shared pages (None: it no longer contributes), `items` a tuple of its feed items that
    are new or changed (None: there are none), and `lost_items` is True if it had an item that is gone.
    """

    slug: str
    record: BodyRecord | None
    kept: Spilled | None
    groups: Mapping[str, Spilled | None]
    items: Spilled | None
    lost_items: bool


@dataclass(frozen=True)
class RefreshedBody:
    """What other bodies and later stages need to know of a body that was read again: its datasets and first periods."""

    datasets: tuple[str, ...]
    first: Mapping[str, date]


BodyTask: TypeAlias = tuple[str, RefreshedBody | None, Mapping[str, date]]
"""A body, what was found when it was read again (None: it was not), and what duties are judged by."""


def refresh(build: CatalogueBuild, slug: str) -> RefreshedBody:
    """Read again what changed of a body, and write the pages of its series and files that differ."""
    cache = refresh_body(build, slug)
    if len(build.stale) <= _FEW:
        build.caches[slug] = cache
    return RefreshedBody(tuple(cache.datasets), find_first_starts(cache.received))


def _load(build: CatalogueBuild, slug: str, refreshed: RefreshedBody | None) -> BodyCache:
    if refreshed is None:
        return load_body(build, slug)
    return build.caches.pop(slug, None) or load_cache(build.state, slug, refreshed.datasets)


def build_body_pages(build: CatalogueBuild, task: BodyTask) -> BodyRollup:
    """Write the pages about a body, and find out what it contributes to shared pages now."""
    slug, refreshed, since = task
    cache = _load(build, slug, refreshed)
    suspect = build.is_suspect(slug)
    recorded = build.state.read(f"bodies/{slug}", BodyHashes) or BodyHashes()
    if not cache.datasets and slug not in {body.slug for body in build.context.expected}:
        _remove_stale_pages(build, slug, recorded.pages, {})
        groups = dict.fromkeys([*recorded.groups, *build.suspect.groups])
        return BodyRollup(slug, None, None, groups, None, lost_items=False)
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
    kept = BodyHashes(pages, hashes, item_hashes)
    changed = tuple(items[name] for name in items if in_full or recorded.items.get(name) != item_hashes[name])
    spilled = spill(build, {**groups, _KEPT: kept, _ITEMS: changed})
    return BodyRollup(
        slug=slug,
        record=_record(holdings, cache, since),
        kept=spilled.pop(_KEPT),
        items=spilled.pop(_ITEMS) if changed else None,
        groups=spilled | dict.fromkeys(sorted(gone)),
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
