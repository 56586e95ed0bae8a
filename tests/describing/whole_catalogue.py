"""Build a whole catalogue at once: builds part by part, over any number of runs, must give the same files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any

from piperoll import layout
from piperoll.describing import catalogue
from piperoll.describing.context import (
    CatalogueContext,
    Holdings,
    collect_holdings,
    identify_body,
)
from piperoll.describing.feeds.documents import archive_items, render_feed
from piperoll.describing.feeds.releases import FeedItem, belongs_in_feed, list_feeds, list_items
from piperoll.describing.overview import BodyDigest, digest_body
from piperoll.describing.pages.site_pages import render_submission
from piperoll.describing.series_facts import extract_facts
from piperoll.describing.suppliers import Payee
from piperoll.describing.year_figures import BodyYears
from piperoll.duties import ReceivedFiles, find_first_starts, merge_first_starts, summarise_received
from piperoll.model import Dataset, Listing, Register, Report, Submission

Files = Iterator[tuple[str, bytes]]
Received = tuple[Submission, Report | None]


def build_catalogue(
    listings: Sequence[Listing],
    *,
    datasets: Iterable[Dataset],
    register: Register,
    base_url: str,
    publisher_name: str,
    on: date,
    api_url: str = "",
    submissions: Sequence[Received] = (),
    years: Mapping[str, BodyYears] = MappingProxyType({}),
    payees: Mapping[str, Mapping[str, Payee]] = MappingProxyType({}),
) -> Files:
    """Yield every file of the catalogue, the first page last; keys are relative to `catalogue/`.

    `years` has the consolidated years of each body and `payees` what it pays, by `supplier_key`.
    """
    context = CatalogueContext(tuple(datasets), base_url, publisher_name, on, register, register, api_url)
    slugs = (
        {body.slug for body in register} | {one.series.body for one in listings} | {one.body for one, _ in submissions}
    )
    received = {slug: summarise_received(one for one in submissions if one[0].body == slug) for slug in slugs}
    first_starts = merge_first_starts(find_first_starts(one) for one in received.values())
    groups: dict[str, dict[str, Any]] = {}
    items: list[FeedItem] = []
    digests: list[BodyDigest] = []
    for slug in sorted(slugs):
        own = [one for one in listings if one.series.body == slug]
        holdings = _collect(context, slug, own, received[slug], first_starts, years.get(slug, {}))
        yield from _relative(_render_one(holdings, own, [one for one in submissions if one[0].body == slug]))
        items += list_items(holdings)
        digests.append(digest_body(holdings))
        contributions = catalogue.collect_dated_contributions(holdings)
        contributions |= catalogue.collect_lasting_contributions(holdings, payees.get(slug, {}))
        for name, contribution in contributions.items():
            groups.setdefault(name, {})[slug] = contribution
    for name in [name for name in groups if name.startswith(catalogue.SUPPLIERS)]:
        member, parts = catalogue.list_supplier_search(name, groups[name])
        for group, part in parts.items():
            groups.setdefault(group, {})[member] = part
    summaries = {name: catalogue.digest_group(name, members) for name, members in groups.items()}
    for name, members in sorted(groups.items()):
        for key, content in catalogue.render_group(context, name, dict(sorted(members.items())), None):
            assert content is not None
            yield from _relative(iter([(key, content)]))
    overview = catalogue.build_overview(
        context, digests, {name: one for name, one in summaries.items() if one is not None}
    )
    for name, feed in list_feeds(overview).items():
        log, archive = archive_items(item for item in items if belongs_in_feed(name, item))
        yield from _relative(render_feed(feed, log, archive))
    site = catalogue.make_measure_site(context, (), (digest.body for digest in digests))
    for digest in digests:
        yield from _relative(catalogue.render_profile(site, digest.body, ()))
    yield from _relative(catalogue.render_overview(overview, summaries))


def _relative(files: Files) -> Files:
    yield from ((key.removeprefix(layout.CATALOGUE), content) for key, content in files)


def _collect(
    context: CatalogueContext,
    slug: str,
    listings: Sequence[Listing],
    received: ReceivedFiles,
    first_starts: Mapping[str, date],
    years: BodyYears,
) -> Holdings:
    facts = [extract_facts(listing) for listing in listings]
    body = identify_body(context, slug, facts, sent=bool(received))
    return replace(collect_holdings(context, body, facts, received, first_starts), years=years)


def _render_one(holdings: Holdings, listings: Sequence[Listing], submissions: Sequence[Received]) -> Files:
    for listing in listings:
        yield from catalogue.render_series(holdings, listing)
    latest = {(one.dataset, one.sha256): one for one, _ in holdings.submissions}
    for submission, report in submissions:
        if report is not None and latest[submission.dataset, submission.sha256] == submission:
            yield from render_submission(holdings, submission, report)
    yield from catalogue.render_body(holdings)
