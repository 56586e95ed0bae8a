"""A copy of everything: brought up to date at the cost of what changed, whole, and without what was withdrawn."""

from __future__ import annotations

from pathlib import Path

import pytest

import publishers
from piperoll.errors import StoreCorrupt, UsageError
from piperoll.model import Period, Series
from publishers.download import CopyResult, copy_everything
from publishers.purge import mark_withdrawn
from publishers.stores.folder import FolderStore
from tests.publishers.small_releases import NOW, SERIES

LATER = "2026-11-09T09:00:00Z"
OTHER = Series("contracts", "brackwater", Period.parse("2026-Q3"))


@pytest.fixture
def two_tables(folder_store: FolderStore, release) -> FolderStore:
    for made in (release(3), release(2, series=OTHER)):
        publishers.publish_release(folder_store, made, reason="first", now=NOW)
    return folder_store


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def table(stem: str) -> set[str]:
    return {f"{stem}.csv", f"{stem}.parquet", f"{stem}-datapackage.json", f"{stem}-report.json"}


def test_every_current_table_is_copied_under_a_name_of_its_own(two_tables: FolderStore, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert copy_everything(two_tables, copy) == CopyResult(tables=2, downloaded=8, removed=0)
    spend = table("spend/anytown/spend-anytown-2026-10-v1")
    contracts = table("contracts/brackwater/contracts-brackwater-2026-Q3-v1")
    assert names(copy) == {"files.csv", *spend, *contracts}


def test_again_only_what_changed_is_downloaded(two_tables: FolderStore, release, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_everything(two_tables, copy)
    assert copy_everything(two_tables, copy) == CopyResult(tables=2, downloaded=0, removed=0)
    publishers.publish_release(two_tables, release(4), reason="correction", now=LATER)
    assert copy_everything(two_tables, copy) == CopyResult(tables=2, downloaded=4, removed=4)
    assert "spend/anytown/spend-anytown-2026-10-v2.csv" in names(copy)
    assert "spend/anytown/spend-anytown-2026-10-v1.csv" not in names(copy)
    (copy / "spend/anytown/spend-anytown-2026-10-v2.csv").unlink()
    assert copy_everything(two_tables, copy).downloaded == 4, "what is missing comes back"


def test_what_was_withdrawn_leaves_the_copy(two_tables: FolderStore, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_everything(two_tables, copy)
    mark_withdrawn(two_tables, SERIES, 1, because="A person was named.", now=LATER)
    assert copy_everything(two_tables, copy) == CopyResult(tables=1, downloaded=0, removed=4)
    assert not any(name.startswith("spend/") for name in names(copy))


def test_a_file_that_somebody_changed_is_not_removed(two_tables: FolderStore, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_everything(two_tables, copy)
    own = copy / "spend/anytown/spend-anytown-2026-10-v1.csv"
    own.write_text("my notes")
    mark_withdrawn(two_tables, SERIES, 1, because="A person was named.", now=LATER)
    assert copy_everything(two_tables, copy).removed == 3
    assert own.read_text() == "my notes"


def test_a_part_of_everything_leaves_the_rest_of_the_copy(two_tables: FolderStore, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_everything(two_tables, copy)
    assert copy_everything(two_tables, copy, dataset="spend") == CopyResult(tables=1, downloaded=0, removed=0)
    assert copy_everything(two_tables, copy, body="brackwater") == CopyResult(tables=1, downloaded=0, removed=0)
    assert len(names(copy)) == 9


def test_a_copy_that_was_interrupted_goes_on(two_tables: FolderStore, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    broken = next(key for key in two_tables.keys("data/spend/") if key.endswith(".parquet"))
    content = two_tables.read(broken).content
    (two_tables._root / broken).write_bytes(b"another file")
    with pytest.raises(StoreCorrupt, match="nothing was kept"):
        copy_everything(two_tables, copy)
    assert not any(name.endswith(".part") for name in names(copy))
    (two_tables._root / broken).write_bytes(content)
    assert copy_everything(two_tables, copy) == CopyResult(tables=2, downloaded=4, removed=0), "contracts were there"


def test_a_list_that_leads_out_of_the_folder_is_refused(two_tables: FolderStore, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_everything(two_tables, copy)
    text = (copy / "files.csv").read_text()
    (copy / "files.csv").write_text(text.replace("spend/anytown/", "../", 1))
    with pytest.raises(UsageError, match="not in the folder"):
        copy_everything(two_tables, copy)
