"""The jobs of a build, such as the pages of one body: in worker processes if there are many, otherwise here.

Jobs of different bodies, and of different groups of shared pages, do not depend on each other. A job is a function of a
module that is given the build and what to work on. What it makes for later stages it leaves in the scratch folder
(`spill`), so that no process holds what all bodies contribute.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar

from piperoll.errors import PiperollError
from piperoll.operations.catalogue.build_plan import BuildState, CatalogueBuild, Written
from piperoll.operations.run_request import Run
from piperoll.operations.worker_processes import WorkerDied, Workers

MANY_BODIES, MANY_BODIES_WARM = 24, 4
"""With fewer bodies whose releases changed, a build takes less time in one process than workers take to start, and to
load what a build needs if the run has started them already."""

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")


class BuildDied(PiperollError):
    """The process that worked on a part of a build died; the next build does what is missing."""


@dataclass(frozen=True, slots=True)
class Spilled:
    """A value in a file of the scratch folder, where other processes of the build can read it."""

    path: str
    start: int
    size: int

    def load(self) -> Any:
        """Read the value."""
        with open(self.path, "rb") as file:  # noqa: PTH123 - read thousands of times
            file.seek(self.start)
            return pickle.loads(file.read(self.size))  # noqa: S301 - of our own making


def spill(build: CatalogueBuild, values: Mapping[str, Any]) -> dict[str, Spilled]:
    """Write values to a new file in the scratch folder of a build."""
    spilled: dict[str, Spilled] = {}
    with NamedTemporaryFile(prefix="spilled-", dir=build.scratch, delete=False) as file:
        for key, value in values.items():
            content = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
            spilled[key] = Spilled(file.name, file.tell(), len(content))
            file.write(content)
    return spilled


class BuildJobs:
    """Does the jobs of a build; use it in a `with` block, which ends only when no job is at work any more.

    `bodies` is how many have releases that changed: it decides whether the `workers` are used.
    """

    def __init__(self, build: CatalogueBuild, workers: Workers | None, bodies: int) -> None:
        lanes = 1 if workers is None else workers.run.settings.concurrency
        if workers is not None and bodies < (MANY_BODIES_WARM if workers.pids() else MANY_BODIES):
            lanes = 1
        self._build, self._lanes = build, lanes
        self._workers = workers if lanes > 1 else None
        self._beside: _Beside | None = None
        self._kept: str | None = None

    def __enter__(self) -> BuildJobs:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if self._beside is not None and (error is None or isinstance(error, Exception)):
            self._beside.thread.join()

    def map(self, job: Callable[[CatalogueBuild, TaskT], ResultT], tasks: Iterable[TaskT]) -> Iterator[ResultT]:
        """Do a job for each task, and yield the results in order.

        Raises: BuildDied: a worker died. The job is not done again by itself: what it has written may not be what is
        recorded, so the build begins again, as after any interruption. Whatever `job` raises.
        """
        workers = self._workers
        if workers is None:
            for task in tasks:
                yield job(self._build, task)
            return
        self._build.state.wait()
        kept = self._kept = self._kept or self._save_build()

        def call(task: TaskT) -> tuple[ResultT, Written]:
            try:
                return workers.call(_do_job, (kept, job, task))
            except WorkerDied as died:
                raise BuildDied(
                    f"the process that made a part of the catalogue {died.how}, and again when it was tried again: if "
                    "memory ran out, give it more, or set PIPEROLL_CONCURRENCY to a smaller number; the next run makes "
                    "what is missing"
                ) from died

        threads = ThreadPoolExecutor(self._lanes)
        try:
            for result, written in threads.map(call, tasks):
                self._build.add_written(written)
                yield result
        except BaseException as error:
            if not isinstance(error, (Exception, GeneratorExit)):
                workers.close()  # an interruption does not wait for large bodies
            raise
        finally:
            threads.shutdown(cancel_futures=True)

    def start(self, function: Callable[[], object]) -> Callable[[], None]:
        """Call a function in a thread beside the jobs that follow; returns what waits for its end."""
        self._beside = _Beside(function)
        return self._beside.wait

    def _save_build(self) -> str:
        """Write the build where workers can read it; they open the store themselves."""
        with NamedTemporaryFile(prefix="build-", dir=self._build.scratch, delete=False) as file:
            sent: Any = replace(self._build, store=None, state=None, produced=set())  # type: ignore[arg-type]
            pickle.dump(sent, file, pickle.HIGHEST_PROTOCOL)
        return file.name


class _Beside:
    """A function that runs in a thread, which ends with the process."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._error: BaseException | None = None
        self.thread = threading.Thread(target=copy_context().run, args=(self._call, function), daemon=True)
        self.thread.start()

    def _call(self, function: Callable[[], object]) -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised by the thread that waits
            self._error = error

    def wait(self) -> None:
        self.thread.join()
        if self._error is not None:
            raise self._error


def _do_job(run: Run, given: tuple[str, Callable[[CatalogueBuild, Any], Any], Any]) -> tuple[Any, Written]:
    """Be a job in a worker: everything is written when it ends, and nothing is any more if it fails."""
    kept, job, task = given
    build = _load_build(kept)
    if build.state is None:
        build.store, build.state = run.store, BuildState(run.store)
    try:
        return job(build, task), build.take_written()
    except BaseException:
        build.state.close()
        _load_build.cache_clear()
        raise


@lru_cache(maxsize=1)
def _load_build(kept: str) -> CatalogueBuild:
    """The build that this process works for: a worker has many jobs of each."""
    build: CatalogueBuild = pickle.loads(Path(kept).read_bytes())  # noqa: S301 - of our own making
    return build
