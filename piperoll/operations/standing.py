"""Where a body stands: what it owes, what it sent and what became of it, and what waits for whom since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from piperoll.duties import Duty, DutyState, ReportOutcome, judge_followed_duties, period_of
from piperoll.model import Acts, Body, Period, Series, Status, Submission, Verdict, Version
from piperoll.operations import trust
from piperoll.operations.body_index import BodyIndex, StoreIndex
from piperoll.operations.decision_queue import list_body_items
from piperoll.operations.queue_items import QueueItem


class FileState(StrEnum):
    """What became of a file that a body sent."""

    RECEIVED = "received"
    PUBLISHED = "published"
    PARTLY = "partly"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"
    HELD = "held"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that a body sent, and what became of it.

    `series` and `version` are those that it is, or was, published in. `turn` is who must act next; None if nobody.
    `newer` is True if a later file for the same period has been published, so that nobody has to act.
    """

    submission: Submission
    outcome: ReportOutcome | None
    period: Period | None
    state: FileState
    turn: Acts | None
    series: Series | None = None
    version: Version | None = None
    newer: bool = False

    @property
    def since(self) -> date:
        """The day when it was received."""
        return date.fromisoformat(self.submission.received[:10])


@dataclass(frozen=True)
class BodyStanding:
    """Everything that the home page of a body shows; `files` are the newest first, `duties` by due day."""

    body: Body
    on: date
    duties: tuple[Duty, ...]
    files: tuple[SentFile, ...]
    items: tuple[QueueItem, ...]
    trust: trust.Standing

    @property
    def owed(self) -> list[Duty]:
        """Duties that are overdue or came in a form that cannot be published, then those not yet due; by due day."""
        return [duty for duty in self.duties if duty.outstanding or duty.state is DutyState.NOT_YET_DUE]

    @property
    def for_body(self) -> list[QueueItem]:
        """Questions that the body answers."""
        return [item for item in self.items if item.turn is Acts.BODY]

    @property
    def for_platform(self) -> list[QueueItem]:
        """Questions that an operator answers."""
        return [item for item in self.items if item.turn is Acts.PLATFORM]

    @property
    def files_for_body(self) -> list[SentFile]:
        """Files that the body must put right and send again, without those that a question is about."""
        asked = {sha256 for item in self.items for sha256 in item.files}
        return [file for file in self.files if file.turn is Acts.BODY and file.submission.sha256 not in asked]

    @property
    def files_for_platform(self) -> list[SentFile]:
        """Files that we have to process or look at, without those that a question is about."""
        asked = {sha256 for item in self.items for sha256 in item.files}
        return [file for file in self.files if file.turn is Acts.PLATFORM and file.submission.sha256 not in asked]

    def file(self, sha256: str) -> SentFile | None:
        """The file whose sha256 begins with these digits; None if the body sent none or several such files."""
        found = [one for one in self.files if one.submission.sha256.startswith(sha256.lower())]
        return found[0] if len(found) == 1 else None

    def items_about(self, file: SentFile) -> list[QueueItem]:
        """The questions that a file waits for."""
        return [item for item in self.items if file.submission.sha256 in item.files]


def read_standing(index: StoreIndex, slug: str) -> BodyStanding:
    """Where a body stands on the day of the index."""
    body, on = index.read(slug), index.context.on
    datasets = index.context.datasets
    stated = index.context.statements.get(slug, ())
    duties = judge_followed_duties(datasets, [body.body], body.received, on, index.first_starts, stated)
    return BodyStanding(
        body.body,
        on,
        tuple(duties),
        tuple(list_files(body)),
        tuple(list_body_items(index.store, body)),
        trust.judge_body(body, duties, on),
    )


def list_files(body: BodyIndex) -> list[SentFile]:
    """Every file that a body sent, the newest first."""
    versions: dict[tuple[str, str], tuple[Series, Version, bool]] = {}
    for series, facts in sorted(body.series.items()):
        for version in facts.history.versions:
            for sha256 in version.sources:
                versions[series.dataset, sha256] = series, version, version.version == facts.history.current
    published: dict[tuple[str, Period | None, str | None], str] = {}
    for submission, outcome in body.received:
        if outcome is not None and outcome.verdict.publishes:
            key = _series_key(submission, outcome)
            published[key] = max(published.get(key, ""), submission.received)
    files = [_describe(submission, outcome, versions, published) for submission, outcome in body.received]
    return sorted(files, key=lambda one: (one.submission.received, one.submission.sha256), reverse=True)


def _series_key(submission: Submission, outcome: ReportOutcome) -> tuple[str, Period | None, str | None]:
    return submission.dataset, period_of(submission, outcome), outcome.part or submission.part


def _describe(
    submission: Submission,
    outcome: ReportOutcome | None,
    versions: Mapping[tuple[str, str], tuple[Series, Version, bool]],
    published: Mapping[tuple[str, Period | None, str | None], str],
) -> SentFile:
    period = period_of(submission, outcome)
    if outcome is None:
        return SentFile(submission, None, period, FileState.RECEIVED, Acts.PLATFORM)
    series, version, current = versions.get((submission.dataset, submission.sha256), (None, None, False))
    newer = published.get(_series_key(submission, outcome), "") > submission.received
    if not outcome.verdict.publishes:
        state = FileState.HELD if outcome.verdict is Verdict.HELD else FileState.REJECTED
        turn = None if newer else (outcome.acts or Acts.BODY)
        return SentFile(submission, outcome, period, state, turn, series, version, newer)
    if version is not None and not current:
        ended = {Status.WITHDRAWN: FileState.WITHDRAWN, Status.PURGED: FileState.REMOVED}
        state = ended.get(version.status, FileState.REPLACED)
        return SentFile(submission, outcome, period, state, None, series, version, newer)
    state = FileState.PARTLY if outcome.held_rows else FileState.PUBLISHED
    return SentFile(submission, outcome, period, state, None, series, version, newer)
