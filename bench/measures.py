"""Measure how long all measures take: `python -m bench.measures [--bodies 353] [--rows 12000] [--only ID]…`.

A store is made with the consolidated spending of one financial year: as many rows for each body, over twelve months.
Then all measures are made, again when nothing has changed, and once more after one body sent its last month.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from piperoll import assets, layout
from piperoll.measuring.inputs import columns_of_lines
from piperoll.model import to_json_bytes
from piperoll.operations.measure import Measured, measure_store
from piperoll.operations.run_request import open_run

YEAR = "2025-26"
FILLED = {
    "body": "$body",
    "series": "'spend/' || $body || '/' || month",
    "version": "1",
    "line_date": "month_start + (hash(range, $body) % 28)::INTEGER",
    "month": "month",
    "financial_year": f"'{YEAR}'",
    "supplier_key": "'supplier ' || supplier",
    "supplier_name": "'Supplier ' || supplier || ' Ltd'",
    "payee_class": "'company'",
    "assigned_function": "CASE WHEN kind < 60 THEN 'o-direct' WHEN kind < 75 THEN 'i-digital' ELSE 'u-unknown' END",
    "side": "CASE WHEN kind < 60 THEN 'O' WHEN kind < 75 THEN 'I' ELSE 'U' END",
    "contested": "kind < 5",
    "function_by": "'rule'",
    "org_unit": "'Unit ' || (kind % 40)",
    "expense_type": "'Type ' || kind",
    "transaction_number": "'T' || range",
    "payment_date": "month_start + (hash(range, $body) % 28)::INTEGER",
    "net_amount": "((hash(range, 3, $body) % 2000000)::BIGINT - 100000)::DECIMAL(18, 0) / 100",
}
"""SQL for the columns that most bodies fill; the others are null, as in real data."""


def main() -> None:
    """Make the store and print the seconds of each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=353)
    parser.add_argument("--rows", type=int, default=12_000, help="lines of each body in the year")
    parser.add_argument("--only", action="append", default=[])
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        place = Path(folder)
        slugs = [f"body-{number:03}" for number in range(chosen.bodies)]
        entries = {slug: _write_body(place, slug, chosen.rows, 11 if slug == slugs[0] else 12) for slug in slugs}
        _write_indexes(place, entries)
        _report("all measures", lambda: _measure(place, chosen.only))
        _report("nothing has changed", lambda: _measure(place, chosen.only))
        entries[slugs[0]] = _write_body(place, slugs[0], chosen.rows, 12)
        _write_indexes(place, entries)
        _report("one body's new month", lambda: _measure(place, chosen.only))


def _measure(place: Path, only: Sequence[str]) -> list[Measured]:
    with open_run(str(place)) as run:
        last = [time.process_time()]

        def show(what: str) -> None:
            print(f"    {time.process_time() - last[0]:6.1f}  before: {what}")
            last[0] = time.process_time()

        return measure_store(run, only=only, progress=show)


def _report(what: str, step: Callable[[], list[Measured]]) -> None:
    cpu, wall = time.process_time(), time.monotonic()
    made = step()
    rows = sum(one.rows for one in made)
    failed = [f"{one.series}: {one.why}" for one in made if one.outcome == "failed"]
    seconds = f"{time.process_time() - cpu:.1f} s CPU, {time.monotonic() - wall:.1f} s"
    print(f"{what}: {seconds}, {len(made)} measures, {rows:,} rows", *failed, sep="\n  ")


def _write_body(place: Path, slug: str, rows: int, months: int) -> dict[str, Any]:
    """Write the consolidated files of a body, and the report of each of its releases; return its entry in the index."""
    folder = place / layout.consolidated_file("spend", YEAR, "")
    folder.mkdir(parents=True, exist_ok=True)
    columns = columns_of_lines(assets.dataset("spend"))
    chosen = ", ".join(f"CAST({FILLED.get(name, 'NULL')} AS {kind}) AS {name}" for name, kind in columns.items())
    made = folder / f"{slug}.parquet"
    count = rows * months // 12
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET VARIABLE body = ?", [slug])
        lines = f"""
            SELECT range, (hash(range, 2) % 100) AS kind,
                (hash(range, 5) % 1500 + hash($body) % 50 * 400)::VARCHAR AS supplier,
                (DATE '2025-04-01' + to_months((range % {months})::INTEGER))::DATE AS month_start,
                strftime(DATE '2025-04-01' + to_months((range % {months})::INTEGER), '%Y-%m') AS month
            FROM range({count})"""
        sql = f"SELECT {chosen} FROM ({lines})".replace("$body", "getvariable('body')")
        connection.execute(f"COPY ({sql}) TO '{made}' (FORMAT parquet, COMPRESSION zstd)")
        found = connection.execute(f"SELECT month, count(*), sum(net_amount) FROM '{made}' GROUP BY 1 ORDER BY 1")
        by_month = found.fetchall()
    counted = [
        {"series": f"spend/{slug}/{month}", "version": 1, "path": "v1-0123456789ab", "part": None, "rows": rows,
         "amount_gbp": str(pounds), "undated_rows": 0, "undated_amount_gbp": None}
        for month, rows, pounds in by_month
    ]  # fmt: skip
    account = {"dataset": "spend", "body": slug, "year": YEAR, "counted": counted, "left_out": [], "elsewhere": [],
               "payees": [], "months": [], "not_added": []}  # fmt: skip
    for one in counted:
        _write(place / "data" / str(one["series"]) / "v1-0123456789ab" / "report.json",
               {"tables": [{"rows": {"held": 3}, "amount": {"field": "net_amount", "held": "12.00"}}]})  # fmt: skip
    _write(folder / f"{slug}.json", account)
    return {
        "rows": count, "amount_gbp": str(sum(pounds for _, _, pounds in by_month)), "tables": len(counted),
        "undated": {"rows": 0, "amount_gbp": None}, "left_out": [],
        "months": [{"month": month, "rows": rows} for month, rows, _ in by_month], "rules": "1",
        "parquet": {"path": f"{slug}.parquet"},
        "json": {"path": f"{slug}.json", "sha256": _hash(folder / f"{slug}.json")},
        "csv": {"path": f"{slug}.csv", "sha256": _hash(made)},
    }  # fmt: skip


def _write_indexes(place: Path, entries: Mapping[str, Any]) -> None:
    _write(place / layout.CONSOLIDATED_INDEX, {"datasets": {"spend": [YEAR]}})
    _write(place / layout.consolidated_index("spend", YEAR), {"dataset": "spend", "year": YEAR, "bodies": entries})


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_json_bytes(document))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
