"""Verify measures: make each published figure again from the published CSV files alone, and say which one differs.

The lines are consolidated again from the CSVs of the versions that inputs.json names, by the definition that was used.
Any reader of the store can do it: nothing private is needed. Replies are copied, since only the log has them.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import publishers
from piperoll import assets, layout
from piperoll.errors import PiperollError
from piperoll.measuring.definition import Measure, parse_measure
from piperoll.measuring.engine import RULES_VERSION, run_measure, write_table
from piperoll.measuring.inputs import Inputs, Lines, ReleaseFile
from piperoll.measuring.packing import spell_rows
from piperoll.measuring.rows import SCHEMA, MeasuredBody
from piperoll.model import UNDATED, CurrentRelease, Dataset, Field, Period, Series, from_document
from piperoll.operations.measure import read_published_rows
from piperoll.operations.measure_inputs import account_row, hash_rules_version, held_rows
from piperoll.releasing import consolidating
from piperoll.releasing.columns import PublishedColumn, scale_for
from piperoll.releasing.files import read_published_lines

_COPIED = ("inputs", "reply")
"""Columns that are not made from lines."""


@dataclass
class MeasureVerifier:
    """Recomputes measures of a store; what several measures read is consolidated once. `scratch` is for copies."""

    store: publishers.StoreReader
    scratch: Path
    made: dict[tuple[Any, ...], Mapping[str, tuple[Path, Mapping[str, Any]]]] = field(default_factory=dict)

    def find_faults(self, series: Series) -> Iterator[str]:
        """What is wrong with the current version of a measure and year, figure by figure; nothing if all matches.

        Raises: StoreUnavailable: the store does not answer.
        """
        history, _ = publishers.read_history(self.store, series)
        if (version := history.current_version) is None:
            return
        if not str(version.rules_version).endswith(f"/{RULES_VERSION}"):
            yield "it was made by other rules than those of this installation: run piperoll measure, or install those"
            return
        definition, documents = (
            json.loads(self.store.read(layout.release_file(series, version, name)).content)
            for name in ("definition.json", "inputs.json")
        )
        try:
            measure = parse_measure(series.body, definition["files"])
            again = self._measure_again(measure, series.period, documents)
        except PiperollError as error:
            if error.retryable:
                raise
            yield f"its figures cannot be made again: {error}"
            return
        yield from _compare(read_published_rows(self.store, series), again)

    def _measure_again(self, measure: Measure, year: Period, documents: Mapping[str, Any]) -> pa.RecordBatch:
        _require_rules(documents["shared"])
        lines: dict[str, list[Path]] = defaultdict(list)
        accounts, reports, contracts = [], {}, []
        for body, own in sorted(documents["bodies"].items()):
            contracts += [self._contract_release(body, one) for one in own["inputs"] if "published" in one]
            for dataset, years in _group_by_dataset(own["inputs"]).items():
                for name, (parquet, entry) in self._consolidate(assets.dataset(dataset), body, years).items():
                    lines[dataset].append(parquet)
                    accounts.append(account_row(dataset, name, body, entry))
                for release in {one for releases in years.values() for one in releases}:
                    folder = self._fetch(release, dataset)
                    reports[dataset, release] = json.loads((folder / "report.json").read_bytes())
        bodies = [from_document(MeasuredBody, one["described"]) for one in documents["bodies"].values()]
        held = held_rows(
            (dataset, _series_of(release), report) for (dataset, release), report in sorted(reports.items())
        )
        views = {name: Lines(assets.dataset(name), tuple(lines[name])) for name in assets.dataset_names()}
        tables = {
            one["what"].removeprefix("table "): self._read_table(one)
            for one in documents["shared"]
            if one["what"].startswith("table ")
        }
        with Inputs(year, bodies, views, accounts, held, contracts, made_tables=tables) as inputs:
            return run_measure(measure, inputs)

    def _consolidate(
        self, dataset: Dataset, body: str, years: Mapping[str, tuple[str, ...]]
    ) -> Mapping[str, tuple[Path, Mapping[str, Any]]]:
        """The lines and the account of a body's years, from the CSVs of its versions."""
        key = (dataset.name, body, tuple(sorted(years.items())))
        if key not in self.made:
            named = sorted({one for releases in years.values() for one in releases})
            releases = [self._release(one, dataset.name) for one in named]
            folder = self.scratch / "consolidated" / dataset.name / body / str(len(self.made))
            self.made[key] = {
                account.year: (folder / account.year / f"{dataset.name}.parquet", publishers.summarise_account(account))
                for account in consolidating.consolidate_years(dataset, releases, sorted(years), folder)
            }
        return self.made[key]

    def _release(self, release: str, dataset: str) -> CurrentRelease:
        path = release.rpartition("/")[2]
        return CurrentRelease(_series_of(release), _number(path), partial(self._fetch, release, dataset), path)

    def _contract_release(self, body: str, one: Mapping[str, Any]) -> ReleaseFile:
        folder = self._fetch(one["what"], "contracts")
        series, number = str(_series_of(one["what"])), _number(one["what"].rpartition("/")[2])
        return ReleaseFile(folder / "contracts.parquet", series, number, body, one["published"], one["current"])

    def _fetch(self, release: str, dataset: str) -> Path:
        """Fetch the CSV, descriptor and report of a version, and make the Parquet file again from the CSV."""
        folder = self.scratch / "releases" / release
        if not folder.exists():
            folder.mkdir(parents=True)
            for name in (f"{dataset}.csv", "datapackage.json", "report.json", "manifest.json"):
                self.store.fetch(f"{layout.DATA}{release}/{name}", folder / name)
            _write_parquet(folder, dataset)
        return folder

    def _read_table(self, one: Mapping[str, Any]) -> pa.Table:
        """A derived table as it was used; its CSV must be what the Parquet file says."""
        name = one["what"].removeprefix("table ")
        content = self.store.read(layout.measure_table(name, one["sha256"], "parquet")).content
        table = pq.read_table(io.BytesIO(content))
        if hashlib.sha256(write_table(table)["csv"]).hexdigest() != one["sha256"]:
            raise PiperollError(f"the table {name} is not the one that inputs.json names")
        return table


def _write_parquet(folder: Path, name: str) -> None:
    """Make the Parquet file of a version from its CSV and descriptor."""
    described = json.loads((folder / "datapackage.json").read_bytes())["resources"][0]["schema"]["fields"]
    known = [Field.from_descriptor(one) for one in described]
    texts = pa.Table.from_batches(
        read_published_lines(folder / f"{name}.csv", [one.name for one in known]),
        pa.schema([pa.field(one.name, pa.string()) for one in known]),
    ).combine_chunks()
    cells = {one.name: pa.concat_arrays(texts.column(one.name).chunks or [pa.array([], pa.string())]) for one in known}
    columns = [
        PublishedColumn(one, scale_for([cells[one.name]])) if one.type == "number" else PublishedColumn(one)
        for one in known
    ]
    typed = pa.table({column.name: column.typed(cells[column.name]) for column in columns})
    pq.write_table(typed, folder / f"{name}.parquet", compression="zstd")


def _require_rules(shared: list[dict[str, Any]]) -> None:
    """Compare the rules that were used with those here. Raises: PiperollError: some are others."""
    for one in shared:
        what, name = one["what"], one["what"].removeprefix("rules of ")
        if what.startswith("datapackages/"):
            path = assets.folder("datapackages") / what.removeprefix("datapackages/")
            if hashlib.sha256(path.read_bytes()).hexdigest() != one["sha256"]:
                raise PiperollError(f"{what} is another version here")
        if what == name or name not in assets.dataset_names():
            continue
        if hash_rules_version(consolidating.rules_version(assets.dataset(name))) != one["sha256"]:
            raise PiperollError(f"the lines of {name} were classified by other rules than those here")


def _group_by_dataset(inputs: list[dict[str, Any]]) -> dict[str, dict[str, tuple[str, ...]]]:
    """The consolidated years of each dataset among the inputs of a body, with the versions behind each."""
    found: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for one in inputs:
        dataset, _, year = one["what"].partition(" ")
        if year and (year == UNDATED or year[:4].isdigit()):
            found[dataset][year] = tuple(one.get("releases", ()))
    return found


def _series_of(release: str) -> Series:
    return Series.parse(release.rpartition("/")[0])


def _number(folder: str) -> int:
    return int(folder.partition("-")[0].removeprefix("v"))


def _compare(published: list[dict[str, str]], again: pa.RecordBatch) -> Iterator[str]:
    """The figures that differ, with what is published and what is made again."""
    names = [name for name in SCHEMA.names if name not in _COPIED]
    before = {row["figure_id"]: row for row in published}
    after = {row["figure_id"]: {name: row[name] or "" for name in row} for row in spell_rows(again).to_pylist()}
    for identifier in sorted({*before, *after}):
        old, new = before.get(identifier), after.get(identifier)
        row: Mapping[str, str] = old or new or {}
        figure = " ".join(filter(None, (row["figure"], row["item"])))
        what = f"{figure} of {row['body']} ({identifier})"
        if old is None:
            yield f"{what} is not published, and the lines give it"
            continue
        if new is None:
            yield f"{what} is published, and the lines do not give it"
            continue
        for name in names:
            if old[name] != new[name]:
                yield f"{what}: {name} is published as '{old[name]}', and the lines give '{new[name]}'"
