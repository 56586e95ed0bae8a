"""Every predicate broken on purpose: a table that agrees with Frictionless by it no longer does.

The tables are small and made for their predicate, so that the break is seen at once and not by chance.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from schema_tables import Made, told

from piperoll.checking.engine import CheckEngine
from piperoll.checking.schema.predicates import PREDICATES, Predicate

Unproven = Callable[[Any, Any], Any]


def always_good(_: Unproven) -> Unproven:
    return lambda cells, _: np.zeros(len(cells), np.bool_)


def inverted(unproven: Unproven) -> Unproven:
    return lambda cells, argument: ~unproven(cells, argument)


def never_the_last(unproven: Unproven) -> Unproven:
    """As it should be, but for for the last cell of the batch, which it calls good."""

    def broken(cells: Any, argument: Any) -> Any:
        mask = unproven(cells, argument).copy()
        mask[-1:] = False
        return mask

    return broken


BREAKS = (always_good, inverted, never_the_last)

NUMBER, STAMP, TEXT = {"type": "integer"}, {"type": "date"}, {"type": "string"}
TABLES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "missing": ({"type": "string", "missingValues": ["-"], "constraints": {"minLength": 2}}, ["ab", "abc", "-"]),
    "required": ({"type": "string", "constraints": {"required": True}}, ["a", "b", ""]),
    "whole": ({"type": "date", "format": "%d %B %Y"}, ["1 May 2020", "2 May 2020", "1 Mai 2020"]),
    "integer": (NUMBER, ["1", "2", "x"]),
    "number": ({"type": "number"}, ["1", "2.5", "x"]),
    "year": ({"type": "year"}, ["2020", "2021", "20x1"]),
    "boolean": ({"type": "boolean"}, ["true", "0", "yes"]),
    "stamp": (STAMP, ["2020-02-29", "2020-01-01", "2021-02-29"]),
    "email": ({"type": "string", "format": "email"}, ["a@b.com", "c@d.org", "x"]),
    "uri": ({"type": "string", "format": "uri"}, ["http://a.b", "https://c", "x"]),
    "uuid": ({"type": "string", "format": "uuid"}, ["123e4567-e89b-12d3-a456-426614174000", "x"]),
    "binary": ({"type": "string", "format": "binary"}, ["YWJj", "YQ"]),
    "minLength": ({"type": "string", "constraints": {"minLength": 2}}, ["ab", "é", "abc", "a"]),
    "maxLength": ({"type": "string", "constraints": {"maxLength": 2}}, ["ab", "éé", "a", "abc"]),
    "pattern text": ({"type": "string", "constraints": {"pattern": r"\w+\n?"}}, ["a", "b", "é"]),
    "pattern": ({"type": "string", "constraints": {"pattern": "a+"}}, ["a", "aa", "b"]),
    "enum": ({"type": "string", "constraints": {"enum": ["a", "b"]}}, ["a", "b", "c"]),
}
for family, cells, bound in (
    ("number", ["4", "5", "6"], 5),
    ("stamp", ["2020-01-04", "2020-01-05", "2020-01-06"], "2020-01-05"),
):
    field = {"number": NUMBER, "stamp": STAMP}[family]
    for rule, order in (("minimum", -1), ("maximum", 1), ("exclusiveMinimum", -1), ("exclusiveMaximum", 1)):
        TABLES[f"{family} {rule}"] = ({**field, "constraints": {rule: bound}}, cells[::order])
    TABLES[f"{family} enum"] = ({**field, "constraints": {"enum": [str(bound)]}}, cells)


def agrees(folder: Path, field: dict[str, Any], cells: list[str]) -> bool:
    schema = {"fields": [{"name": "a", **field}, {"name": "b"}]}
    made = Made(schema, {"delimiter": ",", "header": True}, [["a", "b"], *([cell, "x"] for cell in cells)])
    path = made.written(folder)
    try:
        ours = told(path, made, CheckEngine.COMPILED)
    except pa.ArrowInvalid:  # what was called proven was not
        return False
    return ours == told(path, made, CheckEngine.REFERENCE)


def test_every_predicate_has_a_table() -> None:
    assert TABLES.keys() == PREDICATES.keys()


@pytest.mark.parametrize("name", PREDICATES)
def test_frictionless_agrees_by_it(tmp_path: Path, name: str) -> None:
    assert agrees(tmp_path, *TABLES[name])


@pytest.mark.parametrize("broken", BREAKS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("name", PREDICATES)
def test_parity_notices_it_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, broken: Callable[[Unproven], Unproven]
) -> None:
    good = PREDICATES[name]
    monkeypatch.setitem(PREDICATES, name, Predicate(good.source, broken(good.unproven)))
    assert not agrees(tmp_path, *TABLES[name])


@pytest.mark.parametrize("of", ["number", "stamp"])
@pytest.mark.parametrize("bound", ["minimum", "maximum"])
def test_parity_notices_a_bound_that_is_taken_for_the_other_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: str, bound: str
) -> None:
    names = f"{of} {bound}", f"{of} exclusive{bound.capitalize()}"
    kinds = [PREDICATES[name] for name in names]
    for name, kind in zip(names, reversed(kinds), strict=True):
        monkeypatch.setitem(PREDICATES, name, kind)
    for name in names:
        assert not agrees(tmp_path, *TABLES[name])


@pytest.mark.parametrize("off", [-1, 1])
@pytest.mark.parametrize("name", ["minLength", "maxLength"])
def test_parity_notices_a_length_that_is_off_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, off: int
) -> None:
    good = PREDICATES[name]
    monkeypatch.setitem(PREDICATES, name, Predicate(good.source, lambda cells, most: good.unproven(cells, most + off)))
    assert not agrees(tmp_path, *TABLES[name])
