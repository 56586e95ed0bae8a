"""Mutation: each compiled rule, broken on purpose, must be found out by parity with Great Expectations.

GX is asked once for each rule on a table made to tell; the broken rules are then compared with its answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility import Outcome, evaluate_expectations, parse_suite
from piperoll.checking.plausibility.columns import Frame, Kinds
from piperoll.checking.plausibility.evidence import DistinctCount, EvaluatedRows
from piperoll.checking.plausibility.rules import RULES, ExpectationRule, Plan, compile_expectation
from piperoll.checking.plausibility.suite import Expectation
from piperoll.reading import ReadTable
from tests.checking.plausibility.agreement import DATASET, differences, full_table
from tests.checking.plausibility.random_expectations import ARGUMENTS, draw_expectations

SEEDS = (3,)
EACH = 14
"""Expectations a rule and table."""

Answers = Mapping[int, Outcome]
Case = tuple[list[ReadTable], list[Expectation], Answers]


@pytest.fixture(scope="module")
def answered() -> list[Case]:
    """Tables, expectations of every rule, and what GX says of them."""
    return [_case(seed) for seed in SEEDS]


def _case(seed: int) -> Case:
    tables = [full_table(seed)]
    kinds = Frame(tables, DATASET).kinds
    entries = draw_expectations(seed, EACH * len(ARGUMENTS), conditions=0.7)
    asked = [each for each in parse_suite(json.dumps({"expectations": entries})) if compile_expectation(each, kinds)]
    by_reference = evaluate_expectations(tables, DATASET, asked, CheckEngine.REFERENCE)
    return tables, asked, {each.expectation.number: each for each in by_reference}


def _differences(cases: list[Case], name: str, rules: Mapping[str, ExpectationRule]) -> Iterator[str]:
    for tables, asked, by_reference in cases:
        of_rule = [each for each in asked if each.type == name]
        for ours in evaluate_expectations(tables, DATASET, of_rule, CheckEngine.COMPILED, rules):
            yield from differences(ours, by_reference[ours.expectation.number])


def _one_row_more(found: EvaluatedRows) -> EvaluatedRows:
    """The last unexpected row forgotten, or a row found where there is none."""
    if len(found.unexpected):
        return replace(found, unexpected=found.unexpected[:-1])
    return replace(found, unexpected=np.zeros(1, np.uint32))


def _off(found: Any) -> Any:
    """The evidence a little off: a row, a number or a cell less."""
    if isinstance(found, EvaluatedRows):
        return _one_row_more(found)
    if isinstance(found, DistinctCount):
        return DistinctCount(max(found.filled - 1, 0), found.different + 1)
    return (found + 1)[:-1]


def _with_wrong_evidence(plan: Plan) -> Plan:
    return replace(plan, verdict=lambda found: plan.verdict(_off(found)))


def _with_wrong_verdict(plan: Plan) -> Plan:
    def turned(found: Any) -> tuple[bool, Mapping[str, Any]]:
        success, result = plan.verdict(found)
        return not success, result

    return replace(plan, verdict=turned)


def _broken(rule: ExpectationRule, breaking: Callable[[Plan], Plan]) -> ExpectationRule:
    return replace(rule, plan=lambda expectation, kinds: breaking(rule.plan(expectation, kinds)))


def _without(rule: ExpectationRule, *arguments: str) -> ExpectationRule:
    """The rule without some of its arguments; an unbounded one accepts everything."""

    def deaf(expectation: Expectation, kinds: Kinds) -> Plan:
        kwargs = {name: value for name, value in expectation.kwargs.items() if name not in arguments}
        return replace(rule.plan(replace(expectation, kwargs=kwargs), kinds), expectation=expectation)

    return replace(rule, plan=deaf)


@pytest.mark.parametrize("name", RULES)
def test_an_unbroken_rule_agrees(answered: list[Case], name: str) -> None:
    assert list(_differences(answered, name, RULES)) == []


@pytest.mark.parametrize("breaking", [_with_wrong_evidence, _with_wrong_verdict])
@pytest.mark.parametrize("name", RULES)
def test_a_broken_rule_is_noticed(answered: list[Case], name: str, breaking: Callable[[Plan], Plan]) -> None:
    assert list(_differences(answered, name, {name: _broken(RULES[name], breaking)}))


@pytest.mark.parametrize("name", RULES)
def test_a_rule_that_ignores_its_row_condition_is_noticed(answered: list[Case], name: str) -> None:
    assert list(_differences(answered, name, {name: _without(RULES[name], "row_condition")}))


@pytest.mark.parametrize("argument", ["mostly", "min_value", "max_value", "or_equal"])
def test_a_rule_that_ignores_another_argument_is_noticed(answered: list[Case], argument: str) -> None:
    deaf = {name: _without(rule, argument) for name, rule in RULES.items() if argument in rule.optional}
    assert deaf
    assert any(list(_differences(answered, name, deaf)) for name in deaf)
