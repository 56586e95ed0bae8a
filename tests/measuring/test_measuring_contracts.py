"""Contracts: what they were worth at first, now and at the end, how that is spread, and how long they bind."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.measuring.measured import find_row as figure
from tests.measuring.measured import run_measure

Row = dict[str, Any]
BODY = "little-piddlington"


def contract(ref: str | None, **fields: Any) -> Row:
    return {
        "body": BODY,
        "series": "contracts/little-piddlington/2025-Q4",
        "version": 1,
        "published": "2026-01-10",
        "current": True,
        "source_row": 2,
        "line_id": f"line-{ref}",
        "period_end": date(2025, 12, 31),
        "contract_ref": ref,
        "title": "Teapot repairs",
        "supplier_name": "Kettle & Sons Ltd",
        "start_date": date(2025, 1, 1),
        "original_end_date": date(2027, 12, 31),
    } | fields


def measure(*releases: Row, years: tuple[str, ...] = ("2025-26",), spend: tuple[Row, ...] = ()) -> list[Row]:
    return run_measure("contracts", years=years, contract_releases=releases, spend=spend)


def test_a_value_is_spread_over_financial_years_day_by_day() -> None:
    rows = measure(
        contract("C1", original_value=365_000, start_date=date(2024, 1, 1), original_end_date=date(2024, 12, 30))
    )
    assert figure(rows, "value-by-year", "2023-24")["value"] == 91_000
    assert figure(rows, "value-by-year", "2024-25")["value"] == 274_000
    whole = figure(rows, "value-by-year")
    assert whole["value"] == 365_000


def amendment(number: int, **fields: Any) -> Row:
    return contract(
        "C1",
        stage="contractAmendment",
        line_id=f"a{number}",
        source_row=2 + number,
        release_date=date(2025, 6, number),
        **fields,
    )


def test_amendments_that_say_what_they_are_give_one_current_value() -> None:
    rows = measure(
        contract("C1", original_value=1_000),
        amendment(1, amendment_value=1_200, amendment_basis="New total"),
        amendment(2, amendment_value=50, amendment_basis="Change"),
    )
    current = figure(rows, "contract-current", "C1")
    assert (current["value"], current["lo"], current["hi"], current["status"]) == (1_250, 1_250, 1_250, "shown")
    assert figure(rows, "contract-drift", "C1")["value"] == Decimal("0.25")
    assert figure(rows, "drift")["value"] == Decimal("0.25")


def test_an_amendment_that_does_not_say_whether_it_is_the_change_gives_an_interval() -> None:
    rows = measure(contract("C1", original_value=1_000), amendment(1, amendment_value=1_200))
    current = figure(rows, "contract-current", "C1")
    assert (current["lo"], current["hi"], current["status"]) == (1_200, 2_200, "indicative")
    drift = figure(rows, "contract-drift", "C1")
    assert (drift["lo"], drift["hi"]) == (Decimal("0.2"), Decimal("1.2"))
    assert drift["status"] == "indicative"
    assert "change or the new total" in figure(rows, "drift")["reason"]


def test_a_negative_amendment_can_only_be_a_change() -> None:
    rows = measure(contract("C1", original_value=1_000), amendment(1, amendment_value=-200))
    assert figure(rows, "contract-current", "C1")["value"] == 800


def test_a_rise_for_inflation_is_in_the_value_and_not_in_the_drift() -> None:
    rows = measure(
        contract("C1", original_value=1_000),
        amendment(1, amendment_value=30, amendment_basis="CPI indexation"),
        amendment(2, amendment_value=100, amendment_basis="increase"),
    )
    assert figure(rows, "contract-current", "C1")["value"] == 1_130
    assert figure(rows, "contract-drift", "C1")["value"] == Decimal("0.1")


def test_an_amendment_that_every_later_register_repeats_counts_once() -> None:
    change = {"amendment_value": 50, "amendment_basis": "change"}
    later = {"series": "contracts/little-piddlington/2026-Q1", "period_end": date(2026, 3, 31)}
    rows = measure(
        contract("C1", original_value=1_000),
        amendment(1, **change),
        contract("C1", original_value=1_000) | later,
        amendment(1, **change) | later,
    )
    assert figure(rows, "contract-current", "C1")["value"] == 1_050


def test_the_first_published_value_of_a_contract_is_its_original() -> None:
    rows = measure(
        contract("C1", original_value=1_000, current=False),
        contract("C1", original_value=1_400, version=2, published="2026-02-01"),
    )
    assert figure(rows, "contract-original", "C1")["value"] == 1_000
    assert figure(rows, "contract-current", "C1")["value"] == 1_400
    assert figure(rows, "contract-drift", "C1")["value"] == Decimal("0.4")


def test_a_value_stated_once_has_no_drift_and_both_values_are_stated() -> None:
    rows = measure(
        contract("C1", original_value=1_000, current_value=1_100),
        contract("C2", original_value=5_000, line_id="l2"),
    )
    drift = figure(rows, "drift")
    assert (drift["status"], drift["value"], drift["coverage"]) == ("withheld", None, 0.5)
    assert "£1,000.00 at first and £1,100.00 now" in drift["reason"]
    assert figure(rows, "contract-drift", "C1")["value"] == Decimal("0.1")
    assert not [row for row in rows if (row["figure"], row["item"]) == ("contract-drift", "C2")]


def test_a_framework_and_its_call_offs_are_not_added() -> None:
    rows = measure(
        contract("F1", title="Framework for teapots", original_value=900_000, contract_type="Framework"),
        contract("C1", original_value=20_000, parent_ref="F1", line_id="l2"),
        contract("D1", title="Dynamic purchasing system for cups", original_value=5_000_000, line_id="l3"),
    )
    assert figure(rows, "current")["value"] == 20_000
    assert figure(rows, "ceilings")["value"] == 5_900_000


def test_placeholders_are_values_that_are_not_known() -> None:
    rows = measure(
        *(
            contract(f"C{number}", original_value=value, line_id=f"l{number}")
            for number, value in enumerate([0, 1, 999_999_999, 2_500])
        )
    )
    assert figure(rows, "current")["value"] == 2_500
    unknown = figure(rows, "value-unknown")
    assert unknown["value"] == 3
    assert "3 with 0, £1 or £999,999,999" in unknown["reason"]


def test_suppliers_of_one_contract_count_its_value_once_and_lots_are_added() -> None:
    rows = measure(
        contract("C1", original_value=9_000),
        contract("C1", original_value=9_000, supplier_name="Saucer Ltd", line_id="l2", source_row=3),
        contract("C2", title="Lot 1", original_value=700, line_id="l3"),
        contract("C2", title="Lot 2", original_value=700, line_id="l4"),
    )
    assert figure(rows, "contract-current", "C1")["value"] == 9_000
    assert figure(rows, "contract-current", "C2")["value"] == 1_400


def test_contracts_without_a_reference_are_grouped_by_supplier_value_and_start() -> None:
    rows = measure(
        contract(None, original_value=800, line_id="l1"),
        contract(
            None, original_value=800, current_value=900, line_id="l1", version=2, supplier_name="KETTLE & SONS LTD"
        ),
    )
    (drift,) = [row for row in rows if row["figure"] == "contract-drift"]
    assert drift["value"] == Decimal("0.125")


def test_a_contract_that_ends_soon_is_listed_as_of_the_latest_register() -> None:
    rows = measure(
        contract("SOON", original_value=500, original_end_date=date(2026, 6, 30)),
        contract("LATER", original_value=700, original_end_date=date(2026, 12, 31), line_id="l2"),
        contract("FAR", original_value=900, original_end_date=date(2029, 1, 1), line_id="l3"),
        contract("PAST", original_value=900, original_end_date=date(2025, 11, 1), line_id="l4"),
    )
    assert figure(rows, "ends-6")["value"] == 1
    assert figure(rows, "ends-12")["value"] == 2
    assert figure(rows, "ends-12-value")["value"] == 1_200
    soon = figure(rows, "ends-6-list", "SOON")
    assert soon["value"] == 181
    assert soon["item_label"] == "Teapot repairs, Kettle & Sons Ltd, ends 30 June 2026, £500.00"
    assert figure(rows, "ends-12-list", "LATER")["value"] == 365


def test_the_share_of_extensions_counts_days() -> None:
    rows = measure(
        contract(
            "C1",
            original_value=500,
            start_date=date(2024, 1, 1),
            original_end_date=date(2026, 1, 1),
            max_end_date=date(2028, 1, 1),
        )
    )
    assert figure(rows, "lock-in-extension", "C1")["value"] == Decimal("0.998632")
    rows = measure(
        contract(
            "C1",
            original_value=500,
            start_date=date(2022, 1, 1),
            original_end_date=date(2024, 1, 1),
            max_end_date=date(2026, 1, 1),
            series="contracts/little-piddlington/2023-Q4",
            period_end=date(2023, 12, 31),
        ),
        years=("2023-24",),
    )
    assert figure(rows, "lock-in-extension", "C1")["value"] == Decimal("1.001370")
    assert figure(rows, "lock-in-years", "C1")["hi"] == 2


def test_incumbency_counts_contracts_since_the_last_competition() -> None:
    def repairs(ref: str, year: int, process: str | None) -> Row:
        return contract(
            ref,
            original_value=500,
            category_label="Repairs",
            process_type=process,
            line_id=ref,
            start_date=date(year, 1, 1),
            original_end_date=date(year + 4, 1, 1),
        )

    rows = measure(
        repairs("C1", 2019, "Open procedure"),
        repairs("C2", 2022, "Direct award"),
        repairs("C3", 2024, "Direct award"),
    )
    assert (figure(rows, "lock-in-incumbency", "C3")["lo"], figure(rows, "lock-in-incumbency", "C3")["hi"]) == (3, 3)
    rows = measure(
        repairs("C1", 2019, "Open procedure"), repairs("C2", 2022, None), repairs("C3", 2024, "Direct award")
    )
    unclear = figure(rows, "lock-in-incumbency", "C3")
    assert (unclear["lo"], unclear["hi"], unclear["status"]) == (2, 3, "indicative")


def test_payments_that_name_the_contract_are_the_least_that_was_paid() -> None:
    def payment(amount: str, ref: str | None) -> Row:
        return {
            "body": BODY,
            "net_amount": Decimal(amount),
            "contract_ref": ref,
            "supplier_key": "kettle & sons",
            "line_date": date(2025, 5, 1),
        }

    rows = measure(
        contract("C1", original_value=1_000),
        spend=(payment("300", "C1"), payment("120", None), payment("-20", None), payment("70", "C9")),
    )
    paid = figure(rows, "paid", "C1")
    assert (paid["value"], paid["lo"], paid["hi"]) == (300, 300, 420)


def test_a_cancelled_award_and_a_tender_are_no_contracts() -> None:
    rows = measure(
        contract("C1", original_value=1_000),
        contract("C2", original_value=1_000, status="cancelled", line_id="l2"),
        contract("C3", stage="tender", tender_value=1_000, line_id="l3"),
    )
    assert figure(rows, "contracts")["value"] == 1


def test_a_year_in_which_nothing_was_published_has_no_rows() -> None:
    rows = measure(contract("C1", original_value=1_000), years=("2024-25", "2025-26", "2026-27"))
    assert {row["period_start"] for row in rows} == {date(2025, 4, 1)}


def test_a_register_of_several_years_is_known_at_the_end_of_each() -> None:
    rows = measure(
        contract("C1", original_value=1_000, period_start=date(2024, 4, 1), period_end=date(2027, 3, 31)),
        years=("2023-24", "2024-25", "2025-26"),
    )
    assert {row["period_start"] for row in rows} == {date(2024, 4, 1), date(2025, 4, 1)}
    years = {row["period_start"].year: row["hi"] for row in rows if row["figure"] == "lock-in-years"}
    assert years[2024] > years[2025]


@settings(max_examples=8)
@given(
    st.lists(
        st.tuples(st.integers(2, 10**7), st.dates(date(2015, 1, 1), date(2030, 1, 1)), st.integers(0, 4_000)),
        min_size=1,
        max_size=5,
    )
)
def test_the_parts_by_year_add_up_to_the_values(contracts: list[tuple[int, date, int]]) -> None:
    rows = measure(
        *(
            contract(
                f"C{number}",
                original_value=Decimal(pence) / 100 + 2,
                start_date=start,
                line_id=f"l{number}",
                original_end_date=date.fromordinal(start.toordinal() + days),
            )
            for number, (pence, start, days) in enumerate(contracts)
        )
    )
    parts = [row["value"] for row in rows if row["figure"] == "value-by-year" and row["item"]]
    assert sum(parts) == figure(rows, "value-by-year")["value"] == figure(rows, "current")["value"]


@settings(max_examples=8)
@given(st.permutations(range(6)))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    releases = [
        contract("C1", original_value=1_000),
        amendment(1, amendment_value=1_200),
        amendment(2, amendment_value=-50),
        contract("C2", original_value=4_000, line_id="l2"),
        contract("C2", original_value=4_500, line_id="l2", version=2),
        contract(None, original_value=70, line_id="l3"),
    ]
    rows = measure(*(releases[number] for number in order))
    key = lambda row: (row["figure"], row["item"])  # noqa: E731
    assert sorted(rows, key=key) == sorted(measure(*releases), key=key)


@settings(max_examples=8)
@given(st.lists(st.tuples(st.integers(-500, 3_000), st.sampled_from(["total", "change", None])), max_size=5))
def test_the_bounds_contain_the_current_value(amounts: list[tuple[int, str | None]]) -> None:
    rows = measure(
        contract("C1", original_value=1_000),
        *(
            amendment(number + 1, amendment_value=amount, amendment_basis=basis)
            for number, (amount, basis) in enumerate(amounts)
        ),
    )
    current = figure(rows, "contract-current", "C1")
    assert current["lo"] <= current["value"] <= current["hi"]
