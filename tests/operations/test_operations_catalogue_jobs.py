"""The catalogue in worker processes: what comes out is the same as from one process, and a crash costs a retry."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from piperoll.operations import pipeline, worker_processes
from piperoll.operations.catalogue import jobs
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.catalogue.jobs import BuildDied
from piperoll.operations.collecting import collect_inbox
from piperoll.operations.run_request import Run, RunRequest, open_run
from piperoll.operations.worker_processes import Workers
from piperoll.settings import Settings
from publishers import open_store
from tests.operations.inbox import contents, put, spend

MOMENT = "2026-11-02T06:00:00.000000Z"
BODIES = ("anytown", "beeford", "centon")
LIST = "id,slug,name,kind,aliases,same_as,contact,licence\n" + "".join(
    f"gss:E0700099{n},{slug},{slug.title()} Council,council,,,,OGL-UK-3.0\n" for n, slug in enumerate(BODIES)
)

FATAL = """
import os, pathlib, signal
from piperoll.operations.catalogue import body_pages
build_body_pages = body_pages.build_body_pages
def fatal(build, task):
    rollup = build_body_pages(build, task)
    if task[0] == "centon" and {when}:
        os.kill(os.getpid(), signal.SIGKILL)
    return rollup
body_pages.build_body_pages = fatal
from piperoll.operations.worker_processes import work
work()
"""
"""The program of a worker that is killed, as by the system when memory runs out, when it has written a body's pages."""


@contextmanager
def begun(folder: Path, concurrency: int) -> Iterator[Run]:
    """A run into the store of a test, at a moment that is always the same."""
    (folder / "bodies.csv").write_text(LIST)
    settings = replace(Settings(), concurrency=concurrency)
    with open_run(str(folder / "out"), bodies=folder / "bodies.csv", moment=MOMENT, settings=settings) as run:
        yield run


def deliver(folder: Path, month: int) -> None:
    """Files of three bodies, checked and published, without the catalogue."""
    for number, body in enumerate(BODIES):
        put(folder / "inbox", f"spend/{body}/2026-{month:02}.csv", spend(5 + number, month=f"{month:02}/2026"))
    with begun(folder, 1) as run:
        request = RunRequest(to=run.to, inbox=folder / "inbox", bodies=folder / "bodies.csv")
        pipeline.run_in_process(run, collect_inbox(run, request))


def copied(folder: Path, name: str) -> Path:
    """A copy of a store."""
    shutil.copytree(folder, folder.parent / name)
    return folder.parent / name


def built(folder: Path, concurrency: int) -> dict[str, str]:
    """Build the catalogue; everything in the store afterwards but the log of changes, whose keys are random."""
    with begun(folder, concurrency) as run:
        build_catalogue(run)
    every = contents(open_store(str(folder / "out")))
    return {key: digest for key, digest in every.items() if "/changed/" not in key}


def built_alone(folder: Path) -> dict[str, str]:
    """As `built`, by a run that may start workers and finds that few bodies have changed."""

    def no_worker(*_: object) -> None:
        raise AssertionError("a worker was started")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(worker_processes, "_Worker", no_worker)
        return built(folder, 2)


def test_workers_build_the_same_catalogue_as_one_process_and_if_they_are_killed_the_next_build_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole build in which one worker is killed once; then changes, and a worker that is killed each time."""
    usual, alone, mark = worker_processes._PROGRAM, tmp_path / "alone", tmp_path / "killed"
    alone.mkdir()
    deliver(alone, 9)
    spread = copied(alone, "spread")
    whole = built_alone(alone)
    deliver(alone, 10)
    again = copied(alone, "again")
    incremental = built_alone(alone)

    monkeypatch.setattr(jobs, "MANY_BODIES", len(BODIES))
    monkeypatch.setattr(jobs, "MANY_BODIES_WARM", len(BODIES))
    when = f"not pathlib.Path({str(mark)!r}).exists() and not pathlib.Path({str(mark)!r}).touch()"
    monkeypatch.setattr(worker_processes, "_PROGRAM", FATAL.format(when=when))
    assert built(spread, 2) == whole
    assert mark.exists()

    monkeypatch.setattr(worker_processes, "_PROGRAM", FATAL.format(when="True"))
    with pytest.raises(BuildDied, match=r"was killed \(SIGKILL\), and again when it was tried again: if memory"):
        built(again, 2)
    monkeypatch.setattr(worker_processes, "_PROGRAM", usual)
    assert built(again, 2) == incremental


def test_an_error_of_a_job_comes_back_as_what_it_was_and_the_worker_goes_on(tmp_path: Path) -> None:
    with begun(tmp_path, 2) as run, Workers(run) as workers:
        with pytest.raises(AttributeError, match="no attribute 'missing'") as raised:
            workers.call(getattr, "missing")
        (before,) = workers.pids()
        assert workers.call(getattr, "moment") == MOMENT
        assert workers.pids() == [before]
        assert "Traceback" in raised.value.__notes__[0]
