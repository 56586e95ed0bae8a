"""The Public Value Index: the worked examples, what withholds it, and what holds for any amounts."""

from __future__ import annotations

import csv
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll.measuring.statistics import SideAmounts, kappa, public_value_index
from tests.measuring.measured import find_row, run_measure

Row = dict[str, Any]
BODY, YEAR = "little-piddlington", "2026-27"
TRUTH = Path(os.environ.get("MEASUREDATA", Path(__file__).parents[3] / "shared" / "measuredata")) / "functions"
FUNCTIONS = {"O": "o-direct", "I": "i-finance", "U": "u-unknown", "X": "x-finance"}


def line(side: str, pounds: object, *, contested: bool = False, function: str = "", by: str = "declared") -> Row:
    return {
        "body": BODY,
        "net_amount": str(pounds),
        "side": side,
        "assigned_function": function or FUNCTIONS[side],
        "contested": contested,
        "function_by": by,
    }


def post(side: str, fte: str, floor: int | None, ceiling: int | None, **more: object) -> Row:
    return {
        "body": BODY,
        "fte": fte,
        "salary_floor": floor,
        "salary_ceiling": ceiling,
        "side": side,
        "assigned_function": FUNCTIONS[side],
        "contested": False,
        "function_by": "declared",
        **more,
    }


TOTALS = [{"body": BODY, "year": YEAR, "spend_gbp": "1000", "pay_gbp": "100000", "on_cost_rate": "0.25"}]


def sides(
    outcome: int, input_: int, unknown: int, excluded: int, k_o: int = 0, k_i: int = 0, k_x: int = 0
) -> list[Row]:
    return [
        line("O", outcome - k_o),
        line("O", k_o, contested=True),
        line("I", input_ - k_i),
        line("I", k_i, contested=True),
        line("U", unknown, by="none"),
        line("X", excluded - k_x),
        line("X", k_x, contested=True),
    ]


def measure(spend: list[Row], roles: list[Row] = [], **outside: list[Row]) -> list[Row]:  # noqa: B006
    return run_measure("public-value-index", spend=spend, roles=roles, outside=outside)


def figures(row: Row) -> tuple[float, float, float]:
    return tuple(round(float(row[name]), 4) for name in ("value", "lo", "hi"))  # type: ignore[return-value]


def test_contested_and_unknown_money_makes_the_interval() -> None:
    assert figures(find_row(measure(sides(600, 300, 100, 540, 60, 30)), "spend")) == (0.6667, 0.54, 0.73)


def test_contested_money_that_is_not_counted_widens_the_interval_on_both_sides() -> None:
    assert figures(find_row(measure(sides(600, 300, 100, 540, 60, 30, 40)), "spend")) == (0.6667, 0.5192, 0.7404)


def test_neither_front_line_nor_overhead_is_withheld_and_not_zero() -> None:
    row = find_row(measure(sides(0, 0, 0, 540)), "spend")
    assert (row["value"], row["status"], row["reason"]) == (None, "withheld", "nothing is front line or overhead")


def test_calling_overhead_unknown_never_raises_the_low_bound() -> None:
    assert round(find_row(measure(sides(600, 300, 100, 0, 60, 30)), "spend")["lo"], 4) == Decimal("0.54")
    gamed = measure(sides(600, 200, 200, 0, 60, 30))
    assert find_row(gamed, "spend")["status"] == "withheld"  # 80 % classified: below 85 %
    assert {row["status"] for row in gamed if row["figure"] == "swing"} == {"withheld"}
    amounts = [Decimal(one) for one in (600, 200, 200, 0, 60, 30)]
    assert public_value_index(SideAmounts(*amounts)).lo == Decimal("0.54")


@settings(max_examples=15)
@given(st.lists(st.integers(0, 500), min_size=4, max_size=4), st.data())
def test_moving_money_from_overhead_to_unknown_never_raises_the_low_bound(
    amounts: list[int], data: st.DataObject
) -> None:
    outcome, input_, unknown, contested = amounts
    moved = data.draw(st.integers(0, input_))
    outcome, kept = outcome + 9000, input_ - moved  # enough is known either way
    k_x = contested
    before = find_row(measure(sides(outcome, input_, unknown, 500, 20, 0, k_x)), "spend")
    after = find_row(measure(sides(outcome, kept, unknown + moved, 500, 20, 0, k_x)), "spend")
    assert after["lo"] <= before["lo"]


AMOUNT = st.decimals(-500, 5000, places=2)
LINES = st.lists(
    st.builds(line, st.sampled_from("OIUX"), AMOUNT, contested=st.booleans(), by=st.sampled_from(["declared", "rule"])),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25)
@given(LINES, st.randoms(use_true_random=False))
def test_the_bounds_contain_the_index_in_whatever_order_the_lines_come(lines: list[Row], random: Any) -> None:
    rows = measure(lines)
    shuffled = list(lines)
    random.shuffle(shuffled)
    assert measure(shuffled) == rows
    for row in rows:
        if row["value"] is not None and row["lo"] is not None:
            assert row["lo"] <= row["value"] <= row["hi"]
        assert "do not contain" not in row["reason"]


def test_a_function_with_more_credits_than_payments_is_held_out() -> None:
    refund = line("I", -50, function="i-legal")
    assert figures(find_row(measure([*sides(600, 300, 0, 0), refund]), "spend")) == (0.6667, 0.6667, 0.6667)


def test_the_swing_is_the_index_with_the_contested_part_on_the_other_side() -> None:
    rows = measure(sides(600, 300, 100, 540, 60, 30, 40))
    assert find_row(rows, "swing", "o-direct")["value"] == Decimal("0.600000")
    assert find_row(rows, "swing", "i-finance")["value"] == Decimal("0.700000")
    assert figures(find_row(rows, "swing", "x-finance")) == (0.6667, 0.6383, 0.6809)


def test_the_sensitivity_leaves_out_lines_below_a_threshold() -> None:
    rows = measure([line("O", 600), line("O", 26000), line("I", 300), line("I", 200)])
    found = {row["item"]: row["value"] for row in rows if row["figure"] == "sensitivity"}
    assert {item: round(float(value), 3) for item, value in found.items()} == {
        "from-0": 0.982,
        "from-250": 0.989,
        "from-500": 1.0,
        "from-25000": 1.0,
    }


def test_what_is_not_counted_stands_beside_the_index() -> None:
    row = find_row(measure(sides(600, 300, 100, 540, 60, 30, 40)), "excluded")
    assert (row["value"], row["lo"], row["hi"]) == (Decimal("540.00"), Decimal("500.00"), Decimal("540.00"))


def test_posts_cost_their_band_and_the_bounds_take_opposite_ends() -> None:
    rows = measure(sides(600, 300, 0, 0), [post("O", "2", 40000, 44999), post("I", "1", 50000, 54999)])
    people = find_row(rows, "people")
    assert figures(people) == (0.6182, 0.5926, 0.6429)
    assert people["status"] == "indicative"
    assert "how much of the pay is published is not known" in people["reason"]
    assert figures(find_row(rows, "fte")) == (0.6667, 0.6667, 0.6667)


def test_payments_and_pay_are_added_with_the_on_cost_and_never_averaged() -> None:
    roles = [post("O", "1", 40000, 40000), post("I", "1", 60000, 60000)]
    rows = measure(sides(600, 300, 100, 0), roles, control_totals=TOTALS)
    total = find_row(rows, "total")
    assert round(total["value"], 6) == round(Decimal(50000 + 600) / Decimal(125000 + 900), 6)
    assert "on-cost" not in total["reason"]
    bare = find_row(measure(sides(600, 300, 100, 0), roles), "total")
    assert round(bare["value"], 6) == round(Decimal(40000 + 600) / Decimal(100000 + 900), 6)
    assert "no on-cost rate is supplied" in bare["reason"]


@pytest.mark.parametrize(
    ("figure", "spend_gbp", "pay_gbp", "reason"),
    [
        ("spend", "2000", "100000", "the payments published are 50.0% of the expenditure"),
        ("people", "1000", "200000", "the pay of the posts published is 50.0% of the employee cost"),
        ("total", "2000", "100000", "the payments published are 50.0%"),
    ],
)
def test_too_little_of_what_the_accounts_say_withholds(figure: str, spend_gbp: str, pay_gbp: str, reason: str) -> None:
    totals = [TOTALS[0] | {"spend_gbp": spend_gbp, "pay_gbp": pay_gbp}]
    roles = [post("O", "1", 40000, 40000), post("I", "1", 60000, 60000)]
    row = find_row(measure(sides(600, 300, 100, 0), roles, control_totals=totals), figure)
    assert (row["status"], row["value"]) == ("withheld", None)
    assert reason in row["reason"]


def test_with_control_totals_and_declared_functions_the_index_is_not_indicative() -> None:
    roles = [post("O", "1", 40000, 40000), post("I", "1", 60000, 60000)]
    rows = measure(sides(600, 300, 100, 0), roles, control_totals=TOTALS)
    assert {find_row(rows, name)["status"] for name in ("spend", "people", "total", "fte")} == {"list-only"}


def test_posts_without_a_salary_withhold_the_index_of_pay_and_not_that_of_posts() -> None:
    roles = [post("O", "3", None, None), post("I", "1", 60000, 60000), post("O", "1", 0, 0)]
    rows = measure(sides(600, 300, 100, 0), roles)
    assert "a salary is published for 20.0% of the posts" in find_row(rows, "people")["reason"]
    assert find_row(rows, "total")["value"] is None
    assert find_row(rows, "fte")["value"] == Decimal("0.800000")


def test_vacant_posts_and_lists_of_senior_salaries_do_not_count() -> None:
    roles = [
        post("O", "1", 40000, 40000),
        post("I", "1", 40000, 40000),
        post("I", "5", 40000, 40000, vacancy="Yes"),
        post("I", "5", 40000, 40000, holder_name="Eliminated"),
        post("I", "5", 40000, 40000, part="salaries"),
    ]
    assert find_row(measure([], roles), "fte")["value"] == Decimal("0.500000")


def test_payments_without_posts_say_that_pay_is_missing_and_the_other_parts_are_withheld() -> None:
    rows = measure(sides(600, 300, 0, 0))
    assert "it leaves out pay" in find_row(rows, "spend")["reason"]
    for name in ("people", "fte", "total"):
        assert find_row(rows, name)["reason"] == "no posts of the year are published"


def test_an_index_that_rests_on_rules_or_is_wide_is_indicative() -> None:
    ruled = [line("O", 700, by="rule"), line("I", 300)]
    assert "is inferred by our rules" in find_row(measure(ruled), "spend")["reason"]
    wide = find_row(measure(sides(600, 300, 0, 0, 300, 100)), "spend")
    assert (wide["status"], "points apart" in wide["reason"]) == ("indicative", True)


@pytest.mark.parametrize(
    ("shared", "own", "unknown", "expected"),
    [
        (40, 40, 20, (0.4, 0.6, "mixed")),
        (70, 30, 0, (0.7, 0.7, "shared")),
        (70, 20, 10, (0.7, 0.8, "shared")),
        (25, 70, 5, (0.25, 0.3, "own")),
    ],
)
def test_systems_are_own_mixed_or_shared_only_if_it_is_certain(
    shared: int, own: int, unknown: int, expected: tuple[float, float, str]
) -> None:
    row = find_row(measure([line("X", 1)], systems=systems(shared, own, unknown)), "components")
    assert (float(row["lo"]), float(row["hi"]), row["item_label"]) == expected


def systems(shared: int, own: int, unknown: int) -> list[Row]:
    costs = {"shared": shared, "own": own, "unknown": unknown}
    common = {"body": BODY, "year": YEAR, "system": "S"}
    return [
        {**common, "capability": f"capability-{kind}", "ownership": kind, "cost_gbp": str(cost)}
        for kind, cost in costs.items()
    ]


def test_systems_of_which_half_is_unknown_are_withheld() -> None:
    row = find_row(measure([line("X", 1)], systems=systems(20, 30, 50)), "components")
    assert (row["status"], "known for 50.0%" in row["reason"]) == ("withheld", True)


def test_a_free_national_platform_counts_as_a_capability_though_it_costs_nothing() -> None:
    rows = measure([line("X", 1)], systems=systems(0, 100, 0))
    assert find_row(rows, "components")["value"] == 0
    assert find_row(rows, "capabilities", "shared")["value"] == 1


def test_without_a_list_of_systems_one_row_says_what_is_missing() -> None:
    row = find_row(measure(sides(600, 300, 0, 0)), "components")
    assert (row["status"], row["reason"][:30]) == ("withheld", "no list of systems is publishe")


def test_two_readers_who_agree_on_85_of_100_and_by_chance_on_50_have_a_kappa_of_70() -> None:
    assert kappa(Decimal("0.85"), Decimal("0.50")) == Decimal("0.700000")


def truth(name: str, side: str, contested: str | None) -> list[Row]:
    with (TRUTH / name).open(encoding="utf-8-sig", newline="") as stream:
        return [
            line(
                row[side], row["net_gbp"], contested=contested is not None and row[contested] == "1", function=function
            )
            for row in csv.DictReader(stream)
            for function in [row.get("function_id") or FUNCTIONS[row[side]]]
        ]


def test_the_published_example_of_a_council_has_its_index_with_and_without_contested_transfers() -> None:
    """In thousands of pounds."""
    with_transfers = sides(30120, 2930, 850, 38430, 4800, 2100, 2020)
    assert tuple(round(one, 3) for one in figures(find_row(measure(with_transfers), "spend"))) == (0.911, 0.705, 0.977)
    without = sides(30120, 2930, 850, 38430, 4800, 2100)
    assert tuple(round(one, 3) for one in figures(find_row(measure(without), "spend"))) == (0.911, 0.747, 0.976)


def test_the_published_example_of_a_council_with_much_unknown_is_withheld() -> None:
    row = find_row(measure(sides(126300, 19200, 90900, 67000)), "spend")
    assert (row["status"], row["value"], round(row["coverage"], 3)) == ("withheld", None, Decimal("0.615"))


@pytest.mark.real
def test_lines_labelled_by_hand_give_the_index_that_their_sums_by_side_give() -> None:
    lines = truth("trafford_2026_spend_lines_labelled_by_hand.csv", "side", "contested")

    def add(side: str, contested: bool | None = None) -> Decimal:
        own = [one for one in lines if one["side"] == side and contested in (None, one["contested"])]
        return sum((Decimal(one["net_amount"]) for one in own), Decimal(0))

    amounts = SideAmounts(*map(add, "OIUX"), add("O", True), add("I", True), add("X", True))
    expected, row = public_value_index(amounts), find_row(measure(lines), "spend")
    assert figures(row) == tuple(round(float(one), 4) for one in (expected.value, expected.lo, expected.hi))
    assert row["status"] == "indicative"


@pytest.mark.real
def test_a_councils_own_labels_leave_too_much_unknown_to_publish() -> None:
    row = find_row(measure(truth("northtyneside_2019_sercop_labelled.csv", "side_by_sercop_rule", None)), "spend")
    assert (row["status"], row["value"]) == ("withheld", None)
    assert "at least 85% is needed" in row["reason"]
