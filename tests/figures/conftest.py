"""One store for all tests that prove its figures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.figures.figures_store import make_store
from tests.figures.recomputing import Recomputed


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
