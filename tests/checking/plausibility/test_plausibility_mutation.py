"""Mutation: each compiled rule, broken on purpose, must be found out by parity with Great Expectations.

GX is asked once for each rule on a table made to tell; the broken rules are then compared with its answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from agreement import DATASET, full_table, parted
from asked import ARGUMENTS
from asked import expectations as drawn

from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility import Outcome, expectations, outcomes
from piperoll.checking.plausibility.columns import Frame, Kinds
from piperoll.checking.plausibility.evidence import Judged
from piperoll.checking.plausibility.plans import Plan, Rule
from piperoll.checking.plausibility.registry import RULES, compiled
from piperoll.checking.plausibility.suite import Expectation
from piperoll.reading import ReadTable

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
    entries = drawn(seed, EACH * len(ARGUMENTS), conditions=0.7)
    asked = [each for each in expectations(json.dumps({"expectations": entries})) if compiled(each, kinds)]
    theirs = outcomes(tables, DATASET, asked, CheckEngine.REFERENCE)
    return tables, asked, {each.expectation.number: each for each in theirs}


def _differences(cases: list[Case], name: str, rules: Mapping[str, Rule]) -> Iterator[str]:
    for tables, asked, theirs in cases:
        of_rule = [each for each in asked if each.type == name]
        for ours in outcomes(tables, DATASET, of_rule, CheckEngine.COMPILED, rules):
            yield from parted(ours, theirs[ours.expectation.number])


def _one_row_more(found: Judged) -> Judged:
    """The last unexpected row forgotten, or a row found where there is none."""
    if len(found.unexpected):
        return replace(found, unexpected=found.unexpected[:-1])
    return replace(found, unexpected=np.zeros(1, np.uint32))


def _off(found: Any) -> Any:
    """The evidence a little off: a row, a number, a name or a cell less."""
    if isinstance(found, Judged):
        return _one_row_more(found)
    if isinstance(found, int):
        return found + 1
    if hasattr(found, "different"):
        return replace(found, different=found.different + 1, filled=max(found.filled - 1, 0))
    return [] if isinstance(found, list) else found.slice(1) if isinstance(found, pa.Table) else (found + 1)[:-1]


def _with_wrong_evidence(plan: Plan) -> Plan:
    return replace(plan, verdict=lambda found: plan.verdict(_off(found)))


def _with_wrong_verdict(plan: Plan) -> Plan:
    def turned(found: Any) -> tuple[bool, Mapping[str, Any]]:
        success, result = plan.verdict(found)
        return not success, result

    return replace(plan, verdict=turned)


def _broken(rule: Rule, breaking: Callable[[Plan], Plan]) -> Rule:
    return replace(rule, plan=lambda expectation, kinds: breaking(rule.plan(expectation, kinds)))


def _without(rule: Rule, *arguments: str) -> Rule:
    """The rule deaf to some of its arguments."""

    def deaf(expectation: Expectation, kinds: Kinds) -> Plan:
        kwargs = {name: value for name, value in expectation.kwargs.items() if name not in arguments}
        return replace(rule.plan(replace(expectation, kwargs=kwargs), kinds), expectation=expectation)

    return replace(rule, plan=deaf)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_as_it_stands_agrees(answered: list[Case], name: str) -> None:
    assert list(_differences(answered, name, RULES)) == []


@pytest.mark.parametrize("breaking", [_with_wrong_evidence, _with_wrong_verdict])
@pytest.mark.parametrize("name", RULES)
def test_a_broken_rule_is_found_out(answered: list[Case], name: str, breaking: Callable[[Plan], Plan]) -> None:
    assert list(_differences(answered, name, {name: _broken(RULES[name], breaking)}))


_WITH_CONDITION = sorted(name for name, rule in RULES.items() if "row_condition" in rule.arguments)
_STRICT = sorted(name for name, rule in RULES.items() if "strict_min" in rule.arguments)


@pytest.mark.parametrize("name", [each for each in _WITH_CONDITION if "pair_values_to_be_in_set" not in each])
def test_a_rule_deaf_to_its_row_condition_is_found_out(answered: list[Case], name: str) -> None:
    assert list(_differences(answered, name, {name: _without(RULES[name], "row_condition", "condition_parser")}))


def test_rules_deaf_to_mostly_and_strictness_are_found_out(answered: list[Case]) -> None:
    deaf = {name: _without(rule, "mostly") for name, rule in RULES.items() if "mostly" in rule.arguments}
    assert any(list(_differences(answered, name, deaf)) for name in deaf)
    lax = {name: _without(RULES[name], "strict_min", "strict_max") for name in _STRICT}
    assert any(list(_differences(answered, name, lax)) for name in lax)
