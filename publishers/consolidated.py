"""Consolidated files: what counts of each body, dataset and financial year, for readers who compare all bodies.

The index of a year names the files of every body (`piperoll.layout`, `catalogue/consolidated/`). A change of one body
makes its files of that year again, and those of the years beside it if a line may have moved between them; the files of
other bodies stay. New files are written first, then the index by conditional write, then the files it no longer names
are deleted: a reader with an old index misses a file, and never reads a mix.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from piperoll import layout
from piperoll.model import (
    Consolidated,
    CurrentRelease,
    Dataset,
    Period,
    Portion,
    Series,
    SeriesChoice,
    Version,
    count_once,
    file_entry,
    financial_year_of,
    format_decimal,
    pounds_of,
    to_json_bytes,
)
from publishers.index import list_indexed_series_of
from publishers.pointer import fetch_version, read_history
from publishers.stores.protocol import JsonObject, Store, StoreReader, read_json, update_json

ConsolidateReleases = Callable[[Dataset, Sequence[CurrentRelease], Sequence[CurrentRelease], Path], Consolidated]
"""Makes the table of a body's releases of a year, given those of the years beside it too:
`piperoll.releasing.consolidate_releases`."""

_FORMATS = ("parquet", "csv", "json")


def consolidate_body(
    store: Store,
    dataset: Dataset,
    body: str,
    consolidate: ConsolidateReleases,
    scratch: Path,
    *,
    check_files: bool = False,
) -> dict[str, int]:
    """Bring the consolidated files of a body and dataset up to date with its current releases.

    Returns how many objects were written or deleted, for each year in which there were any. Nothing is fetched or
    written for a year whose releases, and those of the years beside it, have not changed. `scratch` is a folder for
    temporary files. With `check_files`, files that the index names but that are missing are made again.
    Raises: PointerMoved (retryable): others write the index faster than we can.
    """
    current = {
        series: version
        for series in list_indexed_series_of(store, dataset.name, body)
        if (version := read_history(store, series)[0].current_version) is not None
    }
    releases = _BodyReleases(store, dataset, body, current, count_once(current))
    listed = [Period.parse(year) for year in list_consolidated_years(store, dataset.name)]
    touched = {
        str(year): releases.update_year(year, consolidate, scratch, check_files=check_files)
        for year in sorted({*releases.by_year, *listed})
    }
    return {year: count for year, count in touched.items() if count}


def list_consolidated_years(store: StoreReader, dataset: str) -> tuple[str, ...]:
    """The financial years of a dataset that have consolidated files."""
    return tuple(read_json(store, layout.CONSOLIDATED_INDEX).get("datasets", {}).get(dataset, ()))


def read_consolidated_year(store: StoreReader, dataset: str, year: str) -> JsonObject:
    """Read the index of a dataset and year: for each body its files with their hashes, its rows and pounds by part."""
    return read_json(store, layout.consolidated_index(dataset, year))


def list_unreferenced(store: Store) -> Iterator[str]:
    """The keys of consolidated files that no index names: their writer was killed, or is still working."""
    named: dict[str, frozenset[str]] = {}
    for key in store.keys(layout.CONSOLIDATED):
        parsed = layout.parse_consolidated_file(key)
        if parsed is None:
            continue
        index, name = parsed
        if index not in named:
            bodies = read_json(store, index).get("bodies", {})
            named[index] = frozenset[str]().union(*map(_list_paths, bodies.values()))
        if name not in named[index]:
            yield key


@dataclass(frozen=True)
class _BodyReleases:
    """The current releases of a body and dataset, and which of them count."""

    store: Store
    dataset: Dataset
    body: str
    current: Mapping[Series, Version]
    counted: SeriesChoice

    @cached_property
    def by_year(self) -> dict[Period, list[Series]]:
        """The series that count, by the financial year in which they begin."""
        found: dict[Period, list[Series]] = {}
        for series in self.counted.taken:
            found.setdefault(financial_year_of(series.period), []).append(series)
        return found

    def update_year(self, year: Period, consolidate: ConsolidateReleases, scratch: Path, *, check_files: bool) -> int:
        """Bring the files of a year up to date; return how many objects were written or deleted."""
        dataset, name, own = self.dataset.name, str(year), self.by_year.get(year, [])
        inputs = self._hash_inputs(year)
        before = read_consolidated_year(self.store, dataset, name).get("bodies", {}).get(self.body)
        if own:
            _set_year(self.store, dataset, name, listed=True)  # again: a build that removed its last body may unlist it
        if before is None and not own:
            return 0
        if before is not None and before["inputs"] == inputs:
            files = (layout.consolidated_file(dataset, name, path) for path in _list_paths(before))
            if not check_files or all(map(self.store.exists, files)):
                return 0
        after = self._make_files(year, consolidate, scratch) | {"inputs": inputs} if own else None
        _set_year(self.store, dataset, name, listed=True)

        def set_body(page: JsonObject) -> JsonObject:
            bodies = sorted((page.get("bodies", {}) | {self.body: after}).items())
            return {"dataset": dataset, "year": name, "bodies": {slug: entry for slug, entry in bodies if entry}}

        update_json(self.store, layout.consolidated_index(dataset, name), set_body)
        deleted = _list_paths(before) - _list_paths(after)
        for path in sorted(deleted):
            self.store.delete(layout.consolidated_file(dataset, name, path))
        if not read_consolidated_year(self.store, dataset, name)["bodies"]:
            _set_year(self.store, dataset, name, listed=False)
        return len(_list_paths(after)) + len(deleted) + 1

    def _beside(self, year: Period) -> list[Series]:
        """The series that count in the years before and after, which may hold lines of this year."""
        years = (Period.financial_year(year.start.year + step) for step in (-1, 1))
        return [series for other in years for series in self.by_year.get(other, [])]

    def _left_out(self, year: Period) -> list[Series]:
        return [each.series for each in self.counted.left_out if financial_year_of(each.series.period) == year]

    def _hash_inputs(self, year: Period) -> str:
        """The hash of everything that the files of a year are made from."""
        left_out = self._left_out(year)
        series = sorted([*self.by_year.get(year, []), *self._beside(year), *left_out])
        releases = [[str(one), self.current[one].manifest_sha256, one in left_out] for one in series]
        fields = [[field.name, field.type] for field in self.dataset.fields]
        content = json.dumps([self.dataset.version, self.dataset.restates, fields, releases])
        return hashlib.sha256(content.encode()).hexdigest()

    def _make_files(self, year: Period, consolidate: ConsolidateReleases, scratch: Path) -> JsonObject:
        """Make the files of a year and write them; return the body's entry in the index."""
        dataset = self.dataset.name
        folder = scratch / f"consolidated-{dataset}-{self.body}-{year}"
        folder.mkdir(parents=True)
        own = [self._open_release(series, scratch) for series in self.by_year[year]]
        beside = [self._open_release(series, scratch) for series in self._beside(year)]
        made = consolidate(self.dataset, own, beside, folder)
        (folder / f"{dataset}.json").write_bytes(to_json_bytes(self._describe_contents(made, year)))
        files: JsonObject = {}
        for kind in _FORMATS:
            entry = file_entry(folder, f"{dataset}.{kind}")
            name = layout.consolidated_name(self.body, entry.sha256, f".{kind}")
            self.store.create(layout.consolidated_file(dataset, str(year), name), folder / entry.path)
            files[kind] = {"path": name, "bytes": entry.bytes, "sha256": entry.sha256}
        return {"counted": _sum_by_part(made.counted), **files}

    def _open_release(self, series: Series, scratch: Path) -> CurrentRelease:
        version = self.current[series]
        folder = scratch / "current" / str(series) / version.path

        def fetch() -> Path:
            return folder if folder.exists() else fetch_version(self.store, series, version, folder)

        return CurrentRelease(series, version.version, fetch)

    def _describe_contents(self, made: Consolidated, year: Period) -> JsonObject:
        """Which series count, which are left out, and which lines are left out because another series has them."""
        because = {each.series: each.because for each in self.counted.left_out}
        return {
            "counted": [
                {**_describe_portion(portion), "version": self.current[portion.series].version}
                for portion in made.counted
            ],
            "left_out": [
                {
                    "series": str(series),
                    "rows": self.current[series].rows,
                    "amount_gbp": _spell_pounds(self.current[series].amount_gbp),
                    "version": self.current[series].version,
                    "because": [str(one) for one in because[series]],
                }
                for series in self._left_out(year)
            ],
            "republished": [
                {**_describe_portion(portion), "counted_in": str(portion.counted_in)} for portion in made.republished
            ],
        }


def _describe_portion(portion: Portion) -> JsonObject:
    return {"series": str(portion.series), "rows": portion.rows, "amount_gbp": _spell_pounds(portion.amount_gbp)}


def _sum_by_part(counted: Sequence[Portion]) -> list[JsonObject]:
    """Rows and pounds by part. Parts are not added up, since a file of one part may hold what another part's holds."""
    parts: dict[str, list[Portion]] = {}
    for portion in counted:
        parts.setdefault(portion.series.part or "", []).append(portion)
    return [
        {
            "part": part or None,
            "rows": sum(portion.rows for portion in portions),
            "amount_gbp": _spell_pounds(pounds_of(portions)),
        }
        for part, portions in sorted(parts.items())
    ]


def _spell_pounds(amount: Decimal | None) -> str | None:
    return None if amount is None else format_decimal(amount)


def _list_paths(entry: JsonObject | None) -> frozenset[str]:
    return frozenset(entry[kind]["path"] for kind in _FORMATS) if entry else frozenset()


def _set_year(store: Store, dataset: str, year: str, *, listed: bool) -> None:
    """List a year in the index of years, or remove it from there together with its own index.

    A build that adds a body to a year that another build is removing writes both again.
    """

    def change(page: JsonObject) -> JsonObject:
        datasets = page.get("datasets", {})
        years = set(datasets.get(dataset, ()))
        years = years | {year} if listed else years - {year}
        return {
            "datasets": {name: found for name, found in sorted((datasets | {dataset: sorted(years)}).items()) if found}
        }

    update_json(store, layout.CONSOLIDATED_INDEX, change)
    if not listed:
        store.delete(layout.consolidated_index(dataset, year))
        if not read_json(store, layout.CONSOLIDATED_INDEX)["datasets"]:
            store.delete(layout.CONSOLIDATED_INDEX)
