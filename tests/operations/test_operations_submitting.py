"""A file from upload to receipt and publication: drafts, checks, comparison with the last attempt, kills."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

import publishers
from piperoll import layout
from piperoll.errors import UsageError
from piperoll.model import Draft, Receipt, ReturnKind, Series, Verdict, from_document, to_document
from piperoll.operations import submitting
from piperoll.operations.receipts import verify_receipt
from piperoll.operations.run_request import RunRequest, open_run
from piperoll.operations.submitting import Given, Sender, SentFile, SubmissionRefused
from publishers import Store, open_store
from tests.operations.inbox import plain_run, spend

BODY = "anytown"
SPEND = Given("spend")
OCTOBER = "spend anytown October 2026.csv"


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "out")


@pytest.fixture
def store(place: str) -> Store:
    return open_store(place)


def begin(store: Store, content: bytes, name: str = OCTOBER, given: Given = SPEND) -> Draft:
    return submitting.begin_draft(store, BODY, "person-1", SentFile(name, content, given))


def submit(place: str, store: Store, content: bytes) -> Receipt:
    receipt, _ = submitting.submit_draft(place, store, begin(store, content))
    return receipt


def test_what_a_file_is_is_recognised_and_what_its_sender_says_is_used(place: str, store: Store) -> None:
    draft = begin(store, spend(), "payments.csv", Given())
    checked = submitting.check_draft(place, store, draft)
    assert (checked.report.dataset, checked.report.period) == ("spend", "2026-10")
    draft = submitting.confirm_facts(store, draft, Given("gpc", "October 2026"))
    assert (draft.last.dataset, draft.last.period, draft.last.part) == ("spend", "2026-10", "card")
    assert submitting.check_draft(place, store, draft).report.part == "card"
    assert submitting.confirm_facts(store, draft, Given("spend", "2026-10", "card")) == draft


def test_a_receipt_counts_what_is_accepted_and_is_proved_without_the_store(place: str, store: Store) -> None:
    content = spend(10) + b",Total,6385.00,,,\r\n"
    receipt = submit(place, store, content)
    assert (receipt.period, receipt.verdict, receipt.publication) == ("2026-10", "accepted", "at-once")
    assert receipt.accepted.rows == 10
    assert receipt.left_out.rows == 1
    document = to_document(receipt)
    key = publishers.signing_key(store).public
    assert len(verify_receipt(document, content, key)) == 2
    with pytest.raises(UsageError, match="changed after it was signed"):
        verify_receipt(document | {"time": "2020-01-01T00:00:00Z"}, None, key)
    with pytest.raises(UsageError, match="the file given is"):
        verify_receipt(document, content + b"\r\n", key)
    with pytest.raises(UsageError, match="signed with the key"):
        verify_receipt(document, content, "00" * 32)


def test_nothing_is_public_before_a_receipt_and_everything_after_the_run(place: str, store: Store) -> None:
    draft = begin(store, spend())
    submitting.check_draft(place, store, draft)
    assert not any(map(layout.is_public, store.keys()))
    receipt, new = submitting.submit_draft(place, store, draft)
    assert new
    assert submitting.is_processed(store, receipt) is None
    summary = submitting.publish_waiting(place)
    assert summary is not None
    assert [result.outcome for result in summary.results] == ["published v1"]
    report = submitting.is_processed(store, receipt)
    assert report is not None
    assert report.verdict.publishes
    assert list(store.keys(layout.DRAFTS)) == [layout.draft(BODY, draft.id)]
    assert submitting.publish_waiting(place) is None


def test_submitting_twice_gives_one_receipt_and_one_version(place: str, store: Store) -> None:
    first = submit(place, store, spend())
    draft = begin(store, spend())
    assert submitting.submit_draft(place, store, draft) == (first, False)
    submitting.publish_waiting(place)
    again, new = submitting.submit_draft(place, store, begin(store, spend()))
    assert (again, new) == (first, False)
    assert submitting.publish_waiting(place) is None
    history, _ = publishers.read_history(store, Series.parse("spend/anytown/2026-10"))
    assert len(history.versions) == 1


def test_the_next_run_publishes_what_has_a_receipt(place: str, store: Store, tmp_path: Path) -> None:
    receipt = submit(place, store, spend())
    (tmp_path / "inbox").mkdir()
    plain_run(RunRequest(to=place, inbox=tmp_path / "inbox"), catalogued=False)
    assert submitting.is_processed(store, receipt) is not None


def test_a_rejected_file_gets_no_receipt_and_its_report_says_why(place: str, store: Store) -> None:
    draft = begin(store, b"Colour,Animal\r\nred,cat\r\nblue,dog\r\n", "pets.csv")
    with pytest.raises(SubmissionRefused) as refused:
        submitting.submit_draft(place, store, draft)
    assert refused.value.report.verdict is Verdict.REJECTED
    assert publishers.list_receipts(store, BODY) == []


def test_a_corrected_upload_is_compared_with_the_last_attempt(place: str, store: Store) -> None:
    broken = spend(60).replace(b"08/10/2026", b"not a day", 1)
    draft = begin(store, broken)
    draft = submitting.add_attempt(store, draft, OCTOBER, spend(61).replace(b"T00003", b""))
    progress = submitting.compare_attempts(place, store, draft)
    assert progress is not None
    assert progress.solved
    assert {finding.code for finding in progress.solved}.isdisjoint(finding.code for finding in progress.remaining)
    assert (progress.accepted_before.rows, progress.accepted.rows) == (59, 61)
    assert submitting.add_attempt(store, draft, OCTOBER, spend(61).replace(b"T00003", b"")) == draft


def test_a_file_is_shown_beside_the_last_month(place: str, store: Store) -> None:
    submit(place, store, spend(20, month="09/2026"))
    submitting.publish_waiting(place)
    content = spend(10).replace(b"Acorn Roofing Ltd", b"Zinnia Paints Ltd")
    beside = submitting.check_draft(place, store, begin(store, content)).beside
    assert beside is not None
    assert (beside.period, beside.rows_before, beside.rows) == ("2026-09", 20, 10)
    assert (beside.new, beside.gone) == (("Zinnia Paints Ltd",), ("Acorn Roofing Ltd",))
    assert beside.days_missing == ("2026-10-12", "2026-10-31")


def test_a_program_sends_a_file_in_one_step_and_is_refused_what_would_be_held(place: str, store: Store) -> None:
    sender, file = Sender(BODY, "key-1"), SentFile("x.csv", spend(), Given("spend", "2026-10"))
    receipt, new = submitting.put_submission(place, store, sender, file)
    assert new
    assert submitting.put_submission(place, store, sender, file) == (receipt, False)
    undated = b"Supplier Name,Amount,Transaction Number\r\nAcorn Roofing Ltd,612.00,T1\r\nBeech Ltd,800.00,T2\r\n"
    unknown = SentFile("x.csv", undated, Given("spend"))
    with pytest.raises(SubmissionRefused):
        submitting.put_submission(place, store, sender, unknown)
    assert len(list(store.keys(layout.DRAFTS))) == 3  # of the first: what is known, its bytes, its check
    other = replace(sender, body="another")
    assert submitting.put_submission(place, store, other, file)[0].reference != receipt.reference


def test_the_copies_of_a_draft_are_of_its_own_file(place: str, store: Store) -> None:
    draft = begin(store, spend(5).replace(b"607.00", b"\xa3607.00 ".replace(b"\xa3", "£".encode())))
    marked = submitting.make_copy(place, store, draft, corrected=False)
    assert load_workbook(io.BytesIO(marked.content)).sheetnames[-1] == "Piperoll findings"
    corrected = submitting.make_copy(place, store, draft, corrected=True)
    assert corrected.extension == ".csv"
    assert any(change.after == "607.00" for change in corrected.changes)


def test_a_purged_file_is_in_no_draft_and_gets_no_receipt_again(place: str, store: Store) -> None:
    receipt = submit(place, store, spend())
    submitting.publish_waiting(place)
    draft = begin(store, spend())
    publishers.remove_submission(store, receipt.sha256, because="it names people", now="2026-11-29T00:00:00Z")
    assert publishers.read_draft(store, BODY, draft.id) is None
    with pytest.raises(SubmissionRefused, match="purged"):
        submitting.submit_draft(place, store, begin(store, spend()))
    assert submitting.is_processed(store, receipt) is None


# --- kills ------------------------------------------------------------------------------------------------------------


class LethalStore:
    """A store whose nth write kills its process: before it, or right after it."""

    def __init__(self, store: Store, writes: int, *, after: bool) -> None:
        self._store, self._left, self._after = store, writes, after

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._store, name)
        if name not in ("put", "create", "replace", "delete"):
            return operation

        def count(*given: Any, **more: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = operation(*given, **more)
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return count


def run_killed(work: Any) -> bool:
    """Do the work in a process of its own; True if it was killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - the parent sees it by the status
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
    return os.waitstatus_to_exitcode(status) != 0


def each_kill(tmp_path: Path, work: Any) -> Iterator[tuple[str, bool]]:
    """Do the work in fresh stores, killed at each write in turn, until it ends by itself."""
    for number in range(1, 200):
        for after in (False, True):
            place = str(tmp_path / f"{number}-{after}")
            killed = run_killed(lambda: work(place, LethalStore(open_store(place), number, after=after)))  # noqa: B023
            yield place, killed
        if not killed:
            return


def test_killed_at_any_write_a_receipt_is_kept_and_an_upload_without_one_leaves_nothing_public(tmp_path: Path) -> None:
    content = spend(4)
    aside = str(tmp_path / "aside")
    checked = submitting.check_draft(aside, open_store(aside), begin(open_store(aside), content))

    def work(place: str, lethal: Any) -> None:
        draft = begin(lethal, content)
        receipt, _ = submitting.record_receipt_for(lethal, draft, checked)
        Path(f"{place}.given").write_text(receipt.reference)
        publishers.update_draft(lethal, BODY, draft.id, lambda one: replace(one, reference=receipt.reference))
        with open_run(place) as run:
            run.__dict__["store"] = lethal
            submitting.process_waiting(run)

    kills = 0
    for place, killed in each_kill(tmp_path, work):
        kills += killed
        store = open_store(place)
        receipts = publishers.list_receipts(store, BODY)
        if Path(f"{place}.given").exists():
            assert len(receipts) == 1
        if not receipts:
            assert {layout.RECEIPTS_KEY}.issuperset(filter(layout.is_public, store.keys()))
        with open_run(place) as run:
            submitting.process_waiting(run)
        published = list(publishers.list_series(store, "spend", BODY))
        assert len(published) == len(receipts)
        for receipt in receipts:
            assert submitting.is_processed(store, receipt) is not None
            assert publishers.read_received_bytes(store, publishers.find_submission(store, receipt.sha256)) == content
    assert kills > 20


def test_a_receipt_reads_back_as_it_was_written(place: str, store: Store) -> None:
    receipt = submit(place, store, spend())
    assert from_document(Receipt, to_document(receipt)) == receipt
    assert receipt.kind is ReturnKind.FILE
