"""The result of a run: one entry for each file, and their totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from collectors import SkippedPath
from piperoll.findings import deciding_finding
from piperoll.model import Report, Submission, Verdict, describe_period


class Ending(StrEnum):
    """How the run ended for one file."""

    PUBLISHED = "published"
    SAME_ROWS = "same rows"
    HELD = "held"
    REJECTED = "rejected"
    ALREADY_DONE = "already done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RowTotals:
    """Rows of a file: read = published + held. `excluded` rows (blank, totals, notes) are not part of read.

    If the file is held or rejected, all of its rows are held.
    """

    read: int = 0
    published: int = 0
    held: int = 0
    excluded: int = 0

    def __add__(self, other: RowTotals) -> RowTotals:
        return RowTotals(
            self.read + other.read,
            self.published + other.published,
            self.held + other.held,
            self.excluded + other.excluded,
        )


@dataclass(frozen=True, slots=True)
class PoundTotals:
    """The main amount of a file in pounds, exact: read = published + held; and the amount of the excluded rows.

    `held_unreadable` counts the held rows whose amount cannot be read: `held` is too low by what they are worth.
    """

    read: Decimal = Decimal(0)
    published: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    excluded: Decimal = Decimal(0)
    held_unreadable: int = 0

    def __add__(self, other: PoundTotals) -> PoundTotals:
        return PoundTotals(
            self.read + other.read,
            self.published + other.published,
            self.held + other.held,
            self.excluded + other.excluded,
            self.held_unreadable + other.held_unreadable,
        )


@dataclass(frozen=True, slots=True)
class FileResult:
    """The result for one file.

    `file` is its path in the inbox or its web address. `why` says why it was held, rejected or failed. `version` is the
    one it was published as, or whose rows it repeats. `verdict` is None if the file failed before it had one. `given`
    is the period that was given with the file, if any. `kind` is the code of the finding that decided, or the class of
    the error: it says as much as `why` without a name.
    """

    file: str
    sha256: str
    dataset: str
    body: str
    period: str | None
    part: str | None
    verdict: Verdict | None
    ending: Ending
    rows: RowTotals = RowTotals()
    pounds: PoundTotals = PoundTotals()
    version: int | None = None
    why: str | None = None
    given: str | None = None
    kind: str | None = None

    @property
    def stale(self) -> bool:
        """True if a published file was sent again for another period, so nothing new came for that period."""
        published = self.verdict is not None and self.verdict.publishes
        return self.ending is Ending.ALREADY_DONE and published and self.given not in (None, self.period)

    @property
    def brief(self) -> str:
        """The outcome in words that cannot name anybody: `published v2`, `held (rows-only-zeros)`."""
        if self.ending in (Ending.PUBLISHED, Ending.SAME_ROWS, Ending.ALREADY_DONE):
            return self.outcome
        return f"{self.ending} ({self.kind})" if self.kind else str(self.ending)

    @property
    def outcome(self) -> str:
        """The ending as shown to people: `published v2`, `held: …`, `already done (held)`."""
        match self.ending:
            case Ending.PUBLISHED | Ending.SAME_ROWS:
                return f"{self.ending} v{self.version}"
            case Ending.ALREADY_DONE if self.stale:
                published = f"the same file was published for {describe_period(self.period)} before"
                return f"{self.ending}: {published}, so there is none for {describe_period(self.given)}"
            case Ending.ALREADY_DONE:
                return f"{self.ending} ({self.verdict})"
            case _:
                return f"{self.ending}: {self.why}"


@dataclass(frozen=True, slots=True)
class MissedAddress:
    """A web address without a file: the reason, the class of its error (`kind`), and whether to try again.

    `ours` is True if no site is at fault but we, the store or the proxy. `since` is the day from which the address has
    failed each time, and `last_good` the day of the last good answer, if there was one (ISO 8601).
    """

    address: str
    dataset: str
    body: str
    why: str
    retryable: bool
    kind: str = "NoLink"
    ours: bool = False
    since: str | None = None
    last_good: str | None = None

    @property
    def history(self) -> str:
        """Since when the address fails, as in "Failing since 2026-11-03; the last good answer was on 2026-11-02."."""
        if self.since is None:
            return ""
        good = f"the last good answer was on {self.last_good}" if self.last_good else "there never was a good answer"
        return f"Failing since {self.since}; {good}."


_MISSED = {
    "ours": ("Not fetched, because of us", "Run again when the cause is gone."),
    "SourceUnavailable": ("Sites that failed", "The next run asks again. If a site keeps failing, tell the body."),
    "SourceGone": (
        "Addresses without a file",
        "If a file should be there, find its new address and put it into your sources file, or ask the body.",
    ),
    "TooLarge": ("Files or pages over a limit", "If the files are right, raise the limit that the message names."),
    "AddressRefused": ("Addresses that are refused", "Correct the address in your sources file, or allow it."),
    "NoLink": ("Pages without a link that matches", "Compare `links` in your sources file with the page."),
}
"""How addresses without a file are introduced, and what to do about them, by the class of their error, in order."""


def group_missed(missed: Iterable[MissedAddress]) -> list[tuple[str, str, list[MissedAddress]]]:
    """Addresses without a file by what is to be done: a title, the advice, and the addresses."""
    groups: dict[str, list[MissedAddress]] = {kind: [] for kind in _MISSED}
    for miss in missed:
        groups["ours" if miss.ours else miss.kind if miss.kind in groups else "AddressRefused"].append(miss)
    return [(*_MISSED[kind], group) for kind, group in groups.items() if group]


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a run: finished files, all files, and the result of the last one."""

    done: int
    total: int
    last: FileResult


Watcher: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The result of a run: every file in order of its path, paths left out of the inbox, and addresses without a file.

    `pages` counts the files of the catalogue that were written. `trouble` says why it could not be built.
    `unrecorded` says why Prefect's record of the run has no end: its server was lost when the files were done.
    """

    results: tuple[FileResult, ...]
    left_out: tuple[SkippedPath, ...] = ()
    missed: tuple[MissedAddress, ...] = ()
    pages: int = 0
    trouble: str | None = None
    unrecorded: str | None = None

    @property
    def rows(self) -> RowTotals:
        """The rows of all files."""
        return sum((result.rows for result in self.results), RowTotals())

    @property
    def pounds(self) -> PoundTotals:
        """The pounds of all files."""
        return sum((result.pounds for result in self.results), PoundTotals())

    @property
    def endings(self) -> Mapping[Ending, int]:
        """The number of files by ending."""
        return Counter(result.ending for result in self.results)

    @property
    def verdicts(self) -> Mapping[Verdict, int]:
        """The number of files by verdict, including files that were already done."""
        return Counter(result.verdict for result in self.results if result.verdict)

    @property
    def failed(self) -> bool:
        """True if something failed because of us, the store or our proxy. Sites that fail are in `missed`."""
        return self.trouble is not None or Ending.FAILED in self.endings or any(miss.ours for miss in self.missed)

    @property
    def changed(self) -> bool:
        """True if any file was new."""
        return any(result.ending is not Ending.ALREADY_DONE for result in self.results)


def result_of(submission: Submission, report: Report, ending: Ending, *, version: int | None = None) -> FileResult:
    """The result for a submission that has a report."""
    reason = deciding_finding(report)
    rows, pounds = count_report(report)
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
        why=reason.message if reason else None,
        given=submission.period,
        kind=reason.code if reason else None,
    )


def failure(submission: Submission, why: str, ending: Ending = Ending.FAILED, *, kind: str | None = None) -> FileResult:
    """The result for a submission that failed or is refused; its rows are not known."""
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
        kind=kind,
    )


def count_report(report: Report) -> tuple[RowTotals, PoundTotals]:
    """The rows and pounds of a report; if the verdict publishes nothing, all are held."""
    rows = sum(
        (
            RowTotals(table.rows.read, table.rows.accepted, table.rows.held, sum(table.rows.excluded.values()))
            for table in report.tables
        ),
        RowTotals(),
    )
    amounts = [table.amount for table in report.tables if table.amount]
    pounds = sum(
        (PoundTotals(one.read, one.accepted, one.held, one.excluded, one.held_unreadable) for one in amounts),
        PoundTotals(),
    )
    if report.verdict.publishes:
        return rows, pounds
    unreadable = sum(one.unreadable for one in amounts)
    return (
        replace(rows, published=0, held=rows.read),
        replace(pounds, published=Decimal(0), held=pounds.read, held_unreadable=unreadable),
    )


def in_order(results: Iterable[FileResult]) -> tuple[FileResult, ...]:
    """Sort results by the paths of their files."""
    return tuple(sorted(results, key=lambda result: (result.file, result.sha256)))
