"""What the two engines say of one table, and where they part."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from asked import AMOUNTS, DAYS, NUMBERS, TEXTS, WORDS

from piperoll import assets
from piperoll.checking.engine import CheckEngine
from piperoll.checking.plausibility import Outcome, expectations, outcomes
from piperoll.checking.plausibility.columns import Frame
from piperoll.checking.plausibility.plans import Rule
from piperoll.checking.plausibility.registry import RULES, compiled
from piperoll.checking.plausibility.suite import Expectation
from piperoll.reading import ReadTable
from tests.checking.made_readings import made_table

DATASET = assets.dataset("contracts")
CELLS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(
        NUMBERS, tuple(format(value, "f") if isinstance(value, float) else str(value) for value in AMOUNTS)
    ),
    **dict.fromkeys(DAYS, ("2026-10-01", "2026-10-02", "2024-02-29", "1990-01-01", "0987-06-05", "9999-12-31")),
    **dict.fromkeys(TEXTS, (*(word for word in WORDS if word), "\u212a", "\u017f", "१२", "\x1f", "Road " * 9)),
}
NEAR = 1e-9
_ROUNDED = ("mean", "stdev", "quantile")


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
    tables: Sequence[ReadTable], entries: Sequence[Mapping[str, Any]], rules: Mapping[str, Rule] = RULES
) -> tuple[int, list[str]]:
    """How many expectations were compared on `tables`, and what differs, in words."""
    kinds = Frame(tables, DATASET).kinds
    asked = [
        each for each in expectations(json.dumps({"expectations": entries})) if compiled(each, kinds, rules) is not None
    ]
    ours = {each.expectation.number: each for each in outcomes(tables, DATASET, asked, CheckEngine.COMPILED, rules)}
    theirs = {each.expectation.number: each for each in outcomes(tables, DATASET, asked, CheckEngine.REFERENCE)}
    assert ours.keys() == theirs.keys()
    return len(ours), [
        f"{_worded(ours[number].expectation)}: {said}"
        for number in ours
        for said in parted(ours[number], theirs[number])
    ]


def _worded(expectation: Expectation) -> str:
    return f"{expectation.type} {dict(expectation.kwargs)}"


def parted(ours: Outcome, theirs: Outcome) -> list[str]:
    """How the outcomes of the two engines differ, in words; not at all where the list is empty."""
    said = []
    if ours.success is not theirs.success:
        said.append(f"success is {ours.success} and not {theirs.success}")
    if list(ours.unexpected) != list(theirs.unexpected):
        said.append(f"unexpected are {list(ours.unexpected)} and not {list(theirs.unexpected)}")
    rounded = any(word in ours.expectation.type for word in _ROUNDED)
    for name in ours.result.keys() | (theirs.result.keys() & _COMPARED):
        one, other = ours.result.get(name, "nothing"), theirs.result.get(name, "nothing")
        if not _same(one, other, rounded=rounded):
            said.append(f"{name} is {one!r} and not {other!r}")
    return said


_COMPARED = {
    "element_count",
    "missing_count",
    "missing_percent",
    "unexpected_count",
    "unexpected_percent",
    "unexpected_percent_total",
    "unexpected_percent_nonmissing",
    "observed_value",
    "details",
}


def _same(one: Any, other: Any, *, rounded: bool) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key], rounded=rounded) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        if not rounded and all(isinstance(each, str | float | int) for each in (*one, *other)):
            return len(one) == len(other) and set(one) == set(other)  # GX has them in the order of a set
        return len(one) == len(other) and all(
            _same(each, beside, rounded=rounded) for each, beside in zip(one, other, strict=True)
        )
    if isinstance(one, float) and isinstance(other, float):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return math.isclose(one, other, rel_tol=NEAR) if rounded else one == other
    return bool(one == other)
