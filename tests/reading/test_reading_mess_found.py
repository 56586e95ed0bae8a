"""What the made-up mess found, each in its smallest form."""

from __future__ import annotations

from decimal import Decimal

import pytest
from test_reading_traps import cells, codes, spend


def test_headings_in_two_rows_are_joined_although_the_lower_row_alone_names_other_fields() -> None:
    reading = spend(
        "Payment,Supplier,Expense,,Net\r\ndate,name,type,Directorate,amount\r\n"
        "02/10/2022,Acme Ltd,Rent,Highways,44735.60\r\n03/10/2022,Bolt Ltd,Repairs,Estates,37229.00\r\n"
    )
    assert cells(reading, "expense_type") == ["Rent", "Repairs"]


def test_a_second_table_without_one_of_the_columns_is_read_by_its_own_headings() -> None:
    reading = spend(
        "Payment date,Supplier name,Purpose,Contract ref,Net amount\r\n"
        "02/10/2022,Acme Ltd,Rent,K1,10.00\r\n03/10/2022,Bolt Ltd,Repairs,K2,20.00\r\n\r\nSchools\r\n"
        "Payment date,Supplier name,Contract ref,Net amount\r\n"
        "04/10/2022,Cook Ltd,K3,30.00\r\n05/10/2022,Dane Ltd,K4,40.00\r\n"
    )
    assert cells(reading, "net_amount", 1) == ["30.00", "40.00"]
    assert cells(reading, "contract_ref", 1) == ["K3", "K4"]


def test_a_total_that_is_left_out_is_in_pounds_like_the_records() -> None:
    reading = spend(
        "Date paid,Supplier name,Net amount (£000)\r\n"
        "02/10/2022,Acme Ltd,1.50\r\n03/10/2022,Bolt Ltd,2.00\r\n,Total,3.50\r\n"
    )
    assert cells(reading, "net_amount") == ["1500.00", "2000.00"]
    assert [row.amount for row in reading.tables[0].excluded_rows] == [Decimal(3500)]


def test_a_full_row_above_the_headings_with_an_unreadable_date_is_a_record() -> None:
    reading = spend(
        "01/10/2022,Acme Ltd,Rent,T1,10.00\r\n99/99/9999,Bolt Ltd,Rent,T2,20.00\r\n"
        "Payment date,Supplier name,Purpose,Transaction number,Net amount\r\n03/10/2022,Cook Ltd,Rent,T3,30.00\r\n"
    )
    assert cells(reading, "net_amount") == ["10.00", "20.00", "30.00"]
    assert {"records-above-headings", "date-unreadable"} <= codes(reading)


def test_recoverable_vat_is_not_read_as_irrecoverable() -> None:
    reading = spend(
        "Payment date,Supplier name,Net amount,Recoverable VAT\r\n"
        "02/10/2022,Acme Ltd,10.00,2.00\r\n03/10/2022,Bolt Ltd,20.00,4.00\r\n"
    )
    assert "irrecoverable_vat" not in reading.tables[0].columns


@pytest.mark.parametrize("unit", ["£ p", "in pounds", "GBP", "pence", "EUR"])
def test_a_net_amount_is_preferred_to_gross_whatever_its_unit(unit: str) -> None:
    reading = spend(
        f"Payment date,Supplier name,Gross amount,Net amount {unit}\r\n"
        "02/10/2022,Acme Ltd,12.00,10.00\r\n03/10/2022,Bolt Ltd,24.00,20.00\r\n"
    )
    assert reading.tables[0].columns["net_amount"] == f"Net amount {unit}"


@pytest.mark.parametrize("row", [",-", ",#REF!"])
def test_a_leftover_above_headings_at_the_end_is_not_part_of_them(row: str) -> None:
    reading = spend(
        f"02/10/2022,Acme Ltd,10.00\r\n03/10/2022,Bolt Ltd,20.00\r\n,{row}\r\nDate paid,Supplier,Net amount\r\n"
    )
    assert reading.tables[0].columns["net_amount"] == "Net amount"
    assert reading.tables[0].excluded == {"other": 1}


def test_two_amount_columns_with_one_heading_are_reported_whatever_they_hold() -> None:
    reading = spend(
        "Payment date,Supplier name,Net amount,Net amount\r\n"
        '02/10/2022,Acme Ltd,"1.234,56",\r\n03/10/2022,Bolt Ltd,10.00,12.00\r\n04/10/2022,Cook Ltd,20.00,24.00\r\n'
    )
    assert "amount-column-doubtful" in codes(reading)


def test_titles_repeated_with_the_headings_are_not_records() -> None:
    head = "Who,,What,,Money\r\nSupplier name,Body,Purpose,Date,Net amount\r\n"
    reading = spend(
        f"{head}Acme Ltd,Fairshire,Rent,02/10/2022,10.00\r\n{head}Bolt Ltd,Fairshire,Roof,03/10/2022,20.00\r\n"
    )
    assert (reading.tables[0].rows, dict(reading.tables[0].excluded)) == (2, {"repeated_header": 2})


def test_repeated_headings_in_two_rows_do_not_start_a_second_table() -> None:
    head = "Payment,Supplier,Expense,,Net\r\ndate,name,type,Directorate,amount\r\n"
    reading = spend(
        f"{head}02/10/2022,Acme Ltd,Rent,Highways,10.00\r\n{head}03/10/2022,Bolt Ltd,Roof,Highways,20.00\r\n"
    )
    assert (reading.tables[0].rows, dict(reading.tables[0].excluded)) == (2, {"repeated_header": 2})
    assert "headings-changed" not in codes(reading)


def test_a_last_record_that_equals_the_sum_is_reported_with_decimal_commas_too() -> None:
    rows = "".join(f"0{day}/04/2024;Acme {day} Ltd;{day}00,50\r\n" for day in range(1, 6))
    reading = spend(f"Date;Supplier;Net amount\r\n{rows}06/04/2024;Bolt Ltd;1502,50\r\n")
    assert "record-equals-total" in codes(reading)


@pytest.mark.parametrize(("heading", "last"), [("Net amoint", "30.00"), ("Net amount", "£1.2m"), ("Net amount", "n/k")])
def test_net_is_preferred_to_gross_despite_a_damaged_heading_or_cell(heading: str, last: str) -> None:
    reading = spend(
        f"Payment date,Supplier name,Gross amount,{heading}\r\n02/10/2022,Acme Ltd,12.00,10.00\r\n"
        f"03/10/2022,Bolt Ltd,24.00,20.00\r\n04/10/2022,Cook Ltd,30.00,25.00\r\n05/10/2022,Dane Ltd,36.00,{last}\r\n"
    )
    assert reading.tables[0].columns["net_amount"] == heading


def test_of_two_columns_with_one_heading_the_one_that_adds_tax_is_not_the_amount() -> None:
    reading = spend(
        "Payment date,Supplier name,Amount,Amount,VAT\r\n02/10/2022,Acme Ltd,12.00,10.00,2.00\r\n"
        "03/10/2022,Bolt Ltd,24.00,20.00,4.00\r\n04/10/2022,Cook Ltd,36.00,£1.2m,6.00\r\n"
    )
    assert reading.tables[0].column_letters["net_amount"] == "D"
