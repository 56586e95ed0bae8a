"""The steps that a submission goes through, one function each: receive, examine, publish, report. Without Prefect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from collectors import Arrival
from piperoll import assets, layout
from piperoll.checking import Examination, hold_file, require_agreement
from piperoll.checking import examine as examine_reading
from piperoll.checking.engine import CheckEngine
from piperoll.errors import StoreCorrupt
from piperoll.model import Body, Finding, Packed, Period, Register, Report, Series, Submission, Version
from piperoll.operations import questions
from piperoll.operations.run_summary import Watcher
from piperoll.reading import read
from piperoll.releasing import SourceFile, compare_versions, pack_release
from piperoll.settings import Settings
from publishers import (
    Decision,
    OnHold,
    Outcome,
    Ruling,
    Store,
    file_reports,
    publish_release,
    read_history,
    read_mapping,
    read_received_bytes,
    read_report,
)
from publishers import archive_submission as receive_bytes


@dataclass(frozen=True, slots=True)
class Run:
    """What every step of one run works with: the store, what was set, who is known, when it is (ISO 8601, UTC).

    `register` recognises who sends; `expected` are the bodies that returns are expected of, sent or not.
    `scratch` is a folder for what is on its way; it goes when the run ends. `watcher` is told of each file.
    """

    store: Store
    settings: Settings
    register: Register
    expected: Register
    now: str
    scratch: Path
    watcher: Watcher | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """A submission examined, its tables no longer in memory.

    `series` is None where there is none to publish in, `packed` where there is nothing to publish.
    """

    submission: Submission
    examination: Examination
    series: Series | None = None
    packed: Packed | None = None

    @property
    def report(self) -> Report:
        """The full report."""
        return self.examination.report


@dataclass(frozen=True, slots=True)
class Settled:
    """An examined submission and what publishing it came to; no outcome where nothing was to be published."""

    examined: Examined
    outcome: Outcome | None = None


def identify(run: Run, arrival: Arrival) -> Submission:
    """The submission that an arrival is: its bytes by hash, its dataset, part and body by our names for them.

    Raises: UnknownDataset: the arrival's dataset is none of ours.
    """
    dataset, part = assets.find_dataset(arrival.dataset)
    with arrival.path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Submission(
        sha256=digest,
        bytes=arrival.path.stat().st_size,
        name=arrival.name,
        dataset=dataset.name,
        body=run.register.find(arrival.sender).slug,
        origin=arrival.origin,
        received=arrival.received,
        period=arrival.period,
        part=arrival.part or part,
        response=arrival.response,
    )


def done(run: Run, submission: Submission) -> Report | None:
    """The public report of a submission that there is nothing more to do about.

    Where nothing was published and a period is given now that the report does not have, or what it was held for has
    been answered, there is something to do.
    """
    report = read_report(run.store, submission)
    if report is None or report.verdict.publishes:
        return report
    told_more = submission.period not in (None, report.period)
    return None if told_more or questions.is_answered(run.store, submission, report) else report


def receive(run: Run, submission: Submission, path: Path) -> Submission:
    """Keep the bytes as received and the record of their coming.

    Raises: StoreCorrupt: the file changed while we looked at it.
    """
    return receive_bytes(run.store, path, submission)


def examine(run: Run, submission: Submission) -> Examined:
    """Read, check and, if the verdict lets it, pack a submission, from its bytes as received; learn its headings."""
    examination = check(run, submission)
    questions.learn(run.store, submission, examination)
    return packed(run, submission, examination)


def check(run: Run, submission: Submission) -> Examination:
    """Read and check a submission, from its bytes as received, beside the version that stands."""
    return checked(run, submission, read_received_bytes(run.store, submission))


def checked(
    run: Run, submission: Submission, content: bytes, *, quick: bool = False, engine: CheckEngine = CheckEngine.COMPILED
) -> Examination:
    """The same from the bytes themselves, kept or not; `quick` leaves out whether figures are plausible."""
    dataset, body = assets.dataset(submission.dataset), run.register.find(submission.body)
    reading = read(
        content,
        submission.name,
        assets.datasets(),
        dataset=dataset,
        part=submission.part,
        remembered=(read_mapping(run.store, body.slug, dataset.name),),
    )
    suite = None if quick else assets.suite(dataset.name)
    return _beside_what_stands(run, submission, body, partial(examine_reading, reading, suite=suite, engine=engine))


def packed(run: Run, submission: Submission, examination: Examination) -> Examined:
    """The submission with its release packed, if the verdict lets it be published, and its tables let go."""
    dataset, body = assets.dataset(submission.dataset), run.register.find(submission.body)
    series, report = _series(submission, examination), examination.report
    light = replace(examination, reading=replace(examination.reading, tables=()))
    if series is None or not report.verdict.publishes:
        return Examined(submission, light, series)
    audit(run, examination)
    release = pack_release(
        dataset,
        body,
        series,
        examination.reading.tables,
        report.public(examination.disposition),
        examination.disposition,
        source=SourceFile(submission.sha256, submission.name),
        rules_version=assets.rules_version(dataset.name),
        folder=run.scratch / "packed" / submission.body / submission.dataset / submission.sha256,
    )
    return Examined(submission, light, series, release)


def audit(run: Run, examination: Examination) -> None:
    """Put what is to be released to Frictionless and Great Expectations too: they must say what our rules say.

    Raises: EngineDisagreement: they do not, so that nothing is released; the message names the rule.
    """
    reading = examination.reading
    if reading.dataset is not None:
        require_agreement(reading.tables, reading.dataset, assets.suite(reading.dataset.name), run.settings.audit_rows)


def held(examined: Examined, finding: Finding) -> Examined:
    """The same submission held whole for one more reason."""
    return replace(examined, examination=hold_file(examined.examination, finding), packed=None)


def publish(run: Run, examined: Examined, ruling: Ruling | None = None) -> Settled:
    """Publish a submission that may be, by a ruling if there is one; what the version that stands forbids is held."""
    if examined.packed is None:
        return Settled(examined)
    dataset = assets.dataset(examined.submission.dataset)
    outcome = publish_release(
        run.store,
        examined.packed,
        reason=f"released: {ruling.because}" if ruling else f"received as {examined.submission.name}",
        now=run.now,
        received=examined.submission.received,
        decision=ruling.decision if ruling else Decision.NORMAL,
        compare=partial(compare_versions, dataset),
    )
    if isinstance(outcome, OnHold):
        return Settled(held(examined, outcome.finding), outcome)
    return Settled(examined, outcome)


def report(run: Run, examined: Examined) -> None:
    """File the full report and, last of all, the public one: with it the submission is done."""
    full = examined.report
    file_reports(run.store, examined.submission, full, full.public(examined.examination.disposition))


def _beside_what_stands(
    run: Run, submission: Submission, body: Body, examining: Callable[..., Examination]
) -> Examination:
    """The examination, done again beside the version that stands if one does: which series it is shows only then."""
    given = Period.parse(submission.period) if submission.period else None

    def examination(standing: Version | None) -> Examination:
        return examining(
            file=submission.name,
            sha256=submission.sha256,
            size=submission.bytes,
            body=body,
            period=given,
            part=submission.part,
            standing=standing,
        )

    first = examination(None)
    series = _series(submission, first)
    if series is None:
        return first
    history, _ = read_history(run.store, series)
    return examination(history.standing) if history.standing else first


def _series(submission: Submission, examination: Examination) -> Series | None:
    if examination.period is None:
        return None
    return Series(submission.dataset, submission.body, examination.period, examination.part)


def stored_report(run: Run, submission: Submission) -> Report:
    """The public report of a submission that is done. Raises: StoreCorrupt: it is not there after all."""
    found = read_report(run.store, submission)
    if found is None:
        raise StoreCorrupt(f"{layout.public_report_of(submission)} was filed and is gone")
    return found
