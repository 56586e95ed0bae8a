"""Bodies are chased for what waits for them: once for each thing at each stage, whatever fails or is interrupted."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from typer.testing import CliRunner

from piperoll import layout
from piperoll.cli import app
from piperoll.errors import SettingsError, UsageError
from piperoll.model import (
    Acts,
    Finding,
    HeldValue,
    Report,
    ReturnKind,
    RowCounts,
    Severity,
    Statement,
    Submission,
    TableReport,
    Verdict,
    What,
    to_document,
    to_json_bytes,
)
from piperoll.operations.body_index import BodyIndex, open_index
from piperoll.operations.chasing import (
    ChaseMessage,
    ChasePlan,
    ChaseRules,
    Contact,
    NotDelivered,
    Sender,
    plan_chase,
    read_chase_rules,
    read_contacts,
    send_chase,
)
from piperoll.operations.run_request import known_bodies
from portal.mail import MailNotSent, send_mail
from portal.settings import MailSettings
from publishers import archive_submission, file_reports, open_store, read_chase_log
from publishers.access import chase_secret
from publishers.chasing import ChaseEntry
from tests.fixtures.ports import reserve_port
from tests.fixtures.sign_in_servers import Inbox, smtp_server
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.portal.test_portal_webhooks import Receiver

MONDAY = date(2026, 11, 16)
"""The quarter to September was due on 30 October."""

SECRET, SENDER = b"a secret of at least 32 characters", Sender("Open Counties", "https://portal.example/", "the test")
REGISTER = """id,slug,name,kind,aliases,same_as,contact,licence
gss:E07999901,anytown,Anytown Borough Council,council,ABC,,,OGL-UK-3.0
gss:E07999902,beeford,Beeford District Council,council,,,,OGL-UK-3.0
GB-GOVUK-rainy,rainy,Department for Rainy Days,department,,,,OGL-UK-3.0
"""
ALL = [Contact("anytown", "data@anytown.example"), Contact("beeford", "data@beeford.example")]


@dataclass
class Town:
    """A store that bodies have sent files to, without a run: records and reports are written as a run writes them."""

    folder: Path
    sent: list[ChaseMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.to = str(self.folder / "published")
        self.store = open_store(self.to)
        (self.folder / "bodies.csv").write_text(REGISTER)

    def receive(
        self,
        body: str,
        period: str,
        verdict: Verdict = Verdict.ACCEPTED,
        acts: Acts = Acts.BODY,
        names: tuple[str, ...] = (),
        **given: str,
    ) -> None:
        """A file of spending that came in time; `names` are held in it."""
        content = f"{body} {period} {verdict} {given}".encode()
        digest, dataset = hashlib.sha256(content).hexdigest(), given.get("dataset", "spend")
        came = given.get("came", "2026-10-20")
        one = Submission(digest, len(content), f"{period}.csv", dataset, body, "x", f"{came}T09:00:00.000000Z")
        code = "far-fewer-than-before" if verdict is Verdict.HELD else "core-missing"
        findings = () if verdict.publishes else (Finding(code, Severity.ERROR, "Wrong.", "Look.", acts),)
        values = tuple(HeldValue(name, "supplier_name", None, ("privacy-title",), (7,), 1, None) for name in names)
        rows = RowCounts(10, 10 - len(names), len(names), {})
        tables = (TableReport(None, 1, 1, {}, {}, rows, None, None),) if names else ()
        report = Report(
            one.name, digest, one.bytes, dataset, "csv", "utf-8", What.DATA, verdict, period, given.get("part"), tables,
            findings, held_values=values,
        )  # fmt: skip
        archive_submission(self.store, content, one)
        file_reports(self.store, one, report, report)

    def plan(self, on: date = MONDAY, contacts: list[Contact] = ALL, rules: ChaseRules | None = None) -> ChasePlan:
        index = open_index(self.to, on, bodies=self.folder / "bodies.csv")
        return plan_chase(index, contacts, rules or read_chase_rules(), SECRET, SENDER)

    def send(self, plan: ChasePlan, deliver: Any = None) -> list[ChaseEntry]:
        return list(send_chase(self.store, plan, SECRET, SENDER, deliver or self.sent.append))


@pytest.fixture
def town(tmp_path: Path) -> Town:
    town = Town(tmp_path)
    for body in ("anytown", "beeford"):
        town.receive(body, "2026-Q2")
        town.receive(body, "2026-Q2", part="card")
    return town


def about(plan: ChasePlan) -> dict[str, list[str]]:
    return {message.contact.address: [thing.subject for thing in message.things] for message in plan.messages}


# --- what is in a message -------------------------------------------------------------------------------------------


def test_a_body_gets_one_message_for_everything_that_waits_for_it(town: Town) -> None:
    town.receive("anytown", "2026-Q3", Verdict.REJECTED)
    town.receive("beeford", "2026-Q3")
    message, other = town.plan().messages
    assert (message.contact.body, other.contact.body) == ("anytown", "beeford")
    assert [thing.subject for thing in other.things] == ["Spending (procurement card), July to September 2026"]
    assert message.subject == "2 returns wait for Anytown Borough Council"
    assert "Spending, July to September 2026: due 30 October 2026; what came cannot be published." in message.text
    assert "Spending (procurement card), July to September 2026" in message.text
    assert "Local Government Transparency Code 2015" in message.text
    assert "https://portal.example/bodies/anytown/" in message.text


def test_what_waits_for_the_platform_is_not_chased(town: Town) -> None:
    town.receive("anytown", "2026-Q3", Verdict.HELD, Acts.PLATFORM)
    town.receive("beeford", "2026-Q3", Verdict.HELD, Acts.BODY)
    listed = about(town.plan())
    assert "Spending, July to September 2026" not in listed["data@anytown.example"]
    assert "Spending, July to September 2026" in listed["data@beeford.example"]


def test_a_question_is_chased_without_the_name_that_it_asks_about(town: Town) -> None:
    town.receive("anytown", "2026-Q3", Verdict.HELD, names=("Mrs Jane Quillfeather",))
    town.receive("beeford", "2026-Q3", Verdict.HELD)
    plan = town.plan(contacts=[Contact("beeford", "data@beeford.example")])
    (message,) = plan.messages
    assert "A question about a file that is held in spending, since 20 October 2026." in message.text
    assert "anytown" in plan.without_contact
    everyone = town.plan()
    assert "A question about a name or text that is held in spending, 1 row, since" in everyone.messages[0].text
    assert "Quillfeather" not in json.dumps(to_document([one.document for one in everyone.messages]))


def test_a_contact_for_some_datasets_hears_of_those_only(town: Town) -> None:
    town.receive("anytown", "2026-Q2", dataset="contracts")
    people = [Contact("anytown", "buying@anytown.example", frozenset({"contracts"}))]
    assert about(town.plan(contacts=people)) == {"buying@anytown.example": ["Contracts, July to September 2026"]}


def test_a_return_that_the_body_promised_is_chased_after_that_day(town: Town) -> None:
    said = Statement(
        ReturnKind.LATE, "spend", "anytown", "2026-Q3", None, "2026-10-29T09:00:00Z", "R1", "system", None, "2026-12-01"
    )
    series = f"{layout.statements_prefix('anytown')}spend/2026-Q3/R1.json"
    town.store.create(series, to_json_bytes(to_document(said)))
    spending = "Spending, July to September 2026"
    assert spending not in about(town.plan())["data@anytown.example"]
    late = town.plan(date(2026, 12, 3))
    assert spending in about(late)["data@anytown.example"]
    assert "which you promised for 1 December 2026" in late.messages[0].text


def test_a_name_with_a_line_break_adds_no_header_to_the_message(town: Town) -> None:
    bodies = REGISTER.replace("Anytown Borough Council", '"Anytown\nBcc: everyone@example.com"')
    (town.folder / "bodies.csv").write_text(bodies)
    message = next(one for one in town.plan().messages if one.contact.body == "anytown")
    assert "\n" not in message.subject
    with smtp_server() as (address, inbox):
        send_mail(MailSettings(address, "data@open.example"), message.contact.address, message.subject, message.text)
    assert inbox.recipients == [["data@anytown.example"]]
    assert inbox.messages[0]["Bcc"] is None


# --- when it is sent -------------------------------------------------------------------------------------------------


def test_the_same_thing_is_sent_once_at_each_stage(town: Town) -> None:
    assert [entry.outcome for entry in town.send(town.plan())] == ["sent", "sent"]
    again = town.plan()
    assert (again.messages, again.told) == ((), 4)
    assert town.plan(MONDAY + timedelta(days=10)).messages == ()
    later = town.plan(MONDAY + timedelta(days=29))
    assert {thing.stage for message in later.messages for thing in message.things} == {"overdue-6-weeks"}


def test_who_is_added_later_hears_of_the_stage_that_is_reached(town: Town) -> None:
    town.send(town.plan())
    added = [*ALL, Contact("anytown", "https://hooks.anytown.example/duties")]
    assert list(about(town.plan(contacts=added))) == ["https://hooks.anytown.example/duties"]


def test_nobody_is_written_to_on_a_quiet_day(town: Town) -> None:
    sunday, christmas = town.plan(date(2026, 11, 15)), town.plan(date(2026, 12, 25))
    assert sunday.messages == christmas.messages == ()
    assert sunday.quiet == ("anytown", "beeford", "rainy")
    ours = town.folder / "rules.toml"
    ours.write_text('[[returns]]\nstage="late"\ndays=1\n[quiet]\nweekdays=["Monday"]\ndates=["2026-11-18"]\n')
    rules = read_chase_rules(ours)
    sent = {day: bool(town.plan(date(2026, 11, day), rules=rules).messages) for day in (15, 16, 17, 18, 19)}
    assert sent == {15: True, 16: False, 17: True, 18: False, 19: True}


def test_the_holidays_are_those_of_the_nation_of_the_body() -> None:
    rules, register = read_chase_rules(), known_bodies(None)
    scottish = next(body for body in register if body.nation == "S")
    english = next(body for body in register if body.nation == "E")
    st_andrews = date(2026, 11, 30)
    assert (rules.is_quiet(st_andrews, scottish), rules.is_quiet(st_andrews, english)) == (True, False)


def test_a_return_that_is_due_soon_is_announced_once(town: Town) -> None:
    soon = town.plan(date(2026, 10, 26))
    assert {thing.stage for message in soon.messages for thing in message.things} == {"due-soon"}
    assert "Due soon" in soon.messages[0].text


@pytest.mark.parametrize(
    "content",
    [
        "[[returns]]\nstage = 'a'\n",
        "[[returns]]\nstage = 'a'\ndays = 1\n[[returns]]\nstage = 'a'\ndays = 2\n",
        "[quiet]\nweekdays = ['Funday']\n",
        "[quiet]\ndates = ['soon']\n",
        "not toml",
    ],
)
def test_rules_that_are_not_valid_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "rules.toml").write_text(content)
    with pytest.raises(UsageError, match="rules of chasing"):
        read_chase_rules(tmp_path / "rules.toml")


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("body,to\nanytown,a@anytown.example\n", "columns body and address"),
        ("body,address\nanytown,not an address\n", "line 2"),
        ('body,address\nanytown,"a@anytown.example\nBcc: x@example.com"\n', "not an e-mail"),
        ("body,address\nanytown,ftp://anytown.example/\n", "https://"),
        ("body,address,datasets\nanytown,a@anytown.example,spending\n", "no dataset spending"),
    ],
)
def test_a_list_of_contacts_that_is_wrong_is_refused(tmp_path: Path, lines: str, why: str) -> None:
    (tmp_path / "contacts.csv").write_text(lines)
    with pytest.raises(UsageError, match=why):
        read_contacts(tmp_path / "contacts.csv", known_bodies(None))


# --- what fails and what is interrupted ------------------------------------------------------------------------------


def test_a_process_that_was_killed_in_the_middle_does_not_send_twice(town: Town) -> None:
    def die(message: ChaseMessage) -> None:
        town.sent.append(message)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        town.send(town.plan(), die)
    assert [entry.body for entry in town.send(town.plan())] == ["beeford"]
    assert [message.contact.body for message in town.sent] == ["anytown", "beeford"]
    shown = CliRunner().invoke(app, ["chase", "--to", town.to, "--log"]).output
    assert f"whether message {town.sent[0].id} reached anytown is not known" in shown


def test_two_who_send_at_the_same_time_send_each_thing_once(town: Town) -> None:
    ours, theirs = town.plan(), town.plan()
    running = send_chase(town.store, ours, SECRET, SENDER, town.sent.append)
    next(running)
    town.receive("beeford", "2026-Q3")
    assert [entry.body for entry in town.send(theirs)] == ["beeford"]
    assert list(running) == []
    assert [message.contact.body for message in town.sent] == ["anytown", "beeford"]


class Mailboxes(Inbox):
    """A mail server that refuses one mailbox, and breaks the connection after it has another's message."""

    refuse, break_off = "data@anytown.example", "data@beeford.example"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Refuse one."""
        if address == self.refuse:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, *given: Any) -> str:  # noqa: N802
        """Keep a message, and break off for one."""
        await super().handle_DATA(*given)
        if given[-1].rcpt_tos == [self.break_off]:
            given[0].transport.close()
            await asyncio.sleep(0)
        return "250 OK"


@pytest.fixture
def mailboxes() -> Iterator[tuple[MailSettings, Mailboxes]]:
    kept = Mailboxes()
    port = reserve_port()
    controller = Controller(kept, hostname="127.0.0.1", port=port, ready_timeout=PATIENCE_SECONDS)
    controller.start()
    yield MailSettings(f"smtp://127.0.0.1:{port}", "data@open.example"), kept
    controller.stop()


def test_a_mailbox_that_fails_does_not_stop_others_and_one_that_may_have_the_message_gets_no_second(
    town: Town, mailboxes: tuple[MailSettings, Mailboxes]
) -> None:
    settings, kept = mailboxes
    town.receive("rainy", "2026-08")

    def deliver(message: ChaseMessage) -> None:
        try:
            send_mail(settings, message.contact.address, message.subject, message.text)
        except MailNotSent as error:
            raise NotDelivered(str(error), uncertain=error.uncertain) from error

    everyone = [*ALL, Contact("rainy", "data@rainy.example")]
    outcomes = {entry.body: entry.outcome for entry in town.send(town.plan(contacts=everyone), deliver)}
    assert outcomes == {"anytown": "failed", "beeford": "unknown", "rainy": "sent"}
    kept.refuse = ""
    assert {entry.body: entry.outcome for entry in town.send(town.plan(contacts=everyone), deliver)} == {
        "anytown": "sent"
    }
    assert sorted(to for recipients in kept.recipients for to in recipients) == [
        "data@anytown.example",
        "data@beeford.example",
        "data@rainy.example",
    ]
    assert [entry.outcome for entry in read_chase_log(town.store)] == ["failed", "unknown", "sent", "sent"]


def test_a_mail_server_that_ends_badly_after_it_took_the_message_has_taken_it(
    mailboxes: tuple[MailSettings, Mailboxes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to QUIT counted as that to the message, so that the next run sent it again."""
    settings, kept = mailboxes

    async def end(*_: Any) -> str:
        return "421 closing"

    monkeypatch.setattr(kept, "handle_QUIT", end, raising=False)
    send_mail(settings, "data@rainy.example", "Two returns", "Look.")
    assert kept.recipients == [["data@rainy.example"]]


def test_what_was_claimed_is_sent_later_if_the_address_of_the_mail_server_is_not_valid(town: Town) -> None:
    """The first message of such a run was claimed and never sent."""
    messages = len(town.plan().messages)

    def deliver(message: ChaseMessage) -> None:
        wrong = MailSettings("smtp://mail.example:port", "data@open.example")
        send_mail(wrong, message.contact.address, message.subject, message.text)

    with pytest.raises(SettingsError, match="PIPEROLL_PORTAL_SMTP"):
        town.send(town.plan(), deliver)
    assert len(town.plan().messages) == messages > 0


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ('[quiet]\nweekdays = ["Funday"]\n', "'funday' is not a day of the week"),
        ('[[return]]\nstage = "late"\ndays = 1\n', "nothing called return"),
    ],
)
def test_rules_with_a_slip_are_refused_in_words(tmp_path: Path, rules: str, words: str) -> None:
    (tmp_path / "rules.toml").write_text(rules)
    with pytest.raises(UsageError, match=words):
        read_chase_rules(tmp_path / "rules.toml")


def test_a_contact_on_two_lines_gets_one_message(tmp_path: Path) -> None:
    (tmp_path / "bodies.csv").write_text(REGISTER)
    (tmp_path / "contacts.csv").write_text(
        "body,address,datasets\nanytown,a@b.example,spend\nABC,A@b.example,contracts\n"
        "beeford,a@b.example,\nbeeford,a@b.example,spend\n"
    )
    assert read_contacts(tmp_path / "contacts.csv", known_bodies(tmp_path / "bodies.csv")) == [
        Contact("anytown", "a@b.example", frozenset({"spend", "contracts"})),
        Contact("beeford", "a@b.example"),
    ]


def test_nothing_personal_is_kept_of_who_was_written_to(town: Town) -> None:
    town.receive("anytown", "2026-Q3", Verdict.HELD, names=("Mrs Jane Quillfeather",))
    town.send(town.plan())
    kept = b"".join(town.store.read(key).content + key.encode() for key in town.store.keys(layout.CHASING))
    assert b"overdue" in kept
    assert b"anytown.example" not in kept
    assert b"Quillfeather" not in kept


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_shows_first_then_sends_and_keeps_a_log(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    today = date.today()  # noqa: DTZ011
    past = today.replace(day=1) - timedelta(days=200)
    town.receive("rainy", f"{past:%Y-%m}", came=past.isoformat())
    contacts, rules = town.folder / "contacts.csv", town.folder / "rules.toml"
    rules.write_text('[[returns]]\nstage = "late"\ndays = 1\n')
    with Receiver() as receiver, smtp_server() as (mail, inbox):
        hook = f"http://127.0.0.1:{receiver.server_port}/"
        contacts.write_text(
            f"body,address\nDepartment for Rainy Days,Data@Rainy.example\nrainy,{hook}\nnowhere,a@b.example\n"
        )
        monkeypatch.setenv("PIPEROLL_CONTACTS", str(contacts))
        monkeypatch.setenv("PIPEROLL_PORTAL_SMTP", mail)
        monkeypatch.setenv("PIPEROLL_PORTAL_MAIL_FROM", "data@open.example")
        monkeypatch.setenv("PIPEROLL_ALLOW_PRIVATE_ADDRESSES", "true")
        command = ["chase", "--to", town.to, "--bodies", str(town.folder / "bodies.csv"), "--rules", str(rules)]
        keys = list(town.store.keys())
        shown = CliRunner().invoke(app, command)
        assert shown.exit_code == 0, shown.output
        assert "To data@rainy.example, about Department for Rainy Days" in shown.output
        assert "Nothing was sent: add --send." in shown.output
        assert "nowhere" in shown.output
        assert list(town.store.keys()) == keys
        for name, value in (
            ("PIPEROLL_PORTAL_URL", "https://portal.example"),
            ("PIPEROLL_WEBHOOK_SECRET", "s" * 32),
        ):
            assert name in str(CliRunner().invoke(app, [*command, "--send"]).exception)
            monkeypatch.setenv(name, value)
        sent = CliRunner().invoke(app, [*command, "--send"])
        assert sent.exit_code == 0, sent.output
        again = CliRunner().invoke(app, [*command, "--send"])
        assert "Nothing to send" in again.output
    assert inbox.recipients == [["data@rainy.example"]]
    assert "https://portal.example/bodies/rainy/" in inbox.messages[0].get_content()
    assert json.loads(receiver.got[0][1])["body"] == "rainy"
    log = json.loads(CliRunner().invoke(app, ["chase", "--to", town.to, "--log", "--json"]).output)
    assert {entry["address"] for entry in log["messages"]} == {"data@rainy.example", hook}


def test_another_secret_of_the_portal_sends_nothing_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    contacts = town.folder / "contacts.csv"
    contacts.write_text("body,address\nanytown,data@anytown.example\n")
    bodies = str(town.folder / "bodies.csv")
    command = [
        "chase",
        "--to",
        town.to,
        "--bodies",
        bodies,
        "--contacts",
        str(contacts),
        "--on",
        "2026-11-16",
        "--json",
    ]
    first = town.plan(contacts=ALL[:1])
    secret = chase_secret(town.store, write=True)
    index = open_index(town.to, MONDAY, bodies=town.folder / "bodies.csv")
    planned = plan_chase(index, ALL[:1], read_chase_rules(), secret, SENDER)
    assert list(send_chase(town.store, planned, secret, SENDER, town.sent.append))
    for portal_secret in ("", "first secret of a portal, 32 letters", "after a leak: another one of 32 letters"):
        monkeypatch.setenv("PIPEROLL_PORTAL_SECRET", portal_secret)
        shown = json.loads(CliRunner().invoke(app, command).output)
        assert (shown["messages"], shown["told"]) == ([], len(first.messages[0].things))


def test_a_log_that_is_asked_for_together_with_sending_is_refused(town: Town) -> None:
    for more in (["--send"], ["--out", str(town.folder / "out")], ["--on", "2026-11-16"]):
        refused = CliRunner().invoke(app, ["chase", "--to", town.to, "--log", *more]).exception
        assert "leave out --send" in str(refused)


def test_chasing_one_body_judges_no_other(town: Town) -> None:
    town.receive("anytown", "2026-Q3", Verdict.HELD, names=("Mrs Jane Quillfeather",))
    index = open_index(town.to, MONDAY, bodies=town.folder / "bodies.csv")
    asked: list[str] = []
    original = index.read_all

    def read_all(slugs: Iterable[str]) -> Iterator[BodyIndex]:
        slugs = tuple(slugs)
        asked.extend(slugs)
        return original(slugs)

    index.read_all = read_all  # type: ignore[method-assign]
    plan = plan_chase(index, ALL, read_chase_rules(), SECRET, SENDER, bodies=["anytown"])
    assert {*asked} == {"anytown"}
    (message,) = plan.messages
    (alike,) = [one for one in town.plan().messages if one.body.slug == "anytown"]
    assert [thing.key for thing in message.things] == [thing.key for thing in alike.things]
