"""Comparing the lines of one table: repeats and amounts far above the rest."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll import assets
from piperoll.checking.survey import visit_batches
from piperoll.checking.within_file import FarAbove, LineComparer, find_far_above
from tests.checking.made_readings import made_table

SPEND = assets.dataset("spend")
CELLS = st.sampled_from([None, "", "a", "b", "ab", "Acme Ltd", "Acme Trading Ltd", "Éclair Trading Ltd"])


@given(st.lists(st.fixed_dictionaries({"supplier_name": CELLS, "purpose": CELLS, "expense_type": CELLS}), min_size=1))
def test_repeats_are_those_that_a_comparison_one_by_one_finds(rows: list[dict[str, str | None]]) -> None:
    table = made_table(rows=rows, columns=["supplier_name", "purpose", "expense_type"], batch_rows=3)
    comparer = LineComparer(table, SPEND)
    visit_batches(table, comparer)
    seen, expected = set(), []
    for number, row in enumerate(rows, start=2):
        cells = tuple(row[name] or "" for name in sorted(row))
        if cells in seen:
            expected.append(number)
        seen.add(cells)
    found = [row for finding in comparer.result() for row in finding.rows]
    assert found == expected


def test_long_texts_that_differ_only_in_the_middle_are_no_repeats() -> None:
    names = ("Imaginary Gardens of Northshire Ltd", "Imaginary Gardens of Southshire Ltd")
    table = made_table(rows=[{"supplier_name": name, "net_amount": "600.00"} for name in names])
    comparer = LineComparer(table, SPEND)
    visit_batches(table, comparer)
    assert comparer.result() == ()


@pytest.mark.parametrize("scale", [1, 1_000, 1_000_000])
def test_payments_of_any_ordinary_spread_have_none_far_above_the_rest(scale: int) -> None:
    draw = random.Random(scale)  # noqa: S311 - a draw that can be made again
    for _ in range(50):
        amounts = np.array([draw.lognormvariate(0, draw.uniform(0.2, 2.0)) * scale for _ in range(500)])
        assert find_far_above(amounts) is None


def test_two_reference_numbers_among_amounts_are_both_far_above_the_rest() -> None:
    amounts = np.array([1800.0, 950.0, 700.0, 12_300_456_789.0, 640.0, np.nan, 630.0, 11_900_000_000.0, 600.0])
    assert find_far_above(amounts) == FarAbove(
        11_900_000_000.0, 1800.0, round(10 ** ((np.log10(700) + np.log10(950)) / 2), 2)
    )


def test_a_few_amounts_or_many_large_ones_are_no_outliers() -> None:
    assert find_far_above(np.array([5.0, 1e9, 4.0])) is None
    assert find_far_above(np.array([5.0] * 20 + [1e9] * 20)) is None
    assert find_far_above(np.array([0.0, np.nan])) is None
