"""Made-up mess: whatever befalls a clean table, what is read equals it, or a finding names what made it impossible.

The long run of the same is `python -m tests.reading.mess --cases 100000 --seed 1`.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mess.cases import DATASETS, Case, Result, drawn, examined, registered, smaller
from mess.comparing import EQUAL, TOLD

NAMES = [each.name for each in registered()]
OF_WORKBOOKS = ("more_sheets", "a_sheet_for_each_part")


def assert_right(result: Result) -> None:
    if result.outcome not in (EQUAL, TOLD):
        least = smaller(result)
        raise AssertionError(f"{least.outcome}: {least.case} {least.found[:3]}")


@pytest.mark.parametrize("name", NAMES)
def test_one_mess_is_read_or_told(name: str) -> None:
    form = "xlsx" if name in OF_WORKBOOKS else "csv"
    results = [
        examined(Case(seed, dataset, 9, form, (name,))) for seed in range(1 + (form == "csv")) for dataset in DATASETS
    ]
    for result in results:
        assert_right(result)
    assert any(name in result.befell for result in results), f"{name} befell none of the tables"


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(DATASETS),
    st.integers(3, 20),
    st.sampled_from(["csv", "csv", "csv", "json"]),
    st.lists(st.sampled_from(NAMES), unique=True, max_size=6),
)
def test_any_messes_together_are_read_or_told(seed: int, dataset: str, rows: int, form: str, names: list[str]) -> None:
    assert_right(examined(Case(seed, dataset, rows, form, tuple(names))))


@pytest.mark.parametrize("form", ["xlsx", "ods"])
@pytest.mark.parametrize("seed", range(4))
def test_workbooks_are_read_or_told(form: str, seed: int) -> None:
    assert_right(examined(drawn(seed, 5, (form,))))


def test_a_case_is_a_function_of_its_numbers() -> None:
    case = drawn(7, 8, ("csv",))
    assert examined(case) == examined(case)
