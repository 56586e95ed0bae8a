"""The steps of a run as Prefect tasks. They take a `Run` and keys, so any worker can execute them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from piperoll.errors import PiperollError, SourceUnavailable
from piperoll.operations import steps
from piperoll.operations.pipeline import Steps

P = ParamSpec("P")
R = TypeVar("R")

_FIRST_DELAY_SECONDS = 2
"""Before the first retry; then 4, 8, and so on. A web server that restarts answers again within a minute."""

_MAX_DELAY_SECONDS = 120
"""A server whose Retry-After is longer is asked in the next run instead."""


def as_task(name: str, step: Callable[P, R], retries: int = 0) -> Task[P, R]:
    """Make a step a task, retried only if its error is retryable. The store is the record: results are not kept."""
    named = task(
        name=name,
        retries=retries,
        retry_delay_seconds=exponential_backoff(_FIRST_DELAY_SECONDS),
        retry_condition_fn=_is_worth_a_retry,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    return named(step)


def steps_as_tasks(retries: int) -> Steps:
    """The steps of a submission as tasks."""
    return Steps(
        receive=as_task("receive", steps.receive, retries),
        examine=as_task("examine", steps.examine, retries),
        examine_again=as_task("examine again", steps.examine_again, retries),
        publish=as_task("publish", steps.publish, retries),
    )


def _is_worth_a_retry(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Return True if the error may go away by itself. Waits here if the server asked for a short delay."""
    error = state.result(raise_on_failure=False)
    if not isinstance(error, PiperollError) or not error.retryable:
        return False
    delay = error.retry_after_seconds if isinstance(error, SourceUnavailable) else None
    if delay is not None and delay > _MAX_DELAY_SECONDS:
        return False
    time.sleep(delay or 0)
    return True
