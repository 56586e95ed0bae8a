"""Killed at any moment: a reader sees the old or the new, and a rerun finishes the job."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from piperoll.model import Packed
from publishers import FolderStore, Published, Store, find_values, list_indexed_series, publish_release, sweep_store
from tests.publishers.killing import Deed, Place, killed_after, killed_at, life, states_of
from tests.publishers.small_releases import NOW, packed, read_series, whole

TOUCHES = ("open", "os.rename", "os.mkdir", "os.remove", "fcntl.flock")
"""Each time Python is about to touch the file system it raises one of these audit events."""


def _publish_until(store: FolderStore, made: Packed, touches: int) -> bool:
    """Publish in a child process that is killed at its `touches`-th touch of the store; whether it was killed."""
    child = os.fork()
    if child == 0:
        _be_killed_after(touches)
        publish_release(store, made, reason="in a child", now=NOW)
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


@pytest.mark.soak
@pytest.mark.parametrize("standing", [0, 1], ids=["first version", "over one that stands"])
def test_killed_at_every_touch_of_the_store(tmp_path: Path, standing: int, long: bool) -> None:
    """In the short form at every fifth."""
    old, new = packed(tmp_path / "old", 10), packed(tmp_path / "new", 11)
    kills = 0
    for touch in range(1, 1000, 1 if long else 5):
        store = FolderStore(tmp_path / f"store-{touch}")
        if standing:
            publish_release(store, old, reason="first", now=NOW)
        killed = _publish_until(store, new, touch)
        seen = read_series(store)
        assert seen.current in (standing or None, standing + 1)
        outcome = publish_release(store, new, reason="rerun", now=NOW)
        finished = read_series(store)
        assert (finished.current, len(finished.versions)) == (standing + 1, standing + 1)
        assert isinstance(outcome, Published) == (seen.current != standing + 1)
        if not killed:
            break
        kills += 1
    assert kills >= (100 if long else 10)


def test_killed_again_and_again_with_other_releases_no_version_is_lost(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    for number in range(20):
        made = packed(tmp_path / f"packed-{number}", 10 + number)
        _publish_until(store, made, 7 + 5 * number)
        publish_release(store, made, reason="rerun", now=NOW)
        assert read_series(store).current == number + 1


@pytest.mark.soak
def test_killed_before_and_after_every_operation(place: Place, tmp_path: Path, long: bool) -> None:
    """Every deed of a series' life; in the short form at every seventeenth chance, each deed at others."""
    kills = 0
    for tick in range(1, 1000, 1 if long else 17):
        killed = 0
        for number, deed in enumerate(life(tmp_path, tick)):
            killed += killed_at(place, tick + number, deed.work)
            deed.finish(place)
        kills += killed
        if not killed:
            break
    _see_that_nothing_purged_is_left(place.ours)
    sys.stdout.write(f"{kills} kills at operations\n")
    assert kills >= (150 if long else 9)


@pytest.mark.soak
def test_killed_at_random_moments_after_the_first_write(place: Place, tmp_path: Path, long: bool) -> None:
    """Whatever the moment, within an operation too, up to a tenth later than such a deed takes when left alone."""
    dice = random.Random(7)  # noqa: S311 - a draw that can be made again
    seconds = [_seconds(deed, place.ours) for deed in life(tmp_path, 0)]
    wanted, kills, tries, lives = (900 if long else 10), 0, 0, 0
    while kills < wanted:
        lives += 1
        for span, deed in zip(seconds, life(tmp_path, lives), strict=True):
            kills += killed_after(place, dice.uniform(0, 1.1 * span), deed.work)
            tries += 1
            deed.finish(place)
    _see_that_nothing_purged_is_left(place.ours)
    sys.stdout.write(f"{kills} kills at random in {tries} tries, {lives} series\n")
    assert tries < 4 * wanted + 20


def _seconds(deed: Deed, store: Store) -> float:
    start = time.monotonic()
    deed.work(store)
    return time.monotonic() - start


def _see_that_nothing_purged_is_left(store: Store) -> None:
    """Every life ends with a purge: a scan of the whole place finds no name, and a sweep nothing but orphans."""
    assert not list(find_values(store, ["Jane Carer"]))
    before = [states_of(whole(store, series)) for series in list_indexed_series(store)]
    sweep_store(store, older_than=0)
    assert [states_of(whole(store, series)) for series in list_indexed_series(store)] == before
    assert set(before) == {("superseded", "purged", "withdrawn")}
    assert sweep_store(store, older_than=0).removed == ()
