"""Classifying lines by function: the rules by examples, and what holds whatever the rules say."""

from __future__ import annotations

import csv
import os
import re
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll import assets
from piperoll.enriching import functions
from piperoll.enriching.functions import (
    FUNCTION_ADDED,
    LineTexts,
    Side,
    annotate_functions,
    classify_lines,
    fold,
    load_rules,
)
from piperoll.model import Body
from tests.fixtures.labelled_spending import SETS, compare_sides, measure_side, read_rows

MEASURES = Path(os.environ.get("MEASUREDATA", Path(__file__).parents[3] / "shared" / "measuredata"))

EXAMPLES = """\
PAYE Tax | | x-finance | payroll-tax
Local Government Pension Fund | | x-finance | pension-fund
Treasury management | Interest payable | x-finance | treasury
Finance | Money held in a suspense account | x-finance | balance-sheet
Education | Contributions to provisions | x-finance | provisions
Fleet | Salary sacrifice | x-finance | salary-sacrifice
Resources | Flood levy | x-transfer-body | precept-levy
High Street Primary | School budget share | x-transfer-body | school-budget
Placements | Contributions to other local authorities | x-transfer-body | other-authorities
Policy | Grants to local government | x-transfer-body | body-grant
Policing group | Grant | x-transfer-body | plain-grant
Adult services | Payments to health authority | x-transfer-body | to-health-bodies
Learning disability | Direct payments | x-transfer-person | direct-payment
Revenues | Housing benefit | x-transfer-person | benefit
Children | Adoption allowances | x-transfer-person | allowance
Transport | Concessionary fares | o-commissioned | concessionary-fares
Children | Transfer payments | x-transfer-person | transfer-payments
Housing | Support services recharge | x-internal | recharge
Block contracts | Ext res care fees | o-commissioned | residential-care
Adult Social Care | Private contractors | o-commissioned | adult-care
Children's homes | Agency fees | o-commissioned | children-care
2 year old funding | Private contractors | o-commissioned | childcare
Special educational needs | Taxis | o-direct | schools
Passenger transport | Hire | o-direct | transport-service
Refuse collection | Vehicles | o-direct | waste
Highways | Surfacing | o-assets | roads
Homelessness | Nights | o-assets | housing
Public Health | Contracts | o-commissioned | public-health
Theatres and surgery | Instruments | o-direct | clinical
Leisure | Pool chemicals | o-direct | leisure-culture
Trading Standards | Tests | o-regulate | regulation
Custody | Cells | o-direct | police-fire-justice
Royal Navy | Spare parts | o-direct | defence-diplomacy
Regeneration | Town fund | o-direct | environment-economy
Finance | Agency staff | i-finance | finance-team
Human Resources | Agency staff | i-people | people-team
ICT Services | Licences | i-digital | digital-team
Legal Services | Books | i-legal | legal-team
Facilities management | Cleaning | i-estates | estates-team
Press office | Photographs | i-comms | comms-team
Procurement | Agency staff | i-commercial | commercial-team
Programme office | Agency staff | i-change | change-team
Strategy and planning | Agency staff | i-policy | policy-team
Chief Executive | Refreshments | i-lead | leadership
Corporate Resources | Other running costs | i-lead | corporate
 | Bank charges | i-finance | audit-fee
 | Premiums | i-legal | insurance
 | Training courses | i-people | recruitment
 | Computer software | i-digital | digital-team
Corporate Resources | Network lines and broadband | i-digital | technology
 | Office rent | i-estates | office-premises
 | Advertising | i-comms | advertising
 | Consultants | i-change | consultancy
 | Subscriptions | i-policy | policy-grant
 | Hospitality | i-lead | members
 | Stationery | i-manage | office-supplies
 | Construction works | o-assets | capital-works
 | Placements | o-commissioned | provider
Miscellaneous | Other | u-unknown |
"""


POSTS = """\
Tax inspector | Operational Delivery | Region 4 | o-direct | tax-post
Staff nurse | | Ward 3 | o-direct | clinical-post
Librarian | | Resources | o-direct | teaching-post
Work coach | Operational Delivery | Region 4 | o-direct | officer-post
Planning officer | | Place | o-regulate | regulation-post
Accountant | | Place | i-finance | audit-finance-post
HR officer | | Place | i-people | people-post
Software developer | | Place | i-digital | digital-post
Solicitor | | Place | i-legal | legal-post
Caretaker | | Place | i-estates | estates-post
Press officer | | Place | i-comms | comms-post
Buyer | | Place | i-commercial | commercial-post
Project manager | | Place | i-change | change-post
Adviser | Economics | Rail | i-policy | policy-post
Permanent Secretary | | Private office | i-lead | leadership-post
Officer | Operational Delivery | Region 4 | o-direct | delivery-post
Officer | Operational Delivery | Human Resources | i-people | people-team
Executive officer | Science and Engineering | Laboratory 5 | u-unknown |
Housing benefit manager | | Housing benefit | o-direct | officer-post
"""
"""Title, profession and unit of posts, with the function and the rule that decides."""


def example_posts() -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in POSTS.splitlines()]


@pytest.mark.parametrize("example", example_posts(), ids=lambda example: f"{example[0]}-{example[2]}")
def test_a_post_has_the_function_of_its_title_profession_or_unit(example: list[str]) -> None:
    title, profession, unit, function, rule = example
    found = load_rules().classify(LineTexts((unit,), (), post=(title, profession)))
    assert (found.function.id, found.rules[-1] if found.rules else "") == (function, rule)


def test_a_post_whose_title_and_profession_are_on_two_sides_is_contested() -> None:
    assert load_rules().classify(LineTexts(("Region 4",), (), post=("HR officer", "Operational Delivery"))).contested
    assert not load_rules().classify(LineTexts(("Region 4",), (), post=("HR officer", "Human Resources"))).contested


def example_lines() -> list[list[str]]:
    """The examples: unit, purpose, function and the rule that decides."""
    return [[cell.strip() for cell in line.split("|")] for line in EXAMPLES.splitlines()]


@pytest.mark.parametrize("example", example_lines(), ids=lambda example: f"{example[0]}-{example[1]}")
def test_a_line_has_the_function_of_its_unit_and_purpose(example: list[str]) -> None:
    unit, purpose, function, rule = example
    found = load_rules().classify(LineTexts((unit,), (purpose,)))
    assert (found.function.id, found.rules[-1] if found.rules else "") == (function, rule)


def test_every_rule_decides_an_example() -> None:
    every = {rule.id for rules in load_rules().rules.values() for rule in rules}
    assert every == {rule for *_, rule in [*example_lines(), *example_posts()] if rule}


def test_the_list_of_functions_is_that_of_the_platform_field() -> None:
    field = assets.dataset("spend").field("function_id")
    assert field.constraints is not None
    assert sorted(load_rules().functions) == sorted(field.constraints["enum"])
    assert {function.id[0] for function in load_rules().functions.values()} == {"o", "i", "x", "u"}
    assert all(function.id[0].upper() == function.side for function in load_rules().functions.values())


def test_no_rule_names_a_body_of_the_register() -> None:
    bodies = assets.register().expected  # others are called like a service, such as the former agency Animal Health
    names = [fold(name) for body in bodies for name in (body.name, *body.aliases) if len(name) > 12]
    with (assets.folder("datapackages") / "functions" / "rules.csv").open(encoding="utf-8", newline="") as stream:
        text = fold(" ".join(row["pattern"] for row in csv.DictReader(stream)))
    assert not [name for name in names if name in text]


def test_the_category_of_the_supplier_never_decides_between_front_line_and_overhead() -> None:
    found = load_rules().classify(LineTexts(("Miscellaneous",), ("Other",), "LEGAL SERVICES : Elections"))
    assert found.function.side is Side.UNKNOWN


def test_the_category_says_which_overhead_if_the_unit_says_that_it_is_one() -> None:
    found = load_rules().classify(LineTexts(("Corporate Resources",), ("Other running costs",), "ICT : Software"))
    assert (found.function.id, found.rules) == ("i-digital", ("corporate", "technology"))


def test_the_service_decides_before_the_directorate() -> None:
    rules = load_rules()
    assert rules.classify(LineTexts(("Central Services", "Environment"), ("Fees",))).function.side is Side.INPUT
    assert rules.classify(LineTexts(("Libraries", "Law and Governance"), ("Fees",))).function.side is Side.OUTCOME


def test_a_unit_that_speaks_for_both_sides_is_contested() -> None:
    found = load_rules().classify(LineTexts(("Policy, Economic Growth and Transformation",), ("Fees",)))
    assert found.contested


def test_works_bought_by_the_chief_executive_are_contested() -> None:
    found = load_rules().classify(LineTexts(("Chief Executive",), ("Building works",)))
    assert (found.function.side, found.contested) == (Side.INPUT, True)


def test_what_the_body_declared_is_never_changed() -> None:
    found = load_rules().classify(LineTexts(("Finance",), ("Audit fees",)), declared="o-direct")
    assert (found.function.id, found.method, found.rules) == ("o-direct", "declared", ())


def test_a_declared_unknown_is_classified_by_the_rules() -> None:
    found = load_rules().classify(LineTexts(("Finance",), ()), declared="u-unknown")
    assert (found.function.id, found.method) == ("i-finance", "rule")


@pytest.mark.parametrize(
    ("name", "function", "rules"),
    [
        ("Anyland Prosecution Service", "o-direct", ("legal-team", "prosecution")),
        ("Anytown Council", "i-legal", ("legal-team",)),
        ("Prosecco Importers Authority", "i-legal", ("legal-team",)),
    ],
)
def test_what_a_body_is_for_is_its_front_line(name: str, function: str, rules: tuple[str, ...]) -> None:
    found = load_rules().classify(LineTexts(("Legal Services",), ("Fees",)), body=Body.provisional_for(name))
    assert (found.function.id, found.rules) == (function, rules)


def test_every_mission_exception_names_functions_of_the_list() -> None:
    for exception in load_rules().missions:
        assert exception.function_id in load_rules().functions
        assert exception.becomes.side is Side.OUTCOME


def lines(**columns: list[str | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({name: pa.array(cells, pa.string()) for name, cells in columns.items()})


def test_lines_are_classified_in_order_with_empty_cells_and_missing_columns() -> None:
    batch = lines(org_unit=["Finance", None, "Highways"], purpose=[None, "School budget share", "Fees"])
    found = classify_lines(assets.dataset("spend"), batch)
    assert [one.function.id for one in found] == ["i-finance", "x-transfer-body", "o-assets"]


def test_a_declared_function_that_is_not_in_the_list_is_not_taken() -> None:
    batch = lines(org_unit=["Finance"], function_id=["z-other"])
    assert classify_lines(assets.dataset("spend"), batch)[0].function.id == "i-finance"


def test_a_dataset_without_texts_to_classify_by_is_unknown_throughout() -> None:
    found = classify_lines(assets.dataset("contracts"), lines(title=["Road works", None]))
    assert [one.function.id for one in found] == ["u-unknown", "u-unknown"]


def test_the_columns_of_functions_say_who_decided_and_by_which_rules() -> None:
    batch = lines(org_unit=["Legal Services", "Legal Services", "Nothing"], function_id=["o-direct", None, None])
    columns = annotate_functions(assets.dataset("spend"), batch, Body.provisional_for("Anyland Prosecution Service"))
    assert {name: cells.to_pylist() for name, cells in columns.items()} == {
        "assigned_function": ["o-direct", "o-direct", "u-unknown"],
        "side": ["O", "O", "U"],
        "contested": [False, False, False],
        "function_by": ["declared", "rule", "none"],
        "function_rule": [None, "legal-team prosecution", None],
    }
    assert tuple(columns) == tuple(name for name, *_ in FUNCTION_ADDED)


def test_posts_are_classified_by_title_and_unit_and_never_as_money_that_leaves() -> None:
    batch = lines(job_title=["Accountant", "Assessor", None], org_unit=["Place", "Income tax", "Levy"])
    found = classify_lines(assets.dataset("roles"), batch)
    assert [one.function.id for one in found] == ["i-finance", "u-unknown", "u-unknown"]


def test_a_text_means_the_same_however_many_others_were_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "_REMEMBERED", 2)
    rules = load_rules()
    texts = ["Finance", "Highways", "Levy", "Legal", "Finance", "Highways"]
    found = [rules.classify(LineTexts((text,))).function.id for text in texts]
    assert found == ["i-finance", "o-assets", "x-transfer-body", "i-legal", "i-finance", "o-assets"]


def test_every_line_of_a_table_of_many_texts_has_its_own_function() -> None:
    """More combinations of texts than an integer could number without folding them."""
    size = 3000
    units = [f"Highways {number}" if number % 2 else f"Finance {number}" for number in range(size)]
    other = {name: [f"{name} {number}" for number in range(size)] for name in ("service_label", "expense_type")}
    found = classify_lines(assets.dataset("spend"), lines(org_unit=units, **other))
    assert [one.function.id for one in found] == ["i-finance", "o-assets"] * (size // 2)


WORDS = st.sampled_from(
    ["Finance", "Highways", "levy", "ICT", "Other", "school", "&", "O'Brien", "é", "", "12", "fees"]
)
TEXTS = st.lists(WORDS, max_size=4).map(" ".join)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=20))
def test_a_line_is_classified_by_itself(cells: list[tuple[str, str, str]]) -> None:
    """Whatever other lines there are, and in whatever order."""
    units, purposes, categories = (list(column) for column in zip(*cells, strict=True))
    batch = lines(org_unit=units, purpose=purposes, category_label=categories)
    together = classify_lines(assets.dataset("spend"), batch)
    alone = [classify_lines(assets.dataset("spend"), batch.slice(number, 1))[0] for number in range(batch.num_rows)]
    assert together == alone


NUMBERED = st.lists(
    st.one_of(
        WORDS, st.sampled_from(["151", "section", "2", "yr olds", "16", "2yof", "post"]), st.from_regex("[0-9]{1,6}")
    ),
    max_size=6,
)


@settings(max_examples=40)
@given(st.lists(st.tuples(NUMBERED, st.sampled_from([" ", "", "-", "/"])), min_size=1, max_size=6))
def test_numbers_of_invoices_neither_hide_a_function_nor_make_one(texts: list[tuple[list[str], str]]) -> None:
    """Long numbers are taken as one, so that each of a million invoices is not classified for itself."""
    purposes = [between.join(words) for words, between in texts]
    found = classify_lines(assets.dataset("spend"), lines(purpose=purposes))
    assert found == [load_rules().classify(LineTexts(what=(purpose,))) for purpose in purposes]


def test_no_rule_reads_a_number_of_four_digits() -> None:
    patterns = [rule.pattern.pattern for rules in load_rules().rules.values() for rule in rules]
    assert not [one for one in patterns if re.search(r"\d{4}|\\d|[0-9]-[0-9]", one)]


@pytest.mark.real
@pytest.mark.parametrize("labelled", SETS, ids=lambda labelled: labelled.title)
def test_overhead_is_found_where_the_unit_or_service_is_given(labelled: object) -> None:
    """At least 80 % of the pounds of the input side, as the body's own accounts or a reader say."""
    pounds = compare_sides(labelled, read_rows(labelled, MEASURES / "functions"))  # type: ignore[arg-type]
    recall = measure_side(pounds, "I").recall
    assert recall is not None
    assert recall >= Decimal("0.8")
