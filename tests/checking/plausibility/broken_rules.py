"""Rules broken on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from piperoll.checking.plausibility.columns import Kinds, RowBatch
from piperoll.checking.plausibility.rules import RULES, ExpectationRule, Plan
from piperoll.checking.plausibility.suite import Expectation


class _FixedEvidence:
    """Evidence with the same unexpected rows, whatever the cells."""

    def __init__(self, plan: Plan, unexpected: Sequence[int]) -> None:
        self._evidence, self._unexpected = plan.evidence(), np.array(unexpected, np.uint32)

    def take(self, rows: RowBatch) -> None:
        self._evidence.take(rows)

    def found(self) -> Any:
        return replace(self._evidence.found(), unexpected=self._unexpected)


def rule_that_finds(name: str, unexpected: Sequence[int]) -> ExpectationRule:
    """The rule `name` if it found these rows unexpected, counted from 0, in any table."""
    rule = RULES[name]

    def plan(expectation: Expectation, kinds: Kinds) -> Plan:
        right = rule.plan(expectation, kinds)
        return replace(right, evidence=lambda: _FixedEvidence(right, unexpected))

    return replace(rule, plan=plan)
