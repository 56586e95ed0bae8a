"""Findings: what a report says about a file, and where."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
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
    """One thing to report about a submission, at an address in the sender's own terms.

    `code` has an entry in `findings/*.toml`. `value` is the cell as sent. `count` is the number of places that the
    finding stands for. `message` and `fix` quote a cell only if `value` holds it too: a public report relies on that to
    leave the words out.
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
        """Whether even the address must stay private: it would lead a reader of the body's own file to a person."""
        return self.code.startswith("privacy-")

    def without_value(self) -> Finding:
        """The same finding without anything that a cell says, for a row that is not published."""
        return replace(
            self,
            value=None,
            message=f"{self.code.replace('-', ' ').capitalize()}. We leave out the rest of this message, because what "
            "it is about is not published.",
            fix="If you sent this file, read your own full report: it names the cell and says what to do.",
        )


@dataclass(frozen=True, slots=True)
class Cap:
    """Keep at most `limit` findings of one code, sheet and field; one more finding counts the rest."""

    limit: int = 100

    def apply(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Apply the cap, in order; the sum of `count` per code is never less than before."""
        kept: list[Finding] = []
        seen: dict[Hashable, int] = {}
        rest: dict[Hashable, tuple[int, int]] = {}
        for finding in findings:
            kind = (finding.code, finding.sheet, finding.field)
            seen[kind] = seen.get(kind, 0) + 1
            if seen[kind] <= self.limit:
                kept.append(finding)
                continue
            if kind not in rest:
                kept.append(finding)
            index, count = rest.get(kind, (len(kept) - 1, 0))
            rest[kind] = (index, count + finding.count)
        for index, count in rest.values():
            finding = kept[index]
            kept[index] = replace(
                finding,
                row=None,
                line=None,
                value=None,
                count=count,
                message=f"The same in {count:,} more places: {finding.code.replace('-', ' ')}.",
                fix="Do the same as for the findings above.",
            )
        return tuple(kept)


class CappedFindings:
    """Collects findings and makes only those that the default cap keeps; the others are only counted.

    A kind separates findings of different code, sheet or field; each finding stands for one place.
    """

    most_made = Cap().limit + 1
    """How many findings of a kind are made: those that are kept, and the one that counts the rest."""

    def __init__(self) -> None:
        self._met: dict[Hashable, int] = {}
        self._last: dict[Hashable, int] = {}
        self._made: list[Finding] = []

    def add(self, kind: Hashable, make: Callable[[], Finding]) -> None:
        """Add one more finding of a kind."""
        met = self._met[kind] = self._met.get(kind, 0) + 1
        if met <= self.most_made:
            self._last[kind] = len(self._made)
            self._made.append(make())

    def set_count(self, kind: Hashable, count: int) -> None:
        """Set how many findings of a kind there are, once all that are to be made have been added."""
        self._met[kind] = count

    def findings(self) -> tuple[Finding, ...]:
        """The findings as `Cap` would keep them, had all of them been made."""
        made = list(self._made)
        for kind, met in self._met.items():
            if met > self.most_made:
                made[self._last[kind]] = replace(made[self._last[kind]], count=met - self.most_made + 1)
        return Cap().apply(made)
