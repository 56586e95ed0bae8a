"""Many publishers on one series: none is lost, none is told wrong, and none gives up while others go on."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from piperoll import layout
from piperoll.model import History, Packed, Period, Series
from publishers import Decision, Published, Store, list_indexed_series, publish_release, sweep_store
from tests.publishers.killing import Counting, Place, compare
from tests.publishers.small_releases import NOW, SERIES, packed, read_series


def _series(number: int) -> Series:
    return Series("spend", f"body-{number:03}", Period.parse("2026-10"))


def _release(folder: Path, series: Series, rival: int) -> Packed:
    return packed(folder / f"{series.body}-{rival}", 10 + rival, series=series)


def _rival(store: Store, releases: Sequence[Packed], barrier: object, told: object) -> None:
    """In a process of its own: publish one release a round, beside the others, and tell what was said."""
    for made in releases:
        barrier.wait()  # type: ignore[attr-defined]
        outcome = publish_release(store, made, reason="race", now=NOW, decision=Decision.REPLACE, compare=compare)
        assert isinstance(outcome, Published)
        told.put((str(made.manifest.series), outcome.version.version, made.manifest.rows))  # type: ignore[attr-defined]
    os._exit(0)  # what the tests before us left to be done at the end of their process is not ours to do


@pytest.mark.soak
def test_rival_processes_lose_no_release(place: Place, tmp_path: Path, long: bool) -> None:
    """32 publishers, 100 rounds; in the short form 6 and 2."""
    rivals, rounds = (32, 100) if long else (6, 2)
    releases = [[_release(tmp_path, _series(one), rival) for one in range(rounds)] for rival in range(rivals)]
    fork = multiprocessing.get_context("fork")
    barrier, told = fork.Barrier(rivals), fork.SimpleQueue()
    children = [fork.Process(target=_rival, args=(place.theirs, mine, barrier, told)) for mine in releases]
    start = time.monotonic()
    for child in children:
        child.start()
    said = {told.get() for _ in range(rivals * rounds)}
    for child in children:
        child.join()
        assert child.exitcode == 0
    sys.stdout.write(f"{rounds} rounds of {rivals} in {time.monotonic() - start:.0f} s\n")
    for number in range(rounds):
        history = read_series(place.ours, _series(number))
        assert len(history.versions) == rivals
        assert {version.rows for version in history.versions} == set(range(10, 10 + rivals))
        assert {(str(_series(number)), version.version, version.rows) for version in history.versions} <= said
        _see_that_losers_left_nothing(place.ours, history)
    assert list(list_indexed_series(place.ours)) == [_series(number) for number in range(rounds)]
    assert sweep_store(place.ours, older_than=0).removed == ()


def _see_that_losers_left_nothing(store: Store, history: History) -> None:
    prefix = layout.series_folder(history.series)
    versions = history.versions
    named = {version.path for version in versions}
    changes = {version.changes.file.path for version in versions if version.changes}
    keys = [key.removeprefix(prefix) for key in store.keys(prefix)]
    assert {key.split("/")[0] for key in keys if key.startswith("v") and "/" in key} == named
    assert {key for key in keys if key.startswith("changes/")} == changes


def test_a_winner_whose_answer_was_lost_does_not_publish_again(store: Store, release: Callable[..., Packed]) -> None:
    """The answer to the write that awards the number is lost, and someone else has published since."""
    ours, theirs = release(3), release(4)

    class Forgetful(Counting):
        """A store whose answer to a write of the pointer gets lost, while others go on."""

        def replace(self, key: str, content: bytes, tag: str | None) -> str:
            found = self._store.replace(key, content, tag)
            if key == layout.pointer(SERIES) and tag is None:
                publish_release(self._store, theirs, reason="after it", now=NOW)
                return self._store.replace(key, content, tag)  # as boto3 asks again
            return found

    outcome = publish_release(Forgetful(store, lambda: None), ours, reason="before it", now=NOW)  # type: ignore[arg-type]
    assert isinstance(outcome, Published)
    assert outcome.version.version == 1
    assert [version.rows for version in read_series(store).versions] == [3, 4]
