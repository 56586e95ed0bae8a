"""Compare the cost of one release in a small and a large store: `python -m bench.publishing [--s3 PLACE] FEW MANY`.

The existing releases (FEW, then MANY) are spread over bodies and months as in production. They are written directly:
pointers, manifests, index pages, records and their links, with version files of a few bytes. Then the code of
`publishers` receives, publishes, corrects and reports one submission, and its requests, bytes and seconds are counted.
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
"""94 months up to October 2026, as of a body that has published for almost eight years."""


def existing_series(releases: int) -> Iterator[Series]:
    """The first `releases` series in order of body; the months of each body from the latest to the earliest."""
    bodies = range(-(-releases // len(MONTHS)))
    every = (Series("spend", f"body-{number:05}", period) for number in bodies for period in MONTHS[-2::-1])
    return islice(every, releases)


def fill(write: Callable[[str, bytes], object], releases: int) -> int:
    """Write a store with this many releases; return its number of objects."""
    objects = 0
    years: dict[tuple[str, int], dict[str, Any]] = {}
    bodies: dict[str, set[int]] = {}
    for series in existing_series(releases):
        for key, content in _objects(series, years):
            write(key, content)
            objects += 1
        bodies.setdefault(series.body, set()).add(series.period.start.year)
    for key, content in _index(years, bodies):
        write(key, content)
        objects += 1
    return objects


def _objects(series: Series, years: dict[tuple[str, int], dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    """Yield the objects of one release; its files have a few bytes."""
    content = str(series).encode()
    received = make_submission(series, content)
    manifest = Manifest(
        series=series,
        dataset_version="1.0.0",
        rules_version="1.0.0+bench",
        rows=10,
        amount_gbp=Decimal("45.00"),
        rows_sha256=received.sha256,
        sources=(received.sha256,),
        files=(),
    )
    version = Version(
        1, f"v1-{manifest.sha256[:12]}", manifest.sha256, NOW, Status.CURRENT, None, "first", 10, Decimal("45.00"),
        received.sha256, (received.sha256,), manifest.rules_version,
    )  # fmt: skip
    years.setdefault((series.body, series.period.start.year), {})[str(series)] = {
        "versions": 1, "current": 1, "path": version.path, "manifest_sha256": version.manifest_sha256,
        "published": NOW, "rows": 10, "amount_gbp": "45.00",
    }  # fmt: skip
    folder = layout.version_folder(series, version)
    yield layout.pointer(series), History(series, (version,), 1).to_bytes()
    yield f"{folder}manifest.json", manifest.to_bytes()
    yield from ((folder + name, b"x") for name in ("datapackage.json", "spend.csv", "spend.parquet"))
    yield f"{folder}report.json", b"{}"
    yield layout.received_bytes(received.sha256), content
    yield layout.sender_link(received), b""
    yield layout.record(received), to_json_bytes(to_document(received))
    yield layout.full_report(received), b"{}"
    yield layout.public_report_of(received), b"{}"


def _index(years: dict[tuple[str, int], dict[str, Any]], bodies: dict[str, set[int]]) -> Iterable[tuple[str, bytes]]:
    for (body, year), entries in years.items():
        page = {"dataset": "spend", "body": body, "series": dict(sorted(entries.items()))}
        yield f"data/spend/{body}/index-{year}.json", to_json_bytes(page)
    for body, own in bodies.items():
        yield (
            f"data/spend/{body}/index.json",
            to_json_bytes({"dataset": "spend", "body": body, "years": sorted(own)}),
        )
    yield "data/index.json", to_json_bytes({"datasets": {"spend": sorted(bodies)}})


def make_submission(series: Series, content: bytes) -> Submission:
    """The record of a submission with this content from the body of a series."""
    digest = hashlib.sha256(content).hexdigest()
    return Submission(digest, len(content), "p.csv", series.dataset, series.body, "p.csv", NOW)


def make_packed(folder: Path, series: Series, rows: int, source: str) -> Packed:
    """Write a packed release with this many generated rows."""
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
    """Return differences that are not computed, because only the store is measured."""
    to.write_bytes(b"change,pair\r\n")
    return Differences(Effect(1, None), Effect(0, None), Effect(0, None), {})


def measure(store: publishers.Store, scratch: Path, rounds: int = 1) -> dict[str, Cost]:
    """Measure each step of a submission: receipt, the first version, its correction, and the report.

    Each round uses another body. The counts are those of the first round; the seconds are the least of all rounds.
    """
    costs: dict[str, Cost] = {}
    for number in range(rounds):
        series = Series("spend", f"body-{number:05}", MONTHS[-1])
        for name, cost in _measure_submission(store, scratch / str(number), series):
            costs.setdefault(name, cost)
            costs[name].seconds = min(costs[name].seconds, cost.seconds)
    return costs


def _measure_submission(store: publishers.Store, scratch: Path, series: Series) -> Iterator[tuple[str, Cost]]:
    received = make_submission(series, f"new {series}".encode())
    report = Report(
        "p.csv",
        received.sha256,
        received.bytes,
        "spend",
        "csv",
        "utf-8",
        What.DATA,
        Verdict.ACCEPTED,
        "2026-10",
        None,
        (),
        (),
    )
    first = make_packed(scratch / "first", series, 1000, received.sha256)
    second = make_packed(scratch / "second", series, 1001, received.sha256)
    steps: dict[str, Callable[[publishers.Store], object]] = {
        "receive": lambda at: publishers.archive_submission(at, f"new {series}".encode(), received),
        "find_submission": lambda at: publishers.find_submission(at, received.sha256[:12]),
        "earlier": lambda at: publishers.find_earlier_releases(at, series),
        "publish": lambda at: publishers.publish_release(at, first, reason="first", now=NOW),
        "correct": lambda at: publishers.publish_release(at, second, reason="second", now=NOW, compare=compare),
        "file_report": lambda at: publishers.file_reports(at, received, report, replace(report)),
    }
    for name, step in steps.items():
        cost = Cost()
        start = time.perf_counter()
        step(CountingStore(store, cost))
        cost.seconds = time.perf_counter() - start
        yield name, cost


def write_files(root: Path) -> Callable[[str, bytes], object]:
    """Return a function that writes objects as plain files, without locks and without waiting for the disk."""

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
    parser.add_argument(
        "--s3", metavar="s3://BUCKET/PREFIX", help="An empty bucket or prefix, instead of a temporary folder."
    )
    arguments = parser.parse_args()
    costs: list[dict[str, Cost]] = []
    for releases in (arguments.few, arguments.many):
        with TemporaryDirectory() as folder:
            address = f"{arguments.s3}/{releases}" if arguments.s3 else f"{folder}/store"
            store = publishers.open_store(address)
            objects = _fill_s3(store, releases) if arguments.s3 else fill(write_files(Path(address)), releases)
            sys.stdout.write(f"{releases:,} releases, {objects:,} objects\n")
            costs.append(measure(publishers.open_store(address), Path(folder) / "packed", 10))
        for name, cost in costs[-1].items():
            sys.stdout.write(f"  {name:<16} {cost}\n")
    _print_ratios(*costs)


def _print_ratios(few: dict[str, Cost], many: dict[str, Cost]) -> None:
    seconds = [sum(cost.seconds for cost in costs.values()) for costs in (few, many)]
    requests = [sum(cost.asked.total() for cost in costs.values()) for costs in (few, many)]
    ratios = {"requests": requests[1] / requests[0], "seconds": seconds[1] / seconds[0]}
    sys.stdout.write(json.dumps({name: round(ratio, 3) for name, ratio in ratios.items()}) + "\n")


if __name__ == "__main__":
    main()
