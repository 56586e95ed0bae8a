"""Nothing to send: nil, exempt and late returns, in duties and on public pages; abandoned drafts."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

import publishers
from piperoll import assets, layout
from piperoll.cli import app
from piperoll.describing.page_wording import format_day
from piperoll.duties import DutyState, judge_duties
from piperoll.model import Body, Receipt, ReturnKind, Verdict, to_document, to_json_bytes
from piperoll.operations import returns, submitting
from piperoll.operations.catalogue.build import build_catalogue
from piperoll.operations.due import list_duties
from piperoll.operations.returns import FieldError, NothingToSend
from piperoll.operations.run_request import open_run
from piperoll.operations.submitting import Given, Sender, SentFile
from publishers import Store, open_store, sweep_drafts
from tests.operations.inbox import spend

ANYTOWN = Body(id="GB-X-1", slug="anytown", name="Anytown Council", kind="council")
QUARTER = Given("spend", "2026-Q3")
SOON = (date.today() + timedelta(days=60)).isoformat()  # noqa: DTZ011
"""A day on which a late return may be promised."""


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "out")


@pytest.fixture
def store(place: str) -> Store:
    return open_store(place)


def say(place: str, store: Store, said: NothingToSend) -> tuple[Receipt, bool]:
    return returns.state_nothing(place, store, Sender("anytown", "person-1"), ANYTOWN, said)


def late(day: str = SOON, given: Given = QUARTER) -> NothingToSend:
    return NothingToSend(ReturnKind.LATE, given, "system", day)


def test_a_late_return_stays_outstanding_and_says_when_it_will_come(place: str, store: Store) -> None:
    receipt, new = say(place, store, late())
    assert new
    assert say(place, store, late()) == (receipt, False)
    said = publishers.list_statements(store, "anytown")
    duties = judge_duties([assets.dataset("spend")], [ANYTOWN], [], date(2026, 12, 31), date(2026, 7, 1), said)
    third = next(duty for duty in duties if str(duty.period) == "2026-Q3" and duty.part is None)
    assert (third.state, third.outstanding) == (DutyState.MISSING, True)
    assert third.to_document()["statement"]["expected"] == SOON


def test_an_exemption_is_a_state_with_its_clause_and_a_file_that_comes_counts_more(place: str, store: Store) -> None:
    say(place, store, NothingToSend(ReturnKind.EXEMPT, QUARTER, "lgtc-small"))
    said = publishers.list_statements(store, "anytown")
    duties = judge_duties([assets.dataset("spend")], [ANYTOWN], [], date(2026, 12, 31), date(2026, 7, 1), said)
    states = {(str(duty.period), duty.part): duty for duty in duties}
    exempt = states["2026-Q3", None]
    assert (exempt.state, exempt.outstanding) == (DutyState.EXEMPT, False)
    assert exempt.statement is not None
    assert "£200,000" in (exempt.statement.clause or "")
    assert states["2026-Q3", "card"].state is DutyState.MISSING  # the exemption is of another part


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (NothingToSend(ReturnKind.LATE, Given("spend", None), "system", SOON), "period"),
        (NothingToSend(ReturnKind.LATE, Given(None, "2026-10"), "system", SOON), "dataset"),
        (NothingToSend(ReturnKind.LATE, Given("spend", "soon"), "system", SOON), "period"),
        (NothingToSend(ReturnKind.LATE, QUARTER, "no such reason", SOON), "reason"),
        (NothingToSend(ReturnKind.LATE, QUARTER, "system", "tomorrow"), "expected"),
        (NothingToSend(ReturnKind.LATE, QUARTER, "system", "2020-01-01"), "expected"),
        (NothingToSend(ReturnKind.EXEMPT, QUARTER, None), "reason"),
    ],
)
def test_what_is_missing_or_impossible_is_said_by_field(
    place: str, store: Store, said: NothingToSend, field: str
) -> None:
    with pytest.raises(FieldError) as refused:
        say(place, store, said)
    assert refused.value.field == field
    assert list(store.keys(layout.RETURNS)) == []


def test_a_nil_return_and_an_exemption_are_published_as_what_they_are(place: str, store: Store) -> None:
    submitting.put_submission(
        place, store, Sender("anytown", "key-1"), SentFile("a.csv", spend(month="07/2026"), Given("spend", "2026-07"))
    )
    nil, _ = say(place, store, NothingToSend(ReturnKind.NIL, Given("spend", "2026-08")))
    assert (nil.kind, nil.verdict) == (ReturnKind.NIL, Verdict.NIL)
    submitting.publish_waiting(place)
    assert (report := submitting.is_processed(store, nil)) is not None
    assert report.verdict is Verdict.NIL
    say(place, store, late(given=Given("spend", "2026-Q3")))
    listed = list_duties(place, date.today() + timedelta(days=30), body="anytown")  # noqa: DTZ011
    assert all(duty.statement is None or duty.statement.kind is ReturnKind.LATE for duty in listed.duties)


def test_a_receipt_is_verified_by_the_command_without_the_store(place: str, store: Store, tmp_path: Path) -> None:
    receipt, _ = say(place, store, late())
    (tmp_path / "receipt.json").write_bytes(to_json_bytes(to_document(receipt)))
    key = json.loads(store.read(layout.RECEIPTS_KEY).content)["public_key"]
    verify = ["verify", "--receipt", str(tmp_path / "receipt.json")]
    done = CliRunner().invoke(app, [*verify, "--key", key])
    assert (done.exit_code, done.output) == (0, f"Receipt {receipt.reference} is signed and unchanged.\n")
    changed = to_document(receipt) | {"dataset": "roles"}
    (tmp_path / "receipt.json").write_bytes(to_json_bytes(changed))
    done = CliRunner().invoke(app, verify)
    assert done.exit_code == 1
    assert "changed after it was signed" in done.output


def test_abandoned_drafts_are_swept_and_files_with_a_receipt_are_not(place: str, store: Store) -> None:
    abandoned = submitting.begin_draft(store, "anytown", "p", SentFile("a.csv", spend(3)))
    sent = submitting.begin_draft(store, "anytown", "p", SentFile("b.csv", spend(4), Given("spend", "2026-10")))
    submitting.submit_draft(place, store, sent)
    assert sweep_drafts(store) == 0
    assert sweep_drafts(store, older_than=0) == 1
    assert publishers.read_draft(store, "anytown", abandoned.id) is None
    submitting.publish_waiting(place)
    assert sweep_drafts(store, older_than=0) == 1
    assert list(store.keys(layout.DRAFTS)) == []


def test_an_exempt_and_a_late_return_are_shown_on_the_public_page_and_the_late_one_in_the_feed(
    place: str, store: Store, tmp_path: Path
) -> None:
    heading, council = "id,slug,name,kind,aliases,same_as,contact,licence", "Anytown Council,council,,,,OGL-UK-3.0"
    (tmp_path / "bodies.csv").write_text(f"{heading}\nGB-X-1,anytown,{council}\n")
    july = SentFile("a.csv", spend(month="07/2026"), Given("spend", "2026-07"))
    submitting.put_submission(place, store, Sender("beeford", "key-1"), july)  # someone has to send it, for a duty
    submitting.publish_waiting(place)
    say(place, store, NothingToSend(ReturnKind.EXEMPT, QUARTER, "lgtc-small"))
    say(place, store, late(given=Given("spend", "2026-Q3", "card")))
    with open_run(place, bodies=tmp_path / "bodies.csv", moment="2026-12-31T09:00:00Z") as run:
        build_catalogue(run)
    page = " ".join(store.read(layout.body_page("anytown")).content.decode().split())
    promised = f"It expects to send it by {format_day(SOON)}."
    assert "The body says that it is exempt for July to September 2026: we are a parish or town council" in page
    assert "will be late: our finance system is being changed" in page
    assert promised in page
    items = json.loads(store.read(f"{layout.late_feed('anytown')}.json").content)["items"]
    said = [item["content_text"] for item in items if "July to September 2026" in item["title"]]
    assert len(said) == 1, items  # the exempt return is not late
    assert promised in said[0]
