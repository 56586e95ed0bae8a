"""The figures of feeds and JSON files: the same as those of pages, recomputed from the CSVs."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from tests.figures.compare_rules import GROUPS, Scope, covered_months, label_of, over_years, per_month
from tests.figures.published_tables import DATASETS, Total
from tests.figures.recomputing import Recomputed
from tests.figures.scanning import figures_in

PAYEES = {
    "suppliers": "To suppliers",
    "public-bodies": "To other public bodies",
    "people": "To people or redacted",
    "not-known": "Not known",
}


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def told(one: Mapping[str, Any]) -> tuple[int, Decimal]:
    return one["rows"], Decimal(one["amount_gbp"] or 0)


def plain(total: Total) -> tuple[int, Decimal]:
    return total.rows, total.pounds or Decimal(0)


def check_figures(published: Recomputed, scope: Scope, figures: Mapping[str, Any]) -> None:
    """The figures of a scope, as `figures.json` and the JSON files beside comparisons write them."""
    where = f"{scope.dataset}, {scope.year}, {scope.body}"
    assert told(figures) == plain(scope.total(published)), where
    if "bodies" in figures:
        assert figures["bodies"] == len(scope.bodies(published)), where
    for one in figures["parts"]:
        assert told(one) == plain(scope.total(published, "table_part = $?", one["part"] or "")), where
    for name, one in figures["payees"].items():
        classes = list(GROUPS[PAYEES[name]])
        assert told(one) == plain(scope.total(published, "list_contains($?, payee_class)", classes)), (where, name)
    assert told(figures["undated"]) == plain(scope.total(published, "undated")), where
    left_out, _ = scope.left_out(published)
    assert sum(one["rows"] for one in figures["left_out"]) == left_out.rows, where
    assert sum(Decimal(one["amount_gbp"] or 0) for one in figures["left_out"]) == (left_out.pounds or 0), where


def test_figures_of_all_bodies_are_what_is_recomputed(store: Path, published: Recomputed) -> None:
    document = read_json(store / "catalogue" / "figures.json")["datasets"]
    assert set(document) == {name for name in DATASETS if published.counts[name]}
    for name, one in document.items():
        check_figures(published, over_years(published, name), one["total"])
        years = {year for years in published.counts[name].values() for year in years}
        assert {label_of(year) for year in one["years"]} == years
        for year, figures in one["years"].items():
            check_figures(published, Scope(name, year=label_of(year)), figures)


def compared(store: Path) -> Iterator[tuple[Scope, str, Mapping[str, Any], Mapping[str, str]]]:
    """Every body of every comparison: its scope, its name in addresses, and its figures as JSON and in the CSV."""
    for path in sorted((store / "catalogue" / "compare").glob("*/*.json")):
        dataset, year = path.parent.name, label_of(path.stem)
        with path.with_suffix(".csv").open(encoding="utf-8-sig", newline="") as file:
            lines = {line["body"]: line for line in csv.DictReader(file)}
        bodies = {one["body"]: one for one in read_json(path)["bodies"]}
        assert set(lines) == set(bodies), path
        for body, figures in bodies.items():
            yield Scope(dataset, year=year, body=body), body, figures, lines[body]


def test_comparisons_as_json_and_csv_are_what_is_recomputed(store: Path, published: Recomputed) -> None:
    count = 0
    for scope, body, figures, line in compared(store):
        check_figures(published, scope, figures)
        total = scope.total(published)
        assert int(line["rows"]) == total.rows, (scope.dataset, scope.year, body)
        if total.pounds is not None:
            assert Decimal(line["amount_gbp"]) == total.pounds, (scope.dataset, scope.year, body)
        if scope.dataset == "spend":
            assert figures["months_covered"] == covered_months(published, scope), (scope.year, body)
            monthly = per_month(published, scope)
            assert (figures["per_month_gbp"] and Decimal(figures["per_month_gbp"])) == monthly, (scope.year, body)
        count += 1
    assert count > 50


def test_suppliers_as_json_are_what_is_recomputed(store: Path, published: Recomputed) -> None:
    found: dict[tuple[str, str, str], tuple[int, Decimal]] = {}
    for path in (store / "catalogue" / "suppliers").rglob("*.json"):
        for key, supplier in read_json(path)["suppliers"].items():
            total = published.sum_lines("spend", "supplier_key = $1", key)
            assert told(supplier) == plain(total), key
            for body, years in supplier["bodies"].items():
                for year, one in years.items():
                    found[key, body, label_of(year)] = told(one)
    groups = published.query(
        "SELECT supplier_key, body, year, count(*), sum(pounds) FROM figures_spend "
        "WHERE supplier_key IS NOT NULL GROUP BY ALL"
    )
    expected = {(key, body, year): (rows, pounds or Decimal(0)) for key, body, year, rows, pounds in groups}
    assert found == {key: total for key, total in expected.items() if key in found}
    assert len(found) > 300


def test_feeds_say_the_rows_and_pounds_of_each_version(store: Path, published: Recomputed) -> None:
    feed = etree.parse(str(store / "catalogue" / "feed.atom"))
    atom = "{http://www.w3.org/2005/Atom}"
    seen = 0
    for entry in feed.iter(f"{atom}entry"):
        name = re.search(r"([a-z]+/[a-z-]+/[^:/]+)[:/]v(\d+)", entry.findtext(f"{atom}id") or "")
        if name is None or name[1] not in published.histories:
            continue
        version = published.histories[name[1]]["versions"][int(name[2]) - 1]
        rows, pounds = published.version_total(name[1], version)
        figures = [
            one.value
            for one in figures_in(re.sub(r".*?(?=[\d,]+ rows?)", "", entry.findtext(f"{atom}summary") or "", count=1))
        ]
        assert figures[0] == rows, name[0]
        if pounds is not None:
            assert figures[1] == pounds, name[0]
        seen += 1
    assert seen > 20
