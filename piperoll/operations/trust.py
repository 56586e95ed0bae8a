"""Earned trust: a body's record decides how much review its held files get, by the rules in `datapackages/trust/`.

The level is a function of the record, the rules and the day, and of nothing else: no one gives or takes it. It rises as
soon as the record meets a level's needs. It falls by one level at a time, and each fall names what led to it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from piperoll import assets
from piperoll.duties import Duty, DutyState, period_of
from piperoll.model import Acts, Cause, Verdict
from piperoll.operations.body_index import BodyIndex

_MISSED = frozenset([DutyState.MISSING, DutyState.LATE, DutyState.REJECTED, DutyState.REPEATED, DutyState.HELD])


@dataclass(frozen=True, slots=True)
class Level:
    """One rung: what a record must show, and the finding codes of held files that an officer may release alone.

    `files` is the least number of first files for a period; `accepted_at_first` the least share of them that could be
    published without a hold; `misses` the most returns that were late or missing; `corrections` the largest share of
    published periods that the body had to correct. None asks for nothing.
    """

    name: str
    title: str
    summary: str
    officer_may_release: frozenset[str]
    files: int = 0
    accepted_at_first: float | None = None
    misses: int | None = None
    corrections: float | None = None


@dataclass(frozen=True, slots=True)
class TrustRules:
    """The published rules: the ladder from the lowest level, the months that count, and the days between two falls."""

    version: str
    levels: tuple[Level, ...]
    months: int
    days_between_falls: int


@dataclass(frozen=True, slots=True)
class TrustEvent:
    """Something that a body did, in the words of `what`: the first file for a period, a missed return or a correction.

    A first file is `ok` if it was published without a hold.
    """

    day: date
    kind: str
    ok: bool
    what: str


FIRST_FILE, MISS, CORRECTION = "first-file", "miss", "correction"


@dataclass(frozen=True, slots=True)
class Record:
    """What counts on a day: first files, those accepted at first, misses and corrections, with the events."""

    files: int
    accepted: int
    misses: int
    corrections: int
    events: tuple[TrustEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """The level of a body, why it fell (if it did), and what is missing for the next one."""

    level: Level
    record: Record
    next: Level | None
    missing: tuple[str, ...]
    fell: date | None = None
    because: tuple[str, ...] = ()

    def may_release(self, code: str | None) -> bool:
        """Whether an officer of the body may release a file that is held for this finding, without an operator."""
        return code is not None and code in self.level.officer_may_release


@cache
def read_rules() -> TrustRules:
    """The rules of the ladder."""
    document = tomllib.loads((assets.folder("datapackages") / "trust" / "ladder.toml").read_text("utf-8"))
    return parse_rules(document)


def parse_rules(document: Mapping[str, Any]) -> TrustRules:
    """Rules from the content of `ladder.toml`."""
    levels = tuple(
        Level(one["name"], one["title"], one["summary"], frozenset(one["officer_may_release"]), **one.get("needs", {}))
        for one in document["levels"]
    )
    return TrustRules(document["version"], levels, document["window"]["months"], document["fall"]["days"])


def list_events(body: BodyIndex, duties: Iterable[Duty], on: date) -> list[TrustEvent]:
    """What a body did, by day: from its files, its versions and its duties."""
    events: list[TrustEvent] = []
    first: set[tuple[str, str | None, str]] = set()
    for submission, outcome in sorted(body.received, key=lambda one: (one[0].received, one[0].sha256)):
        if outcome is None:
            continue  # a fault of ours
        period = period_of(submission, outcome)
        about = f"{submission.dataset} of {period.title}" if period else f"a {submission.dataset} file without a period"
        key = submission.dataset, outcome.part or submission.part, str(period or submission.sha256)
        if key in first or (outcome.verdict is Verdict.HELD and outcome.acts is Acts.PLATFORM):
            continue  # a file that waits for our answer says nothing about the body
        first.add(key)
        day = date.fromisoformat(submission.received[:10])
        held = {Verdict.HELD: " was held", Verdict.REJECTED: " was rejected"}
        events.append(
            TrustEvent(
                day, FIRST_FILE, outcome.verdict.publishes, about + held.get(outcome.verdict, " was accepted at first")
            )
        )
    for series, facts in body.series.items():
        for version in facts.history.versions:
            if version.cause is Cause.CORRECTION:
                day = date.fromisoformat(version.published[:10])
                events.append(
                    TrustEvent(day, CORRECTION, False, f"{series.dataset} of {series.period.title} was corrected")
                )
    for duty in duties:
        late = duty.state is DutyState.LATE or (duty.outstanding and duty.state in _MISSED and on > duty.due)
        if late and duty.acts is Acts.BODY:
            words = "late" if duty.state is DutyState.LATE else "not complete by its day"
            events.append(
                TrustEvent(
                    duty.due + timedelta(days=1), MISS, False, f"{duty.dataset} of {duty.period.title} was {words}"
                )
            )
    return sorted(events, key=lambda event: (event.day, event.kind, event.what))


def judge(events: Sequence[TrustEvent], on: date, rules: TrustRules) -> Standing:
    """The standing of a body with these events on a day.

    The level is followed from the first event on: it rises to what the record meets, and falls by one level and not
    more often than the rules say, when something bad happens or good files no longer count.
    """
    days = sorted({event.day for event in events if event.day <= on} | {on})
    position = 0
    fell: date | None = None
    because: tuple[str, ...] = ()
    for day in _with_window_days(days, events, on, rules):
        record = _record_on(events, day, rules)
        met = max(number for number, level in enumerate(rules.levels) if not _missing(level, record))
        if met > position:
            position = met
        elif met < position and (fell is None or (day - fell).days >= rules.days_between_falls):
            position, fell = position - 1, day
            because = _missing(rules.levels[position + 1], record)
    record = _record_on(events, on, rules)
    following = rules.levels[position + 1] if position + 1 < len(rules.levels) else None
    recent = fell is not None and (on - fell).days <= 3 * rules.days_between_falls
    return Standing(
        rules.levels[position],
        record,
        following,
        _missing(following, record) if following else (),
        fell if recent else None,
        because if recent else (),
    )


def judge_body(body: BodyIndex, duties: Iterable[Duty], on: date) -> Standing:
    """The standing of a body on a day by the published rules."""
    return judge(list_events(body, duties, on), on, read_rules())


def _with_window_days(days: Sequence[date], events: Sequence[TrustEvent], on: date, rules: TrustRules) -> list[date]:
    """The days on which the record can change: events, when they no longer count, and the days of delayed falls."""
    leaving = {_window_end(event.day, rules) for event in events}
    changes = {day for day in (*days, *leaving) if day <= on}
    delayed = {day + timedelta(days=rules.days_between_falls * step) for day in changes for step in (1, 2, 3)}
    return sorted({day for day in changes | delayed if day <= on})


def _window_end(day: date, rules: TrustRules) -> date:
    """The first day on which an event no longer counts."""
    months = day.year * 12 + day.month - 1 + rules.months
    return date(months // 12, months % 12 + 1, min(day.day, 28))


def _record_on(events: Sequence[TrustEvent], day: date, rules: TrustRules) -> Record:
    counted = tuple(event for event in events if event.day <= day < _window_end(event.day, rules))
    files = [event for event in counted if event.kind == FIRST_FILE]
    return Record(
        len(files),
        sum(event.ok for event in files),
        sum(event.kind == MISS for event in counted),
        sum(event.kind == CORRECTION for event in counted),
        counted,
    )


def _missing(level: Level, record: Record) -> tuple[str, ...]:
    """What a record lacks for a level, in words; nothing if it meets it."""
    missing = []
    if record.files < level.files:
        left = level.files - record.files
        missing.append(f"{left:,} more {'period' if left == 1 else 'periods'} sent (of {level.files:,})")
    if level.accepted_at_first is not None and record.files:
        share = record.accepted / record.files
        if share < level.accepted_at_first:
            missing.append(
                f"{level.accepted_at_first:.0%} of first files accepted without a hold: "
                f"now {record.accepted:,} of {record.files:,}"
            )
    if level.misses is not None and record.misses > level.misses:
        most = (
            "no return"
            if level.misses == 0
            else f"at most {level.misses:,} {'return' if level.misses == 1 else 'returns'}"
        )
        missing.append(f"{most} late or missing: now {record.misses:,}")
    if level.corrections is not None and record.files and record.corrections > level.corrections * record.files:
        missing.append(
            f"corrections of at most {level.corrections:.0%} of the periods: "
            f"now {record.corrections:,} of {record.files:,}"
        )
    return tuple(missing)
