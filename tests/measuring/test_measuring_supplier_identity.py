"""The measure of supplier identities: what is matched, how, how surely, and what is left."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from piperoll.enriching.supplier_names import supplier_key
from piperoll.measuring.companies import read_companies
from piperoll.measuring.suppliers import names_are_right
from piperoll.model import NO_COMPANY, DecisionEntry, DecisionKind
from tests.measuring.measured import find_row, run_measure
from tests.measuring.test_measuring_companies import HEADER

Row = dict[str, Any]


def companies(folder: Path, *rows: tuple[str, str], incorporated: str = "01/01/2001") -> pa.Table:
    """A register of (number, name), all incorporated on the same day."""
    text = io.StringIO()
    csv.writer(text).writerows([name, number, "", "", "Active", "", incorporated, *[""] * 8] for number, name in rows)
    path = folder / "companies.csv"
    path.write_text(f"{HEADER}\n{text.getvalue()}", "utf-8")
    return read_companies(path)


def paid(name: str, pounds: int, number: str | None = None, body: str = "anytown", **more: str) -> Row:
    row = {
        "body": body,
        "supplier_name": name,
        "supplier_key": supplier_key(name),
        "payee_class": more.pop("payee_class", "company"),
        "net_amount": f"{pounds}.00",
        "line_date": "2026-05-02",
        "supplier_company_number": number,
    }
    return row | more


def review(key: str, org_id: str, body: str | None = None) -> DecisionEntry:
    return DecisionEntry(
        DecisionKind.SUPPLIER, key, org_id, "Checked", "an.officer", "2026-11-01T09:00:00Z", body, None, f"{key}{body}"
    )


def measured(spend: Sequence[Row], register: pa.Table | None = None, **more: Any) -> list[Row]:
    outside = {} if register is None else {"companies": register}
    return run_measure("supplier-identity", spend=spend, outside=outside, **more)


def values(rows: Sequence[Row], figure: str) -> dict[str, Decimal]:
    return {row["item"]: row["value"] for row in rows if row["figure"] == figure}


SPEND = [
    paid("Rook Ltd", 400, "2345678"),
    paid("Daw Ltd", 200),
    paid("Wren (NW) Ltd", 100),
    paid("Finch Ltd", 100),
    paid("Anytown Parish Council", 900, payee_class="public-body"),
    paid("REDACTED PERSONAL DATA", 50, payee_class="person-or-redacted"),
    paid("Sundry suppliers", 200, payee_class="not-known"),
]


def test_what_is_matched_by_tier_and_what_is_left(tmp_path: Path) -> None:
    register = companies(tmp_path, ("02345678", "ROOK LTD"), ("03333333", "DAW LIMITED"), ("04444444", "WREN LIMITED"))
    rows = measured(SPEND, register)
    share = find_row(rows, "matched-share")
    assert (share["value"], share["lo"], share["hi"]) == (Decimal("0.6"), Decimal("0.4"), Decimal("0.7"))
    assert values(rows, "matched-by-tier") == {
        "1-published": Decimal("0.4"), "2-name": Decimal("0.2"), "3-previous-name": 0, "4-reviewed": 0,
    }  # fmt: skip
    assert values(rows, "pounds") == {
        "fact": 400, "candidate": 200, "review": 100, "unmatched": 300, "no-company-expected": 950,
    }  # fmt: skip
    assert values(rows, "unmatched") == {"company": 100, "no-name": 200}
    assert find_row(rows, "review-suppliers")["value"] == 1
    assert find_row(rows, "matched-lines-share")["value"] == Decimal("0.4")


def test_without_a_register_published_numbers_count_and_the_rest_says_what_it_lacks() -> None:
    rows = measured(SPEND)
    assert find_row(rows, "fact-share")["value"] == Decimal("0.4")
    tiers = {row["item"]: row for row in rows if row["figure"] == "matched-by-tier"}
    assert tiers["1-published"]["value"] == Decimal("0.4")
    for row in (tiers["2-name"], find_row(rows, "matched-share"), find_row(rows, "precision")):
        assert (row["status"], row["value"]) == ("withheld", None)
        assert "--source companies=" in row["reason"]


@pytest.mark.parametrize(
    ("right", "checked", "fact"), [(190, 200, False), (198, 200, True), (0, 0, False), (72, 72, False)]
)
def test_names_are_fact_from_a_lower_bound_of_95_per_cent(right: int, checked: int, *, fact: bool) -> None:
    assert names_are_right(right, checked) is fact


@pytest.mark.parametrize(("right", "status"), [(190, "candidate"), (198, "fact")])
def test_200_reviews_make_matches_by_name_candidates_or_facts(tmp_path: Path, right: int, status: str) -> None:
    names = [f"Rook {number} Ltd" for number in range(200)]
    register = companies(tmp_path, *((f"{number:08}", name) for number, name in enumerate([*names, "Daw Ltd"], 1)))
    reviews = [
        review(str(supplier_key(name)), f"GB-COH-{number:08}" if number <= right else NO_COMPANY)
        for number, name in enumerate(names, 1)
    ]
    spend = [*(paid(name, 1) for name in names), paid("Daw Ltd", 1000)]
    rows = measured(spend, register, reviews=reviews)
    precision = find_row(rows, "precision")
    assert (precision["n"], precision["value"]) == (200, Decimal(right) / 200)
    assert round(precision["lo"], 3) == (Decimal("0.910") if right == 190 else Decimal("0.964"))
    assert values(rows, "pounds")[status] >= 1000


def test_a_body_of_which_too_little_is_matched_has_candidates_only(tmp_path: Path) -> None:
    names = [f"Rook {number} Ltd" for number in range(200)]
    register = companies(tmp_path, *((f"{number:08}", name) for number, name in enumerate([*names, "Daw Ltd"], 1)))
    published = [paid(name, 1, f"{number:08}") for number, name in enumerate(names, 1)]
    spend = [
        *published,
        paid("Daw Ltd", 60),
        paid("Daw Ltd", 60, body="otherton"),
        paid("Finch Ltd", 41, body="otherton"),
    ]
    rows = measured(spend, register)
    assert find_row(rows, "precision", body="anytown")["lo"] > Decimal("0.95")
    assert [row["value"] for row in rows if (row["body"], row["item"]) == ("anytown", "candidate")] == []
    assert find_row(rows, "pounds", "candidate", "otherton")["value"] == 60


def test_reviews_count_for_their_body_and_end_what_was_proposed(tmp_path: Path) -> None:
    register = companies(tmp_path, ("04444444", "WREN LIMITED"))
    spend = [paid("Wren (NW) Ltd", 100), paid("Wren (NW) Ltd", 100, body="otherton")]
    rows = measured(spend, register, reviews=[review("wrennw", "GB-COH-04444445", "anytown")])
    assert find_row(rows, "matched-by-tier", "4-reviewed", "anytown")["value"] == 1
    assert find_row(rows, "review-suppliers", body="otherton")["value"] == 1
    rows = measured(spend, register, reviews=[review("wrennw", NO_COMPANY)])
    assert {row["item"] for row in rows if row["figure"] == "pounds"} == {"no-company-expected"}


def test_the_number_that_another_body_published_is_proposed_and_not_taken() -> None:
    rows = measured([paid("Rook Ltd", 10, "02345678"), paid("Rook Ltd", 10, body="otherton")])
    assert values([row for row in rows if row["body"] == "otherton"], "pounds") == {"review": 10}


def test_refunds_are_deducted_and_no_supplier_counts_less_than_nothing(tmp_path: Path) -> None:
    spend = [paid("Rook Ltd", 400, "02345678"), paid("Rook Ltd", -100, "02345678"), paid("Daw Ltd", -500)]
    assert values(measured(spend), "pounds") == {"fact": 300, "unmatched": 0}


def test_the_first_payment_of_any_year_guards_the_date_of_incorporation(tmp_path: Path) -> None:
    register = companies(tmp_path, ("03333333", "DAW LIMITED"))
    earlier = paid("Daw Ltd", 10, financial_year="2000-01", line_date="2000-12-31")
    assert values(measured([paid("Daw Ltd", 20)], register), "pounds") == {"candidate": 20}
    assert values(measured([paid("Daw Ltd", 20), earlier], register), "pounds") == {"review": 20}


def test_a_company_incorporated_between_two_first_payments_is_the_supplier_of_the_later_only(tmp_path: Path) -> None:
    register = companies(tmp_path, ("03333333", "DAW LIMITED"), incorporated="15/05/2026")
    spend = [
        paid("Daw Ltd", 100),
        paid("Daw Ltd", 100, body="otherton", line_date="2026-06-02"),
        paid("Daw Ltd", 100, body="thirdton", line_date="2026-07-02"),
    ]
    rows = measured(spend, register)
    found = {row["body"]: row["item"] for row in rows if row["figure"] == "pounds" and row["value"]}
    assert found == {"anytown": "review", "otherton": "candidate", "thirdton": "candidate"}
