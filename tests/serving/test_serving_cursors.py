"""Pages: each row comes once, even while new versions are published."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hosting.problems import Problem
from piperoll.model import Series
from publishers import FolderStore, mark_withdrawn
from serving.cursors import Cursor
from tests.serving.published_place import Served, publish_world, published, released, row, serving, source_of

SORTS = ["", "&sort=net_amount", "&sort=-net_amount,supplier_name", "&sort=payment_date", "&sort=-payment_date,-series"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    publish_world(FolderStore(tmp_path / "store"), tmp_path / "scratch")
    return tmp_path / "store"


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_pages_together_are_the_whole_in_order(api: Served, sort: str, size: int) -> None:
    whole = [one["line_id"] for one in api.json(f"/rows/spend?limit=1000{sort}")["rows"]]
    paged = [one["line_id"] for page in api.pages(f"/rows/spend?limit={size}{sort}") for one in page]
    assert (len(whole), paged) == (17, whole)


@pytest.mark.parametrize("sort", ["", "&sort=-sum_net_amount", "&sort=supplier_name", "&sort=count,-supplier_name"])
def test_pages_of_groups_together_are_the_whole_in_order(api: Served, sort: str) -> None:
    question = f"/rows/spend?group_by=supplier_name,period&sum=net_amount&count{sort}"
    whole = api.json(f"{question}&limit=1000")["rows"]
    assert [one for page in api.pages(f"{question}&limit=2") for one in page] == whole


@pytest.mark.parametrize("sort", SORTS)
def test_each_row_comes_once_while_new_versions_are_published(place: Path, tmp_path: Path, sort: str) -> None:
    store, stop = FolderStore(place), threading.Event()

    def correct() -> None:
        for number in range(1_000):
            for series in ("spend/anytown/2026-10", "spend/brackwater/2026-09", f"spend/newtown-{number}/2026-10"):
                rows = [row(1_000 * number + n, supplier_name="New Ltd") for n in range(8)]
                now = f"2026-12-01T09:{number // 60:02}:{number % 60:02}Z"
                published(store, released(tmp_path / "more", series, rows, source=source_of(str(number))), now)
            if stop.is_set():
                return

    rival = threading.Thread(target=correct)
    with serving(str(place), tmp_path / "cache") as api:
        whole = [one["line_id"] for one in api.rows(limit=1_000)]
        pages = api.pages(f"/rows/spend?limit=2{sort}")
        paged = [one["line_id"] for one in next(pages)]
        rival.start()
        try:
            paged += [one["line_id"] for page in pages for one in page]
        finally:
            stop.set()
            rival.join()
    assert sorted(paged) == sorted(whole)


def test_a_page_of_a_version_withdrawn_meanwhile_says_to_start_again(place: Path, tmp_path: Path) -> None:
    seconds = 0.0
    with serving(str(place), tmp_path / "cache", clock=lambda: seconds) as api:
        following = api.json("/rows/spend?limit=2")["next"]
        series = Series.parse("spend/brackwater/2026-09")
        mark_withdrawn(FolderStore(place), series, 1, because="a mistake", now="2026-12-02T09:00:00Z")
        seconds = 60.0  # the index is believed for two
        answer = api.get(following)
        assert (answer.status_code, answer.json()["type"]) == (410, "urn:piperoll:problem:changed-meanwhile")
        assert "line-00010" not in {one["line_id"] for one in api.rows(limit=1_000)}


def test_a_cursor_belongs_to_its_query(api: Served) -> None:
    following = api.json("/rows/spend?limit=2")["next"]
    answer = api.get(following + "&body=anytown")
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:piperoll:problem:bad-cursor")


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**17), 10**17),
    st.text(max_size=20),
    st.dates(),
    st.decimals(-1, 1, places=18),
)


@given(st.lists(VALUES, max_size=5))
def test_a_cursor_survives_its_token(keys: list[object]) -> None:
    cursor = Cursor("a", "b", "2026-11-01T09:00:00Z", tuple(keys))  # type: ignore[arg-type]
    assert Cursor.parse(cursor.token()) == cursor


@given(st.text(max_size=200))
def test_any_other_text_as_cursor_is_a_problem(text: str) -> None:
    with pytest.raises(Problem):
        Cursor.parse(text)


@pytest.mark.parametrize("sort", [*SORTS, "&group_by=supplier_name&sum=net_amount&sort=-sum_net_amount"])
@pytest.mark.parametrize("wrong", [True, "", "'; --", "\x00", Decimal("1e999999"), date(2026, 1, 1), 10**17, None])
def test_a_cursor_with_a_key_of_another_kind_is_refused(api: Served, sort: str, wrong: object) -> None:
    """Of 440 tampered cursors 195 were answered with 500."""
    real = Cursor.parse(api.json(f"/rows/spend?limit=1{sort}")["next"].split("cursor=")[1])
    for position in range(len(real.keys) + 1):
        keys = (*real.keys[:position], wrong, *real.keys[position + 1 :])
        forged = replace(real, keys=keys)  # type: ignore[arg-type]
        assert api.get(f"/rows/spend?limit=1{sort}&cursor={forged.token()}").status_code in (200, 400)


@settings(deadline=None, max_examples=25)
@given(st.lists(VALUES, max_size=4))
def test_a_forged_cursor_is_answered_or_refused(api: Served, keys: list[object]) -> None:
    real = Cursor.parse(api.json("/rows/spend?limit=2")["next"].split("cursor=")[1])
    forged = Cursor(real.query, real.selection, real.until, tuple(keys))  # type: ignore[arg-type]
    assert api.get(f"/rows/spend?limit=2&cursor={forged.token()}").status_code in (200, 400)
