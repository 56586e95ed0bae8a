"""Hostile files on every path that reads them: a run, a replay, a purge and the check page, in bounded memory.

What is measured is the peak of resident memory of the process that does the work, and of the processes that it starts.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from publishers import find_values, open_store
from tests.operations.inbox import put, spend
from tests.security.hostile_files import FILES, LINES, TABLE, packed_stream

_MOST = 512
"""Megabytes of a process that has a small file before it."""

_MOST_PUBLISHED = 640
"""Megabytes of a run that publishes 16,000 different suppliers, whose pages it makes in the same process."""

WORST = ("short_lines", "many_distinct_texts", "sheets_of_one_large_part", "blank_lines_with_noise", "open_quotes")
"""The files of `hostile_files` that take most memory of those that a run reads or refuses late."""

_PEAK = """
import resource, sys
from pathlib import Path
def peak():
    own = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
    print(max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) // 1024)
"""

_RUN = """
from piperoll.operations.run_request import RunRequest
from tests.operations.inbox import plain_run
plain_run(RunRequest(to=sys.argv[1] + "/out", inbox=Path(sys.argv[1]) / "inbox"))
"""

_REPLAY = """
from piperoll.operations.replay import replay
replay(sys.argv[1] + "/out", sys.argv[1] + "/again")
"""

_PURGE = """
from piperoll.operations.takedown import purge_submission
purge_submission(sys.argv[1] + "/out", sys.argv[2], because="a private person", values=["Jane Velmorath"])
"""

_PAGE = """
from multiprocessing import forkserver
from hosting.limits import ApiLimits
from hosting.problems import Problem
from hosting.sandboxed_check import Upload, check_in_sandbox
for path in sorted(Path(sys.argv[1]).rglob("Payments*")):
    try:
        check_in_sandbox(Upload(path.read_bytes(), path.name), ApiLimits())
    except Problem as problem:
        assert problem.status == 422, problem
forkserver._forkserver._stop()  # its children count as ours when it has ended
"""


def megabytes(program: str, *arguments: str) -> int:
    """What a process of this program needed at most."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-P", "-c", f"{_PEAK}{program}\npeak()", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


@pytest.mark.soak
@pytest.mark.parametrize("name", WORST)
def test_a_run_a_replay_and_a_purge_of_a_hostile_file_take_little_memory(name: str, tmp_path: Path, long: bool) -> None:
    # The long form takes the whole file, and the short one its beginning where that is a file too.
    content = FILES[name]()
    if not long and name not in ("sheets_of_one_large_part", "blank_lines_with_noise"):
        content = content[: len(content) // 4].rpartition(b"\n")[0]
    put(tmp_path / "inbox", "spend/beeford/Payments October 2026", content)
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(10))
    sha256 = hashlib.sha256(content).hexdigest()
    most = _MOST_PUBLISHED if long and name == "many_distinct_texts" else _MOST
    for program in (_RUN, _REPLAY, _PURGE):  # each is a process of its own, as from the command line
        assert megabytes(program, str(tmp_path), sha256) <= most
    store = open_store(str(tmp_path / "out"))
    assert next(iter(store.keys("data/spend/anytown/")))
    assert not any(sha256 in key for key in store.keys("archive/sha256/"))


@pytest.mark.soak
def test_the_check_page_takes_little_memory_for_hostile_files(tmp_path: Path, long: bool) -> None:
    for name in WORST if long else WORST[2:4]:
        put(tmp_path, f"{name}/Payments October 2026", FILES[name]())
    assert megabytes(_PAGE, str(tmp_path)) <= _MOST


def test_a_purge_that_searches_a_store_with_a_bomb_in_it_takes_little_memory(tmp_path: Path) -> None:
    """`purge --value` unpacked every file as received in memory, as a whole: one of 300 kB took a gigabyte."""
    put(tmp_path / "inbox", "spend/beeford/October 2026.csv.gz", packed_stream([TABLE, *[b" " * 10_000_000] * 30]))
    put(tmp_path / "inbox", "spend/ceeford/October 2026.xlsx", FILES["workbook_of_false_size"]())
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(10))
    sha256 = hashlib.sha256(spend(10)).hexdigest()
    assert megabytes(_RUN + _PURGE, str(tmp_path), sha256) <= _MOST


def test_a_value_far_inside_an_archive_is_found_wherever_it_is_cut(tmp_path: Path) -> None:
    """It is searched in pieces of some megabytes: here it stands across the end of the first, second and third."""
    store, size = open_store(str(tmp_path)), 4 << 20
    names = [f"Zoë Velmorath {letter}" for letter in "abcd"]
    for encoding in ("utf-8", "cp1252", "utf-16-le"):
        content = f"é{LINES[0]}\n".encode(encoding) * 200_000
        for at, name in zip((size - 6, 2 * size - 12, 3 * size - 64, 3 * size), names, strict=True):
            content = content[:at] + name.encode(encoding) + content[at:]
        store.put("archive/a.gz", packed_stream([content]))
        assert [one.value for one in find_values(store, [*names, "Zoë Velmorath e"])] == names
