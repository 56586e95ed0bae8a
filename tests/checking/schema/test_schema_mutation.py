"""Mutation: every test of a column, broken on purpose, must be noticed by parity with Frictionless.

The tables are small and made for their test, so that a break shows at once and not by chance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from piperoll.checking.engine import CheckEngine
from piperoll.checking.schema.compile import PREDICATES
from piperoll.checking.schema.evaluate import VALUE_OF
from piperoll.model.columns import pc, to_flags
from tests.checking.schema.schema_tables import column

Predicate = Callable[[Any, Any], Any]


def always_good(_: Predicate) -> Predicate:
    return lambda cells, _: np.zeros(len(cells), np.bool_)


def inverted(predicate: Predicate) -> Predicate:
    return lambda cells, argument: ~predicate(cells, argument)


def never_the_last(predicate: Predicate) -> Predicate:
    """Right but for the last cell of the batch, which it calls good."""

    def broken(cells: Any, argument: Any) -> Any:
        mask = predicate(cells, argument).copy()
        mask[-1:] = False
        return mask

    return broken


BREAKS = (always_good, inverted, never_the_last)

CASES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "missing": ("missing", {"type": "string", "constraints": {"required": True}}, ["a", "b", ""]),
    "not compiled": ("any cell", {"type": "time"}, ["10:20:30", "23:59:59", "25:00:00"]),
    "integer": ("spelling", {"type": "integer"}, ["1", "2", "x"]),
    "number": ("spelling", {"type": "number"}, ["1", "2.5", "x"]),
    "date": ("spelling", {"type": "date"}, ["2020-02-28", "2020-01-01", "2021-02-29"]),
    "boolean": ("set", {"type": "boolean"}, ["true", "0", "yes"]),
    "enum": ("set", {"type": "string", "constraints": {"enum": ["a", "b"]}}, ["a", "b", "c"]),
    "pattern": ("pattern", {"type": "string", "constraints": {"pattern": "a+"}}, ["a", "aa", "b"]),
    "pattern beyond ASCII": ("pattern", {"type": "string", "constraints": {"pattern": r"\w+"}}, ["é", "a", "é b"]),
    "integer minimum": ("minimum", {"type": "integer", "constraints": {"minimum": 5}}, ["6", "5", "4"]),
    "integer maximum": ("maximum", {"type": "integer", "constraints": {"maximum": 5}}, ["4", "5", "6"]),
    "number minimum": ("minimum", {"type": "number", "constraints": {"minimum": 0.5}}, ["6", "0.50", "0.499"]),
    "number maximum": ("maximum", {"type": "number", "constraints": {"maximum": "5"}}, ["4", "5.0", "5.001"]),
    "date minimum": (
        "minimum",
        {"type": "date", "constraints": {"minimum": "2020-01-05"}},
        ["2020-01-06", "2020-01-05", "2020-01-04"],
    ),
    "date maximum": (
        "maximum",
        {"type": "date", "constraints": {"maximum": "2020-01-05"}},
        ["2020-01-04", "2020-01-05", "2020-01-06"],
    ),
}
"""The name of the test, a field that needs it, and cells of which the last is refused."""


def agrees(field: dict[str, Any], cells: list[str]) -> bool:
    made = column(field, cells)
    try:
        found = made.breaches(CheckEngine.COMPILED)
    except pa.ArrowInvalid:  # a cell that was called good could not be read as a number
        return False
    return found == made.breaches(CheckEngine.REFERENCE)


def test_every_test_has_a_case() -> None:
    assert {name for name, _field, _cells in CASES.values()} == PREDICATES.keys()


@pytest.mark.parametrize("case", CASES)
def test_an_unbroken_test_agrees_with_frictionless(case: str) -> None:
    _name, field, cells = CASES[case]
    assert agrees(field, cells)
    assert [breach.row for breach in column(field, cells).breaches(CheckEngine.COMPILED)] == [len(cells) + 1]


@pytest.mark.parametrize("broken", BREAKS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("case", CASES)
def test_parity_notices_a_broken_test(
    monkeypatch: pytest.MonkeyPatch, case: str, broken: Callable[[Predicate], Predicate]
) -> None:
    name, field, cells = CASES[case]
    monkeypatch.setitem(PREDICATES, name, broken(PREDICATES[name]))
    assert not agrees(field, cells)


@pytest.mark.parametrize("kind", ["integer", "number", "date"])
@pytest.mark.parametrize(("name", "compare"), [("minimum", pc.less_equal), ("maximum", pc.greater_equal)])
def test_parity_notices_a_bound_that_excludes_itself(
    monkeypatch: pytest.MonkeyPatch, name: str, compare: Callable[[Any, Any], Any], kind: str
) -> None:
    monkeypatch.setitem(PREDICATES, name, lambda cells, bound: to_flags(compare(pc.cast(cells, bound.type), bound)))
    _name, field, cells = CASES[f"{kind} {name}"]
    assert not agrees(field, cells)


@pytest.mark.parametrize(("kind", "cells"), [("integer", ["1", "01"]), ("number", ["1.5", "1.50"])])
def test_parity_notices_values_that_are_compared_by_their_spelling(
    monkeypatch: pytest.MonkeyPatch, kind: str, cells: list[str]
) -> None:
    field = {"type": kind, "constraints": {"unique": True}}
    assert agrees(field, cells)
    monkeypatch.setitem(VALUE_OF, kind, str)
    assert not agrees(field, cells)
