"""A file that says there was nothing to report, in whatever words and in any column; and what says no such thing."""

from __future__ import annotations

import pytest

from piperoll import assets
from piperoll.checking.check_file import FileToCheck, check_file
from piperoll.model import Verdict, What
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
    *("- nil -", "Return: NIL", "Not applicable this month", "N/A for June 2026", "None to report"),
    *("No spend over £25,000 this month", "There are no transactions to report for the month of June 2026."),
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
    *("Please complete for nil returns", "If there is nothing to publish, enter Nil return", "N/A", "not applicable"),
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


TEMPLATE = "Spend over £500\r\nJune 2026\r\n\r\n" + HEAD


@pytest.mark.parametrize(
    "rows",
    [
        "Nil Return,,,,,\r\n" + ",,,,,\r\n" * 200,
        ",,,Nil Return,,\r\nTotal,,,,,0.00\r\n",
        ",,,Nil Return,,\r\n,,,,Total,£0.00\r\n",
        "Nil return,,,,,\r\n" + ",,,,,0.00\r\n" * 40,
        "Nil return,,,,,\r\nNote: payments under £500 are not included,,,,,\r\n",
        "n/a,n/a,n/a,n/a,n/a,n/a\r\n",
        "Fairshire,30/06/2026,N/A,N/A,N/A,0\r\n",
        "n/a,,,,,\r\n",
        "Fairshire,June 2026,Nil Return,,,\r\n",
        "- nil -,,,,,\r\n",
    ],
)
@pytest.mark.parametrize("head", [HEAD, TEMPLATE])
def test_a_template_with_nil_return_in_its_body_is_a_nil_return(head: str, rows: str) -> None:
    reading = spend(head + rows)
    assert (reading.what, [finding.code for finding in reading.findings]) == (What.NIL_RETURN, ["nil-return"])


@pytest.mark.parametrize(
    "rows",
    [
        "Nil return,,,,,\r\nFairshire,30/06/2026,Rent,Acme Ltd,T1,12.50\r\n",
        "Fairshire,30/06/2026,Rent,Acme Ltd,T1,12.50\r\nNil return,,,,,\r\n",
        "Nil return,,,,,\r\nFairshire,30/06/2026,Rent,Acme Ltd,T1,to follow\r\n",
        "Nil return,,,,,\r\nFairshire,30/06/2026,Rent,Acme Ltd,T1,\r\n",
    ],
)
def test_a_file_with_a_payment_is_no_nil_return(rows: str) -> None:
    assert spend(HEAD + rows).what is What.DATA


def test_a_template_with_advice_on_nil_returns_is_not_one() -> None:
    reading = spend("If there is nothing to report enter Nil return\r\n\r\n" + HEAD + ",,,,,\r\n")
    assert (reading.what, reading.why) == (What.NOT_DATA, "pro_forma")


@pytest.mark.parametrize(
    "words", ["Nil Return\r\n", "Towers Agency\r\nNil Return\r\n", "Qqq,Www,Eee\r\nNil Return,,\r\n"]
)
def test_a_nil_return_without_headings_is_not_rejected(words: str) -> None:
    """It was rejected as no data, and said to be a nil return."""
    report = check_file(FileToCheck(words.encode(), "June 2026.csv"))
    assert (report.verdict, report.period, report.dataset) == (Verdict.NIL, "2026-06", None)
    assert [finding.code for finding in report.findings] == ["period-from-name", "nil-return"]


def test_a_nil_return_says_its_period_in_a_title() -> None:
    for words in (TEMPLATE + "Nil return,,,,,\r\n", "Nil return for June 2026\r\n"):
        report = check_file(FileToCheck(words.encode(), "spend.csv"))
        assert (report.verdict, report.period) == (Verdict.NIL, "2026-06")
