"""All bodies together, for the first page and the pages of datasets: made from one digest a body and period totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from piperoll import assets
from piperoll.describing.body_digest import MOST_WAITING, BodyDigest, DutyDigest, PeriodTotal, WaitingFile
from piperoll.describing.context import InContext, newest_first
from piperoll.describing.wording import total
from piperoll.duties import DutyState, duty_rules
from piperoll.model import Body


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How punctual bodies were with one duty, for the last period that is due."""

    duties: tuple[DutyDigest, ...]

    @property
    def duty(self) -> DutyDigest:
        """The first of the duties: all share its dataset, part, period and due day."""
        return self.duties[0]

    @property
    def kinds(self) -> list[str]:
        """The kinds of body that the duty binds."""
        return sorted({duty.kind for duty in self.duties})

    @property
    def counts(self) -> dict[str, int]:
        """The number of bodies in each state."""
        states = [duty.state for duty in self.duties]
        return {state.value: states.count(state) for state in DutyState}


@dataclass(frozen=True)
class Overview(InContext):
    """All bodies: their digests in order of name, and the totals of each dataset, newest period first."""

    digests: tuple[BodyDigest, ...]
    totals: Mapping[str, Sequence[PeriodTotal]]

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

    def rows(self, name: str) -> int:
        """Count the published rows of a dataset; each day of a body counts once."""
        return sum(one.datasets[name].rows for one in self.publishing(name))

    @property
    def all_rows(self) -> int:
        """The published rows of all datasets; each day of a body counts once."""
        return sum(self.rows(dataset.name) for dataset in self.datasets)

    def amount(self, name: str) -> Decimal | None:
        """Return the pounds in the rows counted; None if there are none or a period repeats what another holds."""
        if not assets.shown(name)["adds_up"]:
            return None
        return total([one.datasets[name].amount for one in self.publishing(name)])

    @property
    def tables(self) -> int:
        """The number of tables published."""
        return sum(one.tables for one in self.digests)

    @property
    def bodies_published(self) -> int:
        """The number of bodies with a table published."""
        return sum(one.tables > 0 for one in self.digests)

    @property
    def newest_end(self) -> date | None:
        """The last day of the newest published period that is over; None if there is none."""
        return max((one.newest_end for one in self.digests if one.newest_end), default=None)

    @property
    def latest(self) -> str | None:
        """The instant of the latest version of all."""
        return max((one.latest for one in self.digests if one.latest), default=None)

    @property
    def waits(self) -> int:
        """The number of files that wait for their sender."""
        return sum(one.waits for one in self.digests)

    @property
    def waiting(self) -> list[WaitingFile]:
        """The last files that were held or rejected, latest first."""
        found = [file for one in self.digests for file in one.waiting]
        found.sort(key=lambda file: (file.submission.received, file.submission.sha256), reverse=True)
        return found[:MOST_WAITING]

    @property
    def punctuality(self) -> list[Punctuality]:
        """How punctual bodies were with each duty, by dataset and part, for the last period that is due."""
        groups: dict[tuple[str, str, str], list[DutyDigest]] = {}
        for one in self.digests:
            for duty in one.duties:
                groups.setdefault((duty.dataset, duty.part or "", duty.name), []).append(duty)
        found = []
        for key in sorted(groups):
            last = min((duty.period for duty in groups[key]), key=newest_first)
            found.append(Punctuality(tuple(duty for duty in groups[key] if duty.period == last)))
        return found
