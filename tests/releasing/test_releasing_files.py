"""The lines of a release read back with their types, and a release that is given another report."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from decimal import Decimal

from piperoll.model import Disposition, Manifest
from piperoll.releasing import read_typed_lines, replace_report


def test_lines_come_back_with_types_and_only_the_columns_that_are_there(packing, october) -> None:
    made = packing([october])
    parquet = made.folder / "spend.parquet"
    for source in (parquet, parquet.read_bytes()):
        (batch,) = read_typed_lines(source, ("net_amount", "payment_date", "of_a_later_schema"))
        assert sorted(batch.schema.names) == ["net_amount", "payment_date"]
        line = batch.to_pylist()[0]
        assert (type(line["net_amount"]), type(line["payment_date"])) == (Decimal, date)


def test_another_report_leaves_the_table_as_it_is_and_the_manifest_true(packing, october, said_of_october) -> None:
    before = packing([october])
    table = hashlib.sha256((before.folder / "spend.csv").read_bytes()).hexdigest()
    said = replace(said_of_october, compared_with=("spend/anytown/2026-09/v1-0123456789ab",))
    after = replace_report(before, said, Disposition())
    assert b"2026-09/v1-0123456789ab" in (after.folder / "report.json").read_bytes()
    assert Manifest.from_bytes((after.folder / "manifest.json").read_bytes()) == after.manifest
    entries = {entry.path: entry.sha256 for entry in after.manifest.files}
    assert entries["spend.csv"] == table
    assert entries["report.json"] == hashlib.sha256((after.folder / "report.json").read_bytes()).hexdigest()
    assert (after.manifest.rows, after.manifest.rows_sha256) == (before.manifest.rows, before.manifest.rows_sha256)
