# ruff: noqa: RUF001 - digits and letters that look like others are what is tried
"""Random schemas and tables that were read: cells that libraries are known to read in two ways, beside plain ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from piperoll import assets
from piperoll.checking.engine import CheckEngine
from piperoll.checking.schema import Breach, find_breaches
from piperoll.model import Dataset, Field, Level, Origin
from piperoll.reading import ReadTable


def _words(text: str) -> list[str]:
    return text.split()


NUMBERS = [
    *_words(
        """
        0 1 -1 5 10 10.5 1.50 1.5 01 -0 1000000 12.345678901 0.1 +1 --1 1e3 1E-3 1e400 -1e400 .5 5. 1_000 _1 1__0
        NaN nan -NaN NaN123 INF -INF Infinity inf 0x10 1,000 1.000,5 £5 -£5 5% $1_0 £1,000.50 1,5 1'000 one 1/2 (5)
        5- 1.2.3 ١٢ ² １２ 9223372036854775807 9223372036854775808 -9223372036854775809 00000000000000000001
        """
    ),
    *(" 1", "1 ", "\t1", "1\xa0", "1 000", "£ -5", "€1,5 ", "5 5", "1\u200b", "9" * 18, "9" * 19, "9" * 25 + ".5"),
    *("9" * 40, "1." + "3" * 30, "9" * 4400, "10.123456789", "10.1234567891"),
]
DATES = [
    *_words(
        """
        2020-01-01 2020-02-28 2020-02-29 2021-02-29 1900-02-29 2000-02-29 2020-12-31 2020-13-01 2020-00-10 2020-06-31
        2020-01-00 2020-01-32 0000-01-01 0001-01-01 0999-12-31 1000-01-01 2999-12-31 3000-01-01 9999-12-31 10000-01-01
        2020-1-1 2020-01-1 20200101 2020/01/01 01/02/2020 1/2/2020 ٢٠٢٠-٠١-٠١ 2020-01-01T00:00:00 2020-01-01T10:20:30Z
        10:20:30 24:00:00 23:59:59 10:20 10:20:30Z 2020 0000 9999 -123 20a0 02020 2020-01 2020-13 -2020-01
        2020-01-01-01
        """
    ),
    *(" 2020-01-01", "2020-01-01 ", "2020-01-01\n", "1 January 2020", "Jan 2020"),
]
TEXTS = [
    *_words("a b A é ab abc a1 1 ٣ ſ K İ gss:E06000001 GB-GOR-D1 aa aaa a.b #a 'a' a;b a|b ax xb bb 👍 ocds-b5fd17-x"),
    *("ocds-b5fd17-é", "a\nb", "a\n", "\n", "a b", " a", "a ", "\u2028", "AB-C-x\n", "x" * 70, "\x1c", "\x0b"),
    "ab" * 1500,
]
BOOLEANS = ["true", "false", "True", "FALSE", "1", "0", "yes", "no", "Y", " true", "TRUE", "tRUE", "t"]
PATTERNS = [
    *("a+", "[a-c]*", "a|b", "^a", "a$", r"\d+", r"\w", r"\W+", r"[\w.]+", r"\s*a\s*", r"[^\d]", ".", ".*", "(a)(b)?"),
    *(r"(a)\1", "a(?=b)", "(?<!a)b", r"\bab?\b", r"a\Z", "é", "[^a]", r"\S+", "a{2,3}", "a{2}", "(?:ab?)+?", "a*+"),
    *(r"\Aa", r"^([A-Z]{2}-[A-Z0-9]+-.+|gss:[EWSN]\d{8})$", "^ocds-[a-z0-9]{6}-.+$", "", "x{70}", r"[\D]", r"[\Da]"),
    *(
        "[[]",
        "a\\.b",
        r"\x61",
        "[\\s\\S]*",
        r"\Ba",
        "(?i:a)b",
        "a||b",
        "[a&&b]",
        "(?P<name>a)",
        "(?:ab){1500}",
        "a)(b",
        "(",
    ),
]
BOUNDS: Mapping[str, Sequence[Any]] = {
    "number": [0, 1, 10.5, "1.5", "10", -5, 1e3, "1e2", " 5", 1e22],
    "integer": [0, 1, 10, "5", "-1", 2**70, "٥", 1.5],
    "date": ["2020-01-01", "2020-02-29", "0001-01-01", "2020-6-30"],
    "datetime": ["2020-01-01T10:20:30"],
    "time": ["10:20:30", "00:00:00"],
    "year": [2020, "1000"],
}
CELLS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("number", "integer"), NUMBERS),
    **dict.fromkeys(("date", "datetime", "time", "year", "yearmonth"), DATES),
    "boolean": BOOLEANS,
    **dict.fromkeys(("string", "any", "list", "geopoint"), TEXTS),
}
COMPILED_TYPES = ("string", "number", "integer", "date", "boolean")
TYPES = (*CELLS, *COMPILED_TYPES, *COMPILED_TYPES)
_UNCOMPARABLE = {"any", "list", "geopoint"}


@dataclass(frozen=True)
class MadeTable:
    """Fields as a Table Schema has them, and rows with a cell for each field; None is an empty cell."""

    fields: list[dict[str, Any]]
    rows: list[list[str | None]]
    batch_rows: int = 50

    @property
    def dataset(self) -> Dataset:
        fields = tuple(
            Field(
                name=field["name"],
                type=field["type"],
                title=field["name"],
                description="",
                level=Level.WANTED,
                origin=Origin.SENT,
                source="",
                constraints=field.get("constraints"),
            )
            for field in self.fields
        )
        return replace(assets.dataset("spend"), fields=fields)

    @property
    def table(self) -> ReadTable:
        names = [field["name"] for field in self.fields]
        batches = []
        for start in range(0, len(self.rows), self.batch_rows):
            part = self.rows[start : start + self.batch_rows]
            numbers = pa.array(range(start + 2, start + 2 + len(part)), pa.int64())
            cells = [pa.array([row[at] for row in part], pa.string()) for at in range(len(names))]
            batches.append(pa.RecordBatch.from_arrays([numbers, numbers, *cells], ["row", "line", *names]))
        return ReadTable(
            sheet=None,
            header_row=1,
            header_line=1,
            columns={name: name for name in names},
            column_letters={name: "ABCDEFGH"[at] for at, name in enumerate(names)},
            rows=len(self.rows),
            excluded_rows=(),
            unreadable={},
            stored=tuple(batches),
        )

    def breaches(self, engine: CheckEngine) -> list[Breach]:
        """Every breach, in an order that does not depend on the engine."""
        found = find_breaches(self.table, self.dataset, engine)
        return sorted(found, key=lambda each: (each.row, each.field, each.kind, each.rule or ""))


def column(field: dict[str, Any], cells: Sequence[str | None], batch_rows: int = 50) -> MadeTable:
    """A table of one column."""
    return MadeTable([{"name": "a", **field}], [[cell] for cell in cells], batch_rows)


@st.composite
def _constraints(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    if draw(st.integers(0, 2)) == 0:
        constraints["required"] = draw(st.booleans())
    if kind not in _UNCOMPARABLE and draw(st.integers(0, 3)) == 0:
        constraints["unique"] = True
    if kind == "string":
        if draw(st.integers(0, 1)) == 0:
            constraints["pattern"] = draw(st.sampled_from(PATTERNS))
        if draw(st.integers(0, 7)) == 0:
            constraints[draw(st.sampled_from(["minLength", "maxLength"]))] = draw(st.integers(0, 5))
    if kind in BOUNDS and draw(st.integers(0, 1)) == 0:
        names = ["minimum", "maximum"] * 3 + ["exclusiveMinimum"]
        for name in draw(st.lists(st.sampled_from(names), max_size=2, unique=True)):
            constraints[name] = draw(st.sampled_from(BOUNDS[kind]))
    if kind not in _UNCOMPARABLE and draw(st.integers(0, 3 if kind == "string" else 9)) == 0:
        values = [*CELLS[kind][:14], *BOUNDS.get(kind, ())]
        constraints["enum"] = draw(st.lists(st.sampled_from(values), min_size=1, max_size=4))
    return constraints


@st.composite
def tables(draw: st.DrawFn) -> MadeTable:
    """Draw a table of one to four fields."""
    fields, columns = [], []
    for name in ["a", "b", "c", "d"][: draw(st.integers(1, 4))]:
        kind = draw(st.sampled_from(TYPES))
        fields.append({"name": name, "type": kind, "constraints": draw(_constraints(kind))})
        few = draw(st.lists(st.sampled_from(CELLS[kind]), min_size=1, max_size=6))
        columns.append([*few, *draw(st.sampled_from([[], [None], [None, ""]]))])
    rows = [[draw(st.sampled_from(cells)) for cells in columns] for _ in range(draw(st.integers(1, 10)))]
    return MadeTable(fields, rows, draw(st.sampled_from([2, 50])))
