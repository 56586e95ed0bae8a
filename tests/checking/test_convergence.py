"""Do what the report of an injured real file says, and nothing else: the file is accepted, with its true totals.

The officer has the ledger, and corrects only the cells, rows, columns and sheets that the findings name, as
their `fix` says.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from xlsxwriter.utility import xl_cell_to_rowcol

from piperoll.checking.check_file import FileToCheck, check_file
from piperoll.checking.totals import exact_sum
from piperoll.model import Finding, Report, Severity
from tests.checking.injured_files import (
    INJURIES,
    Ledger,
    Workbook,
    credits_said_in_a_column_beside,
    injured,
    ledgers,
)

ROUNDS = 2
pytestmark = pytest.mark.real


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


def fill_in_the_empty_cells(book: Workbook, finding: Finding) -> None:
    at = _column(finding)
    for row in book.records():
        book.cells[row][at] = book.cells[row][at] or book.true_row(row)[at]


def put_back_the_rows_that_are_missing(book: Workbook, _: Finding) -> None:
    for origin in book.ledger.records:
        if origin not in book.rows:
            at = book.records()[-1] + 1
            book.rows.insert(at, origin)
            book.cells.insert(at, [])
            book.cells[at] = book.true_row(at)


def give_the_missing_column(book: Workbook, _: Finding) -> None:
    """Add the columns of the ledger that the file does not have."""
    for origin in range(len(book.ledger.cells[book.ledger.header])):
        if origin not in book.columns:
            book.columns.append(origin)
            for row, cells in enumerate(book.cells):
                cells.append(book.true_row(row)[-1] if book.rows[row] is not None else "")


def put_headings_above_the_data(book: Workbook, _: Finding) -> None:
    """Put a row of headings above the data, and leave what else is there."""
    at, headings = book.header, book.true_row(book.header)
    if book.cells[at] != headings:
        book.rows[at] = None
        book.rows.insert(at, book.ledger.header)
        book.cells.insert(at, headings)


def send_to_the_dataset(book: Workbook, _: Finding) -> None:
    book.dataset = "spend"


def delete_the_sheet(book: Workbook, finding: Finding) -> None:
    assert finding.sheet is not None
    book.sheets.pop(finding.sheet, None)


def correct_the_column_or_its_heading(book: Workbook, finding: Finding) -> None:
    """Put the heading above its own cells; if it is there already, correct the cells."""
    at = _column(finding)
    if book.cells[book.header][at] == book.true_row(book.header)[at]:
        correct_the_cells(book, finding)
    else:
        exchange_the_heading_with_its_own(book, finding)


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
    "column-contradicts-heading": correct_the_column_or_its_heading,
    "column-unlike-heading": exchange_the_heading_with_its_own,
    "amount-unreadable": correct_the_cells,
    "amounts-rounded": correct_the_cells,
    "amounts-decimal-comma": correct_the_cells,
    "date-unreadable": correct_the_cells,
    "cells-missing": fill_in_the_empty_cells,
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
    """Do what the errors and warnings ask for, from the last row up; return their codes."""
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
    """Follow the report of each round; return the reports, the first on the injured file."""
    reports = [check(book)]
    for _ in range(ROUNDS):
        follow(book, reports[-1])
        reports.append(check(book))
    return reports


def _smallest(injury: Callable[[Workbook, random.Random], None]) -> Ledger:
    """A small file that the injury can be done to; the injuries take turns among the files."""
    fit = sorted((ledger for ledger in ledgers() if _can_have(injury, ledger)), key=lambda ledger: ledger.rows)
    return fit[INJURIES.index(injury) % min(_FILES, len(fit))]


def _can_have(injury: Callable[[Workbook, random.Random], None], ledger: Ledger) -> bool:
    return injury is not credits_said_in_a_column_beside or any(ledger.amount(row) < 0 for row in ledger.records)


_FILES = 6
"""How many files take turns, the smallest first."""


@pytest.mark.parametrize("injury", INJURIES, ids=lambda injury: injury.__name__)
def test_doing_what_the_report_says_publishes_the_true_totals(
    injury: Callable[[Workbook, random.Random], None],
) -> None:
    ledger = _smallest(injury)
    whole = check(injured(ledger, lambda *_: None))
    assert whole.verdict.publishes
    assert (outcome(whole)["rows"], outcome(whole)["pounds"]) == (ledger.rows, ledger.pounds)
    reports = converge(injured(ledger, injury))
    described = [[(each.code, each.message, each.fix) for each in report.findings] for report in reports]
    assert outcome(reports[-1]) == outcome(whole), described


@pytest.mark.parametrize("injury", INJURIES, ids=lambda injury: injury.__name__)
def test_an_injured_file_is_not_published_with_other_totals_unless_the_report_says_what_is_wrong(
    injury: Callable[[Workbook, random.Random], None],
) -> None:
    ledger = _smallest(injury)
    report = check(injured(ledger, injury))
    true = outcome(report)["pounds"] == ledger.pounds and outcome(report)["rows"] == ledger.rows
    warned = {each.code for each in report.findings if each.severity != Severity.INFO} & FIXES.keys()
    assert true or warned or not report.verdict.publishes
