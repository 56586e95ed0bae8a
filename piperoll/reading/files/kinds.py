"""What kind of file this is, told by its bytes and never by its extension."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from piperoll.reading.files.contents import Content, whole

_HEAD = 65_536
_MARKUP = rb"\s*(?:<\?xml\b[^>]*>\s*)?(?:<!--.*?-->\s*)*"
_HTML = re.compile(_MARKUP + rb"<(?:!doctype\s+html|html|head|body|table|script|meta|style)\b", re.I | re.S)
_SHEETS = re.compile(rb'<\?mso-application\s+progid="Excel\.Sheet"|<Workbook\b[^>]*office:spreadsheet')
_XML = re.compile(rb"\s*<(?:\?xml\b|!DOCTYPE\b|[A-Za-z][\w:.-]*(?:\s[^<>]*)?>.*</)", re.S)
_JSON = re.compile(rb'\s*(?:\{\s*(?:["}]|\Z)|\[\s*(?:["{\[\]]|-?\d|\Z))')
_SAYING = re.compile(rb"[^\x00 \t\r\n\xef\xbb\xbf\xff\xfe]")
"""A byte that is neither white space nor part of a mark at the beginning."""

_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_SIGNS = (
    *((b"\x89PNG", "picture"), (b"\xff\xd8\xff", "picture"), (b"GIF8", "picture"), (b"BM", "picture")),
    *((b"II*\x00", "picture"), (b"MM\x00*", "picture"), (b"RIFF", "picture")),
    *((b"{\\rtf", "document"), (b"PAR1", "parquet"), (b"SQLite format 3\x00", "database")),
    *((b"7z\xbc\xaf\x27\x1c", "archive"), (b"Rar!\x1a\x07", "archive"), (b"BZh", "archive")),
    *((b"\xfd7zXZ\x00", "archive"), (b"\x28\xb5\x2f\xfd", "archive")),
)
"""What files begin with that hold no table we read. Those of two or three letters count in binary files alone."""

_STREAMS = (
    *(("Workbook", "xls"), ("Book", "xls"), ("EncryptedPackage", "protected"), ("WordDocument", "document")),
    *(("PowerPoint Document", "document"), ("__substg1.0", "document")),
)
"""What a compound file of Microsoft's is, by the name of a stream in it; the first that is there decides."""

_BEGIN, _FILEPASS = b"\x09\x08\x10\x00\x00\x06\x05\x00", b"\x2f\x00"
_FIRST = 4
"""Before the password stand at most the beginning and the mark of a file that is written with one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is: `format` as `Reading.format`, the bytes to read, and how they were wrapped.

    `trouble` is the code of a finding when the file cannot be opened: `archive-…`, `workbook-…`. `others` are the
    names of the files that lay beside the one that was taken, or among which none could be.
    """

    format: str
    content: Content
    container: str | None = None
    member: str | None = None
    trouble: str | None = None
    others: tuple[str, ...] = ()


def plain_kind(content: Content) -> Kind:
    """The kind of a file that is no zip or gzip; only a text is left where it lies."""
    found = _format(content)
    content = content if found == "csv" else whole(content)
    if found == "protected":
        return Kind("xls", content, trouble="workbook-protected")
    if found == "archive":
        return Kind("unknown", content, trouble="archive-unknown")
    return Kind(found, content)


def _format(content: Content) -> str:
    if not any(_SAYING.search(content[at : at + _HEAD]) for at in range(0, len(content), _HEAD)):
        return "empty"
    head = content[:_HEAD]
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return _compound(whole(content))
    if b"%PDF-" in head[:1024]:
        return "pdf"
    binary = is_binary(head)
    sign = next((kind for start, kind in _SIGNS if head.startswith(start) and (binary or len(start) > 3)), None)
    if sign is not None:
        return sign
    if head[257:262] == b"ustar":
        return "archive"
    return "unknown" if binary else _text_format(head)


def _text_format(head: bytes) -> str:
    """The kind of a text by its beginning; NUL bytes are left out, so that UTF-16 looks alike."""
    for bom in _BOMS:
        head = head.removeprefix(bom)
    head = head.replace(b"\x00", b"")
    if _SHEETS.search(head[:4096]):
        return "xml"
    if _HTML.match(head) or (_XML.match(head) and re.search(rb"<html\b", head[:4096], re.I)):
        return "html"
    if _XML.match(head):
        return "markup"
    return "json" if _JSON.match(head) else "csv"


def _compound(content: bytes) -> str:
    """What lies in a compound file: an old workbook, a new one behind a password, a letter."""
    if _is_locked(content):
        return "protected"
    return next((kind for name, kind in _STREAMS if name.encode("utf-16-le") in content), "xls")


def _is_locked(content: bytes) -> bool:
    """Whether an old workbook has a password: a FILEPASS record among its first (MS-XLS 2.4.117)."""
    place = content.find(_BEGIN)
    for _ in range(_FIRST if place >= 0 else 0):
        kind, size = content[place : place + 2], int.from_bytes(content[place + 2 : place + 4], "little")
        if kind == _FILEPASS:
            return True
        place += 4 + size
    return False


def is_binary(content: bytes) -> bool:
    """Whether the bytes hold too many control characters for a text."""
    if content.startswith(_BOMS):
        return False
    head = content[:_HEAD]
    control = sum(head.count(bytes([code])) for code in range(1, 32) if code not in (9, 10, 11, 12, 13, 26, 27))
    nuls = max(head[0::2].count(0), head[1::2].count(0)) / (len(head) / 2) if head else 0
    both = min(head[0::2].count(0), head[1::2].count(0)) > len(head) // 20
    return control > len(head) // 100 + 8 or (both and nuls > 0.1)


# What lies in a zip or gzip: the one table in it, or why it cannot be had.


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
