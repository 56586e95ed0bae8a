"""The run: what happens to every collected file, in what order. Prefect wraps these functions and adds to them.

    group_by_body -> process_body for each body and dataset -> summarise, which builds the catalogue last

Bodies are independent of each other. The files of one body and dataset are taken one after the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeAlias

from piperoll import layout
from piperoll.errors import BytesPurged, describe_error
from piperoll.model import Series, Submission, to_json_bytes
from piperoll.operations import decisions, questions, receipts, steps
from piperoll.operations.bugs import explain_error
from piperoll.operations.catalogue.build import try_to_build
from piperoll.operations.collecting import CollectedFiles
from piperoll.operations.decisions import PendingDecisions
from piperoll.operations.run_request import Run
from piperoll.operations.run_summary import Ending, FileResult, RunSummary, failure, in_order, result_of
from piperoll.operations.steps import ExaminedFile
from publishers import apply_tombstones, list_waiting, read_tombstone


@dataclass(frozen=True, slots=True)
class BodyFiles:
    """The files of one body and dataset in a run: each submission, and the path of its bytes.

    `unreadable` has a result for each file that could not be opened. `again` are submissions that were held for
    questions answered since, and `decided` what was decided about values since: they are examined from the archive.
    """

    dataset: str
    body: str
    files: tuple[tuple[Submission, Path], ...] = ()
    unreadable: tuple[FileResult, ...] = ()
    again: tuple[Submission, ...] = ()
    decided: PendingDecisions | None = None

    def __str__(self) -> str:
        """As in `spend/anytown`."""
        return f"{self.dataset}/{self.body}"


Claim: TypeAlias = tuple[Series, Mapping[str, str]]
"""A series that several files of one run claim, and the names of those files by sha256."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How the steps of a submission are called: as plain functions, or as Prefect tasks around them."""

    receive: Callable[[Run, Submission, Path], Submission] = steps.receive
    examine: Callable[[Run, Submission], ExaminedFile] = steps.examine
    publish: Callable[[Run, ExaminedFile, tuple[str, ...]], FileResult] = steps.publish
    examine_again: Callable[[Run, Submission, Series], ExaminedFile] = steps.examine_again


def run_in_process(run: Run, collected: CollectedFiles) -> list[FileResult]:
    """Process every file in this process, one body after the other, without Prefect."""
    bodies = group_by_body(run, collected)
    return [result for files in bodies for result in process_body(run, files)] + count_unchanged(run, collected)


def group_by_body(run: Run, collected: CollectedFiles) -> tuple[BodyFiles, ...]:
    """Group collected files by dataset and body, with those that have a receipt and are not processed yet.

    Submissions that people's answers and decisions bear on are added.
    """
    apply_tombstones(run.store)  # a backup may have been restored since
    groups: dict[tuple[str, str], list[tuple[Submission, Path]]] = {}
    unreadable: dict[tuple[str, str], list[FileResult]] = {}
    for arrival in collected.arrivals:
        try:
            submission = steps.identify(run, arrival)
        except OSError as error:
            unknown = steps.make_submission(run, arrival, sha256="", size=0)
            result = failure(unknown, f"it cannot be read: {describe_error(error)}")
            unreadable.setdefault((unknown.dataset, unknown.body), []).append(result)
        else:
            groups.setdefault((submission.dataset, submission.body), []).append((submission, arrival.path))
    for submission, path in receipts.fetch_waiting(run):
        groups.setdefault((submission.dataset, submission.body), []).append((submission, path))
    decided = {(pending.dataset, pending.body): pending for pending in decisions.find_pending(run.store)}
    again: dict[tuple[str, str], dict[str, Submission]] = {}
    for submission in questions.find_answered(run.store):
        again.setdefault((submission.dataset, submission.body), {})[submission.sha256] = submission
    bodies = tuple(
        _with_pending(
            BodyFiles(*key, tuple(groups.get(key, ())), tuple(unreadable.get(key, ()))),
            again.get(key, {}),
            decided.get(key),
        )
        for key in sorted({*groups, *unreadable, *again, *decided})
        if run.keeps(key[1])
    )
    if run.progress:
        run.progress.total = sum(map(_count_files, bodies)) + len(collected.unchanged)
    return bodies


def _with_pending(files: BodyFiles, again: Mapping[str, Submission], decided: PendingDecisions | None) -> BodyFiles:
    """Add what is examined again. Each submission is taken once: as arrived, else by a decision, else by an answer.

    A file that has arrived again and is published already gives way to the decision about it.
    """
    if decided is None:
        arrived = {submission.sha256 for submission, _ in files.files}
        return replace(files, again=tuple(one for sha256, one in again.items() if sha256 not in arrived))
    published = {submission.sha256 for submission, _ in decided.published}
    arriving = tuple((submission, path) for submission, path in files.files if submission.sha256 not in published)
    arrived = published | {submission.sha256 for submission, _ in arriving}
    again = {submission.sha256: submission for submission in decided.held} | dict(again)
    return replace(
        files,
        files=arriving,
        again=tuple(one for sha256, one in again.items() if sha256 not in arrived),
        decided=decided,
    )


def _count_files(files: BodyFiles) -> int:
    restated = len(files.decided.published) if files.decided else 0
    return len(files.files) + len(files.unreadable) + len(files.again) + restated


def nothing_new(run: Run, collected: CollectedFiles) -> bool:
    """Return True if every collected file is done already and no answer or decision bears on another."""
    for arrival in collected.arrivals:
        try:
            submission = steps.identify(run, arrival)
        except OSError:
            return False  # the run will say which file cannot be read
        if steps.find_final_report(run, submission) is None and read_tombstone(run.store, submission.sha256) is None:
            return False
    waiting = next(questions.find_answered(run.store), None) or next(decisions.find_pending(run.store), None)
    return waiting is None and next(list_waiting(run.store), None) is None


def process_body(run: Run, body_files: BodyFiles, through: Steps = Steps()) -> list[FileResult]:
    """Take a body's files through the steps, in the order of their periods; return a result for each.

    Files that are done already are skipped, and identical files are taken once. If one file fails, whatever the reason,
    that is its result and the others go on. What is decided about values in the meantime is applied at the end.
    """
    known = decisions.list_known(run.store, body_files.body)
    results = _process_files(run, body_files, through)
    late = decisions.find_late(run.store, body_files.body, body_files.dataset, known)
    if late:
        results += process_body(run, BodyFiles(body_files.dataset, body_files.body, decided=late), through)
    receipts.settle(run, (submission for submission, _ in body_files.files))
    return results


def _process_files(run: Run, body_files: BodyFiles, through: Steps) -> list[FileResult]:
    results = [run.count(result) for result in body_files.unreadable]
    examined: list[ExaminedFile] = []
    new: list[tuple[Submission, Callable[[], ExaminedFile]]] = []
    first: dict[str, tuple[Submission, Path]] = {}
    for submission, path in body_files.files:
        first.setdefault(submission.sha256, (submission, path))
    duplicates = [submission for submission, _ in body_files.files if submission is not first[submission.sha256][0]]
    decided = body_files.decided or PendingDecisions(body_files.body, body_files.dataset, ())
    held_again = {submission.sha256 for submission in decided.held}
    listed = {submission.sha256 for submission in (*body_files.again, *(one for one, _ in body_files.files))}
    held_late = [submission for submission in decided.held if submission.sha256 not in listed]
    for submission, path in first.values():
        report = None if submission.sha256 in held_again else steps.find_final_report(run, submission)
        if report:
            results.append(run.count(result_of(submission, report, Ending.ALREADY_DONE)))
        else:
            new.append((submission, partial(_receive_and_examine, run, submission, path, through)))
    new += [(one, partial(through.examine, run, one)) for one in (*body_files.again, *held_late)]
    new += [(one, partial(through.examine_again, run, one, series)) for one, series in decided.published]
    for submission, examine in new:
        try:
            examined.append(examine())
        except BytesPurged as error:
            results.append(run.count(failure(submission, str(error), Ending.REFUSED)))
        except Exception as error:  # noqa: BLE001 - one file's fault stays one file's
            results.append(run.count(fail(run, submission, error)))
    # All files are examined before the first is published, because files that claim one series hold each other.
    claims = settle_claims(run, body_files, examined)
    for file in sorted(examined, key=_publishing_order):
        sha256 = file.submission.sha256
        claim = next((files for series, files in claims if series == file.series and sha256 in files), {})
        rivals = tuple(name for other, name in claim.items() if other != sha256)
        try:
            result = through.publish(run, file, rivals)
        except Exception as error:  # noqa: BLE001 - one file's fault stays one file's
            result = fail(run, file.submission, error)
        results.append(run.count(result))
    for submission in duplicates:
        report = steps.find_final_report(run, submission)
        result = (
            result_of(submission, report, Ending.ALREADY_DONE)
            if report
            else failure(submission, "this file is identical to another one of this run, which failed")
        )
        results.append(run.count(result))
    if body_files.decided:
        _settle_decisions(run, body_files.decided, results)
    return results


def fail(run: Run, submission: Submission, error: Exception) -> FileResult:
    """The result of a file that could not be processed; the traceback of a bug is kept in the store."""
    why = explain_error(run, error, submission.body, submission.dataset, submission.sha256)
    return failure(submission, why, kind=type(error).__name__)


def _receive_and_examine(run: Run, submission: Submission, path: Path, through: Steps) -> ExaminedFile:
    return through.examine(run, through.receive(run, submission, path))


def _settle_decisions(run: Run, pending: PendingDecisions, results: Sequence[FileResult]) -> None:
    """Finish applying decisions, unless a file that they bear on has failed: then the next run applies them again."""
    bearing = {*pending.held, *(submission for submission, _ in pending.published)}
    endings = {result.sha256: result.ending for result in results}
    ended = {endings.get(submission.sha256) for submission in bearing}
    if Ending.FAILED not in ended:
        unpublished = [sha256 for sha256, ending in endings.items() if ending in (Ending.HELD, Ending.REJECTED)]
        decisions.settle(run.store, pending, unpublished=unpublished, now=run.moment)


def settle_claims(run: Run, body_files: BodyFiles, examined: Sequence[ExaminedFile]) -> list[Claim]:
    """Record and return every claim of several files of one run, with different rows, on one series.

    A claim is recorded before anything is published, so that an interrupted run comes to the same end when it resumes.
    """
    files: dict[Series, list[ExaminedFile]] = {}
    for file in examined:
        if file.series is not None and file.rows_sha256 is not None and not file.restates:
            files.setdefault(file.series, []).append(file)
    prefix = layout.claims_folder(body_files.body, body_files.dataset)
    for series, rivals in files.items():
        if len({file.rows_sha256 for file in rivals}) > 1:
            names = {file.submission.sha256: file.public_name for file in rivals}
            content = to_json_bytes({"series": str(series), "files": dict(sorted(names.items()))})
            digest = hashlib.sha256(content).hexdigest()
            run.store.create(layout.claim(body_files.body, body_files.dataset, digest), content)
    documents = (json.loads(run.store.read(key).content) for key in run.store.keys(prefix))
    return [(Series.parse(document["series"]), document["files"]) for document in documents]


def replace_results(results: Iterable[FileResult], later: Sequence[FileResult]) -> list[FileResult]:
    """The results of a run, where what became of a file later takes the place of what was said of it before."""
    again = {(result.body, result.dataset, result.sha256) for result in later}
    return [one for one in results if (one.body, one.dataset, one.sha256) not in again] + list(later)


def count_unchanged(run: Run, collected: CollectedFiles) -> list[FileResult]:
    """The results of files that have not changed at their web address since they were done."""
    return [
        run.count(result_of(submission, steps.read_filed_report(run, submission), Ending.ALREADY_DONE))
        for submission in collected.unchanged
    ]


def summarise(collected: CollectedFiles, results: Iterable[FileResult], build: Callable[[], int]) -> RunSummary:
    """Build the catalogue, last of all, and summarise the run; if building fails, the summary says so."""
    results = in_order(results)  # consume a generator here: every file is done before the catalogue is built
    pages, trouble = try_to_build(build)
    return RunSummary(results, collected.left_out, collected.missed, pages, trouble)


def _publishing_order(file: ExaminedFile) -> tuple[bool, date, date, str, str]:
    """What restates a version before what may replace it; by period, files without one last; by part and origin."""
    start, end = (file.period.start, file.period.end) if file.period else (date.max, date.max)
    return not file.restates, start, end, file.part or "", file.submission.origin
