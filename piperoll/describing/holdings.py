"""All that the pages of a body are made of, sorted once so that each takes what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from piperoll.describing.facts import SeriesFacts, held_rows
from piperoll.describing.world import World
from piperoll.duties import Duty, ReceivedFiles, ReportOutcome, judge_duties, period_of
from piperoll.model import Body, Dataset, Period, Series, Submission

__all__ = ["Holdings", "first_starts", "gather", "held_rows", "newest_first", "window"]

T = TypeVar("T")


@dataclass(frozen=True)
class Holdings:
    """What we hold of one body: its series in order of dataset and newest first, its duties, and what it sent.

    `submissions` are the newest first, the same file sent again only once; `duties` the latest first. What other
    bodies do is in none of it, but for `since`: the first period of each dataset that is looked at (`first_starts`).
    """

    world: World
    the_body: Body
    listings: tuple[SeriesFacts, ...]
    submissions: ReceivedFiles
    duties: tuple[Duty, ...]
    _of_dataset: Mapping[str, tuple[SeriesFacts, ...]] = field(repr=False)

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Every dataset there is."""
        return self.world.datasets

    @property
    def on(self) -> date:
        """The day."""
        return self.world.on

    @property
    def base_url(self) -> str:
        """Where the store is served, ending in a slash."""
        return self.world.base_url

    @property
    def publisher_name(self) -> str:
        """Who signs the catalogue."""
        return self.world.publisher_name

    def dataset(self, name: str) -> Dataset:
        """The dataset called `name`. Raises: UnknownDataset: something is published of one that we do not know."""
        return self.world.dataset(name)

    def body(self, _slug: str) -> Body:
        """The body."""
        return self.the_body

    def of_dataset(self, name: str) -> tuple[SeriesFacts, ...]:
        """The body's series of a dataset, the newest first."""
        return self._of_dataset.get(name, ())

    def overlapping(self, series: Series) -> tuple[SeriesFacts, ...]:
        """Other series of the same dataset that share a day with this one."""
        return tuple(
            other
            for other in self.of_dataset(series.dataset)
            if other.series != series and other.series.period.overlaps(series.period)
        )


def gather(
    world: World,
    body: Body,
    facts: Iterable[SeriesFacts],
    submissions: ReceivedFiles,
    since: Mapping[str, date],
) -> Holdings:
    """Everything the pages of a body are made of, sorted."""
    ordered = tuple(sorted(facts, key=lambda one: _shelf(one.series)))
    return Holdings(
        world=world,
        the_body=body,
        listings=ordered,
        submissions=_latest(submissions),
        duties=_duties(world, body, submissions, since),
        _of_dataset=_group(ordered, lambda one: one.series.dataset),
    )


def window(on: date) -> date:
    """The first of the 13 months that are looked back on: an annual duty is then always among them."""
    return date(on.year - 1, on.month, 1)


def first_starts(submissions: ReceivedFiles, on: date) -> dict[str, date]:
    """Of each dataset when the first period began that came and ended within the 13 months.

    The least of these over all bodies is what `gather` takes: no period that began before anything came from anybody
    is told as missing, and a dataset of which nothing came in that time is not told at all: nobody was asked for it.
    """
    starts: dict[str, date] = {}
    for submission, told in submissions:
        period = period_of(submission, told)
        if period is not None and period.end >= window(on):
            starts[submission.dataset] = min(period.start, starts.get(submission.dataset, period.start))
    return dict(sorted(starts.items()))


def newest_first(period: Period) -> tuple[int, int]:
    """A key that sorts the newest first, and of those that end together the shortest first."""
    return (-period.end.toordinal(), -period.start.toordinal())


def _duties(world: World, body: Body, submissions: ReceivedFiles, since: Mapping[str, date]) -> tuple[Duty, ...]:
    """The duties of the last 13 months, from the first period that came."""
    datasets = [dataset for dataset in world.datasets if dataset.name in since]
    found = judge_duties(datasets, [body], submissions, world.on, window(world.on))
    return tuple(reversed([duty for duty in found if duty.period.start >= since[duty.dataset]]))


def _latest(submissions: ReceivedFiles) -> ReceivedFiles:
    """What came, newest first; the same file sent again only once, as last received."""
    seen: dict[tuple[str, str], tuple[Submission, ReportOutcome | None]] = {}
    for submission, told in sorted(submissions, key=lambda pair: (pair[0].received, pair[0].sha256), reverse=True):
        seen.setdefault((submission.dataset, submission.sha256), (submission, told))
    return tuple(seen.values())


def _group(items: Iterable[T], key: Callable[[T], Any]) -> dict[Any, tuple[T, ...]]:
    groups: dict[Any, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return {name: tuple(group) for name, group in groups.items()}


def _shelf(series: Series) -> tuple[str, tuple[int, int], str]:
    return (series.dataset, newest_first(series.period), series.part or "")
