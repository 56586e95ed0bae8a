"""What kind a file is, by its bytes: each kind under a wrong name, packed or not, and the finding that it gets."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile

import pytest
from damage import seeds

from piperoll import assets
from piperoll.model import What
from piperoll.reading import Reading, read

PLAIN = seeds.text().encode()
LETTER = b"application/vnd.oasis.opendocument.text"
AMOUNTS = ["100.50", "200.00", "-50.25", "1250.00"]


def spend(content: bytes, name: str = "file.csv") -> Reading:
    return read(content, name, assets.datasets(), dataset=assets.dataset("spend"))


def amounts(reading: Reading) -> list[str | None]:
    return [
        cell for table in reading.tables for batch in table.batches() for cell in batch.column("net_amount").to_pylist()
    ]


def codes(reading: Reading) -> set[str]:
    return {finding.code for finding in reading.findings}


def message(reading: Reading, code: str) -> str:
    return next(finding.message for finding in reading.findings if finding.code == code)


def json_of(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (PLAIN, "csv"),
        (seeds.text("\t").encode(), "csv"),
        (seeds.text(";").encode(), "csv"),
        (seeds.text("|").encode(), "csv"),
        (seeds.xlsx(), "xlsx"),
        (seeds.ods(), "ods"),
        (seeds.xls(), "xls"),
        (seeds.page(), "html"),
        (seeds.page().decode().encode("utf-16"), "html"),
        (seeds.sheets_2003(), "xml"),
        (json_of(seeds.RECORDS), "json"),
        (b"\xef\xbb\xbf" + json_of(seeds.RECORDS), "json"),
        (json_of(seeds.RECORDS).decode().encode("utf-16"), "json"),
        (b"\n".join(map(json_of, seeds.RECORDS)), "json"),
        (b"".join(map(json_of, seeds.RECORDS)), "json"),
        (json_of({"help": "x", "result": {"records": seeds.RECORDS}}), "json"),
        (json_of([list(seeds.HEAD), *map(list, seeds.ROWS)]), "json"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("name", ["file.pdf", "file"])
def test_a_table_is_read_whatever_its_name(content: bytes, format_: str, name: str) -> None:
    reading = spend(content, name)
    assert (reading.what, reading.format, reading.why) == (What.DATA, format_, None)
    assert amounts(reading) == AMOUNTS
    assert ("content-not-as-named" in codes(reading)) == (name == "file.pdf")


@pytest.mark.parametrize("content", [PLAIN, seeds.xlsx(), seeds.ods(), seeds.xls(), json_of(seeds.RECORDS)])
@pytest.mark.parametrize("pack", [gzip.compress, lambda content: seeds.zipped({"folder/inner": content})])
def test_a_table_is_read_in_a_zip_or_gzip(content: bytes, pack: object) -> None:
    reading = spend(pack(content))  # type: ignore[operator]
    assert amounts(reading) == AMOUNTS
    assert reading.container in ("zip", "gzip")


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("spend.csv"), io.BytesIO(b""))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "why", "code"),
    [
        (b"\x00" * 5000, "empty", "file-empty"),
        (b"\xef\xbb\xbf \r\n", "empty", "file-empty"),
        (b"%PDF-1.4 ...", "pdf", "file-is-pdf"),
        (b"{\\rtf1\\ansi hello}", "document", "file-is-document"),
        (seeds.zipped({"word/document.xml": b"<w/>"}), "document", "file-is-document"),
        (
            seeds.zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b""}),
            "document",
            "file-is-document",
        ),
        (seeds.compound("WordDocument", b"words"), "document", "file-is-document"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(32)) * 8, "picture", "file-is-picture"),
        (b"BM" + bytes(range(32)) * 8, "picture", "file-is-picture"),
        (seeds.parquet(), "parquet", "file-is-parquet"),
        (b"SQLite format 3\x00" + bytes(100), "database", "file-is-database"),
        (b'<?xml version="1.0"?><rss><channel/></rss>', "xml", "file-is-xml"),
        (b"<html><body><h1>404</h1><p>Not found, sorry.</p></body></html>", "html_page", "file-is-html"),
        (b'<?xml version="1.0"?><!DOCTYPE html><html><body>Sign in</body></html>', "html_page", "file-is-html"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(40), "archive_unknown", "archive-unknown"),
        (b"Rar!\x1a\x07\x01" + bytes(40), "archive_unknown", "archive-unknown"),
        (tarred(), "archive_unknown", "archive-unknown"),
        (bytes(range(1, 32)) * 50, "unknown_format", "file-unknown"),
        (seeds.xlsx()[:-300], "workbook_broken", "workbook-broken"),
        (seeds.ods()[:-100], "workbook_broken", "workbook-broken"),
        (seeds.xls()[:1500], "workbook_broken", "workbook-broken"),
        (seeds.sheets_2003()[:-40], "workbook_broken", "workbook-broken"),
        (seeds.xls(protected=True), "workbook_protected", "workbook-protected"),
        (seeds.compound("EncryptedPackage", b"secret" * 900), "workbook_protected", "workbook-protected"),
        (gzip.compress(PLAIN)[:-20], "archive_broken", "archive-broken"),
        (gzip.compress(gzip.compress(PLAIN)), "archive_of_several", "archive-of-several"),
        (seeds.zipped({"inner.zip": seeds.zipped({"a.csv": PLAIN})}), "archive_of_several", "archive-of-several"),
        (seeds.zipped({}), "archive_empty", "archive-empty"),
        (json_of(seeds.RECORDS)[:-30], "json_broken", "json-broken"),
        (b"[" * 5000, "json_broken", "json-broken"),
        (b'[{"a":' * 500 + b"1" + b"}]" * 500, "json_broken", "json-broken"),
        (json_of([{str(n): n} for n in range(20_000)]), "json_broken", "json-broken"),
        (b'{"message": []}', "empty", "json-without-records"),
        (b"[]", "empty", "json-without-records"),
        (b'["a", "b"]', "no_table", "json-without-records"),
    ],
)
def test_a_file_that_is_no_table_gets_the_finding_for_its_kind(content: bytes, why: str, code: str) -> None:
    reading = spend(content, "file.xlsx")
    assert (reading.what, reading.why) == (What.NOT_DATA, why)
    [finding] = [finding for finding in reading.findings if finding.code == code]
    assert finding.message
    assert finding.fix


def test_a_page_with_a_table_among_its_words_is_a_page() -> None:
    words = b"<p>" + b"We publish what we spend. " * 100 + b"</p><table>"
    reading = spend(seeds.page().replace(b"<table>", words))
    assert (reading.what, reading.why) == (What.NOT_DATA, "html_page")
    assert "file-is-html" in codes(reading)
    assert "table-in-html" not in codes(reading)


def test_a_page_whose_table_has_no_headings_we_know_is_a_page() -> None:
    reading = spend(b"<table><tr><td>Sign in</td><td>Name</td></tr><tr><td>a</td><td>b</td></tr></table>")
    assert (reading.what, reading.why) == (What.NOT_DATA, "html_page")
    assert "file-is-html" in codes(reading)
    assert "table-in-html" not in codes(reading)


def test_cells_after_one_that_spans_columns_stay_in_their_columns() -> None:
    page = seeds.page().replace(b"<tr><td>Body", b'<tr><td colspan="6">Spend</td></tr><tr><td>Body', 1)
    assert amounts(spend(page)) == AMOUNTS
    assert spend(page).tables[0].column_letters["net_amount"] == "F"


def test_an_xml_workbook_keeps_its_addresses_types_and_hidden_sheets() -> None:
    cell = '<Cell{}><Data ss:Type="{}">{}</Data></Cell>'
    heads = "".join(cell.format("", "String", name) for name in ("Supplier", "Date", "Amount"))
    data = cell.format("", "String", "Acme Ltd") + cell.format(' ss:Index="2"', "DateTime", "2026-04-01T00:00:00.000")
    data += cell.format("", "Number", "60110413.539999999")
    hidden = "<WorksheetOptions><Visible>SheetHidden</Visible></WorksheetOptions>"
    sheets = (
        '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="April"><Table>'
        f'<Row ss:Index="3">{heads}</Row><Row ss:Index="7">{data}</Row></Table>{hidden}</Worksheet></Workbook>'
    )
    reading = spend(sheets.encode(), "april.xls")
    [table] = reading.tables
    assert (table.sheet, table.header_row, amounts(reading)) == ("April", 3, ["60110413.54"])
    assert [cell for batch in table.batches() for cell in batch.column("row").to_pylist()] == [7]
    assert "sheet-hidden" in codes(reading)


@pytest.mark.parametrize("index", ['ss:Index="99999999"', 'ss:Index="16385"'])
def test_an_xml_workbook_with_far_cells_is_refused(index: str) -> None:
    content = seeds.sheets_2003().replace(b"<Cell>", f"<Cell {index}>".encode(), 1)
    assert codes(spend(content, "a.xls")) == {"workbook-too-large", "content-not-as-named"}


def test_a_table_beside_a_read_me_is_read_and_reported() -> None:
    reading = spend(seeds.zipped({"readme.txt": b"Read me\nfirst.\n", "spend.csv": PLAIN}))
    assert (amounts(reading), reading.member) == (AMOUNTS, "spend.csv")
    assert "'spend.csv'" in message(reading, "archive-member-taken")
    assert "'readme.txt'" in message(reading, "archive-member-taken")


def test_two_tables_in_a_zip_are_listed_and_neither_is_read() -> None:
    reading = spend(seeds.zipped({"april.csv": PLAIN, "may.csv": PLAIN}))
    assert reading.why == "archive_of_several"
    assert "'april.csv', 'may.csv'" in message(reading, "archive-of-several")


def test_a_zip_with_a_password_is_reported() -> None:
    content = bytearray(seeds.zipped({"spend.csv": PLAIN}))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        content[content.index(mark) + (6 if mark == b"PK\x03\x04" else 8)] |= 1
    assert codes(spend(bytes(content))) == {"archive-protected"}


def test_a_zip_that_unpacks_to_too_much_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{number}.zip", gzip.compress(bytes(9_000_000)))
            archive.writestr(f"{number}.csv", bytes(9_000_000))
    assert codes(spend(buffer.getvalue())) <= {"archive-too-large", "archive-of-several"}


def test_names_that_occur_twice_in_a_record_are_reported() -> None:
    reading = spend(b'[{"Supplier": "A Ltd", "Date": "2026-04-01", "Amount": 1, "Amount": 2}]', "a.json")
    assert amounts(reading) == ["2"]
    assert "'Amount'" in message(reading, "json-names-repeat")


def test_the_longest_list_of_records_is_read_and_reported() -> None:
    reading = spend(json_of({"notes": [{"text": "x"}], "data": {"items": seeds.RECORDS}}), "a.json")
    assert amounts(reading) == AMOUNTS
    assert "'data.items'" in message(reading, "json-list-taken")


def test_half_a_surrogate_pair_in_json_is_replaced() -> None:
    reading = spend(b'[{"Supplier": "A \\ud83d Ltd \\ud83d\\ude00", "Date": "2026-04-01", "Amount": 1}]', "a.json")
    assert amounts(reading) == ["1"]


def test_broken_json_names_its_line() -> None:
    reading = spend(b'[\n{"a": 1},\n{"a": }\n]', "a.json")
    assert [finding.line for finding in reading.findings] == [3]


@pytest.mark.parametrize("head", ["[OFFICIAL]", "{draft}", "<see note>"])
def test_a_table_below_a_line_in_angle_brackets_is_not_markup(head: str) -> None:
    assert amounts(spend(f"{head}\r\n".encode() + PLAIN)) == AMOUNTS
