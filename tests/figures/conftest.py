"""One store for all tests that prove its figures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.figures.figures_store import make_store
from tests.figures.recomputing import Recomputed

MOST_SECONDS = 900
"""The first test that asks for the store waits until it is made: a minute, or many on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests that use the store the time to make it."""
    for item in items:
        if "store" in getattr(item, "fixturenames", ()) and item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(MOST_SECONDS))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample and the awkward tables, published with their catalogue."""
    if given := os.environ.get("FIGURES_STORE"):  # one made before, while tests are written
        return Path(given)
    return make_store(tmp_path_factory.mktemp("figures"))


@pytest.fixture(scope="session")
def published(store: Path) -> Recomputed:
    """What the store publishes, recomputed."""
    return Recomputed(store, store.parent / "bodies.csv")
