"""Each rule finds its samples (docs/standards.md#detectors), and not what only looks like them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.checking.privacy.personal_data import personal_rules


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("NI AB 12 34 56 C", "ni-number"),
        ("ab123456c", "ni-number"),
        ("patient 943 476 5919", "nhs-number"),
        ("943-476-5919", "nhs-number"),
        ("NHS no 9434765919", "nhs-number"),
        ("jane.doe@example.org", "email"),
        ("reply to jdoe22@example.com please", "email"),
        ("ring 07700 900123", "phone"),
        ("+44 (0)1632 960123", "phone"),
        ("tel 01632960123", "phone"),
        ("sort code 20-00-00", "sort-code"),
        ("pay 20-99-41", "sort-code"),
        ("bank 20-99-41 12345678", "account-number"),
        ("account number 12345678", "account-number"),
        ("paid into bank account 12345678", "account-number"),
        ("DOB 01/02/2003", "date-of-birth"),
        ("born 2003", "date-of-birth"),
        ("client no 12345", "case-reference"),
        ("LAS 123456", "case-reference"),
        ("Case ref CH/12345", "case-reference"),
        ("client reference: AB-1234", "case-reference"),
        ("respite for Mrs Smith", "titled-name"),
        ("RESPITE MRS SMITH", "titled-name"),
        ("respite for mrs smith", "titled-name"),
        ("Cllr Jones", "titled-name"),
        ("0530011 (Prof C Velmorathi)", "titled-name"),
        ("case no AB/1234/2019", "case-reference"),
        ("sort code 20 00-00", "sort-code"),
        ("ring 020 7946 0123", "phone"),
    ],
)
def test_what_is_personal_is_seen(text: str, rule: str) -> None:
    assert rule in personal_rules(text)


@pytest.mark.parametrize(
    "text",
    [
        "Roof repairs October 2026",
        "QQ123456C",
        "GB123456A",
        "PO 4500123456",
        "9434765918",
        "943 476 5918",
        "info@example.org",
        "procurement.team@example.org",
        "invoice 01234567890",
        "01-04-2026 31-03-2027",
        "week ending 05-10-26",
        "12-10-26",
        "company 12345678",
        "customer account number 12345678",
        "account number 12345678 electricity supply",
        "Invoice for Account Number - AP51361270",
        "Master Plan for the Lord Mayor",
        "MS Office licences",
        "missed collections",
        "0845 123 4567",
        "Lasers 12345",
        "Electric May 25 77-79 Acacia Rd",
        "gas sensor 02600-12-002 x 3",
        "LEGAL COSTS - CASE NO:CO/1234/2010",
        "Case ref QB-2020-001234",
        "PO 123456 CLIENT 60112233, ENGAG 24112233, FEE GB1",
        "Rev A Drawing",
        "Prof C Services",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert personal_rules(text) == frozenset()


def nhs_number(nine: str) -> str | None:
    check = (11 - sum(int(digit) * (10 - place) for place, digit in enumerate(nine)) % 11) % 11
    return None if check == 10 else f"{nine}{check}"


@given(st.from_regex(r"[0-9]{9}", fullmatch=True), st.integers(1, 9))
def test_the_check_digit_tells_an_nhs_number(nine: str, off: int) -> None:
    number = nhs_number(nine)
    if number is None:
        return
    wrong = f"{nine}{(int(number[-1]) + off) % 10}"
    for spelt in (number, f"{number[:3]} {number[3:6]} {number[6:]}"):
        assert "nhs-number" in personal_rules(f"NHS {spelt}")
    assert "nhs-number" not in personal_rules(f"NHS {wrong}")


@given(st.text(max_size=60))
def test_no_text_is_too_strange(text: str) -> None:
    assert personal_rules(text) >= frozenset()
