"""Workbooks (XLSX, XLS, ODS) to grids, through a child process with bounded memory and time."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from piperoll.reading import workbook_cells
from piperoll.reading.archives import BROKEN_ARCHIVE
from piperoll.reading.grids import Grid, Row
from piperoll.reading.rows import Rows

CELLS = 60_000_000
"""The largest rectangle of cells a sheet may span: sixty columns of a full sheet; a far-away cell makes it larger."""

UNPACKED = 1_500_000_000
"""Bytes that a workbook's parts may hold when unpacked."""

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
    script = Path(workbook_cells.__file__)
    try:
        done = subprocess.run(  # noqa: S603 (our own script, no shell)
            [sys.executable, "-I", str(script)],
            input=content,
            capture_output=True,
            timeout=2 * workbook_cells.SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Workbook(trouble="workbook-too-large")
    if done.returncode != 0:
        return Workbook(trouble=_reason(done.returncode, done.stderr))
    return Workbook(tuple(_grids(done.stdout)))


def _reason(status: int, message: bytes) -> str:
    if b"Password" in message or b"encrypted" in message:
        return "workbook-protected"
    if status < 0 or b"MemoryError" in message or b"memory allocation" in message or b"capacity overflow" in message:
        return "workbook-too-large"
    return "workbook-broken"


def _grids(output: bytes) -> Iterator[Grid]:
    sheets: list[tuple[str, bool, list[Row]]] = []
    for line in output.splitlines():
        document = json.loads(line)
        if isinstance(document, dict):
            sheets.append((document["sheet"], document["hidden"], []))
        else:
            rows = sheets[-1][2]
            rows.append(Row(len(rows) + 1, None, document))
    yield from (Grid(name, Rows.of(rows), hidden) for name, hidden, rows in sheets)


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
    rows, columns, tail = 1, 26, b""
    with archive.open(info) as stream:
        while chunk := stream.read(4_000_000):
            piece = tail + chunk
            rows = max([rows, *map(int, _ROWS.findall(piece)), *map(int, _FAR_ROWS.findall(piece))])
            columns = max([columns, *map(_column, set(_FAR_COLUMNS.findall(piece)))])
            tail = piece[-300:]
            if rows * columns > CELLS:
                return True
    return False


def _column(letters: bytes) -> int:
    number = 0
    for code in letters:
        number = number * 26 + code - 64
    return number
