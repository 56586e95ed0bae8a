"""Feeds read by feedparser, and by the rules of RFC 4287 and of JSON Feed 1.1."""

import json
import re
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

import feedparser
import pytest
from lxml import etree

from tests.describing.example_world import BASE_URL, LISTINGS, built

ATOM = "{http://www.w3.org/2005/Atom}"
SYNDICATION = "{http://purl.org/rss/1.0/modules/syndication/}"
OURS = "{urn:piperoll:ns:publication}"


@pytest.fixture(scope="module")
def site() -> dict[str, bytes]:
    return dict(built())


def feeds(site: dict[str, bytes], form: str) -> dict[str, bytes]:
    return {
        key: content for key, content in site.items() if key == f"feed.{form}" or re.match(rf"feeds/.*\.{form}$", key)
    }


VERSIONS = [version for listing in LISTINGS for version in listing.history.versions]
ITEMS = len(VERSIONS) + sum(version.ended is not None for version in VERSIONS)


def test_there_is_a_feed_of_all_of_each_dataset_and_of_each_body(site: dict[str, bytes]) -> None:
    assert len(feeds(site, "atom")) == len(feeds(site, "json")) == 1 + 4 + 6 + 1 + 6 + 2
    # of releases, of lateness, of measures and of contracts that end


def test_atom_feeds_keep_the_rules_of_rfc_4287(site: dict[str, bytes]) -> None:
    for key, content in feeds(site, "atom").items():
        root = etree.fromstring(content)
        for name in ("id", "title", "updated"):
            assert len(root.findall(ATOM + name)) == 1, (key, name)
        for entry in root.findall(f"{ATOM}entry"):
            for name in ("id", "title", "updated"):
                assert len(entry.findall(ATOM + name)) == 1, (key, name)
            alternates = [link for link in entry.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
            assert len(alternates) == 1
            assert entry.find(f"{ATOM}author/{ATOM}name") is not None
        (own,) = [link.get("href") for link in root.findall(f"{ATOM}link") if link.get("rel") == "self"]
        assert own == f"{BASE_URL}catalogue/{key}"
        for stamp in root.iter(f"{ATOM}updated", f"{ATOM}published"):
            assert datetime.fromisoformat(str(stamp.text)).tzinfo is not None


def test_feedparser_reads_an_item_for_each_release(site: dict[str, bytes]) -> None:
    parsed = feedparser.parse(site["feed.atom"])
    assert not parsed.bozo
    ids = [entry.id for entry in parsed.entries]
    assert len(set(ids)) == len(ids) == ITEMS
    latest = next(entry for entry in parsed.entries if "2026-10/v2" in entry.id)
    assert latest.id == "urn:piperoll:release:spend/anytown/2026-10/v2"
    assert latest.title == "Spending: Anytown Borough Council, October 2026 (version 2)"
    assert latest.author == "Anytown Borough Council"
    assert {"spend", "anytown", "2026-10"} == {tag.term for tag in latest.tags}
    csv = next(link for link in latest.links if link.rel == "enclosure" and link.type == "text/csv")
    assert (csv.length, csv.title) == ("1000", "spend.csv")


def test_both_formats_have_the_same_items_latest_first(site: dict[str, bytes]) -> None:
    for atom, written in zip(feeds(site, "atom").values(), feeds(site, "json").values(), strict=True):
        entries, items = feedparser.parse(atom).entries, json.loads(written)["items"]
        assert [entry.id for entry in entries] == [item["id"] for item in items]
        published = [item["date_published"] for item in items]
        assert published == sorted(published, reverse=True)


def check_item(item: dict[str, Any]) -> None:
    assert isinstance(item["id"], str)
    assert "content_text" in item or "content_html" in item
    assert urlsplit(item["url"]).scheme
    assert datetime.fromisoformat(item["date_published"]).tzinfo is not None
    assert all(isinstance(tag, str) for tag in item["tags"])
    assert all(author["name"] for author in item["authors"])
    for attachment in item.get("attachments", []):
        assert {"url", "mime_type"} <= attachment.keys()
        assert isinstance(attachment.get("size_in_bytes", 0), int)


def test_json_feeds_keep_the_rules_of_json_feed_1_1(site: dict[str, bytes]) -> None:
    known = {"version", "title", "home_page_url", "feed_url", "description", "language", "authors", "items"}
    for key, content in feeds(site, "json").items():
        feed = json.loads(content)
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed["feed_url"] == f"{BASE_URL}catalogue/{key}"
        assert all(name in known or name.startswith("_") for name in feed)
        assert len({item["id"] for item in feed["items"]}) == len(feed["items"])
        for item in feed["items"]:
            check_item(item)


@pytest.mark.parametrize(
    ("feed", "interval", "next_expected"),
    [
        ("feed", "monthly", "2026-11-30"),
        ("feeds/contracts", "quarterly", "2027-01-31"),
        ("feeds/bodies/anytown", "quarterly", "2027-01-31"),
        ("feeds/bodies/bridges", "monthly", "2026-11-30"),
        ("feeds/bodies/parish-of-nowhere", "monthly", None),
    ],
)
def test_each_feed_declares_its_interval_and_next_due_day(
    site: dict[str, bytes], feed: str, interval: str, next_expected: str | None
) -> None:
    publication = json.loads(site[f"{feed}.json"])["_publication"]
    assert (publication["update_frequency"], publication["next_expected"]) == (interval, next_expected)
    root = etree.fromstring(site[f"{feed}.atom"])
    assert root.findtext(f"{OURS}nextExpected") == next_expected
    times = {"monthly": ("monthly", "1"), "quarterly": ("yearly", "4")}[interval]
    assert (root.findtext(f"{SYNDICATION}updatePeriod"), root.findtext(f"{SYNDICATION}updateFrequency")) == times


def test_a_summary_says_what_changed_and_when_the_next_is_due(site: dict[str, bytes]) -> None:
    latest = json.loads(site["feed.json"])["items"][0]["content_text"]
    assert latest == (
        "1,200 rows, £8,120,956.78. A corrected file came. Rows against version 1: +5. "
        "Next due by law on 31 January 2027."
    )


def test_a_removed_release_stays_in_the_feed_without_its_files(site: dict[str, bytes]) -> None:
    items = json.loads(site["feeds/bodies/brackwater.json"])["items"]
    (removed,) = [item for item in items if item["id"].endswith("2026-09/v1")]
    assert removed["title"].startswith("Removed: ")
    assert "attachments" not in removed


def test_feeds_do_not_contain_the_time_they_were_built(site: dict[str, bytes]) -> None:
    later = dict(built(on=date(2026, 11, 23)))
    before = {key: content for key, content in feeds(site, "atom").items() if b"<entry>" in content}
    assert len(before) > 5
    assert all(later[key] == content for key, content in before.items())
