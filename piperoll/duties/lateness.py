"""Judge each duty by the files received: on time, late, missing, held, or failed through our fault."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

from piperoll.duties.calendar import due_periods, duty_rules, owes
from piperoll.findings import deciding_finding
from piperoll.model import Acts, Body, Dataset, Period, Report, ReturnKind, Statement, Submission, Verdict, to_document


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """The parts of a report that decide whether a duty is met, and what a file that is not published waits for.

    `period` and `part` are those found in the file. `repeated` is True if the file is held because its rows have
    already been published for another period. Of a file that is held or rejected, `reason` is the message of the
    deciding finding as it is published, `code` its code, and `acts` who must act on it. `rows` and `amount` (pounds;
    None if no amount was read) are what was read, `held_rows` and `held_amount` what of it is held row by row, and
    `unreadable` counts the rows whose amount could not be read.
    """

    verdict: Verdict
    period: str | None
    part: str | None
    repeated: bool = False
    reason: str | None = None
    acts: Acts | None = None
    rows: int = 0
    amount: Decimal | None = None
    unreadable: int = 0
    code: str | None = None
    held_rows: int = 0
    held_amount: Decimal | None = None

    @classmethod
    def from_report(cls, report: Report) -> ReportOutcome:
        """Take the outcome from a public report."""
        repeated = any(finding.code == "rows-repeated" for finding in report.findings)
        amounts = [table.amount for table in report.tables if table.amount is not None]
        known = [amount for amount in amounts if amount.read or not amount.unreadable]
        outcome = cls(
            report.verdict,
            report.period,
            report.part,
            repeated,
            rows=sum(table.rows.read for table in report.tables),
            amount=sum((amount.read for amount in known), Decimal(0)) if known else None,
            unreadable=sum(amount.unreadable for amount in amounts),
            held_rows=sum(table.rows.held for table in report.tables),
            held_amount=sum((amount.held for amount in known), Decimal(0)) if known else None,
        )
        if report.verdict.publishes:
            return outcome
        decided = deciding_finding(report)
        return replace(
            outcome,
            reason=None if decided is None else decided.message,
            acts=Acts.BODY if decided is None else decided.acts,
            code=None if decided is None else decided.code,
        )


ReceivedFiles: TypeAlias = Sequence[tuple[Submission, ReportOutcome | None]]
"""Files as received, each with the outcome of its report; None if a fault of ours left it without a report."""


_FilesByMonth: TypeAlias = dict[int, list[tuple[Submission, ReportOutcome | None]]]


class DutyState(StrEnum):
    """Whether a duty has been met."""

    ON_TIME = "on-time"
    LATE = "late"
    NIL = "nil"
    HELD = "held"
    REPEATED = "repeated"
    REJECTED = "rejected"
    FAILED = "failed"
    MISSING = "missing"
    NOT_YET_DUE = "not-yet-due"
    EXEMPT = "exempt"


_NOTHING_CAME = frozenset([DutyState.MISSING, DutyState.NOT_YET_DUE])
_OUTSTANDING = frozenset([DutyState.MISSING, DutyState.HELD, DutyState.REPEATED, DutyState.REJECTED, DutyState.FAILED])


@dataclass(frozen=True, slots=True)
class Duty:
    """One return that a body must publish: dataset, part and period, the due day, and whether it arrived.

    `name` is the rule in the descriptor and `clause` the law or code behind it. `received` is the day the return was
    complete; None while a month is outstanding. `months_due` and `months_arrived` count calendar months, so that two
    months of a quarter show as progress. `acts` is who must act if the return is outstanding: the platform, if a fault
    of ours stopped a file or all files that are held wait for our answer; else the body. `statement` is what the body
    said, while nothing has come: that it is exempt, which is a state, or that the return will be late, which is none.
    """

    name: str
    clause: str
    dataset: str
    body: Body
    part: str | None
    period: Period
    due: date
    state: DutyState
    received: date | None
    months_due: int
    months_arrived: int
    acts: Acts = Acts.BODY
    statement: Statement | None = None

    @property
    def outstanding(self) -> bool:
        """True if the return is overdue, or arrived in a form that cannot be published."""
        return self.state in _OUTSTANDING

    def to_document(self) -> dict[str, Any]:
        """The duty as the JSON of pages and `due` has it; `acts` is None if nothing is outstanding.

        There is a `statement` only if the body made one.
        """
        document: dict[str, Any] = {
            "dataset": self.dataset,
            "part": self.part,
            "start": self.period.start.isoformat(),
            "end": self.period.end.isoformat(),
            "due": self.due.isoformat(),
            "state": str(self.state),
            "received": self.received and self.received.isoformat(),
            "acts": str(self.acts) if self.outstanding else None,
            "clause": self.clause,
        }
        if self.statement is not None:
            names = ("kind", "reason", "clause", "expected", "made")
            document["statement"] = {name: to_document(getattr(self.statement, name)) for name in names}
        return document


def judge_duties(
    datasets: Iterable[Dataset],
    bodies: Iterable[Body],
    received: ReceivedFiles,
    on: date,
    since: date,
    statements: Iterable[Statement] = (),
) -> list[Duty]:
    """Return every duty for a period that ended from `since` to the day before `on`, by due day, dataset and body.

    A month is met on the day that the first publishable file covering it was received. The period is the one found in
    the file; if none was found, the one given with it. A snapshot of another day of the same month counts. Of a time
    when a body did not exist nothing is owed; of what is due after its end only what arrived is listed. `statements`
    are what the bodies said of returns for which nothing came.

    Raises: DescriptorError: a duty has an unknown interval or due rule.
    """
    bodies, streams = tuple(bodies), _group_by_month(received)
    duties = [
        _judge_duty(rule, dataset, body, period, day, streams.get((dataset.name, body.slug, rule["part"]), {}), on)
        for dataset in datasets
        for body in bodies
        for rule in duty_rules(dataset, body)
        for period, day in due_periods(rule, since, on - timedelta(days=1))
        if body.existed_in(period.start, period.end)
    ]
    stated = tuple(sorted(statements, key=lambda one: one.made, reverse=True))
    duties = [add_statement(duty, stated) for duty in duties]
    duties = [duty for duty in duties if duty.state not in _NOTHING_CAME or owes(duty.body, duty.period, duty.due)]
    return sorted(duties, key=lambda duty: (duty.due, duty.dataset, duty.part or "", duty.body.slug))


def judge_followed_duties(
    datasets: Iterable[Dataset],
    bodies: Iterable[Body],
    received: ReceivedFiles,
    on: date,
    first_starts: Mapping[str, date],
    statements: Iterable[Statement] = (),
) -> list[Duty]:
    """Return the duties of the last 13 months that are followed, by due day: those that pages, feeds and `due` show.

    `first_starts` are those of the files of all bodies (`find_first_starts`), so that no body is shown as late for a
    time before anyone sent the dataset; a dataset that is not among them is not followed.
    """
    followed = [dataset for dataset in datasets if dataset.name in first_starts]
    duties = judge_duties(followed, bodies, received, on, window_start(on), statements)
    return [duty for duty in duties if duty.period.start >= first_starts[duty.dataset]]


def window_start(on: date) -> date:
    """The first day of the 13 months that duties are followed for: long enough to include every annual duty."""
    return date(on.year - 1, on.month, 1)


def find_first_starts(submissions: ReceivedFiles) -> dict[str, date]:
    """Return, for each dataset, the start of the earliest period of which a file was ever received."""
    starts: dict[str, date] = {}
    for submission, outcome in submissions:
        period = period_of(submission, outcome)
        if period is not None:
            starts[submission.dataset] = min(period.start, starts.get(submission.dataset, period.start))
    return dict(sorted(starts.items()))


def merge_first_starts(starts: Iterable[Mapping[str, date]]) -> dict[str, date]:
    """Return the earliest day of each dataset among several results of `find_first_starts`."""
    earliest: dict[str, date] = {}
    for one in starts:
        for name, day in one.items():
            earliest[name] = min(day, earliest.get(name, day))
    return dict(sorted(earliest.items()))


def summarise_received(submissions: Iterable[tuple[Submission, Report | None]]) -> ReceivedFiles:
    """Reduce the report of each submission to its outcome."""
    return [(one, None if report is None else ReportOutcome.from_report(report)) for one, report in submissions]


def period_of(submission: Submission, outcome: ReportOutcome | None) -> Period | None:
    """Return the period found in a file, else the one given with it; None if neither is known."""
    text = (outcome.period if outcome is not None else None) or submission.period
    return None if text is None else Period.parse(text)


def _group_by_month(received: ReceivedFiles) -> dict[tuple[str, str, str | None], _FilesByMonth]:
    """The files of each dataset, body and part by the months they cover; a file of unknown period covers none.

    Months are numbered, so that each duty finds its files without a look at all others: a body may have hundreds.
    """
    streams: dict[tuple[str, str, str | None], _FilesByMonth] = {}
    for submission, outcome in received:
        found = period_of(submission, outcome)
        if found is not None:
            part = submission.part if outcome is None else outcome.part
            stream = streams.setdefault((submission.dataset, submission.body, part), {})
            for month in _number_months(found):
                stream.setdefault(month, []).append((submission, outcome))
    return streams


def _number_months(period: Period) -> range:
    """The months of a period, numbered from that of year 0."""
    first, last = period.start, period.end
    return range(first.year * 12 + first.month - 1, last.year * 12 + last.month)


def _judge_duty(
    rule: Mapping[str, Any], dataset: Dataset, body: Body, period: Period, day: date, received: _FilesByMonth, on: date
) -> Duty:
    numbers = _number_months(period)
    months = [number for number in numbers if body.existed_in(*_days_of(number))]
    met: list[date] = []
    for number in months:  # met on the day that the first publishable file was received
        days = [
            date.fromisoformat(submission.received[:10])
            for submission, outcome in received.get(number, ())
            if outcome is not None and outcome.verdict.publishes
        ]
        met += [min(days)] if days else []
    complete = max(met) if len(met) == len(months) else None
    covering = {id(submission): outcome for number in numbers for submission, outcome in received.get(number, ())}
    outcomes = list(covering.values())
    state = _state(complete, day, outcomes, on)
    return Duty(
        name=rule["name"],
        clause=rule["clause"],
        dataset=dataset.name,
        body=body,
        part=rule["part"],
        period=period,
        due=day,
        state=state,
        received=complete,
        months_due=len(months),
        months_arrived=len(met),
        acts=_who_acts(state, outcomes),
    )


def _days_of(number: int) -> tuple[date, date]:
    """The first and the last day of a month that is numbered from that of year 0."""
    year, month = divmod(number, 12)
    return date(year, month + 1, 1), date(year, month + 1, monthrange(year, month + 1)[1])


def add_statement(duty: Duty, statements: Iterable[Statement]) -> Duty:
    """A return with the last statement about it, if nothing came for it; `statements` are newest first."""
    if duty.state not in _NOTHING_CAME:
        return duty
    for said in statements:
        if (said.body, said.dataset, said.part) != (duty.body.slug, duty.dataset, duty.part):
            continue
        about = Period.parse(said.period)
        if about.start <= duty.period.start and duty.period.end <= about.end:
            state = DutyState.EXEMPT if said.kind is ReturnKind.EXEMPT else duty.state
            return replace(duty, state=state, statement=said)
    return duty


def _who_acts(state: DutyState, outcomes: Sequence[ReportOutcome | None]) -> Acts:
    held = [outcome.acts for outcome in outcomes if outcome is not None and outcome.verdict is Verdict.HELD]
    ours = state is DutyState.FAILED or (state is DutyState.HELD and all(acts is Acts.PLATFORM for acts in held))
    return Acts.PLATFORM if ours else Acts.BODY


def _state(complete: date | None, day: date, outcomes: Sequence[ReportOutcome | None], on: date) -> DutyState:
    verdicts = {outcome.verdict for outcome in outcomes if outcome is not None}
    if complete is not None:
        if {verdict for verdict in verdicts if verdict.publishes} == {Verdict.NIL}:
            return DutyState.NIL
        return DutyState.ON_TIME if complete <= day else DutyState.LATE
    if Verdict.HELD in verdicts:
        held = [outcome for outcome in outcomes if outcome is not None and outcome.verdict is Verdict.HELD]
        return DutyState.REPEATED if all(outcome.repeated for outcome in held) else DutyState.HELD
    if Verdict.REJECTED in verdicts:
        return DutyState.REJECTED
    if None in outcomes:  # received, but our own fault left it without a report
        return DutyState.FAILED
    return DutyState.MISSING if on > day else DutyState.NOT_YET_DUE
