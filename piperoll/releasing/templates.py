"""Blank templates for a body to fill in, made from the descriptor."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import xlsxwriter

from piperoll.model import Dataset, Field, Level, Origin

_ROWS = 10_000
"""How far down drop-downs and formats reach: more than a month of a large council."""

_MADE = datetime(1980, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""The instant in the workbook's properties: the first that a zip file can tell, so that the bytes never change."""

_FORMATS = {"number": "#,##0.00##", "integer": "0", "date": "yyyy-mm-dd", "boolean": "General"}
"""How cells of a type are shown; all others are text, which keeps leading noughts."""

_DUTY = {
    Level.CORE: "Must be there",
    Level.DUTY: "The law or code asks for it",
    Level.WANTED: "Useful where you have it",
}


def template_csv(dataset: Dataset) -> bytes:
    """A CSV file of headings and nothing else: every field that a body sends, in published order."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(headings(dataset))
    return text.getvalue().encode()


def template_xlsx(dataset: Dataset) -> bytes:
    """A workbook: a sheet to fill in with drop-downs, a sheet of notes, a sheet of the lists; the same bytes always."""
    stream = io.BytesIO()
    workbook = xlsxwriter.Workbook(stream, {"in_memory": True})
    workbook.set_properties({"title": dataset.title, "created": _MADE})
    fields = sent(dataset)
    sheet = workbook.add_worksheet(dataset.title[:31])
    notes, lists = workbook.add_worksheet("Notes"), workbook.add_worksheet("Lists")
    _fill_sheet(workbook, sheet, fields, headings(dataset))
    _fill_notes(workbook, notes, fields, headings(dataset))
    _fill_lists(lists, sheet, fields)
    workbook.close()
    return stream.getvalue()


def sent(dataset: Dataset) -> tuple[Field, ...]:
    """The fields that a body sends."""
    return tuple(field for field in dataset.fields if field.origin is Origin.SENT)


def headings(dataset: Dataset) -> tuple[str, ...]:
    """The heading of each sent field: its title, unless another field comes first under that heading.

    Then it is the first heading listed that means this field before any other; failing that, its name.
    """
    first: dict[str, str] = {}
    for one in dataset.headings:
        first.setdefault(one.heading.casefold(), one.field)
    return tuple(_heading(dataset, field, first) for field in sent(dataset))


def _heading(dataset: Dataset, field: Field, first: Mapping[str, str]) -> str:
    listed = (one.heading for one in dataset.headings if one.field == field.name)
    wanted = (field.title, *listed)
    return next((name for name in wanted if first.get(name.casefold(), field.name) == field.name), field.name)


def _fill_sheet(
    workbook: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet, fields: Sequence[Field], names: Sequence[str]
) -> None:
    bold = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    for number, (field, name) in enumerate(zip(fields, names, strict=True)):
        cell_format = workbook.add_format({"num_format": _FORMATS.get(field.type, "@")})
        sheet.set_column(number, number, max(12, min(30, len(name) + 2)), cell_format)
        sheet.write_string(0, number, name, bold)
    sheet.freeze_panes(1, 0)


def _fill_notes(
    workbook: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet, fields: Sequence[Field], names: Sequence[str]
) -> None:
    bold, wrap = workbook.add_format({"bold": True}), workbook.add_format({"text_wrap": True, "valign": "top"})
    for column, (title, width) in enumerate((("Heading", 28), ("What to write", 70), ("Needed", 24), ("Source", 40))):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, bold)
    for row, (field, name) in enumerate(zip(fields, names, strict=True), start=1):
        for column, text in enumerate((name, field.description, _DUTY[field.level], field.source)):
            sheet.write_string(row, column, text, wrap)
    sheet.freeze_panes(1, 0)


def _fill_lists(
    lists: xlsxwriter.worksheet.Worksheet, sheet: xlsxwriter.worksheet.Worksheet, fields: Sequence[Field]
) -> None:
    """The values that a field may take, one column each: a drop-down's own list ends at 255 characters."""
    chosen = [(number, field) for number, field in enumerate(fields) if _values(field)]
    for column, (number, field) in enumerate(chosen):
        values = _values(field)
        lists.write_column(0, column, (field.title, *values))
        first, last = (xlsxwriter.utility.xl_rowcol_to_cell(row, column, True, True) for row in (1, len(values)))
        rule = {"validate": "list", "source": f"=Lists!{first}:{last}", "error_type": "warning"}
        sheet.data_validation(1, number, _ROWS, number, rule)


def _values(field: Field) -> tuple[str, ...]:
    if field.type == "boolean":
        return ("true", "false")
    return tuple(str(value) for value in (field.constraints or {}).get("enum", ()))
