"""Run as a script in a limited child process: a workbook on standard input, its cells as JSON lines on standard output.

calamine can be made to ask for more memory than there is and then aborts the process, so it never runs in ours
(see `workbooks`). This file imports nothing of Piperoll, so that the child starts quickly.
"""

from __future__ import annotations

import datetime
import io
import json
import sys
from decimal import ROUND_HALF_EVEN, Decimal

MEMORY = 6_000_000_000
SECONDS = 120
_PENNY = Decimal("0.01")
_NEAR = Decimal("0.000001")


def limit() -> None:
    """Bound the memory and processor time of this process, where the system can."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 (Unix only)

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def as_text(value: object) -> str:
    """A typed cell as text: whole numbers without a point, dates and times as ISO 8601, no exponents.

    A binary fraction within a millionth of a penny is that many pennies (60110413.53999998 is 60110413.54).
    """
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
    """The shortest decimal that is this float, to the penny where it is one."""
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 (NaN is not itself)
        return str(value)
    exact = Decimal(repr(value))
    if exact == exact.to_integral_value():
        return f"{exact.to_integral_value():f}"
    if abs(exact) < Decimal(10) ** 20:
        pennies = exact.quantize(_PENNY, ROUND_HALF_EVEN)
        if abs(pennies - exact) < _NEAR and pennies:
            exact = pennies
    return f"{exact:f}"


def main() -> None:
    """Write one JSON line a sheet, then one for each row up to the last that is not blank."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415 (after the limits)

    workbook = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    for place, sheet in enumerate(workbook.sheets_metadata):
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        write({"sheet": sheet.name, "hidden": sheet.visible != SheetVisibleEnum.Visible})
        blank = 0
        for row in workbook.get_sheet_by_index(place).to_python(skip_empty_area=False):
            cells = [as_text(value) for value in row]
            while cells and not cells[-1]:
                cells.pop()
            if not cells:
                blank += 1
                continue
            for _ in range(blank):
                write([])
            blank = 0
            write(cells)


def write(document: object) -> None:
    """One JSON document on one line of standard output."""
    sys.stdout.write(json.dumps(document))
    sys.stdout.write("\n")


if __name__ == "__main__":
    limit()
    main()
