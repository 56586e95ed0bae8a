"""What is decided for a whole column from its distinct cells and how often each occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll import assets
from piperoll.model import Finding, Severity
from piperoll.reading.cells.date_order import NO_CONTEXT, DateContext, decide_order
from piperoll.reading.cells.dates import read_date
from piperoll.reading.cells.decisions import FieldColumn, decide
from piperoll.reading.cells.values import UNREADABLE

SPEND = next(dataset for dataset in assets.datasets() if dataset.name == "spend")
CENTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2, allow_nan=False, allow_infinity=False)


def read_all(
    name: str, cells: Sequence[str], heading: str = "", context: DateContext = NO_CONTEXT
) -> tuple[list[object], dict[str, Finding]]:
    """Every cell as it is read in its column, and the findings by code."""
    column = FieldColumn(
        SPEND.field(name),
        3,
        heading,
        amount=name == "net_amount",
        reference=name.endswith("number"),
        within=name == "payment_date",
        least_amount=SPEND.least_amount,
    )
    reader, found = decide(column, Counter(cells), context)
    return [reader.read(cell) for cell in cells], {finding.code: finding for finding in found}


def in_june(day: int) -> date:
    return date(2012, 6, day)


def test_a_column_of_decimal_commas_is_read_that_way_and_reported() -> None:
    read, findings = read_all("net_amount", ["1.234,56", "99,90", "7", "(1.000,00)", "12.000"])
    assert read == ["1234.56", "99.90", "7", "-1000.00", "12000"]
    assert findings["amounts-decimal-comma"].severity is Severity.WARNING


def test_one_decimal_comma_among_points_is_doubtful() -> None:
    read, findings = read_all("net_amount", ["1,234.56", "99.90", "99,90"])
    assert read == ["1234.56", "99.90", UNREADABLE]
    assert not findings
    assert read_all("net_amount", ["99,90", "7"])[0] == [UNREADABLE, "7"]


def test_a_comma_that_may_separate_thousands_is_doubtful_among_decimal_commas() -> None:
    cells = ["1.234,56", *(f"{number},50" for number in range(40)), "1,234"]
    read, findings = read_all("net_amount", cells)
    assert read[0] == "1234.56"
    assert read[-1] is UNREADABLE
    assert "amounts-decimal-comma" in findings


@given(st.lists(CENTS, min_size=2, max_size=20))
def test_any_column_of_decimal_commas_reads_back_or_is_unreadable(amounts: list[Decimal]) -> None:
    cells = [f"{amount:,.2f}".translate(str.maketrans(",.", ".,")) for amount in amounts]
    read, _ = read_all("net_amount", cells)
    if len(set(cells)) > 1:
        assert [Decimal(str(value)) for value in read] == amounts


@given(st.lists(CENTS, min_size=1, max_size=20), st.sampled_from(["{:f}", "{:,.2f}", "£{:,.2f}", "£ {:f}", "{:f}*"]))
def test_any_column_of_points_reads_back(amounts: list[Decimal], form: str) -> None:
    assert [Decimal(str(value)) for value in read_all("net_amount", list(map(form.format, amounts)))[0]] == amounts


def test_points_with_three_digits_after_each_may_separate_thousands() -> None:
    read, findings = read_all("net_amount", ["12.500", "1.250", "150.000"])
    assert read[0] == "12.500"
    assert "12,500" in findings["amounts-three-places"].message
    assert not read_all("net_amount", ["12.500", "1.250", "150.00"])[1]
    assert not read_all("net_amount", ["0.500", "0.250", "0.125"])[1]


def test_credits_exponents_and_marks_are_reported_once_for_the_column() -> None:
    read, findings = read_all("net_amount", ["5.00 CR", "CR 7", "100DR", "1.2E+05", "3*", "8"])
    assert read == ["-5.00", "-7", "100", "120000", "3", "8"]
    assert {code: finding.count for code, finding in findings.items()} == {
        "amounts-as-credits": 3,
        "amounts-in-exponents": 1,
        "amounts-marked": 1,
    }
    assert "120,000" in findings["amounts-in-exponents"].message


@pytest.mark.parametrize(
    ("heading", "pounds"),
    [("Amount (£000)", "5000"), ("£k", "5000"), ("Amount (p)", "0.05"), ("Over £25 000", "5"), ("£bn", "5000000000")],
)
def test_the_heading_gives_the_scale_of_its_column(heading: str, pounds: str) -> None:
    assert read_all("net_amount", ["5"], heading)[0] == [pounds]


@pytest.mark.parametrize(("heading", "other"), [("Amount (£000)", "too large"), ("Amount in pence", "too small")])
def test_pence_under_another_unit_are_reported_as_doubtful(heading: str, other: str) -> None:
    findings = read_all("net_amount", ["1234.56", "99.90", "7.00"], heading)[1]
    assert other in findings["amount-unit-doubtful"].message
    assert not read_all("net_amount", ["1234", "99", "7.5"], heading)[1]


def test_no_amount_is_read_under_a_foreign_heading() -> None:
    assert read_all("net_amount", ["5"], "Amount (EUR)")[0] == [UNREADABLE]


def test_a_pound_sign_with_a_dash_is_no_amount() -> None:
    assert read_all("net_amount", ["£-", "£ -", "£nil", "-", "5"])[0] == [None] * 4 + ["5"]


def test_a_block_of_months_first_is_distinguished_by_the_month_that_the_rest_is_in() -> None:
    british = [f"{day:02}/06/2012" for day in range(1, 31)]
    american = ["06/05/2012", "06/14/2012"]
    read, findings = read_all("payment_date", british + american)
    assert read == [in_june(day).isoformat() for day in [*range(1, 31), 5, 14]]
    assert "June 2012" in findings["dates-mixed"].message


def test_without_a_month_that_holds_the_rest_mixed_dates_follow_the_majority() -> None:
    cells = ["13/01/2012", "14/05/2012", "20/09/2012", "12/25/2012", "03/04/2012"]
    read, findings = read_all("payment_date", cells)
    assert read[-1] == "2012-04-03"
    assert findings["dates-mixed"].severity is Severity.WARNING


def test_days_that_a_spreadsheet_swapped_with_months_are_reported_with_both_readings() -> None:
    """The classic import: days to the 12th become dates of other months, the others stay text."""
    exchanged = [f"2012-{day:02}-06" for day in range(1, 13)]
    kept = [f"{day}/06/2012" for day in range(13, 31)]
    read, findings = read_all("payment_date", exchanged + kept)
    assert read[0] == "2012-01-06"
    finding = findings["dates-exchanged"]
    assert finding.count == 11
    assert "6 January 2012" in finding.message
    assert "1 June 2012" in finding.message


def test_late_payments_are_not_read_as_swapped_days() -> None:
    june = [f"{day:02}/06/2012" for day in range(1, 31)]
    assert not read_all("payment_date", [*june, "03/05/2012", "09/07/2012", "06/05/2012"])[1]
    assert not read_all("payment_date", [f"{day:02}/{month:02}/2012" for month in range(1, 13) for day in (3, 20)])[1]


def test_a_column_guessed_to_be_month_first_gives_both_readings() -> None:
    read, findings = read_all("payment_date", ["04/01/2020", "04/02/2020", "04/07/2020"])
    assert read[0] == "2020-04-01"
    finding = findings["dates-month-first"]
    assert finding.severity is Severity.WARNING
    assert "1 April 2020" in finding.message
    assert "4 January 2020" in finding.message


def test_timestamps_and_days_are_together_in_one_column() -> None:
    cells = ["2012-06-14T00:00:00", "15/06/2012", "16th June 2012", "20120617", "41078", "18.06.12", "19 Mehefin 2012"]
    read, findings = read_all("payment_date", cells)
    assert read == [in_june(day).isoformat() for day in (14, 15, 16, 17, 18, 18, 19)]
    assert set(findings) == {"dates-as-serials"}


def test_a_month_where_a_day_is_needed_is_missing_and_reported() -> None:
    read, findings = read_all("payment_date", ["June 2012", "Jun-12", "06/2012", "13/06/2012", "31/06/2012"])
    assert read == [None, None, None, "2012-06-13", UNREADABLE]
    assert findings["dates-months-only"].count == 3


def test_day_numbers_from_1904_are_reported_where_the_others_say_so() -> None:
    june = [f"{day}/06/2012" for day in range(13, 30)]
    read, findings = read_all("payment_date", [*june, str((in_june(15) - date(1904, 1, 1)).days)])
    assert read[-1] == "2008-06-14"
    assert "15 June 2012" in findings["dates-from-1904"].message


def test_summer_midnights_in_universal_time_are_reported() -> None:
    _, findings = read_all("payment_date", ["2012-06-13T23:00:00Z", "2012-06-14T23:00:00.000Z"])
    assert "14 June 2012" in findings["dates-before-midnight"].message


FORMS = ["%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%y", "%d %B %Y", "%Y%m%d", "%a %d %b %Y"]


@given(st.sets(st.integers(0, 29), min_size=1), st.sampled_from(FORMS), st.dates(date(2001, 1, 1), date(2039, 12, 1)))
def test_any_column_of_a_months_days_reads_back_or_is_reported(days: set[int], form: str, start: date) -> None:
    truth = [start.replace(day=1) + timedelta(days=day) for day in sorted(days)]
    cells = [day.strftime(form) for day in truth]
    read, findings = read_all("payment_date", cells)
    proved = form != "%m/%d/%Y" or any(day.day > 12 for day in truth)
    if proved:
        assert read == [day.isoformat() for day in truth]
    else:  # nothing in the column shows which is meant: every date is read as some day, and a guess is reported
        assert UNREADABLE not in read
        order = decide_order(Counter(cells), DateContext(within=True))
        assert bool(order.guessed) == ("dates-month-first" in findings)
        assert order.doubtful == ("dates-order-doubtful" in findings)


@given(st.text(max_size=20))
def test_any_cell_has_one_reading_whatever_column_it_is_in(cell: str) -> None:
    order = decide_order({cell: 1})
    assert read_date(cell, order) == read_date(cell, order)
    read, _ = read_all("payment_date", [cell, "13/06/2012"])
    assert read[1] == "2012-06-13"


def test_references_that_a_program_treated_as_numbers_are_reported() -> None:
    _, findings = read_all("transaction_number", ["00123", "00456", "01234", "4567", "12345"])
    assert findings["reference-zeros-lost"].count == 1
    _, findings = read_all("transaction_number", ["12345.0", "12346.0", "A7"])
    assert findings["reference-decimal"].count == 2
    assert not read_all("transaction_number", ["00123", "00456", "01234", "45678", "123456"])[1]
    assert not read_all("transaction_number", ["123", "4567", "0123"])[1]


def test_a_company_number_of_less_than_eight_digits_has_lost_some() -> None:
    _, findings = read_all("supplier_company_number", ["1234567", "12345678", "SC123456", "OC300001"])
    assert findings["reference-zeros-lost"].count == 1
    assert not read_all("supplier_company_number", ["01234567", "12345678", "SC123456"])[1]


@pytest.mark.parametrize("cell", ["31 February 2024", "February 31, 2024", "31/02/2024", "2024-02-31", "00/03/2024"])
def test_a_day_that_does_not_exist_bounds_no_period(cell: str) -> None:
    transactions = next(dataset for dataset in assets.datasets() if dataset.name == "transactions")
    reader, _ = decide(FieldColumn(transactions.field("period_end"), 0, ""), {cell: 1, "March 2024": 1})
    assert reader.read(cell) is UNREADABLE
    assert reader.read("March 2024") == "2024-03-31"


def test_the_year_may_be_first_with_two_digits() -> None:
    read, findings = read_all("payment_date", [f"12-06-{day:02}" for day in range(1, 31)])
    assert read == [in_june(day).isoformat() for day in range(1, 31)]
    assert "12 June 2001" in findings["dates-year-first"].message
    read, findings = read_all("payment_date", ["12-06-12", "13-06-12", "20-06-12"])
    assert read == [in_june(day).isoformat() for day in (12, 13, 20)]
    assert not findings


def test_the_same_day_of_many_months_may_be_the_month() -> None:
    _, findings = read_all("payment_date", [f"2012-{day:02}-06" for day in range(1, 13)])
    assert "June 2012" in findings["dates-exchanged"].message
    assert not read_all("payment_date", [f"2012-{month:02}-01" for month in range(1, 13)])[1]
    assert not read_all("payment_date", [f"201{year}-04-06" for year in range(6)])[1]


@pytest.mark.parametrize("cell", ["July 2010-September 2010", "Apr-Jun 2012", "Q1 2015/16", "2015-Q1", "2012-13"])
def test_a_quarter_or_months_where_a_day_is_needed_are_missing_and_reported_once(cell: str) -> None:
    read, findings = read_all("payment_date", [cell, cell, "Q1", "to follow June", "13/06/2012"])
    assert read == [None, None, UNREADABLE, UNREADABLE, "2012-06-13"]
    assert findings["dates-months-only"].count == 2
    reader, _ = decide(FieldColumn(SPEND.field("payment_date"), 0, ""), {cell: 1})
    assert reader.read(cell) is UNREADABLE


@pytest.mark.parametrize(
    ("cell", "end"),
    [
        ("2015-Q1", "2015-03-31"),
        ("Q2 2015", "2015-06-30"),
        ("Q1 2015/16", "2015-06-30"),
        ("Apr-Jun 2012", "2012-06-30"),
    ],
)
def test_a_quarter_bounds_a_period_and_is_reported_where_it_may_be_another(cell: str, end: str) -> None:
    read, findings = read_all("period_end", [cell])
    assert read == [end]
    assert ("dates-in-quarters" in findings) == (cell in ("2015-Q1", "Q2 2015"))


def test_days_counted_from_another_year_are_reported_once_for_the_column() -> None:
    read, findings = read_all("payment_date", ["9223", "9224", "9230"])
    assert read == [UNREADABLE] * 3
    assert "April 2025" in findings["dates-of-another-epoch"].message
    assert not read_all("payment_date", ["2015", "2016", "2017"])[1]


def test_a_column_of_euros_is_reported_once() -> None:
    read, findings = read_all("net_amount", ["€5.00", "€7.50", ""])
    assert read == [UNREADABLE, UNREADABLE, None]
    assert findings["amount-not-in-pounds"].count == 2
    assert not read_all("net_amount", ["€5.00", "7.50"])[1]


def test_a_file_that_holds_nothing_but_credits_says_that_they_may_be_payments() -> None:
    read, findings = read_all("net_amount", ["-5.00", "(7.50)", "0.00", "-5.00"])
    assert read == ["-5.00", "-7.50", "0", "-5.00"]
    assert findings["amounts-all-negative"].count == 3
    assert not read_all("net_amount", ["-5.00", "-7.50", "-1.00", "0.50"])[1]


def test_thousands_with_two_decimals_that_are_too_small_for_pounds_are_for_information_only() -> None:
    read, findings = read_all("net_amount", ["25.34", "31.20", "812.50"], "Amount (£000)")
    assert read == ["25340.00", "31200.00", "812500.00"]
    assert findings["amount-unit-doubtful"].severity is Severity.INFO
    _, findings = read_all("net_amount", ["25000.34", "31200.20", "812.50"], "Amount (£000)")
    assert findings["amount-unit-doubtful"].severity is Severity.WARNING
