"""The whole catalogue from everything that there is, in one go: what making it part by part must come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from piperoll import layout
from piperoll.describing import comparing, site
from piperoll.describing.facts import facts_of
from piperoll.describing.feeds import Item, items_of
from piperoll.describing.holdings import Holdings, first_starts, gather
from piperoll.describing.lines import BodyLine, line_of
from piperoll.describing.overview import Overview
from piperoll.describing.paging import logged
from piperoll.describing.site import Files
from piperoll.describing.world import World
from piperoll.duties import ReportOutcome
from piperoll.model import Dataset, Listing, Register, Report, Submission


@dataclass(frozen=True)
class _Shelf:
    """All that is given of one body."""

    listings: tuple[Listing, ...]
    came: tuple[tuple[Submission, Report | None], ...]

    @property
    def told(self) -> list[tuple[Submission, ReportOutcome | None]]:
        """What came, as the pages of others tell it."""
        return [(one, None if report is None else ReportOutcome.from_report(report)) for one, report in self.came]


def build_catalogue(
    listings: Sequence[Listing],
    *,
    datasets: Iterable[Dataset],
    register: Register,
    base_url: str,
    publisher_name: str,
    on: date,
    submissions: Sequence[tuple[Submission, Report | None]] = (),
    compared: Mapping[tuple[str, str], Mapping[str, Any]] = MappingProxyType({}),
) -> Files:
    """Every file of the catalogue with its key relative to `catalogue/`, the first page last.

    A function of what is given: the same listings on the same day give the same bytes. `base_url`, ending in a
    slash, is where the store is served: `catalogue/`, `data/` and `reports/` stand below it. `submissions` come with
    their public reports, for what stands in them is published. `compared` are the consolidated files of each body, by
    dataset and year.
    Raises: UnknownDataset: something is published of a dataset that is not among `datasets`.
    """
    world = World.of(datasets, base_url, publisher_name, on, register, register)
    shelves = _shelves(world, listings, submissions)
    since = site.earliest(first_starts(shelf.told, on) for shelf in shelves.values())
    groups: dict[str, dict[str, Any]] = {}
    items: list[Item] = []
    lines: list[BodyLine] = []
    for slug, shelf in sorted(shelves.items()):
        holdings = _holdings(world, slug, shelf, since)
        yield from ((key.removeprefix(layout.CATALOGUE), content) for key, content in _of_one(holdings, shelf))
        items += items_of(holdings)
        lines.append(line_of(holdings))
        for name, brought in site.contributions(holdings).items():
            groups.setdefault(name, {})[slug] = brought
    digests = {name: site.digest(name, members) for name, members in groups.items()}
    digests = {name: digest for name, digest in digests.items() if digest is not None}
    for name, members in sorted(groups.items()):
        yield from ((key.removeprefix(layout.CATALOGUE), content) for key, content in site.of_group(name, members))
    whole = site.overview(world, lines, digests)
    for name, feed in site.feeds_of_all(whole).items():
        log, archive = logged(item for item in items if site.in_feed(name, item))
        yield from ((key.removeprefix(layout.CATALOGUE), content) for key, content in site.of_feed(feed, log, archive))
    yield from ((key.removeprefix(layout.CATALOGUE), content) for key, content in _of_years(whole, compared))
    yield from ((key.removeprefix(layout.CATALOGUE), content) for key, content in site.of_all(whole, digests))


def _of_years(whole: Overview, compared: Mapping[tuple[str, str], Mapping[str, Any]]) -> Files:
    years: dict[str, list[str]] = {}
    for (name, year), bodies in sorted(compared.items()):
        yield from comparing.of_year(whole, name, year, bodies)
        years.setdefault(name, []).append(year)
    yield from comparing.of_years(whole, {one.name: years.get(one.name, []) for one in whole.datasets})


def _of_one(holdings: Holdings, shelf: _Shelf) -> Files:
    for listing in shelf.listings:
        yield from site.of_series(holdings, listing)
    latest = {(one.dataset, one.sha256): one for one, _ in holdings.submissions}
    for submission, report in shelf.came:
        if report is not None and latest[submission.dataset, submission.sha256] == submission:
            yield from site.of_submission(holdings, submission, report)
    yield from site.of_body(holdings)


def _holdings(world: World, slug: str, shelf: _Shelf, since: Mapping[str, date]) -> Holdings:
    facts = [facts_of(listing) for listing in shelf.listings]
    return gather(world, site.body_of(world, slug, facts, sent=bool(shelf.came)), facts, shelf.told, since)


def _shelves(
    world: World, listings: Iterable[Listing], submissions: Iterable[tuple[Submission, Report | None]]
) -> dict[str, _Shelf]:
    slugs = {body.slug for body in world.expected}
    by_body: dict[str, list[Listing]] = {}
    for listing in listings:
        by_body.setdefault(listing.series.body, []).append(listing)
    came: dict[str, list[tuple[Submission, Report | None]]] = {}
    for submission, report in submissions:
        came.setdefault(submission.body, []).append((submission, report))
    return {slug: _Shelf(tuple(by_body.get(slug, ())), tuple(came.get(slug, ()))) for slug in {*slugs, *by_body, *came}}
