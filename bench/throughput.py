"""Measure what a whole run costs: `python -m bench.throughput [--submissions N] [--rows MEAN] [--table ROWS]`.

Three measurements on made-up data:

- a run of many submissions of real sizes (`piperoll run`): seconds, CPU seconds of all its processes, and how much of
  the cores it used;
- the CPU seconds of each stage of a submission, from the same code in one process without Prefect;
- one table of many rows, raw CSV to CSV, Parquet, report and catalogue, beside DuckDB reading the same file and writing
  CSV and Parquet.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import publishers
from bench import results, spend
from bench.processes import measure, piperoll, script
from bench.submissions import write_inbox
from piperoll import checking, releasing
from piperoll.operations import batches, pipeline, steps
from piperoll.operations.catalogue import body_cache, build
from piperoll.operations.catalogue.jobs import BuildJobs
from piperoll.operations.collecting import collect_inbox
from piperoll.operations.run_request import RunRequest
from piperoll.settings import Settings

PACKAGES = ("duckdb", "frictionless", "great-expectations", "prefect", "pyarrow")

STAGES: dict[str, tuple[tuple[Any, str], ...]] = {
    "read and check": ((steps, "check_bytes"),),
    "audit": ((checking, "audit_together"),),
    "pack": ((releasing, "pack_release"),),
    "compare with other releases": ((steps, "compare_with_earlier"),),
    "publish": ((publishers, "publish_release"), (publishers, "archive_submission"), (publishers, "file_reports")),
    "consolidate": ((build, "consolidate_together"), (build, "refresh_years")),
    "measures": ((build, "measure_for_build"),),
    "charts and figures of releases": ((body_cache, "summarise_release"),),
    "pages": ((build, "build_from_store"),),
}
"""The functions of each stage; a stage that is called by another is not counted there."""

DUCKDB = """
import sys, duckdb
sent, out = sys.argv[1:3]
with duckdb.connect() as database:
    table = f"read_csv('{sent}', skip = 2, all_varchar = true)"
    database.execute(f"CREATE TABLE t AS SELECT * FROM {table}")
    database.execute(f"COPY t TO '{out}/t.csv' (HEADER)")
    database.execute(f"COPY t TO '{out}/t.parquet'")
"""


class StageClock:
    """The CPU seconds of stages, without those of stages that they call."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._running: list[str] = []
        self._since = time.process_time()

    def time(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, whose time is that of a stage."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._turn()
            self._running.append(stage)
            try:
                return function(*args, **kwargs)
            finally:
                self._turn()
                self._running.pop()

        return timed

    def _turn(self) -> None:
        now = time.process_time()
        self.seconds[self._running[-1] if self._running else "the rest"] += now - self._since
        self._since = now


def _call_now(_: BuildJobs, function: Callable[[], object]) -> Callable[[], None]:
    function()
    return lambda: None


@contextmanager
def clocked() -> Iterator[StageClock]:
    """Time the stages in this process as long as the block lasts, one after the other: the clock knows no threads."""
    clock, before = StageClock(), [(BuildJobs, "start", BuildJobs.start)]
    BuildJobs.start = _call_now  # type: ignore[assignment, method-assign]
    for stage, functions in STAGES.items():
        for home, name in functions:
            if hasattr(home, name):
                before.append((home, name, getattr(home, name)))
                setattr(home, name, clock.time(stage, getattr(home, name)))
    try:
        yield clock
    finally:
        for home, name, function in before:
            setattr(home, name, function)


def time_stages(folder: Path, submissions: int, mean_rows: int) -> list[tuple[str, str]]:
    """The CPU seconds of a submission by stage, in one process; libraries are loaded before."""
    inbox = write_inbox(folder / "staged", submissions, mean_rows)
    alone = replace(Settings.from_environment(), concurrency=1)
    request = RunRequest(to=str(folder / "staged-store"), inbox=inbox.folder, bodies=inbox.bodies, settings=alone)
    checking.warm_up()
    with request.open() as run:
        bodies = pipeline.group_by_body(run, collect_inbox(run, request))
        batches.process_bodies(run, bodies[:2])  # Frictionless is loaded, and what is cached is
        with clocked() as clock:
            for start in range(2, len(bodies), 6):
                batches.process_bodies(run, bodies[start : start + 6])
            build.build_catalogue(run)
    total = sum(clock.seconds.values())
    lines = [(stage, f"{clock.seconds[stage] / inbox.files:.4f} s") for stage in (*STAGES, "the rest")]
    return [*lines, ("all", f"{total / inbox.files:.4f} s")]


def time_run(folder: Path, submissions: int, mean_rows: int, concurrency: int) -> list[tuple[object, ...]]:
    """A whole run, its start included."""
    inbox = write_inbox(folder / "run", submissions, mean_rows)
    os.environ["PIPEROLL_CONCURRENCY"] = str(concurrency)
    cost = measure(
        piperoll("run", "--inbox", str(inbox.folder), "--to", str(folder / "store"), "--bodies", str(inbox.bodies))
    )
    hours = 10_000 / inbox.files * cost.wall / 60
    return [
        ("submissions, rows, MB", f"{inbox.files:,}, {inbox.rows:,}, {inbox.bytes / 1e6:.0f}"),
        ("the run", str(cost)),
        ("CPU a submission", f"{cost.cpu / inbox.files:.3f} s"),
        ("cores in use", f"{cost.cpu / cost.wall:.2f}"),
        ("10,000 such submissions, extrapolated", f"{hours:.0f} min"),
    ]


def time_table(folder: Path, rows: int) -> list[tuple[object, ...]]:
    """One table from raw CSV to what is published, beside DuckDB."""
    sent = spend.write_spend(folder, rows, tidy=False).sent
    there = folder / "one" / "spend" / "wessing"
    there.mkdir(parents=True)
    sent.rename(there / "Spend April 2026 to March 2027.csv")
    peer = measure(script(DUCKDB, str(there / "Spend April 2026 to March 2027.csv"), str(folder)))
    ours = measure(piperoll("run", "--inbox", str(folder / "one"), "--to", str(folder / "one-store")))
    return [
        ("piperoll run", str(ours)),
        ("DuckDB", str(peer)),
        ("times DuckDB: seconds, CPU", f"{ours.wall / peer.wall:.1f}, {ours.cpu / peer.cpu:.1f}"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=2_000)
    parser.add_argument("--rows", type=int, default=470, help="rows of a submission on average: 470 are 70 kB")
    parser.add_argument("--staged", type=int, default=200, help="submissions whose stages are measured")
    parser.add_argument("--table", type=int, default=1_000_000)
    parser.add_argument("--concurrency", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--only", nargs="*", choices=("run", "stages", "table"), default=("run", "stages", "table"))
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        if "stages" in arguments.only:
            lines = time_stages(Path(folder), arguments.staged, arguments.rows)
            title = f"CPU of a submission of {arguments.rows} rows by stage, in one process"
            results.write("throughput-stages", title, results.markdown_table(("stage", "CPU"), lines), PACKAGES)
        if "run" in arguments.only:
            measured = time_run(Path(folder), arguments.submissions, arguments.rows, arguments.concurrency)
            title = f"A run of {arguments.submissions:,} submissions, {arguments.concurrency} processes"
            results.write("throughput-run", title, results.markdown_table(("what", "figure"), measured), PACKAGES)
        if "table" in arguments.only:
            measured = time_table(Path(folder), arguments.table)
            title = f"One table of {arguments.table:,} rows, raw to published"
            results.write("throughput-table", title, results.markdown_table(("what", "figure"), measured), PACKAGES)


if __name__ == "__main__":
    main()
