"""The engine of measures: what a row says, which check decides its status, and when bodies are compared."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from piperoll import assets
from piperoll.errors import ConservationError, DescriptorError, describe_error, is_bug
from piperoll.measuring import packing
from piperoll.measuring.checks import format_percent
from piperoll.measuring.definition import Measure, parse_measure
from piperoll.measuring.engine import figure_id, round_exactly
from piperoll.measuring.engine import run_measure as run_in_engine
from piperoll.measuring.inputs import Inputs, Lines
from piperoll.measuring.packing import describe_inputs, pack_measure
from piperoll.measuring.rows import MeasuredBody
from piperoll.model import Period
from tests.measuring.measured import find_row, run_measure

TOML = """
id = "tea"
version = "1.0.0"
title = "Tea"
question = "How much is spent on tea?"
summary = "A measure for tests."
method = "Pounds are added."
period = "year"
perimeter = "the body itself"
datasets = ["spend"]
comparators = "kind"
owner = "Tests"
sources = []
{rules}
[[figures]]
id = "pounds"
title = "Pounds on tea"
unit = "gbp"
headline = true
high_is = "bad"
[[figures]]
id = "part"
title = "Part of it"
unit = "share"
[[changes]]
version = "1.0.0"
date = "2026-11-29"
what = "First version."
"""
SUM = """
SELECT body, years.period_start, years.period_end, 'pounds' AS figure, sum(net_amount) AS value, count(*) AS n {more}
FROM spend JOIN years ON years.year = spend.financial_year GROUP BY ALL
"""


def make_measure(rules: str = "", query: str = SUM, more: str = "", **files: str) -> Measure:
    return parse_measure(
        "tea", {"measure.toml": TOML.format(rules=rules), "query.sql": query.format(more=more), **files}
    )


def spend(**amounts: str) -> list[dict[str, Any]]:
    return [{"body": body, "net_amount": amount} for body, amount in amounts.items()]


EIGHT = spend(**{f"town-{n}": str(value) for n, value in enumerate((40, 50, 55, 60, 62, 70, 80, 120))})


def test_eight_bodies_have_quartiles_and_the_far_one_is_an_outlier() -> None:
    rows = run_measure(make_measure(), spend=EIGHT)
    far = find_row(rows, "pounds", body="town-7")
    assert (far["peer_q1"], far["peer_median"], far["peer_q3"]) == (Decimal("53.75"), 61, Decimal("72.5"))
    assert (far["peers"], far["peer_kind"], far["status"], far["outlier"]) == (8, "council", "shown", True)
    assert [row["outlier"] for row in rows] == [False] * 7 + [True]
    assert (far["rank_best"], far["rank_worst"]) == (8, 8)


def test_seven_bodies_are_only_listed() -> None:
    rows = run_measure(make_measure(), spend=EIGHT[:7])
    assert {row["status"] for row in rows} == {"list-only"}
    assert {row["peer_median"] for row in rows} == {None}
    assert rows[0]["reason"] == "7 bodies of the kind have a value: values are listed, and 8 are needed for a band"
    assert rows[0]["value"] == 40


def test_bodies_of_another_kind_are_no_peers() -> None:
    rows = run_measure(make_measure(), spend=EIGHT, bodies={"town-0": "police"})
    assert {row["peer_kind"]: row["peers"] for row in rows} == {"police": 1, "council": 7}


def test_bodies_whose_peers_mostly_lack_a_value_are_not_compared() -> None:
    query = SUM.replace("sum(net_amount)", "CASE WHEN sum(net_amount) > 0 THEN sum(net_amount) END")
    rows = run_measure(make_measure(query=query), spend=EIGHT + spend(a="-1", b="-1", c="-1"))
    row = find_row(rows, "pounds", body="town-0")
    assert (row["status"], row["peer_median"]) == ("list-only", None)
    assert row["reason"] == "only 8 of 11 bodies of the kind have a value: 80% must"
    assert find_row(rows, "pounds", body="a")["status"] == "withheld"


@pytest.mark.parametrize(
    ("more", "status", "reason"),
    [
        (", 0.59 AS coverage", "withheld", "the data covers 59% of lines: at least 60% is needed"),
        (", 0.60 AS coverage", "list-only", ""),
        (
            ", 5 AS lo, 20 AS hi",
            "indicative",
            "the bounds are further apart than 25% of the value: too wide to compare",
        ),
        (", 11 AS lo, 20 AS hi", "withheld", "the bounds 11.00 to 20.00 do not contain the value 10.00"),
        (", 0.31 AS inferred_share", "indicative", "31% of it is inferred by our rules"),
        (", 'withheld' AS status, 'no axle' AS reason", "withheld", "no axle"),
        (", 'indicative' AS status, 'half seen' AS reason", "indicative", "half seen"),
        (", 0.1 AS coverage, 1 AS lo, 90 AS hi", "withheld", "the data covers 10% of lines"),
    ],
)
def test_the_first_check_that_fails_decides(more: str, status: str, reason: str) -> None:
    rules = '[coverage]\nminimum = "0.6"\nof = "lines"\n[publication]\nwidest_interval = "0.25"\nmost_inferred = "0.3"'
    (row,) = run_measure(make_measure(rules, more=more), spend=spend(anytown="10"))
    assert row["status"] == status
    assert row["reason"].startswith(reason)
    assert (row["value"] is None) == (status == "withheld")


def test_a_row_whose_parts_do_not_add_up_stops_the_run() -> None:
    with pytest.raises(ConservationError, match="pounds  of anytown has parts of 9 and a total of 10"):
        run_measure(make_measure(more=", 9 AS part_sum, sum(net_amount)::INT AS total"), spend=spend(anytown="10"))


def test_a_withheld_row_exists_and_nothing_divided_by_nothing_is_not_zero() -> None:
    query = SUM.replace("sum(net_amount)", "0::DOUBLE / 0::DOUBLE")
    (row,) = run_measure(make_measure(query=query), spend=spend(anytown="10"))
    assert (row["value"], row["status"], row["reason"]) == (None, "withheld", "there is nothing to measure it by")


def test_money_has_two_places_and_shares_six() -> None:
    query = f"""{SUM} UNION ALL BY NAME
        SELECT body, years.period_start, years.period_end, 'part' AS figure, 1 / 3 AS value FROM spend, years"""
    rows = run_measure(make_measure(query=query), spend=spend(anytown="10.005"))
    assert find_row(rows, "pounds")["value"] == Decimal("10.00")  # half to even
    assert find_row(rows, "part")["value"] == Decimal("0.333333")


def test_columns_are_rounded_as_python_rounds_decimals() -> None:
    chance = Random(14)  # noqa: S311
    floats = [chance.choice((1, -1)) * chance.random() * 10 ** chance.randint(-12, 12) for _ in range(2_000)]
    floats += [number / 2000 for number in range(-400, 400)] + [number * 5e-7 for number in range(-400, 400)]
    columns = [pa.array([*floats, 1e16, -0.0]), pa.array(range(-9, 9)), pa.array([0.1, 2.675], pa.float32())]
    for scale in (0, 2, 3, 7, 10, 18):
        exact = [Decimal(chance.randint(-(10**14), 10**14)).scaleb(-scale) for _ in range(500)]
        halves = [Decimal(number * 5).scaleb(-scale) for number in range(-200, 200)]
        columns.append(pa.array([*exact, *halves], pa.decimal128(38, scale)))
    for column, places in product(columns, (2, 6)):
        step = Decimal(1).scaleb(-places)
        expected = [Decimal(str(value)).quantize(step, ROUND_HALF_EVEN) for value in column.to_pylist()]
        assert round_exactly(column, places).to_pylist() == expected
    assert round_exactly(pa.array([float("nan"), float("-inf"), None]), 2).to_pylist() == [None, None, None]


def test_bounds_that_miss_a_share_are_told_with_the_places_of_shares() -> None:
    query = SUM.replace("'pounds'", "'part'")
    (row,) = run_measure(make_measure(query=query, more=", NULL AS lo, 0.123 AS hi"), spend=spend(anytown="10"))
    assert row["reason"] == "the bounds None to 0.123000 do not contain the value 10.000000"


def test_a_reason_of_the_query_follows_ours_and_is_kept_where_there_is_none() -> None:
    more = ", CASE body WHEN 'a' THEN 1 END AS lo, CASE body WHEN 'a' THEN 99 END AS hi, 'half seen' AS reason"
    rules = '[publication]\nwidest_interval = "0.25"'
    rows = run_measure(make_measure(rules, more=more), spend=spend(a="10", b="10", c="10"))
    wide, plain, _ = (row["reason"] for row in rows)
    assert wide == "the bounds are further apart than 25% of the value: too wide to compare; half seen"
    assert plain.endswith("; half seen") and plain.startswith("3 bodies of the kind have a value")


def test_the_order_of_rows_and_bodies_does_not_matter() -> None:
    assert run_measure(make_measure(), spend=EIGHT) == run_measure(make_measure(), spend=EIGHT[::-1])


def test_a_figure_has_one_identifier_for_ever_and_carries_the_reply_to_it() -> None:
    identifier = figure_id("tea", "anytown", "2026-27", "pounds")
    assert identifier == hashlib.sha256(b"tea|anytown|2026-27|pounds|").hexdigest()[:16]
    (row,) = run_measure(make_measure(), spend=spend(anytown="10"), replies={("anytown", identifier): "We had guests."})
    assert (row["figure_id"], row["reply"]) == (identifier, "We had guests.")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (SUM.replace("'pounds'", "'coffee'"), "the query returns the figure 'coffee', not declared"),
        (SUM.replace("SELECT body", "SELECT 'x' AS body"), "the query returns the body 'x', not measured"),
        (SUM.replace("GROUP BY ALL", f"GROUP BY ALL UNION ALL ({SUM})"), "twice for 2026-27"),
        (SUM.replace("{more}", ", 1 AS sugar"), "unknown columns: sugar"),
        (SUM.replace("'pounds' AS figure", "'pounds' AS fig"), "does not return figure|unknown columns: fig"),
        ("SELECT nothing FROM spend", "query.sql: Binder Error"),
    ],
)
def test_a_query_that_returns_what_is_not_declared_is_refused(query: str, message: str) -> None:
    with pytest.raises(DescriptorError, match=message):
        run_measure(make_measure(query=query), spend=spend(anytown="10"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("owner =", "holder ="), "the key 'owner' is missing"),
        (('id = "tea"', 'id = "Tea"'), "id 'Tea' is not in kebab-case"),
        (('id = "tea"', 'id = "tee"'), "id is 'tee', but the folder is tea"),
        (('["spend"]', '["spent"]'), "datasets that there are not: spent"),
        (('unit = "gbp"', 'unit = "pence"'), "unit 'pence' is none of share, gbp"),
        (('period = "year"', 'period = "week"'), "period 'week' is none of year, snapshot"),
        (("headline = true", "headline = false"), "no figure has headline = true"),
        (('id = "part"', 'id = "pounds"'), "figures declared twice: pounds"),
        (("sources = []", "sources = []\nsource = 1"), "unknown keys: source"),
        (('version = "1.0.0"\ntitle', 'version = "1.1.0"\ntitle'), "changes has no entry for version 1.1.0"),
        (("sources = []", "sources = ["), "is not TOML"),
    ],
)
def test_a_definition_that_is_wrong_says_which_key(change: tuple[str, str], message: str) -> None:
    text = TOML.format(rules="")
    assert change[0] in text
    with pytest.raises(DescriptorError, match=message):
        parse_measure("tea", {"measure.toml": text.replace(*change), "query.sql": SUM.format(more="")})


@pytest.mark.parametrize("query", ["SELECT now() AS value", "SELECT random() AS value", "DELETE FROM spend"])
def test_a_query_with_a_clock_or_chance_in_it_is_refused(query: str) -> None:
    with pytest.raises(DescriptorError, match="query"):
        parse_measure("tea", {"measure.toml": TOML.format(rules=""), "query.sql": query})


def test_a_table_that_nobody_makes_is_refused() -> None:
    with pytest.raises(DescriptorError, match="names the table kettles, which nobody makes"):
        run_measure(make_measure('tables = ["kettles"]'), spend=spend(anytown="10"))


def test_a_csv_in_the_folder_is_a_table_of_the_query() -> None:
    query = SUM.replace("FROM spend", "FROM spend JOIN blends USING (body)")
    rows = run_measure(make_measure(query=query, **{"blends.csv": "body,blend\na,Assam\n"}), spend=spend(a="1", b="2"))
    assert [row["body"] for row in rows] == ["a"]


def test_a_table_written_in_pieces_has_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    definition, year = make_measure(), Period.parse_year("2026-27")
    bodies = [MeasuredBody(f"town-{n}", f"Town {n}", "council") for n in range(8)]
    spending = [line | {"financial_year": "2026-27"} for line in EIGHT]
    lines = {name: Lines(assets.dataset(name), rows=spending * (name == "spend")) for name in assets.dataset_names()}
    with Inputs(year, bodies, lines) as inputs:
        rows = run_in_engine(definition, inputs)
    made_from = describe_inputs(definition, year, [], bodies)
    whole = pack_measure(definition, year, rows, made_from, tmp_path / "whole").manifest
    monkeypatch.setattr(packing, "_PIECE_ROWS", 3)
    assert pack_measure(definition, year, rows, made_from, tmp_path / "pieces").manifest == whole
    assert whole.rows == 8


def test_later_years_do_not_change_a_year_and_earlier_ones_are_seen_as_far_as_declared() -> None:
    lines = [
        {"body": "a", "net_amount": "1", "financial_year": f"{year}-{year % 100 + 1}"} for year in range(2023, 2027)
    ]
    query = SUM.replace("ON years.year = spend.financial_year", "ON TRUE")
    for reads, seen in (("", 3), ("earlier_years = 1", 2), ("earlier_years = 0", 1)):
        (row,) = run_measure(make_measure(reads, query=query), years=["2025-26"], spend=lines)
        assert row["value"] == seen


def test_a_share_just_below_a_limit_does_not_read_as_the_limit() -> None:
    """A figure was withheld because "the data covers 85%: at least 85% is needed"."""
    limit = Decimal("0.85")
    assert format_percent(Decimal("0.849722"), limit) == "84.9722%"
    assert format_percent(Decimal("0.8412"), limit) == "84.1%"
    assert format_percent(limit, limit) == "85%"


def test_pounds_are_not_rounded_because_most_files_have_fewer_places(tmp_path: Path) -> None:
    """A body with pounds of six places had other parts than total, so a measure of all bodies could not be made."""
    amounts = {"anytown": ("1.00", 2), "beeford": ("2.00", 2), "ceeham": ("3.000001", 6)}
    for body, (amount, places) in amounts.items():
        column = pa.array([Decimal(amount)], pa.decimal128(38, places))
        pq.write_table(pa.table({"body": [body], "net_amount": column}), tmp_path / f"{body}.parquet")
    files = tuple(tmp_path / f"{body}.parquet" for body in amounts)
    lines = {name: Lines(assets.dataset(name), files if name == "spend" else ()) for name in assets.dataset_names()}
    with Inputs(Period.parse_year("2026-27"), [], lines) as inputs:
        found = inputs.connection.execute("SELECT body, net_amount FROM spend ORDER BY body").fetchall()
    assert found == [(body, Decimal(amount)) for body, (amount, _) in amounts.items()]


def test_measures_that_need_more_memory_write_below_tmpdir_and_not_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB spilled into `.tmp` of the current folder, which may be anybody's, or read-only."""
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with Inputs(Period.parse_year("2026-27"), [], {}) as inputs:
        inputs.connection.execute("SET memory_limit = '30MB'")
        inputs.connection.execute("CREATE TEMP TABLE wide AS SELECT md5(range::VARCHAR) AS a FROM range(2000000)")
        assert sum(path.stat().st_size for path in temporary.rglob("*") if path.is_file()) > 1_000_000
        assert not list(here.iterdir())
    assert not list(temporary.iterdir())


def test_a_limit_of_the_machine_is_not_the_fault_of_a_query() -> None:
    """`piperoll verify` said that what is published is wrong, because the machine was too small to make it again."""
    query = (
        "SELECT body, years.period_start, years.period_end, 'pounds' AS figure, count(*) AS value, max(many) AS item "
        "FROM spend, years, (SELECT md5(range::VARCHAR) AS many FROM range(2000000) ORDER BY 1) GROUP BY ALL"
    )
    lines = {name: Lines(assets.dataset(name), rows=()) for name in assets.dataset_names()}
    lines["spend"] = Lines(assets.dataset("spend"), rows=[{"body": "anytown", "net_amount": "1.00"}])
    with Inputs(Period.parse_year("2026-27"), [], lines) as inputs:
        inputs.connection.execute("SET memory_limit = '20MB'")
        inputs.connection.execute("SET max_temp_directory_size = '1MB'")
        with pytest.raises(duckdb.Error) as caught:
            run_in_engine(make_measure(query=query), inputs)
    assert not is_bug(caught.value)
    assert "memory" in describe_error(caught.value)


def test_a_library_that_may_open_no_more_files_says_what_to_do(tmp_path: Path) -> None:
    script = (
        "import duckdb, resource, sys; from piperoll.errors import describe_error, is_bug\n"
        "connection = duckdb.connect()\n"
        "connection.execute(f\"COPY (SELECT 1 AS one) TO '{sys.argv[1]}' (FORMAT parquet)\")\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "try: connection.execute(f\"SELECT * FROM read_parquet('{sys.argv[1]}')\")\n"
        "except duckdb.Error as error: print(is_bug(error), describe_error(error))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "one.parquet")]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout
    assert said.startswith("False")
    assert said.strip().endswith("raise the limit of open files (ulimit -n), and run again")


_PARSES_AND_ENDS = """
import ctypes
from piperoll.measuring import inputs
inputs.find_tables("SELECT 1 FROM spend")
ctypes.pythonapi.Py_IncRef(ctypes.py_object(inputs._parser))  # in a whole run, other things keep the module alive
"""


def test_a_run_does_not_end_with_complaints_of_duckdb_about_what_is_open() -> None:
    command = [sys.executable, "-P", "-c", _PARSES_AND_ENDS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
