"""Packing a release: from the accepted rows of a submission to the files that are published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from piperoll.errors import ConservationError
from piperoll.findings import public_report
from piperoll.model import (
    Body,
    Dataset,
    Disposition,
    FileEntry,
    Manifest,
    Packed,
    Report,
    Series,
    Table,
    TableReport,
    file_entry,
    format_decimal,
    to_compact_json_bytes,
    to_document,
)
from piperoll.model.columns import Cells, pc
from piperoll.releasing.columns import PublishedColumn, add_exactly
from piperoll.releasing.datapackage import describe_release
from piperoll.releasing.deriving import DerivationFacts, SourceFile
from piperoll.releasing.files import TableFiles, TableTotals
from piperoll.releasing.lines import LineBatch, LineMaker, RowDispositions, columns_for


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """What a manifest says besides its files."""

    series: Series
    totals: TableTotals
    amount_gbp: Decimal | None
    sources: tuple[str, ...]
    dataset_version: str
    rules_version: str


def pack_release(  # noqa: PLR0913 - everything that a release is a function of
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
    """Make the files of a release in `folder`; the same arguments give the same bytes.

    The files are `{dataset}.csv` (UTF-8, RFC 4180, CRLF), `{dataset}.parquet`, `datapackage.json`, `report.json` (the
    public report) and `manifest.json`. Rows that `disposition` holds are left out, redacted rows lose what would give
    the name away, and every field of the dataset is there in the order of the descriptor. No tables give a release of
    no rows.

    Raises: ConservationError: what would be published is not what `report` accepted; nothing may be released.
    DescriptorError: the descriptor uses something that is not in docs/datasets.md.
    """
    if len(tables) != len(report.tables):
        raise ConservationError(f"{len(tables)} tables were read, but the report has {len(report.tables)}")
    folder.mkdir(parents=True, exist_ok=True)
    columns, pounds = columns_for(dataset, tables), Decimal(0)
    maker = LineMaker(dataset, columns)
    with TableFiles(folder, dataset.name, columns) as files:
        for number, (table, table_report) in enumerate(zip(tables, report.tables, strict=True)):
            accepted = AcceptedTotals(table_report, columns)
            facts = DerivationFacts.of(body, series, source, table, table_report.sheet)
            for lines in maker.make_lines(table, facts, RowDispositions.of(disposition, number)):
                files.write(lines.batch)
                accepted.add(lines)
            accepted.check()
            pounds = add_exactly(pounds, accepted.pounds)
        totals = files.totals()
    csv = file_entry(folder, f"{dataset.name}.csv")
    descriptor = describe_release(dataset, body, series, source, rules_version, csv, totals.rows_sha256)
    facts_of_release = ManifestFacts(
        series, totals, pounds if dataset.amount else None, (source.sha256,), dataset.version, rules_version
    )
    public = to_document(public_report(report, disposition))
    return write_documents(folder, csv, descriptor, public, facts_of_release)


def write_documents(
    folder: Path, csv: FileEntry, descriptor: Mapping[str, Any], report: Mapping[str, Any], facts: ManifestFacts
) -> Packed:
    """Write the JSON files beside the table whose CSV file is `csv`, the manifest last."""
    (folder / "datapackage.json").write_bytes(to_compact_json_bytes(descriptor))
    (folder / "report.json").write_bytes(to_compact_json_bytes(report))
    parquet = f"{csv.path.removesuffix('.csv')}.parquet"
    manifest = Manifest(
        series=facts.series,
        files=(
            file_entry(folder, "datapackage.json"),
            csv,
            file_entry(folder, parquet),
            file_entry(folder, "report.json"),
        ),
        rows=facts.totals.lines,
        amount_gbp=facts.amount_gbp,
        rows_sha256=facts.totals.rows_sha256,
        sources=facts.sources,
        dataset_version=facts.dataset_version,
        rules_version=facts.rules_version,
    )
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    return Packed(folder, manifest)


def replace_report(packed: Packed, report: Report, disposition: Disposition) -> Packed:
    """Put another report into a release and write its manifest again; the table stays.

    A report may say more once the release has been compared with others. The public report is made from it here.
    """
    name = "report.json"
    (packed.folder / name).write_bytes(to_compact_json_bytes(to_document(public_report(report, disposition))))
    entries = (file_entry(packed.folder, name) if entry.path == name else entry for entry in packed.manifest.files)
    manifest = replace(packed.manifest, files=tuple(entries))
    (packed.folder / "manifest.json").write_bytes(manifest.to_bytes())
    return Packed(packed.folder, manifest)


class AcceptedTotals:
    """Counts the source rows and the pounds of one table as its lines are published, to compare with its report."""

    def __init__(self, report: TableReport, columns: Sequence[PublishedColumn]) -> None:
        self._report = report
        field = report.amount.field if report.amount else None
        self._amount = next((column for column in columns if column.name == field), None)
        self._rows: list[Cells] = [pa.array([], pa.int64())]
        self.pounds = Decimal(0)

    def add(self, lines: LineBatch) -> None:
        """Add a batch of lines."""
        self._rows.append(lines.rows.unique())
        if self._amount:
            self.pounds = add_exactly(self.pounds, self._amount.sum(lines.batch))

    def check(self) -> None:
        """Compare with the report. Raises: ConservationError: rows or pounds are not those that it accepted."""
        table = f"the table in {self._report.sheet or 'the file'}"
        rows, accepted_rows = pc.count_distinct(pa.concat_arrays(self._rows)).as_py(), self._report.rows.accepted
        if rows != accepted_rows:
            raise ConservationError(f"{table}: {accepted_rows} rows were accepted but {rows} would be published")
        accepted = self._report.amount.accepted if self._report.amount else Decimal(0)
        if self.pounds != accepted:
            raise ConservationError(
                f"{table}: £{format_decimal(accepted)} were accepted but £{format_decimal(self.pounds)} would be "
                "published"
            )
