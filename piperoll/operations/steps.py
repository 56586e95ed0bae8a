"""The steps that a submission goes through: receive, examine, audit, recall, publish. Plain functions, without Prefect.

They are what a run executes, as tasks where Prefect runs it. They take a `Run` and keys, and return small values: what
examining finds is handed over as files in the run's scratch folder.
"""

from __future__ import annotations

import hashlib
import pickle
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import publishers
from collectors import Arrival
from piperoll import assets, checking, layout, releasing
from piperoll.checking.engine import CheckEngine
from piperoll.errors import StoreCorrupt, UsageError
from piperoll.findings import deciding_finding, holds_file, make_finding, public_report
from piperoll.model import (
    BodyMapping,
    Finding,
    Period,
    Report,
    Series,
    Submission,
    Verdict,
    Version,
)
from piperoll.operations import decisions, questions
from piperoll.operations.examined import (
    Check,
    ExaminedFile,
    ExaminedSubmission,
    compare_with_earlier,
    compare_with_later,
    hold,
    hold_if_older,
    read_examined,
    write_examined,
)
from piperoll.operations.run_request import Run
from piperoll.operations.run_summary import Ending, FileResult, result_of
from piperoll.reading import Reading, read

_FEW_BYTES = 16 << 20
"""Files of at most this size are read once: examining them takes the bytes that were archived."""


@dataclass(frozen=True, slots=True)
class SettledSubmission:
    """An examined submission and what publishing it led to; `outcome` is None if there was nothing to publish."""

    examined: ExaminedSubmission
    outcome: publishers.Outcome | None = None

    def result(self) -> FileResult:
        """The result for the run's summary."""
        submission, report = self.examined.submission, self.examined.report
        match self.outcome:
            case publishers.Published(version):
                return result_of(submission, report, Ending.PUBLISHED, version=version.version)
            case publishers.Unchanged(version):
                # a run that was killed after it published and before it filed the report meets its own version here
                ours = submission.sha256 in version.sources
                ending = Ending.PUBLISHED if ours else Ending.SAME_ROWS
                return result_of(submission, report, ending, version=version.version)
            case _:
                return result_of(submission, report, Ending(str(report.verdict)))


def identify(run: Run, arrival: Arrival) -> Submission:
    """Make the submission for a file: its hash, and our names for its dataset, part and body.

    Raises: UnknownDataset: the arrival's dataset is not one of ours. OSError: the file cannot be read.
    """
    with arrival.path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return make_submission(run, arrival, sha256=digest, size=arrival.path.stat().st_size)


def make_submission(run: Run, arrival: Arrival, *, sha256: str, size: int) -> Submission:
    """The submission of a file with this hash and size in bytes. Raises: UnknownDataset."""
    dataset, part = assets.find_dataset(arrival.dataset)
    return Submission(
        sha256=sha256,
        bytes=size,
        name=arrival.name,
        dataset=dataset.name,
        body=run.register.find(arrival.sender).slug,
        origin=arrival.origin,
        received=arrival.received,
        period=arrival.period,
        part=arrival.part or part,
        response=arrival.response,
    )


def find_final_report(run: Run, submission: Submission) -> Report | None:
    """The public report of a submission that needs no more work; None if it has to be examined.

    A submission that was not published is examined again if a period is given now that its report does not have, or if
    the questions that held it have been answered.
    """
    report = publishers.read_report(run.store, submission)
    if report is None or report.verdict.publishes:
        return report
    new_period = submission.period not in (None, report.period)
    return None if new_period or questions.is_answered(run.store, submission, report) else report


def receive(run: Run, submission: Submission, path: Path) -> bool:
    """Archive the bytes as received, with the record of their arrival; True if they certainly came for the first time.

    Raises: StoreCorrupt: the file changed while it was read. BytesPurged: these bytes were purged before.
    """
    content = path.read_bytes() if submission.bytes <= _FEW_BYTES else path
    return publishers.archive_submission(run.store, content, submission)


def examine(run: Run, submission: Submission) -> ExaminedFile:
    """Read and check a submission from its archived bytes, by itself, and pack its release.

    People's answers about headings count; what other files of the body taught does not (`recall`).
    """
    content = publishers.read_received_bytes(run.store, submission)
    return _pack_and_keep(run, submission, check_bytes(run, submission, content, recall=False))


def recall(run: Run, file: ExaminedFile) -> ExaminedFile:
    """Examine a file again if what the body sent for earlier periods bears on how it is read; otherwise return it.

    The result is `audited` if what is packed is the same as before.
    """
    submission, alone = file.submission, read_examined(file.kept_at).examination
    mapping = publishers.read_mapping(run.store, submission.body, submission.dataset)
    earlier = mapping.as_of(file.period)
    if not questions.bears_on(earlier, alone.reading, submission):
        return replace(file, audited=True)
    recalled = _check(run, submission, publishers.read_received_bytes(run.store, submission), earlier)
    settled = questions.settle_memory(alone, recalled)
    return replace(file, audited=True) if settled is alone else _pack_and_keep(run, submission, settled)


def examine_again(run: Run, submission: Submission, series: Series) -> ExaminedFile:
    """Examine a published submission again, for the series that it is part of, because of a decision about values."""
    return _pack_and_keep(run, submission, _check_for_series(run, submission, series), restates=True)


def make_folder(run: Run, submission: Submission) -> Path:
    """A folder of its own in the scratch folder for a file, that `clear_scratch` deletes."""
    folder = run.scratch / "packed" / submission.body / submission.dataset
    folder.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="together-", dir=folder))


def clear_scratch(run: Run, dataset: str, body: str) -> None:
    """Delete what the steps left in the scratch folder for the files of a body and dataset, all of which are done."""
    for kind in ("packed", "examined"):
        shutil.rmtree(run.scratch / kind / body / dataset, ignore_errors=True)


def _check_for_series(run: Run, submission: Submission, series: Series) -> checking.Examination:
    """Examine a submission as part of a series. If someone released it whole, that decision still stands."""
    given = replace(submission, period=str(series.period), part=series.part)
    examination = check_bytes(run, given, publishers.read_received_bytes(run.store, submission))
    rulings = publishers.list_rulings(run.store, submission)
    if rulings and examination.report.verdict is Verdict.HELD:
        examination = apply_ruling(examination, rulings[-1], deciding_finding(examination.report))
    return examination


def apply_ruling(
    examination: checking.Examination, ruling: publishers.Ruling, reason: Finding | None
) -> checking.Examination:
    """Put a person's decision in place of the findings that hold the whole file; `reason` is the one that decided.

    Rows that are held on their own stay held.
    """
    report = examination.report
    rest = (finding for finding in report.findings if not holds_file(finding.code))
    verdict = Verdict.NIL if report.verdict is Verdict.NIL else Verdict.ACCEPTED_WITH_WARNINGS
    finding = make_finding(
        "released-by-decision",
        variant=str(ruling.decision),
        held=f" ({reason.message.removesuffix('.')})" if reason else "",
        day=ruling.decided[:10],
        because=ruling.because,
    )
    return replace(examination, report=replace(report, verdict=verdict, findings=(*rest, finding)))


def _pack_and_keep(
    run: Run, submission: Submission, examination: checking.Examination, *, restates: bool = False
) -> ExaminedFile:
    """Pack a submission's release, and keep it with what was found in the scratch folder until it is published."""
    examined = pack_submission(run, submission, examination, audit=False)
    path = run.scratch / "examined" / submission.body / submission.dataset / f"{submission.sha256}.pickle"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_examined(examined, path)
    sample_at = None
    if examined.packed is not None and examination.reading.tables:
        sample_at = path.with_suffix(".tables")
        sampled = checking.sample_tables(examination.reading.tables, run.settings.audit_rows)
        sampled = [replace(table, stored=tuple(table.batches())) for table in sampled]
        sample_at.write_bytes(pickle.dumps(sampled, protocol=pickle.HIGHEST_PROTOCOL))
    return ExaminedFile(
        submission=submission,
        period=examination.period,
        part=examination.part,
        series=examined.series,
        rows_sha256=examined.packed.manifest.rows_sha256 if examined.packed else None,
        kept_at=path,
        public_name=examined.public_name,
        restates=restates,
        sample_at=sample_at,
    )


def publish(run: Run, file: ExaminedFile, rivals: tuple[str, ...] = ()) -> FileResult:
    """Compare an examined file with earlier releases, publish it or hold it, and file its reports.

    `rivals` are the names of files of the same run that claim the same series with other rows: then all are held.
    The public report is written last: once it exists, the submission is done.
    """
    examined = read_examined(file.kept_at)
    if rivals and examined.series is not None:
        table, names = publishers.describe_series(examined.series), [f"'{name}'" for name in rivals]
        others = " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
        made = make_finding("series-claimed-twice", table=table, others=others, count=len(rivals))
        examined = hold(examined, replace(made, count=1))
    if file.restates:
        series = examined.series
        current = publishers.read_history(run.store, series)[0].current_version if series else None
        together = _add_other_sources(run, examined, current.sources if current else ())
        examined = compare_with_earlier(run.store, together, decided=True)
    else:
        examined = hold_if_older(run.store, examined)
        examined = compare_with_later(run.store, compare_with_earlier(run.store, examined), check_later(run))
    with logging_publication(run, examined):
        settled = publish_examined(run, examined, restates=file.restates)
        if not file.restates:
            learn(run, settled)
        file_report(run, settled)
    return settled.result()


def check_later(run: Run) -> Check:
    """How published files of later periods are read again, to tell whether they would be read otherwise now."""

    def check(submission: Submission, series: Series, mapping: BodyMapping) -> checking.Examination:
        given = replace(submission, period=str(series.period), part=series.part)
        content = publishers.read_received_bytes(run.store, submission)
        return _check_as_of(partial(_check, run, given, content), given, mapping)

    return check


def learn(run: Run, settled: SettledSubmission) -> None:
    """Record the headings of a file that is published in the mapping of its body, and its questions in any case."""
    examined, published = settled.examined, isinstance(settled.outcome, publishers.Published | publishers.Unchanged)
    questions.learn(run.store, examined.submission, examined.examination, published=published)


def restate(run: Run, file: ExaminedFile, replayed: Version, reason: str) -> SettledSubmission:
    """Publish a file again, in the place of what is published of its series, as a replay showed it (`replayed`).

    `reason` is published. Raises: UsageError: by now it comes out otherwise; nothing is published.
    """
    examined = _add_other_sources(run, read_examined(file.kept_at), replayed.sources)
    examined = compare_with_earlier(run.store, examined, decided=True)
    if examined.packed is None or examined.packed.manifest.rows_sha256 != replayed.rows_sha256:
        raise UsageError("it does not come out as the replay showed: replay again")
    with logging_publication(run, examined):
        settled = publish_examined(run, examined, restates=True, reason=reason)
        learn(run, settled)
        file_report(run, settled)
    return settled


def _add_other_sources(run: Run, examined: ExaminedSubmission, sources: Sequence[str]) -> ExaminedSubmission:
    """Where a version is made of several submissions, examine the others again too and put them together."""
    series, submission = examined.series, examined.submission
    if series is None or examined.packed is None or set(sources) <= {submission.sha256}:
        return examined
    together: ExaminedSubmission | None = None
    made: Path | None = None
    for sha256 in sources:
        part: ExaminedSubmission | None = examined
        if sha256 != submission.sha256:
            other = publishers.read_submission(run.store, series.dataset, series.body, sha256)
            part = pack_submission(run, other[0], _check_for_series(run, other[0], series)) if other else None
        if part is None or part.packed is None:
            continue
        if together is None or together.packed is None:
            together = replace(examined, packed=part.packed, used=part.used)
        else:
            folder = make_folder(run, submission)
            packed = releasing.add_to_release(together.packed.folder, part.packed, folder)
            together = replace(together, packed=packed, used=together.used | part.used)
            if made is not None and packed.folder != made:
                shutil.rmtree(made)  # its lines are in the next one
            made = folder
    return together or examined


def check_bytes(
    run: Run,
    submission: Submission,
    content: bytes,
    *,
    quick: bool = False,
    engine: CheckEngine = CheckEngine.COMPILED,
    kind: str | None = None,
    recall: bool = True,
) -> checking.Examination:
    """Read and check the bytes of a submission, archived or not.

    `quick` leaves out the plausibility suite. `kind` is the kind of body, if it is given with the file. With `recall`,
    it is read by what the body sent for earlier periods, if that bears on it.
    """
    mapping = publishers.read_mapping(run.store, submission.body, submission.dataset)
    check = partial(_check, run, submission, content, suite=not quick, engine=engine, kind=kind)
    return _check_as_of(check, submission, mapping) if recall else check(replace(mapping, layouts=()))


def _check_as_of(
    check: Callable[[BodyMapping], checking.Examination], submission: Submission, mapping: BodyMapping
) -> checking.Examination:
    """Examine a submission by what the body sent for earlier periods, if that bears on it."""
    alone = check(replace(mapping, layouts=()))
    earlier = mapping.as_of(alone.period)
    if not questions.bears_on(earlier, alone.reading, submission):
        return alone
    return questions.settle_memory(alone, check(earlier))


def _check(
    run: Run,
    submission: Submission,
    content: bytes,
    mapping: BodyMapping,
    *,
    suite: bool = True,
    engine: CheckEngine = CheckEngine.COMPILED,
    kind: str | None = None,
) -> checking.Examination:
    """Read and check bytes with a mapping of the body's headings."""
    dataset, body = assets.dataset(submission.dataset), run.register.find(submission.body)
    period = Period.parse(submission.period) if submission.period else None
    reading = read(
        content,
        submission.name,
        assets.datasets(),
        dataset=dataset,
        part=submission.part,
        remembered=(mapping,),
        period=period,
    )
    examine_once = partial(
        checking.examine,
        reading,
        suite=assets.suite(dataset.name) if suite else None,
        engine=engine,
        file=submission.name,
        sha256=submission.sha256,
        size=submission.bytes,
        body=body,
        kind=kind,
        register=run.register,
        period=period,
        part=submission.part,
        decisions=publishers.read_decisions(run.store, body.slug, dataset.name),
    )
    # Some checks need the current version of the series, and only an examination shows which series it is.
    first = examine_once(standing=None)
    series = _series_of(submission, first)
    current = publishers.read_history(run.store, series)[0].current_version if series else None
    return examine_once(standing=current) if current else first


def pack_submission(
    run: Run, submission: Submission, examination: checking.Examination, *, audit: bool = True
) -> ExaminedSubmission:
    """Pack the release if the verdict allows publishing, and let go of the tables.

    Before that, everything to be released also goes through Frictionless and Great Expectations. Without `audit` it
    does not: importing the two takes ten times as long as checking an ordinary file. Such a release is for comparison.
    Raises: EngineDisagreement: they disagree with our rules, so nothing is released; the message names the rule.
    """
    dataset, reading, report = assets.dataset(submission.dataset), examination.reading, examination.report
    series, light = _series_of(submission, examination), replace(examination, reading=_without_records(reading))
    if series is None or not report.verdict.publishes:
        return ExaminedSubmission(submission, light, series)
    if audit and reading.dataset is not None:
        checking.require_agreement(
            reading.tables, reading.dataset, assets.suite(reading.dataset.name), run.settings.audit_rows
        )
    public = public_report(report, examination.disposition)
    packed = releasing.pack_release(
        dataset,
        run.register.find(submission.body),
        series,
        reading.tables,
        public,
        examination.disposition,
        source=releasing.SourceFile(submission.sha256, public.file),
        rules_version=assets.rules_version(dataset.name),
        folder=run.scratch / "packed" / submission.body / submission.dataset / submission.sha256,
    )
    return ExaminedSubmission(submission, light, series, packed, frozenset(report.decided))


def _without_records(reading: Reading) -> Reading:
    """What was read, with the choice of columns of each table and without its rows."""
    tables = (replace(table, excluded_rows=(), unreadable={}, stored=()) for table in reading.tables)
    return replace(reading, tables=tuple(tables))


def logging_publication(run: Run, examined: ExaminedSubmission) -> AbstractContextManager[None]:
    """Log for the catalogue, before and after a block, that a submission is published or held and its reports filed."""
    return publishers.logging_publication(
        run.store, examined.submission, examined.series if examined.packed is not None else None
    )


def publish_examined(
    run: Run,
    examined: ExaminedSubmission,
    ruling: publishers.Ruling | None = None,
    *,
    restates: bool = False,
    reason: str = "",
) -> SettledSubmission:
    """Publish what is packed, by a person's ruling if there is one; hold it where the current version forbids it.

    Call it and then `file_report` in a block of `logging_publication`: what goes wrong in between is found there.
    `restates` if the same files are published already, and a decision about values in them, or (with a `reason`, which
    is published) another rule changes their rows.
    """
    submission, packed = examined.submission, examined.packed
    if packed is None:
        return SettledSubmission(examined)
    decision = publishers.Decision.NORMAL
    if ruling:
        reason, decision = f"released: {ruling.because}", ruling.decision
    elif restates and reason:
        decision = publishers.Decision.REPLACE
    elif restates:
        reason, decision = decisions.RESTATED, publishers.Decision.RESTATE
    reason = reason or f"received as {examined.public_name}"
    publishers.mark_used(run.store, examined.used, packed.manifest.series, packed.manifest.sha256)
    outcome = publishers.publish_release(
        run.store,
        packed,
        reason=reason,
        now=run.moment,
        received=submission.received,
        decision=decision,
        compare=partial(releasing.compare_versions, assets.dataset(submission.dataset)),
        of=submission,
    )
    if isinstance(outcome, publishers.OnHold):
        examined = hold(examined, outcome.finding)
    return SettledSubmission(examined, outcome)


def file_report(run: Run, settled: SettledSubmission) -> None:
    """File the full report and then the public one, which marks the submission as done."""
    examined = settled.examined
    public = public_report(examined.report, examined.examination.disposition)
    publishers.file_reports(run.store, examined.submission, examined.report, public, is_logged=True)


def read_filed_report(run: Run, submission: Submission) -> Report:
    """The public report of a submission that is done. Raises: StoreCorrupt: it is missing."""
    report = publishers.read_report(run.store, submission)
    if report is None:
        raise StoreCorrupt(f"the report {layout.public_report_of(submission)} was filed and is missing now")
    return report


def _series_of(submission: Submission, examination: checking.Examination) -> Series | None:
    if examination.period is None:
        return None
    return Series(submission.dataset, submission.body, examination.period, examination.part)
