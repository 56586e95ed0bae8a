"""Run as a script in a limited child process: a workbook on standard input, its cells on standard output.

For each sheet a JSON line `{"sheet": …, "hidden": …}`, then its blocks of rows up to the last that is not blank, then
the line `[]`. A block is a JSON line of three sizes and so many bytes three times: where the cells of each row begin
and end, where the text of each cell does (32-bit integers of this machine), and the text in UTF-8. This is how Arrow
lays out a list of texts, so that the parent takes it as it is and makes no Python text of it.

calamine can be made to ask for more memory than there is and then aborts the process, so it never runs in ours
(see `workbooks`). This file imports nothing of Piperoll, so that the child starts quickly.
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

MEMORY = 6_000_000_000
SECONDS = 120
ROWS = 10_000
WEIGHT = 8_000_000
"""A block has no more rows than this, and several only while they weigh less: a character one, a cell sixteen."""

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
    text = repr(value)
    whole, _, places = text.partition(".")
    if value and len(places) < 3 and text.lstrip("-").replace(".", "").isdigit():  # most amounts; no exponent
        return whole if places == "0" else text.ljust(len(whole) + 3, "0")
    return _exact_text(value)


def _exact_text(value: float) -> str:
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
    """Write every sheet of the workbook on standard input."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415 (after the limits)

    workbook = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    for place, sheet in enumerate(workbook.sheets_metadata):
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        tell({"sheet": sheet.name, "hidden": sheet.visible != SheetVisibleEnum.Visible})
        for block in blocks(map(as_cells, workbook.get_sheet_by_index(place).to_python(skip_empty_area=False))):
            write(block)
        tell([])


def as_cells(row: Sequence[object]) -> list[str]:
    """The cells of a row as text, without the empty ones at its end."""
    cells = [value if type(value) is str else as_text(value) for value in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def blocks(rows: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    """The rows in blocks, without the blank ones at the end."""
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


def write(rows: Sequence[Sequence[str]]) -> None:
    """One block on standard output."""
    cells = [cell.encode("utf-8", "replace") for row in rows for cell in row]
    text = b"".join(cells)
    edges = array("i", accumulate(map(len, rows), initial=0)), array("i", accumulate(map(len, cells), initial=0))
    sizes = [4 * len(edges[0]), 4 * len(edges[1]), len(text)]
    tell(sizes)
    sys.stdout.buffer.writelines((*edges, text))


def tell(document: object) -> None:
    """One JSON document on one line of standard output."""
    sys.stdout.buffer.write(json.dumps(document).encode("ascii") + b"\n")


if __name__ == "__main__":
    limit()
    main()
