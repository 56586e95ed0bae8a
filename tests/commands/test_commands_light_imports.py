"""`piperoll check` imports few libraries, since its users wait for each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from piperoll.sample import sample_files

SPEND = "2026-08/spend/borough-of-little-sampling/Payments over 500 August 2026.csv"
HEAVY = ("great_expectations", "pandas", "prefect", "boto3", "frictionless")
CHECK = """
import json, sys
from piperoll import cli
sys.argv = ["piperoll", "check", *sys.argv[1:]]
try:
    cli.main()
except SystemExit as left:
    print("\\n" + json.dumps([left.code, sorted(sys.modules)]))
"""
ARROW_WITH_PANDAS = """
import sys
import pyarrow as pa
import piperoll.model.columns
pa.array([1, None])
assert "pandas" not in sys.modules
assert pa.table({"cell": pa.array(["a", None])}).to_pandas().shape == (2, 1)
import pandas
assert pa.array(pandas.Series([1.0, None])).null_count == 1
"""


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_check_of_a_good_file_imports_no_heavy_library(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / Path(SPEND).name
    path.write_bytes(dict(sample_files(1))[SPEND])
    done = subprocess.run([sys.executable, "-c", CHECK, path, *options], capture_output=True, text=True, check=True)
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0
    assert not set(HEAVY) & set(modules)


def test_arrow_uses_pandas_once_it_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", ARROW_WITH_PANDAS], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
