"""Paged feeds (RFC 5005): what stands in the feed itself, what in which archived page, and what a new item changes.

Items stand in the order in which they happened. The first fifty are page 1 of the archive, and so on; the feed itself
has the last fifty and all that is newer, up to a hundred, and nothing of what is archived. A page is full when it is
archived, and stays as it is but for the link to the next one, and for an item whose release is withdrawn or removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from piperoll.describing.feeds import Feed, Item

PAGE = 50
"""Items of a page: with their files they weigh some 60 kB."""

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Log:
    """What must be kept of a feed to add to it: where each archived page begins, and the items that are newer.

    Both are the oldest first.
    """

    starts: tuple[Place, ...] = ()
    tail: tuple[Item, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The log as it is kept."""
        return {"starts": [list(start) for start in self.starts], "tail": [item.to_json() for item in self.tail]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Log:
        """The log that `to_json` wrote."""
        starts = tuple((published, name) for published, name in document["starts"])
        return cls(starts, tuple(map(Item.from_json, document["tail"])))


@dataclass(frozen=True, slots=True)
class Document:
    """A feed or a page of its archive (`page`), with its items, the latest first; `archived` counts the pages."""

    feed: Feed
    items: tuple[Item, ...]
    page: int | None
    archived: int

    @property
    def before(self) -> int | None:
        """The page with what came before."""
        page = self.archived if self.page is None else self.page - 1
        return page or None

    @property
    def after(self) -> int | None:
        """The archived page with what came after."""
        return None if self.page is None or self.page == self.archived else self.page + 1

    @property
    def updated(self) -> str:
        """The instant of the last change of an item; of a feed without any, the beginning of all time."""
        return max((item.updated for item in self.items), default="1970-01-01T00:00:00Z")


Pages = dict[int, tuple[Item, ...]]
"""Items of archived pages by number, the oldest first."""


def logged(items: Iterable[Item]) -> tuple[Log, Pages]:
    """A feed of all these items: what is kept, and every archived page."""
    ordered = sorted(items, key=lambda item: item.place)
    full = max(0, len(ordered) // PAGE - 1) * PAGE
    pages = {start // PAGE + 1: tuple(ordered[start : start + PAGE]) for start in range(0, full, PAGE)}
    return Log(tuple(page[0].place for page in pages.values()), tuple(ordered[full:])), pages


def amended(log: Log, items: Sequence[Item], page: Callable[[int], Sequence[Item]]) -> tuple[Log, Pages] | None:
    """The feed with items that are new or say something else; what is kept, and the archived pages that differ.

    `page` brings the items of an archived page, in any order. None: an item that is new belongs among those that are
    archived, and the feed must be made again from all items. The same again changes nothing, also where pages were
    written already.
    """
    newer, older = _parted(log, items)
    changed: Pages = {}
    for number in sorted({_page_of(log, item) for item in older}):
        held = {item.id: item for item in page(number)}
        given = {item.id: item for item in older if _page_of(log, item) == number}
        if not given.keys() <= held.keys():
            return None
        changed[number] = _ordered((held | given).values())
    there = {item.id: item for item in log.tail}
    whole, fresh = logged((there | {item.id: item for item in newer}).values())
    count = len(log.starts)
    if fresh and count and count not in changed:
        changed[count] = _ordered(page(count))  # it leads to the next one now
    changed |= {count + number: held for number, held in fresh.items()}
    return Log(log.starts + whole.starts, whole.tail), changed


def documents(feed: Feed, log: Log, pages: Pages) -> list[Document]:
    """The feed and these pages of its archive."""
    archived = len(log.starts)
    found = [Document(feed, items[::-1], number, archived) for number, items in sorted(pages.items())]
    return [*found, Document(feed, log.tail[::-1], None, archived)]


def _parted(log: Log, items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """The items that stand in the feed itself, and those that belong into the archive."""
    if not log.starts:
        return list(items), []
    first = log.tail[0].place
    return [item for item in items if item.place >= first], [item for item in items if item.place < first]


def _page_of(log: Log, item: Item) -> int:
    return max(1, sum(start <= item.place for start in log.starts))


def _ordered(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: item.place))
