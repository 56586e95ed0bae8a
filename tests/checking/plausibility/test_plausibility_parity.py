"""Parity: what is worked out over whole columns is what Great Expectations says, rule by rule and row by row."""

from __future__ import annotations

import sys

from agreement import disagreements, drawn_tables
from asked import ARGUMENTS, TEXTS, expectations

from piperoll.checking.plausibility.registry import RULES
from tests.checking.made_readings import made_table

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


def test_a_column_in_which_hardly_a_text_repeats_is_judged_as_any_other() -> None:
    cells = [f"Title {number}" for number in range(5000)]
    cells[7] = cells[4990]
    rows = [{"title": None if number % 11 == 5 else cell, "original_value": "1"} for number, cell in enumerate(cells)]
    entries = [entry for entry in expectations(5, 300) if set(entry["kwargs"].get("column_list", ())) <= {"title"}]
    for entry in entries:
        entry["kwargs"] |= {"column": "title"} if entry["kwargs"].get("column") in TEXTS else {}
    count, parted = disagreements([made_table("contracts", rows, batch_rows=4999)], entries)
    assert (parted, count > 50) == ([], True)
