"""The values of cells, in whole tables that are read from bytes."""

from __future__ import annotations

import pytest

from piperoll import assets
from piperoll.model import Severity
from piperoll.reading import Reading, read

HEAD = "Payment Date,Supplier,Transaction Number,Amount,Purpose\n"
DAYS = range(1, 21)


def spend(text: str, name: str = "x.csv") -> Reading:
    dataset, _ = assets.find_dataset("spend")
    return read(text.encode(), name, assets.datasets(), dataset=dataset)


def cells(reading: Reading, name: str) -> list[str | None]:
    return [cell for table in reading.tables for batch in table.batches() for cell in batch[name].to_pylist()]


def codes(reading: Reading) -> set[str]:
    return {finding.code for finding in reading.findings if finding.severity is not Severity.INFO}


@pytest.mark.parametrize("total", [";Total;;214.690,90;\n", ";;;214.690,90;\n", "Total;;;214.690,90;\n"])
def test_a_semicolon_file_with_decimal_commas_is_read_whole_and_its_total_proved(total: str) -> None:
    lines = "".join(f"{day:02}/06/2012;Acme {day} Ltd;T{day};{day}.234,5{day % 10};Repairs\n" for day in DAYS)
    reading = spend(HEAD.replace(",", ";") + lines + total)
    assert cells(reading, "net_amount") == [f"{day}234.5{day % 10}" for day in DAYS]
    assert reading.tables[0].excluded == {"total": 1}
    assert codes(reading) == {"amounts-decimal-comma"}


def test_decimal_commas_in_quotes_are_read_in_a_comma_file_too() -> None:
    lines = "".join(f'{day:02}/06/2012,Acme {day} Ltd,T{day},"{day}.234,50",Repairs\n' for day in DAYS)
    assert cells(spend(HEAD + lines), "net_amount") == [f"{day}234.50" for day in DAYS]


def test_a_month_instead_of_a_day_keeps_the_row_and_what_was_sent() -> None:
    reading = spend(HEAD + "".join(f"June 2012,Acme {day} Ltd,T{day},{day}.00,Repairs\n" for day in DAYS))
    assert cells(reading, "payment_date") == [None] * 20
    assert cells(reading, "payment_date:sent") == ["June 2012"] * 20
    assert not reading.tables[0].unreadable
    assert codes(reading) == {"dates-months-only"}


def test_days_exchanged_by_a_spreadsheet_in_a_real_layout_are_reported() -> None:
    dates = [f"2012-{day:02}-06T00:00:00" if day <= 12 else f"{day}/06/2012" for day in range(1, 31)]
    reading = spend(HEAD + "".join(f"{date},Acme Ltd,T{n},{n}.00,Repairs\n" for n, date in enumerate(dates)))
    assert codes(reading) == {"dates-exchanged"}


def test_a_cell_that_cannot_be_read_is_reported_with_the_reason() -> None:
    reading = spend(HEAD + "01/06/2012,Acme Ltd,1,€5.00,Repairs\n02/06/2012,B Ltd,2,7.00,Repairs\n")
    (finding,) = [finding for finding in reading.findings if finding.code == "amount-unreadable"]
    assert (finding.row, finding.column) == (2, "D")
    assert "not in pounds" in finding.message


@pytest.mark.parametrize("line", ["Total,,,5000.00,\n", "20/06/2012,Acme Ltd,Total,5000.00,Repairs\n"])
def test_a_total_that_does_not_add_up_is_reported_wherever_its_label_is(line: str) -> None:
    reading = spend(HEAD + "".join(f"{day:02}/06/2012,Acme {day} Ltd,T{day},{day}.00,Repairs\n" for day in DAYS) + line)
    assert codes(reading) & {"possible-total-rows", "total-does-not-add-up"}


def test_dates_written_as_eight_digits_are_dates() -> None:
    reading = spend(HEAD + "".join(f"201206{day:02},Acme {day} Ltd,T{day},{day}.00,Repairs\n" for day in DAYS))
    assert cells(reading, "payment_date") == [f"2012-06-{day:02}" for day in DAYS]
    assert not codes(reading)


def test_years_as_groups_of_columns_give_a_line_for_each_year_with_figures() -> None:
    years = ["April 2013 to March 2014", "April 2014 to March 2015"]
    head = ",".join(
        ["Name of service", *(f"{year}: {what}" for year in years for what in ("volume", "digital volume"))]
    )
    lines = "".join(f'Service {number},"1,{number}00",5{number},"2,{number}00",-\n' for number in range(1, 5))
    dataset, _ = assets.find_dataset("transactions")
    reading = read((head + "\n" + lines).encode(), "x.csv", assets.datasets(), dataset=dataset)
    assert reading.tables[0].rows == 4
    assert cells(reading, "period_end") == ["2014-03-31", "2015-03-31"] * 4
    assert cells(reading, "completed")[:4] == ["1100", "2100", "1200", "2200"]
    assert cells(reading, "digital_completed")[:4] == ["51", None, "52", None]
    assert not reading.tables[0].unreadable


def test_euros_in_every_row_give_one_finding_and_not_one_a_cell() -> None:
    reading = spend(HEAD + "".join(f"{day:02}/06/2012,Acme Ltd,T{day},€{day}.00,Repairs\n" for day in DAYS))
    assert codes(reading) == {"amount-not-in-pounds"}
    assert len(reading.tables[0].unreadable["net_amount"]) == 20


def test_pounds_saved_again_as_central_european_text_are_pounds() -> None:
    reading = spend(HEAD + "".join(f'{day:02}/06/2012,Łódź Ltd,T{day},"Ł{day},000.50",Repairs\n' for day in DAYS))
    assert cells(reading, "net_amount")[0] == "1000.50"
    assert cells(reading, "supplier_name")[0] == "Łódź Ltd"
    assert codes(reading) == {"letters-mended"}


def test_contract_values_of_zero_beside_an_estimate_are_reported() -> None:
    dataset, _ = assets.find_dataset("contracts")
    head = "Contract reference,Title,Supplier,Start date,End date,Value at tender,Value at award\n"
    lines = "".join(f"C{n},Repairs,Acme Ltd,2021-04-01,2025-03-31,{n}000,£0.00\n" for n in range(1, 6))
    reading = read((head + lines).encode(), "x.csv", assets.datasets(), dataset=dataset)
    assert "amounts-nearly-all-nought" in codes(reading)
    reading = read((head + lines.replace("£0.00", "7.00")).encode(), "x.csv", assets.datasets(), dataset=dataset)
    assert "amounts-nearly-all-nought" not in codes(reading)


def test_the_finding_for_a_table_without_rows_explains_nil_returns() -> None:
    (finding,) = [finding for finding in spend(HEAD).findings if finding.code == "no-records"]
    assert "Nil return" in finding.fix
    assert spend(HEAD + "Nil return,,,,\n").what == "nil_return"


def test_the_month_in_the_files_name_says_which_number_is_the_day() -> None:
    text = HEAD + "".join(f"01/{day:02}/2020,Acme Ltd,T{day},{day}.00,Repairs\n" for day in range(3, 8))
    assert cells(spend(text, "spend-january-2020.csv"), "payment_date")[0] == "2020-01-03"
    reading = spend(text)
    assert cells(reading, "payment_date")[0] == "2020-03-01"
    assert codes(reading) == {"dates-order-doubtful"}


@pytest.mark.parametrize(
    ("cell", "field"),
    [
        ("£125,000 - £129,999", "salary_band"),
        ("£100,000 to £104,999", "salary_band"),
        ("150-155", "salary_band"),
        ("125000", "salary"),
    ],
)
@pytest.mark.parametrize("heading", ["Salary amount", "Salary", "Annual salary"])
def test_a_column_of_ranges_under_a_heading_of_a_salary_is_a_band(cell: str, field: str, heading: str) -> None:
    dataset, _ = assets.find_dataset("roles")
    text = (
        f"Job title,Grade,FTE,{heading}\n"
        + f'Director,SCS1,1.0,"{cell}"\n' * 3
        + "Clerk,AO,1.0,Vacant\n" * (cell == "125000")
    )
    reading = read(text.encode(), "x.csv", assets.datasets(), dataset=dataset)
    assert cells(reading, field)[0] == cell
    assert {"salary", "salary_band"} & {*reading.tables[0].columns} == {field}
