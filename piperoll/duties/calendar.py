"""The duty calendar: who owes what by when, and what came."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import holidays

from piperoll.describing.facts import Came, Told
from piperoll.errors import DescriptorError
from piperoll.model import Body, Dataset, Period, Register, Report, Submission, Verdict


class DutyState(StrEnum):
    """What has become of a duty: FAILED is our fault, the others that are outstanding are the body's to mend."""

    ON_TIME = "on-time"
    LATE = "late"
    NIL = "nil"
    HELD = "held"
    REPEATED = "repeated"
    REJECTED = "rejected"
    FAILED = "failed"
    MISSING = "missing"
    NOT_YET_DUE = "not-yet-due"


_A_DAY = timedelta(days=1)
_OUTSTANDING = frozenset([DutyState.MISSING, DutyState.HELD, DutyState.REPEATED, DutyState.REJECTED, DutyState.FAILED])


@dataclass(frozen=True, slots=True)
class Duty:
    """What one body owes of one dataset (and part) for one period, the day it is due by law, and what came.

    `clause` names the law or code. `received` is the day on which the last of what was owed had come (None where
    something is outstanding), `months_owed` and `months_came` count calendar months, so that two months of a quarter
    are seen.
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
    months_owed: int
    months_came: int

    @property
    def outstanding(self) -> bool:
        """Whether nothing that could be published has come though it is due, or something came that could not be."""
        return self.state in _OUTSTANDING


def due(
    datasets: Iterable[Dataset],
    register: Register,
    submissions: Iterable[tuple[Submission, Report | None]],
    on: date,
    since: date,
) -> list[Duty]:
    """Every duty, judged by the reports themselves: see `owed`."""
    came = [(submission, None if report is None else Told.of(report)) for submission, report in submissions]
    return owed(datasets, register, came, on, since)


def owed(datasets: Iterable[Dataset], bodies: Iterable[Body], submissions: Came, on: date, since: date) -> list[Duty]:
    """Every duty for a period that ended on or after `since` and before `on`, in order of due day, dataset and body.

    A month counts as come from the day the first submission that covers it and could be published was received;
    the period is the one found in the file, else the one given with it. A snapshot of another day in the same month
    counts for the day asked for. Raises: DescriptorError: a duty has an interval or a due rule that we do not know.
    """
    bodies = tuple(bodies)
    came = _by_stream(submissions)
    duties = [
        _judged(rule, dataset, body, (period, day), came.get((dataset.name, body.slug, rule["part"]), ()), on)
        for dataset in datasets
        for rule in dataset.duties
        for period, day in _periods(rule, since, on - timedelta(days=1))
        for body in bodies
        if body.kind in rule["kinds"]
    ]
    return sorted(duties, key=lambda duty: (duty.due, duty.dataset, duty.part or "", duty.body.slug))


def next_due(dataset: Dataset, body: Body, after: date) -> date | None:
    """The first day after `after` on which the body owes something of the dataset; None if no duty binds it.

    Raises: DescriptorError: as `due`.
    """
    first, last = date(after.year - 1, 1, 1), date(after.year + 2, 12, 31)  # no due day lies over a year behind
    days = [day for rule in rules_for(dataset, body) for _, day in _periods(rule, first, last) if day > after]
    return min(days, default=None)


def next_change(datasets: Iterable[Dataset], kind: str, on: date) -> date:
    """The first day after `on` on which bodies of a kind may owe something else, or be late, though nothing came.

    That is the first of a month, since so begin the 13 months that are looked back on; the day after a period ends; a
    due day, and the day after it. Raises: DescriptorError: as `owed`.
    """
    following = date(on.year + on.month // 12, on.month % 12 + 1, 1)
    days = {following}
    for dataset in datasets:
        for rule in dataset.duties:
            if kind in rule["kinds"]:
                for period, day in _periods(rule, date(on.year - 1, 1, 1), following):
                    days |= {period.end + _A_DAY, day, day + _A_DAY}
    return min(day for day in days if day > on)


def period_of(submission: Submission, told: Told | None) -> Period | None:
    """The period found in a file, else the one given with it; None where neither is known."""
    text = (told.period if told is not None else None) or submission.period
    return None if text is None else Period.parse(text)


def rules_for(dataset: Dataset, body: Body) -> tuple[Mapping[str, Any], ...]:
    """The duties of the dataset that bind bodies of this kind."""
    return tuple(rule for rule in dataset.duties if body.kind in rule["kinds"])


def _periods(rule: Mapping[str, Any], first: date, last: date) -> Iterator[tuple[Period, date]]:
    """The rule's periods that end from `first` to `last`, each with the day it is due, oldest first."""
    for year in range(first.year, last.year + 1):
        for period in _periods_ending_in(rule, year):
            if first <= period.end <= last:
                yield period, _due_day(rule, period)


def _periods_ending_in(rule: Mapping[str, Any], year: int) -> list[Period]:
    match rule["every"]:
        case "month":
            return [Period.month(year, month) for month in range(1, 13)]
        case "quarter":
            return [Period.quarter(year, quarter) for quarter in range(1, 5)]
        case "year":
            return [Period.financial_year(year - 1)]
        case "snapshot":
            return [Period.day(date.fromisoformat(f"{year}-{day}")) for day in sorted(rule["days"])]
        case unknown:
            raise DescriptorError(f"duty {rule['name']}: every '{unknown}' is not month, quarter, year or snapshot")


def _due_day(rule: Mapping[str, Any], period: Period) -> date:
    match rule:
        case {"every": "snapshot", "days": days}:
            return date.fromisoformat(f"{period.end.year}-{days[f'{period.end:%m-%d}']}")
        case {"due": {"months_after": int(months)}}:
            return _months_later(period.end, months)
        case {"due": {"last_working_day_of_month_after": int(months)}}:
            return last_working_day(_months_later(period.end, months))
        case {"due": {"days_after": int(days)}}:
            return period.end + timedelta(days=days)
    raise DescriptorError(f"duty {rule['name']}: no due rule that we know in {rule.get('due')}")


def _months_later(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def last_working_day(month: date) -> date:
    """The last day of the month of `month` that is no Saturday, Sunday or bank holiday in England."""
    day = month.replace(day=monthrange(month.year, month.month)[1])
    while day.weekday() >= 5 or day in _bank_holidays(day.year):
        day -= timedelta(days=1)
    return day


@cache
def _bank_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def _by_stream(submissions: Came) -> dict[tuple[str, str, str | None], list[tuple[Submission, Told | None]]]:
    streams: dict[tuple[str, str, str | None], list[tuple[Submission, Told | None]]] = {}
    for submission, report in submissions:
        part = report.part if report is not None else submission.part
        streams.setdefault((submission.dataset, submission.body, part), []).append((submission, report))
    return streams


def _judged(
    rule: Mapping[str, Any], dataset: Dataset, body: Body, owed: tuple[Period, date], came: Came, on: date
) -> Duty:
    period, day = owed
    covering = [(submission, report) for submission, report in came if _overlaps(submission, report, period)]
    months = list(period.months())
    received = [_first_received(month, covering) for month in months]
    arrived = [when for when in received if when is not None]
    complete = max(arrived) if len(arrived) == len(months) else None
    return Duty(
        name=rule["name"],
        clause=rule["clause"],
        dataset=dataset.name,
        body=body,
        part=rule["part"],
        period=period,
        due=day,
        state=_state(complete, day, [report for _, report in covering], on),
        received=complete,
        months_owed=len(months),
        months_came=len(arrived),
    )


def _state(complete: date | None, day: date, reports: Sequence[Told | None], on: date) -> DutyState:
    verdicts = {report.verdict for report in reports if report is not None}
    if complete is not None:
        if {verdict for verdict in verdicts if verdict.publishes} == {Verdict.NIL}:
            return DutyState.NIL
        return DutyState.ON_TIME if complete <= day else DutyState.LATE
    if Verdict.HELD in verdicts:
        held = [report for report in reports if report is not None and report.verdict is Verdict.HELD]
        return DutyState.REPEATED if all(report.repeated for report in held) else DutyState.HELD
    if Verdict.REJECTED in verdicts:
        return DutyState.REJECTED
    if None in reports:  # it came, and we have not come to an end with it
        return DutyState.FAILED
    return DutyState.MISSING if on > day else DutyState.NOT_YET_DUE


def _first_received(month: Period, came: Came) -> date | None:
    days = [
        date.fromisoformat(submission.received[:10])
        for submission, report in came
        if report is not None and report.verdict.publishes and _overlaps(submission, report, month)
    ]
    return min(days, default=None)


def _overlaps(submission: Submission, report: Told | None, period: Period) -> bool:
    """Whether what came touches a month of `period`; a file of no known period touches none."""
    found = period_of(submission, report)
    if found is None:
        return False
    return Period.months_of(found.start, found.end).overlaps(Period.months_of(period.start, period.end))
