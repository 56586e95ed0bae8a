"""What Prefect's page shows of a run: tags, log lines, the artifact, the message of its state, and an event.

The record helps people and decides nothing: a run goes on and ends well if the server that keeps it is lost. Prefect
keeps what it is given where no purge reaches it, so nothing here has the name of a file or the words of a finding.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from decimal import Decimal
from typing import Any

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows import prefect_server
from piperoll.describing.wording import format_count
from piperoll.operations.batches import Batch
from piperoll.operations.pipeline import BodyFiles
from piperoll.operations.run_request import RunRequest
from piperoll.operations.run_summary import Ending, FileResult, RunSummary
from piperoll.operations.run_summary_markdown import count_summary, format_headline, format_markdown

FINISHED: ContextVar[list[RunSummary] | None] = ContextVar("FINISHED", default=None)
"""Where a caller in this process gets the summary, even if Prefect cannot record the end of the flow afterwards."""

_RETRIES = 2
"""Prefect waits 2 and 4 seconds between them."""

HEARTBEAT = "prefect.flow-run.heartbeat"
"""The event that Prefect emits while a flow runs."""

ENDED = "piperoll.month.ended"
"""The event at the end of a run; its payload has the counts of `count_summary`."""

SPREAD_ENDED = "piperoll.spread.ended"
"""The event at the end of a run that was spread, with the counts of all its shards."""


def begin_run(bodies_files: Iterable[BodyFiles], request: RunRequest) -> Iterator[BodyFiles]:
    """Pass on the files of each body as they are collected, with a line for each in the log.

    Then tag the flow run with its period, its shard and the datasets.
    """
    datasets: set[str] = set()
    for files in bodies_files:
        datasets.add(files.dataset)
        _log(f"{files}: {format_count(len(files.files) + len(files.again), 'file')} to process")
        yield files
    tags = [f"dataset:{name}" for name in sorted(datasets)]
    tags += [f"period:{request.period}"] if request.period else []
    tags += [f"shard:{request.shard}"] if request.shard else []
    add_tags(tags)


def log_batch(batch: Batch, results: Sequence[FileResult]) -> None:
    """A line of the log with how the files of a batch ended, and one for each that failed."""
    _log(f"{batch}: {format_headline(RunSummary(tuple(results)))}")
    for one in results:
        if one.ending is Ending.FAILED:
            _log(f"{one.dataset}/{one.body} {one.sha256[:12]}: failed ({one.kind or 'no reason'})", warn=True)


def end_run(summary: RunSummary, request: RunRequest) -> None:
    """Keep the summary for the caller, and record it as an artifact, an event and a line of the log."""
    if (finished := FINISHED.get()) is not None:
        finished.append(summary)
    counts = count_summary(summary)
    _log(format_headline(summary))
    key = "month" if request.shard is None else "shard"
    payload = counts | {"shard": str(request.shard or ""), "period": str(request.period or "")}
    headline = format_headline(summary)
    keep(
        lambda: create_markdown_artifact(format_markdown(summary), key=key, description=headline),
        lambda: create_table_artifact([dict(counts)], key=f"{key}-figures", description="Files, rows and pounds"),
        lambda: emit(ENDED, payload),
    )


def emit(event: str, payload: Mapping[str, Any]) -> None:
    """Emit an event about the store, related to the flow run, as automations can await it."""
    resource = {"prefect.resource.id": "piperoll.store", "prefect.resource.name": "Piperoll"}
    emit_event(event, resource=resource, payload=dict(payload))


def add_tags(tags: Iterable[str]) -> None:
    """Add tags to the flow run; `tasks.add_task_tags` does so for a task."""

    def update() -> None:
        with get_client(sync_client=True) as client:
            client.update_flow_run(flow_run.id, tags=sorted({*flow_run.tags, *tags}))

    keep(update)


def read_figures(client: Any, flow_run_id: Any) -> dict[str, Any]:
    """The counts that a shard recorded; empty if it recorded none. Raises: what the client raises."""
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId  # noqa: PLC0415 - one use

    wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[flow_run_id]))
    for artifact in client.read_artifacts(artifact_filter=wanted):
        if artifact.type == "table":
            table = json.loads(artifact.data) if isinstance(artifact.data, str) else artifact.data
            return dict(table[0])
    return {}


def add_figures(figures: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The sum of counts; pounds are decimals as text."""
    total: dict[str, Any] = {}
    for one in figures:
        for name, value in one.items():
            if isinstance(value, str):
                total[name] = str(Decimal(total.get(name, "0")) + Decimal(value))
            else:
                total[name] = total.get(name, 0) + value
    return total


def keep(*records: Callable[[], Any]) -> None:
    """Record something. If the server is lost, leave the rest out: the data do not depend on it.

    Prefect would try each of them for a minute.
    """
    prefect_server.end_sending_at_exit()  # Prefect's senders run by now, and ours must come after them
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: _RETRIES}):
            for record in records:
                record()
    except Exception as error:  # noqa: BLE001 - whatever the client raises
        _log(f"Prefect could not record this: {type(error).__name__}", warn=True)


def _log(line: str, *, warn: bool = False) -> None:
    logger = get_run_logger()
    (logger.warning if warn else logger.info)(line)
