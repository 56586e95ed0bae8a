"""A feed as JSON Feed 1.1 (https://jsonfeed.org/version/1.1)."""

from __future__ import annotations

from typing import Any

from piperoll.describing.feeds import Attachment, Feed, Item
from piperoll.model import to_json_bytes


def json_feed(feed: Feed) -> bytes:
    """The feed, byte for byte. `_publication` is our extension: how often, and the next day due by law."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": feed.addresses["json"],
        "description": feed.description,
        "language": "en-GB",
        "authors": [{"name": feed.author}],
        "_publication": {
            "about": "update_frequency is how often releases are owed, next_expected the next day one is due by law.",
            "update_frequency": feed.interval,
            "next_expected": None if feed.next_expected is None else feed.next_expected.isoformat(),
        },
        "items": [_item(item) for item in feed.items],
    }
    return to_json_bytes(document)


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
