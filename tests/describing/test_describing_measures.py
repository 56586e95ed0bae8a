"""The pages of measures and the profiles of bodies, built from a store that publishes made-up measures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from piperoll import assets, layout
from piperoll.describing.context import CatalogueContext
from piperoll.model import Body, Register
from piperoll.operations.catalogue.build import build_from_store
from publishers import FolderStore
from tests.describing.example_measures import (
    CONTRACTS,
    ON,
    VALUE_INDEX,
    index_rows,
    publish_examples,
    publish_measure,
    row,
)

SLUGS = tuple(f"{name}-borough" for name in "ashby brook corley dunham elmsby fairton gorse hatton inchby".split())
BODIES = tuple(
    Body(f"gss:E0700{number:04}", slug, slug.replace("-", " ").title(), "council") for number, slug in enumerate(SLUGS)
)


@dataclass
class Built:
    """A store, and how its catalogue is built."""

    store: FolderStore
    scratch: Path
    bodies: tuple[Body, ...] = BODIES
    on: date = ON

    def build(self) -> int:
        register = Register(self.bodies)
        context = CatalogueContext(
            assets.datasets(), "http://localhost/", "Open Counties", self.on, register, register, "http://localhost:8080/"
        )
        return build_from_store(self.store, context, self.scratch)

    def page(self, key: str) -> str:
        return self.store.read(f"catalogue/{key}").content.decode()


@pytest.fixture
def built(tmp_path: Path) -> Built:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    site = Built(FolderStore(tmp_path / "store"), scratch)
    publish_examples(site.store, SLUGS)
    site.build()
    return site


def test_a_measure_has_a_page_that_begins_with_its_question(built: Built) -> None:
    page = built.page("measures/public-value-index.html")
    assert "How much of the money reaches the front line?</h1>" in page
