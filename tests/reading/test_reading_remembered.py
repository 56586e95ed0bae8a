"""What a body sent before: when its headings have drifted, what is asked, what answers and layouts do."""

from __future__ import annotations

import pytest

from piperoll import assets
from piperoll.model import BodyMapping, Layout, Question, Severity
from piperoll.reading import Reading, learn_headings, read

ROWS = "01/04/2026,Acorn Roofing Ltd,{0}T001\r\n13/04/2026,Beech Services plc,{1}T002\r\n"


def spend(
    headings: str, remembered: BodyMapping | None = None, figures: tuple[str, str] = ("100.50,", "9.99,")
) -> Reading:
    content = f"{headings}\r\n{ROWS.format(*figures)}".encode()
    given = (remembered,) if remembered else ()
    return read(content, "x.csv", assets.datasets(), dataset=assets.dataset("spend"), remembered=given)


def before(**columns: str) -> BodyMapping:
    """What is remembered of a body that sent these headings."""
    return BodyMapping("anytown", "spend", layouts=(Layout(columns, "2026-03", "2026-04-03", "ab" * 32),))


def about(reading: Reading, *codes: str) -> list[tuple[str, Severity, str | None]]:
    return [(one.code, one.severity, one.field) for one in reading.findings if one.code in codes]


def drift(reading: Reading) -> list[tuple[str, Severity, str | None]]:
    return about(reading, "headings-drifted", "heading-replaced")


def test_without_remembered_headings_there_are_no_questions() -> None:
    reading = spend("Date,Supplier,Gross,Ref")
    assert (reading.questions, reading.mapping_version, drift(reading)) == ((), None, [])


@pytest.mark.parametrize(
    ("was", "now", "held"),
    [
        ("Amount", "Net Amount", False),
        ("Amount", "AMOUNT (£)", None),
        ("Amount", "Value", False),
        ("Amount", "Gross", True),
        ("Gross", "Net", True),
        ("Amount", "Invoice Amount", True),
        ("Amount", "Amount (£000)", True),
        ("Amount", "Amuont Paid", True),
        ("Amount", "Wibble", True),
    ],
)
def test_a_heading_that_replaces_another(was: str, now: str, held: bool | None) -> None:
    reading = spend(f"Date,Supplier,{now},Ref", before(net_amount=was))
    expected = {
        None: [],
        False: [("heading-replaced", Severity.INFO, "net_amount")],
        True: [("headings-drifted", Severity.ERROR, "net_amount")],
    }
    assert drift(reading) == expected[held]
    asked = [(question.heading, question.field, question.replaced) for question in reading.questions]
    assert asked == ([(now, "net_amount", was)] if held else [])


def test_an_invoice_date_that_replaces_a_payment_date_raises_a_question() -> None:
    reading = spend("Invoice Date,Supplier,Amount,Ref", before(payment_date="Payment Date", net_amount="Amount"))
    assert drift(reading) == [("headings-drifted", Severity.ERROR, "payment_date")]


def test_a_replaced_heading_outside_the_core_is_reported_and_does_not_hold_the_file() -> None:
    reading = spend("Date,Supplier,Amount,Invoice No", before(transaction_number="Transaction Number"))
    assert drift(reading) == [("heading-replaced", Severity.WARNING, "transaction_number")]


def test_alternating_layouts_raise_no_question() -> None:
    known = before(net_amount="Amount").with_layout(Layout({"net_amount": "Gross"}, "2026-04", "2026-05-02", "cd" * 32))
    assert drift(spend("Date,Supplier,Gross,Ref", known)) == []


@pytest.mark.parametrize(
    ("answer", "field"),
    [("same", "net_amount"), ("different", None), ("ignore", None), ("irrecoverable_vat", "irrecoverable_vat")],
)
def test_an_answer_decides(answer: str, field: str | None) -> None:
    question = Question("Gross", "net_amount", "Amount", answer=answer)
    known = before(net_amount="Amount").with_question(question)
    reading = spend("Date,Supplier,Gross,Ref", known)
    taken = {choice.heading: name for name, choice in reading.tables[0].choices.items()}
    assert taken.get("Gross") == field
    assert drift(reading) == []
    assert reading.mapping_version is not None
    assert bool(about(reading, "heading-answered")) == (field is not None)


def test_an_answer_makes_an_unknown_heading_known() -> None:
    known = BodyMapping("anytown", "spend").with_question(Question("Zog", "supplier_name", answer="supplier_name"))
    choice = spend("Date,Zog,Amount,Ref", known).tables[0].choices["supplier_name"]
    assert (choice.how, choice.why) == ("answered", ("somebody has said so",))


def test_remembered_headings_decide_between_possible_columns() -> None:
    alone = spend("Date,Supplier,Description,Amount", figures=("Rent,1.50,", "Ink,2.50,"))
    assert alone.tables[0].choices["purpose"].heading == "Description"
    known = before(description="Description", purpose="Purpose")
    reading = spend("Date,Supplier,Description,Amount", known, figures=("Rent,1.50,", "Ink,2.50,"))
    assert reading.tables[0].choices["description"].how == "remembered"
    assert reading.mapping_version is not None


def test_remembered_headings_without_effect_give_no_mapping_version() -> None:
    first = spend("Date,Supplier,Amount,Department")
    known = learn_headings(
        BodyMapping("anytown", "spend"), first, period="2026-04", day="2026-05-01", source="ab" * 32, published=True
    )
    again = spend("Date,Supplier,Amount,Department", known)
    assert again.mapping_version is None
    assert again.tables[0].choices == first.tables[0].choices
    assert again.findings == first.findings


def test_a_guess_is_not_remembered_and_raises_a_question() -> None:
    reading = spend("Date,Supplier,Wibble,Ref", BodyMapping("anytown", "spend"))
    known = learn_headings(
        BodyMapping("anytown", "spend"), reading, period="2026-04", day="2026-05-01", source="ab" * 32, published=True
    )
    assert "net_amount" not in known.layouts[0].columns
    assert [(question.heading, question.field, question.waiting) for question in known.open_questions] == [
        ("Wibble", "net_amount", ())
    ]


def test_an_unpublished_file_teaches_only_its_questions() -> None:
    known = before(net_amount="Amount")
    reading = spend("Date,Supplier,Gross,Ref", known)
    after = learn_headings(known, reading, period="2026-04", day="2026-05-01", source="cd" * 32, published=False)
    assert after.layouts == known.layouts
    assert after.open_questions[0].waiting == ("cd" * 32,)
    assert (
        learn_headings(after, reading, period="2026-04", day="2026-06-01", source="cd" * 32, published=False) == after
    )
