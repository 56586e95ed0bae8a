"""What both stores promise, each tested on the real thing."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from piperoll import layout
from piperoll.errors import AlreadyThere, NotThere, PointerMoved, StoreCorrupt, StoreError, StoreUnavailable, UsageError
from publishers import FolderStore, Store, open_store
from publishers.stores.protocol import HashedFile, sha256_of
from publishers.stores.s3 import S3Store

VERSION = "data/spend/anytown/2026-10/v1-0123456789ab/spend.csv"


def test_what_is_written_once_is_read_back(store: Store) -> None:
    store.create(VERSION, b"a,b\r\n")
    assert store.read(VERSION).content == b"a,b\r\n"
    assert store.read(VERSION, first=3).content == b"a,b"
    assert store.exists(VERSION)


def test_what_is_private_can_be_read_by_its_owner_only(folder_store: FolderStore, tmp_path: Path) -> None:
    """`archive/`, `collected/` and `mappings/` could be read by every user of the machine."""
    before = os.umask(0)
    try:
        folder_store.create("archive/sha256/ab/abcd", b"one")
        folder_store.replace("mappings/anytown/spend.toml", b"", None)
        folder_store.put("catalogue/index.html", b"")
    finally:
        os.umask(before)
    root = tmp_path / "store"
    modes = {path.relative_to(root).as_posix(): path.stat().st_mode & 0o777 for path in root.rglob("*")}
    assert (modes["archive"], modes["mappings"], modes[".unfinished"]) == (0o700,) * 3
    assert (modes["archive/sha256/ab/abcd"], modes["mappings/anytown/spend.toml"]) == (0o600,) * 2
    assert (modes["catalogue"], modes["catalogue/index.html"]) == (0o777, 0o666)


def test_the_same_bytes_again_are_no_error_and_other_bytes_are_refused(store: Store) -> None:
    store.create("archive/sha256/ab/abcd", b"one")
    store.create("archive/sha256/ab/abcd", b"one")
    with pytest.raises(AlreadyThere):
        store.create("archive/sha256/ab/abcd", b"two")
    with pytest.raises(AlreadyThere):
        store.create("archive/sha256/ab/abcd", b"longer than one")
    assert store.read("archive/sha256/ab/abcd").content == b"one"


def test_a_file_that_changed_since_it_was_hashed_is_not_stored(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "made"
    path.write_bytes(b"one")
    made = HashedFile(path, sha256_of(path))
    path.write_bytes(b"two")
    with pytest.raises(StoreCorrupt):
        store.create(VERSION, made)
    assert not store.exists(VERSION)
    path.write_bytes(b"one")
    store.create(VERSION, made)
    assert store.read(VERSION).content == path.read_bytes() == b"one"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_file_that_is_handed_over_is_the_object(folder_store: FolderStore, tmp_path: Path, elsewhere: bool) -> None:
    """It is not copied within one file system; /dev/shm is another."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own within it
    with TemporaryDirectory(dir=shared if elsewhere and shared.is_dir() else tmp_path) as folder:
        path = Path(folder) / "made"
        path.write_bytes(b"one")
        os.utime(path, (0, 0))
        inode, made = path.stat(), HashedFile(path, sha256_of(path), take=True)
        folder_store.create("archive/sha256/ab/abcd", made)
        stored = tmp_path / "store" / "archive/sha256/ab/abcd"
        assert not path.exists()
        assert folder_store.read("archive/sha256/ab/abcd").content == b"one"
        assert not folder_store.lacks_digest("archive/sha256/ab/abcd")
        assert stored.stat().st_mode & 0o777 == 0o600
        assert folder_store.age("archive/sha256/ab/abcd") < 3600
        if not elsewhere:
            assert os.path.samestat(inode, stored.stat())
        path.write_bytes(b"one")
        folder_store.create("archive/sha256/ab/abcd", made)
        assert not path.exists()
        path.write_bytes(b"two")
        with pytest.raises(AlreadyThere):
            folder_store.create("archive/sha256/ab/abcd", HashedFile(path, sha256_of(path), take=True))
        assert path.read_bytes() == b"two"


def test_a_large_file_arrives_whole_and_once(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 4 * 11_000)  # 11 MB: three parts on S3
    store.create("archive/sha256/cd/cdef", path)
    assert store.read("archive/sha256/cd/cdef").content == path.read_bytes()
    store.create("archive/sha256/cd/cdef", path)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(AlreadyThere):
        store.create("archive/sha256/cd/cdef", path)


def test_an_empty_object_is_an_object(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    store.create("archive/sha256/e3/e3b0", tmp_path / "empty")
    assert store.read("archive/sha256/e3/e3b0").content == b""
    assert store.read("archive/sha256/e3/e3b0", first=10).content == b""


def test_a_pointer_is_replaced_only_with_its_current_tag(store: Store) -> None:
    first = store.replace("data/p.json", b"1", None)
    assert store.read("data/p.json").tag == first
    with pytest.raises(PointerMoved):
        store.replace("data/p.json", b"other", None)
    second = store.replace("data/p.json", b"2", first)
    assert second != first
    with pytest.raises(PointerMoved):
        store.replace("data/p.json", b"3", first)
    assert store.read("data/p.json").content == b"2"


def test_replacing_a_pointer_with_the_same_bytes_succeeds(store: Store) -> None:
    tag = store.replace("data/p.json", b"1", None)
    assert store.replace("data/p.json", b"1", None) == tag
    assert store.replace("data/p.json", b"1", "stale") == tag


def test_a_deleted_pointer_is_not_replaced_with_its_old_tag(store: Store) -> None:
    tag = store.replace("data/p.json", b"1", None)
    store.delete("data/p.json")
    with pytest.raises(PointerMoved):
        store.replace("data/p.json", b"2", tag)


def test_of_sixteen_writers_at_once_one_wins(store: Store) -> None:
    won: list[int] = []
    barrier = threading.Barrier(16)

    def write(number: int) -> None:
        barrier.wait()
        try:
            store.replace("data/p.json", str(number).encode(), None)
        except PointerMoved:
            return
        won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.read("data/p.json").content == str(won[0]).encode()


def test_a_missing_object_raises_not_there(store: Store) -> None:
    assert not store.exists("data/nothing")
    with pytest.raises(NotThere):
        store.read("data/nothing")
    with pytest.raises(NotThere):
        store.read("data/nothing", first=1)
    store.delete("data/nothing")


def test_keys_come_in_order_and_by_prefix(store: Store) -> None:
    names = ["data/a/x", "data/a-b/x", "data/a.json", "data/B", "reports/a", "data/a/é"]
    for name in names:
        store.put(name, b"")
    assert list(store.keys()) == sorted(names)
    assert list(store.keys("data/a")) == ["data/a-b/x", "data/a.json", "data/a/x", "data/a/é"]
    assert list(store.keys("data/a/")) == ["data/a/x", "data/a/é"]
    assert list(store.keys("nothing/")) == []


def test_a_page_is_overwritten_and_deleted(store: Store) -> None:
    store.put("catalogue/index.html", b"old")
    store.put("catalogue/index.html", b"new")
    assert store.read("catalogue/index.html").content == b"new"
    store.delete("catalogue/index.html")
    assert not store.exists("catalogue/index.html")


@pytest.mark.parametrize(
    "key", ["../x", "data/../../x", "/etc/passwd", "data//x", "", "data/", ".locks/0", "a\\b", "a\0"]
)
def test_a_key_that_leads_out_of_the_store_is_refused(store: Store, key: str) -> None:
    for attempt in (
        lambda: store.read(key),
        lambda: store.put(key, b""),
        lambda: store.create(key, b""),
        lambda: store.replace(key, b"", None),
        lambda: store.delete(key),
        lambda: store.exists(key),
    ):
        with pytest.raises(StoreError):
            attempt()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(key=st.text(max_size=20))
def test_no_key_whatever_is_written_outside_the_folder(tmp_path: Path, key: str) -> None:
    root = tmp_path / "outer" / "store"
    try:
        FolderStore(root).put(key, b"x")
    except StoreError:
        return
    outside = [path for path in (tmp_path / "outer").rglob("*") if path.is_file() and root not in path.parents]
    assert outside == []


def test_a_folder_without_write_permission_is_reported(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(StoreError):
        FolderStore(tmp_path / "store").put("data/x", b"")


def test_s3_stores_the_content_type_and_cache_control(s3_store: S3Store, s3_endpoint: str) -> None:
    s3_store.create(VERSION, b"a")
    answer = s3_store._s3.head_object(**s3_store._at(VERSION))
    assert answer["ContentType"] == "text/csv; charset=utf-8"
    assert answer["CacheControl"] == "public, max-age=31536000, immutable"


def test_versions_are_cached_as_immutable_pointers_for_a_minute_and_the_archive_not_at_all() -> None:
    assert "immutable" in layout.cache_control(VERSION)
    assert "immutable" in layout.cache_control("data/spend/anytown/2026-10/changes/v1-v2-0123456789ab.csv")
    assert "immutable" not in layout.cache_control("data/spend/anytown/index-2026.json")
    assert layout.cache_control("data/spend/anytown/2026-10/versions.json") == "public, max-age=60, must-revalidate"
    assert layout.cache_control("archive/sha256/ab/abcd") == "private, no-store"
    assert layout.content_type("catalogue/index.html") == "text/html; charset=utf-8"
    assert layout.content_type("archive/sha256/ab/abcd.html") == "application/octet-stream"
    assert layout.content_type("catalogue/catalog.jsonld") == "application/ld+json"


def test_a_missing_bucket_is_an_error_that_says_to_create_it(s3_endpoint: str) -> None:
    with pytest.raises(StoreError, match="create it first") as caught:
        S3Store("no-such-bucket").read("data/x")
    assert not caught.value.retryable


def test_a_server_that_does_not_answer_is_a_retryable_error(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StoreUnavailable) as caught:
        S3Store("any").read("data/x")
    assert caught.value.retryable


def test_wrong_credentials_are_not_a_retryable_error(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StoreError, match="refuses") as caught:
        S3Store(bucket).read("data/x")
    assert not caught.value.retryable


def test_bytes_that_do_not_match_their_checksum_are_refused_by_the_server(s3_store: S3Store) -> None:
    with pytest.raises(StoreError), s3_store._raise_store_errors("data/x"):
        s3_store._s3.put_object(**s3_store._at("data/x"), Body=b"sent", ChecksumSHA256="A" * 43 + "=")
    assert not s3_store.exists("data/x")


def test_an_address_is_a_folder_or_a_bucket(tmp_path: Path, bucket: str) -> None:
    assert repr(open_store(str(tmp_path))) == f"FolderStore({str(tmp_path)!r})"
    assert repr(open_store("s3://some-bucket/a/b/")) == "S3Store('s3://some-bucket/a/b/')"
    assert repr(open_store("s3://some-bucket")) == "S3Store('s3://some-bucket/')"
    for wrong in ("gs://bucket", "s3://", "https://example.org/x"):
        with pytest.raises(UsageError, match="s3://bucket/prefix"):
            open_store(wrong)
