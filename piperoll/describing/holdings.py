"""All that the catalogue is made of, sorted once so that each page takes what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from piperoll.describing.duties import Came, Duty, due, rules_for
from piperoll.describing.wording import total
from piperoll.errors import UnknownDataset
from piperoll.model import Body, Dataset, Listing, Period, Register, Report, Series, Submission, Verdict

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """One dataset, part and period across bodies: tables that cannot overlap, so that adding them up is fair.

    `expected` counts the bodies that owe the dataset or have ever had it published.
    """

    period: Period
    part: str | None
    listings: tuple[Listing, ...]
    expected: int

    @property
    def bodies(self) -> int:
        """How many bodies the figures are of."""
        return len(self.listings)

    @property
    def rows(self) -> int:
        """Published rows."""
        return sum(listing.manifest.rows for listing in self.listings if listing.manifest is not None)

    @property
    def amount(self) -> Decimal | None:
        """Published pounds; None where the dataset counts none."""
        return total([listing.manifest.amount_gbp for listing in self.listings if listing.manifest is not None])

    @property
    def held(self) -> int:
        """Rows held back."""
        return sum(held_rows(listing) for listing in self.listings)


@dataclass(frozen=True)
class Holdings:
    """The listings in order, by dataset and by body, with the duties and submissions that belong to them.

    `submissions` are the newest first, the same file sent again only once.
    """

    listings: tuple[Listing, ...]
    datasets: tuple[Dataset, ...]
    bodies: tuple[Body, ...]
    submissions: Came
    duties: tuple[Duty, ...]
    on: date
    base_url: str
    publisher_name: str
    _of_dataset: Mapping[str, tuple[Listing, ...]]
    _of_body: Mapping[str, tuple[Listing, ...]]
    _submissions_of: Mapping[str, tuple[tuple[Submission, Report | None], ...]]
    _duties_of: Mapping[str, tuple[Duty, ...]]
    _bodies: Mapping[str, Body]
    _datasets: Mapping[str, Dataset]
    _expected: Mapping[str, frozenset[str]]

    def dataset(self, name: str) -> Dataset:
        """The dataset called `name`. Raises: UnknownDataset: something is published of one that we do not know."""
        if name not in self._datasets:
            raise UnknownDataset(f"there is no dataset '{name}': those known are {', '.join(sorted(self._datasets))}")
        return self._datasets[name]

    def body(self, slug: str) -> Body:
        """The body of this slug."""
        return self._bodies[slug]

    def of_dataset(self, name: str) -> tuple[Listing, ...]:
        """The series of a dataset, by body, newest period first."""
        return self._of_dataset.get(name, ())

    def of_body(self, slug: str) -> tuple[Listing, ...]:
        """The series of a body, by dataset, newest period first."""
        return self._of_body.get(slug, ())

    def submissions_of(self, slug: str) -> tuple[tuple[Submission, Report | None], ...]:
        """What a body sent, newest first."""
        return self._submissions_of.get(slug, ())

    def duties_of(self, slug: str) -> tuple[Duty, ...]:
        """What a body owes and owed, newest first."""
        return self._duties_of.get(slug, ())

    def expected(self, dataset: str) -> frozenset[str]:
        """The bodies that owe the dataset by law or have ever had it published."""
        return self._expected[dataset]

    def overlapping(self, series: Series) -> tuple[Listing, ...]:
        """Other series of the same body and dataset that share a day with this one."""
        return tuple(
            other
            for other in self.of_body(series.body)
            if other.series.dataset == series.dataset
            and other.series != series
            and other.series.period.overlaps(series.period)
        )

    def periods(self, dataset: str) -> list[PeriodLine]:
        """The periods for which something of the dataset stands, newest first, each part on a line of its own."""
        standing = [listing for listing in self.of_dataset(dataset) if listing.manifest is not None]
        groups = _group(standing, lambda listing: (listing.series.period, listing.series.part))
        expected = len(self.expected(dataset))
        lines = [PeriodLine(period, part, group, expected) for (period, part), group in groups.items()]
        return sorted(lines, key=lambda line: (_newest(line.period), line.part or ""))

    def newest(self, dataset: str) -> list[PeriodLine]:
        """The newest period of each part of a dataset; one that is not over yet only where there is no other."""
        lines: dict[str | None, PeriodLine] = {}
        for line in sorted(self.periods(dataset), key=lambda line: line.period.end > self.on):
            lines.setdefault(line.part, line)
        return [lines[part] for part in sorted(lines, key=lambda part: part or "")]


def gather(
    listings: Sequence[Listing],
    *,
    datasets: Iterable[Dataset],
    register: Register,
    base_url: str,
    publisher_name: str,
    on: date,
    submissions: Came,
) -> Holdings:
    """Everything the catalogue is made of, sorted; `submissions` come with their public reports."""
    ordered = tuple(sorted(listings, key=lambda listing: _shelf(listing.series)))
    known = tuple(sorted(datasets, key=lambda dataset: dataset.name))
    came = _latest(submissions)
    duties = _duties(known, register, submissions, on)
    bodies = _bodies(register, ordered, came)
    return Holdings(
        listings=ordered,
        datasets=known,
        bodies=bodies,
        submissions=came,
        duties=duties,
        on=on,
        base_url=base_url,
        publisher_name=publisher_name,
        _of_dataset=_group(ordered, lambda listing: listing.series.dataset),
        _of_body=_group(ordered, lambda listing: listing.series.body),
        _submissions_of=_group(came, lambda pair: pair[0].body),
        _duties_of=_group(reversed(duties), lambda duty: duty.body.slug),
        _bodies={body.slug: body for body in bodies},
        _datasets={dataset.name: dataset for dataset in known},
        _expected={dataset.name: _expected(dataset, bodies, ordered) for dataset in known},
    )


def held_rows(listing: Listing) -> int:
    """How many rows of the submission behind the current version are held back."""
    if listing.report is None:
        return 0
    return sum(table["rows"]["held"] for table in listing.report["tables"])


def waiting(submissions: Came) -> list[tuple[Submission, Report]]:
    """The submissions that were held or rejected."""
    return [
        (submission, report)
        for submission, report in submissions
        if report is not None and report.verdict in (Verdict.HELD, Verdict.REJECTED)
    ]


def _latest(submissions: Came) -> Came:
    """What came, newest first; the same file sent again only once, as last received."""
    seen: dict[tuple[str, str, str], tuple[Submission, Report | None]] = {}
    for submission, report in sorted(submissions, key=lambda pair: pair[0].received, reverse=True):
        seen.setdefault((submission.dataset, submission.body, submission.sha256), (submission, report))
    return tuple(seen.values())


def _duties(datasets: Sequence[Dataset], register: Register, submissions: Came, on: date) -> tuple[Duty, ...]:
    """The duties of the last 13 months (an annual one is then always among them), from the first period that came.

    No period that began before the first one that came from anybody is told as missing, and a dataset of which
    nothing came in that time is not told at all: nobody was asked for it.
    """
    window = date(on.year - 1, on.month, 1)
    found: list[Duty] = []
    for dataset in datasets:
        starts = [
            period.start
            for submission, report in submissions
            if submission.dataset == dataset.name
            and (period := _period(submission, report)) is not None
            and period.end >= window
        ]
        if starts:
            owed = due([dataset], register, submissions, on, window)
            found += [duty for duty in owed if duty.period.start >= min(starts)]
    return tuple(sorted(found, key=lambda duty: (duty.due, duty.dataset, duty.part or "", duty.body.slug)))


def _period(submission: Submission, report: Report | None) -> Period | None:
    text = (report.period if report is not None else None) or submission.period
    return None if text is None else Period.parse(text)


def _bodies(register: Register, listings: Iterable[Listing], submissions: Came) -> tuple[Body, ...]:
    """The bodies we know and those that sent something, by name."""
    bodies = {body.slug: body for body in register}
    for listing in listings:
        if listing.series.body not in bodies:
            bodies[listing.series.body] = _unregistered(listing)
    for submission, _ in submissions:
        if submission.body not in bodies:
            bodies[submission.body] = Body.provisional_for(submission.body)
    return tuple(sorted(bodies.values(), key=lambda body: (body.name.casefold(), body.slug)))


def _unregistered(listing: Listing) -> Body:
    """A body that our register does not know, as its own release names it."""
    if listing.descriptor is None:
        return Body.provisional_for(listing.series.body)
    told = listing.descriptor["x_piperoll"]["body"]
    return Body(id=told["id"], slug=told["slug"], name=told["name"], kind=told["kind"])


def _expected(dataset: Dataset, bodies: Iterable[Body], listings: Iterable[Listing]) -> frozenset[str]:
    owing = {body.slug for body in bodies if rules_for(dataset, body)}
    return frozenset(owing | {listing.series.body for listing in listings if listing.series.dataset == dataset.name})


def _group(items: Iterable[T], key: Callable[[T], Any]) -> dict[Any, tuple[T, ...]]:
    groups: dict[Any, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return {name: tuple(group) for name, group in groups.items()}


def _shelf(series: Series) -> tuple[str, str, tuple[int, int], str]:
    return (series.dataset, series.body, _newest(series.period), series.part or "")


def _newest(period: Period) -> tuple[int, int]:
    """A key that sorts the newest first, and of those that end together the shortest first."""
    return (-period.end.toordinal(), -period.start.toordinal())
