"""Replaying: everything that was ever received, through today's rules, into another place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from collectors import Arrival
from piperoll.errors import UsageError
from piperoll.model import Period, Report, Submission, Verdict
from piperoll.operations import pipeline as runs
from piperoll.operations import questions
from piperoll.operations.catalogue.build import catalogue, tried
from piperoll.operations.collecting import Collected
from piperoll.operations.release import let_go
from piperoll.operations.run_request import now, room
from piperoll.operations.run_summary import FileResult, Pounds, Progress, Rows, Watcher, figures
from piperoll.operations.steps import Run
from piperoll.settings import Settings
from publishers import Ruling, Store, list_rulings, list_submissions, read_received_bytes, read_report


@dataclass(frozen=True, slots=True)
class Change:
    """A file that today's rules see otherwise: what stands on record (None: it was never done), and what came now."""

    file: str
    sha256: str
    dataset: str
    body: str
    verdict: tuple[Verdict | None, Verdict | None]
    period: tuple[str | None, str | None]
    rows: tuple[Rows, Rows]
    pounds: tuple[Pounds, Pounds]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a replay: every file, and those of which the verdict, the period, rows or pounds would change.

    `trouble` is what kept the catalogue from being made.
    """

    results: tuple[FileResult, ...]
    changes: tuple[Change, ...]
    trouble: str | None = None


Came = tuple[Submission, Report | None]


def replay(
    store: Store,
    to: Store,
    *,
    bodies: Path | None = None,
    settings: Settings | None = None,
    watcher: Watcher | None = None,
) -> Replayed:
    """Take every submission of a store through today's rules into an empty one, in the order in which they came.

    What came in one run is taken as one run; decisions to release are taken again, when they were taken. Nothing is
    changed in `store`.

    Raises: UsageError: there is something in `to` already.
    """
    if next(iter(to.keys()), None) is not None:
        raise UsageError("there is something in the place to replay into: name an empty one")
    came = sorted(
        list_submissions(store), key=lambda one: (one[0].received, one[0].dataset, one[0].body, one[0].origin)
    )
    chosen = settings or Settings.from_environment()
    questions.carry_answers(store, to)
    results: dict[str, FileResult] = {}
    for moment, action in sorted(_events(store, came), key=lambda event: event[0]):
        with room(to, bodies, chosen, moment) as run:
            for result in _done(run, store, action):
                results[_key(result)] = result
                if watcher:
                    watcher(Progress(len(results), len(came), result))
    with room(to, bodies, chosen, now()) as run:
        _, trouble = tried(lambda: catalogue(run))
    return Replayed(tuple(results.values()), tuple(_changes(came, results)), trouble)


Action = list[Submission] | tuple[Submission, Ruling, Report | None]


def _events(store: Store, came: list[Came]) -> Iterator[tuple[str, Action]]:
    """What happened and when: files that came together, and decisions."""
    for moment, together in groupby(came, key=lambda one: one[0].received):
        yield moment, [submission for submission, _ in together]
    for submission, report in came:
        for ruling in list_rulings(store, submission):
            yield ruling.decided, (submission, ruling, report)


def _done(run: Run, store: Store, action: Action) -> list[FileResult]:
    if isinstance(action, list):
        arrivals = tuple(_arrival(run, store, submission) for submission in action)
        return runs.plainly(run, Collected(arrivals=arrivals))
    submission, ruling, before = action
    report = read_report(run.store, submission)
    if report is None or report.verdict is not Verdict.HELD:
        return []
    said = before.period if before and before.period != report.period else None  # by whoever decided, not by the file
    return [let_go(run, submission, ruling, Period.parse(said) if said else None)]


def _arrival(run: Run, store: Store, submission: Submission) -> Arrival:
    """A submission as it arrived, its bytes brought from the archive."""
    path = run.scratch / "archive" / submission.body / submission.dataset / submission.sha256
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(read_received_bytes(store, submission))
    return Arrival(
        path=path,
        name=submission.name,
        dataset=submission.dataset,
        sender=submission.body,
        origin=submission.origin,
        received=submission.received,
        period=submission.period,
        part=submission.part,
        response=submission.response,
    )


def _changes(came: list[Came], results: dict[str, FileResult]) -> Iterator[Change]:
    for submission, report in came:
        after = results.get(f"{submission.dataset}/{submission.body}/{submission.sha256}")
        if after is None:
            continue
        rows, pounds = figures(report) if report else (Rows(), Pounds())
        change = Change(
            file=after.file,
            sha256=after.sha256,
            dataset=after.dataset,
            body=after.body,
            verdict=(report.verdict if report else None, after.verdict),
            period=(report.period if report else None, after.period),
            rows=(rows, after.rows),
            pounds=(pounds, after.pounds),
        )
        if any(before != now_ for before, now_ in (change.verdict, change.period, change.rows, change.pounds)):
            yield change


def _key(result: FileResult) -> str:
    return f"{result.dataset}/{result.body}/{result.sha256}"
