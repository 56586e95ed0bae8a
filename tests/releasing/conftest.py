"""Fixtures of releasing: tables as reading hands them over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from piperoll import assets
from piperoll.model import Disposition, Period, Report, Series
from piperoll.reading import ReadTable
from tests.releasing.example_tables import ANYTOWN, COLUMNS, OCTOBER, Pack, report, table, table_report


@pytest.fixture
def packing(tmp_path: Path) -> Pack:
    return Pack(tmp_path)


@pytest.fixture
def make_table() -> Callable[..., ReadTable]:
    return table


@pytest.fixture
def october() -> ReadTable:
    return table(OCTOBER, COLUMNS)


@pytest.fixture
def october_disposition() -> Disposition:
    """Row 8 (A. Carer) is held, row 6 (Name withheld) redacted."""
    return Disposition(held={0: {8: frozenset({"privacy-name"})}}, redacted={0: {6: "personal"}})


@pytest.fixture
def said_of_october(october: ReadTable) -> Report:
    """What checking says of October, all of it accepted."""
    series = Series("spend", ANYTOWN.slug, Period.parse("2026-10"))
    return report(assets.dataset("spend"), series, [table_report(october, "net_amount", {})])
