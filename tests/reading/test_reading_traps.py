"""Small files, each with one trap found in real files; what is read equals the clean table."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from decimal import Decimal

import pytest
import xlsxwriter

from piperoll import assets
from piperoll.model import What
from piperoll.reading import Reading, read

HEAD = "Department Family,Entity,Date,Expense Type,Expense Area,Supplier,Transaction Number,Amount\r\n"
ROWS = (
    "Fairshire,Fairshire Council,01/04/2026,Printing,Central,Acme Printing Ltd,T001,100.50\r\n"
    "Fairshire,Fairshire Council,13/04/2026,Rent,Estates,Total Gas & Power,T002,200.00\r\n"
    'Fairshire,Fairshire Council,30/04/2026,Rent,Estates,"Bolt, Nut & Co",T003,-50.25\r\n'
)


def spend(content: bytes | str, name: str = "file.csv", **given: object) -> Reading:
    data = content.encode("utf-8") if isinstance(content, str) else content
    return read(data, name, assets.datasets(), dataset=assets.dataset("spend"), **given)


def cells(reading: Reading, field: str, table: int = 0) -> list[str | None]:
    return [cell for batch in reading.tables[table].batches() for cell in batch.column(field).to_pylist()]


def codes(reading: Reading) -> set[str]:
    return {finding.code for finding in reading.findings}


def assert_clean(reading: Reading) -> None:
    assert reading.what is What.DATA
    assert cells(reading, "net_amount") == ["100.50", "200.00", "-50.25"]
    assert cells(reading, "payment_date") == ["2026-04-01", "2026-04-13", "2026-04-30"]
    assert cells(reading, "supplier_name") == ["Acme Printing Ltd", "Total Gas & Power", "Bolt, Nut & Co"]
    assert reading.tables[0].rows == 3


@pytest.mark.parametrize(
    "content",
    [
        (HEAD + ROWS).encode(),
        (HEAD + ROWS).encode("utf-8-sig"),
        (HEAD + ROWS).encode("utf-16"),
        (HEAD + ROWS).encode("utf-16-le"),
        (HEAD + ROWS).replace("\r\n", "\n").encode(),
        (HEAD + ROWS).replace("\r\n", "\r").encode(),
        (HEAD + ROWS).replace(", ", "\0").replace(",", "\t").replace("\0", ", ").encode(),
        (HEAD + ROWS).replace(", ", "\0").replace(",", ";").replace("\0", ", ").encode(),
        gzip.compress((HEAD + ROWS).encode()),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16-no-bom", "lf", "cr", "tabs", "semicolons", "gzip"],
)
def test_the_wrapping_makes_no_difference(content: bytes) -> None:
    assert_clean(spend(content))


def test_a_zip_with_one_member_is_that_member() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.csv", HEAD + ROWS)
    reading = spend(buffer.getvalue(), "spend.xls")
    assert_clean(reading)
    assert (reading.container, reading.member) == ("zip", "inner.csv")


def test_a_workbook_keeps_its_addresses_and_pennies() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    cover, sheet = book.add_worksheet("Cover"), book.add_worksheet("April ")
    cover.write(0, 0, "Spend over £500")
    for column, heading in enumerate(["Supplier", "Date", "Amount"]):
        sheet.write(2, column + 1, heading)
    sheet.write_row(4, 1, ["Acme Ltd", "2026-04-01", 60110413.53999998])
    book.close()
    reading = spend(buffer.getvalue(), "april.xlsx")
    table = reading.tables[0]
    assert (table.sheet, table.header_row, table.column_letters["net_amount"]) == ("April ", 3, "D")
    assert cells(reading, "row") == [5]
    assert cells(reading, "net_amount") == ["60110413.54"]
    assert "sheet-without-table" in codes(reading)


def test_a_far_away_cell_is_rejected_before_memory_is_allocated() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.add_worksheet().write(1048575, 16383, 1)
    book.close()
    reading = spend(buffer.getvalue(), "bomb.xlsx")
    assert reading.what is What.NOT_DATA
    assert codes(reading) == {"workbook-too-large"}


@pytest.mark.parametrize(
    ("content", "why", "code"),
    [
        (b"", "empty", "file-empty"),
        (b"\r\n , \r\n", "empty", "file-empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "html_page", "file-is-html"),
        (b"%PDF-1.7 ...", "pdf", "file-is-pdf"),
        (b"\x89PNG\r\n\x1a\n", "picture", "file-is-picture"),
        (b"PK\x03\x04rubbish", "archive_broken", "archive-broken"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rubbish", "workbook_broken", "workbook-broken"),
        (HEAD.encode(), "pro_forma", "no-records"),
        (b"some words\nand others, here\n", "no_table", "no-headings"),
    ],
)
def test_a_file_without_a_table_is_named_for_what_it_is(content: bytes, why: str, code: str) -> None:
    reading = spend(content)
    assert (reading.what, reading.why) == (What.NOT_DATA, why)
    assert code in codes(reading)


@pytest.mark.parametrize("word", ["Nil", "nil return", "No transactions this month", "There was no spend in May"])
@pytest.mark.parametrize("column", [0, 5])
def test_a_nil_return_in_any_column(word: str, column: int) -> None:
    reading = spend(HEAD + "," * column + word + "," * (7 - column) + "\r\n")
    assert reading.what is What.NIL_RETURN


def test_preambles_blank_rows_and_line_breaks_leave_addresses_right() -> None:
    reading = spend('Spend report,,\r\n\r\n"of\r\nFairshire",,\r\n' + HEAD + ",,,,,,,\r\n" + ROWS)
    assert_clean(reading)
    table = reading.tables[0]
    assert (table.header_row, table.header_line) == (4, 5)
    assert cells(reading, "row") == [6, 7, 8]
    assert cells(reading, "line") == [7, 8, 9]
    assert table.excluded == {"blank": 1}


def test_headings_at_the_end() -> None:
    reading = spend(ROWS + HEAD)
    assert_clean(reading)
    assert reading.tables[0].header_row == 4
    assert "headings-at-end" in codes(reading)


def test_headings_in_two_rows() -> None:
    reading = spend(
        "Supplier,Payment,Net\r\nname,date,amount\r\nAcme Ltd,01/04/2026,5.00\r\nBolt Ltd,02/04/2026,6.00\r\n"
    )
    assert reading.tables[0].header_row == 2
    assert cells(reading, "net_amount") == ["5.00", "6.00"]


def test_no_headings_at_all_is_reported() -> None:
    reading = spend(ROWS + ROWS.replace("T00", "T01"))
    assert cells(reading, "net_amount")[:3] == ["100.50", "200.00", "-50.25"]
    assert cells(reading, "supplier_name")[0] == "Acme Printing Ltd"
    assert "headings-missing" in codes(reading)
    assert reading.tables[0].header_row == 0


def test_repeated_headings_notes_and_residue_are_not_records() -> None:
    more = "Fairshire,Fairshire Council,,,,,,\r\n* includes irrecoverable VAT,,,,,,,\r\n"
    reading = spend(HEAD + ROWS + HEAD + more)
    assert_clean(reading)
    assert reading.tables[0].excluded == {"repeated_header": 1, "other": 1, "note": 1}


@pytest.mark.parametrize("label", ["", "Total", "Grand total"])
def test_a_total_is_proved_by_arithmetic(label: str) -> None:
    reading = spend(HEAD + ROWS + f"{label},,,,,,,250.25\r\n")
    assert_clean(reading)
    (row,) = reading.tables[0].excluded_rows
    assert (row.row, row.kind, row.amount) == (5, "total", Decimal("250.25"))


def test_a_total_that_does_not_add_up_is_reported() -> None:
    reading = spend(HEAD + ROWS + "Total,,,,,,,999.00\r\n")
    assert_clean(reading)
    assert "total-does-not-add-up" in codes(reading)


def test_a_row_with_an_amount_alone_that_adds_up_to_nothing_is_kept() -> None:
    assert spend(HEAD + ROWS + ",,,,,Acme Ltd,,77.00\r\n").tables[0].rows == 4


def test_new_headings_in_the_middle_move_the_columns() -> None:
    second = "Entity,Date,Supplier,Amount,Expense Type,Expense Area,Transaction Number,Department Family\r\n"
    row = "Fairshire Council,01/05/2026,Acme Printing Ltd,7.00,Printing,Central,T009,Fairshire\r\n"
    reading = spend(HEAD + ROWS + second + row)
    assert cells(reading, "net_amount") == ["100.50", "200.00", "-50.25", "7.00"]
    assert cells(reading, "supplier_name")[-1] == "Acme Printing Ltd"
    assert "headings-changed" in codes(reading)


def test_data_one_column_off_their_headings() -> None:
    body = "".join(
        f"Fairshire,Fairshire Council,{day:02}/04/2026,Printing,Acme Printing {day} Ltd,T{day:03},{day}.50\r\n"
        for day in range(1, 21)
    )
    reading = spend(HEAD + body)
    assert cells(reading, "net_amount")[:2] == ["1.50", "2.50"]
    assert cells(reading, "supplier_name")[0] == "Acme Printing 1 Ltd"
    assert reading.tables[0].columns["net_amount"] == "Amount"
    assert reading.tables[0].column_letters["net_amount"] == "G"
    assert "columns-perhaps-shifted" in codes(reading)  # the cells do not show whether the type or the area is missing


def test_an_empty_column_loses_to_a_filled_one_of_the_same_heading() -> None:
    reading = spend("Supplier,Date,Amount ,Amount\r\nAcme Ltd,01/04/2026,,5.00\r\nBolt Ltd,02/04/2026,,6.00\r\n")
    assert reading.tables[0].column_letters["net_amount"] == "D"


def test_net_is_preferred_to_gross_and_gross_alone_is_reported() -> None:
    both = spend("Supplier,Date,Gross Amount,Net Amount\r\nAcme Ltd,01/04/2026,6.00,5.00\r\n")
    assert cells(both, "net_amount") == ["5.00"]
    alone = spend("Supplier,Date,Gross Amount\r\nAcme Ltd,01/04/2026,6.00\r\n")
    assert "amount-gross-used" in codes(alone)


def test_misspelt_headings() -> None:
    reading = spend(HEAD.replace("Supplier", "Suplier").replace("Transaction Number", "Transation Number") + ROWS)
    assert_clean(reading)
    assert cells(reading, "transaction_number") == ["T001", "T002", "T003"]


def test_unreadable_and_missing_amounts_are_distinguished() -> None:
    reading = spend(HEAD + ROWS.replace("200.00", "#REF!").replace("-50.25", "n/a"))
    assert cells(reading, "net_amount") == ["100.50", None, None]
    assert reading.tables[0].unreadable == {"net_amount": (3,)}
    (finding,) = [finding for finding in reading.findings if finding.code == "amount-unreadable"]
    assert (finding.row, finding.column, finding.field, finding.value) == (3, "H", "net_amount", "#REF!")


def test_month_first_dates_by_the_evidence_of_the_column() -> None:
    reading = spend("Supplier,Date,Amount\r\nAcme Ltd,4/30/2026,1.00\r\nBolt Ltd,4/1/2026,2.00\r\n")
    assert cells(reading, "payment_date") == ["2026-04-30", "2026-04-01"]
    assert cells(reading, "payment_date:sent") == ["4/30/2026", "4/1/2026"]


@pytest.mark.parametrize(("encoding", "sign"), [("cp1252", b"\xa3"), ("cp850", b"\x9c"), ("mac_roman", b"\xa3")])
def test_the_pound_sign_and_accents_decide_between_code_pages(encoding: str, sign: bytes) -> None:
    text = (HEAD + ROWS).replace("Acme Printing Ltd", "Café Façade Ltd").replace("100.50", '"£1,000.50"')
    reading = spend(text.encode(encoding))
    assert sign in text.encode(encoding)
    assert cells(reading, "supplier_name")[0] == "Café Façade Ltd"
    assert cells(reading, "net_amount")[0] == "1000.50"
    assert reading.encoding == encoding


def test_an_unclosed_quotation_mark_loses_no_rows() -> None:
    reading = spend(HEAD + ROWS.replace("Acme Printing Ltd", '"Acme Printing Ltd'))
    assert cells(reading, "net_amount") == ["100.50", "200.00", "-50.25"]
    assert "quotes-broken" in codes(reading)


def test_records_of_json_are_a_table() -> None:
    reading = spend(json.dumps([{"Supplier": "Acme Ltd", "Date": "2026-04-01", "Amount": 0.1}]), "x.json")
    assert cells(reading, "net_amount") == ["0.1"]
    assert cells(reading, "row") == [1]


def test_an_ocds_package_gives_a_line_for_each_award() -> None:
    release = {
        "ocid": "ocds-1",
        "tag": ["award"],
        "tender": {"title": "Boats"},
        "awards": [
            {"suppliers": [{"name": "Acme Ltd"}], "value": {"amount": 10.10}},
            {"suppliers": [{"name": "Bolt Ltd"}, {"name": "Nut Ltd"}], "value": {"amount": 20}},
        ],
    }
    reading = read(json.dumps({"releases": [release]}).encode(), "r.json", assets.datasets())
    assert reading.dataset is not None
    assert reading.dataset.name == "contracts"
    assert reading.tables[0].rows == 1
    assert cells(reading, "row") == [1, 1]
    assert cells(reading, "original_value") == ["10.1", "20"]
    assert cells(reading, "supplier_name") == ["Acme Ltd", "Bolt Ltd; Nut Ltd"]
    empty = read(b'{"releases": []}', "r.json", assets.datasets())
    assert empty.what is What.NIL_RETURN


def test_a_wide_table_is_turned_into_lines_that_share_their_row() -> None:
    head = "Department,Agency/body,Name of service,2015-Q2 Vol.,2015-Q3 Vol.,2015-Q3 CPT (£)\n"
    text = head + "D,B,Passports,10,20,1.5\nD,B,Visas,,,\n"
    reading = read(text.encode(), "t.csv", assets.datasets())
    assert reading.dataset is not None
    assert reading.dataset.name == "transactions"
    assert cells(reading, "row") == [2, 2, 3]
    assert cells(reading, "completed") == ["10", "20", None]
    assert cells(reading, "period_end") == ["2015-06-30", "2015-09-30", "2015-09-30"]
    assert reading.tables[0].columns["completed"] == "2015-Q3 Vol."
    assert reading.tables[0].column_letters["completed"] == "E"


def test_the_dataset_is_recognised_by_its_headings() -> None:
    assert read((HEAD + ROWS).encode(), "x", assets.datasets()).dataset == assets.dataset("spend")


def test_the_card_part_is_reported_by_the_name_but_not_for_a_list_over_25k() -> None:
    assert spend(HEAD + ROWS, "GPC_April_2026.csv").part == "card"
    assert spend(HEAD + ROWS, "GPC_25K_April_2026.csv").part is None


def test_a_missing_core_column_names_the_expected_headings() -> None:
    reading = spend("Supplier,Date,Reference\r\nAcme Ltd,01/04/2026,T1\r\nBolt Ltd,02/04/2026,T2\r\n")
    (finding,) = [finding for finding in reading.findings if finding.code == "column-not-found"]
    assert finding.field == "net_amount"
    assert "We looked for" in finding.message


def test_a_code_in_capitals_is_the_code() -> None:
    head = "Supplier,Payment Date,Amount,CardTransaction\r\n"
    text = head + "Acme Ltd,01/10/2026,5.00,GPC\r\nBeta Ltd,02/10/2026,6.00,Visa\r\n"
    table = read(text.encode(), "cards.csv", assets.datasets(), dataset=assets.dataset("spend")).tables[0]
    assert [cell for batch in table.batches() for cell in batch["card"].to_pylist()] == ["gpc", "Visa"]


def test_one_typing_error_in_a_short_file_does_not_shift_the_columns() -> None:
    head = "Supplier,Payment Date,Amount,Transaction Number\r\n"
    for rows in (
        "Acme Ltd,01/10/2026,1.250.00,1001\r\n",
        "Acme Ltd,01/10/2026,x,1001\r\nBeta Ltd,02/10/2026,6.00,1002\r\n",
    ):
        reading = read((head + rows).encode(), "spend.csv", assets.datasets(), dataset=assets.dataset("spend"))
        assert reading.tables[0].column_letters["net_amount"] == "C"
        assert reading.tables[0].unreadable["net_amount"] == (2,)
