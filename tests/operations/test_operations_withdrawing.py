"""Withdrawals that bodies ask for, and readers' reports: who may do what, at once or after an operator's word."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from piperoll import layout
from piperoll.errors import UsageError
from piperoll.model import Status, WithdrawalStep
from piperoll.operations.answering import answer_items, apply_answers
from piperoll.operations.decision_queue import list_items
from piperoll.operations.queue_items import ItemKind
from piperoll.operations.reader_reports import LONGEST_REPORT, answer_report, list_open_reports, report_table
from piperoll.operations.standing import FileState, read_standing
from piperoll.operations.trust import judge, read_rules
from piperoll.operations.withdrawing import ask_to_withdraw, find_withdrawal, finish_withdrawals
from publishers import find_values, read_history, read_reader_answers, read_tombstone
from tests.fixtures.dying_store import DyingStore, Killed
from tests.operations.inbox import spend
from tests.operations.test_operations_standing import OCTOBER, TODAY, Place

NOW = "2026-11-28T09:00:00Z"
LATER = "2026-11-28T10:00:00Z"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store: October of Anytown, published in two versions."""
    made = Place(tmp_path_factory.mktemp("published"))
    made.send("anytown/October 2026.csv", spend(10))
    made.send("anytown/October 2026 new.csv", spend(11))
    return made.folder


@pytest.fixture
def place(published: Path, tmp_path: Path) -> Place:
    """A copy of the store, for one test."""
    shutil.copytree(published, tmp_path / "place")
    return Place(tmp_path / "place")


def ask(place: Place, *, personal_data: bool = False, because: str = "Sent by mistake") -> WithdrawalStep:
    asked = ask_to_withdraw(place.store, OCTOBER, 2, because=because, personal_data=personal_data, by="p-1", moment=NOW)
    return asked.step


def statuses(place: Place) -> list[Status]:
    return [version.status for version in read_history(place.store, OCTOBER)[0].versions]


def test_a_withdrawal_waits_for_an_operator(place: Place) -> None:
    assert ask(place) is WithdrawalStep.ASKED
    assert ask(place) is WithdrawalStep.ASKED
    assert statuses(place) == [Status.SUPERSEDED, Status.CURRENT]
    (item,) = place.items()
    assert (item.kind, item.rows, item.turn) == (ItemKind.WITHDRAWAL, 11, "platform")
    trusted = judge([], TODAY, read_rules())
    with pytest.raises(UsageError, match="operator"):
        place.answer({item.id: "confirmed"}, {"anytown": trusted})
    place.answer({item.id: "confirmed"}, because="Agreed by telephone")
    assert statuses(place) == [Status.SUPERSEDED, Status.WITHDRAWN]
    assert read_history(place.store, OCTOBER)[0].versions[1].because == "Sent by mistake"
    assert place.items() == []
    assert {file.state for file in read_standing(place.index(), "anytown").files} == {
        FileState.REPLACED,
        FileState.WITHDRAWN,
    }


def test_a_refused_withdrawal_changes_nothing_and_can_be_asked_again(place: Place) -> None:
    ask(place)
    (item,) = place.items()
    place.answer({item.id: "refused"}, because="The figures are right")
    assert statuses(place) == [Status.SUPERSEDED, Status.CURRENT]
    assert place.items() == []
    ask_to_withdraw(
        place.store, OCTOBER, 2, because="It is the draft", personal_data=False, by="p-1", moment="2026-11-29T09:00:00Z"
    )
    assert [one.kind for one in place.items()] == [ItemKind.WITHDRAWAL]


def test_personal_data_goes_at_once_from_every_version_and_the_archive_waits_for_a_purge(place: Place) -> None:
    because = "Row 3 names Jane Quillfeather, a foster carer"
    assert ask(place, personal_data=True, because=because) is WithdrawalStep.PERSONAL_DATA
    assert statuses(place) == [Status.PURGED, Status.PURGED]
    assert not [key for key in place.store.keys(f"{layout.DATA}spend/") if key.endswith((".csv", ".parquet"))]
    apply_answers(place.to, only="anytown")
    assert not [found for found in find_values(place.store, ["Quillfeather"]) if layout.is_public(found.key)]
    (item,) = place.items()
    assert item.kind is ItemKind.PURGE
    place.answer({item.id: "purged"})
    assert read_tombstone(place.store, item.files[0]) is not None
    assert not place.store.exists(layout.received_bytes(item.files[0]))


def test_a_withdrawal_that_is_killed_in_between_is_finished_later(place: Place) -> None:
    for writes in range(1, 30):
        dying = DyingStore(place.store, writes)
        try:
            ask_to_withdraw(dying, OCTOBER, 2, because="A name", personal_data=True, by="p-1", moment=NOW)
        except Killed:
            if find_withdrawal(place.store, OCTOBER, 2) is not None:
                finish_withdrawals(place.store, "anytown", moment=LATER)
                break
    assert statuses(place) == [Status.PURGED, Status.PURGED]


def test_what_is_not_published_cannot_be_withdrawn(place: Place) -> None:
    with pytest.raises(UsageError, match="not published"):
        ask_to_withdraw(place.store, OCTOBER, 3, because="x", personal_data=False, by="p-1", moment=NOW)
    with pytest.raises(UsageError, match="reason"):
        ask(place, because=" ")
    with pytest.raises(UsageError, match="name a person"):
        ask(place, because="Mrs Jane Quillfeather asked us")


def test_a_readers_report_is_answered_beside_the_table(place: Place) -> None:
    report = report_table(place.store, OCTOBER, "wrong", "Is line 3 in pence?", moment=NOW, line="x-3")
    assert report_table(place.store, OCTOBER, "wrong", "Is line 3 in pence?", moment=NOW, line="x-3") == report
    (item,) = place.items()
    assert (item.kind, item.turn) == (ItemKind.REPORT, "body")
    answer_items(
        place.store,
        [item],
        {item.id: "No: it is in pounds."},
        because="",
        by="p-1",
        moment=LATER,
        standings={"anytown": judge([], TODAY, read_rules())},
    )
    assert place.items() == []
    apply_answers(place.to, only="anytown")
    page = place.store.read(layout.series_page(OCTOBER)).content.decode()
    assert "Is line 3 in pence?" in page and "No: it is in pounds." in page
    assert "p-1" not in page


def test_a_report_that_names_someone_is_answered_without_its_text(place: Place) -> None:
    report = report_table(place.store, OCTOBER, "wrong", "Mrs Jane Quillfeather lives at line 3", moment=NOW)
    answer_report(place.store, "anytown", report.id, "We have removed the line.", by="p-1", moment=LATER)
    (answer,) = read_reader_answers(place.store, OCTOBER)
    assert answer.text is None
    assert list_open_reports(place.store) == []


def test_an_answer_that_names_someone_is_refused(place: Place) -> None:
    report = report_table(place.store, OCTOBER, "unclear", "What is this?", moment=NOW)
    with pytest.raises(UsageError, match="name a person"):
        answer_report(place.store, "anytown", report.id, "Ask Mrs Jane Quillfeather", by="p-1", moment=LATER)
    with pytest.raises(UsageError, match="no such report"):
        answer_report(place.store, "beeford", report.id, "It is a grant.", by="p-1", moment=LATER)


@pytest.mark.parametrize("text", ["", "x" * (LONGEST_REPORT + 1), "a\x00b"])
def test_a_report_without_a_usable_text_is_refused(place: Place, text: str) -> None:
    with pytest.raises(UsageError):
        report_table(place.store, OCTOBER, "wrong", text, moment=NOW)
    assert list_items(place.index()) == []
