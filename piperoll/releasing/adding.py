"""Adding a release to the current one of its series, as one release with the lines of both (`--as add`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.errors import UsageError
from piperoll.model import Field, Manifest, Packed, Report, file_entry, from_document, to_document
from piperoll.releasing.columns import add_exactly, columns_of
from piperoll.releasing.datapackage import with_sources, with_table
from piperoll.releasing.deriving import LineIdentifiers, is_hash
from piperoll.releasing.files import TableFiles, read_document, read_published_lines
from piperoll.releasing.packing import ManifestFacts, write_documents


def add_to_release(current_folder: Path, packed: Packed, folder: Path) -> Packed:
    """Make in `folder` the release that holds the lines of the current version and then those of `packed`.

    `current_folder` holds the files of the current version. Lines that both have are kept twice: the numbers in their
    identifiers go on. If `packed` is in the current version already, the current version is returned: adding twice adds
    once.

    Raises: UsageError: the two are of different series, or of different versions of the schema.
    """
    current = Packed(current_folder, Manifest.from_bytes((current_folder / "manifest.json").read_bytes()))
    before, added = current.manifest, packed.manifest
    if set(added.sources) <= set(before.sources):
        return current
    if before.series != added.series:
        raise UsageError(f"{added.series} cannot be added to {before.series}: they are different series")
    if before.dataset_version != added.dataset_version:
        raise UsageError(
            f"{added.series} was published under version {before.dataset_version} of its schema and cannot be added to "
            f"under {added.dataset_version}: release the first submission again under the current rules, then add"
        )
    folder.mkdir(parents=True, exist_ok=True)
    name, descriptor = added.series.dataset, read_document(packed.folder, "datapackage.json")
    fields = [Field.from_descriptor(field) for field in descriptor["resources"][0]["schema"]["fields"]]
    schemas = [pq.read_schema(one.folder / f"{name}.parquet") for one in (current, packed)]
    columns = columns_of(fields, schemas)
    identifiers = {field.name: LineIdentifiers() for field in fields if is_hash(field)}
    with TableFiles(folder, name, columns) as files:
        for one in (current, packed):
            for batch in read_published_lines(one.folder / f"{name}.csv", [column.name for column in columns]):
                files.write(_number_again(batch, identifiers))
        totals = files.totals()
    sources = [*read_document(current.folder, "datapackage.json")["sources"], *descriptor["sources"]]
    table = file_entry(folder, f"{name}.csv")
    pounds = None if added.amount_gbp is None else add_exactly(before.amount_gbp or Decimal(0), added.amount_gbp)
    return write_documents(
        folder,
        table,
        with_sources(with_table(descriptor, table, totals.rows_sha256), sources),
        _join_reports(read_document(current.folder, "report.json"), read_document(packed.folder, "report.json")),
        ManifestFacts(
            added.series,
            totals,
            pounds,
            tuple(dict.fromkeys((*before.sources, *added.sources))),
            added.dataset_version,
            added.rules_version,
        ),
    )


def _number_again(batch: pa.RecordBatch, identifiers: Mapping[str, LineIdentifiers]) -> pa.RecordBatch:
    """The batch with the identifiers of its lines numbered on from those of earlier batches."""
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    for name, counter in identifiers.items():
        digests = [str(cell).rpartition("-")[0] for cell in columns[name].to_pylist()]
        columns[name] = counter.number(digests, pa.array(digests, pa.string()))
    return pa.RecordBatch.from_arrays(list(columns.values()), names=batch.schema.names)


def _join_reports(current: dict[str, Any], added: dict[str, Any]) -> dict[str, Any]:
    """The public report of the added submission, with the tables and findings of both, the current ones first."""
    old, new = from_document(Report, current), from_document(Report, added)
    passed = tuple(code for code in new.passed if code in old.passed)
    joined = replace(new, tables=(*old.tables, *new.tables), findings=(*old.findings, *new.findings), passed=passed)
    document: dict[str, Any] = to_document(joined)
    return document
