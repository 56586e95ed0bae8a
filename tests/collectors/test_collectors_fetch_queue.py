"""The queue of fetches: order, limits and ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import pytest

from collectors import QueuedFetch, run_fetches
from tests.fixtures.waiting import PATIENCE_SECONDS


def fetch(
    group: str, work: Callable[[], Iterable[QueuedFetch]] = list, *, host: str = "", delay: float = 0, priority: int = 0
) -> QueuedFetch:
    return QueuedFetch(group, host or group, work, delay, priority)


def test_a_group_ends_with_the_last_fetch_that_follows_from_its_own() -> None:
    done: list[str] = []

    def page() -> list[QueuedFetch]:
        done.append("page")
        return [fetch("a", lambda n=number: done.append(f"link {n}") or [], delay=0.01) for number in range(3)]

    a_has_ended = threading.Event()

    def b() -> list[QueuedFetch]:
        assert a_has_ended.wait(PATIENCE_SECONDS)
        return []

    groups = run_fetches([fetch("a", page), fetch("b", b)], at_once=2, per_host=1)
    assert next(groups) == "a"
    a_has_ended.set()
    assert list(groups) == ["b"]
    assert sorted(done) == ["link 0", "link 1", "link 2", "page"]


def test_those_of_lower_priority_go_first_where_there_is_no_room_for_all() -> None:
    order: list[int] = []
    fetches = [fetch("a", lambda n=number: order.append(n) or [], priority=number) for number in (3, 1, 2, 0)]
    list(run_fetches(fetches, at_once=1, per_host=1))
    assert order == [0, 1, 2, 3]


def test_a_thousand_fetches_that_wait_need_no_thread_each() -> None:
    most = 0

    def work() -> list[QueuedFetch]:
        nonlocal most
        most = max(most, threading.active_count())
        return []

    before = threading.active_count()
    fetches = [fetch(f"{number}", work, delay=0.1) for number in range(1000)]
    assert len(list(run_fetches(fetches, at_once=10, per_host=1))) == 1000
    assert most <= before + 11


def test_who_stops_iterating_begins_no_more() -> None:
    """Neither what is due nor what is due later: the second fetch goes on until the caller has stopped."""
    begun: list[int] = []
    stopped = threading.Event()

    def second() -> list[QueuedFetch]:
        begun.append(2)
        assert stopped.wait(PATIENCE_SECONDS)
        return []

    fetches = [
        fetch("first", lambda: begun.append(1) or []),
        fetch("second", second),
        *[fetch(f"{number}", lambda n=number: begun.append(n) or []) for number in range(3, 100)],
        fetch("late", lambda: begun.append(-1) or [], delay=0.01),
    ]
    groups = run_fetches(fetches, at_once=1, per_host=1)
    assert next(groups) == "first"
    groups.close()  # type: ignore[attr-defined]
    stopped.set()
    threading.Event().wait(0.2)  # if any began, they would in this time
    assert begun in ([1], [1, 2])


def test_an_error_that_no_fetch_expects_reaches_the_caller() -> None:
    def breaks() -> list[QueuedFetch]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(run_fetches([fetch("a", breaks), fetch("b", delay=60)], at_once=2, per_host=1))


def test_where_there_is_no_memory_for_a_thread_those_there_are_do_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    start, calls = threading.Thread.start, 0
    together = threading.Semaphore(3)

    def starved(self: threading.Thread) -> None:
        nonlocal calls
        if self.name == "fetch":
            calls += 1
            if calls == 4:
                raise RuntimeError("can't start new thread")
        start(self)

    def work() -> list[QueuedFetch]:
        assert together.acquire(blocking=False), "more at once than there were threads"
        threading.Event().wait(0.005)
        together.release()
        return []

    monkeypatch.setattr(threading.Thread, "start", starved)
    groups = list(run_fetches([fetch(f"{number}", work) for number in range(30)], at_once=20, per_host=1))
    assert len(groups) == 30
