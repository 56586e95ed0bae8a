"""`piperoll validate` checks any table against any schema."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCHEMA = {"fields": [{"name": "id", "type": "integer"}, {"name": "day", "type": "date"}], "primaryKey": "id"}
TABLE = "id,day\n1,2020-01-01\n01,2020-02-30\n\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "table.csv").write_text(TABLE)
    (tmp_path / "good.csv").write_text("id,day\n1,2020-01-01\n2,2020-02-29\n")
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    resource = {"name": "table", "path": "table.csv", "schema": "schema.json", "bytes": 5}
    (tmp_path / "datapackage.json").write_text(json.dumps({"name": "package", "resources": [resource]}))
    return tmp_path


def typed(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from piperoll.cli import main; main()", "validate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def found(outcome: subprocess.CompletedProcess[str]) -> list[tuple[object, ...]]:
    return [(each["row"], each["field"], each["type"]) for each in json.loads(outcome.stdout)["errors"]]


EVERY = [(3, "day", "type-error"), (3, None, "primary-key"), (4, None, "blank-row"), (4, None, "primary-key")]


def test_every_error_is_reported_with_its_row_and_field(folder: Path) -> None:
    table, schema = str(folder / "table.csv"), str(folder / "schema.json")
    for engine in ("compiled", "reference"):
        outcome = typed(table, "--schema", schema, "--json", "--engine", engine)
        assert (outcome.returncode, found(outcome)) == (1, EVERY)
    assert "row 3, field 'day': type-error: '2020-02-30'" in typed(table, "--schema", schema).stdout


def test_a_dialect_and_an_encoding_are_used(folder: Path) -> None:
    (folder / "other.csv").write_bytes("id;day\n1;2020-01-01\n1;caf\xe9\n".encode("cp1252"))
    (folder / "dialect.json").write_text('{"delimiter": ";"}')
    schema, dialect = str(folder / "schema.json"), str(folder / "dialect.json")
    options = ("--schema", schema, "--dialect", dialect, "--encoding", "cp1252", "--json")
    errors = json.loads(typed(str(folder / "other.csv"), *options).stdout)["errors"]
    assert [(each["row"], each["type"], each["cell"]) for each in errors] == [
        (3, "type-error", "caf\xe9"),
        (3, "primary-key", None),
    ]


def test_more_errors_than_frictionless_reports_by_default_are_all_reported(folder: Path) -> None:
    (folder / "long.csv").write_text("id,day\n" + "".join(f"{number},never\n" for number in range(1_500)))
    outcome = typed(str(folder / "long.csv"), "--schema", str(folder / "schema.json"), "--json")
    assert json.loads(outcome.stdout)["count"] == 1_500


def test_a_good_table_is_valid(folder: Path) -> None:
    outcome = typed(str(folder / "good.csv"), "--schema", str(folder / "schema.json"))
    assert (outcome.returncode, outcome.stdout.split()[-1]) == (0, "valid")


def test_a_package_is_checked_resource_by_resource(folder: Path) -> None:
    outcome = typed(str(folder / "datapackage.json"), "--json")
    assert found(outcome) == [*EVERY, (None, None, "byte-count")]
    assert {each["resource"] for each in json.loads(outcome.stdout)["errors"]} == {"table"}


def test_a_missing_file_or_schema_is_a_usage_error(folder: Path) -> None:
    assert "name the schema" in typed(str(folder / "table.csv")).stderr
    assert "there is no file" in typed(str(folder / "none.csv"), "--schema", "x.json").stderr
    assert typed(str(folder / "none.csv")).returncode == 2
