"""All bodies together, for the first page and the pages of datasets: made from a digest of each body and period totals.

A digest has the few facts of a body that these pages need, kept as JSON, so that a change of one body does not require
reading the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from piperoll.describing.context import Holdings, InContext, newest_first
from piperoll.describing.measures import PublishedMeasure
from piperoll.describing.suppliers import GroupDigest
from piperoll.describing.wording import format_count, format_day, format_pounds, total
from piperoll.describing.year_figures import BodyYear, YearFigures, add_figures, adds_over_years
from piperoll.duties import Duty, DutyState, duty_rules, next_change_day, next_due_day, period_of, publication_interval
from piperoll.model import UNDATED, Acts, Body, Dataset, Period, Submission, Verdict

_SILENT_AFTER = timedelta(days=456)
"""A body is silent if its newest period ended this long ago: fifteen months, so that a yearly return may be late."""

MOST_WAITING = 20
"""Files shown on the first page that wait for someone; the pages of bodies show the others."""


@dataclass(frozen=True, slots=True)
class DatasetDigest:
    """One dataset of a body: how many tables are published, the newest period, and the instant of the last release.

    `interval` is how often the body publishes (one of `duties.calendar.INTERVALS`) and `next_due` the next day a
    return is due by law. `rows` are those of its consolidated years (`WholeFigures`), and `bytes` is the size of the
    files of all current tables.
    """

    tables: int
    newest: Period | None
    published: str | None
    interval: str
    next_due: date | None
    rows: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class DutyDigest:
    """What a body did about one duty in the last period that is due."""

    dataset: str
    part: str | None
    name: str
    period: Period
    due: date
    state: DutyState
    kind: str


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file that was held or rejected: why, who must act on it, and the rows and pounds that were read of it.

    `amount` is None if no amount could be read; `unreadable` counts the rows whose amount could not.
    """

    submission: Submission
    period: Period | None
    verdict: Verdict
    reason: str | None = None
    acts: Acts = Acts.BODY
    rows: int = 0
    amount: Decimal | None = None
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class WaitingTotal:
    """The files that wait for one party: how many, and the rows and pounds that were read of them."""

    files: int
    rows: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class BodyDigest:
    """One body as the pages about all bodies show it.

    `behind` counts the periods that are outstanding, `judged` those for which a return was due. `waits` counts the
    files that wait for the body or for the platform (`Acts`), and `waiting` are the last of those files. `latest` is
    the instant of the latest version, `newest_end` the last day of the newest period that is over. `until` is the first
    day on which the digest may change although nothing arrives.
    """

    body: Body
    datasets: Mapping[str, DatasetDigest]
    behind: int
    waits: Mapping[str, WaitingTotal]
    waiting: tuple[WaitingFile, ...]
    duties: tuple[DutyDigest, ...]
    latest: str | None
    newest_end: date | None
    until: date
    judged: int = 0

    @property
    def tables(self) -> int:
        """How many tables are published."""
        return sum(one.tables for one in self.datasets.values())

    @property
    def newest(self) -> Period | None:
        """The newest period of all that is published."""
        return min((one.newest for one in self.datasets.values() if one.newest), key=newest_first, default=None)

    @property
    def published(self) -> str | None:
        """The instant of the last release that is current."""
        return max((one.published for one in self.datasets.values() if one.published), default=None)


@dataclass(frozen=True, slots=True)
class OutstandingWords:
    """What is outstanding of a body, in words; each may be empty, but not all of them.

    `periods` counts the returns that are overdue, `silent` says since when nothing has come, and `other` anything else.
    """

    periods: str
    silent: str
    other: str


def describe_outstanding(digest: BodyDigest, on: date) -> OutstandingWords:
    """Say what is outstanding of a body. "Nothing" is said only if returns were due lately and came."""
    body, newest = digest.body, digest.newest_end
    closed = body.valid_to is not None and body.valid_to < on
    periods = format_count(digest.behind, "period") if digest.behind else ""
    silent = ""
    if newest is not None and newest < on - _SILENT_AFTER and not closed:
        silent = f"nothing newer than {format_day(newest)}"
    other = ""
    if closed and body.valid_to is not None:
        other = f"closed on {format_day(body.valid_to)}"
    elif not (periods or silent):
        other = "nothing" if digest.judged else "no return was due yet"
    return OutstandingWords(periods, silent, other)


def describe_waiting_pounds(file: WaitingFile) -> str:
    """Say which pounds of a file wait: the sum of what could be read, or that no amount could."""
    if file.amount is None:
        return "not known" if file.unreadable else "–"
    return format_pounds(file.amount)


def digest_body(holdings: Holdings) -> BodyDigest:
    """Make the digest of a body."""
    context, published = holdings.context, [facts for facts in holdings.series if facts.manifest is not None]
    ends = [facts.series.period.end for facts in published]
    waiting = list_waiting(holdings)
    last_due: dict[tuple[str, str, str], Duty] = {}
    for duty in holdings.duties:  # latest first
        if duty.due <= context.on:
            last_due.setdefault((duty.dataset, duty.part or "", duty.name), duty)
    return BodyDigest(
        body=holdings.body,
        datasets={
            name: _digest_dataset(holdings, name)
            for name in sorted({facts.series.dataset for facts in holdings.series})
        },
        behind=sum(duty.outstanding for duty in holdings.duties),
        waits={str(acts): total for acts in Acts if (total := _add_waiting(waiting, acts)).files},
        waiting=tuple(waiting[:MOST_WAITING]),
        duties=tuple(
            DutyDigest(duty.dataset, duty.part, duty.name, duty.period, duty.due, duty.state, duty.body.kind)
            for _, duty in sorted(last_due.items(), key=lambda entry: entry[0])
        ),
        latest=max((one.published for facts in holdings.series for one in facts.history.versions), default=None),
        newest_end=max((end for end in ends if end <= context.on), default=None),
        until=min(
            [
                next_change_day(context.datasets, holdings.body.kind, context.on),
                *(end for end in ends if end > context.on),
            ]
        ),
        judged=sum(duty.due <= context.on for duty in holdings.duties),
    )


def list_waiting(holdings: Holdings) -> list[WaitingFile]:
    """List a body's files that were held or rejected, latest first, without those that a later file made good."""
    settled: set[tuple[str, Period | None, str | None]] = set()
    waiting = []
    for submission, outcome in holdings.submissions:  # newest first
        if outcome is None:
            continue
        period = period_of(submission, outcome)
        series = submission.dataset, period, outcome.part or submission.part
        if outcome.verdict.publishes:
            settled.add(series)
        elif period is None or series not in settled:
            waiting.append(
                WaitingFile(
                    submission=submission,
                    period=period,
                    verdict=outcome.verdict,
                    reason=outcome.reason,
                    acts=outcome.acts or Acts.BODY,
                    rows=outcome.rows,
                    amount=outcome.amount,
                    unreadable=outcome.unreadable,
                )
            )
    return waiting


def _add_waiting(files: Iterable[WaitingFile], acts: Acts) -> WaitingTotal:
    own = [file for file in files if file.acts is acts]
    return WaitingTotal(len(own), sum(file.rows for file in own), total([file.amount for file in own]))


def _digest_dataset(holdings: Holdings, name: str) -> DatasetDigest:
    dataset, published = holdings.dataset(name), holdings.current_series_of(name)
    instants = [facts.history.current_version.published for facts in published if facts.history.current_version]
    years = {year: one.figures for year, one in holdings.years.get(name, {}).items()}
    whole = add_years(dataset, years)
    return DatasetDigest(
        tables=len(published),
        newest=min((facts.series.period for facts in published), key=newest_first, default=None),
        published=max(instants, default=None),
        interval=publication_interval(dataset, holdings.body, (facts.series for facts in holdings.series)),
        next_due=next_due_day(dataset, holdings.body, holdings.on),
        rows=0 if whole is None else whole.figures.rows,
        bytes=sum(entry.bytes for facts in published if facts.manifest for entry in facts.manifest.files),
    )


@dataclass(frozen=True, slots=True)
class WholeFigures:
    """The figures of a dataset in all: those of its `years` added up, or of the newest year if years do not add up.

    Of several bodies it is the newest year of each: one has sent the register of this year and another that of last.
    """

    figures: YearFigures
    years: tuple[str, ...]
    adds_up: bool


def add_years(dataset: Dataset, years: Mapping[str, YearFigures]) -> WholeFigures | None:
    """Add the years of a dataset up; of registers and snapshots, take the latest year. None if there are no years."""
    if not years:
        return None
    ordered = sorted(years, key=lambda year: (year == UNDATED, year))
    if adds_over_years(dataset):
        return WholeFigures(add_figures(years[year] for year in ordered), tuple(ordered), adds_up=True)
    latest = [year for year in ordered if year != UNDATED][-1:] or ordered[-1:]
    return WholeFigures(add_figures(years[year] for year in latest), tuple(latest), adds_up=False)


def newest_year(dataset: Dataset, years: Mapping[str, BodyYear]) -> WholeFigures | None:
    """The figures of a body's newest year, for a dataset whose years do not add up; None for other datasets."""
    if adds_over_years(dataset):
        return None
    return add_years(dataset, {year: one.figures for year, one in years.items()})


def add_newest(bodies: Iterable[WholeFigures]) -> WholeFigures:
    """Add up the newest years of several bodies."""
    every = list(bodies)
    years = sorted({year for one in every for year in one.years}, key=lambda year: (year == UNDATED, year))
    return WholeFigures(add_figures(one.figures for one in every), tuple(years), adds_up=False)


@dataclass(frozen=True, slots=True)
class PeriodTotal:
    """Rows and pounds published for a period and part, and the rows held back, over a number of bodies.

    `amount` is None if the dataset has no pounds.
    """

    period: Period
    part: str | None
    bodies: int
    rows: int
    amount: Decimal | None
    held: int


def period_totals(holdings: Holdings) -> dict[tuple[str, int], list[PeriodTotal]]:
    """Return a body's totals by dataset and the year in which periods end."""
    totals: dict[tuple[str, int], list[PeriodTotal]] = {}
    for facts in holdings.series:
        series, manifest = facts.series, facts.manifest
        if manifest is not None:
            one = PeriodTotal(series.period, series.part, 1, manifest.rows, manifest.amount_gbp, facts.held)
            totals.setdefault((series.dataset, series.period.end.year), []).append(one)
    return totals


def add_totals(totals: Iterable[PeriodTotal]) -> list[PeriodTotal]:
    """Add totals up over bodies, newest period first.

    Each body has at most one table for a period and part, so no table overlaps another within a total.
    """
    groups: dict[tuple[Period, str | None], list[PeriodTotal]] = {}
    for one in totals:
        groups.setdefault((one.period, one.part), []).append(one)
    return [
        PeriodTotal(
            period=period,
            part=part,
            bodies=sum(one.bodies for one in group),
            rows=sum(one.rows for one in group),
            amount=total([one.amount for one in group]),
            held=sum(one.held for one in group),
        )
        for (period, part), group in sorted(
            groups.items(), key=lambda item: (newest_first(item[0][0]), item[0][1] or "")
        )
    ]


@dataclass(frozen=True)
class Overview(InContext):
    """All bodies: their digests in order of name, and what they add up to.

    `totals` are those of each dataset's published periods, newest first; `years` the consolidated figures of each
    dataset by year; `newest_years` those of the newest year of each body, for datasets whose years do not add up;
    `suppliers` the digest of each group of suppliers by its letters; `measures` what is measured.
    """

    digests: tuple[BodyDigest, ...]
    totals: Mapping[str, Sequence[PeriodTotal]]
    years: Mapping[str, Mapping[str, YearFigures]]
    newest_years: Mapping[str, WholeFigures]
    suppliers: Mapping[str, GroupDigest]
    measures: tuple[PublishedMeasure, ...] = ()

    def body(self, slug: str) -> Body:
        """Return the body of a slug."""
        return next(one.body for one in self.digests if one.body.slug == slug)

    def publishing(self, name: str) -> tuple[BodyDigest, ...]:
        """Return the bodies that have ever published the dataset."""
        return tuple(one for one in self.digests if name in one.datasets)

    def expected(self, name: str) -> int:
        """Count the bodies that must publish the dataset by law or have ever published it."""
        dataset = self.dataset(name)
        return sum(name in one.datasets or bool(duty_rules(dataset, one.body)) for one in self.digests)

    def periods(self, name: str) -> Sequence[PeriodTotal]:
        """Return the totals of a dataset's published periods, newest first, one for each part."""
        return self.totals.get(name, ())

    def newest(self, name: str) -> list[PeriodTotal]:
        """Return the newest period of each part of a dataset; a period that is not over only if it is the only one."""
        newest: dict[str | None, PeriodTotal] = {}
        for one in sorted(self.periods(name), key=lambda one: one.period.end > self.on):
            newest.setdefault(one.part, one)
        return [newest[part] for part in sorted(newest, key=lambda part: part or "")]

    def whole(self, name: str) -> WholeFigures | None:
        """Return the figures of a dataset in all; None if nothing of it is published."""
        whole = self.newest_years.get(name) or add_years(self.dataset(name), self.years.get(name, {}))
        if whole is None or not whole.adds_up or len(whole.years) == 1:
            return whole
        # a table can have lines in several years, so the numbers of years do not add up
        tables = [one.datasets[name].tables for one in self.publishing(name) if one.datasets[name].tables]
        return replace(whole, figures=replace(whole.figures, tables=sum(tables), bodies=len(tables)))

    @property
    def latest(self) -> str | None:
        """The instant of the latest version of all."""
        return max((one.latest for one in self.digests if one.latest), default=None)
