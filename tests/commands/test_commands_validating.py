"""`piperoll validate`: any table by any schema, from the command line."""

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


def typed(*arguments: str, code: str = "from piperoll.cli import main; main()") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, "validate", *arguments], capture_output=True, text=True, check=False
    )


def found(outcome: subprocess.CompletedProcess[str]) -> list[tuple[object, ...]]:
    return [(each["row"], each["field"], each["type"]) for each in json.loads(outcome.stdout)["errors"]]


EVERY = [(3, "day", "type-error"), (3, None, "primary-key"), (4, None, "blank-row"), (4, None, "primary-key")]


def test_every_error_is_told_with_its_row_and_field(folder: Path) -> None:
    table, schema = str(folder / "table.csv"), str(folder / "schema.json")
    for engine in ("compiled", "reference"):
        outcome = typed(table, "--schema", schema, "--json", "--engine", engine)
        assert (outcome.returncode, found(outcome)) == (1, EVERY)
    assert "row 3, field 'day': type-error: '2020-02-30'" in typed(table, "--schema", schema).stdout


def test_a_good_table_never_imports_frictionless(folder: Path) -> None:
    code = (
        "import sys\nfrom piperoll.cli import app\ntry:\n    app()\nfinally:\n    print('frictionless' in sys.modules)"
    )
    outcome = typed(str(folder / "good.csv"), "--schema", str(folder / "schema.json"), code=code)
    assert (outcome.returncode, outcome.stdout.split()[-2:]) == (0, ["valid", "False"])


def test_a_package_is_checked_resource_by_resource(folder: Path) -> None:
    outcome = typed(str(folder / "datapackage.json"), "--json")
    assert found(outcome) == [*EVERY, (None, None, "byte-count")]
    assert {each["resource"] for each in json.loads(outcome.stdout)["errors"]} == {"table"}


def test_what_is_missing_is_said_plainly(folder: Path) -> None:
    assert "name the schema" in typed(str(folder / "table.csv")).stderr
    assert "there is no file" in typed(str(folder / "none.csv"), "--schema", "x.json").stderr
    assert typed(str(folder / "none.csv")).returncode == 2
