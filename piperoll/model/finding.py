"""Findings: what a report says about a file, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding matters: an error must be fixed, a warning should be, an info needs no action."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Acts(StrEnum):
    """Who can do something about a finding."""

    BODY = "body"
    PLATFORM = "platform"


_NAMED = 12
"""At most this many rows or ranges of rows are named."""


def describe_rows(rows: Sequence[int], most: int = _NAMED) -> str:
    """Name rows, which are in ascending order, by range: `row 12`, `rows 12, 40 to 44 and 80 more`.

    At most `most` rows or ranges are named.
    """
    ranges: list[tuple[int, int]] = []
    for row in rows:
        if ranges and ranges[-1][1] == row - 1:
            ranges[-1] = (ranges[-1][0], row)
        elif len(ranges) == most:
            break
        else:
            ranges.append((row, row))
    words = []
    for first, last in ranges:
        words += [f"{row}" for row in (first, last)][: last - first + 1] if last - first < 2 else [f"{first} to {last}"]
    if left := len(rows) - sum(last - first + 1 for first, last in ranges):
        words.append(f"{left:,} more")
    listed = " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    return f"{'row' if len(rows) == 1 else 'rows'} {listed}"


@dataclass(frozen=True, slots=True)
class Address:
    """Where something is, in the sender's terms: a cell, a row, a column or (all None) the whole table or file.

    `row` is the row that a spreadsheet program shows, `line` the physical line of a text file, `column` the letter of
    the spreadsheet column. `rows` are all the rows, in ascending order and `row` the first, if there are several.
    """

    sheet: str | None = None
    row: int | None = None
    line: int | None = None
    column: str | None = None
    field: str | None = None
    rows: tuple[int, ...] = ()

    def values(self) -> dict[str, Any]:
        """The address as the keyword arguments of a `Finding`."""
        return {
            "sheet": self.sheet,
            "row": self.row,
            "line": self.line,
            "column": self.column,
            "field": self.field,
            "rows": self.rows,
        }

    def __str__(self) -> str:
        """The address in words: "cell F1207 of sheet 'Oct 26'", "row 12", "column F (rows 3 to 9)", "the table"."""
        sheet = f" of sheet '{self.sheet}'" if self.sheet else ""
        if len(self.rows) > 1:
            rows = describe_rows(self.rows)
            return f"column {self.column}{sheet} ({rows})" if self.column else f"{rows}{sheet}"
        if self.row is None:
            return f"column {self.column}{sheet}" if self.column else f"the table{sheet}"
        return f"cell {self.column}{self.row}{sheet}" if self.column else f"row {self.row}{sheet}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to report about a submission, at an address in the sender's own terms.

    `code` has an entry in `findings/*.toml`. `value` is the cell as sent. `count` is the number of places that the
    finding stands for; where they are rows and listed, `rows` has them in ascending order. `message` and `fix` quote a
    cell only if `value` holds it too: a public report relies on that to leave the words out.
    """

    code: str
    severity: Severity
    message: str
    fix: str
    acts: Acts = Acts.BODY
    sheet: str | None = None
    row: int | None = None
    line: int | None = None
    column: str | None = None
    field: str | None = None
    value: str | None = None
    count: int = 1
    rows: tuple[int, ...] = ()

    @property
    def address(self) -> Address:
        """Where the finding is."""
        return Address(self.sheet, self.row, self.line, self.column, self.field, self.rows)

    @property
    def kind(self) -> tuple[object, ...]:
        """What every form of a report shows, and counts, as one kind: code, severity, who acts, sheet and field."""
        return self.code, self.severity, self.acts, self.sheet, self.field

    @property
    def private(self) -> bool:
        """Whether even the address must stay private: it would lead a reader of the body's own file to a person."""
        return self.code.startswith("privacy-")
