"""Audits of many real files together come to the verdict of each file alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from piperoll import assets
from piperoll.checking.audit import AuditSample, audit_together, require_agreement, sample_tables
from piperoll.errors import EngineDisagreement
from piperoll.reading import read

REAL = Path(os.environ.get("REALDATA", Path(__file__).parents[3] / "shared" / "realdata"))
FOLDERS = ("contracts", "gpc", "roles", "spend", "transactions")
MOST_ROWS, POOL = 5_000, 25


@pytest.mark.real
@pytest.mark.timeout(3600)
def test_real_files_audited_together_get_the_verdict_of_each_alone() -> None:
    paths = sorted(path for folder in FOLDERS for path in (REAL / folder).rglob("*") if path.is_file())
    audited = 0
    for start in range(0, len(paths), POOL):
        samples = [sample for path in paths[start : start + POOL] if (sample := read_sample(path))]
        together = [str(error) for error in audit_together(samples)]
        assert together == [verdict_alone(each) for each in samples], paths[start]
        audited += len(samples)
    sys.stdout.write(f"{audited} real files were audited together and alone\n")
    assert audited


def read_sample(path: Path) -> AuditSample | None:
    reading = read(path.read_bytes(), path.name, assets.datasets())
    if reading.dataset is None or not reading.tables:
        return None
    return AuditSample(
        tuple(sample_tables(reading.tables, MOST_ROWS)), reading.dataset, assets.suite(reading.dataset.name)
    )


def verdict_alone(sample: AuditSample) -> str:
    try:
        require_agreement(sample.tables, sample.dataset, sample.suite, MOST_ROWS)
    except EngineDisagreement as error:
        return str(error)
    return str(None)
