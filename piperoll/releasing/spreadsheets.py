"""Spreadsheets that we write: blank templates for bodies to fill in, and any rows for people who use a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from piperoll.findings import shared_text
from piperoll.model import Dataset, Field, Level, Origin

_CREATED = datetime(1980, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""The time in a workbook's properties: the earliest that a zip file can hold, so that the bytes are always the same."""

_TEMPLATE_ROWS = 10_000
"""Rows with drop-downs in a template: more than a month of a large council."""

_FORMATS = {"number": "#,##0.00##", "integer": "0", "date": "yyyy-mm-dd", "boolean": "General"}
"""Number formats by type of field; every other type is text, which keeps leading zeros."""

_DUTY = {
    Level.CORE: "Must be there",
    Level.DUTY: "Asked of {kinds}",
    Level.WANTED: "Useful where you have it",
}


def make_template_csv(dataset: Dataset) -> bytes:
    """Make a CSV file of headings alone: every field that a body sends, in published order."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(headings(dataset))
    return text.getvalue().encode()


def make_template_xlsx(dataset: Dataset) -> bytes:
    """Make a workbook with a sheet to fill in, which has drop-downs, a sheet of notes and one of the lists.

    The bytes are always the same.
    """
    stream = io.BytesIO()
    workbook = xlsxwriter.Workbook(stream, {"in_memory": True})
    workbook.set_properties({"title": dataset.title, "created": _CREATED})
    fields, names = sent_fields(dataset), headings(dataset)
    sheet = workbook.add_worksheet(dataset.title[:31])
    notes, lists = workbook.add_worksheet("Notes"), workbook.add_worksheet("Lists")
    bold = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    for number, (field, name) in enumerate(zip(fields, names, strict=True)):
        cell_format = workbook.add_format({"num_format": _FORMATS.get(field.type, "@")})
        sheet.set_column(number, number, max(12, min(30, len(name) + 2)), cell_format)
        sheet.write_string(0, number, name, bold)
    sheet.freeze_panes(1, 0)
    _fill_notes(workbook, notes, fields, names)
    _fill_lists(lists, sheet, fields)
    workbook.close()
    return stream.getvalue()


def sent_fields(dataset: Dataset) -> tuple[Field, ...]:
    """The fields that a body sends."""
    return tuple(field for field in dataset.fields if field.origin is Origin.SENT)


def headings(dataset: Dataset) -> tuple[str, ...]:
    """The heading of each sent field: its title, unless that heading means another field first.

    Then it is the first listed heading that means this field first; if there is none, the name of the field.
    """
    first: dict[str, str] = {}
    for one in dataset.headings:
        first.setdefault(one.heading.casefold(), one.field)
    chosen = []
    for field in sent_fields(dataset):
        candidates = (field.title, *(one.heading for one in dataset.headings if one.field == field.name))
        fitting = (name for name in candidates if first.get(name.casefold(), field.name) == field.name)
        chosen.append(next(fitting, field.name))
    return tuple(chosen)


def _fill_notes(
    workbook: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet, fields: Sequence[Field], names: Sequence[str]
) -> None:
    bold, wrap = workbook.add_format({"bold": True}), workbook.add_format({"text_wrap": True, "valign": "top"})
    for column, (title, width) in enumerate((("Heading", 28), ("What to write", 70), ("Needed", 24), ("Source", 40))):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, bold)
    for row, (field, name) in enumerate(zip(fields, names, strict=True), start=1):
        needed = _DUTY[field.level].format(kinds=_name_kinds(field))
        for column, text in enumerate((name, field.description, needed, _name_sources(field))):
            sheet.write_string(row, column, text, wrap)
    sheet.freeze_panes(1, 0)


def _name_kinds(field: Field) -> str:
    """The kinds of body that must send a field, in words."""
    kinds = dict.fromkeys(kind for duty in field.duties for kind in duty.kinds)
    return ", ".join(shared_text("kind-of-body", kind) for kind in kinds)


def _name_sources(field: Field) -> str:
    """The laws and guidance that ask for a field, or else the standard that it comes from."""
    return "; ".join(duty.clause for duty in field.duties) or field.source


def _fill_lists(
    lists: xlsxwriter.worksheet.Worksheet, sheet: xlsxwriter.worksheet.Worksheet, fields: Sequence[Field]
) -> None:
    """Write the allowed values of each field in a column: a drop-down itself can hold only 255 characters."""
    chosen = [(number, field) for number, field in enumerate(fields) if _values(field)]
    for column, (number, field) in enumerate(chosen):
        values = _values(field)
        lists.write_column(0, column, (field.title, *values))
        first, last = (xlsxwriter.utility.xl_rowcol_to_cell(row, column, True, True) for row in (1, len(values)))
        rule = {"validate": "list", "source": f"=Lists!{first}:{last}", "error_type": "warning"}
        sheet.data_validation(1, number, _TEMPLATE_ROWS, number, rule)


def _values(field: Field) -> tuple[str, ...]:
    if field.type == "boolean":
        return ("true", "false")
    return tuple(str(value) for value in (field.constraints or {}).get("enum", ()))


_EXACT_DIGITS = 15
"""Digits of a number that a spreadsheet keeps; a number with more is written as text, so that it stays exact."""

_MAX_CELL_LENGTH = 32_767
"""Characters that a cell can hold; longer text is cut."""


def make_workbook(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Make a workbook of one sheet: numbers, dates and booleans as such, all else as text, never as a formula or link.

    The bytes are always the same. Text that is longer than a cell can hold is cut.
    """
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "constant_memory": False})
    book.set_properties({"title": title, "created": _CREATED})
    sheet = book.add_worksheet(title[:31])
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, bold)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            _write_cell(sheet, number, column, value, day)
    sheet.freeze_panes(1, 0)
    book.close()
    return stream.getvalue()


def _write_cell(sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, value: Any, day: Any) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case Decimal() | int() if len(Decimal(value).normalize().as_tuple().digits) <= _EXACT_DIGITS:
            sheet.write_number(row, column, value)
        case date():
            sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001 - a date has no time zone
        case _:
            sheet.write_string(row, column, str(value)[:_MAX_CELL_LENGTH])
