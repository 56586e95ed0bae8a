"""Against a real Prefect server process: only configuration is different."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from flows import prefect_server as own_server
from flows.places import find_request, variables
from piperoll.errors import ServerTrouble, UsageError
from piperoll.operations.run_request import RunRequest
from piperoll.settings import Settings
from publishers import open_store
from tests.operations.inbox import contents, plain_run, put, spend

ROOT = Path(__file__).parents[2]
ANSWER_SECONDS = 90
"""For one answer of a server: Prefect itself waits up to 60 seconds for the lock of its SQLite database."""
PATIENCE_SECONDS = 3 * ANSWER_SECONDS

FLOWS = {path.stem for path in (ROOT / "flows").glob("*.py")} - {
    *("__init__", "automations", "forgetting", "places", "prefect_server", "record", "run", "serve", "tasks"),
}

RUN = """
import sys
from flows.run import run_month
from piperoll.operations.run_request import parse_request
summary = run_month(parse_request(sys.argv[1], sys.argv[2]))
print([result.outcome for result in summary.results])
print("prefect" in sys.modules)
"""
SERVE = """
import signal, sys
from flows.serve import serve
from piperoll.operations.run_request import parse_request
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests may run in a shell's background, where it is ignored
request = parse_request(sys.argv[1], sys.argv[2])
try:
    serve(request, ready=lambda server: print("ready", server.address, flush=True))
except KeyboardInterrupt:
    print("stopped")
"""


def ask(api: str, path: str, content: dict[str, Any] | None = None) -> Any:
    """Ask the server; while its database is busy, which it says by status 503, again."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (answer := requests.post(api + path, json=content or {}, timeout=ANSWER_SECONDS)).status_code == 503:
        assert time.monotonic() < end, "the server stays busy"
        time.sleep(0.3)
    answer.raise_for_status()
    return answer.json()


def eventually(question: Callable[[], Any]) -> Any:
    """What `question` answers, once it answers anything: Prefect writes its minutes a little late."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (answer := question()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.3)
    return answer


def python(program: str, *given: str, api: str | None) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    if api:
        environment["PREFECT_API_URL"] = api
    return subprocess.Popen(
        [sys.executable, "-c", program, *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    )


def test_the_server_that_is_set_records_the_run(prefect_server: str, tmp_path: Path) -> None:
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(5))
    process = python(RUN, str(tmp_path / "out"), str(tmp_path / "inbox"), api=prefect_server)
    said, noise = process.communicate(timeout=PATIENCE_SECONDS)
    assert said.splitlines() == ["['published v1']", "True"]
    assert noise == ""
    runs = ask(prefect_server, "/flow_runs/filter")  # other tests may have used this server before
    run = max(runs, key=lambda each: each["created"])
    assert (run["name"], run["state_type"]) == ("month as it comes", "COMPLETED")
    assert set(run["parameters"]) == {"period", "shard", "catalogue", "moment"}
    wanted = {"spend/anytown: 1 file, 0.0 MB", "catalogue"}
    eventually(lambda: wanted <= {task["name"].partition("-")[0] for task in ask(prefect_server, "/task_runs/filter")})
    tagged = {"flow_runs": {"id": {"any_": [run["id"]]}}, "task_runs": {"tags": {"all_": ["dataset:spend"]}}}
    (batch,) = eventually(lambda: ask(prefect_server, "/task_runs/filter", tagged))
    assert batch["tags"] == ["dataset:spend", "stage:bodies"]
    kept = {each["type"]: each for each in ask(prefect_server, "/artifacts/filter") if each["flow_run_id"] == run["id"]}
    table = kept["markdown"]
    assert table["data"].startswith("**1 file: 1 published; £3,105.00 read, £3,105.00 published, £0.00 held**")
    assert '"pounds_published": "3105.00"' in kept["table"]["data"]
    lines = eventually(
        lambda: {line["message"] for line in ask(prefect_server, "/logs/filter") if "spend" in line["message"]}
    )
    assert "spend/anytown: 1 file to process" in lines
    assert (
        "dataset:spend"
        in ask(prefect_server, "/flow_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})[0]["tags"]
    )
    digest = hashlib.sha256(spend(5)).hexdigest()[:12]
    assert f"| {digest} | anytown | spend | October 2026 |" in table["data"]
    assert ".csv" not in table["data"]  # a file's name may have to be purged, and Prefect keeps what it is given
    assert "published v1" in table["data"]


def test_a_run_whose_server_is_lost_ends_when_the_data_are_safe(tmp_path: Path) -> None:
    """It tried for hours to send its events to a server that was gone."""
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(5))
    with own_server.start_server(tmp_path / "home", "--no-services", lasting=False) as server:
        server.wait()
        assert server.process is not None
        program = "from piperoll.cli import main; main()"
        given = ("run", "--inbox", str(tmp_path / "inbox"), "--to", str(tmp_path / "out"))
        process = python(program, *given, api=server.address)
        eventually(lambda: (tmp_path / "out/archive").is_dir() or process.poll() is not None)
        os.killpg(server.process.pid, signal.SIGKILL)
        said, noise = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, said + noise
    assert "Everything above is done and stored" in said
    assert "record of this run lacks its end" in " ".join(said.split())
    assert noise == ""
    assert "catalogue/index.html" in contents(open_store(str(tmp_path / "out")), "catalogue/")


def test_a_server_that_is_set_and_not_there_is_named(tmp_path: Path) -> None:
    """It was a traceback of a hundred lines."""
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(5))
    given = ("run", "--inbox", str(tmp_path / "inbox"), "--to", str(tmp_path / "out"))
    process = python("from piperoll.cli import main; main()", *given, api="http://127.0.0.1:9/api")
    said, noise = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode != 0
    assert "the Prefect server at http://127.0.0.1:9/api cannot be used" in said + noise
    assert "Traceback" not in said + noise


def test_the_page_asks_the_host_and_port_at_which_it_is_opened(tmp_path: Path) -> None:
    """It asked 127.0.0.1:4200, wherever the server was."""
    with own_server.start_server(tmp_path, "--no-services", lasting=False) as server:
        server.wait()
        settings = requests.get(server.address.replace("/api", "/ui-settings"), timeout=ANSWER_SECONDS).json()
    assert settings["api_url"] == "/api"


def test_a_shard_whose_worker_died_frees_its_place_and_runs_again(prefect_server: str) -> None:
    """Its run stayed Running, and the next waited for its place."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - imports Prefect
    from prefect.logging import disable_run_logger  # noqa: PLC0415
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415

    from flows.spread import SILENT_SECONDS, ShardRun, _judge, _listen  # noqa: PLC0415

    def create(path: str, **content: Any) -> str:
        return str(ask(prefect_server, path, content)["id"])

    def propose(run: str, kind: str) -> str:
        return str(ask(prefect_server, f"/flow_runs/{run}/set_state", {"state": {"type": kind}})["status"])

    flow = create("/flows/", name="month")
    deployment = create("/deployments/", name="one at a time", flow_id=flow, concurrency_limit=1)
    dead, waiting = (create(f"/deployments/{deployment}/create_flow_run") for _ in range(2))
    assert [propose(dead, "PENDING"), propose(dead, "RUNNING")] == ["ACCEPT", "ACCEPT"]
    assert propose(waiting, "PENDING") == "REJECT"
    with temporary_settings({PREFECT_API_URL: prefect_server}), get_client(sync_client=True) as client:
        shard = ShardRun("1/8", attempt=1, run=client.read_flow_run(dead))  # type: ignore[arg-type]
        with disable_run_logger():
            others = [create(f"/deployments/{deployment}/create_flow_run") for _ in range(20)]
            many = [ShardRun(f"{number}/21", 1, client.read_flow_run(run)) for number, run in enumerate(others, 2)]  # type: ignore[arg-type]
            _listen(client, [shard, *many])  # more than the server answers at once
            _judge(client, shard, SILENT_SECONDS)
            assert shard.run is not None
            shard.heard -= SILENT_SECONDS
            _listen(client, [shard])
            _judge(client, shard, SILENT_SECONDS)
        assert shard.run is None
        assert shard.ended is None
        assert client.read_flow_run(dead).state_name == "Crashed"  # type: ignore[arg-type]
    assert propose(waiting, "PENDING") == "ACCEPT"


def test_a_schedule_runs_until_it_is_interrupted(prefect_server: str, tmp_path: Path) -> None:
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(5))
    process = python(SERVE, str(tmp_path / "out"), str(tmp_path / "inbox"), api=prefect_server)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"ready {prefect_server}\n"
        named = {"deployments": {"name": {"any_": ["monthly"]}}}  # other tests may have made others
        (deployment,) = eventually(lambda: ask(prefect_server, "/deployments/filter", named))
        assert deployment["entrypoint"] == "flows.month.month"
        assert deployment["schedules"][0]["schedule"] == {
            "cron": "0 6 * * *",
            "timezone": "Europe/London",
            "day_or": True,
        }
        due = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
        eventually(lambda: ask(prefect_server, "/flow_runs/filter", due))  # the server has put the coming days down
        started = ask(prefect_server, f"/deployments/{deployment['id']}/create_flow_run", {})
        wanted = {"flow_runs": {"id": {"any_": [started["id"]]}, "state": {"type": {"any_": ["COMPLETED"]}}}}
        eventually(lambda: ask(prefect_server, "/flow_runs/filter", wanted))
        see_that_no_other_place_can_be_chosen(prefect_server, deployment["id"], tmp_path / "elsewhere")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert [
        each.ending for each in plain_run(RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox")).results
    ] == ["already done"]


def see_that_no_other_place_can_be_chosen(api: str, deployment: str, elsewhere: Path) -> None:
    """Anyone who could start a run could give it paths of their choice."""
    put(elsewhere / "inbox", "spend/anytown/October 2026.csv", spend(5))
    paths = {"to": str(elsewhere / "out"), "inbox": str(elsewhere / "inbox")}
    for parameters in (paths, {"period": "2026-10"} | paths):
        asked = {"parameters": parameters, "enforce_parameter_schema": False}
        answer = requests.post(f"{api}/deployments/{deployment}/create_flow_run", json=asked, timeout=ANSWER_SECONDS)
        if answer.status_code < 400:
            wanted = {"id": {"any_": [answer.json()["id"]]}, "state": {"type": {"any_": ["FAILED", "CRASHED"]}}}
            eventually(lambda: ask(api, "/flow_runs/filter", {"flow_runs": wanted}))  # noqa: B023 - called at once
    wrong = {"parameters": {"period": ["/etc"]}}
    assert (
        requests.post(f"{api}/deployments/{deployment}/create_flow_run", json=wrong, timeout=ANSWER_SECONDS).status_code
        == 409
    )
    assert not (elsewhere / "out").exists()


def test_no_flow_takes_a_path(tmp_path: Path) -> None:
    """A flow of a deployment gets its places from the environment of the worker, and says so if there are none."""
    from flows.month import month  # noqa: PLC0415 - imports Prefect

    flows = [importlib.import_module(f"flows.{name}") for name in FLOWS]
    taken = {name for module in flows for name in inspect.signature(getattr(module, module.__name__[6:]).fn).parameters}
    spreading = {"shard", "shards", "catalogue", "moment", "silent_seconds"}
    assert taken == {"period", "submission", "because", "how", "series", "number"} | spreading
    with pytest.raises(UsageError, match="PIPEROLL_STORE"):
        find_request(None)
    request = RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox", bodies=tmp_path / "bodies.csv")
    with own_server.environment(variables(request)):
        found = find_request(None)
    assert (found.to, found.inbox, found.bodies) == (request.to, request.inbox, request.bodies)
    assert month.name == "month"


def test_what_prefect_starts_imports_nothing_from_the_folder_it_starts_in(tmp_path: Path) -> None:
    """A `json.py` in the folder in which the server was started ran as part of it."""
    (tmp_path / "json.py").write_text("raise SystemExit('imported from the current folder')", "utf-8")
    with own_server.start_server(tmp_path / "home", "--no-services", lasting=False) as server:
        assert server.process is not None
        process = Path(f"/proc/{server.process.pid}/environ")
        eventually(lambda: "PYTHONSAFEPATH=1" in process.read_text("utf-8", "replace").split("\0"))
    worker = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["definitions"]["pool"]["job_variables"]["env"]
    command = [sys.executable, "-m", "prefect", "version"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONSAFEPATH": worker["PYTHONSAFEPATH"]}, capture_output=True,
        text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_run_with_nothing_to_do_starts_no_server(tmp_path: Path) -> None:
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(5))
    plain_run(RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox"))
    process = python(RUN, str(tmp_path / "out"), str(tmp_path / "inbox"), api=None)
    said, noise = process.communicate(timeout=PATIENCE_SECONDS)
    assert said.splitlines() == ["['already done (accepted)']", "False"]
    assert noise == ""


def test_two_runs_in_one_process_end(tmp_path: Path) -> None:
    """Prefect kept trying to send the events of the second run to the server of the first, which was gone."""
    for number in (1, 2):
        put(tmp_path / f"inbox{number}", "spend/anytown/October 2026.csv", spend(number))
    program = RUN + RUN.replace("argv[1]", "argv[3]").replace("argv[2]", "argv[4]")
    given = [tmp_path / name for name in ("out1", "inbox1", "out2", "inbox2")]
    process = python(program, *map(str, given), api=None)
    said, noise = process.communicate(timeout=PATIENCE_SECONDS)
    assert said.splitlines() == ["['published v1']", "True"] * 2
    assert noise == ""


def test_our_own_server_asks_for_a_password_and_refuses_other_origins(tmp_path: Path) -> None:
    """A page of another origin could run a flow with paths of its choice."""
    with own_server.start_server(tmp_path, "--no-services", lasting=False, password="secret") as server:  # noqa: S106 - made up
        server.wait()
        everyone = requests.post(f"{server.address}/flows/filter", json={}, timeout=ANSWER_SECONDS)
        us = requests.post(
            f"{server.address}/flows/filter", json={}, timeout=ANSWER_SECONDS, auth=("piperoll", "secret")
        )
        asked = {"Origin": "http://elsewhere.example", "Access-Control-Request-Method": "POST"}
        elsewhere = requests.options(f"{server.address}/flows/filter", headers=asked, timeout=ANSWER_SECONDS)
    assert (everyone.status_code, us.status_code) == (401, 200)
    assert "Access-Control-Allow-Origin" not in elsewhere.headers


def test_the_password_of_a_server_lasts_and_is_private(tmp_path: Path) -> None:
    home = tmp_path / "prefect"
    password = own_server.lasting_password(home)
    assert len(password) > 30
    assert own_server.lasting_password(home) == password
    assert (home / "password").stat().st_mode & 0o777 == 0o600


def test_our_own_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = f"""
import time
from pathlib import Path
from flows import prefect_server
with prefect_server.start_server(Path({str(tmp_path)!r})) as server:
    print(server.process.pid, flush=True)
    time.sleep(600)
"""
    process = python(program, api=None)
    assert process.stdout is not None
    server = int(process.stdout.readline())
    process.kill()
    process.communicate()
    eventually(lambda: not alive(server))


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked after does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with (
        own_server.start_server(tmp_path, "--no-such-option") as server,
        pytest.raises(ServerTrouble, match="--no-such-option"),
    ):
        server.wait()


def test_deployments_do_not_depend_on_the_folder_that_they_were_deployed_from() -> None:
    """Without `pull: []` Prefect records that folder, and a worker on another machine crashes."""
    assert yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["pull"] == []


def test_a_second_month_does_not_begin_while_one_runs(prefect_server: str) -> None:
    """By the limit of the queue, which is counted when a worker asks, and of which the run itself holds nothing."""
    name = "one-at-a-time"
    ask(prefect_server, "/work_pools/", {"name": name, "type": "process"})
    ask(prefect_server, f"/work_pools/{name}/queues", {"name": "monthly", "concurrency_limit": 1})
    flow = ask(prefect_server, "/flows/", {"name": "month"})["id"]
    given = {"name": "monthly", "flow_id": flow, "work_pool_name": name, "work_queue_name": "monthly"}
    deployment = ask(prefect_server, "/deployments/", given)["id"]
    first, second = (ask(prefect_server, f"/deployments/{deployment}/create_flow_run")["id"] for _ in range(2))

    def ready() -> set[str]:
        found = ask(prefect_server, f"/work_pools/{name}/get_scheduled_flow_runs")
        return {one["flow_run"]["id"] for one in found}

    def become(run: str, kind: str) -> dict[str, Any]:
        answer = ask(prefect_server, f"/flow_runs/{run}/set_state", {"state": {"type": kind}})
        assert answer["status"] == "ACCEPT"
        return dict(answer["state"]["state_details"])

    (begun,) = ready()
    details = [become(begun, kind) for kind in ("PENDING", "RUNNING")]
    assert {each["deployment_concurrency_lease_id"] for each in details} == {None}
    assert ready() == set()
    become(begun, "CRASHED")
    assert ready() == {first, second} - {begun}


def test_no_deployment_holds_a_lease_that_a_restarted_server_has_forgotten() -> None:
    """Prefect ended a run within minutes of a restart of its server, because it could not renew the lease."""
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    assert [one["name"] for one in deployments if one.get("concurrency_limit") is not None] == []
    (queue,) = {one["work_pool"]["work_queue_name"] for one in deployments if "work_queue_name" in one["work_pool"]}
    assert f"set-concurrency-limit {queue} 1" in (ROOT / "docs/scaling.md").read_text("utf-8")


def test_every_deployment_names_a_flow_and_parameters_that_exist() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    assert {deployment["entrypoint"] for deployment in deployments} == {f"flows.{name}.{name}" for name in FLOWS}
    for deployment in deployments:
        module, _, name = deployment["entrypoint"].rpartition(".")
        flow = getattr(importlib.import_module(module), name)
        assert set(deployment.get("parameters", ())) <= set(inspect.signature(flow.fn).parameters)
        assert deployment["enforce_parameter_schema"] is True
    settings = deployments[0]["work_pool"]["job_variables"]["env"]
    assert Settings.from_environment({name: text for name, text in settings.items() if name.startswith("PIPEROLL_")})
