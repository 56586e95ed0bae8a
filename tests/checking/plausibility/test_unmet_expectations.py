"""Suites in the JSON of Great Expectations become findings at the sender's address; what we use of GX is pinned."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from piperoll import assets
from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility import find_unmet_expectations, parse_suite
from piperoll.checking.plausibility.columns import Frame
from piperoll.checking.plausibility.outcomes import RowAddresses
from piperoll.checking.plausibility.rules import compile_expectation
from piperoll.checking.plausibility.suite import Expectation
from piperoll.errors import DescriptorError
from piperoll.model import Dataset, Severity, Verdict
from piperoll.reading import read
from piperoll.reading.columns.assignment import ColumnChoice
from tests.checking.made_readings import codes, examined, made_table, spend_row

SPEND = assets.dataset("spend")


def left_to_reference(dataset: Dataset, expectations: Sequence[Expectation]) -> list[Expectation]:
    """The expectations that Great Expectations must evaluate, whatever the table."""
    kinds = Frame((), dataset).kinds
    return [each for each in expectations if compile_expectation(each, kinds) is None]


def expectation(kind: str, code: str, severity: str = "warning", **kwargs: object) -> dict[str, Any]:
    words = {"code": code, "message": f"{code} is not met", "fix": "Look again."}
    return {"type": kind, "kwargs": kwargs, "severity": severity, "notes": "The reason.", "meta": words}


def suite(*expectations: dict[str, Any]) -> str:
    return json.dumps({"name": "test", "expectations": list(expectations), "meta": {}})


LARGE = expectation(
    "expect_column_values_to_be_between", "amount-implausibly-large", "critical", column="net_amount", max_value=1000
)
MEAN = expectation("expect_column_mean_to_be_between", "many-zero-amounts", "info", column="net_amount", max_value=10)


def test_each_unexpected_row_is_a_finding_at_its_address() -> None:
    rows = [spend_row(net_amount=amount) for amount in ("1", "2000", None, "3000.50")]
    unmet = examined(made_table(rows=rows, sheet="Oct", first_row=7), suite=suite(LARGE))
    (found,) = [finding for finding in unmet.report.findings if finding.code == "amount-implausibly-large"]
    assert (found.sheet, found.row, found.column, found.field) == ("Oct", 8, "C", "net_amount")
    assert (found.rows, found.count) == ((8, 10), 2)
    assert found.severity is Severity.ERROR
    assert "amount-implausibly-large is not met" in found.message
    assert found.fix == "Look again."


def test_every_unexpected_row_is_named_and_not_the_first_twenty() -> None:
    table = made_table(rows=[spend_row(net_amount="2000")] * 500)
    (unmet,) = find_unmet_expectations([table], SPEND, suite(LARGE))
    assert tuple(unmet.rows) == tuple((0, row) for row in range(2, 502))


def test_an_expectation_about_a_whole_column_is_one_finding_with_what_was_observed() -> None:
    (unmet,) = find_unmet_expectations(
        [made_table(rows=[spend_row(net_amount="20"), spend_row(net_amount="30")])], SPEND, suite(MEAN)
    )
    assert (unmet.severity, tuple(unmet.rows), unmet.observed, unmet.field) == (
        Severity.INFO,
        (),
        "£25.00",
        "net_amount",
    )
    report = examined(made_table(rows=[spend_row(net_amount="20")] * 2), suite=suite(MEAN)).report
    (finding,) = [each for each in report.findings if each.code == "many-zero-amounts"]
    assert "we found £20.00" in finding.message


TOKENS = expectation(
    "expect_column_values_to_not_be_in_set", "many-tokens", column="net_amount", mostly=0.9, value_set=[0.0]
)
MEDIAN = expectation("expect_column_median_to_be_between", "in-thousands", column="net_amount", min_value=500)


@pytest.mark.parametrize(("lines", "found"), [(1, []), (4, []), (5, ["many-tokens", "in-thousands"])])
def test_one_contract_without_a_value_is_not_called_many(lines: int, found: list[str]) -> None:
    table = made_table(rows=[spend_row(net_amount="0")] * lines)
    assert [unmet.code for unmet in find_unmet_expectations([table], SPEND, suite(TOKENS, MEDIAN))] == found


ORDER = expectation(
    "expect_column_pair_values_a_to_be_greater_than_b", "ends-first", column_A="payment_date", column_B="period_start"
)


@pytest.mark.parametrize(
    ("how", "wrong", "found"),
    [("content", 6, []), ("content", 5, ["ends-first"]), ("listed", 10, ["ends-first"])],
)
def test_two_columns_chosen_by_their_cells_are_doubted_before_most_of_the_lines(
    how: str, wrong: int, found: list[str]
) -> None:
    starts = ["2026-10-30" if number < wrong else "2026-10-01" for number in range(10)]
    rows = [spend_row(period_start=start) for start in starts]
    table = made_table(rows=rows)
    choice = ColumnChoice("period_start", 0, "", 0.5, how=how)
    table = replace(table, choices={"period_start": choice})
    assert [unmet.code for unmet in find_unmet_expectations([table], SPEND, suite(ORDER))] == found


def test_tables_are_evaluated_as_one_and_rows_keep_their_table() -> None:
    tables = [made_table(rows=[spend_row(net_amount=amount)] * 3, sheet=amount) for amount in ("5", "5000")]
    (unmet,) = find_unmet_expectations(tables, SPEND, suite(LARGE))
    assert tuple(unmet.rows) == ((1, 2), (1, 3), (1, 4))


def test_expectations_about_absent_columns_are_skipped_and_the_order_is_the_suites() -> None:
    absent = expectation("expect_column_values_to_be_between", "absent", column="irrecoverable_vat", max_value=0)
    pair = expectation(
        "expect_column_pair_values_a_to_be_greater_than_b", "pair", column_A="net_amount", column_B="irrecoverable_vat"
    )
    table = made_table(rows=[spend_row(net_amount="2000")])
    assert [unmet.code for unmet in find_unmet_expectations([table], SPEND, suite(absent, MEAN, pair, LARGE))] == [
        "many-zero-amounts",
        "amount-implausibly-large",
    ]


def test_dates_are_compared_as_dates_and_text_as_text() -> None:
    late = expectation(
        "expect_column_values_to_be_between", "late", column="payment_date", max_value="2026-10-31T00:00:00"
    )
    word = expectation("expect_column_values_to_not_match_regex", "word", column="purpose", regex="^[0-9]+$")
    rows = [spend_row(payment_date="2026-11-01"), spend_row(purpose="123"), spend_row(payment_date=None, purpose=None)]
    unmet = find_unmet_expectations([made_table(rows=rows)], SPEND, suite(late, word))
    assert [(each.code, tuple(each.rows)) for each in unmet] == [("late", ((0, 2),)), ("word", ((0, 3),))]


def test_an_expectation_that_fails_raises_an_error() -> None:
    broken = expectation("expect_column_values_to_match_regex", "broken", column="net_amount", regex="(")
    with pytest.raises(DescriptorError, match="broken could not be evaluated"):
        list(find_unmet_expectations([made_table(rows=[spend_row()])], SPEND, suite(broken)))


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "{}",
        suite({"type": "x", "kwargs": {}, "severity": "warning", "meta": {"code": "x"}}),
        suite(expectation("expect_column_to_exist", "x", "dreadful", column="net_amount")),
    ],
)
def test_a_suite_that_is_invalid_or_lacks_our_meta_raises_an_error(text: str) -> None:
    with pytest.raises(DescriptorError):
        list(find_unmet_expectations([made_table(rows=[spend_row()])], SPEND, text))


def test_without_rows_or_a_suite_there_is_no_finding() -> None:
    assert list(find_unmet_expectations([made_table(columns=["net_amount"])], SPEND, suite(LARGE))) == []
    assert "large" not in codes(examined(made_table(rows=[spend_row(net_amount="2000")])))


def test_an_error_of_plausibility_warns_and_holds_nothing() -> None:
    unmet = examined(made_table(rows=[spend_row(net_amount="2000")] * 3), suite=suite(LARGE))
    assert unmet.report.verdict is Verdict.ACCEPTED_WITH_WARNINGS
    assert unmet.disposition.held == {}


def test_great_expectations_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    list(find_unmet_expectations([made_table(rows=[spend_row()])], SPEND, suite(LARGE, MEAN)))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", assets.dataset_names())
def test_our_own_suites_run_on_a_row_of_every_dataset(name: str) -> None:
    dataset = assets.dataset(name)
    cells = {"number": "1", "integer": "1", "date": "2026-10-05", "boolean": "true", "string": "words"}
    row: dict[str, str | None] = {field.name: cells[field.type] for field in dataset.fields}
    unmet = find_unmet_expectations([made_table(name, rows=[row] * 3)], dataset, assets.suite(name))
    assert {one.code for one in unmet} <= assets.expectation_codes()


def test_a_column_without_a_cell_is_not_implausible() -> None:
    rows = [{"title": "Gritting", "original_value": None, "start_date": "2026-10-01"}] * 8
    assert (
        list(
            find_unmet_expectations(
                [made_table("contracts", rows)], assets.dataset("contracts"), assets.suite("contracts")
            )
        )
        == []
    )


def test_an_expectation_with_a_condition_on_an_absent_column_is_skipped() -> None:
    rows = [{"payment_date": "2026-10-01", "irrecoverable_vat": "5.00"}]
    assert (
        list(find_unmet_expectations([made_table("spend", rows)], assets.dataset("spend"), assets.suite("spend"))) == []
    )


def test_the_periods_in_the_headings_of_a_wide_table_are_a_column() -> None:
    head = "Department,Agency/body,Name of service,2013-Q1 Vol.,2013-Q2 Vol.\r\n"
    body = "".join(f"Dept,Agency,Service {number},{number}00,{number}50\r\n" for number in range(1, 9))
    dataset = assets.dataset("transactions")
    reading = read((head + body).encode(), "services.csv", assets.datasets(), dataset=dataset)
    assert "period_end" not in reading.tables[0].columns
    seen = [expectation("expect_column_values_to_be_null", "seen", column="period_end")]
    assert [each.code for each in find_unmet_expectations(reading.tables, dataset, suite(*seen))] == ["seen"]


SCORES = expectation("expect_column_value_z_scores_to_be_less_than", "scores", column="net_amount", threshold=2)
SCORES["kwargs"]["double_sided"] = True


def test_an_expectation_that_is_not_compiled_is_evaluated_by_the_library_in_its_order() -> None:
    assert [each.meta["code"] for each in left_to_reference(SPEND, parse_suite(suite(LARGE, SCORES, MEAN)))] == [
        "scores"
    ]
    rows = [spend_row(net_amount=str(amount)) for amount in (*range(10, 30), 5000)]
    unmet = list(find_unmet_expectations([made_table(rows=rows)], SPEND, suite(LARGE, SCORES, MEAN)))
    assert [(each.code, tuple(each.rows)) for each in unmet] == [
        ("amount-implausibly-large", ((0, 22),)),
        ("scores", ((0, 22),)),
        ("many-zero-amounts", ()),
    ]


def test_a_row_that_several_lines_share_is_reported_once() -> None:
    table = made_table(rows=[spend_row(net_amount="2000")] * 4, numbers=[2, 2, 5, 5])
    for engine in CheckEngine:
        (unmet,) = find_unmet_expectations([table], SPEND, suite(LARGE), engine)
        assert tuple(unmet.rows) == ((0, 2), (0, 5))


@pytest.mark.parametrize("name", assets.dataset_names())
def test_every_expectation_of_our_suites_is_compiled(name: str) -> None:
    assert left_to_reference(assets.dataset(name), parse_suite(assets.suite(name))) == []


def test_checking_by_our_suites_imports_neither_library() -> None:
    asked = (
        "import sys; from piperoll import assets;"
        "from tests.checking.made_readings import examined, made_table, spend_row;"
        "examined(made_table(rows=[spend_row(supplier_name='Various')] * 3), suite=assets.suite('spend'));"
        "print(sorted({'great_expectations', 'prefect', 'frictionless', 'pandas'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


NOT_COMPILED = [
    ("expect_column_values_to_be_between", {"column": "net_amount", "min_value": 0, "strict_min": True}),
    ("expect_column_values_to_be_between", {"column": "net_amount"}),
    ("expect_column_values_to_be_between", {"column": "net_amount", "min_value": 5, "max_value": 1}),
    ("expect_column_values_to_be_between", {"column": "net_amount", "min_value": 2**60}),
    ("expect_column_values_to_be_between", {"column": "net_amount", "min_value": True}),
    ("expect_column_values_to_be_between", {"column": "supplier_name", "min_value": 1}),
    ("expect_column_values_to_be_between", {"column": "payment_date", "min_value": "2020-01-01"}),
    ("expect_column_values_to_be_between", {"column": "payment_date", "min_value": "2020-02-30T00:00:00"}),
    ("expect_column_values_to_be_between", {"column": "net_amount", "min_value": 0, "mostly": 2}),
    ("expect_column_values_to_be_between", {"min_value": 0}),
    ("expect_column_values_to_be_between", {"column": "no_such_column", "min_value": 0}),
    ("expect_column_values_to_be_in_set", {"column": "net_amount", "value_set": []}),
    ("expect_column_values_to_be_in_set", {"column": "supplier_name", "value_set": ["a", 1]}),
    ("expect_column_values_to_be_in_set", {"column": "payment_date", "value_set": ["2026-10-01"]}),
    ("expect_column_values_to_match_regex", {"column": "net_amount", "regex": "1"}),
    ("expect_column_values_to_match_regex", {"column": "supplier_name", "regex": "("}),
    ("expect_column_values_to_match_regex", {"column": "supplier_name"}),
    ("expect_column_value_lengths_to_be_between", {"column": "supplier_name", "min_value": 1.5}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["supplier_name", "purpose"]}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["purpose"], "ignore_row_if": "any_value_is_missing"}),
    (
        "expect_select_column_values_to_be_unique_within_record",
        {"column_list": ["supplier_name", "net_amount"], "ignore_row_if": "any_value_is_missing"},
    ),
    (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "net_amount", "column_B": "payment_date", "ignore_row_if": "either_value_is_missing"},
    ),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "net_amount", "column_B": "irrecoverable_vat"}),
    ("expect_column_max_to_be_between", {"column": "payment_date", "max_value": "2026-10-01T00:00:00"}),
    ("expect_column_mean_to_be_between", {"column": "supplier_name", "max_value": 1}),
    ("expect_column_stdev_to_be_between", {"column": "net_amount", "max_value": 1}),
]
CONDITIONS = [
    {"row_condition": 'col("net_amount") > 0', "condition_parser": "great_expectations"},
    {"row_condition": {"type": "nullity", "column": {"name": "net_amount"}, "is_null": False}},
    {"row_condition": {"type": "comparison", "column": {"name": "purpose"}, "operator": "==", "parameter": "a"}},
    {"row_condition": {"type": "comparison", "column": {"name": "net_amount"}, "operator": "IN", "parameter": [1]}},
]


@pytest.mark.parametrize(("kind", "kwargs"), NOT_COMPILED)
def test_an_argument_that_is_not_compiled_leaves_the_expectation_to_the_library(
    kind: str, kwargs: dict[str, Any]
) -> None:
    asked = parse_suite(suite(expectation(kind, "asked", **kwargs)))
    assert left_to_reference(SPEND, asked) == asked


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_that_is_not_compiled_is_evaluated_by_the_library(condition: dict[str, Any]) -> None:
    text = suite(
        expectation("expect_column_values_to_be_between", "asked", column="net_amount", max_value=1, **condition)
    )
    assert left_to_reference(SPEND, parse_suite(text)) == parse_suite(text)
    rows = [spend_row(net_amount=amount, purpose="a") for amount in ("1", "2", "3")]
    found = [list(find_unmet_expectations([made_table(rows=rows)], SPEND, text, engine)) for engine in CheckEngine]
    assert [[(each.code, tuple(each.rows)) for each in unmet] for unmet in found] == [
        [("asked", ((0, 3), (0, 4)))] if "IN" not in str(condition) else []
    ] * 2


def test_addresses_keep_the_first_of_equal_ones_in_their_order() -> None:
    rows = [7, 2, 7, 2, 9]
    tables = [0, 0, 0, 1, 1]
    distinct = RowAddresses(np.array(tables, np.int64), np.array(rows, np.int64)).distinct()
    assert list(distinct) == [(0, 7), (0, 2), (1, 2), (1, 9)]
    assert list(RowAddresses().distinct()) == []
