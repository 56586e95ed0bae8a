"""Small whole files of every kind, made up here, to be damaged and to be recognised."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

HEAD = ("Body", "Date", "Expense Type", "Supplier", "Transaction Number", "Amount")
ROWS = (
    ("Fairshire Council", "01/04/2026", "Printing", "Acme Printing Ltd", "T001", "100.50"),
    ("Fairshire Council", "13/04/2026", "Rent", "Café Royal, Ltd", "T002", "£200.00"),
    ("Fairshire Council", "30/04/2026", "Rent", "Total Gas & Power – North", "T003", "-50.25"),
    ("Fairshire Council", "30/04/2026", "Rent", "Bolt Nuts Ltd", "T004", "1,250.00"),
)
RECORDS = [dict(zip(HEAD, row, strict=True)) for row in ROWS]
RELEASES = [
    {
        "ocid": f"ocds-b5fd17-{number}",
        "date": "2026-04-01T00:00:00Z",
        "tag": ["award"],
        "buyer": {"name": "Fairshire Council", "id": "GB-LAE-X"},
        "tender": {"title": f"Roads {number}", "value": {"amount": 1000.5, "currency": "GBP"}},
        "awards": [{"id": "1", "value": {"amount": 999.99}, "suppliers": [{"name": "Acme Ltd"}]}],
    }
    for number in range(3)
]


def text(mark: str = ",", end: str = "\r\n") -> str:
    """The table as delimited text."""

    def cell(value: str) -> str:
        return '"' + value.replace('"', '""') + '"' if mark in value else value

    return "".join(mark.join(map(cell, row)) + end for row in (HEAD, *ROWS))


def zipped(members: Mapping[str, bytes], *, plain: Sequence[str] = ()) -> bytes:
    """A zip of these files; those named in `plain` are not packed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            how = zipfile.ZIP_STORED if name in plain else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=how)
    return buffer.getvalue()


def unzipped(content: bytes) -> dict[str, bytes]:
    """The files of a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def xlsx() -> bytes:
    """The table as a workbook, with a cover before it."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.add_worksheet("Cover").write(0, 0, "Spend over £500")
        sheet = book.add_worksheet("April 2026")
        for number, row in enumerate((HEAD, *ROWS)):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"


def ods() -> bytes:
    """The table as an OpenDocument spreadsheet."""

    def cell(value: str) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{escaped(value)}</text:p></table:table-cell>'

    rows = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in (HEAD, *ROWS))
    content = (
        f'<?xml version="1.0"?><office:document-content xmlns:office="{_ODF}:office:1.0" '
        f'xmlns:table="{_ODF}:table:1.0" xmlns:text="{_ODF}:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="April">{rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    manifest = (
        f'<?xml version="1.0"?><manifest:manifest xmlns:manifest="{_ODF}:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_TYPE.decode()}"/></manifest:manifest>'
    )
    members = {"mimetype": _ODS_TYPE, "content.xml": content.encode(), "META-INF/manifest.xml": manifest.encode()}
    return zipped(members, plain=["mimetype"])


def escaped(value: str) -> str:
    """A text as XML writes it."""
    return value.replace("&", "&amp;").replace("<", "&lt;")


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _biff(*, protected: bool = False) -> bytes:
    """The stream of a workbook of Excel 97 (MS-XLS): one sheet of labels."""
    begin = struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 0x06)
    name = b"April"
    lock = _record(0x2F, struct.pack("<HHH", 1, 1, 1) + bytes(48)) if protected else b""
    front = _record(0x809, begin) + lock
    bound = 4 + 8 + len(name)
    offset = len(front) + bound + 4
    book = front + _record(0x85, struct.pack("<IBBBB", offset, 0, 0, len(name), 0) + name) + _record(0x0A, b"")
    sheet = _record(0x809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 0x06))
    sheet += _record(0x200, struct.pack("<IIHHH", 0, len(ROWS) + 1, 0, len(HEAD), 0))
    for number, row in enumerate((HEAD, *ROWS)):
        for column, value in enumerate(row):
            letters = value.encode("utf-16-le")
            sheet += _record(0x204, struct.pack("<HHHHB", number, column, 0, len(value), 1) + letters)
    return book + sheet + _record(0x0A, b"")


def compound(name: str, stream: bytes) -> bytes:
    """A compound file (MS-CFB, version 3) that holds one stream."""
    sector, free, end, of_fat = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    stream = stream.ljust(max(4096, -(-len(stream) // sector) * sector), b"\x00")
    count = len(stream) // sector
    chain = [of_fat, end, *(number + 1 for number in range(2, count + 1)), end]
    fat = struct.pack(f"<{len(chain)}I", *chain).ljust(sector, b"\xff")

    def entry(title: str, kind: int, child: int, start: int, size: int) -> bytes:
        letters = (title + "\x00").encode("utf-16-le") if title else b""
        front = letters.ljust(64, b"\x00") + struct.pack("<HBBIII", len(letters), kind, 1, free, free, child)
        return front + bytes(36) + struct.pack("<IQ", start, size)

    folder = entry("Root Entry", 5, 1, end, 0) + entry(name, 2, free, 2, len(stream))
    folder += 2 * (bytes(68) + struct.pack("<III", free, free, free) + bytes(48))
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<I", 0)
    return head.ljust(sector, b"\xff") + fat + folder + stream


def xls(*, protected: bool = False) -> bytes:
    """The table as a workbook of Excel 97."""
    return compound("Workbook", _biff(protected=protected))


def page() -> bytes:
    """The table as programs save it for Excel in a web page."""
    rows = "".join("<tr>" + "".join(f"<td>{escaped(cell)}</td>" for cell in row) + "</tr>" for row in (HEAD, *ROWS))
    head = '<head><meta charset="utf-8"><title>Export</title></head>'
    return f"<html>{head}<body><table>{rows}</table></body></html>".encode()


def sheets_2003() -> bytes:
    """The table as an XML workbook of Excel 2003."""

    def row(cells: Sequence[str]) -> str:
        return (
            "<Row>"
            + "".join(f'<Cell><Data ss:Type="String">{escaped(cell)}</Data></Cell>' for cell in cells)
            + "</Row>"
        )

    return (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="April"><Table>'
        f"{''.join(map(row, (HEAD, *ROWS)))}</Table></Worksheet></Workbook>"
    ).encode()


def parquet() -> bytes:
    """The table as Parquet."""
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: [row[column] for row in ROWS] for column, name in enumerate(HEAD)}), buffer)
    return buffer.getvalue()


def texts() -> dict[str, bytes]:
    """Whole files that are read in our own process."""
    plain = text().encode()
    return {
        "utf-8.csv": plain,
        "bom.csv": text().encode("utf-8-sig"),
        "utf-16.csv": text().encode("utf-16"),
        "utf-16-be.csv": text("\t").encode("utf-16-be"),
        "cp1252.csv": text().encode("cp1252"),
        "cp850.csv": text().replace("–", "-").encode("cp850"),
        "mac.csv": text(end="\r").encode("mac_roman"),
        "mixed.csv": plain + text().encode("cp1252"),
        "garbled.csv": text().encode().decode("cp1252").encode(),
        "tabs.txt": text("\t", "\n").encode(),
        "semicolons.csv": text(";").encode(),
        "quotes.csv": ('"Supplier","Date","Amount"\r\n"Acme ""A"" Ltd\r\nLeeds","01/04/2026","1.50"\r\n' * 3).encode(),
        "nil.csv": (",".join(HEAD) + "\r\nNil return,,,,,\r\n").encode(),
        "releases.json": json.dumps({"uri": "x", "releases": RELEASES}, indent=1).encode(),
        "records.json": json.dumps({"result": {"items": RECORDS}}).encode(),
        "lines.jsonl": "\n".join(map(json.dumps, RECORDS)).encode(),
        "page.xls": page(),
        "2003.xls": sheets_2003(),
        "table.zip": zipped({"spend.csv": plain}),
        "several.zip": zipped({"spend.csv": plain, "readme.txt": b"Read me.\n"}),
        "table.csv.gz": gzip.compress(plain, mtime=0),
        "letter.pdf": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
        "letter.docx": zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"}),
        "table.parquet": parquet(),
    }


def workbooks() -> dict[str, bytes]:
    """Whole files that a child process opens."""
    return {"new.xlsx": xlsx(), "open.ods": ods(), "old.xls": xls()}
