"""Taking back: a withdrawal or a purge, and then the catalogue, which must not show what went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from piperoll.errors import UnknownSubmission, UsageError
from piperoll.model import Series, Version
from piperoll.operations.catalogue.build import catalogue, tried
from piperoll.operations.run_request import now, room
from piperoll.settings import Settings
from publishers import (
    FoundValue,
    Store,
    Tombstone,
    find_submission,
    find_values,
    mark_withdrawn,
    read_tombstone,
    remove_submission,
)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A version that was withdrawn, and what kept the catalogue from being made, if anything did."""

    version: Version
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Purged:
    """What is left of a submission that was purged, and where a given value still stands, which it must not."""

    tombstone: Tombstone
    seen: tuple[FoundValue, ...]
    trouble: str | None = None


def withdraw_version(
    store: Store,
    series: Series,
    number: int,
    *,
    because: str,
    bodies: Path | None = None,
    settings: Settings | None = None,
) -> Withdrawn:
    """Mark a published version as withdrawn, and make the catalogue anew.

    Raises: UsageError: there is no such version, or no reason is given.
    """
    with room(store, bodies, settings or Settings.from_environment(), now()) as run:
        version = mark_withdrawn(store, series, number, because=_reason(because), now=run.now)
        _, trouble = tried(lambda: catalogue(run))
    return Withdrawn(version, trouble)


def purge_submission(
    store: Store,
    submission: str,
    *,
    because: str,
    values: Sequence[str] = (),
    bodies: Path | None = None,
    settings: Settings | None = None,
) -> Purged:
    """Remove a submission and everything made of it, make the catalogue anew, and look for `values` everywhere.

    `submission` is the beginning of its sha256, or all of it where it was purged already and that is to be finished.
    Raises: UnknownSubmission, UsageError: there is no such submission, or no reason is given.
    """
    sha256 = _hash_of(store, submission)
    with room(store, bodies, settings or Settings.from_environment(), now()) as run:
        tombstone = remove_submission(store, sha256, because=_reason(because), now=run.now)
        _, trouble = tried(lambda: catalogue(run))
        return Purged(tombstone, tuple(find_values(store, values)), trouble)


def _hash_of(store: Store, submission: str) -> str:
    try:
        return find_submission(store, submission).sha256
    except UnknownSubmission:
        if read_tombstone(store, submission) is None:
            raise
        return submission


def _reason(because: str) -> str:
    if not because.strip():
        raise UsageError("say why: the reason stands in the history for everyone to read")
    return because.strip()
