"""What the made-up mess found in sheets of several sections, and at their ends, each in its smallest form."""

from __future__ import annotations

import pytest
from test_reading_traps import cells, codes, spend

from piperoll import assets
from piperoll.reading import read


def test_the_order_of_day_and_month_is_kept_below_new_headings() -> None:
    reading = spend(
        "Payment date,Supplier name,Purpose,Net amount\r\n"
        "01/02/2022,Acme Ltd,Rent,10.00\r\n01/25/2022,Bolt Ltd,Roof,20.00\r\n"
        "Supplier name,Payment date,Purpose,Net amount\r\nCook Ltd,02/03/2022,Rent,30.00\r\n"
    )
    assert cells(reading, "payment_date") == ["2022-01-02", "2022-01-25", "2022-02-03"]
    assert [each.code for each in reading.findings].count("dates-month-first") == 1


def test_dates_in_two_orders_are_reported_although_headings_separate_them() -> None:
    reading = spend(
        "Payment date,Supplier name,Purpose,Net amount\r\n25/01/2022,Acme Ltd,Rent,10.00\r\n"
        "Supplier name,Payment date,Purpose,Net amount\r\nCook Ltd,01/26/2022,Rent,30.00\r\n"
        "Bolt Ltd,01/02/2022,Roof,2.00\r\n"
    )
    assert "dates-mixed" in codes(reading)


def test_commas_in_amounts_are_not_the_delimiter_of_a_file_of_bars() -> None:
    rows = [f"0{day}/10/2022|Acme {day} Ltd|Rent|{day}2,345.00{'|' * (3 * day)}" for day in range(1, 6)]
    reading = spend("\r\n".join(["Payment date|Supplier name|Purpose|Net amount", *rows]))
    assert cells(reading, "net_amount")[0] == "12345.00"


@pytest.mark.parametrize("label", ["", "Grand total"])
def test_a_total_over_two_sections_is_not_a_record(label: str) -> None:
    reading = spend(
        "Payment date,Supplier name,Purpose,Contract ref,Net amount\r\n"
        "02/10/2022,Acme Ltd,Rent,K1,10.00\r\n03/10/2022,Bolt Ltd,Roof,K2,20.00\r\n\r\nSchools\r\n"
        "Payment date,Supplier name,Contract ref,Net amount\r\n"
        f"04/10/2022,Cook Ltd,K3,31.00\r\n05/10/2022,Dane Ltd,K4,42.00\r\n,{label},,103.00\r\n"
    )
    assert reading.tables[1].excluded == {"total": 1}
    assert "total-does-not-add-up" not in codes(reading)


def test_a_total_of_the_last_section_alone_is_proved_too() -> None:
    reading = spend(
        "Payment date,Supplier name,Purpose,Contract ref,Net amount\r\n"
        "02/10/2022,Acme Ltd,Rent,K1,10.00\r\n03/10/2022,Bolt Ltd,Roof,K2,20.00\r\n\r\nSchools\r\n"
        "Payment date,Supplier name,Contract ref,Net amount\r\n"
        "04/10/2022,Cook Ltd,K3,31.00\r\n05/10/2022,Dane Ltd,K4,42.00\r\n,,,73.00\r\n"
    )
    assert reading.tables[1].excluded == {"total": 1}


def test_headings_at_the_end_are_found_although_titles_outnumber_records() -> None:
    reading = spend(
        "Prepared by:,Finance Team\r\n" * 12
        + "02/10/2022,Acme Ltd,Rent,10.00\r\n03/10/2022,Bolt Ltd,Roof,20.00\r\n,Total,,30.00\r\nEnd of report\r\n\r\n"
        + "Payment date,Supplier name,Purpose,Net amount\r\n"
    )
    assert {"headings-at-end", "preamble-left-out"} <= codes(reading)
    assert reading.tables[0].rows == 2
    kinds = {row.row: row.kind for row in reading.tables[0].excluded_rows if row.row > 12}
    assert kinds == {15: "total", 16: "note", 17: "blank"}


@pytest.mark.parametrize("row", ['99/99/9999,Acme Ltd,Rent,"1,23"', "41778.0,Acme Ltd,Rent,£1.2m"])
def test_a_full_row_above_the_headings_is_a_record_even_if_unreadable(row: str) -> None:
    reading = spend(
        f"{row}\r\nPayment date,Supplier name,Purpose,Net amount\r\n"
        "02/10/2022,Bolt Ltd,Roof,20.00\r\n03/10/2022,Cook Ltd,Rent,30.00\r\n"
    )
    assert reading.tables[0].rows == 3
    assert {"records-above-headings", "amount-unreadable"} <= codes(reading)


def test_an_empty_column_does_not_divide_a_table_with_repeated_fields() -> None:
    reading = read(
        b"Title,Supplier name,Review date,Current end date,,Contract value,Contract reference number,Start date\r\n"
        b"Rent,Acme Ltd,28/06/2019,01/06/2021,,868053.61,C1,28/02/2018\r\n"
        b"Roof,Bolt Ltd,02/05/2019,24/07/2020,,484713.00,C2,28/03/2018\r\n",
        "file.csv",
        assets.datasets(),
        dataset=assets.dataset("contracts"),
    )
    assert len(reading.tables) == 1
    assert "tables-side-by-side" not in codes(reading)
