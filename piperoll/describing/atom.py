"""A feed as Atom (RFC 4287), written by feedgen.

How often releases are owed stands in the elements of the RSS syndication module; the next day due by law in one of
our own namespace, for which no standard has a word.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from piperoll.describing.feeds import Attachment, Feed, Item
from piperoll.describing.frequency import SYNDICATION

_ATOM = "http://www.w3.org/2005/Atom"
_SY = "http://purl.org/rss/1.0/modules/syndication/"
_OURS = "urn:piperoll:ns:publication"


class _PublicationExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The interval and the next day due, as feedgen writes extensions."""

    def __init__(self) -> None:
        self.interval: str = "irregular"
        self.next_expected: date | None = None

    def extend_ns(self) -> dict[str, str]:
        return {"sy": _SY, "publication": _OURS}

    def extend_atom(self, feed: etree._Element) -> etree._Element:
        period, times = SYNDICATION[self.interval]
        etree.SubElement(feed, f"{{{_SY}}}updatePeriod").text = period
        etree.SubElement(feed, f"{{{_SY}}}updateFrequency").text = str(times)
        if self.next_expected is not None:
            etree.SubElement(feed, f"{{{_OURS}}}nextExpected").text = self.next_expected.isoformat()
        return feed


class _LinksExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The attributes of an entry's links: feedgen 1.0 writes only their addresses."""

    def __init__(self) -> None:
        self.links: list[dict[str, str]] = []

    def extend_atom(self, entry: etree._Element) -> etree._Element:
        for element, link in zip(entry.iter("link", f"{{{_ATOM}}}link"), self.links, strict=True):
            for name, value in link.items():
                element.set(name, value)
        return entry


def atom(feed: Feed) -> bytes:
    """The feed, byte for byte."""
    generator = FeedGenerator()
    generator.register_extension("publication", _PublicationExtension, _LinksExtension, atom=True, rss=False)
    generator.publication.interval = feed.interval
    generator.publication.next_expected = feed.next_expected
    generator.id(feed.id)
    generator.title(feed.title)
    generator.subtitle(feed.description)
    generator.language("en-GB")
    generator.author({"name": feed.author})
    generator.generator("Piperoll")
    generator.updated(feed.updated)
    generator.link([{"href": feed.addresses["atom"], "rel": "self", "type": "application/atom+xml"}])
    generator.link({"href": feed.home, "rel": "alternate", "type": "text/html"})
    for item in feed.items:
        _add(generator, item)
    content: bytes = generator.atom_str(pretty=True)
    return content


def _add(generator: Any, item: Item) -> None:
    entry = generator.add_entry(order="append")
    entry.id(item.id)
    entry.title(item.title)
    entry.summary(item.summary)
    entry.author({"name": item.body})
    entry.published(item.published)
    entry.updated(item.updated)
    entry.publication.links = [{"href": item.url, "rel": "alternate", "type": "text/html"}]
    entry.publication.links += [_enclosure(attachment) for attachment in item.attachments]
    entry.link(entry.publication.links)
    entry.category([{"term": tag} for tag in item.tags])


def _enclosure(attachment: Attachment) -> dict[str, str]:
    link = {"href": attachment.url, "rel": "enclosure", "type": attachment.media_type, "title": attachment.title}
    return link if attachment.bytes is None else link | {"length": str(attachment.bytes)}
