"""A Prefect server for operators who have none, and the environment that keeps Prefect quiet.

Without PREFECT_API_URL, a run starts a server of its own: a child process on this machine, with a database that lasts
as long as the run. (Prefect's own temporary server takes as long to start, and prints 150 lines when it stops.) This
module imports nothing of Prefect, because Prefect reads its environment when it is imported.

The child process runs this file as a script: `python -P prefect_server.py --host … --port …`.
"""

from __future__ import annotations

import http.client
import os
import runpy
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

STARTUP_SECONDS = 120
"""Prefect waits 20 seconds, too short on a busy machine for a first start, which creates the database tables."""

_QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(STARTUP_SECONDS),
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # people see our messages; the server keeps the log
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",  # a line of 3,000 letters for each event that a lost server misses
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "NO_PROXY": "127.0.0.1,localhost",
    # Relative: the page asks the host and port at which it was opened, not 127.0.0.1:4200.
    "PREFECT_SERVER_UI_API_URL": "/api",
}
_LOG_LINES_SHOWN = 15
"""Lines at the end of the server's log that an error quotes: enough for the last message of a traceback."""
_STOP_SECONDS = 15  # a server that is up needs two
_DRAIN_SECONDS = 10  # some hundred events are waiting at most, and a server takes milliseconds for each
_LOCALHOST = "127.0.0.1"
_ending: list[bool] = []


@dataclass(frozen=True, slots=True)
class PrefectServer:
    """A Prefect server: the address of its API and, if we started it, its process and the folder of its data.

    `auth` is the user and the password that it asks for, as in "piperoll:secret".
    """

    address: str
    process: subprocess.Popen[bytes] | None = None
    home: Path | None = None
    auth: str | None = None

    @property
    def variables(self) -> dict[str, str]:
        """The environment in which Prefect uses this server."""
        return {"PREFECT_API_URL": self.address} | ({"PREFECT_API_AUTH_STRING": self.auth} if self.auth else {})

    def wait(self) -> None:
        """Wait until it answers, if we started it. Raises: ServerTrouble: it does not answer in time."""
        if self.process is None or self.home is None:
            return
        end = time.monotonic() + STARTUP_SECONDS
        while not _answers(self.address):
            if time.monotonic() > end or self.process.poll() is not None:
                from piperoll.errors import ServerTrouble  # noqa: PLC0415 - not on the path of the child process

                log = (self.home / "server.log").read_text("utf-8", "replace").splitlines()[-_LOG_LINES_SHOWN:]
                raise ServerTrouble("our Prefect server did not start. Its log ends:\n" + "\n".join(log))
            time.sleep(0.1)
        _cache_database(self.home / "prefect.db")


def quieten_prefect() -> None:
    """Turn off telemetry and console output of Prefect, unless the operator has set them."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


@contextmanager
def server() -> Iterator[PrefectServer]:
    """The operator's Prefect server (PREFECT_API_URL), or one that lasts as long as this block.

    Our own is still starting when the block begins: do something useful, then call `wait`. Blocks within this one share
    its server.
    """
    quieten_prefect()
    if address := os.environ.get("PREFECT_API_URL"):
        yield PrefectServer(address)
        return
    from piperoll.scratch import scratch_folder  # noqa: PLC0415 - not on the path of the child process

    with scratch_folder("prefect") as folder:
        variables = {
            "PREFECT_HOME": str(folder),
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
            "PREFECT_SERVER_UI_ENABLED": "false",
        }
        with (
            environment(variables),
            start_server(folder, "--no-services", lasting=False, password=secrets.token_urlsafe()) as own,
            environment(own.variables),
        ):
            yield own


@contextmanager
def start_server(
    home: Path,
    *options: str,
    host: str = _LOCALHOST,
    port: int = 0,
    lasting: bool = True,
    password: str | None = None,
) -> Iterator[PrefectServer]:
    """Start a Prefect server with its data and log in `home`. It stops with the block, or when this process ends.

    Without `lasting`, its data is not kept, so it need not shut down cleanly. With a `password`, only the user
    `piperoll` with it may use the server, and no page of another origin: anyone who reaches an open server can start
    flows with paths of their choice.
    """
    quieten_prefect()
    port = port or _find_free_port()
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "prefect.db").exists() and _cached_database().is_file():
        shutil.copyfile(_cached_database(), home / "prefect.db")
    # -P keeps this folder off the import path, where our modules would hide those of the standard library
    command = [sys.executable, "-P", __file__, "--host", host, "--port", str(port), *options]
    variables = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    variables |= {"PREFECT_HOME": str(home), "PYTHONSAFEPATH": "1"}  # safe: also for the processes that it starts
    variables.setdefault("PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS", f"http://{host}:{port}")
    auth = f"piperoll:{password}" if password else None
    if auth:
        variables["PREFECT_SERVER_API_AUTH_STRING"] = auth
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - this file
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=variables, start_new_session=True
        )
    try:
        yield PrefectServer(f"http://{host}:{port}/api", process, home, auth)
    finally:
        end_sending()
        _stop(process, signal.SIGINT if lasting else signal.SIGKILL)


def _find_free_port() -> int:
    """A port that nobody uses, below those that the system gives to clients: the server takes seconds to bind it."""
    for port in secrets.SystemRandom().sample(range(10_000, 18_000), 100):
        with suppress(OSError), socket.socket() as probe:
            probe.bind((_LOCALHOST, port))
            return port
    with socket.socket() as probe:
        probe.bind((_LOCALHOST, 0))
        return int(probe.getsockname()[1])


def end_sending(seconds: float = _DRAIN_SECONDS) -> None:
    """Let Prefect send its last events and log lines, for at most `seconds`; what is left then is dropped.

    Prefect's senders live as long as this process and each knows one server. They would try every event for eleven
    seconds on a server that is gone, in the next run of this process and, for hours, when the process ends.
    """
    module = sys.modules.get("prefect.events.worker")
    if module is None:
        return
    sender: Any = module.EventsWorker
    tasks = [(one._loop, one._task) for one in tuple(sender._instances.values())]
    # in a thread of its own: where an event loop runs, Prefect only returns a coroutine
    draining = threading.Thread(target=sender.drain_all, args=(seconds,), daemon=True)
    draining.start()
    draining.join(seconds)
    for loop, sending in tasks:
        if loop is not None and sending is not None and not sending.done():
            loop.call_soon_threadsafe(sending.cancel)


def is_connection_error(error: BaseException) -> bool:
    """Return True if a server could not be reached, or did not answer as it should. Raised by Prefect's client."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"TransportError", "PrefectHTTPStatusError"}:  # the first is httpx's
        return True
    return error.__cause__ is not None and is_connection_error(error.__cause__)


def end_sending_at_exit() -> None:
    """Do so when this process ends, before Prefect does it without a bound. Call it when a flow run ends."""
    if not _ending:
        _ending.append(True)
        threading._register_atexit(end_sending)  # type: ignore[attr-defined]


def _stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    process.send_signal(how)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


def _answers(address: str) -> bool:
    host, _, port = address.removeprefix("http://").removesuffix("/api").partition(":")
    with (
        suppress(OSError, http.client.HTTPException),
        closing(http.client.HTTPConnection(host, int(port))) as connection,
    ):
        connection.request("GET", "/api/health")
        return connection.getresponse().status == 200
    return False


def lasting_home() -> Path:
    """The folder in which the server of `piperoll serve` keeps its history: PREFECT_HOME, or the XDG state folder."""
    if home := os.environ.get("PREFECT_HOME"):
        return Path(home)
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "piperoll" / "prefect"


def lasting_password(home: Path) -> str:
    """The password of the server whose data is in `home`: made at the first start, readable by its owner only."""
    path = home / "password"
    home.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
        new.write(secrets.token_urlsafe())
    return path.read_text("utf-8").strip()


def _cached_database() -> Path:
    """The path of an empty database of this version of Prefect: it makes every later start ten seconds faster."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "piperoll" / f"prefect-{version('prefect')}.db"


def _cache_database(database: Path) -> None:
    kept = _cached_database()
    if kept.exists():
        return
    with suppress(OSError, sqlite3.Error):  # only a cache: without it the next start is slower
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_name(f"{kept.name}.{os.getpid()}")
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(draft)) as copy:
            source.backup(copy)
        draft.replace(kept)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the length of the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _run_as_child() -> None:
    """Run `prefect server start` with this script's options, until interrupted or until standard input ends.

    Standard input is a pipe from the process that started us: however that process ends, the pipe closes with it.
    """

    def stop_with_input() -> None:
        while os.read(0, 1024):  # not sys.stdin: the interpreter needs its lock to shut down
            pass
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(_STOP_SECONDS)
        os._exit(1)  # it was still starting, and did not stop

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores SIGINT
    threading.Thread(target=stop_with_input, daemon=True).start()
    sys.argv = ["prefect", "server", "start", *sys.argv[1:]]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run_as_child()
