"""A feed, or a page of its archive, as Atom (RFC 4287, RFC 5005).

How often releases are owed stands in the elements of the RSS syndication module; the next day due by law in one of
our own namespace, for which no standard has a word. A page of the archive says neither, so that it may stay as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from piperoll.describing.feeds import Attachment, Feed, Item
from piperoll.describing.paging import Document

_SYNDICATION = {
    "monthly": ("monthly", 1),
    "quarterly": ("yearly", 4),
    "semiannual": ("yearly", 2),
    "annual": ("yearly", 1),
    "irregular": ("yearly", 1),
}
"""How many times in which period, as the RSS 1.0 syndication module writes an interval."""

_ATOM = "http://www.w3.org/2005/Atom"
_HISTORY = "http://purl.org/syndication/history/1.0"
_SY = "http://purl.org/rss/1.0/modules/syndication/"
_XML = "http://www.w3.org/XML/1998/namespace"
_OURS = "urn:piperoll:ns:publication"
_UNSAYABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NAMES = {None: _ATOM, "fh": _HISTORY, "sy": _SY, "publication": _OURS}


def atom(document: Document) -> bytes:
    """The document, byte for byte."""
    feed = document.feed
    root = etree.Element(f"{{{_ATOM}}}feed", {f"{{{_XML}}}lang": "en-GB"}, nsmap=_NAMES)  # type: ignore[arg-type]
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "subtitle", feed.description)
    _add(root, "updated", document.updated)
    _add(_add(root, "author"), "name", feed.author)
    _add(root, "generator", "Piperoll")
    for link in _links(document):
        _add(root, "link", **link)
    if document.page is None:
        _add_interval(root, feed)
    else:
        etree.SubElement(root, f"{{{_HISTORY}}}archive")
    for item in document.items:
        _add_entry(root, item)
    etree.indent(root)
    content: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _links(document: Document) -> Iterator[dict[str, str]]:
    feed, kind = document.feed, "application/atom+xml"
    yield {"rel": "self", "type": kind, "href": feed.address("atom", document.page)}
    yield {"rel": "alternate", "type": "text/html", "href": feed.home}
    if document.page is not None:
        yield {"rel": "current", "type": kind, "href": feed.address("atom")}
    if document.before is not None:
        yield {"rel": "prev-archive", "type": kind, "href": feed.address("atom", document.before)}
    if document.after is not None:
        yield {"rel": "next-archive", "type": kind, "href": feed.address("atom", document.after)}


def _add_interval(root: etree._Element, feed: Feed) -> None:
    period, times = _SYNDICATION[feed.interval]
    etree.SubElement(root, f"{{{_SY}}}updatePeriod").text = period
    etree.SubElement(root, f"{{{_SY}}}updateFrequency").text = str(times)
    if feed.next_expected is not None:
        etree.SubElement(root, f"{{{_OURS}}}nextExpected").text = feed.next_expected.isoformat()


def _add_entry(root: etree._Element, item: Item) -> None:
    entry = _add(root, "entry")
    _add(entry, "id", item.id)
    _add(entry, "title", item.title)
    _add(entry, "summary", item.summary)
    _add(_add(entry, "author"), "name", item.body)
    _add(entry, "published", item.published)
    _add(entry, "updated", item.updated)
    _add(entry, "link", rel="alternate", type="text/html", href=item.url)
    for attachment in item.attachments:
        _add(entry, "link", **_enclosure(attachment))
    for tag in item.tags:
        _add(entry, "category", term=tag)


def _enclosure(attachment: Attachment) -> dict[str, str]:
    link = {"rel": "enclosure", "type": attachment.media_type, "title": attachment.title, "href": attachment.url}
    return link if attachment.bytes is None else link | {"length": str(attachment.bytes)}


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    element.text = None if text is None else _sayable(text)
    return element


def _sayable(text: str) -> str:
    """The text without the characters that XML 1.0 has no way to say."""
    return _UNSAYABLE.sub("", text)
