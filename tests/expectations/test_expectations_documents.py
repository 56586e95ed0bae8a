"""Every expectation has a severity, the reason for its bound, and what to do."""

import json
import re

import pytest

from piperoll import assets

SUITES = {name: json.loads(assets.suite(name))["expectations"] for name in assets.dataset_names()}
EXPECTATIONS = [(name, expectation) for name, suite in SUITES.items() for expectation in suite]
NAMES = [f"{name}: {expectation['meta']['code']}" for name, expectation in EXPECTATIONS]

RESTATES = {
    "expect_column_to_exist",
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
    "expect_table_columns_to_match_set",
    "expect_table_columns_to_match_ordered_list",
}
COLUMNS = ("column", "column_A", "column_B")


def columns_of(expectation):
    kwargs = expectation["kwargs"]
    return [kwargs[name] for name in COLUMNS if name in kwargs] + list(kwargs.get("column_list", ()))


@pytest.mark.parametrize("dataset", SUITES)
def test_a_suite_has_at_least_ten_expectations_each_with_its_own_code(dataset):
    codes = [expectation["meta"]["code"] for expectation in SUITES[dataset]]
    assert len(codes) >= 10
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(("dataset", "expectation"), EXPECTATIONS, ids=NAMES)
def test_an_expectation_has_a_message_a_fix_and_a_reason(dataset, expectation):
    meta = expectation["meta"]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", meta["code"])
    assert expectation["severity"] in {"critical", "warning", "info"}
    assert len(expectation["notes"]) > 40
    assert meta["message"].endswith((".", "?"))
    assert meta["fix"].endswith((".", "?"))


@pytest.mark.parametrize(("dataset", "expectation"), EXPECTATIONS, ids=NAMES)
def test_an_expectation_names_columns_of_its_dataset(dataset, expectation):
    known = {field.name for field in assets.dataset(dataset).fields} | {"row"}
    assert columns_of(expectation)
    assert {*columns_of(expectation), expectation["meta"]["field"]} <= known


@pytest.mark.parametrize(("dataset", "expectation"), EXPECTATIONS, ids=NAMES)
def test_no_expectation_restates_the_schema(dataset, expectation):
    assert expectation["type"] not in RESTATES
    for name in set(columns_of(expectation)) - {"row"}:
        constraints = assets.dataset(dataset).field(name).constraints or {}
        assert not ("in_set" in expectation["type"] and "enum" in constraints)
        assert expectation["kwargs"].get("regex") != constraints.get("pattern", object())
        bound = expectation["kwargs"].get("min_value", object())
        assert not (expectation["type"] == "expect_column_values_to_be_between" and bound == constraints.get("minimum"))
