"""Processes that work for a run, so that it uses every core, and a crash costs a retry and not the run.

Python runs one thread at a time, so threads of one process use one core. A worker is a process of its own that is sent
jobs through a pipe: functions of a module, with what they are to work on. It opens the store itself, and shares nothing
else with the run but the scratch folder. It ends with the run's process, however that ends.
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
import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any, TypeAlias, TypeVar

from piperoll.errors import PiperollError
from piperoll.operations.run_request import ProgressCounter, Run

_STOP_SECONDS = 5
"""How long a worker that has nothing to do may take to end; then it is killed."""

_PROGRAM = "from piperoll.operations.worker_processes import work; work()"
"""What a worker runs: a program of its own, because `multiprocessing` would import the caller's script again."""

_DONE = "done"
"""The last message of a worker about a job."""

Job: TypeAlias = Callable[[Run, Any, Callable[[Any], None]], None]
"""What a worker does: a function of a module, because that can be sent. It is given the worker's run, what to work on,
and how to send messages. The results of files, which a run counts, are sent as messages too."""

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")


class WorkerDied(PiperollError):
    """A worker process was killed or crashed; what it worked on may have been the cause. `how` is how it ended."""

    def __init__(self, how: str, message: str = "") -> None:
        super().__init__(message or how)
        self.how = how


class Workers:
    """Worker processes of one run, started when they are needed; use it in a `with` block, which ends them.

    `perform` and `call` are called by several threads: each uses a worker of its own as long as it runs.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._lock, self._here = threading.Lock(), threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False
        self._none_start = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, those that are at work at once."""
        with self._lock:
            self._closed = True
            workers, self._all = self._all, set()
        for worker in workers:
            worker.stop(kill=worker not in self._idle)

    def pids(self) -> list[int]:
        """The process identifiers of the workers that have been started and not ended."""
        with self._lock:
            return [worker.pid for worker in self._all]

    def perform(self, job: Job, given: Any, hear: Callable[[Any], None]) -> bool:
        """Have a worker do a job; `hear` is called with each of its messages.

        Returns False, and does nothing, if processes cannot be started here. Raises: WorkerDied.
        """
        worker = self._take()
        if worker is None:
            return False
        try:
            worker.perform(job, given, hear)
        except BaseException:  # an interruption: what it still sends would be taken for the next job's
            self._forget(worker)
            raise
        with self._lock:
            self._idle.append(worker)
        return True

    def call(self, function: Callable[[Run, TaskT], ResultT], task: TaskT) -> ResultT:
        """Call `function(run, task)` in a worker, and return what it returns.

        It is called in this process, one call at a time, if processes cannot be started here.
        Raises: WorkerDied. Whatever `function` raises.
        """
        answers: list[tuple[ResultT, Exception | None]] = []
        if not self.perform(_answer, (function, task), answers.append):
            with self._here:
                return function(self.run, task)
        ((result, error),) = answers[-1:]
        if error is not None:
            raise error
        return result

    def _take(self) -> _Worker | None:
        """An idle worker, or a new one; None if processes cannot be started here."""
        with self._lock:
            if self._closed:
                raise WorkerDied("was stopped", "the run was stopped")
            if self._idle:
                return self._idle.pop()
            if self._none_start:
                return None
        try:
            worker = _Worker(self.run)
        except OSError:  # no memory, or no more processes
            self._none_start = True
            return None
        with self._lock:
            self._all.add(worker)
            if self._closed:
                worker.stop(kill=True)
                raise WorkerDied("was stopped", "the run was stopped")
        if worker.is_ready():
            return worker
        self._forget(worker)
        self._none_start = True
        return None

    def _forget(self, worker: _Worker) -> None:
        with self._lock:
            self._all.discard(worker)
        worker.stop(kill=True)


def _answer(run: Run, given: tuple[Callable[[Run, Any], Any], Any], send: Callable[[Any], None]) -> None:
    """Be `Workers.call` in the worker: send the result of a function, or its error."""
    function, task = given
    try:
        send((function(run, task), None))
    except Exception as error:  # noqa: BLE001 - raised again in the run's process
        send((None, _as_sent(error)))


def _as_sent(error: Exception) -> Exception:
    """An error that survives the pipe, with its traceback as a note."""
    error.add_note("".join(traceback.format_exception(error)))
    error.__cause__ = error.__context__ = None
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - of our own making
    except Exception:  # noqa: BLE001 - its class takes other arguments, or it holds something that cannot be sent
        return PiperollError(str(error)) if isinstance(error, PiperollError) else RuntimeError(repr(error))
    return error


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

    def perform(self, job: Job, given: Any, hear: Callable[[Any], None]) -> None:
        """Have it do a job, and pass on what it sends. Raises: WorkerDied."""
        task = pickle.dumps((job, given))  # what cannot be sent is a bug of ours, and kills no worker
        try:
            self._pipe.send_bytes(task)
            while (message := self._pipe.recv()) != _DONE:
                hear(message)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise self._explain() from error

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

    def _explain(self) -> WorkerDied:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        code = self._process.returncode
        how = f"was killed ({signal.Signals(-code).name})" if code is not None and code < 0 else "crashed"
        return WorkerDied(
            how,
            f"the process that worked on it {how}, and again when it was tried alone: if memory ran out, give it more, "
            "or set PIPEROLL_CONCURRENCY to a smaller number, and run again",
        )


def work() -> None:
    """Be a worker: do the jobs that come through the pipe whose number is the program's argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches every process: the run's own ends the others
    threading.Thread(target=_end_with_input, daemon=True).start()
    pipe = Connection(int(sys.argv[1]))
    run: Run = pipe.recv()
    # what is left behind if it is killed is deleted with the run's scratch folder
    tempfile.tempdir = tempfile.mkdtemp(prefix="worker-", dir=run.scratch)
    run = replace(run, progress=ProgressCounter(lambda progress: pipe.send(progress.last)))
    pipe.send("ready")
    while (task := pipe.recv()) is not None:
        job, given = task
        job(run, given, pipe.send)
        pipe.send(_DONE)


def _end_with_input() -> None:
    while os.read(0, 1024):  # not sys.stdin: the interpreter needs its lock to shut down
        pass
    os._exit(1)
