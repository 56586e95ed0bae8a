"""The monthly flow on a schedule, with a Prefect server and page of its own unless the operator has one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flows import prefect_server as quiet
from flows.prefect_server import Server
from piperoll.operations import collecting
from piperoll.operations.run_request import Asked

DAILY = "0 6 * * *"
"""Every day at six: bodies publish on any day of the month, and a day on which nothing came costs seconds."""

_TIMEZONE = "Europe/London"


def serve(
    order: Asked,
    *,
    cron: str = DAILY,
    home: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 4200,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Run what is asked for whenever `cron` (in London's time) says, until interrupted.

    With PREFECT_API_URL set, that server holds the schedule and the history; else one of our own, its page at
    `host`:`port` and its data in `home` (docs/operating.md says where, if not given). `ready` is told the address of
    the page. One run at a time.

    Raises: UsageError: the sources cannot be understood. ServerTrouble: our server does not start.
    """
    if order.sources is not None:
        collecting.sources(order)
    quiet.hush()
    os.environ["PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS"] = str(order.settings.concurrency)
    with _server(home or quiet.lasting_home(), host, port) as server:
        from prefect.schedules import Cron  # noqa: PLC0415 - only once the settings stand
        from prefect.types.entrypoint import EntrypointType  # noqa: PLC0415

        from flows.month import month  # noqa: PLC0415

        server.wait()
        if ready:
            ready(server.address.removesuffix("/api"))
        month.serve(
            name="monthly",
            schedule=Cron(cron, timezone=_TIMEZONE),
            parameters=order.as_text(),
            limit=1,
            entrypoint_type=EntrypointType.MODULE_PATH,
            print_starting_message=False,
        )


@contextmanager
def _server(home: Path, host: str, port: int) -> Iterator[Server]:
    if theirs := os.environ.get("PREFECT_API_URL"):
        yield Server(theirs)
        return
    with (
        quiet.setting({"PREFECT_HOME": str(home)}),
        quiet.started(home, host=host, port=port) as own,
        quiet.setting({"PREFECT_API_URL": own.address}),
    ):
        yield own
