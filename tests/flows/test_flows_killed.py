"""A whole run, killed at any moment: what is published is whole, and the same run again finishes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from publishers import FolderStore, fetch_version, list_series, read_history
from tests.fixtures.waiting import eventually
from tests.operations.inbox import put, spend

BODIES = ("anytown", "byetown", "centon")
PATIENCE_SECONDS = 280


def piperoll(*given: str | Path, api: str, **variables: str) -> subprocess.Popen[bytes]:
    """The command in a process group of its own, with more variables in its environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PIPEROLL_"))}
    program = (  # tests may run in a shell's background, where SIGINT is ignored
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from piperoll.cli import main; main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment | {"PREFECT_API_URL": api} | variables,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[bytes]) -> str:
    """What a process said that went well."""
    said = process.communicate(timeout=PATIENCE_SECONDS)[0].decode()
    assert process.returncode == 0, said
    return said


def kill(process: subprocess.Popen[bytes]) -> bool:
    """End a process and all that it started, without a word; whether it was still there."""
    there = process.poll() is None
    if there:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE_SECONDS)
    return there


def has_processes(group: int) -> bool:
    """True if there is a process of this group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def published(place: Path) -> dict[str, list[tuple[int, str]]]:
    """Every version of every series, by its manifest."""
    store = FolderStore(place)
    histories = {str(series): read_history(store, series)[0].versions for series in list_series(store)}
    return {name: [(one.version, one.manifest_sha256) for one in versions] for name, versions in histories.items()}


def see_that_it_is_whole(place: Path, scratch: Path) -> None:
    """Read every file of every version that a pointer names, each held against its manifest."""
    store = FolderStore(place)
    for series in list_series(store):
        for version in read_history(store, series)[0].versions:
            fetch_version(store, series, version, scratch / str(series) / version.path)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_run_that_is_killed_is_finished_by_the_next(prefect_server: str, tmp_path: Path, long: bool) -> None:
    """Twenty runs; in the short form one."""
    inbox, dice = tmp_path / "inbox", random.Random(5)  # noqa: S311 - a draw that can be made again
    for body in BODIES:
        put(inbox, f"spend/{body}/October 2026.csv", spend(10))
    run = ("run", "--inbox", inbox, "--to")
    start = time.monotonic()
    ended(piperoll(*run, tmp_path / "whole", api=prefect_server))
    seconds = time.monotonic() - start
    wanted, kills = (20 if long else 1), 0
    while kills < wanted:
        place = tmp_path / f"place-{kills}"
        process = piperoll(*run, place, api=prefect_server)
        while not (place / "archive").is_dir() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(dice.uniform(0, seconds / 2))
        kills += kill(process)
        whole = published(tmp_path / "whole")
        assert published(place).items() <= whole.items()
        see_that_it_is_whole(place, tmp_path / f"read-{kills}")
        ended(piperoll(*run, place, api=prefect_server))
        assert published(place) == whole
        ended(piperoll("verify", place, api=prefect_server))
    sys.stdout.write(f"{kills} runs killed\n")


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_terminated_says_so_and_leaves_no_temporary_folder_and_no_process(
    prefect_server: str, tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    """It ended with a traceback, and its folder stayed behind."""
    inbox, place, temporary = (tmp_path / name for name in ("inbox", "place", "temporary"))
    temporary.mkdir()
    for number in range(60):
        put(inbox, f"spend/body{number}/October 2026.csv", spend(10))
    process = piperoll("run", "--inbox", inbox, "--to", place, api=prefect_server, TMPDIR=str(temporary))
    while not (place / "reports").is_dir() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(sent)
    said = process.communicate(timeout=PATIENCE_SECONDS)[0].decode()
    assert process.returncode == status, said
    assert said == "Stopped. Finished files are kept: run it again to do the rest.\n"
    assert list(temporary.iterdir()) == []
    eventually(lambda: not has_processes(process.pid), "the worker processes end")
    see_that_it_is_whole(place, tmp_path / "read")
