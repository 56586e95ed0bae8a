"""People in free text are found beside words that say that a payment is about one person, and things are not."""

from __future__ import annotations

import pytest

from piperoll.checking.privacy.free_text import names_in_text, text_rules


@pytest.mark.parametrize(
    "text",
    [
        "W/E 13.10.13 Jane Doe",
        "JANE DOE W/E 24/06/12",
        "Week ending 13 October 2013 - Jane Doe 37.5 hrs",
        "wk ending 13/10/13 J Doe",
        "Refund to Jane Doe",
        "REFUND TO J DOE",
        "Respite for Jane Doe aged 7",
        "Council tax refund - Jane Doe",
        "Re: Doe, Jane",
        "taxi for Jane Doe to school",
        "Agency Costs J. Doe W/E 16/02/2025",
        "payment to jane doe",
        "reimbursement of Jane Doe",
        "Jane Doe, 8 years old",
        "on behalf of Jane O'Brien",
    ],
)
def test_a_name_beside_a_week_a_refund_or_care_is_found(text: str) -> None:
    assert "person-in-text" in text_rules(text, in_context=False)


@pytest.mark.parametrize(
    "text", ["Jane Doe", "Timesheet 12 - Jane Doe", "Jane Doe (social worker)", "Smith, Jane: invoice 7"]
)
def test_a_name_in_a_row_about_agency_staff_is_found(text: str) -> None:
    assert names_in_text(text, in_context=True)


@pytest.mark.parametrize("text", ["Respite for child aged 7", "Transport for pupil, 9 years", "boy aged 12"])
def test_the_age_of_a_child_is_found(text: str) -> None:
    assert text_rules(text, in_context=True) == {"person-in-text"}


@pytest.mark.parametrize(
    ("text", "in_context"),
    [
        ("Refund to Jane Doe, 12 Acacia Road, AB1 2AB", False),
        ("Direct payment 12 Acacia Road AB1 2AB", True),
        ("Adaptations at 7a Old Mill Lane, AB1 2AB, disabled facilities", False),
    ],
)
def test_a_home_address_beside_a_name_or_a_benefit_is_found(text: str, *, in_context: bool) -> None:
    assert "home-address" in text_rules(text, in_context=in_context)


@pytest.mark.parametrize(
    "text",
    [
        "Agency staff - w/e 14.09.25",
        "TEMP STAFF W/C 3RD APRIL & 10TH APR",
        "Refund for over payment of invoices",
        "Refund of rental at Anytown and Newtown",
        "Henry vac bags",
        "HENRY VAC BAGS",
        "Payment to the Coal Authority",
        "Grant to Anytown Brownies",
        "Repairs at 12 Acacia Road AB1 2AB",
        "Activities for children aged 7-11",
        "Telephone survey of residents aged 18 plus",
        "Payments for Hepatitis C",
        "A payment in respect of a patent",
        "Social worker, agency, 37 hours",
        "Temporary accommodation 2026/27",
        "Support of Phase A",
        "REPAIR TO BAIN MARIE - TEMP PROBLEM",
        "Bain Marie",
        "",
    ],
)
def test_things_places_and_weeks_are_nobody(text: str) -> None:
    assert text_rules(text, in_context=True) == frozenset()


def test_a_long_text_about_a_service_may_name_an_official() -> None:
    text = "Established under an Act. Jane Doe became chief executive in October. " + "The agency supports carers. " * 6
    assert text_rules(text, in_context=True) == frozenset()
    assert text_rules(text + "Refund to Jane Doe", in_context=True) == {"person-in-text"}


def test_a_person_whose_names_are_a_things_in_another_order_is_found() -> None:
    assert text_rules("Refund to Bain, Marie", in_context=True) == {"person-in-text"}
    assert text_rules("Refund to Marie Bain", in_context=True) == {"person-in-text"}
