"""Sign-in links over a real SMTP server, and what is tried with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from piperoll.model import Role, SubjectKind
from piperoll.operations.access import NewGrant, grant_access, revoke_access
from portal.mail import MailNotSent, send_mail
from portal.rates import LOCK_FAILURES, LOCK_SECONDS
from portal.settings import MailSettings
from publishers.access import read_access_log
from tests.fixtures.portal_client import SECRET, Client, PortalUnderTest, open_portal
from tests.fixtures.sign_in_servers import Inbox, smtp_server

OFFICER = "officer@anytown.example"


@pytest.fixture
def inbox_at() -> Iterator[tuple[str, Inbox]]:
    with smtp_server() as served:
        yield served


@pytest.fixture
def inbox(inbox_at: tuple[str, Inbox]) -> Inbox:
    return inbox_at[1]


@pytest.fixture
def house(inbox_at: tuple[str, Inbox], tmp_path: Path) -> Iterator[PortalUnderTest]:
    with open_portal(tmp_path / "store", mail=MailSettings(inbox_at[0], "portal@piperoll.example")) as opened:
        wanted = NewGrant(SubjectKind.PERSON, OFFICER, "anytown", (Role.SUBMIT,))
        grant_access(opened.store, SECRET, wanted, by="a test")
        yield opened


def ask(client: Client, email: str = OFFICER) -> httpx.Response:
    return client.post("/sign-in/email", data={"email": email, "next": "/"})  # type: ignore[no-any-return]


def use(client: Client, link: str) -> httpx.Response:
    """Open a link, and press its button."""
    token = re.search(r'name="token" value="([^"]+)"', client.get(link).text)
    assert token is not None
    return client.post("/sign-in/link", data={"token": token[1]})  # type: ignore[no-any-return]


def test_a_link_signs_in(house: PortalUnderTest, inbox: Inbox) -> None:
    client = house.client()
    assert ask(client).headers["Location"] == "/sign-in/sent"
    assert inbox.recipients == [[OFFICER]]
    assert use(client, inbox.link()).status_code == 303
    assert client.get("/").headers["Location"] == "/bodies/anytown/"


def test_a_link_works_in_another_browser_than_the_one_that_asked(house: PortalUnderTest, inbox: Inbox) -> None:
    ask(house.client())
    assert use(house.client(), inbox.link()).status_code == 303


def test_a_link_is_used_once(house: PortalUnderTest, inbox: Inbox) -> None:
    ask(house.client())
    assert use(house.client(), inbox.link()).status_code == 303
    assert use(house.client(), inbox.link()).status_code == 403


def test_a_link_that_many_use_at_the_same_moment_signs_one_in(house: PortalUnderTest, inbox: Inbox) -> None:
    ask(house.client())
    clients = [house.client() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda client: use(client, inbox.link()).status_code, clients))
    assert sorted(answers) == [303] + [403] * 7


def test_over_a_bucket_a_link_is_used_once_and_a_revoked_grant_ends_a_session(
    inbox_at: tuple[str, Inbox], bucket: str
) -> None:
    mail = MailSettings(inbox_at[0], "portal@piperoll.example")
    with open_portal(f"s3://{bucket}/portal-links", mail=mail) as house:
        wanted = NewGrant(SubjectKind.PERSON, OFFICER, "anytown", (Role.SUBMIT,))
        granted = grant_access(house.store, SECRET, wanted, by="a test")
        ask(house.client())
        clients = [house.client() for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda client: use(client, inbox_at[1].link()).status_code, clients))
        assert sorted(answers) == [303] + [403] * 5
        signed = clients[answers.index(303)]
        assert signed.get("/").headers["Location"] == "/bodies/anytown/"
        revoke_access(house.store, SECRET, granted.grant.id, by="a test")
        assert signed.get("/").headers["Location"] == "/sign-in"


def test_a_mail_scanner_that_opens_every_link_uses_none_up(house: PortalUnderTest, inbox: Inbox) -> None:
    ask(house.client())
    for _ in range(3):
        assert house.client().get(inbox.link()).status_code == 200
        house.client().head(inbox.link())
    assert use(house.client(), inbox.link()).status_code == 303


def test_a_link_is_too_old_after_fifteen_minutes(house: PortalUnderTest, inbox: Inbox) -> None:
    ask(house.client())
    house.now += 15 * 60 + 1
    assert use(house.client(), inbox.link()).status_code == 403


def test_a_link_is_worth_nothing_once_the_grant_is_gone(house: PortalUnderTest, inbox: Inbox) -> None:
    ask(house.client())
    for key in list(house.store.keys("access/grants/")):
        house.store.delete(key)
    assert use(house.client(), inbox.link()).status_code == 403


def test_a_changed_link_is_refused(house: PortalUnderTest, inbox: Inbox) -> None:
    ask(house.client())
    link = inbox.link()
    changed = link[:-8] + ("A" if link[-8] != "A" else "B") + link[-7:]
    assert use(house.client(), changed).status_code == 403


def test_the_answer_is_the_same_for_an_address_that_nobody_knows(house: PortalUnderTest, inbox: Inbox) -> None:
    known, unknown = ask(house.client()), ask(house.client(), "nobody@elsewhere.example")
    assert (known.status_code, known.headers, known.content) == (unknown.status_code, unknown.headers, unknown.content)
    assert inbox.recipients == [[OFFICER]]


def test_neither_link_nor_store_nor_log_has_the_address(
    house: PortalUnderTest, inbox: Inbox, capfd: pytest.CaptureFixture[str]
) -> None:
    ask(house.client())
    kept = b"".join(house.store.read(key).content + key.encode() for key in house.store.keys("access/"))
    use(house.client(), inbox.link())
    kept += b"".join(house.store.read(key).content + key.encode() for key in house.store.keys("access/"))
    assert b"officer" not in kept
    assert "officer" not in inbox.link()
    assert inbox.link().partition("token=")[2].encode() not in kept
    assert "officer" not in "".join(capfd.readouterr())
    assert "303 link" in [event.outcome for event in read_access_log(house.store)]


def test_a_body_that_is_written_to_hides_no_names_in_its_mail(house: PortalUnderTest, inbox: Inbox) -> None:
    ask(house.client())
    assert "anytown" not in inbox.messages[-1].get_content().lower()
    assert "officer" not in (inbox.messages[-1].get_content() + inbox.messages[-1]["Subject"]).lower()


@pytest.mark.parametrize(
    "address",
    [
        "officer@anytown.example\r\nBcc: victim@elsewhere.example",
        "officer@anytown.example\nSubject: changed",
        "officer@anytown.example, victim@elsewhere.example",
        "officer@anytown.example;victim@elsewhere.example",
        "victim@elsewhere.example <officer@anytown.example>",
        '"officer@anytown.example"@elsewhere.example',
        "officer@anytown.example%0d%0aBcc: victim@elsewhere.example",
        "officer@anytown.example\x00@elsewhere.example",
        "-oQ/tmp@anytown.example -X/tmp/x",
        "officer",
        "@anytown.example",
        "a" * 300 + "@anytown.example",
    ],
)
def test_mail_goes_to_nobody_else_by_injection_into_the_address(
    house: PortalUnderTest, inbox: Inbox, address: str
) -> None:
    assert ask(house.client(), address).status_code == 400
    assert inbox.messages == []
    with pytest.raises(MailNotSent):
        send_mail(house.settings.mail or MailSettings("", ""), address, "Subject", "Text")
    assert inbox.messages == []


def test_a_line_break_in_a_subject_makes_no_header(house: PortalUnderTest, inbox: Inbox) -> None:
    mail = house.settings.mail
    assert mail is not None
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        send_mail(mail, OFFICER, "Receipt\r\nBcc: victim@elsewhere.example", "Text")
    assert inbox.messages == []


def test_no_more_than_three_links_are_sent_to_an_address(house: PortalUnderTest, inbox: Inbox) -> None:
    assert {ask(house.client()).status_code for _ in range(10)} == {303}
    assert len(inbox.messages) == 3
    house.now += 301
    ask(house.client())
    assert len(inbox.messages) == 4


def test_several_processes_together_send_an_address_no_more_than_six_links(
    house: PortalUnderTest, inbox: Inbox
) -> None:
    """Each process counted for itself only."""
    for process in (house, *(PortalUnderTest(house.folder, house.given, house.now) for _ in range(3))):
        assert {ask(process.client()).status_code for _ in range(5)} == {303}
    assert len(inbox.messages) == 6
    house.now += 3 * 86_400
    ask(house.client())
    assert len(inbox.messages) == 7
    assert len(list(house.store.keys("access/attempts/"))) == 1


def test_a_client_that_asks_for_very_many_links_is_told_to_wait(house: PortalUnderTest, inbox: Inbox) -> None:
    answers = [ask(house.client(), f"nobody{number}@elsewhere.example") for number in range(31)]
    assert [answer.status_code for answer in answers] == [303] * 30 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_who_guesses_links_is_locked_out_in_every_process(house: PortalUnderTest, inbox: Inbox) -> None:
    ask(house.client())
    guesses = [
        house.client().post("/sign-in/link", data={"token": f"guess{n}"}).status_code for n in range(LOCK_FAILURES)
    ]
    assert set(guesses) == {403}
    other_process = PortalUnderTest(house.folder, house.given, house.now)
    for portal in (house, other_process):
        assert use(portal.client(), inbox.link()).status_code == 429
    house.now += LOCK_SECONDS + 1
    ask(house.client())
    assert use(house.client(), inbox.link()).status_code == 303


def test_links_that_were_not_used_do_not_stay(house: PortalUnderTest, inbox: Inbox) -> None:
    ask(house.client())
    house.now += 16 * 60
    ask(house.client())
    assert len(list(house.store.keys("access/links/"))) == 1


def test_a_mail_server_that_does_not_answer_changes_no_answer(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with open_portal(tmp_path / "store", mail=MailSettings("smtp://127.0.0.1:9", "portal@piperoll.example")) as house:
        wanted = NewGrant(SubjectKind.PERSON, OFFICER, "anytown", (Role.SUBMIT,))
        grant_access(house.store, SECRET, wanted, by="a test")
        assert ask(house.client()).status_code == 303
    said = "".join(capfd.readouterr())
    assert "the mail server did not take a message" in said
    assert "officer" not in said
