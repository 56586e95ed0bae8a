"""Which column is which: each piece of evidence, and what they come to together."""

from __future__ import annotations

import pytest

from piperoll import assets
from piperoll.reading.columns.assignment import Columns, assign_columns
from piperoll.reading.columns.lexicon import build_lexicon, terms_in, vat_basis
from piperoll.reading.columns.profiles import profile_column

DATES = ["01/04/2026", "13/04/2026", "30/04/2026", "07/04/2026"]
LATER = ["02/05/2026", "14/05/2026", "29/05/2026", "08/05/2026"]
FIRMS = ["Acorn Roofing Ltd", "Beech Services plc", "Cedar Print Ltd", "Damson Fleet Ltd"]
NET = ["100.50", "1,200.00", "-50.25", "7.99"]
GROSS = ["120.60", "1,440.00", "-60.30", "9.59"]
VAT = ["20.10", "240.00", "-10.05", "1.60"]
REFS = ["T001", "T002", "T003", "T004"]
WORDS = ["Printing of forms", "Rent of an office", "Cleaning in May", "Two ladders"]
NOTHING = ["", "", "", ""]


def found(*columns: tuple[str, list[str]], dataset: str = "spend") -> Columns:
    lexicon = build_lexicon(assets.dataset(dataset), None)
    return assign_columns([heading for heading, _ in columns], [profile_column(cells) for _, cells in columns], lexicon)


def places(columns: Columns) -> dict[str, int]:
    return {name: choice.column for name, choice in columns.choices.items()}


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("Amount", ""),
        ("Gross Amount", "gross"),
        ("Amount incl. VAT", "gross"),
        ("Amount (inc VAT)", "gross"),
        ("Net", "net"),
        ("Amount excl VAT", "net"),
        ("Amount (ex. VAT)", "net"),
        ("Amount excluding VAT", "net"),
        ("Irrecoverable VAT", "vat"),
        ("Amount (VAT)", "vat"),
    ],
)
def test_the_vat_basis_of_a_heading(heading: str, said: str) -> None:
    assert vat_basis(heading) == said


def test_terms_that_change_the_meaning_of_a_heading() -> None:
    assert terms_in("Payment Date") == terms_in("Date Paid") == terms_in("Net Amount") == frozenset()
    assert terms_in("Invoice Date") == {"invoice"}
    assert terms_in("Forecast spend") == {"expected"}
    assert terms_in("last_modified") == frozenset({"record"})


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_net_column_is_the_amount_in_any_position(order: tuple[int, ...]) -> None:
    figures = [("Gross", GROSS), ("Net", NET), ("VAT", VAT)]
    columns = found(("Date", DATES), ("Supplier", FIRMS), *(figures[place] for place in order))
    assert columns.choices["net_amount"].heading == "Net"
    assert not columns.choices["net_amount"].contested


def test_gross_is_used_if_there_is_no_net_and_tax_never() -> None:
    alone = found(("Date", DATES), ("Supplier", FIRMS), ("VAT Amount", VAT), ("Gross Amount", GROSS))
    assert alone.choices["net_amount"].heading == "Gross Amount"
    assert "gross" in alone.choices["net_amount"].why[-1]
    tax = found(("Date", DATES), ("Supplier", FIRMS), ("Amount (VAT)", VAT))
    assert "net_amount" not in tax.choices


def test_an_empty_column_loses_to_a_filled_one() -> None:
    columns = found(("Date", DATES), ("Supplier", FIRMS), ("Amount", NOTHING), ("Gross", GROSS))
    assert columns.choices["net_amount"].heading == "Gross"


def test_a_description_is_the_purpose_only_if_no_column_is_called_purpose() -> None:
    with_purpose = found(("Date", DATES), ("Description", WORDS), ("Amount", NET), ("Purpose", WORDS))
    assert (with_purpose.choices["purpose"].heading, with_purpose.choices["description"].heading) == (
        "Purpose",
        "Description",
    )
    assert found(("Date", DATES), ("Description", WORDS), ("Amount", NET)).choices["purpose"].heading == "Description"


def test_a_payment_date_is_preferred_to_an_invoice_date_without_a_warning() -> None:
    columns = found(("Invoice Date", DATES), ("Supplier", FIRMS), ("Amount", NET), ("Date Paid", LATER))
    assert columns.choices["payment_date"].heading == "Date Paid"
    assert not columns.choices["payment_date"].contested


def test_two_columns_with_the_same_heading_are_reported() -> None:
    choice = found(("Date", DATES), ("Supplier", FIRMS), ("Amount", NET), ("Amount", GROSS)).choices["net_amount"]
    assert (choice.column, choice.runner_up, choice.contested) == (2, 3, True)
    assert choice.runner_up_score == choice.score


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Suplier Name", "supplier_name"),
        ("Tranaction Number", "transaction_number"),
        ("TransNo", "transaction_number"),
        ("Inv Amt", "net_amount"),
        ("Dyddiad / Payment Date", "payment_date"),
        ("Amount (£)", "net_amount"),
    ],
)
def test_typing_errors_and_abbreviations_in_headings(heading: str, field: str) -> None:
    meanings = build_lexicon(assets.dataset("spend"), None).meanings(heading)
    assert meanings[0].field == field


@pytest.mark.parametrize("heading", ["Postcode", "Daye", "Nett", "VATS"])
def test_another_word_or_a_short_one_is_not_a_typing_error(heading: str) -> None:
    lexicon = build_lexicon(assets.dataset("spend"), None)
    assert all(match.how != "slip" for match in lexicon.meanings(heading))


def test_a_column_with_a_meaningless_heading_is_recognised_by_its_cells() -> None:
    columns = found(("Date", DATES), ("Wibble", FIRMS), ("Wobble", NET), ("Flub", REFS))
    assert (columns.choices["supplier_name"].column, columns.choices["net_amount"].column) == (1, 2)
    assert {columns.choices[name].how for name in ("supplier_name", "net_amount")} == {"content"}
    assert "sums of money" in columns.choices["net_amount"].why[0]


def test_of_two_columns_of_money_without_known_headings_neither_is_guessed() -> None:
    assert "net_amount" not in found(("Date", DATES), ("Supplier", FIRMS), ("Foo", NET), ("Bar", GROSS)).choices


def test_a_time_stamp_is_not_the_payment_date() -> None:
    stamps = ["01/04/2026 10:31", "13/04/2026 09:02", "30/04/2026 16:44", "07/04/2026 11:00"]
    assert profile_column(stamps).stamps
    assert not profile_column(["01/04/2026 00:00", "02/04/2026 00:00"]).stamps
    assert "payment_date" not in found(("Supplier", FIRMS), ("Amount", NET), ("Wibble", stamps)).choices


def test_every_choice_has_its_score_its_runner_up_and_its_reasons() -> None:
    choice = found(("Date", DATES), ("Supplier", FIRMS), ("Amount", NET), ("Gross", GROSS)).choices["net_amount"]
    assert (choice.runner_up, choice.runner_up_heading) == (3, "Gross")
    assert 0 < choice.runner_up_score < choice.score <= 1
    assert choice.why == ("its heading is one we know for it", "100% of its cells are numbers")
