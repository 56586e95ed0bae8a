"""The measure of shared suppliers: by number with bounds, by group if there is one, and names apart."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll.enriching.supplier_names import supplier_key
from tests.measuring.measured import find_row, run_measure
from tests.measuring.test_measuring_supplier_identity import companies, paid

Row = dict[str, Any]
MEASURES = Path(os.environ.get("MEASUREDATA", Path(__file__).parents[3] / "shared" / "measuredata"))
ROOK, DAW = "GB-COH-02345678", "GB-COH-03333333"


def measured(spend: Sequence[Row], **more: Any) -> list[Row]:
    return run_measure("shared-suppliers", spend=spend, **more)


def test_a_supplier_without_a_number_widens_the_number_of_bodies() -> None:
    """Rook, number 02345678, is paid by two bodies; a third pays "Rook Ltd" without a number."""
    spend = [
        paid("Rook Ltd", 60, "02345678"),
        paid("Rook Limited", 30, "2345678", "otherton"),
        paid("ROOK LTD", 10, body="thirdham"),
    ]
    rows = measured(spend)
    for body in ("anytown", "otherton"):
        row = find_row(rows, "company-bodies", ROOK, body)
        assert (row["value"], row["lo"], row["hi"]) == (2, 2, 3)
    assert find_row(rows, "company-share", ROOK, "anytown")["value"] == Decimal("0.666667")
    assert find_row(rows, "company-pounds", ROOK, "otherton")["value"] == 30
    assert find_row(rows, "shared-share", body="anytown")["value"] == 1
    third = find_row(rows, "shared-share", body="thirdham")
    assert (third["status"], third["value"]) == ("withheld", None)
    assert "covers 0%" in third["reason"]


def test_an_alike_name_may_be_the_company_and_another_is_not() -> None:
    both = [paid("Rookery Services Ltd", 60, "02345678", body) for body in ("anytown", "otherton")]
    rows = measured(
        [*both, paid("Rookery Service Ltd", 1, body="thirdham"), paid("Rookery Cleaning Ltd", 1, body="fourley")]
    )
    assert find_row(rows, "company-bodies", ROOK, "anytown")["hi"] == 3


def test_bounds_of_the_share_count_suppliers_without_a_number_as_not_shared_or_shared() -> None:
    spend = [paid("Rook Ltd", 50, "02345678"), paid("Finch Ltd", 20, "03333333"), paid("Daw Ltd", 30)]
    rows = measured([*spend, paid("Rook Ltd", 5, "02345678", "otherton")])
    share = find_row(rows, "shared-share", body="anytown")
    assert (share["value"], share["lo"], share["hi"]) == (Decimal("0.5"), Decimal("0.5"), Decimal("0.8"))
    assert share["coverage"] == Decimal("0.7")
    count = find_row(rows, "shared-companies", body="anytown")
    assert (count["value"], count["hi"]) == (1, 2)


def test_60_30_and_10_pounds_have_a_concentration_of_46_hundredths() -> None:
    spend = [paid("Rook Ltd", 60, "02345678"), paid("Daw Ltd", 30, "03333333"), paid("Wren Ltd", 10, "04444444")]
    assert find_row(measured(spend), "concentration")["value"] == Decimal("0.46")
    row = find_row(measured([*spend, paid("Finch Ltd", 25)]), "concentration")
    assert (row["lo"], row["value"], row["hi"]) == (Decimal("0.2944"), Decimal("0.3344"), Decimal("0.5264"))


def test_concentration_is_told_by_function_where_it_is_known() -> None:
    spend = [
        paid("Rook Ltd", 60, "02345678", assigned_function="o-direct"),
        paid("Rook Ltd", 40, "02345678", assigned_function="u-unknown"),
        paid("Daw Ltd", 30, "03333333", assigned_function="o-direct"),
    ]
    rows = measured(spend)
    assert find_row(rows, "concentration", "o-direct")["value"] == Decimal("0.555556")
    assert [row["item"] for row in rows if row["figure"] == "concentration"] == ["", "o-direct"]


def test_by_group_is_withheld_without_a_table_of_groups_and_told_with_one() -> None:
    spend = [
        paid("Rook Ltd", 60, "02345678"),
        paid("Daw Ltd", 40, "03333333", "otherton"),
        paid("Wren Ltd", 40, "04444444"),
    ]
    row = find_row(measured(spend), "shared-by-group-share", body="anytown")
    assert (row["status"], row["value"]) == ("withheld", None)
    assert "--source company_groups=" in row["reason"]
    groups = [
        {"company_number": number, "group_number": "X1", "group_name": "Corvids"} for number in ("02345678", "03333333")
    ]
    rows = measured(spend, outside={"company_groups": groups})
    assert find_row(rows, "shared-by-group-share", body="anytown")["value"] == Decimal("0.6")
    assert find_row(rows, "shared-share", body="anytown")["value"] == 0


def test_people_public_bodies_and_redactions_are_never_in_it() -> None:
    spend = [
        row
        for body in ("anytown", "otherton", "thirdham")
        for row in (
            paid("Mr John Example", 900, body=body, payee_class="person-or-redacted"),
            paid("REDACTED PERSONAL DATA", 900, "02345678", body, payee_class="person-or-redacted"),
            paid("Anyshire County Council", 900, body=body, payee_class="public-body"),
            paid("Rook Ltd", 10, "02345678", body),
        )
    ]
    rows = measured(spend)
    assert find_row(rows, "shared-share", body="anytown")["coverage"] == 1
    assert {row["item"] for row in rows} - {"", "rook"} == {ROOK}
    assert find_row(rows, "company-pounds", ROOK, "anytown")["value"] == 10


def test_names_of_three_bodies_are_listed_as_indicative() -> None:
    spend = [paid("Rook Ltd", 10, body=body) for body in ("anytown", "otherton", "thirdham")]
    rows = measured([*spend, paid("Daw Ltd", 10), paid("Daw Ltd", 10, body="otherton")])
    row = find_row(rows, "same-name-pounds", "rook", "anytown")
    assert (row["value"], row["n"], row["status"]) == (10, 3, "indicative")
    assert find_row(rows, "same-names", body="anytown")["value"] == 1
    assert find_row(rows, "same-name-pounds", "", "anytown")["value"] == 10


def test_matches_by_an_unproved_name_make_a_figure_indicative(tmp_path: Path) -> None:
    register = companies(tmp_path, ("02345678", "ROOK LTD"))
    rows = measured([paid("Rook Ltd", 10), paid("Rook Ltd", 10, body="otherton")], outside={"companies": register})
    row = find_row(rows, "shared-share", body="anytown")
    assert (row["status"], row["inferred_share"]) == ("indicative", 1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["anytown", "otherton", "thirdham"]),
            st.sampled_from(["Rook Ltd", "Daw Ltd", "Wren Ltd", "Mr John Example"]),
            st.sampled_from(["02345678", "03333333", None]),
            st.integers(-50, 500),
        ),
        min_size=1,
        max_size=12,
    ),
    st.randoms(),
)
@settings(max_examples=15)
def test_bounds_hold_the_value_and_the_order_of_lines_does_not_matter(made: list, random: Any) -> None:
    spend = [
        paid(name, pounds, number, body, payee_class="person-or-redacted" if supplier_key(name) is None else "company")
        for body, name, number, pounds in made
    ]
    rows = measured(spend)
    for row in rows:
        if row["value"] is not None and row["lo"] is not None:
            assert row["lo"] <= row["value"] <= row["hi"]
    random.shuffle(spend)
    assert measured(spend) == rows


@pytest.mark.real
def test_more_than_400_names_are_paid_by_three_of_eleven_bodies() -> None:
    with (MEASURES / "suppliers" / "odileeds_2019_company_like_suppliers.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        published = list(csv.DictReader(file))
    slugs = {name: f"body-{number}" for number, name in enumerate(sorted({row["body"] for row in published}))}
    spend = [
        {
            "body": slugs[row["body"]], "supplier_name": row["supplier_name_as_published"], "payee_class": "company",
            "supplier_key": supplier_key(row["supplier_name_as_published"]), "net_amount": row["net_gbp"],
        }
        for row in published
    ]  # fmt: skip
    rows = measured(spend)
    bodies: dict[str, set[str]] = defaultdict(set)
    for row in spend:
        bodies[row["supplier_key"]].add(row["body"])
    shared = {key for key, own in bodies.items() if key and len(own) > 2}
    assert 411 <= len(shared) <= 440  # 411 by a normal form that keeps spaces
    for slug in slugs.values():
        own = {row["supplier_key"] for row in spend if row["body"] == slug} & shared
        told = [row["value"] for row in rows if (row["body"], row["figure"]) == (slug, "same-names")]
        assert abs(len(own) - (told[0] if told else 0)) <= 2  # a supplier that paid back more than it was paid is none
    most = {row["item"]: row["n"] for row in rows if row["figure"] == "same-name-pounds" and row["item"]}
    assert most[supplier_key("Capita Business Services Ltd")] == 10
