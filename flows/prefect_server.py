"""Prefect kept quiet, and a server for it where the operator has none: the one module that sets its environment.

Without PREFECT_API_URL a run has a server of its own: a child process that we start and stop, on this machine only,
with a database that lasts as long as the run. (Prefect's own temporary server takes as long to start, and prints some
150 lines when it stops.) Nothing of Prefect is imported here, so that this can do its work before anything does.
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from piperoll.errors import ServerTrouble

STARTUP_SECONDS = 120
"""Prefect's own 20 seconds are too few for a first start on a busy machine, which lays out the database."""

_QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(STARTUP_SECONDS),
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # a person sees our words; a server keeps the rest
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "NO_PROXY": "127.0.0.1,localhost",
}
_LAST_LINES = 15
_STOP_SECONDS = 15
_LOCAL = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Server:
    """A Prefect server: the address of its API and, if it is our own, its process and where its data and log lie."""

    address: str
    process: subprocess.Popen[bytes] | None = None
    home: Path | None = None

    def wait(self) -> None:
        """Wait until it answers, if it is our own; the operator's is taken to be there.

        Raises: ServerTrouble: it does not answer in time.
        """
        if self.process is None or self.home is None:
            return
        end = time.monotonic() + STARTUP_SECONDS
        while not _answers(self.address):
            if time.monotonic() > end or self.process.poll() is not None:
                said = (self.home / "server.log").read_text("utf-8", "replace").splitlines()[-_LAST_LINES:]
                raise ServerTrouble("our Prefect server did not start. Its log ends:\n" + "\n".join(said))
            time.sleep(0.1)
        _keep_layout(self.home / "prefect.db")


def hush() -> None:
    """Set what keeps Prefect quiet, where the operator has not set it otherwise."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


@contextmanager
def server() -> Iterator[Server]:
    """The operator's Prefect server (PREFECT_API_URL), else one that lasts as long as this block.

    Our own is still starting when the block begins, so that there is time to do something useful before `wait`. A
    block within this one shares its server.
    """
    hush()
    if theirs := os.environ.get("PREFECT_API_URL"):
        yield Server(theirs)
        return
    with tempfile.TemporaryDirectory(prefix="piperoll-prefect-", ignore_cleanup_errors=True) as folder:
        ours = {
            "PREFECT_HOME": folder,
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
            "PREFECT_SERVER_UI_ENABLED": "false",
        }
        with setting(ours), started(Path(folder), "--no-services") as own, setting({"PREFECT_API_URL": own.address}):
            yield own
            if own.process:
                own.process.kill()  # nothing of it is kept: no need to let it tidy up


@contextmanager
def started(home: Path, *options: str, host: str = _LOCAL, port: int = 0) -> Iterator[Server]:
    """A Prefect server that we start, its data and log in `home`; it stops with the block, or when we end."""
    hush()
    port = port or _free_port()
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "prefect.db").exists() and _layout().is_file():
        shutil.copyfile(_layout(), home / "prefect.db")
    script = Path(__file__).with_name("own_server.py")  # -P: its folder is no place to import from
    command = [sys.executable, "-P", str(script), "--host", host, "--port", str(port), *options]
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    environment["PREFECT_HOME"] = str(home)
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
        )
    try:
        yield Server(f"http://{host}:{port}/api", process, home)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
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


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((_LOCAL, 0))
        return int(free.getsockname()[1])


def lasting_home() -> Path:
    """Where the server of `piperoll serve` keeps its history: PREFECT_HOME, else the place for such things."""
    if theirs := os.environ.get("PREFECT_HOME"):
        return Path(theirs)
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "piperoll" / "prefect"


def _layout() -> Path:
    """An empty database of this version of Prefect, kept to spare every later start some ten seconds."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "piperoll" / f"prefect-{version('prefect')}.db"


def _keep_layout(database: Path) -> None:
    kept = _layout()
    if kept.exists():
        return
    with suppress(OSError, sqlite3.Error):  # a cache: without it the next start is slower, no more
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_name(f"{kept.name}.{os.getpid()}")
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(draft)) as copy:
            source.backup(copy)
        draft.replace(kept)


@contextmanager
def setting(variables: Mapping[str, str]) -> Iterator[None]:
    """The environment with these variables, as long as the block lasts."""
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
