"""All that is found about one submission, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from piperoll.model.finding import Finding

EXCLUSIONS = ("blank", "total", "repeated_header", "note", "other")


class What(StrEnum):
    """What a file turned out to be."""

    DATA = "data"
    NIL_RETURN = "nil_return"
    NOT_DATA = "not_data"


class Verdict(StrEnum):
    """What becomes of a submission."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_WARNINGS = "accepted_with_warnings"
    HELD = "held"
    REJECTED = "rejected"
    NIL = "nil"

    @property
    def publishes(self) -> bool:
        """Whether a submission of this verdict goes on to a release."""
        return self in (Verdict.ACCEPTED, Verdict.ACCEPTED_WITH_WARNINGS, Verdict.NIL)


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Rows of one table: read = accepted + held; `excluded` are no records and stand beside them."""

    read: int
    accepted: int
    held: int
    excluded: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AmountTotals:
    """Exact sums in pounds of the main amount: read = accepted + held, over the cells that could be read.

    `excluded` is what the rows left out add up to, as far as they can be read.
    """

    field: str
    read: Decimal
    accepted: Decimal
    held: Decimal
    unreadable: int
    missing: int
    excluded: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class DateSpan:
    """The first and last main date (ISO 8601), and how many could not be read or are missing."""

    field: str
    min: str | None
    max: str | None
    unreadable: int
    missing: int


@dataclass(frozen=True, slots=True)
class ColumnScore:
    """How surely a field's column was found: its score and that of the second best column (its letter), from 0 to 1.

    `how`: `listed`, `slip`, `phrase`, `remembered`, `answered` or `content`; `why` are the reasons in words.
    """

    score: float
    runner_up: str | None
    runner_up_score: float
    how: str
    why: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The score as the `check --json` contract writes it."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"why": list(self.why)}


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table that holds data: where it stands, which column is which and how surely, and what it adds up to."""

    sheet: str | None
    header_row: int
    header_line: int | None
    columns: Mapping[str, str]
    column_letters: Mapping[str, str]
    rows: RowCounts
    amount: AmountTotals | None
    date: DateSpan | None
    column_scores: Mapping[str, ColumnScore] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The table as the `check --json` contract writes it."""
        amount = self.amount and {
            "field": self.amount.field,
            "read": plain(self.amount.read),
            "accepted": plain(self.amount.accepted),
            "held": plain(self.amount.held),
            "excluded": plain(self.amount.excluded),
            "unreadable": self.amount.unreadable,
            "missing": self.amount.missing,
        }
        date = self.date and {name: getattr(self.date, name) for name in DateSpan.__dataclass_fields__}
        return {
            "sheet": self.sheet,
            "header_row": self.header_row,
            "header_line": self.header_line,
            "columns": dict(self.columns),
            "column_letters": dict(self.column_letters),
            "column_scores": {name: score.to_json() for name, score in self.column_scores.items()},
            "rows": {
                "read": self.rows.read,
                "accepted": self.rows.accepted,
                "held": self.rows.held,
                "excluded": {kind: self.rows.excluded.get(kind, 0) for kind in EXCLUSIONS},
            },
            "amount": amount,
            "date": date,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> TableReport:
        """The table report that `to_json` wrote."""
        amount, date = document["amount"], document["date"]
        return cls(
            **{name: document[name] for name in ("sheet", "header_row", "header_line", "columns", "column_letters")},
            rows=RowCounts(**document["rows"]),
            amount=amount
            and AmountTotals(
                **amount | {name: Decimal(amount[name]) for name in ("read", "accepted", "held", "excluded")}
            ),
            date=date and DateSpan(**date),
            column_scores={
                name: ColumnScore(**score | {"why": tuple(score["why"])})
                for name, score in document.get("column_scores", {}).items()  # reports of before it was told lack it
            },
        )


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one submission, its counts and totals, and the verdict.

    `to_json` is the contract of `piperoll check --json` (docs/check-report.schema.json).
    `findings` in the order: file, then table by table, row by row. `compared_with` names the earlier releases that
    the file was held against (`spend/anytown/2026-09/v1-0123456789ab`).
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
    tables: tuple[TableReport, ...]
    findings: tuple[Finding, ...]
    passed: tuple[str, ...] = ()
    mapping_version: str | None = None
    """Which remembered headings bore upon the reading (the first 12 digits of their sha256); None: none did."""
    compared_with: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The report as the contract in DESIGN words it."""
        simple = {name: getattr(self, name) for name in ("file", "sha256", "bytes", "dataset", "format", "encoding")}
        return simple | {
            "what": str(self.what),
            "verdict": str(self.verdict),
            "period": self.period,
            "part": self.part,
            "mapping_version": self.mapping_version,
            "tables": [table.to_json() for table in self.tables],
            "findings": [finding.to_json() for finding in self.findings],
            "passed": list(self.passed),
            "compared_with": list(self.compared_with),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Report:
        """The report that `to_json` wrote."""
        return cls(
            **document
            | {
                "what": What(document["what"]),
                "verdict": Verdict(document["verdict"]),
                "tables": tuple(TableReport.from_json(table) for table in document["tables"]),
                "findings": tuple(Finding.from_json(finding) for finding in document["findings"]),
                "passed": tuple(document["passed"]),
                "compared_with": tuple(document.get("compared_with", ())),
            }
        )

    def public(self, disposition: Disposition) -> Report:
        """The report without anything that a cell of a held or redacted row says, in the words of findings too.

        Of a file that is held or rejected whole no cell is quoted. What is found about persons is only
        counted, by rule: the address would lead a reader of the body's own file to them.
        """
        kept = self._unpublished(disposition)
        findings = tuple(
            finding.without_value() if self._is_about(finding, kept) else finding
            for finding in self.findings
            if not finding.private
        )
        return replace(self, findings=findings + _counted(finding for finding in self.findings if finding.private))

    def _unpublished(self, disposition: Disposition) -> frozenset[tuple[str | None, int]]:
        rows = (*disposition.held.items(), *disposition.redacted.items())
        return frozenset((self.tables[number].sheet, row) for number, those in rows for row in those)

    def _is_about(self, finding: Finding, unpublished: frozenset[tuple[str | None, int]]) -> bool:
        if self.verdict in (Verdict.HELD, Verdict.REJECTED):
            return finding.value is not None or finding.row is not None
        if finding.row is None:
            return finding.value is not None and not (finding.field is None and finding.column is None)
        return (finding.sheet, finding.row) in unpublished


def _counted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding a code, with the sum of their counts and no address."""
    counts: dict[str, int] = {}
    first: dict[str, Finding] = {}
    for finding in findings:
        counts[finding.code] = counts.get(finding.code, 0) + finding.count
        first.setdefault(finding.code, finding)
    return tuple(
        replace(first[code].without_value(), count=count, sheet=None, row=None, line=None, column=None, field=None)
        for code, count in counts.items()
    )


@dataclass(frozen=True, slots=True)
class Disposition:
    """What becomes of each row, by the number of its table in the report.

    `held` maps a table to rows and the codes that hold them; `redacted` maps a table to rows and the kind
    of redaction (`personal`, `commercial`, `security`, `legal`). `blanked` maps a table to rows and the fields whose
    cell breaks the published schema: it is left out, or derived, and the rest of the row is published. Rows named
    in none of them are published as they are.
    """

    held: Mapping[int, Mapping[int, frozenset[str]]] = field(default_factory=dict)
    redacted: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    blanked: Mapping[int, Mapping[int, frozenset[str]]] = field(default_factory=dict)


def plain(amount: Decimal) -> str:
    """An amount as digits and a point, at least two places, never an exponent: 1250.00, -0.005."""
    amount = amount + Decimal(0)  # a negative zero is a zero
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent > -2:
        return f"{amount:.2f}"
    whole, _, places = f"{amount:f}".partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"
