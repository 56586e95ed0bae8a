"""The API takes any name of a body, and answers a wrong one with those that come closest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from piperoll import layout
from piperoll.model import Body
from publishers import FolderStore
from tests.serving.published_place import Served, published, released, row, serving

LEEWARD = Body("gss:E07000901", "leeward", "Leeward District Council", "council", ("Leeward Sands",), short_name="LDC")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("names")
    store = FolderStore(folder / "store")
    for number, body in enumerate(("leeward", "defra", "parish-of-nowhere"), 1):
        published(store, released(folder, f"spend/{body}/2026-10", [row(number)]), "2026-11-02T09:00:00Z")
    store.put(layout.BODIES_LIST, json.dumps({"bodies": [LEEWARD.to_document()]}).encode())
    with serving(str(folder / "store"), folder / "scratch") as api:
        yield api


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        *(("leeward", [1]), ("Leeward District Council", [1]), ("ldc", [1]), ("leeward sands", [1])),
        *(("Defra", [2]), ("Department for Environment, Food & Rural Affairs", [2])),
        *(("Parish of Nowhere", [3]), ("LDC,defra", [1, 2]), ('"Leeward Sands",defra', [1, 2])),
    ],
)
def test_rows_of_a_body_by_any_of_its_names(place: Served, name: str, lines: list[int]) -> None:
    rows = place.rows(body=name)
    assert sorted(one["line_id"] for one in rows) == [f"line-{number:05}" for number in lines]


@pytest.mark.parametrize(
    ("path", "status"), [("/rows/spend?body={}", 400), ("/series?body={}", 400), ("/bodies/{}", 404)]
)
def test_a_wrong_name_is_answered_with_the_closest(place: Served, path: str, status: int) -> None:
    answer = place.get(path.format("Leeward Distrct Council"))
    assert answer.status_code == status
    problem = answer.json()
    assert problem["did_you_mean"] == ["leeward"]
    assert "did you mean leeward (Leeward District Council)?" in problem["detail"]


def test_a_body_that_has_published_nothing_is_answered_with_those_that_have(place: Served) -> None:
    answer = place.get("/rows/spend?body=Leeds City Council")
    assert answer.status_code == 400
    assert "no body called 'Leeds City Council' has published anything" in answer.json()["detail"]


def test_listings_take_names_and_tell_provisional_bodies(place: Served) -> None:
    bodies = {one["body"]: one for one in place.json("/bodies")["bodies"]}
    assert {slug: one["provisional"] for slug, one in bodies.items()} == {
        "defra": False,
        "leeward": False,
        "parish-of-nowhere": True,
    }
    assert (bodies["leeward"]["name"], bodies["leeward"]["short_name"]) == ("Leeward District Council", "LDC")
    about = place.json("/bodies/Leeward Sands")
    assert (about["body"], about["aliases"], about["provisional"]) == ("leeward", ["Leeward Sands"], False)
    assert place.json("/bodies/parish of nowhere")["provisional"] is True
    [series] = place.json("/series", body="Leeward Sands")["series"]
    assert place.json(f"/series/{series['series'].replace('leeward', 'LDC')}")["series"] == series["series"]


def test_a_cursor_follows_a_query_by_name(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    published(store, released(tmp_path, "spend/defra/2026-10", [row(1), row(2)]), "2026-11-02T09:00:00Z")
    with serving(str(tmp_path / "store"), tmp_path / "scratch") as api:
        pages = list(api.pages("/rows/spend?body=Defra&limit=1"))
    assert [[one["line_id"] for one in page] for page in pages] == [["line-00001"], ["line-00002"]]
