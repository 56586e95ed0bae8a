"""Deeds that are killed: before or after any operation of their store, or at a random moment."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from piperoll.model import Differences, Effect, History, Packed, Period, Series, Status, Submission
from publishers import Store, Unchanged, archive_submission, mark_withdrawn, publish_release, remove_submission
from tests.publishers.small_releases import NOW, packed, whole

OPERATIONS = ("read", "fetch", "exists", "create", "replace", "put", "delete", "keys")

LATER = "2026-11-20T09:00:00Z"


@dataclass(frozen=True)
class Place:
    """A place opened twice: `theirs` is never used in this process, so a forked child has it without connections."""

    ours: Store
    theirs: Store


class Counting:
    """A store that says so before and after each of its operations."""

    def __init__(self, store: Store, tick: Callable[[], None]) -> None:
        self._store, self._tick = store, tick

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return self._told(found) if name in OPERATIONS else found

    def _told(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def told(*args: Any, **more: Any) -> Any:
            self._tick()
            outcome = operation(*args, **more)
            self._tick()
            return outcome

        return told


class _Starting(Counting):
    """A store that sets an event with its first write."""

    def __init__(self, store: Store, started: threading.Event) -> None:
        super().__init__(store, lambda: None)
        self._started = started

    def __getattr__(self, name: str) -> Any:
        if name in ("create", "replace"):
            self._started.set()
        return super().__getattr__(name)


@dataclass(frozen=True)
class Deed:
    """Something done to a series that may be cut short: how it is done, and what a reader sees before and after it."""

    name: str
    series: Series
    work: Callable[[Store], object]
    before: tuple[str, ...]
    after: tuple[str, ...]

    def seen(self, store: Store) -> bool:
        """See as a stranger that the series is as before or as after, and all of it whole; whether it is as after."""
        states = states_of(whole(store, self.series))
        assert states in (self.before, self.after)
        return states == self.after

    def finish(self, place: Place) -> None:
        """After a kill, a reader sees the old version or the new; after the same call again, the new one is current."""
        done = self.seen(place.ours)
        outcome = self.work(place.ours)
        if self.name == "publish":
            assert isinstance(outcome, Unchanged) == done
        assert self.seen(place.ours)


def states_of(history: History) -> tuple[str, ...]:
    """The versions of a series, each by its status."""
    return tuple(str(version.status) for version in history.versions)


def compare(before: Path, after: Path, to: Path) -> Differences:
    """Stand-in rows of differences, a function of the two tables."""
    to.write_bytes(before.joinpath("spend.csv").read_bytes() + after.joinpath("spend.csv").read_bytes())
    return Differences(Effect(1, None), Effect(0, None), Effect(0, None), {})


def life(folder: Path, number: int) -> Iterator[Deed]:
    """All that can happen to a series of its own: three versions, the last withdrawn, the second purged.

    They are to be done one after another.
    """
    series = Series("spend", f"body-{number:04}", Period.parse("2026-10"))
    named = _submission(series)
    made = [packed(folder / f"{number}-{rows}", 10 + rows, series=series) for rows in range(3)]
    made[1] = packed(folder / f"{number}-named", 11, series=series, source=named.sha256)
    over, now = str(Status.SUPERSEDED), str(Status.CURRENT)
    states = [(), (now,), (over, now), (over, over, now)]
    for release, before, after in zip(made, states, states[1:], strict=False):
        yield Deed("publish", series, _publishing(release, named), before, after)
    withdrawn = (over, over, str(Status.WITHDRAWN))
    yield Deed(
        "withdraw",
        series,
        lambda store: mark_withdrawn(store, series, 3, because="wrong", now=LATER),
        states[3],
        withdrawn,
    )
    purged = (over, str(Status.PURGED), withdrawn[2])
    yield Deed(
        "purge",
        series,
        lambda store: remove_submission(store, named.sha256, because="a name", now=LATER),
        withdrawn,
        purged,
    )


def _submission(series: Series) -> Submission:
    content = content_for(series)
    return Submission(
        hashlib.sha256(content).hexdigest(), len(content), "p.csv", series.dataset, series.body, "p.csv", NOW
    )


def content_for(series: Series) -> bytes:
    """The bytes of the submission that is to be purged."""
    return f"supplier,amount\nJane Carer of {series.body},1.00\n".encode()


def _publishing(release: Packed, named: Submission) -> Callable[[Store], object]:
    """Publishing a release; that of the named submission receives it first, as a run does."""

    def work(store: Store) -> object:
        if named.sha256 in release.manifest.sources:
            archive_submission(store, content_for(release.manifest.series), replace(named))
        return publish_release(store, release, reason="r", now=NOW, compare=compare)

    return work


def killed_at(place: Place, tick: int, work: Callable[[Store], object]) -> bool:
    """Do `work` in a child that is killed at its `tick`-th tick, twice an operation; whether it was killed."""
    left = [tick]

    def count() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return _in_child(lambda: work(Counting(place.theirs, count)))  # type: ignore[arg-type]


def killed_after(place: Place, seconds: float, work: Callable[[Store], object]) -> bool:
    """Do `work` in a child that is killed some seconds after its first write; return whether it was killed."""
    started = threading.Event()

    def kill() -> None:
        started.wait()
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    def run() -> None:
        threading.Thread(target=kill, daemon=True).start()
        work(_Starting(place.theirs, started))  # type: ignore[arg-type]

    return _in_child(run)


def _in_child(work: Callable[[], object]) -> bool:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)
