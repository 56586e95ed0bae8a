"""Accounts, indexes and consolidated files say what is recomputed from the releases' CSVs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.figures.figures_store import awkward_cases
from tests.figures.published_tables import UNDATED, Counts, Total, read_lines, sum_totals, year_key
from tests.figures.recomputing import Recomputed

CASES = [case for case in awkward_cases() if case.counts]


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def entries(store: Path) -> Iterator[tuple[str, str, str, Path, Mapping[str, Any]]]:
    """Every body of every consolidated year: dataset, year as keys spell it, body, folder and entry in the index."""
    root = store / "catalogue" / "consolidated"
    for dataset, years in read_json(root / "index.json")["datasets"].items():
        for year in years:
            folder = root / dataset / year
            for body, entry in read_json(folder / "index.json")["bodies"].items():
                yield dataset, year, body, folder, entry


def told(one: Mapping[str, Any], prefix: str = "") -> Total:
    """Rows and pounds as a document says them."""
    amount = one[f"{prefix}amount_gbp"]
    return Total(one[f"{prefix}rows"], None if amount is None else Decimal(amount))


def same(left: Total, right: Total) -> bool:
    return left.rows == right.rows and (left.pounds or 0) == (right.pounds or 0)


def by(totals: Iterator[tuple[Any, Total]]) -> dict[Any, Total]:
    found: dict[Any, Total] = {}
    for key, total in totals:
        found[key] = found[key] + total if key in found else total
    return {key: Total(total.rows, total.pounds or Decimal(0)) for key, total in found.items() if total.rows}


def test_there_is_a_consolidated_file_for_each_year_with_lines_and_for_no_other(
    store: Path, published: Recomputed
) -> None:
    expected = {
        (dataset, year_key(year), body)
        for dataset, bodies in published.counts.items()
        for body, years in bodies.items()
        for year, counts in years.items()
        if counts.counted or counts.left_out
    }
    nil = [table for table in published.tables.values() if not published.total_of(table).rows]
    expected |= {(table.dataset, year_key(table.span.year), table.body) for table in nil}
    assert {(dataset, year, body) for dataset, year, body, _, _ in entries(store)} == expected


def _counts(published: Recomputed, dataset: str, year: str, body: str) -> Counts:
    years = published.counts[dataset].get(body, {})
    return next((counts for label, counts in years.items() if year_key(label) == year), Counts())


def test_every_account_is_what_is_recomputed(store: Path, published: Recomputed) -> None:
    for dataset, year, body, folder, entry in entries(store):
        account = read_json(folder / entry["json"]["path"])
        counts = _counts(published, dataset, year, body)
        where = f"{dataset}/{body}/{year}"
        assert (account["dataset"], account["body"], account["year"]) == (dataset, body, year)
        counted = by((one["series"], told(one)) for one in account["counted"])
        assert counted == by(iter(counts.counted.items())), where
        undated = by((one["series"], told(one, "undated_")) for one in account["counted"])
        assert undated == by(iter(counts.undated.items())), where
        left_out = by(((one["series"], one["counted_in"], one["because"]), told(one)) for one in account["left_out"])
        assert left_out == by(iter(counts.left_out.items())), where
        months = by(((one["month"], one["part"] or ""), told(one)) for one in account["months"])
        assert months == by(iter(counts.months.items())), where
        if account["payees"]:
            parts = by((one["part"] or "", told(one)) for one in account["payees"])
            assert parts == by(iter(counts.parts.items())), where


def test_lines_of_a_table_that_are_elsewhere_are_in_the_accounts_of_those_years(
    store: Path, published: Recomputed
) -> None:
    for dataset, year, body, folder, entry in entries(store):
        account = read_json(folder / entry["json"]["path"])
        names = {one["series"] for one in (*account["counted"], *account["left_out"])}
        expected: dict[tuple[str, str], Total] = {}
        for label, counts in published.counts[dataset].get(body, {}).items():
            if year_key(label) == year:
                continue
            lines = [*counts.counted.items(), *((series, total) for (series, _, _), total in counts.left_out.items())]
            for series, total in lines:
                if series in names:
                    key = (series, year_key(label))
                    expected[key] = expected[key] + total if key in expected else total
        elsewhere = by(((one["series"], one["year"]), told(one)) for one in account["elsewhere"])
        assert elsewhere == by(iter(expected.items())), (dataset, body, year)


def test_consolidated_files_hold_the_lines_that_count_with_their_times(store: Path, published: Recomputed) -> None:
    database = duckdb.connect()
    for dataset, year, body, folder, entry in entries(store):
        lines = read_lines(folder / entry["csv"]["path"])
        label = year if year == UNDATED else f"{year[:4]}-{(int(year[:4]) + 1) % 100:02}"
        expected = published.query(
            f"SELECT series, coalesce(month, ''), coalesce(CASE WHEN year <> '{UNDATED}' THEN year END, ''), count(*) "
            f"FROM counted_{dataset} WHERE body = $1 AND year = $2 AND counted_in IS NULL GROUP BY ALL",
            body,
            label,
        )
        found = Counter((one["series"], one["month"], one["financial_year"]) for one in lines)
        assert found == Counter({(series, month, of): rows for series, month, of, rows in expected}), (body, year)
        path = str(folder / entry["parquet"]["path"])
        ((rows,),) = database.execute("SELECT count(*) FROM read_parquet($1)", [path]).fetchall()
        assert rows == len(lines)


def test_the_index_of_a_year_repeats_the_totals_of_its_accounts(store: Path, published: Recomputed) -> None:
    for dataset, year, body, _, entry in entries(store):
        counts = _counts(published, dataset, year, body)
        if "rows" in entry:
            assert same(told(entry), counts.total), (dataset, body, year)
        counted = by((one["part"] or "", told(one)) for one in entry["counted"])
        assert counted == by(iter(counts.parts.items())), (dataset, body, year)


def test_the_lines_of_all_years_and_those_left_out_are_those_of_all_releases(
    store: Path, published: Recomputed
) -> None:
    accounted: dict[str, Total] = {}
    for *_, folder, entry in entries(store):
        account = read_json(folder / entry["json"]["path"])
        for one in (*account["counted"], *account["left_out"]):
            total = told(one)
            accounted[one["series"]] = accounted[one["series"]] + total if one["series"] in accounted else total
    for name, table in published.tables.items():
        total = published.total_of(table)
        if total.rows:
            assert same(accounted[name], total), name


@pytest.mark.parametrize("case", [one for one in CASES if "payees" in one.counts[0]], ids=lambda case: case.name)
def test_payees_are_who_they_were_said_to_be_by_hand(case: Any, store: Path) -> None:
    (by_hand,) = case.counts
    found: dict[str, Total] = {}
    for dataset, _, body, folder, entry in entries(store):
        if (dataset, body) == (by_hand["dataset"], case.body):
            for one in read_json(folder / entry["json"]["path"])["payees"]:
                name = one["payee_class"]
                found[name] = found[name] + told(one) if name in found else told(one)
    for name, (rows, pounds) in by_hand["payees"].items():
        assert found[name] == Total(rows, Decimal(pounds)), found


@pytest.mark.parametrize("case", [one for one in CASES if "spellings" in one.counts[0]], ids=lambda case: case.name)
def test_spellings_of_a_supplier_have_one_key(case: Any, store: Path) -> None:
    (by_hand,) = case.counts
    for dataset, _, body, folder, entry in entries(store):
        if (dataset, body) != (by_hand["dataset"], case.body):
            continue
        lines = read_lines(folder / entry["csv"]["path"])
        for name, (rows, pounds) in by_hand["spellings"].items():
            (key,) = {one["supplier_key"] for one in lines if one["supplier_name"] == name}
            own = [Decimal(one["net_amount"]) for one in lines if one["supplier_key"] == key]
            assert (len(own), sum(own)) == (rows, Decimal(pounds)), key


def test_a_rollup_adds_up_to_its_account(store: Path, published: Recomputed) -> None:
    database = duckdb.connect()
    for dataset, year, body, folder, entry in entries(store):
        if "rollup" not in entry:
            continue
        counts = _counts(published, dataset, year, body)
        path = str(folder / entry["rollup"]["path"])
        groups = database.execute(
            "SELECT month, coalesce(part, ''), sum(rows), sum(amount_gbp) FROM read_parquet($1) GROUP BY ALL", [path]
        ).fetchall()
        found = by(((month, part), Total(int(rows), amount)) for month, part, rows, amount in groups)
        assert found == by(iter(counts.months.items())), (dataset, body, year)
        assert sum_totals(iter(found.values())).rows == counts.total.rows
