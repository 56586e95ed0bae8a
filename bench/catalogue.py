"""Measure the cost of building the catalogue: `python -m bench.catalogue BODIES DATASETS MONTHS`.

A store of councils with a small release of each dataset for each month is written directly. Its catalogue is then
built five times: from nothing, with no change, after one more release, on a day when no return is due, and on the first
of a month. For each build it prints the requests to the store, the bytes read and written, the pages written, and the
wall-clock and CPU seconds.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from piperoll import layout
from piperoll.model import (
    Body,
    History,
    Status,
    Version,
    format_decimal,
    to_document,
    to_json_bytes,
)
from piperoll.operations.catalogue.build import build_from_store
from publishers import Store, open_store
from tests.fixtures.counting_store import Cost, CountingStore
from tests.fixtures.large_store import write_files
from tests.fixtures.small_releases import SmallRelease, catalogue_context, councils, make_release, publish

DATASETS = ("spend", "contracts", "roles", "transactions")


def fill(write: Callable[[str, bytes], object], releases: Iterable[SmallRelease], now: str) -> int:
    """Write a store with these releases and its index directly; return its number of objects."""
    objects = 0
    pages: dict[str, dict[str, Any]] = {}
    for one in releases:
        version = _version(one, now)
        for key, content in _objects(one, version):
            write(key, content)
            objects += 1
        _add_to_index(pages, one, version)
    for key, page in pages.items():
        write(key, to_json_bytes(page))
    return objects + len(pages)


def _version(one: SmallRelease, now: str) -> Version:
    manifest, received = one.manifest, one.submission
    return Version(
        1, f"v1-{manifest.sha256[:12]}", manifest.sha256, now, Status.CURRENT, None, "received", manifest.rows,
        manifest.amount_gbp, manifest.rows_sha256, manifest.sources, received.received, manifest.rules_version,
    )  # fmt: skip


def _objects(one: SmallRelease, version: Version) -> Iterator[tuple[str, bytes]]:
    manifest, received = one.manifest, one.submission
    folder = layout.version_folder(one.series, version)
    yield from ((folder + name, content) for name, content in one.files.items())
    yield f"{folder}manifest.json", manifest.to_bytes()
    yield layout.pointer(one.series), History(one.series, (version,), 1).to_bytes()
    yield layout.received_bytes(received.sha256), one.content
    yield layout.sender_link(received), b""
    yield layout.record(received), to_json_bytes(to_document(received))
    yield layout.full_report(received), to_json_bytes(to_document(one.report))
    yield layout.public_report_of(received), to_json_bytes(to_document(one.report))


def _add_to_index(pages: dict[str, dict[str, Any]], one: SmallRelease, version: Version) -> None:
    """Add a release to the pages of the index, as `publishers.index` does."""
    series, year = one.series, one.series.period.start.year
    body = {"dataset": series.dataset, "body": series.body}
    bodies = pages.setdefault("data/index.json", {"datasets": {}})["datasets"].setdefault(series.dataset, [])
    years = pages.setdefault(f"data/{series.dataset}/{series.body}/index.json", body | {"years": []})["years"]
    for known, new in ((bodies, series.body), (years, year)):
        known[:] = sorted({*known, new})
    page = pages.setdefault(f"data/{series.dataset}/{series.body}/index-{year}.json", body | {"series": {}})
    page["series"][str(series)] = {
        "versions": 1, "current": 1, "path": version.path, "manifest_sha256": version.manifest_sha256,
        "published": version.published, "rows": version.rows,
        "amount_gbp": None if version.amount_gbp is None else format_decimal(version.amount_gbp),
    }  # fmt: skip


def last_months(count: int) -> list[str]:
    """The last `count` months up to October 2026."""
    every = [f"{year}-{month:02}" for year, month in product(range(2014, 2027), range(1, 13))]
    return every[every.index("2026-10") + 1 - count : every.index("2026-10") + 1]


def build_at(store: Store, bodies: Iterable[Body], now: str) -> tuple[int, Cost, float]:
    """Build the catalogue as of an instant; return the pages written, the cost, and CPU seconds."""
    cost = Cost()
    with tempfile.TemporaryDirectory() as scratch:
        counted: Any = CountingStore(store, cost)
        start, cpu = perf_counter(), process_time()
        pages_written = build_from_store(counted, catalogue_context(bodies, now), Path(scratch))
        cost.seconds = perf_counter() - start
        cpu = process_time() - cpu
    return pages_written, cost, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bodies", type=int, nargs="?", default=353)
    parser.add_argument("datasets", type=int, nargs="?", default=4)
    parser.add_argument("months", type=int, nargs="?", default=12)
    arguments = parser.parse_args()
    bodies, names = councils(arguments.bodies), DATASETS[: arguments.datasets]
    with tempfile.TemporaryDirectory() as folder:
        root = f"{folder}/store"
        releases = (
            make_release(body, name, month)
            for body, name, month in product(bodies, names, last_months(arguments.months))
        )
        objects = fill(write_files(Path(root)), releases, "2026-11-02T09:00:00Z")
        sys.stdout.write(f"{arguments.bodies * len(names) * arguments.months:,} series, {objects:,} objects\n")
        store = open_store(root)
        _print_cost("from nothing", *build_at(store, bodies, "2026-11-03T09:00:00Z"))
        _print_cost("no change", *build_at(store, bodies, "2026-11-03T10:00:00Z"))
        correction = replace(make_release(bodies[arguments.bodies // 2], "spend", "2026-10", 2))
        publish(store, correction, "2026-11-03T11:00:00Z", Path(folder))
        _print_cost("one more release", *build_at(store, bodies, "2026-11-03T12:00:00Z"))
        _print_cost("a day when no return is due", *build_at(store, bodies, "2026-11-04T09:00:00Z"))
        _print_cost("the first of a month", *build_at(store, bodies, "2026-12-01T09:00:00Z"))
        pages = sorted((path.stat().st_size, path) for path in Path(root, "catalogue").rglob("*") if path.is_file())
        sys.stdout.write(f"{len(pages):,} files, {sum(size for size, _ in pages):,} bytes; the largest:\n")
        for size, path in pages[:-6:-1]:
            sys.stdout.write(f"  {size:>9,} {path.relative_to(root)}\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"peak memory {peak:,.0f} MiB\n")


def _print_cost(build: str, pages_written: int, cost: Cost, cpu: float) -> None:
    sys.stdout.write(f"{build:<34} {pages_written:>7,} pages {cost} ({cpu * 1000:,.1f} ms of CPU)\n")
    requests = ", ".join(f"{name} {count:,}" for name, count in sorted(cost.asked.items()))
    sys.stdout.write(f"    {requests}\n")


if __name__ == "__main__":
    main()
