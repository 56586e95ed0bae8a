"""What was published is taken back: the catalogue shows it no longer, and the same bytes are refused."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from piperoll import assets
from piperoll.errors import UnknownSubmission, UsageError
from piperoll.model import Cause, Period, Series, Status
from piperoll.operations.run_request import RunRequest
from piperoll.operations.takedown import purge_submission, withdraw_version
from piperoll.releasing import compare_versions, find_faults
from publishers import Store, find_values, list_decisions, list_indexed_series, open_store, read_history, verify_series
from tests.operations.inbox import plain_run, put, spend

OCTOBER = Series("spend", "anytown", Period.month(2026, 10))
NAME = "Zebedee Quillfeather Ltd"


@pytest.fixture
def order(tmp_path: Path) -> RunRequest:
    """A store where October stands in its second version, which has one payment more."""
    asked = RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox")
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(10))
    plain_run(asked, catalogued=False)
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", corrected())
    plain_run(asked)
    return asked


@pytest.fixture
def store(order: RunRequest) -> Store:
    return open_store(order.to)


def corrected() -> bytes:
    """The file with one amount corrected and one payment more."""
    return spend(10).replace(b",607.00,", b",608.00,") + f"30/10/2026,{NAME},5.00,T9,Supplies,Estates\r\n".encode()


def wrong(store: Store) -> list[str]:
    compare = {one.name: partial(compare_versions, one) for one in assets.datasets()}
    verified = verify_series(store, list_indexed_series(store), find_faults, compare.__getitem__)
    return [fault.what for one in verified for fault in one.faults]


def test_a_correction_records_what_it_changed_and_verifies(store: Store) -> None:
    version = read_history(store, OCTOBER)[0].current_version
    assert version is not None
    assert version.changes is not None
    told = version.changes.differences
    assert version.cause is Cause.CORRECTION
    assert (told.added.rows, told.removed.rows, told.changed.rows) == (1, 0, 1)
    assert (told.added.amount_gbp, told.changed.amount_gbp) == (Decimal("5.00"), Decimal("1.00"))
    assert wrong(store) == []


def test_a_withdrawn_version_leaves_the_catalogue(order: RunRequest, store: Store) -> None:
    assert withdraw_version(order.to, OCTOBER, 2, because="the wrong month", by="Records").trouble is None
    (entry,) = list_decisions(store, "anytown")
    assert (entry.kind, entry.subject, entry.decided_as, entry.by, entry.because) == (
        "takedown", f"{OCTOBER}/v2", "withdrawn", "Records", "the wrong month"
    )  # fmt: skip
    assert read_history(store, OCTOBER)[0].current_version is None
    assert b"the wrong month" in b"".join(store.read(key).content for key in store.keys("catalogue/series/"))
    assert wrong(store) == []
    assert {result.ending for result in plain_run(order).results} == {"already done"}


def test_a_purge_reaches_the_catalogue_and_the_file_is_refused_afterwards(order: RunRequest, store: Store) -> None:
    assert len(list(find_values(store, [NAME]))) >= 4
    sha256 = hashlib.sha256(corrected()).hexdigest()
    purged = purge_submission(order.to, sha256[:10], because="a private person", values=[NAME])
    assert purged.seen == ()
    assert [one.status for one in read_history(store, OCTOBER)[0].versions] == [Status.SUPERSEDED, Status.PURGED]
    assert wrong(store) == []
    summary = plain_run(order)
    assert [(result.ending, result.version) for result in summary.results] == [("refused", None)]
    assert not summary.failed
    assert list(find_values(store, [NAME])) == []
    again = purge_submission(order.to, sha256, because="to finish it", values=[NAME])
    assert again.tombstone == purged.tombstone


def test_a_purge_removes_the_name_of_the_file_too(tmp_path: Path) -> None:
    """It stayed in twelve objects: histories, feeds, pages, and the report of a file that claimed the same month."""
    name = "Quillfeather refunds October 2026"
    order = RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox")
    put(tmp_path / "inbox", f"spend/beeford/{name}.csv", spend(10))
    put(tmp_path / "inbox", f"spend/anytown/{name}.csv", spend(8))
    put(tmp_path / "inbox", "spend/anytown/October 2026.csv", spend(9))
    assert [result.ending for result in plain_run(order).results] == ["held", "held", "published"]
    store = open_store(order.to)
    (tmp_path / "out/.unfinished/left").write_bytes(name.encode())
    for rows in (10, 8):
        sha256 = hashlib.sha256(spend(rows)).hexdigest()
        assert purge_submission(order.to, sha256, because="a private person", values=[name]).tombstone.rows >= 0
    assert list(find_values(store, [name])) == []
    assert list((tmp_path / "out/.unfinished").iterdir()) == []
    assert not [path for path in (tmp_path / "out").rglob("*") if "Quillfeather" in path.name]
    history, _ = read_history(store, Series("spend", "beeford", Period.month(2026, 10)))
    assert [version.reason for version in history.versions] == ["received as a file that was purged"]


def test_withdrawing_and_purging_need_a_reason_and_something_that_exists(order: RunRequest) -> None:
    with pytest.raises(UsageError, match="give a reason"):
        withdraw_version(order.to, OCTOBER, 2, because=" ")
    with pytest.raises(UnknownSubmission):
        purge_submission(order.to, "0123456789", because="a name")
