"""Each response format, read back by common libraries."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import duckdb
import openpyxl
import pandas
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from tests.serving.published_place import FINE, Served

QUESTION = "/rows/spend?limit=1000&columns=line_id,supplier_name,net_amount,payment_date,is_sme,line_number,part"
WHOLE = "/rows/spend"


def as_text(table: pa.Table) -> list[dict[str, str | None]]:
    """The rows of a typed table as strings, with normalised amounts."""
    rows = [{name: None if cell is None else str(cell) for name, cell in row.items()} for row in table.to_pylist()]
    return [row | {"net_amount": str(Decimal(row["net_amount"] or 0).normalize())} for row in rows]


def wanted(api: Served) -> list[dict[str, str | None]]:
    rows = [
        {name: None if cell is None else str(cell) for name, cell in row.items()} for row in api.json(QUESTION)["rows"]
    ]
    return [row | {"net_amount": str(Decimal(row["net_amount"] or 0).normalize())} for row in rows]


def test_parquet_by_pyarrow_pandas_and_duckdb(api: Served) -> None:
    content = api.get(f"{QUESTION}&format=parquet").content
    table = pq.read_table(io.BytesIO(content))
    assert as_text(table) == wanted(api)
    assert table.schema.field("net_amount").type == pa.decimal128(38, 10)
    assert pandas.read_parquet(io.BytesIO(content))["net_amount"].sum() == table["net_amount"].to_pandas().sum()
    with duckdb.connect() as engine:
        engine.register("answer", table)
        assert engine.execute("select count(*) from answer").fetchone() == (17,)


def test_arrow_by_pyarrow(api: Served) -> None:
    with pyarrow.ipc.open_stream(api.get(f"{QUESTION}&format=arrow").content) as stream:
        assert as_text(stream.read_all()) == wanted(api)


def test_csv_is_the_same_as_the_published_csv(api: Served, world: object) -> None:
    answer = api.get(f"{WHOLE}?format=csv&body=anytown&period=2026-10&part=none")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    [released] = world.glob("data/spend/anytown/2026-10/v2-*/spend.csv")  # type: ignore[attr-defined]
    ours = list(csv.reader(io.StringIO(answer.content.decode(), newline="")))
    theirs = list(csv.reader(io.StringIO(released.read_bytes().decode(), newline="")))
    assert ours[0][: len(theirs[0])] == theirs[0]
    assert sorted(row[: len(theirs[0])] for row in ours[1:]) == sorted(theirs[1:])
    assert answer.content.count(b"\r\n") == len(theirs)
    frame = pandas.read_csv(io.BytesIO(answer.content), dtype=str)
    amounts = frame.sort_values("line_id")["net_amount"]
    assert list(amounts) == ["100.10", "-25.05", "0.1234", "1000.00", "1000.00", "3.00"]


def test_ndjson_has_a_line_for_each_row(api: Served) -> None:
    lines = api.get(QUESTION.replace("limit=1000&", ""), headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert [json.loads(line) for line in lines] == api.json(QUESTION)["rows"]


def test_xlsx_keeps_text_as_text(api: Served) -> None:
    answer = api.get(f"{QUESTION}&format=xlsx")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="spend.xlsx"'
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    rows = list(sheet.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert rows[0] == ("line_id", "supplier_name", "net_amount", "payment_date", "is_sme", "line_number", "part")
    assert len(rows) == 18
    assert next(row for row in rows if row[0] == "line-00001")[2:5:2] == (100.1, True)
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d", "b"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv; charset=utf-8"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("application/json;q=0.5, text/csv", "text/csv; charset=utf-8"),
        ("text/*", "text/csv; charset=utf-8"),
        ("", "application/json"),
    ],
)
def test_accept_chooses_the_format(api: Served, accept: str, kind: str) -> None:
    assert api.get(QUESTION, headers={"Accept": accept}).headers["Content-Type"] == kind


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "application/json;q=x"])
def test_an_unacceptable_format_gets_406(api: Served, accept: str) -> None:
    assert api.get(QUESTION, headers={"Accept": accept}).status_code == 406


def test_the_smallest_amount_is_written_without_an_exponent(api: Served) -> None:
    assert FINE[0]["net_amount"] == api.rows(supplier_name="Fine Ltd")[0]["net_amount"]


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet", "arrow", "xlsx"])
def test_a_page_in_any_format_links_to_the_next(api: Served, form: str) -> None:
    answer = api.get(f"/rows/spend?limit=10&format={form}")
    following = answer.links["next"]["url"]
    assert api.get(following).links.get("next") is None


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet", "arrow", "xlsx"])
def test_no_rows_are_a_valid_answer_in_any_format(api: Served, form: str) -> None:
    assert api.get(f"/rows/spend?supplier_name=nobody&format={form}").status_code == 200
