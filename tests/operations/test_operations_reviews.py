"""Decisions about suppliers and pairs of contracts, and replies to figures: recorded, replaced and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from piperoll.errors import UsageError
from piperoll.model import NO_COMPANY, DecisionKind
from piperoll.operations import decisions, reviews
from piperoll.operations.decisions import find_pending, list_log
from publishers import Store, open_store, read_reviews

FIGURE = "0a1b2c3d4e5f6071"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "out"))


def moment(number: int) -> str:
    return f"2026-11-03T09:00:{number:02}Z"


def reply(store: Store, note: str, at: int = 0, body: str = "anytown") -> str:
    return reviews.record_reply(store, FIGURE, note, by="f.officer", moment=moment(at), body=body).id


def supplier(store: Store, name: str, org_id: str, at: int = 0, body: str | None = None) -> str:
    return reviews.record_supplier(
        store, name, org_id, because="On its invoices", by="an.officer", moment=moment(at), body=body
    ).decided_as


def notes(store: Store) -> list[tuple[str, str | None, str]]:
    return [(one.subject, one.body, one.because) for one in read_reviews(store, DecisionKind.REPLY)]


def test_a_later_reply_of_the_body_replaces_its_earlier_and_no_other_body_s(store: Store) -> None:
    reply(store, "Includes a grant that was paid late.")
    reply(store, "We do not run this service.", 1, "otherton")
    reply(store, "Includes a grant of two years.", 2)
    assert notes(store) == [
        (FIGURE, "otherton", "We do not run this service."),
        (FIGURE, "anytown", "Includes a grant of two years."),
    ]


def test_a_reply_that_is_taken_back_stands_no_more_and_no_file_is_examined_for_it(store: Store) -> None:
    identifier = reply(store, "Includes a grant that was paid late.")
    decisions.take_back(store, identifier, because="It was wrong", by="f.officer", moment=moment(1))
    assert notes(store) == []
    assert list(find_pending(store)) == []
    with pytest.raises(UsageError, match="was taken back on 2026-11-03"):
        decisions.take_back(store, identifier, because="Again", by="f.officer", moment=moment(2))
    reply(store, "Includes a grant that was paid late.", 3)
    assert len(notes(store)) == 1


def test_the_same_reply_is_recorded_once(store: Store) -> None:
    assert reply(store, "Late  grant\nincluded.") == reply(store, "Late grant included.", 4)
    assert len(list_log(store)) == 1


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ("  ", "give the note"),
        ("x" * 601, "has 601 characters, and at most 600"),
        ("Ask Mr John Example of our finance team.", "may hold personal data"),
        ("Call 01632 960 983 for details.", "may hold personal data"),
        ("The claimant QQ123456C was paid twice.".replace("QQ", "AB"), "may hold personal data"),
        ("Jane Smith asked for this figure to be corrected.", "may name a person"),
        ("Late \u202egrant", "cannot be printed"),
    ],
)
def test_a_note_that_cannot_be_published_is_refused(store: Store, note: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        reply(store, note)
    assert list_log(store) == []


@pytest.mark.parametrize(
    "note",
    [
        "Includes £1.2m of grant that Anytown Borough Council passed on to schools in March 2026.",
        "The figure counts the Leisure Trust, whose accounts we do not consolidate. Finance Service, 3 November 2026.",
        "North Park Road depot closed in 2025: the lease ended. Director of Resources",
    ],
)
def test_an_ordinary_note_is_taken(store: Store, note: str) -> None:
    reply(store, note)
    assert notes(store)[0][2] == note


@pytest.mark.parametrize("figure", ["", "0a1b", "0a1b2c3d4e5f607z", "0a1b2c3d4e5f60711"])
def test_a_reply_needs_the_identifier_of_a_figure(store: Store, figure: str) -> None:
    with pytest.raises(UsageError, match="not the identifier of a figure"):
        reviews.record_reply(store, figure, "Late.", by="f.officer", moment=moment(0), body="anytown")


@pytest.mark.parametrize(
    ("given", "org_id"),
    [
        ("1234567", "GB-COH-01234567"),
        ("GB-COH-01234567", "GB-COH-01234567"),
        ("sc1234", "GB-COH-SC001234"),
        ("GB-CHC-202918", "GB-CHC-202918"),
        (NO_COMPANY, NO_COMPANY),
    ],
)
def test_a_supplier_is_decided_by_name_or_key(store: Store, given: str, org_id: str) -> None:
    assert supplier(store, "Rook (Wales) Ltd", given) == org_id
    assert supplier(store, "rookwales", given, 1) == org_id
    assert [one.subject for one in read_reviews(store, DecisionKind.SUPPLIER)] == ["rookwales"]


@pytest.mark.parametrize("given", ["123456789", "GB-COH-12345", "Rook", "AB123456C", "GB-"])
def test_what_is_no_organisation_s_identifier_is_refused(store: Store, given: str) -> None:
    with pytest.raises(UsageError, match=r"digits|no identifier"):
        supplier(store, "Rook (Wales) Ltd", given)


def test_a_person_is_no_supplier_to_review(store: Store) -> None:
    with pytest.raises(UsageError, match="reviews are about organisations only"):
        supplier(store, "Mr John Example", "1234567")


def test_a_body_s_own_review_stands_beside_that_for_all(store: Store) -> None:
    supplier(store, "Rook Ltd", "1234567")
    supplier(store, "Rook Ltd", "7654321", 1, "anytown")
    found = [(one.body, one.decided_as) for one in read_reviews(store, DecisionKind.SUPPLIER)]
    assert found == [(None, "GB-COH-01234567"), ("anytown", "GB-COH-07654321")]


def test_a_pair_is_decided_and_the_later_decision_counts(store: Store) -> None:
    for at, what in enumerate(("separate", "joint")):
        reviews.record_pair(store, "5d0c9b1e77aa", what, because="Read both", by="an.officer", moment=moment(at))
    assert [one.decided_as for one in read_reviews(store, DecisionKind.PAIR)] == ["joint"]
    with pytest.raises(UsageError, match="use joint, common-framework, separate, not-same, unclear"):
        reviews.record_pair(store, "5d0c9b1e77aa", "same", because="Read", by="an.officer", moment=moment(3))
