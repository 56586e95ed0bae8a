"""Which earlier releases a new one is held against."""

from __future__ import annotations

from pathlib import Path

import pytest

import publishers
from piperoll.model import Period, Series
from tests.publishers.small_releases import NOW, packed


@pytest.fixture
def folder_store(tmp_path: Path) -> publishers.FolderStore:
    return publishers.FolderStore(tmp_path / "store")


def series(period: str, part: str | None = None, *, dataset: str = "spend", body: str = "anytown") -> Series:
    return Series(dataset, body, Period.parse(period), part)


def standing(store: publishers.Store, tmp_path: Path, *those: Series) -> None:
    for one in those:
        publishers.publish_release(
            store, packed(tmp_path / str(one).replace("/", "-"), 3, series=one), reason="first", now=NOW
        )


def periods(store: publishers.Store, one: Series) -> list[str]:
    return [str(each.series.period) for each in publishers.find_earlier_releases(store, one)]


def test_the_nearest_three_and_the_same_month_a_year_before(
    folder_store: publishers.FolderStore, tmp_path: Path
) -> None:
    months = ("2026-09", "2026-08", "2026-06", "2026-05", "2025-10", "2025-09", "2023-10")
    standing(folder_store, tmp_path, *map(series, months))
    assert periods(folder_store, series("2026-10")) == ["2026-09", "2026-08", "2026-06", "2025-10"]
    assert periods(folder_store, series("2025-10")) == ["2025-09", "2023-10"]


def test_only_comparable_periods_that_end_before_this_one_are_found(
    folder_store: publishers.FolderStore, tmp_path: Path
) -> None:
    others = (
        series("2026-Q3"),
        series("2025-26"),
        series("2026-11"),
        series("2026-09", "card"),
        series("2026-09", dataset="roles"),
        series("2026-09", body="anytown-east"),
    )
    standing(folder_store, tmp_path, *others)
    assert periods(folder_store, series("2026-10")) == []
    assert periods(folder_store, series("2026-10", "card")) == ["2026-09"]
    assert periods(folder_store, series("2026-Q4")) == ["2026-Q3"]


def test_a_snapshot_is_compared_with_snapshots(folder_store: publishers.FolderStore, tmp_path: Path) -> None:
    standing(folder_store, tmp_path, series("2026-03-31"), series("2026-03"), series("2025-09-30"))
    assert periods(folder_store, series("2026-09-30")) == ["2026-03-31", "2025-09-30"]


def test_a_withdrawn_version_is_not_compared_with(folder_store: publishers.FolderStore, tmp_path: Path) -> None:
    standing(folder_store, tmp_path, series("2026-09"), series("2026-08"))
    publishers.mark_withdrawn(folder_store, series("2026-09"), 1, because="it was another body's", now=NOW)
    assert periods(folder_store, series("2026-10")) == ["2026-08"]


def test_the_table_and_report_of_an_earlier_release_are_read(
    folder_store: publishers.FolderStore, tmp_path: Path
) -> None:
    standing(folder_store, tmp_path, series("2026-09"))
    (one,) = publishers.find_earlier_releases(folder_store, series("2026-10"))
    version = publishers.read_history(folder_store, series("2026-09"))[0].current_version
    assert one.version == version
    assert one.path == f"spend/anytown/2026-09/{one.version.path}"
    assert publishers.read_release_files(folder_store, one) == (b"PAR1 ", {"rows": 3})
