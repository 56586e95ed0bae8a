"""Workbooks (XLSX, XLS, ODS) to grids, through a child process with bounded memory and time."""

from __future__ import annotations

import html
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from subprocess import PIPE
from threading import Timer
from typing import IO

from piperoll.reading.files import workbook_cells
from piperoll.reading.files.kinds import BROKEN_ARCHIVE
from piperoll.reading.grids.blocks import Block
from piperoll.reading.grids.grid import Grid, Rows, letter

CELLS = 60_000_000
"""The largest rectangle of cells a sheet may span: sixty columns of a full sheet; a far-away cell makes it larger."""

UNPACKED = 1_500_000_000
"""Bytes that a workbook's parts may hold when unpacked."""

_NEAR_ROWS = 99_999
_FAR = re.compile(rb'r="(?=[A-Z]{2}|[A-Z]?\d{6})([A-Z]{0,7})(?:\d{1,5}(?!\d)|(\d{6,10}))')
"""What looks like the reference of a row beyond _NEAR_ROWS, or of a column beyond Z."""

_ROWS = re.compile(rb'<row\b[^>]*?\br="(\d{1,10})"')
_FAR_ROWS = re.compile(rb'<c\b[^>]*?\br="[A-Z]{1,7}(\d{6,10})"')
_FAR_COLUMNS = re.compile(rb'<c\b[^>]*?\br="([A-Z]{2,7})\d')


@dataclass(frozen=True)
class Workbook:
    """The sheets of a workbook; or `trouble`: workbook-broken, workbook-too-large or workbook-protected."""

    grids: tuple[Grid, ...] = ()
    trouble: str | None = None


def read_workbook(content: bytes, kind: str) -> Workbook:
    """The sheets of a workbook, hidden ones too, with rows counted as the spreadsheet program does; never fails."""
    if kind in ("xlsx", "ods") and (trouble := bomb(content)):
        return Workbook(trouble=trouble)
    with tempfile.TemporaryFile() as errors:  # a pipe could fill while the child is not listened to
        command = [sys.executable, "-I", workbook_cells.__file__]
        child = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=errors)  # noqa: S603 (our own script)
        with child, _killed_after(2 * workbook_cells.SECONDS, child):
            grids = _answer(child, content)
        if child.returncode == 0 and grids is not None:
            return Workbook(grids)
        errors.seek(0)
        return Workbook(trouble=_reason(child.returncode, errors.read()))


@contextmanager
def _killed_after(seconds: float, child: subprocess.Popen[bytes]) -> Iterator[None]:
    timer = Timer(seconds, child.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _answer(child: subprocess.Popen[bytes], content: bytes) -> tuple[Grid, ...] | None:
    """The sheets as the child tells them; None if it stops before the end."""
    if child.stdin is None or child.stdout is None:
        return None
    try:
        with child.stdin:
            child.stdin.write(content)
        return tuple(_grids(child.stdout))
    except (BrokenPipeError, EOFError):
        return None


def _reason(status: int, message: bytes) -> str:
    if b"Password" in message or b"encrypted" in message:
        return "workbook-protected"
    if status < 0 or b"MemoryError" in message or b"memory allocation" in message or b"capacity overflow" in message:
        return "workbook-too-large"
    return "workbook-broken"


def _grids(stream: IO[bytes]) -> Iterator[Grid]:
    while line := stream.readline():
        sheet = json.loads(line)
        yield Grid(sheet["sheet"], Rows.of_blocks(_blocks(stream)), sheet["hidden"])


def _blocks(stream: IO[bytes]) -> Iterator[Block]:
    """The blocks of one sheet."""
    first = 1
    while sizes := json.loads(_line(stream)):
        rows, cells, text = (_exactly(stream, size) for size in sizes)
        block = Block.of_buffers(first, rows, cells, text)
        yield block
        first += len(block)


def _line(stream: IO[bytes]) -> bytes:
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    return line


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content


def bomb(content: bytes) -> str | None:
    """Why a workbook must not be opened, told from its parts' sizes and cell references alone; None if it may."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(info.file_size for info in archive.infolist()) > UNPACKED:
                return "workbook-too-large"
            sheets = [info for info in archive.infolist() if re.match(r"xl/worksheets/[^/]+\.xml\Z", info.filename)]
            return "workbook-too-large" if any(_too_wide(archive, info) for info in sheets) else None
    except BROKEN_ARCHIVE:
        return "workbook-broken"


def _too_wide(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    """Whether the cells of a sheet span more than CELLS, by their references, before anything is laid out in memory."""
    return _may_be_too_wide(archive, info) and _is_too_wide(archive, info)


def _may_be_too_wide(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    """The same from what looks like a far reference alone, which is quick to find: never False for a sheet that is."""
    rows, columns = _NEAR_ROWS, 26
    for piece in _pieces(archive, info):
        for letters, row in set(_FAR.findall(piece)):
            rows, columns = max(rows, int(row or 0)), max(columns, _column(letters))
        if rows * columns > CELLS:
            return True
    return False


def _is_too_wide(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    rows, columns = 1, 26
    for piece in _pieces(archive, info):
        rows = max([rows, *map(int, _ROWS.findall(piece)), *map(int, _FAR_ROWS.findall(piece))])
        columns = max([columns, *map(_column, set(_FAR_COLUMNS.findall(piece)))])
        if rows * columns > CELLS:
            return True
    return False


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A part of the workbook in pieces that overlap by more than a reference."""
    tail = b""
    with archive.open(info) as stream:
        while chunk := stream.read(4_000_000):
            piece = tail + chunk
            yield piece
            tail = piece[-300:]


def _column(letters: bytes) -> int:
    number = 0
    for code in letters:
        number = number * 26 + code - 64
    return number


# What the parts of an XLSX say beside its values: what is hidden, merged, in error, or a formula never worked out.


_PIECE = 4_000_000
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b([^>]*)>")
_LINK = re.compile(rb"<(?:\w+:)?Relationship\b([^>]*)>")
_ATTRIBUTE = re.compile(rb'([\w:]+)\s*=\s*"([^"]*)"')
_ROW = re.compile(rb'<(?:\w+:)?row\b([^>]*\bhidden="(?:1|true)"[^>]*)>')
_COLUMN = re.compile(rb'<(?:\w+:)?col\b([^>]*\bhidden="(?:1|true)"[^>]*)>')
_ERROR = re.compile(rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>')
_FORMULA = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</(?:\w+:)?c>"
)
_NO_NUMBER = re.compile(rb't="(?:str|e)"')
"""A formula that gives a text may well give an empty one."""

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')


@dataclass
class Places:
    """How many of something a sheet holds, and the address of the first."""

    count: int = 0
    first: str = ""


@dataclass(frozen=True)
class Parts:
    """What the parts of one sheet say beside its values. `merged` are cells of several rows: first, last, address."""

    sheet: str
    hidden_rows: Places = field(default_factory=Places)
    hidden_columns: Places = field(default_factory=Places)
    errors: Places = field(default_factory=Places)
    unworked: Places = field(default_factory=Places)
    merged: list[tuple[int, int, str]] = field(default_factory=list)


def parts_of(content: bytes) -> list[Parts]:
    """What the parts of an XLSX say, sheet by sheet in its order; nothing where they cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [_parts(archive, name, path) for name, path in _sheets(archive)]
    except (*BROKEN_ARCHIVE, KeyError):
        return []


def _sheets(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """The name and the part of each sheet."""
    links = {
        link.get(b"Id"): link.get(b"Target", b"").decode("utf-8", "replace")
        for link in map(_attributes, _LINK.findall(archive.read("xl/_rels/workbook.xml.rels")))
    }
    there = set(archive.namelist())
    for sheet in map(_attributes, _SHEET.findall(archive.read("xl/workbook.xml"))):
        target = next((links.get(value) for name, value in sheet.items() if name.endswith(b":id")), None)
        path = (target or "").removeprefix("/xl/").removeprefix("./")
        if f"xl/{path}" in there:
            yield html.unescape(sheet.get(b"name", b"").decode("utf-8", "replace")), f"xl/{path}"


def _attributes(tag: bytes) -> dict[bytes, bytes]:
    return dict(_ATTRIBUTE.findall(tag))


def _parts(archive: zipfile.ZipFile, name: str, path: str) -> Parts:
    parts = Parts(name)
    with archive.open(path) as stream:
        for piece in _pieces_workbook_parts(stream):
            _look(piece, parts)
    return parts


def _pieces_workbook_parts(stream: IO[bytes]) -> Iterator[bytes]:
    """A part in pieces that end after a row or another tag, so that no tag is parted."""
    kept = b""
    while chunk := stream.read(_PIECE):
        whole = kept + chunk
        cut = (whole.rfind(b"</row>") + 6) if b"</row>" in whole else whole.rfind(b">") + 1 or len(whole)
        kept = whole[cut:]
        yield whole[:cut]
    yield kept


def _look(piece: bytes, parts: Parts) -> None:
    """Add what a piece says; what it cannot hold is not looked for."""
    if b"hidden=" in piece:
        _add(parts.hidden_rows, (f"row {_text(row, b'r')}" for row in _ROW.findall(piece)))
        _add(parts.hidden_columns, (f"column {_letters(column)}" for column in _COLUMN.findall(piece)))
    if b't="e"' in piece:
        _add(parts.errors, map(_cell, _ERROR.findall(piece)))
    if b"<f" in piece or b":f" in piece:
        _add(parts.unworked, (_cell(tag) for tag in _FORMULA.findall(piece) if not _NO_NUMBER.search(tag)))
    if b"mergeCell" in piece:
        parts.merged.extend(_tall(*found) for found in _MERGED.findall(piece) if int(found[3]) > int(found[1]))


def _add(places: Places, addresses: Iterable[str]) -> None:
    for address in addresses:
        places.count, places.first = places.count + 1, places.first or address


def _tall(left: bytes, top: bytes, right: bytes, bottom: bytes) -> tuple[int, int, str]:
    return int(top), int(bottom), (left + top + b":" + right + bottom).decode("ascii")


def _cell(tag: bytes) -> str:
    return f"cell {_text(tag, b'r')}"


def _text(tag: bytes, name: bytes) -> str:
    return _attributes(tag).get(name, b"?").decode("ascii", "replace")


def _letters(tag: bytes) -> str:
    number = _text(tag, b"min")
    return letter(int(number) - 1) if number.isdigit() and len(number) < 6 else number
