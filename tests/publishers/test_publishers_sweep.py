"""What nobody names and nobody writes is swept up, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import boto3
import pytest

from piperoll import layout
from piperoll.model import Differences, Effect
from publishers import FolderStore, Store, publish_release, read_history, sweep_access_log, sweep_store
from publishers.stores.s3 import S3Store
from tests.publishers.small_releases import NOW, SERIES, packed


def compare(before: Path, after: Path, to: Path) -> Differences:
    to.write_bytes(b"change,pair\r\n")
    return Differences(Effect(1, None), Effect(0, None), Effect(0, None), {})


@pytest.fixture
def standing(store: Store, release) -> Store:
    for rows in (3, 4):
        publish_release(store, release(rows), reason="r", now=NOW, compare=compare)
    return store


ORPHANS = (
    f"{layout.series_folder(SERIES)}v2-ffffffffffff/spend.csv",
    f"{layout.series_folder(SERIES)}v3-ffffffffffff/manifest.json",
    f"{layout.series_folder(SERIES)}v3-ffffffffffff/spend.csv",
    f"{layout.series_folder(SERIES)}changes/v2-v3-ffffffffffff.csv",
    "data/spend/byetown/2026-10/v1-ffffffffffff/spend.csv",
)


def test_orphans_are_removed_and_what_a_pointer_names_stays(standing: Store) -> None:
    before = set(standing.keys())
    for key in ORPHANS:
        standing.create(key, b"left by a killed run")
    swept = sweep_store(standing, older_than=0)
    assert set(swept.removed) == set(ORPHANS)
    assert set(standing.keys()) == before
    assert sweep_store(standing, older_than=0).removed == ()


def test_a_young_orphan_is_kept_until_it_is_old_enough(standing: Store) -> None:
    for key in ORPHANS:
        standing.create(key, b"being uploaded")
    swept = sweep_store(standing, older_than=3600)
    assert swept.removed == ()
    assert set(swept.waiting) == set(ORPHANS)


def test_the_youngest_file_of_a_folder_decides_for_all(folder_store: FolderStore, tmp_path: Path) -> None:
    old, young = ORPHANS[1], ORPHANS[2]
    for key in (old, young):
        folder_store.create(key, b"x")
    os.utime(tmp_path / "store" / old, (0, 0))
    assert set(sweep_store(folder_store).waiting) == {old, young}
    os.utime(tmp_path / "store" / young, (0, 0))
    assert set(sweep_store(folder_store).removed) == {old, young}


def test_a_rerun_makes_old_files_young_again(folder_store: FolderStore, tmp_path: Path) -> None:
    key = ORPHANS[1]
    folder_store.create(key, b"x")
    os.utime(tmp_path / "store" / key, (0, 0))
    folder_store.create(key, b"x")
    assert sweep_store(folder_store).waiting == (key,)
    assert not folder_store.delete_if_older(key, 3600)
    assert folder_store.delete_if_older(key, 0)
    assert folder_store.delete_if_older(key, 0)


def test_a_rerun_makes_old_objects_young_again(s3_store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publishers.stores.s3._HOUR", 1)
    key = ORPHANS[1]
    s3_store.create(key, b"x")
    before = s3_store._s3.head_object(**s3_store._at(key))["LastModified"]
    time.sleep(2.1)  # longer than `_HOUR`, and than the second in which moments of S3 are given
    s3_store.create(key, b"x")
    assert s3_store._s3.head_object(**s3_store._at(key))["LastModified"] > before
    assert s3_store.read(key).content == b"x"
    assert s3_store._s3.head_object(**s3_store._at(key))["CacheControl"].endswith("immutable")
    assert not s3_store.delete_if_older(key, 3600)
    assert s3_store.delete_if_older(key, 0)
    assert s3_store.delete_if_older(key, 0)


def test_a_publisher_that_was_swept_under_publishes_again(folder_store: FolderStore, release, reader) -> None:
    made = release(3)
    publish_release(folder_store, made, reason="first", now=NOW)
    folder_store.delete(layout.pointer(SERIES))
    assert len(sweep_store(folder_store, older_than=0).removed) == 5
    publish_release(folder_store, made, reason="again", now=NOW)
    assert reader(folder_store).current == 1


WRITER = """
import sys, time
from pathlib import Path
from publishers.stores.folder import FolderStore, _chunks
import publishers.stores.folder as folder
def slow(content):
    yield b"half"
    print("writing", flush=True)
    time.sleep(600)
folder._chunks = slow
FolderStore(Path(sys.argv[1])).put("catalogue/page.html", b"whole")
"""


def test_an_unfinished_file_is_removed_only_after_its_writer_is_dead(folder_store, tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "store")], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"writing\n"
    assert folder_store.abort_unfinished(0) == 0
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert folder_store.abort_unfinished(0) == 1
    assert not list((tmp_path / "store" / ".unfinished").iterdir())


def test_an_unfinished_multipart_upload_is_aborted(s3_store: S3Store) -> None:
    at = s3_store._at("data/spend/anytown/2026-10/v1-ffffffffffff/spend.csv")
    s3_store._s3.create_multipart_upload(**at)
    assert s3_store.abort_unfinished(3600) == 0
    assert s3_store.abort_unfinished(0) == 1
    assert s3_store.abort_unfinished(0) == 0


def test_a_sweep_does_not_disturb_concurrent_publishers(store: Store, tmp_path: Path) -> None:
    for number in range(3):
        publish_release(store, packed(tmp_path / str(number), 3 + number), reason="r", now=NOW, compare=compare)
        sweep_store(store)
    assert read_history(store, SERIES)[0].current == 3


def test_the_log_of_the_portal_is_deleted_by_day(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    kept, old = (layout.access_log(f"2026-1{month}-01T09:00:00Z", "abc") for month in (1, 0))
    for key in (kept, old):
        store.create(key, b"{}")
    assert sweep_access_log(store, before="2026-11-01") == 1
    assert list(store.keys("access/")) == [kept]


def test_what_is_swept_of_the_portals_log_does_not_stay_in_a_bucket_that_keeps_versions(s3_endpoint: str) -> None:
    """The entries were deleted, and could still be read as old versions."""
    name, s3 = f"versioned-{uuid.uuid4().hex[:12]}", boto3.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    store = S3Store(name, "place")
    kept, old = (layout.access_log(f"2026-1{month}-01T09:00:00Z", "abc") for month in (1, 0))
    for key in (kept, old):
        store.create(key, b"{}")
    assert sweep_access_log(store, before="2026-11-01") == 1
    assert list(store.keys("access/")) == [kept]
    assert list(store.old_versions("access/")) == []
