"""Names: a private person's is held, a firm's is not, and the doubtful ones are settled here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.checking.privacy.lists import privacy_lists
from piperoll.checking.privacy.private_people import is_clearly_organisation, person_rule

GIVEN = sorted(privacy_lists().given_names)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Mrs J Smith", "titled-name"),
        ("MR SMITH", "titled-name"),
        ("Mr & Mrs Smith", "titled-name"),
        ("MISS A B JONES", "titled-name"),
        ("Dr. Patel", "titled-name"),
        ("SMITH JOHN MR", "titled-name"),
        ("Smith, Mrs", "titled-name"),
        ("J SMITH", "surname-initial"),
        ("J. Smith", "surname-initial"),
        ("J.A. Smith", "surname-initial"),
        ("SMITH J", "surname-initial"),
        ("Smith, J A", "surname-initial"),
        ("O'Brien P", "surname-initial"),
        ("A & B Jones", "surname-initial"),
        ("PAYPAL *J SMITH", "surname-initial"),
        ("John Green", "full-name"),
        ("SARAH JANE WOODS", "full-name"),
        ("Khan, Mohammed", "full-name"),
        ("Mary Church", "full-name"),
    ],
)
def test_a_private_persons_name_is_seen(name: str, rule: str) -> None:
    assert person_rule(name) == rule


@pytest.mark.parametrize(
    "name",
    [
        "Anytown Roofing Ltd",
        "J SMITH LTD",
        "J Smith T/A Smith Builders",
        "JOHN SMITH PLC",
        "Smith & Jones LLP",
        "Sir John Cass School",
        "Lord Mayor",
        "Dr Martens",
        "John Lewis",
        "W H SMITH",
        "J. SAINSBURY",
        "Anytown Council",
        "NHS Anytown",
        "St Mary's Church",
        "Redactive Publishing Ltd",
        "SMITH TREE SURGEONS SERVICES",
        "Capita",
        "amazon.co.uk",
        "B & Q",
        "Village Green",
        "G4S Care",
    ],
)
def test_a_firms_name_is_no_persons(name: str) -> None:
    assert person_rule(name) is None


@pytest.mark.parametrize("name", ["BT", "Anytown Fostering Agency", "Barnardos Ltd", "NCL Care", "John Lewis"])
def test_what_is_evidently_an_organisation(name: str) -> None:
    assert is_clearly_organisation(name)


@pytest.mark.parametrize("name", ["Smith", "Jane Doe", "MRS DOE", "Sunflower", "October OPMH"])
def test_what_is_not_evidently_an_organisation(name: str) -> None:
    assert not is_clearly_organisation(name)


@given(
    st.sampled_from(["Mr", "Mrs", "Miss", "Ms", "MR", "MRS", "MISS", "Dr"]),
    st.from_regex(r"[A-Z][a-z]{3,9}", fullmatch=True),
)
def test_a_title_and_a_name_are_always_held_unless_an_institution_bears_them(title: str, surname: str) -> None:
    institution = surname.upper() in privacy_lists().strong or privacy_lists().not_names.search(f"{title} {surname}")
    assert (person_rule(f"{title} {surname}") == "titled-name") == (not institution)


@given(st.sampled_from(GIVEN), st.sampled_from(["LTD", "PLC", "LLP", "CIC", "COUNCIL", "NHS TRUST", "SOLICITORS"]))
def test_a_legal_form_makes_any_name_a_firms(given_name: str, form: str) -> None:
    assert person_rule(f"{given_name} Smith {form}") is None
    assert is_clearly_organisation(f"{given_name} Smith {form}")


@given(st.text(max_size=40))
def test_no_text_is_too_strange(text: str) -> None:
    assert person_rule(text) in (None, "titled-name", "surname-initial", "full-name")
    assert not (person_rule(text) and is_clearly_organisation(text))
