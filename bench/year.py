"""Measure what publishing costs beside DuckDB: `python -m bench.year [--rows ROWS] [--months MONTHS] [FOLDER]`.

One body sends ROWS made-up payments of a financial year, first as a single file and then, in a store of its own, as a
file for each of MONTHS months. Of the single file it prints the seconds of each stage, the bytes that the store then
holds by kind, and the seconds of DuckDB, which reads the same file, sorts it and writes it as CSV and Parquet. Of the
months it prints what each took: for the same lines, the last should cost what the first did.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import duckdb

from bench.results import markdown_table, write
from bench.spend import FIELDS, write_spend
from piperoll.checking import warm_up
from piperoll.operations import collecting, pipeline
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.run_request import RunRequest

_HEAD_LINES = 3
_DAY = 2
"""The column of the day, as in 31/12/2026."""


class Stage:
    """The seconds of a stage: on the clock, and of all cores."""

    def __init__(self) -> None:
        self._clock, self._cpu = perf_counter(), process_time()

    def end(self) -> tuple[float, float]:
        """The seconds since the stage began; begin the next one."""
        clock, cpu = self._clock, self._cpu
        self._clock, self._cpu = perf_counter(), process_time()
        return self._clock - clock, self._cpu - cpu


def publish(inbox: Path, to: Path) -> dict[str, tuple[float, float]]:
    """Run an inbox into a store; the seconds of its two stages."""
    request = RunRequest(to=str(to), inbox=inbox)
    with request.open() as run:
        stage = Stage()
        results = pipeline.run_in_process(run, collecting.collect_inbox(run, request))
        files = stage.end()
        build_catalogue(run)
        if any(str(one.ending) != "published" for one in results):
            raise SystemExit(f"not published: {[str(one.ending) for one in results]}")
        return {"check and publish": files, "catalogue": stage.end()}


def write_inboxes(folder: Path, rows: int, months: int) -> tuple[Path, list[Path]]:
    """An inbox with the whole year, and one for each of the first months of it, with as many lines each."""
    sent = write_spend(folder, rows, tidy=False).sent
    whole = folder / "year" / "spend" / "wessing" / "spend-2026-27.csv"
    whole.parent.mkdir(parents=True)
    with sent.open(encoding="utf-8", newline="") as stream:
        lines = list(stream)
    sent.rename(whole)
    by_month: dict[str, list[str]] = {}
    for line, row in zip(lines[_HEAD_LINES:], csv.reader(lines[_HEAD_LINES:]), strict=True):
        by_month.setdefault("-".join(reversed(row[_DAY].split("/")[1:])), []).append(line)
    inboxes = []
    for month, own in sorted(by_month.items())[:months]:
        path = folder / month / "spend" / "wessing" / f"spend-{month}.csv"
        path.parent.mkdir(parents=True)
        path.write_text("".join([*lines[:_HEAD_LINES], *own]), encoding="utf-8", newline="")
        inboxes.append(folder / month)
    return folder / "year", inboxes


def run_peer(sent: Path, folder: Path) -> tuple[float, float]:
    """DuckDB reads a file, sorts it by supplier, and writes it as CSV and as Parquet."""
    names = ", ".join(f"'{name}': 'VARCHAR'" for name in FIELDS)
    amount = "CAST(replace(replace(net_amount, '£', ''), ',', '') AS DECIMAL(38, 4))"
    stage = Stage()
    with duckdb.connect() as database:
        database.execute("SET enable_progress_bar = false")
        source = f"read_csv('{sent}', skip = {_HEAD_LINES}, header = false, columns = {{{names}}})"
        select = f"SELECT * REPLACE ({amount} AS net_amount) FROM {source} ORDER BY supplier_name, payment_date"
        database.execute(f"CREATE TABLE lines AS {select}")
        for form in ("csv", "parquet"):
            database.execute(f"COPY lines TO '{folder / f'peer.{form}'}'")
    return stage.end()


def count_bytes(store: Path) -> Iterator[tuple[str, int, int]]:
    """The kinds of objects in a folder store, with their bytes and how many there are, the largest first."""
    sizes: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    for path in (path for path in store.rglob("*") if path.is_file()):
        parts = path.relative_to(store).parts
        kind = "consolidated" if parts[:2] == ("catalogue", "consolidated") else parts[0]
        kind += f" {path.suffix}" if kind in ("data", "consolidated") else ""
        sizes[kind] += path.stat().st_size
        numbers[kind] += 1
    yield from ((kind, size, numbers[kind]) for kind, size in sizes.most_common() if size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="Where to work; a temporary folder by default.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--months", type=int, default=12)
    arguments = parser.parse_args()
    with TemporaryDirectory(dir=arguments.folder) as scratch:
        whole, months = write_inboxes(Path(scratch), arguments.rows, arguments.months)
        warm_up()
        text = describe_year(whole, Path(scratch)) + "\n\n" + describe_months(months, Path(scratch))
    write("year", f"Publishing {arguments.rows:,} payments of one body", text, ("duckdb", "pyarrow"))


def describe_year(whole: Path, scratch: Path) -> str:
    """Publish the year as one file, and say what it took and holds."""
    sent = next(whole.rglob("*.csv"))
    stages = publish(whole, scratch / "one")
    peer = run_peer(sent, scratch)
    took = [sum(times) for times in zip(*stages.values(), strict=True)]
    rows = [(name, f"{clock:.1f}", f"{cpu:.1f}") for name, (clock, cpu) in stages.items()]
    rows += [("DuckDB: read, sort, write CSV and Parquet", f"{peer[0]:.1f}", f"{peer[1]:.1f}")]
    rows += [("times DuckDB", f"{took[0] / peer[0]:.1f}", f"{took[1] / peer[1]:.1f}")]
    received = sent.stat().st_size
    kinds = list(count_bytes(scratch / "one"))
    without = sum(size for kind, size, _ in kinds if not kind.endswith(".csv"))
    held = [(kind, f"{size:,}", f"{size / received:.2f}", f"{number:,}") for kind, size, number in kinds]
    held += [("without CSV", f"{without:,}", f"{without / received:.2f}", "")]
    shutil.rmtree(scratch / "one")
    return "\n\n".join(
        [
            markdown_table(("stage", "seconds", "CPU seconds"), rows),
            markdown_table(("kept", "bytes", "times received", "objects"), held),
        ]
    )


def describe_months(inboxes: list[Path], scratch: Path) -> str:
    """Publish months one after the other, and say what each took."""
    rows = []
    for inbox in inboxes:
        stages = publish(inbox, scratch / "many")
        rows.append((inbox.name, *(f"{cpu:.1f}" for _, cpu in stages.values())))
        sys.stdout.write(f"{rows[-1]}\n")
    first, last = (float(row[-1]) for row in (rows[0], rows[-1]))
    rows.append(("last to first", "", f"{last / first:.1f}"))
    return markdown_table(("month", "check and publish, CPU seconds", "catalogue, CPU seconds"), rows)


if __name__ == "__main__":
    main()
