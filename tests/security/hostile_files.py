"""Small files that cost a reader far more than their size: each is made here, and none is kept."""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable

HEADINGS = "Payment Date,Supplier Name,Amount,Transaction Number,Expense Type,Department"
LINES = [f"{day:02}/10/2026,Acorn Roofing Ltd,{600 + day}.00,T{day},Supplies,Estates" for day in range(1, 29)]
TABLE = "\r\n".join([HEADINGS, *LINES, ""]).encode()
"""A good table of spend."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def packed_stream(pieces: Iterable[bytes]) -> bytes:
    """A gzip file of these pieces."""
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb", mtime=0) as stream:
        for piece in pieces:
            stream.write(piece)
    return target.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    """A zip of these files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def _noise(size: int) -> bytes:
    """Bytes of text that hardly compress, so that a ratio of sizes proves nothing."""
    return random.Random(1).randbytes(size // 2).hex().encode()  # noqa: S311 - no secret


def workbook(sheets: list[str], parts: list[str] | None = None) -> bytes:
    """An XLSX file of sheets given as XML of their rows; `parts` says which part each sheet of the workbook is."""
    parts = parts or [f"sheet{number}" for number in range(1, len(sheets) + 1)]
    links = "".join(
        f'<Relationship Id="r{number}" Type="{_LINKS}/worksheet" Target="worksheets/{part}.xml"/>'
        for number, part in enumerate(parts)
    )
    listed = "".join(f'<sheet name="s{n}" sheetId="{n + 1}" r:id="r{n}"/>' for n in range(len(parts)))
    main = f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
    root = f'<Relationship Id="r" Type="{_LINKS}/officeDocument" Target="xl/workbook.xml"/>'
    members = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">{main}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{root}</Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
    }
    for number, rows in enumerate(sheets, 1):
        members[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        )
    return packed({name: text.encode() for name, text in members.items()})


def sheet_rows(lines: Iterable[str], first: int = 1) -> str:
    """The XML of rows of text."""
    rows = []
    for number, line in enumerate(lines, first):
        cells = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in line.split(","))
        rows.append(f'<row r="{number}">{cells}</row>')
    return "".join(rows)


GOOD_SHEET = sheet_rows([HEADINGS, *LINES])


def blank_lines_packed() -> bytes:
    """A good table, then 20 million blank lines, in 20 kB."""
    return packed_stream([TABLE, *[b"\n" * 1_000_000] * 20])


def blank_lines_with_noise() -> bytes:
    """A good table, a long cell that does not compress, then 40 million blank lines and a last record."""
    return packed_stream([TABLE, b"," + _noise(900_000) + b"\n", *[b"\n" * 1_000_000] * 40, LINES[0].encode()])


def blank_lines_plain() -> bytes:
    """A good table with a million blank lines between its records, as it is."""
    return TABLE + b"\n" * 900_000 + LINES[0].encode() + b"\r\n"


def empty_records() -> bytes:
    """Records of nothing but delimiters, in a zip."""
    return packed({"October 2026.csv": TABLE + b",,,,,\r\n" * 8_000_000})


def short_lines() -> bytes:
    """Half a million records of one letter."""
    return TABLE + b"a\n" * 450_000


def repeated_records() -> bytes:
    """One record four million times, packed."""
    return packed_stream([TABLE, *[f"{LINES[0]}\r\n".encode() * 40_000] * 100])


def sheets_of_one_part() -> bytes:
    """3,000 sheets that are all the same part, in 19 kB."""
    return workbook([GOOD_SHEET], ["sheet1"] * 3_000)


def sheets_of_one_large_part() -> bytes:
    """100 sheets that are all the same part of 20,000 rows."""
    return workbook([sheet_rows([HEADINGS, *LINES * 700])], ["sheet1"] * 100)


def sheets_of_their_own() -> bytes:
    """1,500 sheets, each a part of its own."""
    return workbook([GOOD_SHEET] * 1_500)


def columns_of_text() -> bytes:
    """8,000 columns of text, ten rows."""
    headings = ",".join(f"Column {number}" for number in range(8_000))
    return "\n".join([headings, *[",".join(["12.50"] * 4_000 + ["text"] * 4_000)] * 4, ""]).encode()


def columns_as_headings() -> bytes:
    """40,000 columns whose headings are all those of a dataset."""
    return "\n".join([",".join(HEADINGS.split(",") * 1_300), *[",".join([*LINES[0].split(",")] * 1_300)] * 6]).encode()


def columns_of_a_workbook() -> bytes:
    """A sheet of 16,384 columns, 20 rows."""
    return workbook([sheet_rows([",".join(f"Column {n}" for n in range(16_384)), *[",".join(["1"] * 16_384)] * 20])])


def one_long_line() -> bytes:
    """A line of half a million delimiters."""
    return TABLE + b"," * 900_000


def open_quotes() -> bytes:
    """Every cell opens a quote that nothing closes."""
    return TABLE + b'"a,"b,"c\n' * 100_000


def zip_of_false_size() -> bytes:
    """A zip whose member says that it has 1,000 bytes and has 1 GB."""
    return _with_false_size("October 2026.csv", TABLE, 1_000)


def workbook_of_false_size() -> bytes:
    """A workbook whose sheet says that it has 1,000 bytes and has 700 MB."""
    return _with_false_size("xl/worksheets/sheet1.xml", b"<worksheet><sheetData>", 700, workbook([GOOD_SHEET]))


def _with_false_size(name: str, start: bytes, megabytes: int, archive: bytes | None = None) -> bytes:
    """A zip, whose other members are those of `archive`, with a member that is much larger than its header says."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    blank = b" " * 999_999 + b"\n"
    deflated = squeeze.compress(start) + b"".join(squeeze.compress(blank) for _ in range(megabytes)) + squeeze.flush()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        if archive:
            with zipfile.ZipFile(io.BytesIO(archive)) as source:
                for info in source.infolist():
                    if info.filename != name:
                        made.writestr(info, source.read(info))
        made.writestr(zipfile.ZipInfo(name), deflated)
    content = bytearray(target.getvalue())
    # The member was stored, so that its bytes are `deflated`; say that they are deflated from 1,000 bytes.
    for signature, method, size in ((b"PK\x03\x04", 8, 22), (b"PK\x01\x02", 10, 24)):
        at = content.index(name.encode(), content.index(deflated) if signature == b"PK\x01\x02" else 0)
        at = content.rindex(signature, 0, at)
        content[at + method : at + method + 2] = struct.pack("<H", 8)
        content[at + size : at + size + 4] = struct.pack("<I", 1_000)
    return bytes(content)


def zip_of_many_members() -> bytes:
    """A zip of 15,000 tables."""
    return packed({f"{number}.csv": b"a,b\n" for number in range(9_000)})


def zip_of_large_members() -> bytes:
    """A zip of 20 members of 30 MB each."""
    return packed({f"{number}.csv": TABLE + b" " * 30_000_000 for number in range(20)})


def far_cell() -> bytes:
    """A sheet with a cell in its last row and another in its last column."""
    return workbook([GOOD_SHEET + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'])


def cell_in_the_last_row() -> bytes:
    """A good sheet with a stray cell in its last row, as happens to people."""
    return workbook([GOOD_SHEET + '<row r="1048576"><c r="T1048576"><v>1</v></c></row>'])


def nested_json() -> bytes:
    """Brackets in brackets."""
    return b"[" * 400_000


def json_of_many_names() -> bytes:
    """Records that each have names of their own."""
    return json.dumps([{f"n{number}": 1} for number in range(60_000)]).encode()


def json_of_empty_records() -> bytes:
    """300,000 empty records."""
    return b"[" + b"{}," * 300_000 + b'{"Supplier Name": "Acorn Roofing Ltd", "Amount": 1}]'


def html_of_many_cells() -> bytes:
    """A page with a table that is never closed."""
    return b"<html><body><table>" + b"<tr><td>" * 110_000


def wide_spans_of_html() -> bytes:
    """A page whose cells say that they span a thousand columns and rows."""
    return b"<html><body><table>" + b"<tr><td colspan=1000 rowspan=1000>a</td></tr>" * 15_000 + b"</table>"


def xml_of_far_cells() -> bytes:
    """A workbook of Excel 2003 whose cells say that they are far to the right."""
    row = '<Row ss:Index="{}"><Cell ss:Index="16000"><Data ss:Type="String">a</Data></Cell></Row>'
    rows = "".join(row.format(number * 80) for number in range(1, 9_000))
    return (
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="a"><Table>'
        f"{rows}</Table></Worksheet></Workbook>"
    ).encode()


def many_distinct_texts() -> bytes:
    """Records whose every cell is different."""
    return "\n".join(
        [HEADINGS, *(f"01/10/2026,Name {n * 7919 % 99991} {n},{n}.01,T{n},Kind {n},Unit {n}" for n in range(16_000))]
    ).encode()


def long_cells() -> bytes:
    """A record with a cell of 900,000 characters."""
    return TABLE + b"01/10/2026," + b"a b " * 220_000 + b",1.00,T,Supplies,Estates\n"


def long_number() -> bytes:
    """A record whose amount has 900,000 digits."""
    return TABLE + b"01/10/2026,Acorn Roofing Ltd," + b"9" * 900_000 + b",T,Supplies,Estates\n"


FILES: dict[str, Callable[[], bytes]] = {
    maker.__name__: maker
    for maker in (
        *(blank_lines_packed, blank_lines_with_noise, blank_lines_plain, empty_records, short_lines),
        *(repeated_records, sheets_of_one_part, sheets_of_one_large_part, sheets_of_their_own, columns_of_text),
        *(columns_as_headings, columns_of_a_workbook, one_long_line, open_quotes, zip_of_false_size),
        *(workbook_of_false_size, zip_of_many_members, zip_of_large_members, far_cell, cell_in_the_last_row),
        *(nested_json, json_of_many_names, json_of_empty_records, html_of_many_cells, wide_spans_of_html),
        *(xml_of_far_cells, many_distinct_texts, long_cells, long_number),
    )
}
