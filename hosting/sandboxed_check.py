"""Check an uploaded file in the sandbox, and say what went wrong there as problems of the API."""

from __future__ import annotations

from hosting.limits import ApiLimits
from hosting.problems import Problem
from piperoll.operations.checked_upload import CheckedUpload, Upload
from piperoll.operations.checked_upload import check_in_sandbox as _check
from piperoll.operations.sandbox import SandboxFailed, SandboxLimits, start_fork_server

__all__ = ["CheckFailed", "CheckedUpload", "Upload", "check_in_sandbox", "start_fork_server"]


class CheckFailed(Exception):
    """A check failed because of a bug of ours."""


def check_in_sandbox(upload: Upload, limits: ApiLimits) -> CheckedUpload:
    """Check a file in a child process, which is killed afterwards. Its temporary files are deleted.

    Raises: Problem: the file needs too much time or memory, its dataset, period or body is not valid, or the server's
    own disk or memory is exhausted.
    """
    try:
        return _check(upload, SandboxLimits(limits.check_seconds, limits.check_memory_bytes))
    except SandboxFailed as failed:
        match failed.kind:
            case "usage":
                raise Problem(400, "bad-parameter", str(failed)) from failed
            case "store":
                raise Problem(503, "store", "the store does not answer: try again", retry_after=5) from failed
            case "bug":
                raise CheckFailed(str(failed)) from failed
            case "room":
                message = f"the server cannot check files now ({failed}): try again later"
                raise Problem(503, "no-room", message, retry_after=60) from failed
        message = f"the file needs more {failed.kind} than the server allows: check it on your own computer with"
        raise Problem(422, "too-heavy", f"{message} piperoll check") from failed
