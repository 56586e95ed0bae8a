"""What there is to say about something a body sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding matters: an error must be fixed, a warning should be, an info is told."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Acts(StrEnum):
    """Who can do something about a finding."""

    BODY = "body"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Address:
    """Where something is, in the sender's terms: a cell, a row, a column or (all None) the whole table or file.

    `row` is the row that a spreadsheet program shows, `line` the physical line of a text file, `column` the letter of
    the spreadsheet column.
    """

    sheet: str | None = None
    row: int | None = None
    line: int | None = None
    column: str | None = None
    field: str | None = None

    def values(self) -> dict[str, Any]:
        """The address as the keyword arguments of a `Finding`."""
        return {"sheet": self.sheet, "row": self.row, "line": self.line, "column": self.column, "field": self.field}

    def __str__(self) -> str:
        """The address in words: "cell F1207 of sheet 'Oct 26'", "row 12", "column F", "the table"."""
        sheet = f" of sheet '{self.sheet}'" if self.sheet else ""
        if self.row is None:
            return f"column {self.column}{sheet}" if self.column else f"the table{sheet}"
        return f"cell {self.column}{self.row}{sheet}" if self.column else f"row {self.row}{sheet}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say about a submission, at the sender's own address.

    `row` is the row a spreadsheet program shows, `line` the physical line of a text file,
    `column` the spreadsheet letter, `value` the cell as sent. `count` says how many times the same
    code was met where it stands for more than one place. `code` has an entry in docs/findings.md.
    A `message` or `fix` quotes what a cell says only where `value` has it too: by that a report for
    the public knows what to leave out.
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

    @property
    def private(self) -> bool:
        """Whether even the address is nobody's business: it would lead a reader of the body's own file to a person."""
        return self.code.startswith("privacy-")

    def without_value(self) -> Finding:
        """The same finding without anything a cell says, in its words too, for a row that is held."""
        return replace(
            self,
            value=None,
            message=f"{self.code.replace('-', ' ').capitalize()}. The rest of this message is left out, because "
            "what it is about is not published.",
            fix="If you sent this file, read your own full report: it has the cell, and says what to do.",
        )


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` findings of one code, sheet and field stand singly; the rest become one that counts them."""

    limit: int = 100

    def apply(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Findings in order; the sum of `count` per code is never less than what came in."""
        kept: list[Finding] = []
        over: dict[tuple[str, str | None, str | None], list[int]] = {}
        seen: dict[tuple[str, str | None, str | None], int] = {}
        for finding in findings:
            key = (finding.code, finding.sheet, finding.field)
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= self.limit:
                kept.append(finding)
            elif key in over:
                place, more = over[key]
                over[key] = [place, more + finding.count]
            else:
                over[key] = [len(kept), finding.count]
                kept.append(finding)
        for place, count in over.values():
            kept[place] = _standing_for(kept[place], count)
        return tuple(kept)


def _standing_for(finding: Finding, count: int) -> Finding:
    return replace(
        finding,
        row=None,
        line=None,
        value=None,
        count=count,
        message=f"The same again in {count:,} more places: {finding.code.replace('-', ' ')}.",
        fix="Do in each of them what is said of the ones above.",
    )
