"""Generate a store of spend data for `bench.api`: releases in the store's layout, with their consolidated files.

It has only the objects that the API reads. DuckDB makes the rows, which are the same each time; the consolidated files
are made by Piperoll itself.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import duckdb

from piperoll import assets, layout
from piperoll.model import (
    CurrentRelease,
    FileEntry,
    History,
    Manifest,
    Period,
    Series,
    Status,
    Version,
    file_entry,
    to_json_bytes,
)
from piperoll.releasing.consolidating import consolidate_years

BODIES = 100
MONTHS = [Period.month(year, month) for year, month in product((2025, 2026), range(1, 13))][9:21]
"""Twelve months: October 2025 to September 2026."""

YEARS = ["2025-26", "2026-27"]
KINDS = {".parquet": "parquet", ".totals.parquet": "totals", ".json": "json"}
"""The endings of consolidated files that the API reads, with their names in the index."""

FILLED = {
    "line_id": "md5(concat($body, $month, range))[:20] || '-1'",
    "body_id": "'gss:E07' || lpad($body::VARCHAR, 6, '0')",
    "body_name": "'Body ' || $body",
    "period_start": "$start::DATE",
    "period_end": "$end::DATE",
    "payment_date": "$start::DATE + (hash(range, $body) % 28)::INTEGER",
    "transaction_number": "'T' || (range + $month * 1000000)",
    "org_unit": "'Unit ' || (hash(range, 1) % 40)",
    "expense_type": "'Type ' || (hash(range, 2) % 200)",
    "supplier_name": "'Supplier ' || lpad((hash(range, $body, $month) % 20000)::VARCHAR, 5, '0') || ' Ltd'",
    "net_amount": "((hash(range, 3, $body) % 2000000)::BIGINT - 100000)::DECIMAL(18,0) / 100",
    "function_id": "'u-unknown'",
    "source_file": "'spend-' || $month || '.csv'",
    "source_row": "range + 2",
    "source_sha256": "repeat('ab', 32)",
}
"""SQL for the fields that most bodies fill; the others are null, as in real data."""

_MADE: dict[tuple[int, int], tuple[Decimal, FileEntry]] = {}
"""The pounds and the file of each body and month that were made: most bodies have those of another."""

_TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DECIMAL(38,4)", "date": "DATE", "boolean": "BOOLEAN"}


def make(folder: Path, rows: int, distinct: int = BODIES) -> None:
    """Write a store of `rows` rows into `folder`: 100 bodies with 12 months each.

    `distinct` bodies have rows of their own. The files of the others are hard links to those, which saves time and
    disk; the engine reads each of them, although their columns `body` and `series` name the first one.
    """
    each = rows // (BODIES * len(MONTHS))
    engine = duckdb.connect()
    engine.execute("SET threads = 1")
    engine.execute("SET enable_progress_bar = false")
    for body in range(BODIES):
        entries = dict(_series(engine, folder, body, body % distinct, each))
        _consolidate(folder, body, body % distinct, list(entries))
        body_folder = folder / f"data/spend/body-{body}"
        years = sorted({period.start.year for period in MONTHS})
        _write(body_folder / "index.json", {"dataset": "spend", "body": f"body-{body}", "years": years})
        for year in years:
            own = {str(one): entry for one, entry in entries.items() if one.period.start.year == year}
            _write(body_folder / f"index-{year}.json", {"dataset": "spend", "body": f"body-{body}", "series": own})
    bodies = sorted(f"body-{body}" for body in range(BODIES))
    _write(folder / "data/index.json", {"datasets": {"spend": bodies}})
    for name in YEARS:
        made = {one: json.loads((folder / f"{name}-{one}.json").read_bytes()) for one in bodies}
        _write(folder / layout.consolidated_index("spend", name), {"dataset": "spend", "year": name, "bodies": made})
    _write(folder / layout.CONSOLIDATED_INDEX, {"datasets": {"spend": YEARS}})


def _series(
    engine: duckdb.DuckDBPyConnection, folder: Path, body: int, source: int, rows: int
) -> Iterator[tuple[Series, object]]:
    for month, period in enumerate(MONTHS):
        series = Series("spend", f"body-{body}", period)
        version_folder = folder / layout.series_folder(series) / "new"
        version_folder.mkdir(parents=True)
        if source == body:
            _parquet(engine, version_folder / "spend.parquet", body, month, rows)
        else:
            [same] = (folder / layout.series_folder(Series("spend", f"body-{source}", period))).glob(
                "v1-*/spend.parquet"
            )
            (version_folder / "spend.parquet").hardlink_to(same)
        if (source, month) not in _MADE:
            [(total,)] = engine.execute(f"SELECT sum(net_amount) FROM '{version_folder / 'spend.parquet'}'").fetchall()
            _MADE[source, month] = Decimal(total), file_entry(version_folder, "spend.parquet")
        pounds, entry = _MADE[source, month]
        manifest = Manifest(
            series=series,
            dataset_version="1",
            rules_version="1",
            rows=rows,
            amount_gbp=pounds,
            rows_sha256="ab" * 32,
            sources=("ab" * 32,),
            files=(entry,),
        )
        (version_folder / "manifest.json").write_bytes(manifest.to_bytes())
        report = {"tables": [{"sheet": None, "amount": {"field": "net_amount"}}]}
        (version_folder / "report.json").write_bytes(to_json_bytes(report))
        path = f"v1-{manifest.sha256[:12]}"
        version_folder.rename(version_folder.with_name(path))
        version = Version(
            1,
            path,
            manifest.sha256,
            "2026-11-02T09:00:00Z",
            Status.CURRENT,
            None,
            "made up",
            rows,
            pounds,
            "ab" * 32,
            (),
        )
        (folder / layout.pointer(series)).write_bytes(History(series, (version,), 1).to_bytes())
        yield series, {"versions": 1, "current": 1, "path": path, "rows": rows}


def _consolidate(folder: Path, body: int, source: int, series: Sequence[Series]) -> None:
    """Make the consolidated files of a body, or link those of another and name this one in their account."""
    dataset = assets.dataset("spend")
    scratch = folder / "scratch"
    if source == body:
        releases = [_current(folder, one) for one in series]
        for account in consolidate_years(dataset, releases, YEARS, scratch):
            (scratch / account.year / "spend.csv").unlink()
            (scratch / account.year / "spend.json").write_bytes(to_json_bytes(account.to_json()))
            _enter(folder, body, account.year, {kind: scratch / account.year / f"spend{kind}" for kind in KINDS})
        shutil.rmtree(scratch)
        return
    paths = {str(one): _current(folder, one).path for one in series}
    for year in YEARS:
        entry = json.loads((folder / f"{year}-body-{source}.json").read_bytes())
        files = {
            kind: folder / layout.consolidated_file("spend", year, entry[name]["path"]) for kind, name in KINDS.items()
        }
        account = json.loads(files[".json"].read_bytes().replace(b"body-%d" % source, b"body-%d" % body))
        for one in account["counted"]:
            one["path"] = paths[one["series"]]
        scratch.mkdir()
        files[".json"] = scratch / "spend.json"
        files[".json"].write_bytes(to_json_bytes(account))
        _enter(folder, body, year, files, entry)
        shutil.rmtree(scratch)


def _current(folder: Path, series: Series) -> CurrentRelease:
    [place] = (folder / layout.series_folder(series)).glob("v1-*")
    return CurrentRelease(series, 1, lambda: place, place.name)


def _enter(
    folder: Path, body: int, year: str, files: Mapping[str, Path], known: Mapping[str, Any] | None = None
) -> None:
    """Link files under their consolidated names, and keep the body's entry for the index.

    `known` is the entry of the body that has the same lines.
    """
    entry: dict[str, object] = {}
    for kind, path in files.items():
        content = file_entry(path.parent, path.name) if known is None or kind == ".json" else None
        sha256, size = (
            (content.sha256, content.bytes)
            if content is not None
            else (known[KINDS[kind]]["sha256"], known[KINDS[kind]]["bytes"])  # type: ignore[index]
        )
        name = layout.consolidated_name(f"body-{body}", sha256, kind)
        target = folder / layout.consolidated_file("spend", year, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(path)
        entry[KINDS[kind]] = {"path": name, "bytes": size, "sha256": sha256}
    (folder / f"{year}-body-{body}.json").write_bytes(to_json_bytes(entry))


def _parquet(engine: duckdb.DuckDBPyConnection, path: Path, body: int, month: int, rows: int) -> None:
    period = MONTHS[month]
    known = {"body": body, "month": month, "start": period.start.isoformat(), "end": period.end.isoformat()}
    cells = {name: _filled(expression, known) for name, expression in FILLED.items()}
    columns = [
        f"CAST({cells.get(one.name, 'NULL')} AS {_TYPES[one.type]}) AS {one.name}"
        for one in assets.dataset("spend").fields
    ]
    engine.execute(
        f"COPY (SELECT {', '.join(columns)} FROM range({rows})) TO '{path}' (FORMAT parquet, COMPRESSION zstd, "
        "ROW_GROUP_SIZE 131072)"
    )


def _filled(expression: str, known: dict[str, object]) -> str:
    for name, value in known.items():
        expression = expression.replace(f"${name}", f"'{value}'" if isinstance(value, str) else str(value))
    return expression


def _write(path: Path, document: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_json_bytes(document))


def sums(folder: Path) -> str:
    """A hash of all pointers, which identifies the content of the store."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("data/spend/*/*/versions.json")):
        digest.update(json.dumps(json.loads(path.read_bytes())).encode())
    return digest.hexdigest()[:12]
