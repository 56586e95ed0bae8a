"""What happens in a run, in what order: the minutes of each body's line, without Prefect."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeAlias

from collectors import Arrival
from piperoll import layout
from piperoll.errors import BytesPurged, PiperollError
from piperoll.findings import make_finding
from piperoll.model import Series, Submission, to_json_bytes
from piperoll.operations import questions, steps
from piperoll.operations.catalogue.build import tried
from piperoll.operations.collecting import Collected
from piperoll.operations.comparing import compare
from piperoll.operations.run_summary import (
    Ending,
    FileResult,
    Progress,
    RunSummary,
    Watcher,
    failure,
    in_order,
    result_of,
)
from piperoll.operations.steps import Examined, Run, Settled
from publishers import Published, Unchanged, describe_series, read_tombstone


@dataclass(frozen=True, slots=True)
class Line:
    """All that came of one dataset from one body in a run: each file's submission and where the file lies."""

    dataset: str
    body: str
    files: tuple[tuple[Submission, Path], ...]

    def __str__(self) -> str:
        """Its name: `spend/anytown`."""
        return f"{self.dataset}/{self.body}"


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps as a line takes them: plain functions, or Prefect tasks around them."""

    receive: Callable[[Submission, Path], Submission]
    examine: Callable[[Submission], Examined]
    compare: Callable[[Examined], Examined]
    publish: Callable[[Examined], Settled]
    report: Callable[[Examined], None]


Claim: TypeAlias = tuple[Series, Mapping[str, str]]
"""A series that several files of one run claimed, and the names of those files by their sha256."""


class Tally:
    """How many files of a run are done; lines that run at the same time share it."""

    def __init__(self, total: int, watcher: Watcher | None) -> None:
        self.total, self.watcher, self.done = total, watcher, 0
        self._lock = threading.Lock()

    @classmethod
    def of(cls, run: Run, lines: Iterable[Line], collected: Collected) -> Tally:
        """The count of a run's files, none of them done yet."""
        return cls(sum(len(line.files) for line in lines) + len(collected.unchanged), run.watcher)

    def tell(self, result: FileResult) -> FileResult:
        """Count a file and tell the watcher of it; the same result."""
        with self._lock:
            self.done += 1
            if self.watcher:
                self.watcher(Progress(self.done, self.total, result))
        return result


def plain_steps(run: Run) -> Steps:
    """The steps as plain functions."""
    return Steps(
        receive=lambda submission, path: steps.receive(run, submission, path),
        examine=lambda submission: steps.examine(run, submission),
        compare=lambda examined: compare(run.store, examined),
        publish=lambda examined: steps.publish(run, examined),
        report=lambda examined: steps.report(run, examined),
    )


def lines(run: Run, arrivals: Iterable[Arrival]) -> tuple[Line, ...]:
    """Arrivals as lines, in order of dataset and body, and what was held for a question that is answered now."""
    found: dict[tuple[str, str], list[tuple[Submission, Path]]] = {}
    for arrival in arrivals:
        submission = steps.identify(run, arrival)
        found.setdefault((submission.dataset, submission.body), []).append((submission, arrival.path))
    for submission, path in questions.set_free(run.store, run.scratch / "answered"):
        line = found.setdefault((submission.dataset, submission.body), [])
        if all(submission.sha256 != other.sha256 for other, _ in line):
            line.append((submission, path))
    return tuple(Line(dataset, body, tuple(files)) for (dataset, body), files in sorted(found.items()))


def plainly(run: Run, collected: Collected) -> list[FileResult]:
    """Every file's result, one line after the other, without Prefect."""
    together = lines(run, collected.arrivals)
    tally, through = Tally.of(run, together, collected), plain_steps(run)
    results = [result for line in together for result in work(run, line, through, tally)]
    return results + unchanged(run, collected, tally)


def nothing_new(run: Run, collected: Collected) -> bool:
    """Whether everything that was collected is done already."""
    submissions = [steps.identify(run, arrival) for arrival in collected.arrivals]
    if any(steps.done(run, one) is None and read_tombstone(run.store, one.sha256) is None for one in submissions):
        return False
    return next(questions.set_free(run.store, run.scratch / "answered"), None) is None


def unchanged(run: Run, collected: Collected, tally: Tally) -> list[FileResult]:
    """The results of files that have not changed where they came from since they were done."""
    return [
        tally.tell(result_of(submission, steps.stored_report(run, submission), Ending.ALREADY_DONE))
        for submission in collected.unchanged
    ]


def summed(collected: Collected, results: Iterable[FileResult], make_catalogue: Callable[[], int]) -> RunSummary:
    """The summary of a run, whose catalogue is made last; if that fails, the summary says so."""
    results = in_order(results)  # the last of them is done before the catalogue is begun
    pages, trouble = tried(make_catalogue)
    return RunSummary(results, collected.left_out, collected.missed, pages, trouble)


def work(run: Run, line: Line, through: Steps, tally: Tally) -> list[FileResult]:
    """Take a line's files through the steps, in the order of their periods; a result for each.

    What was done before, or comes twice, is not done again. A fault of ours with one file is that file's result, and
    the others go on.
    """
    results: list[FileResult] = []
    fresh: list[tuple[Submission, Path]] = []
    again: list[Submission] = []
    for submission, path in _each_once(line, again):
        if report := steps.done(run, submission):
            results.append(tally.tell(result_of(submission, report, Ending.ALREADY_DONE)))
        else:
            fresh.append((submission, path))
    examined, failed = _examined(fresh, through)
    results += [tally.tell(result) for result in failed]
    results += [tally.tell(_finished(one, through)) for one in sorted(settle_claims(run, line, examined), key=_turn)]
    for submission in again:
        if report := steps.done(run, submission):
            results.append(tally.tell(result_of(submission, report, Ending.ALREADY_DONE)))
        else:
            results.append(tally.tell(failure(submission, "the same bytes came twice, and failed the first time")))
    return results


def _each_once(line: Line, again: list[Submission]) -> Iterator[tuple[Submission, Path]]:
    """The files whose bytes come for the first time; the others are put into `again`."""
    seen: set[str] = set()
    for submission, path in line.files:
        if submission.sha256 in seen:
            again.append(submission)
        else:
            seen.add(submission.sha256)
            yield submission, path


def _examined(fresh: Sequence[tuple[Submission, Path]], through: Steps) -> tuple[list[Examined], list[FileResult]]:
    examined, failed = [], []
    for submission, path in fresh:
        try:
            examined.append(through.examine(through.receive(submission, path)))
        except BytesPurged as error:
            failed.append(failure(submission, str(error), Ending.REFUSED))
        except PiperollError as error:
            failed.append(failure(submission, str(error)))
    return examined, failed


def _finished(examined: Examined, through: Steps) -> FileResult:
    submission = examined.submission
    try:
        settled = through.publish(through.compare(examined))
        through.report(settled.examined)
    except PiperollError as error:
        return failure(submission, str(error))
    return ending_of(settled)


def ending_of(settled: Settled) -> FileResult:
    """The result of a submission that has gone through every step."""
    submission, report = settled.examined.submission, settled.examined.report
    match settled.outcome:
        case Published(version):
            return result_of(submission, report, Ending.PUBLISHED, version=version.version)
        case Unchanged(version):
            # a run that was killed after it published and before it reported finds its own work here
            ours = submission.sha256 in version.sources
            ending = Ending.PUBLISHED if ours else Ending.SAME_ROWS
            return result_of(submission, report, ending, version=version.version)
        case _:
            return result_of(submission, report, Ending(str(report.verdict)))


def settle_claims(run: Run, line: Line, examined: Sequence[Examined]) -> list[Examined]:
    """The same, but where several files of one run claim one series with different rows, all of them are held.

    The claim is put on record before anything comes of it, so that a run that is killed half-way ends in the same way
    when it goes on.
    """
    claims: dict[Series, list[Examined]] = {}
    for one in examined:
        if one.packed is not None and one.series is not None:
            claims.setdefault(one.series, []).append(one)
    for series, rivals in claims.items():
        if len({one.packed.manifest.rows_sha256 for one in rivals if one.packed}) > 1:
            _record_claim(run, line, series, rivals)
    recorded = list(_recorded_claims(run, line))
    return [_as_claimed(one, recorded) for one in examined]


def _as_claimed(one: Examined, recorded: Sequence[Claim]) -> Examined:
    for series, files in recorded:
        if one.packed is not None and one.series == series and one.submission.sha256 in files:
            others = [name for sha256, name in files.items() if sha256 != one.submission.sha256]
            return steps.held(one, make_finding("series-claimed-twice", table=describe_series(series), other="', '".join(others)))
    return one


def _claims_place(line: Line) -> str:
    return layout.claims_folder(line.body, line.dataset)


def _record_claim(run: Run, line: Line, series: Series, rivals: Sequence[Examined]) -> None:
    files = {one.submission.sha256: one.submission.name for one in rivals}
    content = to_json_bytes({"series": str(series), "files": dict(sorted(files.items()))})
    run.store.create(f"{_claims_place(line)}{hashlib.sha256(content).hexdigest()[:20]}.json", content)


def _recorded_claims(run: Run, line: Line) -> Iterator[Claim]:
    for key in run.store.keys(_claims_place(line)):
        document = json.loads(run.store.read(key).content)
        yield Series.parse(document["series"]), document["files"]


def _turn(examined: Examined) -> tuple[date, date, str, str]:
    """By period, what has none last; then by part and by where it came from."""
    period = examined.examination.period
    start, end = (period.start, period.end) if period else (date.max, date.max)
    return start, end, examined.examination.part or "", examined.submission.origin
