"""A file beside what is published in a store, before it is sent: as a run would see it, and nothing is written."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from piperoll import assets, layout
from piperoll.checking import add_findings
from piperoll.checking.engine import CheckEngine
from piperoll.errors import UsageError
from piperoll.findings import make_finding
from piperoll.model import Dataset, Period, Report, Submission
from piperoll.operations import steps
from piperoll.operations.comparing import compare
from piperoll.operations.run_request import now, room
from piperoll.operations.steps import Examined, Run
from piperoll.reading import read
from piperoll.settings import Settings
from publishers import OnHold, decide_outcome, find_earlier_releases, open_store, read_history, read_report


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that someone has at hand: its bytes, its name, who would send it (name or slug), and what is given."""

    content: bytes
    name: str
    body: str
    dataset: Dataset | None = None
    part: str | None = None
    period: Period | None = None


def report_against(
    place: str, sent: Sent, *, quick: bool = False, engine: CheckEngine = CheckEngine.COMPILED
) -> Report | None:
    """The report that a run into the store at `place` would make; None where no dataset of ours fits the file.

    Raises: UsageError: nothing is published there.
    """
    store = open_store(place)
    if not store.exists(layout.HOME):
        raise UsageError(f"nothing is published in {place}: name a folder or s3://bucket/prefix that was published to")
    dataset = sent.dataset or read(sent.content, sent.name, assets.datasets(), part=sent.part).dataset
    if dataset is None:
        return None
    with room(store, None, Settings.from_environment(), now()) as run:
        submission = _submission(run, sent, dataset)
        examination = steps.checked(run, submission, sent.content, quick=quick, engine=engine)
        examined = compare(store, steps.packed(run, submission, examination))
        return _told(run, _beside_what_stands(run, examined), place).report


def _submission(run: Run, sent: Sent, dataset: Dataset) -> Submission:
    return Submission(
        sha256=hashlib.sha256(sent.content).hexdigest(),
        bytes=len(sent.content),
        name=sent.name,
        dataset=dataset.name,
        body=run.register.find(sent.body).slug,
        origin=sent.name,
        received=run.now,
        period=str(sent.period) if sent.period else None,
        part=sent.part,
    )


def _beside_what_stands(run: Run, examined: Examined) -> Examined:
    """Held where publishing it would be."""
    if examined.packed is None or examined.series is None:
        return examined
    outcome = decide_outcome(read_history(run.store, examined.series)[0], examined.packed.manifest)
    return steps.held(examined, outcome.finding) if isinstance(outcome, OnHold) else examined


def _told(run: Run, examined: Examined, place: str) -> Examined:
    """Whether these bytes were taken in before, and whether there was anything to compare them with."""
    found = []
    if report := read_report(run.store, examined.submission):
        found.append(
            make_finding(
                "file-taken-in-before",
                variant="for-a-period" if report.period else "without-a-period",
                verdict=str(report.verdict).replace("_", " "),
                period=report.period,
            )
        )
    if examined.series is not None and not find_earlier_releases(run.store, examined.series):
        found.append(make_finding("nothing-to-compare-with", store=place))
    return replace(examined, examination=add_findings(examined.examination, found))
