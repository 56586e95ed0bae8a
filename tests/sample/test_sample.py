"""The sample: fictional, the same from the same seed, with every kind of fault."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest

from piperoll import assets
from piperoll.errors import UsageError
from piperoll.sample import MONTHS, sample_files, write_sample

SAMPLE = dict(sample_files(1))
FICTION = {"sampling", "examples", "placeholder", "lorem", "fictionham", "rainy", "hypothetical", "made", "pretend"}
FICTION |= {"imaginary", "nowhere", "believe"}


def the(part: str) -> bytes:
    """The one file of the sample whose path holds `part`."""
    found = [content for path, content in SAMPLE.items() if part in path]
    assert len(found) == 1, part
    return found[0]


def text(content: bytes, encoding: str = "utf-8") -> str:
    return content.decode(encoding)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert dict(sample_files(1)) == SAMPLE


def test_another_seed_gives_other_payments_in_the_same_files() -> None:
    other = dict(sample_files(2))
    assert other.keys() == SAMPLE.keys()
    path = next(path for path in SAMPLE if path.startswith("2026-08/spend/city"))
    assert other[path] != SAMPLE[path]


def test_there_are_twelve_fictional_bodies_of_several_kinds(tmp_path: Path) -> None:
    write_sample(tmp_path, 1)
    bodies = assets.read_bodies(tmp_path / "bodies.csv")
    assert len(bodies) == 12
    assert {body.kind for body in bodies} == {"council", "department", "agency", "nhs", "police"}
    assert all(FICTION & set(body.slug.split("-")) for body in bodies)
    known = {body.id for body in assets.register()} | {body.slug for body in assets.register()}
    assert not any(body.id in known or body.slug in known for body in bodies)


def test_three_months_of_four_datasets_are_laid_out_as_inboxes() -> None:
    paths = [path.split("/") for path in SAMPLE if path != "bodies.csv"]
    assert {parts[0] for parts in paths} == set(MONTHS)
    assert {parts[1] for parts in paths} == {"spend", "gpc", "contracts", "roles", "transactions"}
    assert all(len(parts) == 4 for parts in paths)
    senders = {parts[2] for parts in paths}
    assert senders == {row["slug"] for row in csv.DictReader(io.StringIO(text(SAMPLE["bodies.csv"])))}


def test_every_kind_of_fault_is_in_it() -> None:
    assert b"<html" in the("standards-2026-09.csv")
    assert the("Police spend October") == b""
    assert "Nil return" in text(the("ambulance September"))
    assert text(the("contracts-2026-09.csv")).count("\n") == 1
    assert the("amum-2026-10.csv") == the("2026-09/spend/agency-for-made-up-measures")
    assert not any("lorem" in path for path in SAMPLE if path.startswith("2026-10"))


def records(part: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text(the(part))), delimiter=delimiter))[1:]


def test_a_correction_changes_a_few_records() -> None:
    first, again = (
        records("2026-08/spend/city-of-placeholder/spend-2026-08", ";"),
        records("spend-2026-08-corrected", ";"),
    )
    assert len(first) == len(again) == 181
    assert 0 < sum(row not in again for row in first) < 10


def test_a_quarter_repeats_the_records_of_its_months() -> None:
    quarter = records("DfRD-spend-over-25k-2026-Q3")
    months = [*records("DfRD-spend-over-25k-2026-08"), *records("DfRD-spend-over-25k-2026-09")]
    assert len(quarter) > len(months) > 200
    assert all(row in quarter for row in months)


def test_a_table_covers_several_years() -> None:
    years = {row[0][:4] for row in records("spend April 2024 to March 2026", ";")}
    assert years == {"2024", "2025", "2026"}


def test_public_bodies_are_paid_grants() -> None:
    grants = [row for row in records("DfRD-spend-over-25k-2026-10") if row[3] == "Grants to public bodies"]
    assert len(grants) == 6
    assert all("Trust" in row[5] or "Council" in row[5] for row in grants)


def test_the_file_that_the_demo_releases_is_the_held_one() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text("utf-8")
    digest = hashlib.sha256(the("September 2026 corrected")).hexdigest()
    assert f"DEMO_HELD := {digest[:12]}\n" in makefile


def test_a_month_is_sent_again_with_half_its_rows() -> None:
    again, first = the("September 2026 corrected"), the("2026-09/spend/royal-borough-of-fictionham")
    assert len(again) < len(first)


def test_private_names_are_in_one_file_only() -> None:
    with_names = [path for path, content in SAMPLE.items() if b"Puddingstone" in content]
    assert with_names == ["2026-09/spend/county-of-much-examples/supplier_payments_2026-09.csv"]


def test_encodings_delimiters_and_notations_differ() -> None:
    assert the("2026-08/spend/saint").startswith(b"\xff\xfe")
    assert the("2026-08/spend/borough-of-little").startswith(b"\xef\xbb\xbf")
    assert b"\xa3" in the("2026-08/spend/county")
    city = text(the("2026-08/spend/city-of-placeholder/spend-2026-08"))
    assert "(" in city and ";" in city
    assert the("2026-08/spend/royal").startswith(b"PK")


def test_amounts_in_a_workbook_are_numbers(mapping_of_sheets: Mapping[str, float]) -> None:
    assert mapping_of_sheets.keys() == {"Capital", "Revenue"}
    assert all(amount > 0 for amount in mapping_of_sheets.values())


@pytest.fixture
def mapping_of_sheets(tmp_path: Path) -> Mapping[str, float]:
    path = tmp_path / "sample.xlsx"
    path.write_bytes(the("DHA spend August"))
    book = openpyxl.load_workbook(path, read_only=True)
    return {sheet.title: sum(row[7] for row in sheet.iter_rows(min_row=2, values_only=True)) for sheet in book}


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        write_sample(tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
