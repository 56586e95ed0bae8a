"""How one body lays out its files: headings, notation, mess and all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from piperoll.model import Period
from piperoll.sample.rows import Row

SAVED = datetime(2026, 11, 2, 9, 0)  # noqa: DTZ001 - what a workbook says of itself has no time zone
DAY_FORMATS = {"uk": "%d/%m/%Y", "iso": "%Y-%m-%d", "short": "%d-%b-%y", "dots": "%d.%m.%Y", "long": "%d %B %Y"}


@dataclass(frozen=True)
class Layout:
    """How a body lays out one kind of file.

    `columns` pairs a field with this body's heading for it (`=text` in place of a field is a constant cell). `form` is
    `csv` or `xlsx`. `days` and `amounts` name notations. `preamble` are lines above the headings. After `blank_every`
    records comes a blank row, after `headings_every` the headings again (0: never). `sheets` splits a workbook by that
    field, and `notes_first` puts a sheet of notes before the figures.
    """

    columns: Sequence[tuple[str, str]]
    form: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    newline: str = "\r\n"
    days: str = "uk"
    amounts: str = "plain"
    preamble: Sequence[str] = ()
    total: bool = False
    blank_every: int = 0
    headings_every: int = 0
    sheets: str | None = None
    notes_first: bool = False

    def render(self, rows: Sequence[Row], period: Period) -> bytes:
        """The file's bytes: the same rows give the same bytes."""
        return self._workbook(rows, period) if self.form == "xlsx" else self._text(rows, period)

    def _text(self, rows: Sequence[Row], period: Period) -> bytes:
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator=self.newline)
        for cells in self._grid(rows, period):
            writer.writerow([self._as_text(cell) for cell in cells])
        return out.getvalue().encode(self.encoding)

    def _workbook(self, rows: Sequence[Row], period: Period) -> bytes:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
            book.set_properties({"created": SAVED, "author": "Accounts"})
            if self.notes_first:
                book.add_worksheet("Notes").write(0, 0, "Figures are from the ledger and leave out VAT.")
            for name, part in self._sheets(rows, period):
                sheet = book.add_worksheet(name)
                for number, cells in enumerate(self._grid(part, period)):
                    for letter, cell in enumerate(cells):
                        _write(sheet, number, letter, cell)
        return out.getvalue()

    def _sheets(self, rows: Sequence[Row], period: Period) -> Iterator[tuple[str, Sequence[Row]]]:
        if self.sheets is None:
            yield f"{period.start:%b %y}", rows
            return
        for value in sorted({str(row[self.sheets]) for row in rows}):
            yield value[:31], [row for row in rows if str(row[self.sheets]) == value]

    def _grid(self, rows: Sequence[Row], period: Period) -> Iterator[list[Any]]:
        headings = [heading.format(period=period) for _, heading in self.columns]
        width = len(headings)
        for line in self.preamble:
            yield [line.format(period=period)] + [""] * (width - 1)
        yield list(headings)
        for number, row in enumerate(rows):
            if number and self.blank_every and number % self.blank_every == 0:
                yield [""] * width
            if number and self.headings_every and number % self.headings_every == 0:
                yield list(headings)
            yield [name[1:].format(period=period) if name.startswith("=") else row[name] for name, _ in self.columns]
        if self.total:
            yield self._total(rows)

    def _total(self, rows: Sequence[Row]) -> list[Any]:
        amounts = [name for name, _ in self.columns].index("net_amount")
        cells: list[Any] = [""] * len(self.columns)
        cells[amounts] = sum((row["net_amount"] for row in rows), Decimal(0))
        cells[0] = "Total"
        return cells

    def _as_text(self, cell: object) -> str:
        if isinstance(cell, date):
            return cell.strftime(DAY_FORMATS[self.days])
        return _amount(cell, self.amounts) if isinstance(cell, Decimal) else str(cell)


def _amount(amount: Decimal, notation: str) -> str:
    match notation:
        case "plain":
            return f"{amount:.2f}"
        case "thousands":
            return f"{amount:,.2f}"
        case "pounds":
            return f"£{amount:,.2f}" if amount >= 0 else f"-£{-amount:,.2f}"
        case "brackets":
            return f"{amount:,.2f}" if amount >= 0 else f"({-amount:,.2f})"
        case "trailing":
            return f"£{amount:,.2f}" if amount >= 0 else f"£{-amount:,.2f}-"
        case _:
            raise ValueError(f"no notation of amounts is called '{notation}'")


def _write(sheet: Any, row: int, column: int, cell: object) -> None:
    """A typed cell, as a spreadsheet program stores it: days as days, amounts as numbers."""
    if isinstance(cell, date):
        sheet.write_datetime(row, column, cell)
    elif isinstance(cell, Decimal | int):
        sheet.write_number(row, column, float(cell))
    else:
        sheet.write_string(row, column, str(cell))
