"""Compares `piperoll check` with Frictionless and Great Expectations.

Run it with `python -m bench.checking [--rows N] [--only PART…]`.

Each measurement is a whole process on made-up spend. Piperoll gets the file as a body sends it (preamble, its own
headings, pound signs, commas, days before months) and does everything: reading, addresses, conservation, privacy,
schema and plausibility. The libraries get the same rows tidied: `frictionless validate` without a limit of errors, and
Great Expectations on pandas with the dataset's suite and every unexpected row named. The floor is the fastest of
DuckDB, Polars and PyArrow to read the file once as text.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import results, spend
from bench.processes import Measured, measured, piperoll, script
from piperoll import assets

PACKAGES = ("duckdb", "frictionless", "great-expectations", "pandas", "polars", "pyarrow")

FRICTIONLESS = """
import json, sys
from frictionless import Resource, Schema, system
data, schema = sys.argv[1:3]
with system.use_context(trusted=True):
    resource = Resource(path=data, schema=Schema.from_descriptor(json.load(open(schema))))
    report = resource.validate(limit_errors=10**12)
print(len(report.tasks[0].errors))
"""

GREAT_EXPECTATIONS = """
import json, os, sys, warnings
os.environ["GX_ANALYTICS_ENABLED"] = "false"
warnings.simplefilter("ignore")
import great_expectations as gx, pandas as pd
from great_expectations.data_context.types.base import ProgressBarsConfig
data, suite, schema = sys.argv[1:4]
types = {field["name"]: field["type"] for field in json.load(open(schema))["fields"]}
frame = pd.read_csv(data, dtype=str, keep_default_na=False, na_values=[""])
for name, kind in types.items():
    if kind == "number":
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype("float64")
    elif kind == "date":
        frame[name] = pd.to_datetime(frame[name], errors="coerce", format="ISO8601")
    else:
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
frame["row"] = range(1, len(frame) + 1)
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = ProgressBarsConfig(globally=False)
batch = (context.data_sources.add_pandas("t").add_dataframe_asset("t")
         .add_batch_definition_whole_dataframe("t").get_batch(batch_parameters={"dataframe": frame}))
entries = [{key: entry[key] for key in ("type", "kwargs", "severity")} for entry in json.load(open(suite))]
outcome = batch.validate(gx.ExpectationSuite(name="s", expectations=entries),
                         result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["row"]})
print(sum(not result.success for result in outcome.results))
"""

FLOORS = {
    "DuckDB": """
import duckdb, sys
print(duckdb.sql("SELECT count(*), max(length(column05)), max(length(column08)) FROM read_csv(?, all_varchar=true,"
                 " header=false, skip=3, columns={%s})" % ", ".join(f"'column{n:02}': 'VARCHAR'" for n in range(12)),
                 params=[sys.argv[1]]).fetchall())
""",
    "Polars": """
import polars as pl, sys
scan = pl.scan_csv(sys.argv[1], skip_rows=2, infer_schema=False)
touched = [pl.nth(5).str.len_bytes().max(), pl.nth(8).str.len_bytes().max()]
print(scan.select(pl.len(), *touched).collect(engine="streaming"))
""",
    "PyArrow": """
import pyarrow as pa, sys
from pyarrow import csv
names = [str(n) for n in range(12)]
print(csv.read_csv(sys.argv[1], csv.ReadOptions(column_names=names, skip_rows=3),
                   convert_options=csv.ConvertOptions(column_types={name: pa.string() for name in names})).num_rows)
""",
}

RULES = """
import json, sys, time
from pathlib import Path
from piperoll import assets
from piperoll.checking.engine import CheckEngine
from piperoll.checking import warm_up
from piperoll.checking.plausibility import find_unmet_expectations
from piperoll.checking.schema import find_breaches
from piperoll.reading import read
dataset, suite = assets.dataset("spend"), assets.suite("spend")
reading = read(Path(sys.argv[1]).read_bytes(), "spend.csv", assets.datasets(), dataset=dataset)
def took(engine):
    start = time.perf_counter()
    broken = sum(1 for table in reading.tables for _ in find_breaches(table, dataset, engine))
    unlikely = sum(max(1, len(each.rows)) for each in find_unmet_expectations(reading.tables, dataset, suite, engine))
    return time.perf_counter() - start, broken, unlikely
warm_up()
import frictionless
compiled = min(took(CheckEngine.COMPILED) for _ in range(2))
print(json.dumps([compiled, took(CheckEngine.REFERENCE)]))
"""


@dataclass(frozen=True)
class _Peers:
    """The files that the libraries need: our rules for the tidied table."""

    schema: Path
    suite: Path

    @classmethod
    def written(cls, folder: Path) -> _Peers:
        dataset = assets.dataset("spend")
        own = {field.name: field for field in dataset.fields}
        fields = [
            {"name": name, "type": own[name].type, "constraints": dict(own[name].constraints or {})}
            if name in own
            else {"name": name, "type": "string"}
            for name in spend.FIELDS
        ]
        peers = cls(folder / "schema.json", folder / "suite.json")
        peers.schema.write_text(json.dumps({"fields": fields}), encoding="utf-8")
        peers.suite.write_text(json.dumps(list(_expectations())), encoding="utf-8")
        return peers


def _expectations() -> Iterator[dict[str, object]]:
    """The expectations of the suite whose columns the tidied table has."""
    there = {*spend.FIELDS, "row"}
    for entry in json.loads(assets.suite("spend"))["expectations"]:
        named = [entry["kwargs"].get(word) for word in ("column", "column_A", "column_B")]
        wanted = {name for name in named if name} | {*entry["kwargs"].get("column_list", ())}
        if wanted <= there:
            yield entry


WRITE = """
import sys
from pathlib import Path
from bench import spend
spend.write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), tidy=sys.argv[4] == "True")
"""


def _made(folder: Path, rows: int, bad: int = 0, *, tidy: bool = True) -> spend.Spend:
    """Write the table in a process of its own: the memory of this one counts in the peak of those that it starts."""
    measured(script(WRITE, str(folder), str(rows), str(bad), str(tidy)))
    return spend.named(folder, rows, bad)


def against_references(folder: Path, rows: int) -> str:
    """Measure 1: the whole check and the two libraries, on clean rows and with 0.1 % and 10 % of bad ones."""
    lines = []
    peers = _Peers.written(folder)
    for bad in (0, 1, 100):
        made = _made(folder, rows, bad)
        ours = measured(piperoll("check", "--json", str(made.sent)), may_end_with=(0, 1))
        structure = measured(script(FRICTIONLESS, str(made.tidy), str(peers.schema)))
        unlikely = measured(script(GREAT_EXPECTATIONS, str(made.tidy), str(peers.suite), str(peers.schema)))
        ratio = (structure.wall + unlikely.wall) / ours.wall
        lines.append([f"{bad / 10:g} %", ours, structure, unlikely, f"{ratio:.1f}"])
    heads = ["bad rows", "piperoll check", "frictionless validate", "Great Expectations", "times faster than both"]
    return results.table(heads, lines)


def rules_alone(folder: Path, rows: int) -> str:
    """Measure 2: the rules alone, both engines in one process on a table already read, after all imports."""
    lines = []
    for bad in (0, 1, 100):
        made = _made(folder, rows, bad, tidy=False)
        (ours, broken, unlikely), (theirs, broken_too, unlikely_too) = json.loads(
            measured(script(RULES, str(made.sent))).output.splitlines()[-1]
        )
        same = "the same" if (broken, unlikely) == (broken_too, unlikely_too) else "NOT the same"
        found = f"{broken:,} and {unlikely:,}, {same}"
        lines.append([f"{bad / 10:g} %", f"{ours:.2f} s", f"{theirs:.1f} s", f"{theirs / ours:.0f}", found])
    heads = ["bad rows", "compiled", "references", "times faster", "breaches and implausible rows found"]
    return results.table(heads, lines)


def against_floor(folder: Path, rows: int) -> str:
    """Measure 3: the whole check and the fastest reader of the same file as text."""
    made = _made(folder, rows, tidy=False)
    ours = measured(piperoll("check", "--json", str(made.sent)), may_end_with=(0, 1))
    floors = {name: min((measured(script(text, str(made.sent))) for _ in range(2)), key=_wall)
              for name, text in FLOORS.items()}  # fmt: skip
    name, floor = min(floors.items(), key=lambda each: each[1].wall)
    lines = [["piperoll check", ours, f"{ours.wall / floor.wall:.1f}"]]
    lines += [[each, took, f"{took.wall / floor.wall:.1f}"] for each, took in floors.items()]
    return results.table(["", "whole process", f"times {name}"], lines)


def many(folder: Path, rows: int, many_rows: int) -> str:
    """Measure 4: ten times as many rows, to see that time is linear and memory flat."""
    took: list[tuple[int, Measured]] = []
    for count in (rows, many_rows):
        made = _made(folder, count, tidy=False)
        took.append((count, measured(piperoll("check", "--json", str(made.sent)), may_end_with=(0, 1))))
        made.sent.unlink()
    first = took[0][1].wall / took[0][0]
    lines = [
        [f"{count:,}", each, f"{each.wall / count * 1e6:.2f} µs", f"{each.wall / count / first:.2f}"]
        for count, each in took
    ]
    return results.table(["rows", "piperoll check", "a row", "times the first"], lines)


def cold(folder: Path) -> str:
    """Measure 5: one month of a council from a cold start, the median of five."""
    made = _made(folder, 3_000)
    peers = _Peers.written(folder)
    ours = _middle(piperoll("check", "--json", str(made.sent)))
    theirs = _middle(script(FRICTIONLESS, str(made.tidy), str(peers.schema)))
    unlikely = _middle(script(GREAT_EXPECTATIONS, str(made.tidy), str(peers.suite), str(peers.schema)), 1)
    return results.table(
        ["3,000 rows", "whole process"],
        [["piperoll check", ours], ["frictionless validate", theirs], ["Great Expectations", unlikely]],
    )


def _middle(command: Sequence[str], times: int = 5) -> Measured:
    return sorted((measured(command, may_end_with=(0, 1)) for _ in range(times)), key=_wall)[times // 2]


def _wall(took: Measured) -> float:
    return took.wall


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--many", type=int, default=10_000_000)
    asked.add_argument("--only", nargs="*", default=["references", "rules", "floor", "many", "cold"])
    given = asked.parse_args()
    rows = f"{given.rows:,} rows x 12 as a body sends them"
    parts: dict[str, tuple[str, Callable[[Path], str]]] = {
        "references": (f"The whole check of {rows}", lambda folder: against_references(folder, given.rows)),
        "rules": (f"The rules alone, {rows}, already read", lambda folder: rules_alone(folder, given.rows)),
        "floor": (
            f"The whole check of {rows}, against reading alone",
            lambda folder: against_floor(folder, given.rows),
        ),
        "many": ("The whole check of ten times as many rows", lambda folder: many(folder, given.rows, given.many)),
        "cold": ("A cold start", cold),
    }
    for name in given.only:
        title, part = parts[name]
        with TemporaryDirectory() as folder:
            text = part(Path(folder))
        results.write(f"checking-{name}", title, text, PACKAGES)


if __name__ == "__main__":
    main()
