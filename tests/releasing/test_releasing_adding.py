from __future__ import annotations

import csv
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import frictionless
import pyarrow.parquet as pq
import pytest

from piperoll.errors import UsageError
from piperoll.model import Packed
from piperoll.releasing import SourceFile, add_to_release

LATE = SourceFile("cd" * 32, "Late.csv")


def lines_of(packed: Packed) -> list[dict[str, str]]:
    with (packed.folder / "spend.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def late(packing, make_table) -> Packed:
    rows = [
        {"payment_date": "2026-10-01", "supplier_name": "Acme Ltd", "net_amount": "1250.00"},
        {"payment_date": "2026-10-30", "supplier_name": 'The "Late", Ltd', "net_amount": "0.00001"},
    ]
    return packing([make_table(rows, ("payment_date", "supplier_name", "net_amount"))], source=LATE)


def test_the_union_has_the_lines_of_both_and_counts_repeats_on(packing, october, late, tmp_path: Path) -> None:
    standing = packing([october])
    union = add_to_release(standing.folder, late, tmp_path / "union")
    lines = lines_of(union)
    assert union.manifest.rows == 9
    assert union.manifest.amount_gbp == Decimal("3910.42501")
    assert union.manifest.sources == ("ab" * 32, "cd" * 32)
    assert [line["source_file"] for line in lines] == ["Payments October.csv"] * 7 + ["Late.csv"] * 2
    assert lines[7]["line_id"] == lines[0]["line_id"].removesuffix("-1") + "-3"
    assert lines[:7] == lines_of(standing)
    assert pq.read_schema(union.folder / "spend.parquet").field("net_amount").type.scale == 10
    assert frictionless.validate(union.folder / "datapackage.json").valid


def test_the_union_names_both_sources_and_reports_both(packing, october, late, tmp_path: Path) -> None:
    union = add_to_release(packing([october]).folder, late, tmp_path / "union")
    descriptor = json.loads((union.folder / "datapackage.json").read_text())
    assert [source["title"] for source in descriptor["sources"]] == ["Payments October.csv", "Late.csv"]
    report = json.loads((union.folder / "report.json").read_text())
    assert [table["rows"]["accepted"] for table in report["tables"]] == [7, 2]


def test_adding_twice_adds_once(packing, october, late, tmp_path: Path) -> None:
    union = add_to_release(packing([october]).folder, late, tmp_path / "union")
    assert add_to_release(union.folder, late, tmp_path / "again").manifest == union.manifest


def test_another_series_or_schema_is_not_added(packing, october, late, tmp_path: Path) -> None:
    september = packing([october], period="2026-09")
    with pytest.raises(UsageError, match="different series"):
        add_to_release(september.folder, late, tmp_path / "no")
    later = replace(late, manifest=replace(late.manifest, dataset_version="2.0.0"))
    with pytest.raises(UsageError, match="schema"):
        add_to_release(packing([october]).folder, later, tmp_path / "no")
    assert not (tmp_path / "no").exists()
