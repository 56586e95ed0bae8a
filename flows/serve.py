"""Serve the monthly flow on a schedule, with a Prefect server and web page unless the operator has one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flows import places, prefect_server
from flows.prefect_server import PrefectServer
from piperoll.operations import collecting
from piperoll.operations.run_request import RunRequest

DAILY = "0 6 * * *"
"""Every day at six: bodies publish on any day of the month, and a run without new files takes seconds."""

_TIMEZONE = "Europe/London"


def serve(
    request: RunRequest,
    *,
    cron: str = DAILY,
    home: Path | None = None,
    host: str | None = None,
    port: int = 4200,
    ready: Callable[[PrefectServer], None] | None = None,
) -> None:
    """Run the request at every time that `cron` gives, in London time, until interrupted. One run at a time.

    With PREFECT_API_URL set, that server keeps the schedule and the history. Otherwise one is started, with its page at
    `host`:`port` and its data in `home` (docs/operating.md gives the defaults). It asks for the password that it
    keeps there. `ready` is called with the server when it answers.

    Raises: UsageError: the sources cannot be understood. ServerTrouble: our server does not start.
    """
    if request.sources is not None:
        collecting.list_sources(request)
    prefect_server.quieten_prefect()
    os.environ["PIPEROLL_CONCURRENCY"] = str(request.settings.concurrency)
    os.environ.update(places.variables(request))  # for the process of each run: parameters have no paths
    os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "30")  # the automation waits for three beats
    os.environ["PYTHONSAFEPATH"] = "1"  # each is started by -m, which would import from the current folder first
    host = host or os.environ.get("PREFECT_SERVER_API_HOST", "127.0.0.1")
    with _server(home or prefect_server.lasting_home(), host, port) as server:
        from prefect.schedules import Cron  # noqa: PLC0415 - after its environment is set
        from prefect.types.entrypoint import EntrypointType  # noqa: PLC0415

        from flows.automations import make_automations  # noqa: PLC0415
        from flows.month import month  # noqa: PLC0415

        server.wait()
        if server.process:
            make_automations()  # a run that was killed gives up its place, for which the next would wait
        if ready:
            ready(server)
        month.serve(
            name="monthly",
            schedule=Cron(cron, timezone=_TIMEZONE),
            parameters={"period": request.flow_period()},
            enforce_parameter_schema=True,
            limit=1,
            entrypoint_type=EntrypointType.MODULE_PATH,
            print_starting_message=False,
        )


@contextmanager
def _server(home: Path, host: str, port: int) -> Iterator[PrefectServer]:
    if address := os.environ.get("PREFECT_API_URL"):
        yield PrefectServer(address)
        return
    with (
        prefect_server.environment({"PREFECT_HOME": str(home)}),
        prefect_server.start_server(
            home, host=host, port=port, password=prefect_server.lasting_password(home)
        ) as server,
        prefect_server.environment(server.variables),
    ):
        yield server
