"""Recompute what counts, from the published CSVs alone: SQL of its own, beside nothing that Piperoll counts with.

Of the package only the standards are used (which field is the amount, which identify a row), read from the
`datapackage.json` of each dataset. Releases are found by their pointers, as docs/storage.md says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from tests.conftest import HERE
from tests.figures.published_tables import (
    DATASETS,
    UNDATED,
    Counts,
    Group,
    PublishedTable,
    Span,
    Total,
    add,
    add_cells,
    amount_fields,
    read_lines,
    split_part,
)

MEASURES = "measures"
"""The folder of `data/` with the figures of measures, where others have the name of a dataset."""

_MONEY = "DECIMAL(38, 10)"


class Recomputed:
    """Everything that a folder store publishes, recomputed."""

    def __init__(self, store: Path, register: Path | None = None) -> None:
        self.store, self.register = store, register
        self.histories: dict[str, dict[str, Any]] = {}
        self.tables: dict[str, PublishedTable] = {}
        for pointer in sorted((store / "data").rglob("versions.json")):
            dataset, body, tail = pointer.parent.relative_to(store / "data").parts
            if dataset == MEASURES:  # proved by tests.figures.measure_rules
                continue
            history = json.loads(pointer.read_text("utf-8"))
            period, part = split_part(tail)
            name = f"{dataset}/{body}/{tail}"
            self.histories[name] = history
            if history["current"] is not None:
                path = next(one["path"] for one in history["versions"] if one["version"] == history["current"])
                self.tables[name] = PublishedTable(name, dataset, body, period, part, pointer.parent / path, history)
        self._fields: dict[str, list[dict[str, Any]]] = {}
        self._totals: dict[str, Total] = {}
        self._cells: dict[tuple[str, str], list[str]] = {}
        self._groups: dict[tuple[str, str, str, str], dict[str, Group]] = {}
        self._answers: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
        self.database = duckdb.connect()
        for dataset in DATASETS:
            self._load(dataset)
        self.counts = {dataset: self._count(dataset) for dataset in DATASETS}
        for dataset in DATASETS:
            self._annotate(dataset)

    def descriptor(self, dataset: str) -> dict[str, Any]:
        """The standard of a dataset."""
        path = HERE.parent / "datapackages" / dataset / "datapackage.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found

    @cached_property
    def bodies(self) -> dict[str, dict[str, str]]:
        """Every body that is listed, by its name in addresses: those of the register, and those that sent something."""
        found = {one["slug"]: one for one in read_lines(self.register)} if self.register else {}
        for path in [*(self.store / "data").glob("*/*/"), *(self.store / "reports").glob("*/*/")]:
            if path.parent.name == MEASURES:
                continue
            found.setdefault(path.name, {"slug": path.name, "kind": "unknown"})
        return found

    @cached_property
    def day(self) -> str:
        """The day that the catalogue describes."""
        found: str = json.loads((self.store / "catalogue" / "freshness.json").read_text("utf-8"))["on"]
        return found

    @cached_property
    def waiting(self) -> dict[str, dict[str, Any]]:
        """The reports of files that were held or rejected, by dataset, body and sha256."""
        found = {}
        for path in (self.store / "reports").rglob("*.json"):
            report = json.loads(path.read_text("utf-8"))
            if report["verdict"] in ("held", "rejected"):
                found["/".join(path.relative_to(self.store / "reports").with_suffix("").parts)] = report
        return found

    def expected_bodies(self, dataset: str) -> int:
        """How many bodies must publish a dataset by law, or have published it."""
        kinds = {kind for rule in self.descriptor(dataset)["x_piperoll"]["duties"] for kind in rule["kinds"]}
        sent = {name.split("/")[1] for name in self.histories if name.split("/")[0] == dataset}
        return sum(body["kind"] in kinds or slug in sent for slug, body in self.bodies.items())

    def of(self, dataset: str, body: str | None = None) -> list[PublishedTable]:
        """The current tables of a dataset."""
        return [one for one in self.tables.values() if one.dataset == dataset and body in (None, one.body)]

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the lines: one table for each dataset, and `counted_{dataset}` with what counts where."""
        key = (sql, repr(values))
        if key not in self._answers:
            self._answers[key] = self.database.execute(sql, values).fetchall()
        return self._answers[key]

    @cached_property
    def keys_of_spellings(self) -> dict[str, str]:
        """The key of each supplier's name, white space squeezed, for those that any line that counts has."""
        sql = (
            "SELECT DISTINCT trim(regexp_replace(supplier_name, '\\s+', ' ', 'g')), supplier_key FROM figures_spend "
            "WHERE supplier_key IS NOT NULL AND supplier_name IS NOT NULL"
        )
        return {str(name): str(key) for name, key in self.query(sql)}

    # --- one table ------------------------------------------------------------------------------------------------

    def manifest(self, table: PublishedTable) -> dict[str, Any]:
        """The manifest of a table's current version."""
        found: dict[str, Any] = json.loads((table.folder / "manifest.json").read_text("utf-8"))
        return found

    def fields_of(self, table: PublishedTable) -> list[dict[str, Any]]:
        """The fields that the descriptor beside a table's CSV declares."""
        if table.name not in self._fields:
            descriptor = json.loads((table.folder / "datapackage.json").read_text("utf-8"))
            self._fields[table.name] = descriptor["resources"][0]["schema"]["fields"]
        return self._fields[table.name]

    def catalogue(self, dataset: str) -> dict[str, Any]:
        """The charts that a dataset declares."""
        path = HERE.parent / "datapackages" / dataset / "catalogue.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found

    def has_amounts(self, dataset: str) -> bool:
        """Whether tables of a dataset have pounds."""
        return bool(self.descriptor(dataset)["x_piperoll"]["amount"])

    def sum_lines(self, dataset: str, where: str, *values: Any) -> Total:
        """Count and add up the lines that count and meet a condition."""
        sql = f"SELECT count(*), sum(pounds) FROM figures_{dataset} WHERE {where}"
        ((rows, pounds),) = self.query(sql, *values)
        return Total(rows, pounds)

    def left_out(self, dataset: str, where: str, *values: Any) -> tuple[Total, int]:
        """Count and add up the lines that are left out, and count the tables that they are in."""
        sql = "SELECT count(*), sum(pounds), count(DISTINCT series) "
        sql += f"FROM counted_{dataset} WHERE counted_in IS NOT NULL AND {where}"
        ((rows, pounds, tables),) = self.query(sql, *values)
        return Total(rows, pounds), tables

    def total_of(self, table: PublishedTable) -> Total:
        """The lines and pounds of a current table's CSV."""
        if table.name not in self._totals:
            sql = f"SELECT count(*), sum(pounds) FROM {table.dataset} WHERE series = $1"
            ((rows, pounds),) = self.query(sql, table.name)
            has_amounts = amount_fields(table.report) or (not rows and self.has_amounts(table.dataset))
            self._totals[table.name] = Total(rows, (pounds or Decimal(0)) if has_amounts else None)
        return self._totals[table.name]

    def cells_of(self, table: PublishedTable, name: str, most: int | None = None) -> list[str]:
        """The cells of a column, in the order of the lines."""
        if (table.name, name) not in self._cells:
            sql = f"SELECT coalesce({name}, '') FROM {table.dataset} WHERE series = $1 ORDER BY line"
            self._cells[table.name, name] = [cell for (cell,) in self.query(sql, table.name)]
        return self._cells[table.name, name][:most]

    def groups_of(self, table: PublishedTable, by: str, of: str, weight: str) -> dict[str, Group]:
        """The lines of a table by the text of a field: how many, and the sums of a field."""
        key = (table.name, by, of, weight)
        if key not in self._groups:
            number = f"TRY_CAST({of} AS {_MONEY})" if of else "NULL"
            heavy = f"TRY_CAST({weight} AS {_MONEY})" if weight else "NULL"
            groups = self.query(
                f"SELECT trim(regexp_replace(coalesce({by}, ''), '\\s+', ' ', 'g')), count(*), count({number}), "
                f"sum({number}), list({number}), list({heavy}) FROM {table.dataset} WHERE series = $1 GROUP BY 1",
                table.name,
            )
            self._groups[key] = {}
            for text, rows, filled, total, numbers, weights in groups:
                pairs = [
                    (one, other or Decimal(0)) for one, other in zip(numbers, weights, strict=True) if one is not None
                ]
                self._groups[key][text] = Group(rows, filled, total or Decimal(0), tuple(pairs))
        return self._groups[key]

    def version_total(self, series: str, version: Mapping[str, Any]) -> tuple[int, Decimal | None]:
        """The lines and pounds of any version: from its CSV if that is still served, else as its pointer says."""
        path = self.store / "data" / series / version["path"] / f"{series.split('/', maxsplit=1)[0]}.csv"
        if not path.exists():
            pounds = version["amount_gbp"]
            return version["rows"], None if pounds is None else Decimal(pounds)
        names = amount_fields(json.loads((path.parent / "report.json").read_text("utf-8")))
        rows = read_lines(path)
        if not rows and self.has_amounts(series.split("/", maxsplit=1)[0]):  # a nil return
            return 0, Decimal(0)
        return len(rows), add_cells(rows, names) if names else None

    def differences(self, series: str, version: Mapping[str, Any]) -> dict[str, Any]:
        """What a version changed: rows and pounds added, removed and corrected, from the file of rows that differ."""
        changes = version["changes"]
        report = self.store / "data" / series / version["path"] / "report.json"
        names = amount_fields(json.loads(report.read_text("utf-8")))
        found: dict[str, Any] = {"fields": {}, "added": (0, None), "removed": (0, None), "changed": (0, None)}
        rows = read_lines(self.store / "data" / series / changes["file"]["path"]) if changes["file"] else []
        pounds = [add_cells([row], names) if names else Decimal(0) for row in rows]
        for kind, kept, signs in (
            ("added", ("added",), {"added": 1}),
            ("removed", ("removed",), {"removed": 1}),
            ("changed", ("after",), {"before": -1, "after": 1}),
        ):
            amount = sum(
                (one * signs[row["change"]] for row, one in zip(rows, pounds, strict=True) if row["change"] in signs),
                Decimal(0),
            )
            found[kind] = (sum(row["change"] in kept for row in rows), amount if names else None)
        before = next(one for one in self.histories[series]["versions"] if one["version"] == changes["against"])
        (rows_before, pounds_before), (rows_now, pounds_now) = (
            self.version_total(series, one) for one in (before, version)
        )
        assert rows_now - rows_before == found["added"][0] - found["removed"][0], series
        if pounds_now is not None and pounds_before is not None:
            assert pounds_now - pounds_before == found["added"][1] - found["removed"][1] + found["changed"][1], series
        found["fields"] = changes["fields"]
        return found

    @cached_property
    def quotes(self) -> tuple[str, ...]:
        """Texts of the standards that pages quote, and names of files."""
        found: set[str] = set()
        for dataset in DATASETS:
            found |= set(_texts_of(self.descriptor(dataset)))
        found |= set(_texts_of(json.loads((HERE.parent / "datapackages" / "platform_fields.json").read_text("utf-8"))))
        for path in (self.store / "reports").rglob("*.json"):
            found.add(json.loads(path.read_text("utf-8"))["file"])
        return tuple(sorted(found))

    # --- loading --------------------------------------------------------------------------------------------------

    def _load(self, dataset: str) -> None:
        """One table with every line of every current release, all cells as text, and the time of its table."""
        fields = [one["name"] for one in self.descriptor(dataset)["resources"][0]["schema"]["fields"]]
        added = "series VARCHAR, body VARCHAR, table_part VARCHAR, first DATE, last DATE, line INTEGER, "
        added += f"pounds {_MONEY}"
        columns = ", ".join(f'"{name}" VARCHAR' for name in fields)
        self.database.execute(f"CREATE TABLE {dataset} ({added}, {columns})")
        for table in self.of(dataset):
            self.database.execute(
                f"INSERT INTO {dataset} BY NAME SELECT $1 AS series, $2 AS body, $3 AS table_part, $4 AS first, "
                f"$5 AS last, row_number() OVER () AS line, {self._pounds_of(table)} AS pounds, * FROM read_csv($6, "
                "header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', strict_mode = true, "
                "parallel = false, null_padding = false, max_line_size = 10000000)",
                [table.name, table.body, table.part, table.span.start, table.span.end, str(table.csv)],
            )

    def _pounds_of(self, table: PublishedTable) -> str:
        """SQL: the pounds of a line: the column that each sheet's report says is its amount."""
        fields = amount_fields(table.report)
        if len(set(fields.values())) <= 1:
            return f"TRY_CAST({next(iter(fields.values()))} AS {_MONEY})" if fields else "NULL"
        cases = " ".join(
            f"WHEN source_sheet = '{(sheet or '').replace(chr(39), chr(39) * 2)}' THEN TRY_CAST({name} AS {_MONEY})"
            for sheet, name in fields.items()
        )
        return f"CASE {cases} END"

    def _annotate(self, dataset: str) -> None:
        """`figures_{dataset}`: every line that counts, with its cells, supplier's key, class of payee and side.

        These are those of the consolidated files: what they mean is tested where they are made.
        """
        names = ("series", "line_id", "supplier_key", "payee_class", "assigned_function", "side")
        columns = ", ".join(f"{name} VARCHAR" for name in names)
        unnested = ", ".join(f"unnest(${place})" for place in range(1, len(names) + 1))
        self.database.execute(f"CREATE TABLE annotated_{dataset} ({columns})")
        for index in (self.store / "catalogue" / "consolidated" / dataset).glob("*/index.json"):
            for entry in json.loads(index.read_text("utf-8"))["bodies"].values():
                rows = read_lines(index.parent / entry["csv"]["path"])
                if rows and not {*names[2:]}.isdisjoint(rows[0]):
                    cells = [[row.get(name, "") for name in names] for row in rows]
                    self.database.execute(
                        f"INSERT INTO annotated_{dataset} SELECT {unnested}",
                        [list(column) for column in zip(*cells, strict=True)],
                    )
        self.database.execute(
            f"CREATE TABLE figures_{dataset} AS SELECT counted.body, counted.series, counted.table_part, counted.line, "
            "counted.pounds, counted.year, counted.month, counted.undated, lines.* EXCLUDE (body, series, table_part, "
            "line, pounds), annotated.supplier_key, annotated.payee_class, annotated.assigned_function, annotated.side "
            f"FROM counted_{dataset} AS counted JOIN {dataset} AS lines USING (series, line) "
            f"LEFT JOIN annotated_{dataset} AS annotated "
            "ON annotated.series = counted.series AND annotated.line_id = lines.line_id "
            "WHERE counted.counted_in IS NULL"
        )

    # --- counting -------------------------------------------------------------------------------------------------

    def _count(self, dataset: str) -> dict[str, dict[str, Counts]]:
        """What counts, by body and year."""
        rules = self.descriptor(dataset)["x_piperoll"]
        if rules["snapshot"]:
            statement = self._count_snapshots(dataset)
        elif rules.get("restates"):
            statement = self._count_restated(dataset, rules)
        else:
            statement = self._count_payments(dataset, rules)
        self.database.execute(f"CREATE TABLE counted_{dataset} AS {statement}")
        found: dict[str, dict[str, Counts]] = {}
        groups = self.query(
            f"SELECT body, year, series, table_part, month, undated, counted_in, because, count(*), sum(pounds) "
            f"FROM counted_{dataset} GROUP BY ALL ORDER BY ALL"
        )
        for body, year, series, part, month, undated, counted_in, because, rows, pounds in groups:
            counts = found.setdefault(body, {}).setdefault(year, Counts())
            total = Total(rows, pounds if rules["amount"] else None)
            if rules["amount"] and pounds is None:
                total = Total(rows, Decimal(0))
            if counted_in is not None:
                add(counts.left_out, (series, counted_in, because), total)
                continue
            add(counts.counted, series, total)
            add(counts.parts, part, total)
            add(counts.months, (month, part), total)
            if undated:
                add(counts.undated, series, total)
        return found

    def _count_payments(self, dataset: str, rules: Mapping[str, Any]) -> str:
        """Lines with the same key recur: each copy counts in the table with the shortest time, then the earliest."""
        key = rules.get("recurrence") or ["payment_date", "supplier_name", "transaction_number", "net_amount"]
        cells = []
        for name in key:
            if name in rules["amount"]:
                cells.append(f"coalesce(CAST(TRY_CAST({name} AS {_MONEY}) AS VARCHAR), '')")
            else:
                cells.append(f"lower(regexp_replace(coalesce({name}, ''), '\\s+', '', 'g'))")
        day = f"TRY_CAST(coalesce({', '.join(rules['date'])}) AS DATE)"
        self.database.execute(
            f"CREATE TABLE copies_{dataset} AS WITH keyed AS (SELECT *, {day} AS day, "
            f"concat_ws('|', {', '.join(cells)}) AS recurs, {_year_of('NULL::DATE')} = '{UNDATED}' AS wide, "
            "(year(last) - year(first)) * 12 + month(last) - month(first) AS months "
            f"FROM {dataset}) "
            "SELECT *, row_number() OVER (PARTITION BY series, recurs ORDER BY line) AS copy FROM keyed"
        )
        self._match_undated(dataset)
        return f"""
            WITH chosen AS (
                SELECT copies.*, first_value(series) OVER (
                    PARTITION BY body, recurs, copy ORDER BY wide, months, first, series
                ) AS best FROM copies_{dataset} AS copies WHERE day IS NOT NULL
                UNION ALL BY NAME
                SELECT copies.*, coalesce(undated.best, copies.series) AS best
                FROM copies_{dataset} AS copies LEFT JOIN undated_{dataset} AS undated
                ON undated.series = copies.series AND undated.recurs = copies.recurs AND undated.copy = copies.copy
                WHERE day IS NULL
            )
            SELECT body, series, table_part, line, pounds, {_year_of("day")} AS year, {_month_of("day")} AS month,
                   day IS NULL AS undated,
                   CASE WHEN best = series THEN NULL ELSE best END AS counted_in,
                   CASE WHEN best = series THEN NULL ELSE 'recurs' END AS because
            FROM chosen
        """

    def _match_undated(self, dataset: str) -> None:
        """Lines without a date recur in tables that share a day: each counts those that the tables before do not."""
        found: list[tuple[str, str, int, str]] = []
        lines: dict[tuple[str, str], list[tuple[str, Span, int]]] = {}
        for body, recurs, series, first, last, copies in self.query(
            f"SELECT body, recurs, series, first, last, count(*) FROM copies_{dataset} WHERE day IS NULL "
            "GROUP BY body, recurs, series, first, last, wide, months ORDER BY wide, months, first, series"
        ):
            lines.setdefault((body, recurs), []).append((series, Span(first, last), copies))
        for (_, recurs), tables in lines.items():
            counted: list[tuple[str, Span, int]] = []
            for series, span, copies in tables:
                taken = 0
                for other, theirs, number in counted:
                    if theirs.start <= span.end and span.start <= theirs.end:
                        matched = min(number, copies - taken)
                        found += [(series, recurs, taken + copy, other) for copy in range(1, matched + 1)]
                        taken += matched
                counted.append((series, span, copies - taken))
        self.database.execute(
            f"CREATE TABLE undated_{dataset} (series VARCHAR, recurs VARCHAR, copy BIGINT, best VARCHAR)"
        )
        if found:
            self.database.executemany(f"INSERT INTO undated_{dataset} VALUES (?, ?, ?, ?)", found)

    def _count_restated(self, dataset: str, rules: Mapping[str, Any]) -> str:
        """Of the tables of a year that name the same row, the latest counts; rows without a name are compared whole."""
        content = ", ".join(f"coalesce({name}, '')" for name in self._content_fields(dataset))
        keys = [
            f"CASE WHEN {' AND '.join(f'coalesce({name}, {chr(39) * 2}) <> {chr(39) * 2}' for name in one)} "
            f"THEN concat_ws('|', '{number}', {', '.join(one)}) END"
            for number, one in enumerate(rules["keys"])
        ]
        day = "TRY_CAST(period_end AS DATE)" if rules.get("row_period") else "NULL::DATE"
        same_month = f"strftime(TRY_CAST(period_start AS DATE), '%Y-%m') = strftime({day}, '%Y-%m')"
        month = _month_of(day)
        if rules.get("row_period"):
            month = f"CASE WHEN {day} IS NULL THEN {month} WHEN {same_month} THEN strftime({day}, '%Y-%m') END"
        undated = f"{day} IS NULL" if rules.get("row_period") else "false"
        return f"""
            WITH keyed AS (
                SELECT *, {_year_of(day)} AS year,
                       coalesce({", ".join(keys)}, concat_ws('|', 'all', {content})) AS restated
                FROM {dataset}
            ), chosen AS (
                SELECT *, first_value(series) OVER (
                    PARTITION BY body, year, restated ORDER BY last DESC, first DESC, series
                ) AS best FROM keyed
            )
            SELECT body, series, table_part, line, pounds, year, {month} AS month, {undated} AS undated,
                   CASE WHEN best = series THEN NULL ELSE best END AS counted_in,
                   CASE WHEN best = series THEN NULL ELSE 'restated later' END AS because
            FROM chosen
        """

    def _content_fields(self, dataset: str) -> list[str]:
        """The fields that say what a line says, whichever file it is in."""
        platform = {
            one["name"]: one
            for one in json.loads((HERE.parent / "datapackages" / "platform_fields.json").read_text("utf-8"))["fields"]
        }
        found = []
        for one in self.descriptor(dataset)["resources"][0]["schema"]["fields"]:
            derive = one.get("x_derive") or platform.get(one["name"], {}).get("x_derive") or {}
            if not re.match(r"(period|source)\.", str(derive.get("from", ""))) and "hash_of" not in derive:
                found.append(one["name"])
        return found

    def _count_snapshots(self, dataset: str) -> str:
        """Of the days of one financial year, the last counts; each part by itself."""
        return f"""
            WITH dated AS (SELECT *, {_year_of("first")} AS year FROM {dataset}),
            chosen AS (
                SELECT *, first_value(series) OVER (
                    PARTITION BY body, table_part, year ORDER BY first DESC
                ) AS best FROM dated
            )
            SELECT body, series, table_part, line, pounds, year, {_month_of("first")} AS month, false AS undated,
                   CASE WHEN best = series THEN NULL ELSE best END AS counted_in,
                   CASE WHEN best = series THEN NULL ELSE 'older snapshot' END AS because
            FROM chosen
        """


def _texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield re.sub(r"\s+", " ", value).strip()
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts_of(one)


def _year_of(day: str) -> str:
    """SQL: the financial year of a day; without a day that of the table, if it lies in one."""
    return (
        f"coalesce({_label_of(day)}, "
        f"CASE WHEN {_label_of('first')} = {_label_of('last')} THEN {_label_of('first')} ELSE '{UNDATED}' END)"
    )


def _label_of(day: str) -> str:
    first = f"(year({day}) - CASE WHEN month({day}) < 4 THEN 1 ELSE 0 END)"
    return f"({first}::VARCHAR || '-' || lpad((({first} + 1) % 100)::VARCHAR, 2, '0'))"


def _month_of(day: str) -> str:
    """SQL: the month of a day; without a day that of the table, if it is one."""
    table = "CASE WHEN strftime(first, '%Y-%m') = strftime(last, '%Y-%m') THEN strftime(first, '%Y-%m') END"
    return f"coalesce(strftime({day}, '%Y-%m'), {table})"
