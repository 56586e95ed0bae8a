"""The pages of measures and the profiles of bodies, built from a store that publishes made-up measures."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import pyshacl
import pytest
import rdflib

from piperoll import assets, layout
from piperoll.describing.context import CatalogueContext
from piperoll.describing.measure_wording import shared_reasons
from piperoll.describing.measures import Figure
from piperoll.model import Body, Register
from piperoll.operations.catalogue.build import build_from_store
from publishers import FolderStore
from tests.describing.example_measures import ON, VALUE_INDEX, index_rows, publish_examples, publish_measure, row
from tests.describing.test_describing_dcat import DCAT, shapes

SLUGS = tuple(
    f"{name}-borough"
    for name in ["ashby", "brook", "corley", "dunham", "elmsby", "fairton", "gorse", "hatton", "inchby"]
)
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
            assets.datasets(),
            "http://localhost/",
            "Open Counties",
            self.on,
            register,
            register,
            "http://localhost:8080/",
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


def test_withheld_figures_stand_in_the_list_with_their_reason(built: Built) -> None:
    page = built.page("measures/public-value-index/2026-27/council-pvi-total.html")
    assert "The purpose of 41.5 % of the pounds is known, and 60 % are needed." in page
    assert page.index("Ashby Borough") < page.index("Brook Borough") < page.index("Inchby Borough")
    assert "8 of 9 bodies have a value, 1 is withheld." in page


def test_a_reply_stands_beside_its_figure(built: Built) -> None:
    words = "We booked a grant twice, and have put it right."
    assert words in built.page("bodies/corley-borough/profile.html")
    assert words in built.page("measures/public-value-index.html")
    assert words not in built.page("bodies/dunham-borough/profile.html")


def test_a_profile_says_what_is_not_known(built: Built) -> None:
    page = built.page("bodies/brook-borough/profile.html")
    unknown = re.split(r'id="?not-known\b', page)[1]
    assert "Spending and posts" in unknown
    assert "60 % are needed" in unknown
    assert "Which contracts end soon?" in unknown


def test_names_in_rows_are_escaped(built: Built) -> None:
    page = built.page("measures/public-value-index/2026-27/council-by-function.html")
    assert "Waste &lt;and&gt; recycling" in page


def made_figure(body: str, status: str, reason: str) -> Figure:
    """A figure of which only these are known."""
    values: dict[str, Any] = dict.fromkeys(field.name for field in fields(Figure))
    return Figure(**values | {"body": body, "status": status, "reason": reason})


def test_a_reason_on_every_line_of_a_table_is_stated_once_above_it(built: Built) -> None:
    rows = [made_figure(f"body-{number}", "list-only", "2 bodies of the kind have a value") for number in range(2)]
    assert shared_reasons(rows) == {"list-only": "2 bodies of the kind have a value"}
    assert shared_reasons([*rows, made_figure("other", "shown", "")]) == {}
    assert shared_reasons([*rows, rows[0], made_figure("other", "list-only", "its own")]) == {
        "list-only": "2 bodies of the kind have a value"
    }
    assert shared_reasons(rows[:1]) == {}


def test_what_was_not_reported_is_hatched(built: Built) -> None:
    page = built.page("bodies/ashby-borough/profile.html")
    assert page.count('fill="url(#hatch-organisation-shape-share)"') == 1
    assert page.index(">Top level<") < page.index(">Middle<") < page.index(">Front<") < page.index(">Not reported<")


def test_contracts_that_end_first_come_first_and_are_a_feed(built: Built) -> None:
    profile = built.page("bodies/ashby-borough/profile.html")
    assert "the next 8 of 20" in profile
    assert profile.index("Contract 19,") < profile.index("Contract 18,")
    assert "Contract 0," not in profile
    listed = built.page("measures/contracts/2026-27/council-ends-6-list.html")
    assert "Contract 0," in listed
    feed = built.page("feeds/contracts-ending.atom")
    assert feed.count("<entry>") == 20


def test_a_build_without_changes_writes_nothing(built: Built) -> None:
    assert built.build() == 0


def test_pages_depend_on_nothing_but_what_is_published(built: Built, tmp_path: Path) -> None:
    """A catalogue that grew step by step is the same as one that was made at once."""
    publish_measure(built.store, VALUE_INDEX, "2026-27", index_rows(SLUGS[:5]), "2026-11-30T05:00:00Z")
    built.build()
    copy = FolderStore(tmp_path / "copy")
    for key in built.store.keys(""):
        if not key.startswith(("catalogue/", "collected/")):
            copy.put(key, built.store.read(key).content)
    other = Built(copy, built.scratch)
    other.build()
    pages = {key: built.store.read(key).content for key in built.store.keys("catalogue/")}
    assert pages == {key: copy.read(key).content for key in copy.keys("catalogue/")}


def test_only_pages_whose_figures_changed_are_written_again(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = index_rows(SLUGS)
    changed = next(one for one in rows if one["body"] == SLUGS[4] and one["figure"] == "front-line")
    changed["value"] = "7.25"
    publish_measure(built.store, VALUE_INDEX, "2026-27", rows, "2026-11-30T05:00:00Z")
    written: list[str] = []
    put = FolderStore.put

    def listen(store: FolderStore, key: str, content: bytes) -> None:
        written.append(key)
        put(store, key, content)

    monkeypatch.setattr(FolderStore, "put", listen)
    built.build()
    profiles = {key for key in written if key.endswith("/profile.html")}
    assert profiles == {layout.profile_page(SLUGS[4])}
    assert layout.measure_page("public-value-index") in written
    assert layout.measure_page("contracts") not in written
    assert layout.measures_feed("public-value-index") + ".atom" in written


def test_a_figure_that_is_gone_takes_its_list_with_it(built: Built) -> None:
    rows = [one for one in index_rows(SLUGS) if one["figure"] != "by-function"]
    publish_measure(built.store, VALUE_INDEX, "2026-27", rows, "2026-11-30T05:00:00Z")
    built.build()
    keys = list(built.store.keys("catalogue/measures/"))
    assert not [key for key in keys if "by-function" in key]
    assert layout.measure_page("public-value-index") in keys


def test_a_body_that_is_no_longer_expected_loses_its_profile(built: Built) -> None:
    built.bodies = BODIES[:-1]
    built.build()
    assert not built.store.exists(layout.profile_page(SLUGS[-1]))


def test_many_bodies_and_items_are_divided_among_pages(tmp_path: Path) -> None:
    bodies = tuple(Body(f"gss:E0800{n:04}", f"body-{n:03}", f"Body number {n:03}", "council") for n in range(353))
    site = Built(FolderStore(tmp_path / "store"), tmp_path, bodies)
    rows = index_rows(body.slug for body in bodies)
    rows += [
        row(
            "public-value-index",
            "body-000",
            "by-function",
            item=f"{n:04}",
            item_label="A long name of a function that somebody made up " * 4,
            unit="gbp",
            value=str(n),
        )
        for n in range(3_000)
    ]
    publish_measure(site.store, VALUE_INDEX, "2026-27", rows)
    site.build()
    sizes = {key: len(site.store.read(key).content) for key in site.store.keys("catalogue/") if key.endswith(".html")}
    assert max(sizes.values()) < 120_000
    lists = [key for key in sizes if "/council-pvi-total" in key]
    assert len(lists) == 9
    listed = "".join(site.page(key.removeprefix("catalogue/")) for key in lists)
    assert all(f">Body {n:03}</a>" in listed for n in range(353))
    profile = site.page("bodies/body-000/profile.html")
    assert "the largest 8 of 3,003" in profile


def test_each_measure_is_found_by_search_sitemap_and_first_page(built: Built) -> None:
    searched = gzip.decompress(built.store.read("catalogue/search/-fixed.json.gz").content).decode()
    assert '["measure","Public Value Index","How much of the money reaches the front line?"' in searched
    assert "http://localhost/catalogue/measures/public-value-index.html" in built.page("sitemap-pages.xml")
    assert "How much of the money reaches the front line?" in built.page("index.html")
    assert "bodies/ashby-borough/profile.html" in built.page("sitemap-of-ashby-borough.xml")
    assert 'href="ashby-borough/profile.html"' in built.page("bodies/ashby-borough.html")


def test_a_question_that_no_published_measure_answers_says_so(built: Built) -> None:
    page = built.page("questions.html")
    assert 'href="measures/public-value-index.html"' in page
    assert "measures/coverage.html" not in page
    assert page.count("<h2") == 11


def test_the_catalogue_works_without_any_measure(tmp_path: Path) -> None:
    site = Built(FolderStore(tmp_path / "store"), tmp_path)
    site.build()
    assert "No measure has been worked out yet." in site.page("measures/index.html")
    assert "No measure has been worked out for this body yet." in site.page("bodies/ashby-borough/profile.html")
    assert "<entry>" not in site.page("feeds/contracts-ending.atom")


def test_each_measure_is_a_dataset_of_the_catalogue(built: Built) -> None:
    graph = rdflib.Graph().parse(data=built.page("catalog.ttl"), format="turtle")
    index = rdflib.URIRef("urn:piperoll:measure:public-value-index")
    assert (rdflib.URIRef("urn:piperoll:catalogue"), DCAT.dataset, index) in graph
    files = {str(graph.value(one, DCAT.downloadURL)) for one in graph.objects(index, DCAT.distribution)}
    assert {file.rsplit("/", 1)[1] for file in files} == {"measures.csv", "measures.parquet"}
    assert all("/data/measures/public-value-index/2026-27/" in file for file in files)


@pytest.mark.real
def test_the_shapes_of_dcat_ap_find_nothing_wrong_with_measures(built: Built) -> None:
    graph = rdflib.Graph().parse(data=built.page("catalog.ttl"), format="turtle")
    conforms, _, text = pyshacl.validate(graph, shacl_graph=shapes(), allow_warnings=True)
    assert conforms, text
