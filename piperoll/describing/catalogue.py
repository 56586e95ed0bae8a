"""Render the catalogue part by part: what belongs to a series, to a file received, to a body, and to all bodies.

Each part depends only on its arguments, so that a build renders only the parts whose facts have changed. What a body
adds to the parts about all bodies is a contribution: JSON values in a named group. The names of groups begin with
TOTALS, LATE, YEARS, NEWEST, SUPPLIERS or SEARCH.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from piperoll import assets, layout
from piperoll.describing.context import CatalogueContext, Holdings, InContext, newest_first
from piperoll.describing.data_packages import render_body_packages, render_packages
from piperoll.describing.dcat.catalogues import render_body_dcat, render_dcat_root
from piperoll.describing.dcat.posts import render_posts
from piperoll.describing.feeds import late, measured
from piperoll.describing.feeds.documents import FeedLog, archive_items, render_feed
from piperoll.describing.feeds.releases import body_feed, list_feeds, list_items
from piperoll.describing.freshness import write_body_freshness, write_freshness
from piperoll.describing.measure_site import MeasureSite
from piperoll.describing.measures import ENDING, MeasuredYear, ProfilePart, PublishedMeasure
from piperoll.describing.overview import (
    BodyDigest,
    Overview,
    PeriodTotal,
    WholeFigures,
    add_newest,
    add_totals,
    newest_year,
    period_totals,
)
from piperoll.describing.pages import (
    compare_pages,
    measure_pages,
    profile_pages,
    question_pages,
    site_pages,
    supplier_pages,
)
from piperoll.describing.pages.rendering import list_static_files
from piperoll.describing.pages.series_pages import series_page, version_page
from piperoll.describing.release_summary import read_summary
from piperoll.describing.search import (
    render_fixed_shard,
    render_shards,
    split_search_parts,
    split_supplier_pages,
)
from piperoll.describing.series_facts import SeriesFacts
from piperoll.describing.sitemap import render_body_sitemap, render_sitemaps
from piperoll.describing.suppliers import GroupDigest, Payee, Supplier, decode_group, digest_suppliers, encode_payees
from piperoll.describing.year_figures import YearFigures, add_figures
from piperoll.model import Body, Listing

Files = Iterator[tuple[str, bytes]]
"""Keys and their contents."""

TOTALS = "sums/"
"""Groups of the period totals of a dataset and year."""

LATE = "late/"
"""Groups of the late returns of a duty and period."""

YEARS = "years/"
NEWEST = "newest-years/"
"""Groups of the consolidated figures of a dataset and financial year."""

SUPPLIERS = "suppliers/"
"""Groups of what is paid to the suppliers whose names begin with the same letters."""

SEARCH = "search/"
"""Groups of the parts of the search index for two letters."""


def hash_renderer(context: CatalogueContext) -> str:
    """Hash what renders the catalogue: our code and templates, the datasets, libraries and settings.

    If the hash changes, everything must be rendered again.
    """
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    paths = [path for name in ("describing", "duties", "model") for path in (package / name).rglob("*.py")]
    paths += [path for path in assets.folder("catalogue").rglob("*") if path.is_file()]
    for path in sorted(paths):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for dataset in context.datasets:
        digest.update(json.dumps([dataset.descriptor, assets.shown(dataset.name)], sort_keys=True).encode())
    versions = [version(name) for name in ("jinja2", "lxml")]
    digest.update(json.dumps([context.base_url, context.api_url, context.publisher_name, versions]).encode())
    return digest.hexdigest()[:20]


def render_series(holdings: Holdings, listing: Listing) -> Files:
    """Render the pages of a series and its versions, and the posts it describes. They do not depend on the day."""
    for one in listing.history.versions:
        yield version_page(holdings, listing, one)
    yield from render_posts(holdings.body, listing.series, read_summary(listing).posts)
    yield series_page(holdings, listing)


def hash_surroundings(holdings: Holdings, facts: SeriesFacts) -> str:
    """Hash what the pages of a series depend on besides the series; if it changes, render them again."""
    sources = {source for version in facts.history.versions for source in version.sources}
    linked = [one.sha256 for one, outcome in holdings.submissions if outcome is not None and one.sha256 in sources]
    surroundings = [
        str(holdings.body),
        [str(other.series) for other in holdings.overlapping(facts.series)],
        sorted({one.series.period.kind.value for one in holdings.series_of(facts.series.dataset)}),
        sorted(linked),
    ]
    return hashlib.sha256(json.dumps(surroundings).encode()).hexdigest()[:16]


def render_body(holdings: Holdings) -> Files:
    """Render the pages, feeds and documents of a body, without those of its series and files."""
    yield from site_pages.body_pages(holdings)
    yield layout.body_freshness(holdings.body.slug), write_body_freshness(holdings)
    if holdings.years:
        yield compare_pages.write_body_figures(holdings)
    yield from render_body_dcat(holdings)
    yield from render_body_packages(holdings)
    yield render_body_sitemap(holdings)
    feed = body_feed(holdings)
    yield from render_feed(feed, *archive_items(list_items(holdings)))
    yield from render_feed(late.body_late_feed(holdings, feed), FeedLog(tail=tuple(late.list_late_items(holdings))), {})


def collect_dated_contributions(holdings: Holdings) -> dict[str, Any]:
    """Return what a body adds to the parts about all bodies, by the name of the group, as far as it depends on the day.

    It is little, and does not include the body's digest.
    """
    groups: dict[str, Any] = {
        f"{TOTALS}{dataset}/{year}": msgspec.to_builtins(totals)
        for (dataset, year), totals in period_totals(holdings).items()
    }
    return groups | {f"{LATE}{name}": one for name, one in late.late_contributions(holdings).items()}


def is_dated(name: str) -> bool:
    """True if `collect_dated_contributions` makes the contributions to this group."""
    return name.startswith((TOTALS, LATE))


def collect_lasting_contributions(holdings: Holdings, payees: Mapping[str, Payee]) -> dict[str, Any]:
    """Return what a body adds to the parts about all bodies, as far as it depends only on what is published.

    `payees` are those of all years, by `supplier_key`.
    """
    groups: dict[str, Any] = {
        f"{YEARS}{dataset}/{year}": compare_pages.describe_body(holdings, one)
        for dataset, years in holdings.years.items()
        for year, one in years.items()
    }
    groups |= {
        f"{NEWEST}{dataset}": msgspec.to_builtins(figures)
        for dataset, years in holdings.years.items()
        if (figures := newest_year(holdings.context.dataset(dataset), years)) is not None
    }
    groups |= {f"{SUPPLIERS}{letters}": text for letters, text in encode_payees(holdings.body, payees).items()}
    keys = {name: key for key, payee in payees.items() for name in payee.names}
    newest = sorted(holdings.series, key=lambda facts: newest_first(facts.series.period))
    parts = split_search_parts(holdings.body, ((facts.series, facts.names) for facts in newest), keys)
    return groups | {f"{SEARCH}{letters}": part for letters, part in parts.items()}


def list_supplier_search(name: str, members: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Return what a group of suppliers adds to the search index, by the name of the group, and its name as a member."""
    group = decode_group(members).values()
    pages = (
        (one.key, page, [spelling for spelling, _ in one.spellings])
        for one, page in supplier_pages.find_supplier_pages(name.removeprefix(SUPPLIERS), group)
    )
    parts = {f"{SEARCH}{letters}": part for letters, part in split_supplier_pages(pages).items()}
    return f"@{name.removeprefix(SUPPLIERS)}", parts


def render_group(
    context: CatalogueContext, name: str, members: Mapping[str, Any], before: Mapping[str, Any] | None
) -> Iterator[tuple[str, bytes | None]]:
    """Render the files made from one group alone, from the contribution of each body by slug.

    `before` are the contributions that the stored files were made from; None if that is not certain. The content of a
    file that is certainly the same as before is None.
    """
    if name.startswith(SEARCH):
        yield from render_shards(name.removeprefix(SEARCH), members)
    elif name.startswith(YEARS):
        dataset, year = name.removeprefix(YEARS).split("/")
        yield from compare_pages.render_year(InContext(context), dataset, year, members)
    elif name.startswith(SUPPLIERS):
        suppliers = decode_group(members)
        changed = suppliers.keys() if before is None else _find_changed(suppliers, decode_group(before))
        yield from supplier_pages.render_suppliers(
            InContext(context), name.removeprefix(SUPPLIERS), suppliers.values(), changed
        )


def _find_changed(after: Mapping[str, Supplier], before: Mapping[str, Supplier]) -> set[str]:
    """The keys of the suppliers that differ from before."""
    return {key for key, supplier in after.items() if supplier != before.get(key)}


def group_prefixes(name: str) -> list[str]:
    """Return the prefixes of the keys that `render_group` makes."""
    if name.startswith(YEARS):
        dataset, year = name.removeprefix(YEARS).split("/")
        return [f"{layout.comparison_prefix(dataset, year)}{end}" for end in "./"]
    if name.startswith(SUPPLIERS):
        return [layout.supplier_group(name.removeprefix(SUPPLIERS))]
    return [f"{layout.CATALOGUE}{name}"] if name.startswith(SEARCH) else []


def digest_group(name: str, contributions: Mapping[str, Any]) -> Any:
    """Reduce a group to what the pages about all bodies need, as JSON values; None if they need nothing of it."""
    if name.startswith(LATE):
        return late.summarise_late(contributions)
    if name.startswith(TOTALS):
        totals = [one for body in contributions.values() for one in msgspec.convert(body, list[PeriodTotal])]
        return msgspec.to_builtins(add_totals(totals))
    if name.startswith(YEARS):
        return msgspec.to_builtins(add_figures(compare_pages.read_figures(contributions)))
    if name.startswith(NEWEST):
        return msgspec.to_builtins(add_newest(msgspec.convert(one, WholeFigures) for one in contributions.values()))
    if name.startswith(SUPPLIERS):
        return msgspec.to_builtins(digest_suppliers(decode_group(contributions).values()))
    return None


def make_measure_site(
    context: CatalogueContext, measures: Iterable[PublishedMeasure], bodies: Iterable[Body]
) -> MeasureSite:
    """Return what the pages of measures are rendered from."""
    return MeasureSite(context, tuple(measures), {body.slug: body.kind for body in bodies})


def render_measure(site: MeasureSite, measure: PublishedMeasure, years: Sequence[MeasuredYear]) -> Files:
    """Render the pages and feeds of a measure; `years` are its measured years, newest first."""
    yield from measure_pages.render_measure(site, measure, years)
    yield from measured.render_measure_feed(site, measure)
    yield from measured.render_ending_feed(site, measure, years[0])


def render_profile(site: MeasureSite, body: Body, parts: Sequence[ProfilePart]) -> Files:
    """Render the profile of a body from what each measure says of it."""
    yield profile_pages.render_profile(site, body, parts)


def build_overview(
    context: CatalogueContext,
    digests: Iterable[BodyDigest],
    summaries: Mapping[str, Any],
    measures: Iterable[PublishedMeasure] = (),
) -> Overview:
    """Bring all bodies together, from the digest of each, the summaries of groups by name, and what is measured."""
    by_dataset: dict[str, list[PeriodTotal]] = {}
    years: dict[str, dict[str, YearFigures]] = {}
    newest: dict[str, WholeFigures] = {}
    suppliers: dict[str, GroupDigest] = {}
    for name, summary in summaries.items():
        if name.startswith(TOTALS):
            dataset = name.removeprefix(TOTALS).partition("/")[0]
            by_dataset.setdefault(dataset, []).extend(msgspec.convert(summary, list[PeriodTotal]))
        elif name.startswith(YEARS):
            dataset, year = name.removeprefix(YEARS).split("/")
            years.setdefault(dataset, {})[year] = msgspec.convert(summary, YearFigures)
        elif name.startswith(NEWEST):
            newest[name.removeprefix(NEWEST)] = msgspec.convert(summary, WholeFigures)
        elif name.startswith(SUPPLIERS):
            suppliers[name.removeprefix(SUPPLIERS)] = msgspec.convert(summary, GroupDigest)
    return Overview(
        context=context,
        digests=tuple(sorted(digests, key=lambda one: (one.body.name.casefold(), one.body.slug))),
        totals={name: add_totals(totals) for name, totals in by_dataset.items()},
        years=years,
        newest_years=newest,
        suppliers=suppliers,
        measures=tuple(measures),
    )


def render_overview(overview: Overview, summaries: Mapping[str, Any]) -> Files:
    """Render the pages and documents about all bodies, without the feeds of releases; the first page comes last."""
    yield from list_static_files()
    yield render_fixed_shard(overview.datasets, overview.measures)
    yield from site_pages.lookup_pages(overview)
    yield site_pages.not_found_page(overview)
    for dataset in overview.datasets:
        yield from site_pages.dataset_pages(overview, dataset)
    yield compare_pages.render_index(overview)
    site = make_measure_site(overview.context, overview.measures, (digest.body for digest in overview.digests))
    yield measure_pages.render_index(site)
    yield question_pages.render_questions(site)
    yield from measured.render_all_measures_feed(site)
    if not site.has(ENDING[0]):
        yield from measured.render_no_ending_feed(site)
    yield from supplier_pages.render_index(overview)
    yield compare_pages.write_all_figures(overview)
    yield from render_dcat_root(overview)
    yield from render_packages(overview)
    yield from render_sitemaps(overview)
    returns = {name.removeprefix(LATE): one for name, one in sorted(summaries.items()) if name.startswith(LATE)}
    items = tuple(late.list_overview_late_items(overview, returns))
    yield from render_feed(late.overview_late_feed(list_feeds(overview)[""]), FeedLog(tail=items), {})
    yield layout.FRESHNESS, write_freshness(overview)
    yield layout.BODIES_LIST, write_bodies_list(overview)
    yield site_pages.home_page(overview)


def write_bodies_list(overview: Overview) -> bytes:
    """Write the list of the bodies that have published something or are expected to, for programs."""
    bodies = [
        digest.body.to_document() | {"datasets": sorted(digest.datasets)}
        for digest in sorted(overview.digests, key=lambda digest: digest.body.slug)
    ]
    return json.dumps({"bodies": bodies}, ensure_ascii=False, indent=1).encode()
