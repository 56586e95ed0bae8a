"""Plausibility: suites in GX's own JSON become findings at the sender's address, and what we use of GX is pinned."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from piperoll import assets
from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility import expectations, find_unmet_expectations
from piperoll.checking.plausibility.engine import left_to_reference
from piperoll.errors import DescriptorError
from piperoll.model import Severity, Verdict
from piperoll.reading import read
from tests.checking.made_readings import codes, examined, made_table, spend_row

SPEND = assets.dataset("spend")


def expectation(kind: str, code: str, severity: str = "warning", **kwargs: object) -> dict[str, Any]:
    words = {"code": code, "message": f"{code} was said", "fix": "Look again."}
    return {"type": kind, "kwargs": kwargs, "severity": severity, "notes": "The reason.", "meta": words}


def suite(*expectations: dict[str, Any]) -> str:
    return json.dumps({"name": "test", "expectations": list(expectations), "meta": {}})


LARGE = expectation("expect_column_values_to_be_between", "large", "critical", column="net_amount", max_value=1000)
MEAN = expectation("expect_column_mean_to_be_between", "mean", "info", column="net_amount", max_value=10)


def test_each_unexpected_row_is_a_finding_at_its_address() -> None:
    rows = [spend_row(net_amount=amount) for amount in ("1", "2000", None, "3000.50")]
    said = examined(made_table(rows=rows, sheet="Oct", first_row=7), suite=suite(LARGE))
    found = [finding for finding in said.report.findings if finding.code == "large"]
    assert [(each.sheet, each.row, each.column, each.field) for each in found] == [
        ("Oct", 8, "C", "net_amount"),
        ("Oct", 10, "C", "net_amount"),
    ]
    assert found[0].severity is Severity.ERROR
    assert found[0].message == "Cell C8 of sheet 'Oct': large was said"
    assert found[0].fix == "Look again."


def test_every_unexpected_row_is_named_and_not_the_first_twenty() -> None:
    table = made_table(rows=[spend_row(net_amount="2000")] * 500)
    (said,) = find_unmet_expectations([table], SPEND, suite(LARGE))
    assert tuple(said.rows) == tuple((0, row) for row in range(2, 502))


def test_an_expectation_about_the_whole_is_one_finding_with_what_was_found() -> None:
    (said,) = find_unmet_expectations(
        [made_table(rows=[spend_row(net_amount="20"), spend_row(net_amount="30")])], SPEND, suite(MEAN)
    )
    assert (said.severity, tuple(said.rows), said.observed, said.field) == (Severity.INFO, (), "25.0", "net_amount")
    report = examined(made_table(rows=[spend_row(net_amount="20")] * 2), suite=suite(MEAN)).report
    (finding,) = [each for each in report.findings if each.code == "mean"]
    assert "we found 20.0" in finding.message


def test_tables_are_looked_at_as_one_and_rows_lead_back_to_their_sheet() -> None:
    tables = [made_table(rows=[spend_row(net_amount=amount)] * 3, sheet=amount) for amount in ("5", "5000")]
    (said,) = find_unmet_expectations(tables, SPEND, suite(LARGE))
    assert tuple(said.rows) == ((1, 2), (1, 3), (1, 4))


def test_columns_that_a_file_has_not_are_left_out_and_order_is_the_suites() -> None:
    absent = expectation("expect_column_values_to_be_between", "absent", column="irrecoverable_vat", max_value=0)
    pair = expectation(
        "expect_column_pair_values_a_to_be_greater_than_b", "pair", column_A="net_amount", column_B="irrecoverable_vat"
    )
    table = made_table(rows=[spend_row(net_amount="2000")])
    assert [said.code for said in find_unmet_expectations([table], SPEND, suite(absent, MEAN, pair, LARGE))] == [
        "mean",
        "large",
    ]


def test_dates_are_dates_and_text_is_text() -> None:
    late = expectation(
        "expect_column_values_to_be_between", "late", column="payment_date", max_value="2026-10-31T00:00:00"
    )
    word = expectation("expect_column_values_to_not_match_regex", "word", column="purpose", regex="^[0-9]+$")
    rows = [spend_row(payment_date="2026-11-01"), spend_row(purpose="123"), spend_row(payment_date=None, purpose=None)]
    said = find_unmet_expectations([made_table(rows=rows)], SPEND, suite(late, word))
    assert [(each.code, tuple(each.rows)) for each in said] == [("late", ((0, 2),)), ("word", ((0, 3),))]


def test_an_expectation_that_raises_is_our_fault() -> None:
    broken = expectation("expect_column_values_to_match_regex", "broken", column="net_amount", regex="(")
    with pytest.raises(DescriptorError, match="broken could not be worked out"):
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
def test_a_suite_without_our_words_is_our_fault(text: str) -> None:
    with pytest.raises(DescriptorError):
        list(find_unmet_expectations([made_table(rows=[spend_row()])], SPEND, text))


def test_no_rows_and_no_suite_are_nothing_to_say() -> None:
    assert list(find_unmet_expectations([made_table(columns=["net_amount"])], SPEND, suite(LARGE))) == []
    assert "large" not in codes(examined(made_table(rows=[spend_row(net_amount="2000")])))


def test_an_error_of_plausibility_warns_and_holds_nothing() -> None:
    said = examined(made_table(rows=[spend_row(net_amount="2000")] * 3), suite=suite(LARGE))
    assert said.report.verdict is Verdict.ACCEPTED_WITH_WARNINGS
    assert said.disposition.held == {}


def test_it_says_nothing_on_a_persons_screen(capfd: pytest.CaptureFixture[str]) -> None:
    list(find_unmet_expectations([made_table(rows=[spend_row()])], SPEND, suite(LARGE, MEAN)))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", assets.dataset_names())
def test_our_own_suites_run_on_a_row_of_every_dataset(name: str) -> None:
    dataset = assets.dataset(name)
    cells = {"number": "1", "integer": "1", "date": "2026-10-05", "boolean": "true", "string": "words"}
    row: dict[str, str | None] = {field.name: cells[field.type] for field in dataset.fields}
    list(find_unmet_expectations([made_table(name, rows=[row] * 3)], dataset, assets.suite(name)))


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


def test_a_condition_on_a_column_that_a_file_has_not_leaves_the_expectation_out() -> None:
    rows = [{"payment_date": "2026-10-01", "irrecoverable_vat": "5.00"}]
    assert (
        list(find_unmet_expectations([made_table("spend", rows)], assets.dataset("spend"), assets.suite("spend"))) == []
    )


def test_the_periods_that_a_wide_table_says_in_its_headings_are_looked_at() -> None:
    head = "Department,Agency/body,Name of service,2013-Q1 Vol.,2013-Q2 Vol.\r\n"
    body = "".join(f"Dept,Agency,Service {number},{number}00,{number}50\r\n" for number in range(1, 9))
    dataset = assets.dataset("transactions")
    reading = read((head + body).encode(), "services.csv", assets.datasets(), dataset=dataset)
    assert "period_end" not in reading.tables[0].columns
    seen = [expectation("expect_column_values_to_be_null", "seen", column="period_end")]
    assert [each.code for each in find_unmet_expectations(reading.tables, dataset, suite(*seen))] == ["seen"]


SCORES = expectation("expect_column_value_z_scores_to_be_less_than", "scores", column="net_amount", threshold=2)
SCORES["kwargs"]["double_sided"] = True


def test_what_is_not_compiled_is_worked_out_by_the_library_and_keeps_its_place() -> None:
    assert [each.meta["code"] for each in left_to_reference(SPEND, expectations(suite(LARGE, SCORES, MEAN)))] == [
        "scores"
    ]
    rows = [spend_row(net_amount=str(amount)) for amount in (*range(10, 30), 5000)]
    said = list(find_unmet_expectations([made_table(rows=rows)], SPEND, suite(LARGE, SCORES, MEAN)))
    assert [(each.code, tuple(each.rows)) for each in said] == [
        ("large", ((0, 22),)),
        ("scores", ((0, 22),)),
        ("mean", ()),
    ]


def test_rows_are_told_once_though_several_lines_share_them() -> None:
    table = made_table(rows=[spend_row(net_amount="2000")] * 4, numbers=[2, 2, 5, 5])
    for engine in CheckEngine:
        (said,) = find_unmet_expectations([table], SPEND, suite(LARGE), engine)
        assert tuple(said.rows) == ((0, 2), (0, 5))


@pytest.mark.parametrize("name", assets.dataset_names())
def test_our_own_suites_need_no_library(name: str) -> None:
    assert left_to_reference(assets.dataset(name), expectations(assets.suite(name))) == []


def test_checking_by_our_suites_imports_neither_library() -> None:
    asked = (
        "import sys; from made_readings import examined, made_table, spend_row; from piperoll import assets;"
        "examined(made_table(rows=[spend_row(supplier_name='Various')] * 3), suite=assets.suite('spend'));"
        "print(sorted({'great_expectations', 'prefect'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
