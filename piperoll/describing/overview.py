"""All bodies together, for the first page and those of datasets: made of a line for each body and of sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from piperoll import assets
from piperoll.describing.holdings import newest_first
from piperoll.describing.lines import MOST_WAITING, BodyLine, DutyLine, Sum, Waiting
from piperoll.describing.wording import total
from piperoll.describing.world import World
from piperoll.duties import DutyState, duty_rules
from piperoll.model import Body, Dataset, Period


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """One dataset, part and period across bodies: tables that cannot overlap, so that adding them up is fair.

    `bodies` counts those the figures are of, `expected` those that owe the dataset or have ever had it published.
    """

    period: Period
    part: str | None
    bodies: int
    expected: int
    rows: int
    amount: Decimal | None
    held: int


@dataclass(frozen=True, slots=True)
class Punctuality:
    """What came of one duty for the last period that is due: the bodies that owed it, by what they did."""

    duties: tuple[DutyLine, ...]

    @property
    def duty(self) -> DutyLine:
        """One of them, for what they share: dataset, part, period and due day."""
        return self.duties[0]

    @property
    def kinds(self) -> list[str]:
        """The kinds of body that owed it."""
        return sorted({duty.kind for duty in self.duties})

    @property
    def counts(self) -> dict[str, int]:
        """How many bodies are in each state."""
        states = [duty.state for duty in self.duties]
        return {state.value: states.count(state) for state in DutyState}


@dataclass(frozen=True)
class Overview:
    """What is told of all bodies: `lines` by name of body, `sums` of each dataset, the newest period first."""

    world: World
    lines: tuple[BodyLine, ...]
    sums: Mapping[str, Sequence[Sum]]

    @classmethod
    def of(cls, world: World, lines: Iterable[BodyLine], sums: Mapping[str, Sequence[Sum]]) -> Overview:
        """The same, sorted."""
        ordered = sorted(lines, key=lambda line: (line.body.name.casefold(), line.body.slug))
        return cls(world, tuple(ordered), sums)

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Every dataset there is."""
        return self.world.datasets

    @property
    def on(self) -> date:
        """The day."""
        return self.world.on

    @property
    def publisher_name(self) -> str:
        """Who signs the catalogue."""
        return self.world.publisher_name

    def dataset(self, name: str) -> Dataset:
        """The dataset called `name`. Raises: UnknownDataset."""
        return self.world.dataset(name)

    def body(self, slug: str) -> Body:
        """The body of this slug."""
        return next(line.body for line in self.lines if line.body.slug == slug)

    def of_dataset(self, name: str) -> tuple[BodyLine, ...]:
        """The bodies that have ever had something of a dataset published."""
        return tuple(line for line in self.lines if name in line.shelves)

    def expected(self, name: str) -> int:
        """How many bodies owe the dataset by law or have ever had it published."""
        dataset = self.dataset(name)
        return sum(name in line.shelves or bool(duty_rules(dataset, line.body)) for line in self.lines)

    def periods(self, name: str) -> list[PeriodLine]:
        """The periods for which something of the dataset stands, newest first, each part on a line of its own."""
        expected = self.expected(name)
        return [
            PeriodLine(one.period, one.part, one.bodies, expected, one.rows, one.amount, one.held)
            for one in self.sums.get(name, ())
        ]

    def newest(self, name: str) -> list[PeriodLine]:
        """The newest period of each part of a dataset; one that is not over yet only where there is no other."""
        lines: dict[str | None, PeriodLine] = {}
        for line in sorted(self.periods(name), key=lambda line: line.period.end > self.on):
            lines.setdefault(line.part, line)
        return [lines[part] for part in sorted(lines, key=lambda part: part or "")]

    def rows(self, name: str) -> int:
        """How many lines of a dataset stand, in the tables that may be added up: no day of a body counts twice."""
        return sum(line.shelves[name].rows for line in self.of_dataset(name))

    @property
    def all_rows(self) -> int:
        """How many lines of all datasets stand, counted so."""
        return sum(self.rows(dataset.name) for dataset in self.datasets)

    def amount(self, name: str) -> Decimal | None:
        """The pounds in these lines; None where there are none, or one period repeats what is in another."""
        if not assets.shown(name)["adds_up"]:
            return None
        return total([line.shelves[name].amount for line in self.of_dataset(name)])

    @property
    def tables(self) -> int:
        """How many tables stand."""
        return sum(line.tables for line in self.lines)

    @property
    def bodies_published(self) -> int:
        """Of how many bodies something stands."""
        return sum(line.tables > 0 for line in self.lines)

    @property
    def newest_end(self) -> date | None:
        """The last day of the newest period that is over; None if there is none."""
        return max((line.newest_end for line in self.lines if line.newest_end), default=None)

    @property
    def latest(self) -> str | None:
        """The instant of the latest version of all."""
        return max((line.latest for line in self.lines if line.latest), default=None)

    @property
    def waits(self) -> int:
        """How many files wait for their sender."""
        return sum(line.waits for line in self.lines)

    @property
    def waiting(self) -> list[Waiting]:
        """The last files that were held or rejected, the latest first."""
        found = [one for line in self.lines for one in line.waiting]
        found.sort(key=lambda one: (one.submission.received, one.submission.sha256), reverse=True)
        return found[:MOST_WAITING]

    @property
    def punctuality(self) -> list[Punctuality]:
        """For each duty, by dataset and part, what came for the last period that is due."""
        groups: dict[tuple[str, str, str], list[DutyLine]] = {}
        for line in self.lines:
            for duty in line.duties:
                groups.setdefault((duty.dataset, duty.part or "", duty.name), []).append(duty)
        return [Punctuality(_of_the_last_period(groups[key])) for key in sorted(groups)]


def _of_the_last_period(duties: list[DutyLine]) -> tuple[DutyLine, ...]:
    last = min((duty.period for duty in duties), key=newest_first)
    return tuple(duty for duty in duties if duty.period == last)
