"""Whole processes measured: seconds by the clock and of the processor, and peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile


@dataclass(frozen=True)
class Measured:
    """What one process took, children included: seconds by the clock, seconds of the processor, peak memory in MB."""

    wall: float
    cpu: float
    peak: int
    output: str

    def __str__(self) -> str:
        return f"{self.wall:.1f} s, {self.cpu:.1f} s CPU, {self.peak:,} MB"


class ProcessFailed(Exception):
    """A measured process ended with a status that was not expected; the message has the end of what it said."""


def measured(command: Sequence[str], *, may_end_with: Sequence[int] = (0,)) -> Measured:
    """Run `command` to its end. Raises: ProcessFailed: it ended with another status."""
    with TemporaryFile("w+") as output, TemporaryFile("w+") as said:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said.seek(0)
        text = output.read()
        if process.returncode not in may_end_with:
            raise ProcessFailed(
                f"{' '.join(command[:4])} … ended with {process.returncode}: {said.read()[-2000:] or text[-2000:]}"
            )
    return Measured(wall, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024, text)


def script(text: str, *arguments: str) -> list[str]:
    """The command that runs a piece of Python with this interpreter."""
    return [sys.executable, "-c", text, *arguments]


def piperoll(*arguments: str) -> list[str]:
    """The command line of Piperoll in this interpreter."""
    return script("from piperoll.cli import main; main()", *arguments)
