"""Compares the two engines on one table."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from piperoll import assets
from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility import Outcome, evaluate_expectations, parse_suite
from piperoll.checking.plausibility.columns import Frame
from piperoll.checking.plausibility.rules import RULES, ExpectationRule, compile_expectation
from piperoll.checking.plausibility.suite import Expectation
from piperoll.reading import ReadTable
from tests.checking.made_readings import made_table
from tests.checking.plausibility.random_expectations import AMOUNTS, DAYS, NUMBERS, TEXTS, WORDS

DATASET = assets.dataset("contracts")
CELLS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(
        NUMBERS, tuple(format(value, "f") if isinstance(value, float) else str(value) for value in AMOUNTS)
    ),
    **dict.fromkeys(DAYS, ("2026-10-01", "2026-10-02", "2024-02-29", "1990-01-01", "0987-06-05", "9999-12-31")),
    **dict.fromkeys(TEXTS, (*(word for word in WORDS if word), "\u212a", "\u017f", "१२", "\x1f", "Road " * 9)),
}
NEAR = 1e-9
"""How far a mean may differ, in proportion: pandas adds up in another order."""


def drawn_tables(seed: int) -> list[ReadTable]:
    """One or two tables of up to 40 rows, in batches of any size, a column or a file with holes now and then."""
    random = Random(seed)  # noqa: S311 - tables, not secrets
    return [_table(random) for _ in range(random.choice((1, 1, 2)))]


def full_table(seed: int) -> ReadTable:
    """A table of 60 rows that has every column, with a hole in every fifth cell."""
    random = Random(seed)  # noqa: S311
    rows = [
        {name: None if random.random() < 0.2 else random.choice(cells) for name, cells in CELLS.items()}
        for _ in range(60)
    ]
    return made_table("contracts", rows, batch_rows=17)


def _table(random: Random) -> ReadTable:
    names = [name for name in CELLS if random.random() < 0.95] or ["title"]
    holes = {name: random.choice((0.0, 0.1, 0.5, 0.95)) for name in names}
    few = {name: random.sample(CELLS[name], random.randrange(1, len(CELLS[name]) + 1)) for name in names}
    rows = [
        {name: None if random.random() < holes[name] else random.choice(few[name]) for name in names}
        for _ in range(random.choice((1, 2, 5, 12, 40)))
    ]
    if random.random() < 0.2:
        rows += rows[: len(rows) // 2]
    return made_table("contracts", rows, columns=names, batch_rows=random.choice((1, 3, 50)))


def disagreements(
    tables: Sequence[ReadTable], entries: Sequence[Mapping[str, Any]], rules: Mapping[str, ExpectationRule] = RULES
) -> tuple[int, list[str]]:
    """How many expectations were compared on `tables`, and each difference in words. All must be compiled."""
    kinds = Frame(tables, DATASET).kinds
    asked = parse_suite(json.dumps({"expectations": entries}))
    assert [each for each in asked if compile_expectation(each, kinds, rules) is None] == []
    compiled, reference = (
        {each.expectation.number: each for each in evaluate_expectations(tables, DATASET, asked, engine, rules)}
        for engine in (CheckEngine.COMPILED, CheckEngine.REFERENCE)
    )
    assert compiled.keys() == reference.keys()
    return len(compiled), [
        f"{_worded(outcome.expectation)}: {difference}"
        for number, outcome in compiled.items()
        for difference in differences(outcome, reference[number])
    ]


def _worded(expectation: Expectation) -> str:
    return f"{expectation.type} {dict(expectation.kwargs)}"


def differences(compiled: Outcome, reference: Outcome) -> list[str]:
    """How the outcomes of the two engines differ, in words; an empty list if they do not."""
    found = []
    if compiled.success is not reference.success:
        found.append(f"success is {compiled.success} and not {reference.success}")
    if list(compiled.unexpected) != list(reference.unexpected):
        found.append(f"unexpected are {list(compiled.unexpected)} and not {list(reference.unexpected)}")
    rounded = "mean" in compiled.expectation.type
    for name in compiled.result.keys() | (reference.result.keys() & _COMPARED):
        one, other = compiled.result.get(name, "nothing"), reference.result.get(name, "nothing")
        same = math.isclose(one, other, rel_tol=NEAR) if rounded and None not in (one, other) else one == other
        if not same:
            found.append(f"{name} is {one!r} and not {other!r}")
    return found


_COMPARED = {
    "element_count",
    "missing_count",
    "missing_percent",
    "unexpected_count",
    "unexpected_percent",
    "unexpected_percent_total",
    "unexpected_percent_nonmissing",
    "observed_value",
}
