"""Letting held submissions go, and replaying what was received."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from piperoll import assets
from piperoll.checking.check_file import FileToCheck, examine_file
from piperoll.checking.examine import hold_file
from piperoll.duties import Duty, judge_duties, summarise_received
from piperoll.errors import UnknownSubmission, UsageError
from piperoll.findings import deciding_finding, finding_types
from piperoll.model import Body, Finding, Period, Register, Series, Severity, Verdict
from piperoll.operations.release import release
from piperoll.operations.replay import replay
from piperoll.operations.run_request import RunRequest
from piperoll.operations.steps import apply_ruling
from publishers import (
    Decision,
    Ruling,
    Store,
    file_reports,
    find_submission,
    list_submissions,
    open_store,
    read_history,
    read_report,
)
from tests.operations.inbox import contents, plain_run, put, releases, spend

OCTOBER = Series("spend", "anytown", Period.month(2026, 10))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store where `October 2026 b.csv`, half as long as what stands, is held; and the inbox."""
    folder = tmp_path_factory.mktemp("made")
    asked = RunRequest(to=str(folder / "out"), inbox=folder / "inbox")
    put(folder / "inbox", "spend/anytown/October 2026 a.csv", spend(10))
    plain_run(asked)
    put(folder / "inbox", "spend/anytown/October 2026 b.csv", spend(5, start=100))
    plain_run(asked)
    return folder


@pytest.fixture
def order(made: Path, tmp_path: Path) -> RunRequest:
    """The same, for one test alone."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return RunRequest(to=str(tmp_path / "out"), inbox=tmp_path / "inbox")


@pytest.fixture
def store(order: RunRequest) -> Store:
    return open_store(order.to)


def due_of(store: Store) -> list[Duty]:
    """What Anytown, as a council, owes since September."""
    council = Register((replace(Body.provisional_for("anytown"), kind="council"),))
    came = list(list_submissions(store))
    return judge_duties(assets.datasets(), council, summarise_received(came), date(2027, 3, 1), date(2026, 9, 1))


def sha256(order: RunRequest, name: str) -> str:
    results = plain_run(order, catalogued=False).results
    return next(result.sha256 for result in results if result.file.endswith(name))


@pytest.mark.parametrize(("how", "rows"), [("replace", 5), ("add", 15)])
def test_releasing_a_held_file_is_recorded(order: RunRequest, store: Store, how: str, rows: int) -> None:
    held = sha256(order, "b.csv")
    result = release(order.to, held[:8], because="they sold the other half", how=how).result
    history, _ = read_history(store, OCTOBER)
    assert result.outcome == "published v2"
    assert history.current_version is not None
    assert (history.current_version.rows, history.current_version.reason) == (
        rows,
        "released: they sold the other half",
    )
    report = read_report(store, find_submission(store, held))
    assert report is not None
    assert report.verdict is Verdict.ACCEPTED_WITH_WARNINGS
    assert "they sold the other half" in next(f.message for f in report.findings if f.code == "released-by-decision")
    assert any("/decision-" in key for key in store.keys("collected/"))


def test_a_later_run_does_not_undo_the_decision(order: RunRequest, store: Store) -> None:
    release(order.to, sha256(order, "b.csv"), because="it is right")
    before = contents(store)
    summary = plain_run(order)
    assert {result.ending for result in summary.results} == {"already done"}
    assert contents(store) == before


def test_a_released_file_is_shown_as_held_nowhere(order: RunRequest, store: Store) -> None:
    held = sha256(order, "b.csv")
    page = f"catalogue/reports/spend/anytown/{held}.html"
    assert b"October 2026 b.csv" in store.read("catalogue/index.html").content
    release(order.to, held, because="it is right")
    assert b"October 2026 b.csv" not in store.read("catalogue/index.html").content
    assert b"has 5 rows" in store.read(page).content  # why it was held stands with the decision
    states = {duty.state for duty in due_of(store)}
    assert "held" not in states


def test_the_finding_that_held_the_file_is_gone_once_it_is_released(order: RunRequest, store: Store) -> None:
    assert order.inbox is not None
    put(
        order.inbox,
        "spend/beeford/October 2026.csv",
        spend(10).replace(b",607.00,", b",six,").replace(b",614.00,", b",x,"),
    )
    plain_run(order, catalogued=False)
    held = sha256(order, "beeford/October 2026.csv")
    release(order.to, held, because="the two rows come next month")
    report = read_report(store, find_submission(store, held))
    assert report is not None
    assert "too-much-held" not in {finding.code for finding in report.findings}
    assert sum(table.rows.held for table in report.tables) == 2


def test_an_amount_beyond_belief_that_is_right_is_published_by_a_decision(order: RunRequest, store: Store) -> None:
    assert order.inbox is not None
    content = spend(12).replace(b",607.00,", b",9100000000.00,")
    put(order.inbox, "spend/beeford/October 2026.csv", content)
    plain_run(order, catalogued=False)
    held = sha256(order, "beeford/October 2026.csv")
    report = read_report(store, find_submission(store, held))
    assert report is not None
    assert (report.verdict, "amount-beyond-rest" in {finding.code for finding in report.findings}) == (
        Verdict.HELD,
        True,
    )
    release(order.to, held, because="it is the loan to the bridge")
    report = read_report(store, find_submission(store, held))
    assert report is not None
    assert [(table.rows.accepted, table.rows.held) for table in report.tables] == [(12, 0)]
    history, _ = read_history(store, Series("spend", "beeford", Period.month(2026, 10)))
    assert history.current_version is not None
    assert history.current_version.rows == 12


@pytest.mark.parametrize("code", [code for code, entry in finding_types().items() if entry.holds == "file"])
def test_every_finding_that_holds_a_file_is_released_by_a_decision(code: str) -> None:
    examined = examine_file(FileToCheck(spend(5), "October 2026.csv", dataset="spend"))
    examined = hold_file(examined, Finding(code, Severity.ERROR, "It is held.", "Correct it."))
    ruling = Ruling(Decision.REPLACE, "it is right", "2026-11-01T09:00:00Z", "An officer")
    released = apply_ruling(examined, ruling, deciding_finding(examined.report)).report
    assert (examined.report.verdict, released.verdict) == (Verdict.HELD, Verdict.ACCEPTED_WITH_WARNINGS)
    assert code not in {finding.code for finding in released.findings}
    assert "It is held" in released.findings[-1].message


def test_a_period_can_be_given_with_the_decision(order: RunRequest, store: Store) -> None:
    assert order.inbox is not None
    content = b"Supplier Name,Amount,Payment Date\r\n" + b"Acorn Roofing Ltd,700.00,\r\nElder Software Ltd,9.00,\r\n"
    put(order.inbox, "spend/anytown/payments.csv", content)
    plain_run(order, catalogued=False)
    held = sha256(order, "payments.csv")
    with pytest.raises(UsageError, match="--period"):
        release(order.to, held, because="they said on the telephone that it is August")
    result = release(order.to, held, because="they said on the telephone that it is August", period="2026-08").result
    assert (result.period, result.outcome) == ("2026-08", "published v1")
    assert {one.ending for one in plain_run(order).results} == {"already done"}


def test_only_held_files_can_be_released(order: RunRequest, store: Store) -> None:
    with pytest.raises(UsageError, match="is not held"):
        release(order.to, sha256(order, "a.csv"), because="why not")
    with pytest.raises(UnknownSubmission):
        release(order.to, "0" * 12, because="why not")
    with pytest.raises(UsageError, match="give a reason"):
        release(order.to, sha256(order, "b.csv"), because=" ")
    with pytest.raises(UsageError, match="replace or add"):
        release(order.to, sha256(order, "b.csv"), because="why not", how="merge")


def test_a_replay_by_the_same_rules_changes_nothing(order: RunRequest, store: Store, tmp_path: Path) -> None:
    release(order.to, sha256(order, "b.csv"), because="it is the other half", how="add")
    before = contents(store)
    again = open_store(str(tmp_path / "again"))
    replayed = replay(order.to, str(tmp_path / "again"))
    assert replayed.changes == ()
    assert len(replayed.results) == 2
    assert releases(again) == releases(store)
    assert contents(again, "reports/") == contents(store, "reports/")
    assert contents(store) == before


def test_a_replay_lists_what_would_change(order: RunRequest, store: Store, tmp_path: Path) -> None:
    """Another register, or another rule: here the report on record is of a stricter one."""
    submission = find_submission(store, sha256(order, "a.csv"))
    report = read_report(store, submission)
    assert report is not None
    strict = replace(report, verdict=Verdict.HELD)
    file_reports(store, submission, strict, strict)
    (change,) = replay(order.to, str(tmp_path / "again")).changes
    assert change.verdict == (Verdict.HELD, Verdict.ACCEPTED)
    assert [rows.published for rows in change.rows] == [0, 10]


def test_a_replay_needs_an_empty_place(order: RunRequest, store: Store) -> None:
    with pytest.raises(UsageError, match="empty"):
        replay(order.to, order.to)
