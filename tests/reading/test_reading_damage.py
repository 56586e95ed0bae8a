"""A short run of damaged files; `python -m tests.reading.damage` makes a long one."""

from __future__ import annotations

import pytest
from damage.cases import outcome, seeds_of

HERE, CHILD = seeds_of(None)


@pytest.mark.parametrize("first", range(0, 80, 20))
def test_a_damaged_text_is_read_or_told(first: int) -> None:
    assert [done for seed in range(first, first + 20) if (done := outcome(seed, HERE)).failure] == []


@pytest.mark.parametrize("first", range(0, 12, 6))
def test_a_damaged_workbook_is_read_or_told(first: int) -> None:
    assert [done for seed in range(first, first + 6) if (done := outcome(seed, CHILD)).failure] == []
