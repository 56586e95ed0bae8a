"""What kind of file this is, told by its bytes and never by its extension."""

from __future__ import annotations

import re
from dataclasses import dataclass

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
