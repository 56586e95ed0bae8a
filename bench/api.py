"""Measure the API with wrk, beside DuckDB and datasette: `python -m bench.api STORE… [--datasette VENV]`.

The name of a STORE ends in its number of rows, such as `store-10m`; it is made if it does not exist. wrk must be
installed. DuckDB reads the Parquet files of the releases in its own process, with 2 threads; it counts every line, also
what recurs. datasette gets the first ten bodies of the first store in SQLite, with an index on body, period and
transaction number; its amounts are floats.
"""

from __future__ import annotations

import argparse
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from bench import results
from bench.api_store import FILLED, make

PORT = 18_931
LUA = """
math.randomseed(7)
request = function()
  return wrk.format("GET", (QUESTION:gsub("{body}", math.random(0, 9)):gsub("{number}", math.random(0, ROWS))
    :gsub("{supplier}", string.format("%05d", math.random(0, 19999)))))
end
done = function(s, l, r)
  local bad = s.errors.timeout + s.errors.read + s.errors.connect + s.errors.status
  io.write(string.format("FIGURES %d %.0f %.0f %.0f %d", s.requests, l:percentile(50) / 1000,
    l:percentile(95) / 1000, l:percentile(99) / 1000, bad) .. "\\n")
end
"""


@dataclass(frozen=True)
class BenchQuery:
    """A query for the API (`piperoll`), datasette and DuckDB (the end of a statement), and the concurrent requests."""

    name: str
    piperoll: str
    datasette: str
    at_once: int = 4
    duckdb: str = ""


KEYED = BenchQuery(
    "keyed: one row of one body and month",
    "/rows/spend?body=body-{body}&period=2025-11&transaction_number=T{number}&columns=line_id,supplier_name,net_amount",
    "/bench.json?sql=select+line_id,supplier_name,net_amount+from+spend+where+body='body-{body}'+and+period='2025-11'"
    "+and+transaction_number='T{number}'",
    duckdb="SELECT line_id, supplier_name, net_amount FROM "
    "read_parquet('{store}/data/spend/body-1/2025-11/*/spend.parquet') WHERE transaction_number = 'T1'",
)
ONE_BODY = BenchQuery(
    "ten largest suppliers of one body in a year",
    "/rows/spend?body=body-{body}&group_by=supplier_name&sum=net_amount&sort=-sum_net_amount&limit=10",
    "/bench.json?sql=select+supplier_name,sum(net_amount)+s+from+spend+where+body='body-{body}'+group+by+1+order+by+s+desc"
    "+limit+10",
)
SUPPLIER = BenchQuery(
    "keyed: the payments of all bodies to one supplier",
    "/rows/spend?supplier_key=supplier+{supplier}&limit=100&columns=body,payment_date,supplier_name,net_amount",
    "",
    duckdb="SELECT body_id, payment_date, supplier_name, net_amount FROM {lines} "
    "WHERE supplier_name = 'Supplier 00001 Ltd' LIMIT 100",
)
TEN = BenchQuery(
    "ten largest suppliers of ten bodies",
    f"/rows/spend?body={','.join(f'body-{n}' for n in range(10))}&group_by=supplier_name&sum=net_amount"
    "&sort=-sum_net_amount&limit=10",
    "/bench.json?sql=select+supplier_name,sum(net_amount)+s+from+spend+group+by+1+order+by+s+desc+limit+10",
    1,
)
MONTHS = BenchQuery(
    "rows and pounds by month, all bodies",
    "/rows/spend?group_by=month(payment_date)&sum=net_amount&count",
    "",
    1,
    "SELECT strftime(payment_date, '%Y-%m') AS m, sum(net_amount), count(*) FROM {lines} GROUP BY m",
)
SCANNED = BenchQuery(
    "ten largest types of expense of all bodies (reads every line)",
    "/rows/spend?group_by=expense_type&sum=net_amount&sort=-sum_net_amount&limit=10",
    "",
    1,
    "SELECT expense_type, sum(net_amount) AS s FROM {lines} GROUP BY 1 ORDER BY s DESC LIMIT 10",
)
ALL = BenchQuery(
    "ten largest suppliers of all bodies",
    "/rows/spend?group_by=supplier_name&sum=net_amount&sort=-sum_net_amount&limit=10",
    "",
    1,
    "SELECT supplier_name, sum(net_amount) AS s FROM {lines} GROUP BY 1 ORDER BY s DESC LIMIT 10",
)


@contextmanager
def running(command: Sequence[str]) -> Iterator[int]:
    """Start a server, wait until it answers, and yield its process id."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield server.pid
    finally:
        server.terminate()
        server.wait()


def measure(path: str, at_once: int, rows: int, seconds: int) -> tuple[str, ...]:
    """Send requests for `seconds`; return their number, p50, p95 and p99 in ms, and the failures."""
    with TemporaryDirectory() as scratch:
        lua = Path(scratch) / "ask.lua"
        quoted = path.replace("'", "%27")
        lua.write_text(f'QUESTION = "{quoted}"\nROWS = {rows}\n{LUA}')
        filled = quoted.replace("{body}", "1").replace("{number}", "1").replace("{supplier}", "00001")
        first = f"http://127.0.0.1:{PORT}{filled}"
        try:
            with urllib.request.urlopen(
                first, timeout=600
            ) as answer:  # so that files that are read once are in the cache
                answer.read()
        except urllib.error.HTTPError as refused:
            return ("0", "-", "-", "-", f"status {refused.code}")
        if at_once == 1:
            return _measure_one_by_one(first, seconds)
        command = ["wrk", "-t1", f"-c{at_once}", f"-d{seconds}s", "--timeout", "300s", "-s", str(lua)]
        output = subprocess.run(
            [*command, f"http://127.0.0.1:{PORT}"], capture_output=True, text=True, check=True
        ).stdout
    found = re.search(r"FIGURES (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    assert found, output
    return found.groups()


def _measure_one_by_one(address: str, seconds: int) -> tuple[str, ...]:
    """Send one request after the other, at least three. Unlike wrk, wait for a request that outlasts `seconds`."""
    took: list[float] = []
    while len(took) < 3 or sum(took) < seconds:
        began = time.perf_counter()
        with urllib.request.urlopen(address, timeout=600) as answer:
            answer.read()
        took.append(time.perf_counter() - began)
    return _describe_times(took)


def _describe_times(took: Sequence[float]) -> tuple[str, ...]:
    shares = (sorted(took)[min(len(took) - 1, int(len(took) * share))] for share in (0.5, 0.95, 0.99))
    return (str(len(took)), *(f"{1000 * share:.0f}" for share in shares), "0")


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def measure_cpu(pid: int, path: str, at_once: int, rows: int, seconds: int) -> tuple[str, ...]:
    """Measure, and add the processor time of an answer in ms, which other work on the machine changes little."""
    before = cpu_seconds(pid)
    figures = measure(path, at_once, rows, seconds)
    answers = int(figures[0])
    return (*figures, f"{1000 * (cpu_seconds(pid) - before) / (answers + 1):.0f}" if answers else "-")


def peak(pid: int) -> str:
    """The peak memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    [kilobytes] = re.findall(r"VmHWM:\s+(\d+)", status)
    return f"{int(kilobytes) // 1024} MB"


def measure_piperoll(store: Path, seconds: int) -> Iterator[tuple[str, ...]]:
    """Yield a row of figures for each query; the last column is the peak memory up to then."""
    size = rows_of(store)
    command = [sys.executable, "-c", "from piperoll.cli import main; main()", "api", str(store), "--port", str(PORT)]
    with running([*command, "--seconds", "300"]) as pid:
        for query in (KEYED, SUPPLIER, ONE_BODY, TEN, MONTHS, ALL, SCANNED):
            figures = measure_cpu(pid, query.piperoll, query.at_once, size // 1_200 - 1, seconds)
            yield ("Piperoll", f"{size:,}", query.name, str(query.at_once), *figures, peak(pid))


def measure_duckdb(store: Path, seconds: int) -> Iterator[tuple[str, ...]]:
    """Yield the same figures for DuckDB over the files of the releases."""
    lines = f"read_parquet('{store}/data/spend/*/*/*/spend.parquet')"
    with duckdb.connect() as engine:
        engine.execute("SET threads = 2")
        engine.execute("SET enable_progress_bar = false")
        for query in (KEYED, SUPPLIER, MONTHS, ALL, SCANNED):
            sql, took = query.duckdb.replace("{lines}", lines).replace("{store}", str(store)), list[float]()
            engine.execute(sql).fetchall()
            used = time.process_time()
            while len(took) < 3 or sum(took) < seconds:
                began = time.perf_counter()
                engine.execute(sql).fetchall()
                took.append(time.perf_counter() - began)
            cpu = f"{1000 * (time.process_time() - used) / len(took):.0f}"
            yield ("DuckDB", f"{rows_of(store):,}", query.name, "1", *_describe_times(took), cpu, "-")


def measure_datasette(store: Path, venv: Path, seconds: int) -> Iterator[tuple[str, ...]]:
    """Yield the same figures for datasette, over the first ten bodies in SQLite."""
    with TemporaryDirectory(dir="build") as scratch:
        file = Path(scratch) / "bench.db"
        count = _write_sqlite(store, file)
        command = [
            str(venv / "bin/datasette"),
            "serve",
            str(file),
            "-p",
            str(PORT),
            "--setting",
            "sql_time_limit_ms",
            "120000",
        ]
        with running(command) as pid:
            for query in (KEYED, ONE_BODY, TEN):
                figures = measure_cpu(pid, query.datasette, query.at_once, rows_of(store) // 1_200 - 1, seconds)
                yield ("datasette", f"{count:,}", query.name, str(query.at_once), *figures, peak(pid))


def _write_sqlite(store: Path, file: Path) -> int:
    names = list(FILLED)
    with sqlite3.connect(file) as base:
        base.execute(f"create table spend (body, period, {', '.join(names)})")
        for path in sorted(store.glob("data/spend/body-?/*/v1-*/spend.parquet")):
            body, period = path.parts[-4:-2]
            columns: list[list[Any]] = [
                column.cast(pa.float64() if name == "net_amount" else pa.string()).to_pylist()
                for name, column in zip(names, pq.read_table(path, columns=names).columns, strict=True)
            ]
            marks = ", ".join("?" for _ in range(len(names) + 2))
            base.executemany(
                f"insert into spend values ({marks})", ((body, period, *row) for row in zip(*columns, strict=True))
            )
        base.execute("create index by_key on spend (body, period, transaction_number)")
        [(count,)] = base.execute("select count(*) from spend").fetchall()
    return int(count)


def rows_of(store: Path) -> int:
    """The number of rows that the name of a store states."""
    found = re.search(r"(\d+)m\Z", store.name)
    if not found:
        raise SystemExit(f"{store} does not state its number of rows: end its name in 10m or 100m")
    return int(found[1]) * 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--datasette", type=Path, help="A virtual environment in which datasette is installed.")
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    os.nice(10)
    lines: list[tuple[str, ...]] = []
    for store in arguments.stores:
        if not store.exists():
            make(store, rows_of(store), distinct=10)
        lines += measure_piperoll(store, arguments.seconds)
        lines += measure_duckdb(store, arguments.seconds)
    if arguments.datasette:
        lines += measure_datasette(arguments.stores[0], arguments.datasette, arguments.seconds)
    headings = (
        "server",
        "rows",
        "query",
        "concurrent",
        "answers",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "failed",
        "CPU ms",
        "peak memory",
    )
    text = "One process of the API with 2 threads and 1 GB for its engine; wrk over loopback, in the same run.\n\n"
    results.write("api", "The API", text + results.markdown_table(headings, lines), ("duckdb", "fastapi", "uvicorn"))


if __name__ == "__main__":
    main()
