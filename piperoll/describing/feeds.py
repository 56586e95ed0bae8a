"""The feeds: one item for each version of each series, told anew when it is withdrawn or removed.

Each declares its interval and the next due day. Atom (RFC 4287) and JSON Feed 1.1 tell the same items in the same
order, the latest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from piperoll.describing import figures, places
from piperoll.describing.duties import next_due
from piperoll.describing.frequency import every, most_often
from piperoll.describing.holdings import Holdings
from piperoll.describing.media import media_type
from piperoll.describing.restating import ending, restatement
from piperoll.describing.wording import series_title
from piperoll.model import Body, Dataset, Listing, Status, Version


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a release; `bytes` is None for an earlier version, whose sizes its own manifest tells."""

    url: str
    media_type: str
    title: str
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Item:
    """One version of one series, as a feed tells it."""

    id: str
    url: str
    title: str
    summary: str
    published: str
    updated: str
    body: str
    tags: tuple[str, ...]
    attachments: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """What both forms of a feed say. `interval` is a code of `frequency`, `next_expected` the next day due by law."""

    id: str
    title: str
    description: str
    home: str
    addresses: dict[str, str]
    keys: dict[str, str]
    updated: str
    interval: str
    next_expected: date | None
    author: str
    items: tuple[Item, ...]


def feeds(holdings: Holdings) -> Iterator[Feed]:
    """The feed of everything, then one for each dataset, then one for each body."""
    pairs = _pairs(holdings, holdings.listings)
    yield _feed(holdings, "urn:piperoll:feed", "All releases", places.HOME, {}, holdings.listings, pairs)
    for dataset in holdings.datasets:
        listings = holdings.of_dataset(dataset.name)
        name, page = f"urn:piperoll:feed:dataset:{dataset.name}", places.dataset_page(dataset.name)
        pairs = _pairs(holdings, listings)
        yield _feed(holdings, name, dataset.title, page, {"dataset": dataset.name}, listings, pairs)
    for body in holdings.bodies:
        listings = holdings.of_body(body.slug)
        name, page = f"urn:piperoll:feed:body:{body.slug}", places.body_page(body.slug)
        pairs = [(dataset, body) for dataset in holdings.datasets]
        yield _feed(holdings, name, body.name, page, {"body": body.slug}, listings, pairs)


def _pairs(holdings: Holdings, listings: Iterable[Listing]) -> list[tuple[Dataset, Body]]:
    """The datasets and bodies that something is published of."""
    names = sorted({(listing.series.dataset, listing.series.body) for listing in listings})
    return [(holdings.dataset(dataset), holdings.body(body)) for dataset, body in names]


def _feed(
    holdings: Holdings,
    name: str,
    title: str,
    page: str,
    of: dict[str, str],
    listings: Sequence[Listing],
    pairs: Sequence[tuple[Dataset, Body]],
) -> Feed:
    items = sorted(_items(holdings, listings), key=lambda item: (item.updated, item.id), reverse=True)
    days = [day for dataset, body in pairs if (day := next_due(dataset, body, holdings.on)) is not None]
    keys = {form: places.feed(form, **of) for form in ("atom", "json")}
    intervals = [every(dataset, body, listings) for dataset, body in pairs]
    return Feed(
        id=name,
        title=f"{title} – {holdings.publisher_name}",
        description="A new item for each release: a table that is new, corrected or withdrawn.",
        home=places.address(holdings.base_url, page),
        addresses={form: places.address(holdings.base_url, key) for form, key in keys.items()},
        keys=keys,
        updated=items[0].updated if items else f"{holdings.on}T00:00:00Z",
        interval=most_often(intervals),
        next_expected=min(days, default=None),
        author=holdings.publisher_name,
        items=tuple(items),
    )


def _items(holdings: Holdings, listings: Iterable[Listing]) -> Iterator[Item]:
    for listing in listings:
        for version in listing.history.versions:
            yield _item(holdings, listing, version)


def _item(holdings: Holdings, listing: Listing, version: Version) -> Item:
    series = listing.series
    dataset, body = holdings.dataset(series.dataset), holdings.body(series.body)
    tags = (dataset.name, body.slug, str(series.period), *((series.part,) if series.part else ()), str(version.status))
    return Item(
        id=places.release_name(series, version),
        url=places.address(holdings.base_url, places.version_page(series, version)),
        title=f"{_PREFIX[version.status]}{series_title(dataset, body, series)} (version {version.version})",
        summary=_summary(listing, version, dataset, body),
        published=version.published,
        updated=version.ended or version.published,
        body=body.name,
        tags=tags,
        attachments=tuple(_attachments(holdings, listing, version)),
    )


_PREFIX = {Status.CURRENT: "", Status.SUPERSEDED: "", Status.WITHDRAWN: "Withdrawn: ", Status.PURGED: "Removed: "}


def _summary(listing: Listing, version: Version, dataset: Dataset, body: Body) -> str:
    """How many rows and pounds, what changed, why, and when the next is due after this one."""
    amount = "" if version.amount_gbp is None else f", {figures.pounds(version.amount_gbp)}"
    sentences = [f"{figures.counted(version.rows, 'row')}{amount}.", f"{version.reason.rstrip('.')}."]
    before = None if version.supersedes is None else listing.history.version(version.supersedes)
    if told := restatement(version):
        sentences.append(told)
    elif before is not None:
        sentences.append(f"Rows against version {before.version}: {figures.change(version.rows - before.rows)}.")
    if over := ending(version):
        return " ".join([over, *sentences])
    day = next_due(dataset, body, date.fromisoformat(version.published[:10]))
    if day is not None:
        sentences.append(f"Next due by law on {figures.day(day)}.")
    return " ".join(sentences)


def _attachments(holdings: Holdings, listing: Listing, version: Version) -> Iterator[Attachment]:
    """The CSV and the Data Package of a version that is served, and the rows that it changed."""
    if version.status not in (Status.CURRENT, Status.SUPERSEDED):
        return
    current = listing.manifest is not None and version.version == listing.history.current
    sizes = {entry.path: entry.bytes for entry in listing.manifest.files} if listing.manifest and current else {}
    for name in (f"{listing.series.dataset}.csv", "datapackage.json"):
        key = places.release_file(listing.series, version, name)
        yield Attachment(places.address(holdings.base_url, key), media_type(name), name, sizes.get(name))
    changes = version.changes
    if changes is not None and changes.file is not None:
        key = listing.series.prefix + changes.file.path
        title = f"Rows that differ from version {changes.against}"
        yield Attachment(places.address(holdings.base_url, key), media_type("changes.csv"), title, changes.file.bytes)
