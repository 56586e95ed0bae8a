"""What the catalogue costs: `python -m bench.catalogue [--s3 PLACE] BODIES DATASETS MONTHS`.

A store of so many councils, each with a small release of each dataset for each month, is written by fast means; then
its catalogue is made from nothing, again with nothing new, after one more release, on a day on which nothing falls due
and on one on which something does. What is counted is real: every operation of the store, the bytes that it moved, the
pages written, and seconds of the clock and of this process.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import pyarrow as pa

from bench.publishing import Cost, Counted, write_files
from piperoll import assets, layout
from piperoll.model import (
    AmountTotals,
    Body,
    FileEntry,
    History,
    Manifest,
    Packed,
    Period,
    Register,
    Report,
    RowCounts,
    Series,
    Status,
    Submission,
    TableReport,
    Verdict,
    Version,
    What,
    plain,
    to_json_bytes,
)
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.steps import Run
from piperoll.releasing.columns import PublishedColumn
from piperoll.releasing.files import TableFiles
from piperoll.settings import Settings
from publishers import Store, archive_submission, file_reports, open_store, publish_release

DATASETS = ("spend", "contracts", "roles", "transactions")
SUPPLIERS = (
    "Acorn Roofing Ltd",
    "Beech Tree Services plc",
    "Cedar Print Ltd",
    "Damson Fleet Ltd",
    "Elder Software Ltd",
)
SETTINGS = Settings(base_url="https://data.example.org/", publisher_name="Open Counties")


@dataclass(frozen=True)
class Made:
    """A small release and the file it was made of."""

    series: Series
    files: dict[str, bytes]
    manifest: Manifest
    submission: Submission
    report: Report

    @property
    def content(self) -> bytes:
        """The file as received."""
        return self.submission.name.encode()


def councils(count: int) -> tuple[Body, ...]:
    """So many councils of our own making."""
    return tuple(
        Body(f"gss:E07{number:06}", f"council-{number:04}", f"Council of Vale {number:04}", "council")
        for number in range(count)
    )


def made(body: Body, dataset: str, period: str, number: int = 1, *, part: str | None = None) -> Made:
    """A release of a few rows of a body; another `number` has other rows."""
    series = Series(dataset, body.slug, Period.parse(period), part)
    content = f"{series} {number}.csv".encode()
    came = f"{series.period.end.isoformat()[:7]}-28T08:00:00.{number:06}Z"
    submission = Submission(
        hashlib.sha256(content).hexdigest(), len(content), content.decode(), dataset, body.slug, "inbox", came,
        part=part,
    )  # fmt: skip
    rows = 4
    report = _report(submission, series, rows)
    csv, parquet, digest = _table(series, number, rows)
    files = {
        "datapackage.json": _descriptor(body, dataset),
        f"{dataset}.csv": csv,
        f"{dataset}.parquet": parquet,
        "report.json": to_json_bytes(report.to_json()),
    }
    entries = tuple(FileEntry(name, len(held), hashlib.sha256(held).hexdigest()) for name, held in files.items())
    amount = Decimal(100 * rows) if dataset == "spend" else None
    manifest = Manifest(series, entries, rows, amount, digest, (submission.sha256,), "1.0.0", "1.0.0+bench")
    return Made(series, files, manifest, submission, report)


@cache
def _descriptor(body: Body, dataset: str) -> bytes:
    declared = assets.dataset(dataset).descriptor
    told = {"id": body.id, "slug": body.slug, "name": body.name, "kind": body.kind}
    return to_json_bytes(
        {
            "name": f"{dataset}-{body.slug}",
            "licenses": declared["licenses"],
            "resources": [{"name": dataset, "schema": declared["resources"][0]["schema"]}],
            "x_piperoll": {"body": told},
        }
    )


def _table(series: Series, number: int, rows: int) -> tuple[bytes, bytes, str]:
    """A few lines as CSV and as Parquet, and the hash of what they say."""
    columns = [PublishedColumn(field) for field in assets.dataset(series.dataset).fields]
    known = {"payment_date": series.period.start.isoformat(), "net_amount": "100.00", "body_id": series.body}
    told = [
        known | {"line_id": f"{series} {number} {row}", "supplier_name": SUPPLIERS[(number + row) % len(SUPPLIERS)]}
        for row in range(rows)
    ]
    cells = [pa.array([line.get(column.name) for line in told], pa.string()) for column in columns]
    with tempfile.TemporaryDirectory() as folder:
        with TableFiles(Path(folder), series.dataset, columns) as files:
            files.write(pa.RecordBatch.from_arrays(cells, names=[column.name for column in columns]))
        csv, parquet = (Path(folder, f"{series.dataset}.{form}").read_bytes() for form in ("csv", "parquet"))
    return csv, parquet, files.totals().rows_sha256


def _report(submission: Submission, series: Series, rows: int) -> Report:
    table = TableReport(
        sheet=None,
        header_row=1,
        header_line=1,
        columns={"net_amount": "Amount"},
        column_letters={"net_amount": "A"},
        rows=RowCounts(rows, rows, 0, {}),
        amount=AmountTotals("net_amount", Decimal(100 * rows), Decimal(100 * rows), Decimal(0), 0, 0),
        date=None,
    )
    return Report(
        submission.name, submission.sha256, submission.bytes, series.dataset, "csv", "utf-8", What.DATA,
        Verdict.ACCEPTED, str(series.period), series.part, (table,), (),
    )  # fmt: skip


def release(store: Store, one: Made, now: str, scratch: Path, reason: str = "received") -> None:
    """Take a release into a store as a run does: received, published, reported."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    for name, content in one.files.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.json").write_bytes(one.manifest.to_bytes())
    archive_submission(store, one.content, one.submission)
    publish_release(store, Packed(folder, one.manifest), reason=reason, now=now, received=one.submission.received)
    file_reports(store, one.submission, one.report, one.report)


def fill(write: Callable[[str, bytes], object], releases: Iterable[Made], now: str) -> int:
    """Write a store of these releases by fast means, with its index; how many objects."""
    objects = 0
    pages: dict[str, dict[str, Any]] = {}
    for one in releases:
        version = _version(one, now)
        for key, content in _objects(one, version):
            write(key, content)
            objects += 1
        _enter(pages, one, version)
    for key, page in pages.items():
        write(key, to_json_bytes(page))
    return objects + len(pages)


def _version(one: Made, now: str) -> Version:
    manifest, came = one.manifest, one.submission
    return Version(
        1, f"v1-{manifest.sha256[:12]}", manifest.sha256, now, Status.CURRENT, None, "received", manifest.rows,
        manifest.amount_gbp, manifest.rows_sha256, manifest.sources, came.received, manifest.rules_version,
    )  # fmt: skip


def _objects(one: Made, version: Version) -> Iterator[tuple[str, bytes]]:
    manifest, came = one.manifest, one.submission
    place = layout.version_folder(one.series, version)
    yield from ((place + name, content) for name, content in one.files.items())
    yield f"{place}manifest.json", manifest.to_bytes()
    yield layout.pointer(one.series), History(one.series, (version,), 1).to_bytes()
    yield layout.received_bytes(came.sha256), one.content
    yield layout.sender_link(came), b""
    yield layout.record(came), to_json_bytes(came.to_json())
    yield layout.full_report(came), to_json_bytes(one.report.to_json())
    yield layout.public_report_of(came), to_json_bytes(one.report.to_json())


def _enter(pages: dict[str, dict[str, Any]], one: Made, version: Version) -> None:
    """Put a release into the pages of the index (`publishers.index`)."""
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
        "amount_gbp": None if version.amount_gbp is None else plain(version.amount_gbp),
    }  # fmt: skip


def months(count: int) -> list[str]:
    """So many months up to October 2026."""
    every = [f"{year}-{month:02}" for year, month in product(range(2014, 2027), range(1, 13))]
    return every[every.index("2026-10") + 1 - count : every.index("2026-10") + 1]


def made_at(store: Store, bodies: Iterable[Body], now: str) -> tuple[int, Cost, float]:
    """Make the catalogue of a store at a moment; how many pages were written, what it cost, and CPU seconds."""
    cost, register = Cost(), Register(tuple(bodies))
    with tempfile.TemporaryDirectory() as scratch:
        counted: Any = Counted(store, cost)
        start, work = perf_counter(), process_time()
        touched = catalogue(Run(counted, SETTINGS, register, register, now, Path(scratch)))
        cost.seconds = perf_counter() - start
        work = process_time() - work
    return touched, cost, work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bodies", type=int, nargs="?", default=353)
    parser.add_argument("datasets", type=int, nargs="?", default=4)
    parser.add_argument("months", type=int, nargs="?", default=12)
    asked = parser.parse_args()
    bodies, names = councils(asked.bodies), DATASETS[: asked.datasets]
    with tempfile.TemporaryDirectory() as folder:
        place = f"{folder}/store"
        releases = (made(body, name, month) for body, name, month in product(bodies, names, months(asked.months)))
        objects = fill(write_files(Path(place)), releases, "2026-11-02T09:00:00Z")
        sys.stdout.write(f"{asked.bodies * len(names) * asked.months:,} series, {objects:,} objects\n")
        store = open_store(place)
        _tell("from nothing", *made_at(store, bodies, "2026-11-03T09:00:00Z"))
        _tell("nothing new", *made_at(store, bodies, "2026-11-03T10:00:00Z"))
        correction = replace(made(bodies[asked.bodies // 2], "spend", "2026-10", 2))
        release(store, correction, "2026-11-03T11:00:00Z", Path(folder))
        _tell("one release more", *made_at(store, bodies, "2026-11-03T12:00:00Z"))
        _tell("a day on which nothing falls due", *made_at(store, bodies, "2026-11-04T09:00:00Z"))
        _tell("the first of a month", *made_at(store, bodies, "2026-12-01T09:00:00Z"))
        pages = sorted((path.stat().st_size, path) for path in Path(place, "catalogue").rglob("*") if path.is_file())
        sys.stdout.write(f"{len(pages):,} files, {sum(size for size, _ in pages):,} bytes; the largest:\n")
        for size, path in pages[:-6:-1]:
            sys.stdout.write(f"  {size:>9,} {path.relative_to(place)}\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"peak memory {peak:,.0f} MiB\n")


def _tell(what: str, touched: int, cost: Cost, work: float) -> None:
    sys.stdout.write(f"{what:<34} {touched:>7,} pages {cost} ({work * 1000:,.1f} ms of CPU)\n")
    asked = ", ".join(f"{name} {count:,}" for name, count in sorted(cost.asked.items()))
    sys.stdout.write(f"    {asked}\n")


if __name__ == "__main__":
    main()
