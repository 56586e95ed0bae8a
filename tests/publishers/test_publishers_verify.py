"""Verifying finds everything published that does not match, in a store and over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import publishers
from piperoll import layout
from piperoll.errors import NotThere
from piperoll.model import Differences, Effect, History, Status
from tests.publishers.small_releases import NOW, SERIES, packed

LATER = "2026-11-09T09:00:00Z"


def compare(before: Path, after: Path, to: Path) -> Differences:
    to.write_bytes(before.joinpath("spend.csv").read_bytes() + after.joinpath("spend.csv").read_bytes())
    return Differences(Effect(1, None), Effect(0, None), Effect(0, None), {})


def fine(folder: Path) -> Iterator[str]:
    assert (folder / "spend.csv").is_file()
    return iter(())


def found(store, inspect: Callable[[Path], Iterator[str]] = fine, differ=compare) -> list[str]:
    return [
        fault.what
        for one in publishers.verify_series(store, publishers.list_indexed_series(store), inspect, lambda _: differ)
        for fault in one.faults
    ]


@pytest.fixture
def published(store: publishers.Store, release) -> publishers.Store:
    """A series with three versions, two of them with their differences, the last withdrawn."""
    for rows in (3, 4, 5):
        publishers.publish_release(store, release(rows), reason=f"{rows} rows", now=NOW, compare=compare)
    publishers.mark_withdrawn(store, SERIES, 3, because="wrong month", now=LATER)
    return store


def rewrite(store: publishers.Store, change: Callable[[History], History]) -> None:
    history, tag = publishers.read_history(store, SERIES)
    store.replace(layout.pointer(SERIES), change(history).to_bytes(), tag)


def place(store: publishers.Store, number: int) -> str:
    version = publishers.read_history(store, SERIES)[0].version(number)
    assert version is not None
    return layout.version_folder(SERIES, version)


def test_an_unchanged_store_has_no_faults(published: publishers.Store) -> None:
    [one] = publishers.verify_series(published, publishers.list_indexed_series(published), fine, lambda _: compare)
    assert (one.series, one.versions, one.faults) == (SERIES, 3, ())


def test_a_missing_or_changed_file_is_a_fault(published: publishers.Store) -> None:
    published.put(f"{place(published, 2)}spend.csv", b"other rows")
    published.delete(f"{place(published, 3)}spend.parquet")
    published.delete(f"{place(published, 1)}manifest.json")
    first, second, third = found(published)
    assert "v1-" in first
    assert second.endswith("spend.csv is not the file that its manifest names")
    assert "spend.parquet" in third


def test_a_changed_manifest_or_history_is_found(published: publishers.Store) -> None:
    def changed(history: History) -> History:
        first, second, third = history.versions
        return History(SERIES, (replace(first, rows=9), replace(second, status=Status.CURRENT), third), None)

    rewrite(published, changed)
    whats = found(published)
    assert "versions.json and manifest.json do not agree on rows" in whats
    assert "current is None, but the versions with that status are [2]" in whats


def test_a_version_that_was_left_out_of_the_history_is_found(published: publishers.Store) -> None:
    rewrite(published, lambda history: History(SERIES, history.versions[1:], None))
    whats = found(published)
    assert "the versions are not numbered one by one: [2, 3]" in whats
    assert any(what.startswith("the index does not match it") for what in whats)


def test_differences_are_made_again_and_compared(published: publishers.Store) -> None:
    def other(before: Path, after: Path, to: Path) -> Differences:
        return replace(compare(before, after, to), removed=Effect(1, None))

    assert found(published, differ=other) == [
        "the differences from version 1 are not those that versions.json states",
        "the differences from version 2 are not those that versions.json states",
    ]
    [key] = published.keys(f"{layout.series_folder(SERIES)}changes/v1-v2-")
    published.put(key, b"other rows")
    assert any("is not the file that versions.json names" in what for what in found(published))


def test_a_pointer_that_cannot_be_read_is_a_fault_of_its_series_alone(
    published: publishers.Store, release, tmp_path
) -> None:
    other = replace(SERIES, body="byetown")
    publishers.publish_release(published, packed(tmp_path / "other", 2, series=other), reason="first", now=NOW)
    published.put(layout.pointer(SERIES), b"{")
    assert [
        len(one.faults)
        for one in publishers.verify_series(
            published, publishers.list_indexed_series(published), fine, lambda _: compare
        )
    ] == [1, 0]


def test_files_of_a_purged_version_that_are_still_there_are_found(published: publishers.Store) -> None:
    where = place(published, 2)
    kept = published.read(f"{where}manifest.json").content
    published.put(f"archive/from/ab/{'ab' * 32}/anytown/spend", b"")
    publishers.remove_submission(published, "ab" * 32, because="a name", now=LATER)
    assert found(published) == []
    published.put(f"{where}manifest.json", kept)
    assert found(published) == ["it was purged, and its files are still there: purge again"]


def test_a_fault_found_by_the_inspection_has_the_key_of_its_version(published: publishers.Store) -> None:
    [one] = publishers.verify_series(
        published, [SERIES], lambda folder: iter([f"wrong in {folder.name}"]), lambda _: compare
    )
    assert [(fault.where, fault.what) for fault in one.faults] == [
        (place(published, number), f"wrong in {number}") for number in (1, 2, 3)
    ]


def test_verification_over_http_gives_the_same_result_and_the_archive_is_not_served(
    folder_store: publishers.FolderStore, release
) -> None:
    for rows in (3, 4):
        publishers.publish_release(folder_store, release(rows), reason="r", now=NOW, compare=compare)
    folder_store.put("archive/sha256/ab/secret", b"private")
    with publishers.serve_site(folder_store, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            reader = publishers.open_reader(server.address)
            assert found(reader) == []
            assert not reader.exists("archive/sha256/ab/secret")
            with pytest.raises(NotThere):
                reader.read("archive/sha256/ab/secret")
            assert (
                reader.read(layout.pointer(SERIES), first=10).content
                == folder_store.read(layout.pointer(SERIES)).content[:10]
            )
        finally:
            server.shutdown()
            thread.join()
