"""A month spread over workers: PostgreSQL, Prefect and S3 servers, workers in folders of their own; what dies in it.

The commands are those of docs/scaling.md as written, but for the hosts, the passwords and the numbers of the run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from piperoll.operations.run_request import RunRequest
from publishers import Store, open_store
from tests.fixtures.ports import reserve_port
from tests.fixtures.postgres import PASSWORD, postgresql
from tests.fixtures.s3_server import seaweedfs
from tests.operations.inbox import plain_run, put, spend

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 400
BODIES = tuple(f"body{number}" for number in range(4))
PAGE = (ROOT / "docs/scaling.md").read_text("utf-8")
STEPS = dict(re.findall(r"^\*\*(\d)\. .*?```\n(.*?)```", PAGE, re.M | re.S))
WORKER, LEADER = re.findall(
    r"```\n([^`]*?prefect worker start[^`]*?)```", (ROOT / "docs/scaling.md").read_text("utf-8")
)
AUTH = ("operator", "made-up")
FEEDS = {f"catalogue/{feed}.{form}" for feed in ("feed", "feeds/spend") for form in ("atom", "json")}
"""Feeds list releases in the order in which they were published."""
_TIME = re.compile(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


class Servers:
    """The servers and workers of one test, started by the commands of the docs, each in a folder of its own."""

    def __init__(self, folder: Path, database: dict[str, str], stack: ExitStack) -> None:
        self.folder, self.database, self.stack = folder, database, stack
        self.alerts: list[dict[str, Any]] = []
        self.port = reserve_port()
        self.api = f"http://127.0.0.1:{self.port}/api"
        self.hook = stack.enter_context(webhook(self.alerts))

    def script(self, text: str) -> str:
        """The commands with the addresses and passwords of this test for those of the docs."""
        for written, ours in {
            "https://prefect.example/api": self.api,
            "operator:SECRET": ":".join(AUTH),
            "prefect:PASSWORD@db.example": f"prefect:{PASSWORD}@127.0.0.1:{self.database['PGPORT']}",
            "shards=16": "shards=2 --param silent_seconds=45",
            "--port 4200": f"--port {self.port}",
            "https://hooks.example/piperoll": self.hook,
        }.items():
            text = text.replace(written, ours)
        return text

    def start(self, name: str, text: str) -> subprocess.Popen[bytes]:
        """Start commands in a folder, with an environment and a log of their own."""
        folder = self.folder / name
        for one in ("home", "temporary"):
            (folder / one).mkdir(parents=True, exist_ok=True)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "PIPEROLL_", "PG"))}
        own = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONSAFEPATH": "1",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "temporary"),
            "PREFECT_WORKER_QUERY_SECONDS": "2",
        }
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                ["bash", "-euc", self.script(text)],
                cwd=folder,
                env=kept | self.database | own,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.stack.callback(kill, process)
        return process

    def finish(self, name: str, text: str) -> None:
        """Run commands to their end."""
        status = self.start(name, text).wait(PATIENCE_SECONDS)
        assert status == 0, (self.folder / name / "log").read_text("utf-8")[-3000:]

    def serve(self) -> subprocess.Popen[bytes]:
        """Start the Prefect server and wait until it answers."""
        process = self.start("server", STEPS["2"])
        eventually(lambda: self.answers() or process.poll() is not None)
        assert process.poll() is None, (self.folder / "server/log").read_text("utf-8")[-3000:]
        return process

    def answers(self) -> bool:
        """Whether the Prefect server answers."""
        try:
            return requests.get(f"{self.api}/health", timeout=PATIENCE_SECONDS, auth=AUTH).ok
        except requests.RequestException:
            return False

    def ask(self, path: str, content: dict[str, Any] | None = None) -> Any:
        """Ask the API of the Prefect server."""
        answer = requests.post(self.api + path, json=content or {}, timeout=PATIENCE_SECONDS, auth=AUTH)
        answer.raise_for_status()
        return answer.json()

    def runs(self, name: str, *states: str) -> list[dict[str, Any]]:
        """The flow runs whose names begin so, in one of the states if any are given."""
        wanted: dict[str, Any] = {"flow_runs": {"name": {"like_": name}}}
        if states:
            wanted["flow_runs"]["state"] = {"type": {"any_": list(states)}}
        return list(self.ask("/flow_runs/filter", wanted))


@contextmanager
def webhook(received: list[dict[str, Any]]) -> Iterator[str]:
    """A web server that keeps what is posted to it."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.append(json.loads(posted) if isinstance(posted, str) else posted)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook"
    finally:
        server.shutdown()
        server.server_close()


def eventually(question: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """What `question` answers, once it answers anything."""
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.3)
    return answer


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything that it started, without a word."""
    for child in descendants(process.pid):
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    process.wait()


def descendants(pid: int) -> list[int]:
    """The process and the processes that it started, and those that they started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def without_times(store: Store, *prefixes: str) -> dict[str, str]:
    """The keys with the sha256 of what they hold, where a time is written as one."""
    keys = (key for prefix in prefixes for key in store.keys(prefix))
    read = {_TIME.sub(b"T", key.encode()).decode(): store.read(key).content for key in keys}
    return {key: hashlib.sha256(_TIME.sub(b"T", content)).hexdigest() for key, content in read.items()}


@pytest.mark.timeout(900)
def test_a_spread_month_ends_whole_although_a_worker_and_the_server_are_killed(tmp_path: Path) -> None:
    """Two spreads at once; the store has the same bytes as after one run in one process."""
    inbox = tmp_path / "inbox"
    for number, body in enumerate(BODIES):
        put(inbox, f"spend/{body}/October 2026.csv", spend(5 + number))
    put(inbox, "spend/body1/September 2026.csv", spend(5, month="09/2026"))
    (tmp_path / "s3").mkdir()
    with ExitStack() as stack:
        stack.enter_context(seaweedfs(tmp_path / "s3"))
        boto3.client("s3").create_bucket(Bucket="published")
        servers = Servers(tmp_path, stack.enter_context(postgresql()), stack)
        servers.finish("database", STEPS["1"])
        server = servers.serve()
        assert requests.post(f"{servers.api}/flows/filter", json={}, timeout=PATIENCE_SECONDS).status_code == 401
        assert (
            requests.get(servers.api.replace("/api", "/ui-settings"), timeout=PATIENCE_SECONDS).json()["api_url"]
            == "/api"
        )
        workers = [servers.start(f"worker{number}", WORKER) for number in (1, 2)]
        servers.start("leader", LEADER)
        deployments = (ROOT / "prefect.yaml").read_text("utf-8")
        deployments = deployments.replace("s3://bucket/prefix", "s3://published/here")
        deployments = deployments.replace("PIPEROLL_SOURCES: /etc/piperoll/sources.toml", f"PIPEROLL_INBOX: {inbox}")
        eventually(lambda: len(servers.ask("/work_pools/filter")) == 2)
        (tmp_path / "deploy").mkdir()
        (tmp_path / "deploy/prefect.yaml").write_text(deployments, "utf-8")
        servers.finish("deploy", STEPS["4"])
        servers.finish("automations", STEPS["5"])
        servers.finish("spread", STEPS["6"])
        (deployment,) = servers.ask("/deployments/filter", {"deployments": {"name": {"any_": ["spread"]}}})
        second = {"parameters": {"shards": 1, "silent_seconds": 45}}
        servers.ask(f"/deployments/{deployment['id']}/create_flow_run", second)

        store = open_store("s3://published/here")
        logs = [tmp_path / f"worker{number}/log" for number in (1, 2)]
        busy = eventually(
            lambda: [number for number, log in enumerate(logs) if " to process" in log.read_text("utf-8")]
        )
        kill(workers[busy[0]])
        kill(server)
        time.sleep(3)
        servers.serve()
        eventually(lambda: len(servers.runs("spread%", "COMPLETED", "FAILED", "CRASHED")) == 2)
        ended = {run["name"]: (run["state_type"], run["state"]["message"]) for run in servers.runs("spread%")}
        assert {state for state, _ in ended.values()} == {"COMPLETED"}, ended
        assert servers.runs("month%", "CRASHED")  # what the killed worker ran
        assert servers.runs("month%", "RUNNING") == []
        tags = {tag for run in servers.runs("month%") for tag in run["tags"]}
        assert {"dataset:spend", "shard:1/1", "shard:2/2"} <= tags
        (artifact,) = {
            one["data"]
            for one in servers.ask("/artifacts/filter", {"artifacts": {"key": {"any_": ["spread"]}}})
            if "2/2" in one["data"]
        }
        assert artifact.startswith("**5 files: ")
        eventually(lambda: "piperoll: a month has ended" in {one["alert"] for one in servers.alerts})

        plain_run(RunRequest(to=str(tmp_path / "plain"), inbox=inbox))
        for prefix in ("data/", "reports/", "archive/", "catalogue/"):
            spread, plain = (without_times(one, prefix) for one in (store, open_store(str(tmp_path / "plain"))))
            assert {key for key in {*spread, *plain} if spread.get(key) != plain.get(key)} - FEEDS == set()
