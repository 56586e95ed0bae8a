"""The duty calendar: body × dataset × period, with the due day, the state and whose fault it is, from indexes."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from piperoll.duties import Duty, DutyState, judge_duties
from piperoll.model import Dataset
from piperoll.operations.body_index import BodyIndex, StoreIndex

HEADINGS = ("body", "name", "dataset", "part", "period", "start", "end", "due", "state", "received", "acts", "clause")


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
