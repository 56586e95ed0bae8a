"""A feed, or a page of its archive, as JSON Feed 1.1 (https://jsonfeed.org/version/1.1), and its items read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from piperoll.describing.feeds import Attachment, Feed, Item
from piperoll.describing.paging import Document
from piperoll.model import to_json_bytes


def json_feed(document: Document) -> bytes:
    """The document, byte for byte. `_publication` is our extension: how often, and the next day due by law.

    `next_url` leads to what came before. A page of the archive does not say how often, so that it may stay as it is.
    """
    feed = document.feed
    told: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.address("json", document.page),
        "description": feed.description,
        "language": "en-GB",
        "authors": [{"name": feed.author}],
    }
    if document.before is not None:
        told["next_url"] = feed.address("json", document.before)
    if document.page is None:
        told["_publication"] = _publication(feed)
    return to_json_bytes(told | {"items": [_item(item) for item in document.items]})


def items_in(content: bytes) -> list[Item]:
    """The items of a document that `json_feed` wrote."""
    return [_read(item) for item in json.loads(content)["items"]]


def _publication(feed: Feed) -> dict[str, Any]:
    return {
        "about": "update_frequency is how often releases are owed, next_expected the next day one is due by law.",
        "update_frequency": feed.interval,
        "next_expected": None if feed.next_expected is None else feed.next_expected.isoformat(),
    }


def _item(item: Item) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": item.id,
        "url": item.url,
        "title": item.title,
        "content_text": item.summary,
        "date_published": item.published,
        "date_modified": item.updated,
        "authors": [{"name": item.body}],
        "tags": list(item.tags),
    }
    return document | ({"attachments": [_attachment(entry) for entry in item.attachments]} if item.attachments else {})


def _attachment(entry: Attachment) -> dict[str, Any]:
    document: dict[str, Any] = {"url": entry.url, "mime_type": entry.media_type, "title": entry.title}
    return document | ({} if entry.bytes is None else {"size_in_bytes": entry.bytes})


def _read(document: Mapping[str, Any]) -> Item:
    return Item(
        id=document["id"],
        url=document["url"],
        title=document["title"],
        summary=document["content_text"],
        published=document["date_published"],
        updated=document["date_modified"],
        body=document["authors"][0]["name"],
        tags=tuple(document["tags"]),
        attachments=tuple(
            Attachment(one["url"], one["mime_type"], one["title"], one.get("size_in_bytes"))
            for one in document.get("attachments", ())
        ),
    )
