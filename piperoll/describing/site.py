"""The catalogue, part by part: what belongs to a series, to a file as received, to a body, and to all bodies together.

Each part is a function of what it is given, so that only those are made again whose facts have changed. What a body
brings to the parts that tell of all is a contribution: JSON under the name of the group that it belongs to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from piperoll import assets, layout
from piperoll.describing import pages
from piperoll.describing.atom import atom
from piperoll.describing.dcat import dcat, dcat_of
from piperoll.describing.facts import SeriesFacts
from piperoll.describing.feeds import Feed, Item, feed_of_all, feed_of_body, feed_of_dataset, items_of
from piperoll.describing.freshness import freshness, freshness_of
from piperoll.describing.holdings import Holdings, newest_first
from piperoll.describing.json_feed import json_feed
from piperoll.describing.late import (
    late_digest,
    late_feed_of_all,
    late_feed_of_body,
    late_groups,
    late_items,
    lateness_of,
)
from piperoll.describing.lines import BodyLine, Sum, added, sums_of
from piperoll.describing.overview import Overview
from piperoll.describing.packages import packages, packages_of
from piperoll.describing.paging import Log, Pages, documents, logged
from piperoll.describing.posts import posts_files, posts_of
from piperoll.describing.searching import fixed, parts, shards
from piperoll.describing.sitemap import sitemap_of, sitemaps
from piperoll.describing.statics import statics
from piperoll.describing.world import World
from piperoll.model import Body, Listing, Report, Submission

Files: TypeAlias = Iterator[tuple[str, bytes]]
"""Keys and what they hold."""

Groups: TypeAlias = dict[str, Any]
"""A body's contributions, by the name of the group."""

SUMS = "sums/"
"""Groups of what bodies bring to the figures of a dataset and year."""

LATE = "late/"
"""Groups of what bodies bring to the lateness with a duty in a period."""

SEARCH = "search/"
"""Groups of what bodies bring to the shards of the search index of two letters."""


def made_by(world: World) -> str:
    """What catalogues are made by, as a hash: our code, templates, datasets, libraries and settings.

    Where it is another, everything is made again.
    """
    digest = hashlib.sha256()
    packages = Path(__file__).parents[1]
    places_of = [*(packages / "describing").glob("*.py"), *(packages / "model").glob("*.py")]
    for path in sorted([*places_of, *(path for path in assets.folder("catalogue").rglob("*") if path.is_file())]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for dataset in world.datasets:
        digest.update(json.dumps([dataset.descriptor, assets.shown(dataset.name)], sort_keys=True).encode())
    versions = [version(name) for name in ("jinja2", "lxml")]
    digest.update(json.dumps([world.base_url, world.publisher_name, versions]).encode())
    return digest.hexdigest()[:20]


def of_series(holdings: Holdings, listing: Listing) -> Files:
    """The pages of a series and of its versions, and the posts that it tells of. They do not depend on the day."""
    for one in listing.history.versions:
        yield pages.version(holdings, listing, one)
    yield from posts_files(holdings.the_body, listing.series, posts_of(listing.summary))
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
    yield from pages.body(holdings)
    yield layout.body_freshness(slug), freshness_of(holdings)
    yield from dcat_of(holdings)
    yield from packages_of(holdings)
    yield sitemap_of(holdings)
    feed, (log, archive) = feed_of_body(holdings), logged(items_of(holdings))
    yield from of_feed(feed, log, archive)
    late = sorted(lateness_of(holdings), key=lambda item: item.place)
    yield from of_feed(late_feed_of_body(holdings, feed), Log(tail=tuple(late)), {})


def of_feed(feed: Feed, log: Log, archive: Pages) -> Files:
    """A feed and these pages of its archive, in both forms."""
    for document in documents(feed, log, archive):
        yield feed.key("atom", document.page), atom(document)
        yield feed.key("json", document.page), json_feed(document)


def contributions(holdings: Holdings) -> Groups:
    """What a body brings to the parts that tell of all, by the name of the group; its line (`line_of`) is apart."""
    groups: Groups = {}
    for (dataset, year), sums in sums_of(holdings).items():
        groups[f"{SUMS}{dataset}/{year}"] = [one.to_json() for one in sums]
    groups |= {f"{LATE}{name}": brought for name, brought in late_groups(holdings).items()}
    newest = sorted(holdings.listings, key=lambda facts: newest_first(facts.series.period))
    for letters, part in parts(holdings.the_body, ((facts.series, facts.names) for facts in newest)).items():
        groups[f"{SEARCH}{letters}"] = part
    return groups


def of_group(name: str, members: Mapping[str, Any]) -> Files:
    """The files that are made of a group alone."""
    if name.startswith(SEARCH):
        yield from shards(name.removeprefix(SEARCH), members)


def places_of(world: World, slug: str) -> list[str]:
    """What the keys begin with of all that is made of one body."""
    return layout.prefixes_of_body(slug, [dataset.name for dataset in world.datasets])


def places_of_group(name: str) -> list[str]:
    """What the keys begin with of all that is made of one group alone."""
    return [f"{layout.CATALOGUE}{name}"] if name.startswith(SEARCH) else []


def digest(name: str, members: Mapping[str, Any]) -> Any:
    """What `overview` takes of a group, from what each body brings to it: JSON; None: nothing."""
    if name.startswith(LATE):
        return late_digest(members)
    if name.startswith(SUMS):
        return [one.to_json() for one in added(Sum.from_json(one) for values in members.values() for one in values)]
    return None


def overview(world: World, lines: Iterable[BodyLine], digests: Mapping[str, Any]) -> Overview:
    """All bodies together, from the line of each and the digests of groups by name."""
    by_dataset: dict[str, list[Sum]] = {}
    for name, values in digests.items():
        if name.startswith(SUMS):
            dataset = name.removeprefix(SUMS).partition("/")[0]
            by_dataset.setdefault(dataset, []).extend(map(Sum.from_json, values))
    ordered = {name: added(found) for name, found in by_dataset.items()}
    return Overview.of(world, lines, ordered)


def of_all(whole: Overview, digests: Mapping[str, Any]) -> Files:
    """The pages and documents that tell of all bodies, but for the feeds of releases; the first page last."""
    yield from statics()
    yield fixed(whole.datasets)
    yield pages.search(whole)
    yield from pages.bodies(whole)
    for dataset in whole.datasets:
        yield from pages.dataset(whole, dataset)
    yield from dcat(whole)
    yield from packages(whole)
    yield from sitemaps(whole)
    late = {name.removeprefix(LATE): one for name, one in sorted(digests.items()) if name.startswith(LATE)}
    yield from of_feed(late_feed_of_all(feed_of_all(whole)), Log(tail=tuple(late_items(whole, late))), {})
    yield layout.FRESHNESS, freshness(whole)
    yield pages.home(whole)


def feeds_of_all(whole: Overview) -> dict[str, Feed]:
    """The feeds that tell of all bodies, by the name of the dataset; the one of everything under no name."""
    return {"": feed_of_all(whole)} | {dataset.name: feed_of_dataset(whole, dataset) for dataset in whole.datasets}


def in_feed(name: str, item: Item) -> bool:
    """Whether an item belongs into a feed of `feeds_of_all`."""
    return name in ("", item.tags[0])


def earliest(starts: Iterable[Mapping[str, date]]) -> dict[str, date]:
    """Of each dataset the first day that any of these names."""
    found: dict[str, date] = {}
    for one in starts:
        for name, day in one.items():
            found[name] = min(day, found.get(name, day))
    return dict(sorted(found.items()))


def body_of(world: World, slug: str, facts: Iterable[SeriesFacts], *, sent: bool) -> Body:
    """The body of a slug, as its releases name it where no register does."""
    return world.body(slug, sent=sent, sender=next((one.sender for one in facts if one.sender), None))
