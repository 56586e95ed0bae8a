"""What monitors see: the record of runs, health, metrics, logs, and what a store holds."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from piperoll import layout, logs
from piperoll.commands import maintaining
from piperoll.errors import StoreUnavailable
from piperoll.operations import pipeline, run_record
from piperoll.operations.collecting import collect_inbox
from piperoll.operations.health import check_health
from piperoll.operations.run_record import format_metrics, list_beginnings, read_last_runs, record_run
from piperoll.operations.run_request import RunRequest, Shard, current_moment
from piperoll.operations.run_summary import RunSummary
from piperoll.settings import Settings
from publishers import measure_usage, open_store
from tests.operations.inbox import put, spend

NAME = "Zebedee Quillfeather"


def recorded_run(order: RunRequest, *, fault: BaseException | None = None) -> RunSummary:
    """A run as the flow records it, with an empty catalogue; `fault` breaks it off."""
    with order.open() as run, record_run(run) as record_end:
        collected = collect_inbox(run, order)
        summary = pipeline.summarise(collected, pipeline.run_in_process(run, collected), lambda: 3)
        if fault:
            raise fault
        record_end(summary)
    return summary


@pytest.fixture
def order(tmp_path: Path) -> RunRequest:
    put(tmp_path / "inbox", f"spend/anytown/{NAME} October 2026.csv", spend(5))
    put(tmp_path / "inbox", "spend/beeford/October 2026.csv", b"no table")
    return RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox")


def health(order: RunRequest, hours: float = 26) -> Any:
    return check_health(open_store(order.to), now=current_moment(), hours=hours)


def test_a_store_without_a_run_is_not_well_and_one_with_a_run_is(order: RunRequest) -> None:
    assert health(order).problems == ("no run has ended yet",)
    recorded_run(order)
    found = health(order)
    assert (found.problems, found.running, found.interrupted, found.unprocessed) == ((), (), (), 0)
    (last,) = found.last_runs
    assert (last["outcome"], last["files"], last["pages"]) == ("completed", {"published": 1, "rejected": 1}, 3)
    assert last["rows"]["published"] == 5
    assert last["completed"] == last["ended"] > last["began"]
    time.sleep(0.01)
    assert "no run has done everything since" in health(order, hours=0).problems[0]


def test_a_run_that_fails_is_recorded_and_the_last_good_one_is_known(order: RunRequest) -> None:
    recorded_run(order)
    good = health(order).last_runs[0]["ended"]
    with pytest.raises(StoreUnavailable):
        recorded_run(order, fault=StoreUnavailable("the bucket does not answer"))
    (last,) = health(order).last_runs
    assert (last["outcome"], last["kind"], last["completed"]) == ("failed", "StoreUnavailable", good)
    assert health(order).problems == (f"the last run ended {last['ended'][:16]}: failed",)
    with pytest.raises(SystemExit):
        recorded_run(order, fault=SystemExit(143))
    assert health(order).last_runs[0]["outcome"] == "stopped"
    recorded_run(order)
    assert health(order).problems == ()


def test_a_run_that_was_killed_is_noticed_until_the_next_has_ended(order: RunRequest) -> None:
    recorded_run(order)
    store: Any = open_store(order.to)
    process = os.fork()
    if process == 0:
        os._exit(0)
    os.waitpid(process, 0)
    for number, (host, began, pid) in enumerate(
        [
            (socket.gethostname(), current_moment(), process),
            ("elsewhere", "2026-10-01T00:00:00Z", 1),
            ("elsewhere", current_moment(), 1),
            (socket.gethostname(), current_moment(), os.getppid()),
        ]
    ):
        document = {"began": began, "host": host, "process": pid}
        store.put(layout.run_at_work(began, str(number)), json.dumps(document).encode())
    found = health(order)
    assert (len(found.interrupted), len(found.running)) == (2, 2)
    assert found.problems == ("2 runs were killed: run again",)
    recorded_run(order)
    assert len(list_beginnings(store)) == 2  # those that may still be at work
    assert health(order).interrupted == ()


def test_a_run_killed_in_a_container_with_a_name_of_its_own_was_told_for_ever(order: RunRequest) -> None:
    """Each container has another name, and only runs of the same name took the record away."""
    store: Any = open_store(order.to)
    for number, (shard, silent) in enumerate([(None, 3000), (None, 30), ("1/2", 3000), ("2/2", 3000), ("2/3", 3000)]):
        began = current_moment()
        key = layout.run_at_work(began, str(number))
        of_process = {"host": f"container-{number}", "process": 1, "world": f"boot pid:[{number}]", "started": "1"}
        store.put(key, json.dumps({"began": began, "shard": shard} | of_process).encode())
        last_sign = time.time() - silent
        os.utime(store.local_path(key), (last_sign, last_sign))
    assert (len(health(order).interrupted), len(health(order).running)) == (4, 1)
    recorded_run(replace(order, shard=Shard(1, 2)))
    assert [one.shard for one in list_beginnings(store)] == [None, "2/2"]  # another shard has to be run again
    assert (len(health(order).interrupted), len(health(order).running)) == (1, 1)
    recorded_run(order)
    assert (health(order).interrupted, len(health(order).running)) == ((), 1)


def test_a_run_that_was_killed_in_a_container_with_a_fixed_name_is_noticed(order: RunRequest) -> None:
    """The next container has the same name, and a process of the same number: the run counted as going on for ever."""
    recorded_run(order)
    store: Any = open_store(order.to)
    own = {"host": socket.gethostname(), "process": os.getpid()}
    for number, (world, started, silent) in enumerate(
        [
            (run_record._find_world(), run_record._find_start(os.getpid()), 9000),  # this process, whatever its signs
            (run_record._find_world(), "1", 0),  # this number belonged to another process before
            ("another boot pid:[1]", "1", 30),
            ("another boot pid:[1]", "1", 3000),
        ]
    ):
        began = current_moment()
        key = layout.run_at_work(began, str(number))
        store.put(key, json.dumps(own | {"began": began, "world": world, "started": started}).encode())
        last_sign = time.time() - silent
        os.utime(store.local_path(key), (last_sign, last_sign))
    found = health(order)
    assert (len(found.interrupted), len(found.running)) == (2, 2)
    recorded_run(order)
    assert (len(health(order).interrupted), len(health(order).running)) == (0, 2)


def test_a_run_gives_signs_of_life_and_leaves_none(order: RunRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_record, "_BEAT_SECONDS", 0.01)
    with order.open() as run, record_run(run):
        (first,) = list_beginnings(run.store)
        path = Path(run.store.local_path(first.key) or "")
        os.utime(path, (1, 1))
        for _ in range(2000):
            if path.stat().st_mtime > 1:
                break
            time.sleep(0.01)
        (again,) = list_beginnings(run.store)
        assert again.silent < run_record._SILENT_SECONDS
        assert replace(again, silent=first.silent) == first
    assert list_beginnings(open_store(order.to)) == []


def test_a_file_that_was_received_and_not_processed_is_counted(order: RunRequest) -> None:
    recorded_run(order)
    store = open_store(order.to)
    (report,) = [key for key in store.keys(layout.REPORTS) if "beeford" in key]
    store.delete(report)
    found = health(order)
    assert (found.unprocessed, found.problems) == (1, ())
    assert found.oldest_unprocessed[:19] <= current_moment()[:19]
    time.sleep(1.1)
    assert any("is not processed since" in problem for problem in health(order, hours=0.0002).problems)


def test_the_metrics_are_open_metrics_and_written_whole(order: RunRequest, tmp_path: Path) -> None:
    path = tmp_path / "metrics" / "piperoll.prom"
    recorded_run(replace(order, settings=Settings(metrics_file=str(path))))
    text = path.read_text("utf-8")
    assert text.endswith("# EOF\n")
    assert (path.stat().st_mode & 0o777, list(path.parent.iterdir())) == (0o644, [path])
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    values = {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}
    assert values["piperoll_run_success"] == 1
    assert values['piperoll_run_files{ending="published"}'] == 1
    assert values['piperoll_run_rows{state="published"}'] == 5
    assert values["piperoll_run_ended_timestamp_seconds"] == pytest.approx(time.time(), abs=600)
    for name in values:
        assert f"# TYPE {name.partition('{')[0]} gauge" in text
    recorded = read_last_runs(open_store(order.to))
    assert "piperoll_healthy 0.0" in format_metrics(recorded, health(order, hours=0).gauges)
    assert format_metrics([]) == "# EOF\n"


def test_shards_have_records_of_their_own_and_an_earlier_number_of_shards_is_forgotten(order: RunRequest) -> None:
    store: Any = open_store(order.to)
    runs = ((None, "01", "failed"), ("3/8", "01", "failed"), ("1/2", "02", "completed"), ("2/2", "03", "completed"))
    for shard, ended, outcome in runs:
        record = {"shard": shard, "began": "2026-10-01T00:00:00Z", "ended": f"2026-10-{ended}T00:00:00Z"}
        record |= {"outcome": outcome, "completed": record["ended"]}
        store.put(layout.last_run(shard), json.dumps(record).encode())
    found = check_health(store, now="2026-10-03T01:00:00Z", hours=26)
    assert ([one["shard"] for one in found.last_runs], found.problems) == (["2/2", "1/2"], ())  # nor the whole run
    assert 'piperoll_run_success{shard="1/2"} 1' in format_metrics(list(found.last_runs))


def test_a_shard_that_has_not_run_for_days_is_noticed_though_another_has(order: RunRequest) -> None:
    store: Any = open_store(order.to)

    def record_shard(shard: str, day: str) -> None:
        record = {"shard": shard, "began": "2026-10-01T00:00:00Z", "ended": f"2026-10-{day}T00:00:00Z"}
        record |= {"outcome": "completed", "completed": record["ended"]}
        store.put(layout.last_run(shard), json.dumps(record).encode())

    record_shard("2/2", "09")
    assert check_health(store, now="2026-10-09T01:00:00Z", hours=26).problems == ("no run has done everything yet",)
    record_shard("1/2", "05")
    found = check_health(store, now="2026-10-09T01:00:00Z", hours=26)
    assert found.problems == ("no run has done everything since 2026-10-05T00:00",)


def test_a_run_logs_its_files_without_a_name(order: RunRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, logger = io.StringIO(), logging.getLogger("piperoll")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    logger.addHandler(handler)
    monkeypatch.setattr(logger, "level", logging.INFO)
    logger.manager._clear_cache()  # type: ignore[attr-defined]  # whether a level is enabled is cached
    try:
        recorded_run(order)
    finally:
        logger.removeHandler(handler)
        monkeypatch.undo()
        logger.manager._clear_cache()  # type: ignore[attr-defined]
    logged = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [one["event"] for one in logged] == ["run begins", "file", "file", "run ends"]
    by_body = {one["body"]: one for one in logged if one["event"] == "file"}
    assert (by_body["anytown"]["ending"], by_body["anytown"]["published"]) == ("published", 5)
    assert by_body["beeford"]["reason"]
    assert logged[-1]["outcome"] == "completed"
    assert NAME not in stream.getvalue()


def test_stats_count_every_object_once(order: RunRequest, capsys: pytest.CaptureFixture[str]) -> None:
    months = [time.strftime("%Y-%m", time.gmtime())]
    recorded_run(order)
    store = open_store(order.to)
    store.create(layout.examined_by("spend", "anytown", "basis"), b"")  # it counted as of a body `examined-by`
    store.create(layout.chase_claim("anytown", "digest", 1), b"{}")
    usage, keys = measure_usage(store), list(store.keys(""))
    size = sum(len(store.read(key).content) for key in keys)
    assert (usage.total.objects, usage.total.bytes) == (len(keys), size)
    for groups in (usage.prefixes, usage.kinds, usage.months):
        assert sum(one.objects for one in groups.values()) == len(keys)
        assert sum(one.bytes for one in groups.values()) == size
    assert {*usage.bodies} == {"anytown", "beeford"}
    of_anytown = [key for key in keys if "/anytown/" in key]
    assert usage.bodies["anytown"].bytes >= sum(len(store.read(key).content) for key in of_anytown)
    assert {*usage.months} <= {*months, time.strftime("%Y-%m", time.gmtime())}
    maintaining.stats(order.to, price=20.0)
    assert "data/ parquet" in capsys.readouterr().out
    maintaining.stats(order.to, price=1e6, as_json=True)
    assert json.loads(capsys.readouterr().out)["pounds_a_month"] == pytest.approx(size / 1e3, abs=0.01)
