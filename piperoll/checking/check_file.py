"""One file by itself: read and examined, compared with nothing that was published before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from piperoll import assets
from piperoll.checking.engine import CheckEngine
from piperoll.checking.examine import examine
from piperoll.model import Body, BodyMapping, Period, Report
from piperoll.reading import Content, read, sha256


@dataclass(frozen=True, slots=True)
class OneFile:
    """A file and what is said of it: the dataset (by any of its names) and the period are found out if not given."""

    content: Content
    name: str
    dataset: str | None = None
    period: str | None = None


def report_alone(
    file: OneFile,
    *,
    quick: bool = False,
    engine: CheckEngine = CheckEngine.COMPILED,
    remembered: Sequence[BodyMapping] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """The report on one file. `quick` leaves out plausibility; `remembered` is what a body's headings mean.

    `progress` is told what is being done, as it begins.

    Raises: UnknownDataset, PeriodError: the name is neither.
    """
    dataset, part = assets.find_dataset(file.dataset) if file.dataset else (None, None)
    period = Period.parse(file.period) if file.period else None
    progress("Reading")
    reading = read(file.content, file.name, assets.datasets(), dataset=dataset, part=part, remembered=tuple(remembered))
    progress("Checking")
    return examine(
        reading,
        file=file.name,
        sha256=sha256(file.content),
        size=len(file.content),
        body=Body.provisional_for("unknown"),
        period=period,
        part=part,
        plausibility=not quick,
        suite=assets.suite(reading.dataset.name) if reading.dataset else None,
        engine=engine,
    ).report
