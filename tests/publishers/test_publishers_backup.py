"""Backups: taken while runs publish, interrupted, of what was purged, and restored."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

import publishers
from piperoll import assets, layout
from piperoll.errors import StoreCorrupt, UsageError
from piperoll.measuring.packing import table_dataset
from piperoll.operations.restoring import restore_store
from piperoll.operations.run_request import RunRequest, current_moment
from piperoll.releasing import compare_versions, find_faults
from publishers import Store, find_values, list_backups, open_store, restore_backup, take_backup
from tests.fixtures.dying_store import DyingStore, Killed
from tests.operations.inbox import contents, plain_run, put, spend

NAME = "Zebedee Quillfeather Ltd"
BAD = spend(10) + f"30/10/2026,{NAME},5.00,T9,Supplies,Estates\r\n".encode()
SHA256 = hashlib.sha256(BAD).hexdigest()


@pytest.fixture
def made() -> Iterator[Callable[[str], str]]:
    """Makes the address of a bucket of its own that keeps every version."""

    def make(_: str) -> str:
        name, s3 = f"versioned-{uuid.uuid4().hex[:12]}", boto3.client("s3")
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return f"s3://{name}/place"

    yield make


def publish(place: str, folder: Path, body: str, content: bytes) -> None:
    inbox = folder / uuid.uuid4().hex
    put(inbox, f"spend/{body}/October 2026.csv", content)
    plain_run(RunRequest(to=place, inbox=inbox), catalogued=False)


def kept(store: Store) -> dict[str, str]:
    """Everything that a backup holds."""
    made_again = (layout.CATALOGUE, layout.BUILD, layout.MEASURES_STATE)
    return {key: digest for key, digest in contents(store).items() if not key.startswith(made_again)}


def require_sound(store: Store) -> None:
    """Every check of `piperoll verify` that needs no figures."""
    compare = {one.name: partial(compare_versions, one) for one in (*assets.datasets(), table_dataset())}
    series = [*publishers.list_indexed_series(store), *publishers.list_measured_series(store)]
    verified = publishers.verify_series(store, series, find_faults, compare.__getitem__)
    faults = [fault for one in verified for fault in one.faults]
    faults += publishers.verify_objects(store, "")
    faults += publishers.verify_purges(store)
    assert faults == []


def all_bytes(place: str) -> Iterator[bytes]:
    """What a place holds, every version of it if it is a bucket."""
    if not place.startswith("s3://"):
        yield from (path.read_bytes() for path in Path(place).rglob("*") if path.is_file())
        return
    s3: Any = boto3.client("s3")
    bucket = place.split("/")[2]
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in page.get("Versions", ()):
            yield s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_a_restored_store_is_the_store_and_goes_on(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    def address(name: str) -> str:
        if kind == "folder":
            return str(tmp_path / name)
        return f"s3://{request.getfixturevalue('bucket')}/{uuid.uuid4().hex}"

    place, backups, again = (address(name) for name in ("out", "backups", "again"))
    publish(place, tmp_path, "anytown", spend(5))
    store, target = open_store(place), open_store(backups)
    first = take_backup(store, target, now=current_moment())
    assert (first.objects, first.copied > 5, first.damaged) == (len(kept(store)), True, [])
    assert take_backup(store, target, now=current_moment()).copied == 0
    publish(place, tmp_path, "beeford", spend(6))
    publish(place, tmp_path, "anytown", spend(7))
    second = take_backup(store, target, now=current_moment())
    assert 0 < second.copied < second.objects
    assert [one.objects for one in list_backups(target)] == [first.objects, first.objects, second.objects]
    restored = open_store(again)
    done = restore_backup(target, restored, now=current_moment())
    assert (done.taken, done.written) == (second.taken, second.objects)
    assert kept(restored) == kept(store)
    require_sound(restored)
    publish(again, tmp_path, "anytown", spend(8))
    with pytest.raises(UsageError, match="is not empty"):
        restore_backup(target, restored, now=current_moment())
    with pytest.raises(UsageError, match="there is no backup of 2020"):
        restore_backup(target, open_store(address("else")), taken="2020", now=current_moment())


def test_a_restore_builds_the_catalogue(tmp_path: Path) -> None:
    publish(str(tmp_path / "out"), tmp_path, "anytown", spend(5))
    take_backup(open_store(str(tmp_path / "out")), open_store(str(tmp_path / "backups")), now=current_moment())
    done, trouble = restore_store(str(tmp_path / "backups"), str(tmp_path / "again"))
    assert (done.purged, trouble) == (0, None)
    restored = open_store(str(tmp_path / "again"))
    assert restored.exists(layout.HOME)
    require_sound(restored)


def test_a_backup_that_is_taken_while_runs_publish_is_whole(tmp_path: Path) -> None:
    """Files that a pointer names must be there, and a file that counts as done must be published."""
    place, target = str(tmp_path / "out"), open_store(str(tmp_path / "backups"))
    store, stopped = open_store(place), threading.Event()
    publish(place, tmp_path, "anytown", spend(5))

    def keep_publishing() -> None:
        for number in range(6, 60):
            if stopped.is_set():
                return
            publish(place, tmp_path, f"body-{number % 3}", spend(number))

    worker = threading.Thread(target=keep_publishing)
    worker.start()
    try:
        taken: list[str] = []
        # until something was published between two backups
        while len(taken) < 4 or len({one.objects for one in list_backups(target)}) == 1:
            assert worker.is_alive() or len(taken) < 4
            taken.append(take_backup(store, target, now=current_moment()).taken)
    finally:
        stopped.set()
        worker.join()
    for number, one in enumerate(taken):
        restored = open_store(str(tmp_path / f"again-{number}"))
        restore_backup(target, restored, taken=one, now=current_moment())
        require_sound(restored)
        named = {
            source
            for series in publishers.list_series(restored)
            for version in publishers.read_history(restored, series)[0].versions
            for source in version.sources
        }
        reported = {key.rpartition("/")[2].removesuffix(".json") for key in restored.keys(layout.REPORTS)}
        assert reported <= named


def test_versions_that_are_purged_while_a_backup_is_taken_are_not_named_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, target = str(tmp_path / "out"), open_store(str(tmp_path / "backups"))
    publish(place, tmp_path, "anytown", spend(5))
    publish(place, tmp_path, "anytown", spend(6))
    store: Any = open_store(place)
    listed = type(store).list_objects
    (series,) = publishers.list_series(store)

    def purge_in_between(self: Store, prefix: str = "") -> Any:
        if prefix == "":  # after the pointers, before the files that they name
            publishers.remove_versions(store, series, [1], because="a private person", now=current_moment())
        return listed(self, prefix)

    monkeypatch.setattr(type(store), "list_objects", purge_in_between)
    take_backup(store, target, now=current_moment())
    monkeypatch.setattr(type(store), "list_objects", listed)
    restored = open_store(str(tmp_path / "again"))
    restore_backup(target, restored, now=current_moment())
    assert [str(one.status) for one in publishers.read_history(restored, series)[0].versions] == ["purged", "current"]
    require_sound(restored)


def test_a_backup_that_is_taken_while_versions_are_purged_is_ended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counted the purge as done, because its record was there, and kept the files that were deleted next."""
    place, target = str(tmp_path / "out"), open_store(str(tmp_path / "backups"))
    publish(place, tmp_path, "anytown", spend(5))
    publish(place, tmp_path, "anytown", spend(6))
    store: Any = open_store(place)
    (series,) = publishers.list_series(store)
    prefix = layout.version_folder(series, publishers.read_history(store, series)[0].versions[0])
    deleted = {digest_of(store, key) for key in store.keys(prefix)}
    delete = type(store).delete
    taken: list[Any] = []

    def take_meanwhile(self: Store, key: str) -> None:
        """The pointer says that the version is purged, and its files are still there."""
        if key.startswith(prefix) and not taken:
            taken.append(take_backup(store, target, now=current_moment()))
        delete(self, key)

    monkeypatch.setattr(type(store), "delete", take_meanwhile)
    publishers.remove_versions(store, series, [1], because="a private person", now=current_moment())
    monkeypatch.setattr(type(store), "delete", delete)
    (during,) = taken
    assert take_backup(store, target, now=current_moment()).ended == (during.taken,)
    kept = {key.rpartition("/")[2] for key in target.keys(layout.BACKUP_OBJECTS)}
    gone = deleted - {digest_of(store, key) for key in store.keys("")}
    assert gone
    assert not kept & gone
    third = take_backup(store, target, now=current_moment())
    assert third.ended == ()


def digest_of(store: Store, key: str) -> str:
    return hashlib.sha256(store.read(key).content).hexdigest()


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_what_was_purged_leaves_the_backups_and_does_not_come_back(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The place of the backups is a versioned bucket too."""
    names = {"out": str(tmp_path / "out"), "backups": str(tmp_path / "backups"), "old": str(tmp_path / "old")}
    if kind == "s3":
        request.getfixturevalue("s3_endpoint")
        make = request.getfixturevalue("made")
        names = {name: make(name) for name in names}
    publish(names["out"], tmp_path, "anytown", spend(9))
    publish(names["out"], tmp_path, "anytown", BAD)
    store, target = open_store(names["out"]), open_store(names["backups"])
    old = take_backup(store, target, now=current_moment())
    publishers.remove_submission(store, SHA256, because="a private person", now=current_moment())
    for key in list(target.keys("")) if kind == "folder" else ():  # a copy of the place from before the purge
        put(tmp_path / "copy", key, target.read(key).content)
    assert any(NAME.encode() in content for content in all_bytes(names["backups"]))
    new = take_backup(store, target, now=current_moment())
    assert new.ended == (old.taken,)
    assert not any(NAME.encode() in content for content in all_bytes(names["backups"]))
    restore_backup(target, open_store(names["old"]), now=current_moment())
    require_sound(open_store(names["old"]))
    if kind == "folder":  # the backup is older than the purge, and only a later one knows of it
        stale = open_store(str(tmp_path / "copy"))
        for key in target.keys(layout.BACKUP):
            stale.put(key, target.read(key).content)
        restored = open_store(str(tmp_path / "from-old"))
        done = restore_backup(stale, restored, taken=old.taken, now=current_moment())
        assert done.purged == 1
        assert list(find_values(restored, ["Quillfeather"])) == []
        require_sound(restored)


def test_what_an_interrupted_backup_copied_and_was_purged_then_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No list named it, so it stayed in the place for ever."""
    place, backups = str(tmp_path / "out"), str(tmp_path / "backups")
    publish(place, tmp_path, "anytown", spend(9))
    store: Any = open_store(place)
    target: Any = open_store(backups)
    take_backup(store, target, now=current_moment())
    publish(place, tmp_path, "anytown", BAD)
    with monkeypatch.context() as patched:
        listed = type(store).list_objects

        def die_at_the_end(self: Store, prefix: str = "") -> Any:
            if prefix == layout.LOG:
                raise Killed
            return listed(self, prefix)

        patched.setattr(type(store), "list_objects", die_at_the_end)
        with pytest.raises(Killed):
            take_backup(store, target, now=current_moment())
    assert any(NAME.encode() in content for content in all_bytes(backups))
    publishers.remove_submission(store, SHA256, because="a private person", now=current_moment())
    take_backup(store, target, now=current_moment())
    assert not any(NAME.encode() in content for content in all_bytes(backups))


def test_a_backup_during_which_a_file_was_purged_is_ended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had the bytes and the tombstone, so it passed for one that was taken after the purge."""
    place, backups = str(tmp_path / "out"), str(tmp_path / "backups")
    publish(place, tmp_path, "anytown", BAD)
    store: Any = open_store(place)
    target = open_store(backups)
    listed = type(store).list_objects

    def purge_in_between(self: Store, prefix: str = "") -> Any:
        if prefix == layout.ARCHIVE:  # after the bytes, before the records of purges
            publishers.remove_submission(self, SHA256, because="a private person", now=current_moment())
        return listed(self, prefix)

    monkeypatch.setattr(type(store), "list_objects", purge_in_between)
    during = take_backup(store, target, now=current_moment())
    monkeypatch.setattr(type(store), "list_objects", listed)
    after = take_backup(store, target, now=current_moment())
    assert after.ended == (during.taken,)
    assert not any(NAME.encode() in content for content in all_bytes(backups))
    assert take_backup(store, target, now=current_moment()).ended == ()


def test_a_backup_never_says_that_files_were_examined_by_newer_rules_than_their_reports(tmp_path: Path) -> None:
    """Held files stayed held after a restore: the record of their examination was newer than their reports."""
    place, target = str(tmp_path / "out"), open_store(str(tmp_path / "backups"))
    publish(place, tmp_path, "anytown", spend(5))
    store: Any = open_store(place)
    listed, marker = type(store).list_objects, layout.examined_by("spend", "anytown", "newer")

    class Examining(type(store)):  # type: ignore[misc]
        """A store whose files are examined again once the backup has read their reports."""

        def list_objects(self, prefix: str = "") -> Any:
            if prefix == layout.DATA:
                self.create(marker, b"")
            return listed(self, prefix)

    take_backup(Examining(Path(place)), target, now=current_moment())
    restored = open_store(str(tmp_path / "again"))
    restore_backup(target, restored, now=current_moment())
    assert store.exists(marker)
    assert not restored.exists(marker)


def test_a_backup_and_a_restore_that_are_killed_go_on(tmp_path: Path) -> None:
    place = str(tmp_path / "out")
    for body in ("anytown", "beeford"):
        publish(place, tmp_path, body, spend(5))
    store: Any = open_store(place)
    target: Any = open_store(str(tmp_path / "backups"))
    for writes in (1, 3, 6):
        with pytest.raises(Killed):
            take_backup(store, DyingStore(target, writes), now=current_moment())  # type: ignore[arg-type]
        assert list_backups(target) == []
    done = take_backup(store, target, now=current_moment())
    assert (len(list_backups(target)), done.objects) == (1, len(kept(store)))
    assert done.copied < done.objects - 8  # what the killed ones copied is not copied again
    restored: Any = open_store(str(tmp_path / "again"))
    for writes in (1, 5, 20):
        with pytest.raises(Killed):
            restore_backup(target, DyingStore(restored, writes), now=current_moment())  # type: ignore[arg-type]
    assert restore_backup(target, restored, now=current_moment()).found > 10
    assert kept(restored) == kept(store)


def test_a_damaged_object_keeps_its_earlier_backup_and_a_damaged_backup_is_refused(tmp_path: Path) -> None:
    place = str(tmp_path / "out")
    publish(place, tmp_path, "anytown", spend(5))
    store, target = open_store(place), open_store(str(tmp_path / "backups"))
    take_backup(store, target, now=current_moment())
    key = layout.received_bytes(hashlib.sha256(spend(5)).hexdigest())
    path = tmp_path / "out" / key
    content = path.read_bytes()
    path.write_bytes(b"x" + content[1:])  # in place, so the attribute with the sha256 stays
    done = take_backup(store, target, now=current_moment())
    assert done.damaged == [key]
    restored = open_store(str(tmp_path / "again"))
    restore_backup(target, restored, now=current_moment())
    assert restored.read(key).content == content
    copy = tmp_path / "backups" / layout.backup_object(hashlib.sha256(content).hexdigest())
    copy.write_bytes(b"x" + content[1:])
    with pytest.raises(StoreCorrupt):
        restore_backup(target, open_store(str(tmp_path / "third")), now=current_moment())


def test_only_so_many_backups_are_kept(tmp_path: Path) -> None:
    place = str(tmp_path / "out")
    store, target = open_store(place), open_store(str(tmp_path / "backups"))
    for number in range(4):
        store.put("mappings/anytown/spend.toml", str(number).encode())
        take_backup(store, target, now=current_moment(), keep=2)
    assert len(list_backups(target)) == 2
    assert len(list(target.keys(layout.BACKUP_OBJECTS))) == 4  # another backup may be about to name them
