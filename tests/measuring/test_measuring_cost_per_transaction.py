"""Cost per transaction: recomputed where it can be, and compared with the same kind of transaction only."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.measuring.measured import find_row, run_measure

Row = dict[str, Any]


def service(number: int, **fields: Any) -> Row:
    return {
        "body": "ministry-of-puddles",
        "body_name": "Ministry of Puddles",
        "service_id": f"s{number}",
        "service_name": f"Puddle licence {number}",
        "transaction_category": "Licensing",
        "channel": "all",
        "financial_year": "2025-26",
        "period_start": date(2025, 4, 1),
        "period_end": date(2026, 3, 31),
        "completed": 1_000,
    } | fields


def measure(*services: Row) -> list[Row]:
    return run_measure("cost-per-transaction", years=("2025-26",), transactions=services)


def test_a_cost_is_the_total_divided_by_the_transactions() -> None:
    rows = measure(service(1, cost_total=5_000), service(2, cost_per_transaction="7.5"))
    assert find_row(rows, "service", "s1")["value"] == 5
    assert find_row(rows, "service", "s2")["value"] == 7.5
    assert find_row(rows, "all-services")["value"] == 6.25
    assert find_row(rows, "service", "s1")["status"] == "list-only"
    assert "only 2 services of the kind" in find_row(rows, "service", "s1")["reason"]


def test_a_published_cost_that_its_own_numbers_contradict_is_withheld_with_both() -> None:
    row = find_row(measure(service(1, cost_total=60_000, cost_per_transaction=62)), "service", "s1")
    assert (row["status"], row["value"]) == ("withheld", None)
    assert row["reason"] == "published as £62.00, but its own numbers give £60.00: 3.3% apart"
    close = find_row(measure(service(1, cost_total=60_000, cost_per_transaction="60.2")), "service", "s1")
    assert close["value"] == 60


def test_fewer_than_a_hundred_transactions_are_withheld() -> None:
    row = find_row(measure(service(1, cost_total=60_000, completed=99)), "service", "s1")
    assert row["status"] == "withheld"
    assert row["reason"] == "it is divided by 99 transactions: at least 100 are needed"


def test_a_cost_far_from_services_of_the_kind_is_a_unit_to_check() -> None:
    costs = [40, 50, 55, 60, 62, 70, 80, 120]
    rows = measure(*(service(number, cost_total=cost * 1_000) for number, cost in enumerate(costs)))
    far = find_row(rows, "service", "s7")
    assert (far["value"], far["status"]) == (120, "indicative")  # a robust z of 3.98
    assert far["reason"] == "check this unit: the median of 8 services of the kind 'licensing' is £61.00"
    assert find_row(rows, "service", "s6")["status"] == "shown"
    assert "the middle half costs £53.75 to £72.50" in find_row(rows, "service", "s6")["reason"]
    assert find_row(rows, "services")["reason"].endswith("8 with a cost that can be shown, 1 to check")


def test_services_of_another_kind_are_not_compared() -> None:
    rows = measure(
        *(service(number, cost_total=5_000) for number in range(7)),
        service(8, cost_total=9_000, transaction_category="Payment"),
    )
    assert {row["status"] for row in rows if row["figure"] == "service"} == {"list-only"}


def test_channels_are_added_before_they_are_divided() -> None:
    rows = measure(
        service(1, channel="paper", cost_total=9_000, completed=100),
        service(1, channel="online", cost_total=1_000, completed=900),
        service(2, channel="all", cost_total=4_000),
        service(2, channel="paper", cost_total=3_500, completed=100),
    )
    assert find_row(rows, "service", "s1")["value"] == 10
    assert find_row(rows, "service", "s2")["value"] == 4


def test_only_the_newest_period_of_a_service_is_used() -> None:
    first_half = {"period_end": date(2025, 9, 30), "cost_total": 1_000}
    rows = measure(service(1, **first_half), service(1, cost_total=3_000))
    assert find_row(rows, "service", "s1")["value"] == 3


def test_a_body_of_which_few_services_state_a_cost_has_no_cost_for_all() -> None:
    rows = measure(service(1, cost_total=1_000), service(2), service(3))
    row = find_row(rows, "all-services")
    assert (row["status"], row["value"]) == ("withheld", None)
    assert "33.3% of services" in row["reason"]
    assert find_row(rows, "service", "s2")["reason"] == "no cost is stated"


@settings(max_examples=8)
@given(st.permutations(range(9)))
def test_the_order_of_services_changes_nothing(order: list[int]) -> None:
    services = [service(number, cost_total=1_000 * number + 7) for number in range(9)]
    assert measure(*(services[number] for number in order)) == measure(*services)
