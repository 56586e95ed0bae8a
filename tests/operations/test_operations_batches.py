"""Batches of bodies, in this process and in others: what comes out is always the same, and a crash costs a retry."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from piperoll.errors import EngineDisagreement, PointerMoved, StoreCorrupt
from piperoll.model import Submission
from piperoll.operations import batch_workers, batches, pipeline, steps, worker_processes
from piperoll.operations.batch_workers import process_in_workers
from piperoll.operations.batches import Batch, process_bodies, retrying, run_in_batches
from piperoll.operations.collecting import collect_inbox
from piperoll.operations.examined import ExaminedFile
from piperoll.operations.pipeline import BodyFiles, Steps
from piperoll.operations.run_request import Run, RunRequest, open_run
from piperoll.operations.run_summary import Ending, FileResult, Progress, Watcher, failure
from piperoll.operations.worker_processes import Workers
from publishers import open_store
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.operations.inbox import contents, put, spend

MOMENT = "2026-11-02T06:00:00.000000Z"
BODIES = ("anytown", "beeford", "centon", "deeford")


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four bodies: two months, files that claim one series, a file that is held, and the same bytes from two bodies."""
    folder = tmp_path_factory.mktemp("inbox")
    put(folder, "spend/anytown/October 2026.csv", spend(8))
    put(folder, "spend/anytown/September 2026.csv", spend(5, month="09/2026"))
    put(folder, "spend/beeford/October 2026 a.csv", spend(6))
    put(folder, "spend/beeford/October 2026 b.csv", spend(7))
    put(folder, "spend/centon/October 2026.csv", spend(8))
    put(folder, "spend/deeford/page.csv", b"<!doctype html><title>404</title>")
    return folder


def run_all(inbox: Path, to: Path, lanes: int, *, processes: bool, watcher: Watcher | None = None) -> list[FileResult]:
    """Run an inbox, without the catalogue, at a moment that is always the same."""
    with (
        open_run(str(to), moment=MOMENT, watcher=watcher) as run,
        Workers(run) as workers,
        ThreadPoolExecutor(lanes) as threads,
    ):

        def process(batch: Batch) -> list[FileResult]:
            if processes:
                return process_in_workers(workers, batch.bodies)
            return [result for results in process_bodies(run, batch.bodies) for result in results]

        bodies = pipeline.group_by_body(run, collect_inbox(run, RunRequest(to=str(to), inbox=inbox)))
        done = run_in_batches(bodies, lanes, lambda batch: threads.submit(process, batch))
        return [result for _, future in done for result in future.result()]


def stored(to: Path) -> dict[str, str]:
    """Everything in a store except the log of what changed, whose keys are random."""
    return {key: digest for key, digest in contents(open_store(str(to))).items() if "/changed/" not in key}


@pytest.fixture(scope="module")
def alone(inbox: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The store that all bodies in one batch give, in this process."""
    to = tmp_path_factory.mktemp("alone") / "out"
    run_all(inbox, to, 1, processes=False)
    return stored(to)


@pytest.mark.parametrize("processes", [False, True])
def test_the_store_is_the_same_whatever_the_batches_and_processes(
    inbox: Path, tmp_path: Path, alone: dict[str, str], monkeypatch: pytest.MonkeyPatch, processes: bool
) -> None:
    monkeypatch.setattr(batches, "MOST_FILES", 1)
    results = run_all(inbox, tmp_path / "out", 2, processes=processes)
    assert sorted(result.brief for result in results) == [
        "held (series-claimed-twice)",
        "held (series-claimed-twice)",
        "published v1",
        "published v1",
        "published v1",
        "rejected (file-is-html)",
    ]
    assert stored(tmp_path / "out") == alone


def test_a_worker_that_is_killed_costs_a_retry(
    inbox: Path, tmp_path: Path, alone: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed as by the system when memory runs out, once it has sent its first result."""
    every: list[Workers] = []
    seen: list[str] = []
    begin = Workers.__init__

    def remembered(workers: Workers, run: Run) -> None:
        begin(workers, run)
        every.append(workers)

    def kill_at_first(progress: Progress) -> None:
        if not seen:
            (pid,) = every[0].pids()
            os.kill(pid, signal.SIGKILL)
        seen.append(progress.last.file)

    monkeypatch.setattr(Workers, "__init__", remembered)
    results = run_all(inbox, tmp_path / "out", 1, processes=True, watcher=kill_at_first)
    assert len(results) == 6
    assert sorted(seen) == sorted(result.file for result in results), "each file is counted once"
    assert "failed" not in {str(result.ending) for result in results}
    assert stored(tmp_path / "out") == alone
    assert every[0].pids() == []


def test_a_file_that_kills_its_process_each_time_has_failed_and_the_others_have_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in BODIES:
        put(tmp_path / "inbox", f"spend/{name}/page.csv", b"<!doctype html><title>404</title>")
    program = """
import os, signal
from piperoll.operations import batches, steps
examine = steps.examine
def fatal(run, submission):
    if submission.body == "centon":
        os.kill(os.getpid(), signal.SIGKILL)
    return examine(run, submission)
steps.examine = fatal
from piperoll.operations.worker_processes import work
work()
"""
    monkeypatch.setattr(worker_processes, "_PROGRAM", program)
    results = run_all(tmp_path / "inbox", tmp_path / "out", 1, processes=True)
    (failed,) = [result for result in results if str(result.ending) == "failed"]
    assert (failed.body, failed.kind) == ("centon", "WorkerDied")
    assert "was killed (SIGKILL), and again when it was tried alone: if memory ran out" in str(failed.why)
    assert [result.body for result in results if str(result.ending) == "rejected"] == ["anytown", "beeford", "deeford"]


def no_process(*_arguments: Any, **_options: Any) -> None:
    raise BlockingIOError("no more processes")


def test_where_no_process_can_be_made_the_run_does_the_work_itself(
    inbox: Path, tmp_path: Path, alone: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_processes.subprocess, "Popen", no_process)
    run_all(inbox, tmp_path / "out", 1, processes=True)
    assert stored(tmp_path / "out") == alone


def test_a_file_that_failed_before_its_worker_died_and_not_when_tried_again_has_not_failed(tmp_path: Path) -> None:
    (sent, _), *_ = body("anytown", 10).files
    failed, refused = failure(sent, "the store did not answer"), failure(sent, "purged", Ending.REFUSED)
    with open_run(str(tmp_path / "out"), moment=MOMENT) as run:
        outcome = batch_workers._Outcome(run, [body("anytown", 10)])
        outcome.count(failed)
        outcome.finish(0, [refused])
        assert outcome.results() == [refused]


def test_where_processes_cannot_be_started_the_run_does_the_work_itself(
    inbox: Path, tmp_path: Path, alone: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_processes, "_PROGRAM", "raise SystemExit(1)")
    run_all(inbox, tmp_path / "out", 1, processes=True)
    assert stored(tmp_path / "out") == alone


def test_a_disagreement_is_of_the_body_it_was_found_in_though_another_sent_the_same_bytes(
    inbox: Path, tmp_path: Path
) -> None:
    def audit(files: Sequence[ExaminedFile]) -> list[Exception | None]:
        together.append(len(files))
        return [EngineDisagreement("a rule differs") if file.submission.body == "centon" else None for file in files]

    together: list[int] = []
    with open_run(str(tmp_path / "out"), moment=MOMENT) as run:
        bodies = pipeline.group_by_body(run, collect_inbox(run, RunRequest(to=run.to, inbox=inbox)))
        results = process_bodies(run, bodies, Steps(audit=audit))
    assert together[0] == 5, "what all bodies publish is audited in one call"
    assert [[str(result.ending) for result in of_body] for of_body in results] == [
        ["published", "published"],
        ["held", "held"],
        ["failed"],
        ["rejected"],
    ]


def test_a_bug_in_one_body_of_a_batch_does_not_stop_the_others(inbox: Path, tmp_path: Path) -> None:
    def audit(files: Sequence[ExaminedFile]) -> list[Exception | None]:
        return [None] * len(files)

    def breaks(run: Run, body: BodyFiles, examined: Any) -> Any:
        if body.body == "anytown":
            raise ZeroDivisionError
        return settle(run, body, examined)

    settle = pipeline.settle_claims
    with open_run(str(tmp_path / "out"), moment=MOMENT) as run, pytest.MonkeyPatch.context() as patched:
        patched.setattr(pipeline, "settle_claims", breaks)
        bodies = pipeline.group_by_body(run, collect_inbox(run, RunRequest(to=run.to, inbox=inbox)))
        results = process_bodies(run, bodies, Steps(audit=audit))
    assert [{str(result.ending) for result in of_body} for of_body in results] == [
        {"failed"},
        {"held"},
        {"published"},
        {"rejected"},
    ]


@pytest.mark.parametrize("again", [True, False])
def test_trouble_with_a_body_that_has_no_new_files_is_a_failure_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """Held files, or nothing but a decision to settle: it was in no result, and the run ended as if all was well."""

    def broken(*_: Any) -> None:
        raise StoreCorrupt("the log of decisions cannot be read")

    monkeypatch.setattr(pipeline.decisions, "list_known", broken)
    (sent, _), *_ = body("anytown", 10).files
    with open_run(str(tmp_path / "out"), moment=MOMENT) as run:
        ((result,),) = process_bodies(run, [BodyFiles("spend", "anytown", again=(sent,) if again else ())])
    assert (str(result.ending), result.kind) == ("failed", "StoreCorrupt")
    assert result.file == (sent.origin if again else "spend/anytown")


def body(name: str, size: int) -> BodyFiles:
    """A body with one file of the given size in bytes."""
    sent = Submission(name, size, f"{name}.csv", "spend", name, f"spend/{name}/{name}.csv", MOMENT)
    return BodyFiles("spend", name, ((sent, Path(sent.origin)),))


def test_every_body_is_in_one_batch_and_the_largest_come_first() -> None:
    sizes = {f"body-{number:02}": 1000 + number for number in range(60)}
    submitted: list[Batch] = []

    def submit(batch: Batch) -> Future[None]:
        submitted.append(batch)
        ended: Future[None] = Future()
        ended.set_result(None)
        return ended

    run_in_batches([body(name, size) for name, size in sizes.items()], 2, submit)
    names = [one.body for batch in submitted for one in batch.bodies]
    assert sorted(names) == sorted(sizes)
    assert submitted[0].bodies[0].body == max(names[: submitted[0].files])
    assert [batch.number for batch in submitted] == list(range(1, len(submitted) + 1))
    assert all(1 <= batch.files <= batches.MOST_FILES for batch in submitted)
    assert submitted[0].of_many


def test_a_large_file_is_a_batch_by_itself_and_few_files_need_no_processes() -> None:
    with ThreadPoolExecutor(2) as threads:
        done = run_in_batches(
            [body("huge", batches.MOST_BYTES + 1), body("small", 10), body("smaller", 5)],
            2,
            lambda batch: threads.submit(lambda: batch.of_many),
        )
    assert [[one.body for one in batch.bodies] for batch, _ in done] == [["huge"], ["small", "smaller"]]
    assert [future.result() for _, future in done] == [False, False]


def test_what_is_collected_early_is_begun_while_the_rest_is_awaited() -> None:
    begun = threading.Event()

    def slowly() -> Iterator[BodyFiles]:
        yield body("early", 10)
        assert begun.wait(PATIENCE_SECONDS), "it waited for the others"
        yield body("late", 10)

    with ThreadPoolExecutor(1) as threads:
        done = run_in_batches(slowly(), 1, lambda _: threads.submit(begun.set))
    assert [[one.body for one in batch.bodies] for batch, _ in done] == [["early"], ["late"]]


def test_trouble_with_collecting_is_raised_when_what_runs_has_ended() -> None:
    ended: list[Batch] = []

    def broken() -> Iterator[BodyFiles]:
        yield body("early", 10)
        raise StoreCorrupt("the store is broken")

    with ThreadPoolExecutor(1) as threads, pytest.raises(StoreCorrupt):
        run_in_batches(broken(), 1, lambda batch: threads.submit(ended.append, batch))
    assert len(ended) <= 1


def test_only_an_error_that_may_go_away_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    errors: list[Exception] = [PointerMoved("moved"), PointerMoved("moved")]

    def step(value: int) -> int:
        if errors:
            raise errors.pop()
        return value

    assert retrying(step, 3)(7) == 7
    assert waited == [2, 4]
    errors[:] = [StoreCorrupt("broken")]
    with pytest.raises(StoreCorrupt):
        retrying(step, 3)(7)
    errors[:] = [PointerMoved("moved")] * 4
    with pytest.raises(PointerMoved):
        retrying(step, 3)(7)
    assert waited == [2, 4, 2, 4, 8]


def test_the_steps_of_a_run_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    calls: list[str] = []

    def moved(*_: Any) -> Any:
        calls.append("publish")
        raise PointerMoved("moved")

    monkeypatch.setattr(steps, "publish", moved)
    with pytest.raises(PointerMoved):
        batches.steps_with_retries(2).publish(*[None] * 3)  # type: ignore[list-item,arg-type]
    assert calls == ["publish"] * 3
