"""Both engines find the same in every real file, by our own suites."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from piperoll import assets
from piperoll.checking.audit import compare_plausibility
from piperoll.checking.plausibility import parse_suite
from piperoll.reading import read

REAL = Path(os.environ.get("REALDATA", Path(__file__).parents[4] / "shared" / "realdata"))
FOLDERS = ("contracts", "gpc", "roles", "spend", "transactions")


def real_files() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (REAL / folder).rglob("*") if path.is_file())


@pytest.mark.real
@pytest.mark.timeout(3600)
def test_both_engines_find_the_same_in_real_files() -> None:
    compared = lines = 0
    for path in real_files():
        reading = read(path.read_bytes(), path.name, assets.datasets())
        if reading.dataset is None or not reading.tables:
            continue
        found = list(
            compare_plausibility(reading.tables, reading.dataset, parse_suite(assets.suite(reading.dataset.name)))
        )
        assert found == [], path
        compared, lines = compared + 1, lines + sum(table.rows for table in reading.tables)
    sys.stdout.write(f"both engines agree on {compared} real files of {lines:,} rows\n")
    assert compared
