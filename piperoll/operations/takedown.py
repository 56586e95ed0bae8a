"""Withdraw a version or purge a submission, then build the catalogue so that it no longer shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import publishers
from piperoll.errors import UnknownSubmission
from piperoll.model import DecisionEntry, DecisionKind, Series, Version
from piperoll.operations.catalogue.build import build_for_run
from piperoll.operations.release import require_reason
from piperoll.operations.run_request import Run, open_run
from piperoll.settings import Settings


@dataclass(frozen=True, slots=True)
class WithdrawalResult:
    """A version that was withdrawn; `trouble` says why the catalogue could not be built."""

    version: Version
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class PurgeResult:
    """The record that is left of a purged submission, and where given values were still found (there must be none)."""

    tombstone: publishers.Tombstone
    seen: tuple[publishers.FoundValue, ...]
    trouble: str | None = None


def withdraw_version(
    to: str,
    series: Series,
    number: int,
    *,
    because: str,
    bodies: Path | None = None,
    settings: Settings | None = None,
    by: str | None = None,
) -> WithdrawalResult:
    """Mark a published version as withdrawn; the log of decisions says who did (`by`).

    Raises: UsageError: the version is unknown, or no reason is given.
    """
    with open_run(to, bodies=bodies, settings=settings) as run:
        version = publishers.mark_withdrawn(run.store, series, number, because=require_reason(because), now=run.moment)
        _log(run, f"{series}/v{number}", "withdrawn", because, by, series.body, series.dataset)
        _, trouble = build_for_run(run)
    return WithdrawalResult(version, trouble)


def purge_submission(
    to: str,
    submission: str,
    *,
    because: str,
    values: Sequence[str] = (),
    bodies: Path | None = None,
    settings: Settings | None = None,
    by: str | None = None,
) -> PurgeResult:
    """Remove a submission and everything made from it, then search the whole store for `values`.

    The log of decisions says who did (`by`). `submission` is the beginning of its sha256; to finish a purge that was
    interrupted, the whole sha256.
    Raises: UnknownSubmission, UsageError: the submission is unknown, or no reason is given. StoreError: the bucket
    keeps old versions of objects and does not let us delete them; everything else is done.
    """
    with open_run(to, bodies=bodies, settings=settings) as run:
        whose: tuple[str | None, str | None] = None, None
        try:
            found = publishers.find_submission(run.store, submission)
            sha256, whose = found.sha256, (found.body, found.dataset)
        except UnknownSubmission:
            if publishers.read_tombstone(run.store, submission) is None:
                raise
            sha256 = submission
        tombstone = publishers.remove_submission(run.store, sha256, because=require_reason(because), now=run.moment)
        _log(run, sha256, "purged", because, by, *whose)
        _, trouble = build_for_run(run)
        publishers.erase_old_pages(run.store)
        return PurgeResult(tombstone, tuple(publishers.find_values(run.store, values)), trouble)


def _log(
    run: Run, subject: str, decided_as: str, because: str, by: str | None, body: str | None, dataset: str | None
) -> None:
    """Add to the log of decisions who took something down, and why; without a name, the platform did."""
    entry = DecisionEntry(
        DecisionKind.TAKEDOWN, subject, decided_as, because.strip(), by or "the platform", run.moment, body, dataset
    )
    publishers.record_decision(run.store, entry)
