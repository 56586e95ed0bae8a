"""Checking a stranger's file: in a child process with little memory and time, and nothing kept."""

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

from piperoll.checking.check_file import OneFile, report_alone
from piperoll.describing import render_report_page
from piperoll.errors import UsageError
from serving.limits import Limits
from serving.problems import Problem

_CONTEXT = multiprocessing.get_context("forkserver")
"""Children come of a small process of its own that has the checks loaded: none inherits our threads or connections."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: the report as JSON, as `piperoll check --json` has it, and as a page of its own."""

    report: dict[str, Any]
    page: str


def warm() -> None:
    """Start the process that children come of, which loads what checks need; once, and nobody waits for it."""
    _CONTEXT.set_forkserver_preload([__name__])
    forkserver.ensure_running()


def examined(sent: OneFile, limits: Limits) -> Checked:
    """The report on a file, made in a child process that is gone afterwards.

    Raises: Problem: the file needs more time or memory than we give to one, or what is said of it is wrong.
    """
    ours, theirs = _CONTEXT.Pipe()
    child = _CONTEXT.Process(target=_examine, args=(theirs, limits))
    child.start()
    theirs.close()
    try:
        with ours:
            ours.send(sent)
            if not ours.poll(limits.check_seconds):
                raise _too_heavy("takes longer")
            kind, told = ours.recv()
    except (EOFError, OSError) as error:  # it was stopped by its limits, or could not say what was wrong
        raise _too_heavy("needs more memory or time") from error
    finally:
        _end(child)
    if kind == "usage":
        raise Problem(400, "bad-parameter", told)
    if kind == "memory":
        raise _too_heavy("needs more memory")
    return Checked(json.loads(told[0]), told[1])


def _too_heavy(how: str) -> Problem:
    return Problem(
        422, "too-heavy", f"this file {how} than we may spend on one here: check it on your own machine: piperoll check"
    )


def _end(child: Any) -> None:
    """End the child and all that it started; a file that hangs holds nobody up."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        child.kill()
    child.join()
    child.close()


def _examine(pipe: Connection, limits: Limits) -> None:
    """In the child: bound ourselves, then check."""
    os.setsid()
    seconds = int(limits.check_seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (limits.check_memory_bytes, limits.check_memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sent = pipe.recv()
    try:
        report = report_alone(sent)
        pipe.send(("report", (json.dumps(report.to_json(), ensure_ascii=False), render_report_page(report))))
    except UsageError as error:
        pipe.send(("usage", str(error)))
    except MemoryError:
        pipe.send(("memory", ""))
