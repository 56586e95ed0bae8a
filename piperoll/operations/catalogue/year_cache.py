"""What a build keeps of the consolidated years of a body: their figures, and what is paid to whom.

The figures of all years of a dataset are in one document, `years/{dataset}/{body}`. What is paid to whom takes much
more room, so each year has a document of its own, `payees/{dataset}/{body}/{year}`. A year is read again only if its
consolidated files have changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import publishers
from piperoll import assets, layout
from piperoll.describing.suppliers import MOST_CONTRACTS, Contract, Payee, PayeeYear
from piperoll.describing.year_figures import (
    MOST_SERVICES,
    BodyYear,
    BodyYears,
    RowSum,
    find_covered_months,
    payee_field,
    read_account,
)
from piperoll.model import Dataset, Series, YearAccount, format_decimal
from piperoll.model.columns import Cells, pc
from piperoll.operations.catalogue.build_plan import BuildState, CatalogueBuild
from piperoll.releasing.files import read_columns


@dataclass(frozen=True)
class YearsDocument:
    """The years of a body and dataset, by name."""

    years: Mapping[str, BodyYear] = field(default_factory=dict)


@dataclass(frozen=True)
class PayeesDocument:
    """What a body paid in a year, by `supplier_key`."""

    payees: Mapping[str, Payee] = field(default_factory=dict)


def load_years(build: CatalogueBuild, slug: str, datasets: Iterable[str]) -> BodyYears:
    """Load what is kept of the years of a body."""
    found = {}
    for dataset in datasets:
        years = _load(build.state, dataset, slug)
        if years:
            found[dataset] = years
    return found


def load_payees(build: CatalogueBuild, slug: str, years: BodyYears) -> Iterator[tuple[str, Mapping[str, Payee]]]:
    """Load what is kept of a body's payees, one year after another."""
    for year, dataset in sorted((year, dataset) for dataset, found in years.items() for year in found):
        document = build.state.read(_payees_name(dataset, slug, year), PayeesDocument)
        if document is not None:
            yield year, document.payees


def refresh_years(
    build: CatalogueBuild,
    slug: str,
    dataset: str,
    touched: Iterable[str],
    read_index: Callable[[str], Mapping[str, Any]],
) -> None:
    """Read the years of a body again whose consolidated files were `touched`, or all that differ if it is read anew.

    `read_index` reads the index of a year, for which several bodies are refreshed.
    """
    before = {} if build.whole else _load(build.state, dataset, slug)
    names = publishers.list_consolidated_years(build.store, dataset) if slug in build.anew else touched
    after = dict(before)
    for year in sorted({*names, *(before if slug in build.anew else ())}):
        entry = read_index(year).get("bodies", {}).get(slug)
        if entry is None:
            after.pop(year, None)
            build.state.drop(_payees_name(dataset, slug, year))
        elif year not in before or before[year].files != _files_of(entry):
            after[year] = _read_year(build, slug, dataset, year, entry)
    if after:
        build.state.write(_years_name(dataset, slug), YearsDocument(dict(sorted(after.items()))))
    else:
        build.state.drop(_years_name(dataset, slug))


def _load(state: BuildState, dataset: str, slug: str) -> Mapping[str, BodyYear]:
    document = state.read(_years_name(dataset, slug), YearsDocument)
    return {} if document is None else document.years


def _years_name(dataset: str, slug: str) -> str:
    return f"years/{dataset}/{slug}"


def _payees_name(dataset: str, slug: str, year: str) -> str:
    return f"payees/{dataset}/{slug}/{year}"


def _files_of(entry: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The files that pages link to. A large year has its lines in several, which the index lists: they link to that."""
    return {kind: entry[kind] for kind in ("csv", "parquet", "json") if kind in entry}


def _read_year(build: CatalogueBuild, slug: str, dataset: str, year: str, entry: Mapping[str, Any]) -> BodyYear:
    """Read a year's account and lines, write its payees, and return its figures."""
    described, files = assets.dataset(dataset), _files_of(entry)
    with TemporaryDirectory(dir=build.scratch) as scratch:
        key = layout.consolidated_file(dataset, year, files["json"]["path"])
        account = YearAccount.from_json(json.loads(build.store.read(key).content))
        paths = [Path(scratch) / file["path"] for file in publishers.list_line_files(entry, "parquet")]
        for path in paths:
            build.store.fetch(layout.consolidated_file(dataset, year, path.name), path)
        lines = read_lines(described, *paths)
    found = lines.group_by(["series", "month"]).aggregate([])
    covered = find_covered_months(
        year, ((Series.parse(one["series"]), one["month"]) for one in found.to_pylist() if one["month"])
    )
    payees = tally_payees(described, year, lines)
    if payees:
        build.state.write(_payees_name(dataset, slug, year), PayeesDocument(payees))
    else:
        build.state.drop(_payees_name(dataset, slug, year))
    return BodyYear(files, replace(read_account(account), covered=covered, services=tally_services(described, lines)))


# --- the lines of a year --------------------------------------------------------------------------------------------


def read_lines(dataset: Dataset, *files: Path) -> pa.Table:
    """Read the columns of the consolidated files of a year that the tallies need, and that they have."""
    shown = assets.shown(dataset.name)
    wanted = [
        "series",
        "month",
        "supplier_key",
        "payee_class",
        payee_field(dataset),
        *dataset.amount,
        *_service_fields(dataset),
    ]
    for names in (shown["contract"] or {}).values():
        wanted += names
    tables: list[pa.Table] = []
    for path in files:
        with pq.ParquetFile(path) as file:
            tables.append(read_columns(file, filter(None, wanted)))
    return pa.concat_tables(tables, promote_options="permissive")


def tally_payees(dataset: Dataset, year: str, lines: pa.Table) -> dict[str, Payee]:
    """What a body pays in a year, or has contracts for, by `supplier_key`; lines without a key are in none."""
    name = payee_field(dataset)
    if name is None or not {name, "supplier_key", "payee_class"} <= set(lines.column_names):
        return {}
    named = lines.filter(pc.is_valid(lines["supplier_key"]))
    contracts = assets.shown(dataset.name)["contract"]
    amount = None if contracts else next((one for one in dataset.amount if one in lines.column_names), None)
    found: dict[str, _PayeeTally] = {}
    for line in _add_up(named, ["supplier_key", "payee_class", name, "month", "series"], amount):
        tally = found.setdefault(line["supplier_key"], _PayeeTally())
        rows, pounds = line["count_all"], None if amount is None else line[f"{amount}_sum"]
        spelling = " ".join(line[name].split())  # a reader cannot tell spellings apart that differ in spaces
        tally.add(line["payee_class"], spelling, line["series"], line["month"] or "", RowSum(rows, _plain(pounds)))
    listed = _read_contracts(contracts, named) if contracts else {}
    return {
        key: found[key].payee(None if contracts else year, tuple(listed.get(key, ())[:MOST_CONTRACTS]))
        for key in sorted(found)
    }


@dataclass
class _PayeeTally:
    """The rows of one supplier, until all are read."""

    classes: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    months: dict[str, RowSum] = field(default_factory=dict)
    series: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, payee_class: str, name: str, series: str, month: str, one: RowSum) -> None:
        self.classes[payee_class] = self.classes.get(payee_class, 0) + one.rows
        self.names[name] = self.names.get(name, 0) + one.rows
        self.months[month] = self.months.get(month, RowSum()) + one
        spellings = self.series.setdefault(series, {})
        spellings[name] = spellings.get(name, 0) + one.rows

    def payee(self, year: str | None, contracts: tuple[Contract, ...]) -> Payee:
        series = {one: dict(sorted(names.items())) for one, names in sorted(self.series.items())}
        years = {} if year is None else {year: PayeeYear(dict(sorted(self.months.items())), series)}
        return Payee(dict(sorted(self.classes.items())), dict(sorted(self.names.items())), years, contracts)


def _read_contracts(declared: Mapping[str, list[str]], lines: pa.Table) -> dict[str, list[Contract]]:
    """The contracts of each supplier, those that end last first; `declared` has the fields to take them from."""
    columns = {name: _first_filled(lines, fields) for name, fields in declared.items()}
    found: dict[str, list[Contract]] = {}
    cells = {name: column.to_pylist() for name, column in columns.items()}
    keys: list[Any] = lines["supplier_key"].to_pylist()
    series_of: list[Any] = lines["series"].to_pylist()
    for n, key in enumerate(keys):
        value, days = cells["value"][n], {name: cells[name][n] for name in ("start", "end")}
        found.setdefault(key, []).append(
            Contract(
                title=cells["title"][n] or "",
                reference=cells["reference"][n] or "",
                value=_plain(value),
                start=days["start"].isoformat() if days["start"] else "",
                end=days["end"].isoformat() if days["end"] else "",
                series=series_of[n],
            )
        )
    for ones in found.values():
        ones.sort(key=lambda one: (one.end, one.start, one.reference, one.title, str(one.value)), reverse=True)
    return found


def tally_services(dataset: Dataset, lines: pa.Table) -> dict[str, RowSum]:
    """Rows and pounds by service, those with the most pounds first: by the first field that half of the rows fill."""
    amount = next((one for one in dataset.amount if one in lines.column_names), None)
    for name in _service_fields(dataset):
        if name not in lines.column_names or lines[name].null_count * 2 > lines.num_rows:
            continue
        found = {
            one[name]: RowSum(one["count_all"], None if amount is None else _plain(one[f"{amount}_sum"]))
            for one in _add_up(lines.filter(pc.is_valid(lines[name])), [name], amount)
        }
        order = sorted(found, key=lambda name: (-(found[name].amount or Decimal(0)), -found[name].rows, name))
        return {name: found[name] for name in order[:MOST_SERVICES]}
    return {}


def _add_up(lines: pa.Table, by: list[str], amount: str | None) -> list[dict[str, Any]]:
    """The groups of lines with the same values, with `count_all` and the sum of the amount."""
    groups = lines.group_by(by)
    if amount is None:
        return groups.aggregate([([], "count_all")]).to_pylist()
    return groups.aggregate([([], "count_all"), (amount, "sum")]).to_pylist()


def _service_fields(dataset: Dataset) -> list[str]:
    """The fields that the dataset's chart of services groups by."""
    charts = assets.shown(dataset.name)["charts"]
    return next((list(chart["by"]) for chart in charts if chart["name"] == "services"), [])


def _first_filled(lines: pa.Table, names: Iterable[str]) -> Cells:
    columns = [lines[name] for name in names if name in lines.column_names]
    return pc.coalesce(*columns) if columns else pa.nulls(lines.num_rows, pa.string())


def _plain(amount: Decimal | None) -> Decimal | None:
    """The amount without the zeros that the type of the column adds: 1250.00 for 1250.0000."""
    return None if amount is None else Decimal(format_decimal(amount))
