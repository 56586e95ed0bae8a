"""A short run of damaged files; `python -m tests.reading.damage` makes a long one."""

from __future__ import annotations

import time

import pytest
from damage import seeds
from damage.cases import outcome, seeds_of

from piperoll import assets
from piperoll.reading import read

HERE, CHILD = seeds_of(None)


@pytest.mark.parametrize("first", range(0, 80, 20))
def test_a_damaged_text_is_read_or_told(first: int) -> None:
    assert [done for seed in range(first, first + 20) if (done := outcome(seed, HERE)).failure] == []


@pytest.mark.parametrize("first", range(0, 12, 6))
def test_a_damaged_workbook_is_read_or_told(first: int) -> None:
    assert [done for seed in range(first, first + 6) if (done := outcome(seed, CHILD)).failure] == []


def test_a_row_of_thousands_of_cells_takes_no_longer_than_another() -> None:
    content = seeds.text().encode() + b"," * 6000 + b"\r\n"
    started = time.process_time()
    reading = read(content, "file.csv", assets.datasets(), dataset=assets.dataset("spend"))
    assert reading.tables[0].rows == len(seeds.ROWS)
    assert time.process_time() - started < 5
