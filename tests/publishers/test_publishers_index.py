"""The index: it leads to every series, says what the pointers say, and a release touches one page of it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from piperoll.model import Period, Series
from publishers import Store, list_indexed_series, list_series, mark_withdrawn, publish_release
from publishers.index import update_index
from tests.publishers.small_releases import NOW, SERIES, packed

YEAR = "data/spend/anytown/index-2026.json"


def named(text: str) -> Series:
    return Series.parse(text)


def test_the_index_leads_to_every_series_in_order(store: Store, tmp_path: Path) -> None:
    names = [
        "spend/anytown/2026-10",
        "spend/anytown/2026-09",
        "spend/anytown/2025-12--card",
        "roles/byetown/2026-03-31",
    ]
    for number, name in enumerate(names):
        publish_release(store, packed(tmp_path / str(number), 2, series=named(name)), reason="first", now=NOW)
    assert list(list_indexed_series(store)) == sorted(map(named, names))
    assert list(list_indexed_series(store)) == list(list_series(store))


def test_the_index_names_the_current_version(store: Store, release) -> None:
    publish_release(store, release(3), reason="first", now=NOW)
    publish_release(store, release(4), reason="second", now=NOW)
    entry = json.loads(store.read(YEAR).content)["series"]["spend/anytown/2026-10"]
    assert (entry["current"], entry["versions"], entry["rows"], entry["amount_gbp"]) == (2, 2, 4, "6.00")
    mark_withdrawn(store, SERIES, 2, because="wrong", now=NOW)
    entry = json.loads(store.read(YEAR).content)["series"]["spend/anytown/2026-10"]
    assert entry == {"versions": 2, "current": None}


def test_the_next_run_completes_the_index_after_a_kill(store: Store, release) -> None:
    publish_release(store, release(3), reason="first", now=NOW)
    for key in ("data/index.json", "data/spend/anytown/index.json", YEAR):
        store.delete(key)
    publish_release(store, release(3), reason="again", now=NOW)
    assert list(list_indexed_series(store)) == [SERIES]


@pytest.mark.parametrize("written", [0, 1, 2])
def test_the_next_run_completes_the_index_after_a_kill_between_two_pages(store: Store, release, written: int) -> None:
    class Killed(Exception):
        pass

    class Dying:
        left = written + 1  # the pointer comes first

        def replace(self, key: str, content: bytes, tag: str | None) -> str:
            if self.left == 0:
                raise Killed
            self.left -= 1
            return store.replace(key, content, tag)

        def __getattr__(self, name: str):
            return getattr(store, name)

    with pytest.raises(Killed):
        publish_release(Dying(), release(3), reason="first", now=NOW)  # type: ignore[arg-type]
    assert list(list_indexed_series(store)) == []
    publish_release(store, release(3), reason="again", now=NOW)
    assert list(list_indexed_series(store)) == [SERIES]


def test_eight_concurrent_updates_of_one_year_of_the_index_lose_nothing(folder_store: Store, tmp_path: Path) -> None:
    series = [Series("spend", "anytown", Period.parse(f"2026-{month:02}")) for month in range(1, 9)]
    made = [packed(tmp_path / str(one.period), 2, series=one) for one in series]
    threads = [
        threading.Thread(target=publish_release, args=(folder_store, one), kwargs={"reason": "r", "now": NOW})
        for one in made
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(list_indexed_series(folder_store)) == series


def test_updating_the_index_with_the_same_entry_writes_nothing(folder_store: Store, release) -> None:
    publish_release(folder_store, release(3), reason="first", now=NOW)
    before = folder_store.read(YEAR)
    update_index(folder_store, SERIES)
    assert folder_store.read(YEAR) == before
