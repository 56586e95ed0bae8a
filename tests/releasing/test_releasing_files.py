"""The lines of a release read back with their types, and a release that is given another report."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.errors import ConservationError
from piperoll.model import Disposition, Field, Level, Manifest, Origin
from piperoll.releasing import read_typed_lines, replace_report
from piperoll.releasing.columns import PublishedColumn, join_cells
from piperoll.releasing.files import TableFiles, TableTotals, format_csv_lines


def test_lines_come_back_with_types_and_only_the_columns_that_are_there(packing, october) -> None:
    made = packing([october])
    parquet = made.folder / "spend.parquet"
    for source in (parquet, parquet.read_bytes()):
        (batch,) = read_typed_lines(source, ("net_amount", "payment_date", "of_a_later_schema"))
        assert sorted(batch.schema.names) == ["net_amount", "payment_date"]
        line = batch.to_pylist()[0]
        assert (type(line["net_amount"]), type(line["payment_date"])) == (Decimal, date)


def test_columns_without_a_value_can_be_left_out(packing, october) -> None:
    parquet = packing([october]).folder / "spend.parquet"
    (everything,) = read_typed_lines(parquet, pq.read_schema(parquet).names)
    (filled,) = read_typed_lines(parquet, everything.schema.names, skip_empty=True)
    assert filled.to_pylist() == [
        {name: cell for name, cell in line.items() if everything[name].null_count < everything.num_rows}
        for line in everything.to_pylist()
    ]
    assert len(filled.schema.names) < len(everything.schema.names)


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


def field(name: str, kind: str = "string", **more: object) -> Field:
    return Field(name, kind, name, "", Level.CORE, Origin.DERIVED, "us", **more)


texts = st.none() | st.text(st.sampled_from('a,"\r\n é'), max_size=3)


@given(
    st.lists(st.lists(texts, min_size=4, max_size=4) | st.just(['"', None, ",", "a"]), max_size=6), st.integers(0, 2)
)
def test_columns_with_one_value_are_written_like_all_others(rows: list[list[str | None]], start: int) -> None:
    columns = [pa.array([row[number] for row in rows], pa.string()) for number in range(4)]
    batch = pa.RecordBatch.from_arrays(columns, names=[*"abcd"]).slice(start)
    written = io.StringIO(newline="")
    csv.writer(written).writerows([cell or "" for cell in row] for row in rows[start:])
    read = list(csv.reader(io.StringIO(format_csv_lines(batch).decode(), newline="")))
    assert read == [[cell or "" for cell in row] for row in rows[start:]]
    assert len(format_csv_lines(batch)) == len(written.getvalue().encode())
    joined = join_cells(batch.columns).to_pylist()
    assert joined == ["\x1f".join(cell or "" for cell in row).encode() for row in rows[start:]]


def write(folder: Path, batches: list[pa.RecordBatch]) -> tuple[TableTotals, list[bytes]]:
    folder.mkdir()
    columns = [
        PublishedColumn(field("day", "date")),
        PublishedColumn(field("who")),
        PublishedColumn(field("n", "integer")),
    ]
    with TableFiles(folder, "t", columns) as files:
        for batch in batches:
            files.write(batch)
        totals = files.totals()
    return totals, [(folder / name).read_bytes() for name in ("t.csv", "t.parquet")]


def lines(size: int, first: int = 0) -> pa.RecordBatch:
    names = [f"Supplier {number % 7:03}" for number in range(first, first + size)]
    numbers = [str(number // 3) for number in range(first, first + size)]
    return pa.RecordBatch.from_arrays([["2026-10-01"] * size, names, numbers], names=["day", "who", "n"])


def test_batches_that_a_second_thread_writes_give_the_files_of_small_ones(tmp_path: Path) -> None:
    whole = lines(300_000)
    small = write(tmp_path / "small", [whole.slice(start, 3_000) for start in range(0, 300_000, 3_000)])
    assert write(tmp_path / "large", [whole.slice(0, 131_072), whole.slice(131_072)]) == small
    assert write(tmp_path / "odd", [whole.slice(0, 200_001), whole.slice(200_001)]) == small
    assert small[0].lines == 300_000


def test_a_cell_that_the_second_thread_cannot_write_stops_the_release(tmp_path: Path) -> None:
    wrong = lines(50_000).set_column(2, "n", pa.array(["a half"] * 50_000))
    with pytest.raises(ConservationError, match="canonical integer"):
        write(tmp_path / "wrong", [lines(50_000), wrong, lines(50_000)])
