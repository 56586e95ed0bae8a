"""Fixtures of the API's tests: a folder with published tables, and a server over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from publishers import FolderStore
from tests.describing.example_measures import publish_coverage
from tests.serving.published_place import Served, consolidate, publish_world, serving


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    store = FolderStore(folder / "store")
    publish_world(store, folder / "scratch")
    consolidate(store, folder / "scratch")
    publish_coverage(store)
    return folder / "store"


@pytest.fixture(scope="session")
def api(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(str(world), tmp_path_factory.mktemp("cache")) as served:
        yield served
