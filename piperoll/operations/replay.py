"""Replay everything that was ever received through today's rules, into an empty store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import publishers
from collectors import Arrival
from piperoll.errors import UsageError
from piperoll.model import Period, Report, Submission, Verdict
from piperoll.operations import decisions, pipeline, questions
from piperoll.operations.catalogue.build import build_for_run
from piperoll.operations.collecting import CollectedFiles
from piperoll.operations.release import release_by_ruling
from piperoll.operations.run_request import Run, open_run
from piperoll.operations.run_summary import FileResult, PoundTotals, Progress, RowTotals, Watcher, count_report
from piperoll.settings import Settings


@dataclass(frozen=True, slots=True)
class ReplayChange:
    """A file whose result changes under today's rules, as pairs: on record (None if it never had one), and now."""

    file: str
    sha256: str
    dataset: str
    body: str
    verdict: tuple[Verdict | None, Verdict | None]
    period: tuple[str | None, str | None]
    rows: tuple[RowTotals, RowTotals]
    pounds: tuple[PoundTotals, PoundTotals]


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """The result of a replay: every file, and those whose verdict, period, rows or pounds change.

    `trouble` says why the catalogue could not be built.
    """

    results: tuple[FileResult, ...]
    changes: tuple[ReplayChange, ...]
    trouble: str | None = None


Record = tuple[Submission, Report | None]
Event = tuple[str, list[Submission] | tuple[Submission, publishers.Ruling, Report | None]]
"""A moment, and what happened then: files were received together, or a held file was released."""


def replay(
    source: str,
    into: str,
    *,
    bodies: Path | None = None,
    settings: Settings | None = None,
    watcher: Watcher | None = None,
) -> ReplayResult:
    """Take every submission of the store at `source` through today's rules into the empty store at `into`.

    Files that were received in one run are taken as one run, and decisions to release are repeated at the moment when
    they were made. Answers and decisions about values are in force from the beginning. The store at `source` is only
    read. Raises: UsageError: `into` is not empty.
    """
    store, target = publishers.open_store(source), publishers.open_store(into)
    if next(iter(target.keys()), None) is not None:
        raise UsageError(f"{into} is not empty: name an empty folder or prefix to replay into")
    publishers.begin_store(target)
    records = sorted(
        publishers.list_submissions(store),
        key=lambda one: (one[0].received, one[0].dataset, one[0].body, one[0].origin),
    )
    questions.copy_answers(store, target)
    decisions.copy_log(store, target)
    # what happened at which moment: files were received together in one run, or a held file was released
    events: list[Event] = [
        (moment, [submission for submission, _ in together])
        for moment, together in groupby(records, key=lambda one: one[0].received)
    ]
    for submission, report in records:
        events += (
            (ruling.decided, (submission, ruling, report)) for ruling in publishers.list_rulings(store, submission)
        )
    results: dict[str, FileResult] = {}
    for moment, action in sorted(events, key=lambda event: event[0]):
        with open_run(into, bodies=bodies, settings=settings, moment=moment) as run:
            if isinstance(action, list):
                arrivals = tuple(_make_arrival(run, store, submission) for submission in action)
                done = pipeline.run_in_process(run, CollectedFiles(arrivals=arrivals))
            else:
                done = _repeat_release(run, *action)
        for result in done:
            results[f"{result.dataset}/{result.body}/{result.sha256}"] = result
            if watcher:
                watcher(Progress(len(results), len(records), result))
    with open_run(into, bodies=bodies, settings=settings) as run:
        _, trouble = build_for_run(run)
    return ReplayResult(tuple(results.values()), tuple(_find_changes(records, results)), trouble)


def _repeat_release(
    run: Run, submission: Submission, ruling: publishers.Ruling, before: Report | None
) -> list[FileResult]:
    report = publishers.read_report(run.store, submission)
    if report is None or report.verdict is not Verdict.HELD:
        return []
    # a period that only the report on record has was given with the decision: the file does not show it
    given = before.period if before and before.period != report.period else None
    return [release_by_ruling(run, submission, ruling, Period.parse(given) if given else None)]


def _make_arrival(run: Run, store: publishers.Store, submission: Submission) -> Arrival:
    """The file as it arrived, its bytes copied from the archive to the scratch folder."""
    path = run.scratch / "archive" / submission.body / submission.dataset / submission.sha256
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(publishers.read_received_bytes(store, submission))
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


def _find_changes(records: list[Record], results: dict[str, FileResult]) -> Iterator[ReplayChange]:
    for submission, report in records:
        after = results.get(f"{submission.dataset}/{submission.body}/{submission.sha256}")
        if after is None:
            continue
        rows, pounds = count_report(report) if report else (RowTotals(), PoundTotals())
        change = ReplayChange(
            file=after.file,
            sha256=after.sha256,
            dataset=after.dataset,
            body=after.body,
            verdict=(report.verdict if report else None, after.verdict),
            period=(report.period if report else None, after.period),
            rows=(rows, after.rows),
            pounds=(pounds, after.pounds),
        )
        if any(before != now for before, now in (change.verdict, change.period, change.rows, change.pounds)):
            yield change
