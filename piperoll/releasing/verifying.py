"""Checking that the files of a version are what they claim: hashes, counts and totals are made again and compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.errors import ConservationError
from piperoll.model import Field, Manifest, file_entry, format_decimal
from piperoll.model.columns import pc
from piperoll.releasing.columns import PublishedColumn, add_exactly, columns_of
from piperoll.releasing.files import RowDigests, amount_fields, read_document, read_published_lines


def find_faults(folder: Path) -> Iterator[str]:
    """Find what is wrong with the version whose files are in `folder`, in words; nothing if everything matches.

    Compares sizes and hashes with the manifest, its rows, pounds and `rows_sha256` with the CSV, the Parquet file with
    the CSV cell by cell, and the hash in the descriptor with the CSV.
    """
    manifest = Manifest.from_bytes((folder / "manifest.json").read_bytes())
    broken = [
        entry.path
        for entry in manifest.files
        if not (folder / entry.path).is_file() or file_entry(folder, entry.path) != entry
    ]
    if broken:
        yield from (f"{name} is not the file that manifest.json names" for name in broken)
        return
    name, resource = manifest.series.dataset, read_document(folder, "datapackage.json")["resources"][0]
    parquet = pq.read_table(folder / f"{name}.parquet")
    columns = columns_of(map(Field.from_descriptor, resource["schema"]["fields"]), [parquet.schema])
    names = [column.name for column in columns]
    schema = pa.schema([pa.field(name, pa.string()) for name in names])
    csv = pa.Table.from_batches(read_published_lines(folder / f"{name}.csv", names), schema).combine_chunks()
    yield from _compare_rows(csv, columns, manifest)
    yield from _compare_pounds(folder, csv, columns, manifest)
    yield from _compare_parquet(csv, parquet, columns)
    if resource["hash"] != f"sha256:{file_entry(folder, resource['path']).sha256}":
        yield f"datapackage.json has another hash for {resource['path']}"


def _compare_rows(csv: pa.Table, columns: Sequence[PublishedColumn], manifest: Manifest) -> Iterator[str]:
    digests = RowDigests(columns)
    for batch in csv.to_batches():
        digests.add(batch)
    if digests.count != manifest.rows:
        yield f"manifest.json says {manifest.rows} rows, the CSV has {digests.count}"
    if digests.sha256() != manifest.rows_sha256:
        yield "the rows of the CSV have another rows_sha256 than manifest.json says"


def _compare_pounds(
    folder: Path, csv: pa.Table, columns: Sequence[PublishedColumn], manifest: Manifest
) -> Iterator[str]:
    """Compare the pounds of the manifest with the CSV, if every table of the report has them in the same field."""
    fields = amount_fields(folder)
    if manifest.amount_gbp is None or len(fields) != 1:
        return
    column = next(column for column in columns if column.name in fields)
    total: Decimal = pc.sum(column.typed(csv.column(column.name).combine_chunks())).as_py() or Decimal(0)
    if add_exactly(total, -manifest.amount_gbp):
        yield f"manifest.json says £{format_decimal(manifest.amount_gbp)}, the CSV adds up to £{format_decimal(total)}"


def _compare_parquet(csv: pa.Table, parquet: pa.Table, columns: Sequence[PublishedColumn]) -> Iterator[str]:
    if parquet.num_rows != csv.num_rows:
        yield f"the CSV has {csv.num_rows} rows, the Parquet file {parquet.num_rows}"
        return
    for column in columns:
        try:
            typed = column.typed(csv.column(column.name).combine_chunks())
            if not typed.equals(parquet.column(column.name).combine_chunks()):
                yield f"the CSV and the Parquet file differ in {column.name}"
        except ConservationError as error:
            yield str(error)
