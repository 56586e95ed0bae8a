"""Release a held submission: a person decides, and the decision is recorded before anything is published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import publishers
from piperoll.checking.privacy.public_texts import names_person
from piperoll.errors import PointerMoved, UsageError
from piperoll.findings import deciding_finding
from piperoll.model import DecisionEntry, DecisionKind, Period, Report, Submission, Verdict
from piperoll.operations import steps
from piperoll.operations.catalogue.build import build_for_run
from piperoll.operations.examined import ExaminedSubmission, compare_with_earlier, compare_with_later
from piperoll.operations.run_request import Run, open_run
from piperoll.operations.run_summary import FileResult, count_report
from piperoll.operations.steps import SettledSubmission
from piperoll.releasing import add_to_release
from piperoll.settings import Settings

_MAX_TRIES = 5
"""How often to add to a version that someone else replaces in the meantime."""


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """The result of releasing a submission; `trouble` says why the catalogue could not be built."""

    result: FileResult
    trouble: str | None = None


def release(  # noqa: PLR0913 - keyword-only options
    to: str,
    submission: str,
    *,
    because: str,
    how: str = "replace",
    period: Period | str | None = None,
    bodies: Path | None = None,
    settings: Settings | None = None,
    by: str | None = None,
) -> ReleaseResult:
    """Publish a held submission, to `replace` the current version or to `add` to it, and build the catalogue.

    `submission` is the beginning of its sha256. It is examined by today's rules, and rows that are held stay held.
    `period` is needed if the file does not show one; `by` is who decided. A later run does not undo the decision.

    Raises: UnknownSubmission, UsageError: the submission is unknown, is not held, or cannot be released this way.
    """
    if how not in (publishers.Decision.REPLACE, publishers.Decision.ADD):
        raise UsageError(f"'{how}' is not a way to release a file: use replace or add")
    given = Period.parse(period) if isinstance(period, str) else period
    with open_run(to, bodies=bodies, settings=settings) as run:
        ruling = publishers.Ruling(publishers.Decision(how), require_reason(because), run.moment, by)
        result = release_by_ruling(run, publishers.find_submission(run.store, submission), ruling, given)
        _, trouble = build_for_run(run)
    return ReleaseResult(result, trouble)


def release_by_ruling(run: Run, submission: Submission, ruling: publishers.Ruling, period: Period | None) -> FileResult:
    """Record a ruling on a held submission, publish it, and file its reports again.

    Raises: UsageError: the submission is not held, is rejected by today's rules, or has no period and none is given.
    """
    label = f"{submission.sha256[:12]} of {submission.body}"  # not its name: Prefect and logs keep messages
    held_report = _require_held(label, publishers.read_report(run.store, submission))
    with_period = replace(submission, period=str(period)) if period else submission
    examination = steps.check_bytes(run, with_period, publishers.read_received_bytes(run.store, with_period))
    if examination.report.verdict is Verdict.REJECTED:
        raise UsageError(f"by today's rules {label} is rejected: see piperoll check, and ask the body for another file")
    if examination.period is None:
        raise UsageError(f"the period of {label} is not known: give it with --period, for example 2026-10")
    publishers.record_ruling(run.store, submission, ruling)
    publishers.record_decision(run.store, _log_entry(submission, ruling))
    examination = steps.apply_ruling(examination, ruling, deciding_finding(held_report))
    examined = steps.pack_submission(run, submission, examination)
    examined = compare_with_earlier(run.store, examined, decided=True)
    examined = compare_with_later(run.store, examined, steps.check_later(run))
    with steps.logging_publication(run, examined):
        settled = _publish(run, examined, ruling)
        steps.learn(run, settled)
        steps.file_report(run, settled)
    return settled.result()


def require_reason(because: str) -> str:
    """The reason for a decision without surrounding spaces. Raises: UsageError: it is empty, or names a person."""
    if not because.strip():
        raise UsageError("give a reason: it is published in the history of the series")
    if names_person(because, in_sentence=True):
        raise UsageError("the reason seems to name a person, and it is published: give it without the name")
    return because.strip()


def _log_entry(submission: Submission, ruling: publishers.Ruling) -> DecisionEntry:
    """A ruling as an entry of the one log of decisions."""
    return DecisionEntry(
        DecisionKind.FILE,
        submission.sha256,
        str(ruling.decision),
        ruling.because,
        ruling.by or "",
        ruling.decided,
        submission.body,
        submission.dataset,
    )


def _require_held(label: str, report: Report | None) -> Report:
    if report is None:
        raise UsageError(f"{label} has not been examined yet: use piperoll run first")
    if report.verdict is not Verdict.HELD:
        rows = " Some of its rows are held, and stay held: ask the body." if count_report(report)[0].held else ""
        verdict = str(report.verdict).replace("_", " ")
        raise UsageError(f"{label} is not held, so there is nothing to release: its verdict is {verdict}.{rows}")
    return report


def _publish(run: Run, examined: ExaminedSubmission, ruling: publishers.Ruling) -> SettledSubmission:
    """Publish by a ruling. If someone else replaces the version that is added to, add to theirs instead."""
    if ruling.decision is not publishers.Decision.ADD:
        return steps.publish_examined(run, examined, ruling)
    for _ in range(_MAX_TRIES):
        try:
            return steps.publish_examined(run, _add_to_current(run, examined), ruling)
        except PointerMoved:
            continue
    raise PointerMoved(f"others published to {examined.series} {_MAX_TRIES} times in the meantime: try again later")


def _add_to_current(run: Run, examined: ExaminedSubmission) -> ExaminedSubmission:
    submission = examined.submission
    if examined.packed is None or examined.series is None:
        return examined
    current = publishers.read_history(run.store, examined.series)[0].current_version
    if current is None:
        return examined
    folder = steps.make_folder(run, submission)
    fetched = publishers.fetch_version(run.store, examined.series, current, folder / "current")
    packed = add_to_release(fetched, examined.packed, folder / "together")
    uses = publishers.list_uses(run.store, submission.body, submission.dataset)
    kept = {one for one, versions in uses.items() if (examined.series, current.manifest_sha256) in versions}
    return replace(examined, packed=packed, used=examined.used | kept)
