"""The feeds of late returns."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import feedparser

from piperoll.model import Period
from tests.describing.example_world import BASE_URL, SUBMISSIONS, accepted, built, submission


def late(key: str, **more: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(dict(built(**more))[key])["items"]
    return items


def test_a_body_is_late_from_the_day_after_the_due_day() -> None:
    before = late("feeds/late/bridges.json", on=date(2026, 11, 30))
    after = late("feeds/late/st-swithin.json", on=date(2026, 12, 1))
    assert not [one for one in before if "2026-10" in one["id"]]
    (item,) = [one for one in after if one["id"].endswith("hmt-25k/2026-10/st-swithin")]
    assert item["date_published"] == "2026-12-01T00:00:00Z"
    assert item["title"] == "Late: Spending: St Swithin NHS Foundation Trust, October 2026"
    assert item["url"] == f"{BASE_URL}catalogue/bodies/st-swithin.html#duties"


def test_a_late_return_that_arrives_gets_a_second_item() -> None:
    items = late("feeds/late/bridges.json")
    late_one, met = [one for one in reversed(items) if "hmt-25k/2026-09" in one["id"]]
    assert met["id"] == f"{late_one['id']}#met"
    assert met["title"] == "Now here: Spending: Department of Bridges & Tunnels, September 2026"
    assert met["date_published"] == "2026-11-15T00:00:00Z"
    assert "15 days after" in met["content_text"] or "16 days after" in met["content_text"]


def test_all_bodies_together_have_an_item_for_each_duty_and_period() -> None:
    items = {one["id"].removeprefix("urn:piperoll:late:"): one for one in late("feeds/late.json")}
    september = items["spend/hmt-25k/2026-09"]
    assert september["title"] == "Spending, September 2026: 2 of 2 bodies late"
    assert "Still missing: St Swithin NHS Foundation Trust." in september["content_text"]
    assert september["date_modified"] == "2026-11-15T00:00:00Z"
    assert september["tags"] == ["spend", "2026-09", "late"]


def test_the_item_says_when_all_returns_have_arrived() -> None:
    came = (
        submission("st-swithin", "2026-09", "2026-11-20T08:00:00Z", name="at last"),
        accepted(Period.parse("2026-09")),
    )
    items = {one["id"]: one for one in late("feeds/late.json", submissions=(*SUBMISSIONS, came))}
    september = items["urn:piperoll:late:spend/hmt-25k/2026-09"]
    assert september["content_text"].endswith("All returns have arrived.")
    assert september["date_modified"] == "2026-11-20T00:00:00Z"


def test_feedparser_reads_late_feeds() -> None:
    for key, content in built():
        if key.startswith("feeds/late") and key.endswith(".atom"):
            assert not feedparser.parse(content).bozo, key
