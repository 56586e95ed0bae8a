"""Real stores for the tests: a folder, and a prefix of the S3 server that all test folders share."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from publishers_places import packed, read_series

from piperoll.model import History, Packed
from publishers import FolderStore, Store
from publishers.s3 import S3Store


@pytest.fixture
def s3_store(bucket: str) -> S3Store:
    """A prefix of its own in the bucket, with parts small enough that a test can send several."""
    return S3Store(bucket, f"place/{uuid.uuid4().hex}", part_bytes=5 << 20)


@pytest.fixture
def folder_store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest) -> Store:
    """Both stores in turn."""
    made: Store = request.getfixturevalue(f"{request.param}_store")
    return made


@pytest.fixture
def release(tmp_path: Path) -> Callable[..., Packed]:
    """Makes small releases, each in a folder of its own."""

    def make(rows: int, **more: object) -> Packed:
        return packed(tmp_path / "packed" / uuid.uuid4().hex, rows, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def reader() -> Callable[..., History]:
    return read_series
