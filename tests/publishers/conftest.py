"""Real stores for the tests: a folder, and a prefix of the S3 server that all test folders share."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from piperoll.model import History, Packed
from publishers import FolderStore, Store
from publishers.stores.s3 import S3Store
from tests.publishers.killing import Place
from tests.publishers.small_releases import packed, read_series


@pytest.fixture
def s3_prefix() -> str:
    """A prefix in the bucket that no other test uses."""
    return f"place/{uuid.uuid4().hex}"


@pytest.fixture
def s3_store(bucket: str, s3_prefix: str) -> S3Store:
    """That prefix as a store, with parts small enough that a test can upload several."""
    return S3Store(bucket, s3_prefix, part_bytes=5 << 20)


@pytest.fixture
def folder_store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest) -> Store:
    """Both stores in turn."""
    made: Store = request.getfixturevalue(f"{request.param}_store")
    return made


@pytest.fixture
def opened(store: Store, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Opens the store of this test again, as another process would."""
    if isinstance(store, S3Store):
        bucket, prefix = request.getfixturevalue("bucket"), request.getfixturevalue("s3_prefix")
        return lambda: S3Store(bucket, prefix, part_bytes=5 << 20)
    return lambda: FolderStore(tmp_path / "store")


@pytest.fixture
def place(store: Store, opened: Callable[[], Store]) -> Place:
    """The store of this test, opened a second time for children."""
    return Place(store, opened())


@pytest.fixture
def release(tmp_path: Path) -> Callable[..., Packed]:
    """Makes small releases, each in a folder of its own."""

    def make(rows: int, **more: object) -> Packed:
        return packed(tmp_path / "packed" / uuid.uuid4().hex, rows, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def reader() -> Callable[..., History]:
    return read_series
