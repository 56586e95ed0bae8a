"""The version of the store's form: written at first, refused if it is newer, and brought up to date."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

import boto3
import pytest

from piperoll import layout
from piperoll.errors import StoreError, StoreTooNew
from piperoll.operations.run_request import RunRequest, open_run
from publishers import CURRENT_FORM, open_store, read_form, upgrade_store
from tests.operations.inbox import contents, plain_run, put, spend

DIGEST = "user.piperoll.sha256"


def publish(place: str, folder: Path) -> None:
    put(folder / "inbox", "spend/anytown/October 2026.csv", spend(5))
    plain_run(RunRequest(to=place, inbox=folder / "inbox"), catalogued=False)


def test_a_new_store_says_its_form_and_an_older_one_stays_as_it_is(tmp_path: Path) -> None:
    publish(str(tmp_path / "new"), tmp_path)
    assert read_form(open_store(str(tmp_path / "new"))) == CURRENT_FORM
    (tmp_path / "old/archive/sha256/ab").mkdir(parents=True)
    (tmp_path / "old/archive/sha256/ab/abcd").write_bytes(b"x")
    with open_run(str(tmp_path / "old")) as run:
        assert read_form(run.store) == 1
    assert not (tmp_path / "old" / layout.STORE_FORM).exists()


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_a_store_of_a_newer_form_is_refused_with_what_to_do(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = str(tmp_path / "out")
    if kind == "s3":
        place = f"s3://{request.getfixturevalue('bucket')}/{uuid.uuid4().hex}"
    store: Any = open_store(f"{place}/") if kind == "s3" else open_store(place)
    store.put(layout.STORE_FORM, json.dumps({"form": CURRENT_FORM + 1}).encode())
    with pytest.raises(StoreTooNew, match=f"is of form {CURRENT_FORM + 1}.*install the version that wrote it"):
        publish(place, tmp_path)
    with pytest.raises(StoreTooNew):
        upgrade_store(store, dry_run=False)


def test_a_form_that_cannot_be_understood_is_not_taken_for_an_old_one(tmp_path: Path) -> None:
    for content in ("{}", "no JSON", '{"form": "2"}', "[]", '{"form": 0}'):
        put(tmp_path, layout.STORE_FORM, content.encode())
        with pytest.raises(StoreError, match="does not say the form"):
            open_store(str(tmp_path))


def test_a_bucket_whose_form_cannot_be_understood_is_refused_like_a_folder(bucket: str) -> None:
    """The error was taken for a bucket that does not answer, so runs published into it."""
    place = f"s3://{bucket}/{uuid.uuid4().hex}"
    boto3.client("s3").put_object(Bucket=bucket, Key=f"{place.rpartition('/')[2]}/{layout.STORE_FORM}", Body=b"{}")
    with pytest.raises(StoreError, match="does not say the form"):
        open_store(place)


def test_a_folder_of_form_1_gets_its_digests_and_closes_its_private_files(tmp_path: Path) -> None:
    place = tmp_path / "out"
    publish(str(place), tmp_path)
    store = open_store(str(place))
    (place / layout.STORE_FORM).unlink()
    for key in store.keys(""):
        os.removexattr(place / key, DIGEST)
        (place / key).chmod(0o644)
    for top in ("archive", "collected"):
        (place / top).chmod(0o755)
    before = contents(store)
    dry = upgrade_store(store, dry_run=True)
    assert (dry.before, dry.after, dry.changed) == (1, CURRENT_FORM, len(before))
    assert all(DIGEST not in os.listxattr(place / key) for key in before)
    for key in list(before)[:4]:  # as after an upgrade that was killed
        store.store_digest(key)
    done = upgrade_store(store, dry_run=False)
    assert (done.looked_at, done.changed) == (len(before), len(before) - 4)
    for key in before:
        assert os.getxattr(place / key, DIGEST).decode() == before[key]
        assert layout.is_public(key) or (place / key).stat().st_mode & 0o077 == 0
    assert (place / "archive").stat().st_mode & 0o077 == 0
    assert read_form(store) == CURRENT_FORM
    again = upgrade_store(store, dry_run=False)
    assert (again.before, again.looked_at) == (CURRENT_FORM, 0)


def test_a_bucket_of_form_1_gets_its_digests_by_conditional_writes(bucket: str) -> None:
    place = uuid.uuid4().hex
    s3: Any = boto3.client("s3")
    content = {"archive/sha256/ab/abcd": b"as received", "data/index.json": b"{}", "data/a/b/c/v1-0/x.csv": b""}
    for key, body in content.items():
        s3.put_object(Bucket=bucket, Key=f"{place}/{key}", Body=body)
    store = open_store(f"s3://{bucket}/{place}")
    assert not store.is_empty()
    assert open_store(f"s3://{bucket}/{place}-else").is_empty()
    assert upgrade_store(store, dry_run=True).changed == len(content)
    assert upgrade_store(store, dry_run=False).changed == len(content)
    for key, body in content.items():
        assert not store.lacks_digest(key)
        store.compare(key)
        assert store.read(key).content == body
    assert s3.head_object(Bucket=bucket, Key=f"{place}/data/index.json")["CacheControl"].startswith("public")
    assert {key: about.size for key, about in store.list_objects("data/")} == {
        key: len(store.read(key).content) for key in store.keys("data/")
    }
