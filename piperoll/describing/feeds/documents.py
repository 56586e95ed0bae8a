"""Feed documents: which items go where (RFC 5005), written as Atom (RFC 4287) and as JSON Feed 1.1.

Items are in the order in which they happened. The first fifty are page 1 of the archive, and so on. The feed itself
has the last fifty and all newer items, up to 99; no item is in two documents. A page is full when it is archived. After
that only its link to the next page changes, and an item whose release is withdrawn or removed.

Both formats have the same items, latest first, and both say how often a release is due and when the next one is. Atom
uses the elements of the RSS syndication module and, for the next day, a namespace of ours, as no standard has a term.
A page of the archive says neither, so that it need not change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from piperoll.describing.feeds.releases import Attachment, Feed, FeedItem
from piperoll.model import to_compact_json_bytes

PAGE = 50
"""Items of an archive page: with their attachments they take about 60 kB."""

ArchivePages = dict[int, tuple[FeedItem, ...]]
"""Items of archive pages, oldest first, by page number."""


@dataclass(frozen=True, slots=True)
class FeedLog:
    """What must be kept of a feed to add to it: where each archive page starts, and the items that are newer.

    Both are oldest first. A start is the `position` of the first item of a page.
    """

    starts: tuple[tuple[str, str], ...] = ()
    tail: tuple[FeedItem, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """A feed, or the page `page` of its archive, with its items, latest first; `archived` counts the pages."""

    feed: Feed
    items: tuple[FeedItem, ...]
    page: int | None
    archived: int

    @property
    def before(self) -> int | None:
        """The page with older items."""
        page = self.archived if self.page is None else self.page - 1
        return page or None


def archive_items(items: Iterable[FeedItem]) -> tuple[FeedLog, ArchivePages]:
    """Divide all items of a feed into its log and the pages of its archive."""
    ordered = _oldest_first(items)
    archived = max(0, len(ordered) // PAGE - 1) * PAGE
    pages = {start // PAGE + 1: ordered[start : start + PAGE] for start in range(0, archived, PAGE)}
    return FeedLog(tuple(page[0].position for page in pages.values()), ordered[archived:]), pages


def add_items(
    log: FeedLog, items: Sequence[FeedItem], read_page: Callable[[int], Sequence[FeedItem]]
) -> tuple[FeedLog, ArchivePages] | None:
    """Add items that are new or have changed; return the new log and the archive pages that differ.

    `read_page` returns the items of an archive page, in any order. Returns None if a new item belongs in the archive:
    then the feed must be made again from all items. Adding the same items twice changes nothing.
    """
    first = log.tail[0].position if log.starts else None
    older = [item for item in items if first is not None and item.position < first]
    newer = [item for item in items if first is None or item.position >= first]
    by_page: dict[int, dict[str, FeedItem]] = {}
    for item in older:
        by_page.setdefault(max(1, sum(start <= item.position for start in log.starts)), {})[item.id] = item
    changed: ArchivePages = {}
    for number, given in sorted(by_page.items()):
        held = {item.id: item for item in read_page(number)}
        if not given.keys() <= held.keys():
            return None
        changed[number] = _oldest_first((held | given).values())
    tail = {item.id: item for item in log.tail}
    newest, fresh = archive_items((tail | {item.id: item for item in newer}).values())
    count = len(log.starts)
    if fresh and count and count not in changed:
        changed[count] = _oldest_first(read_page(count))  # its link to the next page is new
    changed |= {count + number: held for number, held in fresh.items()}
    return FeedLog(log.starts + newest.starts, newest.tail), changed


def render_feed(feed: Feed, log: FeedLog, pages: ArchivePages) -> Iterator[tuple[str, bytes]]:
    """Render a feed and these pages of its archive in both formats, with their keys."""
    archived = len(log.starts)
    documents = [FeedDocument(feed, items[::-1], number, archived) for number, items in sorted(pages.items())]
    for document in [*documents, FeedDocument(feed, log.tail[::-1], None, archived)]:
        yield feed.key("atom", document.page), write_atom(document)
        yield feed.key("json", document.page), write_json_feed(document)


def _oldest_first(items: Iterable[FeedItem]) -> tuple[FeedItem, ...]:
    return tuple(sorted(items, key=lambda item: item.position))


# --- Atom ---------------------------------------------------------------------------------------------------------

_ATOM = "http://www.w3.org/2005/Atom"
_HISTORY = "http://purl.org/syndication/history/1.0"
_SYNDICATION = "http://purl.org/rss/1.0/modules/syndication/"
_XML = "http://www.w3.org/XML/1998/namespace"
_PUBLICATION = "urn:piperoll:ns:publication"
_NAMESPACES = {None: _ATOM, "fh": _HISTORY, "sy": _SYNDICATION, "publication": _PUBLICATION}

_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 cannot represent, even escaped."""

_UPDATE_PERIODS = {
    "monthly": ("monthly", 1),
    "quarterly": ("yearly", 4),
    "semiannual": ("yearly", 2),
    "annual": ("yearly", 1),
    "irregular": ("yearly", 1),
}
"""Each interval as the RSS syndication module writes it: a period, and how many updates it has."""


def write_atom(document: FeedDocument) -> bytes:
    """Write a document as Atom."""
    feed, page = document.feed, document.page
    root = etree.Element(f"{{{_ATOM}}}feed", {f"{{{_XML}}}lang": "en-GB"}, nsmap=_NAMESPACES)  # type: ignore[arg-type]
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "subtitle", feed.description)
    _add(root, "updated", max((item.updated for item in document.items), default="1970-01-01T00:00:00Z"))
    _add(_add(root, "author"), "name", feed.author)
    _add(root, "generator", "Piperoll")
    kind = "application/atom+xml"
    _add(root, "link", rel="self", type=kind, href=feed.address("atom", page))
    _add(root, "link", rel="alternate", type="text/html", href=feed.home)
    if page is not None:
        _add(root, "link", rel="current", type=kind, href=feed.address("atom"))
    if document.before is not None:
        _add(root, "link", rel="prev-archive", type=kind, href=feed.address("atom", document.before))
    if page is not None and page < document.archived:  # the newest items are in the feed itself
        _add(root, "link", rel="next-archive", type=kind, href=feed.address("atom", page + 1))
    if page is None:
        period, times = _UPDATE_PERIODS[feed.interval]
        etree.SubElement(root, f"{{{_SYNDICATION}}}updatePeriod").text = period
        etree.SubElement(root, f"{{{_SYNDICATION}}}updateFrequency").text = str(times)
        if feed.next_expected is not None:
            etree.SubElement(root, f"{{{_PUBLICATION}}}nextExpected").text = feed.next_expected.isoformat()
    else:
        etree.SubElement(root, f"{{{_HISTORY}}}archive")
    for item in document.items:
        entry = _add(root, "entry")
        _add(entry, "id", item.id)
        _add(entry, "title", item.title)
        _add(entry, "summary", item.summary)
        _add(_add(entry, "author"), "name", item.body)
        _add(entry, "published", item.published)
        _add(entry, "updated", item.updated)
        _add(entry, "link", rel="alternate", type="text/html", href=item.url)
        for one in item.attachments:
            size = {} if one.bytes is None else {"length": str(one.bytes)}
            _add(entry, "link", rel="enclosure", type=one.media_type, title=one.title, href=one.url, **size)
        for tag in item.tags:
            _add(entry, "category", term=tag)
    content: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    element.text = None if text is None else _NOT_IN_XML.sub("", text)
    return element


# --- JSON Feed ----------------------------------------------------------------------------------------------------


def write_json_feed(document: FeedDocument) -> bytes:
    """Write a document as JSON Feed 1.1 (https://jsonfeed.org/version/1.1).

    `_publication` is our extension: how often a release is due, and the next day that one is due by law. `next_url`
    leads to older items.
    """
    feed = document.feed
    written: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.address("json", document.page),
        "description": feed.description,
        "language": "en-GB",
        "authors": [{"name": feed.author}],
    }
    if document.before is not None:
        written["next_url"] = feed.address("json", document.before)
    if document.page is None:
        written["_publication"] = {
            "about": "update_frequency is how often releases are due, next_expected the next day one is due by law.",
            "update_frequency": feed.interval,
            "next_expected": None if feed.next_expected is None else feed.next_expected.isoformat(),
        }
    return to_compact_json_bytes(written | {"items": [_write_item(item) for item in document.items]})


def _write_item(item: FeedItem) -> dict[str, Any]:
    written: dict[str, Any] = {
        "id": item.id,
        "url": item.url,
        "title": item.title,
        "content_text": item.summary,
        "date_published": item.published,
        "date_modified": item.updated,
        "authors": [{"name": item.body}],
        "tags": list(item.tags),
    }
    if item.attachments:
        written["attachments"] = [
            {"url": one.url, "mime_type": one.media_type, "title": one.title}
            | ({} if one.bytes is None else {"size_in_bytes": one.bytes})
            for one in item.attachments
        ]
    return written


def parse_items(content: bytes) -> list[FeedItem]:
    """Read the items of a document that `write_json_feed` wrote."""
    return [
        FeedItem(
            id=one["id"],
            url=one["url"],
            title=one["title"],
            summary=one["content_text"],
            published=one["date_published"],
            updated=one["date_modified"],
            body=one["authors"][0]["name"],
            tags=tuple(one["tags"]),
            attachments=tuple(
                Attachment(entry["url"], entry["mime_type"], entry["title"], entry.get("size_in_bytes"))
                for entry in one.get("attachments", ())
            ),
        )
        for one in json.loads(content)["items"]
    ]
