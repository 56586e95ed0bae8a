"""Temporary folders that are deleted even if the process that made them was killed."""

from __future__ import annotations

import atexit
import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "piperoll-"
_LOCK = ".lock"
_LEAST_AGE_SECONDS = 3600
"""Younger folders are left alone: their process may be about to lock them."""


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
        if folder.exists():  # after an interruption threads may still write to it; they end before this is called
            atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _delete_abandoned(parent: Path) -> None:
    oldest = time.time() - _LEAST_AGE_SECONDS
    for lock_file in parent.glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            with lock_file.open("r+") as lock:
                if lock_file.stat().st_mtime > oldest:
                    continue
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock_file.parent, ignore_errors=True)
        except OSError:
            continue  # in use, of another user, or deleted meanwhile
