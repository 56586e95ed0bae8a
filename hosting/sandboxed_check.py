"""Check an uploaded file in a child process with limits on its memory, time, files and open files."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import Any

import publishers
from hosting.limits import MEGABYTE, ApiLimits
from hosting.problems import Problem
from piperoll import assets, layout
from piperoll.checking.check_file import FileToCheck, check_file
from piperoll.child_limits import ChildLimits
from piperoll.describing.pages.rendering import render_report_page
from piperoll.errors import StoreError, UsageError, is_out_of_memory
from piperoll.model import Body, Period, Report, resolve_body, to_document
from piperoll.operations.preview import CandidateFile, preview_report

_CONTEXT = multiprocessing.get_context("forkserver")
"""Children are forked from a small process that has loaded the checks, so they inherit no threads or connections."""

_FILE_BYTES = 4096 * MEGABYTE
"""The most bytes of a temporary file of a check; that of the largest upload is smaller."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to check and the text fields of its form; `store` is where earlier releases are published."""

    content: bytes
    name: str
    dataset: str | None = None
    period: Period | None = None
    body: str | None = None
    kind: str | None = None
    store: str | None = None


@dataclass(frozen=True, slots=True)
class CheckedUpload:
    """The report as JSON, as `piperoll check --json` prints it, and as an HTML page."""

    report: dict[str, Any]
    page: str


class CheckFailed(Exception):
    """A check failed because of a bug of ours."""


def start_fork_server() -> None:
    """Start the process that children are forked from, so that the first check does not wait for it."""
    _CONTEXT.set_forkserver_preload([__name__])
    forkserver.ensure_running()


def check_in_sandbox(upload: Upload, limits: ApiLimits) -> CheckedUpload:
    """Check a file in a child process, which is killed afterwards. Its temporary files are deleted.

    Raises: Problem: the file needs too much time or memory, its dataset, period or body is not valid, or the server's
    own disk or memory is exhausted.
    """
    with tempfile.TemporaryDirectory(prefix="piperoll-check-", ignore_cleanup_errors=True) as scratch:
        outcome, content = _run_child(upload, limits, scratch)
    if outcome == "usage":
        raise Problem(400, "bad-parameter", content)
    if outcome == "memory":
        raise _too_heavy("memory")
    if outcome == "store":
        raise Problem(503, "store", "the store does not answer: try again", retry_after=5)
    if outcome == "bug":
        raise CheckFailed(content)
    if outcome == "room":
        raise Problem(503, "no-room", f"the server cannot check files now ({content}): try again later", retry_after=60)
    report, page = content
    return CheckedUpload(json.loads(report), page)


def _run_child(upload: Upload, limits: ApiLimits, scratch: str) -> tuple[str, Any]:
    ours, childs = _CONTEXT.Pipe()
    child = _CONTEXT.Process(target=_check_in_child, args=(childs, limits, scratch))
    child.start()
    childs.close()
    try:
        with ours:
            ours.send(upload)
            if not ours.poll(limits.check_seconds):
                raise _too_heavy("time")
            outcome: tuple[str, Any] = ours.recv()
            return outcome
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


def _too_heavy(what: str) -> Problem:
    return Problem(
        422,
        "too-heavy",
        f"the file needs more {what} than the server allows: check it on your own computer with piperoll check",
    )


def _check_in_child(pipe: Connection, limits: ApiLimits, scratch: str) -> None:
    """Limit this process, then check the file that comes through the pipe."""
    os.setsid()
    tempfile.tempdir = scratch
    ChildLimits(limits.check_memory_bytes, int(limits.check_seconds) + 1, _FILE_BYTES).apply()
    try:
        upload = pipe.recv()
        report = _report_on(upload)
        pipe.send(("report", (json.dumps(to_document(report), ensure_ascii=False), render_report_page(report))))
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


def _report_on(upload: Upload) -> Report:
    """The report, compared with earlier releases if the body is known. Raises: UsageError."""
    body = _find_sender(upload.body, upload.kind) if upload.body else None
    if body is not None and upload.store is not None:
        dataset, part = assets.find_dataset(upload.dataset) if upload.dataset else (None, None)
        candidate = CandidateFile(upload.content, upload.name, body.slug, dataset, part, upload.period, upload.kind)
        # Where nothing is published yet, there is nothing to compare with. The report does not say where the store is.
        if publishers.open_store(upload.store).exists(layout.HOME) and (
            report := preview_report(upload.store, candidate, called="this site")
        ):
            return report
    period = str(upload.period) if upload.period else None
    return check_file(FileToCheck(upload.content, upload.name, upload.dataset, period, body, upload.kind))


def _find_sender(name: str, kind: str | None) -> Body:
    """The registered body of this name, or a provisional one if its kind is given. Raises: UsageError."""
    match = resolve_body(name, assets.register())
    if match.body is not None:
        return match.body
    if kind is not None:
        return Body.provisional_for(name)
    near = " or ".join(f"'{body.name}'" for body in match.suggestions)
    hint = f"did you mean {near}? If not, choose" if near else "check its spelling, or choose"
    raise UsageError(f"'{name}' is not in our register of public bodies: {hint} its kind of body too")
