"""Feed archives: a new item changes only the last pages, and the rules of RFC 5005 are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence

import feedparser
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from piperoll.describing.feeds.documents import (
    PAGE,
    ArchivePages,
    FeedLog,
    add_items,
    archive_items,
    parse_items,
    render_feed,
)
from piperoll.describing.feeds.releases import Feed, FeedItem

ATOM = "{http://www.w3.org/2005/Atom}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
FEED = Feed(
    id="urn:piperoll:feed",
    title="All releases – Open Counties",
    description="Releases.",
    home="https://data.example.org/catalogue/index.html",
    stem="catalogue/feed",
    base_url="https://data.example.org/",
    interval="monthly",
    next_expected=None,
    author="Open Counties",
)


def item(number: int, title: str = "A table") -> FeedItem:
    instant = f"2026-11-01T09:{number // 60:02}:{number % 60:02}Z"
    name = f"urn:piperoll:release:spend/anytown/2026-10/v{number:04}"
    return FeedItem(name, "https://data.example.org/v", title, "10 rows.", instant, instant, "Anytown", ("spend",), ())


def written(log: FeedLog, pages: ArchivePages) -> dict[str, bytes]:
    return dict(render_feed(FEED, log, pages))


def grown(before: dict[str, bytes], log: FeedLog, items: Sequence[FeedItem]) -> tuple[dict[str, bytes], FeedLog] | None:
    """The files after items are added to a feed that is already written."""
    found = add_items(log, items, lambda page: parse_items(before[FEED.key("json", page)]))
    return None if found is None else (before | written(*found), found[0])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 70), min_size=1, max_size=6), st.data())
def test_a_feed_that_grows_equals_one_written_at_once(steps: list[int], data: st.DataObject) -> None:
    items: list[FeedItem] = []
    files, log = written(*archive_items(items)), FeedLog()
    for step in steps:
        fresh = [item(len(items) + number) for number in range(step)]
        items += fresh
        again = data.draw(st.lists(st.sampled_from(items), max_size=2), label="added again")
        retold = {one.id: item(int(one.id[-4:]), "Withdrawn: a table") for one in again}
        items = [retold.get(one.id, one) for one in items]
        after = grown(files, log, [*(retold.get(one.id, one) for one in fresh), *retold.values()])
        assert after is not None
        files, log = after
        assert files == written(*archive_items(items))


def test_adding_the_same_items_again_changes_nothing_even_after_a_kill() -> None:
    items = [item(number) for number in range(180)]
    log, pages = archive_items(items[:120])
    files = written(log, pages)
    first = grown(files, log, items[120:])
    assert first is not None
    second = grown(first[0], log, items[120:])  # the pages were written, what is kept of them was not
    assert second is not None
    assert second[0] == first[0] == written(*archive_items(items))


def test_a_new_item_that_belongs_in_the_archive_needs_all_items() -> None:
    items = [item(number) for number in range(160) if number != 20]
    log, pages = archive_items(items)
    assert add_items(log, [item(20)], lambda page: pages[page]) is None


def test_one_more_item_does_not_change_archive_pages() -> None:
    items = [item(number) for number in range(4 * PAGE - 1)]
    log, pages = archive_items(items)
    before = written(log, pages)
    after = grown(before, log, [item(4 * PAGE - 1)])
    assert after is not None
    changed = {key for key, content in after[0].items() if before.get(key) != content}
    last, new = len(pages), len(pages) + 1
    assert changed == {
        "catalogue/feed.atom",
        "catalogue/feed.json",
        f"catalogue/feeds/all/{last}.atom",  # it leads to the next one now; its items are the same
        *(f"catalogue/feeds/all/{new}.{form}" for form in ("atom", "json")),
    }


def test_following_the_archive_brings_every_item_once_the_latest_first() -> None:
    items = [item(number) for number in range(230)]
    files = written(*archive_items(items))
    for form, read in (("atom", _atom), ("json", _json)):
        seen: list[str] = []
        key: str | None = f"catalogue/feed.{form}"
        while key is not None:
            names, key = read(files[key])
            seen += names
        assert seen == [one.id for one in reversed(items)]


def _atom(content: bytes) -> tuple[list[str], str | None]:
    parsed = feedparser.parse(content)
    assert not parsed.bozo
    links = {link.rel: link.href for link in parsed.feed.links}
    return [entry.id for entry in parsed.entries], _key(links.get("prev-archive"))


def _json(content: bytes) -> tuple[list[str], str | None]:
    document = json.loads(content)
    return [one["id"] for one in document["items"]], _key(document.get("next_url"))


def _key(address: str | None) -> str | None:
    return None if address is None else address.removeprefix("https://data.example.org/")


def test_archived_pages_keep_the_rules_of_rfc_5005() -> None:
    files = written(*archive_items([item(number) for number in range(230)]))
    pages = {key: etree.fromstring(content) for key, content in files.items() if key.endswith(".atom")}
    current = pages.pop("catalogue/feed.atom")
    assert current.find(f"{HISTORY}archive") is None
    for key, root in pages.items():
        assert root.find(f"{HISTORY}archive") is not None
        assert root.findtext(f"{ATOM}id") == current.findtext(f"{ATOM}id") == FEED.id
        links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
        assert links["current"] == FEED.address("atom")
        assert links["self"] == f"https://data.example.org/{key}"
        for rel, back in (("prev-archive", "next-archive"), ("next-archive", "prev-archive")):
            if rel in links:
                other = pages[_key(links[rel]) or ""]
                assert links["self"] in [link.get("href") for link in other.findall(f"{ATOM}link[@rel='{back}']")]


def test_no_page_of_a_feed_is_large() -> None:
    files = written(*archive_items([item(number) for number in range(2 * PAGE - 1)]))
    assert max(map(len, files.values())) < 200_000


def test_characters_that_xml_cannot_represent_are_left_out() -> None:
    log, pages = archive_items([item(1, "A\x00 b\x0bc table\ufffe")])
    parsed = feedparser.parse(written(log, pages)["catalogue/feed.atom"])
    assert not parsed.bozo
    assert parsed.entries[0].title == "A bc table"
