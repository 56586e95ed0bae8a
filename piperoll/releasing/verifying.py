"""Whether the files of a version are what they say: hashes, counts and totals made anew from the published rows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.errors import ConservationError
from piperoll.model import Field, Manifest, file_entry, plain
from piperoll.model.columns import pc
from piperoll.releasing.columns import PublishedColumn
from piperoll.releasing.conserving import add_pounds
from piperoll.releasing.files import Digests
from piperoll.releasing.published import amount_fields, read_document, read_published_lines


def find_faults(folder: Path) -> Iterator[str]:
    """What is wrong with the version whose files lie in `folder`, in words; nothing where all is as it says.

    The manifest's sizes and hashes; its rows, pounds and `rows_sha256` against those of the CSV; the Parquet file
    against the CSV, cell by cell; the descriptor's hash of the CSV.
    """
    manifest = Manifest.from_bytes((folder / "manifest.json").read_bytes())
    broken = [entry.path for entry in manifest.files if not _is_as_listed(folder, entry.path, manifest)]
    if broken:
        yield from (f"{name} is not the file that manifest.json names" for name in broken)
        return
    columns = _columns(folder, manifest.series.dataset)
    table = _table(folder, manifest.series.dataset, columns)
    yield from _of_rows(table, columns, manifest)
    yield from _of_pounds(folder, table, columns, manifest)
    yield from _of_parquet(folder, table, columns, manifest)
    resource = read_document(folder, "datapackage.json")["resources"][0]
    if resource["hash"] != f"sha256:{file_entry(folder, resource['path']).sha256}":
        yield f"datapackage.json has another hash for {resource['path']}"


def _is_as_listed(folder: Path, name: str, manifest: Manifest) -> bool:
    listed = next(entry for entry in manifest.files if entry.path == name)
    return (folder / name).is_file() and file_entry(folder, name) == listed


def _columns(folder: Path, name: str) -> tuple[PublishedColumn, ...]:
    fields = read_document(folder, "datapackage.json")["resources"][0]["schema"]["fields"]
    schema = pq.read_schema(folder / f"{name}.parquet")
    return tuple(
        PublishedColumn(one, schema.field(one.name).type.scale) if one.type == "number" else PublishedColumn(one)
        for one in map(Field.from_descriptor, fields)
    )


def _table(folder: Path, name: str, columns: tuple[PublishedColumn, ...]) -> pa.Table:
    names = [column.name for column in columns]
    schema = pa.schema([pa.field(name, pa.string()) for name in names])
    return pa.Table.from_batches(read_published_lines(folder / f"{name}.csv", names), schema).combine_chunks()


def _of_rows(table: pa.Table, columns: tuple[PublishedColumn, ...], manifest: Manifest) -> Iterator[str]:
    digests = Digests(columns)
    for batch in table.to_batches():
        digests.add(batch)
    if digests.count != manifest.rows:
        yield f"manifest.json says {manifest.rows} rows, the CSV has {digests.count}"
    if digests.sha256() != manifest.rows_sha256:
        yield "the rows of the CSV have another rows_sha256 than manifest.json says"


def _of_pounds(
    folder: Path, table: pa.Table, columns: tuple[PublishedColumn, ...], manifest: Manifest
) -> Iterator[str]:
    """The manifest's pounds, where every table of the report has the same field for them."""
    named = amount_fields(folder)
    if manifest.amount_gbp is None or len(named) != 1:
        return
    column = next(column for column in columns if column.name in named)
    total: Decimal = pc.sum(column.typed(table.column(column.name).combine_chunks())).as_py() or Decimal(0)
    if add_pounds(total, -manifest.amount_gbp):
        yield f"manifest.json says £{plain(manifest.amount_gbp)}, the CSV adds up to £{plain(total)}"


def _of_parquet(
    folder: Path, table: pa.Table, columns: tuple[PublishedColumn, ...], manifest: Manifest
) -> Iterator[str]:
    parquet = pq.read_table(folder / f"{manifest.series.dataset}.parquet")
    if parquet.num_rows != table.num_rows:
        yield f"the CSV has {table.num_rows} rows, the Parquet file {parquet.num_rows}"
        return
    for column in columns:
        try:
            same = column.typed(table.column(column.name).combine_chunks()).equals(
                parquet.column(column.name).combine_chunks()
            )
        except ConservationError as error:
            yield str(error)
            continue
        if not same:
            yield f"the CSV and the Parquet file differ in {column.name}"
