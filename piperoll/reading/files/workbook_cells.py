"""A script that reads a workbook from standard input and writes its cells to standard output.

It runs in a child process with limits, because calamine can be made to ask for more memory than there is and then
aborts the process: `workbooks` starts it through `child_limits`. It imports nothing of Piperoll, so that it starts
quickly.

The output has a JSON line `{"sheet": …, "hidden": …}` for each sheet, then its blocks of rows up to the last that is
not blank, then the line `[]`. A block is a JSON line of three sizes in bytes, followed by three buffers of these sizes:
the offsets of the rows, the offsets of the cells (32-bit integers in native order), and the text in UTF-8. This is how
Arrow stores a list of texts, so the parent process can use it without creating Python strings.
"""

from __future__ import annotations

import datetime
import io
import json
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

ROWS = 10_000
"""Rows of a block at most, so that the parent can work while the child reads on."""
WEIGHT = 8_000_000
"""The largest block: at most this many rows, and this weight, where a character counts 1 and a cell 16."""

_PENNY = Decimal("0.01")
_NEAR = Decimal("0.000001")


def as_text(value: object) -> str:
    """A typed cell as text: whole numbers without a point, dates and times as ISO 8601, no exponents."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


def number_text(value: float) -> str:
    """The shortest decimal that is this float; within a millionth of a penny of whole pennies, that many pennies.

    So 60110413.53999998, a sum of binary fractions, is 60110413.54.
    """
    text = repr(value)
    whole, _, decimals = text.partition(".")
    if value and len(decimals) < 3 and text.lstrip("-").replace(".", "").isdigit():
        # Most amounts: at most two decimals and no exponent.
        return whole if decimals == "0" else text.ljust(len(whole) + 3, "0")
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN is not equal to itself
        return str(value)
    exact = Decimal(text)
    if exact == exact.to_integral_value():
        return f"{exact.to_integral_value():f}"
    if abs(exact) < Decimal(10) ** 20:
        pennies = exact.quantize(_PENNY, ROUND_HALF_EVEN)
        if abs(pennies - exact) < _NEAR and pennies:
            exact = pennies
    return f"{exact:f}"


def main() -> None:
    """Write every sheet of the workbook on standard input."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415 - after the limits

    workbook = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    for index, sheet in enumerate(workbook.sheets_metadata):
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        write_line({"sheet": sheet.name, "hidden": sheet.visible != SheetVisibleEnum.Visible})
        for block in blocks(map(to_cells, all_rows(workbook.get_sheet_by_index(index)))):
            write_block(block)
        write_line([])


def all_rows(sheet: CalamineSheet) -> Iterator[Sequence[object]]:
    """The rows of a sheet, one at a time."""
    # `iter_rows` gives the rows before the first cell, but not the columns.
    before: list[object] = [""] * (sheet.start[1] if sheet.start else 0)
    return (before + cells for cells in sheet.iter_rows()) if before else sheet.iter_rows()


def to_cells(row: Sequence[object]) -> list[str]:
    """The cells of a row as text, without the empty ones at its end."""
    cells = [value if type(value) is str else as_text(value) for value in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def blocks(rows: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    """Group rows into blocks of bounded size, without the blank rows at the end."""
    block: list[list[str]] = []
    weight = blank = 0
    for row in rows:
        if not row:
            blank += 1
            continue
        while blank:
            taken = min(blank, ROWS)
            yield [*block, *([[]] * taken)]
            block, weight, blank = [], 0, blank - taken
        block.append(row)
        weight += 16 * len(row) + sum(map(len, row))
        if len(block) >= ROWS or weight > WEIGHT:
            yield block
            block, weight = [], 0
    if block:
        yield block


def write_block(rows: Sequence[Sequence[str]]) -> None:
    """Write one block to standard output."""
    cells = [cell.encode("utf-8", "replace") for row in rows for cell in row]
    text = b"".join(cells)
    offsets = array("i", accumulate(map(len, rows), initial=0)), array("i", accumulate(map(len, cells), initial=0))
    write_line([4 * len(offsets[0]), 4 * len(offsets[1]), len(text)])
    sys.stdout.buffer.writelines((*offsets, text))


def write_line(document: object) -> None:
    """Write one JSON document as a line to standard output."""
    sys.stdout.buffer.write(json.dumps(document).encode("ascii") + b"\n")


if __name__ == "__main__":
    main()
