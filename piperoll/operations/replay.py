"""Replay everything that was ever received through today's rules, into an empty store, and apply what that shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import publishers
from collectors import Arrival
from piperoll.errors import UsageError
from piperoll.model import Period, Report, Submission, Verdict
from piperoll.operations import decisions, pipeline, questions
from piperoll.operations.catalogue.build import build_for_run
from piperoll.operations.collecting import CollectedFiles
from piperoll.operations.release import release_by_ruling, require_reason
from piperoll.operations.restating import (
    AppliedReplay,
    SeriesImpact,
    apply_impact,
    copy_reports,
    find_impact,
    sum_by_body,
)
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

    `impacts` are the tables that would be published, restated or held. `trouble` says why the catalogue could not be
    built, and `applied` what became of the tables if the replay was applied.
    """

    results: tuple[FileResult, ...]
    changes: tuple[ReplayChange, ...]
    trouble: str | None = None
    impacts: tuple[SeriesImpact, ...] = ()
    applied: AppliedReplay | None = None

    def to_document(self) -> dict[str, Any]:
        """The result as `piperoll replay --json` prints it."""
        return {
            "files": len(self.results),
            "bodies": [body.to_document() for body in sum_by_body(self.impacts)],
            "tables": [_describe_impact(impact) for impact in self.impacts],
            "changes": [_describe_change(change) for change in self.changes],
            "applied": None if self.applied is None else len(self.applied.results),
            "skipped": dict(self.applied.skipped) if self.applied else {},
            "trouble": self.trouble,
        }


Record = tuple[Submission, Report | None]
Event = tuple[tuple[date, date, str], list[Submission] | tuple[Submission, publishers.Ruling, Report | None]]
"""A period and a moment, and what happened then: files were received together, or a held file was released."""


def replay(
    source: str,
    into: str,
    *,
    bodies: Path | None = None,
    settings: Settings | None = None,
    watcher: Watcher | None = None,
    catalogued: bool = True,
) -> ReplayResult:
    """Take every submission of the store at `source` through today's rules into the empty store at `into`.

    They are taken in the order of the periods on record, whatever the order they arrived in. Within a period, files
    that were received in one run are taken as one run, and decisions to release are repeated at the moment when they
    were made. Answers and decisions about values are in force from the beginning. The store at `source` is only read.
    Without `catalogued`, `into` gets no catalogue. Raises: UsageError: `into` is not empty.
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
    for _ in decisions.find_pending(target):  # they are in force from the beginning, and there is nothing to apply to
        pass
    # what happened at which moment: files of a period were received together in one run, or a held file was released
    together: dict[tuple[date, date, str], list[Submission]] = {}
    events: list[Event] = []
    for submission, report in records:
        period = _period_order(submission, report)
        together.setdefault((*period, submission.received), []).append(submission)
        for ruling in publishers.list_rulings(store, submission):
            events.append(((*period, ruling.decided), (submission, ruling, report)))
    results: dict[str, FileResult] = {}
    for (_, _, moment), action in sorted([*together.items(), *events], key=lambda event: event[0]):
        about = {one.body for one in action} if isinstance(action, list) else {action[0].body}
        with open_run(into, bodies=bodies, settings=settings, moment=moment, only=about) as run:
            if isinstance(action, list):
                arrivals = tuple(_make_arrival(run, store, submission) for submission in action)
                done = pipeline.run_in_process(run, CollectedFiles(arrivals=arrivals))
            else:
                done = _repeat_release(run, *action)
        for result in done:
            results[f"{result.dataset}/{result.body}/{result.sha256}"] = result
            if watcher:
                watcher(Progress(len(results), len(records), result))
    trouble = None
    if catalogued:
        with open_run(into, bodies=bodies, settings=settings) as run:
            _, trouble = build_for_run(run)
    impacts = tuple(find_impact(store, target))
    return ReplayResult(tuple(results.values()), tuple(_find_changes(records, results)), trouble, impacts)


def apply_replay(  # noqa: PLR0913 - keyword-only options
    source: str,
    into: str,
    *,
    because: str,
    by: str,
    bodies: Path | None = None,
    settings: Settings | None = None,
    watcher: Watcher | None = None,
    catalogued: bool = True,
) -> ReplayResult:
    """Replay the store at `source`, then make it publish what the replay shows, and build its catalogue.

    Every table that changes is a restatement with its own version, or a withdrawal, with the reason `because`, which is
    public. The log of decisions says who applied it (`by`), when and why. An interrupted call is finished by another.
    Raises: UsageError: no reason is given, or it names a person; `into` is not empty.
    """
    because = require_reason(because)
    replayed = replay(source, into, bodies=bodies, settings=settings, watcher=watcher, catalogued=catalogued)
    target = publishers.open_store(into)
    with open_run(source, bodies=bodies, settings=settings) as run:
        applied = apply_impact(run, target, replayed.impacts, because=because, by=by)
        unpublished = [
            change for change in replayed.changes if not any(one and one.publishes for one in change.verdict)
        ]
        copy_reports(run, target, ((one.dataset, one.body, one.sha256) for one in unpublished))
        _, trouble = build_for_run(run)
    return replace(replayed, applied=applied, trouble=trouble)


def _period_order(submission: Submission, report: Report | None) -> tuple[date, date]:
    """The first and last day of the period on record; files without one come last."""
    text = (report and report.period) or submission.period
    period = Period.parse(text) if text else None
    return (period.start, period.end) if period else (date.max, date.max)


def _describe_impact(impact: SeriesImpact) -> dict[str, Any]:
    versions = {"before": impact.before, "after": impact.after}
    figures = {
        f"{name}_{which}": None if version is None else str(getattr(version, name))
        for which, version in versions.items()
        for name in ("rows", "amount_gbp")
    }
    return {"series": str(impact.series), "what": str(impact.what), **figures}


def _describe_change(change: ReplayChange) -> dict[str, Any]:
    pairs = {"verdict": change.verdict, "period": change.period}
    rows = {"rows_published": [one.published for one in change.rows]}
    pounds = {"pounds_published": [f"{one.published:.2f}" for one in change.pounds]}
    found = {name: [one and str(one) for one in pair] for name, pair in pairs.items()}
    return {"file": change.file, "sha256": change.sha256, "dataset": change.dataset, "body": change.body} | {
        **found,
        **rows,
        **pounds,
    }


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
