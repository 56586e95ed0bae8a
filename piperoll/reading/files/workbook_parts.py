"""What the parts of an XLSX say beside its values: what is hidden, merged, in error, or a formula never worked out."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from piperoll.reading.files.archives import BROKEN_ARCHIVE
from piperoll.reading.grids.grid import letter

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
        for piece in _pieces(stream):
            _look(piece, parts)
    return parts


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
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
