"""What a run does as Prefect tasks: a task for each batch of bodies, and one for the catalogue.

A task costs a tenth of a second, as much as most files, so the steps of a file are none.

Prefect keeps the message and the traceback of every task that fails, where no purge reaches them. An error of a step
can quote an address or a file's name. So a task fails with `StepFailed`, which names only the kind of the error.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.futures import PrefectFuture
from prefect.tasks import Task, exponential_backoff

from piperoll.errors import PiperollError, UsageError
from piperoll.operations.batch_workers import process_in_workers
from piperoll.operations.batches import Batch, process_bodies, steps_with_retries
from piperoll.operations.run_request import Run
from piperoll.operations.run_summary import FileResult
from piperoll.operations.worker_processes import Workers

P = ParamSpec("P")
R = TypeVar("R")

_FIRST_DELAY_SECONDS = 2
"""Before the first retry; then 4, 8, and so on. A store that restarts answers again within a minute."""


class StepFailed(Exception):
    """A step has failed; `error` says why, and Prefect is told only the name of its class."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: the summary of the run says more")
        self.error = error

    def __reduce__(self) -> tuple[type[StepFailed], tuple[Exception]]:
        return type(self), (self.error,)


def as_task(name: str, step: Callable[P, R], retries: int = 0) -> Task[P, R]:
    """Make a step a task, retried only if its error is retryable. The store is the record: results are not kept.

    Raises: StepFailed: whatever exception the step raises.
    """

    @wraps(step)
    def run_step(*args: P.args, **kwargs: P.kwargs) -> R:
        add_task_tags(f"stage:{name}")
        try:
            return step(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - raised below, without its message
            failed = StepFailed(error)
        raise failed  # not within the handler: its traceback would have the error as its context

    named = task(
        name=name,
        retries=retries,
        retry_delay_seconds=exponential_backoff(_FIRST_DELAY_SECONDS),
        retry_condition_fn=_is_worth_a_retry,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    return named(run_step)


def add_task_tags(*tags: str) -> None:
    """Tag the task that runs, for filters on Prefect's page; its tags are recorded with its end.

    Given to the task, Prefect would ask the server about the limit of each of them before the task begins: a request a
    task, and a task that waits for a server that is lost.
    """
    context = TaskRunContext.get()
    if context is not None:
        context.task_run.tags = sorted({*context.task_run.tags, *tags})


def as_step(name: str, step: Callable[P, R], retries: int = 0) -> Callable[P, R]:
    """Make a step a task that is called like the step and raises what the step raises."""
    as_named = as_task(name, step, retries)

    @wraps(step)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return as_named(*args, **kwargs)
        except StepFailed as failed:
            error = failed.error
        raise error

    return call


def without_names(operation: Callable[P, R]) -> Callable[P, R]:
    """An operation as the body of a flow: Prefect keeps no error but those about what was asked for.

    Raises: UsageError: what cannot be done, without the errors behind it. StepFailed: any other exception.
    """

    @wraps(operation)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        failed: Exception
        try:
            return operation(*args, **kwargs)
        except UsageError as error:
            failed = error
            failed.__cause__ = None
        except Exception as error:  # noqa: BLE001 - raised below, without its message
            failed = StepFailed(error)
        raise failed.with_traceback(None) from None

    return run


class BatchTasks:
    """Processes batches in tasks: in worker processes if the run is large, otherwise in threads of this process.

    A task takes the number of its batch: Prefect goes through everything that a task is given, twice. Its tags are the
    datasets of the batch.
    """

    def __init__(self, run: Run, workers: Workers) -> None:
        self._run, self._workers = run, workers
        self._batches: dict[int, Batch] = {}
        self._task = as_task("bodies", self.process)

    def submit(self, batch: Batch) -> PrefectFuture[list[FileResult]]:
        """Submit a batch; its task is named after its first body and its size."""
        self._batches[batch.number] = batch
        size = f"{batch.files} {'file' if batch.files == 1 else 'files'}, {batch.bytes / 1e6:.1f} MB"
        named = self._task.with_options(task_run_name=f"{batch}: {size}")
        return named.submit(batch.number)

    def process(self, number: int) -> list[FileResult]:
        """Process the batch with this number; return the results of its files."""
        batch = self._batches[number]
        add_task_tags(*(f"dataset:{one.dataset}" for one in batch.bodies))
        if batch.of_many:
            return process_in_workers(self._workers, batch.bodies)
        steps = steps_with_retries(self._run.settings.retries)
        return [result for results in process_bodies(self._run, batch.bodies, steps) for result in results]


def _is_worth_a_retry(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Return True if the error may go away by itself."""
    failed = state.result(raise_on_failure=False)
    error = failed.error if isinstance(failed, StepFailed) else failed
    return isinstance(error, PiperollError) and error.retryable
