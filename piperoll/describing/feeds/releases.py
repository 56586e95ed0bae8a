"""The feeds of releases: one item for each version of each series, and another when it is withdrawn or removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from piperoll import layout
from piperoll.describing import urls
from piperoll.describing.context import Holdings
from piperoll.describing.overview import DatasetDigest, Overview
from piperoll.describing.series_facts import SeriesFacts
from piperoll.describing.wording import (
    describe_changes,
    describe_ending,
    format_change,
    format_count,
    format_day,
    format_pounds,
    series_title,
)
from piperoll.duties import next_due_day, publication_interval, shortest_interval
from piperoll.model import Dataset, Status, Version

_DESCRIPTION = "A new item for each release: a table that is new, corrected or withdrawn."
_TITLE_PREFIXES = {
    Status.CURRENT: "",
    Status.SUPERSEDED: "",
    Status.WITHDRAWN: "Withdrawn: ",
    Status.PURGED: "Removed: ",
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a release; `bytes` is None if its size is not known."""

    url: str
    media_type: str
    title: str
    bytes: int | None


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One item of a feed."""

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
    def position(self) -> tuple[str, str]:
        """Sort key: oldest first. It never changes, so an item never moves within its feed."""
        return (self.published, self.id)


@dataclass(frozen=True, slots=True)
class Feed:
    """What both formats of a feed have in common.

    `stem` is the key of the feed without its format, `interval` one of `duties.calendar.INTERVALS`, and
    `next_expected` the next day that a release is due by law.
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
        """Return the key of the feed as `atom` or `json`, or of a page of its archive."""
        return f"{self.stem}.{form}" if page is None else f"{layout.feed_archive(self.stem)}{page}.{form}"

    def address(self, form: str, page: int | None = None) -> str:
        """Return the web address of the feed, or of a page of its archive."""
        return urls.address(self.base_url, self.key(form, page))


def body_feed(holdings: Holdings) -> Feed:
    """Return the feed of a body's releases."""
    body, series = holdings.body, [facts.series for facts in holdings.series]
    published = {one.dataset for one in series}
    days = [next_due_day(dataset, body, holdings.on) for dataset in holdings.datasets]
    return Feed(
        id=f"urn:piperoll:feed:body:{body.slug}",
        title=f"{body.name} – {holdings.publisher_name}",
        description=_DESCRIPTION,
        home=urls.address(holdings.base_url, layout.body_page(body.slug)),
        stem=layout.feed("", body=body.slug).removesuffix("."),
        base_url=holdings.base_url,
        interval=shortest_interval(
            publication_interval(dataset, body, series) for dataset in holdings.datasets if dataset.name in published
        ),
        next_expected=min((day for day in days if day is not None), default=None),
        author=holdings.publisher_name,
    )


def list_feeds(overview: Overview) -> dict[str, Feed]:
    """Return the feeds about all bodies: one of everything, under the empty string, and one for each dataset."""
    everything = [digest for one in overview.digests for digest in one.datasets.values()]
    feeds = {"": _overview_feed(overview, None, everything)}
    for dataset in overview.datasets:
        digests = [one.datasets[dataset.name] for one in overview.publishing(dataset.name)]
        feeds[dataset.name] = _overview_feed(overview, dataset, digests)
    return feeds


def belongs_in_feed(name: str, item: FeedItem) -> bool:
    """True if an item belongs in the feed that `list_feeds` returns under `name`."""
    return name in ("", item.tags[0])


def _overview_feed(overview: Overview, dataset: Dataset | None, digests: Iterable[DatasetDigest]) -> Feed:
    digests = list(digests)
    days = [digest.next_due for digest in digests if digest.next_due is not None]
    return Feed(
        id="urn:piperoll:feed" + ("" if dataset is None else f":dataset:{dataset.name}"),
        title=f"{'All releases' if dataset is None else dataset.title} – {overview.publisher_name}",
        description=_DESCRIPTION,
        home=urls.address(overview.base_url, layout.HOME if dataset is None else layout.dataset_page(dataset.name)),
        stem=layout.feed("", dataset=None if dataset is None else dataset.name).removesuffix("."),
        base_url=overview.base_url,
        interval=shortest_interval(digest.interval for digest in digests),
        next_expected=min(days, default=None),
        author=overview.publisher_name,
    )


def list_items(holdings: Holdings) -> list[FeedItem]:
    """Return the items of a body, oldest first: one for each version, and another if it was withdrawn or removed."""
    items = []
    for facts in holdings.series:
        for version in facts.history.versions:
            item = _version_item(holdings, facts, version)
            items.append(item)
            if version.ended is not None:
                items.append(replace(item, id=f"{item.id}#{version.status}", published=version.ended))
    return sorted(items, key=lambda item: item.position)


def _version_item(holdings: Holdings, facts: SeriesFacts, version: Version) -> FeedItem:
    series, body = facts.series, holdings.body
    dataset = holdings.dataset(series.dataset)
    # how many rows and pounds the version has, why it was published, what changed and when the next one is due
    amount = "" if version.amount_gbp is None else f", {format_pounds(version.amount_gbp)}"
    sentences = [f"{format_count(version.rows, 'row')}{amount}.", f"{version.reason.rstrip('.')}."]
    before = None if version.supersedes is None else facts.history.version(version.supersedes)
    if changes := describe_changes(version):
        sentences.append(changes)
    elif before is not None:
        sentences.append(f"Rows against version {before.version}: {format_change(version.rows - before.rows)}.")
    day = next_due_day(dataset, body, date.fromisoformat(version.published[:10]))
    if ending := describe_ending(version):
        sentences.insert(0, ending)
    elif day is not None:
        sentences.append(f"Next due by law on {format_day(day)}.")
    ended = (str(version.status),) if version.ended is not None else ()
    title = f"{_TITLE_PREFIXES[version.status]}{series_title(dataset, body, series)} (version {version.version})"
    return FeedItem(
        id=urls.release_urn(series, version),
        url=urls.address(holdings.base_url, layout.version_page(series, version)),
        title=title,
        summary=" ".join(sentences),
        published=version.published,
        updated=version.ended or version.published,
        body=body.name,
        tags=(dataset.name, body.slug, str(series.period), *((series.part,) if series.part else ()), *ended),
        attachments=_attachments(holdings, facts, version),
    )


def _attachments(holdings: Holdings, facts: SeriesFacts, version: Version) -> tuple[Attachment, ...]:
    """The CSV, the Data Package and the changed rows of a version; none once it is withdrawn or removed."""
    if version.status not in (Status.CURRENT, Status.SUPERSEDED):
        return ()
    sizes: Mapping[str, int] = {entry.path: entry.bytes for entry in facts.files_of(version)}
    found = []
    for name, media_type in ((f"{facts.series.dataset}.csv", "text/csv"), ("datapackage.json", "application/json")):
        url = urls.address(holdings.base_url, layout.release_file(facts.series, version, name))
        found.append(Attachment(url, media_type, name, sizes.get(name)))
    changes = version.changes
    if changes is not None and changes.file is not None:
        url = urls.address(holdings.base_url, layout.series_folder(facts.series) + changes.file.path)
        title = f"Rows that differ from version {changes.against}"
        found.append(Attachment(url, "text/csv", title, changes.file.bytes))
    return tuple(found)
