"""The audit names each rule that disagrees with its reference, and nothing is released."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

import pytest

from piperoll import assets
from piperoll.checking.audit import (
    AuditSample,
    audit_together,
    compare_plausibility,
    compare_schema,
    require_agreement,
    sample_tables,
)
from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility import Outcome, parse_suite, reference
from piperoll.checking.plausibility.columns import Frame, Kinds
from piperoll.checking.plausibility.rules import RULES, Plan, is_row_by_row
from piperoll.checking.plausibility.suite import Expectation
from piperoll.checking.schema import Breach, find_breaches, find_breaches_together
from piperoll.checking.schema.frictionless_cells import read_cells
from piperoll.errors import EngineDisagreement
from piperoll.model import Dataset
from piperoll.reading import ReadTable
from tests.checking.made_readings import made_table, spend_row
from tests.checking.plausibility.broken_rules import rule_that_finds

SPEND = assets.dataset("spend")
SUITE = assets.suite("spend")
EXPECTATIONS = parse_suite(SUITE)
LARGE = "expect_column_values_to_be_between"


def table(rows: int = 30) -> ReadTable:
    lines = [
        spend_row(transaction_number=f"T{number}", net_amount=f"{number * 100}.00", supplier_name=f"Elder {number} Ltd")
        for number in range(1, rows + 1)
    ]
    return made_table(rows=[*lines, spend_row(net_amount="90000000000.00")])


def sample(*tables: ReadTable) -> AuditSample:
    return AuditSample(tables, SPEND, SUITE)


def test_engines_that_agree_let_a_release_through() -> None:
    require_agreement([table()], SPEND, SUITE, 1000)
    assert list(compare_schema(table(), SPEND)) == []
    assert list(compare_plausibility([table()], SPEND, EXPECTATIONS)) == []


def test_a_broken_rule_is_named_with_how_it_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, LARGE, rule_that_finds(LARGE, []))
    found = list(compare_plausibility([table()], SPEND, EXPECTATIONS))
    assert [each.rule for each in found] == [f"amount-implausibly-large ({LARGE})"]
    assert found[0].how == "the compiled rule says met, Great Expectations not met"
    with pytest.raises(EngineDisagreement, match="nothing is released: amount-implausibly-large"):
        require_agreement([table()], SPEND, SUITE, 1000)


def test_a_rule_that_names_another_row_is_reported_with_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, LARGE, rule_that_finds(LARGE, [3]))
    found = compare_plausibility([table()], SPEND, EXPECTATIONS)
    (large,) = (each for each in found if each.rule.startswith("amount-imp"))
    assert large.how == "they disagree on 2 rows, the first of them row 5"


def test_a_breach_that_only_one_engine_finds_is_reported_once_for_each_rule() -> None:
    def blind(looked_at: ReadTable, dataset: Dataset, engine: CheckEngine) -> Iterable[Breach]:
        return find_breaches(looked_at, dataset, engine) if engine is CheckEngine.REFERENCE else ()

    wrong = made_table(rows=[spend_row(payment_date="no date")] * 3)
    assert list(compare_schema(wrong, SPEND)) == []
    (found,) = compare_schema(wrong, SPEND, blind)
    assert (found.rule, found.how) == (
        "type-error of payment_date",
        "in row 2 only Frictionless refuses the cell",
    )


def test_a_large_table_is_sampled_evenly_and_always_the_same() -> None:
    whole = table(rows=999)
    (once,), (again,) = sample_tables([whole], 100), sample_tables([whole], 100)
    rows = [row for batch in once.batches() for row in batch["row"].to_pylist()]
    assert rows == list(range(2, 1002, 10))
    assert once.rows == 100
    assert [batch.to_pydict() for batch in once.batches()] == [batch.to_pydict() for batch in again.batches()]
    assert sample_tables([whole], 1000) == [whole]


def test_a_sample_spreads_over_all_tables() -> None:
    parts = sample_tables([table(rows=49), replace(table(rows=149), sheet="second")], 20)
    assert [part.rows for part in parts] == [5, 15]
    assert list(_lines(parts)) == 20 * [True]


def _lines(parts: Iterable[ReadTable]) -> Iterator[bool]:
    for part in parts:
        for batch in part.batches():
            yield from (row is not None for row in batch["row"].to_pylist())


MEDIAN = "expect_column_median_to_be_between"


def placeholders(rows: int = 12) -> ReadTable:
    """A table with a supplier that is no name, in its third line."""
    names = ["Various" if number == 2 else f"Elder {number} Ltd" for number in range(rows)]
    return made_table(rows=[spend_row(supplier_name=name, net_amount="120.00") for name in names])


def count_calls(monkeypatch: pytest.MonkeyPatch, function: str) -> list[int]:
    """The numbers of expectations that a function of `reference` is given, call by call."""
    calls: list[int] = []
    evaluate = getattr(reference, function)

    def counted(frame: Frame, expectations: Sequence[Expectation]) -> dict[int, Outcome]:
        calls.append(len(expectations))
        found: dict[int, Outcome] = evaluate(frame, expectations)
        return found

    monkeypatch.setattr(reference, function, counted)
    return calls


def test_releases_audited_together_need_one_call_for_all_rules_about_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, validations = (count_calls(monkeypatch, name) for name in ("evaluate_by_metrics", "evaluate_expectations"))
    samples = [sample(table()), sample(placeholders()), sample(table(20))]
    assert audit_together(samples, 1000) == [None, None, None]
    kinds = Frame((), SPEND).kinds
    by_row = sum(is_row_by_row(each, kinds) for each in EXPECTATIONS)
    assert max(calls) <= by_row
    assert len(calls) == 4, "one for the rows of all, and one for the columns of each"
    assert validations == [], "no release is in doubt"


def test_a_rule_that_disagrees_holds_back_only_the_release_in_which_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "expect_column_values_to_not_match_regex"
    monkeypatch.setitem(RULES, rule, rule_that_finds(rule, []))
    samples = [sample(table()), sample(placeholders()), sample(table(20))]
    errors = audit_together(samples, 1000)
    assert [type(error) for error in errors] == [type(None), EngineDisagreement, type(None)]
    with pytest.raises(EngineDisagreement) as alone:
        require_agreement(samples[1].tables, SPEND, SUITE, 1000)
    assert str(errors[1]) == str(alone.value)


def test_a_median_that_disagrees_in_one_release_is_found_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """All the rows together have another median: each release is held against its own."""
    rule = RULES[MEDIAN]

    def wrong_of_seven(expectation: Expectation, kinds: Kinds) -> Plan:
        plan = rule.plan(expectation, kinds)
        return replace(
            plan, verdict=lambda cells: (True, {"observed_value": 0}) if len(cells) == 7 else plan.verdict(cells)
        )

    monkeypatch.setitem(RULES, MEDIAN, replace(rule, plan=wrong_of_seven))
    high = made_table(
        rows=[spend_row(net_amount="9000000.00", supplier_name=f"Elder {number} Ltd") for number in range(7)]
    )
    errors = audit_together([sample(table(40)), sample(high), sample(table(50))], 1000)
    assert [error is None for error in errors] == [True, False, True]
    assert "amounts-" in str(errors[1])


def test_more_lines_than_fit_are_audited_in_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = [sample(table(30)) for _ in range(4)]
    calls = count_calls(monkeypatch, "evaluate_by_metrics")
    assert audit_together(samples, 65) == [None] * 4
    assert len(calls) == 6, "two for the rows of two releases each, and one for the columns of each"


@pytest.mark.parametrize("seed", range(4))
def test_releases_audited_together_get_the_verdict_of_each_alone(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules about rows, about a column and of the schema disagree, each in another release, anywhere in the pool."""
    random = Random(seed)  # noqa: S311 - tables, not secrets
    samples = [sample(table(12 + number)) for number in range(2)]
    samples += [sample(placeholders()), sample(table(5)), sample(unpriced())]
    random.shuffle(samples)
    for break_rule in random.sample(
        [miss_placeholders, misjudge_medians_of_six, miss_breaches], random.randrange(1, 4)
    ):
        break_rule(monkeypatch)
    together = [str(error) for error in audit_together(samples, random.choice((25, 1000)))]
    assert together == [verdict_alone(each) for each in samples]
    assert len(set(together)) > 1


def verdict_alone(release: AuditSample) -> str:
    try:
        require_agreement(release.tables, release.dataset, release.suite, 1000)
    except EngineDisagreement as error:
        return str(error)
    return str(None)


def unpriced() -> ReadTable:
    return made_table(rows=[spend_row(net_amount=None if number == 4 else "120.00") for number in range(9)])


def miss_placeholders(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "expect_column_values_to_not_match_regex"
    monkeypatch.setitem(RULES, rule, rule_that_finds(rule, []))


def misjudge_medians_of_six(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = RULES[MEDIAN]

    def wrong_of_six(expectation: Expectation, kinds: Kinds) -> Plan:
        plan = rule.plan(expectation, kinds)

        def verdict(cells: Any) -> tuple[bool, Any]:
            success, result = plan.verdict(cells)
            return success is not (len(cells) == 6), result

        return replace(plan, verdict=verdict)

    monkeypatch.setitem(RULES, MEDIAN, replace(rule, plan=wrong_of_six))


def miss_breaches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled rules overlook cells that the schema refuses, in an audit of several releases and of one."""

    def blind(looked_at: ReadTable, dataset: Dataset, engine: CheckEngine = CheckEngine.COMPILED) -> Iterable[Breach]:
        return find_breaches(looked_at, dataset, engine) if engine is CheckEngine.REFERENCE else ()

    monkeypatch.setattr("piperoll.checking.audit.find_breaches", blind)
    monkeypatch.setattr("piperoll.checking.audit.compare_schema", partial(compare_schema, find=blind))


def test_an_expectation_that_is_not_compiled_is_not_evaluated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = json.loads(SUITE)
    by_column = entries["expectations"][1]
    entries["expectations"] = [{**by_column, "type": "expect_column_stdev_to_be_between"}]
    calls = [count_calls(monkeypatch, name) for name in ("evaluate_by_metrics", "evaluate_expectations")]
    assert audit_together([AuditSample((table(),), SPEND, json.dumps(entries))]) == [None]
    assert calls == [[], []]


def test_cells_that_are_the_same_are_read_once_by_frictionless(monkeypatch: pytest.MonkeyPatch) -> None:
    read: dict[str, int] = {}

    def counted(schema: Mapping[str, Any], name: str, cells: Iterable[str | None]) -> Iterator[Any]:
        given = list(cells)
        read[name] = read.get(name, 0) + len(given)
        return read_cells(schema, name, given)

    monkeypatch.setattr("piperoll.checking.schema.breaches.read_cells", counted)
    wrong = ["120.00", "no number", None, "-3"]
    tables = [made_table(rows=[spend_row(net_amount=wrong[at % 4]) for at in range(first, 60)]) for first in (0, 1)]
    tables.append(made_table(rows=[{"supplier_name": "Elder Ltd"}] * 3, columns=["supplier_name"]))
    together = find_breaches_together(tables, SPEND)
    assert read["net_amount"] == 4
    assert sum(read.values()) == 4 + len(read) - 1, "every other column has the same cell throughout"
    alone = [list(find_breaches(each, SPEND, CheckEngine.REFERENCE)) for each in tables]
    assert [sorted(each, key=repr) for each in together] == [sorted(each, key=repr) for each in alone]
    assert [len(each) for each in alone[:2]] == [30, 30]


def test_a_release_that_cannot_be_audited_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(table: ReadTable, dataset: Dataset, engine: CheckEngine = CheckEngine.COMPILED) -> Iterable[Breach]:
        if table.sheet == "broken":
            raise ZeroDivisionError
        return find_breaches(table, dataset, engine)

    monkeypatch.setattr("piperoll.checking.audit.find_breaches", fails)
    monkeypatch.setattr("piperoll.checking.audit.compare_schema", partial(compare_schema, find=fails))
    broken = replace(table(20), sheet="broken")
    errors = audit_together([sample(table()), sample(broken), sample(table(25))], 1000)
    assert [type(error) for error in errors] == [type(None), ZeroDivisionError, type(None)]
