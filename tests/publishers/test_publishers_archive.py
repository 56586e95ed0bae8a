"""What came in is kept as it came, once, and found again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

import publishers
from piperoll import layout
from piperoll.errors import BytesPurged, StoreCorrupt, UnknownSubmission, UsageError
from piperoll.model import Report, Submission, Verdict, What

CONTENT = b"Date,Supplier,Amount\r\n"
RECORD = Submission(
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    bytes=len(CONTENT),
    name="October.csv",
    dataset="spend",
    body="anytown",
    origin="spend/anytown/October.csv",
    received="2026-11-02T09:00:00Z",
)


def report(verdict: Verdict = Verdict.ACCEPTED) -> Report:
    return Report(
        "October.csv", RECORD.sha256, 22, "spend", "csv", "utf-8", What.DATA, verdict, "2026-10", None, (), ()
    )


def test_bytes_go_to_the_archive_and_the_record_to_the_log(store: publishers.Store) -> None:
    assert publishers.archive_submission(store, CONTENT, RECORD), "it comes for the first time"
    assert publishers.read_received_bytes(store, RECORD) == CONTENT
    assert publishers.find_submission(store, RECORD.sha256[:8]) == RECORD
    assert list(publishers.list_submissions(store)) == [(RECORD, None)]


def test_received_again_it_is_one_submission_with_two_records(store: publishers.Store, tmp_path: Path) -> None:
    (tmp_path / "October.csv").write_bytes(CONTENT)
    publishers.archive_submission(store, CONTENT, RECORD)
    again = replace(RECORD, received="2026-11-03T09:00:00Z")
    assert not publishers.archive_submission(store, tmp_path / "October.csv", again)
    assert not publishers.archive_submission(store, CONTENT, again)
    assert [key for key in store.keys("collected/") if "/received-" in key] == [
        layout.record(RECORD),
        layout.record(again),
    ]
    assert [submission for submission, _ in publishers.list_submissions(store)] == [RECORD]
    assert publishers.find_submission(store, RECORD.sha256) == again


def test_bytes_that_are_not_those_of_the_record_are_refused(store: publishers.Store) -> None:
    with pytest.raises(StoreCorrupt):
        publishers.archive_submission(store, CONTENT + b"!", RECORD)
    assert list(store.keys()) == []
    publishers.archive_submission(store, CONTENT, RECORD)
    store.put(layout.received_bytes(RECORD.sha256), b"rotten")
    with pytest.raises(StoreCorrupt):
        publishers.read_received_bytes(store, RECORD)


def test_the_public_report_marks_a_submission_as_done(store: publishers.Store) -> None:
    publishers.archive_submission(store, CONTENT, RECORD)
    assert publishers.read_report(store, RECORD) is None
    publishers.file_reports(store, RECORD, report(Verdict.HELD), report(Verdict.HELD))
    publishers.file_reports(store, RECORD, report(), report())
    assert publishers.read_report(store, RECORD) == report()
    assert list(publishers.list_submissions(store)) == [(RECORD, report())]
    assert store.exists(layout.full_report(RECORD))
    assert store.exists(f"reports/spend/anytown/{RECORD.sha256}.json")


def test_an_unknown_submission_raises_an_error(store: publishers.Store) -> None:
    publishers.archive_submission(store, CONTENT, RECORD)
    with pytest.raises(UnknownSubmission, match="begins with"):
        publishers.find_submission(store, "0" * 12)
    with pytest.raises(UnknownSubmission, match="too short"):
        publishers.find_submission(store, RECORD.sha256[:3])


def test_the_same_bytes_from_two_bodies_need_a_body_to_be_found(store: publishers.Store) -> None:
    publishers.archive_submission(store, CONTENT, RECORD)
    publishers.archive_submission(store, CONTENT, replace(RECORD, body="othertown"))
    with pytest.raises(UsageError, match=r"anytown/spend/.*othertown/spend/"):
        publishers.find_submission(store, RECORD.sha256)
    assert publishers.find_submission(store, f"othertown/spend/{RECORD.sha256[:8]}").body == "othertown"


def test_decisions_stay_on_the_record_in_order(store: publishers.Store) -> None:
    first = publishers.Ruling(
        publishers.Decision.REPLACE, "the officer says the other file was a draft", "2026-11-03T10:00:00Z"
    )
    second = publishers.Ruling(publishers.Decision.ADD, "it is the second half", "2026-11-04T10:00:00Z")
    publishers.record_ruling(store, RECORD, second)
    publishers.record_ruling(store, RECORD, first)
    assert publishers.list_rulings(store, RECORD) == (first, second)


@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_a_submission_purged_while_it_is_archived_leaves_nothing(folder_store: publishers.Store, write: int) -> None:
    publishers.archive_submission(folder_store, CONTENT, RECORD)

    class Overtaken:
        """A store in which a purge comes between two writes of ours."""

        left = write

        def create(self, key: str, content: bytes | Path) -> None:
            self.left -= 1
            if self.left == 0:
                publishers.remove_submission(folder_store, RECORD.sha256, because="a name", now=RECORD.received)
            folder_store.create(key, content)

        def __getattr__(self, name: str) -> object:
            return getattr(folder_store, name)

    with pytest.raises(BytesPurged, match="a name"):
        publishers.archive_submission(Overtaken(), CONTENT, replace(RECORD, received="2026-11-03T09:00:00Z"))  # type: ignore[arg-type]
    assert {key.split("/")[1] for key in folder_store.keys("archive/")} == {"purged"}
    assert not list(folder_store.keys("collected/anytown/"))


def test_no_report_of_a_submission_purged_meanwhile_is_kept(store: publishers.Store) -> None:
    publishers.archive_submission(store, CONTENT, RECORD)
    publishers.remove_submission(store, RECORD.sha256, because="a name", now=RECORD.received)
    with pytest.raises(BytesPurged, match="a name"):
        publishers.file_reports(store, RECORD, report(), report())
    assert not list(store.keys("collected/anytown/"))
    assert not list(store.keys("reports/"))
