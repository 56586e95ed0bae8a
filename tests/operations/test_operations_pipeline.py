"""Runs without Prefect: which versions are published, what is held, and how interrupted runs resume."""

from __future__ import annotations

import errno
import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.run import run_month
from piperoll import assets, layout
from piperoll.describing import catalogue
from piperoll.errors import StoreUnavailable, UsageError
from piperoll.model import Period, Series, Verdict
from piperoll.operations import pipeline, run_request, steps
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.collecting import CollectedFiles, collect_inbox
from piperoll.operations.pipeline import Steps
from piperoll.operations.release import release
from piperoll.operations.replay import replay
from piperoll.operations.run_request import Run, RunRequest
from piperoll.operations.run_summary import Ending, FileResult, Progress
from publishers import open_store, read_history
from tests.fixtures.dying_store import DyingStore, Killed
from tests.operations.inbox import contents, plain_run, put, spend

OCTOBER = Series("spend", "anytown", Period.month(2026, 10))


@pytest.fixture
def order(tmp_path: Path) -> RunRequest:
    (tmp_path / "inbox").mkdir()
    return RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox")


def inbox(order: RunRequest) -> Path:
    assert order.inbox is not None
    return order.inbox


def outcomes(results: Any) -> dict[str, str]:
    return {result.file.rpartition("/")[2]: result.outcome.partition(":")[0] for result in results}


def test_files_are_published_reported_and_catalogued(order: RunRequest) -> None:
    put(inbox(order), "spend/anytown/Spend October 2026.csv", spend(10))
    put(inbox(order), "spend/beeford/page.csv", b"<!doctype html><title>404</title>")
    put(inbox(order), "reference/x/y.csv", b"a,b\n")
    seen: list[Progress] = []
    summary = plain_run(replace(order, watcher=seen.append))
    assert outcomes(summary.results) == {"Spend October 2026.csv": "published v1", "page.csv": "rejected"}
    assert [one.path for one in summary.left_out] == ["reference"]
    assert (summary.rows.read, summary.rows.published, str(summary.pounds.published)) == (10, 10, "6385.00")
    assert [(step.done, step.total) for step in seen] == [(1, 2), (2, 2)]
    assert (summary.changed, summary.failed) == (True, False)
    there = contents(open_store(order.to))
    assert {key.partition("/")[0] for key in there} == {
        "archive",
        "catalogue",
        "collected",
        "data",
        "mappings",
        "reports",
    }


def test_a_second_run_changes_nothing_and_says_so(order: RunRequest) -> None:
    put(inbox(order), "spend/anytown/Spend October 2026.csv", spend(10))
    first = plain_run(order)
    before = contents(open_store(order.to))
    second = plain_run(order)
    assert outcomes(second.results) == {"Spend October 2026.csv": "already done (accepted)"}
    assert (second.changed, second.pages) == (False, 0)
    assert second.rows == first.rows
    assert contents(open_store(order.to)) == before


def test_a_correction_in_a_later_run_is_the_next_version(order: RunRequest) -> None:
    put(inbox(order), "spend/anytown/Spend October 2026.csv", spend(10))
    plain_run(order, catalogued=False)
    put(inbox(order), "spend/anytown/Spend October 2026 corrected.csv", spend(11))
    summary = plain_run(order, catalogued=False)
    assert outcomes(summary.results)["Spend October 2026 corrected.csv"] == "published v2"


def test_half_a_file_does_not_replace_a_whole_one(order: RunRequest) -> None:
    put(inbox(order), "spend/anytown/Spend October 2026.csv", spend(10))
    plain_run(order, catalogued=False)
    put(inbox(order), "spend/anytown/October 2026 again.csv", spend(5))
    summary = plain_run(order, catalogued=False)
    held = next(result for result in summary.results if result.file.endswith("again.csv"))
    assert (held.verdict, held.rows.published, held.rows.held) == (Verdict.HELD, 0, 5)
    assert "5 rows" in (held.why or "")
    history, _ = read_history(open_store(order.to), OCTOBER)
    assert history.current == 1


def test_two_files_of_one_run_for_one_series_are_both_held(order: RunRequest) -> None:
    put(inbox(order), "spend/anytown/October 2026 a.csv", spend(10))
    put(inbox(order), "spend/anytown/October 2026 b.csv", spend(12))
    summary = plain_run(order, catalogued=False)
    assert outcomes(summary.results) == {"October 2026 a.csv": "held", "October 2026 b.csv": "held"}
    assert "'October 2026 b.csv'" in (summary.results[0].why or "")
    assert read_history(open_store(order.to), OCTOBER)[0].current is None


def test_the_same_rows_twice_are_published_once(order: RunRequest) -> None:
    put(inbox(order), "spend/anytown/October 2026 a.csv", spend(10))
    put(inbox(order), "spend/anytown/October 2026 b.csv", spend(10).replace(b"\r\n", b"\n"))
    summary = plain_run(order, catalogued=False)
    assert sorted(outcomes(summary.results).values()) == ["published v1", "same rows v1"]


def test_the_same_bytes_twice_are_examined_once(order: RunRequest) -> None:
    put(inbox(order), "spend/anytown/October 2026 a.csv", spend(10))
    put(inbox(order), "spend/anytown/October 2026 b.csv", spend(10))
    summary = plain_run(order, catalogued=False)
    assert list(outcomes(summary.results).values()) == ["published v1", "already done (accepted)"]


def test_files_are_published_in_the_order_of_their_periods(order: RunRequest) -> None:
    for name, month in (("a", "11/2026"), ("b", "09/2026"), ("c", "10/2026")):
        put(inbox(order), f"spend/anytown/{name}.csv", spend(10, month=month))
    seen: list[Progress] = []
    plain_run(replace(order, watcher=seen.append), catalogued=False)
    assert [step.last.period for step in seen] == ["2026-09", "2026-10", "2026-11"]


def test_a_held_file_is_published_once_its_period_is_given(order: RunRequest) -> None:
    content = b"Supplier Name,Amount\r\nAcorn Roofing Ltd,700.00\r\nBeech Tree Services plc,900.00\r\n"
    put(inbox(order), "spend/anytown/payments.csv", content)
    first = plain_run(order, catalogued=False)
    given = plain_run(replace(order, period=Period.parse("2026-10")), catalogued=False)
    again = plain_run(replace(order, period=Period.parse("2026-10")), catalogued=False)
    assert first.results[0].ending not in ("published", "already done")
    assert given.results[0].outcome == "published v1"
    assert again.results[0].ending == "already done"


def test_an_inbox_and_sources_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="either an inbox folder or a sources file"):
        RunRequest(to="out", inbox=tmp_path, sources=tmp_path)


def killed_at(moment: int) -> Steps:
    """Steps that crash at the call with this number, counted over all of them."""
    calls = 0

    def mortal(step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == moment:
                raise Killed
            return step(*given)

        return call

    return Steps(mortal(steps.receive), mortal(steps.examine), mortal(steps.publish))


def five_files(inbox: Path) -> Path:
    """Two files for one series, two good ones of which the later repeats a row, and one that is a web page."""
    put(inbox, "spend/anytown/October 2026 a.csv", spend(3))
    put(inbox, "spend/anytown/October 2026 b.csv", spend(4))
    august = spend(3, month="08/2026")
    put(inbox, "spend/anytown/August 2026.csv", august)
    put(inbox, "spend/anytown/September 2026.csv", spend(3, month="09/2026") + august.splitlines(keepends=True)[-1])
    put(inbox, "spend/anytown/page.csv", b"<!doctype html><title>404</title>")
    return inbox


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    order = RunRequest(to=str(folder / "out"), inbox=five_files(folder / "inbox"))
    plain_run(order, catalogued=False)
    return standing(order)


@pytest.mark.parametrize("moment", [8, 10, 11, 12, 13, 14, 15])
def test_a_run_that_is_killed_before_any_step_comes_to_the_same_end(
    order: RunRequest, uninterrupted: dict[str, Any], moment: int
) -> None:
    """Receiving and examining are the first ten steps, publishing the last five."""
    five_files(inbox(order))
    with order.open() as run:
        (files,) = pipeline.group_by_body(run, collect_inbox(run, order))
        with pytest.raises(Killed):
            pipeline.process_body(run, files, killed_at(moment))
    plain_run(order, catalogued=False)
    assert standing(order) == uninterrupted


@pytest.mark.parametrize("writes", [3, 14, 21, 24, 27, 30, 33, 37, 45, 52])
def test_a_run_that_is_killed_before_any_write_comes_to_the_same_end(
    order: RunRequest, uninterrupted: dict[str, Any], monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """Between publishing and filing the report, too: the next run finds its own version there."""
    five_files(inbox(order))
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(run_request, "open_store", lambda to: DyingStore(open_store(to), writes))
        plain_run(order, catalogued=False)
    plain_run(order, catalogued=False)
    assert standing(order) == uninterrupted


def test_a_run_can_be_sent_to_another_process(order: RunRequest) -> None:
    """Tasks take a run, submissions and what examining hands over, so any worker can execute them."""
    put(inbox(order), "spend/anytown/October 2026.csv", spend(3))
    with order.open() as run:
        (files,) = pipeline.group_by_body(run, collect_inbox(run, order))
        there, files = pickle.loads(pickle.dumps((run, files)))  # noqa: S301 - our own bytes
        assert len(pickle.dumps((there, files))) < 5_000
        submission, path = files.files[0]
        steps.receive(there, submission, path)
        examined = steps.examine(there, submission)
        elsewhere, examined = pickle.loads(pickle.dumps((run, examined)))  # noqa: S301 - our own bytes
        assert steps.publish(elsewhere, examined).outcome == "published v1"


def standing(order: RunRequest) -> dict[str, Any]:
    """Everything public except the times of publishing."""
    store = open_store(order.to)
    timed = ("versions.json", "/index-")
    seen = contents(store, "data/", "reports/").items()
    there = {key: tag for key, tag in seen if not any(name in key for name in timed)}
    return there | {"current": read_history(store, replace(OCTOBER, period=Period.month(2026, 9)))[0].current}


def test_an_error_with_one_file_does_not_stop_the_others(order: RunRequest) -> None:
    put(inbox(order), "spend/anytown/October 2026.csv", spend(3))
    put(inbox(order), "spend/anytown/September 2026.csv", spend(3, month="09/2026"))
    with order.open() as run:

        def examine(run: Run, submission: Any) -> Any:
            if submission.name.startswith("October"):
                raise StoreUnavailable("the store does not answer")
            return steps.examine(run, submission)

        collected = collect_inbox(run, order)
        (files,) = pipeline.group_by_body(run, collected)
        results = pipeline.process_body(run, files, Steps(examine=examine))
        summary = pipeline.summarise(collected, results, lambda: build_catalogue(run))
    assert outcomes(summary.results) == {"October 2026.csv": "failed", "September 2026.csv": "published v1"}
    assert summary.failed
    assert outcomes(plain_run(order).results)["October 2026.csv"] == "published v1"


def test_a_bug_that_one_file_meets_does_not_stop_the_others_of_its_body(order: RunRequest) -> None:
    """A number of 300 digits failed all files of its body."""
    put(inbox(order), "spend/anytown/October 2026.csv", spend(3))
    put(inbox(order), "spend/anytown/September 2026.csv", spend(3, month="09/2026"))
    with order.open() as run:

        def examine(run: Run, submission: Any) -> Any:
            if submission.name.startswith("October"):
                raise OverflowError("too large")
            return steps.examine(run, submission)

        (files,) = pipeline.group_by_body(run, collect_inbox(run, order))
        results = pipeline.process_body(run, files, Steps(examine=examine))
        assert [result.ending for result in results] == [Ending.FAILED, Ending.PUBLISHED]
        why, _, key = str(results[0].why).partition(". Its traceback is in ")
        assert why == "a bug in Piperoll: OverflowError: too large"
        kept = json.loads(run.store.read(key).content)
        assert kept["traceback"][-1] == "OverflowError: too large"
        assert any("in examine" in line for line in kept["traceback"])


def test_a_file_that_is_removed_meanwhile_does_not_stop_the_others(order: RunRequest) -> None:
    put(inbox(order), "spend/anytown/October 2026.csv", spend(3))
    put(inbox(order), "spend/anytown/September 2026.csv", spend(3, month="09/2026"))
    put(inbox(order), "spend/beeford/October 2026.csv", spend(4))
    with order.open() as run:
        collected = collect_inbox(run, order)
        (inbox(order) / "spend/anytown/October 2026.csv").unlink()
        assert not pipeline.nothing_new(run, collected)
        results = pipeline.run_in_process(run, collected)
    assert [(result.file, str(result.ending)) for result in results] == [
        ("spend/anytown/October 2026.csv", "failed"),
        ("spend/anytown/September 2026.csv", "published"),
        ("spend/beeford/October 2026.csv", "published"),
    ]
    assert results[0].why is not None
    assert "cannot be read: No such file" in results[0].why


def test_a_full_disk_is_told_with_what_to_do(order: RunRequest) -> None:
    """It ended the run with a traceback."""
    put(inbox(order), "spend/anytown/October 2026.csv", spend(3))
    with order.open() as run:

        def examine(run: Run, submission: Any) -> Any:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(run.scratch / "x"))

        (files,) = pipeline.group_by_body(run, collect_inbox(run, order))
        (result,) = pipeline.process_body(run, files, Steps(examine=examine))
    assert "No space left on device" in result.outcome
    assert "make room on the disk of the store and of TMPDIR" in result.outcome


def test_a_catalogue_that_cannot_be_built_is_reported_with_the_results(order: RunRequest) -> None:
    def no_catalogue() -> int:
        raise StoreUnavailable("the store does not answer")

    summary = pipeline.summarise(CollectedFiles(), [], no_catalogue)
    assert (summary.trouble, summary.failed) == ("the store does not answer", True)


def test_a_bug_in_the_catalogue_is_reported_by_run_release_and_replay(
    order: RunRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("pages")

    put(inbox(order), "spend/anytown/October 2026 a.csv", spend(10))
    put(inbox(order), "spend/anytown/October 2026 b.csv", spend(5))
    plain_run(order)
    held = next(one for one in plain_run(order).results if one.file.endswith("b.csv"))
    open_store(order.to).delete("catalogue/index.html")  # so that there is something to make
    monkeypatch.setattr(catalogue, "build_overview", breaks)
    told = "a bug in Piperoll: ZeroDivisionError: pages"
    assert run_month(order).trouble == told
    released = release(order.to, held.sha256, because="it is right")
    assert (released.result.outcome, released.trouble) == ("published v1", told)
    assert replay(order.to, str(tmp_path / "again")).trouble == told


def test_the_reason_is_what_holds_the_file_and_not_the_first_error(order: RunRequest) -> None:
    rows = spend(10).replace(b",607.00,", b",six hundred,").replace(b",614.00,", b",n.a. yet,")
    put(inbox(order), "spend/anytown/October 2026.csv", rows)
    put(inbox(order), "spend/beeford/October 2026.csv", b"Payment Date,Supplier Name\r\n01/10/2026,Acorn Ltd\r\n")
    held, rejected = plain_run(order, catalogued=False).results
    assert (held.verdict, rejected.verdict) == (Verdict.HELD, Verdict.REJECTED)
    assert "more than one in ten" in (held.why or "").replace("\n", " ")
    assert "Amount" in (rejected.why or "") or "amount" in (rejected.why or "")


def test_the_operators_bodies_are_expected_and_ours_are_only_recognised(order: RunRequest, tmp_path: Path) -> None:
    (tmp_path / "bodies.csv").write_text(
        "id,slug,name,kind,aliases,same_as,contact,licence\n"
        "gss:E07999991,anytown,Anytown Borough Council,council,,,,OGL-UK-3.0\n"
        "gss:E07999992,beeford,Beeford District Council,council,,,,OGL-UK-3.0\n"
    )
    put(inbox(order), "spend/anytown/October 2026.csv", spend(10))
    put(inbox(order), "spend/Home Office/October 2026.csv", spend(10))
    plain_run(replace(order, bodies=tmp_path / "bodies.csv"))
    pages = contents(open_store(order.to), "catalogue/bodies/")
    slugs = {key.rpartition("/")[2].removesuffix(".html") for key in pages if key.endswith(".html")} - {
        "index",
        "profile",
    }
    assert slugs == {"anytown", "beeford", assets.register().find("Home Office").slug}


def test_a_missing_list_of_bodies_is_a_usage_error(order: RunRequest) -> None:
    with pytest.raises(UsageError, match="cannot be read as a list of bodies"):
        plain_run(replace(order, bodies=Path("nowhere.csv")))


def test_a_run_into_a_bucket_publishes_the_same_as_into_a_folder(order: RunRequest, bucket: str) -> None:
    put(inbox(order), "spend/anytown/Spend October 2026.csv", spend(10))
    put(inbox(order), "spend/beeford/Spend October 2026.csv", spend(12))
    there = replace(order, to=f"s3://{bucket}/end-to-end")
    assert {one.outcome for one in plain_run(there).results} == {"published v1"}
    store = open_store(there.to)
    page = store.read("catalogue/index.html").content.decode()
    assert "Spending" in page
    feed = json.loads(store.read("catalogue/feeds/spend.json").content)
    assert len(feed["items"]) == 2
    before = contents(store)
    again = plain_run(there)
    assert (again.changed, contents(store)) == (False, before)
    plain_run(order)
    assert contents(store, "reports/") == contents(open_store(order.to), "reports/")


def test_a_catalogue_without_its_home_page_is_built_from_nothing(order: RunRequest) -> None:
    put(inbox(order), "spend/anytown/October 2026.csv", spend(3))
    plain_run(order)
    store = open_store(order.to)
    before = contents(store, "catalogue/")
    store.delete("catalogue/index.html")
    store.put("catalogue/stale.html", b"of a dataset that is gone")
    consolidated = [key for key in before if key.startswith(layout.CONSOLIDATED)]
    assert plain_run(order).pages == len(before) - len(consolidated) + 1
    assert contents(store, "catalogue/") == before


def test_figures_add_up_for_each_file() -> None:
    result = FileResult("f", "0", "spend", "anytown", None, None, None, Ending.FAILED, why="why")
    assert result.rows.read == result.rows.published + result.rows.held == 0
