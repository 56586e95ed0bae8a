"""What a body brings to the pages that tell of all bodies: a line of facts for each, kept as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from piperoll.describing.holdings import Holdings, newest_first
from piperoll.describing.wording import total
from piperoll.duties import Duty, DutyState, ReportOutcome, next_change_day, next_due_day, publication_interval
from piperoll.model import Body, Dataset, Period, Submission, Verdict, counted_once, from_document, plain, to_document

MOST_WAITING = 20
"""So many files that wait are told on the first page; the others stand on the pages of their bodies."""


@dataclass(frozen=True, slots=True)
class ShelfLine:
    """What stands of a body and dataset: how many tables, the newest period, when it was last released.

    `every` is how often releases are owed (a code of `frequency`), `next_due` the next day by law. `rows` and `amount`
    are of the tables that may be added up, so that no day counts twice.
    """

    tables: int
    newest: Period | None
    published: str | None
    every: str
    next_due: date | None
    rows: int = 0
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DutyLine:
    """What a body did about one duty in the last period that was due."""

    dataset: str
    part: str | None
    name: str
    period: Period
    due: date
    state: DutyState
    kind: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that was held or rejected and waits for its sender."""

    submission: Submission
    period: Period | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class BodyLine:
    """A body as the first page and those of datasets tell it.

    `behind` counts the periods that are outstanding, `waits` the files that wait for their sender; `waiting` are the
    last of them. `latest` is the instant of the latest version of all, `newest_end` the last day of the newest period
    that is over. `until` is the first day on which something of it may change by itself.
    """

    body: Body
    shelves: Mapping[str, ShelfLine]
    behind: int
    waits: int
    waiting: tuple[Waiting, ...]
    duties: tuple[DutyLine, ...]
    latest: str | None
    newest_end: date | None
    until: date

    @property
    def tables(self) -> int:
        """How many tables stand."""
        return sum(line.tables for line in self.shelves.values())

    @property
    def newest(self) -> Period | None:
        """The newest period of all that stands."""
        return min((line.newest for line in self.shelves.values() if line.newest), key=newest_first, default=None)

    @property
    def published(self) -> str | None:
        """When what stands was last added to."""
        return max((line.published for line in self.shelves.values() if line.published), default=None)

    def to_json(self) -> dict[str, Any]:
        """The line as it is kept."""
        return {
            "body": asdict(self.body),
            "shelves": {name: _shelf_json(line) for name, line in self.shelves.items()},
            "behind": self.behind,
            "waits": self.waits,
            "waiting": [_waiting_json(one) for one in self.waiting],
            "duties": [_duty_json(one) for one in self.duties],
            "latest": self.latest,
            "newest_end": None if self.newest_end is None else self.newest_end.isoformat(),
            "until": self.until.isoformat(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> BodyLine:
        """The line that `to_json` wrote."""
        end = document["newest_end"]
        return cls(
            body=body_from_json(document["body"]),
            shelves={name: _shelf(line) for name, line in document["shelves"].items()},
            behind=document["behind"],
            waits=document["waits"],
            waiting=tuple(map(_waiting, document["waiting"])),
            duties=tuple(map(_duty, document["duties"])),
            latest=document["latest"],
            newest_end=None if end is None else date.fromisoformat(end),
            until=date.fromisoformat(document["until"]),
        )


def body_from_json(document: Mapping[str, Any]) -> Body:
    """A body that was kept."""
    return Body(**(dict(document) | {name: tuple(document[name]) for name in ("aliases", "same_as")}))


def line_of(holdings: Holdings) -> BodyLine:
    """The line of a body."""
    standing = [facts for facts in holdings.listings if facts.manifest is not None]
    ends = [facts.series.period.end for facts in standing]
    waiting = list(_waiting_files(holdings))
    instants = (version.published for facts in holdings.listings for version in facts.history.versions)
    changes = next_change_day(holdings.datasets, holdings.the_body.kind, holdings.on)
    return BodyLine(
        body=holdings.the_body,
        shelves={name: _shelf_line(holdings, holdings.dataset(name)) for name in _names(holdings)},
        behind=sum(duty.outstanding for duty in holdings.duties),
        waits=len(waiting),
        waiting=tuple(waiting[:MOST_WAITING]),
        duties=tuple(_last_due(holdings)),
        latest=max(instants, default=None),
        newest_end=max((end for end in ends if end <= holdings.on), default=None),
        until=min([changes, *(end for end in ends if end > holdings.on)]),
    )


def _names(holdings: Holdings) -> list[str]:
    return sorted({facts.series.dataset for facts in holdings.listings})


def _shelf_line(holdings: Holdings, dataset: Dataset) -> ShelfLine:
    standing = [facts for facts in holdings.of_dataset(dataset.name) if facts.manifest is not None]
    published = [facts.history.standing.published for facts in standing if facts.history.standing]
    once = set(counted_once(facts.series for facts in standing).taken)
    counted = [facts.manifest for facts in standing if facts.manifest is not None and facts.series in once]
    return ShelfLine(
        tables=len(standing),
        newest=min((facts.series.period for facts in standing), key=newest_first, default=None),
        published=max(published, default=None),
        every=publication_interval(dataset, holdings.the_body, (one.series for one in holdings.listings)),
        next_due=next_due_day(dataset, holdings.the_body, holdings.on),
        rows=sum(manifest.rows for manifest in counted),
        amount=total([manifest.amount_gbp for manifest in counted]),
    )


def _waiting_files(holdings: Holdings) -> Iterator[Waiting]:
    for submission, told in holdings.submissions:
        if told is not None and told.verdict in (Verdict.HELD, Verdict.REJECTED):
            yield Waiting(submission, _period(told, submission), told.verdict)


def _period(told: ReportOutcome, submission: Submission) -> Period | None:
    text = told.period or submission.period
    return None if text is None else Period.parse(text)


def _last_due(holdings: Holdings) -> Iterator[DutyLine]:
    """Of each duty, the last period that is due."""
    newest: dict[tuple[str, str, str], Duty] = {}
    for duty in holdings.duties:  # the latest first
        if duty.due <= holdings.on:
            newest.setdefault((duty.dataset, duty.part or "", duty.name), duty)
    for _, duty in sorted(newest.items(), key=lambda entry: entry[0]):
        yield DutyLine(duty.dataset, duty.part, duty.name, duty.period, duty.due, duty.state, duty.body.kind)


def _shelf_json(line: ShelfLine) -> list[Any]:
    newest = None if line.newest is None else str(line.newest)
    due = None if line.next_due is None else str(line.next_due)
    amount = None if line.amount is None else plain(line.amount)
    return [line.tables, newest, line.published, line.every, due, line.rows, amount]


def _shelf(values: list[Any]) -> ShelfLine:
    tables, newest, published, how_often, due, rows, amount = values
    return ShelfLine(
        tables,
        None if newest is None else Period.parse(newest),
        published,
        how_often,
        None if due is None else date.fromisoformat(due),
        rows,
        None if amount is None else Decimal(amount),
    )


def _waiting_json(one: Waiting) -> dict[str, Any]:
    period = None if one.period is None else str(one.period)
    return {"submission": to_document(one.submission), "period": period, "verdict": str(one.verdict)}


def _waiting(document: Mapping[str, Any]) -> Waiting:
    period = None if document["period"] is None else Period.parse(document["period"])
    return Waiting(from_document(Submission, document["submission"]), period, Verdict(document["verdict"]))


def _duty_json(one: DutyLine) -> list[Any]:
    return [one.dataset, one.part, one.name, str(one.period), one.due.isoformat(), str(one.state), one.kind]


def _duty(values: list[Any]) -> DutyLine:
    dataset, part, name, period, due, state, kind = values
    return DutyLine(dataset, part, name, Period.parse(period), date.fromisoformat(due), DutyState(state), kind)


@dataclass(frozen=True, slots=True)
class Sum:
    """Published rows and pounds (None where none is counted) of a period and part, the rows held back, of how many."""

    period: Period
    part: str | None
    bodies: int
    rows: int
    amount: Decimal | None
    held: int

    def to_json(self) -> list[Any]:
        """The sum as it is kept."""
        amount = None if self.amount is None else plain(self.amount)
        return [str(self.period), self.part, self.bodies, self.rows, amount, self.held]

    @classmethod
    def from_json(cls, values: list[Any]) -> Sum:
        """The sum that `to_json` wrote."""
        period, part, bodies, rows, amount, held = values
        return cls(Period.parse(period), part, bodies, rows, None if amount is None else Decimal(amount), held)


def sums_of(holdings: Holdings) -> dict[tuple[str, int], list[Sum]]:
    """What a body brings to the figures of each dataset and year in which periods end."""
    found: dict[tuple[str, int], list[Sum]] = {}
    for facts in holdings.listings:
        series, manifest = facts.series, facts.manifest
        if manifest is not None:
            one = Sum(series.period, series.part, 1, manifest.rows, manifest.amount_gbp, facts.held)
            found.setdefault((series.dataset, series.period.end.year), []).append(one)
    return found


def added(sums: Iterable[Sum]) -> list[Sum]:
    """One sum for each period and part, over bodies: of each there is one table at most, so none overlap."""
    groups: dict[tuple[Period, str | None], list[Sum]] = {}
    for one in sums:
        groups.setdefault((one.period, one.part), []).append(one)
    return [_added(groups[key]) for key in sorted(groups, key=lambda key: (newest_first(key[0]), key[1] or ""))]


def _added(sums: list[Sum]) -> Sum:
    amounts = [one.amount for one in sums if one.amount is not None]
    return Sum(
        sums[0].period,
        sums[0].part,
        sum(one.bodies for one in sums),
        sum(one.rows for one in sums),
        sum(amounts, Decimal(0)) if amounts else None,
        sum(one.held for one in sums),
    )
