# ruff: noqa: RUF001 - digits and letters that look like others are what is tried
"""Parity: for any table and schema, the compiled engine finds what Frictionless finds, cell by cell."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from piperoll.checking.engine import CheckEngine
from piperoll.checking.schema import Breach
from piperoll.checking.schema.compile import compile_field
from piperoll.errors import DescriptorError
from tests.checking.schema.schema_tables import MadeTable, column, tables

QUICK, SOAK = 400, 10_000
"""How many random tables: in the suite, and in its long form."""


def frictionless_finds(made: MadeTable) -> list[Breach] | None:
    """What Frictionless finds; None where it fails (docs/parity.md)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Frictionless compiles patterns that Python warns of
        try:
            return made.breaches(CheckEngine.REFERENCE)
        except (DescriptorError, ArithmeticError, TypeError, re.error):
            return None


def test_both_engines_agree_on_random_tables_and_schemas(long: bool) -> None:
    counts = {"tables": 0, "breaches": 0, "compiled fields": 0, "frictionless fails": 0}

    @settings(
        max_examples=SOAK if long else QUICK,
        derandomize=not long,
        database=None,
        deadline=None,
        phases=[Phase.generate, *([] if long else [Phase.shrink])],
        suppress_health_check=list(HealthCheck),
    )
    @given(tables())
    def agree(made: MadeTable) -> None:
        wanted = frictionless_finds(made)
        counts["tables"] += 1
        if wanted is None:
            counts["frictionless fails"] += 1
            return
        counts["breaches"] += len(wanted)
        counts["compiled fields"] += sum(compile_field(field).compiled for field in made.fields)
        assert made.breaches(CheckEngine.COMPILED) == wanted

    agree()
    print(counts)  # noqa: T201 - the long form is run for its figures
    assert counts["breaches"] > counts["tables"]
    assert counts["compiled fields"] > counts["tables"] / 2


@pytest.mark.parametrize(
    ("field", "cells"),
    [
        (
            {"type": "integer"},
            [" 1", "1 ", "+1", "1_0", "٣", "1.0", "0x1", "9" * 19, "9" * 4301, "-0", "--1", "1e3", ""],
        ),
        ({"type": "number"}, [" 1", "1e400", "-1E-3", ".5", "5.", "NaN", "INF", "-Infinity", "1_0.5", "1,5", "0x1"]),
        (
            {"type": "date"},
            [
                "2020-02-29",
                "2021-02-29",
                "1900-02-29",
                "0000-01-01",
                "2020-1-1",
                "٢٠٢٠-٠١-٠١",
                "20200101",
                "2020-06-31",
            ],
        ),
        ({"type": "datetime"}, ["2020-01-01T24:00:00", "2020-01-01T23:59:60", "2020-01-01 10:20:30"]),
        ({"type": "time"}, ["24:00:00", "10:20", "10:20:30.5", "10:20:30Z", "23:59:59"]),
        ({"type": "year"}, ["0000", "-123", " 12 ", "1_23", "02020", "٢٠٢٠"]),
        ({"type": "yearmonth"}, ["2020-13", "2020-1", "-2020-01", "0000-01", "2020-01-01", " 2020-01"]),
        ({"type": "boolean"}, ["true", "TRUE", "tRUE", " true", "1", "yes"]),
        ({"type": "string", "constraints": {"pattern": r"\w+"}}, ["é", "a\n", "a b", "ſ", "", "a"]),
        ({"type": "string", "constraints": {"pattern": "a|b"}}, ["ax", "xb", "b", "bb", "a\n"]),
        ({"type": "string", "constraints": {"minLength": 2, "maxLength": 3}}, ["é", "👍👍", "abcd", "abc", "a"]),
        ({"type": "string", "constraints": {"enum": []}}, ["a", "b"]),
        ({"type": "number", "constraints": {"minimum": "1.5"}}, ["1.49999999999999999999", "1.5", "1.50", "-9", "1e3"]),
        ({"type": "date", "constraints": {"maximum": "2020-06-30"}}, ["2020-07-01", "2020-6-30", "0999-01-01"]),
    ],
)
def test_both_engines_agree_on_cells_that_libraries_read_differently(field: dict[str, Any], cells: list[str]) -> None:
    for more in ({}, {"unique": True}, {"required": True}):
        given_field = {**field, "constraints": {**field.get("constraints", {}), **more}}
        made = column(given_field, [*cells, *cells[:3], None], batch_rows=4)
        assert made.breaches(CheckEngine.COMPILED) == frictionless_finds(made) is not None


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ({"type": "number", "constraints": {"maximum": 5}}, "sNaN"),
        ({"type": "number", "constraints": {"enum": ["5"]}}, "sNaN"),
        ({"type": "datetime", "constraints": {"minimum": "2020-01-01T00:00:00"}}, "2021-01-01T00:00:00Z"),
        ({"type": "time", "constraints": {"maximum": "10:00:00"}}, "09:00:00Z"),
    ],
)
def test_a_cell_on_which_frictionless_fails_breaks_what_it_cannot_be_compared_with(
    field: dict[str, Any], cell: str
) -> None:
    made = column(field, [cell])
    assert frictionless_finds(made) is None
    (found,) = made.breaches(CheckEngine.COMPILED)
    assert (found.row, found.field, found.kind) == (2, "a", "constraint-error")
    assert [found.rule] == list(field["constraints"])


def test_no_nan_repeats_another() -> None:
    made = column({"type": "number", "constraints": {"unique": True}}, ["NaN"] * 3)
    assert made.breaches(CheckEngine.COMPILED) == frictionless_finds(made) == []


@pytest.mark.parametrize("engine", CheckEngine)
@pytest.mark.parametrize(
    "field",
    [
        {"type": "string", "constraints": {"minimum": 1}},
        {"type": "integer", "constraints": {"exclusiveMinimum": 1}},
        {"type": "money"},
        {"type": "string", "constraints": {"required": "yes"}},
    ],
)
def test_a_schema_that_frictionless_refuses_is_refused_by_both_engines(
    field: dict[str, Any], engine: CheckEngine
) -> None:
    with pytest.raises(DescriptorError, match="Frictionless refuses the schema"):
        column(field, ["1"]).breaches(engine)


@pytest.mark.parametrize("pattern", ["(?i", "(?i)a", "a)("])
def test_a_pattern_that_is_invalid_once_anchored_raises_an_error(pattern: str) -> None:
    with pytest.raises(DescriptorError, match="field a: its pattern is not a regular expression"):
        column({"type": "string", "constraints": {"pattern": pattern}}, ["a"]).breaches(CheckEngine.COMPILED)


def test_a_bound_that_is_not_of_the_fields_type_is_broken_by_every_cell() -> None:
    made = column({"type": "integer", "constraints": {"minimum": "x"}}, ["1", None, "2"])
    assert [(each.row, each.rule) for each in made.breaches(CheckEngine.COMPILED)] == [(2, "minimum"), (4, "minimum")]
