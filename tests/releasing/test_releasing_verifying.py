"""Any change to the files of a version is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from piperoll.model import Manifest, Packed, file_entry
from piperoll.releasing import find_faults


def relisted(packed: Packed, **more: object) -> Path:
    """The folder with a manifest that names its files as they are now."""
    entries = tuple(file_entry(packed.folder, entry.path) for entry in packed.manifest.files)
    manifest: Manifest = replace(packed.manifest, files=entries, **more)  # type: ignore[arg-type]
    (packed.folder / "manifest.json").write_bytes(manifest.to_bytes())
    return packed.folder


def other_parquet(packed: Packed, change: Callable[[pa.Table], pa.Table]) -> Path:
    path = packed.folder / "spend.parquet"
    pq.write_table(change(pq.read_table(path)), path)
    return relisted(packed)


def test_a_release_as_packed_has_no_faults(packing, october, make_table) -> None:
    assert list(find_faults(packing([october]).folder)) == []
    assert list(find_faults(packing([make_table([], ["payment_date", "supplier_name", "net_amount"])]).folder)) == []


def test_a_changed_byte_is_found(packing, october) -> None:
    packed = packing([october])
    path = packed.folder / "spend.csv"
    path.write_bytes(path.read_bytes().replace(b"1250.00", b"1350.00", 1))
    assert list(find_faults(packed.folder)) == ["spend.csv is not the file that manifest.json names"]


def test_a_missing_file_is_found(packing, october) -> None:
    packed = packing([october])
    (packed.folder / "spend.parquet").unlink()
    assert list(find_faults(packed.folder)) == ["spend.parquet is not the file that manifest.json names"]


def test_a_csv_changed_together_with_its_manifest_is_found_by_rows_pounds_and_parquet(packing, october) -> None:
    packed = packing([october])
    path = packed.folder / "spend.csv"
    path.write_bytes(path.read_bytes().replace(b"1250.00", b"1350.00", 1))
    found = list(find_faults(relisted(packed)))
    assert found == [
        "the rows of the CSV have another rows_sha256 than manifest.json says",
        "manifest.json says £2660.425, the CSV adds up to £2760.425",
        "the CSV and the Parquet file differ in net_amount",
        "datapackage.json has another hash for spend.csv",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.slice(1), "the CSV has 7 rows, the Parquet file 6"),
        (lambda table: table.take([1, 0, *range(2, 7)]), "differ in line_id"),
    ],
)
def test_a_parquet_file_that_differs_from_the_csv_is_found(packing, october, change, said: str) -> None:
    assert said in " ".join(find_faults(other_parquet(packing([october]), change)))


def test_totals_that_do_not_match_the_rows_are_found(packing, october) -> None:
    found = list(find_faults(relisted(packing([october]), rows=8, amount_gbp=Decimal("1.00"))))
    assert found == [
        "manifest.json says 8 rows, the CSV has 7",
        "manifest.json says £1.00, the CSV adds up to £2660.425",
    ]
