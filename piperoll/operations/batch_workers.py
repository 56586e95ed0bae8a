"""Batches in worker processes: what becomes of their files if a worker dies."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from piperoll.operations.batches import fail_all, process_bodies, steps_with_retries
from piperoll.operations.pipeline import BodyFiles
from piperoll.operations.run_request import Run
from piperoll.operations.run_summary import Ending, FileResult
from piperoll.operations.worker_processes import WorkerDied, Workers


def process_in_workers(workers: Workers, bodies: Sequence[BodyFiles]) -> list[FileResult]:
    """Process the bodies of a batch in a worker; return the result of every file.

    If the worker dies, the bodies that it had not finished are taken one by one in new ones. What kills a worker again
    has failed; every other file has the result that it would have had.
    """
    outcome = _Outcome(workers.run, bodies)
    _attempt(workers, outcome, outcome.unfinished())
    for number in outcome.unfinished():
        died = _attempt(workers, outcome, [number])
        if died:
            outcome.fail(number, died)
    return outcome.results()


def _attempt(workers: Workers, outcome: _Outcome, numbers: list[int]) -> WorkerDied | None:
    def hear(message: FileResult | tuple[int, Sequence[FileResult]]) -> None:
        if isinstance(message, FileResult):
            outcome.count(message)
        else:
            outcome.finish(numbers[message[0]], message[1])

    try:
        if not workers.perform(_process, [outcome.bodies[number] for number in numbers], hear):
            outcome.process_here(numbers)
    except WorkerDied as died:
        return died
    return None


def _process(run: Run, bodies: Sequence[BodyFiles], send: Callable[[Any], None]) -> None:
    """Be the job of a worker: send the results of each body, by its index; the run sends those of single files."""
    process_bodies(run, bodies, _steps(run), lambda number, results: send((number, results)))
    _set_libraries_aside()


@cache
def _set_libraries_aside() -> None:
    """Spare the garbage collector, from the first batch on, the 300,000 objects of libraries that a worker loads."""
    gc.collect()
    gc.freeze()


class _Outcome:
    """What became of the bodies of a batch so far: of those that are finished, and of single files of the others."""

    def __init__(self, run: Run, bodies: Sequence[BodyFiles]) -> None:
        self.run, self.bodies = run, bodies
        self._finished: dict[int, list[FileResult]] = {}
        self._counted: dict[tuple[str, str, str, str], FileResult] = {}

    def unfinished(self) -> list[int]:
        """The indices of the bodies that are not finished."""
        return [number for number in range(len(self.bodies)) if number not in self._finished]

    def count(self, result: FileResult) -> None:
        """Take in the result of a file; what is said of it again after a retry, as of one that is done, is not news."""
        if _key(result) not in self._counted:
            self._counted[_key(result)] = self.run.count(result)

    def finish(self, number: int, results: Sequence[FileResult]) -> None:
        """Take in the results of a body."""
        self._finished[number] = [self._choose(result) for result in results]

    def _choose(self, result: FileResult) -> FileResult:
        """What was said of a file before the retry, unless it had failed then."""
        before = self._counted.get(_key(result), result)
        return result if before.ending is Ending.FAILED else before

    def fail(self, number: int, died: WorkerDied) -> None:
        """Give up a body: its files without a result have failed."""
        body = self.bodies[number]
        ended = {key[2:]: result for key, result in self._counted.items() if key[:2] == (body.dataset, body.body)}
        self._finished[number] = [*ended.values(), *fail_all(self.run, body, died, ended)]

    def process_here(self, numbers: Sequence[int]) -> None:
        """Process bodies in this process."""
        bodies = [self.bodies[number] for number in numbers]
        for number, results in zip(numbers, process_bodies(self.run, bodies, _steps(self.run)), strict=True):
            self._finished[number] = results

    def results(self) -> list[FileResult]:
        """The results of all files, body by body."""
        return [result for number in sorted(self._finished) for result in self._finished[number]]


def _key(result: FileResult) -> tuple[str, str, str, str]:
    return result.dataset, result.body, result.file, result.sha256


def _steps(run: Run) -> Any:
    return steps_with_retries(run.settings.retries)
