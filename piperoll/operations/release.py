"""Letting a held submission go: someone decides, and the decision goes on the record before anything comes of it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from piperoll.checking import Examination
from piperoll.errors import PointerMoved, UsageError
from piperoll.model import Finding, Period, Report, Submission, Verdict
from piperoll.operations import steps
from piperoll.operations.catalogue.build import catalogue, tried
from piperoll.operations.comparing import compare
from piperoll.operations.findings import released
from piperoll.operations.pipeline import ending_of
from piperoll.operations.run_request import now, room
from piperoll.operations.run_summary import DECISIVE, FileResult, figures, why
from piperoll.operations.steps import Examined, Run, Settled
from piperoll.releasing import add_to_release
from piperoll.settings import Settings
from publishers import Decision, Ruling, Store, fetch_version, find_submission, read_history, read_report, record_ruling

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Released:
    """What came of a submission that was let go, and what kept the catalogue from being made, if anything did."""

    result: FileResult
    trouble: str | None = None


def release(
    store: Store,
    submission: str,
    *,
    because: str,
    how: str = "replace",
    period: Period | str | None = None,
    bodies: Path | None = None,
    settings: Settings | None = None,
) -> Released:
    """Publish a held submission, `replace` in place of what stands or `add` to it, and make the catalogue anew.

    `submission` is the beginning of its sha256. It is examined by today's rules; rows that are held stay held.
    `period` must be given where none could be told, and may be given otherwise. A later run does not undo this.

    Raises: UnknownSubmission, UsageError: there is no such submission, it is not held, or it cannot be released so.
    """
    if not because.strip():
        raise UsageError("say why: the reason stands in the history for everyone to read")
    if how not in (Decision.REPLACE, Decision.ADD):
        raise UsageError(f"'{how}' is not a way to release: write replace or add")
    given = Period.parse(period) if isinstance(period, str) else period
    ruling = Ruling(Decision(how), because.strip(), now())
    with room(store, bodies, settings or Settings.from_environment(), ruling.decided) as run:
        result = let_go(run, find_submission(store, submission), ruling, given)
        _, trouble = tried(lambda: catalogue(run))
    return Released(result, trouble)


def let_go(run: Run, submission: Submission, ruling: Ruling, period: Period | None) -> FileResult:
    """Publish a held submission by a ruling, and file its reports anew."""
    before = _held(submission, read_report(run.store, submission))
    about = replace(submission, period=str(period)) if period else submission
    examination = steps.check(run, about)
    _refuse_if_impossible(submission, examination)
    record_ruling(run.store, submission, ruling)
    examined = steps.packed(run, submission, _freed(examination, released(ruling, why(before))))
    examined = compare(run.store, examined, decided=True)
    settled = _published(run, examined, ruling)
    steps.report(run, settled.examined)
    return ending_of(settled)


def _held(submission: Submission, report: Report | None) -> Report:
    """The report that holds a submission. Raises: UsageError: there is none, or it says something else."""
    named = f"{submission.name} ({submission.sha256[:12]})"
    if report is None:
        raise UsageError(f"{named} has not been examined yet: run piperoll run first")
    if report.verdict is not Verdict.HELD:
        stay = " Rows of it that are held stay held: ask the body." if figures(report)[0].held else ""
        words = str(report.verdict).replace("_", " ")
        raise UsageError(f"{named} is not held: its verdict is {words}. There is nothing to release.{stay}")
    return report


def _refuse_if_impossible(submission: Submission, examination: Examination) -> None:
    named = f"{submission.name} ({submission.sha256[:12]})"
    if examination.report.verdict is Verdict.REJECTED:
        raise UsageError(f"by today's rules {named} is rejected: see piperoll check. Ask the body for another file.")
    if examination.period is None:
        raise UsageError(f"we cannot tell which period {named} covers: say so with --period, for example 2026-10")


def _freed(examination: Examination, decision: Finding) -> Examination:
    """The examination with the decision in its report in place of what held it whole; rows that are held still are."""
    report = examination.report
    rest = (finding for finding in report.findings if finding.code not in DECISIVE[Verdict.HELD])
    verdict = Verdict.NIL if report.verdict is Verdict.NIL else Verdict.ACCEPTED_WITH_WARNINGS
    return replace(examination, report=replace(report, verdict=verdict, findings=(*rest, decision)))


def _published(run: Run, examined: Examined, ruling: Ruling) -> Settled:
    """Publish by a ruling; what is added to a version that someone else replaces meanwhile is added to theirs."""
    if ruling.decision is not Decision.ADD:
        return steps.publish(run, examined, ruling)
    for _ in range(_TRIES):
        try:
            return steps.publish(run, _added(run, examined), ruling)
        except PointerMoved:
            continue
    raise PointerMoved(f"{examined.series} was published to by others {_TRIES} times while we tried: try again later")


def _added(run: Run, examined: Examined) -> Examined:
    """The submission packed together with the version that stands, if one does."""
    if examined.packed is None or examined.series is None:
        return examined
    history, _ = read_history(run.store, examined.series)
    if history.current_version is None:
        return examined
    folder = Path(tempfile.mkdtemp(dir=run.scratch))
    standing = fetch_version(run.store, examined.series, history.current_version, folder / "standing")
    together = add_to_release(standing, examined.packed, folder / "together")
    return replace(examined, packed=together)
