"""What a workbook contains besides its values: hidden, merged and erroneous cells; and its types of cells."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Callable

import openpyxl
import pytest
import xlsxwriter
from damage import seeds

from piperoll import assets
from piperoll.checking.check_file import FileToCheck, check_file
from piperoll.model import Finding, What
from piperoll.reading import Reading, read

HEADINGS = ("Supplier", "Date", "Amount", "Expense Type")
ROWS = tuple((f"Acme {number} Ltd", f"2026-04-0{number}", 100.5 + number, "Rent") for number in range(1, 7))


def spend(content: bytes) -> Reading:
    return read(content, "april.xlsx", assets.datasets(), dataset=assets.dataset("spend"))


def book(change: Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], None], **options: object) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, **options}) as workbook:
        sheet = workbook.add_worksheet("April & May")
        for number, row in enumerate((HEADINGS, *ROWS)):
            sheet.write_row(number, 0, row)
        change(workbook, sheet)
    return buffer.getvalue()


def only_finding(reading: Reading, code: str) -> Finding:
    [finding] = [finding for finding in reading.findings if finding.code == code]
    assert finding.sheet == "April & May"
    return finding


def amounts(reading: Reading) -> list[str | None]:
    return [
        cell for table in reading.tables for batch in table.batches() for cell in batch.column("net_amount").to_pylist()
    ]


def test_a_plain_workbook_has_nothing_to_report() -> None:
    assert spend(book(lambda *_: None)).findings == ()


def test_hidden_rows_and_columns_are_read_and_reported() -> None:
    def hide(_book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.set_row(3, None, None, {"hidden": True})
        sheet.set_row(4, None, None, {"hidden": True})
        sheet.set_column(3, 3, None, None, {"hidden": True})

    reading = spend(book(hide))
    assert len(amounts(reading)) == 6
    assert (only_finding(reading, "rows-hidden").count, "row 4." in only_finding(reading, "rows-hidden").message) == (
        2,
        True,
    )
    assert "column D." in only_finding(reading, "columns-hidden").message


def test_cells_merged_downwards_are_reported_below_the_headings_alone() -> None:
    def merge(_book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.merge_range("D2:D4", "Rent")
        sheet.merge_range("F1:G1", "Notes")

    finding = only_finding(spend(book(merge)), "cells-merged")
    assert (finding.count, "D2:D4" in finding.message) == (1, True)


def test_errors_and_formulas_without_results_are_reported() -> None:
    def write(_book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_formula("C3", "=1/0", None, "#DIV/0!")
        sheet.write_formula("C4", "=1+1", None, 2)
        sheet.write_formula("D4", '=""', None, "")

    reading = spend(book(write))
    assert amounts(reading)[1:3] == [None, "2"]
    assert "cell C3." in only_finding(reading, "cells-in-error").message


def test_a_workbook_whose_formulas_were_never_calculated_is_reported() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(book(lambda *_: None)))
    workbook["April & May"]["C3"] = "=SUM(1,2)"
    workbook["April & May"]["C5"] = "=SUM(1,2)"
    buffer = io.BytesIO()
    workbook.save(buffer)
    finding = only_finding(spend(buffer.getvalue()), "formulas-without-results")
    assert (finding.count, "cell C3." in finding.message) == (2, True)


def _calculated_nowhere(**formulas: str) -> bytes:
    workbook = openpyxl.load_workbook(io.BytesIO(book(lambda *_: None)))
    for cell, formula in formulas.items():
        workbook["April & May"][cell] = formula
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def test_an_amount_that_is_a_formula_without_its_result_is_not_silently_empty() -> None:
    report = check_file(FileToCheck(_calculated_nowhere(C3="=SUM(1,2)"), "April 2026.xlsx", dataset="spend"))
    formulas = next(finding for finding in report.findings if finding.code == "formulas-without-results")
    assert (formulas.row, formulas.count, "paste the formulas as values" in formulas.fix) == (3, 1, True)
    assert sum(table.rows.held for table in report.tables) == 1


def test_a_link_formula_that_is_filled_down_is_counted_in_every_row() -> None:
    content = _calculated_nowhere(D2="=A2")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {info: archive.read(info) for info in archive.infolist()}
    shared = b'<c r="D2" t="str"><f t="shared" ref="D2:D4" si="0">HYPERLINK(A2)</f><v>x</v></c>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for info, part in parts.items():
            archive.writestr(info, re.sub(rb'<c r="D2"[^>]*><f>A2</f><v ?/?>(</v>)?</c>', shared, part))
    finding = only_finding(spend(buffer.getvalue()), "cells-with-links")
    assert (finding.count, finding.rows, "cell D2" in finding.message) == (3, (2, 3, 4), True)


def test_cells_with_links_are_told_with_their_rows() -> None:
    def write(_book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_url("A3", "https://acorn.example/", string="Acorn Ltd")

    finding = only_finding(spend(book(write)), "cells-with-links")
    assert (finding.count, finding.row, finding.rows) == (1, 3, ())


@pytest.mark.parametrize("from_1904", [False, True])
def test_kinds_of_cell(from_1904: bool) -> None:
    def write(workbook: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        day = workbook.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_datetime("B2", datetime.datetime(2026, 4, 1), day)  # noqa: DTZ001 - a sheet knows no zones
        sheet.write_string("C2", "1,234.50")
        sheet.write_boolean("D2", True)

    reading = spend(book(write, date_1904=from_1904))
    [batch] = reading.tables[0].batches()
    assert batch.column("payment_date").to_pylist()[0] == "2026-04-01"
    assert amounts(reading)[0] == "1234.50"


def test_garbled_letters_in_cells_are_repaired_and_reported_by_their_cell() -> None:
    def garble(_book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write("A3", "CafÃ© Royal")
        sheet.write("A4", "â€ Inn")

    reading = spend(book(garble))
    [batch] = reading.tables[0].batches()
    assert batch.column("supplier_name").to_pylist()[1:3] == ["Café Royal", "â€ Inn"]
    assert "in cell A3: we read 'CafÃ©' as 'Café'" in only_finding(reading, "letters-mended").message
    assert "in cell A4" in only_finding(reading, "letters-garbled").message


def test_very_hidden_sheets_are_read_and_reported() -> None:
    def hide(_book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.very_hidden()
        _book.add_worksheet("Cover").activate()

    only_finding(spend(book(hide)), "sheet-hidden")


def test_a_sheet_that_repeats_one_cell_millions_of_times_is_rejected() -> None:
    members = seeds.unzipped(seeds.ods())
    cell = b'<table:table-cell table:number-columns-repeated="16384" '
    members["content.xml"] = members["content.xml"].replace(b"<table:table-cell ", cell)
    row = b'<table:table-row table:number-rows-repeated="1048576">'
    members["content.xml"] = members["content.xml"].replace(b"<table:table-row>", row)
    reading = spend(seeds.zipped(members, plain=["mimetype"]))
    assert reading.what is What.NOT_DATA
    assert reading.findings
