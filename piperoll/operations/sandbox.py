"""Run a function in a child process with limits on its memory, time, files and open files."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from piperoll.child_limits import ChildLimits
from piperoll.errors import PiperollError, StoreError, UsageError, is_out_of_memory

ArgumentT = TypeVar("ArgumentT")
ResultT = TypeVar("ResultT")

_CONTEXT = multiprocessing.get_context("forkserver")
"""Children are forked from a small process that has loaded the checks, so they inherit no threads or connections."""

_FILE_BYTES = 4096 << 20
"""The most bytes of a temporary file of a child; that of the largest upload is smaller."""


class SandboxFailed(PiperollError):
    """A function did not end in its sandbox.

    `kind` is `usage` (the message is for who called), `time`, `memory`, `memory or time`, `store` (it does not answer),
    `room` (our own disk or memory is full; the message says which) or `bug`.
    """

    def __init__(self, kind: str, message: str = "") -> None:
        super().__init__(message or kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """The time in seconds and the memory in bytes that a function may use."""

    seconds: float = 120.0
    memory_bytes: int = 4096 << 20


def start_fork_server(module: str = "piperoll.operations.checked_upload") -> None:
    """Start the process that children are forked from, so that the first check does not wait for it."""
    _CONTEXT.set_forkserver_preload([module])
    forkserver.ensure_running()


def run_in_sandbox(
    function: Callable[[ArgumentT], ResultT], argument: ArgumentT, limits: SandboxLimits = SandboxLimits()
) -> ResultT:
    """Call a function of a module in a child process, which is killed afterwards. Its temporary files are deleted.

    Raises: SandboxFailed: it raised an exception, or needed more than the limits allow.
    """
    with tempfile.TemporaryDirectory(prefix="piperoll-check-", ignore_cleanup_errors=True) as scratch:
        outcome, result = _run_child(function, argument, limits, scratch)
    if outcome != "result":
        raise SandboxFailed(outcome, result)
    value: ResultT = result
    return value


def _run_child(function: Callable[..., Any], argument: Any, limits: SandboxLimits, scratch: str) -> tuple[str, Any]:
    ours, childs = _CONTEXT.Pipe()
    child = _CONTEXT.Process(target=_call_in_child, args=(childs, limits, scratch))
    child.start()
    childs.close()
    try:
        with ours:
            ours.send((function, argument))
            if not ours.poll(limits.seconds):
                raise SandboxFailed("time")
            outcome: tuple[str, Any] = ours.recv()
            return outcome
    except (EOFError, OSError) as error:  # the kernel killed it at one of its limits
        raise SandboxFailed("memory or time") from error
    finally:
        # The child leads a process group of its own: kill every process that it started.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid or 0, signal.SIGKILL)
        with suppress(ProcessLookupError):
            child.kill()
        child.join()
        child.close()


def _call_in_child(pipe: Connection, limits: SandboxLimits, scratch: str) -> None:
    """Limit this process, then call the function that comes through the pipe."""
    os.setsid()
    tempfile.tempdir = scratch
    ChildLimits(limits.memory_bytes, int(limits.seconds) + 1, _FILE_BYTES).apply()
    try:
        function, argument = pipe.recv()
        pipe.send(("result", function(argument)))
    except UsageError as error:
        pipe.send(("usage", str(error)))
    except StoreError:
        pipe.send(("store", ""))
    except Exception as error:  # noqa: BLE001 - the parent answers and reports it
        if is_out_of_memory(error):
            pipe.send(("memory", ""))
        elif isinstance(error, OSError):
            pipe.send(("room", error.strerror or "of an unknown fault"))
        else:
            pipe.send(("bug", f"{type(error).__name__}: {error}"))
