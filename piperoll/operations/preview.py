"""Preview the report of a file before it is sent: what a run would say, given what is published. Writes nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import publishers
from piperoll import assets, checking, layout, releasing
from piperoll.checking import add_findings, longest_gap
from piperoll.checking.engine import CheckEngine
from piperoll.errors import UsageError
from piperoll.findings import make_finding
from piperoll.model import Dataset, Period, Report, Submission, describe_period, resolve_body
from piperoll.model.columns import pc
from piperoll.operations import steps
from piperoll.operations.examined import ExaminedSubmission, compare_with_earlier, hold
from piperoll.operations.run_request import Run, open_run
from piperoll.reading import read

MOST_NAMED = 10
"""Suppliers that are named as new or gone."""


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


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What is to be published beside the last release of the same dataset and part that covers as long a period.

    `pounds` are None if there are no amounts. `new` and `gone` are suppliers, those with the most lines first, at most
    MOST_NAMED of `new_count` and `gone_count`. `days_missing` are the days of the longest stretch of the period
    without a line. Held rows are in neither.
    """

    period: str
    rows: int
    rows_before: int
    pounds: Decimal | None
    pounds_before: Decimal | None
    new: tuple[str, ...]
    new_count: int
    gone: tuple[str, ...]
    gone_count: int
    days_missing: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would make of a file. `examination` has its tables only if they are kept; the report is complete."""

    examination: checking.Examination
    beside: SideBySide | None

    @property
    def report(self) -> Report:
        """The full report."""
        return self.examination.report


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
    previewed = preview_submission(to, file, quick=quick, engine=engine, called=called, compare=False)
    return None if previewed is None else previewed.report


def preview_submission(
    to: str,
    file: CandidateFile,
    *,
    quick: bool = False,
    engine: CheckEngine = CheckEngine.COMPILED,
    called: str | None = None,
    keep_tables: bool = False,
    compare: bool = True,
) -> Preview | None:
    """What a run into the store at `to` would make of a file, as `preview_report`; nothing need be published there.

    `compare` puts it beside the last release.
    """
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
        packed = steps.pack_submission(run, submission, examination, audit=False)  # nothing is released
        beside = _put_beside(run, packed) if compare else None
        examined = compare_with_earlier(run.store, packed)
        if examined.packed is not None and examined.series is not None:
            outcome = publishers.decide_outcome(
                publishers.read_history(run.store, examined.series)[0], examined.packed.manifest
            )
            if isinstance(outcome, publishers.OnHold):
                examined = hold(examined, outcome.finding)
        findings = []
        if report := publishers.read_report(run.store, submission):
            variant, verdict = "for-a-period" if report.period else "without-a-period", str(report.verdict)
            verdict, period = verdict.replace("_", " "), describe_period(report.period)
            finding = make_finding("file-taken-in-before", variant=variant, verdict=verdict, period=period)
            findings.append(finding)
        if examined.series is not None and not publishers.find_earlier_releases(run.store, examined.series):
            findings.append(make_finding("nothing-to-compare-with", store=called or to))
        done = add_findings(examined.examination, findings)
        return Preview(replace(examination, report=done.report) if keep_tables else done, beside)


def _put_beside(run: Run, examined: ExaminedSubmission) -> SideBySide | None:
    """Compare what is packed with the nearest earlier release; None if there is neither."""
    series, packed = examined.series, examined.packed
    if series is None or packed is None:
        return None
    earlier = next(iter(publishers.find_earlier_releases(run.store, series)), None)
    if earlier is None:
        return None
    dataset, shown = assets.dataset(series.dataset), assets.shown(series.dataset)
    payee = (shown.get("payee") or {}).get("name")
    ours = _figures_of(dataset, payee, packed.folder / f"{dataset.name}.parquet")
    parquet, _ = publishers.read_release_files(run.store, earlier)
    theirs = _figures_of(dataset, payee, parquet)
    new = [name for name, _ in ours.payees.most_common() if name not in theirs.payees]
    gone = [name for name, _ in theirs.payees.most_common() if name not in ours.payees]
    dated = [day for day in ours.days if day in series.period]
    gap = longest_gap(series.period, dated) if dated else None
    return SideBySide(
        str(earlier.series.period),
        ours.rows,
        theirs.rows,
        ours.pounds,
        theirs.pounds,
        tuple(new[:MOST_NAMED]),
        len(new),
        tuple(gone[:MOST_NAMED]),
        len(gone),
        (str(gap[0]), str(gap[1])) if gap and gap[0] <= gap[1] else None,
    )


@dataclass(frozen=True, slots=True)
class _Figures:
    rows: int
    pounds: Decimal | None
    payees: Counter[str]
    days: set[date]


def _figures_of(dataset: Dataset, payee: str | None, parquet: Path | bytes) -> _Figures:
    """The figures of the lines of a release, from its Parquet file."""
    rows, pounds, payees, days = 0, Decimal(0), Counter[str](), set[date]()
    amount = None
    wanted = {*dataset.amount, *dataset.date, *([payee] if payee else [])}
    for batch in releasing.read_typed_lines(parquet, wanted):
        names = batch.schema.names
        rows += batch.num_rows
        amount = amount or next((name for name in dataset.amount if name in names), None)
        if amount:
            pounds += pc.sum(batch.column(amount)).as_py() or Decimal(0)
        for name in dataset.date[:1]:
            if name in names:
                days.update(day for day in pc.unique(batch.column(name)).to_pylist() if day is not None)
        if payee in names:
            counts = pc.value_counts(batch.column(payee)).to_pylist()
            payees.update({one["values"]: one["counts"] for one in counts if one["values"]})
    return _Figures(rows, pounds if amount else None, payees, days)
