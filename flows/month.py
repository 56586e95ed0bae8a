"""The monthly flow: collect, process each body, build the catalogue. The work is in `piperoll.operations.pipeline`.

Prefect adds schedule, concurrency and the record of what ran when: a flow run for each month, a task run for each batch
of bodies. An existing server runs it as `flows.month.month` (see prefect.yaml), with the places of `flows.places`.
"""

from __future__ import annotations

from contextvars import ContextVar

from prefect import flow
from prefect.runtime import flow_run

from flows import record
from flows.places import find_request
from flows.tasks import BatchTasks, StepFailed, as_step
from piperoll.errors import PiperollError
from piperoll.operations import collecting, pipeline
from piperoll.operations.answering import finish_answers
from piperoll.operations.batches import fail_all, run_in_batches
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.collecting import CollectedFiles
from piperoll.operations.run_record import record_run
from piperoll.operations.run_request import RunRequest
from piperoll.operations.run_summary import RunSummary
from piperoll.operations.worker_processes import Workers

REQUEST: ContextVar[RunRequest | None] = ContextVar("REQUEST", default=None)
"""The request of a caller in this process. Parameters of a flow are text and cannot hold its settings and watcher."""


class RunFailed(PiperollError):
    """The run ended, but something failed because of us, the network or the store; see `summary`."""

    def __init__(self, summary: RunSummary) -> None:
        super().__init__("the run ended, but some of it failed: see its summary")
        self.summary = summary


def _flow_run_name() -> str:
    given = flow_run.parameters
    return f"month {given.get('period') or 'as it comes'}" + (f", {given['shard']}" if given.get("shard") else "")


@flow(name="month", flow_run_name=_flow_run_name, log_prints=False, persist_result=False)
def month(
    period: str | None = None, shard: str | None = None, catalogue: bool = True, moment: str | None = None
) -> RunSummary:
    """Collect everything from an inbox or a sources file, publish what passes, and build the catalogue.

    A `shard` such as `2/8` keeps to the bodies that fall to it. Without `catalogue`, answers to questions and the
    catalogue are left to `flows.spread`, at whose `moment` (ISO 8601, UTC) all shards begin.

    Raises: RunFailed: something failed; everything else was done.
    """
    request = _find_request(period, shard, moment)
    retries = request.settings.retries
    with request.open() as run, record_run(run) as record_end, Workers(run) as workers:
        parts: list[CollectedFiles] = []
        bodies = pipeline.group_as_collected(run, collecting.collect(run, request), parts)
        reported = record.begin_run(bodies, request)
        batches = run_in_batches(reported, request.settings.concurrency, BatchTasks(run, workers).submit)
        collected = CollectedFiles.join(parts)
        results = pipeline.count_unchanged(run, collected)
        for batch, future in batches:
            ended = future.result(raise_on_failure=False)
            if not isinstance(ended, list):  # an exception: the task broke off because of a bug, so all files failed
                error = ended.error if isinstance(ended, StepFailed) else ended
                ended = [result for body in batch.bodies for result in fail_all(run, body, error)]
            record.log_batch(batch, ended)
            results += ended
        if catalogue:
            results = pipeline.replace_results(results, finish_answers(run)[0])
        build = as_step("catalogue", lambda: build_catalogue(run, workers), retries)
        summary = pipeline.summarise(collected, results, build if catalogue else int)
        record_end(summary)
    record.end_run(summary, request)
    if summary.failed:
        raise RunFailed(summary)
    return summary


def _find_request(period: str | None, shard: str | None, moment: str | None) -> RunRequest:
    """The request of a caller in this process, or the one that the environment gives.

    A scheduled run pickles `month` with the globals it uses. `REQUEST` cannot be pickled, a function of a module can.
    """
    return REQUEST.get() or find_request(period, shard, moment)
