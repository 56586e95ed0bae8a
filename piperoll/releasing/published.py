"""Published files read back: the lines of a release of ours as the canonical strings they were written from."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv


def read_published_lines(path: Path, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The columns `names` of a CSV of ours, batch by batch, as canonical strings; an empty cell is a null."""
    options = pa_csv.ConvertOptions(
        column_types={name: pa.string() for name in names},
        include_columns=list(names),
        null_values=[""],
        strings_can_be_null=True,
    )
    parsing = pa_csv.ParseOptions(newlines_in_values=True)
    reading = pa_csv.ReadOptions(use_threads=False)
    with pa_csv.open_csv(path, read_options=reading, parse_options=parsing, convert_options=options) as stream:
        yield from stream


def read_document(folder: Path, name: str) -> dict[str, Any]:
    """One of the JSON files of a release."""
    found: dict[str, Any] = json.loads((folder / name).read_bytes())
    return found


def find_published_line(folder: Path, name: str, line: str) -> dict[str, str | None] | None:
    """One row of a release as canonical strings, by its `line_id` or its number in the CSV (1: the first)."""
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream), start=1):
            if line in (row["line_id"], str(number)):
                return {field: cell or None for field, cell in row.items()}
    return None


def amount_fields(folder: Path) -> frozenset[str]:
    """The fields that the totals of a release are of, by its report: more than one where its tables differ."""
    tables = read_document(folder, "report.json")["tables"]
    return frozenset(table["amount"]["field"] for table in tables if table["amount"])
