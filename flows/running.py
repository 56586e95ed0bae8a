"""The plain way in: a run as a function, whoever's Prefect server keeps its minutes."""

from __future__ import annotations

import os
from pathlib import Path

from flows import prefect_server as quiet
from piperoll.checking import warm_up
from piperoll.model import Period
from piperoll.operations import collecting
from piperoll.operations import pipeline as runs
from piperoll.operations.catalogue.build import catalogue
from piperoll.operations.run_request import Asked, opened
from piperoll.operations.run_summary import RunSummary, Watcher
from piperoll.settings import Settings


def run(
    to: str,
    *,
    inbox: Path | None = None,
    sources: Path | None = None,
    period: Period | str | None = None,
    bodies: Path | None = None,
    settings: Settings | None = None,
    watcher: Watcher | None = None,
) -> RunSummary:
    """Collect, check and publish everything in an inbox or from a sources file; what came of every file.

    What was done before is not done again, and a run that was killed goes on. `watcher` is told of each file as it is
    done. With PREFECT_API_URL set that server keeps the minutes; else one that lasts as long as the run. Several
    runs in one `quiet.server()` block share a server.

    Raises: UsageError: neither or both of `inbox` and `sources` are given, or they cannot be understood.
    StoreError: the store cannot be opened. What goes wrong with single files stands in the summary.
    """
    order = Asked(
        to=to,
        inbox=inbox,
        sources=sources,
        period=Period.parse(period) if isinstance(period, str) else period,
        bodies=bodies,
        settings=settings or Settings.from_environment(),
        watcher=watcher,
    )
    return _if_nothing_new(order) or _with_prefect(order)


def _if_nothing_new(order: Asked) -> RunSummary | None:
    """The summary of a run in which there is nothing to do, for which no server of ours need be started; else None."""
    if order.inbox is None:
        collecting.sources(order)
        return None
    if "PREFECT_API_URL" in os.environ:
        return None
    with opened(order) as run:
        collected = collecting.from_folder(run, order)
        if not runs.nothing_new(run, collected):
            return None
        return runs.summed(collected, runs.plainly(run, collected), lambda: catalogue(run))


def _with_prefect(order: Asked) -> RunSummary:
    with quiet.server() as server:
        from flows import month  # noqa: PLC0415 - takes seconds, while our server starts; not before its settings stand

        if server.process:
            warm_up()  # takes as long again, and is needed for the first file
        server.wait()
        return month.in_prefect(order, server.address)
