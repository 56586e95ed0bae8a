"""What is to be done in one making of the catalogue, and how it begins and ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

from piperoll import describing, layout
from piperoll.describing import BodyDigest, CatalogueContext
from piperoll.operations.steps import Run
from publishers import Before, Changed, InHand, Ledger, list_series

BODIES = "bodies"
"""The document of what is kept of each body for planning."""

Hashes: TypeAlias = dict[str, str]
"""Keys of pages, with what they held when they were written."""


@dataclass(frozen=True)
class Member:
    """What is kept of each body to plan by, and to tell of all bodies.

    `datasets` are those that anything is kept of, `sent` tells whether any file came, `sender` is the body as its
    releases name it; `first` is when its first periods began and `since` what its duties were judged by
    (`describing.find_first_starts`): ISO days by dataset.
    """

    line: BodyDigest
    datasets: tuple[str, ...]
    sent: bool
    sender: Mapping[str, str] | None
    first: Mapping[str, str]
    since: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """The member as it is kept."""
        kept = {name: getattr(self, name) for name in ("datasets", "sent", "sender", "first", "since")}
        return {"line": self.line.to_json()} | kept

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Member:
        """The member that `to_json` wrote."""
        line, datasets = BodyDigest.from_json(document["line"]), tuple(document["datasets"])
        return cls(**dict(document) | {"line": line, "datasets": datasets})


@dataclass
class Making:
    """One making of the catalogue, as it is planned.

    `whole`: everything is made anew. `stale` are the bodies of which the store is read again, `anew` those of which
    all of it is, `aged` those that time alone has changed. What is recorded of `doubted` bodies and groups cannot be
    relied on, since whoever wrote them did not come to an end: `interrupted` are the keys that say so.
    """

    run: Run
    ledger: Ledger
    world: CatalogueContext
    marks: Changed
    before: Before
    made_by: str
    members: Mapping[str, Member]
    whole: bool
    stale: frozenset[str]
    anew: frozenset[str]
    aged: frozenset[str]
    doubted: InHand
    interrupted: tuple[str, ...]
    produced: set[str] = field(default_factory=set)

    @property
    def certain(self) -> bool:
        """Whether whoever was at work before has ended, so that what is recorded is what is there."""
        return not self.interrupted and self.doubted.bodies == frozenset()

    @property
    def needless(self) -> bool:
        """Whether nothing has changed, and the day is the same."""
        changed = self.stale or self.aged or self.marks.keys or not self.certain
        return not (self.whole or changed) and self.before.on == self.world.on.isoformat()

    def doubts(self, slug: str) -> bool:
        """Whether what is recorded of a body may not be what is there."""
        return self.doubted.bodies is None or slug in self.doubted.bodies

    def in_full(self, slug: str) -> bool:
        """Whether all that a body brings is to be told again, new or not."""
        return self.whole or self.doubts(slug)

    def known(self, recorded: Hashes) -> Hashes:
        """What pages that tell of several bodies hold, as far as that is sure."""
        return recorded if self.certain else {}

    def begin(self, bodies: Iterable[str], groups: Iterable[str] = ()) -> None:
        """Say what is in hand."""
        self.ledger.begin(self._in_hand(bodies, groups))

    def end(self, bodies: Iterable[str], pages: Hashes) -> None:
        """Say that all is made. Raises: PointerMoved: someone else has ended since we began."""
        on = self.world.on.isoformat()
        self.ledger.end(self.before, self._in_hand(bodies, ()), self.made_by, on, pages)
        self.ledger.clear(self.interrupted)

    def publish(self, files: Iterable[tuple[str, bytes]], known: Hashes) -> Hashes:
        """Write the pages that hold something else than is `known`; what all of them hold."""
        hashes = self.ledger.publish(files, known)
        if self.whole:
            self.produced |= hashes.keys()
        return hashes

    def _in_hand(self, bodies: Iterable[str], groups: Iterable[str]) -> InHand:
        return InHand(None if self.whole else frozenset(bodies), frozenset(groups))


def planned(run: Run, ledger: Ledger, world: CatalogueContext, marks: Changed, theirs: int | None) -> Making:
    """What is to be done; `theirs`: someone else has ended since the making of that number, and we begin again."""
    before, at_work, made_by = ledger.before(), ledger.at_work(), describing.hash_renderer(world)
    doubted = _doubted(run, before, at_work.values(), theirs)
    by_other_code = doubted.bodies is None or before.made_by != made_by  # which may have recorded in another format
    members = {} if by_other_code else _members(ledger)
    whole = by_other_code or world.on.isoformat() < before.on
    changed = frozenset(_changed(world, members))
    anew = (doubted.bodies or frozenset()) | changed
    stale = anew | marks.bodies
    if whole:
        anew = stale = frozenset(_everybody(run, world) | members.keys())
    aged = {slug for slug, member in members.items() if member.line.until <= world.on}
    return Making(
        run=run,
        ledger=ledger,
        world=world,
        marks=marks,
        before=before,
        made_by=made_by,
        members=members,
        whole=whole,
        stale=stale,
        anew=anew,
        aged=frozenset(aged - stale),
        doubted=doubted,
        interrupted=tuple(at_work),
    )


def _doubted(run: Run, before: Before, at_work: Iterable[InHand], theirs: int | None) -> InHand:
    """The bodies and groups that someone had in hand who has not ended, or who ended while we were at work."""
    bodies: set[str] = set()
    groups: set[str] = set()
    after_us = set() if theirs is None else before.since(theirs)
    if before.tag is None or after_us is None or not run.store.exists(layout.HOME):
        return InHand(None)
    for hand in at_work:
        if hand.bodies is None:
            return InHand(None)
        bodies |= hand.bodies
        groups |= hand.groups
    return InHand(frozenset(bodies | after_us), frozenset(groups))


def _members(ledger: Ledger) -> dict[str, Member]:
    return {slug: Member.from_json(one) for slug, one in (ledger.read(BODIES) or {}).items()}


def _changed(world: CatalogueContext, members: Mapping[str, Member]) -> set[str]:
    """The bodies that are expected for the first time or no longer, or that a register names otherwise."""
    expected = {body.slug for body in world.expected}
    new = expected - members.keys()
    gone = {slug for slug, member in members.items() if not member.datasets and slug not in expected}
    return new | gone | {slug for slug, member in members.items() if _named(world, slug, member) != member.line.body}


def _named(world: CatalogueContext, slug: str, member: Member) -> object:
    return world.body(slug, sent=member.sent, sender=member.sender)


def _everybody(run: Run, world: CatalogueContext) -> set[str]:
    """Every body that is expected, or of which the store holds anything."""
    records = map(layout.parse_record, run.store.keys(layout.COLLECTED))
    senders = {record[0] for record in records if record is not None}
    return {body.slug for body in world.expected} | senders | {series.body for series in list_series(run.store)}


def days(told: Mapping[str, str]) -> dict[str, date]:
    """Days by dataset, as they are kept."""
    return {name: date.fromisoformat(day) for name, day in told.items()}
