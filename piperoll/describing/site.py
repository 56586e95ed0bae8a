"""The catalogue, part by part: what belongs to a series, to a file as received, to a body, and to all bodies together.

Each part is a function of what it is given, so that only those are made again whose facts have changed. What a body
brings to the parts that tell of all is a contribution: JSON under the name of the group that it belongs to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from piperoll.describing import pages, places
from piperoll.describing.atom import atom
from piperoll.describing.dcat import dcat, dcat_of
from piperoll.describing.facts import SeriesFacts, Told, facts_of
from piperoll.describing.feeds import Feed, Item, feed_of_all, feed_of_body, feed_of_dataset, items_of
from piperoll.describing.freshness import freshness, freshness_of
from piperoll.describing.holdings import Holdings, first_starts, gather
from piperoll.describing.json_feed import json_feed
from piperoll.describing.lines import BodyLine, Sum, added, line_of, sums_of
from piperoll.describing.overview import Overview
from piperoll.describing.paging import Log, Pages, documents, logged
from piperoll.describing.searching import fixed, parts, shards
from piperoll.describing.statics import statics
from piperoll.describing.world import World
from piperoll.model import Body, Dataset, Listing, Register, Report, Submission, to_json_bytes

Files: TypeAlias = Iterator[tuple[str, bytes]]
"""Keys and what they hold."""

Groups: TypeAlias = dict[str, Any]
"""A body's contributions, by the name of the group."""

BODIES = "bodies"
SUMS = "sums/"
SEARCH = "search/"


def of_series(holdings: Holdings, listing: Listing) -> Files:
    """The pages of a series and of its versions. They do not depend on the day."""
    for version in listing.history.versions:
        yield pages.version(holdings, listing, version)
    yield pages.series(holdings, listing)


def surroundings(holdings: Holdings, facts: SeriesFacts) -> str:
    """What the pages of a series depend on besides the series itself, as a hash: if it is another, make them again."""
    sources = {source for version in facts.history.versions for source in version.sources}
    told = [one.sha256 for one, report in holdings.submissions if report is not None and one.sha256 in sources]
    around = [
        str(holdings.the_body),
        [str(other.series) for other in holdings.overlapping(facts.series)],
        sorted({one.series.period.kind.value for one in holdings.of_dataset(facts.series.dataset)}),
        sorted(told),
    ]
    return hashlib.sha256(json.dumps(around).encode()).hexdigest()[:16]


def of_submission(holdings: Holdings, submission: Submission, report: Report) -> Files:
    """The page of the public report of a file as received."""
    yield pages.submission(holdings, submission, report)


def of_body(holdings: Holdings) -> Files:
    """The pages and documents of a body."""
    slug = holdings.the_body.slug
    yield pages.body(holdings)
    yield places.body_freshness(slug), freshness_of(holdings)
    yield places.body_dcat(slug), dcat_of(holdings)
    log, archive = logged(items_of(holdings))
    yield from of_feed(feed_of_body(holdings), log, archive)


def of_feed(feed: Feed, log: Log, archive: Pages) -> Files:
    """A feed and these pages of its archive, in both forms."""
    for document in documents(feed, log, archive):
        yield feed.key("atom", document.page), atom(document)
        yield feed.key("json", document.page), json_feed(document)


def contributions(holdings: Holdings) -> Groups:
    """What a body brings to the parts that tell of all."""
    groups: Groups = {BODIES: line_of(holdings).to_json()}
    for (dataset, year), sums in sums_of(holdings).items():
        groups[f"{SUMS}{dataset}/{year}"] = [one.to_json() for one in sums]
    told = [(facts.series, facts.names) for facts in holdings.listings]
    groups |= {SEARCH + letters: part for letters, part in parts(holdings.the_body, told).items()}
    return groups


def of_search(name: str, members: Mapping[str, Any]) -> Files:
    """The shards of the search index of a group, from what each body brings to it."""
    yield from shards(name.removeprefix(SEARCH), members)


def summed(members: Mapping[str, Any]) -> list[Any]:
    """The sums of a dataset and year over bodies, from what each brings: JSON that `overview` takes."""
    return [one.to_json() for one in added(Sum.from_json(one) for values in members.values() for one in values)]


def overview(world: World, lines: Mapping[str, Any], sums: Mapping[str, Any]) -> Overview:
    """All bodies together, from the contributions of each and the sums by name of their group."""
    by_dataset: dict[str, list[Sum]] = {}
    for name, values in sums.items():
        dataset = name.removeprefix(SUMS).partition("/")[0]
        by_dataset.setdefault(dataset, []).extend(map(Sum.from_json, values))
    ordered = {name: added(found) for name, found in by_dataset.items()}
    return Overview.of(world, map(BodyLine.from_json, lines.values()), ordered)


def of_all(whole: Overview) -> Files:
    """The pages and documents that tell of all bodies, but for the feeds; the first page last."""
    yield from statics()
    yield fixed(whole.datasets)
    yield pages.search(whole)
    yield from pages.bodies(whole)
    for dataset in whole.datasets:
        yield pages.dataset(whole, dataset)
    yield places.DCAT, dcat(whole)
    yield places.FRESHNESS, freshness(whole)
    yield pages.home(whole)


def feeds_of_all(whole: Overview) -> dict[str, Feed]:
    """The feeds that tell of all bodies, by the name of the dataset; the one of everything under no name."""
    return {"": feed_of_all(whole)} | {dataset.name: feed_of_dataset(whole, dataset) for dataset in whole.datasets}


def in_feed(name: str, item: Item) -> bool:
    """Whether an item belongs into a feed of `feeds_of_all`."""
    return name in ("", item.tags[0])


@dataclass(frozen=True)
class _Shelf:
    """All that is given of one body."""

    listings: tuple[Listing, ...]
    came: tuple[tuple[Submission, Report | None], ...]

    @property
    def told(self) -> list[tuple[Submission, Told | None]]:
        """What came, as the pages of others tell it."""
        return [(one, None if report is None else Told.of(report)) for one, report in self.came]


def catalogue(
    listings: Sequence[Listing],
    *,
    datasets: Iterable[Dataset],
    register: Register,
    base_url: str,
    publisher_name: str,
    on: date,
    submissions: Sequence[tuple[Submission, Report | None]] = (),
) -> Files:
    """Every file of the catalogue with its key relative to `catalogue/`, the first page last.

    A function of what is given: the same listings on the same day give the same bytes. `base_url`, ending in a
    slash, is where the store is served: `catalogue/`, `data/` and `reports/` stand below it. `submissions` come with
    their public reports, for what stands in them is published.
    Raises: UnknownDataset: something is published of a dataset that is not among `datasets`.
    """
    world = World.of(datasets, base_url, publisher_name, on, register, register)
    shelves = _shelves(world, listings, submissions)
    since = earliest(first_starts(shelf.told, on) for shelf in shelves.values())
    groups: dict[str, dict[str, Any]] = {}
    items: list[Item] = []
    for slug, shelf in sorted(shelves.items()):
        holdings = _holdings(world, slug, shelf, since)
        yield from ((key.removeprefix(places.ROOT), content) for key, content in _of_one(holdings, shelf))
        items += items_of(holdings)
        for name, brought in contributions(holdings).items():
            groups.setdefault(name, {})[slug] = brought
    sums = {name: summed(members) for name, members in groups.items() if name.startswith(SUMS)}
    whole = overview(world, groups.get(BODIES, {}), sums)
    for name in sorted(groups):
        if name.startswith(SEARCH):
            yield from ((key.removeprefix(places.ROOT), content) for key, content in of_search(name, groups[name]))
    for name, feed in feeds_of_all(whole).items():
        log, archive = logged(item for item in items if in_feed(name, item))
        yield from ((key.removeprefix(places.ROOT), content) for key, content in of_feed(feed, log, archive))
    yield from ((key.removeprefix(places.ROOT), content) for key, content in of_all(whole))


def earliest(starts: Iterable[Mapping[str, date]]) -> dict[str, date]:
    """Of each dataset the first day that any of these names."""
    found: dict[str, date] = {}
    for one in starts:
        for name, day in one.items():
            found[name] = min(day, found.get(name, day))
    return dict(sorted(found.items()))


def _of_one(holdings: Holdings, shelf: _Shelf) -> Files:
    for listing in shelf.listings:
        yield from of_series(holdings, listing)
    latest = {(one.dataset, one.sha256): one for one, _ in holdings.submissions}
    for submission, report in shelf.came:
        if report is not None and latest[submission.dataset, submission.sha256] == submission:
            yield from of_submission(holdings, submission, report)
    yield from of_body(holdings)


def _holdings(world: World, slug: str, shelf: _Shelf, since: Mapping[str, date]) -> Holdings:
    facts = [facts_of(listing) for listing in shelf.listings]
    return gather(world, body_of(world, slug, facts, sent=bool(shelf.came)), facts, shelf.told, since)


def body_of(world: World, slug: str, facts: Iterable[SeriesFacts], *, sent: bool) -> Body:
    """The body of a slug, as its releases name it where no register does."""
    return world.body(slug, sent=sent, sender=next((one.sender for one in facts if one.sender), None))


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


__all__ = ["catalogue", "contributions", "of_all", "of_body", "of_series", "of_submission", "to_json_bytes"]
