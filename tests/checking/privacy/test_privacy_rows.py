"""Rows are held, redacted or published by docs/standards.md#privacy-rules, and nothing that is held is quoted."""

from __future__ import annotations

import pytest

from piperoll import assets
from piperoll.model import Severity, to_document
from piperoll.people.private_people import redaction_kind
from tests.checking.made_readings import codes, examined, made_table, screen_table, spend_row

SPEND, ROLES, CONTRACTS = (assets.dataset(name) for name in ("spend", "roles", "contracts"))


def held(row: dict[str, str | None], dataset: str = "spend") -> list[str]:
    found = screen_table(made_table(dataset, rows=[row]), assets.dataset(dataset))
    return sorted({suspicion.rule for suspicion in found.first_cells})


@pytest.mark.parametrize(
    ("cells", "rules"),
    [
        ({"supplier_name": "Mrs J Smith"}, ["titled-name"]),
        ({"supplier_name": "J Smith"}, ["surname-initial"]),
        ({"purpose": "call 07700 900123"}, ["phone"]),
        ({"expense_area": "Foster carers", "supplier_name": "Sunflower"}, ["service-area"]),
        ({"expense_area": "Adoption", "supplier_name": "October OPMH"}, ["service-area"]),
        ({"purpose": "Disabled Facilities Grant", "supplier_name": "Doe"}, ["service-area"]),
        ({"expense_area": "Fostering", "supplier_name": "Anytown Fostering Agency Ltd"}, []),
        ({"expense_area": "Fostering", "supplier_name": None}, []),
        ({"expense_area": "Fostering", "supplier_name": "REDACTED PERSONAL DATA"}, []),
        ({"expense_area": "Fostering", "supplier_name": "REDACTED", "purpose": "Mrs Smith"}, ["titled-name"]),
        ({"transaction_number": "943 476 5919"}, []),
        ({}, []),
    ],
)
def test_what_holds_a_row_of_spending(cells: dict[str, str | None], rules: list[str]) -> None:
    assert held(spend_row(**cells)) == rules


def test_a_trigger_in_lower_case_or_inside_a_word() -> None:
    assert held(spend_row(supplier_name="Sunflower", purpose="payment to foster carer")) == ["service-area"]
    assert held(spend_row(supplier_name="Sunflower", purpose="Fosterdown Road")) == []


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("REDACTED PERSONAL DATA", "personal"),
        ("Redacted", "personal"),
        ("REDACTED UNDER DP ACT", "personal"),
        ("Name withheld", "personal"),
        ("****", "personal"),
        ("J*** S****", "personal"),
        ("Mrs S*****", "personal"),
        ("xxxx xxxx", "personal"),
        ("E*TRADE", None),
        ("Mr Sheen", None),
        ("REDACTED COMMERCIAL CONFIDENTIALITY", "commercial"),
        ("Commercial in confidence", "commercial"),
        ("Redacted - national security", "security"),
        ("Withheld for legal reasons", "legal"),
        ("Redactive Publishing Ltd", None),
        ("Redactive Publishing", None),
        ("The Confidential Shredding Company", None),
        (None, None),
    ],
)
def test_redactions_are_told_by_their_wording(cell: str | None, kind: str | None) -> None:
    assert redaction_kind(cell) == kind


def test_a_redacted_row_is_published_without_its_name_and_told_once() -> None:
    said = examined(made_table(rows=[spend_row(supplier_name="REDACTED PERSONAL DATA")] * 3))
    assert said.disposition.redacted == {0: {2: "personal", 3: "personal", 4: "personal"}}
    assert said.disposition.held == {}
    (finding,) = [each for each in said.report.findings if each.code == "names-redacted"]
    assert (finding.count, finding.severity, finding.column) == (3, Severity.INFO, "B")


def post(**cells: str | None) -> dict[str, str | None]:
    return {
        "job_title": "Director",
        "fte": "1",
        "grade": "SCS1",
        "holder_name": "A Person",
        "salary_floor": None,
    } | cells


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        ({"grade": "SCS2"}, True),
        ({"grade": "SCS 3"}, True),
        ({"grade": "SCS Pay Band 2"}, True),
        ({"grade": "OF-7"}, True),
        ({"grade": "SCS1", "salary_floor": "150000"}, True),
        ({"grade": "SCS1", "salary_floor": "149999"}, False),
        ({"grade": "SCS1A"}, False),
        ({"grade": "OF-6"}, False),
        ({"grade": None}, False),
        ({"grade": "SCS1", "holder_name": "N/D"}, True),
        ({"grade": "SCS1", "holder_name": "Vacant"}, True),
        ({"grade": "SCS1", "holder_name": "Eliminated"}, True),
        ({"grade": "SCS1", "holder_name": None}, True),
    ],
)
def test_a_holder_is_named_where_the_rules_ask_for_it_and_nowhere_else(
    cells: dict[str, str | None], kept: bool
) -> None:
    found = screen_table(made_table("roles", rows=[post(**cells)]), ROLES)
    assert found.redacted == ({} if kept else {2: "personal"})
    assert found.first_cells == ()


def test_names_that_are_not_due_are_one_finding_a_column() -> None:
    said = examined(made_table("roles", rows=[post()] * 4), dataset="roles", file="2026-03-31 senior.csv")
    (finding,) = [each for each in said.report.findings if each.code == "privacy-name-not-due"]
    assert finding.count == 4
    assert "A Person" not in str(to_document(finding))
    assert said.disposition.held == {}


def test_a_description_that_gives_a_persons_address_holds_a_contract() -> None:
    row: dict[str, str | None] = {"contract_ref": "C1", "title": "Legal advice", "supplier_name": "A Firm Ltd"}
    assert held(row | {"description": "write to jane.doe@example.org"}, "contracts") == ["email"]
    assert held(row | {"description": "write to tenders@example.org"}, "contracts") == []


def test_a_finding_about_a_person_has_address_and_rule_and_no_value() -> None:
    said = examined(made_table(rows=[spend_row()] * 9 + [spend_row(supplier_name="Mrs Quince", purpose="DOB 1/2/03")]))
    found = [each for each in said.report.findings if each.code.startswith("privacy-")]
    assert [(each.code, each.row, each.column) for each in found] == [
        ("privacy-titled-name", 11, "B"),
        ("privacy-date-of-birth", 11, "D"),
    ]
    assert "Quince" not in str(to_document(said.report.findings))
    assert "1/2/03" not in str(to_document(said.report.findings))


def test_rows_held_for_privacy_do_not_hold_the_file() -> None:
    said = examined(made_table(rows=[spend_row(supplier_name="Mrs Quince")] * 9 + [spend_row()]))
    assert said.report.tables[0].rows.held == 9
    assert said.report.verdict.publishes
    assert "too-much-held" not in codes(said)


@pytest.mark.parametrize("number", ["SE092015A", "se122026b"])
def test_a_reference_with_a_month_and_a_year_is_no_national_insurance_number(number: str) -> None:
    assert held(spend_row(transaction_number=number)) == []
    assert held(spend_row(transaction_number="SE922015A")) == ["ni-number"]


def test_a_national_insurance_number_among_scottish_company_numbers_is_held() -> None:
    """Others with the same two letters made it a series of references, and it was published."""
    numbers = [*(f"SC{123400 + number}" for number in range(9)), "SC123456C"]
    found = [
        screen_table(made_table(rows=[spend_row(**{name: one}) for one in numbers]), assets.dataset("spend")).held
        for name in ("supplier_company_number", "transaction_number")
    ]
    assert [list(one) for one in found] == [[("supplier_company_number", "ni-number")], []]


@pytest.mark.parametrize("supplier", ["The Olde Bell", "Freestyle Urban Soccer", "Foster Refrigerator"])
def test_a_firm_with_one_word_like_a_family_name_is_not_held_for_a_mixed_area(supplier: str) -> None:
    assert held(spend_row(supplier_name=supplier, expense_area="Direct Payments")) == []


@pytest.mark.parametrize("supplier", ["Rosemary Exall", "Eaton Smith"])
def test_a_name_that_may_be_a_persons_is_held_for_a_mixed_area(supplier: str) -> None:
    assert held(spend_row(supplier_name=supplier, expense_area="Direct Payments")) != []
