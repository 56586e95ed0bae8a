"""What one release costs in a store of few releases and in one of many: `python -m bench.publishing [--s3] FEW MANY`.

The existing releases are spread over bodies and months as in production, and written directly: pointers, manifests,
index pages, records and links to them, with version files of a few bytes. What is measured is real: requests, objects
and bytes of one submission from its receipt to its report, by the code of `publishers`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from itertools import islice, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import publishers
from piperoll import layout
from piperoll.model import (
    Differences,
    Effect,
    History,
    Manifest,
    Packed,
    Period,
    Report,
    Series,
    Status,
    Submission,
    Verdict,
    Version,
    What,
    file_entry,
    to_document,
    to_json_bytes,
)
from tests.fixtures.counting_store import Cost, CountingStore

NOW = "2026-11-02T09:00:00Z"
MONTHS = [Period.month(year, month) for year, month in product(range(2019, 2027), range(1, 13))][:94]
"""Up to October 2026: what a body that has published for eight years has."""


def existing(releases: int) -> Iterator[Series]:
    """So many series, body by body, and of each body the latest month first."""
    bodies = range(-(-releases // len(MONTHS)))
    every = (Series("spend", f"body-{number:05}", period) for number in bodies for period in MONTHS[-2::-1])
    return islice(every, releases)


def fill(write: Callable[[str, bytes], object], releases: int) -> int:
    """Write a store with this many releases; return how many objects it has."""
    objects = 0
    years: dict[tuple[str, int], dict[str, Any]] = {}
    bodies: dict[str, set[int]] = {}
    for series in existing(releases):
        for key, content in _objects(series, years):
            write(key, content)
            objects += 1
        bodies.setdefault(series.body, set()).add(series.period.start.year)
    for key, content in _index(years, bodies):
        write(key, content)
        objects += 1
    return objects


def _objects(series: Series, years: dict[tuple[str, int], dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    """What one release leaves in a store, its files in a few bytes."""
    content = str(series).encode()
    came = submission(series, content)
    manifest = Manifest(
        series=series,
        dataset_version="1.0.0",
        rules_version="1.0.0+bench",
        rows=10,
        amount_gbp=Decimal("45.00"),
        rows_sha256=came.sha256,
        sources=(came.sha256,),
        files=(),
    )
    version = Version(
        1, f"v1-{manifest.sha256[:12]}", manifest.sha256, NOW, Status.CURRENT, None, "first", 10, Decimal("45.00"),
        came.sha256, (came.sha256,), manifest.rules_version,
    )  # fmt: skip
    years.setdefault((series.body, series.period.start.year), {})[str(series)] = {
        "versions": 1, "current": 1, "path": version.path, "manifest_sha256": version.manifest_sha256,
        "published": NOW, "rows": 10, "amount_gbp": "45.00",
    }  # fmt: skip
    place = layout.version_folder(series, version)
    yield layout.pointer(series), History(series, (version,), 1).to_bytes()
    yield f"{place}manifest.json", manifest.to_bytes()
    yield from ((place + name, b"x") for name in ("datapackage.json", "spend.csv", "spend.parquet"))
    yield f"{place}report.json", b"{}"
    yield layout.received_bytes(came.sha256), content
    yield layout.sender_link(came), b""
    yield layout.record(came), to_json_bytes(to_document(came))
    yield layout.full_report(came), b"{}"
    yield layout.public_report_of(came), b"{}"


def _index(years: dict[tuple[str, int], dict[str, Any]], bodies: dict[str, set[int]]) -> Iterable[tuple[str, bytes]]:
    for (body, year), entries in years.items():
        page = {"dataset": "spend", "body": body, "series": dict(sorted(entries.items()))}
        yield f"data/spend/{body}/index-{year}.json", to_json_bytes(page)
    for body, its in bodies.items():
        yield (
            f"data/spend/{body}/index.json",
            to_json_bytes({"dataset": "spend", "body": body, "years": sorted(its)}),
        )
    yield "data/index.json", to_json_bytes({"datasets": {"spend": sorted(bodies)}})


def submission(series: Series, content: bytes) -> Submission:
    """The record of some bytes of a series' body."""
    digest = hashlib.sha256(content).hexdigest()
    return Submission(digest, len(content), "p.csv", series.dataset, series.body, "p.csv", NOW)


def packed(folder: Path, series: Series, rows: int, source: str) -> Packed:
    """A packed release with this many lines of made-up numbers."""
    folder.mkdir(parents=True)
    lines = "".join(f"{number},{number}.00\r\n" for number in range(rows)).encode()
    for name in ("datapackage.json", "report.json", "spend.csv", "spend.parquet"):
        (folder / name).write_bytes(b"{}" if name.endswith("json") else lines)
    entries = tuple(file_entry(folder, path.name) for path in sorted(folder.iterdir()))
    rows_sha256 = hashlib.sha256(lines).hexdigest()
    manifest = Manifest(
        series=series,
        dataset_version="1.0.0",
        rules_version="1.0.0+bench",
        rows=rows,
        amount_gbp=Decimal(rows),
        rows_sha256=rows_sha256,
        sources=(source,),
        files=entries,
    )
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    return Packed(folder, manifest)


def compare(_before: Path, _after: Path, to: Path) -> Differences:
    """Stand-in differences: what is measured is the store."""
    to.write_bytes(b"change,pair\r\n")
    return Differences(Effect(1, None), Effect(0, None), Effect(0, None), {})


def measure(store: publishers.Store, scratch: Path, rounds: int = 1) -> dict[str, Cost]:
    """What each step of one submission costs: receipt, a first version and a correction of it, its report.

    The counts are those of the first round, the seconds the least of all; each round is of another body.
    """
    found: dict[str, Cost] = {}
    for number in range(rounds):
        series = Series("spend", f"body-{number:05}", MONTHS[-1])
        for name, cost in _one(store, scratch / str(number), series):
            found.setdefault(name, cost)
            found[name].seconds = min(found[name].seconds, cost.seconds)
    return found


def _one(store: publishers.Store, scratch: Path, series: Series) -> Iterator[tuple[str, Cost]]:
    came = submission(series, f"new {series}".encode())
    report = Report(
        "p.csv", came.sha256, came.bytes, "spend", "csv", "utf-8", What.DATA, Verdict.ACCEPTED, "2026-10", None, (), ()
    )
    first = packed(scratch / "first", series, 1000, came.sha256)
    second = packed(scratch / "second", series, 1001, came.sha256)
    steps: dict[str, Callable[[publishers.Store], object]] = {
        "receive": lambda at: publishers.archive_submission(at, f"new {series}".encode(), came),
        "find_submission": lambda at: publishers.find_submission(at, came.sha256[:12]),
        "earlier": lambda at: publishers.find_earlier_releases(at, series),
        "publish": lambda at: publishers.publish_release(at, first, reason="first", now=NOW),
        "correct": lambda at: publishers.publish_release(at, second, reason="second", now=NOW, compare=compare),
        "file_report": lambda at: publishers.file_reports(at, came, report, replace(report)),
    }
    for name, step in steps.items():
        cost = Cost()
        start = time.perf_counter()
        step(CountingStore(store, cost))
        cost.seconds = time.perf_counter() - start
        yield name, cost


def write_files(root: Path) -> Callable[[str, bytes], object]:
    """Writes objects as plain files, without locks and without waiting for the disk."""

    def write(key: str, content: bytes) -> None:
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return write


def _fill_s3(store: publishers.Store, releases: int) -> int:
    with ThreadPoolExecutor(8) as pool:
        return fill(lambda key, content: pool.submit(store.put, key, content), releases)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("few", type=int, nargs="?", default=1_000)
    parser.add_argument("many", type=int, nargs="?", default=100_000)
    parser.add_argument("--s3", metavar="s3://BUCKET/PREFIX", help="an empty place, instead of a temporary folder")
    asked = parser.parse_args()
    found: list[dict[str, Cost]] = []
    for releases in (asked.few, asked.many):
        with TemporaryDirectory() as folder:
            place = f"{asked.s3}/{releases}" if asked.s3 else f"{folder}/store"
            store = publishers.open_store(place)
            objects = _fill_s3(store, releases) if asked.s3 else fill(write_files(Path(place)), releases)
            sys.stdout.write(f"{releases:,} releases, {objects:,} objects\n")
            found.append(measure(publishers.open_store(place), Path(folder) / "packed", 10))
        for name, cost in found[-1].items():
            sys.stdout.write(f"  {name:<16} {cost}\n")
    _tell_ratios(*found)


def _tell_ratios(few: dict[str, Cost], many: dict[str, Cost]) -> None:
    seconds = [sum(cost.seconds for cost in costs.values()) for costs in (few, many)]
    asked = [sum(cost.asked.total() for cost in costs.values()) for costs in (few, many)]
    ratios = {"asked": asked[1] / asked[0], "time": seconds[1] / seconds[0]}
    sys.stdout.write(json.dumps({name: round(ratio, 3) for name, ratio in ratios.items()}) + "\n")


if __name__ == "__main__":
    main()
