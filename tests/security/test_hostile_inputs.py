"""Hostile files: each of up to 1 MB is checked in at most 512 MB of memory, with a finding that says the limit.

Each is checked in a process of its own, whose address space is limited far above what it needs: a reader that asks for
gigabytes fails there and not on this machine. The deadline is generous, because it only tells what ends from what does
not; `bench` measures times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from piperoll.reading import row_as_sent
from piperoll.reading.files.limits import row_limit
from tests.security.hostile_files import FILES, GOOD_SHEET, LINES, TABLE, sheet_rows, workbook

_MOST = 512
"""Megabytes of memory that the check of a file of up to 1 MB may need, in each of its processes."""

_ADDRESS_SPACE = 4_000_000_000
_SECONDS = 240

_CHECK = """
import json, resource, sys
from pathlib import Path

resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
from piperoll.checking.check_file import FileToCheck, check_file

report = check_file(FileToCheck(Path(sys.argv[1]).read_bytes(), "Payments October 2026"))
status = Path("/proc/self/status").read_text()
own = int(status.split("VmHWM:")[1].split()[0])  # ru_maxrss would include the process that started this one
child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
findings = {finding.code: finding.message for finding in report.findings}
print(json.dumps({"verdict": report.verdict, "findings": findings, "megabytes": max(own, child) // 1024}))
"""


def check(path: Path) -> Any:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-P", "-c", _CHECK, str(path), str(_ADDRESS_SPACE)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


_REFUSED = {
    "blank_lines_packed": ("archive-too-large", "at most 10 MB"),
    "blank_lines_with_noise": ("file-too-large", "at most 800,000"),
    "blank_lines_plain": ("file-too-large", "at most 800,000"),
    "empty_records": ("archive-too-large", "at most 20 MB"),
    "repeated_records": ("archive-too-large", "at most 165 MB"),
    "sheets_of_one_part": ("file-too-large", "at most 200"),
    "sheets_of_one_large_part": ("file-too-large", "at most 800,000"),
    "sheets_of_their_own": ("file-too-large", "at most 200"),
    "columns_of_text": ("file-too-large", "at most 1,000"),
    "columns_as_headings": ("file-too-large", "at most 1,000"),
    "columns_of_a_workbook": ("file-too-large", "at most 1,000"),
    "zip_of_false_size": ("archive-broken", "damaged"),
    "workbook_of_false_size": ("workbook-broken", "damaged"),
    "zip_of_many_members": ("archive-of-several", "several files"),
    "zip_of_large_members": ("archive-too-large", "at most"),
    "far_cell": ("workbook-too-large", "stray cells"),
    "cell_in_the_last_row": ("workbook-too-large", "stray cells"),
    "nested_json": ("json-broken", "nested too deeply"),
    "json_of_many_names": ("json-broken", "too many different names"),
    "xml_of_far_cells": ("workbook-too-large", "stray cells"),
    "html_of_many_cells": ("file-is-html", "web page"),
    "wide_spans_of_html": ("file-is-html", "web page"),
}
"""The finding of each file that is refused, and words of its message."""


@pytest.mark.parametrize("name", FILES)
def test_a_small_file_takes_little_memory_whatever_it_holds(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILES[name]())
    assert path.stat().st_size <= 1_100_000
    report = check(path)
    assert report["megabytes"] <= _MOST
    if name in _REFUSED:
        code, words = _REFUSED[name]
        assert report["verdict"] == "rejected"
        assert words in report["findings"][code]
    else:
        assert report["verdict"] != "rejected"


@pytest.mark.parametrize("name", ["blank_lines_packed", "blank_lines_plain", "sheets_of_one_part"])
def test_a_row_that_is_looked_up_costs_no_more_than_a_check(name: str) -> None:
    # `trace` reads the file as received again.
    assert row_as_sent(FILES[name](), None, 2) is None


def test_an_export_that_goes_on_to_the_last_row_of_a_sheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(TABLE + b",,,,,\r\n" * (1_048_576 - len(LINES) - 1))
    report = check(path)
    assert report["verdict"] == "accepted"
    assert report["megabytes"] <= 1.5 * _MOST  # a file of 7 MB: the bound is that of files of up to 1 MB


def test_thousands_of_delimiters_after_each_record_are_not_columns(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"".join(line + b"," * 16_000 + b"\r\n" for line in TABLE.splitlines()))
    assert check(path)["verdict"] == "accepted"


def test_a_large_file_may_have_more_rows_than_a_small_one() -> None:
    assert row_limit(100_000) == 800_000
    assert row_limit(8_000_000) == 2_000_000
    assert row_limit(600_000_000) == 3_000_000


def test_a_workbook_with_some_sheets_and_columns_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    wide = sheet_rows([",".join(f"Note {number}" for number in range(900))])
    path.write_bytes(workbook([GOOD_SHEET, *[wide] * 60]))
    assert check(path)["verdict"] == "accepted"
