"""freshness.json: what each series covers and when it arrived, and who must act on each duty."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from piperoll.model import Listing
from tests.describing.example_world import LISTINGS, built


def fresh(**more: Any) -> dict[str, Any]:
    """The series and duties of all bodies together."""
    site = dict(built(**more))
    of_bodies = [json.loads(content) for key, content in sorted(site.items()) if key.endswith(".freshness.json")]
    return {name: [one for document in of_bodies for one in document[name]] for name in ("series", "duties")}


def with_received(listing: Listing, instant: str) -> Listing:
    *earlier, last = listing.history.versions
    return replace(listing, history=replace(listing.history, versions=(*earlier, replace(last, received=instant))))


def test_a_series_states_what_it_covers_and_when_its_file_arrived() -> None:
    listings = (with_received(LISTINGS[0], "2026-11-01T08:00:00Z"),)
    [series] = fresh(listings=listings)["series"]
    assert (series["series"], series["start"], series["end"]) == ("spend/anytown/2026-10", "2026-10-01", "2026-10-31")
    assert series["received"] == "2026-11-01T08:00:00Z"
    assert series["published"] > series["received"]


def test_a_series_without_a_current_version_says_so() -> None:
    gone = [one for one in fresh()["series"] if one["version"] is None]
    assert gone
    assert all(one["published"] is None and one["received"] is None for one in gone)


def test_every_duty_states_its_outcome_and_who_must_act() -> None:
    duties = fresh()["duties"]
    assert {duty["state"] for duty in duties} >= {"missing", "on-time"}
    for duty in duties:
        outstanding = duty["state"] in ("missing", "held", "repeated", "rejected", "failed")
        who = {"failed": ["platform"], "held": ["platform", "body"]}.get(duty["state"], ["body"])
        assert duty["acts"] in (who if outstanding else [None])


def test_the_file_about_all_bodies_has_a_line_for_each() -> None:
    site = dict(built())
    document = json.loads(site["freshness.json"])
    assert document["on"] == "2026-11-22"
    lines = {one["body"]: one for one in document["bodies"]}
    assert lines.keys() == {key.split("/")[1].split(".")[0] for key in site if key.endswith(".freshness.json")}
    spend = lines["anytown"]["datasets"]["spend"]
    assert (spend["tables"], spend["newest"]) == (4, "2026-Q4")
    assert len(site["freshness.json"]) / len(lines) < 500


def test_a_body_says_how_often_and_when_the_next_is_due() -> None:
    document = json.loads(dict(built())["bodies/bridges.freshness.json"])["datasets"]
    assert document["spend"] == {"every": "monthly", "next_due": "2026-11-30"}
