"""Prices for one unit: only where specification, quantity and unit are certain."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from piperoll.measuring.contract_pairs import Need, pair_id, read_words
from piperoll.measuring.unit_prices import convert_unit, read_quantity
from piperoll.model import DecisionEntry, DecisionKind
from tests.measuring.measured import find_row, run_measure

Row = dict[str, Any]


def contract(body: str, ref: str, title: str, value: str, **fields: Any) -> Row:
    return {
        "body": body,
        "series": f"contracts/{body}/2026-Q1",
        "version": 1,
        "source_row": 2,
        "line_id": f"{body}-{ref}",
        "contract_ref": ref,
        "title": title,
        "original_value": value,
        "award_date": date(2025, 10, 1),
        "category_code": "39220000",
    } | fields


def measure(*contracts: Row, **given: Any) -> list[Row]:
    return run_measure("price-paid", years=("2025-26",), contracts=contracts, **given)


def kettles(prices: list[int], **fields: Any) -> list[Row]:
    return [
        contract(f"body-{number}", "K", "Supply of 2kw kettles", str(price * 100), quantity=100, unit="each", **fields)
        for number, price in enumerate(prices)
    ]


KETTLE = "39220000 2kw kettle (each)"


def agree(*bodies: str) -> list[DecisionEntry]:
    """A reviewer's decisions that neighbours bought the same."""
    needs = [Need(body, body, "K", "") for body in bodies]
    return [
        DecisionEntry(
            DecisionKind.PAIR, pair_id(one, other), "separate", "the same kettle", "a reviewer", "2026-01-01T00:00:00Z",
            None, id=pair_id(one, other),
        )
        for one, other in pairwise(needs)
    ]  # fmt: skip


def test_the_potential_is_to_the_lower_quartile_and_not_for_prices_above_the_fence() -> None:
    rows = measure(*kettles([10, 12, 14, 16, 100]), reviews=agree(*(f"body-{number}" for number in range(5))))
    potential = {row["body"]: row["value"] for row in rows if (row["figure"], row["item"]) == ("potential", KETTLE)}
    assert potential == {"body-0": 0, "body-1": 0, "body-2": 200, "body-3": 400, "body-4": 0}
    assert sum(potential.values()) == 600  # 9,400 with the price of 100
    far = find_row(rows, "unit-price", KETTLE, "body-4")
    assert (far["value"], far["status"]) == (100, "indicative")
    assert "above £22.00: probably another unit or specification" in far["reason"]
    assert "a quarter pays £12.00 or less, a quarter £16.00 or more" in far["reason"]


def test_a_potential_is_withheld_until_the_specifications_are_reviewed() -> None:
    rows = measure(*kettles([10, 12, 14, 16, 100]))
    row = find_row(rows, "potential", KETTLE, "body-3")
    assert (row["status"], row["value"]) == ("withheld", None)
    assert "nobody has reviewed" in row["reason"]
    assert not [row for row in rows if (row["figure"], row["item"]) == ("potential", "")]


def test_two_bodies_are_listed_and_not_compared() -> None:
    rows = measure(
        contract("upper-mudford", "V1", "Upper Mudford HGV Lot 2 - 8 x 7.5t Food Waste Vehicles", "876634.72",
                 description="8 x 7.5t Food Waste Vehicles"),
        contract("lower-mudford", "V2", "Lower Mudford HGV Lot 2 - 10 x 7.5t Food Waste Vehicles (23)", "1004800",
                 description="Spec 1 - 10 x 7.5t Food Waste Vehicles", category_code="34114000"),
    )  # fmt: skip
    item = "7.5t food vehicle waste (each)"
    first, second = (find_row(rows, "unit-price", item, body) for body in ("upper-mudford", "lower-mudford"))
    assert (first["value"], second["value"]) == (Decimal("109579.34"), 100_480)
    assert first["status"] == second["status"] == "list-only"
    assert "2 bodies: £100,480.00 to £109,579.34 (9.06% apart)" in first["reason"]


def test_one_body_has_nothing_to_compare_with() -> None:
    row = find_row(measure(*kettles([10])), "unit-price", KETTLE)
    assert (row["status"], row["value"], row["reason"]) == ("withheld", None, "no other body states a price for it")


@pytest.mark.parametrize(
    ("title", "description", "lacks"),
    [
        ("8 x Food Waste Vehicles", "Spec 1 - 6 x 7.5t Bodied Vehicles. Spec 2 - 2 x 5.5t Bodied Vehicles", "one spec"),
        ("5 x Food Waste Vehicles", "5 x Food Waste Vehicles", "no size or model"),
        (
            "12 x 12t & 1 x 7.5t Food Waste Vehicles",
            "Spec 1 - 11 x 12t Vehicles with rigid steer (six for Upper Mudford, five for Lower Mudford)",
            "one joint purchase",
        ),
        ("12 x 12t Food Waste Vehicles", "Spec 1 - 11 x 12t Food Waste Vehicles", "the title says 12"),
        ("Up to 10 x 3.5t Panel Vans", "", "a limit or an estimate"),
        ("Payments to Kettle & Sons Ltd", "Average payment £1,200", "quantity and unit"),
    ],
)
def test_a_text_that_leaves_something_open_gives_no_price(title: str, description: str, lacks: str) -> None:
    assert lacks in read_quantity(title, description, read_words()).lacks


def test_a_contract_without_a_price_says_what_it_lacks() -> None:
    rows = measure(
        contract("upper-mudford", "V1", "Up to 10 x 3.5t Panel Vans", "1000"),
        contract("upper-mudford", "V2", "Repairs", "1000"),
        contract("upper-mudford", "V3", "Gloves", "1000", quantity=10, unit="dolly"),
    )
    vans = find_row(rows, "no-price", "V1")
    assert (vans["status"], vans["value"]) == ("withheld", None)
    assert vans["reason"] == "it lacks a certain quantity: the text gives a limit or an estimate"
    assert find_row(rows, "no-price", "V3")["reason"] == "it lacks a unit that can be converted: it says 'dolly'"
    priced = find_row(rows, "contracts-with-a-price")
    assert (priced["value"], priced["reason"]) == (0, "none of 3 contracts states a quantity and a unit")


def test_prices_are_withheld_if_many_units_cannot_be_converted() -> None:
    contracts = kettles([10, 12, 14, 16])
    contracts += [contract("body-9", f"K{n}", "Supply of 2kw kettles", "900", quantity=9, unit="dolly") for n in (1, 2)]
    row = find_row(measure(*contracts), "unit-price", KETTLE, "body-1")
    assert row["status"] == "withheld"
    assert "2 of 6 contracts for it have a unit that cannot be converted" in row["reason"]


@pytest.mark.parametrize(
    ("unit", "standard"),
    [
        ("each", ("each", 1)),
        ("Pack of 100", ("each", 100)),
        ("box (50)", ("each", 50)),
        ("per 100", ("each", 100)),
        ("tonnes", ("kg", 1000)),
        ("Hour", ("h", 1)),
        ("ton", None),
        ("day", None),
        ("service", None),
    ],
)
def test_units_are_converted_only_where_that_is_certain(unit: str, standard: tuple[str, int] | None) -> None:
    assert convert_unit(unit) == standard


def test_a_price_of_a_pack_is_a_price_for_each() -> None:
    needles = {"quantity": 20, "unit": "pack of 100", "unit_price": "4.00"}
    rows = measure(
        contract("upper-mudford", "N1", "Needles 21g", "80", **needles),
        contract("lower-mudford", "N2", "Needles 21g", "80", quantity=2000, unit="each", unit_price="0.05"),
    )
    row = find_row(rows, "unit-price", "39220000 21g needle (each)", "upper-mudford")
    assert row["value"] == Decimal("0.04")
