"""A file that says there was nothing to report, in whatever words and in any column; and what says no such thing."""

from __future__ import annotations

import pytest

from piperoll import assets
from piperoll.model import What
from piperoll.reading import Reading, read
from piperoll.reading.cells.marks import says_nil

HEAD = "Body,Date,Expense Type,Supplier,Transaction Number,Amount\r\n"

NIL = [
    *("Nil", "NIL", "nil.", "None", "Zero", "Nil return", "NIL RETURN", "Nil returns for June 2026", "Nil this month"),
    *(
        "No transactions this month",
        "No transactions",
        "0 transactions",
        "Zero spend",
        "nil-return",
        "Nil spend in May",
    ),
    *("We made no payments over £500 in June", "There was no spend in May", "There were no qualifying transactions."),
    *("There have been no payments this month", "No data for this period", "No GPC transactions in July 2026"),
    *("Nothing to report", "Nothing to publish this month", "No invoices paid", "The council made no payments in June"),
    *("Fairshire Council spend June 2026 - nil return", "No contracts awarded", "No records found", "None this month"),
]
NOT_NIL = [
    *("Nil Ltd", "None Shall Sleep Ltd", "Zero Waste Leeds", "No 10 Cafe", "Nilfisk Ltd", "Nothing Hill Records"),
    *(
        "No payments under £500 are included",
        "No individuals are named",
        "Payments of £0",
        "Note",
        "No Fuss Printing Ltd",
    ),
    *("No VAT", "No transactions below £500 are shown", "0", "-", "Noise control", "Data Ltd", ""),
]


def spend(text: str) -> Reading:
    return read(text.encode(), "file.csv", assets.datasets(), dataset=assets.dataset("spend"))


@pytest.mark.parametrize("words", NIL)
def test_words_for_nothing(words: str) -> None:
    assert says_nil(words)


@pytest.mark.parametrize("words", NOT_NIL)
def test_words_that_are_not_a_nil_return(words: str) -> None:
    assert not says_nil(words)


@pytest.mark.parametrize("words", ["Nil return", "We made no payments over £500 in June", "0 transactions"])
@pytest.mark.parametrize("column", [0, 1, 3, 5])
@pytest.mark.parametrize("head", [HEAD, "", "Spend over £500,,,,,\r\nJune 2026,,,,,\r\n\r\n"])
def test_a_nil_return_in_any_column_with_headings_or_without(words: str, column: int, head: str) -> None:
    assert spend(head + "," * column + words + "," * (5 - column) + "\r\n").what is What.NIL_RETURN


def test_a_nil_return_in_every_column() -> None:
    assert spend(HEAD + ",".join(["Nil"] * 6) + "\r\n").what is What.NIL_RETURN


def test_a_nil_return_beside_the_body_and_the_date() -> None:
    assert spend(HEAD + "Fairshire,30/06/2026,,Nil return,,0.00\r\n").what is What.NIL_RETURN


def test_a_supplier_called_nil_is_a_supplier() -> None:
    reading = spend(HEAD + "Fairshire,30/06/2026,Rent,Nil Ltd,T1,12.50\r\n")
    assert (reading.what, reading.tables[0].rows) == (What.DATA, 1)


def test_a_note_below_records_is_not_a_nil_return() -> None:
    reading = spend(HEAD + "Fairshire,30/06/2026,Rent,Acme Ltd,T1,12.50\r\n\r\nNo transactions in Leeds,,,,,\r\n")
    assert (reading.what, reading.tables[0].rows) == (What.DATA, 1)


def test_a_note_below_rows_with_unknown_headings_is_not_a_nil_return() -> None:
    reading = spend("Qqq,Www,Eee\r\nx,y,£12.50\r\nNo payments this week,,\r\n")
    assert reading.what is not What.NIL_RETURN
