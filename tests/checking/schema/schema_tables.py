# ruff: noqa: RUF001 - digits and letters that look like others are what is tried
"""Tables and schemas by chance: cells of every kind that has ever been read two ways, beside plain ones."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from piperoll.checking.engine import CheckEngine
from piperoll.checking.schema import reference
from piperoll.checking.schema.raw_tables import Told
from piperoll.checking.schema.validating import validated

NUMBERS = [
    *("0", "1", "-1", "5", "10", "10.5", "1.50", "1.5", "01", "-0", "1000000", "12.345678901", "0.1"),
    *(" 1", "1 ", "\t1", "1\xa0", "+1", "--1", "1e3", "1E-3", "1e400", "-1e400", ".5", "5.", "1_000", "_1", "1__0"),
    *("NaN", "nan", "-NaN", "sNaN", "NaN123", "INF", "-INF", "Infinity", "inf", "0x10", "1,000", "1.000,5", "1 000"),
    *(
        "£5",
        "£ -5",
        "-£5",
        "5%",
        "€1,5 ",
        "$1_0",
        "£1,000.50",
        "1,5",
        "1'000",
        "one",
        "1/2",
        "(5)",
        "5-",
        "5 5",
        "1.2.3",
    ),
    *("١٢", "²", "１２", "1\u200b", "9" * 18, "9" * 19, "9" * 25 + ".5", "9" * 40, "1." + "3" * 30, "9" * 4400),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "00000000000000000001"),
]
DATES = [
    *("2020-01-01", "2020-02-29", "2021-02-29", "1900-02-29", "2000-02-29", "2020-12-31", "2020-13-01", "2020-00-10"),
    *("2020-06-31", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "2020-1-1", "2020-01-1", " 2020-01-01"),
    *(
        "2020-01-01 ",
        "20200101",
        "2020/01/01",
        "01/02/2020",
        "31/12/2020",
        "31/02/2020",
        "1/2/2020",
        "29/02/21",
        "01/02/69",
    ),
    *(
        "01/02/68",
        "٢٠٢٠-٠١-٠١",
        "2020-01-01T00:00:00",
        "2020-01-01T10:20:30",
        "2020-01-01T10:20:30Z",
        "2020-02-30T10:20:30",
    ),
    *("2020-01-01T24:00:00", "2020-01-01T23:59:60", "2020-01-01T10:20:30+01:00", "2020-01-01T09:20:30+00:00"),
    *(
        "2020-01-01 10:20:30",
        "2020-01-01T10:20",
        "2020-01-01T10:20:30.5",
        "10:20:30",
        "24:00:00",
        "23:59:59",
        "10:20",
        "10:20:30Z",
    ),
    *("Jan 2020", "1 January 2020", "2020", "0000", "9999", "-123", "+123", " 123", "1_23", "١٢٣٤", "20a0", "02020"),
    *(
        "2020-01",
        "2020-12",
        "2020-13",
        "2020-00",
        "2020-1",
        "-2020-01",
        "0000-01",
        "20-01",
        "2020-01-01-01",
        "2 020-01",
    ),
]
TEXTS = [
    *(
        "a",
        "b",
        "A",
        "é",
        "ab",
        "abc",
        "a\nb",
        "a\n",
        "\n",
        "a1",
        "1",
        "٣",
        "ſ",
        "K",
        "İ",
        "a b",
        " a",
        "a ",
        "\u2028",
        "👍",
    ),
    *(
        "gss:E06000001",
        "GB-GOR-D1",
        "AB-C-x\n",
        "aa",
        "aaa",
        "a.b",
        "x" * 70,
        "\x1c",
        "\x0b",
        "#a",
        "'a'",
        "a;b",
        "a|b",
    ),
    *("a@b.com", "a.b@c.co.uk", "a@b", "@", "a..b@c.com", "a@1.com", "A@B.COM", "x" * 65 + "@b.com", "a@b.toolong"),
    *(
        "http://a.b/c",
        "https://a",
        "http:",
        "a:b",
        "http://a b",
        "//a.b",
        "mailto:a@b.com",
        "http://[",
        "http://a.b/%zz",
    ),
    *(
        "123e4567-e89b-12d3-a456-426614174000",
        "123E4567E89B12D3A456426614174000",
        "{123e4567-e89b-12d3-a456-426614174000}",
    ),
    *("YWJj", "YWI=", "YQ", "YQ==", "====", "YWJjY", "!!!!"),
]
BOOLEANS = ["true", "false", "True", "FALSE", "1", "0", "yes", "no", "Y", " true", "TRUE", "tRUE", "t"]
MISSING = ["", "", "-", "NA", "None", "null", "nan"]
PATTERNS = [
    *(
        "a+",
        "[a-c]*",
        "a|b",
        "^a",
        "a$",
        r"\d+",
        r"\w",
        r"\W+",
        r"[\w.]+",
        r"\s*a\s*",
        r"[^\d]",
        ".",
        ".*",
        "(a)(b)?",
        "(?i)a",
    ),
    *(
        r"(a)\1",
        "a(?=b)",
        "(?<!a)b",
        r"\bab?\b",
        r"a\Z",
        "é",
        "[^a]",
        r"\S+",
        "a{2,3}",
        "a{2}",
        "(?:ab?)+?",
        "a*+",
        r"\Aa",
    ),
    *(
        r"^([A-Z]{2}-[A-Z0-9]+-.+|gss:[EWSN]\d{8})$",
        "",
        "x{70}",
        r"[\D]",
        r"[\Da]",
        "[[]",
        "a\\.b",
        r"\x61",
        "[\\s\\S]*",
        "(?s).+",
        "(?a)\\w",
    ),
]
BOUNDS = {
    "number": [0, 1, 10.5, "1.5", "10", -5, 1e3, "1e2", " 5"],
    "integer": [0, 1, 10, "5", "-1", 2**70, "٥"],
    "date": ["2020-01-01", "2020-02-29", "0001-01-01", "2020-6-30"],
    "datetime": ["2020-01-01T10:20:30", "2020-01-01T00:00:00"],
    "time": ["10:20:30", "00:00:00"],
    "year": [2020, "1000", "2020", "0000"],
    "yearmonth": ["2020-01", "2020-1", "2019-12"],
}
FORMATS = {
    "date": ["default", "any", "%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d %B %Y", "%Y%m%d", "%d/%m", "fmt:%d/%m/%Y"],
    "datetime": ["default", "default", "any", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y", "%Y-%m-%dT%H:%M:%S"],
    "time": ["default", "any", "%H:%M", "%H:%M:%S"],
    "string": ["default", "default", "default", "email", "uri", "uuid", "binary"],
}
COMPARED = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
RESOURCE_2 = "https://datapackage.org/profiles/2.0/dataresource.json"
VERSION_2 = "https://datapackage.org/profiles/2.0/tableschema.json"
OF_TYPE = {
    **dict.fromkeys(("number", "integer"), NUMBERS),
    **dict.fromkeys(("date", "datetime", "time", "year", "yearmonth"), DATES),
    "boolean": BOOLEANS,
    **dict.fromkeys(("string", "any", "list", "geopoint"), TEXTS),
}
TYPES = [*OF_TYPE, "string", "number", "integer", "date"]


@dataclass(frozen=True)
class Made:
    """A schema, a dialect, and the text of a CSV file."""

    schema: dict[str, Any]
    dialect: dict[str, Any]
    rows: list[list[str]]

    def written(self, folder: Path) -> Path:
        path = folder / "table.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            form = {"delimiter": self.dialect.get("delimiter", ","), "quotechar": self.dialect.get("quoteChar", '"')}
            csv.writer(file, **form).writerows(self.rows)
        return path


def few(values: list[Any], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), max_size=most, unique=True)


@st.composite
def fields(draw: st.DrawFn, name: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(TYPES))
    field: dict[str, Any] = {"name": name, "type": kind}
    if kind in FORMATS:
        field["format"] = draw(st.sampled_from(FORMATS[kind]))
    if kind == "number":
        field |= draw(
            st.sampled_from(
                [
                    {},
                    {},
                    {"groupChar": ","},
                    {"decimalChar": ","},
                    {"decimalChar": ",", "groupChar": "."},
                    {"groupChar": "'"},
                ]
            )
        )
    if kind in {"number", "integer"} and draw(st.integers(0, 3)) == 0:
        field["bareNumber"] = draw(st.booleans())
    if kind == "boolean" and draw(st.booleans()):
        field |= {"trueValues": ["yes", "Y"], "falseValues": ["no", "0"]}
    if draw(st.integers(0, 9)) == 0:
        field["missingValues"] = draw(few(MISSING, 3))
    if constraints := draw(constrained(kind, field)):
        field["constraints"] = constraints
    return field


@st.composite
def constrained(draw: st.DrawFn, kind: str, field: dict[str, Any]) -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    if draw(st.integers(0, 3)) == 0:
        constraints["required"] = draw(st.booleans())
    if kind not in {"any", "list", "geopoint"} and draw(st.integers(0, 4)) == 0:
        constraints["unique"] = True
    if kind == "string":
        if draw(st.integers(0, 2)) == 0:
            constraints["pattern"] = draw(st.sampled_from(PATTERNS))
        if draw(st.integers(0, 3)) == 0:
            constraints[draw(st.sampled_from(["minLength", "maxLength"]))] = draw(st.integers(0, 5))
    if kind in BOUNDS and field.get("format", "default") == "default" and draw(st.integers(0, 1)) == 0:
        for name in draw(few(list(COMPARED), 2)):
            constraints[name] = draw(st.sampled_from(BOUNDS[kind]))
    if kind not in {"any", "list", "geopoint"} and draw(st.integers(0, 5)) == 0:
        constraints["enum"] = draw(
            st.lists(st.sampled_from(OF_TYPE[kind][:14] + BOUNDS.get(kind, [])), min_size=1, max_size=4)
        )
    return constraints


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    names = ["a", "b", "c", "d"][: draw(st.integers(1, 4))]
    schema: dict[str, Any] = {"fields": [draw(fields(name)) for name in names]}
    if draw(st.booleans()):
        schema["$schema"] = VERSION_2
    if draw(st.integers(0, 3)) == 0:
        schema["missingValues"] = draw(few(MISSING, 3))
    if draw(st.integers(0, 3)) == 0:
        schema["primaryKey"] = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    if draw(st.integers(0, 7)) == 0:
        key, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        schema["foreignKeys"] = [{"fields": key, "reference": {"resource": "", "fields": other}}]
    return schema


@st.composite
def tables(draw: st.DrawFn) -> Made:
    schema = draw(schemas())
    kinds = [field["type"] for field in schema["fields"]]
    columns = [
        [*draw(few(OF_TYPE[kind], 5)), draw(st.sampled_from(OF_TYPE[kind])), *draw(few(MISSING, 2))] for kind in kinds
    ]
    labels = [field["name"] for field in schema["fields"]]
    if draw(st.integers(0, 5)) == 0:
        labels = draw(st.lists(st.sampled_from([*labels, "z", "a2", "", " a"]), max_size=6))
    rows = [labels]
    for _ in range(draw(st.integers(0, 10))):
        row = [draw(st.sampled_from(cells)) for cells in columns]
        odd = draw(st.integers(0, 15))
        rows.append({0: [], 1: row[:-1], 2: [*row, "x"], 3: ["" for _ in row], 4: [*row, "", ""]}.get(odd, row))
    dialect = draw(st.sampled_from([{"delimiter": ","}] * 5 + [{}, {"delimiter": ";"}, {"quoteChar": "'"}, *DIALECTS]))
    return Made(schema, dict(dialect), rows)


DIALECTS = [
    {"delimiter": ",", "header": False},
    {"delimiter": ",", "skipInitialSpace": True},
    {"delimiter": ",", "commentChar": "#", "header": True},
    {"delimiter": ",", "commentRows": [2]},
    {"delimiter": ",", "headerRows": [1, 2]},
    {"delimiter": ",", "headerRows": [2], "headerJoin": "_"},
    {"delimiter": ",", "skipBlankRows": True},
    {"csv": {"delimiter": ","}, "header": True},
    {"delimiter": "\t", "doubleQuote": True},
]


def told(path: Path, made: Made, engine: CheckEngine, encoding: str | None = "utf-8") -> list[tuple[Any, ...]]:
    """Every error as (row, field, type), in an order of its own."""
    schema = json.loads(json.dumps(made.schema))
    given = Told(path, schema, made.dialect, encoding, profile=RESOURCE_2)
    errors = validated(given, {}, engine, lambda: reference.table_errors(given.descriptor))
    return sorted({(error.row or 0, error.field or "", error.number or 0, error.type) for error in errors})
