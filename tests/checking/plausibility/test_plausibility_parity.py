"""Parity: the compiled rules find what Great Expectations finds, rule by rule and row by row."""

from __future__ import annotations

import json
import sys

from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility import evaluate_by_metrics, evaluate_expectations, parse_suite
from piperoll.checking.plausibility.rules import RULES
from tests.checking.made_readings import made_table
from tests.checking.plausibility.agreement import DATASET, differences, disagreements, drawn_tables
from tests.checking.plausibility.random_expectations import ARGUMENTS, TEXTS, draw_expectations

SHORT, LONG = 4, 1200
"""Tables; on each, 100 expectations are evaluated."""


def test_every_rule_is_drawn() -> None:
    assert set(ARGUMENTS) == set(RULES)


def test_both_engines_find_the_same_in_random_tables(long: bool) -> None:
    compared = 0
    for seed in range(LONG if long else SHORT):
        count, differences = disagreements(drawn_tables(seed), draw_expectations(seed, 100))
        compared += count
        assert differences == [], f"seed {seed}"
    sys.stdout.write(f"both engines agree on {compared:,} expectations\n")
    assert compared > (LONG if long else SHORT) * 50


def test_the_metrics_of_great_expectations_find_what_its_validation_finds(long: bool) -> None:
    compared = 0
    for seed in range(1000, 1000 + (LONG if long else SHORT)):
        tables = drawn_tables(seed)
        asked = parse_suite(json.dumps({"expectations": draw_expectations(seed, 100)}))
        validated = evaluate_expectations(tables, DATASET, asked, CheckEngine.REFERENCE)
        by_metrics = evaluate_by_metrics(tables, DATASET, asked)
        assert [each.expectation for each in by_metrics] == [each.expectation for each in validated]
        compared += len(validated)
        found = [differences(*both) for both in zip(by_metrics, validated, strict=True)]
        assert [each for each in found if each] == [], f"seed {seed}"
    sys.stdout.write(f"metrics and validations agree on {compared:,} expectations\n")
    assert compared > (LONG if long else SHORT) * 50


def test_a_column_in_which_nearly_all_texts_differ_is_evaluated_like_any_other() -> None:
    cells = [f"Title {number}" for number in range(5000)]
    cells[7] = cells[4990]
    rows = [{"title": None if number % 11 == 5 else cell, "original_value": "1"} for number, cell in enumerate(cells)]
    entries = [entry for entry in draw_expectations(5, 300) if set(entry["kwargs"].get("column_list", ())) <= {"title"}]
    for entry in entries:
        entry["kwargs"] |= {"column": "title"} if entry["kwargs"].get("column") in TEXTS else {}
    count, differences = disagreements([made_table("contracts", rows, batch_rows=4999)], entries)
    assert (differences, count > 50) == ([], True)
