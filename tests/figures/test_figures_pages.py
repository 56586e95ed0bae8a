"""Every figure on every page equals what is recomputed from the published CSVs, and none is without a recomputation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.figures import compare_rules, measure_rules, overview_rules, series_rules, site_rules, supplier_rules
from tests.figures.proving import Proof, prove_content, prove_pages
from tests.figures.recomputing import Recomputed

PROVED_WITH = (series_rules, site_rules, compare_rules, supplier_rules, overview_rules, measure_rules)
"""The modules whose rules prove pages: importing them registers the rules."""


@pytest.fixture(scope="module")
def proof(published: Recomputed) -> Proof:
    return prove_pages(published)


def test_every_figure_on_every_page_is_what_is_recomputed(proof: Proof) -> None:
    assert proof.wrong == []
    assert proof.proved > 20_000


def test_no_figure_is_on_a_page_without_a_recomputation(proof: Proof) -> None:
    assert proof.uncovered == []


SERIES = "series/spend/hazelbury-in-fiction/2023-07.html"


def _page(store: Path) -> str:
    return (store / "catalogue" / SERIES).read_text("utf-8")


def test_a_figure_that_is_wrong_by_a_penny_is_found(store: Path, published: Recomputed) -> None:
    page = _page(store)
    assert "£1,500.00" in page
    (wrong, *_) = prove_content(SERIES, page.replace("£1,500.00", "£1,500.01").encode(), published).wrong
    assert "1,500.01" in wrong
    assert "recomputed it is 1500" in wrong


def test_a_figure_that_is_new_on_a_page_is_reported(store: Path, published: Recomputed) -> None:
    page = _page(store)
    added = re.sub('(<h2 id="?versions"?)', r"<p>On average a payment was £123.45.</p>\1", page)
    assert added != page
    (uncovered,) = prove_content(SERIES, added.encode(), published).uncovered
    assert "123.45" in uncovered
