"""What lies in a zip or gzip: the one table in it, or why it cannot be had."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from piperoll.reading.files.contents import Content, whole
from piperoll.reading.files.kinds import Kind, plain_kind

LIMIT = 600_000_000
"""Bytes that a container may hold when opened: three times the largest download we take (settings)."""

_LITTER = re.compile(r"(?:\A__MACOSX/|(?:\A|/)(?:\.DS_Store|Thumbs\.db|desktop\.ini)\Z)", re.I)
"""What file managers put into archives beside the files themselves."""

_RATIO = 2000
"""How many times its size a container may grow; the best real tables compress about 100 to 1."""

_FLOOR = 1_000_000
"""A container may always grow to this: a small file of blanks grows more than any ratio allows."""

_FEW = 20
"""Among more files than this nobody looks for the one table."""

_TABLES = ("xlsx", "xls", "ods", "xml", "json", "csv")
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED = 0x1

BROKEN_ARCHIVE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError),
)
"""What `zipfile` raises over an archive that is cut, damaged, encrypted or packed in a way it does not know."""


def classify(content: Content) -> Kind:
    """The kind of a file, with a zip or gzip around a table opened (once)."""
    if content[:4] in _ZIPS:
        return _zip(whole(content))
    if content[:2] == b"\x1f\x8b":
        return _gzip(whole(content))
    return plain_kind(content)


def _zip(content: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _zip_kind(archive, content)
    except BROKEN_ARCHIVE:
        office = b"[Content_Types].xml" in content[:100_000] or b"xl/" in content[:100_000]
        if office:
            return Kind("xlsx", content, trouble="workbook-broken")
        if b"mimetypeapplication/vnd.oasis" in content[:100]:
            return Kind("ods", content, trouble="workbook-broken")
        return Kind("unknown", content, "zip", None, "archive-broken")


def _zip_kind(archive: zipfile.ZipFile, content: bytes) -> Kind:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if office := _office(archive, {info.filename for info in infos}):
        return Kind(office, content)
    real = [info for info in infos if not _LITTER.search(info.filename)]
    if not real or len(real) > _FEW:
        names = tuple(info.filename for info in real)
        return Kind("unknown", content, "zip", None, "archive-of-several" if real else "archive-empty", names)
    if any(info.flag_bits & _ENCRYPTED for info in real):
        return Kind("unknown", content, "zip", None, "archive-protected")
    if sum(info.file_size for info in real) > min(LIMIT, max(_FLOOR, len(content) * _RATIO)):
        return Kind("unknown", content, "zip", real[0].filename, "archive-too-large")
    return _member(archive, real, content)


def _office(archive: zipfile.ZipFile, names: set[str]) -> str | None:
    """What an office program saved as a zip; None if none did."""
    if names & {"xl/workbook.xml", "xl/workbook.bin"}:
        return "xlsx"
    if names & {"word/document.xml", "ppt/presentation.xml"}:
        return "document"
    if "mimetype" in names and "content.xml" in names:
        with archive.open("mimetype") as stream:
            return "ods" if b"spreadsheet" in stream.read(200) else "document"
    return None


def _member(archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo], content: bytes) -> Kind:
    """The only file, or the only table beside files that are none; told with the others' names."""
    if len(infos) == 1:
        return _inside(archive.read(infos[0]), "zip", infos[0].filename)
    tables = [info for info in infos if _holds_table(archive.read(info))]
    if len(tables) != 1:
        return Kind("unknown", content, "zip", None, "archive-of-several", tuple(info.filename for info in infos))
    others = tuple(info.filename for info in infos if info is not tables[0])
    return replace(_inside(archive.read(tables[0]), "zip", tables[0].filename), others=others)


def _holds_table(content: bytes) -> bool:
    """Whether a file among several looks like a table: a text does if most of its first lines have several cells."""
    kind = _inside(content, "zip", None)
    if kind.trouble or kind.format not in _TABLES:
        return False
    if kind.format != "csv":
        return True
    lines = [line for line in kind.content[:20_000].replace(b"\x00", b"").splitlines()[:100] if line.strip()]
    cells = Counter(max(line.count(mark) for mark in b",\t;|") for line in lines)
    width, times = cells.most_common(1)[0] if cells else (0, 0)
    return width > 0 and 2 * times > len(lines)


def _gzip(content: bytes) -> Kind:
    limit = min(LIMIT, max(_FLOOR, len(content) * _RATIO))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            inner = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        return Kind("unknown", content, "gzip", None, "archive-broken")
    if len(inner) > limit:
        return Kind("unknown", content, "gzip", None, "archive-too-large")
    return _inside(inner, "gzip", None)


def _inside(inner: bytes, container: str, member: str | None) -> Kind:
    """The kind of what was wrapped; an archive within an archive is not opened, as it may hold itself."""
    if inner[:2] == b"\x1f\x8b":
        return Kind("unknown", inner, container, member, "archive-of-several")
    if inner[:4] not in _ZIPS:
        return replace(plain_kind(inner), container=container, member=member)
    try:
        with zipfile.ZipFile(io.BytesIO(inner)) as archive:
            office = _office(archive, set(archive.namelist()))
    except BROKEN_ARCHIVE:
        return Kind("unknown", inner, container, member, "archive-broken")
    return Kind(office or "unknown", inner, container, member, None if office else "archive-of-several")
