"""Versions and pointers: which version is current, which is next, what is held."""

from __future__ import annotations

import json
import threading
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import publishers
from piperoll import layout
from piperoll.errors import PointerMoved, StoreCorrupt
from piperoll.model import History, Manifest, Status, Version
from publishers.stores.folder import FolderStore
from tests.publishers.small_releases import NOW, SERIES

TABLES = st.tuples(st.integers(0, 300), st.integers(-400, 400))
"""Rows and pounds."""


def test_the_first_release_is_version_one_and_current(store: publishers.Store, release, reader) -> None:
    made = release(3)
    outcome = publishers.publish_release(store, made, reason="first", now=NOW)
    history = reader(store)
    assert outcome == publishers.Published(history.versions[0])
    version = history.versions[0]
    assert version.path == f"v1-{made.manifest.sha256[:12]}"
    assert (version.published, version.reason, version.rows, version.supersedes) == (NOW, "first", 3, None)
    document = json.loads(store.read(layout.pointer(SERIES)).content)
    assert (document["series"], document["current"]) == ("spend/anytown/2026-10", 1)
    assert document["versions"][0]["status"] == "current"


def test_a_correction_is_the_next_version_and_the_old_one_stays(store: publishers.Store, release, reader) -> None:
    publishers.publish_release(store, release(3), reason="first", now=NOW)
    outcome = publishers.publish_release(store, release(4), reason="correction by the body", now="2026-11-09T09:00:00Z")
    history = reader(store)
    assert isinstance(outcome, publishers.Published)
    assert [version.status for version in history.versions] == [Status.SUPERSEDED, Status.CURRENT]
    assert history.current_version is not None
    assert (history.current_version.supersedes, history.current_version.reason) == (1, "correction by the body")


def test_a_clock_that_was_set_back_does_not_turn_the_history_around(folder_store: FolderStore, release, reader) -> None:
    """`verify` then failed for ever, and what was known on a day was wrong."""
    publishers.publish_release(folder_store, release(3), reason="first", now=NOW)
    publishers.publish_release(folder_store, release(4), reason="second", now="2026-10-25T09:00:00Z")
    publishers.mark_withdrawn(folder_store, SERIES, 2, because="wrong month", now="2026-10-26T09:00:00Z")
    history, _ = publishers.read_history(folder_store, SERIES)
    assert [version.published for version in history.versions] == [NOW, NOW]
    assert history.versions[1].ended == NOW


def test_the_same_release_again_changes_nothing(store: publishers.Store, release, reader) -> None:
    made = release(3)
    publishers.publish_release(store, made, reason="first", now=NOW)
    before = store.read(layout.pointer(SERIES))
    keys = list(store.keys("data/"))
    assert isinstance(
        publishers.publish_release(store, made, reason="again", now="2027-01-01T00:00:00Z"), publishers.Unchanged
    )
    assert store.read(layout.pointer(SERIES)) == before
    assert list(store.keys("data/")) == keys


def test_the_same_rows_in_other_bytes_are_no_new_version(store: publishers.Store, release, reader) -> None:
    publishers.publish_release(store, release(3), reason="first", now=NOW)
    outcome = publishers.publish_release(store, release(3, note="sent again as a workbook"), reason="again", now=NOW)
    assert isinstance(outcome, publishers.Unchanged)
    assert len(reader(store).versions) == 1


@pytest.mark.parametrize(
    ("rows", "pounds", "code"),
    [
        (79, None, "fewer-rows-than-before"),
        (0, None, "nil-over-rows"),
        (100, "3959.99", "fewer-pounds-than-before"),
        (100, "-4950", "fewer-pounds-than-before"),
    ],
)
def test_a_halved_or_empty_file_is_held_until_someone_says_replace(
    store: publishers.Store, release, reader, rows: int, pounds: str | None, code: str
) -> None:
    publishers.publish_release(store, release(100), reason="first", now=NOW)
    smaller = release(rows, pounds=pounds)
    outcome = publishers.publish_release(store, smaller, reason="second", now=NOW)
    assert isinstance(outcome, publishers.OnHold)
    assert outcome.finding.code == code
    assert len(reader(store).versions) == 1
    assert len([key for key in store.keys("data/") if key.endswith("manifest.json")]) == 1
    assert isinstance(
        publishers.publish_release(store, smaller, reason="meant", now=NOW, decision=publishers.Decision.REPLACE),
        publishers.Published,
    )
    assert reader(store).current == 2


@pytest.mark.parametrize(("rows", "pounds"), [(80, "4950"), (100, "3960"), (130, None)])
def test_a_fifth_less_or_any_more_is_an_ordinary_correction(
    folder_store: FolderStore, release, rows: int, pounds: str | None
) -> None:
    publishers.publish_release(folder_store, release(100), reason="first", now=NOW)
    assert isinstance(
        publishers.publish_release(folder_store, release(rows, pounds=pounds), reason="second", now=NOW),
        publishers.Published,
    )


def test_rows_over_a_nil_return_are_an_ordinary_correction(folder_store: FolderStore, release) -> None:
    publishers.publish_release(folder_store, release(0), reason="nil", now=NOW)
    assert isinstance(
        publishers.publish_release(folder_store, release(5), reason="late file", now=NOW), publishers.Published
    )


def _rival(store: publishers.Store, made, at: list, barrier: threading.Barrier) -> None:
    barrier.wait()
    at.append(publishers.publish_release(store, made, reason="race", now=NOW, decision=publishers.Decision.REPLACE))


def _race(store: publishers.Store, releases: list) -> list:
    outcomes: list = []
    barrier = threading.Barrier(len(releases))
    threads = [threading.Thread(target=_rival, args=(store, one, outcomes, barrier)) for one in releases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_eight_publishers_at_once_lose_nothing_and_versions_are_dense(store: publishers.Store, release, reader) -> None:
    outcomes = _race(store, [release(number) for number in range(1, 9)])
    history = reader(store)
    assert len(outcomes) == len(history.versions) == 8
    assert {version.rows for version in history.versions} == set(range(1, 9))
    assert all(isinstance(outcome, publishers.Published) for outcome in outcomes)
    folders = {key.split("/")[4] for key in store.keys(layout.series_folder(SERIES)) if key.count("/") > 4}
    assert folders == {version.path for version in history.versions}, "losers leave nothing behind"


def test_eight_publishers_of_one_release_publish_it_once(store: publishers.Store, release, reader) -> None:
    outcomes = _race(store, [release(5) for _ in range(8)])
    assert len(outcomes) == 8
    assert len(reader(store).versions) == 1


def test_a_union_with_an_older_version_does_not_replace_a_newer_one(folder_store: FolderStore, release, reader) -> None:
    publishers.publish_release(folder_store, release(3), reason="first", now=NOW)
    publishers.publish_release(folder_store, release(4, source="cd" * 32), reason="correction", now=NOW)
    union = release(5)
    with pytest.raises(PointerMoved, match="newer version"):
        publishers.publish_release(folder_store, union, reason="added", now=NOW, decision=publishers.Decision.ADD)
    assert reader(folder_store).current == 2


def test_a_file_that_is_changed_after_packing_is_not_published(store: publishers.Store, release) -> None:
    made = release(3)
    (made.folder / "spend.csv").write_bytes(b"not what the manifest says")
    with pytest.raises(StoreCorrupt):
        publishers.publish_release(store, made, reason="first", now=NOW)
    assert not store.exists(layout.pointer(SERIES))


def test_a_pointer_that_cannot_be_read_stops_us(store: publishers.Store, release) -> None:
    store.put(layout.pointer(SERIES), b'{"series": "spend/other')
    with pytest.raises(StoreCorrupt):
        publishers.publish_release(store, release(3), reason="first", now=NOW)


def test_listings_show_the_current_version_with_its_first_rows(store: publishers.Store, release) -> None:
    publishers.publish_release(store, release(3), reason="first", now=NOW)
    publishers.publish_release(store, release(40_000), reason="second", now=NOW)
    store.put("data/spend/anytown/README.txt", b"no series")
    listing = publishers.read_listing(store, SERIES)
    assert listing.series == SERIES
    assert listing.manifest is not None
    assert (listing.manifest.rows, listing.history.current) == (40_000, 2)
    assert listing.descriptor == {"id": "spend/anytown/2026-10", "note": ""}
    assert listing.report == {"rows": 40_000}
    assert listing.first_rows[:2] == (("line_id", "net_amount"), ("line-0", "0.00"))
    assert len(listing.first_rows) == 11


def test_an_unpublished_series_has_an_empty_history(store: publishers.Store) -> None:
    assert publishers.read_history(store, SERIES) == (publishers.read_history(store, SERIES)[0], None)
    assert publishers.read_history(store, SERIES)[0].versions == ()


@given(
    before=st.tuples(st.integers(0, 300), st.integers(-400, 400)),
    after=st.tuples(st.integers(0, 300), st.integers(-400, 400)),
)
def test_nothing_is_held_that_keeps_four_fifths_and_nothing_passes_that_does_not(
    tmp_path_factory, before: tuple[int, int], after: tuple[int, int]
) -> None:
    old, new = (_manifest(*numbers) for numbers in (before, after))
    standing = Version(
        1, "v1-x", old.sha256, NOW, Status.CURRENT, None, "r", old.rows, old.amount_gbp, old.rows_sha256, old.sources
    )
    kept_rows = after[0] >= 0.8 * before[0]
    kept_pounds = before[1] == 0 or after[1] / before[1] >= 0.8
    history = History(SERIES, (standing,), 1)
    outcome = publishers.decide_outcome(history, new)
    if before == after:
        assert outcome == publishers.Unchanged(standing)
    else:
        assert (outcome is None) == (kept_rows and kept_pounds)
        assert publishers.decide_outcome(history, new, publishers.Decision.REPLACE) is None


def _manifest(rows: int, pounds: int) -> Manifest:
    return Manifest(
        series=SERIES,
        dataset_version="1.0.0",
        rules_version="t",
        rows=rows,
        amount_gbp=Decimal(pounds),
        rows_sha256=f"{rows}/{pounds}",
        sources=(),
        files=(),
    )
