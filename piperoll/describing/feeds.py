"""The feeds: one item for each version of each series, and one more when it is withdrawn or removed.

Each declares its interval and the next due day. Atom (RFC 4287) and JSON Feed 1.1 tell the same items in the same
order, the latest first; older ones stand in archived pages (RFC 5005, `piperoll.describing.paging`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from piperoll import layout
from piperoll.describing import figures, places
from piperoll.describing.facts import SeriesFacts
from piperoll.describing.holdings import Holdings
from piperoll.describing.lines import ShelfLine
from piperoll.describing.media import media_type
from piperoll.describing.overview import Overview
from piperoll.describing.restating import ending, restatement
from piperoll.describing.wording import series_title
from piperoll.duties import next_due_day, publication_interval, shortest_interval
from piperoll.model import Body, Dataset, Status, Version


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a release; `bytes` is None where we do not know."""

    url: str
    media_type: str
    title: str
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Item:
    """Something that happened, as a feed tells it."""

    id: str
    url: str
    title: str
    summary: str
    published: str
    updated: str
    body: str
    tags: tuple[str, ...]
    attachments: tuple[Attachment, ...]

    @property
    def place(self) -> tuple[str, str]:
        """Where it stands in a feed: it never moves."""
        return (self.published, self.id)

    def to_json(self) -> dict[str, Any]:
        """The item as it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Item:
        """The item that `to_json` wrote."""
        attachments = tuple(Attachment(**one) for one in document["attachments"])
        return cls(**dict(document) | {"tags": tuple(document["tags"]), "attachments": attachments})


@dataclass(frozen=True, slots=True)
class Feed:
    """What both forms of a feed say of it. `stem` is its key without the form (`layout.feed`).

    `interval` is a code of `frequency`, `next_expected` the next day due by law.
    """

    id: str
    title: str
    description: str
    home: str
    stem: str
    base_url: str
    interval: str
    next_expected: date | None
    author: str

    def key(self, form: str, page: int | None = None) -> str:
        """The key of the feed in a form (atom or json), or of a page of its archive."""
        return f"{self.stem}.{form}" if page is None else f"{self.archive}{page}.{form}"

    def address(self, form: str, page: int | None = None) -> str:
        """The web address of the feed, or of a page of its archive."""
        return places.address(self.base_url, self.key(form, page))

    @property
    def archive(self) -> str:
        """What the keys of its archive begin with."""
        return layout.feed_archive(self.stem)


def feed_of_body(holdings: Holdings) -> Feed:
    """The feed of a body's releases."""
    body = holdings.the_body
    published = {facts.series.dataset for facts in holdings.listings}
    days = [next_due_day(dataset, body, holdings.on) for dataset in holdings.datasets]
    intervals = [
        publication_interval(dataset, body, (one.series for one in holdings.listings))
        for dataset in holdings.datasets
        if dataset.name in published
    ]
    return Feed(
        id=f"urn:piperoll:feed:body:{body.slug}",
        title=f"{body.name} – {holdings.publisher_name}",
        description=_DESCRIPTION,
        home=places.address(holdings.base_url, layout.body_page(body.slug)),
        stem=layout.feed("", body=body.slug).removesuffix("."),
        base_url=holdings.base_url,
        interval=shortest_interval(intervals),
        next_expected=min((day for day in days if day is not None), default=None),
        author=holdings.publisher_name,
    )


def feed_of_dataset(overview: Overview, dataset: Dataset) -> Feed:
    """The feed of a dataset's releases."""
    shelves = [line.shelves[dataset.name] for line in overview.of_dataset(dataset.name)]
    name, page = f"urn:piperoll:feed:dataset:{dataset.name}", layout.dataset_page(dataset.name)
    return _feed(overview, name, dataset.title, page, {"dataset": dataset.name}, shelves)


def feed_of_all(overview: Overview) -> Feed:
    """The feed of every release."""
    shelves = [shelf for line in overview.lines for shelf in line.shelves.values()]
    return _feed(overview, "urn:piperoll:feed", "All releases", layout.HOME, {}, shelves)


_DESCRIPTION = "A new item for each release: a table that is new, corrected or withdrawn."


def _feed(
    overview: Overview, name: str, title: str, page: str, of: Mapping[str, str], shelves: Iterable[ShelfLine]
) -> Feed:
    shelves = list(shelves)
    world = overview.world
    return Feed(
        id=name,
        title=f"{title} – {world.publisher_name}",
        description=_DESCRIPTION,
        home=places.address(world.base_url, page),
        stem=layout.feed("", **of).removesuffix("."),
        base_url=world.base_url,
        interval=shortest_interval(shelf.every for shelf in shelves),
        next_expected=min((shelf.next_due for shelf in shelves if shelf.next_due is not None), default=None),
        author=world.publisher_name,
    )


def items_of(holdings: Holdings) -> list[Item]:
    """The items of a body, the oldest first: of each version one, and one more where it was taken back."""
    found = [
        item
        for facts in holdings.listings
        for version in facts.history.versions
        for item in _items(holdings, facts, version)
    ]
    return sorted(found, key=lambda item: item.place)


def _items(holdings: Holdings, facts: SeriesFacts, version: Version) -> Iterator[Item]:
    item = _item(holdings, facts, version)
    yield item
    if version.ended is not None:
        yield replace(item, id=f"{item.id}#{version.status}", published=version.ended)


def _item(holdings: Holdings, facts: SeriesFacts, version: Version) -> Item:
    series = facts.series
    dataset, body = holdings.dataset(series.dataset), holdings.the_body
    ended = (str(version.status),) if version.ended is not None else ()
    return Item(
        id=places.release_name(series, version),
        url=places.address(holdings.base_url, layout.version_page(series, version)),
        title=f"{_PREFIX[version.status]}{series_title(dataset, body, series)} (version {version.version})",
        summary=_summary(facts, version, dataset, body),
        published=version.published,
        updated=version.ended or version.published,
        body=body.name,
        tags=(dataset.name, body.slug, str(series.period), *((series.part,) if series.part else ()), *ended),
        attachments=tuple(_attachments(holdings, facts, version)),
    )


_PREFIX = {Status.CURRENT: "", Status.SUPERSEDED: "", Status.WITHDRAWN: "Withdrawn: ", Status.PURGED: "Removed: "}


def _summary(facts: SeriesFacts, version: Version, dataset: Dataset, body: Body) -> str:
    """How many rows and pounds, what changed, why, and when the next is due after this one."""
    amount = "" if version.amount_gbp is None else f", {figures.pounds(version.amount_gbp)}"
    sentences = [f"{figures.counted(version.rows, 'row')}{amount}.", f"{version.reason.rstrip('.')}."]
    before = None if version.supersedes is None else facts.history.version(version.supersedes)
    if told := restatement(version):
        sentences.append(told)
    elif before is not None:
        sentences.append(f"Rows against version {before.version}: {figures.change(version.rows - before.rows)}.")
    if over := ending(version):
        return " ".join([over, *sentences])
    day = next_due_day(dataset, body, date.fromisoformat(version.published[:10]))
    if day is not None:
        sentences.append(f"Next due by law on {figures.day(day)}.")
    return " ".join(sentences)


def _attachments(holdings: Holdings, facts: SeriesFacts, version: Version) -> Iterator[Attachment]:
    """The CSV and the Data Package of a version that is served, and the rows that it changed."""
    if version.status not in (Status.CURRENT, Status.SUPERSEDED):
        return
    sizes = {entry.path: entry.bytes for entry in facts.files_of(version)}
    for name in (f"{facts.series.dataset}.csv", "datapackage.json"):
        key = layout.release_file(facts.series, version, name)
        yield Attachment(places.address(holdings.base_url, key), media_type(name), name, sizes.get(name))
    changes = version.changes
    if changes is not None and changes.file is not None:
        key = layout.series_folder(facts.series) + changes.file.path
        title = f"Rows that differ from version {changes.against}"
        yield Attachment(places.address(holdings.base_url, key), media_type("changes.csv"), title, changes.file.bytes)
