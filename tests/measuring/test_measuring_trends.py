"""Trends: only the same months, lists and methods of one body are compared."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from piperoll.measuring.definition import Measure, find_measure, parse_measure
from tests.measuring.measured import find_row, run_measure

Row = dict[str, Any]


def months(year: int, count: int, pounds: str, **more: Any) -> list[Row]:
    """One payment in each of the first months of a financial year."""
    return [
        {
            "body": "anytown",
            "net_amount": pounds,
            "financial_year": f"{year}-{(year + 1) % 100:02}",
            "month": f"{year + (number > 8)}-{(number + 3) % 12 + 1:02}",
            **more,
        }
        for number in range(count)
    ]


def trends(*lines: list[Row], measure: str | Measure = "trends", **more: Any) -> list[Row]:
    return run_measure(measure, years=["2025-26"], spend=[row for rows in lines for row in rows], **more)


def with_break(date: str, body: str = "anytown") -> Measure:
    files = dict(find_measure("trends").files)
    return parse_measure(
        "trends", files | {"breaks.csv": f"dataset,body,date,reason\nspend,{body},{date},New ledger\n"}
    )


def test_half_a_year_is_compared_with_the_same_half_of_the_year_before() -> None:
    rows = trends(months(2024, 12, "10"), months(2025, 6, "12"))
    assert (find_row(rows, "before")["value"], find_row(rows, "now")["value"]) == (60, 72)
    change = find_row(rows, "change")
    assert change["value"] == Decimal("0.2")
    assert change["reason"].endswith("6 of 12 months are in both years")


def test_a_list_that_is_published_in_one_year_only_is_left_out() -> None:
    rows = trends(months(2024, 12, "10"), months(2025, 12, "12"), months(2025, 12, "50", part="card"))
    assert find_row(rows, "change")["value"] == Decimal("0.2")
    assert find_row(rows, "months")["value"] == 12


@pytest.mark.parametrize(
    ("date", "cut"), [("2025-04-01", True), ("2026-03-31", True), ("2024-04-01", False), ("2026-04-01", False)]
)
def test_no_change_is_stated_across_a_break(date: str, cut: bool) -> None:
    row = find_row(trends(months(2024, 12, "10"), months(2025, 12, "12"), measure=with_break(date)), "change")
    assert (row["status"] == "withheld") == cut
    if cut:
        assert row["reason"] == f"the line is cut on {date}: New ledger"


def test_a_break_of_all_bodies_or_of_another() -> None:
    lines = months(2024, 12, "10"), months(2025, 12, "12")
    assert find_row(trends(*lines, measure=with_break("2025-04-01", "")), "change")["value"] is None
    other = trends(*lines, measure=with_break("2025-04-01", "otherton"))
    assert find_row(other, "change")["value"] == Decimal("0.2")


def test_a_body_that_began_this_year_has_a_row_that_says_why_there_is_no_change() -> None:
    row = find_row(trends(months(2025, 12, "12")), "change")
    assert (row["value"], row["status"], row["reason"]) == (None, "withheld", "no month is published of both years")


def test_a_year_of_credits_is_no_base() -> None:
    row = find_row(trends(months(2024, 12, "-10"), months(2025, 12, "12")), "change")
    assert row["reason"] == "the year before has no net spending to compare with"


def test_real_terms_need_a_deflator() -> None:
    lines = months(2024, 12, "10"), months(2025, 12, "12")
    assert [row for row in trends(*lines) if row["figure"] == "change-real"] == []
    deflator = [{"year": "2024-25", "index": Decimal(100)}, {"year": "2025-26", "index": Decimal(120)}]
    assert find_row(trends(*lines, outside={"deflator": deflator}), "change-real")["value"] == 0


def test_the_change_is_stated_by_side_too() -> None:
    rows = trends(months(2024, 12, "10", side="O"), months(2025, 12, "12", side="O"), months(2025, 12, "3", side="I"))
    assert find_row(rows, "change", "O")["value"] == Decimal("0.2")
    assert find_row(rows, "change", "I")["status"] == "withheld"


def test_spending_per_head_needs_the_whole_year_and_the_number_of_people() -> None:
    people = {"population": [{"body": "anytown", "year": "2025-26", "population": 50}]}
    assert find_row(trends(months(2025, 12, "10"), outside=people), "per-head")["value"] == Decimal("2.4")
    half = find_row(trends(months(2025, 6, "10"), outside=people), "per-head")
    assert half["reason"] == "the data covers 50% of the twelve months of the year: at least 100% is needed"
    unknown = find_row(trends(months(2025, 12, "10")), "per-head")
    assert unknown["status"] == "withheld"
    assert unknown["reason"].startswith("the number of people is not known")


def test_the_order_of_rows_does_not_matter() -> None:
    lines = months(2024, 12, "10.01") + months(2025, 7, "12.02") + months(2025, 7, "3", side="I")
    assert trends(lines) == trends(lines[::-1])
