"""The API gives the same figures as the accounts, from whichever side one asks."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.figures.recomputing import UNDATED, Recomputed, Total
from tests.serving.published_place import Served, serving


@pytest.fixture(scope="module")
def api(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(str(store), tmp_path_factory.mktemp("cache")) as served:
        yield served


def ask(api: Served, dataset: str, **parameters: Any) -> dict[str, Any]:
    found = requests.get(f"{api.address}/rows/{dataset}", params={"count": "true", **parameters}, timeout=60)
    assert found.status_code == 200, found.text
    document: dict[str, Any] = found.json()
    return document


def groups(api: Served, dataset: str, *by: str, **parameters: Any) -> dict[tuple[Any, ...], Total]:
    """Rows and pounds by group, over all pages of the answer."""
    amount = {"spend": "net_amount", "contracts": "original_value"}.get(dataset)
    asked = {"group_by": ",".join(by), "limit": 1000, **parameters} | ({"sum": amount} if amount else {})
    found: dict[tuple[Any, ...], Total] = {}
    while True:
        answer = ask(api, dataset, **asked)
        for row in answer["rows"]:
            pounds = row.get(f"sum_{amount}")
            key = tuple(value for name, value in row.items() if name not in ("count", f"sum_{amount}"))
            found[key] = Total(int(row["count"]), Decimal(pounds or 0))
        if not answer["next"]:
            return found
        asked["after"] = answer["next"]


def expected(published: Recomputed, dataset: str, *by: str, where: str = "true") -> dict[tuple[Any, ...], Total]:
    columns = ", ".join(by)
    rows = published.query(
        f"SELECT {columns}, count(*), sum(pounds) FROM counted_{dataset} WHERE counted_in IS NULL AND {where} GROUP BY ALL"
    )
    return {tuple(key): Total(count, pounds or Decimal(0)) for *key, count, pounds in rows}


@pytest.mark.parametrize("dataset", ["spend", "contracts", "roles", "transactions"])
def test_all_rows_of_the_api_are_those_that_count(dataset: str, api: Served, published: Recomputed) -> None:
    assert groups(api, dataset, "body") == expected(published, dataset, "body")


@pytest.mark.parametrize("dataset", ["spend", "contracts", "roles", "transactions"])
def test_a_year_of_the_api_is_that_of_the_accounts(dataset: str, api: Served, published: Recomputed) -> None:
    years = sorted({year for bodies in published.counts[dataset].values() for year in bodies} - {UNDATED})
    for year in years:
        found = groups(api, dataset, "body", year=year)
        assert found == expected(published, dataset, "body", where=f"year = '{year}'"), year


def test_months_of_the_api_are_those_of_the_accounts(api: Served, published: Recomputed) -> None:
    found = groups(api, "spend", "body", "month(payment_date)")
    assert found == expected(published, "spend", "body", "CASE WHEN NOT undated THEN month END")


def test_parts_of_the_api_are_those_of_the_accounts(api: Served, published: Recomputed) -> None:
    for part in ("card", "none"):
        own = "" if part == "none" else part
        found = groups(api, "spend", "body", part=part)
        assert found == expected(published, "spend", "body", where=f"table_part = '{own}'"), part
