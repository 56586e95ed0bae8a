"""What kind of file this is, told by its bytes and never by its extension."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
import zlib
from dataclasses import dataclass, replace

LIMIT = 600_000_000
"""Bytes that a container may hold when opened: three times the largest download we take (settings)."""

_LITTER = re.compile(r"(?:\A__MACOSX/|(?:\A|/)(?:\.DS_Store|Thumbs\.db|desktop\.ini)\Z)", re.I)
"""What file managers put into archives beside the files themselves."""

_RATIO = 2000
"""How many times its size a container may grow; the best real tables compress about 100 to 1."""

_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|script)\b", re.I | re.S)
_XML = re.compile(rb"\s*<\?xml\b")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM\x9e", b"II*\x00", b"MM\x00*", b"{\\rtf")
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is: `format` as `Reading.format`, the bytes to read, and how they were wrapped.

    `trouble` is the code of a finding when the file cannot be opened: `archive-of-several`,
    `archive-too-large`, `archive-broken`.
    """

    format: str
    content: bytes
    container: str | None = None
    member: str | None = None
    trouble: str | None = None


BROKEN_ARCHIVE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError),
)
"""What `zipfile` raises over an archive that is cut, damaged, encrypted or packed in a way it does not know."""


def classify(content: bytes) -> Kind:
    """The kind of a file, with a zip or gzip around a single file opened (once)."""
    if content[:4] == b"PK\x03\x04" or content[:4] == b"PK\x05\x06":
        return _zip(content)
    if content[:2] == b"\x1f\x8b":
        return _gzip(content)
    return Kind(_plain_format(content), content)


def _plain_format(content: bytes) -> str:
    head = content[:4096]
    if not content.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        return "empty"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "xls"
    if b"%PDF-" in head[:1024]:
        return "pdf"
    bare = content.removeprefix(b"\xef\xbb\xbf")
    if _HTML.match(bare[:65536]) or (_XML.match(bare) and re.search(rb"<html\b", head, re.I)):
        return "html"
    if bare.lstrip()[:1] in (b"{", b"[") and _is_json(bare):
        return "json"
    return "unknown" if _is_binary(content) or _XML.match(bare) else "csv"


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _is_binary(content: bytes) -> bool:
    if content.startswith(_PICTURES):
        return True
    if content.startswith(_BOMS):
        return False
    head = content[:65536]
    control = sum(head.count(bytes([code])) for code in range(32) if code not in (0, 9, 10, 11, 12, 13, 26))
    return control > len(head) // 100 + 8


def _zip(content: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _zip_kind(archive, content)
    except BROKEN_ARCHIVE:
        return Kind("unknown", content, "zip", None, "archive-broken")


def _zip_kind(archive: zipfile.ZipFile, content: bytes) -> Kind:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    names = {info.filename for info in infos}
    if names & {"xl/workbook.xml", "xl/workbook.bin"}:
        return Kind("xlsx", content)
    if "mimetype" in names and "content.xml" in names:
        return Kind("ods", content)
    if "word/document.xml" in names:
        return Kind("unknown", content)
    real = [info for info in infos if not _LITTER.search(info.filename)]
    if len(real) != 1:
        return Kind("unknown", content, "zip", None, "archive-of-several" if real else "archive-empty")
    if real[0].file_size > min(LIMIT, max(1_000_000, len(content) * _RATIO)):
        return Kind("unknown", content, "zip", real[0].filename, "archive-too-large")
    with archive.open(real[0]) as stream:
        return _inside(stream.read(LIMIT + 1), "zip", real[0].filename)


def _gzip(content: bytes) -> Kind:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            inner = stream.read(min(LIMIT, max(1_000_000, len(content) * _RATIO)) + 1)
    except (OSError, EOFError, zlib.error):
        return Kind("unknown", content, "gzip", None, "archive-broken")
    if len(inner) > min(LIMIT, max(1_000_000, len(content) * _RATIO)):
        return Kind("unknown", content, "gzip", None, "archive-too-large")
    return _inside(inner, "gzip", None)


def _inside(inner: bytes, container: str, member: str | None) -> Kind:
    if inner[:2] == b"\x1f\x8b":
        return Kind("unknown", inner, container, member, "archive-of-several")
    if inner[:4] == b"PK\x03\x04":
        nested = _zip(inner)
        if nested.container:
            return Kind("unknown", inner, container, member, "archive-of-several")
        return replace(nested, container=container, member=member)
    return Kind(_plain_format(inner), inner, container, member)
