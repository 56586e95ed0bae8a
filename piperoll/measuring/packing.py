"""The files of one version of a measure and year, made like those of a release; the same rows give the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from piperoll import assets
from piperoll.measuring.definition import Measure
from piperoll.measuring.engine import RULES_VERSION
from piperoll.measuring.rows import NUMBER, MeasuredBody, look_up, replace_columns
from piperoll.model import (
    Dataset,
    FileEntry,
    Manifest,
    Packed,
    Period,
    Series,
    file_entry,
    to_compact_json_bytes,
    to_document,
)
from piperoll.model.columns import Cells, pc
from piperoll.releasing.columns import SCALES, PublishedColumn
from piperoll.releasing.files import TableFiles, TableTotals

DATASET = "measures"
"""The first part of the series of measures, and the name of their table."""

_PIECE_ROWS = 8_192
"""Rows that are spelled and written at once, which bounds the memory that packing takes."""

_FILES = ("datapackage.json", "definition.json", "inputs.json", "measures.csv", "measures.parquet")


@dataclass(frozen=True, slots=True, order=True)
class InputFile:
    """One thing that a measure was made from, by its sha256: consolidated lines of a body, a release, a source, a rule.

    `body` is empty for what bears on every row. `what` names it: `spend 2026-27` are the consolidated lines of a year,
    made from the versions in `releases` (as `series/folder`); `population` is a table. A version of a contracts table
    says when it was `published` and whether it was `current`.
    """

    body: str
    what: str
    sha256: str
    releases: tuple[str, ...] = ()
    published: str = ""
    current: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """The entry in inputs.json, without what is empty."""
        entry = {"what": self.what, "sha256": self.sha256, "releases": list(self.releases), "published": self.published}
        return {key: value for key, value in entry.items() if value} | (
            {} if self.current is None else {"current": self.current}
        )


@cache
def table_dataset() -> Dataset:
    """The long table of measures as a dataset: `measures/datapackage.json`."""
    content = (assets.folder("measures") / "datapackage.json").read_text("utf-8")
    return Dataset.from_descriptor(json.loads(content), ())


def measure_series(measure: str, year: Period) -> Series:
    """The series of a measure and financial year: `measures/coverage/2026-27`."""
    return Series(DATASET, measure, year)


def rules_version(measure: Measure) -> str:
    """Identify the method and the engine that make the rows."""
    return f"{measure.version}+{measure.sha256[:12]}/{RULES_VERSION}"


def describe_inputs(
    measure: Measure, year: Period, inputs: Sequence[InputFile], bodies: Sequence[MeasuredBody]
) -> dict[str, Any]:
    """inputs.json: what bears on every row, and what else the rows of each body were made from, with a hash of both."""
    shared = sorted({one for one in inputs if not one.body})
    of_body: dict[str, list[InputFile]] = {one.body: [] for one in sorted(bodies, key=lambda body: body.body)}
    for one in sorted(set(inputs) - {*shared}):
        of_body[one.body].append(one)
    described = {one.body: to_document(one) for one in bodies}
    return {
        "measure": measure.id,
        "year": str(year),
        "rules_version": rules_version(measure),
        "shared": [one.to_json() for one in shared],
        "bodies": {
            body: {
                "sha256": _hash_list(
                    [rules_version(measure), described[body], *(one.to_json() for one in (*shared, *own))]
                ),
                "described": described[body],
                "inputs": [one.to_json() for one in own],
            }
            for body, own in of_body.items()
        },
    }


def pack_measure(
    measure: Measure, year: Period, rows: pa.RecordBatch, inputs: Mapping[str, Any], folder: Path
) -> Packed:
    """Write the files of a version: the table as CSV and Parquet, inputs, definition, descriptor and manifest.

    `inputs` is what `describe_inputs` made; with the same hash of it, a measure gives the same rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hashes = {body: one["sha256"] for body, one in inputs["bodies"].items()}
    rows = replace_columns(rows, {"inputs": look_up(rows["body"], hashes)})
    dataset, series = table_dataset(), measure_series(measure.id, year)
    totals = _write_table(rows, folder)
    csv = file_entry(folder, "measures.csv")
    definition = {"id": measure.id, "version": measure.version, "files": dict(sorted(measure.files.items()))}
    (folder / "definition.json").write_bytes(to_compact_json_bytes(definition))
    (folder / "inputs.json").write_bytes(listed := to_compact_json_bytes(inputs))
    described = _describe(measure, dataset, series, csv, totals)
    (folder / "datapackage.json").write_bytes(to_compact_json_bytes(described))
    manifest = Manifest(
        series=series,
        dataset_version=dataset.version,
        rules_version=rules_version(measure),
        rows=totals.lines,
        amount_gbp=None,
        rows_sha256=totals.rows_sha256,
        sources=(hashlib.sha256(listed).hexdigest(),),
        files=tuple(file_entry(folder, name) for name in _FILES),
    )
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    return Packed(folder, manifest)


def spell_rows(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Rows as their CSV has them: canonical texts, and a null for what is missing."""
    spelled = {}
    for one in table_dataset().fields:
        cells = rows[one.name].cast(pa.string()) if one.type == "string" else rows[one.name]
        spelled[one.name] = PublishedColumn(one, NUMBER.scale).spelled(cells)
    return pa.record_batch(spelled)


def _write_table(rows: pa.RecordBatch, folder: Path) -> TableTotals:
    columns = [PublishedColumn(one, _choose_scale(rows[one.name])) for one in table_dataset().fields]
    with TableFiles(folder, DATASET, columns) as files:
        for start in range(0, rows.num_rows, _PIECE_ROWS):
            files.write(spell_rows(rows.slice(start, _PIECE_ROWS)))
        return files.totals()


def _choose_scale(cells: Cells) -> int:
    """The decimal places of a column in Parquet: the first of `SCALES` that keeps every number."""
    if cells.type != NUMBER:
        return SCALES[0]
    return next(scale for scale in SCALES if not pc.any(pc.not_equal(pc.round(cells, scale), cells)).as_py())


def _describe(
    measure: Measure, dataset: Dataset, series: Series, csv: FileEntry, totals: TableTotals
) -> dict[str, Any]:
    """The descriptor of a version (Data Package 2.0); it has no clock in it."""
    declared = dataset.descriptor["resources"][0]
    return {
        "$schema": dataset.descriptor["$schema"],
        "id": str(series),
        "name": str(series).lower().replace("/", "-"),
        "title": f"{measure.title}, {series.period.title}",
        "description": measure.summary,
        "version": f"{measure.version}+{totals.rows_sha256[:12]}",
        "licenses": list(dataset.descriptor["licenses"]),
        "contributors": [{"title": measure.owner, "roles": ["publisher"]}],
        "sources": [{"title": source} for source in measure.sources],
        "resources": [declared | {"bytes": csv.bytes, "hash": f"sha256:{csv.sha256}"}],
        "x_piperoll": {
            "series": str(series),
            "dataset": DATASET,
            "dataset_title": dataset.title,
            "dataset_version": dataset.version,
            "rules_version": rules_version(measure),
            "measure": measure.id,
            "method_version": measure.version,
            "period": {
                "name": str(series.period),
                "title": series.period.title,
                "start": series.period.start.isoformat(),
                "end": series.period.end.isoformat(),
            },
            "rows_sha256": totals.rows_sha256,
        },
    }


def _hash_list(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
