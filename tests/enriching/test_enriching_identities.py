"""Which company a supplier is: the forms of numbers, the tiers, the guards, and published truth."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.enriching.company_numbers import NumberForm, parse_company_number
from piperoll.enriching.identities import (
    Company,
    Identity,
    Outcome,
    PreviousName,
    Register,
    Supplier,
    Tier,
    identify,
)
from piperoll.enriching.payees import class_of_name
from piperoll.enriching.supplier_names import normal_form, supplier_key
from piperoll.model import NO_COMPANY

MEASURES = Path(os.environ.get("MEASUREDATA", Path(__file__).parents[3] / "shared" / "measuredata"))
PAID = date(2023, 5, 2)


def company(number: str, name: str, *previous: str, **more: object) -> Company:
    names = tuple(PreviousName(one) for one in previous)
    return Company(number, name, more.pop("incorporated", date(2001, 1, 1)), previous_names=names, **more)  # type: ignore[arg-type]


def supplier(*names: str, numbers: tuple[str, ...] = (), first: date | None = PAID) -> Supplier:
    key = normal_form(names[0])
    assert key is not None
    return Supplier(key, names, numbers, first=first, payee_class=str(class_of_name(names[0])))


def said(found: Identity) -> tuple[str, str, str]:
    return str(found.outcome), str(found.tier), found.company_number


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "form", "number"),
    [
        ("01234567", "whole", "01234567"),
        ("2345678", "padded", "02345678"),
        ("2345678.0", "padded", "02345678"),
        ("688424", "short", "00688424"),
        ("0688424", "short", "00688424"),
        ("54321", "short", "00054321"),
        ("SC123456", "whole", "SC123456"),
        ("sc 1234", "padded", "SC001234"),
        ("NI1234", "padded", "NI001234"),
        ("OC301234", "whole", "OC301234"),
        ("IP12345R", "whole", "IP12345R"),
        ("R0000123", "whole", "R0000123"),
        ("GB-COH-02345678", "whole", "02345678"),
        ("123456789", "not-a-number", ""),
        ("1234", "not-a-number", ""),
        ("00000000", "not-a-number", ""),
        ("SC000000", "not-a-number", ""),
        ("AB123456", "not-a-number", ""),
        ("Rook Ltd", "not-a-number", ""),
        ("", "not-a-number", ""),
        (None, "not-a-number", ""),
        ("AB123456C", "personal", ""),
        ("sc 12 34 56 c", "personal", ""),
    ],
)
def test_numbers_as_bodies_write_them(text: str | None, form: str, number: str) -> None:
    parsed = parse_company_number(text)
    assert (parsed.form, parsed.number) == (form, number)
    assert parsed.org_id == (f"GB-COH-{number}" if number else "")


@given(st.integers(1, 99_999_999))
def test_a_number_in_eight_digits_is_kept_and_read_again(number: int) -> None:
    assert parse_company_number(f"{number:08}") == parse_company_number(f"GB-COH-{number:08}")
    assert parse_company_number(f"{number:08}").number == f"{number:08}"


# --- tier 1: a published number ---------------------------------------------------------------------------------------


def test_a_published_number_counts_without_a_register() -> None:
    assert said(identify(supplier("Rook Ltd", numbers=("2345678",)), None)) == ("matched", "1-published", "02345678")
    without = identify(supplier("Daw Ltd"), None)
    assert said(without) == ("unmatched", "none", "")
    assert "no register" in without.evidence


def test_a_number_of_six_digits_counts_only_if_the_name_agrees() -> None:
    """Six digits may be a number that lost two leading zeros, or another one's."""
    register = Register([company("00688424", "ROOK LIMITED"), company("00777777", "DAW LIMITED", "WREN LIMITED")])
    assert said(identify(supplier("Rook Ltd", numbers=("688424",)), register))[0] == "matched"
    assert said(identify(supplier("Wren Ltd", numbers=("777777",)), register))[2] == "00777777"
    for doubtful in (supplier("Rook Ltd", numbers=("777777",)), supplier("Rook Ltd", numbers=("555555",))):
        assert said(identify(doubtful, register)) == ("review", "1-published", "")
    assert said(identify(supplier("Rook Ltd", numbers=("688424",)), None))[0] == "review"


def test_seven_digits_with_another_name_in_the_register_go_to_review() -> None:
    register = Register([company("02345678", "FINCH HOLDINGS PLC")])
    assert said(identify(supplier("Rook Ltd", numbers=("2345678",)), register))[0] == "review"
    assert said(identify(supplier("Rook Ltd", numbers=("02345678",)), register))[0] == "matched"
    assert said(identify(supplier("Rook Ltd", numbers=("2345679",)), register))[0] == "matched"


def test_two_published_numbers_go_to_review() -> None:
    found = identify(supplier("Rook Ltd", numbers=("02345678", "03456789", "2345678")), None)
    assert (found.outcome, found.proposed) == (Outcome.REVIEW, ("GB-COH-02345678", "GB-COH-03456789"))


def test_a_number_that_is_a_person_s_or_of_another_register_is_no_company() -> None:
    for number in ("AB123456C", "123456789", "n/a"):
        assert said(identify(supplier("Rook Ltd", numbers=(number,)), None)) == ("unmatched", "none", "")
    charity = Supplier("rook", ("Rook Hospice",), other_ids=("GB-CHC-202918",))
    assert (identify(charity, None).org_id, identify(charity, None).company_number) == ("GB-CHC-202918", "")


# --- tiers 2 and 3: names ---------------------------------------------------------------------------------------------


def test_a_company_incorporated_after_the_first_payment_is_not_the_supplier() -> None:
    """A name of 2018 was matched with a company of 2023 that bears it now."""
    register = Register([company("15270037", "ROOK LTD", incorporated=date(2023, 11, 9))])
    found = identify(supplier("Rook Limited", first=date(2018, 4, 5)), register)
    assert (said(found), found.proposed) == (("review", "2-name", ""), ("GB-COH-15270037",))
    assert found.evidence == "incorporated on 2023-11-09, after the first payment on 2018-04-05"
    assert said(identify(supplier("Rook Limited", first=date(2023, 11, 9)), register))[0] == "matched"


def test_the_company_that_had_the_name_when_it_was_paid_is_found_by_its_previous_name() -> None:
    register = Register(
        [company("15270037", "ROOK LTD", incorporated=date(2023, 11, 9)), company("01111111", "DAW PLC", "ROOK PLC")]
    )
    assert said(identify(supplier("Rook Limited", first=date(2018, 4, 5)), register)) == (
        "matched", "3-previous-name", "01111111",
    )  # fmt: skip


def test_a_name_that_two_companies_have_had_goes_to_review() -> None:
    until = Company(
        "01111111", "DAW PLC", date(2001, 1, 1), previous_names=(PreviousName("ROOK PLC", date(2023, 6, 1)),)
    )
    register = Register([company("02222222", "ROOK LTD"), until])
    assert said(identify(supplier("Rook Ltd"), register))[0] == "review"
    assert said(identify(supplier("Rook Ltd", first=date(2023, 7, 1)), register)) == ("matched", "2-name", "02222222")
    twins = Register([company("02222222", "ROOK LTD"), company("03333333", "ROOK LIMITED")])
    assert identify(supplier("Rook Ltd"), twins).proposed == ("GB-COH-02222222", "GB-COH-03333333")


@pytest.mark.parametrize(
    ("dissolved", "outcome"),
    [(PAID - timedelta(91), "review"), (PAID - timedelta(90), "matched"), (PAID, "matched"), (None, "matched")],
)
def test_a_company_may_be_paid_until_90_days_after_its_end(dissolved: date | None, outcome: str) -> None:
    register = Register([company("02222222", "ROOK LTD", dissolved=dissolved)])
    assert said(identify(supplier("Rook Ltd"), register))[0] == outcome


@pytest.mark.parametrize("more", [{"dormant": True}, {"sic": ("99999",)}, {"sic": ("98000",)}])
def test_a_company_without_a_business_goes_to_review(more: dict[str, object]) -> None:
    assert said(identify(supplier("Rook Ltd"), Register([company("02222222", "ROOK LTD", **more)])))[0] == "review"
    numbered = supplier("Rook Ltd", numbers=("02222222",))
    assert said(identify(numbered, Register([company("02222222", "ROOK LTD", **more)])))[0] == "review"


@pytest.mark.parametrize(
    ("paid", "registered"),
    [
        ("Rook Developments (NW) Ltd", "ROOK DEVELOPMENTS (BATH) LIMITED"),
        ("Rook Developments Ltd", "ROOK DEVELOPMENTS (BATH) LIMITED"),
        ("Rook (UK) Ltd", "ROOK LIMITED"),
        ("Rook Ltd (Daw Catering)", "ROOK LIMITED"),
        ("Rook (Wales) Ltd T/A Daw", "ROOK LIMITED"),
    ],
)
def test_names_that_differ_in_brackets_are_proposed_and_not_matched(paid: str, registered: str) -> None:
    found = identify(supplier(paid), Register([company("02222222", registered)]))
    assert (found.outcome, found.proposed) == (Outcome.REVIEW, ("GB-COH-02222222",))
    assert found.evidence == "the words in brackets differ"


@pytest.mark.parametrize(
    ("paid", "registered", "outcome"),
    [
        ("Rook Ltd T/A Daw", "ROOK LIMITED", "matched"),
        ("ROOK LTD TRADING AS DAW", "ROOK LIMITED", "matched"),
        ("Daw T/A Rook Ltd", "ROOK LIMITED", "unmatched"),
        ("Rook & Daw Limited", "ROOK AND DAW LTD", "matched"),
        ("Rook LLP", "ROOK LIMITED", "review"),
        ("Rook CIO", "ROOK LIMITED", "review"),
        ("Rook GmbH", "ROOK LIMITED", "no-company-expected"),
        ("Anytown Parish Council", "ANYTOWN PARISH COUNCIL LIMITED", "no-company-expected"),
        ("Anytown Primary School", "ANYTOWN PRIMARY SCHOOL LTD", "no-company-expected"),
        ("NHS Property Services Ltd", "NHS PROPERTY SERVICES LIMITED", "matched"),
        ("Rookery Leeds Ltd", "ROOKERY YORK LTD", "unmatched"),
        ("Rookery Maintenance Services Ltd", "ROOKERY MAINTENANCE SERVICE LTD", "review"),
        ("Services Rookery Maintenance Ltd", "SERVICES MAINTENANCE ROOKERY LTD", "review"),
    ],
)
def test_what_a_name_shows(paid: str, registered: str, outcome: str) -> None:
    assert said(identify(supplier(paid), Register([company("02222222", registered)])))[0] == outcome


def test_a_name_without_a_company_s_form_is_never_more_than_a_candidate() -> None:
    found = identify(supplier("Rookery Catering"), Register([company("02222222", "ROOKERY CATERING LTD")]))
    assert (found.outcome, found.certain, found.by_name) == (Outcome.MATCHED, False, "")


def test_a_partnership_is_found_by_the_letters_of_its_number() -> None:
    register = Register([company("OC301234", "ROOK LLP"), company("02222222", "ROOK LIMITED")])
    assert said(identify(supplier("Rook LLP"), register))[2] == "OC301234"
    assert said(identify(supplier("Rook Ltd"), register))[2] == "02222222"


# --- reviews ----------------------------------------------------------------------------------------------------------


def test_a_review_confirms_replaces_or_ends_a_match() -> None:
    register = Register([company("02222222", "ROOK LTD")])
    rook = supplier("Rook Ltd")
    confirmed = identify(rook, register, "GB-COH-02222222")
    assert (said(confirmed), confirmed.by_name) == (("matched", "2-name", "02222222"), "GB-COH-02222222")
    other = identify(rook, register, "GB-COH-03333333")
    assert (said(other), other.by_name) == (("matched", "4-reviewed", "03333333"), "GB-COH-02222222")
    assert said(identify(rook, register, NO_COMPANY)) == ("no-company-expected", "4-reviewed", "")
    assert (
        said(identify(supplier("Daw Ltd", numbers=("02222222", "03333333")), None, "GB-COH-03333333"))[2] == "03333333"
    )


@given(st.permutations(["ROOK LTD", "ROOK (NW) LTD", "ROOKS LTD", "ROOK LLP", "DAW LTD"]))
def test_the_order_of_the_register_does_not_matter(names: list[str]) -> None:
    numbers = {name: f"0{index}111111" for index, name in enumerate(sorted(names))}
    register = Register([company(numbers[name], name) for name in names])
    found = [identify(supplier(paid), register) for paid in ("Rook Ltd", "Rook (SE) Ltd", "Rookss Ltd", "Wren Ltd")]
    again = Register([company(numbers[name], name) for name in sorted(names)])
    expected = [identify(supplier(paid), again) for paid in ("Rook Ltd", "Rook (SE) Ltd", "Rookss Ltd", "Wren Ltd")]
    assert found == expected


# --- published truth --------------------------------------------------------------------------------------------------


def rows(name: str) -> Iterator[dict[str, str]]:
    with (MEASURES / "suppliers" / name).open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


@pytest.mark.real
def test_1160_pairs_are_equal_by_the_house_rules_and_brackets_go_to_review() -> None:
    pairs = [row for row in rows("aidoge_supplier_company_candidates.csv") if row["company_number"]]
    register = Register(
        Company(row["company_number"], row["companies_house_name"], sic=tuple(row["sic_codes"].split(";")))
        for row in pairs
    )
    found = [
        (row, identify(supplier(row["supplier_name_as_published"], first=None), register), row["note"]) for row in pairs
    ]
    exact = [row for row, one, _ in found if one.tier in (Tier.NAME, Tier.PREVIOUS_NAME)]
    assert len(pairs) == 1160
    assert len(exact) / len(pairs) == pytest.approx(0.985, abs=0.001)
    wrong = [row for row, one, _ in found if one.org_id and one.company_number != row["company_number"]]
    assert wrong == []
    brackets = [(row, one) for row, one, note in found if "words in brackets" in note]
    for row, one in brackets:
        same = normal_form(row["supplier_name_as_published"]) == normal_form(row["companies_house_name"])
        assert one.outcome is (Outcome.MATCHED if same else Outcome.REVIEW), row
    assert len(brackets) == 19
    assert sum(one.outcome is Outcome.REVIEW for _, one in brackets) == 17  # "(UK)" and "(U.K.)" are the same words
    assert all(one.outcome is Outcome.REVIEW for _, one, note in found if "dormant" in note)


@pytest.mark.real
def test_companies_incorporated_late_fail_the_guard() -> None:
    """A number above 15,000,000 was given in 2023 or later; the payments began before."""
    late = [row for row in rows("aidoge_supplier_company_candidates.csv") if "incorporated after" in row["note"]]
    register = Register(
        company(row["company_number"], row["companies_house_name"], incorporated=date(2023, 7, 1)) for row in late
    )
    found = [identify(supplier(row["supplier_name_as_published"], first=date(2018, 4, 1)), register) for row in late]
    assert len(late) == 35
    assert {one.outcome for one in found} == {Outcome.REVIEW}


@pytest.mark.real
def test_a_council_s_own_numbers_are_found_by_name_among_decoys() -> None:
    published = list(rows("calderdale_supplier_company_numbers.csv"))
    named: dict[str, list[str]] = defaultdict(list)
    for row in sorted(published, key=lambda row: row["last_month"]):
        named[row["company_number"]].append(row["supplier_name_as_published"].split(" T/A ")[0])
    companies = [company(number, names[-1], *names[:-1]) for number, names in named.items()]
    assert len(companies) == 296
    register = Register([*companies, *_decoys({number: names[0] for number, names in named.items()})])
    by_name, by_number = [], []
    for row in published:
        name, (year, month) = row["supplier_name_as_published"], row["first_month"].split("-")
        paid = supplier(name, first=date(int(year), int(month), 1))
        numbered = supplier(name, numbers=(row["company_number_as_published"],), first=paid.first)
        by_name.append((row["company_number"], identify(paid, register)))
        by_number.append((row["company_number"], identify(numbered, register)))
    assert all(one.company_number == number for number, one in by_number)
    matched = [one.company_number == number for number, one in by_name if one.outcome is Outcome.MATCHED]
    assert sum(matched) / len(matched) >= 0.99
    assert len(matched) / len(by_name) >= 0.95


def _decoys(names: dict[str, str]) -> Iterator[Company]:
    """Companies that are alike: another place, another form, and a later company of the same name."""
    for index, (_, name) in enumerate(sorted(names.items())):
        base = name.rsplit(" ", 1)[0]
        yield company(f"9{index:07}", f"{base} (Northern) Limited")
        yield company(f"8{index:07}", f"{base} Leeds Ltd")
        yield company(f"OC{index:06}", f"{base} LLP")
        yield company(f"15{index:06}", name, incorporated=date(2023, 1, 1))


@pytest.mark.real
def test_a_name_that_a_council_published_with_two_numbers_goes_to_review() -> None:
    numbers, names = defaultdict(list), defaultdict(list)
    for row in rows("calderdale_supplier_company_numbers.csv"):
        key = supplier_key(row["supplier_name_as_published"])
        numbers[key].append(row["company_number_as_published"])
        names[key].append(row["supplier_name_as_published"])
    found = {key: identify(supplier(*names[key], numbers=tuple(numbers[key])), None) for key in names}
    two = {key for key in names if len({number.zfill(8) for number in numbers[key]}) > 1}
    assert len(two) == 2
    assert all((found[key].outcome, len(found[key].proposed)) == (Outcome.REVIEW, 2) for key in two)


@pytest.mark.real
def test_pairs_of_a_vat_group_are_merged_by_spelling_or_a_previous_name_only() -> None:
    for row in rows("trafford_supplier_name_pairs_by_vat_group.csv"):
        if row["note"].startswith("same name"):
            continue  # the same name with different VAT numbers: not known, the file says
        same, spelling = row["same_vat_registration"] == "1", row["note"] == "spelling variant"
        for one, other in ((row["name_a"], row["name_b"]), (row["name_b"], row["name_a"])):
            merged = identify(supplier(other), Register([company("02222222", one)])).outcome is Outcome.MATCHED
            assert merged is (same and spelling), row
            if same and class_of_name(other) == "company" and not other.endswith("LLP"):
                renamed = identify(supplier(other), Register([company("02222222", one, other)]))
                assert said(renamed)[2] == "02222222"


@pytest.mark.real
def test_malformed_numbers_of_supplier_parties_are_told_from_numbers() -> None:
    texts = {
        row["company_number_as_published"]
        for row in rows("contracts_finder_supplier_parties_2025.csv")
        if row["scheme"] == "GB-COH"
    }
    forms = defaultdict(list)
    for text in texts:
        forms[parse_company_number(text).form].append(text)
    assert {form: len(found) for form, found in forms.items()} == {
        NumberForm.WHOLE: 67,
        NumberForm.PADDED: 5,
        NumberForm.SHORT: 2,
        NumberForm.NOT_A_NUMBER: 1,
    }
