"""Keep the traceback of a bug that is caught, so that an operator can report it."""

from __future__ import annotations

import hashlib
import platform
import traceback
from contextlib import suppress

from piperoll import __version__, layout
from piperoll.errors import PiperollError, describe_error, is_bug
from piperoll.model import to_json_bytes
from piperoll.operations.run_request import Run


def explain_error(run: Run, error: Exception, body: str, dataset: str, sha256: str | None = None) -> str:
    """Say what went wrong with a file or, without `sha256`, an address; if it is a bug, where its traceback is kept.

    The traceback is private, and goes with the file if that is purged: messages of errors can quote cells.
    """
    why = describe_error(error)
    if not is_bug(error):
        return why
    versions = {"piperoll": __version__, "python": platform.python_version()}
    content = to_json_bytes(versions | {"traceback": "".join(traceback.format_exception(error)).splitlines()})
    folder = layout.submission_folder(body, dataset, sha256) if sha256 else layout.fetches_folder(body, dataset, "bugs")
    key = f"{folder}bug-{hashlib.sha256(content).hexdigest()[:12]}.json"
    with suppress(PiperollError, OSError):  # the store may be what fails
        run.store.create(key, content)
        return f"{why}. Its traceback is in {key}"
    return why
