"""`/measures`: what is measured, figures with filters and pages, and one figure with its working."""

from __future__ import annotations

import csv
import io

import pyarrow.parquet as pq
import pytest

from tests.describing.example_measures import identify
from tests.serving.published_place import SITE, Served


def test_measures_are_listed_with_their_figures_and_years(api: Served) -> None:
    [found] = api.json("/measures")["measures"]
    assert found["measure"] == "coverage"
    assert [one["figure"] for one in found["figures"]] == ["months", "published"]
    assert [one["year"] for one in found["years"]] == ["2026-27", "2025-26"]
    assert found["links"]["page"] == f"{SITE}catalogue/measures/coverage.html"


def test_without_a_year_the_newest_is_answered(api: Served) -> None:
    document = api.json("/measures/coverage")
    assert {row["period_start"] for row in document["rows"]} == {"2026-04-01"}
    assert document["rows_count"] == 6
    assert document["next"] is None


def test_withheld_figures_are_rows_with_a_reason(api: Served) -> None:
    [row] = api.json("/measures/coverage", status="withheld")["rows"]
    assert (row["body"], row["value"], row["reason"]) == ("brackwater", None, "Nothing was published.")


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"body": "anytown"}, 3),
        ({"figure": "published"}, 4),
        ({"item": "spend"}, 2),
        ({"item": "none"}, 2),
        ({"year": "all"}, 12),
        ({"year": "2025-26", "body": "brackwater", "figure": "published", "item": "spend"}, 1),
        ({"kind": "police"}, 0),
        ({"kind": "council", "body": "anytown"}, 3),
    ],
)
def test_figures_are_filtered(api: Served, parameters: dict[str, str], count: int) -> None:
    assert len(api.json("/measures/coverage", **parameters)["rows"]) == count


def test_pages_have_every_figure_once(api: Served) -> None:
    seen = []
    following = "/measures/coverage?year=all&limit=5"
    while following:
        document = api.json(following)
        seen += [row["figure_id"] for row in document["rows"]]
        following = document["next"]
    assert len(seen) == len(set(seen)) == 12


def test_a_cursor_of_another_query_is_refused(api: Served) -> None:
    following = api.json("/measures/coverage?limit=2")["next"]
    answer = api.get(following + "&body=anytown")
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:piperoll:problem:bad-cursor"


def test_csv_and_parquet_have_the_same_figures(api: Served) -> None:
    table = pq.read_table(io.BytesIO(api.get("/measures/coverage?format=parquet").content))
    lines = list(csv.DictReader(io.StringIO(api.get("/measures/coverage.csv").text)))
    assert [line["figure_id"] for line in lines] == table["figure_id"].to_pylist()
    assert lines[1]["value"] == "100.5"


def test_a_figure_comes_with_its_working(api: Served) -> None:
    document = api.json(f"/measures/coverage/{identify('coverage', 'anytown', '2025-26', 'months')}")
    assert document["row"]["value"] == "12"
    assert document["year"] == "2025-26"
    assert document["working"]["query"] == "SELECT 1\n"
    assert document["working"]["inputs"][0]["what"] == "functions"
    assert document["working"]["command"] == "piperoll measure --to STORE --explain coverage anytown 2025-26"
    assert document["links"]["page"] == f"{SITE}catalogue/bodies/anytown/profile.html"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/measures/covrage", 404, "did you mean coverage"),
        ("/measures/coverage?figure=month", 400, "did you mean months"),
        ("/measures/coverage?status=hidden", 400, "use shown, indicative, list-only, withheld"),
        ("/measures/coverage?year=2019-20", 400, "it has 2026-27, 2025-26, or use all"),
        ("/measures/coverage?bodies=anytown", 400, "did you mean body"),
        ("/measures/coverage?body=nowhere", 400, "no body called 'nowhere'"),
        ("/measures/coverage?limit=0", 400, "from 1 to 10000"),
        ("/measures/coverage/0123456789abcdef", 404, "/measures/coverage lists them"),
        ("/measures/coverage/1", 404, "16 digits and letters"),
    ],
)
def test_a_request_that_cannot_be_answered_says_what_to_do(api: Served, path: str, status: int, words: str) -> None:
    answer = api.get(path)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


def test_measures_are_no_dataset_and_no_bodies(api: Served) -> None:
    assert "measures" not in {one["dataset"] for one in api.json("/datasets")["datasets"]}
    assert "coverage" not in api.get("/bodies").text


def test_what_a_client_has_is_not_sent_again(api: Served) -> None:
    tag = api.get("/measures/coverage").headers["ETag"]
    assert api.get("/measures/coverage", headers={"If-None-Match": tag}).status_code == 304
