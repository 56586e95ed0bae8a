"""The check server and `piperoll check` where resources are limited already, and without privileges to raise limits."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests

from piperoll import layout
from piperoll.child_limits import ChildLimits
from piperoll.operations.run_request import RunRequest
from piperoll.reading.files.workbooks import read_workbook
from tests.fixtures.ports import reserve_port
from tests.fixtures.waiting import PATIENCE_SECONDS, eventually
from tests.operations.inbox import plain_run, put, spend
from tests.security.hostile_files import GOOD_SHEET, LINES, TABLE, packed, workbook

GIGABYTE = 1 << 30
PIPEROLL = [sys.executable, "-P", "-c", "from piperoll.cli import main; main()"]
XLS = Path(__file__).parent / "october.xls"
"""A made-up workbook of Excel 97: nothing that we have writes one."""

FILES: dict[str, Callable[[], bytes]] = {
    "October 2026.xlsx": lambda: workbook([GOOD_SHEET]),
    "October 2026.xls": XLS.read_bytes,
    "October 2026.csv": lambda: TABLE,
    "October 2026.zip": lambda: packed({"October 2026.csv": TABLE}),
}


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def lower(**most: int) -> Callable[[], None]:
    """What lowers hard limits (RLIMIT_AS and so on) in a child before it begins."""

    def apply() -> None:
        for name, limit in most.items():
            resource.setrlimit(getattr(resource, name), (limit, limit))

    return apply


def without_privileges() -> list[str]:
    """The beginning of a command that has no capabilities; an ordinary user has none anyway."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    assert setpriv, "setpriv (util-linux) takes root's capabilities away"
    return [setpriv, "--bounding-set=-all", "--inh-caps=-all"]


def answers(port: int) -> bool:
    """True if the server on a port answers."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE_SECONDS).ok
    except requests.ConnectionError:
        return False


@contextmanager
def server(store: Path, before: Sequence[str], prepare: Callable[[], None]) -> Iterator[str]:
    """`piperoll api` on a free port: its address."""
    port = reserve_port()
    command = [*before, *PIPEROLL, "api", str(store), "--port", str(port)]
    with subprocess.Popen(command, env=environment(), preexec_fn=prepare, stdout=subprocess.DEVNULL) as process:  # noqa: PLW1509
        try:
            eventually(lambda: answers(port) or process.poll() is not None, "the API answers")
            assert process.poll() is None
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = tmp_path_factory.mktemp("empty")
    (store / layout.INDEX).parent.mkdir(parents=True, exist_ok=True)
    (store / layout.INDEX).write_text("{}")
    limits = lower(RLIMIT_AS=4 * GIGABYTE, RLIMIT_CPU=600, RLIMIT_FSIZE=GIGABYTE, RLIMIT_NOFILE=512)
    with server(store, without_privileges(), limits) as address:
        yield address


def report_of(path: Path) -> Any:
    done = subprocess.run(
        [*PIPEROLL, "check", "--json", str(path)], env=environment(), capture_output=True, check=False
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", FILES)
def test_the_page_reads_what_the_command_reads_under_lower_limits_and_without_privileges(
    name: str, limited: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name]())
    answer = requests.post(f"{limited}/check", files={"file": (name, path.read_bytes())}, timeout=300)
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert report == report_of(path)
    assert report["verdict"].startswith("accepted")
    assert report["tables"][0]["rows"]["accepted"] == len(LINES)


def test_limits_are_lowered_and_never_raised() -> None:
    script = (
        "import resource, sys; from piperoll.child_limits import ChildLimits\n"
        "ChildLimits(memory_bytes=3 << 30, seconds=1000, open_files=100).apply()\n"
        "kinds = resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_NOFILE\n"
        "print(*(limit for kind in kinds for limit in resource.getrlimit(kind)))"
    )
    done = subprocess.run(
        [*without_privileges(), sys.executable, "-c", script],
        env=environment(),
        preexec_fn=lower(RLIMIT_AS=2 * GIGABYTE, RLIMIT_NOFILE=50, RLIMIT_CPU=2000),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(2 * GIGABYTE)] * 2 + ["1000"] * 2 + ["50"] * 2


def test_an_argument_says_the_limits() -> None:
    limits = ChildLimits(1, 2, 3, 4)
    assert ChildLimits(**json.loads(limits.as_argument())) == limits


def check_limited(path: Path, prepare: Callable[[], None], **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PIPEROLL, "check", str(path)],
        env=environment() | more,
        preexec_fn=prepare,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def require_clear_message(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def test_too_little_memory_is_said_and_is_not_the_files_fault(tmp_path: Path) -> None:
    path = tmp_path / "October 2026.csv"
    path.write_bytes(TABLE + f"{LINES[0]}\r\n".encode() * 600_000)
    require_clear_message(check_limited(path, lower(RLIMIT_AS=420 << 20)), "memory")


@pytest.mark.parametrize(("command", "megabytes"), [("check", 250), ("verify", 1100)])
def test_a_limit_of_memory_at_which_libraries_hang_or_crash_is_refused_at_the_start(
    command: str, megabytes: int, tmp_path: Path
) -> None:
    """Arrow waited for a thread that it could not begin; verify ended with a segmentation fault, or with "held"."""
    path = tmp_path / "October 2026.csv"
    path.write_bytes(TABLE)
    done = subprocess.run(
        [*PIPEROLL, command, str(path)],
        env=environment(),
        preexec_fn=lower(RLIMIT_AS=megabytes << 20),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    require_clear_message(done, f"limited to {megabytes:,} MB", "raise the limit")


def test_a_workbook_is_not_too_large_because_this_machine_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("piperoll.child_limits.memory_limit", lambda: 12 << 20)
    monkeypatch.setattr("piperoll.reading.files.limits._CHILD_MEMORY", 12 << 20)
    with pytest.raises(MemoryError):
        read_workbook(workbook([GOOD_SHEET]), "xlsx")


def test_a_limit_of_the_size_of_files_is_said(tmp_path: Path) -> None:
    path = tmp_path / "October 2026.csv"
    path.write_bytes(TABLE + f"{LINES[0]}\r\n".encode() * 600_000)
    require_clear_message(check_limited(path, lower(RLIMIT_FSIZE=1 << 20)), "File too large")


@pytest.mark.parametrize(
    ("limits", "words"),
    [({"RLIMIT_FSIZE": 32 << 10}, "piperoll: "), ({"RLIMIT_AS": 500 << 20}, "memory")],
    ids=["small files", "little memory"],
)
def test_a_run_without_room_ends_cleanly_and_the_next_one_does_its_work(
    tmp_path: Path, limits: dict[str, int], words: str
) -> None:
    """It ended with a traceback, and its folders stayed behind."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(400))
    command = [*PIPEROLL, "run", "--inbox", str(tmp_path / "inbox"), "--to", str(tmp_path / "out")]
    variables = environment() | {"TMPDIR": str(temporary), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        command, env=variables, preexec_fn=lower(**limits), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert words in done.stdout + done.stderr
    assert not list(temporary.glob("piperoll*"))
    (result,) = plain_run(RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox"), catalogued=False).results
    assert result.rows.published == 400


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_check_that_is_interrupted_does_not_say_that_the_file_is_held(tmp_path: Path, sent: signal.Signals) -> None:
    """Ctrl+C gave the exit status of a file that was held or rejected."""
    path = tmp_path / "October 2026.csv"
    path.write_bytes(TABLE + f"{LINES[0]}\r\n".encode() * 700_000)
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "import sys; from piperoll.cli import main; print('begun', flush=True); main()"
    with subprocess.Popen(
        [sys.executable, "-P", "-c", program, "check", str(path)],
        env=environment() | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(1)
        process.send_signal(sent)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 128 + sent
    assert "Traceback" not in said
    assert not list(tmp_path.glob("piperoll*"))


def test_a_server_that_is_interrupted_ends_without_a_traceback_and_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl+C ended the API with the traceback of the signal; workers left folders for temporary files."""
    store, said = tmp_path / "store", tmp_path / "said"
    (store / layout.INDEX).parent.mkdir(parents=True)
    (store / layout.INDEX).write_text("{}")
    port = reserve_port()
    with TemporaryDirectory() as temporary, said.open("w") as errors:  # not below a long path
        program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        program += "from piperoll.cli import main; main()"
        command = [sys.executable, "-P", "-c", program, "api", str(store), "--port", str(port)]
        variables = environment() | {"TMPDIR": temporary}
        with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=errors) as process:
            eventually(lambda: answers(port) or process.poll() is not None, "the API answers")
            assert process.poll() is None, said.read_text()
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_SECONDS) == 0
        assert not list(Path(temporary).iterdir())
    assert said.read_text() == ""


def test_a_server_whose_temporary_folder_has_too_long_a_path_says_so_at_its_start(tmp_path: Path) -> None:
    """It ended with 'AF_UNIX path too long', as tests did that have long names and run beside others."""
    temporary = tmp_path / ("long" * 20)
    temporary.mkdir()
    (tmp_path / layout.INDEX).parent.mkdir(parents=True)
    (tmp_path / layout.INDEX).write_text("{}")
    done = subprocess.run(
        [*PIPEROLL, "api", str(tmp_path)],
        env=environment() | {"TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    require_clear_message(done, "too long", "TMPDIR")
    assert not list(temporary.iterdir())


def test_a_server_that_may_open_few_files_says_so_at_its_start(tmp_path: Path) -> None:
    """It stopped answering once its connections had taken them all."""
    (tmp_path / layout.INDEX).parent.mkdir(parents=True)
    (tmp_path / layout.INDEX).write_text("{}")
    done = subprocess.run(
        [*PIPEROLL, "api", str(tmp_path)],
        env=environment(),
        preexec_fn=lower(RLIMIT_NOFILE=64),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    require_clear_message(done, "may open 64 files", "raise the limit")


def test_a_folder_for_temporary_files_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    path = tmp_path / "October 2026.csv"
    path.write_bytes(TABLE + f"{LINES[0]}\r\n".encode() * 600_000)
    small = tmp_path / "October 2026.xlsx"
    small.write_bytes(workbook([GOOD_SHEET]))
    for each in (path, small):
        done = check_limited(each, lambda: None, TMPDIR=str(tmp_path / "nowhere"))
        assert "Traceback" not in done.stderr
