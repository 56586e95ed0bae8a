"""Compare `piperoll check` with Frictionless and Great Expectations.

Run it with `python -m bench.checking [--rows N] [--only PART…]`.

Each measurement is a whole process on generated spend data. Piperoll gets the file as a body sends it (a preamble, the
body's own headings, pound signs, commas, days before months) and runs the whole check: reading, addresses,
conservation, privacy, schema and plausibility. The libraries get the same rows in a tidy file: `frictionless validate`
without a limit on errors, and Great Expectations on pandas with the dataset's suite, listing every unexpected row. The
floor is the fastest of DuckDB, Polars and PyArrow to read the file once as text.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import results, spend
from bench.processes import ProcessCost, measure, piperoll, script
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
def run(engine):
    start = time.perf_counter()
    broken = sum(1 for table in reading.tables for _ in find_breaches(table, dataset, engine))
    unlikely = sum(max(1, len(each.rows)) for each in find_unmet_expectations(reading.tables, dataset, suite, engine))
    return time.perf_counter() - start, broken, unlikely
warm_up()
import frictionless
compiled = min(run(CheckEngine.COMPILED) for _ in range(2))
print(json.dumps([compiled, run(CheckEngine.REFERENCE)]))
"""


@dataclass(frozen=True)
class _ReferenceRules:
    """The rules as files for Frictionless and Great Expectations, limited to the columns of the tidy table."""

    schema: Path
    suite: Path

    @classmethod
    def write(cls, folder: Path) -> _ReferenceRules:
        dataset = assets.dataset("spend")
        own = {field.name: field for field in dataset.fields}
        fields = [
            {"name": name, "type": own[name].type, "constraints": dict(own[name].constraints or {})}
            if name in own
            else {"name": name, "type": "string"}
            for name in spend.FIELDS
        ]
        rules = cls(folder / "schema.json", folder / "suite.json")
        rules.schema.write_text(json.dumps({"fields": fields}), encoding="utf-8")
        rules.suite.write_text(json.dumps(list(_expectations())), encoding="utf-8")
        return rules


def _expectations() -> Iterator[dict[str, object]]:
    """The expectations of the suite whose columns are all in the tidy table."""
    available = {*spend.FIELDS, "row"}
    for entry in json.loads(assets.suite("spend"))["expectations"]:
        columns = [entry["kwargs"].get(key) for key in ("column", "column_A", "column_B")]
        wanted = {name for name in columns if name} | {*entry["kwargs"].get("column_list", ())}
        if wanted <= available:
            yield entry


WRITE = """
import sys
from pathlib import Path
from bench import spend
spend.write_spend(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), tidy=sys.argv[4] == "True")
"""


def _write_table(folder: Path, rows: int, bad: int = 0, *, tidy: bool = True) -> spend.SpendFiles:
    """Write the table in a process of its own: a child starts with this process's memory in its own peak."""
    measure(script(WRITE, str(folder), str(rows), str(bad), str(tidy)))
    return spend.spend_files(folder, rows, bad)


def compare_references(folder: Path, rows: int) -> str:
    """Table 1: the whole check and the two libraries, with 0, 0.1 and 10 % of rows that have an error."""
    lines = []
    rules = _ReferenceRules.write(folder)
    for bad in (0, 1, 100):
        table = _write_table(folder, rows, bad)
        ours = measure(piperoll("check", "--json", str(table.sent)), may_end_with=(0, 1))
        structure = measure(script(FRICTIONLESS, str(table.tidy), str(rules.schema)))
        unlikely = measure(script(GREAT_EXPECTATIONS, str(table.tidy), str(rules.suite), str(rules.schema)))
        ratio = (structure.wall + unlikely.wall) / ours.wall
        lines.append([f"{bad / 10:g} %", ours, structure, unlikely, f"{ratio:.1f}"])
    headings = ["bad rows", "piperoll check", "frictionless validate", "Great Expectations", "times faster than both"]
    return results.markdown_table(headings, lines)


def compare_rules(folder: Path, rows: int) -> str:
    """Table 2: only the rules, with both engines in one process, on a table already read and after all imports."""
    lines = []
    for bad in (0, 1, 100):
        table = _write_table(folder, rows, bad, tidy=False)
        (ours, broken, unlikely), (reference, broken_too, unlikely_too) = json.loads(
            measure(script(RULES, str(table.sent))).output.splitlines()[-1]
        )
        same = "the same" if (broken, unlikely) == (broken_too, unlikely_too) else "NOT the same"
        found = f"{broken:,} and {unlikely:,}, {same}"
        lines.append([f"{bad / 10:g} %", f"{ours:.2f} s", f"{reference:.1f} s", f"{reference / ours:.0f}", found])
    headings = ["bad rows", "compiled", "references", "times faster", "breaches and implausible rows found"]
    return results.markdown_table(headings, lines)


def compare_floor(folder: Path, rows: int) -> str:
    """Table 3: the whole check, and the fastest library to read the same file as text."""
    table = _write_table(folder, rows, tidy=False)
    ours = measure(piperoll("check", "--json", str(table.sent)), may_end_with=(0, 1))
    floors = {name: min((measure(script(text, str(table.sent))) for _ in range(2)), key=lambda cost: cost.wall)
              for name, text in FLOORS.items()}  # fmt: skip
    name, floor = min(floors.items(), key=lambda each: each[1].wall)
    lines = [["piperoll check", ours, f"{ours.wall / floor.wall:.1f}"]]
    lines += [[each, cost, f"{cost.wall / floor.wall:.1f}"] for each, cost in floors.items()]
    return results.markdown_table(["", "whole process", f"times {name}"], lines)


def compare_sizes(folder: Path, rows: int, many_rows: int) -> str:
    """Table 4: ten times as many rows, to see whether time is linear and memory constant."""
    costs: list[tuple[int, ProcessCost]] = []
    for count in (rows, many_rows):
        table = _write_table(folder, count, tidy=False)
        costs.append((count, measure(piperoll("check", "--json", str(table.sent)), may_end_with=(0, 1))))
        table.sent.unlink()
    first = costs[0][1].wall / costs[0][0]
    lines = [
        [f"{count:,}", each, f"{each.wall / count * 1e6:.2f} µs", f"{each.wall / count / first:.2f}"]
        for count, each in costs
    ]
    return results.markdown_table(["rows", "piperoll check", "per row", "per row, relative"], lines)


def compare_cold_starts(folder: Path) -> str:
    """Table 5: one month of a council, as the median of five new processes (Great Expectations: one)."""
    table = _write_table(folder, 3_000)
    rules = _ReferenceRules.write(folder)
    ours = _median(piperoll("check", "--json", str(table.sent)))
    reference = _median(script(FRICTIONLESS, str(table.tidy), str(rules.schema)))
    unlikely = _median(script(GREAT_EXPECTATIONS, str(table.tidy), str(rules.suite), str(rules.schema)), 1)
    return results.markdown_table(
        ["3,000 rows", "whole process"],
        [["piperoll check", ours], ["frictionless validate", reference], ["Great Expectations", unlikely]],
    )


def _median(command: Sequence[str], times: int = 5) -> ProcessCost:
    return sorted((measure(command, may_end_with=(0, 1)) for _ in range(times)), key=lambda cost: cost.wall)[times // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--many", type=int, default=10_000_000)
    parser.add_argument("--only", nargs="*", default=["references", "rules", "floor", "many", "cold"])
    arguments = parser.parse_args()
    rows = f"{arguments.rows:,} rows x 12 columns as a body sends them"
    parts: dict[str, tuple[str, Callable[[Path], str]]] = {
        "references": (f"The whole check of {rows}", lambda folder: compare_references(folder, arguments.rows)),
        "rules": (f"Only the rules, {rows}, already read", lambda folder: compare_rules(folder, arguments.rows)),
        "floor": (
            f"The whole check of {rows}, compared with reading only",
            lambda folder: compare_floor(folder, arguments.rows),
        ),
        "many": (
            "The whole check of ten times as many rows",
            lambda folder: compare_sizes(folder, arguments.rows, arguments.many),
        ),
        "cold": ("A cold start", compare_cold_starts),
    }
    for name in arguments.only:
        title, part = parts[name]
        with TemporaryDirectory() as folder:
            text = part(Path(folder))
        results.write(f"checking-{name}", title, text, PACKAGES)


if __name__ == "__main__":
    main()
