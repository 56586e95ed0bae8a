"""Killed at any moment: a reader sees the old or the new, and a rerun finishes the job."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from publishers_places import NOW, packed, read_series

from piperoll.model import Packed
from publishers import FolderStore, Published, publish

TOUCHES = ("open", "os.rename", "os.mkdir", "os.remove", "fcntl.flock")
"""Each time Python is about to touch the file system it raises one of these audit events."""


def _publish_until(store: FolderStore, made: Packed, touches: int) -> bool:
    """Publish in a child process that is killed at its `touches`-th touch of the store; whether it was killed."""
    child = os.fork()
    if child == 0:
        _be_killed_after(touches)
        publish(store, made, reason="in a child", now=NOW)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _be_killed_after(touches: int) -> None:
    left = [touches]

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event in TOUCHES:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


@pytest.mark.parametrize("standing", [0, 1], ids=["first version", "over one that stands"])
def test_killed_at_every_touch_of_the_store(tmp_path: Path, standing: int) -> None:
    old, new = packed(tmp_path / "old", 10), packed(tmp_path / "new", 11)
    kills = 0
    for touch in range(1, 1000, 1 + standing):  # every touch, and for the second version every other
        store = FolderStore(tmp_path / f"store-{touch}")
        if standing:
            publish(store, old, reason="first", now=NOW)
        killed = _publish_until(store, new, touch)
        seen = read_series(store)
        assert seen.current in (standing or None, standing + 1)
        outcome = publish(store, new, reason="rerun", now=NOW)
        finished = read_series(store)
        assert (finished.current, len(finished.versions)) == (standing + 1, standing + 1)
        assert isinstance(outcome, Published) == (seen.current != standing + 1)
        if not killed:
            break
        kills += 1
    assert kills >= 30


def test_killed_again_and_again_with_other_releases_no_version_is_lost(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    for number in range(20):
        made = packed(tmp_path / f"packed-{number}", 10 + number)
        _publish_until(store, made, 7 + 5 * number)
        publish(store, made, reason="rerun", now=NOW)
        assert read_series(store).current == number + 1
