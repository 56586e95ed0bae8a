# ruff: noqa: RUF001 - digits and letters that look like others are what is tried
"""Parity: whatever the table and the schema, the compiled engine says what Frictionless says, to the last cell."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schema_tables import Made, tables, told

from piperoll.checking.engine import CheckEngine
from piperoll.errors import DescriptorError

QUICK, SOAK = 250, 10_000
"""How many tables by chance: in the suite, and in its long form."""


def frictionless_says(path: Path, made: Made) -> list[tuple[object, ...]] | None:
    """What Frictionless finds; None where it fails itself (docs/parity.md)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Frictionless compiles patterns that Python warns of
        try:
            return told(path, made, CheckEngine.REFERENCE)
        except DescriptorError:
            return None


def test_any_table_by_any_schema(tmp_path: Path, long: bool) -> None:
    counts = {"tables": 0, "errors": 0, "frictionless fails": 0}

    @settings(
        max_examples=SOAK if long else QUICK,
        derandomize=not long,
        database=None,
        deadline=None,
        phases=[Phase.generate, *([] if long else [Phase.shrink])],
        suppress_health_check=list(HealthCheck),
    )
    @given(tables())
    def agree(made: Made) -> None:
        path = made.written(tmp_path)
        wanted = frictionless_says(path, made)
        counts["tables"] += 1
        if wanted is None:
            counts["frictionless fails"] += 1
            return
        counts["errors"] += len(wanted)
        assert told(path, made, CheckEngine.COMPILED) == wanted

    agree()
    print(counts)  # noqa: T201 - the long form is run for its figures


S = "string"


@pytest.mark.parametrize(
    ("field", "cells"),
    [
        (
            {"type": "integer"},
            [" 1", "1 ", "+1", "1_0", "٣", "1.0", "0x1", "9" * 19, "9" * 4301, "-0", "--1", "1e3", ""],
        ),
        (
            {"type": "number"},
            [" 1", "1e400", "-1E-3", ".5", "5.", "NaN", "INF", "-Infinity", "1_0.5", "1,5", "0x1"],
        ),
        (
            {"type": "number", "groupChar": ",", "bareNumber": False},
            ["£1,000.50", "1,5 %", "-£5", "£-5", "€,5", "5,,0"],
        ),
        ({"type": "number", "decimalChar": ",", "groupChar": "."}, ["1.000,5", "1,000.5", "1.5", "1,5", "1,5,0"]),
        (
            {"type": "date"},
            ["2020-02-29", "2021-02-29", "1900-02-29", "0000-01-01", "2020-1-1", "٢٠٢٠-٠١-٠١", "20200101"],
        ),
        (
            {"type": "date", "format": "%d/%m/%y"},
            ["29/02/20", "29/02/21", "1/2/20", "31/12/68", "31/12/69", "01/01/2020"],
        ),
        ({"type": "date", "format": "any"}, ["2020-01-02", "1 May 2020", "0012-11-10", "2020", "12/11/10", "x"]),
        (
            {"type": "datetime"},
            ["2020-01-01T24:00:00", "2020-01-01T23:59:60", "2020-01-01 10:20:30", "2020-01-01T10:20:30Z"],
        ),
        ({"type": "time"}, ["24:00:00", "10:20", "10:20:30.5", "10:20:30Z", "23:59:59"]),
        ({"type": "year"}, ["0000", "-123", " 12 ", "1_23", "02020", "٢٠٢٠"]),
        ({"type": "yearmonth"}, ["2020-13", "2020-1", "-2020-01", "0000-01", "2020-01-01", " 2020-01"]),
        ({"type": "boolean"}, ["true", "TRUE", "tRUE", " true", "1", "yes"]),
        ({"type": S, "constraints": {"pattern": r"\w+"}}, ["é", "a\n", "a b", "ſ", "", "a"]),
        ({"type": S, "constraints": {"pattern": "a|b"}}, ["ax", "xb", "b", "bb", "a\n"]),
        ({"type": S, "constraints": {"minLength": 2, "maxLength": 3}}, ["é", "👍👍", "abcd", "abc", "a"]),
    ],
)
def test_cells_that_have_been_read_two_ways(tmp_path: Path, field: dict[str, object], cells: list[str]) -> None:
    for unique in ({}, {"unique": True}):
        constraints = {**field.get("constraints", {}), **unique}  # type: ignore[dict-item]
        schema = {"fields": [{"name": "a", **field, "constraints": constraints}, {"name": "b"}]}
        rows = [["a", "b"], *([cell, "x"] for cell in [*cells, *cells[:3]])]
        made = Made(schema, {"delimiter": ";"}, rows)
        path = made.written(tmp_path)
        assert told(path, made, CheckEngine.COMPILED) == frictionless_says(path, made)


HEADERS = [
    ["a"],
    ["a", "b", "c"],
    ["b", "a"],
    ["a", "a"],
    ["", "b"],
    [],
    [""],
    ["a", "b", "b"],
    ["A", "b"],
    ["a ", "b", "", "x"],
]


@pytest.mark.parametrize("labels", HEADERS)
def test_headers_that_are_wrong(tmp_path: Path, labels: list[str]) -> None:
    schema = {"fields": [{"name": "a", "type": "integer"}, {"name": "b"}], "primaryKey": ["a", "b"]}
    rows = [labels, ["1", "x"], ["1"], ["x", "y", "z", ""], [], ["", ""], ["", "", "x"], ["1", "x"], ["01", "x"]]
    for dialect in ({"delimiter": ","}, {}, {"header": False, "delimiter": ","}):
        made = Made(schema, dialect, rows)
        path = made.written(tmp_path)
        assert told(path, made, CheckEngine.COMPILED) == frictionless_says(path, made)


BYTES = {
    "windows": "a,b\n1,caf\xe9\n2,x\n".encode("cp1252"),
    "cut off": b"a,b\n1,x\n" * 200 + b"2,\xff\xfe\n3,y\n",
    "with a mark": "\ufeffa,b\n1,é\n".encode(),
    "two bytes": "a,b\n1,é\nx,y\n".encode("utf-16"),
    "old line ends": b"a,b\r1,x\rz,y\r",
    "mixed line ends": b"a,b\r\n1,x\nz,y\r3,w\r\n\r\n",
    "lines in quotes": b'a,b\n1,"x\n\ny"\nz,"u ""v"""\n1,x"y\n',
    "nul": b"a,b\n1,x\x00y\nz,w\n",
    "semicolons": b"a;b\n1;x\nz;w,v\n",
    "a title above": b"Spending\n\na,b\n1,x\nz,w\n",
    "nothing": b"",
    "a line end": b"\n",
    "a header": b"a,b\n",
}


@pytest.mark.parametrize("name", BYTES)
def test_files_that_are_written_in_another_way(tmp_path: Path, name: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(BYTES[name])
    made = Made({"fields": [{"name": "a", "type": "integer"}, {"name": "b"}]}, {}, [])
    assert told(path, made, CheckEngine.COMPILED, encoding=None) == told(
        path, made, CheckEngine.REFERENCE, encoding=None
    )


def test_a_schema_that_we_do_not_know_goes_to_frictionless_whole(tmp_path: Path) -> None:
    made = Made({"fields": [{"name": "a", "type": "integer"}, {"name": "b"}]}, {}, [["b", "a", "c"], ["x", "y", "z"]])
    path = made.written(tmp_path)
    for more in ({"fieldsMatch": "subset"}, {"primaryKey": "z"}, {"fields": [{"name": "a", "type": "money"}]}):
        odd = replace(made, schema=made.schema | more)
        assert told(path, odd, CheckEngine.COMPILED) == frictionless_says(path, odd)


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ({"type": "number", "constraints": {"maximum": 5}}, "sNaN"),
        ({"type": "number", "constraints": {"enum": ["5"]}}, "sNaN"),
        ({"type": "datetime", "constraints": {"minimum": "2020-01-01T00:00:00"}}, "2021-01-01T00:00:00Z"),
        ({"type": "time", "constraints": {"exclusiveMaximum": "10:00:00"}}, "09:00:00Z"),
    ],
)
def test_a_cell_on_which_frictionless_fails_breaks_what_it_cannot_be_compared_with(
    tmp_path: Path, field: dict[str, object], cell: str
) -> None:
    made = Made({"fields": [{"name": "a", **field}, {"name": "b"}]}, {"delimiter": ","}, [["a", "b"], [cell, "x"]])
    path = made.written(tmp_path)
    assert frictionless_says(path, made) is None
    assert told(path, made, CheckEngine.COMPILED) == [(2, "a", 1, "constraint-error")]


def test_no_two_of_what_is_not_a_number_are_the_same(tmp_path: Path) -> None:
    fields = [{"name": "a", "type": "number", "constraints": {"unique": True}}, {"name": "b"}]
    made = Made({"fields": fields, "primaryKey": ["a", "b"]}, {"delimiter": ","}, [["a", "b"], *[["NaN", "x"]] * 3])
    path = made.written(tmp_path)
    assert told(path, made, CheckEngine.COMPILED) == frictionless_says(path, made) == []
