"""Workbooks (XLSX, XLS, ODS) to grids, through a child process with bounded memory and time.

The parts of an XLSX file also show what its values do not: hidden rows, merged cells, errors, and formulas without
results.
"""

from __future__ import annotations

import html
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from subprocess import PIPE
from threading import Timer
from typing import IO

from piperoll import child_limits
from piperoll.findings import MOST_ROWS
from piperoll.reading.files import limits, workbook_cells
from piperoll.reading.files.kinds import BROKEN_ARCHIVE
from piperoll.reading.files.limits import FileTooLarge, RowBudget
from piperoll.reading.grids.blocks import Block
from piperoll.reading.grids.grid import Grid, Rows, letter

CELLS = 60_000_000
"""The most cells that a sheet can span: sixty columns of a full sheet. One stray cell far away enlarges the span."""

UNPACKED = 1_500_000_000
"""The most bytes that the parts of a workbook can have when unpacked."""

_SMALL, _RATIO = 60_000_000, 200
"""The parts of a workbook can always have the first number of bytes, and otherwise 200 times its size: XML is wordy."""

_OUT_OF_MEMORY = (
    *(b"MemoryError", b"memory allocation", b"capacity overflow", b"failed to map segment", b"annot allocate memory"),
)
"""What the child process says if it has too little memory."""

_PIECE = 4_000_000
"""Bytes of a part that are searched at a time."""

_OVERLAP = 300
"""Bytes by which pieces overlap: more than the reference of a cell and the tag around it."""

_ROWS = re.compile(rb'<row\b[^>]*?\br="(\d{1,10})"')
_FAR_ROWS = re.compile(rb'<c\b[^>]*?\br="[A-Z]{1,7}(\d{6,10})"')
_FAR_COLUMNS = re.compile(rb'<c\b[^>]*?\br="([A-Z]{2,7})\d')

_SHEET = re.compile(rb"<(?:\w+:)?sheet\b([^>]*)>")
_LINK = re.compile(rb"<(?:\w+:)?Relationship\b([^>]*)>")
_ATTRIBUTE = re.compile(rb'([\w:]+)\s*=\s*"([^"]*)"')
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\b([^>]*\bhidden="(?:1|true)"[^>]*)>')
_HIDDEN_COLUMN = re.compile(rb'<(?:\w+:)?col\b([^>]*\bhidden="(?:1|true)"[^>]*)>')
_ERROR = re.compile(rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>')
_FORMULA = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</(?:\w+:)?c>"
)
_TEXT_OR_ERROR = re.compile(rb't="(?:str|e)"')
"""The type of a formula whose result can be an empty text."""

_LINK_FORMULA = re.compile(rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b([^>]*)>[^<]*\bHYPERLINK\(")
_HYPERLINK = re.compile(rb"<(?:\w+:)?hyperlink\b([^>]*)>")
_REFERENCE = re.compile(rb"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")

_LIST_SOURCE = re.compile(rb"<(?:\w+:)?formula1>\s*(?:<(?:\w+:)?f>)?([^<]+)<")
"""Where a drop-down takes its values from: `Lists!$A$2:$A$9`, or the name of such a range."""

_DEFINED_NAME = re.compile(rb"<(?:\w+:)?definedName\b([^>]*)>([^<]*)<")
_SHEET_IN_REFERENCE = re.compile(r"\s*=?\s*(?:'((?:[^']|'')+)'|([^'!\s(]+))!")

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')


@dataclass(frozen=True)
class Workbook:
    """The sheets of a workbook; or `trouble`: workbook-broken, workbook-too-large or workbook-protected."""

    grids: tuple[Grid, ...] = ()
    trouble: str | None = None


def read_workbook(content: bytes, kind: str, received: int | None = None) -> Workbook:
    """Read the sheets of a workbook, hidden ones too, with rows numbered as spreadsheet programs do.

    `received` is the size of the file as received, if the workbook was packed in an archive.

    Raises: FileTooLarge: it has too many sheets, rows or columns. MemoryError: this process may use less memory than a
    workbook can need, and it was not enough.
    """
    allowed = limits.child_limits(min(len(content), 10 * (received or len(content))))
    if kind in ("xlsx", "ods") and (trouble := check_workbook_size(content)):
        return Workbook(trouble=trouble)
    with tempfile.TemporaryFile() as errors:  # a pipe could fill up while the child's answer is read
        command = [sys.executable, "-I", child_limits.__file__, allowed.as_argument(), workbook_cells.__file__]
        child = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=errors)  # noqa: S603 - our own script
        timer = Timer(2 * allowed.seconds, child.kill)
        timer.start()
        try:
            with child:
                try:
                    grids = _read_sheets(child, content, RowBudget(received or len(content)))
                except BaseException:
                    child.kill()  # it would wait for someone to read on
                    raise
        finally:
            timer.cancel()
        if child.returncode == 0 and grids is not None:
            return Workbook(grids)
        errors.seek(0)
        message = errors.read()
    if b"Password" in message or b"encrypted" in message:
        return Workbook(trouble="workbook-protected")
    too_large = child.returncode < 0 or any(sign in message for sign in _OUT_OF_MEMORY)
    room = child_limits.memory_limit()
    if too_large and room is not None and room < allowed.memory_bytes:
        raise MemoryError("the process that reads workbooks may not have enough memory")
    return Workbook(trouble="workbook-too-large" if too_large else "workbook-broken")


def _read_sheets(child: subprocess.Popen[bytes], content: bytes, budget: RowBudget) -> tuple[Grid, ...] | None:
    """The sheets as the child process writes them; None if it stops before the end. Raises: FileTooLarge."""
    if child.stdin is None or child.stdout is None:
        return None
    try:
        with child.stdin:
            child.stdin.write(content)
        grids: list[Grid] = []
        while line := child.stdout.readline():
            if len(grids) == limits.SHEETS:
                raise FileTooLarge("sheets", limits.SHEETS)
            sheet = json.loads(line)
            blocks = budget.check(_blocks(child.stdout), sheet["sheet"])
            grids.append(Grid(sheet["sheet"], Rows.of_blocks(blocks), sheet["hidden"]))
        return tuple(grids)
    except (BrokenPipeError, EOFError):
        return None


def _blocks(stream: IO[bytes]) -> Iterator[Block]:
    """The blocks of one sheet; `workbook_cells` describes the format."""
    first = 1
    while True:
        line = stream.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        if not (sizes := json.loads(line)):
            return
        buffers = [stream.read(size) for size in sizes]
        if any(len(buffer) < size for buffer, size in zip(buffers, sizes, strict=True)):
            raise EOFError
        block = Block.of_buffers(first, *buffers)
        yield block
        first += len(block)


def check_workbook_size(content: bytes) -> str | None:
    """Why opening a workbook is not safe, by the sizes of its parts and its cell references; None if it is.

    calamine allocates memory for the whole rectangle that the cells of a sheet span, so this is checked beforehand.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(info.file_size for info in archive.infolist()) > min(UNPACKED, max(_SMALL, _RATIO * len(content))):
                return "workbook-too-large"
            sheets = [info for info in archive.infolist() if re.match(r"xl/worksheets/[^/]+\.xml\Z", info.filename)]
            return "workbook-too-large" if any(_spans_too_much(archive, info) for info in sheets) else None
    except BROKEN_ARCHIVE:
        return "workbook-broken"


def _spans_too_much(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    rows, columns, tail = 1, 26, b""
    with archive.open(info) as stream:
        while chunk := stream.read(_PIECE):
            piece = tail + chunk
            rows = max([rows, *map(int, _ROWS.findall(piece)), *map(int, _FAR_ROWS.findall(piece))])
            columns = max([columns, *map(_column_number, set(_FAR_COLUMNS.findall(piece)))])
            if rows * columns > CELLS:
                return True
            tail = piece[-_OVERLAP:]
    return False


def _column_number(letters: bytes) -> int:
    """The number of a column: 1 for `A`, 27 for `AA`."""
    return reduce(lambda number, code: number * 26 + code - 64, letters, 0)


@dataclass
class CellCount:
    """The number of rows, columns or cells of one kind in a sheet, the name of the first, and the rows of cells."""

    count: int = 0
    first: str = ""
    rows: list[int] = field(default_factory=list)

    def add(self, names: Iterable[str]) -> None:
        """Count more of them, in order."""
        for name in names:
            self.count, self.first = self.count + 1, self.first or name

    def add_cells(self, references: Iterable[bytes]) -> None:
        """Count cells by their references, `B3`, or ranges of them, `B3:B9`."""
        for reference in references:
            match = _REFERENCE.fullmatch(reference)
            if match is None:
                self.add(["cell ?"])
                continue
            left, top = match[1], int(match[2])
            right, bottom = match[3] or left, int(match[4] or top)
            wide = _column_number(right) - _column_number(left) + 1
            self.count += max(1, wide) * max(1, bottom - top + 1)
            self.first = self.first or f"cell {(left + match[2]).decode('ascii')}"
            if len(self.rows) < MOST_ROWS:
                self.rows += range(top, min(bottom, top + MOST_ROWS - len(self.rows) - 1) + 1)


@dataclass(frozen=True)
class SheetParts:
    """What the parts of an XLSX file show about one sheet besides its values.

    `merged` are the cells that are merged over several rows: first row, last row, address. `list_sources` are the names
    of other sheets with the values of its drop-downs.
    """

    sheet: str
    hidden_rows: CellCount = field(default_factory=CellCount)
    hidden_columns: CellCount = field(default_factory=CellCount)
    errors: CellCount = field(default_factory=CellCount)
    without_results: CellCount = field(default_factory=CellCount)
    links: CellCount = field(default_factory=CellCount)
    merged: list[tuple[int, int, str]] = field(default_factory=list)
    list_sources: set[str] = field(default_factory=set)


def read_parts(content: bytes) -> list[SheetParts]:
    """What the parts of an XLSX file show, sheet by sheet in its order; empty if they cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sheets = list(_sheet_paths(archive))
            parts = {path: _read_part(archive, name, path) for name, path in reversed(sheets)}  # sheets can share one
            names = _defined_names(archive) if any(part.list_sources for part in parts.values()) else {}
    except (*BROKEN_ARCHIVE, KeyError):
        return []
    return [
        replace(parts[path], sheet=name, list_sources=_sheets_in(parts[path].list_sources, names) - {name})
        for name, path in sheets
    ]


def _sheets_in(sources: Iterable[str], names: Mapping[str, str]) -> set[str]:
    """The sheets that references or named ranges are in; a list of values within the rule itself has none."""
    found = (_SHEET_IN_REFERENCE.match(names.get(source.removeprefix("="), source)) for source in sources)
    return {(match[1] or match[2]).replace("''", "'") for match in found if match}


def _defined_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """What each named range of the workbook refers to."""
    found = _DEFINED_NAME.findall(archive.read("xl/workbook.xml"))
    return {_text(_attributes(tag).get(b"name", b"")): _text(reference) for tag, reference in found}


def _text(content: bytes) -> str:
    return html.unescape(content.decode("utf-8", "replace"))


def _sheet_paths(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """The name and the part of each sheet."""
    links = {
        link.get(b"Id"): link.get(b"Target", b"").decode("utf-8", "replace")
        for link in map(_attributes, _LINK.findall(archive.read("xl/_rels/workbook.xml.rels")))
    }
    present = set(archive.namelist())
    for sheet in map(_attributes, _SHEET.findall(archive.read("xl/workbook.xml"))):
        target = next((links.get(value) for name, value in sheet.items() if name.endswith(b":id")), None)
        path = (target or "").removeprefix("/xl/").removeprefix("./")
        if f"xl/{path}" in present:
            yield html.unescape(sheet.get(b"name", b"").decode("utf-8", "replace")), f"xl/{path}"


def _attributes(tag: bytes) -> dict[bytes, bytes]:
    return dict(_ATTRIBUTE.findall(tag))


def _read_part(archive: zipfile.ZipFile, name: str, path: str) -> SheetParts:
    parts, kept = SheetParts(name), b""
    with archive.open(path) as stream:
        while chunk := stream.read(_PIECE):
            piece = kept + chunk
            # Cut after a row or another tag, so that no tag is split.
            cut = (piece.rfind(b"</row>") + 6) if b"</row>" in piece else piece.rfind(b">") + 1 or len(piece)
            kept = piece[cut:]
            _search_piece(piece[:cut], parts)
    _search_piece(kept, parts)
    return parts


def _search_piece(piece: bytes, parts: SheetParts) -> None:
    """Add what a piece shows. A plain search for a word comes first: it is much faster than the patterns."""
    if b"hidden=" in piece:
        parts.hidden_rows.add(f"row {_attribute(row, b'r')}" for row in _HIDDEN_ROW.findall(piece))
        numbers = (_attribute(column, b"min") for column in _HIDDEN_COLUMN.findall(piece))
        parts.hidden_columns.add(
            f"column {letter(int(number) - 1) if number.isdigit() and len(number) < 6 else number}"
            for number in numbers
        )
    if b't="e"' in piece:
        parts.errors.add(f"cell {_attribute(tag, b'r')}" for tag in _ERROR.findall(piece))
    if b"<f" in piece or b":f" in piece:
        formulas = (tag for tag in _FORMULA.findall(piece) if not _TEXT_OR_ERROR.search(tag))
        parts.without_results.add_cells(_attributes(tag).get(b"r", b"") for tag in formulas)
    if b"HYPERLINK(" in piece:
        # In a formula that is filled down, only the first cell has the text, and the range of all.
        found = ((_attributes(cell), _attributes(formula)) for cell, formula in _LINK_FORMULA.findall(piece))
        parts.links.add_cells(formula.get(b"ref") or cell.get(b"r", b"") for cell, formula in found)
    if b"hyperlink " in piece:
        parts.links.add_cells(_attributes(tag).get(b"ref", b"") for tag in _HYPERLINK.findall(piece))
    if b"formula1" in piece:
        parts.list_sources.update(map(_text, _LIST_SOURCE.findall(piece)))
    if b"mergeCell" in piece:
        for left, top, right, bottom in _MERGED.findall(piece):
            if int(bottom) > int(top):
                address = (left + top + b":" + right + bottom).decode("ascii")
                parts.merged.append((int(top), int(bottom), address))


def _attribute(tag: bytes, name: bytes) -> str:
    return _attributes(tag).get(name, b"?").decode("ascii", "replace")
