"""Do what the report of an injured real file says, and nothing else: the file is accepted, with its true totals.

An injury changes the records of a real file in memory. The officer has the ledger, and corrects only the cells, rows,
columns and sheets that the findings name, in the way that their `fix` says.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from xlsxwriter.utility import xl_cell_to_rowcol

from piperoll import assets
from piperoll.checking.check_file import FileToCheck, check_file
from piperoll.checking.totals import exact_sum
from piperoll.model import Finding, Report, Severity

REAL = Path(os.environ.get("REALDATA", Path(__file__).parents[3] / "shared" / "realdata"))
TRUTH = json.loads((REAL / "truth.json").read_text("utf-8")) if REAL.exists() else {}
ROUNDS = 2
pytestmark = pytest.mark.real


@dataclass
class Ledger:
    """The records of a real file as they are before the injury, and what is true of them."""

    name: str
    cells: list[list[str]]
    header: int
    columns: Mapping[str, int]
    records: range
    rows: int
    pounds: Decimal

    def amount(self, row: int) -> Decimal:
        """The amount of a record in pounds."""
        text = self.cells[row][self.columns["net_amount"]].strip()
        size = Decimal(re.sub(r"[^0-9.]", "", text))
        return -size if text.startswith(("(", "-")) else size


@dataclass
class Workbook:
    """The file that the officer edits. `rows` and `columns` say which of the ledger each holds, None for none."""

    ledger: Ledger
    name: str
    cells: list[list[str]]
    rows: list[int | None]
    columns: list[int | None]
    sheets: dict[str, list[list[Any]]] = field(default_factory=dict)
    encodings: tuple[str, ...] = ("utf-8",)
    dataset: str | None = None

    @property
    def header(self) -> int:
        """The row of the headings, counted from 0."""
        return self.rows.index(self.ledger.header)

    def column(self, name: str) -> int:
        """The column that holds a field, counted from 0."""
        return self.columns.index(self.ledger.columns[name])

    def records(self) -> list[int]:
        """The rows of records, counted from 0."""
        return [row for row, origin in enumerate(self.rows) if origin is not None and origin in self.ledger.records]

    def true_row(self, row: int) -> list[str]:
        """What the ledger has for a row, in the order of the columns."""
        origin = self.rows[row]
        assert origin is not None
        ledger = self.ledger.cells[origin]
        return ["" if column is None or column >= len(ledger) else ledger[column] for column in self.columns]

    def content(self) -> bytes:
        """The file as it is sent: CSV, or XLSX if it has other sheets."""
        if self.sheets:
            return _workbook({"Payments": self.cells, **self.sheets})
        lines = [_line(cells) for cells in self.cells]
        return b"".join(line.encode(self.encodings[at % len(self.encodings)]) for at, line in enumerate(lines))


def _line(cells: list[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def _workbook(sheets: Mapping[str, list[list[Any]]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for row, cells in enumerate(rows):
            sheet.write_row(row, 0, cells)
    book.close()
    return buffer.getvalue()


def ledgers() -> list[Ledger]:
    """The real files that can be injured: spending as CSV, 15 to 1,300 records one below another."""
    return [
        _ledger(path, truth, truth["tables"][0])
        for path, truth in TRUTH.items()
        if (truth["kind"], truth["format"], truth["what"]) == ("spend", "csv", "data")
        and _is_plain(truth["tables"][0])
    ]


def _is_plain(table: Mapping[str, Any]) -> bool:
    return (
        15 <= table["data_rows"] <= 1300
        and table["last_data_row"] - table["first_data_row"] + 1 == table["data_rows"]
        and table["header_row"] is not None
        and table["header_row"] == table["first_data_row"] - 1
        and not table["amount_unreadable"]
        and {"net_amount", "supplier_name", "payment_date", "transaction_number", "expense_type"}
        <= table["column_index"].keys()
    )


def _ledger(path: str, truth: Mapping[str, Any], table: Mapping[str, Any]) -> Ledger:
    text = (REAL / path).read_bytes().decode(truth["encoding"])
    cells = list(csv.reader(io.StringIO(text, newline=""), delimiter=truth["delimiter"]))[: table["last_data_row"]]
    header = table["header_row"] - 1
    width = max(at for at, heading in enumerate(cells[header]) if heading.strip()) + 1
    return Ledger(
        Path(path).name,
        [(row + [""] * width)[:width] for row in cells],
        header,
        table["column_index"],
        range(header + 1, table["last_data_row"]),
        table["data_rows"],
        Decimal(table.get("amount_total_exact") or Decimal(table["amount_total_pence"]) / 100),
    )


# Injuries: each changes the workbook in the way that its name says.


def cells_of_rows_shifted(book: Workbook, _: random.Random) -> None:
    at = book.column("supplier_name")
    for row in book.records()[-len(book.records()) // 4 :]:
        book.cells[row].insert(at, "")


def heading_missing_in_mid_row(book: Workbook, _: random.Random) -> None:
    headings = book.cells[book.header]
    del headings[book.column("expense_type")]
    headings.append("")


def headings_of_supplier_and_expense_type_exchanged(book: Workbook, _: random.Random) -> None:
    _exchange(book, book.column("supplier_name"), book.column("expense_type"))


def headings_of_amount_and_transaction_exchanged(book: Workbook, _: random.Random) -> None:
    _exchange(book, book.column("net_amount"), book.column("transaction_number"))


def _exchange(book: Workbook, one: int, other: int) -> None:
    headings = book.cells[book.header]
    headings[one], headings[other] = headings[other], headings[one]


def some_amounts_in_thousands_with_a_suffix(book: Workbook, chance: random.Random) -> None:
    at = book.column("net_amount")
    for row in chance.sample(book.records(), len(book.records()) // 8 + 1):
        book.cells[row][at] = f"{_amount(book, row) / 1000:.1f}k"


def all_amounts_in_thousands_with_a_suffix(book: Workbook, _: random.Random) -> None:
    for row in book.records():
        book.cells[row][book.column("net_amount")] = f"{_amount(book, row) / 1000:.1f}k"


def _amount(book: Workbook, row: int) -> Decimal:
    origin = book.rows[row]
    assert origin is not None
    return book.ledger.amount(origin)


def credits_said_in_a_column_beside(book: Workbook, _: random.Random) -> None:
    at = book.column("net_amount")
    for row in book.records():
        amount = _amount(book, row)
        book.cells[row][at] = f"{abs(amount)}"
        book.cells[row].append("CR" if amount < 0 else "DR")
    _add_column(book, "DR/CR")


def _add_column(book: Workbook, heading: str) -> None:
    book.cells[book.header].append(heading)
    book.columns.append(None)
    for cells in book.cells:
        cells.extend([""] * (len(book.columns) - len(cells)))


def amounts_with_spaces(book: Workbook, _: random.Random) -> None:
    for row in book.records():
        book.cells[row][book.column("net_amount")] = f"£ {_amount(book, row):,}".replace(",", " ")


def some_amounts_with_a_comma_for_the_point(book: Workbook, chance: random.Random) -> None:
    for row in chance.sample(book.records(), len(book.records()) // 8 + 1):
        amount = f"{_amount(book, row):,.2f}"
        book.cells[row][book.column("net_amount")] = amount.translate(str.maketrans(",.", ".,"))


def _dates(book: Workbook, form: str) -> None:
    period = _period(book)
    for place, row in enumerate(book.records()):
        day = date(*period, place % 12 + 1)
        assert (origin := book.rows[row]) is not None
        book.ledger.cells[origin][book.ledger.columns["payment_date"]] = f"{day:%d/%m/%Y}"
        book.cells[row][book.column("payment_date")] = f"{day:{form}}"


def _period(book: Workbook) -> tuple[int, int]:
    content = book.content()
    year, month = (check_file(FileToCheck(content, book.ledger.name)).period or "").split("-")
    return int(year), int(month)


def dates_month_first_and_no_period_in_the_name(book: Workbook, _: random.Random) -> None:
    _dates(book, "%m/%d/%Y")
    book.name = "payments.csv"


def dates_without_a_year(book: Workbook, _: random.Random) -> None:
    _dates(book, "%d %B")
    book.name = "payments.csv"


def dates_removed(book: Workbook, _: random.Random) -> None:
    _remove(book, book.column("payment_date"))


def suppliers_removed(book: Workbook, _: random.Random) -> None:
    _remove(book, book.column("supplier_name"))


def amounts_removed(book: Workbook, _: random.Random) -> None:
    _remove(book, book.column("net_amount"))


def _remove(book: Workbook, at: int) -> None:
    del book.columns[at]
    for cells in book.cells:
        del cells[at]


def headings_replaced_by_numbers(book: Workbook, _: random.Random) -> None:
    book.cells[book.header] = [str(at + 1) for at in range(len(book.columns))]


def rows_cut_above_a_total(book: Workbook, _: random.Random) -> None:
    total = ["" for _ in book.columns]
    total[0], total[book.column("net_amount")] = "Total", f"{book.ledger.pounds}"
    _cut(book, book.records()[-10:])
    book.cells.append(total)
    book.rows.append(None)


def _cut(book: Workbook, rows: list[int]) -> None:
    for row in reversed(rows):
        del book.cells[row], book.rows[row]


def suppliers_blank(book: Workbook, _: random.Random) -> None:
    for row in book.records():
        book.cells[row][book.column("supplier_name")] = ""


def suppliers_redacted(book: Workbook, _: random.Random) -> None:
    for row in book.records():
        book.cells[row][book.column("supplier_name")] = "REDACTED"


def encodings_mixed(book: Workbook, chance: random.Random) -> None:
    for row in book.records():
        at = book.column("net_amount")
        book.cells[row][at] = f"£{book.cells[row][at].strip().lstrip('£')}"
    book.encodings = ("utf-8", "cp1252", "utf-8")


def headings_repeated_in_the_middle(book: Workbook, _: random.Random) -> None:
    middle = book.records()[len(book.records()) // 2]
    book.cells.insert(middle, list(book.cells[book.header]))
    book.rows.insert(middle, None)


def notes_in_a_second_sheet(book: Workbook, _: random.Random) -> None:
    rows = [["Note", "Raised", "Checked by finance", "Figure"]]
    rows += [[f"Query {at}", book.true_row(row)[book.column("payment_date")], "Yes", float(_amount(book, row)) / 2]
             for at, row in enumerate(book.records()[:12])]
    book.sheets["Notes"] = rows
    book.name = Path(book.name).stem + ".xlsx"


def workings_in_a_second_sheet(book: Workbook, _: random.Random) -> None:
    book.sheets["Workings"] = [book.cells[book.header], *(book.cells[row] for row in book.records()[:12])]
    book.name = Path(book.name).stem + ".xlsx"


def two_columns_of_amounts_with_one_heading(book: Workbook, _: random.Random) -> None:
    at = book.column("net_amount")
    heading = book.cells[book.header][at]
    for row, cells in enumerate(book.cells):
        cells.insert(at, f"{_amount(book, row) * Decimal('1.2'):.2f}" if row in book.records() else "")
    book.columns.insert(at, None)
    book.cells[book.header][at] = heading


def gross_amounts_beside(book: Workbook, _: random.Random) -> None:
    two_columns_of_amounts_with_one_heading(book, _)
    at = book.column("net_amount")
    book.cells[book.header][at - 1 : at + 1] = ["Total", "Value"]


INJURIES: tuple[Callable[[Workbook, random.Random], None], ...] = (
    cells_of_rows_shifted,
    heading_missing_in_mid_row,
    headings_of_supplier_and_expense_type_exchanged,
    headings_of_amount_and_transaction_exchanged,
    some_amounts_in_thousands_with_a_suffix,
    all_amounts_in_thousands_with_a_suffix,
    credits_said_in_a_column_beside,
    amounts_with_spaces,
    some_amounts_with_a_comma_for_the_point,
    dates_month_first_and_no_period_in_the_name,
    dates_without_a_year,
    dates_removed,
    suppliers_removed,
    amounts_removed,
    headings_replaced_by_numbers,
    rows_cut_above_a_total,
    suppliers_blank,
    suppliers_redacted,
    encodings_mixed,
    headings_repeated_in_the_middle,
    notes_in_a_second_sheet,
    workings_in_a_second_sheet,
    two_columns_of_amounts_with_one_heading,
    gross_amounts_beside,
)


def injured(ledger: Ledger, injury: Callable[[Workbook, random.Random], None]) -> Workbook:
    """The file with one injury, always the same."""
    ledger = replace(ledger, cells=[list(row) for row in ledger.cells])
    cells = [list(row) for row in ledger.cells]
    book = Workbook(ledger, ledger.name, cells, [*range(len(cells))], [*range(len(cells[0]))])
    injury(book, random.Random(injury.__name__))
    return book


# The officer: what the `fix` of each finding asks for, done at the address of the finding and nowhere else.


def put_headings_above_their_cells(book: Workbook, finding: Finding) -> None:
    """If the finding names rows, move their cells; otherwise, write the headings that the columns have."""
    if finding.row is not None:
        for row in _rows(finding):
            book.cells[row] = book.true_row(row)
    else:
        book.cells[book.header] = [
            heading or book.cells[book.header][at] * (book.columns[at] is None)
            for at, heading in enumerate(book.true_row(book.header))
        ]


def _rows(finding: Finding) -> list[int]:
    assert finding.row is not None
    rows = finding.rows or range(finding.row, finding.row + finding.count)
    return [row - 1 for row in rows]


def _column(finding: Finding) -> int:
    assert finding.column is not None
    return int(xl_cell_to_rowcol(f"{finding.column}1")[1])


def exchange_the_heading_with_its_own(book: Workbook, finding: Finding) -> None:
    """Put the heading of the column above its own cells, and the heading of its cells above them."""
    headings, at = book.cells[book.header], _column(finding)
    own = book.true_row(book.header)
    if headings[at] == own[at]:
        return
    headings[own.index(headings[at])], headings[at] = headings[at], own[at]


def correct_the_cells(book: Workbook, finding: Finding) -> None:
    """Write the cells that are named as the ledger has them: one, those of some rows or of the whole column."""
    at = _column(finding)
    for row in _rows(finding) if finding.row is not None else book.records():
        book.cells[row][at] = book.true_row(row)[at]


def put_a_minus_sign_before_each_credit(book: Workbook, finding: Finding) -> None:
    for row in book.records():
        if book.cells[row][_column(finding)] == "CR":
            at = book.column("net_amount")
            book.cells[row][at] = f"-{book.cells[row][at]}"


def put_back_the_rows_that_are_missing(book: Workbook, _: Finding) -> None:
    for origin in book.ledger.records:
        if origin not in book.rows:
            at = book.records()[-1] + 1
            book.rows.insert(at, origin)
            book.cells.insert(at, [])
            book.cells[at] = book.true_row(at)


def give_the_missing_column(book: Workbook, finding: Finding) -> None:
    """Give the column of the ledger its heading; add it first if the file has none."""
    headings = book.true_row(book.header)
    for origin, heading in enumerate(book.ledger.cells[book.ledger.header]):
        if origin not in book.columns:
            book.columns.append(origin)
            for row, cells in enumerate(book.cells):
                cells.append(book.true_row(row)[-1] if book.rows[row] is not None else "")


def put_headings_above_the_data(book: Workbook, _: Finding) -> None:
    """Put a row of headings above the data, and leave what else is there."""
    if book.cells[book.header] != book.true_row(book.header):
        headings = book.true_row(book.header)
        at = book.header
        book.rows[at] = None
        book.rows.insert(at, book.ledger.header)
        book.cells.insert(at, headings)


def send_to_the_dataset(book: Workbook, _: Finding) -> None:
    book.dataset = "spend"


def delete_the_sheet(book: Workbook, finding: Finding) -> None:
    assert finding.sheet is not None
    book.sheets.pop(finding.sheet, None)


def save_as_utf_8(book: Workbook, _: Finding) -> None:
    book.encodings = ("utf-8",)


def name_the_right_amount(book: Workbook, finding: Finding) -> None:
    headings, amount = book.cells[book.header], book.column("net_amount")
    other = amount - 1
    headings[amount], headings[other] = "Amount", "Amount with VAT"


def put_the_month_in_the_name(book: Workbook, _: Finding) -> None:
    book.name = book.ledger.name


FIXES: Mapping[str, Callable[[Workbook, Finding], None]] = {
    "columns-perhaps-shifted": put_headings_above_their_cells,
    "columns-shifted": put_headings_above_their_cells,
    "columns-perhaps-exchanged": exchange_the_heading_with_its_own,
    "column-contradicts-heading": exchange_the_heading_with_its_own,
    "column-unlike-heading": exchange_the_heading_with_its_own,
    "amount-unreadable": correct_the_cells,
    "amounts-rounded": correct_the_cells,
    "amounts-decimal-comma": correct_the_cells,
    "date-unreadable": correct_the_cells,
    "cells-missing": correct_the_cells,
    "dates-month-first": correct_the_cells,
    "dates-order-doubtful": correct_the_cells,
    "dates-order-undecided": correct_the_cells,
    "structure-constraint-error": correct_the_cells,
    "amount-sign-beside": put_a_minus_sign_before_each_credit,
    "amount-signs-applied": put_a_minus_sign_before_each_credit,
    "total-does-not-add-up": put_back_the_rows_that_are_missing,
    "core-missing": give_the_missing_column,
    "column-not-found": give_the_missing_column,
    "duty-column-absent": give_the_missing_column,
    "headings-missing": put_headings_above_the_data,
    "headings-unknown": put_headings_above_the_data,
    "no-headings": put_headings_above_the_data,
    "column-guessed": put_headings_above_the_data,
    "dataset-guessed": send_to_the_dataset,
    "sheet-without-table": delete_the_sheet,
    "table-repeats-another": delete_the_sheet,
    "encoding-mixed": save_as_utf_8,
    "amount-column-doubtful": name_the_right_amount,
    "period-unknown": put_the_month_in_the_name,
}


def follow(book: Workbook, report: Report) -> list[str]:
    """Do what the errors and warnings ask for, in their order, from the last row up; the codes for which it is known."""
    done = []
    for finding in sorted(report.findings, key=lambda finding: -(finding.row or 0)):
        if finding.severity != Severity.INFO and finding.code in FIXES:
            FIXES[finding.code](book, finding)
            done.append(finding.code)
    return done


def check(book: Workbook) -> Report:
    return check_file(FileToCheck(book.content(), book.name, dataset=book.dataset))


def outcome(report: Report) -> dict[str, Any]:
    """What was read and published: rows, pounds and the column of each field."""
    tables = report.tables
    return {
        "dataset": report.dataset,
        "publishes": report.verdict.publishes,
        "period": report.period,
        "rows": sum(table.rows.read for table in tables),
        "pounds": exact_sum([table.amount.read for table in tables if table.amount]),
        "published": exact_sum([table.amount.accepted for table in tables if table.amount]),
        "headings": [{k: v for k, v in table.columns.items() if k != "net_amount"} for table in tables],
    }


def converge(book: Workbook) -> list[Report]:
    """The reports of all rounds, until the report asks for nothing that the officer has not done."""
    reports = [check(book)]
    for _ in range(ROUNDS):
        follow(book, reports[-1])
        reports.append(check(book))
    return reports
