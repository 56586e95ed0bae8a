"""Parity: what is worked out over whole columns is what Great Expectations says, rule by rule and row by row."""

from __future__ import annotations

import sys

from agreement import disagreements, drawn_tables
from asked import ARGUMENTS, expectations

from piperoll.checking.plausibility.registry import RULES

SHORT, LONG = 4, 1200
"""Tables; of each, 100 expectations are asked."""


def test_every_rule_is_asked() -> None:
    assert set(ARGUMENTS) == set(RULES)


def test_both_engines_say_the_same_of_random_tables(long: bool) -> None:
    compared = 0
    for seed in range(LONG if long else SHORT):
        count, parted = disagreements(drawn_tables(seed), expectations(seed, 100))
        compared += count
        assert parted == [], f"seed {seed}"
    sys.stdout.write(f"both engines agree on {compared:,} expectations\n")
    assert compared > (LONG if long else SHORT) * 50
