"""Temporary folders that are deleted even if the process that made them was killed."""

from __future__ import annotations

import atexit
import fcntl
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "piperoll-tmp-"
_LOCK = ".lock"
_LEAST_AGE_SECONDS = 3600
"""Younger folders are left alone: their process may be about to lock them."""

_ATTEMPTS, _PAUSE_SECONDS = 20, 0.1


@contextmanager
def scratch_folder(what: str) -> Iterator[Path]:
    """A temporary folder, deleted with all it holds when the block ends; `what` is part of its name.

    It is locked as long as its process lives. Folders that nobody locks any more are deleted here, once they are an
    hour old: those of processes that were killed.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{what}-"))
    try:
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _delete_abandoned(folder.parent)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if sys.exc_info()[0]:  # after an interruption, threads may still be writing
            atexit.register(_delete_until_gone, folder)


def _delete_until_gone(folder: Path) -> None:
    """Delete a folder that threads may still be writing to; they end with the process."""
    for _ in range(_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(_PAUSE_SECONDS)
        if not folder.exists():
            return


def _delete_abandoned(parent: Path) -> None:
    oldest = time.time() - _LEAST_AGE_SECONDS
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # in use, of another user, or deleted meanwhile
            if folder.stat().st_mtime < oldest:
                with (folder / _LOCK).open("a") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
