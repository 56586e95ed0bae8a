"""Check an uploaded file in the sandbox, and say what went wrong there as problems of the API."""

from __future__ import annotations

from hosting.limits import ApiLimits
from hosting.problems import Problem
from piperoll.operations.checked_upload import CheckedUpload, Upload
from piperoll.operations.checked_upload import check_in_sandbox as _check
from piperoll.operations.sandbox import SandboxFailed, SandboxLimits, start_fork_server

__all__ = [
    "CheckFailed",
    "CheckedUpload",
    "Upload",
    "as_problem",
    "check_in_sandbox",
    "sandbox_limits",
    "start_fork_server",
]


class CheckFailed(Exception):
    """A check failed because of a bug of ours."""


def check_in_sandbox(upload: Upload, limits: ApiLimits) -> CheckedUpload:
    """Check a file in a child process, which is killed afterwards. Its temporary files are deleted.

    Raises: Problem: the file needs too much time or memory, its dataset, period or body is not valid, or the server's
    own disk or memory is exhausted.
    """
    try:
        return _check(upload, sandbox_limits(limits))
    except SandboxFailed as failed:
        raise as_problem(failed) from failed


def sandbox_limits(limits: ApiLimits) -> SandboxLimits:
    """The limits of one check."""
    return SandboxLimits(limits.check_seconds, limits.check_memory_bytes)


def as_problem(failed: SandboxFailed) -> Exception:
    """What to answer if a check did not end: a Problem, or CheckFailed for a bug of ours."""
    match failed.kind:
        case "usage":
            return Problem(400, "bad-parameter", str(failed))
        case "store":
            return Problem(503, "store", "the store does not answer: try again", retry_after=5)
        case "bug":
            return CheckFailed(str(failed))
        case "room":
            message = f"the server cannot check files now ({failed}): try again later"
            return Problem(503, "no-room", message, retry_after=60)
    message = f"the file needs more {failed.kind} than the server allows: check it on your own computer with"
    return Problem(422, "too-heavy", f"{message} piperoll check")
