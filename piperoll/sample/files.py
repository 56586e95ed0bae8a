"""The files of the sample: the layouts of the bodies, and the faults that they send on purpose."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import xlsxwriter

from piperoll.errors import UsageError
from piperoll.model import Period, to_json_bytes
from piperoll.sample.rows import GENERATORS, Row, Words, correct, transfers

MONTHS = ("2026-08", "2026-09", "2026-10")

_HERE = Path(__file__).parent
_SAVED = datetime(2026, 11, 2, 9, 0)  # noqa: DTZ001 - the time in a workbook's properties has no time zone
_DAY_FORMATS = {"uk": "%d/%m/%Y", "iso": "%Y-%m-%d", "short": "%d-%b-%y", "dots": "%d.%m.%Y", "long": "%d %B %Y"}
_ERROR_PAGE = b"""<!DOCTYPE html>
<html lang="en"><head><title>Page not found</title></head>
<body><h1>Sorry, we cannot find that page</h1><p>The page may have moved when we changed our website.</p></body></html>
"""
"""What a web server sends, with status 200, in place of a file that has moved."""


@dataclass(frozen=True)
class Send:
    """Files that a body sends, one in each of `months`: an entry of `sends.json`.

    `generator` and `rows` make the records, for the period `of` if it differs from the month, and `transfers` more to
    other public bodies. `what` is `table` or `ocds`; the months of a period in one table (`together`); the same table
    `corrected`; or a fault: the same table `again`, `half` of it, a `template` or `nil` return (with no rows), an
    `empty` file, or an `error_page`.
    """

    body: str
    folder: str
    name: str
    layout: str | None = None
    generator: str = "spend"
    rows: int = 0
    months: tuple[str, ...] = MONTHS
    what: str = "table"
    of: str | None = None
    transfers: int = 0


def write_sample(out: Path, seed: int) -> tuple[Path, ...]:
    """Write the sample into `out`, a folder that is empty or does not exist, and return the paths of its files.

    The files are `<month>/<dataset>/<body>/<file>`, and `bodies.csv` is the register of the bodies. The same seed gives
    the same bytes. Raises: UsageError: the folder is not empty.
    """
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty: choose a new folder with --to, or empty it first")
    written = []
    for name, content in sample_files(seed):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return tuple(written)


def sample_files(seed: int) -> Iterator[tuple[str, bytes]]:
    """Every file of the sample: its path in the folder, and its content."""
    words = json.loads((_HERE / "words.json").read_text("utf-8"))
    plan = json.loads((_HERE / "sends.json").read_text("utf-8"))
    layouts = {name: FileLayout(**layout) for name, layout in plan["layouts"].items()}
    yield "bodies.csv", (_HERE / "bodies.csv").read_bytes()
    for entry in plan["sends"]:
        send = Send(**entry)
        for month in send.months:
            period = Period.parse(month)
            path = f"{month}/{send.folder}/{send.body}/{send.name.format(period=period)}"
            yield path, _make_file(send, Period.parse(send.of) if send.of else period, layouts, words, seed)


def _make_file(send: Send, period: Period, layouts: Mapping[str, FileLayout], words: Words, seed: int) -> bytes:
    covered = period.months() if send.what == "together" else (period,)
    rows = [row for each in covered for row in _make_rows(send, each, words, seed)] if send.rows else []
    match send.what:
        case "error_page":
            return _ERROR_PAGE
        case "ocds":
            return _ocds_package(rows, period)
        case "empty":
            return b""
    layout = layouts[send.layout or ""]
    if send.what == "half":  # every second record: an export that was cut short
        rows = rows[::2]
    if send.what == "corrected":
        rows = correct(rows)
    content = layout.render(rows, period)  # a template and a nil return have no rows
    if send.what == "nil":
        line = f"Nil return - no payments over the threshold in {period.title}{layout.newline}"
        content += line.encode(layout.encoding)
    return content


def _make_rows(send: Send, period: Period, words: Words, seed: int) -> list[Row]:
    """The records of a period; a corrected table, or one of several months, has those that the others have too."""
    # Seeded for each file, so that a new file of the sample does not change the others.
    key = f"{seed}/{send.body}/{send.folder}/{send.generator}/{period}"
    rows = GENERATORS[send.generator](Random(key), words, period, send.rows)  # noqa: S311 - not for security
    if send.transfers:
        more = transfers(Random(f"{key}/transfers"), words, period, send.transfers)  # noqa: S311
        rows = sorted([*rows, *more], key=lambda row: (row["payment_date"], row["transaction_number"]))
    return rows


@dataclass(frozen=True)
class FileLayout:
    """The layout of one kind of file of a body.

    - `columns`: pairs of a field and the body's heading for it; `=text` in place of a field is a constant cell.
    - `form`: `csv` or `xlsx`.
    - `days`, `amounts`: the notation of dates and amounts.
    - `preamble`: lines above the headings.
    - `total`: the field whose sum is in a last row.
    - `blank_every`, `headings_every`: a blank row, or the headings again, after this many records (0: never).
    - `sheets`: a workbook has a sheet for each value of this field.
    - `notes_first`: a workbook starts with a sheet of notes.
    """

    columns: Sequence[tuple[str, str]]
    form: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    newline: str = "\r\n"
    days: str = "uk"
    amounts: str = "plain"
    preamble: Sequence[str] = ()
    total: str | None = None
    blank_every: int = 0
    headings_every: int = 0
    sheets: str | None = None
    notes_first: bool = False

    def render(self, rows: Sequence[Row], period: Period) -> bytes:
        """The content of the file; the same rows give the same bytes."""
        if self.form == "xlsx":
            return self._workbook(rows, period)
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator=self.newline)
        for cells in self._grid(rows, period):
            writer.writerow([self._as_text(cell) for cell in cells])
        return out.getvalue().encode(self.encoding)

    def _workbook(self, rows: Sequence[Row], period: Period) -> bytes:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
            book.set_properties({"created": _SAVED, "author": "Accounts"})
            if self.notes_first:
                book.add_worksheet("Notes").write(0, 0, "Figures are from the ledger and leave out VAT.")
            for name, part in self._sheets(rows, period):
                sheet = book.add_worksheet(name)
                for number, cells in enumerate(self._grid(part, period)):
                    for letter, cell in enumerate(cells):
                        _write_cell(sheet, number, letter, cell)
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
            total = sum((row[self.total] for row in rows), Decimal(0))
            yield ["Total", *(total if name == self.total else "" for name, _ in self.columns[1:])]

    def _as_text(self, cell: object) -> str:
        if isinstance(cell, date):
            return cell.strftime(_DAY_FORMATS[self.days])
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
            raise ValueError(f"there is no notation of amounts '{notation}'")


def _write_cell(sheet: Any, row: int, column: int, cell: object) -> None:
    """Write a cell with its type, as a spreadsheet program does: dates as dates, amounts as numbers."""
    if isinstance(cell, date):
        sheet.write_datetime(row, column, cell)
    elif isinstance(cell, Decimal | int):
        sheet.write_number(row, column, float(cell))
    else:
        sheet.write_string(row, column, str(cell))


_BUYERS = ("Made-Up Museums Board", "Commission for Imaginary Inquiries", "Office for Pretend Standards")


def _ocds_package(rows: Sequence[Row], period: Period) -> bytes:
    """A contracts register as an OCDS 1.1 release package, in which other bodies are the buyers."""
    return to_json_bytes(
        {
            "uri": f"https://pretend.example/ocds/{period}",
            "version": "1.1",
            "publishedDate": f"{period.end.isoformat()}T09:00:00Z",
            "publisher": {"name": "Office for Pretend Standards"},
            "license": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
            "releases": [_ocds_release(number, row) for number, row in enumerate(rows)],
        }
    )


def _ocds_release(number: int, row: Row) -> dict[str, Any]:
    buyer = _BUYERS[number % len(_BUYERS)]
    value = {"amount": float(row["original_value"]), "currency": "GBP"}
    span = {"startDate": f"{row['start_date']}T00:00:00Z", "endDate": f"{row['current_end_date']}T23:59:59Z"}
    return {
        "ocid": f"ocds-smpl00-{row['contract_ref'].lower()}",
        "id": f"{row['contract_ref']}-award",
        "language": "en",
        "date": f"{row['start_date']}T09:00:00Z",
        "tag": ["award"],
        "initiationType": "tender",
        "tender": {
            "id": row["contract_ref"],
            "title": row["title"],
            "description": row["description"],
            "status": "complete",
            "procurementMethod": "open",
            "value": value,
        },
        "parties": [
            {"id": f"buyer-{number}", "name": buyer, "roles": ["buyer"]},
            {"id": f"supplier-{number}", "name": row["supplier_name"], "roles": ["supplier"]},
        ],
        "buyer": {"id": f"buyer-{number}", "name": buyer},
        "awards": [
            {
                "id": "1",
                "status": "active",
                "date": f"{row['start_date']}T00:00:00Z",
                "value": value,
                "suppliers": [{"id": f"supplier-{number}", "name": row["supplier_name"]}],
                "contractPeriod": span,
            }
        ],
    }
