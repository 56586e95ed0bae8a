"""Drafts to bytes: text in every encoding, XLSX, ODS and JSON, with the address of each line as its sender sees it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

import xlsxwriter

from .drafts import RAW, Draft, Line, Sheet

_BREAK = re.compile(r"\r\n|\r|\n")
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?\Z")
_DAY = re.compile(r"(\d\d)/(\d\d)/(\d{4})\Z")


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a line in the file: its sheet, its row and, in a text file, its first physical line."""

    sheet: str | None
    row: int
    line: int | None


@dataclass(frozen=True)
class Written:
    """The bytes of a file, and each of its lines with its address; `heading` is the row of the first headings."""

    content: bytes
    lines: tuple[tuple[Address, Line], ...]
    heading: int


def written(draft: Draft) -> Written:
    """The file that a draft describes."""
    if draft.format == "json":
        return _json(draft)
    heading = draft.sheet.heading + 1
    if draft.is_text:
        content, physical = _text(draft)
        rows = tuple(
            (Address(None, row, line), each)
            for row, (line, each) in enumerate(zip(physical, draft.sheet.lines, strict=True), start=1)
        )
        return Written(content, rows, heading)
    content = _xlsx(draft) if draft.format == "xlsx" else _ods(draft)
    return Written(content, tuple(_in_sheets(draft)), heading)


def _in_sheets(draft: Draft) -> Iterator[tuple[Address, Line]]:
    for sheet in draft.sheets:
        for row, line in enumerate(sheet.lines, start=1):
            yield Address(sheet.name, row, None), line


def _text(draft: Draft) -> tuple[bytes, list[int]]:
    pieces, physical, number = [], [], 1
    for index, line in enumerate(draft.sheet.lines):
        text = draft.delimiter.join(_quoted(cell, draft) for cell in line.cells)
        physical.append(number)
        number += 1 + len(_BREAK.findall(text))
        text += draft.ends[index % len(draft.ends)]
        pieces.append((text, draft.odd_encoding if line.odd else None))
    if not draft.odd_encoding:
        return "".join(text for text, _ in pieces).encode(draft.encoding), physical
    return b"".join(text.encode(odd or draft.encoding) for text, odd in pieces), physical


def _quoted(cell: str, draft: Draft) -> str:
    if cell.startswith(RAW):
        return cell[1:]
    needs = draft.delimiter in cell or '"' in cell or "\n" in cell or "\r" in cell
    return '"' + cell.replace('"', '""') + '"' if needs or draft.quoting == "all" else cell


def _value(line: Line, column: int, sheet: Sheet, draft: Draft) -> str | Decimal | date:
    """The cell as a spreadsheet program holds it: a number or a day if cells are typed and it is plainly one."""
    text = line.cells[column].removeprefix(RAW)
    name = sheet.columns[column] if column < len(sheet.columns) else None
    means = line.means.get(name or "", ())
    if not draft.typed or line.kind != "record" or len(means) != 1 or means[0] is None:
        return text
    if _PLAIN.match(text) and _PLAIN.match(means[0]) and Decimal(text) == Decimal(means[0]) and name not in _TEXTS:
        return Decimal(text)
    day = _DAY.match(text)
    if day and means[0] == f"{day[3]}-{day[2]}-{day[1]}":
        return date.fromisoformat(means[0])
    return text


_TEXTS = frozenset(["post_id", "reports_to", "supplier_company_number"])


def _xlsx(draft: Draft) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        days = book.add_format({"num_format": "dd/mm/yyyy"})
        for sheet in draft.sheets:
            page = book.add_worksheet(sheet.name)
            if sheet.hidden:
                page.hide()
            for row, line in enumerate(sheet.lines):
                if draft.merged and line.kind == "free" and len(line.cells) == 1 and line.cells[0]:
                    page.merge_range(row, 0, row, 3, line.cells[0])
                    continue
                for column in range(len(line.cells)):
                    value = _value(line, column, sheet, draft)
                    if isinstance(value, Decimal):
                        page.write_number(row, column, float(value))
                    elif isinstance(value, date):
                        page.write_datetime(row, column, value, days)
                    elif value != "":
                        page.write_string(row, column, value)
    return buffer.getvalue()


_ODS_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" office:version="1.2">'
    '<office:automatic-styles><style:style style:name="h" style:family="table">'
    '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
    "<office:body><office:spreadsheet>"
)
_ODS_TAIL = "</office:spreadsheet></office:body></office:document-content>"
_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


def _ods(draft: Draft) -> bytes:
    parts = [_ODS_HEAD]
    for sheet in draft.sheets:
        style = ' table:style-name="h"' if sheet.hidden else ""
        parts.append(f'<table:table table:name="{escape(sheet.name)}"{style}>')
        for line in sheet.lines:
            cells = "".join(_ods_cell(_value(line, column, sheet, draft)) for column in range(len(line.cells)))
            parts.append(f"<table:table-row>{cells or '<table:table-cell/>'}</table:table-row>")
        parts.append("</table:table>")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", _ODS_TYPE)
        archive.writestr("content.xml", "".join(parts) + _ODS_TAIL)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_TYPE}"/></manifest:manifest>',
        )
    return buffer.getvalue()


def _ods_cell(value: str | Decimal | date) -> str:
    if value == "":
        return "<table:table-cell/>"
    kind = 'value-type="string"'
    if isinstance(value, Decimal):
        kind = f'value-type="float" office:value="{value}"'
    elif isinstance(value, date):
        kind = f'value-type="date" office:date-value="{value}"'
    paragraphs = "".join(f"<text:p>{escape(part)}</text:p>" for part in _BREAK.split(str(value)))
    return f"<table:table-cell office:{kind}>{paragraphs}</table:table-cell>"


def _json(draft: Draft) -> Written:
    sheet = draft.sheet
    headings = sheet.lines[sheet.heading].cells
    records, lines = [], []
    for row, line in enumerate((line for line in sheet.lines if line.kind == "record"), start=1):
        values = [_value(line, column, sheet, draft) for column in range(len(headings))]
        records.append({heading: _in_json(value) for heading, value in zip(headings, values, strict=True)})
        lines.append((Address(None, row, None), line))
    return Written(json.dumps(records).encode(), tuple(lines), 0)


def _in_json(value: str | Decimal | date) -> object:
    return float(value) if isinstance(value, Decimal) else value.isoformat() if isinstance(value, date) else value
