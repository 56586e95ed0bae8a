"""The assignment is the best there is: compared with every possible one."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from piperoll.reading.columns.assignment import best_pairs

WEIGHTS = st.dictionaries(
    st.tuples(st.sampled_from("abcde"), st.integers(0, 4)), st.integers(1, 50), min_size=0, max_size=16
)


def total(weights: dict, pairs: dict) -> int:
    return sum(weights[pair] for pair in pairs.items())


def brute(weights: dict) -> int:
    rows = sorted({row for row, _ in weights})
    columns = [*sorted({column for _, column in weights}), *[None] * len(rows)]
    return max(
        sum(weights.get((row, column), -1000) for row, column in zip(rows, order, strict=True) if column is not None)
        for order in set(itertools.permutations(columns, len(rows)))
    )


def test_the_best_pair_is_not_taken_if_the_sum_would_be_lower() -> None:
    weights = {("purpose", 0): 10, ("purpose", 1): 9, ("description", 0): 9}
    assert best_pairs(weights) == {"purpose": 1, "description": 0}


def test_a_row_without_a_free_column_stays_alone() -> None:
    assert best_pairs({("a", 0): 3, ("b", 0): 5}) == {"b": 0}
    assert best_pairs({}) == {}


def test_equal_sums_always_give_the_same_assignment() -> None:
    weights = {("a", 0): 5, ("a", 1): 5, ("b", 0): 5, ("b", 1): 5}
    assert best_pairs(weights) == best_pairs(dict(weights)) == {"a": 0, "b": 1}


@given(WEIGHTS)
def test_no_other_assignment_is_better(weights: dict) -> None:
    pairs = best_pairs(weights)
    assert set(pairs.items()) <= set(weights)
    assert len(set(pairs.values())) == len(pairs)
    if len({row for row, _ in weights}) < 5 and len({column for _, column in weights}) < 4:
        assert total(weights, pairs) == brute(weights)
