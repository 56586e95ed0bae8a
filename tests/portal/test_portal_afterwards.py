"""After sending: home, what was sent, questions, withdrawals, readers' reports, replies, the operator's room."""

from __future__ import annotations

import csv
import io
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from piperoll.errors import UsageError
from piperoll.model import Acts, Role, SubjectKind
from piperoll.operations.access import NewGrant, grant_access, revoke_access
from piperoll.operations.answering import answer_items, apply_answers
from piperoll.operations.decision_queue import list_items
from piperoll.operations.queue_items import ItemKind, QueueItem
from portal.readers import REPORTS
from publishers import list_decisions, read_history
from publishers.access import read_access_log
from tests.fixtures.portal_client import SECRET, Client, PortalUnderTest
from tests.operations.inbox import spend
from tests.operations.test_operations_standing import NAME, OCTOBER, TODAY, Place, with_name

OTHER = "Oswin Thimblewick"
NOON = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC).timestamp()


class Town:
    """A portal over what Anytown and Beeford have sent."""

    def __init__(self, folder: Path) -> None:
        self.place = Place(folder)
        self.portal = PortalUnderTest(Path(self.place.to))
        self.portal.now = NOON

    def officer(self, body: str = "anytown", *roles: Role) -> Client:
        return self.portal.sign_in(body, *roles, email=f"officer@{body}.example")

    def operator(self) -> Client:
        return self.portal.sign_in(None, email="operator@platform.example")

    def item(self, words: str) -> QueueItem:
        (found,) = [item for item in list_items(self.place.index()) if words in item.question]
        return found


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store: Anytown has held names in October and a short file; Beeford has a held name too."""
    made = Town(tmp_path_factory.mktemp("town"))
    made.place.send("anytown/October 2026.csv", with_name(NAME, OTHER))
    made.place.send("anytown/September 2026.csv", spend(40, month="09/2026"))
    made.place.send("anytown/September 2026 short.csv", spend(10, month="09/2026"))
    made.place.send("beeford/October 2026.csv", with_name(NAME))
    return made.place.folder


@pytest.fixture
def town(sent: Path, tmp_path: Path) -> Town:
    """A copy of the store, for one test."""
    shutil.copytree(sent, tmp_path / "town")
    return Town(tmp_path / "town")


def references(page: str) -> list[str]:
    return re.findall(r"/submissions/([0-9a-f]{12})\"", page)


def test_the_home_page_says_what_waits_for_whom(town: Town) -> None:
    page = town.officer().get("/bodies/anytown/").text
    assert "2 held names" in page
    assert "1 held file" in page
    assert "October 2026.csv" in page
    assert "Your level is <strong>New</strong>" in page


@pytest.mark.parametrize("path", ["", "submissions/", "questions/", "standing", "replies/"])
def test_every_page_of_another_body_is_not_found(town: Town, path: str) -> None:
    officer = town.officer("beeford")
    assert officer.get(f"/bodies/beeford/{path}").status_code == 200
    assert officer.get(f"/bodies/anytown/{path}").status_code == 404
    assert town.portal.client().get(f"/bodies/anytown/{path}").status_code == 303


def test_a_body_sees_its_own_held_values_and_nobody_elses(town: Town) -> None:
    assert OTHER in town.officer().get("/bodies/anytown/questions/").text
    assert OTHER not in town.officer("beeford").get("/bodies/beeford/questions/").text


def test_a_file_of_another_body_is_not_found_below_the_own_address(town: Town) -> None:
    theirs = references(town.officer().get("/bodies/anytown/submissions/").text)
    officer = town.officer("beeford")
    for reference in theirs:
        assert officer.get(f"/bodies/beeford/submissions/{reference}").status_code == 404
        assert officer.post_form(f"/bodies/beeford/submissions/{reference}/withdraw", because="x").status_code == 404


def test_held_and_published_files_are_listed_and_filtered(town: Town) -> None:
    officer = town.officer()
    assert len(references(officer.get("/bodies/anytown/submissions/").text)) == 3
    (held,) = references(officer.get("/bodies/anytown/submissions/?state=held").text)
    assert "September 2026 short.csv" in officer.get(f"/bodies/anytown/submissions/{held}").text
    assert officer.get("/bodies/anytown/submissions/?number=2").status_code == 404
    assert officer.get("/bodies/anytown/submissions/../../x").status_code == 404


def test_names_are_answered_at_once_and_the_rest_in_bulk(town: Town) -> None:
    officer, item = town.officer(), town.item(OTHER)
    shown = next(one for one in town.place.items() if (one.body, one.subject) == ("anytown", NAME))
    answer = officer.post(
        "/bodies/anytown/questions/",
        data={
            "csrf": officer.csrf,
            f"a-{item.id}": "person",
            "all-names": "business",
            "shown": [item.id, shown.id],
            "because": "By telephone",
        },
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/bodies/anytown/questions/?done=2")
    recorded = {
        entry.subject: (entry.decided_as, entry.because) for entry in list_decisions(town.place.store, "anytown")
    }
    assert recorded == {OTHER: ("person", "By telephone"), NAME: ("business", "By telephone")}
    assert "@" not in {entry.by for entry in list_decisions(town.place.store, "anytown")}.pop()
    apply_answers(town.place.to, only="anytown")
    assert NAME in town.place.names()
    assert OTHER not in town.place.names()


def test_an_answer_without_a_reason_or_the_role_is_refused(town: Town) -> None:
    officer, item = town.officer(), town.item(OTHER)
    answer = officer.post_form("/bodies/anytown/questions/", **{f"a-{item.id}": "business"})
    assert answer.status_code == 400
    assert "reason" in answer.text
    assert "checked" in answer.text
    reader = town.portal.sign_in("beeford", Role.SUBMIT, email="other@beeford.example")
    refused = reader.post_form("/bodies/beeford/questions/", because="x", **{f"a-{item.id}": "business"})
    assert refused.status_code == 403
    assert list_decisions(town.place.store, "anytown") == []


def test_a_new_body_leaves_a_held_file_to_an_operator_who_releases_it(town: Town) -> None:
    officer, item = town.officer(), town.item("September 2026 short")
    assert "an operator answers these" in officer.get("/bodies/anytown/questions/").text
    refused = officer.post_form("/bodies/anytown/questions/", because="Right", **{f"a-{item.id}": "replace"})
    assert refused.status_code == 400
    operator = town.operator()
    assert item.id in operator.get("/operator/queue?kind=file").text
    answer = operator.post_form("/operator/queue", pick=item.id, answer="replace", because="Right as it is")
    assert answer.status_code == 303
    apply_answers(town.place.to)
    assert item.id not in operator.get("/operator/queue").text


def test_an_operator_answers_for_several_bodies_together(town: Town) -> None:
    operator = town.operator()
    picked = [item.id for item in town.place.items() if item.subject == NAME]
    assert len(picked) == 2
    data = {"csrf": operator.csrf, "pick": picked, "answer": "business", "because": "A firm"}
    assert operator.post("/operator/queue", data=data).headers["Location"] == "/operator/queue?done=2"
    assert [entry.subject for body in ("anytown", "beeford") for entry in list_decisions(town.place.store, body)] == [
        NAME,
        NAME,
    ]


def test_an_answer_leads_back_to_the_list_as_it_was_filtered(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    operator, item = town.operator(), town.item(OTHER)
    page = operator.get("/operator/queue?kind=value&of=anytown&order=pounds").text
    assert 'action="/operator/queue?kind=value&amp;of=anytown&amp;order=pounds"' in page
    data = {"csrf": operator.csrf, "pick": item.id, "answer": "business", "because": "A firm"}
    answer = operator.post("/operator/queue?kind=value&of=anytown&order=pounds&x=1", data=data)
    assert answer.headers["Location"] == "/operator/queue?kind=value&of=anytown&order=pounds&done=1"
    monkeypatch.setattr("portal.operator.ITEMS_A_PAGE", 1)
    shown = [operator.get(f"/operator/queue?number={number}").text for number in (1, 2, 3, 4, 9)]
    assert "Page 1 of 3" in shown[0]
    assert [text.count('name="pick"') for text in shown] == [1, 1, 1, 1, 1]
    assert shown[2] == shown[3] == shown[4]
    assert "Page 3 of 3" in operator.get(f"/operator/queue?number={'9' * 5000}").text


def test_a_form_on_the_second_page_of_decisions_that_has_an_error_keeps_what_was_chosen(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.operator.ITEMS_A_PAGE", 1)
    operator = town.operator()
    page = operator.get("/operator/queue?number=2").text
    action, picked = re.search(r'action="(/operator/queue[^"]*)" method="post"', page), re.search(r'id="p-(\w+)"', page)
    assert action is not None
    assert picked is not None
    data = {"csrf": operator.csrf, "pick": picked[1], "answer": "business", "because": ""}
    refused = operator.post(action[1].replace("&amp;", "&"), data=data)
    assert refused.status_code == 400
    assert f'value="{picked[1]}" checked' in refused.text


def test_an_answer_to_a_reader_that_cannot_be_published_is_named_and_blocks_no_other(town: Town) -> None:
    """What came before it in the form had been recorded already, and the page said that nothing was."""
    item = town.item(OTHER)
    report = replace(item, kind=ItemKind.REPORT, subject="0" * 12, choices=())
    given = {item.id: "business", report.id: "x" * 2000}
    with pytest.raises(UsageError, match="give a reason"):
        answer_items(
            town.place.store, [item], {item.id: "business"}, because=" ", by="b", moment=item.since, standings=None
        )
    assert list(list_decisions(town.place.store, item.body)) == []
    answered = answer_items(
        town.place.store, [item, report], given, because="A firm", by="b", moment=item.since, standings=None
    )
    assert answered.taken == (item,)
    assert "shorten" in answered.refused[report.id]
    assert "1 answer was recorded. Not recorded: " in answered.describe([item, report])


def test_who_reads_held_values_of_a_file_is_in_the_log(town: Town) -> None:
    officer = town.officer()
    (reference,) = references(officer.get("/bodies/anytown/submissions/?state=partly").text)
    assert NAME in officer.get(f"/bodies/anytown/submissions/{reference}").text
    (entry,) = [event for event in read_access_log(town.place.store) if event.what != "grant"]
    assert entry.what == "GET /bodies/{body}/submissions/{reference}"
    assert entry.subject == f"body=anytown reference={reference}"
    assert NAME not in str(entry)


def test_who_reads_held_names_among_questions_is_in_the_log(town: Town) -> None:
    assert NAME in town.officer().get("/bodies/anytown/questions/").text
    assert NAME in town.operator().get("/operator/queue").text
    read = {event.what for event in read_access_log(town.place.store) if event.what != "grant"}  # all of one moment
    assert read == {"GET /bodies/{body}/questions/", "GET /operator/queue"}


@pytest.mark.parametrize(
    "path", ["/operator/queue", "/operator/calendar", "/operator/calendar.csv", "/operator/calendar.ics"]
)
def test_the_operators_room_is_closed_to_officers(town: Town, path: str) -> None:
    assert town.officer().get(path).status_code == 403
    assert town.operator().get(path).status_code == 200


def test_the_queue_is_filtered_by_words_body_and_turn(town: Town) -> None:
    operator = town.operator()
    assert OTHER not in operator.get("/operator/queue?of=beeford").text
    assert OTHER in operator.get("/operator/queue?words=thimble").text
    assert OTHER not in operator.get(f"/operator/queue?turn={Acts.PLATFORM}").text


def test_the_calendar_says_the_same_as_its_csv(town: Town) -> None:
    operator = town.operator()
    page = operator.get("/operator/calendar?of=anytown&dataset=spend&since=2026-09-01").text
    rows = list(csv.DictReader(io.StringIO(operator.get("/operator/calendar.csv?of=anytown&since=2026-09-01").text)))
    spending = [row for row in rows if row["dataset"] == "spend"]
    assert {row["body"] for row in rows} <= {"anytown"}
    for row in spending:
        assert row["due"]
    assert page.count("<tr><th scope") == len(spending)
    assert operator.get("/operator/calendar?since=yesterday").status_code == 400


def test_a_withdrawal_is_asked_confirmed_and_shown(town: Town) -> None:
    officer = town.officer()
    (reference,) = references(officer.get("/bodies/anytown/submissions/?state=partly").text)
    path = f"/bodies/anytown/submissions/{reference}"
    assert officer.post_form(f"{path}/withdraw", because="A draft").status_code == 400
    assert officer.post_form(f"{path}/withdraw", because="A draft", reason="mistake").status_code == 303
    assert "An operator has not answered yet" in officer.get(path).text
    item = town.item("A draft")
    town.operator().post_form("/operator/queue", pick=item.id, answer="confirmed", because="Agreed")
    assert "It was withdrawn" in officer.get(path).text
    assert read_history(town.place.store, OCTOBER)[0].current is None


def test_personal_data_is_removed_at_once(town: Town) -> None:
    officer = town.officer()
    (reference,) = references(officer.get("/bodies/anytown/submissions/?state=partly").text)
    path = f"/bodies/anytown/submissions/{reference}"
    officer.post_form(f"{path}/withdraw", because=f"Row 2 names {NAME}", reason="personal")
    assert read_history(town.place.store, OCTOBER)[0].current is None
    assert not [key for key in town.place.store.keys(f"data/{OCTOBER}/") if key.endswith(".csv")]
    assert "removed at once" in officer.get(path).text


def test_a_reader_reports_and_the_body_answers(town: Town) -> None:
    reader, officer = town.portal.client(), town.officer()
    path = f"/report/{OCTOBER}"
    assert reader.get(path).status_code == 200
    assert reader.post(path, data={"text": "No kind"}).status_code == 400
    assert reader.post(path, data={"text": "Is T00003 in pence?", "concern": "wrong"}).status_code == 303
    page = officer.get("/bodies/anytown/questions/").text
    assert "Is T00003 in pence?" in page
    item = town.item("T00003")
    refused = officer.post_form("/bodies/anytown/questions/", **{f"a-{item.id}": "Ask Mrs Jane Quillfeather"})
    assert refused.status_code == 400
    answer = officer.post_form("/bodies/anytown/questions/", **{f"a-{item.id}": "No, it is in pounds."})
    assert answer.status_code == 303
    assert "T00003" not in officer.get("/bodies/anytown/questions/").text
    for missing in ("spend/anytown/2031-01", "spend/nobody/2026-10", "nothing/anytown/2026-10", "spend/anytown/x"):
        assert reader.get(f"/report/{missing}").status_code == 404


def test_reports_from_one_address_are_limited(town: Town) -> None:
    reader, path = town.portal.client(), f"/report/{OCTOBER}"
    sent = [reader.post(path, data={"text": f"Report {number}", "concern": "unclear"}) for number in range(12)]
    assert [answer.status_code for answer in sent] == [303] * REPORTS.most + [429] * 2
    assert len(town.place.items()) == 4 + REPORTS.most
    town.portal.now += 3600
    assert reader.post(path, data={"text": "An hour later", "concern": "unclear"}).status_code == 303


def test_every_form_has_the_token_and_nothing_is_done_without_it(town: Town) -> None:
    officer, item = town.officer(), town.item(OTHER)
    data = {f"a-{item.id}": "business", "because": "x"}
    assert officer.post("/bodies/anytown/questions/", data=data).status_code == 403
    assert officer.post("/operator/queue", data=data).status_code == 403
    assert list_decisions(town.place.store, "anytown") == []


def test_pages_are_small(town: Town) -> None:
    officer, operator = town.officer(), town.operator()
    for path in ("", "submissions/", "questions/", "standing", "replies/"):
        assert len(officer.get(f"/bodies/anytown/{path}").content) < 120_000
    for path in ("queue", "calendar"):
        assert len(operator.get(f"/operator/{path}").content) < 120_000


def test_an_operator_sees_which_of_several_answers_were_not_taken(town: Town) -> None:
    operator, item = town.operator(), town.item(OTHER)
    data = {"csrf": operator.csrf, "pick": [item.id, "000000000000"], "answer": "business", "because": "A firm"}
    answer = operator.post("/operator/queue", data=data)
    assert answer.status_code == 409
    assert "1 answer was recorded. Not recorded: 000000000000" in answer.text
    assert item.id not in operator.get("/operator/queue").text


def test_a_calendar_program_subscribes_by_an_address_of_its_own_until_it_is_revoked(town: Town) -> None:
    def give(body: str | None) -> tuple[str, str]:
        wanted = NewGrant(SubjectKind.KEY, "", body, (Role.CALENDAR,))
        made = grant_access(town.portal.store, SECRET, wanted, by="a test")
        assert made.key is not None
        return made.grant.id, made.key

    (town.place.folder / "bodies.csv").write_text(
        "id,slug,name,kind,aliases,same_as,contact,licence\n"
        "gss:E07999901,anytown,Anytown Borough Council,council,,,,OGL-UK-3.0\n"
        "gss:E07999902,beeford,Beeford District Council,council,,,,OGL-UK-3.0\n"
    )
    listed = str(town.place.folder / "bodies.csv")
    town.portal = PortalUnderTest(Path(town.place.to), {"bodies": listed}, town.portal.now)
    grant, key = give("anytown")
    _, for_all = give(None)
    program = town.portal.client()
    answer = program.get(f"/calendar/{key}.ics?of=beeford")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/calendar")
    own, everyone = answer.text, program.get(f"/calendar/{for_all}.ics").text
    assert ".anytown@duties.piperoll" in own and ".beeford@duties.piperoll" not in own
    assert ".anytown@duties.piperoll" in everyone and ".beeford@duties.piperoll" in everyone
    for path in ("/operator/calendar.ics", "/bodies/anytown/"):
        assert program.get(path, headers={"Authorization": f"Bearer {for_all}"}).status_code == 303
    sent = program.put("/submissions?body=anytown&name=a.csv", headers={"Authorization": f"Bearer {key}"}, content=b"a")
    assert sent.status_code == 403
    submits = grant_access(
        town.portal.store, SECRET, NewGrant(SubjectKind.KEY, "", "anytown", (Role.SUBMIT,)), by="a test"
    )
    assert program.get(f"/calendar/{submits.key}.ics").status_code == 404
    assert not any(key in path for path in town.place.store.keys("access/"))
    revoke_access(town.portal.store, SECRET, grant, by="a test")
    assert town.operator().get(f"/calendar/{key}.ics").status_code == 404
    assert key not in str([*read_access_log(town.place.store)])


def test_a_role_for_calendars_is_for_keys_only(town: Town) -> None:
    person = NewGrant(SubjectKind.PERSON, "j@anytown.example", "anytown", (Role.CALENDAR,))
    both = NewGrant(SubjectKind.KEY, "", "anytown", (Role.CALENDAR, Role.SUBMIT))
    for wanted in (person, both):
        with pytest.raises(UsageError, match="calendar"):
            grant_access(town.portal.store, SECRET, wanted, by="a test")
