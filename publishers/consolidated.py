"""Consolidated files: what counts of each body, dataset and financial year, for readers who compare all bodies.

The index of a year names the files of every body and repeats their totals (`piperoll.layout`). A change of one release
makes the files of its body again for the years that its lines belong to; other files stay. New files are written first,
then the index by conditional write, then the files it no longer names are deleted: a reader with an old index misses a
file, and never reads a mix.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from piperoll import layout
from piperoll.errors import NotThere, PointerMoved
from piperoll.model import (
    UNDATED,
    CountedLines,
    CurrentRelease,
    Dataset,
    LeftOutLines,
    Series,
    Version,
    YearAccount,
    YearShare,
    add_pounds,
    file_entry,
    partition_of,
    to_compact_json_bytes,
    to_document,
)
from publishers.index import list_indexed_series_of
from publishers.pointer import fetch_version, read_history
from publishers.stores.protocol import HashedFile, JsonObject, Store, StoreReader, read_json, update_json


class Consolidating(Protocol):
    """What makes the files: the module `piperoll.releasing.consolidating`."""

    def rules_version(self, dataset: Dataset, /) -> str:
        """Identify the rules that make the files of a dataset; files that others made are made again."""

    def spread_over_years(self, dataset: Dataset, release: CurrentRelease, /) -> dict[str, YearShare]:
        """Count the lines of a release by year."""

    @property
    def SPLIT_ABOVE(self) -> int:  # noqa: N802 - a constant of a module
        """Lines of a year that is kept in one file; a larger one has a file for each table."""

    def consolidate_years(
        self,
        dataset: Dataset,
        releases: Iterable[CurrentRelease],
        years: Iterable[str],
        folder: Path,
        /,
        *,
        split_above: int | None = None,
        known: Mapping[str, Callable[[], Path | None]] = ...,
    ) -> Iterator[YearAccount]:
        """Write the files of some years into `folder`, and yield the account of each."""


_FILES = {
    "parquet": ".parquet",
    "csv": ".csv",
    "json": ".json",
    "rollup": ".rollup.parquet",
    "totals": ".totals.parquet",
}
"""The files of a body and year, by their name in the index, with their endings."""

_MAX_TRIES = 10
"""How often to begin again because another build wrote the same body."""

_LINES = ("parquet", "csv")
"""Those of them that have lines: a large year has instead both for each of its tables, listed as `lines`."""


def consolidate_bodies(
    store: Store,
    dataset: Dataset,
    bodies: Sequence[str],
    consolidating: Consolidating,
    scratch: Path,
    *,
    check_files: bool = False,
) -> dict[str, dict[str, int]]:
    """Bring the consolidated files of some bodies and a dataset up to date with their current releases.

    The index of a year holds all bodies, so it is written once for those that are given, after the files of all.

    Returns for each body how many objects were written or deleted, for each year in which there were any. Nothing is
    fetched or written for a year of which no release has changed. `scratch` is a folder for temporary files. With
    `check_files`, files that the index names but that are missing are made again. A year that loses its last body stays
    listed until `unlist_empty_years` is called.
    Raises: PointerMoved (retryable): others write the index faster than we can.
    """
    touched: dict[str, Counter[str]] = {body: Counter() for body in bodies}
    moved = set(bodies)
    scratch.mkdir(parents=True, exist_ok=True)
    for attempt in range(_MAX_TRIES):
        entries = _read_entries(store, dataset.name, moved)
        years: dict[str, list[_BodyYear]] = defaultdict(list)
        for body in sorted(moved):
            with TemporaryDirectory(dir=scratch) as folder:
                current = _list_current(store, dataset, body)
                releases = _BodyReleases(store, dataset, body, current, entries[body], consolidating, Path(folder))
                for one in _make_files(releases, check_files=check_files or attempt > 0):
                    years[one.year].append(one)
        moved = set()
        for year in sorted(years):
            moved |= _write_index(store, dataset.name, year, years[year], touched)
        if not moved:
            return {body: dict(counts) for body, counts in touched.items()}
    those = ", ".join(sorted(moved))
    raise PointerMoved(f"the consolidated {dataset.name} of {those} were changed by others {_MAX_TRIES} times in a row")


def _read_entries(store: Store, dataset: str, bodies: Iterable[str]) -> dict[str, dict[str, JsonObject]]:
    """The entries of bodies in the index of each year that has one."""
    found: dict[str, dict[str, JsonObject]] = {body: {} for body in bodies}
    for year in list_consolidated_years(store, dataset):
        page = read_consolidated_year(store, dataset, year).get("bodies", {})
        for body in found.keys() & page.keys():
            found[body][year] = page[body]
    return found


@dataclass(frozen=True, slots=True)
class _BodyYear:
    """A year of a body: its entry in the index as it was read, and as it is to be; None if there is none.

    `is_fresh` if there is nothing to write: its files were made from what is current.
    """

    body: str
    year: str
    before: JsonObject | None
    after: JsonObject | None
    is_fresh: bool = False


def _list_current(store: Store, dataset: Dataset, body: str) -> dict[Series, Version]:
    return {
        series: version
        for series in list_indexed_series_of(store, dataset.name, body)
        if (version := read_history(store, series)[0].current_version) is not None
    }


def _make_files(releases: _BodyReleases, *, check_files: bool) -> Iterator[_BodyYear]:
    """Make the files of the years of a body that have changed; yield all years that it has or had."""
    stale: list[str] = []
    for year in sorted({*releases.by_year, *releases.entries}):
        before = releases.entries.get(year)
        if year not in releases.by_year:
            yield _BodyYear(releases.body, year, before, None)
        elif releases.is_fresh(year, check_files=check_files):
            yield _BodyYear(releases.body, year, before, before, is_fresh=True)
        else:
            stale.append(year)
    for account, folder in releases.make_years(stale):
        yield releases.write_files(account, folder)


def _write_index(
    store: Store, dataset: str, year: str, bodies: Sequence[_BodyYear], touched: Mapping[str, Counter[str]]
) -> set[str]:
    """Write the entries of bodies in the index of a year, then delete the files that it no longer names.

    Counts in `touched` what changed, and returns the bodies of which another build has written the entry since it was
    read. Nothing of those is written or deleted: its entry may name the files that ours does not, and ours would name
    files that it has deleted.
    """
    # Also if nothing changed: a build that removed the last body of the year has unlisted it.
    _set_year(store, dataset, year, listed=True)
    changed = [one for one in bodies if not one.is_fresh]
    if not changed:
        return set()
    moved: set[str] = set()

    def set_bodies(page: JsonObject) -> JsonObject:
        moved.clear()
        entries: dict[str, JsonObject | None] = dict(page.get("bodies", {}))
        for one in changed:
            if entries.get(one.body) in (one.before, one.after):
                entries[one.body] = one.after
            else:
                moved.add(one.body)
        listed = {slug: entry for slug, entry in sorted(entries.items()) if entry}
        return {"dataset": dataset, "year": year, "bodies": listed}

    update_json(store, layout.consolidated_index(dataset, year), set_bodies)
    deleted: list[str] = []
    for one in changed:
        touched[one.body][year] += 0  # also if what changed is another's doing
        if one.body not in moved:
            before, after = _list_paths(one.before), _list_paths(one.after)
            touched[one.body][year] += len(before ^ after) + 1
            deleted += (layout.consolidated_file(dataset, year, path) for path in sorted(before - after))
    if deleted:
        store.delete_many(deleted)
    return moved


def unlist_empty_years(store: Store, years: Iterable[tuple[str, str]]) -> None:
    """Remove those of the (dataset, year) pairs that have no body any more from the index of years."""
    for dataset, year in sorted(set(years)):
        if not read_consolidated_year(store, dataset, year).get("bodies"):
            _set_year(store, dataset, year, listed=False)


def list_consolidated_years(store: StoreReader, dataset: str) -> tuple[str, ...]:
    """The financial years of a dataset that have consolidated files."""
    return tuple(read_json(store, layout.CONSOLIDATED_INDEX).get("datasets", {}).get(dataset, ()))


def read_consolidated_year(store: StoreReader, dataset: str, year: str) -> JsonObject:
    """Read the index of a dataset and year: for each body its files with their hashes, its rows and pounds by part."""
    return read_json(store, layout.consolidated_index(dataset, year))


def list_line_files(entry: Mapping[str, Any], kind: str) -> list[JsonObject]:
    """The files with the lines of a body and year, by its entry in the index; a large year has one for each table.

    `kind` is `parquet` or `csv`. Each has `path`, `bytes` and `sha256`.
    """
    return [entry[kind]] if kind in entry else [table[kind] for table in entry["lines"]]


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
    """The current releases of a body and dataset, and `entries`: what the index of each year says of the body."""

    store: Store
    dataset: Dataset
    body: str
    current: Mapping[Series, Version]
    entries: Mapping[str, JsonObject]
    consolidating: Consolidating
    scratch: Path

    @cached_property
    def rules(self) -> str:
        """The version of the rules that make the files now."""
        return self.consolidating.rules_version(self.dataset)

    @cached_property
    def shares(self) -> dict[Series, Mapping[str, YearShare]]:
        """How the lines of each release are spread over years: as accounts say, or counted if they do not say all."""
        known: dict[tuple[Series, str], dict[str, YearShare]] = defaultdict(dict)
        for year, entry in self.entries.items():
            for series, path, share in self._read_shares(year, entry):
                before = known[series, path].get(year, YearShare(0, 0))
                known[series, path][year] = YearShare(
                    before.rows + share.rows, before.undated_rows + share.undated_rows
                )
        shares: dict[Series, Mapping[str, YearShare]] = {}
        for series, version in self.current.items():
            own = known[series, version.path]
            if not version.rows:
                own = {partition_of(series.period): YearShare(0, 0)}
            elif sum(share.rows for share in own.values()) != version.rows:
                own = self.consolidating.spread_over_years(self.dataset, self.open_release(series))
            shares[series] = own
        return shares

    def _read_shares(self, year: str, entry: JsonObject) -> Iterator[tuple[Series, str, YearShare]]:
        """What the account of a year says of each release; nothing if other rules made it, or it is missing."""
        if entry.get("rules") != self.rules:
            return
        try:
            content = self.store.read(layout.consolidated_file(self.dataset.name, year, entry["json"]["path"])).content
        except NotThere:
            return
        account = YearAccount.from_json(json.loads(content))
        every: tuple[CountedLines | LeftOutLines, ...] = (*account.counted, *account.left_out)
        for lines in every:
            yield lines.series, lines.path, YearShare(lines.rows, lines.undated_rows)

    @cached_property
    def by_year(self) -> dict[str, list[Series]]:
        """The series with lines in each year, in order."""
        found: dict[str, list[Series]] = defaultdict(list)
        for series in sorted(self.shares):
            for year in self.shares[series]:
                found[year].append(series)
        return dict(found)

    def needed(self, year: str) -> list[Series]:
        """The series that decide what counts in a year.

        Lines without a date can recur in tables of other years: their year is that of their table's period, and only
        the lines of tables that span years yield to those.
        """
        own = self.by_year[year]
        if year != UNDATED:
            return own
        beside = (
            series
            for series, shares in self.shares.items()
            if any(share.undated_rows for share in shares.values())
            and any(series.period.overlaps(other.period) for other in own)
        )
        return sorted({*own, *beside})

    def is_fresh(self, year: str, *, check_files: bool) -> bool:
        """Whether the files of a year were made from the same releases by the same rules."""
        entry = self.entries.get(year)
        if entry is None or entry["inputs"] != self._hash_inputs(year):
            return False
        files = (layout.consolidated_file(self.dataset.name, year, path) for path in _list_paths(entry))
        return not check_files or all(map(self.store.exists, files))

    def _hash_inputs(self, year: str) -> str:
        """The hash of everything that the files of a year are made from."""
        releases = [[str(one), self.current[one].manifest_sha256] for one in self.needed(year)]
        fields = [[field.name, field.type] for field in self.dataset.fields]
        declared = self.dataset.descriptor["x_piperoll"]
        content = json.dumps([self.rules, self.dataset.version, declared, fields, releases], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def make_years(self, years: Sequence[str]) -> Iterator[tuple[YearAccount, Path]]:
        """Make the files of some years in a folder each."""
        if years:
            folder = self.scratch / f"consolidated-{self.dataset.name}-{self.body}"
            series = sorted({series for year in years for series in self.needed(year)})
            releases = [self.open_release(one) for one in series]
            made = self.consolidating.consolidate_years(
                self.dataset,
                releases,
                years,
                folder,
                split_above=self.consolidating.SPLIT_ABOVE,
                known={
                    table["inputs"]: partial(self._find_table, year, table, folder)
                    for year in years
                    for table in self.entries.get(year, {}).get("lines", ())
                },
            )
            for account in made:
                yield account, folder / account.year

    def _find_table(self, year: str, table: JsonObject, folder: Path) -> Path | None:
        """The Parquet file of a table that the index names; None if it or the CSV is gone, or it is not as named."""
        file = table["parquet"]
        key, csv = (layout.consolidated_file(self.dataset.name, year, table[kind]["path"]) for kind in _LINES)
        if not self.store.exists(csv):
            return None
        path = self.store.local_path(key)
        try:
            if path is None:
                path = folder / file["path"]
                self.store.fetch(key, path)
            return path if file_entry(path.parent, path.name).sha256 == file["sha256"] else None
        except (NotThere, FileNotFoundError):
            return None

    def write_files(self, account: YearAccount, folder: Path) -> _BodyYear:
        """Write the files of a year that were made in `folder`, and make its entry."""
        before = self.entries.get(account.year)
        entry = {**summarise_account(account), **self._write_files(account, folder, before)}
        entry |= {"rules": self.rules, "inputs": self._hash_inputs(account.year)}
        return _BodyYear(self.body, account.year, before, entry)

    def _write_files(self, account: YearAccount, folder: Path, before: JsonObject | None) -> JsonObject:
        """Write the files of a year to the store, and return their entries for the index.

        Files of tables that have not changed are in the store already, and their entries in the one `before`.
        """
        (folder / f"{self.dataset.name}.json").write_bytes(to_compact_json_bytes(account.to_json()))
        split = folder / "tables.json"
        listed: list[JsonObject] = json.loads(split.read_bytes()) if split.exists() else []
        kinds = {kind: ending for kind, ending in _FILES.items() if not (listed and kind in _LINES)}
        stem = folder / self.dataset.name
        files: JsonObject = {kind: self._write_file(account.year, stem, ending) for kind, ending in kinds.items()}
        known = {table["inputs"]: table for table in (before or {}).get("lines", ())}
        if listed:
            files["lines"] = [known[table["inputs"]] if table["file"] is None else {
                **{name: table[name] for name in ("series", "version", "rows", "inputs")},
                **{kind: self._write_file(account.year, folder / "tables" / table["file"], _FILES[kind])
                   for kind in _LINES},
            } for table in listed]  # fmt: skip
        return files

    def _write_file(self, year: str, stem: Path, ending: str) -> JsonObject:
        entry = file_entry(stem.parent, f"{stem.name}{ending}")
        name = layout.consolidated_name(self.body, entry.sha256, ending)
        file = HashedFile(stem.parent / entry.path, entry.sha256, take=True)
        self.store.create(layout.consolidated_file(self.dataset.name, year, name), file)
        return {"path": name, "bytes": entry.bytes, "sha256": entry.sha256}

    def open_release(self, series: Series) -> CurrentRelease:
        """The current release of a series, fetched when it is needed."""
        version = self.current[series]
        folder = self.scratch / "current" / str(series) / version.path

        def fetch() -> Path:
            names = (f"{self.dataset.name}.parquet", "report.json")
            return folder if folder.exists() else fetch_version(self.store, series, version, folder, names)

        return CurrentRelease(series, version.version, fetch, version.path)


def summarise_account(account: YearAccount) -> JsonObject:
    """The totals of a year for its index: `counted` by part, and `left_out` by reason."""
    parts: dict[str, list[tuple[int, Decimal | None]]] = defaultdict(list)
    for one in account.counted:
        parts[one.part or ""].append((one.rows, one.amount_gbp))
    reasons: dict[str, list[tuple[Series, int, Decimal | None]]] = defaultdict(list)
    for left in account.left_out:
        reasons[left.because].append((left.series, left.rows, left.amount_gbp))
    summary: JsonObject = to_document(
        {
            "tables": sum(1 for one in account.counted if one.rows),
            "rows": account.rows,
            "amount_gbp": account.amount_gbp,
            "counted": [
                {
                    "part": part or None,
                    "rows": sum(rows for rows, _ in own),
                    "amount_gbp": add_pounds(p for _, p in own),
                }
                for part, own in sorted(parts.items())
            ],
            "undated": {
                "rows": sum(one.undated_rows for one in account.counted),
                "amount_gbp": add_pounds(one.undated_amount_gbp for one in account.counted),
            },
            "left_out": [
                {
                    "because": because,
                    "tables": len({series for series, _, _ in own}),
                    "rows": sum(rows for _, rows, _ in own),
                    "amount_gbp": add_pounds(pounds for _, _, pounds in own),
                }
                for because, own in sorted(reasons.items())
            ],
            "payees": account.payees,
            "months": account.months,
            "not_added": sum(one.rows for one in account.not_added),
        }
    )
    return summary


def _list_paths(entry: JsonObject | None) -> frozenset[str]:
    if entry is None:
        return frozenset()
    own = [entry[kind] for kind in _FILES if kind in entry]
    return frozenset(
        one["path"] for one in (*own, *(table[kind] for table in entry.get("lines", ()) for kind in _LINES))
    )


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
