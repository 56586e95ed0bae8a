"""The duty calendar: body × dataset × period, with the due day, the state and whose fault it is, from indexes."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from piperoll import assets
from piperoll.describing.wording import capitalize_first, return_title
from piperoll.duties import Duty, DutyState, add_statement, due_periods, duty_rules, judge_duties, owes
from piperoll.model import Acts, Body, Dataset, Statement
from piperoll.operations.body_index import BodyIndex, StoreIndex

HEADINGS = ("body", "name", "dataset", "part", "period", "start", "end", "due", "state", "received", "acts", "clause")

_ONE_YEAR = timedelta(days=365)

_LINE_BYTES = 75
"""The longest content line of RFC 5545, in bytes."""


@dataclass(frozen=True, slots=True)
class CalendarFilter:
    """What is shown: of one body, dataset, state and kind of actor, for periods that end from a day on; None is all."""

    since: date
    body: str | None = None
    dataset: str | None = None
    state: DutyState | None = None
    acts: str | None = None

    def keeps(self, duty: Duty) -> bool:
        """Whether a duty is shown."""
        return (
            self.dataset in (None, duty.dataset)
            and self.state in (None, duty.state)
            and (self.acts is None or (duty.outstanding and str(duty.acts) == self.acts))
        )


def list_calendar(index: StoreIndex, wanted: CalendarFilter) -> list[Duty]:
    """The duties of all bodies, or of one, by due day, dataset and body, without datasets that nobody ever sent."""
    starts = index.first_starts
    datasets = [one for one in index.context.datasets if one.name in starts and wanted.dataset in (None, one.name)]
    bodies = index.read_all(index.slugs if wanted.body is None else [wanted.body])
    duties = [duty for body in bodies for duty in _duties_of(index, body, datasets, starts, wanted)]
    return sorted(duties, key=lambda duty: (duty.due, duty.dataset, duty.part or "", duty.body.slug))


def _duties_of(
    index: StoreIndex, body: BodyIndex, datasets: Iterable[Dataset], starts: Mapping[str, date], wanted: CalendarFilter
) -> Iterator[Duty]:
    stated = index.context.statements.get(body.body.slug, ())
    for duty in judge_duties(datasets, [body.body], body.received, index.context.on, wanted.since, stated):
        if duty.period.start >= starts[duty.dataset] and wanted.keeps(duty):
            yield duty


def count_states(duties: Iterable[Duty]) -> dict[str, int]:
    """How many duties are in each state, in the order of `DutyState`."""
    counts = Counter(duty.state for duty in duties)
    return {str(state): counts[state] for state in DutyState if counts[state]}


def list_upcoming(
    datasets: Sequence[Dataset], bodies: Iterable[Body], on: date, statements: Mapping[str, Sequence[Statement]]
) -> list[Duty]:
    """The returns that fall due within a year, of periods that have not ended before a day; nothing is late of them.

    `statements` are what each body said of its returns, by its slug: those of which it is exempt are `exempt`.
    """
    duties = []
    for body in bodies:
        stated = sorted(statements.get(body.slug, ()), key=lambda one: one.made, reverse=True)
        for dataset in datasets:
            for rule in duty_rules(dataset, body):
                for period, due in due_periods(rule, on, on + _ONE_YEAR):
                    if due <= on + _ONE_YEAR and owes(body, period, due):
                        months, state = len(list(period.months())), DutyState.NOT_YET_DUE
                        name, clause, part = rule["name"], rule["clause"], rule["part"]
                        duty = Duty(name, clause, dataset.name, body, part, period, due, state, None, months, 0)
                        duties.append(add_statement(duty, stated))
    return duties


def write_icalendar(duties: Iterable[Duty], on: date, name: str, portal: str) -> str:
    """Duties as an iCalendar (RFC 5545): an all-day event on each due day, which calendars can subscribe to.

    An event keeps its identifier when its state changes, so that a calendar shows each return once.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Piperoll//Duties//EN", f"X-WR-CALNAME:{_escape(name)}"]
    for duty in sorted(duties, key=lambda one: (one.due, one.body.slug, one.dataset, one.part or "")):
        title = return_title(assets.dataset(duty.dataset), duty.part)
        state = str(duty.state).replace("-", " ")
        about = [f"{capitalize_first(state)}. {duty.clause}"]
        if duty.outstanding:
            about.append("The body must act." if duty.acts is Acts.BODY else "The platform must act.")
        lines += [
            "BEGIN:VEVENT",
            f"UID:{duty.dataset}.{duty.part or 'all'}.{duty.period}.{duty.body.slug}@duties.piperoll",
            f"DTSTAMP:{on:%Y%m%d}T000000Z",
            f"DTSTART;VALUE=DATE:{duty.due:%Y%m%d}",
            f"SUMMARY:{_escape(f'{title}, {duty.period.title}: {duty.body.name} ({state})')}",
            f"DESCRIPTION:{_escape(' '.join(about))}",
            f"URL:{portal}bodies/{duty.body.slug}/",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(_fold(line) for line in lines)


def _escape(text: str) -> str:
    """A text value of iCalendar: no control characters, and what has a meaning of its own escaped."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _fold(line: str) -> str:
    """A content line of at most 75 bytes, continued on lines that begin with a space; no character is cut."""
    out, size = [], 0
    for letter in line:
        width = len(letter.encode())
        if size + width > _LINE_BYTES:
            out.append("\r\n ")
            size = 1
        out.append(letter)
        size += width
    return "".join(out) + "\r\n"


def write_csv(duties: Iterable[Duty]) -> str:
    """The calendar as CSV, a row for each duty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for duty in duties:
        document = duty.to_document()
        writer.writerow(
            [
                duty.body.slug,
                duty.body.name,
                duty.dataset,
                duty.part or "",
                str(duty.period),
                *(document[name] or "" for name in ("start", "end", "due", "state", "received", "acts", "clause")),
            ]
        )
    return out.getvalue()
