"""Versions: current ones, those of a day, and never withdrawn or purged ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from piperoll.model import Series
from publishers import FolderStore, mark_withdrawn, remove_submission
from serving.index_cache import INDEX_SECONDS, PublishedIndex
from tests.serving.published_place import (
    OCTOBER,
    Served,
    consolidate,
    publish_world,
    published,
    released,
    row,
    serving,
    source_of,
)

SERIES = "spend/anytown/2026-10"


def ids(rows: list[dict[str, object]]) -> list[object]:
    return [one["line_id"] for one in rows]


@pytest.mark.parametrize(
    ("instant", "rows", "version"),
    [
        ("2026-11-01", 0, None),
        ("2026-11-02", 5, 1),
        ("2026-11-02T08:59:59Z", 0, None),
        ("2026-11-02T09:00:00Z", 5, 1),
        ("2026-11-08", 5, 1),
        ("2026-11-09", 6, 2),
        ("2099-01-01", 6, 2),
    ],
)
def test_as_known_on_selects_the_version_of_the_day(api: Served, instant: str, rows: int, version: int | None) -> None:
    document = api.json("/rows/spend", as_known_on=instant, body="anytown", period="2026-10", part="none")
    assert len(document["rows"]) == rows
    assert [one["version"] for one in document["series"]["used"]] == ([version] if version else [])


def test_overlaps_are_resolved_among_the_versions_of_the_day(api: Served) -> None:
    before = api.json("/rows/spend", as_known_on="2026-09-01", body="anytown", count="")
    assert [one["series"] for one in before["series"]["used"]] == ["spend/anytown/2026-07"]


@pytest.mark.parametrize("known", [{}, {"as_known_on": "2026-11-10"}, {"as_known_on": "2026-11-30"}])
def test_withdrawn_and_purged_versions_are_never_served(api: Served, known: dict[str, str]) -> None:
    document = api.json("/rows/spend", limit=1000, overlapping="keep", **known)
    assert {"line-00050", "line-00060"}.isdisjoint(ids(document["rows"]))
    assert "Private Person" not in api.get("/rows/spend", params={"format": "csv", **known}).text
    left = {one["series"]: one["reason"] for one in document["series"]["left_out"]}
    assert left == {
        "spend/brackwater/2026-11": "purged on 2026-11-20: a private person",
        "spend/brackwater/2026-12": "withdrawn on 2026-11-20: the wrong file",
    }


def test_corrections_withdrawals_and_purges_are_visible_within_seconds(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    publish_world(store, tmp_path / "scratch")
    now = [0.0]
    with serving(str(tmp_path / "store"), tmp_path / "cache", clock=lambda: now[0]) as api:
        parameters = {"body": "anytown", "period": "2026-10", "part": "none", "limit": 1000}
        assert len(api.rows(**parameters)) == len(OCTOBER)
        corrected = released(tmp_path / "scratch", SERIES, [*OCTOBER, row(7)], source=source_of("third"))
        published(store, corrected, "2026-11-21T09:00:00Z")
        now[0] += INDEX_SECONDS
        assert len(api.rows(**parameters)) == len(OCTOBER) + 1
        remove_submission(store, source_of("third"), because="a private person", now="2026-11-22T09:00:00Z")
        now[0] += INDEX_SECONDS
        assert api.rows(**parameters) == []
        mark_withdrawn(store, Series.parse("spend/anytown/2026-Q3"), 1, because="wrong", now="2026-11-22T09:00:00Z")
        now[0] += INDEX_SECONDS
        assert ids(api.rows(body="anytown", period="2026-Q3")) == []


def test_files_replaced_during_a_query_are_a_temporary_problem(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    publish_world(store, tmp_path / "scratch")
    consolidate(store, tmp_path / "scratch")
    with serving(str(tmp_path / "store"), tmp_path / "cache", clock=lambda: 0.0) as api:
        assert len(api.rows(body="anytown", part="card")) == 1
        remove_submission(store, "ab" * 32, because="a private person", now="2026-11-22T09:00:00Z")
        consolidate(store, tmp_path / "scratch")
        answer = api.get("/rows/spend?body=anytown&part=card")  # the clock is stopped, so the index is still cached
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert api.rows(body="anytown", part="card") == []


def test_a_pointer_ahead_of_the_index_is_read_within_a_minute(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    publish_world(store, tmp_path / "scratch")
    now = [0.0]
    index = PublishedIndex(store, clock=lambda: now[0])
    series = Series.parse(SERIES)
    page = store.read("data/spend/anytown/index-2026.json").content
    assert index.history(series).current == 2  # type: ignore[union-attr]
    mark_withdrawn(store, series, 2, because="wrong", now="2026-11-22T09:00:00Z")
    store.put("data/spend/anytown/index-2026.json", page)  # as if the publisher had been killed before it came to it
    now[0] = 61.0
    assert index.history(series).current is None  # type: ignore[union-attr]


def test_a_history_lists_no_files_of_withdrawn_and_purged_versions(api: Served) -> None:
    document = api.json(f"/series/{SERIES}")
    assert [(one["version"], one["status"], len(one["files"])) for one in document["versions"]] == [
        (1, "superseded", 4),
        (2, "current", 4),
    ]
    for series, status in (("spend/brackwater/2026-11", "purged"), ("spend/brackwater/2026-12", "withdrawn")):
        [version] = api.json(f"/series/{series}")["versions"]
        assert (version["status"], version["files"]) == (status, [])


def test_versions_are_compared_row_by_row(api: Served) -> None:
    document = api.json(f"/series/{SERIES}/diff/1/2")
    assert (document["added"], document["removed"]["rows"]) == ({"rows": 1, "amount_gbp": "3.00"}, 0)
    assert [(one["change"], one["line_id"]) for one in document["rows"]] == [("added", "line-00006")]
    table = api.get(f"/series/{SERIES}/diff/2/1", headers={"Accept": "text/csv"})
    assert table.headers["Content-Type"].startswith("text/csv")
    assert "removed" in table.text
    assert api.get(f"/series/{SERIES}/diff/1/9").status_code == 404
    assert api.get(f"/series/{SERIES}/diff/1/x").status_code == 404
    assert api.get("/series/spend/brackwater/2026-12/diff/1/1").status_code == 410


@pytest.mark.parametrize(
    "path",
    [
        "/series/spend/anytown/2026-13",
        "/series/spend/nowhere/2026-10",
        "/series/spent/anytown/2026-10",
        "/series/spend/anytown/2026-01",
        "/series/spend/..%2f..%2farchive/2026-10",
        "/series/spend/%00/2026-10",
        "/bodies/nowhere",
        "/datasets/spent",
        "/nothing",
    ],
)
def test_a_missing_resource_is_a_404_problem(api: Served, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_listings(api: Served) -> None:
    links = api.json("/")["links"]
    assert {api.get(links[name]).status_code for name in links if links[name][0] == "/" and "{" not in links[name]} == {
        200
    }
    assert {one["dataset"]: one["bodies"] for one in api.json("/datasets")["datasets"]}["spend"] == 2
    fields = {one["name"]: one for one in api.json("/datasets/spend")["fields"]}
    assert (fields["net_amount"]["type"], fields["net_amount"]["unit"]) == ("number", "GBP")
    assert all(one["description"] for one in fields.values())
    assert [one["body"] for one in api.json("/bodies")["bodies"]] == ["anytown", "brackwater"]
    about = api.json("/bodies/anytown")
    assert (about["name"], about["id"]) == ("Anytown", "gss:E07000999")
    listed = api.json("/series", body="anytown", period="2026-10")["series"]
    assert [one["series"] for one in listed] == [SERIES, f"{SERIES}--card"]
    assert api.get("/series?bodies=x").status_code == 400
