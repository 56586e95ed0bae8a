"""Any rows as a workbook, for people whose tool is a spreadsheet."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

_MADE = datetime(1980, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""The instant in the workbook's properties: the first that a zip file can tell, so that the bytes never change."""

_EXACT_DIGITS = 15
"""So many digits a spreadsheet keeps of a number; one that has more is written as text, and stays exact."""

_LONGEST = 32_767
"""Characters that a cell can hold."""


def make_workbook(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A workbook of one sheet: numbers, dates and truths as such, all else as text and never as a formula or link.

    The same bytes always. Text that is longer than a cell can hold is cut there.
    """
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "constant_memory": False})
    book.set_properties({"title": title, "created": _MADE})
    sheet = book.add_worksheet(title[:31])
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, bold)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            _write(sheet, number, column, value, day)
    sheet.freeze_panes(1, 0)
    book.close()
    return stream.getvalue()


def _write(sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, value: Any, day: Any) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case Decimal() | int() if _is_exact(value):
            sheet.write_number(row, column, value)
        case date():
            sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001 - a day has no zone
        case _:
            sheet.write_string(row, column, str(value)[:_LONGEST])


def _is_exact(number: Decimal | int) -> bool:
    return len(Decimal(number).normalize().as_tuple().digits) <= _EXACT_DIGITS
