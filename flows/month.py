"""The monthly flow: what came is received, examined, published and reported, and the catalogue made anew.

The rooms below do the work; here stands who is called when. Prefect keeps the minutes: a flow run a month, a task run
for each step of each submission. An existing server runs it as `flows.month:month` (prefect.yaml).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar, cast

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import Task, exponential_backoff

from piperoll.errors import PiperollError, SourceUnavailable
from piperoll.operations import collecting
from piperoll.operations import pipeline as runs
from piperoll.operations.catalogue.build import catalogue
from piperoll.operations.collecting import Collected
from piperoll.operations.pipeline import Line, Steps, Tally
from piperoll.operations.run_request import Asked, asked, opened
from piperoll.operations.run_summary import FileResult, RunSummary, failure
from piperoll.operations.run_summary_markdown import as_markdown
from piperoll.operations.steps import Run

P = ParamSpec("P")
R = TypeVar("R")

BESIDE: ContextVar[Asked | None] = ContextVar("BESIDE", default=None)
"""What a caller in the same process adds to the flow's parameters, which are only text: settings and a watcher."""

_FIRST_WAIT_SECONDS = 2  # then 4, 8, …: a web server that is restarted answers again within a minute
_LONGEST_WAIT_SECONDS = 120  # one that asks for more is asked in the next run


class RunFailed(PiperollError):
    """The run came to its end, but something in it is our fault or the network's; `summary` says what."""

    def __init__(self, summary: RunSummary) -> None:
        super().__init__("the run came to its end, but not everything in it could be done: see its summary")
        self.summary = summary


def _name() -> str:
    return f"month {flow_run.parameters.get('period') or 'as it comes'}"


@flow(name="month", flow_run_name=_name, log_prints=False)
def month(
    to: str,
    inbox: str | None = None,
    sources: str | None = None,
    period: str | None = None,
    bodies: str | None = None,
) -> RunSummary:
    """Take everything in an inbox, or from a sources file, through to a store's catalogue.

    Raises: RunFailed: something could not be done; everything else was.
    """
    order = _with_beside(asked(to, inbox, sources, period, bodies))
    with opened(order) as run:
        collected = collect(run, order)
        results = receive_examine_publish_report(run, collected)
        summary = runs.summed(collected, results, lambda: make_catalogue(run))
    create_markdown_artifact(as_markdown(summary), key="month", description="What came of the month's files")
    if summary.failed:
        raise RunFailed(summary)
    return summary


def in_prefect(order: Asked, api: str) -> RunSummary:
    """Run the flow in this process, its minutes kept by the Prefect server at `api`; failed in part or not."""
    runner = cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=order.settings.concurrency))
    token = BESIDE.set(order)
    try:
        with temporary_settings({PREFECT_API_URL: api}):
            summary: RunSummary = month.with_options(task_runner=runner)(**order.as_text())
    except RunFailed as failed:
        return failed.summary
    finally:
        BESIDE.reset(token)
    return summary


def collect(run: Run, order: Asked) -> Collected:
    """Everything that there is to collect: an inbox is looked through, each web source asked by a task of its own."""
    if order.inbox is not None:
        return collecting.from_folder(run, order)
    ask = as_task("fetch", lambda source, address: collecting.fetch(run, source, address), run.settings.retries)
    gather = as_task("collect", lambda source: collecting.gather(run, source, ask, order.period))
    futures = [gather.submit(source) for source in collecting.sources(order)]
    return sum((future.result() for future in futures), Collected())


def receive_examine_publish_report(run: Run, collected: Collected) -> list[FileResult]:
    """What came of every file. Lines go side by side, a line's own files one after the other."""
    lines = runs.lines(run, collected.arrivals)
    tally, through = Tally.of(run, lines, collected), _steps(run)
    work = as_task("line", lambda line: runs.work(run, line, through, tally))
    futures = [(line, work.submit(line)) for line in lines]
    results = [result for line, future in futures for result in _results(line, future, tally)]
    return results + runs.unchanged(run, collected, tally)


def make_catalogue(run: Run) -> int:
    """The catalogue of everything that stands; how many of its files were written.

    Raises: PiperollError: it could not be made, for whatever reason: what was published stands all the same.
    """
    return as_task("catalogue", lambda: catalogue(run), run.settings.retries)()


def as_task(name: str, step: Callable[P, R], retries: int = 0) -> Task[P, R]:
    """A step as a Prefect task, tried again only where the error says that it is worth it."""
    named = task(
        name=name,
        retries=retries,
        retry_delay_seconds=exponential_backoff(_FIRST_WAIT_SECONDS),
        retry_condition_fn=_worth_another_try,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    return named(step)


def _steps(run: Run) -> Steps:
    plain, retries = runs.plain_steps(run), run.settings.retries
    return Steps(
        receive=as_task("receive", plain.receive, retries),
        examine=as_task("examine", plain.examine, retries),
        compare=as_task("compare", plain.compare, retries),
        publish=as_task("publish", plain.publish, retries),
        report=as_task("report", plain.report, retries),
    )


def _worth_another_try(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether the error is one that goes away; if a server asked us to wait a little, wait."""
    error = state.result(raise_on_failure=False)
    if not isinstance(error, PiperollError) or not error.retryable:
        return False
    asked_for = error.retry_after_seconds if isinstance(error, SourceUnavailable) else None
    if asked_for is None:
        return True
    if asked_for > _LONGEST_WAIT_SECONDS:
        return False
    time.sleep(asked_for)
    return True


def _results(line: Line, future: PrefectFuture[list[FileResult]], tally: Tally) -> list[FileResult]:
    """A line's results; if it broke off for a fault without a name, each of its files is told as failed."""
    results = future.result(raise_on_failure=False)
    if isinstance(results, list):
        return results
    return [tally.tell(failure(submission, _fault(results))) for submission, _ in line.files]


def _fault(error: object) -> str:
    return f"a fault of ours: {type(error).__name__}: {error}"


def _with_beside(order: Asked) -> Asked:
    beside = BESIDE.get()
    return replace(order, settings=beside.settings, watcher=beside.watcher) if beside else order
