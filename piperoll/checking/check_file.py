"""Check one file by itself: read and examine it, without comparing it with anything published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from piperoll import assets
from piperoll.checking.engine import CheckEngine
from piperoll.checking.examine import Examination, examine
from piperoll.model import Body, BodyMapping, Period, PrivacyDecision, Report
from piperoll.reading import Content, read, sha256


@dataclass(frozen=True, slots=True)
class FileToCheck:
    """A file and what is known of it; all that is not given is detected.

    `dataset` is any of its names. `kind` is the kind of body, which decides the legal duties.
    """

    content: Content
    name: str
    dataset: str | None = None
    period: str | None = None
    body: Body | None = None
    kind: str | None = None


def check_file(
    file: FileToCheck,
    *,
    quick: bool = False,
    engine: CheckEngine = CheckEngine.COMPILED,
    remembered: Sequence[BodyMapping] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Check one file, about which nothing was decided, and return its report: that of `examine_file`."""
    return examine_file(file, quick=quick, engine=engine, remembered=remembered, progress=progress).report


def examine_file(
    file: FileToCheck,
    *,
    quick: bool = False,
    engine: CheckEngine = CheckEngine.COMPILED,
    remembered: Sequence[BodyMapping] = (),
    decisions: Sequence[PrivacyDecision] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Examination:
    """Read and examine one file.

    `quick` skips the expectations. `remembered` says what the headings of the file's body mean, and `decisions` what
    values of the file are. `progress` is called with the name of each step as it begins.

    Raises: UnknownDataset, PeriodError: the file's dataset or period does not exist.
    """
    dataset, part = assets.find_dataset(file.dataset) if file.dataset else (None, None)
    period = Period.parse(file.period) if file.period else None
    progress("Reading")
    reading = read(
        file.content,
        file.name,
        assets.datasets(),
        dataset=dataset,
        part=part,
        remembered=tuple(remembered),
        period=period,
    )
    progress("Checking")
    return examine(
        reading,
        file=file.name,
        sha256=sha256(file.content),
        size=len(file.content),
        body=file.body or Body.provisional_for("unknown"),
        kind=file.kind,
        period=period,
        part=part,
        plausibility=not quick,
        suite=assets.suite(reading.dataset.name) if reading.dataset else None,
        engine=engine,
        decisions=decisions,
    )
