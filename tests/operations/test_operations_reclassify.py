"""What a change of the rules for functions would move in a store, before it is taken."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from piperoll import assets
from piperoll.cli import app
from piperoll.enriching import functions
from piperoll.enriching.functions import Tier, load_rules
from piperoll.operations.catalogue.build import update_consolidated
from piperoll.operations.reclassify import compare_lines, find_moved
from piperoll.operations.run_request import RunRequest
from publishers import open_store
from tests.operations.inbox import plain_run, put

SPENDING = """\
Directorate,Purpose,Supplier,Payment Date,Amount,Transaction Number
Highways,Surfacing,Roadworks Ltd,03/10/2026,"1,000.00",T1
Finance,Bank charges,Ledger Ltd,04/10/2026,200.50,T2
Highways,Surfacing,Roadworks Ltd,07/10/2026,-100.00,T3
"""


def write(path: Path, **columns: object) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_pounds_are_moved_from_what_the_file_says_to_what_the_rules_say(tmp_path: Path) -> None:
    path = write(
        tmp_path / "spend.parquet",
        org_unit=["Highways", "Highways", "Finance", "Finance"],
        net_amount=pa.array([Decimal("1000.00"), Decimal("-100.00"), Decimal("7.00"), None], pa.decimal128(38, 4)),
        assigned_function=["i-estates", "i-estates", "i-finance", "i-legal"],
        side=["I", "I", "I", "I"],
        contested=[True, True, False, False],
    )
    moved = compare_lines(assets.dataset("spend"), "anytown", "2026-27", path)
    assert [(one.function_before, one.function, one.lines, one.amount, one.changes_side) for one in moved] == [
        ("i-estates", "o-assets", 2, Decimal("900.00"), True),
        ("i-legal", "i-finance", 1, Decimal(0), False),
    ]
    assert [(one.contested_before, one.contested) for one in moved] == [(True, False), (False, False)]


def test_files_older_than_functions_were_unknown_and_posts_move_by_fte(tmp_path: Path) -> None:
    path = write(
        tmp_path / "roles.parquet",
        job_title=["Accountant", "Oddfellow"],
        fte=pa.array([Decimal("2.5"), Decimal("1")], pa.decimal128(38, 4)),
    )
    (one,) = compare_lines(assets.dataset("roles"), "anytown", "2026-27", path)
    assert (one.side_before, one.function, one.amount, one.unit) == ("U", "i-finance", Decimal("2.5"), "FTE")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    order = RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox")
    put(tmp_path / "inbox", "spend/anytown/spend October 2026.csv", SPENDING.encode())
    plain_run(order, catalogued=False)
    (tmp_path / "scratch").mkdir()
    update_consolidated(open_store(order.to), [("spend", "anytown")], tmp_path / "scratch", careful=False)
    return tmp_path / "out"


def test_a_rule_that_changes_shows_its_pounds_by_body_before_it_is_taken(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unchanged = CliRunner().invoke(app, ["classify", "--store", str(store)])
    assert "Nothing would change" in unchanged.output
    rules = load_rules()
    other = [
        replace(rule, function=rules.functions["i-estates"]) if rule.id == "roads" else rule
        for rule in rules.rules[Tier.ACTIVITY]
    ]
    changed = replace(rules, rules={**rules.rules, Tier.ACTIVITY: tuple(other)}, _first_rules={})
    monkeypatch.setattr(functions, "load_rules", lambda: changed)
    (one,) = find_moved(open_store(str(store)))
    assert (one.body, one.function_before, one.function, one.amount) == (
        "anytown",
        "o-assets",
        "i-estates",
        Decimal("900.00"),
    )
    out = tmp_path / "moved.csv"
    shown = CliRunner().invoke(app, ["classify", "--store", str(store), "--out", str(out)])
    assert "Front line to overhead" in shown.output
    assert "£900" in shown.output
    with out.open(encoding="utf-8", newline="") as stream:
        assert [(row["body"], row["side_before"], row["side"], row["amount"]) for row in csv.DictReader(stream)] == [
            ("anytown", "O", "I", "900.00")
        ]
    as_json = CliRunner().invoke(app, ["classify", "--store", str(store), "--json"])
    assert [entry["lines"] for entry in json.loads(as_json.output)["moved"]] == [2]


def test_a_file_and_a_store_together_are_refused(store: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["classify", str(tmp_path / "a.csv"), "--store", str(store)])
    assert result.exit_code != 0
