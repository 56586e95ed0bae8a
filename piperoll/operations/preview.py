"""Preview the report of a file before it is sent: what a run would say, given what is published. Writes nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import publishers
from piperoll import assets, layout
from piperoll.checking import add_findings
from piperoll.checking.engine import CheckEngine
from piperoll.errors import UsageError
from piperoll.findings import make_finding
from piperoll.model import Dataset, Period, Report, Submission, describe_period, resolve_body
from piperoll.operations import steps
from piperoll.operations.run_request import open_run
from piperoll.reading import read


@dataclass(frozen=True, slots=True)
class CandidateFile:
    """A file that a body may send: bytes, file name, body (name or slug), and what is known about it.

    `kind` is the kind of body, if it is given; otherwise that of the registered body, or found in the file.
    """

    content: bytes
    name: str
    body: str
    dataset: Dataset | None = None
    part: str | None = None
    period: Period | None = None
    kind: str | None = None


def preview_report(
    to: str,
    file: CandidateFile,
    *,
    quick: bool = False,
    engine: CheckEngine = CheckEngine.COMPILED,
    called: str | None = None,
) -> Report | None:
    """The report that a run into the store at `to` would make; None if the file fits none of our datasets.

    `called` is what the report calls the store, by default its address.

    Raises: UsageError: nothing is published there.
    """
    if not publishers.open_store(to).exists(layout.HOME):
        raise UsageError(f"nothing is published in {to}: name a folder or s3://bucket/prefix that was published to")
    dataset = file.dataset or read(file.content, file.name, assets.datasets(), part=file.part).dataset
    if dataset is None:
        return None
    with open_run(to) as run:
        submission = Submission(
            sha256=hashlib.sha256(file.content).hexdigest(),
            bytes=len(file.content),
            name=file.name,
            dataset=dataset.name,
            body=(resolve_body(file.body, run.register).body or run.register.find(file.body)).slug,
            origin=file.name,
            received=run.moment,
            period=str(file.period) if file.period else None,
            part=file.part,
        )
        examination = steps.check_bytes(run, submission, file.content, quick=quick, engine=engine, kind=file.kind)
        examined = steps.pack_submission(run, submission, examination)
        examined = steps.compare_with_earlier(run.store, examined)
        if examined.packed is not None and examined.series is not None:
            outcome = publishers.decide_outcome(
                publishers.read_history(run.store, examined.series)[0], examined.packed.manifest
            )
            if isinstance(outcome, publishers.OnHold):
                examined = steps.hold(examined, outcome.finding)
        findings = []
        if report := publishers.read_report(run.store, submission):
            variant, verdict = "for-a-period" if report.period else "without-a-period", str(report.verdict)
            verdict, period = verdict.replace("_", " "), describe_period(report.period)
            finding = make_finding("file-taken-in-before", variant=variant, verdict=verdict, period=period)
            findings.append(finding)
        if examined.series is not None and not publishers.find_earlier_releases(run.store, examined.series):
            findings.append(make_finding("nothing-to-compare-with", store=called or to))
        return replace(examined, examination=add_findings(examined.examination, findings)).report
