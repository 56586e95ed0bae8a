"""A purge in a bucket that keeps versions of its objects, and after a backup was restored."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from piperoll import layout
from piperoll.errors import StoreError
from piperoll.operations.run_request import RunRequest
from piperoll.operations.takedown import purge_submission
from publishers import Store, find_values, open_store, verify_purges
from tests.operations.inbox import plain_run, put, spend

NAME = "Zebedee Quillfeather Ltd"
FILE = "Quillfeather payments October 2026"
BAD = spend(10) + f"30/10/2026,{NAME},5.00,T9,Supplies,Estates\r\n".encode()
SHA256 = hashlib.sha256(BAD).hexdigest()


@pytest.fixture
def versioned(s3_endpoint: str) -> str:
    """A bucket of its own that keeps every version."""
    name, s3 = f"versioned-{uuid.uuid4().hex[:12]}", boto3.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def publish(place: str, folder: Path) -> RunRequest:
    """A month in two versions, of which the second has the name, and another body."""
    order = RunRequest(to=place, inbox=folder / "inbox")
    put(folder / "inbox", "spend/anytown/October 2026.csv", spend(10))
    put(folder / "inbox", "spend/beeford/October 2026.csv", spend(9))
    plain_run(order)
    put(folder / "inbox", f"spend/anytown/{FILE}.csv", BAD)
    (folder / "inbox/spend/anytown/October 2026.csv").unlink()
    plain_run(order)
    return order


def every_version(bucket: str) -> Iterator[tuple[str, bytes]]:
    """Every version of every object, whether it is current or not."""
    s3: Any = boto3.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in page.get("Versions", ()):
            answer = s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
            yield one["Key"], answer["Body"].read()


def keys_with_a_name(bucket: str) -> set[str]:
    words = [word.encode() for word in ("Quillfeather", "quillfeather")]
    return {key for key, content in every_version(bucket) if any(word in content for word in words)}


def test_a_purge_deletes_old_versions_of_objects_and_verify_notices_those_that_stay(
    versioned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes, the pages and the pointers of a purged file could still be read by their versions."""
    order = publish(f"s3://{versioned}/place", tmp_path)
    store: Any = open_store(order.to)
    assert len(keys_with_a_name(versioned)) > 5
    assert list(verify_purges(store)) == []
    erase = type(store).erase_old_versions
    for allowed in (0, 2, 5):  # killed, or refused by the bucket, in the middle

        def refuse(self: Store, prefix: str, left: list[int] = [allowed]) -> int:  # noqa: B006 - counts calls
            if not left[0]:
                raise StoreError("the bucket refuses")
            left[0] -= 1
            return int(erase(self, prefix))

        monkeypatch.setattr(type(store), "erase_old_versions", refuse)
        with pytest.raises(StoreError, match="refuses"):
            purge_submission(order.to, SHA256, because="a private person", values=["Quillfeather"])
        assert list(verify_purges(store))
    monkeypatch.setattr(type(store), "erase_old_versions", erase)
    assert purge_submission(order.to, SHA256, because="a private person", values=["Quillfeather"]).seen == ()
    assert keys_with_a_name(versioned) == set()
    assert list(verify_purges(store)) == []
    assert store.exists(layout.INDEX)
    assert {result.ending for result in plain_run(order).results} == {"already done", "refused"}


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_what_was_purged_is_purged_again_after_a_backup_is_restored(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = str(tmp_path / "out")
    if kind == "s3":
        place = f"s3://{request.getfixturevalue('versioned')}/place"
    order = publish(place, tmp_path)
    store: Any = open_store(order.to)
    backup = {key: store.read(key).content for key in store.keys("")}
    purge_submission(order.to, SHA256, because="a private person")
    assert list(find_values(store, ["Quillfeather"])) == []
    for key, content in backup.items():
        store.put(key, content)
    assert list(find_values(store, ["Quillfeather"]))
    assert "it was purged, and is there again: purge it again" in {fault.what for fault in verify_purges(store)}
    (tmp_path / "inbox" / f"spend/anytown/{FILE}.csv").unlink()
    plain_run(order)
    assert list(find_values(store, ["Quillfeather"])) == []
    assert list(verify_purges(store)) == []
