"""What was once read wrongly without a word: each test is named after what happened."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
import xlsxwriter

from piperoll import assets
from piperoll.model import Severity, What
from piperoll.reading import Reading, read

HEAD = "Body Name,Payment Date,Supplier,Transaction Number,Amount\n"
ROWS = (
    "Fairshire,13/10/2026,Acme Ltd,T1,100.00\n"
    "Fairshire,14/10/2026,Beta Ltd,T2,200.00\n"
    "Fairshire,15/10/2026,Total Gas & Power,T3,700.00\n"
)


def spend(content: bytes | str, name: str = "file.csv") -> Reading:
    data = content.encode() if isinstance(content, str) else content
    return read(data, name, assets.datasets(), dataset=assets.dataset("spend"))


def cells(reading: Reading, field: str) -> list[str | None]:
    return [cell for batch in reading.tables[0].batches() for cell in batch.column(field).to_pylist()]


def said(reading: Reading) -> dict[str, tuple[int | None, str | None]]:
    """Row and field of the last finding of each code."""
    return {finding.code: (finding.row, finding.field) for finding in reading.findings}


def test_a_column_of_typing_errors_below_its_own_heading_is_still_the_amount() -> None:
    rows = "".join(f"F,{day}/10/2026,Acme Ltd,T{day},1.250.00\n" for day in range(13, 23))
    reading = spend(HEAD + rows)
    assert reading.tables[0].column_letters["net_amount"] == "E"
    assert len(reading.tables[0].unreadable["net_amount"]) == 10
    assert "column-not-found" not in said(reading)


def test_an_unquoted_thousands_separator_does_not_make_one_pound() -> None:
    reading = spend(HEAD + ROWS.replace("200.00", "1,200.00"))
    assert cells(reading, "net_amount") == ["100.00", None, "700.00"]
    assert reading.tables[0].unreadable["net_amount"] == (3,)
    assert said(reading)["row-too-long"] == (3, "net_amount")


def test_a_comma_in_a_name_does_not_make_the_reference_the_amount() -> None:
    reading = spend(HEAD + ROWS.replace("Beta Ltd,T2", "Beta, Ltd,1002"))
    assert cells(reading, "net_amount") == ["100.00", None, "700.00"]
    assert said(reading)["row-too-long"] == (3, "net_amount")


def test_a_comma_in_the_words_after_the_amount_leaves_the_amount_alone() -> None:
    head = "Payment Date,Supplier,Amount,Expense Type\n"
    rows = "13/10/2026,Acme Ltd,5.00,Rent\n14/10/2026,Beta Ltd,6.00,Pens, paper\n15/10/2026,Nut Ltd,7.00,Rent\n"
    reading = spend(head + rows)
    assert cells(reading, "net_amount") == ["5.00", "6.00", "7.00"]
    assert said(reading)["row-too-long"][0] == 3


def test_remarks_beside_the_table_do_not_count_as_cut_rows() -> None:
    rows = ROWS.replace("\n", ",\n").replace("200.00,", "200.00,checked")
    assert "row-too-long" not in said(spend(HEAD.replace("\n", ",\n") + rows))


def test_euros_are_not_read_as_pounds() -> None:
    reading = spend(HEAD.replace("Amount", "Amount (EUR)") + ROWS)
    assert cells(reading, "net_amount") == [None, None, None]
    assert said(reading)["amount-not-in-pounds"] == (None, "net_amount")


@pytest.mark.parametrize("title", ["Figures in £000", "All amounts in thousands", "Spend (£m)"])
def test_a_title_that_says_thousands_holds_amounts_without_pence_and_warns_of_others(title: str) -> None:
    assert said(spend(f"{title},,,,\n" + HEAD + ROWS))["amounts-perhaps-in-thousands"] == (1, "net_amount")
    assert said(spend(HEAD + ROWS + f"\n{title},,,,\n"))["amounts-perhaps-in-thousands"] == (6, "net_amount")
    pence = ROWS.replace("00.00\n", "00.57\n")
    assert said(spend(f"{title},,,,\n" + HEAD + pence))["amount-unit-doubtful"] == (1, "net_amount")


@pytest.mark.parametrize("title", ["Payments over £25k", "Spend over £25,000", "Payments over £500"])
def test_a_title_that_names_a_threshold_does_not_give_the_unit(title: str) -> None:
    found = said(spend(f"{title},,,,\n" + HEAD + ROWS))
    assert not found.keys() & {"amount-unit-doubtful", "amounts-perhaps-in-thousands"}


@pytest.mark.parametrize(
    "heading", ["Amount £000", "Amount £'000s", "Amount 000s", "Amount (£ths)", "Amount (£ x1000)"]
)
def test_thousands_without_brackets_are_thousands(heading: str) -> None:
    reading = spend(HEAD.replace("Amount", heading) + ROWS)
    assert [float(cell or 0) for cell in cells(reading, "net_amount")] == [100_000, 200_000, 700_000]
    assert "amount-scaled" in said(reading)


@pytest.mark.parametrize("label", ["Total,31/10/2026,,,1000.00", "Fairshire,31/10/2026,GRAND TOTAL,,1000.00"])
def test_a_total_with_a_date_is_not_counted_twice(label: str) -> None:
    reading = spend(HEAD + ROWS + label + "\n")
    assert cells(reading, "net_amount") == ["100.00", "200.00", "700.00"]
    assert said(reading)["total-row-left-out"][0] == 5


def test_an_unproved_total_is_reported() -> None:
    reading = spend(HEAD + ROWS + "Fairshire,31/10/2026,TOTAL,T9,1200.00\n")
    assert reading.tables[0].rows == 4
    assert said(reading)["possible-total-rows"] == (5, "supplier_name")
    assert "possible-total-rows" not in said(spend(HEAD + ROWS))


def test_a_reference_that_a_spreadsheet_rounded_is_reported() -> None:
    reading = spend(HEAD + ROWS.replace("T2", "4.72E+21"))
    assert said(reading)["reference-damaged"] == (3, "transaction_number")


def test_the_year_26_is_2026() -> None:
    reading = spend(HEAD + ROWS.replace("14/10/2026", "14/10/0026"))
    assert reading.tables[0].unreadable["payment_date"] == (3,)


@pytest.mark.parametrize("row", ["nil,nil,nil,nil,nil", "Nil,,,,0", "Fairshire,31/10/2026,Nil,,0.00"])
def test_a_nil_return_written_as_a_record_is_not_a_payment(row: str) -> None:
    assert spend(HEAD + row + "\n").what is What.NIL_RETURN


def test_a_payment_to_nil_limited_is_not_a_nil_return() -> None:
    assert spend(HEAD + "Fairshire,31/10/2026,NIL Ltd,T1,0.00\n").what is What.DATA
    assert spend(HEAD + "Fairshire,31/10/2026,nil,T1,5.00\n").what is What.DATA


def test_an_ocds_record_without_a_compiled_release_is_not_lost() -> None:
    releases = [{"ocid": "o-2", "date": f"2026-0{month}-01", "tender": {"title": f"T{month}"}} for month in (2, 1)]
    records = [
        {"ocid": "o-1", "compiledRelease": {"ocid": "o-1", "tender": {"title": "T0"}}},
        {"ocid": "o-2", "releases": releases},
        {"ocid": "o-3", "releases": [{"url": "https://example.org/o-3"}]},
    ]
    reading = read(json.dumps({"records": records}).encode(), "r.json", assets.datasets())
    assert cells(reading, "ocid") == ["o-1", "o-2", "o-3"]
    assert cells(reading, "title") == ["T0", "T2", None]


def test_a_sheet_with_another_layout_is_reported_if_left_out() -> None:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        for name in ("June", "July", "Notes"):
            sheet = book.add_worksheet(name)
            for number, line in enumerate((HEAD + ROWS).splitlines()):
                cells_ = ["Col1", "Col2", "Col3", "Col4", "Col5"] if name == "July" and not number else line.split(",")
                sheet.write_row(number, 0, ["A note"] if name == "Notes" else cells_)
    found = {
        finding.sheet: finding.severity
        for finding in spend(stream.getvalue(), "year.xlsx").findings
        if finding.code == "sheet-without-table"
    }
    assert found == {"July": Severity.WARNING, "Notes": Severity.INFO}


def test_files_that_a_file_manager_adds_to_a_zip_are_ignored() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in (("a.csv", HEAD + ROWS), ("__MACOSX/._a.csv", "x"), (".DS_Store", "y")):
            archive.writestr(name, content)
    assert spend(stream.getvalue(), "a.zip").tables[0].rows == 3


def test_a_councils_department_is_not_a_department_family() -> None:
    head = "Department,Payment Date,Supplier,Transaction Number,Amount\n"
    assert spend(head + ROWS).tables[0].columns["org_unit"] == "Department"
    beside = "Department,Entity,Payment Date,Supplier,Amount\n"
    table = spend(beside + "DfT,DVLA,13/10/2026,Acme Ltd,5.00\n").tables[0]
    assert table.columns["department_family"] == "Department"


def test_headings_that_were_sorted_into_the_middle_lose_no_record() -> None:
    lines = ROWS.splitlines(keepends=True)
    reading = spend("Spend in October,,,,\n" + lines[0] + lines[1] + HEAD + lines[2])
    assert cells(reading, "net_amount") == ["100.00", "200.00", "700.00"]
    assert [row for batch in reading.tables[0].batches() for row in batch["row"].to_pylist()] == [2, 3, 5]
    assert said(reading)["records-above-headings"][0] == 4
    (preamble,) = [finding for finding in reading.findings if finding.code == "preamble-left-out"]
    assert preamble.count == 1


def test_a_table_above_another_is_not_called_its_title() -> None:
    reading = spend(HEAD + ROWS + "\n\nVendor,Invoice Date,Gross\nX Ltd,13/10/2026,55\nY Ltd,14/10/2026,66\n")
    assert [table.rows for table in reading.tables] == [3, 2]
    assert "preamble-left-out" not in said(reading)
