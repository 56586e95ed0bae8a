"""What a reading says of its own doubts, against the truth: silent wrongs, and doubts without a cause."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from truth_score import Score

from piperoll.model import Finding, Severity

NO_DOUBT: Mapping[str, str] = {
    "amount-unreadable": "a cell that cannot be read is read as no value, which is what the truth counts too",
    "date-unreadable": "the same",
    "number-unreadable": "the same",
    "cell-unreadable": "the same",
    "cell-error": "the same",
    "reference-damaged": "what the body had is lost before it reaches us: there is no other reading of the cell",
    "reference-zeros-lost": "the same",
    "reference-decimal": "the same",
    "letters-lost": "the same: letters are read as they came",
    "letters-garbled": "the same",
    "letters-mended": "only where the garbling can be undone with certainty: there is no other reading",
    "invoice-number-published": "it warns of what is made public, not of how it was read",
    "column-not-found": "a column is not there; if it is, a measure of columns is wrong and the table not read rightly",
    "sheet-hidden": "the sheet is read like any other: it warns of what is made public",
}
"""Warnings and errors of reading that are no doubt about what was read, with why. Every other one is a doubt: about
its own field where it names one, else about all of its table."""

_ROWS = re.compile(r"\brows? (\d[\d,]*)(?: to (\d[\d,]*))?", re.I)


def sheet_of(file: str) -> str | None:
    """The sheet of a score's file, which is `path` or `path#sheet`."""
    return file.split("#", maxsplit=1)[1] if "#" in file else None


def silent(scores: Iterable[Score], findings: Sequence[Finding]) -> Iterator[Score]:
    """The wrong measures that no warning or error owns up to: naming the field or the rows, and the true reading."""
    for score in scores:
        if not score.right and not _told(score, _of_sheet(findings, sheet_of(score.file))):
            yield score


def _of_sheet(findings: Sequence[Finding], sheet: str | None) -> list[Finding]:
    loud = [finding for finding in findings if finding.severity is not Severity.INFO]
    return [finding for finding in loud if finding.sheet in (None, sheet)]


def _told(score: Score, findings: Sequence[Finding]) -> bool:
    """Whether findings name the score's field (or every row it differs in) and, in words, what is true."""
    if score.rows:
        return {*score.rows} <= {row for finding in findings for row in rows_named(finding)}
    if score.field is None:
        return any(_states(finding, score.true) for finding in findings if rows_named(finding))
    return any(_states(finding, score.true) for finding in findings if finding.field == score.field)


def rows_named(finding: Finding) -> set[int]:
    """The rows a finding names: its address, and `row 7` and `rows 7 to 9` in its message."""
    named = {finding.row} if finding.row else set()
    for match in _ROWS.finditer(finding.message):
        first, last = (int((group or match[1]).replace(",", "")) for group in match.groups())
        named |= {*range(first, last + 1)}
    return named


def _states(finding: Finding, true: object) -> bool:
    """Whether the message holds the true reading: a letter, a heading, a count, a day, or pence as pounds."""
    if true in (None, ""):  # a column without a heading: where it stands is a measure of its own
        return True
    spellings = [one for each in (true if isinstance(true, list) else [true]) for one in _spellings(each)]
    return any(re.search(rf"(?<![\w.,]){re.escape(one)}(?![\w]|[.,]\d)", finding.message) for one in spellings)


def _spellings(true: object) -> list[str]:
    if isinstance(true, int):
        return [f"{true:,}", str(true), f"{Decimal(true) / 100:,.2f}", f"{Decimal(true) / 100:.2f}"]
    return [str(true)]


def doubts(scores: Sequence[Score], findings: Sequence[Finding]) -> list[Finding]:
    """The doubts about one table's measured fields, or about all of it; `scores` are all of that table."""
    fields = {score.field for score in scores}
    loud = _of_sheet(findings, sheet_of(scores[0].file))
    return [finding for finding in loud if finding.code not in NO_DOUBT and finding.field in {None, *fields}]


__all__ = ["doubts", "silent"]
