"""A report: the findings of one submission, its counts and totals, and the verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from piperoll.model.finding import Finding, describe_rows

EXCLUSIONS = ("blank", "total", "repeated_header", "note", "other")


class What(StrEnum):
    """What a file contains."""

    DATA = "data"
    NIL_RETURN = "nil_return"
    NOT_DATA = "not_data"


class Verdict(StrEnum):
    """What happens to a submission."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_WARNINGS = "accepted_with_warnings"
    HELD = "held"
    REJECTED = "rejected"
    NIL = "nil"

    @property
    def publishes(self) -> bool:
        """Whether a submission with this verdict is published."""
        return self in (Verdict.ACCEPTED, Verdict.ACCEPTED_WITH_WARNINGS, Verdict.NIL)


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Rows of one table: read = accepted + held. `excluded` counts the rows that are not records, by EXCLUSIONS."""

    read: int
    accepted: int
    held: int
    excluded: Mapping[str, int]

    def __post_init__(self) -> None:
        complete = {kind: self.excluded.get(kind, 0) for kind in EXCLUSIONS}
        object.__setattr__(self, "excluded", complete)


@dataclass(frozen=True, slots=True)
class AmountTotals:
    """Exact sums of the main amount in pounds: read = accepted + held, over the cells that could be read.

    `excluded` is the sum of the rows that are not records, as far as they can be read. `held_unreadable` counts the
    held rows whose amount cannot be read: `held` is too low by what they are worth.
    """

    field: str
    read: Decimal
    accepted: Decimal
    held: Decimal
    held_unreadable: int = dataclasses.field(default=0, kw_only=True)
    excluded: Decimal = dataclasses.field(default=Decimal(0), kw_only=True)
    unreadable: int
    missing: int


@dataclass(frozen=True, slots=True)
class DateSpan:
    """The first and last main date (ISO 8601), and how many dates are unreadable or missing."""

    field: str
    min: str | None
    max: str | None
    unreadable: int
    missing: int


@dataclass(frozen=True, slots=True)
class ColumnScore:
    """How certain the column of a field is: its score and that of the second best column, from 0 to 1.

    `how`: `listed`, `slip`, `phrase`, `remembered`, `answered` or `content`; `why` are the reasons in words.
    """

    score: float
    runner_up: str | None
    runner_up_score: float
    how: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table with data: where it is, which column is which and how certain that is, and what it adds up to."""

    sheet: str | None
    header_row: int
    header_line: int | None
    columns: Mapping[str, str]
    column_letters: Mapping[str, str]
    column_scores: Mapping[str, ColumnScore] = field(default_factory=dict, kw_only=True)
    rows: RowCounts
    amount: AmountTotals | None
    date: DateSpan | None


@dataclass(frozen=True, slots=True)
class HeldValue:
    """A value that is held for privacy in one sheet: what the cell says, and every row that is held because of it.

    `rules` are the codes of the findings. `amount` is the sum of the rows' main amounts in pounds, as far as they can
    be read; None if there are none. If a service area holds a row, `value` is its supplier.
    """

    value: str
    field: str
    sheet: str | None
    rules: tuple[str, ...]
    rows: tuple[int, ...]
    count: int
    amount: Decimal | None

    @property
    def left_out(self) -> bool:
        """Whether only the text is left out, and its rows are published."""
        return self.rules == ("privacy-text-redacted",)

    def where(self, most: int | None = None) -> str:
        """Say where it is: `rows 12, 40 to 44 and 237 more of sheet 'October'`; without `most`, every row."""
        sheet = f" of sheet '{self.sheet}'" if self.sheet else ""
        return describe_rows(self.rows, len(self.rows) if most is None else most) + sheet


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """How many `kinds` of finding (`Finding.kind`) a report has, and in how many `places`: the sum of their counts."""

    kinds: int
    places: int


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one submission, its counts and totals, and the verdict.

    Its document (`to_document`) is the contract of `piperoll check --json` (docs/check-report.schema.json). `findings`
    are in order: the file, then table by table, row by row. `compared_with` names the earlier releases that the file
    was compared with (`spend/anytown/2026-09/v1-0123456789ab`).
    """

    file: str
    sha256: str
    bytes: int
    dataset: str | None
    format: str
    encoding: str | None
    what: What
    verdict: Verdict
    period: str | None
    part: str | None
    mapping_version: str | None = field(default=None, kw_only=True)
    """The first 12 digits of the sha256 of the remembered headings that were used; None if none were."""
    tables: tuple[TableReport, ...]
    findings: tuple[Finding, ...]
    passed: tuple[str, ...] = ()
    compared_with: tuple[str, ...] = ()
    kind: str | None = None
    """The kind of body whose legal duties were checked; None if it is not known, so that none were."""
    kind_source: str | None = None
    """How the kind is known: `option` (given with the file), `register`, or `file` (its own columns)."""
    held_values: tuple[HeldValue, ...] = field(default=(), metadata={"omit_if_empty": True})
    """The values that are held for privacy. Private: a public report has none."""
    decided: Mapping[str, int] = field(default_factory=dict, metadata={"omit_if_empty": True})
    """Of how many rows each decision, by its identifier, changes anything, published or not. Private."""

    DERIVED_KEYS = ("counts",)

    @property
    def counts(self) -> FindingCounts:
        """How many kinds of finding there are, and in how many places: the sums of what terminal and page say."""
        kinds = {finding.kind for finding in self.findings}
        return FindingCounts(len(kinds), sum(finding.count for finding in self.findings))


@dataclass(frozen=True, slots=True)
class Disposition:
    """What happens to each row, by the number of its table in the report.

    `held` maps rows to the codes that hold them. `redacted` maps rows to the kind of redaction (`personal`,
    `commercial`, `security`, `legal`). `blanked` maps rows to the fields whose cell breaks the published schema: the
    cell is left out, or derived, and the rest of the row is published. `cut` maps rows to the fields whose text is
    about a person: the words of a redaction are published in its place. `withheld` maps names of files, sheets and
    members, headings and values that name a person to what is published in their place. `quotable` maps messages that
    quote headings to what is published of them, even if no row of the file is. All other rows are published as they
    are.
    """

    held: Mapping[int, Mapping[int, frozenset[str]]] = field(default_factory=dict)
    redacted: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    blanked: Mapping[int, Mapping[int, frozenset[str]]] = field(default_factory=dict)
    cut: Mapping[int, Mapping[int, frozenset[str]]] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)
    quotable: Mapping[str, str] = field(default_factory=dict)
