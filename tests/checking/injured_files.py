"""Real files with injuries: their records are changed in memory, in ways that happen in offices."""

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
from functools import cache
from pathlib import Path
from typing import Any

import xlsxwriter

from piperoll.checking.check_file import FileToCheck, check_file

REAL = Path(os.environ.get("REALDATA", Path(__file__).parents[3] / "shared" / "realdata"))
TRUTH = json.loads((REAL / "truth.json").read_text("utf-8")) if REAL.exists() else {}


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


@cache
def ledgers() -> list[Ledger]:
    """The real files that can be injured: spending as CSV, 15 to 1,300 records one below another."""
    return [
        _ledger(path, truth, truth["tables"][0])
        for path, truth in TRUTH.items()
        if (truth["kind"], truth["format"], truth["what"]) == ("spend", "csv", "data") and _is_plain(truth["tables"][0])
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
        origin = book.rows[row]
        assert origin is not None
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
    rows += [
        [f"Query {at}", book.true_row(row)[book.column("payment_date")], "Yes", float(_amount(book, row)) / 2]
        for at, row in enumerate(book.records()[:12])
    ]
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
    injury(book, random.Random(injury.__name__))  # noqa: S311 - the same injury every time
    return book
