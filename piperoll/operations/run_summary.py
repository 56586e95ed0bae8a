"""What came of a run: a line for each file, and what they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from collectors import LeftOut
from piperoll.model import Report, Severity, Submission, Verdict


class Ending(StrEnum):
    """How it went with one file."""

    PUBLISHED = "published"
    SAME_ROWS = "same rows"
    HELD = "held"
    REJECTED = "rejected"
    ALREADY_DONE = "already done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Rows:
    """Records of a file: read = published + held. `excluded` rows are no records and stand beside them.

    Of a file that is held or rejected nothing is published: all its records are held.
    """

    read: int = 0
    published: int = 0
    held: int = 0
    excluded: int = 0

    def __add__(self, other: Rows) -> Rows:
        """Both together."""
        return Rows(
            self.read + other.read,
            self.published + other.published,
            self.held + other.held,
            self.excluded + other.excluded,
        )


@dataclass(frozen=True, slots=True)
class Pounds:
    """The main amount of a file in pounds, exact: read = published + held, and what the excluded rows add up to."""

    read: Decimal = Decimal(0)
    published: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    excluded: Decimal = Decimal(0)

    def __add__(self, other: Pounds) -> Pounds:
        """Both together."""
        return Pounds(
            self.read + other.read,
            self.published + other.published,
            self.held + other.held,
            self.excluded + other.excluded,
        )


@dataclass(frozen=True, slots=True)
class FileResult:
    """What came of one file.

    `file` is its path in the inbox or its web address, `why` says in plain words why it was held, rejected or failed,
    `version` is the one that it became or whose rows it has. `verdict` is None where we failed to come to one.
    `given` is the period that was given with it, if one was.
    """

    file: str
    sha256: str
    dataset: str
    body: str
    period: str | None
    part: str | None
    verdict: Verdict | None
    ending: Ending
    rows: Rows = Rows()
    pounds: Pounds = Pounds()
    version: int | None = None
    why: str | None = None
    given: str | None = None

    @property
    def stale(self) -> bool:
        """Whether it is a published file that came again for another period, for which there is nothing then."""
        published = self.verdict is not None and self.verdict.publishes
        return self.ending is Ending.ALREADY_DONE and published and self.given not in (None, self.period)

    @property
    def outcome(self) -> str:
        """The ending in words: `published v2`, `held: …`, `already done (held)`."""
        match self.ending:
            case Ending.PUBLISHED | Ending.SAME_ROWS:
                return f"{self.ending} v{self.version}"
            case Ending.ALREADY_DONE if self.stale:
                return f"{self.ending}: the very file that was taken in for {self.period}, and not for {self.given}"
            case Ending.ALREADY_DONE:
                return f"{self.ending} ({self.verdict})"
            case _:
                return f"{self.ending}: {self.why}"


@dataclass(frozen=True, slots=True)
class Missed:
    """A web address that gave no file: whose and which dataset, why, and whether it may do so another time."""

    address: str
    dataset: str
    body: str
    why: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: files done of all, and what came of the last one."""

    done: int
    total: int
    last: FileResult


Watcher: TypeAlias = Callable[[Progress], None]

DECISIVE = {
    Verdict.HELD: (
        "series-claimed-twice",
        "headings-drifted",
        "taken-back-before",
        "nil-over-rows",
        "fewer-rows-than-before",
        "fewer-pounds-than-before",
        "rows-repeated",
        "far-fewer-than-before",
        "period-unknown",
        "too-much-held",
        "no-rows",
    ),
    Verdict.REJECTED: ("core-missing", "not-data"),
}
"""The codes that hold or reject a file whole, those that wait for someone's decision first."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What came of a run: every file in order of its path, what was left out of the inbox, which addresses gave none.

    `pages` counts the files of the catalogue that were written anew. `trouble` is what kept it from being made.
    """

    results: tuple[FileResult, ...]
    left_out: tuple[LeftOut, ...] = ()
    missed: tuple[Missed, ...] = ()
    pages: int = 0
    trouble: str | None = None

    @property
    def rows(self) -> Rows:
        """The records of all files."""
        return sum((result.rows for result in self.results), Rows())

    @property
    def pounds(self) -> Pounds:
        """The pounds of all files."""
        return sum((result.pounds for result in self.results), Pounds())

    @property
    def endings(self) -> Mapping[Ending, int]:
        """How many files ended in which way."""
        return Counter(result.ending for result in self.results)

    @property
    def verdicts(self) -> Mapping[Verdict, int]:
        """How many files have which verdict, those already done among them."""
        return Counter(result.verdict for result in self.results if result.verdict)

    @property
    def failed(self) -> bool:
        """Whether anything went wrong that is our fault, the network's or the store's."""
        return self.trouble is not None or Ending.FAILED in self.endings or any(miss.retryable for miss in self.missed)

    @property
    def changed(self) -> bool:
        """Whether any file was new to us."""
        return any(result.ending is not Ending.ALREADY_DONE for result in self.results)


def result_of(submission: Submission, report: Report, ending: Ending, *, version: int | None = None) -> FileResult:
    """The result for a submission with its report."""
    rows, pounds = figures(report)
    return FileResult(
        file=submission.origin,
        sha256=submission.sha256,
        dataset=submission.dataset,
        body=submission.body,
        period=report.period,
        part=report.part,
        verdict=report.verdict,
        ending=ending,
        rows=rows,
        pounds=pounds,
        version=version,
        why=why(report),
        given=submission.period,
    )


def why(report: Report) -> str | None:
    """What holds or rejects a submission whole, in the words of its report; else the first error that it tells.

    A file that reading gives up on is rejected by its one error, whose code says what kind of file it is.
    """
    errors = [finding for finding in report.findings if finding.severity is Severity.ERROR]
    if report.verdict.publishes or not errors:
        return None
    first = {finding.code: finding for finding in reversed(errors)}
    deciding = (first[code] for code in DECISIVE[report.verdict] if code in first)
    return next(deciding, errors[0]).message


def failure(submission: Submission, why: str, ending: Ending = Ending.FAILED) -> FileResult:
    """The result for a submission with which we failed, or that is refused: nothing is known of its rows."""
    return FileResult(
        file=submission.origin,
        sha256=submission.sha256,
        dataset=submission.dataset,
        body=submission.body,
        period=submission.period,
        part=submission.part,
        verdict=None,
        ending=ending,
        why=why,
    )


def figures(report: Report) -> tuple[Rows, Pounds]:
    """The rows and pounds of a report; of a verdict that publishes nothing, all are held."""
    rows = sum(
        (
            Rows(table.rows.read, table.rows.accepted, table.rows.held, sum(table.rows.excluded.values()))
            for table in report.tables
        ),
        Rows(),
    )
    amounts = [table.amount for table in report.tables if table.amount]
    pounds = sum((Pounds(one.read, one.accepted, one.held, one.excluded) for one in amounts), Pounds())
    if report.verdict.publishes:
        return rows, pounds
    return replace(rows, published=0, held=rows.read), replace(pounds, published=Decimal(0), held=pounds.read)


def in_order(results: Iterable[FileResult]) -> tuple[FileResult, ...]:
    """Results in order of the files' paths."""
    return tuple(sorted(results, key=lambda result: (result.file, result.sha256)))
