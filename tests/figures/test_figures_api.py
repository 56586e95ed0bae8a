"""The API gives the same figures as the accounts, from whichever side one asks."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.figures.published_tables import UNDATED, Total
from tests.figures.recomputing import Recomputed
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.serving.published_place import Served, serving


@pytest.fixture(scope="module")
def api(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(str(store), tmp_path_factory.mktemp("cache")) as served:
        yield served


def groups(api: Served, dataset: str, *by: str, **parameters: Any) -> dict[tuple[Any, ...], Total]:
    """Rows and pounds by group, over all pages of the answer."""
    amount = {"spend": "net_amount", "contracts": "original_value"}.get(dataset)
    asked = {"group_by": ",".join(by), "count": "true", "limit": 1000, **parameters} | (
        {"sum": amount} if amount else {}
    )
    answer, found = api.json(f"/rows/{dataset}", **asked), {}
    while True:
        for row in answer["rows"]:
            pounds = row.pop(f"sum_{amount}", None)
            rows = row.pop("count")
            found[tuple(row.values())] = Total(int(rows), Decimal(pounds or 0))
        if not answer["next"]:
            return found
        answer = api.session.get(urljoin(api.address, answer["next"]), timeout=PATIENCE_SECONDS).json()


def expected(published: Recomputed, dataset: str, *by: str, where: str = "true") -> dict[tuple[Any, ...], Total]:
    columns = ", ".join(by)
    rows = published.query(f"SELECT {columns}, count(*), sum(pounds) FROM figures_{dataset} WHERE {where} GROUP BY ALL")
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


def test_suppliers_of_the_api_are_those_of_the_pages(api: Served, published: Recomputed) -> None:
    found = groups(api, "spend", "supplier_key")
    assert found == expected(published, "spend", "nullif(supplier_key, '')")


@pytest.mark.parametrize("dataset", ["spend", "roles"])
def test_sides_of_the_api_are_those_of_the_lines_and_add_up_to_all(
    dataset: str, api: Served, published: Recomputed
) -> None:
    found = groups(api, dataset, "side", "assigned_function")
    assert found == expected(published, dataset, "side", "assigned_function")
    assert sum(one.rows for one in found.values()) == sum(one.rows for one in groups(api, dataset, "body").values())
    assert {side for side, _ in found} <= {"O", "I", "X", "U"}
    finance = groups(api, dataset, "side", side="I")
    assert finance == expected(published, dataset, "side", where="side = 'I'")


def test_payees_of_the_api_are_those_of_the_accounts(api: Served, published: Recomputed) -> None:
    found = groups(api, "spend", "body", "payee_class")
    assert found == expected(published, "spend", "body", "payee_class")
