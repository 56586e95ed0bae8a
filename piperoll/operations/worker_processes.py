"""Processes that work on batches, so that a run uses every core, and a crash costs a retry and not the run.

Python runs one thread at a time, so threads of one process use one core. A worker is a process of its own that is sent
batches through a pipe and sends back the result of every file. It opens the store itself, and shares nothing else with
the run but the scratch folder. It ends with the run's process, however that ends.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from piperoll.errors import PiperollError
from piperoll.operations.batches import fail_all, process_bodies, steps_with_retries
from piperoll.operations.pipeline import BodyFiles
from piperoll.operations.run_request import ProgressCounter, Run
from piperoll.operations.run_summary import Ending, FileResult

_STOP_SECONDS = 5
"""How long a worker that has nothing to do may take to end; then it is killed."""

_PROGRAM = "from piperoll.operations.worker_processes import work; work()"
"""What a worker runs: a program of its own, because `multiprocessing` would import the caller's script again."""


class WorkerDied(PiperollError):
    """A worker process was killed or crashed; what it worked on may have been the cause."""


class Workers:
    """Worker processes of one run, started when they are needed; use it in a `with` block, which ends them.

    `process` is called by several threads: each uses a worker of its own as long as it runs.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False
        self._none_start = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_exception: object) -> None:
        with self._lock:
            self._closed = True
            workers, self._all = self._all, set()
        for worker in workers:
            worker.stop(kill=worker not in self._idle)

    def pids(self) -> list[int]:
        """The process identifiers of the workers that have been started and not ended."""
        with self._lock:
            return [worker.pid for worker in self._all]

    def process(self, bodies: Sequence[BodyFiles]) -> list[FileResult]:
        """Process the bodies in a worker; return the result of every file.

        If the worker dies, the bodies that it had not finished are taken one by one in new ones. What kills a worker
        again has failed; every other file has the result that it would have had.
        """
        outcome = _Outcome(self._run, bodies)
        self._attempt(outcome, outcome.unfinished())
        for number in outcome.unfinished():
            died = self._attempt(outcome, [number])
            if died:
                outcome.fail(number, died)
        return outcome.results()

    def _attempt(self, outcome: _Outcome, numbers: list[int]) -> WorkerDied | None:
        worker = self._take()
        if worker is None:
            outcome.process_here(numbers)
            return None
        try:
            worker.process([outcome.bodies[number] for number in numbers], numbers, outcome)
        except WorkerDied as died:
            self._forget(worker)
            return died
        except BaseException:  # an interruption: what it still sends would be taken for the next batch's
            self._forget(worker)
            raise
        with self._lock:
            self._idle.append(worker)
        return None

    def _take(self) -> _Worker | None:
        """An idle worker, or a new one; None if processes cannot be started here."""
        with self._lock:
            if self._closed:
                raise WorkerDied("the run was stopped")
            if self._idle:
                return self._idle.pop()
            if self._none_start:
                return None
        try:
            worker = _Worker(self._run)
        except OSError:  # no memory, or no more processes
            self._none_start = True
            return None
        with self._lock:
            self._all.add(worker)
            if self._closed:
                worker.stop(kill=True)
                raise WorkerDied("the run was stopped")
        if worker.is_ready():
            return worker
        self._forget(worker)
        self._none_start = True
        return None

    def _forget(self, worker: _Worker) -> None:
        with self._lock:
            self._all.discard(worker)
        worker.stop(kill=True)


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


class _Worker:
    """A worker process, seen from the run's process."""

    def __init__(self, run: Run) -> None:
        ours, its = socket.socketpair()
        with its, ExitStack() as unless_started:
            unless_started.callback(ours.close)
            # -P keeps the current folder off the import path. Standard input is a pipe that closes when we end.
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter
                [sys.executable, "-P", "-c", _PROGRAM, str(its.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
            )
            unless_started.pop_all()
        self._pipe = Connection(ours.detach())
        with suppress(OSError):  # it may be gone already: `is_ready` will say so
            self._pipe.send(run)

    @property
    def pid(self) -> int:
        """Its process identifier."""
        return self._process.pid

    def is_ready(self) -> bool:
        """Wait until it has started; return False if it could not."""
        try:
            return bool(self._pipe.recv() == "ready")
        except (EOFError, OSError):
            return False

    def process(self, bodies: Sequence[BodyFiles], numbers: Sequence[int], outcome: _Outcome) -> None:
        """Have it process bodies, and pass on what it sends. Raises: WorkerDied."""
        try:
            self._pipe.send(bodies)
            left = len(bodies)
            while left:
                kind, number, content = self._pipe.recv()
                if kind == "file":
                    outcome.count(content)
                else:
                    outcome.finish(numbers[number], content)
                    left -= 1
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise WorkerDied(self._explain()) from error

    def stop(self, *, kill: bool) -> None:
        """End the process, at once or after what it is doing, and wait until it is gone."""
        if not kill:
            with suppress(OSError):
                self._pipe.send(None)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()  # a thread that waits for its answer is told now that there is none
        if self._process.stdin:
            self._process.stdin.close()

    def _explain(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        code = self._process.returncode
        how = f"was killed ({signal.Signals(-code).name})" if code is not None and code < 0 else "crashed"
        return (
            f"the process that worked on it {how}, and again when it was tried alone: if memory ran out, give it more, "
            "or set PIPEROLL_CONCURRENCY to a smaller number, and run again"
        )


def work() -> None:
    """Be a worker: process the batches that come through the pipe whose number is the program's argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches every process: the run's own ends the others
    threading.Thread(target=_end_with_input, daemon=True).start()
    pipe = Connection(int(sys.argv[1]))
    run: Run = pipe.recv()
    # what is left behind if it is killed is deleted with the run's scratch folder
    tempfile.tempdir = tempfile.mkdtemp(prefix="worker-", dir=run.scratch)
    run = replace(run, progress=ProgressCounter(lambda progress: pipe.send(("file", 0, progress.last))))
    pipe.send("ready")
    while bodies := pipe.recv():
        process_bodies(run, bodies, _steps(run), lambda number, results: pipe.send(("body", number, results)))


def _end_with_input() -> None:
    while os.read(0, 1024):  # not sys.stdin: the interpreter needs its lock to shut down
        pass
    os._exit(1)
