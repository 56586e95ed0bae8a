"""Check an uploaded file in a child process with limits on its memory and time."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import Any

from piperoll.checking.check_file import FileToCheck, check_file
from piperoll.describing.pages.rendering import render_report_page
from piperoll.errors import UsageError
from piperoll.model import to_document
from serving.limits import ApiLimits
from serving.problems import Problem

_CONTEXT = multiprocessing.get_context("forkserver")
"""Children are forked from a small process that has loaded the checks, so they inherit no threads or connections."""


@dataclass(frozen=True, slots=True)
class CheckedUpload:
    """The report as JSON, as `piperoll check --json` prints it, and as an HTML page."""

    report: dict[str, Any]
    page: str


def start_fork_server() -> None:
    """Start the process that children are forked from, so that the first check does not wait for it."""
    _CONTEXT.set_forkserver_preload([__name__])
    forkserver.ensure_running()


def check_in_sandbox(file: FileToCheck, limits: ApiLimits) -> CheckedUpload:
    """Check a file in a child process, which is killed afterwards.

    Raises: Problem: the file needs too much time or memory, or its dataset or period is not valid.
    """
    ours, childs = _CONTEXT.Pipe()
    child = _CONTEXT.Process(target=_check_in_child, args=(childs, limits))
    child.start()
    childs.close()
    try:
        with ours:
            ours.send(file)
            if not ours.poll(limits.check_seconds):
                raise _too_heavy("time")
            outcome, content = ours.recv()
    except (EOFError, OSError) as error:  # the kernel killed it at one of its limits
        raise _too_heavy("memory or time") from error
    finally:
        # The child leads a process group of its own: kill every process that it started.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid or 0, signal.SIGKILL)
        with suppress(ProcessLookupError):
            child.kill()
        child.join()
        child.close()
    if outcome == "usage":
        raise Problem(400, "bad-parameter", content)
    if outcome == "memory":
        raise _too_heavy("memory")
    report, page = content
    return CheckedUpload(json.loads(report), page)


def _too_heavy(what: str) -> Problem:
    return Problem(
        422,
        "too-heavy",
        f"the file needs more {what} than the server allows: check it on your own computer with piperoll check",
    )


def _check_in_child(pipe: Connection, limits: ApiLimits) -> None:
    """Set the limits of this process, then check the file that comes through the pipe."""
    os.setsid()
    seconds = int(limits.check_seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (limits.check_memory_bytes, limits.check_memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    file = pipe.recv()
    try:
        report = check_file(file)
        pipe.send(("report", (json.dumps(to_document(report), ensure_ascii=False), render_report_page(report))))
    except UsageError as error:
        pipe.send(("usage", str(error)))
    except MemoryError:
        pipe.send(("memory", ""))
