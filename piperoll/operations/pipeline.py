"""The run: what happens to every collected file, in what order. Prefect wraps these functions and adds to them.

    group_by_body -> process_body for each body and dataset -> summarise, which builds the catalogue last

Bodies are independent of each other. The files of one body and dataset are taken in the order of their periods,
whatever the order they arrived in: a file is read by what earlier periods taught, and compared with what they
published.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import TypeAlias, TypeVar

from piperoll import layout
from piperoll.errors import BytesPurged, describe_error
from piperoll.model import Period, Series, Submission, to_json_bytes
from piperoll.operations import auditing, decisions, questions, receipts, reexamining, steps
from piperoll.operations.bugs import explain_error
from piperoll.operations.catalogue.build import try_to_build
from piperoll.operations.collecting import CollectedFiles
from piperoll.operations.decisions import PendingDecisions
from piperoll.operations.examined import ExaminedFile
from piperoll.operations.run_request import Run
from piperoll.operations.run_summary import Ending, FileResult, RunSummary, failure, in_order, result_of
from publishers import (
    Seen,
    Store,
    apply_tombstones,
    export_seen,
    forget_seen,
    latest,
    list_body_series,
    list_waiting,
    read_tombstone,
)


@dataclass(frozen=True, slots=True)
class BodyFiles:
    """The files of one body and dataset in a run: each submission, and the path of its bytes.

    `unreadable` has a result for each file that could not be opened. `again` are submissions that are held or rejected
    and are examined from the archive because of an answer, a rule or the register, and `later` are those that are
    examined then because what becomes of `again` bears on them (`reexamining`). `decided` is what was decided about
    values since. `basis` is recorded once all files are examined; empty if it is recorded already. `seen` is what was
    read of the store to find all this: the mapping and the decisions for these files, and which of them was purged.
    """

    dataset: str
    body: str
    files: tuple[tuple[Submission, Path], ...] = ()
    unreadable: tuple[FileResult, ...] = ()
    again: tuple[Submission, ...] = ()
    decided: PendingDecisions | None = None
    basis: str = ""
    later: tuple[tuple[Submission, Period | None], ...] = ()
    seen: Seen = ()

    def __str__(self) -> str:
        """As in `spend/anytown`."""
        return f"{self.dataset}/{self.body}"


Claim: TypeAlias = tuple[Series, Mapping[str, str]]
"""A series that several files of one run claim, and the names of those files by sha256."""

Audits: TypeAlias = Generator[Sequence[ExaminedFile], Mapping[str, Exception], list[FileResult]]
"""What `process_files` makes: it yields files whose packed releases are to be audited (`auditing.audit`), is sent the
errors of those that did not pass, by sha256, and returns the result of every file."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Steps:
    """How the steps of a submission are called: as plain functions, or as Prefect tasks around them."""

    receive: Callable[[Run, Submission, Path], bool] = steps.receive
    examine: Callable[[Run, Submission], ExaminedFile] = steps.examine
    publish: Callable[[Run, ExaminedFile, tuple[str, ...]], FileResult] = steps.publish
    examine_again: Callable[[Run, Submission, Series], ExaminedFile] = steps.examine_again
    recall: Callable[[Run, ExaminedFile], ExaminedFile] = steps.recall
    audit: Callable[[Sequence[ExaminedFile]], Sequence[Exception | None]] = auditing.audit


def run_in_process(run: Run, collected: CollectedFiles) -> list[FileResult]:
    """Process every file in this process, one body after the other, without Prefect."""
    bodies = group_by_body(run, collected)
    return [result for files in bodies for result in process_body(run, files)] + count_unchanged(run, collected)


def group_by_body(run: Run, collected: CollectedFiles) -> tuple[BodyFiles, ...]:
    """Group collected files by dataset and body, with what waits in the store; see `group_as_collected`."""
    return tuple(sorted(group_as_collected(run, [collected], []), key=lambda files: (files.dataset, files.body)))


def group_as_collected(
    run: Run, parts: Iterable[CollectedFiles], collected: list[CollectedFiles]
) -> Iterator[BodyFiles]:
    """Yield the files of each body and dataset when they are collected, while others are still being fetched.

    All files of a body and dataset are in one part. Files that have a receipt and are not processed yet are added, and
    submissions that people's answers and decisions bear on; last come the bodies that have nothing else. Each part is
    appended to `collected`.
    """
    run = run.for_batch()
    apply_tombstones(run.store)  # a backup may have been restored since
    waiting: dict[tuple[str, str], list[tuple[Submission, Path]]] = {}
    for submission, path in receipts.fetch_waiting(run):
        waiting.setdefault((submission.dataset, submission.body), []).append((submission, path))
    keeps = None if run.is_whole else run.keeps
    decided = {(pending.dataset, pending.body): pending for pending in decisions.find_pending(run.store, keeps)}
    again: dict[tuple[str, str], dict[str, Submission]] = {}
    bases = reexamining.list_bases(run)
    for submission in questions.find_answered(run.store, but=bases, keeps=run.keeps):
        again.setdefault((submission.dataset, submission.body), {})[submission.sha256] = submission
    outdated: dict[tuple[str, str], reexamining.Outdated] = {}
    for one in reexamining.find_outdated(run, bases):
        outdated[one.dataset, one.body] = one
        again[one.dataset, one.body] = {submission.sha256: submission for submission in one.files}
    for part in chain(parts, [None]):
        files, unreadable = _identify(run, part or CollectedFiles())
        keys = {*files, *unreadable} if part else {*waiting, *again, *decided}
        bodies = [
            _with_pending(
                BodyFiles(
                    *key,
                    (*files.get(key, ()), *waiting.pop(key, ())),
                    tuple(unreadable.get(key, ())),
                    basis=outdated[key].basis
                    if key in outdated
                    else ("" if key in bases else reexamining.compute_basis(run, *key)),
                    later=outdated[key].later if key in outdated else (),
                    seen=_export_seen(run.store, *key, {submission.sha256 for submission, _ in files.get(key, ())}),
                ),
                again.pop(key, {}),
                decided.pop(key, None),
            )
            for key in sorted(keys)
            if run.keeps(key[1])
        ]
        if part:
            collected.append(part)
        if run.progress:
            run.progress.total += sum(map(_count_files, bodies)) + (len(part.unchanged) if part else 0)
        yield from bodies


def _export_seen(store: Store, dataset: str, body: str, digests: Iterable[str]) -> Seen:
    """What grouping has read that examining the files of a body needs, too: these, by their sha256."""
    listed = [layout.decisions_prefix(None), layout.decisions_prefix(body)]
    return export_seen(store, [layout.mapping(body, dataset)], [*listed, *map(layout.tombstone, digests)])


def _identify(
    run: Run, part: CollectedFiles
) -> tuple[dict[tuple[str, str], list[tuple[Submission, Path]]], dict[tuple[str, str], list[FileResult]]]:
    """The submissions of what was collected, and the results of files that cannot be read, by dataset and body."""
    files: dict[tuple[str, str], list[tuple[Submission, Path]]] = {}
    unreadable: dict[tuple[str, str], list[FileResult]] = {}
    for arrival in part.arrivals:
        try:
            submission = steps.identify(run, arrival)
        except OSError as error:
            unknown = steps.make_submission(run, arrival, sha256="", size=0)
            result = failure(unknown, f"it cannot be read: {describe_error(error)}")
            unreadable.setdefault((unknown.dataset, unknown.body), []).append(result)
        else:
            files.setdefault((submission.dataset, submission.body), []).append((submission, arrival.path))
    return files, unreadable


def _with_pending(files: BodyFiles, again: Mapping[str, Submission], decided: PendingDecisions | None) -> BodyFiles:
    """Add what is examined again. Each submission is taken once: by a decision, else from the archive, else as arrived.

    A file that has arrived again with another period than before is taken as arrived, unless it is published already.
    """
    decided = decided or PendingDecisions(files.body, files.dataset, ())
    published = {submission.sha256 for submission, _ in decided.published}
    kept = {submission.sha256: submission for submission in decided.held} | dict(again)
    arriving = tuple(
        (one, path)
        for one, path in files.files
        if one.sha256 not in published and (one.sha256 not in kept or one.period not in (None, kept[one.sha256].period))
    )
    arrived = published | {submission.sha256 for submission, _ in arriving}
    return replace(
        files,
        files=arriving,
        again=tuple(one for sha256, one in kept.items() if sha256 not in arrived),
        decided=decided if decided.entries else None,
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
    bases = reexamining.list_bases(run)
    waiting = next(questions.find_answered(run.store, but=bases), None) or next(decisions.find_pending(run.store), None)
    outdated = next(reexamining.find_outdated(run, bases), None)
    return waiting is None and outdated is None and next(list_waiting(run.store), None) is None


def process_body(run: Run, body_files: BodyFiles, through: Steps = Steps()) -> list[FileResult]:
    """Take a body's files through the steps, in the order of their periods; return a result for each.

    This is `process_files` with an audit of its own; a caller with many bodies can audit the files of several at once.
    """
    run = run.for_batch([body_files.seen])
    files = process_files(run, body_files, through)
    try:
        waiting = next(files)
        while True:
            errors = zip(waiting, through.audit(waiting), strict=True)
            waiting = files.send({file.submission.sha256: error for file, error in errors if error is not None})
    except StopIteration as ended:
        results: list[FileResult] = ended.value
        return results
    finally:
        steps.clear_scratch(run, body_files.dataset, body_files.body)


def process_files(run: Run, body_files: BodyFiles, through: Steps = Steps()) -> Audits:
    """Take a body's files through the steps, except that the caller audits what is packed (see `Audits`).

    Files that are done already are skipped, and identical files are taken once. If one file fails, whatever the reason,
    that is its result and the others go on. What is decided about values in the meantime is applied at the end.

    1. Every file is received and examined by itself, and all that are packed are handed out to be audited.
    2. In order of period, the files of one period are read by what earlier periods taught, and those that it reads
       otherwise are audited again; files that claim one series are found; each is compared, published and learnt from.

    A run that is interrupted has published the first of these periods, and the next run goes on with the same files as
    if nothing had happened.
    """
    known = decisions.list_known(run.store, body_files.body)
    results = yield from _process_files(run, body_files, through)
    late = decisions.find_late(latest(run.store), body_files.body, body_files.dataset, known)
    if late:
        forget_seen(run.store)
        late_files = BodyFiles(body_files.dataset, body_files.body, decided=late)
        results += yield from process_files(run, late_files, through)
    receipts.settle(run, (*(submission for submission, _ in body_files.files), *body_files.again))
    if body_files.basis and all(result.ending is not Ending.FAILED for result in results):
        reexamining.record_basis(run, body_files.dataset, body_files.body, body_files.basis)
    return results


def _process_files(run: Run, body_files: BodyFiles, through: Steps) -> Audits:
    work = _Work(run, body_files, through)
    new, duplicates = work.find_new()
    received = [(one, is_new) for one, receive in new if (is_new := work.attempt(one, receive)) is not None]
    if received:  # one request here, and then none for the pointer of each new series
        list(list_body_series(run.store, body_files.dataset, body_files.body))
    examined = [work.attempt(one, partial(through.examine, run, one)) for one, _ in received]
    files = [file for file in examined if file is not None]
    for one in work.find_later(files):
        examined_later = work.attempt(one, partial(through.examine, run, one))
        files += [examined_later] if examined_later is not None else []
    failed = yield from work.audit(files)
    restated = [] if body_files.decided is None else list(body_files.decided.published)
    waiting: list[ExaminedFile | tuple[Submission, Series]] = [
        file for file in files if file.submission.sha256 not in failed
    ]
    # a file that came for the first time is in no claim that was recorded before
    claims = [] if all(is_new for _, is_new in received) and not restated else read_claims(run, body_files)
    for _, together in groupby(sorted([*waiting, *restated], key=_publishing_order), key=_period_order):
        period = [file for file in map(work.recall, together) if file is not None]
        failed = yield from work.audit([file for file in period if not file.audited])
        period = [file for file in period if file.submission.sha256 not in failed]
        # Before the first file of a series is published, because files that claim one series hold each other.
        claims += settle_claims(run, body_files, period)
        for file in period:
            work.publish(file, claims)
    work.report_duplicates(duplicates)
    if body_files.decided:
        _settle_decisions(run, body_files.decided, work.results)
    return work.results


class _Work:
    """The files of one body and dataset on their way through the steps, and the results so far."""

    def __init__(self, run: Run, body_files: BodyFiles, through: Steps) -> None:
        self._run, self._files, self._through = run, body_files, through
        self.results = [run.count(result) for result in body_files.unreadable]

    def find_new(self) -> tuple[list[tuple[Submission, Callable[[], bool]]], list[Submission]]:
        """The files to examine, and those that are identical to one of the run.

        Each of the former has a function that receives it: True if it certainly came for the first time.
        They are in the order of their bytes' sha256, so that nothing depends on the order in which they arrived.
        """
        run, decided = self._run, self._files.decided or PendingDecisions(self._files.body, self._files.dataset, ())
        first: dict[str, tuple[Submission, Path]] = {}
        for submission, path in sorted(self._files.files, key=lambda one: (one[0].name, one[0].origin)):
            first.setdefault(submission.sha256, (submission, path))
        duplicates = [one for one, _ in self._files.files if one is not first[one.sha256][0]]
        held_again = {submission.sha256 for submission in (*decided.held, *self._files.again)}
        listed = {submission.sha256 for submission in (*self._files.again, *(one for one, _ in self._files.files))}
        new: list[tuple[Submission, Callable[[], bool]]] = []
        for submission, path in first.values():
            report = None if submission.sha256 in held_again else steps.find_final_report(run, submission)
            if report:
                self._add(result_of(submission, report, Ending.ALREADY_DONE))
            else:
                new.append((submission, partial(self._through.receive, run, submission, path)))
        held_late = [submission for submission in decided.held if submission.sha256 not in listed]
        new += [(one, lambda: False) for one in (*self._files.again, *held_late)]  # received by an earlier run
        return sorted(new, key=lambda one: one[0].sha256), duplicates

    def find_later(self, examined: Sequence[ExaminedFile]) -> list[Submission]:
        """The submissions that are examined because what becomes of files that are examined again bears on them."""
        again = {submission.sha256 for submission in self._files.again}
        periods = [_period_order(file) for file in examined if file.submission.sha256 in again]
        known = {file.submission.sha256 for file in examined}
        later = [
            submission
            for submission, period in self._files.later
            if periods and _order_of(period) >= min(periods) and submission.sha256 not in known
        ]
        taken = {submission.sha256 for submission in later}
        self.results = [result for result in self.results if result.sha256 not in taken]  # that have arrived again
        return sorted(later, key=lambda one: one.sha256)

    def attempt(self, submission: Submission, step: Callable[[], _T]) -> _T | None:
        """Take a submission through a step; None if that fails, which is then its result."""
        try:
            return step()
        except BytesPurged as error:
            self._add(failure(submission, str(error), Ending.REFUSED))
        except Exception as error:  # noqa: BLE001 - one file's fault stays one file's
            self._add(fail(self._run, submission, error))
        return None

    def audit(
        self, files: Sequence[ExaminedFile]
    ) -> Generator[Sequence[ExaminedFile], Mapping[str, Exception], set[str]]:
        """Hand out files to be audited; return those that did not pass, by sha256, whose result that is."""
        waiting = [file for file in files if file.sample_at is not None]
        errors = (yield waiting) if waiting else {}
        for file in waiting:
            if error := errors.get(file.submission.sha256):
                self._add(fail(self._run, file.submission, error))
        return {*errors}

    def recall(self, file: ExaminedFile | tuple[Submission, Series]) -> ExaminedFile | None:
        """Read a file by what earlier periods taught, or examine one again that is published; None if that fails."""
        if isinstance(file, ExaminedFile):
            return self.attempt(file.submission, partial(self._through.recall, self._run, file))
        return self.attempt(file[0], partial(self._through.examine_again, self._run, *file))

    def publish(self, file: ExaminedFile, claims: Sequence[Claim]) -> None:
        """Publish a file or hold it; `claims` are those of files that have arrived together."""
        sha256 = file.submission.sha256
        claim = next((files for series, files in claims if series == file.series and sha256 in files), {})
        rivals = tuple(name for other, name in claim.items() if other != sha256)
        result = self.attempt(file.submission, partial(self._through.publish, self._run, file, rivals))
        if result is not None:
            self._add(result)

    def report_duplicates(self, duplicates: Sequence[Submission]) -> None:
        """Give each file that is identical to another one of the run the result of that one."""
        for submission in duplicates:
            report = steps.find_final_report(self._run, submission)
            self._add(
                result_of(submission, report, Ending.ALREADY_DONE)
                if report
                else failure(submission, "this file is identical to another one of this run, which failed")
            )

    def _add(self, result: FileResult) -> None:
        self.results.append(self._run.count(result))


def fail(run: Run, submission: Submission, error: Exception) -> FileResult:
    """The result of a file that could not be processed; the traceback of a bug is kept in the store."""
    why = explain_error(run, error, submission.body, submission.dataset, submission.sha256)
    return failure(submission, why, kind=type(error).__name__)


def _settle_decisions(run: Run, pending: PendingDecisions, results: Sequence[FileResult]) -> None:
    """Finish applying decisions, unless a file that they bear on has failed: then the next run applies them again."""
    bearing = {*pending.held, *(submission for submission, _ in pending.published)}
    endings = {result.sha256: result.ending for result in results}
    ended = {endings.get(submission.sha256) for submission in bearing}
    if Ending.FAILED not in ended:
        unpublished = [sha256 for sha256, ending in endings.items() if ending in (Ending.HELD, Ending.REJECTED)]
        decisions.settle(run.store, pending, unpublished=unpublished, now=run.moment)


def read_claims(run: Run, body_files: BodyFiles) -> list[Claim]:
    """The claims of several files on one series that this run or an interrupted one has recorded."""
    prefix = layout.claims_folder(body_files.body, body_files.dataset)
    documents = (json.loads(run.store.read(key).content) for key in run.store.keys(prefix))
    return [(Series.parse(document["series"]), document["files"]) for document in documents]


def settle_claims(run: Run, body_files: BodyFiles, examined: Sequence[ExaminedFile]) -> list[Claim]:
    """Record and return every claim of several files of one run, with different rows, on one series.

    A claim is recorded before anything is published, so that an interrupted run comes to the same end when it resumes.
    """
    files: dict[Series, list[ExaminedFile]] = {}
    for file in examined:
        if file.series is not None and file.rows_sha256 is not None and not file.restates:
            files.setdefault(file.series, []).append(file)
    claims: list[Claim] = []
    for series, rivals in files.items():
        if len({file.rows_sha256 for file in rivals}) > 1:
            names = dict(sorted((file.submission.sha256, file.public_name) for file in rivals))
            content = to_json_bytes({"series": str(series), "files": names})
            digest = hashlib.sha256(content).hexdigest()
            run.store.create(layout.claim(body_files.body, body_files.dataset, digest), content)
            claims.append((series, names))
    return claims


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


def _period_order(file: ExaminedFile | tuple[Submission, Series]) -> tuple[date, date]:
    """The first and last day of a file's period; files without one come last."""
    return _order_of(file.period if isinstance(file, ExaminedFile) else file[1].period)


def _order_of(period: Period | None) -> tuple[date, date]:
    return (period.start, period.end) if period else (date.max, date.max)


def _publishing_order(file: ExaminedFile | tuple[Submission, Series]) -> tuple[date, date, bool, str, str]:
    """By period; what restates a version before what may replace it; by part and sha256, never by arrival."""
    if isinstance(file, ExaminedFile):
        return *_period_order(file), True, file.part or "", file.submission.sha256
    return *_period_order(file), False, file[1].part or "", file[0].sha256
