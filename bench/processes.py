"""Run a command and measure the whole process: wall-clock time, CPU time and peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile


@dataclass(frozen=True)
class ProcessCost:
    """The cost of one process and its children: wall-clock seconds, CPU seconds, and peak memory in MB."""

    wall: float
    cpu: float
    peak: int
    output: str

    def __str__(self) -> str:
        return f"{self.wall:.1f} s, {self.cpu:.1f} s CPU, {self.peak:,} MB"


class ProcessFailed(Exception):
    """A measured process ended with an unexpected status; the message has the end of its output."""


def measure(command: Sequence[str], *, may_end_with: Sequence[int] = (0,)) -> ProcessCost:
    """Run a command to its end. Raises: ProcessFailed: its exit status is not in `may_end_with`."""
    with TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        text = output.read()
        if process.returncode not in may_end_with:
            raise ProcessFailed(
                f"{' '.join(command[:4])} … ended with {process.returncode}: {errors.read()[-2000:] or text[-2000:]}"
            )
    return ProcessCost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, text)


def script(text: str, *arguments: str) -> list[str]:
    """The command that runs Python source with this interpreter."""
    return [sys.executable, "-c", text, *arguments]


def piperoll(*arguments: str) -> list[str]:
    """The command that runs `piperoll` with this interpreter."""
    return script("from piperoll.cli import main; main()", *arguments)
