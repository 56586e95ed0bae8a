"""Every expectation is unmet on a table made for it, and a whole suite is met on a clean one."""

import json

import pytest

from piperoll import assets
from tests.expectations.made_tables import CLEAN, UNMET, clean, unmet_table


@pytest.mark.parametrize("dataset", CLEAN)
def test_a_suite_is_met_on_a_clean_table(unmet, dataset):
    assert unmet(dataset, clean(dataset)) == set()


@pytest.mark.parametrize(("dataset", "code"), [(dataset, code) for dataset, cases in UNMET.items() for code in cases])
def test_an_expectation_is_unmet_on_a_table_made_for_it(unmet, dataset, code):
    assert unmet(dataset, unmet_table(dataset, code), code) == {code}


@pytest.mark.parametrize("dataset", CLEAN)
def test_every_expectation_has_a_table_made_for_it(dataset):
    suite = json.loads(assets.suite(dataset))
    assert {expectation["meta"]["code"] for expectation in suite["expectations"]} == set(UNMET[dataset])


@pytest.mark.parametrize("dataset", CLEAN)
def test_an_expectation_about_a_missing_column_is_skipped(unmet, dataset):
    assert unmet(dataset, {"row": [2, 3]}) == set()


@pytest.mark.parametrize("dataset", CLEAN)
def test_great_expectations_writes_the_same_suite(gx, dataset):
    document = json.loads(assets.suite(dataset))
    assert "condition_parser" not in assets.suite(dataset)  # GX deprecates it
    assert gx.ExpectationSuite(**document).to_json_dict() == document


def test_pounds_given_as_pence_are_noticed(unmet):
    table = clean("spend") | {"net_amount": [30_000_00.0 + number for number in range(12)]}
    assert unmet("spend", table) == {"amounts-look-like-pence"}


def test_a_single_large_card_payment_is_plausible(unmet):
    table = clean("spend") | {"net_amount": [19.99] * 11 + [4077.61]}
    assert unmet("spend", table) == set()


def test_a_salary_that_is_not_disclosed_is_not_a_small_salary(unmet):
    table = clean("roles") | {"salary_floor": [0.0] * 12, "salary_ceiling": [0.0] * 12}
    assert unmet("roles", table) == set()
