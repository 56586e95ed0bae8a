"""Workbooks (XLSX, XLS, ODS) to grids, through a child process with bounded memory and time."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import PIPE
from threading import Timer
from typing import IO

from piperoll.reading.files import workbook_cells
from piperoll.reading.files.archives import BROKEN_ARCHIVE
from piperoll.reading.grids.blocks import Block
from piperoll.reading.grids.grid import Grid
from piperoll.reading.grids.rows import Rows

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
