"""Figures, reports, duties and changes in words, shared by the pages and the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from piperoll.duties import DutyState
from piperoll.errors import DescriptorError
from piperoll.findings import deciding_finding, holds_rows, shared_text
from piperoll.model import (
    MONTHS,
    Acts,
    AmountTotals,
    Body,
    Cause,
    Dataset,
    Differences,
    Effect,
    Finding,
    HeldValue,
    ReaderConcern,
    Report,
    Series,
    Severity,
    Status,
    Verdict,
    Version,
    What,
    describe_rows,
    format_decimal,
)

VERDICTS = {
    Verdict.ACCEPTED: "Accepted",
    Verdict.ACCEPTED_WITH_WARNINGS: "Accepted, with things to put right",
    Verdict.HELD: "Held",
    Verdict.REJECTED: "Rejected",
    Verdict.NIL: "Nil return",
}

STATES = {
    DutyState.ON_TIME: "On time",
    DutyState.LATE: "Late",
    DutyState.NIL: "Nil return",
    DutyState.HELD: "Held",
    DutyState.REPEATED: "Old file sent again",
    DutyState.REJECTED: "Rejected",
    DutyState.FAILED: "Our error",
    DutyState.MISSING: "Missing",
    DutyState.NOT_YET_DUE: "Not due yet",
    DutyState.EXEMPT: "Exempt, it says",
}

STATUSES = {
    Status.CURRENT: "Current",
    Status.SUPERSEDED: "Superseded",
    Status.WITHDRAWN: "Withdrawn",
    Status.PURGED: "Removed, because it held personal data",
}

CAUSES = {
    Cause.FIRST: "First publication",
    Cause.CORRECTION: "Correction by the body",
    Cause.ADDITION: "Another file added",
    Cause.MAPPING: "A heading read differently",
    Cause.RULES: "Read by newer rules",
    Cause.DECISION: "A decision about rows",
}


CONCERNS = {
    ReaderConcern.WRONG: "Something seems wrong",
    ReaderConcern.MISSING: "Something seems to be missing",
    ReaderConcern.UNCLEAR: "Something is unclear",
    ReaderConcern.PERSONAL: "Personal data",
}

LEVELS = {"core": "Core", "duty": "Asked for by law or code", "wanted": "Wanted"}

KINDS = {
    "council": ("council", "councils"),
    "department": ("government department", "government departments"),
    "agency": ("agency", "agencies"),
    "nhs": ("NHS body", "NHS bodies"),
    "police": ("police force", "police forces"),
    "fire": ("fire authority", "fire authorities"),
    "other": ("other public body", "other public bodies"),
}

_EXCLUDED = {
    "blank": ("blank row", "blank rows"),
    "total": ("row of totals", "rows of totals"),
    "repeated_header": ("row of headings", "rows of headings"),
    "note": ("note", "notes"),
    "other": ("leftover", "leftovers"),
}

_FILES = {
    ".csv": "the table, for spreadsheets and any program",
    ".parquet": "the table with its types, for analysis",
    "datapackage.json": "what the table holds, for machines",
    "report.json": "what was found in the file as received",
    "manifest.json": "every file of this version with its hash",
}
"""The files of a release, in the order in which a list of downloads shows them."""


# --- figures ------------------------------------------------------------------------------------------------------


def format_pounds(amount: Decimal | None) -> str:
    """Format pounds with thousands separators and every decimal place: £1,250.00, -£0.005; a dash for None."""
    if amount is None:
        return "–"
    whole, _, decimals = format_decimal(abs(amount)).partition(".")
    return f"{'-' if amount < 0 else ''}£{int(whole):,}.{decimals}"


def format_number(count: int) -> str:
    """Format a whole number with thousands separators."""
    return f"{count:,}"


def format_change(difference: Decimal | int) -> str:
    """Format a difference with its sign: +3 or -1,200 rows, +£12.50 or -£3.00 in pounds, and 'no change'."""
    if difference == 0:
        return "no change"
    words = format_pounds(difference) if isinstance(difference, Decimal) else format_number(difference)
    return words if difference < 0 else f"+{words}"


def format_count(count: int, noun: str, plural: str | None = None) -> str:
    """Format a number with its noun, singular or plural: 1 row, 2,981 rows."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def format_day(when: date | str) -> str:
    """Format a date, or the ISO 8601 text of a date or instant: 1 October 2026."""
    day = date.fromisoformat(when[:10]) if isinstance(when, str) else when
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def format_size(count: int) -> str:
    """Format a number of bytes in decimal units: 512 bytes, 12.3 kB, 4.5 MB."""
    if count < 1000:
        return format_count(count, "byte")
    amount = Decimal(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 1000:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:,.1f} TB"


def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Add up the amounts that are known, exactly; None if none is known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def format_held(amount: AmountTotals) -> str:
    """Say which pounds of a table are held: rows whose amount cannot be read are never £0.00."""
    if not amount.held_unreadable:
        return format_pounds(amount.held)
    rows = f"{format_count(amount.held_unreadable, 'row')} whose amount cannot be read"
    return f"{format_pounds(amount.held)} and {rows}" if amount.held else rows


# --- reports ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Findings of one kind (`Finding.kind`), shown as one, with the message of the first."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The finding whose message is shown."""
        return self.findings[0]

    @property
    def count(self) -> int:
        """How many places the group covers, including those that are only counted."""
        return sum(finding.count for finding in self.findings)

    @property
    def more(self) -> int:
        """How many places the findings after the first cover."""
        return sum(finding.count for finding in self.findings[1:])

    def held_values(self, report: Report) -> tuple[HeldValue, ...]:
        """The values that are held for the reason of this group, those with most rows first."""
        values = [
            value for value in report.held_values if self.first.code in value.rules and value.sheet == self.first.sheet
        ]
        if any(value.field == self.first.field for value in values):
            values = [value for value in values if value.field == self.first.field]
        return tuple(sorted(values, key=lambda value: (-value.count, value.rows)))


@dataclass(frozen=True, slots=True)
class ReportSection:
    """Groups of findings under one title, as every form of a report shows them; `weight` is must, should or info."""

    title: str
    weight: str
    groups: tuple[FindingGroup, ...]

    @property
    def counts(self) -> str:
        """How many kinds of finding there are, and in how many places: `3 kinds, 2,257 places`.

        The sum over all sections is `counts` of the report as JSON.
        """
        places = sum(group.count for group in self.groups)
        return f"{format_count(len(self.groups), 'kind')}, {format_count(places, 'place')}"


@dataclass(frozen=True, slots=True)
class ReportInWords:
    """A report sorted by who has to act.

    `must_fix` keeps the file from being published, `held_back` only rows of it, and `should_fix` nothing: these are for
    the body. `with_us` is for the platform, and `to_know` needs no action.
    """

    verdict: str
    sentence: str
    must_fix: tuple[FindingGroup, ...]
    held_back: tuple[FindingGroup, ...]
    should_fix: tuple[FindingGroup, ...]
    with_us: tuple[FindingGroup, ...]
    to_know: tuple[FindingGroup, ...]
    passed: tuple[str, ...]
    next_steps: str = ""
    """What the platform does next with a file that waits for it; empty if it waits for the body, or for nobody."""

    @property
    def sections(self) -> tuple[ReportSection, ...]:
        """The findings under their titles, without empty sections."""
        sections = (
            ReportSection("Must fix", "must", self.must_fix),
            ReportSection("Rows held back until you act", "must", self.held_back),
            ReportSection("Should fix", "should", self.should_fix),
            ReportSection("For us to answer" if self.next_steps else "For us to look at", "should", self.with_us),
            ReportSection("Good to know", "info", self.to_know),
        )
        return tuple(section for section in sections if section.groups)


_KIND_SOURCES = {"option": "as given", "register": "as the register says", "file": "as the file shows"}


def describe_kind(report: Report) -> str:
    """Say for which kind of body the legal duties were checked and how it is known; empty if the file is not data."""
    if report.what is What.NOT_DATA:
        return ""
    if report.kind is None or report.kind_source is None:
        return "Legal duties not checked: the kind of body is not known."
    return f"Checked for the duties of {shared_text('kind-of-body', report.kind)}, {_KIND_SOURCES[report.kind_source]}."


def explain_report(report: Report) -> ReportInWords:
    """Put a report in words: the verdict, then what to fix, what to know and what passed."""
    groups: dict[str, dict[tuple[object, ...], list[Finding]]] = {
        "must_fix": {},
        "held_back": {},
        "should_fix": {},
        "with_us": {},
        "to_know": {},
    }
    for finding in report.findings:
        who = _who_acts(finding, publishes=report.verdict.publishes)
        groups[who].setdefault(finding.kind, []).append(finding)
    return ReportInWords(
        verdict=VERDICTS[report.verdict],
        sentence=describe_verdict(report),
        passed=report.passed,
        next_steps=_NEXT_STEPS if waits_for_platform(report) else "",
        **{who: tuple(FindingGroup(tuple(one)) for one in found.values()) for who, found in groups.items()},
    )


_NEXT_STEPS = (
    "You do not need to send the file again. We answer the question below, and the next run examines the file again. "
    "Until then nothing of it is published."
)


def waits_for_platform(report: Report) -> bool:
    """True if a file is not published because of a question that the platform must answer."""
    deciding = deciding_finding(report)
    return deciding is not None and deciding.acts is Acts.PLATFORM


def _who_acts(finding: Finding, *, publishes: bool) -> str:
    """The part of `ReportInWords` that a finding belongs to; a file that `publishes` has nothing that must be fixed."""
    if finding.severity is Severity.INFO:
        return "to_know"
    error = finding.severity is Severity.ERROR
    if holds_rows(finding) and (publishes or not error):
        return "held_back"
    if finding.acts is Acts.PLATFORM:
        return "with_us"
    return "must_fix" if error and not publishes else "should_fix"


def describe_verdict(report: Report) -> str:
    """Say what happens to the file: how much is published, how much is held back and what to do."""
    if report.verdict.publishes and report.verdict is not Verdict.NIL:
        read = sum(table.rows.read for table in report.tables)
        held = sum(table.rows.held for table in report.tables)
        if held:
            return f"{read - held:,} of {format_count(read, 'row')} can be published; {describe_held_rows(held)}."
        but = ", but there are things to put right" if report.verdict is Verdict.ACCEPTED_WITH_WARNINGS else ""
        return f"All of it can be published ({format_count(read, 'row')}){but}."
    if waits_for_platform(report):
        return "The whole file is held: none of it is published until we have answered a question about it."
    if report.what is What.NOT_DATA:
        return "This file cannot be used: it holds no table of data. What is published stays as it is."
    return {
        Verdict.NIL: "The body says that it has nothing to publish for this period. That is recorded as its answer.",
        Verdict.REJECTED: "This file cannot be used as it is. Fix what must be fixed and send it again.",
        Verdict.HELD: "The whole file is held: none of it is published until the body fixes it or confirms that it "
        "is correct.",
    }[report.verdict]


def describe_held_rows(rows: int) -> str:
    """Say how many rows are held back, as a clause."""
    return "1 row is held back" if rows == 1 else f"{rows:,} rows are held back"


def describe_address(finding: Finding) -> str:
    """Say where a finding is in the sender's file: `Sheet 'Oct 26', cell F1207`, or `The whole file`."""
    pieces = [f"sheet '{finding.sheet}'"] if finding.sheet is not None else []
    if len(finding.rows) > 1:
        pieces += [f"column {finding.column}"] if finding.column else []
        pieces.append(describe_rows(finding.rows))
    elif finding.column and finding.row is not None:
        pieces.append(f"cell {finding.column}{finding.row}")
    elif finding.row is not None:
        pieces.append(f"row {finding.row:,}")
    elif finding.column:
        pieces.append(f"column {finding.column}")
    if finding.line is not None and finding.line != finding.row and len(finding.rows) < 2:
        pieces.append(f"line {finding.line:,} of the file")
    words = ", ".join(pieces) or "the whole file"
    return words[0].upper() + words[1:]


def describe_missing_address(finding: Finding) -> str:
    """Say where a finding is, as `describe_address` does, unless it has no address or its message says it: then ''."""
    message = finding.message.lower()
    said = (str(finding.address), str(replace(finding.address, sheet=None)))
    if (finding.sheet, finding.row, finding.column) == (None, None, None) or any(at.lower() in message for at in said):
        return ""
    return describe_address(finding)


def describe_held_value(value: HeldValue) -> str:
    """Say what is held and where, for the sender: `'Jane Example', 3 rows, £750.00: rows 12, 40 and 41`."""
    pounds = "" if value.amount is None else f", {format_pounds(value.amount)}"
    return f"'{value.value}'{pounds}: {describe_rows(value.rows)}"


def describe_excluded(excluded: Mapping[str, int]) -> str:
    """List the rows that are not records, by kind: `14 blank rows, 2 notes`, or `none`."""
    counts = [(excluded.get(kind, 0), words) for kind, words in _EXCLUDED.items()]
    return ", ".join(format_count(count, *words) for count, words in counts if count) or "none"


# --- duties -------------------------------------------------------------------------------------------------------


def describe_interval(rule: Mapping[str, Any]) -> str:
    """Say how often a duty recurs."""
    if rule["every"] == "snapshot":
        days = " and ".join(_format_month_day(day) for day in rule["days"])
        return f"as at {days}"
    return {"month": "every month", "quarter": "every quarter", "year": "every year"}[rule["every"]]


def describe_due_rule(rule: Mapping[str, Any]) -> str:
    """Say when a duty is due. Raises: DescriptorError: the duty has an unknown due rule."""
    match rule:
        case {"every": "snapshot", "days": days}:
            return "by " + " and ".join(_format_month_day(day) for day in days.values())
        case {"due": {"months_after": int(months)}}:
            return f"within {format_count(months, 'month')} of its end"
        case {"due": {"last_working_day_of_month_after": 1}}:
            return "by the last working day of the next month"
        case {"due": {"last_working_day_of_month_after": int(months)}}:
            return f"by the last working day, {format_count(months, 'month')} on"
        case {"due": {"days_after": int(days)}}:
            return f"within {format_count(days, 'day')} of its end"
    raise DescriptorError(f"duty {rule['name']}: unknown due rule {rule.get('due')}")


def _format_month_day(text: str) -> str:
    month, day = text.split("-")
    return f"{int(day)} {MONTHS[int(month) - 1]}"


# --- bodies, series, files ----------------------------------------------------------------------------------------


def capitalize_first(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def name_kind(kind: str) -> str:
    """Name a kind of body; a kind that only an operator's register uses stays as it is."""
    return KINDS.get(kind, (kind, kind))[0]


def name_kinds(kinds: Iterable[str]) -> str:
    """Name kinds of body in the plural: councils and fire authorities."""
    words = [KINDS.get(kind, (kind, kind))[1] for kind in kinds]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def series_title(dataset: Dataset, body: Body, series: Series) -> str:
    """Return the title of a series: Spending (procurement card): Anytown Borough Council, October 2026."""
    return f"{return_title(dataset, series.part)}: {body.name}, {series.period.title}"


def return_title(dataset: Dataset, part: str | None) -> str:
    """Return the title of a dataset with that of a part: Spending (procurement card)."""
    words = part_title(dataset, part)
    return f"{dataset.title} ({lower_first(words)})" if words else dataset.title


def part_title(dataset: Dataset, part: str | None) -> str | None:
    """Return the title of a part; its name if the dataset no longer declares it."""
    return next((known.title for known in dataset.parts if known.name == part), part)


def lower_first(words: str) -> str:
    """Write a title for use inside a sentence: procurement card; an abbreviation (VAT number) keeps its capitals."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def describe_file(name: str) -> str:
    """Say in a few words what a file of a release is for."""
    return _FILES.get(name) or _FILES[PurePosixPath(name).suffix]


def download_order(name: str) -> int:
    """Sort key for a list of downloads: what most people want comes first."""
    return list(_FILES).index(name if name in _FILES else PurePosixPath(name).suffix)


# --- versions -----------------------------------------------------------------------------------------------------


def describe_differences(differences: Differences) -> str:
    """Say how many rows were added, removed and corrected: `1 row added (£750.00), 2 rows corrected (-£43.50)`."""

    def words(verb: str, effect: Effect, spell: Callable[[Decimal], str]) -> str:
        money = "" if effect.amount_gbp is None else f" ({spell(effect.amount_gbp)})"
        return f"{format_count(effect.rows, 'row')} {verb}{money}" if effect.rows else ""

    parts = [
        words("added", differences.added, format_pounds),
        words("removed", differences.removed, format_pounds),
        words("corrected", differences.changed, format_change),
    ]
    return ", ".join(part for part in parts if part) or "no row differs"


def describe_changes(version: Version) -> str | None:
    """Say what a version changed against the one before; None if that is not known."""
    changes = version.changes
    return f"Against version {changes.against}: {describe_differences(changes.differences)}." if changes else None


def describe_ending(version: Version) -> str | None:
    """Say when and why a version was withdrawn or purged; None if it was not."""
    if version.ended is None:
        return None
    verb = "Removed" if version.status is Status.PURGED else "Withdrawn"
    return f"{verb} on {format_day(version.ended)}: {(version.because or '').rstrip('.')}."
