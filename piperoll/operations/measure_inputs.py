"""What measures are made from, gathered from a store: consolidated files, accounts, versions, sources and reviews.

`MeasureStore` knows cheaply whether anything differs (`key`), and opens the files only for what is measured.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

import publishers
from piperoll import assets, layout
from piperoll.errors import UsageError
from piperoll.measuring import derived
from piperoll.measuring.definition import Measure
from piperoll.measuring.inputs import Inputs, Lines, ReleaseFile, find_tables
from piperoll.measuring.packing import InputFile, rules_version
from piperoll.measuring.rows import MeasuredBody
from piperoll.model import (
    UNDATED,
    CountedLines,
    DecisionEntry,
    DecisionKind,
    History,
    LeftOutLines,
    Period,
    Register,
    Series,
    Status,
    YearAccount,
    add_pounds,
)

_REVIEWS = (DecisionKind.SUPPLIER, DecisionKind.PAIR)
_RULE_FILES = ("functions", "missions")
"""The views that are made from files of rules and not from anything published."""


@dataclass
class MeasureStore:
    """A store as measures read it. `scratch` is a folder for copies of files, if the store is not a folder itself."""

    store: publishers.Store
    register: Register
    scratch: Path
    entries: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def require_consolidated(self) -> None:
        """Refuse to measure nothing. Raises: UsageError: data is published, and its consolidated files are missing."""
        if self.store.exists(layout.CONSOLIDATED_INDEX):
            return
        if any(one.version is not None for one in publishers.list_published(self.store)):
            raise UsageError("the consolidated files of this store are missing: piperoll run makes them first")

    def years(self, measure: Measure) -> tuple[Period, ...]:
        """The financial years that have lines of a measure's datasets, or are measured already, in order."""
        names = measure.datasets or assets.dataset_names()
        found = {year for name in names for year in self._consolidated_years.get(name, ())}
        years = {Period.parse_year(year) for year in found - {UNDATED}}
        years |= {one.period for one in publishers.list_indexed_series_of(self.store, layout.MEASURES, measure.id)}
        return tuple(sorted(years))

    @cached_property
    def _consolidated_years(self) -> Mapping[str, Sequence[str]]:
        """The consolidated years of each dataset: every measure and year asks for them."""
        years: Mapping[str, Sequence[str]] = publishers.read_json(self.store, layout.CONSOLIDATED_INDEX).get(
            "datasets", {}
        )
        return years

    def year_entries(self, dataset: str, year: str) -> Mapping[str, Any]:
        """The entries of the bodies in the index of a consolidated year."""
        if (dataset, year) not in self.entries:
            self.entries[dataset, year] = publishers.read_consolidated_year(self.store, dataset, year).get("bodies", {})
        return self.entries[dataset, year]

    def key(self, measure: Measure, year: Period) -> str:
        """Identify what a measure and year would be made from; the same key, the same rows.

        Reads only indexes, however much is published.
        """
        parts: list[Any] = [rules_version(measure), str(year)]
        for dataset, name in self._partitions(measure, year):
            entries = self.year_entries(dataset, name)
            parts.append([dataset, name, [[body, *_hashes(entry)] for body, entry in sorted(entries.items())]])
        if self._reads(measure, "contract_releases"):
            parts.append([[str(one.series), one.versions, one.published] for one in self._contract_tables])
        parts += [[one.body, one.what, one.sha256] for one in self._shared(measure)]
        parts.append([str(one) for one in self.bodies(measure, year)])
        parts.append(sorted(self.replies.items()))
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def list_inputs(self, measure: Measure, year: Period) -> list[InputFile]:
        """Everything that a measure and year are made from, for inputs.json."""
        found = self._shared(measure)
        for dataset, name in self._partitions(measure, year):
            for body, entry in self.year_entries(dataset, name).items():
                releases = tuple(sorted({f"{series}/{path}" for series, path in self._releases(dataset, name, body)}))
                digest = hashlib.sha256("".join(_hashes(entry)).encode()).hexdigest()
                found.append(InputFile("", f"rules of {dataset}", hash_rules_version(entry["rules"])))
                found.append(InputFile(body, f"{dataset} {name}", digest, releases))
        if self._reads(measure, "contract_releases"):
            for one in self._contract_versions(year):
                what = f"{one.series}/{one.folder}"
                found.append(InputFile(one.body, what, one.sha256, published=one.published, current=one.current))
        return found

    def bodies(self, measure: Measure, year: Period) -> list[MeasuredBody]:
        """The bodies that have published something that a measure and year read, in order.

        A measure of outside sources alone is about every body that has published anything.
        """
        parts = self._partitions(measure, year, measure.datasets or assets.dataset_names())
        slugs = {slug for part in parts for slug in self.year_entries(*part)}
        return [MeasuredBody.of(self._find_body(slug), year) for slug in sorted(slugs)]

    def open(self, year: Period, measures: Iterable[Measure]) -> Inputs:
        """The inputs of measures that read the same years, opened once for all of them."""
        measures = list(measures)
        names = {name: self._partitions(measures[0], year, datasets=(name,)) for name in assets.dataset_names()}
        wanted = {name for measure in measures for name in measure.datasets}
        lines = {
            name: Lines(assets.dataset(name), tuple(self._line_files(parts)) if name in wanted else ())
            for name, parts in names.items()
        }
        reads = {table for measure in measures for table in self._tables(measure)}
        bodies = {body.body: body for measure in measures for body in self.bodies(measure, year)}
        everything = any(measure.tables for measure in measures)
        partitions = [part for name in sorted(wanted) for part in names[name]]
        return Inputs(
            year,
            [bodies[slug] for slug in sorted(bodies)],
            lines,
            [self._account_row(*part, body) for part in partitions for body in self.year_entries(*part)]
            if everything or "accounts" in reads
            else (),
            self._held(partitions) if everything or "held" in reads else (),
            [one.fetched(self) for one in self._contract_versions(year)]
            if "contracts" in wanted and (everything or "contract_releases" in reads)
            else (),
            {name: self.outside_table(name) for name in self.outside_sources},
            self.reviews,
        )

    @cached_property
    def replies(self) -> dict[tuple[str, str], str]:
        """The notes by body and identifier of the figure; one about a figure of another body is in no row."""
        return {
            (one.body or "", one.subject): one.because
            for one in publishers.read_reviews(self.store, DecisionKind.REPLY)
        }

    @cached_property
    def reviews(self) -> tuple[DecisionEntry, ...]:
        """The decisions about suppliers and pairs of contracts that are in force."""
        return tuple(one for kind in _REVIEWS for one in publishers.read_reviews(self.store, kind))

    @cached_property
    def outside_sources(self) -> dict[str, str]:
        """The sha256 of each outside source that the operator supplied, by its name."""
        return {name: one["sha256"] for name, one in publishers.read_outside_sources(self.store).items()}

    def outside_table(self, name: str) -> pa.Table:
        """Read an outside source from the archive."""
        path = self.path(layout.received_bytes(self.outside_sources[name]))
        return derived.read_outside(name, path)

    def path(self, key: str) -> Path:
        """An object as a local file: in place if the store is a folder, else a copy."""
        local = self.store.local_path(key)
        if local is not None:
            return local
        copy = self.scratch / key
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            self.store.fetch(key, copy)
        return copy

    # --- what a measure reads -------------------------------------------------------------------------------------

    def _tables(self, measure: Measure) -> frozenset[str]:
        return find_tables(measure.query)

    def _reads(self, measure: Measure, table: str) -> bool:
        """Whether a measure reads a view, itself or through a derived table, which may read any."""
        return "contracts" in measure.datasets and (bool(measure.tables) or table in self._tables(measure))

    def _partitions(
        self, measure: Measure, year: Period, datasets: Iterable[str] | None = None
    ) -> list[tuple[str, str]]:
        """The dataset and consolidated year of every file that a measure reads for a year, in order."""
        earliest = 0 if measure.earlier_years is None else year.start.year - measure.earlier_years
        found = []
        for dataset in sorted(measure.datasets if datasets is None else datasets):
            for name in self._consolidated_years.get(dataset, ()):
                if name == UNDATED or earliest <= Period.parse_year(name).start.year <= year.start.year:
                    found.append((dataset, name))
        return found

    def _shared(self, measure: Measure) -> list[InputFile]:
        """What bears on every row: files of rules, and for a measure with tables the outside sources and reviews."""
        found = [
            InputFile("", f"datapackages/functions/{name}.csv", _hash_rules(name))
            for name in _RULE_FILES
            if name in self._tables(measure) or measure.tables
        ]
        if measure.tables:
            found.append(
                InputFile("", "rules of derived tables", hashlib.sha256(derived.RULES_VERSION.encode()).hexdigest())
            )
            found += [InputFile("", f"source {name}", sha256) for name, sha256 in sorted(self.outside_sources.items())]
            reviews = json.dumps(
                sorted([one.kind, one.subject, one.decided_as, one.body or ""] for one in self.reviews)
            )
            found.append(InputFile("", "reviews", hashlib.sha256(reviews.encode()).hexdigest()))
        return found

    def _find_body(self, slug: str) -> Any:
        """A body as the register has it; one that is in none has its slug as its name, however it was first sent."""
        body = self.register.at_slug(slug)
        return type(body).provisional_for(slug) if body.provisional else body

    def _line_files(self, partitions: Iterable[tuple[str, str]]) -> Iterable[Path]:
        for dataset, year in partitions:
            for _, entry in sorted(self.year_entries(dataset, year).items()):
                for file in publishers.list_line_files(entry, "parquet"):
                    yield self.path(layout.consolidated_file(dataset, year, file["path"]))

    # --- accounts, held rows and versions -------------------------------------------------------------------------

    @cached_property
    def _releases(self) -> Callable[[str, str, str], frozenset[tuple[Series, str]]]:
        """The releases that the account of a dataset, consolidated year and body names; each is read once."""

        def read(dataset: str, year: str, body: str) -> frozenset[tuple[Series, str]]:
            file = self.year_entries(dataset, year)[body]["json"]["path"]
            document = json.loads(self.path(layout.consolidated_file(dataset, year, file)).read_bytes())
            return frozenset((one.series, one.path) for one in list_lines(YearAccount.from_json(document)))

        return cache(read)

    def _account_row(self, dataset: str, year: str, body: str) -> dict[str, Any]:
        return account_row(dataset, year, body, self.year_entries(dataset, year)[body])

    def _held(self, partitions: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
        """The rows of the view `held`, from the reports of the releases that the accounts name."""
        releases = {
            (dataset, *release)
            for dataset, year in partitions
            for body in self.year_entries(dataset, year)
            for release in self._releases(dataset, year, body)
        }
        return held_rows((dataset, series, self._report(series, path)) for dataset, series, path in sorted(releases))

    @cached_property
    def _report(self) -> Callable[[Series, str], Mapping[str, Any]]:
        """What the report of a release says of the rows that were held; each is read once."""

        def read(series: Series, path: str) -> Mapping[str, Any]:
            report = json.loads(self.store.read(f"{layout.series_folder(series)}{path}/report.json").content)
            return {"tables": [{name: table[name] for name in ("rows", "amount")} for table in report["tables"]]}

        return cache(read)

    @cached_property
    def _contract_tables(self) -> list[publishers.PublishedTable]:
        return publishers.list_published(self.store, "contracts")

    def _contract_versions(self, year: Period) -> list[ContractVersion]:
        """Every version of the contracts tables whose periods end by the end of a year, but for those taken back."""
        return [
            ContractVersion(one.series, version.version, version.path, version.manifest_sha256, version.published,
                            version.version == history.current)
            for one in self._contract_tables if one.series.period.end <= year.end
            for history in [self._history(one.series)]
            for version in history.versions if version.status in (Status.CURRENT, Status.SUPERSEDED)
        ]  # fmt: skip

    @cached_property
    def _history(self) -> Callable[[Series], History]:
        return cache(lambda series: publishers.read_history(self.store, series)[0])


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """A published version of a contracts table: its folder, the sha256 of its manifest, and its place in history."""

    series: Series
    version: int
    folder: str
    sha256: str
    published: str
    current: bool

    @property
    def body(self) -> str:
        """The body whose table it is."""
        return self.series.body

    def fetched(self, store: MeasureStore) -> ReleaseFile:
        """Its Parquet file as a local file."""
        path = store.path(f"{layout.series_folder(self.series)}{self.folder}/contracts.parquet")
        return ReleaseFile(path, str(self.series), self.version, self.body, self.published, self.current)


def list_lines(account: YearAccount) -> list[CountedLines | LeftOutLines]:
    """The lines of an account, counted and left out, by table."""
    return [*account.counted, *account.left_out]


def hash_rules_version(rules: str) -> str:
    """Identify the rules that made consolidated files."""
    return hashlib.sha256(rules.encode()).hexdigest()


def _hashes(entry: Mapping[str, Any]) -> tuple[str, str]:
    lines = [file["sha256"] for file in publishers.list_line_files(entry, "csv")]
    whole = lines[0] if len(lines) == 1 else hashlib.sha256("".join(lines).encode()).hexdigest()
    return whole, entry["json"]["sha256"]


@cache
def _hash_rules(name: str) -> str:
    path = assets.folder("datapackages") / "functions" / f"{name}.csv"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def account_row(dataset: str, year: str, body: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the view `accounts`, from the entry of a body in the index of a year."""
    left_out = entry["left_out"]
    pounds = (None if one["amount_gbp"] is None else Decimal(one["amount_gbp"]) for one in left_out)
    return {
        "dataset": dataset,
        "body": body,
        "year": year if year == UNDATED else Period.parse_year(year).financial_year_name,
        "rows": entry["rows"],
        "amount_gbp": entry["amount_gbp"],
        "undated_rows": entry["undated"]["rows"],
        "undated_amount_gbp": entry["undated"]["amount_gbp"],
        "left_out_rows": sum(one["rows"] for one in left_out),
        "left_out_gbp": add_pounds(pounds),
        "tables": entry["tables"],
        "months": sorted({one["month"] for one in entry["months"] if one["month"] and one["rows"]}),
    }


def held_rows(reports: Iterable[tuple[str, Series, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The rows of the view `held`, from the dataset, series and public report of each release."""
    found: dict[tuple[str, str, str], list[tuple[int, Decimal | None]]] = {}
    for dataset, series, report in reports:
        begins = Period.financial_year_of(series.period.start).financial_year_name
        rows = sum(table["rows"]["held"] for table in report["tables"])
        amounts = [table["amount"] for table in report["tables"]]
        pounds = add_pounds(Decimal(amount["held"]) for amount in amounts if amount)
        found.setdefault((dataset, series.body, begins), []).append((rows, pounds))
    return [
        {
            "dataset": dataset,
            "body": body,
            "year": year,
            "rows": sum(rows for rows, _ in own),
            "amount_gbp": add_pounds(pounds for _, pounds in own),
        }
        for (dataset, body, year), own in sorted(found.items())
    ]
