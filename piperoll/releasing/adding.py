"""The union of a release that stands and one that comes beside it (`piperoll release --as add`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from piperoll.errors import UsageError
from piperoll.model import Field, Manifest, Packed, Report, file_entry, from_document, to_document
from piperoll.releasing.columns import PublishedColumn
from piperoll.releasing.conserving import add_pounds
from piperoll.releasing.datapackage import with_sources, with_table
from piperoll.releasing.deriving import Occurrences, is_hash
from piperoll.releasing.files import TableFiles, TableTotals
from piperoll.releasing.packing import ManifestFacts, finish
from piperoll.releasing.published import read_document, read_published_lines


def add_to_release(standing_folder: Path, packed: Packed, folder: Path) -> Packed:
    """Make in `folder` the release that holds the lines that stand and then those of `packed`.

    `standing_folder` holds the files of the standing version. Lines that both have are kept twice: their identifiers
    count on. Where `packed` is part of what stands already, what stands is given back, so that adding twice adds once.

    Raises: UsageError: the two are of different series or of different versions of the schema.
    """
    standing = Packed(standing_folder, Manifest.from_bytes((standing_folder / "manifest.json").read_bytes()))
    if set(packed.manifest.sources) <= set(standing.manifest.sources):
        return standing
    _refuse_unlike(standing.manifest, packed.manifest)
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = read_document(packed.folder, "datapackage.json")
    name = packed.manifest.series.dataset
    totals = _write_union(name, _columns(name, descriptor, (standing, packed)), (standing, packed), folder)
    table = file_entry(folder, f"{name}.csv")
    sources = [*read_document(standing.folder, "datapackage.json")["sources"], *descriptor["sources"]]
    return finish(
        folder,
        name,
        with_sources(with_table(descriptor, table, totals.rows_sha256), sources),
        _both_reports(read_document(standing.folder, "report.json"), read_document(packed.folder, "report.json")),
        _made(standing.manifest, packed.manifest, totals),
    )


def _made(standing: Manifest, added: Manifest, totals: TableTotals) -> ManifestFacts:
    pounds = None
    if added.amount_gbp is not None:
        pounds = add_pounds(standing.amount_gbp or Decimal(0), added.amount_gbp)
    sources = tuple(dict.fromkeys((*standing.sources, *added.sources)))
    return ManifestFacts(added.series, totals, pounds, sources, added.dataset_version, added.rules_version)


def _refuse_unlike(standing: Manifest, added: Manifest) -> None:
    if standing.series != added.series:
        raise UsageError(f"{added.series} cannot be added to {standing.series}: they are different series")
    if standing.dataset_version != added.dataset_version:
        raise UsageError(
            f"{added.series} stands under version {standing.dataset_version} of its schema and cannot be added to "
            f"under {added.dataset_version}: release the first submission again under today's rules, then add"
        )


def _columns(name: str, descriptor: Mapping[str, Any], both: Sequence[Packed]) -> tuple[PublishedColumn, ...]:
    schemas = [pq.read_schema(packed.folder / f"{name}.parquet") for packed in both]
    fields = [Field.from_descriptor(field) for field in descriptor["resources"][0]["schema"]["fields"]]
    return tuple(
        PublishedColumn(one, max(schema.field(one.name).type.scale for schema in schemas))
        if one.type == "number"
        else PublishedColumn(one)
        for one in fields
    )


def _write_union(name: str, columns: tuple[PublishedColumn, ...], both: Sequence[Packed], folder: Path) -> TableTotals:
    counters = {column.name: Occurrences() for column in columns if is_hash(column.field)}
    with TableFiles(folder, name, columns) as files:
        for packed in both:
            for batch in read_published_lines(packed.folder / f"{name}.csv", [column.name for column in columns]):
                files.write(_counted_on(batch, counters))
        return files.totals()


def _counted_on(batch: pa.RecordBatch, counters: Mapping[str, Occurrences]) -> pa.RecordBatch:
    """The batch with the identifiers of its lines numbered on from those already met."""
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    for name, counter in counters.items():
        digests = [str(cell).rpartition("-")[0] for cell in columns[name].to_pylist()]
        columns[name] = pa.array([counter.number(digest) for digest in digests], pa.string())
    return pa.RecordBatch.from_arrays(list(columns.values()), names=batch.schema.names)


def _both_reports(standing: dict[str, Any], added: dict[str, Any]) -> dict[str, Any]:
    """One public report: the newer submission's, with the tables and findings of both, the standing ones first."""
    old, new = from_document(Report, standing), from_document(Report, added)
    passed = tuple(code for code in new.passed if code in old.passed)
    whole = replace(new, tables=(*old.tables, *new.tables), findings=(*old.findings, *new.findings), passed=passed)
    document: dict[str, Any] = to_document(whole)
    return document
