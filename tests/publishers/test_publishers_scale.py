"""One release costs the same however many there are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from piperoll.errors import StoreCorrupt
from publishers import FolderStore, Store, list_indexed_series, list_series, read_history
from publishers.stores.s3 import S3Store
from tests.fixtures.large_store import existing_series, fill, measure, write_files


def test_on_s3_as_in_a_folder(s3_store: Store, tmp_path: Path) -> None:
    fill(s3_store.put, 40)
    found = measure(s3_store, tmp_path / "packed")
    assert {name: cost.counts for name, cost in found.items()} == _counts(tmp_path / "folder", 40)


def test_the_store_that_is_measured_is_a_store(tmp_path: Path) -> None:
    fill(write_files(tmp_path), 120)
    store = FolderStore(tmp_path)
    there = sorted(existing_series(120))
    assert list(list_indexed_series(store)) == list(list_series(store)) == there
    assert all(read_history(store, series)[0].current == 1 for series in there)


def test_publishing_a_submission_costs_at_most_24_requests(s3_store: S3Store, tmp_path: Path) -> None:
    """It was 55: each object was read back, and what had just been written was read again.

    To these come a listing, and a pointer for each of at most four releases that it is compared with.
    """
    fill(s3_store.put, 40)
    requests: list[str] = []
    s3_store._s3.meta.events.register("before-send.s3", lambda request, **_: requests.append(request.method))
    asked = {name: cost.asked.total() for name, cost in measure(s3_store, tmp_path / "packed").items()}
    counted = {name: asked[name] for name in ("receive", "publish", "file_report")}
    assert counted == {"receive": 6, "publish": 13, "file_report": 5}
    assert sum(counted.values()) == 24
    assert len(requests) == sum(asked.values()), "each operation on the store is one request"
    assert asked["earlier"] <= 1 + 4


def test_an_object_is_read_back_where_the_server_does_not_say_what_it_holds(
    s3_store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With keys of a customer in AWS KMS, the tag that the server answers with is not the MD5 of the bytes."""
    put, read = s3_store._put, []
    monkeypatch.setattr(s3_store, "_put", lambda *given, **more: put(*given, **more)[::-1])
    monkeypatch.setattr(s3_store, "_holds", lambda key, *_: read.append(key) is None and len(read) == 1)
    s3_store.create("archive/sha256/ab/abcd", b"one")
    assert read == ["archive/sha256/ab/abcd"]
    with pytest.raises(StoreCorrupt, match="does not keep what it is given"):
        s3_store.create("archive/sha256/ab/abce", b"two")


@pytest.mark.soak
def test_a_release_costs_the_same_among_a_hundred_thousand_as_among_a_thousand(tmp_path: Path, long: bool) -> None:
    """In the short form among a thousand as among a hundred: what is asked for, not how long it takes."""
    sizes = (1_000, 100_000) if long else (100, 1_000)
    found = []
    for releases in sizes:
        root = tmp_path / str(releases)
        fill(write_files(root), releases)
        found.append(measure(FolderStore(root), tmp_path / f"packed-{releases}", 10 if long else 1))
    few, many = found
    assert {name: cost.counts for name, cost in few.items()} == {name: cost.counts for name, cost in many.items()}
    assert sum(cost.asked.total() for cost in many.values()) <= 55
    seconds = [sum(cost.seconds for cost in costs.values()) for costs in found]
    sys.stdout.write(f"one release among {sizes}: {seconds} s, ratio {seconds[1] / seconds[0]:.2f}\n")
    assert not long or seconds[1] <= 1.2 * seconds[0]


def _counts(root: Path, releases: int) -> dict[str, tuple[tuple[tuple[str, int], ...], int, int]]:
    fill(write_files(root), releases)
    found = measure(FolderStore(root), root.parent / f"packed-{releases}")
    return {name: cost.counts for name, cost in found.items()}
