"""Accepted rows to the files of a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from piperoll.errors import ConservationError
from piperoll.model import (
    Body,
    Dataset,
    Disposition,
    Manifest,
    Packed,
    Report,
    Series,
    Table,
    file_entry,
    to_document,
    to_json_bytes,
)
from piperoll.releasing.conserving import AcceptedTotals, add_pounds
from piperoll.releasing.datapackage import describe_release
from piperoll.releasing.deriving import DerivationFacts, SourceFile
from piperoll.releasing.files import TableFiles, TableTotals
from piperoll.releasing.lines import LineMaker, RowDispositions, columns_for


def pack_release(  # noqa: PLR0913 - what a release is a function of, named one by one
    dataset: Dataset,
    body: Body,
    series: Series,
    tables: Sequence[Table[pa.RecordBatch]],
    report: Report,
    disposition: Disposition,
    *,
    source: SourceFile,
    rules_version: str,
    folder: Path,
) -> Packed:
    """Make the files of a release in `folder`, byte for byte a function of what is given.

    `{dataset}.csv` (UTF-8, RFC 4180, CRLF), `{dataset}.parquet`, `datapackage.json`, `report.json` (the public
    one) and `manifest.json`. Rows that `disposition` holds are left out, redacted ones lose what gives the name
    away, every field of the dataset is there in the descriptor's order. No tables give a release of no rows.

    Raises: ConservationError: what would be published is not what `report` accepted; nothing may be released.
    DescriptorError: the dataset's descriptor asks for something that is not in docs/datasets.md.
    """
    folder.mkdir(parents=True, exist_ok=True)
    columns = columns_for(dataset, tables)
    maker = LineMaker(dataset, columns)
    facts = [DerivationFacts.of(body, series, source, table) for table in tables]
    totals, pounds = _write_tables(maker, tables, facts, report, disposition, folder)
    table = file_entry(folder, f"{dataset.name}.csv")
    descriptor = describe_release(dataset, body, series, source, rules_version, table, totals.rows_sha256)
    made = ManifestFacts(
        series, totals, pounds if dataset.amount else None, (source.sha256,), dataset.version, rules_version
    )
    return finish(folder, dataset.name, descriptor, to_document(report.public(disposition)), made)


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """What a manifest says besides its files."""

    series: Series
    totals: TableTotals
    amount_gbp: Decimal | None
    sources: tuple[str, ...]
    dataset_version: str
    rules_version: str


def finish(
    folder: Path, name: str, descriptor: Mapping[str, Any], report: Mapping[str, Any], made: ManifestFacts
) -> Packed:
    """Write the JSON files beside the table `name`, the manifest last."""
    (folder / "datapackage.json").write_bytes(to_json_bytes(descriptor))
    (folder / "report.json").write_bytes(to_json_bytes(report))
    names = ("datapackage.json", f"{name}.csv", f"{name}.parquet", "report.json")
    manifest = Manifest(
        series=made.series,
        files=tuple(file_entry(folder, name) for name in names),
        rows=made.totals.lines,
        amount_gbp=made.amount_gbp,
        rows_sha256=made.totals.rows_sha256,
        sources=made.sources,
        dataset_version=made.dataset_version,
        rules_version=made.rules_version,
    )
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    return Packed(folder, manifest)


def replace_report(packed: Packed, report: Report, disposition: Disposition) -> Packed:
    """The same release with another report in it: the table is the same, the manifest is written anew.

    A report may say more once the release is compared with others; `report` is made fit for the public here.
    """
    name = "report.json"
    (packed.folder / name).write_bytes(to_json_bytes(to_document(report.public(disposition))))
    entries = (file_entry(packed.folder, name) if entry.path == name else entry for entry in packed.manifest.files)
    manifest = replace(packed.manifest, files=tuple(entries))
    (packed.folder / "manifest.json").write_bytes(manifest.to_bytes())
    return Packed(packed.folder, manifest)


def _write_tables(
    maker: LineMaker,
    tables: Sequence[Table[pa.RecordBatch]],
    facts: Sequence[DerivationFacts],
    report: Report,
    disposition: Disposition,
    folder: Path,
) -> tuple[TableTotals, Decimal]:
    if len(tables) != len(report.tables):
        raise ConservationError(f"{len(tables)} tables were read but the report tells of {len(report.tables)}")
    pounds = Decimal(0)
    with TableFiles(folder, maker.dataset.name, maker.columns) as files:
        for number, (table, said) in enumerate(zip(tables, report.tables, strict=True)):
            tally = AcceptedTotals(said, tuple(maker.columns))
            for lines in maker.lines(table, facts[number], RowDispositions.of(disposition, number)):
                files.write(lines.batch)
                tally.add(lines)
            tally.settle()
            pounds = add_pounds(pounds, tally.pounds)
        return files.totals(), pounds
