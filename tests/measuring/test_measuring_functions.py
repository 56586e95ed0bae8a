"""Where the money goes: net by function and side, what is held out, and that nothing is lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll.enriching.functions import load_rules
from piperoll.errors import ConservationError
from tests.measuring.measured import find_row, run_measure

Row = dict[str, Any]
BODY, YEAR = "little-piddlington", "2026-27"


def line(function: str, pounds: str, *, contested: bool = False, by: str = "rule") -> Row:
    return {
        "body": BODY,
        "net_amount": pounds,
        "assigned_function": function,
        "side": function[0].upper(),
        "contested": contested,
        "function_by": by,
    }


LINES = [
    line("o-direct", "600.00", by="declared"),
    line("o-direct", "60.00", contested=True),
    line("i-finance", "300.00"),
    line("i-legal", "30.00"),
    line("i-legal", "-50.00"),
    line("x-finance", "540.00"),
    line("u-unknown", "100.00", by="none"),
]


def account(pounds: str) -> list[Row]:
    return [{"dataset": "spend", "body": BODY, "year": YEAR, "rows": 7, "amount_gbp": pounds}]


def values(rows: list[Row], figure: str) -> dict[str, Decimal]:
    return {row["item"]: row["value"] for row in rows if row["figure"] == figure}


def test_money_is_net_by_function_and_adds_up_to_the_account_of_the_year() -> None:
    rows = run_measure("functions", spend=LINES, accounts=account("1580.00"))
    assert values(rows, "net") == {
        "": Decimal("1580.00"),
        "i-finance": Decimal("300.00"),
        "i-legal": Decimal("-20.00"),
        "o-direct": Decimal("660.00"),
        "u-unknown": Decimal("100.00"),
        "x-finance": Decimal("540.00"),
    }
    assert find_row(rows, "net", "o-direct")["item_label"] == load_rules().functions["o-direct"].label


def test_a_function_with_more_credits_than_payments_is_held_out_of_its_side_and_reported() -> None:
    rows = run_measure("functions", spend=LINES)
    assert values(rows, "held-out") == {"": Decimal("-20.00"), "i-legal": Decimal("-20.00")}
    assert values(rows, "side") == {
        "I": Decimal("300.00"),
        "O": Decimal("660.00"),
        "U": Decimal("100.00"),
        "X": Decimal("540.00"),
    }
    assert values(rows, "side-share")["O"] == Decimal("0.412500")


def test_what_is_contested_unknown_declared_and_ruled_is_stated() -> None:
    rows = run_measure("functions", spend=LINES)
    assert values(rows, "contested") == {"": Decimal("60.00"), "o-direct": Decimal("60.00")}
    assert values(rows, "known-share")[""] == Decimal("0.905660")  # 960 of 1,060
    assert values(rows, "declared-share")[""] == Decimal("0.357143")  # 600 of 1,680 without signs
    assert values(rows, "rule-share")[""] == Decimal("0.583333")


def test_functions_that_do_not_add_up_to_the_account_stop_the_run() -> None:
    with pytest.raises(ConservationError, match="1580"):
        run_measure("functions", spend=LINES, accounts=account("1580.01"))


def test_what_an_exception_by_mission_moves_to_the_front_line_is_published_in_pounds() -> None:
    moved = line("o-direct", "70.00") | {"function_rule": "legal-team prosecution"}
    rows = run_measure("functions", spend=[*LINES, moved, moved | {"net_amount": "-5.00"}])
    assert values(rows, "mission") == {"prosecution": Decimal("65.00")}
    assert not values(run_measure("functions", spend=LINES), "mission")


def test_money_that_is_on_no_side_has_no_known_share() -> None:
    row = find_row(run_measure("functions", spend=[line("x-finance", "5.00")]), "known-share")
    assert (row["status"], row["reason"]) == (
        "withheld",
        "no money of the year is front line, overhead or unknown",
    )


@settings(max_examples=20)
@given(
    st.lists(
        st.builds(
            line,
            st.sampled_from(sorted(load_rules().functions)),
            st.decimals(-1000, 1000, places=2).map(str),
            contested=st.booleans(),
        ),
        min_size=1,
        max_size=20,
    ),
    st.randoms(use_true_random=False),
)
def test_functions_and_sides_add_up_whatever_the_lines_and_their_order(lines: list[Row], random: Any) -> None:
    whole = sum(Decimal(one["net_amount"]) for one in lines)
    rows = run_measure("functions", spend=lines, accounts=account(str(whole)))
    shuffled = list(lines)
    random.shuffle(shuffled)
    assert run_measure("functions", spend=shuffled, accounts=account(str(whole))) == rows
    net, held_out, side = (values(rows, figure) for figure in ("net", "held-out", "side"))
    assert sum(pounds for item, pounds in net.items() if item) == net[""] == whole
    assert sum(side.values()) + held_out[""] == whole
    assert all(pounds >= 0 for pounds in side.values())
