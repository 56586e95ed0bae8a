from __future__ import annotations

import csv
import hashlib
import json
from decimal import Decimal
from typing import Any

import duckdb
import frictionless
import jsonschema
import pyarrow.parquet as pq
import pytest

from piperoll import assets
from piperoll.errors import ConservationError
from piperoll.model import Disposition, Manifest
from tests.fixtures.published_profiles import read_profile


def lines_of(packed: Any) -> list[dict[str, str]]:
    path = packed.folder / f"{packed.manifest.series.dataset}.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_csv_has_every_field_in_descriptor_order_and_crlf_and_no_bom(packing, october) -> None:
    content = (packing([october]).folder / "spend.csv").read_bytes()
    names = ",".join(field.name for field in assets.dataset("spend").fields)
    assert content.startswith(names.encode() + b"\r\n")
    assert content.endswith(b"\r\n")
    assert content.count(b"\r\n") == 1 + 7 + 1  # the heading, the lines, and the one inside a cell
    assert content.replace(b"\r\n", b"").count(b"\n") == 0


def test_cells_are_published_exactly_quoted_only_where_they_must_be(packing, october) -> None:
    packed = packing([october])
    text = (packed.folder / "spend.csv").read_text("utf-8")
    assert '"Smith, Jones & ""Co"""' in text
    assert ",=SUM(A1)," in text
    lines = lines_of(packed)
    assert [line["net_amount"] for line in lines[:4]] == ["1250.00", "-0.005", "7.00", "100.10"]
    assert lines[2]["purpose"] == "two\r\nlines"
    assert lines[3] | {"payment_date": "", "is_grant": "true", "supplier_name": "Café Zoë £"} == lines[3]


def test_derived_fields_tell_body_period_and_place_in_the_file(packing, october) -> None:
    first = lines_of(packing([october], part="card"))[0]
    assert first["body_id"] == "XI-PIPEROLL-anytown"
    assert (first["period_start"], first["period_end"]) == ("2026-10-01", "2026-10-31")
    assert (first["source_row"], first["source_file"], first["source_sheet"]) == ("2", "Payments October.csv", "")
    assert (first["card"], first["currency"], first["redaction"]) == ("gpc", "GBP", "none")
    assert first["date_basis"] == "payment"


def test_genuine_repeats_are_numbered_apart(packing, october) -> None:
    lines = lines_of(packing([october]))
    first, again = lines[0]["line_id"], lines[5]["line_id"]
    assert first.endswith("-1")
    assert again == first[:-1] + "2"
    assert len({line["line_id"] for line in lines}) == len(lines)


def test_held_rows_are_left_out_and_redacted_rows_lose_what_gives_the_name_away(
    packing, october, october_disposition
) -> None:
    packed = packing([october], disposition=october_disposition)
    lines = lines_of(packed)
    redacted = lines[4]
    assert [line["source_row"] for line in lines] == ["2", "3", "4", "5", "6", "7"]
    assert (redacted["supplier_name"], redacted["supplier_local_id"]) == ("REDACTED PERSONAL DATA", "")
    assert (redacted["redaction"], redacted["net_amount"]) == ("personal", "20.00")
    everything = b"".join(path.read_bytes() for path in packed.folder.iterdir())
    assert b"Carer" not in everything
    assert b"Name withheld" not in everything
    assert lines[0]["supplier_local_id"] == "S1"


def test_a_cell_that_breaks_the_schema_is_left_out_and_a_derivation_takes_its_place(packing, make_table) -> None:
    rows = [
        {"payment_date": "2026-10-01", "supplier_name": "A", "net_amount": "1", "card": "Visa", "ocid": "none"},
        {"payment_date": "2026-10-01", "supplier_name": "B", "net_amount": "2", "card": "ccc", "ocid": "none"},
    ]
    table = make_table(rows, ("payment_date", "supplier_name", "net_amount", "card", "ocid"))
    packed = packing([table], disposition=Disposition(blanked={0: {2: frozenset({"card", "ocid"})}}))
    assert [(line["card"], line["ocid"]) for line in lines_of(packed)] == [("none", ""), ("ccc", "none")]


def test_a_vacant_name_that_is_redacted_stays_blank(packing, make_table) -> None:
    rows = [{"job_title": "Clerk", "holder_name": None, "fte": "0.50"}, {"job_title": "Head", "holder_name": "N. Ame"}]
    table = make_table(rows, ("job_title", "holder_name", "fte"))
    packed = packing(
        [table], dataset="roles", disposition=Disposition(redacted={0: {2: "personal"}}), period="2026-03-31"
    )
    lines = lines_of(packed)
    assert [line["holder_name"] for line in lines] == ["", "N. Ame"]
    assert lines[0]["fte"] == "0.5"
    assert packed.manifest.amount_gbp is None


def test_parquet_has_types_and_duckdb_reads_the_same_from_both(packing, october) -> None:
    folder = packing([october]).folder
    schema = pq.read_schema(folder / "spend.parquet")
    kinds = {name: str(schema.field(name).type) for name in ("net_amount", "payment_date", "is_grant", "source_row")}
    assert kinds == {
        "net_amount": "decimal128(38, 4)",
        "payment_date": "date32[day]",
        "is_grant": "bool",
        "source_row": "int64",
    }
    with duckdb.connect() as db:
        parquet = f"'{folder}/spend.parquet'"
        types = {name: str(kind) for name, kind, *_ in db.sql(f"DESCRIBE FROM {parquet}").fetchall()}
        told = f"read_csv('{folder}/spend.csv', types={types!r}, header=true, delim=',', quote='\"', escape='\"')"
        for one, other in ((told, parquet), (parquet, told)):
            assert db.sql(f"FROM {one} EXCEPT ALL FROM {other}").fetchall() == []
        totals = db.sql(f"SELECT sum(net_amount), count(*) FROM {parquet}").fetchall()  # noqa: S608 - our own folder
    assert totals == [(Decimal("2660.4250"), 7)]


def test_the_package_is_valid_for_frictionless(packing, october) -> None:
    opened = frictionless.validate(packing([october]).folder / "datapackage.json")
    assert opened.valid, opened.flatten(["rowNumber", "fieldName", "note"])


@pytest.mark.real
def test_the_package_is_valid_by_the_published_profile(packing, october) -> None:
    package = json.loads((packing([october]).folder / "datapackage.json").read_text())
    validator = jsonschema.Draft7Validator(read_profile("datapackage"))
    assert [error.message for error in validator.iter_errors(package)] == []


def test_a_value_that_is_published_with_a_warning_leaves_the_package_valid(packing, make_table) -> None:
    rows = [{"payment_date": "2026-10-01", "supplier_name": "A", "net_amount": "1", "card": "Visa Purchasing"}]
    folder = packing([make_table(rows, ("payment_date", "supplier_name", "net_amount", "card"))]).folder
    assert frictionless.validate(folder / "datapackage.json").valid
    fields = json.loads((folder / "datapackage.json").read_text())["resources"][0]["schema"]["fields"]
    card = next(field for field in fields if field["name"] == "card")
    assert "gpc" in card["x_asked"]["enum"]
    assert "enum" not in card.get("constraints", {})


def test_the_descriptor_names_series_source_and_hash_and_no_moment(packing, october) -> None:
    packed = packing([october])
    descriptor = json.loads((packed.folder / "datapackage.json").read_text())
    resource = descriptor["resources"][0]
    content = (packed.folder / "spend.csv").read_bytes()
    assert descriptor["id"] == "spend/anytown/2026-10"
    assert descriptor["version"] == f"1.0.0+{packed.manifest.rows_sha256[:12]}"
    assert descriptor["sources"] == [{"title": "Payments October.csv", "version": "sha256:" + "ab" * 32}]
    assert (resource["bytes"], resource["hash"]) == (len(content), "sha256:" + hashlib.sha256(content).hexdigest())
    assert "created" not in descriptor
    assert "Anytown Council" in descriptor["title"]


def test_the_manifest_lists_every_other_file_with_its_hash(packing, october) -> None:
    packed = packing([october])
    manifest = Manifest.from_bytes((packed.folder / "manifest.json").read_bytes())
    assert manifest == packed.manifest
    there = {path.name for path in packed.folder.iterdir()} - {"manifest.json"}
    assert {entry.path for entry in manifest.files} == there
    for entry in manifest.files:
        content = (packed.folder / entry.path).read_bytes()
        assert (entry.bytes, entry.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert (manifest.rows, manifest.amount_gbp) == (7, Decimal("2660.425"))


def test_the_same_rows_in_another_order_file_and_spelling_have_the_same_rows_sha256(
    packing, october, make_table
) -> None:
    lines = [line for batch in october.batches() for line in batch.to_pylist()]
    for line in lines:
        line["row"] += 40
        line["net_amount"] = f"{Decimal(line['net_amount']):.5f}"
    shuffled = make_table(lines[::-1], tuple(october.columns), sheet="Oct", step=100)
    one, other = packing([october]).manifest, packing([shuffled]).manifest
    assert one.rows_sha256 == other.rows_sha256
    assert one.sha256 != other.sha256
    lines[0]["net_amount"] = "1250.01"
    assert packing([make_table(lines, tuple(october.columns))]).manifest.rows_sha256 != one.rows_sha256


def test_a_nil_return_is_a_release_of_no_rows(packing) -> None:
    packed = packing([])
    assert (packed.manifest.rows, packed.manifest.amount_gbp) == (0, Decimal(0))
    assert lines_of(packed) == []
    assert pq.read_metadata(packed.folder / "spend.parquet").num_rows == 0
    assert frictionless.validate(packed.folder / "datapackage.json").valid


def test_one_record_of_several_lines_counts_as_one_row(packing, make_table) -> None:
    rows = [{"row": 5, "service_name": "Tax", "completed": "10"}, {"row": 6, "service_name": "Fish", "completed": "4"}]
    rows += [{**row, "period_end": "2026-12-31", "completed": "1"} for row in rows]
    table = make_table(rows, ("service_name", "completed", "period_end"))
    assert table.rows == 2
    assert packing([table], dataset="transactions").manifest.rows == 4


@pytest.mark.parametrize("lost", ["row", "pounds", "table"])
def test_a_release_that_does_not_match_its_report_is_refused(
    packing, october, make_table, said_of_october, lost
) -> None:
    lines = [line for batch in october.batches() for line in batch.to_pylist()]
    if lost == "row":
        lines.pop()
    if lost == "pounds":
        lines[0]["net_amount"] = "1250.01"
    tables = [] if lost == "table" else [make_table(lines, tuple(october.columns))]
    with pytest.raises(ConservationError):
        packing(tables, said=said_of_october)
    assert not list(packing.root.glob("*/manifest.json"))
