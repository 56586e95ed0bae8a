"""The spread flow: a month on any number of workers, each shard a flow run of its own, then one catalogue.

The store is all that the shards share. So a shard that is run twice, at once or again, comes to the same end, and this
flow may take a shard for dead that is only slow.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.deployments import run_deployment
from prefect.events.filters import EventFilter, EventNameFilter, EventOrder, EventResourceFilter
from prefect.runtime import flow_run
from prefect.states import Crashed

from flows import prefect_server, record
from flows.places import find_request
from flows.tasks import as_step
from piperoll.describing.wording import format_count
from piperoll.errors import PiperollError, ServerTrouble, UsageError
from piperoll.operations.answering import finish_answers
from piperoll.operations.catalogue.build import build_catalogue, try_to_build
from piperoll.operations.decisions import mark_for_all
from piperoll.operations.run_request import current_moment
from piperoll.operations.run_summary import Ending

DEPLOYMENT = "month/shard"
"""The deployment in prefect.yaml that runs a shard: the flow `month` without its catalogue."""

SILENT_SECONDS = 70
"""After how long without a heartbeat a shard's worker is taken for dead. Workers beat every 30 seconds, as prefect.yaml
sets; with the time a worker takes to find and start it, the shard is taken up again within two minutes."""

_STARTING_SECONDS = 90
"""How long a worker may take to start a shard that it has taken: there is no heartbeat before."""

_ATTEMPTS = 3
_POLL_SECONDS = 3
_ASKED_AT_ONCE = 16
"""The server answers with 50 events at most: the beats of 16 shards in more than a minute."""

_LOST_SECONDS = 600
"""How long the server may not answer while shards run: it may be restarted."""


class SpreadFailed(PiperollError):
    """A shard did not complete, a release failed or the catalogue could not be built; everything else was done."""


@dataclass
class ShardRun:
    """A shard, its current flow run and what was last heard of it; `heard` is by the monotonic clock."""

    shard: str
    attempt: int = 0
    run: FlowRun | None = None
    news: Any = None
    heard: float = field(default_factory=time.monotonic)
    ended: str | None = None
    figures: dict[str, Any] = field(default_factory=dict)

    def hear(self, news: Any) -> None:
        """Note what was heard; the same again is silence."""
        if news != self.news:
            self.news, self.heard = news, time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since something new was heard."""
        return time.monotonic() - self.heard


def _flow_run_name() -> str:
    given = flow_run.parameters
    return f"spread {given.get('period') or 'as it comes'} over {given.get('shards')}"


@flow(name="spread", flow_run_name=_flow_run_name, log_prints=False, persist_result=False)
def spread(shards: int = 8, period: str | None = None, silent_seconds: int = SILENT_SECONDS) -> dict[str, Any]:
    """Run a month as shards on the workers, then build the catalogue; return the counts of all shards.

    A shard that does not complete is run again, up to three times: it does what is missing. Its flow run is set to
    Crashed if nothing was heard of it for `silent_seconds`.

    Raises: SpreadFailed: something failed; everything else was done. ServerTrouble: the Prefect server was lost. The
    shards that run go on, and the next spread does the rest.
    """
    if not 1 <= shards <= 1000:
        raise UsageError("give between 1 and 1000 shards")
    request = find_request(period)
    moment = current_moment()  # the same for all shards, as in one run
    record.add_tags([f"period:{period}"] if period else [])
    runs = [ShardRun(f"{number}/{shards}") for number in range(1, shards + 1)]
    parameters = {"period": period, "catalogue": False, "moment": moment}
    with request.open() as run:
        mark_for_all(run.store)  # so that no shard looks at the bodies of others
    _run_shards(runs, parameters, silent_seconds)
    with request.open() as run:
        results = finish_answers(run)[0]
        _, trouble = try_to_build(lambda: as_step("catalogue", build_catalogue, request.settings.retries)(run))
    failed = [one.shard for one in runs if one.ended != StateType.COMPLETED]
    counts = record.add_figures(one.figures for one in runs)
    unfinished = sum(result.ending is Ending.FAILED for result in results)
    counts["failed"] = counts.get("failed", 0) + unfinished
    counts |= {"shards": shards, "shards_failed": len(failed), "without_catalogue": int(bool(trouble))}
    record.keep(
        lambda: create_markdown_artifact(_format(runs, counts), key="spread", description="The shards and their files"),
        lambda: record.emit(record.SPREAD_ENDED, counts | {"period": period or ""}),
    )
    problems = [f"not completed: {', '.join(failed)}"] if failed else []
    problems += [f"{format_count(unfinished, 'file')} could not be released"] if unfinished else []
    problems += ["the catalogue could not be built; see its task run"] if trouble else []
    if problems:
        raise SpreadFailed("; ".join(problems))
    return counts


def _run_shards(runs: list[ShardRun], parameters: dict[str, Any], silent_seconds: int) -> None:
    """Start every shard and watch them until each has ended, or failed as often as it may."""
    answered = time.monotonic()
    logger = get_run_logger()
    with get_client(sync_client=True) as client:
        while waiting := [one for one in runs if one.ended is None]:
            try:
                for one in waiting:
                    if one.run is None:
                        _start(one, parameters)
                _listen(client, waiting)
                for one in waiting:
                    _judge(client, one, silent_seconds)
            except Exception as error:
                if not prefect_server.is_connection_error(error):
                    raise
                if time.monotonic() - answered > _LOST_SECONDS:
                    raise ServerTrouble(f"the Prefect server was lost while shards ran: {error}") from error
                logger.warning("The Prefect server does not answer (%s); waiting for it", type(error).__name__)
                for one in waiting:  # what happened meanwhile was not heard
                    one.heard = time.monotonic()
            else:
                answered = time.monotonic()
            time.sleep(_POLL_SECONDS)


def _start(one: ShardRun, parameters: dict[str, Any]) -> None:
    attempt = one.attempt + 1
    period = parameters["period"]
    tags = ["piperoll", f"shard:{one.shard}", *([f"period:{period}"] if period else [])]
    run: Any = run_deployment(
        DEPLOYMENT,
        parameters=parameters | {"shard": one.shard},
        timeout=0,
        flow_run_name=f"month {period or 'as it comes'}, {one.shard}",  # as the flow names itself when it begins
        tags=tags,
        idempotency_key=f"{flow_run.id}-{one.shard}-{attempt}",  # started once, also if the answer was lost
    )
    one.run, one.attempt = run, attempt
    one.hear(run.id)


def _listen(client: SyncPrefectClient, waiting: Iterable[ShardRun]) -> None:
    """Read the states of the shards, and the last heartbeats of those that run."""
    started = {one.run.id: one for one in waiting if one.run is not None}
    for first in range(0, len(started), _ASKED_AT_ONCE):
        ids = list(started)[first : first + _ASKED_AT_ONCE]
        for run in client.read_flow_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=ids))):
            started[run.id].run = run
        beating = {f"prefect.flow-run.{one}" for one in ids if _state_type(started[one]) is StateType.RUNNING}
        beats: dict[str, UUID] = {}
        if beating:
            wanted = EventFilter(
                event=EventNameFilter(name=[record.HEARTBEAT]),
                resource=EventResourceFilter(id=sorted(beating)),
                order=EventOrder.DESC,
            )
            for event in client.read_events(wanted, limit=50).events:
                beats.setdefault(event.resource.id, event.id)
        for one in ids:
            started[one].hear((one, _state_type(started[one]), beats.get(f"prefect.flow-run.{one}")))


def _state_type(one: ShardRun) -> StateType | None:
    return one.run.state_type if one.run else None


def _judge(client: SyncPrefectClient, one: ShardRun, silent_seconds: int) -> None:
    """Settle a shard that has ended or whose worker is dead; one that did not complete is to be started again."""
    if one.run is None or one.run.state is None:
        return
    state, logger = one.run.state, get_run_logger()
    limits = {StateType.RUNNING: silent_seconds, StateType.PENDING: max(silent_seconds, _STARTING_SECONDS)}
    limit = limits.get(state.type)
    if limit is not None and one.silence > limit:
        text = f"Nothing was heard for {limit} seconds: the worker is taken for dead, and the shard runs again"
        answer: Any = client.set_flow_run_state(one.run.id, Crashed(message=text))  # not forced: this frees its slot
        if answer.state is None or answer.state.type is not StateType.CRASHED:
            return  # it has ended in the meantime
        state = answer.state
    if not state.is_final():
        return
    if state.type is StateType.COMPLETED or state.type is StateType.CANCELLED or one.attempt >= _ATTEMPTS:
        one.figures = record.read_figures(client, one.run.id)
        one.ended = state.type.value
        logger.info("Shard %s: %s after %d of %d attempts", one.shard, one.ended, one.attempt, _ATTEMPTS)
    else:
        logger.warning("Shard %s: %s in attempt %d; it runs again", one.shard, state.type.value, one.attempt)
        one.run = None


def _format(runs: Iterable[ShardRun], counts: dict[str, Any]) -> str:
    """Lead with the sums and the shards that did not complete; then a line for each shard."""
    failing = ", ".join(one.shard for one in runs if one.ended != StateType.COMPLETED)
    endings = ", ".join(f"{counts.get(name, 0):,} {name}" for name in ("published", "held", "rejected", "failed"))
    lines = [f"**{counts.get('files', 0):,} files: {endings}**", ""]
    lines += [f"**Not completed: {failing}**", ""] if failing else []
    lines += ["The catalogue could not be built.", ""] if counts["without_catalogue"] else []
    lines += ["| shard | ended | attempts | files | published | held | £ published | £ held |"]
    lines += ["|---|---|--:|--:|--:|--:|--:|--:|"]
    names = ("files", "published", "held", "pounds_published", "pounds_held")
    for one in runs:
        figures = " | ".join(str(one.figures.get(name, "")) for name in names)
        lines.append(f"| {one.shard} | {one.ended} | {one.attempt} | {figures} |")
    return "\n".join(lines) + "\n"
