"""A report in plain words, for the pages and the terminal alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from piperoll.describing.figures import counted, pounds
from piperoll.errors import DescriptorError
from piperoll.model import MONTHS, Acts, Body, Dataset, Finding, Period, Report, Series, Severity, Verdict, What

VERDICTS = {
    Verdict.ACCEPTED: "Accepted",
    Verdict.ACCEPTED_WITH_WARNINGS: "Accepted, with things to put right",
    Verdict.HELD: "Held",
    Verdict.REJECTED: "Rejected",
    Verdict.NIL: "Nil return",
}

EXCLUDED = {
    "blank": ("blank row", "blank rows"),
    "total": ("row of totals", "rows of totals"),
    "repeated_header": ("repeated heading", "repeated headings"),
    "note": ("note", "notes"),
    "other": ("leftover", "leftovers"),
}


KINDS = {
    "council": ("council", "councils"),
    "department": ("government department", "government departments"),
    "agency": ("agency", "agencies"),
    "nhs": ("NHS body", "NHS bodies"),
    "police": ("police force", "police forces"),
    "fire": ("fire authority", "fire authorities"),
    "other": ("other public body", "other public bodies"),
}


@dataclass(frozen=True, slots=True)
class Matter:
    """Findings that say the same thing of the same column: the first speaks for all, `count` is how many places."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The finding that speaks for all."""
        return self.findings[0]

    @property
    def count(self) -> int:
        """How many places it concerns, those that are only counted included."""
        return sum(finding.count for finding in self.findings)

    @property
    def more(self) -> int:
        """How many places the findings after the first concern."""
        return sum(finding.count for finding in self.findings[1:])


@dataclass(frozen=True, slots=True)
class PlainWords:
    """A report sorted by what its reader has to do.

    `must_fix` and `should_fix` are for the body, `with_us` is for the platform, `told` is only to know.
    """

    verdict: str
    sentence: str
    must_fix: tuple[Matter, ...]
    should_fix: tuple[Matter, ...]
    with_us: tuple[Matter, ...]
    told: tuple[Matter, ...]
    passed: tuple[str, ...]


def plain_words(report: Report) -> PlainWords:
    """The report as a person reads it: the verdict, then what must and should be fixed, what to know, what passed."""
    heaps: dict[str, list[Finding]] = {"must_fix": [], "should_fix": [], "with_us": [], "told": []}
    for finding in report.findings:
        heaps[_heap(finding)].append(finding)
    return PlainWords(
        verdict=VERDICTS[report.verdict],
        sentence=verdict_sentence(report),
        passed=report.passed,
        **{name: _matters(findings) for name, findings in heaps.items()},
    )


def _heap(finding: Finding) -> str:
    if finding.severity is Severity.INFO:
        return "told"
    if finding.acts is Acts.PLATFORM:
        return "with_us"
    return "must_fix" if finding.severity is Severity.ERROR else "should_fix"


def _matters(findings: Iterable[Finding]) -> tuple[Matter, ...]:
    heaps: dict[tuple[str, str | None, str | None], list[Finding]] = {}
    for finding in findings:
        heaps.setdefault((finding.code, finding.sheet, finding.field), []).append(finding)
    return tuple(Matter(tuple(heap)) for heap in heaps.values())


def verdict_sentence(report: Report) -> str:
    """What becomes of the file, in a sentence or two: how much is published, how much is held and what to do."""
    if report.verdict.publishes and report.verdict is not Verdict.NIL:
        return _published_sentence(report)
    if report.what is What.NOT_DATA:
        return "This file cannot be used: it holds no table of data. What is published stays as it is."
    return {
        Verdict.NIL: "The body says that there is nothing to publish for this period. That is recorded as its answer.",
        Verdict.REJECTED: "This file cannot be used as it is. Put right what must be fixed and send it again.",
        Verdict.HELD: "The whole file is held: nothing of it is published until the body puts it right or says "
        "that it is as it should be.",
    }[report.verdict]


def _published_sentence(report: Report) -> str:
    read = sum(table.rows.read for table in report.tables)
    held = sum(table.rows.held for table in report.tables)
    if held:
        return f"{read - held:,} of {counted(read, 'row')} can be published; {held_back(held)}."
    if report.verdict is Verdict.ACCEPTED_WITH_WARNINGS:
        return f"All of it can be published ({counted(read, 'row')}), but there are things to put right."
    return f"All of it can be published ({counted(read, 'row')})."


def held_back(rows: int) -> str:
    """How many rows are held back, as a clause."""
    return "1 row is held back" if rows == 1 else f"{rows:,} rows are held back"


def where(finding: Finding) -> str:
    """The sender's own address of a finding: sheet 'Oct 26', cell F1207; the whole file where it has none."""
    pieces = [f"sheet '{finding.sheet}'"] if finding.sheet is not None else []
    if finding.column and finding.row is not None:
        pieces.append(f"cell {finding.column}{finding.row}")
    elif finding.row is not None:
        pieces.append(f"row {finding.row:,}")
    elif finding.column:
        pieces.append(f"column {finding.column}")
    if finding.line is not None and finding.line != finding.row:
        pieces.append(f"line {finding.line:,} of the file")
    words = ", ".join(pieces) or "the whole file"
    return words[0].upper() + words[1:]


def excluded_words(excluded: Mapping[str, int]) -> str:
    """The rows that are no records, by kind: 14 blank rows, 2 notes; 'none' if there are none."""
    there = [(excluded.get(kind, 0), words) for kind, words in EXCLUDED.items()]
    return ", ".join(counted(count, *words) for count, words in there if count) or "none"


def how_often(rule: Mapping[str, Any]) -> str:
    """How often a duty of a descriptor comes round."""
    if rule["every"] == "snapshot":
        return "as things stand on " + " and ".join(_month_day(day) for day in rule["days"])
    return {"month": "every month", "quarter": "every quarter", "year": "every year"}[rule["every"]]


def when_due(rule: Mapping[str, Any]) -> str:
    """By when a duty of a descriptor is due.

    Raises: DescriptorError: it has a due rule that we do not know.
    """
    match rule:
        case {"every": "snapshot", "days": days}:
            return "by " + " and ".join(_month_day(day) for day in days.values())
        case {"due": {"months_after": int(months)}}:
            return f"within {counted(months, 'month')} of its end"
        case {"due": {"last_working_day_of_month_after": 1}}:
            return "by the last working day of the next month"
        case {"due": {"last_working_day_of_month_after": int(months)}}:
            return f"by the last working day, {counted(months, 'month')} on"
        case {"due": {"days_after": int(days)}}:
            return f"within {counted(days, 'day')} of its end"
    raise DescriptorError(f"duty {rule['name']}: no due rule that we know in {rule.get('due')}")


def _month_day(text: str) -> str:
    month, day = text.split("-")
    return f"{int(day)} {MONTHS[int(month) - 1]}"


def kind_words(kind: str) -> str:
    """A kind of body in words; one that an operator's register made up stays as it is."""
    return KINDS.get(kind, (kind, kind))[0]


def kinds_words(kinds: Iterable[str]) -> str:
    """Kinds of body in words: councils and fire authorities."""
    words = [KINDS.get(kind, (kind, kind))[1] for kind in kinds]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def period_words(text: str | None) -> str:
    """A period as spelt in keys, in words."""
    return "not known" if text is None else Period.parse(text).title


def series_title(dataset: Dataset, body: Body, series: Series) -> str:
    """A series in words: Spending (procurement card): Anytown Borough Council, October 2026."""
    part = part_title(dataset, series.part)
    words = f" ({lower_first(part)})" if part else ""
    return f"{dataset.title}{words}: {body.name}, {series.period.title}"


def part_title(dataset: Dataset, part: str | None) -> str | None:
    """A part in words; its bare name where the dataset no longer declares it."""
    return next((known.title for known in dataset.parts if known.name == part), part)


def lower_first(words: str) -> str:
    """The words within a sentence: procurement card; an abbreviation (VAT number) stays as it is."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def total(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """The exact sum of the amounts there are; None if there is none."""
    there = [amount for amount in amounts if amount is not None]
    return sum(there, Decimal(0)) if there else None


def pounds_or_none(amount: Decimal | None) -> str:
    """Pounds in words, or a dash where the dataset counts none."""
    return "–" if amount is None else pounds(amount)
