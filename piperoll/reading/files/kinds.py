"""What kind of file this is, recognised by its bytes and never by its extension.

A zip or gzip around a table is opened, once; a zip of several files only if exactly one of them is a table.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from piperoll.reading.files.contents import Content, unpack, whole
from piperoll.reading.files.limits import MEMBERS, loaded_limit, unpacked_limit

_HEAD = 65_536
"""Bytes from the beginning of a file that decide its kind."""
_MARKUP = rb"\s*(?:<\?xml\b[^>]*>\s*)?(?:<!--.*?-->\s*)*"
_HTML = re.compile(_MARKUP + rb"<(?:!doctype\s+html|html|head|body|table|script|meta|style)\b", re.I | re.S)
_SHEETS = re.compile(rb'<\?mso-application\s+progid="Excel\.Sheet"|<Workbook\b[^>]*office:spreadsheet')
_XML = re.compile(rb"\s*<(?:\?xml\b|!DOCTYPE\b|[A-Za-z][\w:.-]*(?:\s[^<>]*)?>.*</)", re.S)
_JSON = re.compile(rb'\s*(?:\{\s*(?:["}]|\Z)|\[\s*(?:["{\[\]]|-?\d|\Z))')
_VISIBLE = re.compile(rb"[^\x00 \t\r\n\xef\xbb\xbf\xff\xfe]")
"""A byte that is neither white space nor part of a byte order mark."""

_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_SIGNATURES = (
    *((b"\x89PNG", "picture"), (b"\xff\xd8\xff", "picture"), (b"GIF8", "picture"), (b"BM", "picture")),
    *((b"II*\x00", "picture"), (b"MM\x00*", "picture"), (b"RIFF", "picture")),
    *((b"{\\rtf", "document"), (b"PAR1", "parquet"), (b"SQLite format 3\x00", "database")),
    *((b"7z\xbc\xaf\x27\x1c", "archive"), (b"Rar!\x1a\x07", "archive"), (b"BZh", "archive")),
    *((b"\xfd7zXZ\x00", "archive"), (b"\x28\xb5\x2f\xfd", "archive")),
)
"""What files that are not tables begin with. Signatures of two or three letters apply only to binary files."""

_STREAMS = (
    *(("Workbook", "xls"), ("Book", "xls"), ("EncryptedPackage", "protected"), ("WordDocument", "document")),
    *(("PowerPoint Document", "document"), ("__substg1.0", "document")),
)
"""What a Microsoft compound file is, by the name of a stream in it; the first that is present decides."""

_COMPOUND = b"\xd0\xcf\x11\xe0"
"""The beginning of a Microsoft compound file."""

_TOO_LARGE = "archive-too-large"

_BOF, _FILEPASS = b"\x09\x08\x10\x00\x00\x06\x05\x00", b"\x2f\x00"
_RECORDS = 4
"""Records of an old workbook to look at: FILEPASS follows the BOF record, with at most WRITEPROT between them."""

_LITTER = re.compile(r"(?:\A__MACOSX/|(?:\A|/)(?:\.DS_Store|Thumbs\.db|desktop\.ini)\Z)", re.I)
"""Files that file managers add to archives."""

_TABLES = ("xlsx", "xls", "ods", "xml", "json", "csv")
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED = 0x1
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How the files of a zip can be packed. Others cannot be unpacked piece by piece, so that their size has no bound."""

BROKEN_ARCHIVE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError),
)
"""What `zipfile` raises for an archive that is cut off, damaged, encrypted or packed in an unknown way."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is: `format` as in `Reading.format`, the bytes to read, and the archive they were in.

    `trouble` is the code of the finding if the file cannot be opened: `archive-…`, `workbook-…`. `others` are the names
    of the files beside the one that is read, or of all files if none can be chosen.
    """

    format: str
    content: Content
    container: str | None = None
    member: str | None = None
    trouble: str | None = None
    others: tuple[str, ...] = ()
    received: int = 0
    """The bytes of the file as received."""
    limit: int = 0
    """With `archive-too-large`: the most bytes that are unpacked."""


def classify_plain(content: Content, limit: int | None = None) -> Kind:
    """The kind of a file that is not a zip or gzip. Text stays on the disk; anything else is loaded.

    A file from an archive is loaded up to the `limit`; beyond it, it is `archive-too-large`.
    """
    large = limit is not None and len(content) > limit
    if large and content[:4] == _COMPOUND:
        return Kind("xls", b"", trouble=_TOO_LARGE, limit=limit or 0)
    found = _format(content)
    if large and found != "csv":
        return Kind(found, b"", trouble=_TOO_LARGE, limit=limit or 0)
    content = content if found == "csv" else whole(content)
    if found == "protected":
        return Kind("xls", content, trouble="workbook-protected")
    if found == "archive":
        return Kind("unknown", content, trouble="archive-unknown")
    return Kind(found, content)


def _format(content: Content) -> str:
    if not any(_VISIBLE.search(content[at : at + _HEAD]) for at in range(0, len(content), _HEAD)):
        return "empty"
    head = content[:_HEAD]
    if head.startswith(_COMPOUND):
        return _compound_format(whole(content))
    if b"%PDF-" in head[:1024]:
        return "pdf"
    binary = is_binary(head)
    sign = next((kind for start, kind in _SIGNATURES if head.startswith(start) and (binary or len(start) > 3)), None)
    if sign is not None:
        return sign
    if head[257:262] == b"ustar":
        return "archive"
    return "unknown" if binary else _text_format(head)


def _text_format(head: bytes) -> str:
    """The kind of a text by its beginning; NUL bytes are ignored, so that UTF-16 looks the same."""
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


def _compound_format(content: bytes) -> str:
    """What a Microsoft compound file is: an old workbook, a new one with a password, a document."""
    # An old workbook with a password has a FILEPASS record among its first records (MS-XLS 2.4.117).
    start = content.find(_BOF)
    for _ in range(_RECORDS if start >= 0 else 0):
        if content[start : start + 2] == _FILEPASS:
            return "protected"
        start += 4 + int.from_bytes(content[start + 2 : start + 4], "little")
    return next((kind for name, kind in _STREAMS if name.encode("utf-16-le") in content), "xls")


def is_binary(content: bytes) -> bool:
    """Whether the bytes have too many control characters to be text."""
    if content.startswith(_BOMS):
        return False
    head = content[:_HEAD]
    control = sum(head.count(bytes([code])) for code in range(1, 32) if code not in (9, 10, 11, 12, 13, 26, 27))
    nuls = max(head[0::2].count(0), head[1::2].count(0)) / (len(head) / 2) if head else 0
    both = min(head[0::2].count(0), head[1::2].count(0)) > len(head) // 20
    return control > len(head) // 100 + 8 or (both and nuls > 0.1)


def classify(content: Content) -> Kind:
    """Recognise a file; a zip or gzip is opened."""
    if content[:4] in _ZIPS:
        kind = _classify_zip(whole(content))
    elif content[:2] == b"\x1f\x8b":
        kind = _classify_gzip(whole(content))
    else:
        kind = classify_plain(content)
    return replace(kind, received=len(content))


def _classify_zip(content: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _classify_members(archive, content)
    except BROKEN_ARCHIVE as error:
        _raise_if_disk_failed(error)
        office = b"[Content_Types].xml" in content[:100_000] or b"xl/" in content[:100_000]
        if office:
            return Kind("xlsx", content, trouble="workbook-broken")
        if b"mimetypeapplication/vnd.oasis" in content[:100]:
            return Kind("ods", content, trouble="workbook-broken")
        return Kind("unknown", content, "zip", None, "archive-broken")


def _classify_members(archive: zipfile.ZipFile, content: bytes) -> Kind:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if office := _office_format(archive, {info.filename for info in infos}):
        return Kind(office, content)
    real = [info for info in infos if not _LITTER.search(info.filename)]
    if not real or len(real) > MEMBERS:
        names = tuple(info.filename for info in real)
        return Kind("unknown", content, "zip", None, "archive-of-several" if real else "archive-empty", names)
    if any(info.flag_bits & _ENCRYPTED for info in real):
        return Kind("unknown", content, "zip", None, "archive-protected")
    if any(info.compress_type not in _PACKINGS for info in real):
        return Kind("unknown", content, "zip", None, "archive-unknown")
    limit = unpacked_limit(len(content))
    if sum(info.file_size for info in real) > limit:
        return Kind("unknown", content, "zip", real[0].filename, _TOO_LARGE, limit=limit)
    return _classify_only_table(archive, real, content)


def _office_format(archive: zipfile.ZipFile, names: set[str]) -> str | None:
    """The format of a file that an office program saved as a zip; None for any other zip."""
    if names & {"xl/workbook.xml", "xl/workbook.bin"}:
        return "xlsx"
    if names & {"word/document.xml", "ppt/presentation.xml"}:
        return "document"
    if "mimetype" in names and "content.xml" in names:
        with archive.open("mimetype") as stream:
            return "ods" if b"spreadsheet" in stream.read(200) else "document"
    return None


def _classify_only_table(archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo], content: bytes) -> Kind:
    """The only file, or the only table among several files, with the names of the others."""

    def open_member(info: zipfile.ZipInfo) -> Kind:
        with archive.open(info) as stream:
            return _classify_inner(unpack(stream, info.file_size) or b"", "zip", info.filename, len(content))

    if len(infos) == 1:
        return open_member(infos[0])
    tables = [info for info in infos if _is_table(open_member(info))]
    if len(tables) != 1:
        return Kind("unknown", content, "zip", None, "archive-of-several", tuple(info.filename for info in infos))
    others = tuple(info.filename for info in infos if info is not tables[0])
    return replace(open_member(tables[0]), others=others)


def _is_table(kind: Kind) -> bool:
    """Whether a file looks like a table; a text does if most of its first lines have the same number of cells."""
    if kind.trouble or kind.format not in _TABLES:
        return False
    if kind.format != "csv":
        return True
    lines = [line for line in kind.content[:20_000].replace(b"\x00", b"").splitlines()[:100] if line.strip()]
    cells = Counter(max(line.count(mark) for mark in b",\t;|") for line in lines)
    width, times = cells.most_common(1)[0] if cells else (0, 0)
    return width > 0 and 2 * times > len(lines)


def _classify_gzip(content: bytes) -> Kind:
    limit = unpacked_limit(len(content))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            inner = unpack(stream, limit)
    except (OSError, EOFError, zlib.error) as error:
        _raise_if_disk_failed(error)
        return Kind("unknown", content, "gzip", None, "archive-broken")
    if inner is None:
        return Kind("unknown", content, "gzip", None, _TOO_LARGE, limit=limit)
    return _classify_inner(inner, "gzip", None, len(content))


def _raise_if_disk_failed(error: Exception) -> None:
    """Raise the error if it is one of the disk and not of the archive: those of `zipfile` and `gzip` have no number."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error


def _classify_inner(content: Content, container: str, member: str | None, received: int) -> Kind:
    """The kind of a file from an archive. An archive in an archive is not opened: it could contain itself."""
    if content[:2] == b"\x1f\x8b":
        return Kind("unknown", b"", container, member, "archive-of-several")
    limit = loaded_limit(received)
    if content[:4] not in _ZIPS:
        return replace(classify_plain(content, limit), container=container, member=member)
    if len(content) > limit:
        return Kind("unknown", b"", container, member, _TOO_LARGE, limit=limit)
    inner = whole(content)
    try:
        with zipfile.ZipFile(io.BytesIO(inner)) as archive:
            office = _office_format(archive, set(archive.namelist()))
    except BROKEN_ARCHIVE as error:
        _raise_if_disk_failed(error)
        return Kind("unknown", inner, container, member, "archive-broken")
    return Kind(office or "unknown", inner, container, member, None if office else "archive-of-several")
