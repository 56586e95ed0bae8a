"""A view of a store asks for nothing twice, and never writes over what others have written meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from piperoll import layout
from piperoll.errors import NotThere, PointerMoved
from piperoll.model import DecidedAs, DecisionEntry, DecisionKind, History, Period, Series, Submission
from publishers import (
    Store,
    export_seen,
    forget_seen,
    latest,
    list_body_series,
    list_decisions,
    read_history,
    read_tombstone,
    record_decision,
    remove_submission,
    view_store,
)
from tests.fixtures.counting_store import Cost, CountingStore
from tests.fixtures.large_store import make_submission

SERIES = Series("spend", "anytown", Period.month(2026, 10))
POINTER = layout.pointer(SERIES)


def test_nothing_is_read_twice_and_what_was_written_is_known(store: Store) -> None:
    cost = Cost()
    counting: Any = CountingStore(store, cost)
    view = view_store(counting)
    assert read_history(view, SERIES) == read_history(view, SERIES) == (History(SERIES), None)
    tag = view.replace(POINTER, History(SERIES).to_bytes(), None)
    assert read_history(view, SERIES) == (History(SERIES), tag) == read_history(store, SERIES)
    view.create(layout.received_bytes("ab" * 32), b"content")
    assert view.read(layout.received_bytes("ab" * 32)).content == b"content"
    assert cost.asked == {"read": 1, "replace": 1, "create": 1}


def test_what_others_wrote_meanwhile_is_found_by_the_conditional_write(store: Store) -> None:
    tag = store.replace("data/index.json", b"1", None)
    view = view_store(store)
    assert view.read("data/index.json").tag == tag
    store.replace("data/index.json", b"2", tag)
    assert view.read("data/index.json").content == b"1", "it may be as old as the view"
    with pytest.raises(PointerMoved):
        view.replace("data/index.json", b"3", tag)
    assert view.read("data/index.json").content == b"2"
    view.delete("data/index.json")
    with pytest.raises(NotThere):
        view.read("data/index.json")


def test_no_pointer_is_asked_for_in_a_folder_that_was_not_listed(store: Store) -> None:
    cost = Cost()
    counting: Any = CountingStore(store, cost)
    other = replace(SERIES, period=Period.month(2026, 9))
    store.replace(layout.pointer(other), History(other).to_bytes(), None)
    view = view_store(counting)
    assert list(list_body_series(view, "spend", "anytown")) == [other]
    assert read_history(view, SERIES) == (History(SERIES), None)
    view.replace(POINTER, History(SERIES).to_bytes(), None)
    assert list(list_body_series(view, "spend", "anytown")) == list(list_body_series(store, "spend", "anytown"))
    assert len(list(list_body_series(view, "spend", "anytown"))) == 2
    assert read_history(view, SERIES)[1] is not None
    assert cost.asked == {"folders": 1, "replace": 1}
    assert list(list_body_series(store, "spend", "beeford")) == []


def test_a_view_begins_with_what_another_has_seen_and_can_be_told_to_forget(store: Store) -> None:
    first = view_store(store)
    assert list_decisions(first, None) == list_decisions(first, "anytown") == []
    seen = export_seen(first, [POINTER], [layout.decisions_prefix(None), layout.decisions_prefix("anytown")])
    entry = DecisionEntry(
        DecisionKind.VALUE, "Ann Example", DecidedAs.PERSON, "she is", "Bo", "2026-11-02T09:00:00Z", "anytown", None
    )
    entry = record_decision(store, entry)
    second = view_store(store, [seen])
    assert list_decisions(second, "anytown") == []
    assert list_decisions(latest(second), "anytown") == [entry]
    forget_seen(second)
    assert list_decisions(second, "anytown") == [entry]
    assert export_seen(store, [POINTER], []) == ()


def test_what_was_purged_before_is_known_from_one_listing(store: Store) -> None:
    purged, other = (make_submission(SERIES, content) for content in (b"one", b"two"))
    remove_submission(store, purged.sha256, because="a name", now=purged.received)
    cost = Cost()
    counting: Any = CountingStore(store, cost)
    first = view_store(counting)
    assert len(list(first.keys(layout.tombstones_prefix()))) == 1
    seen = export_seen(first, [], [layout.tombstone(one.sha256) for one in (purged, other)])
    view = view_store(counting, [seen])
    assert read_tombstone(view, other.sha256) is None
    assert cost.asked == {"keys": 1}
    assert _is_purged(view, purged)


def _is_purged(store: Store, submission: Submission) -> bool:
    found = read_tombstone(store, submission.sha256)
    return found is not None and found.because == "a name"
