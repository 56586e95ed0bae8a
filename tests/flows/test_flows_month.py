"""The monthly flow under Prefect's test harness, from an inbox and from a server that misbehaves."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import prefect_server
from flows.run import run_month
from piperoll.operations import pipeline
from piperoll.operations.examined import ExaminedFile
from piperoll.operations.pipeline import BodyFiles, Claim
from piperoll.operations.run_request import Run, RunRequest
from piperoll.operations.run_summary import Progress, RunSummary
from piperoll.settings import Settings
from publishers import open_store
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.flows.web_server import Web
from tests.operations.inbox import contents, put, spend

OPEN = Settings(allow_private_addresses=True, retries=1, timeout_seconds=PATIENCE_SECONDS)

pytestmark = pytest.mark.usefixtures("harness")


@pytest.fixture(scope="module")
def server() -> Iterator[Web]:
    with Web() as running:
        yield running


def run_flow(request: RunRequest) -> RunSummary:
    """Run the month with the server of the test harness, as an operator's server."""
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415 - after the harness has set it

    with prefect_server.environment({"PREFECT_API_URL": PREFECT_API_URL.value()}):
        return run_month(request)


def sources(folder: Path, *tables: str) -> Path:
    path = folder / "sources.toml"
    path.write_text("\n".join(f'[[source]]\nbody = "anytown"\ndataset = "spend"\n{table}' for table in tables), "utf-8")
    return path


def test_the_flow_publishes_and_reports_progress(tmp_path: Path) -> None:
    put(tmp_path / "inbox", "spend/anytown/Spend October 2026.csv", spend(5))
    put(tmp_path / "inbox", "spend/beeford/Spend October 2026.csv", spend(6))
    put(tmp_path / "inbox", "gpc/beeford/Cards October 2026.csv", spend(7))
    seen: list[Progress] = []
    summary = run_flow(RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox", watcher=seen.append))
    assert [result.outcome for result in summary.results] == ["published v1"] * 3
    assert {result.part for result in summary.results} == {None, "card"}
    assert sorted(step.done for step in seen) == [1, 2, 3]
    assert "catalogue/index.html" in contents(open_store(str(tmp_path / "out")), "catalogue/")
    assert not summary.failed


def test_the_flow_takes_text_and_returns_the_summary(tmp_path: Path) -> None:
    """As a worker of an existing server calls it: with its places in the environment."""
    from flows.month import month  # noqa: PLC0415

    put(tmp_path / "inbox", "spend/anytown/October.csv", spend(5))
    places = {"PIPEROLL_STORE": str(tmp_path / "out"), "PIPEROLL_INBOX": str(tmp_path / "inbox")}
    with prefect_server.environment(places):
        summary = month(period="2026-10")
    assert [(result.period, result.outcome) for result in summary.results] == [("2026-10", "published v1")]


def test_a_month_from_the_web(server: Web, tmp_path: Path) -> None:
    """Tried again after a 500, followed from a page, told of what is not there; asked for politely the second time."""
    path = sources(
        tmp_path,
        f'url = "{server.address}/shaky/Spend-{{Month}}-{{yyyy}}.csv"\nlook_back = 1',
        f'page = "{server.address}/page"\nlinks = "Cards"\npart = "card"',
        f'url = "{server.address}/missing/spend.csv"',
    )
    order = RunRequest(to=str(tmp_path / "out"), sources=path, settings=OPEN)
    first = run_flow(order)
    assert sorted(result.outcome for result in first.results) == ["published v1", "published v1"]
    assert [("404" in miss.why, miss.retryable) for miss in first.missed] == [(True, False)]
    assert not first.failed
    again = run_flow(order)
    assert {result.ending for result in again.results} == {"already done"}
    assert (again.changed, again.rows) == (False, first.rows)
    assert server.statuses[-4:].count(304) == 2


def test_every_response_is_logged_with_its_hash(server: Web, tmp_path: Path) -> None:
    path = sources(
        tmp_path, f'url = "{server.address}/tagged/Spend October 2026.csv"', f'url = "{server.address}/gone"'
    )
    order = RunRequest(to=str(tmp_path / "out"), sources=path, settings=OPEN)
    (result,) = run_flow(order).results
    store = open_store(order.to)
    fetches = [json.loads(store.read(key).content) for key in store.keys("collected/anytown/spend/fetches/")]
    assert sorted((one["status"], one["sha256"]) for one in fetches) == [(200, result.sha256), (410, None)]
    (record,) = (key for key in store.keys("collected/") if "/received-" in key)
    response = json.loads(store.read(record).content)["response"]
    assert (response["status"], response["sha256"], response["bytes"]) == (200, result.sha256, len(server.payments))


def test_a_file_that_was_fetched_but_not_done_is_asked_for_again_in_full(server: Web, tmp_path: Path) -> None:
    path = sources(tmp_path, f'url = "{server.address}/tagged/Spend October 2026.csv"')
    order = RunRequest(to=str(tmp_path / "out"), sources=path, settings=OPEN)
    run_flow(order)
    store = open_store(order.to)
    for key in list(store.keys("reports/")):
        store.delete(key)
    (result,) = run_flow(order).results
    assert result.outcome == "published v1"


def test_a_site_that_stays_down_is_named_and_does_not_fail_the_run(server: Web, tmp_path: Path) -> None:
    path = sources(tmp_path, f'url = "{server.address}/down"', f'url = "{server.address}/tagged/October 2026.csv"')
    summary = run_flow(RunRequest(to=str(tmp_path / "out"), sources=path, settings=OPEN))
    assert [result.outcome for result in summary.results] == ["published v1"]
    (missed,) = summary.missed
    assert (missed.body, missed.retryable, missed.ours) == ("anytown", True, False)
    assert missed.since is not None
    assert not summary.failed
    assert server.count("/down") == 2


def test_private_addresses_are_not_asked_unless_allowed(server: Web, tmp_path: Path) -> None:
    before = len(server.statuses)
    path = sources(tmp_path, f'url = "{server.address}/tagged/October 2026.csv"')
    summary = run_flow(RunRequest(to=str(tmp_path / "out"), sources=path, settings=Settings(retries=1)))
    assert "private network" in summary.missed[0].why
    assert len(server.statuses) == before


def test_a_bug_in_one_body_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files have failed, and so has the run."""
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(5))
    put(tmp_path / "inbox", "spend/beeford/October 2026.csv", spend(6))
    settle = pipeline.settle_claims

    def breaks(run: Run, files: BodyFiles, examined: list[ExaminedFile]) -> list[Claim]:
        if files.body == "anytown":
            raise ZeroDivisionError
        return settle(run, files, examined)

    monkeypatch.setattr(pipeline, "settle_claims", breaks)
    summary = run_flow(RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox"))
    assert [result.ending for result in summary.results] == ["failed", "published"]
    assert "ZeroDivisionError" in (summary.results[0].why or "")
    assert summary.failed


def test_nothing_of_prefect_reaches_the_screen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(5))
    run_flow(RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox"))
    assert capfd.readouterr() == ("", "")
    assert "prefect" in sys.modules
