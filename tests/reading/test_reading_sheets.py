"""The sheets of one file together: headings that go on, summaries and copies, sheets of other months."""

from __future__ import annotations

import io
from decimal import Decimal

import xlsxwriter

from piperoll import assets
from piperoll.reading import Reading, read

HEAD = "Entity|Date|Supplier|Transaction Number|Amount"
APRIL = (
    "Fairshire|01/04/2026|Acme Ltd|T1|5.00",
    "Fairshire|02/04/2026|Bolt Ltd|T2|6.00",
    "Fairshire|03/04/2026|Acme Ltd|T3|7.50",
)
MAY = (
    "Fairshire|01/05/2026|Crown plc|T4|1.00",
    "Fairshire|02/05/2026|Crown plc|T5|2.00",
    "Fairshire|05/05/2026|Acme Ltd|T6|3.00",
)


def workbook(sheets: dict[str, tuple[str, ...]], name: str = "spend.xlsx") -> Reading:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    for title, lines in sheets.items():
        sheet = book.add_worksheet(title)
        for row, line in enumerate(lines):
            for column, cell in enumerate(line.split("|")):
                if cell:
                    sheet.write(row, column, float(cell) if cell.replace(".", "").isdigit() else cell)
    book.close()
    return read(buffer.getvalue(), name, assets.datasets(), dataset=assets.dataset("spend"))


def amounts(reading: Reading) -> list[list[Decimal]]:
    batches = [
        [cell for batch in table.batches() for cell in batch.column("net_amount").to_pylist()]
        for table in reading.tables
    ]
    return [[Decimal(cell) for cell in cells] for cells in batches]


def codes(reading: Reading) -> list[str]:
    return [finding.code for finding in reading.findings]


def test_sheets_without_headings_are_read_with_those_of_the_first() -> None:
    reading = workbook({"April": (HEAD, *APRIL), "May": MAY})
    assert [table.rows for table in reading.tables] == [3, 3]
    assert reading.tables[1].column_letters == reading.tables[0].column_letters
    assert "headings-of-another-sheet" in codes(reading)


def test_a_sheet_with_other_columns_is_not_read_with_those_headings() -> None:
    reading = workbook({"April": (HEAD, *APRIL), "Codes": ("1|Acme Ltd|x", "2|Bolt Ltd|y", "3|Crown plc|z")})
    assert [table.sheet for table in reading.tables] == ["April"]
    assert "sheet-without-table" in codes(reading)


def test_a_summary_sheet_is_not_counted_twice() -> None:
    reading = workbook({"Summary": ("Supplier|Amount", "Acme Ltd|12.50", "Bolt Ltd|6.00"), "Detail": (HEAD, *APRIL)})
    assert [table.sheet for table in reading.tables] == ["Detail"]
    assert "table-sums-up-another" in codes(reading)


def test_a_summary_of_several_sheets_is_not_counted_twice() -> None:
    summary = ("Supplier|Amount", "Acme Ltd|15.50", "Bolt Ltd|6.00", "Crown plc|3.00")
    reading = workbook({"April": (HEAD, *APRIL), "May": (HEAD, *MAY), "All": summary})
    assert [table.sheet for table in reading.tables] == ["April", "May"]
    assert "table-sums-up-another" in codes(reading)


def test_a_copy_of_a_sheet_is_left_out_and_reported() -> None:
    reading = workbook({"April": (HEAD, *APRIL), "Copy": (HEAD, *reversed(APRIL))})
    assert [table.sheet for table in reading.tables] == ["April"]
    assert "table-repeats-another" in codes(reading)


def test_a_sheet_that_holds_all_the_others_is_the_only_one_kept() -> None:
    reading = workbook({"April": (HEAD, *APRIL), "May": (HEAD, *MAY), "All": (HEAD, *APRIL, *MAY)})
    assert [table.sheet for table in reading.tables] == ["All"]
    assert codes(reading).count("table-repeats-another") == 2


def test_a_summary_that_does_not_add_up_is_read_and_reported() -> None:
    lines = (HEAD, *APRIL, "", "Top suppliers", "Supplier|Total", "Acme Ltd|99.00")
    reading = workbook({"April": lines})
    assert amounts(reading) == [[Decimal("5.00"), Decimal("6.00"), Decimal("7.50")], [Decimal("99.00")]]
    assert "table-perhaps-summary" in codes(reading)


def test_a_summary_below_the_detail_is_not_counted_twice() -> None:
    reading = workbook({"April": (HEAD, *APRIL, "", "Supplier|Total", "Acme Ltd|12.50", "Bolt Ltd|6.00")})
    assert amounts(reading) == [[Decimal("5.00"), Decimal("6.00"), Decimal("7.50")]]
    assert "table-sums-up-another" in codes(reading)
    assert "table-perhaps-summary" not in codes(reading)


def test_tables_side_by_side_are_both_read_and_reported() -> None:
    lines = ("Supplier|Date|Amount||Supplier|Date|Amount", "Acme|01/04/2026|5.00||Bolt|02/04/2026|6.00")
    reading = workbook({"April": lines})
    assert amounts(reading) == [[Decimal("5.00")], [Decimal("6.00")]]
    assert reading.tables[1].column_letters["net_amount"] == "G"
    assert "tables-side-by-side" in codes(reading)


def test_a_sheet_of_another_month_is_reported() -> None:
    reading = workbook({"May": (HEAD, *MAY), "Sheet2": (HEAD, *APRIL)}, "spend-may-2026.xlsx")
    told = [finding for finding in reading.findings if finding.code == "sheet-of-another-month"]
    assert [finding.sheet for finding in told] == ["Sheet2"]


def test_sheets_of_a_whole_year_are_not_reported() -> None:
    reading = workbook({"Apr": (HEAD, *APRIL), "May": (HEAD, *MAY)}, "spend-2026-27.xlsx")
    assert "sheet-of-another-month" not in codes(reading)
    assert "sheets-of-several-months" in codes(reading)
