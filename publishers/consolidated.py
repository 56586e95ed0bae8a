"""Consolidated files: what counts of each body, dataset and financial year, for readers who compare all bodies.

    catalogue/consolidated/index.json                          the years of each dataset
    catalogue/consolidated/{dataset}/{year}/index.json         the pointer: the files of every body
    catalogue/consolidated/{dataset}/{year}/{body}-{12 digits of their hash}.parquet, .csv, .json

A change of one body makes the files of its year anew, and those of the years beside it if a line may have moved between
them; the files of others stay as they are. The files come first, then the pointer by conditional write, then what it no
longer names goes: a reader who holds an old pointer misses a file and never reads a mix.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from piperoll.model import (
    Consolidated,
    Counted,
    Dataset,
    Period,
    Portion,
    Series,
    Standing,
    Version,
    counted_once,
    file_entry,
    plain,
    pounds_of,
    to_json_bytes,
    year_of,
)
from publishers.documents import Document, amend_document, document_of
from publishers.index import list_indexed_series_of
from publishers.pointer import fetch_version, read_history
from publishers.stores.protocol import Store, StoreReader

ROOT = "catalogue/consolidated/"

Consolidate = Callable[[Dataset, Sequence[Standing], Sequence[Standing], Path], Consolidated]
"""Makes the table of a body's releases of a year, beside those of other years: `piperoll.releasing.consolidate`."""

_KINDS = ("parquet", "csv", "json")


def consolidate_body(
    store: Store, dataset: Dataset, body: str, make: Consolidate, scratch: Path, *, careful: bool = False
) -> dict[str, int]:
    """See that the consolidated files say what stands of a body and dataset.

    How many objects were written or removed, by year, of the years in which any were. Nothing is brought or written for
    a year whose releases, and those of the years beside it, are as they were. `make` makes a table, `scratch` is a
    folder for what is on its way. `careful`: someone may have removed a file that a pointer names (`unnamed`), so look.
    Raises: PointerMoved (retryable): others write the pointer faster than we can.
    """
    standing = dict(_standing(store, dataset.name, body))
    own = _Own(store, dataset, body, standing, counted_once(standing))
    known = [Period.parse(year) for year in list_consolidated_years(store, dataset.name)]
    every = sorted({*own.by_year, *known})
    touched = {str(year): own.settle(year, make, scratch, careful=careful) for year in every}
    return {year: count for year, count in touched.items() if count}


def list_consolidated_years(store: StoreReader, dataset: str) -> tuple[str, ...]:
    """The financial years of a dataset for which there are consolidated files."""
    return tuple(document_of(store, f"{ROOT}index.json").get("datasets", {}).get(dataset, ()))


def read_consolidated_year(store: StoreReader, dataset: str, year: str) -> Document:
    """The pointer of a dataset and year: for each body its files with their hashes, its rows and pounds by part."""
    return document_of(store, _pointer(dataset, year))


def list_unreferenced(store: Store) -> Iterator[str]:
    """The keys of consolidated files that no pointer names: someone was killed, or is at work."""
    pointers: dict[str, frozenset[str]] = {}
    for key in store.keys(ROOT):
        folder, _, name = key.rpartition("/")
        if folder + "/" == ROOT or name == "index.json":
            continue
        if folder not in pointers:
            bodies = document_of(store, f"{folder}/index.json").get("bodies", {})
            pointers[folder] = frozenset[str]().union(*map(_paths, bodies.values()))
        if name not in pointers[folder]:
            yield key


def place(dataset: str, year: str) -> str:
    """What the keys of a year's files begin with; the paths in its pointer are below it."""
    return f"{ROOT}{dataset}/{year}/"


@dataclass(frozen=True)
class _Own:
    """What stands of a body and dataset, and which of it counts."""

    store: Store
    dataset: Dataset
    body: str
    standing: Mapping[Series, Version]
    counted: Counted

    @cached_property
    def by_year(self) -> dict[Period, list[Series]]:
        """The series that count, by the financial year in which they begin."""
        found: dict[Period, list[Series]] = {}
        for series in self.counted.taken:
            found.setdefault(year_of(series.period), []).append(series)
        return found

    def settle(self, year: Period, make: Consolidate, scratch: Path, *, careful: bool) -> int:
        """See that the files of a year say what stands; how many objects were written or removed."""
        name, own, inputs = self.dataset.name, self.by_year.get(year, []), self._inputs(year)
        before = read_consolidated_year(self.store, name, str(year)).get("bodies", {}).get(self.body)
        if own:
            _enter_year(self.store, name, year)  # again, for whoever saw the last body of it go may have taken it out
        if before is None and not own:
            return 0
        if before is not None and before["inputs"] == inputs and not (careful and self._missing(year, before)):
            return 0
        entry = self._made(year, make, scratch) | {"inputs": inputs} if own else None
        _enter_year(self.store, name, year)
        amend_document(
            self.store, _pointer(name, str(year)), lambda page: _with_body(page, name, year, self.body, entry)
        )
        gone = _paths(before) - _paths(entry)
        for path in sorted(gone):
            self.store.delete(place(name, str(year)) + path)
        if not read_consolidated_year(self.store, name, str(year))["bodies"]:
            _leave_year(self.store, name, year)
        return len(_paths(entry)) + len(gone) + 1

    def _missing(self, year: Period, entry: Document) -> bool:
        """Whether a file that the pointer names is not there."""
        prefix = place(self.dataset.name, str(year))
        return not all(self.store.exists(prefix + path) for path in _paths(entry))

    def _beside(self, year: Period) -> list[Series]:
        """What counts in the years beside one, where lines of it may stand too."""
        return [series for by in (-1, 1) for series in self.by_year.get(_next(year, by), [])]

    def _inputs(self, year: Period) -> str:
        """What the files of a year are made from, in one word."""
        out = [each.series for each in self.counted.left_out if year_of(each.series.period) == year]
        of = sorted([*self.by_year.get(year, []), *self._beside(year), *out])
        named = [[str(series), self.standing[series].manifest_sha256, series in out] for series in of]
        fields = [[field.name, field.type] for field in self.dataset.fields]
        content = json.dumps([self.dataset.version, self.dataset.restates, fields, named])
        return hashlib.sha256(content.encode()).hexdigest()

    def _made(self, year: Period, make: Consolidate, scratch: Path) -> Document:
        """Make the files of a year and write them; the body's entry in the pointer."""
        name = self.dataset.name
        folder = scratch / f"consolidated-{name}-{self.body}-{year}"
        folder.mkdir(parents=True)
        made = make(
            self.dataset,
            [self._release(series, scratch) for series in self.by_year[year]],
            [self._release(series, scratch) for series in self._beside(year)],
            folder,
        )
        (folder / f"{name}.json").write_bytes(to_json_bytes(self._details(made, year)))
        files = {kind: _stored(self.store, folder / f"{name}.{kind}", name, year, self.body) for kind in _KINDS}
        return {"counted": list(_by_part(made.counted)), **files}

    def _release(self, series: Series, scratch: Path) -> Standing:
        version = self.standing[series]
        folder = scratch / "standing" / str(series) / version.path
        return Standing(
            series,
            version.version,
            lambda: folder if folder.exists() else fetch_version(self.store, series, version, folder),
        )

    def _details(self, made: Consolidated, year: Period) -> Document:
        """Which series count, which are left out for which, and lines left out because another series has them."""
        out = [each for each in self.counted.left_out if year_of(each.series.period) == year]
        return {
            "counted": [
                {**_portion(portion), "version": self.standing[portion.series].version} for portion in made.counted
            ],
            "left_out": [
                {
                    "series": str(each.series),
                    "rows": self.standing[each.series].rows,
                    "amount_gbp": _pounds(self.standing[each.series].amount_gbp),
                    "version": self.standing[each.series].version,
                    "because": [str(series) for series in each.because],
                }
                for each in out
            ],
            "republished": [
                {**_portion(portion), "counted_in": str(portion.counted_in)} for portion in made.republished
            ],
        }


def _stored(store: Store, path: Path, dataset: str, year: Period, body: str) -> Document:
    entry = file_entry(path.parent, path.name)
    name = f"{body}-{entry.sha256[:12]}{path.suffix}"
    store.create(place(dataset, str(year)) + name, path)
    return {"path": name, "bytes": entry.bytes, "sha256": entry.sha256}


def _portion(portion: Portion) -> Document:
    return {"series": str(portion.series), "rows": portion.rows, "amount_gbp": _pounds(portion.amount_gbp)}


def _by_part(counted: Iterable[Portion]) -> Iterator[Document]:
    """Rows and pounds by part: a file of one part may hold what another part's holds, so they are not added up."""
    parts: dict[str, list[Portion]] = {}
    for portion in counted:
        parts.setdefault(portion.series.part or "", []).append(portion)
    for part, portions in sorted(parts.items()):
        rows = sum(portion.rows for portion in portions)
        yield {"part": part or None, "rows": rows, "amount_gbp": _pounds(pounds_of(portions))}


def _pounds(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


def _standing(store: StoreReader, dataset: str, body: str) -> Iterator[tuple[Series, Version]]:
    for series in list_indexed_series_of(store, dataset, body):
        version = read_history(store, series)[0].standing
        if version is not None:
            yield series, version


def _next(year: Period, by: int) -> Period:
    return Period.financial_year(year.start.year + by)


def _pointer(dataset: str, year: str) -> str:
    return f"{place(dataset, year)}index.json"


def _paths(entry: Document | None) -> frozenset[str]:
    return frozenset(entry[kind]["path"] for kind in _KINDS) if entry else frozenset()


def _with_body(page: Document, dataset: str, year: Period, body: str, entry: Document | None) -> Document:
    bodies = page.get("bodies", {}) | {body: entry}
    there = {slug: each for slug, each in sorted(bodies.items()) if each is not None}
    return {"dataset": dataset, "year": str(year), "bodies": there}


def _enter_year(store: Store, dataset: str, year: Period) -> None:
    amend_document(store, f"{ROOT}index.json", _years(dataset, lambda there: there | {str(year)}))


def _leave_year(store: Store, dataset: str, year: Period) -> None:
    """Nothing of the year is left: whoever enters it again writes both documents anew."""
    amend_document(store, f"{ROOT}index.json", _years(dataset, lambda there: there - {str(year)}))
    store.delete(_pointer(dataset, str(year)))
    if not document_of(store, f"{ROOT}index.json")["datasets"]:
        store.delete(f"{ROOT}index.json")


def _years(dataset: str, change: Callable[[frozenset[str]], frozenset[str]]) -> Callable[[Document], Document]:
    """What changes the years of a dataset in the document that lists them."""

    def changed(page: Document) -> Document:
        datasets = page.get("datasets", {})
        after = datasets | {dataset: sorted(change(frozenset(datasets.get(dataset, ()))))}
        return {"datasets": {name: found for name, found in sorted(after.items()) if found}}

    return changed
