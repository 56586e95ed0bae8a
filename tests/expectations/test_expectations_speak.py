"""Every expectation speaks on a table made for it, and a whole suite is silent on a clean one."""

import json

import pytest
from made_tables import CLEAN, SPEAKS, clean, speaking

from piperoll import assets


@pytest.mark.parametrize("dataset", CLEAN)
def test_a_suite_is_silent_on_a_clean_table(unmet, dataset):
    assert unmet(dataset, clean(dataset)) == set()


@pytest.mark.parametrize(("dataset", "code"), [(dataset, code) for dataset, cases in SPEAKS.items() for code in cases])
def test_an_expectation_speaks_on_a_table_made_for_it(unmet, dataset, code):
    assert unmet(dataset, speaking(dataset, code), code) == {code}


@pytest.mark.parametrize("dataset", CLEAN)
def test_every_expectation_has_a_table_made_for_it(dataset):
    suite = json.loads(assets.suite(dataset))
    assert {expectation["meta"]["code"] for expectation in suite["expectations"]} == set(SPEAKS[dataset])


@pytest.mark.parametrize("dataset", CLEAN)
def test_an_expectation_about_a_column_that_is_missing_is_left_out(unmet, dataset):
    assert unmet(dataset, {"row": [2, 3]}) == set()


@pytest.mark.parametrize("dataset", CLEAN)
def test_great_expectations_writes_a_suite_as_it_stands(gx, dataset):
    document = json.loads(assets.suite(dataset))
    assert "condition_parser" not in assets.suite(dataset)  # GX deprecates it
    assert gx.ExpectationSuite(**document).to_json_dict() == document


def test_pounds_given_as_pence_are_told(unmet):
    table = clean("spend") | {"net_amount": [30_000_00.0 + number for number in range(12)]}
    assert unmet("spend", table) == {"amounts-look-like-pence"}


def test_a_single_large_card_payment_says_nothing(unmet):
    table = clean("spend") | {"net_amount": [19.99] * 11 + [4077.61]}
    assert unmet("spend", table) == set()


def test_what_is_not_disclosed_is_no_small_salary(unmet):
    table = clean("roles") | {"salary_floor": [0.0] * 12, "salary_ceiling": [0.0] * 12}
    assert unmet("roles", table) == set()
