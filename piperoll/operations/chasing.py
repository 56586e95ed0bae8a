"""Chase bodies for what they owe: one message for each body and recipient, about everything that waits for the body.

`plan_chase` only reads: it says what would be sent, to whom and why. `send_chase` claims each thing before it is sent
(`publishers.chasing`), so that nobody gets the same thing twice at the same stage, whatever is interrupted or runs at
the same time. Stages and quiet days are in `datapackages/chasing/chasing.toml`.
"""

from __future__ import annotations

import csv
import secrets
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import publishers
from piperoll import assets
from piperoll.describing.wording import (
    capitalize_first,
    format_count,
    format_day,
    format_pounds,
    lower_first,
    return_title,
)
from piperoll.duties import Duty, DutyState, is_bank_holiday, window_start
from piperoll.errors import PiperollError, SettingsError, UsageError
from piperoll.model import Acts, Body, Register, to_document
from piperoll.operations.access import current_instant, keyed_digest, normalise_address
from piperoll.operations.body_index import StoreIndex
from piperoll.operations.decision_queue import list_body_items
from piperoll.operations.duty_calendar import CalendarFilter, list_calendar
from piperoll.operations.queue_items import ItemKind, QueueItem
from publishers.chasing import FAILED, SENT, UNKNOWN

_MOST_LISTED = 40
"""Things that one message lists; the portal shows the rest."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class NotDelivered(PiperollError):
    """A message was not delivered. `uncertain` is True if the connection broke when it may have been taken."""

    retryable = True

    def __init__(self, message: str, *, uncertain: bool = False) -> None:
        super().__init__(message)
        self.uncertain = uncertain


@dataclass(frozen=True, slots=True)
class ChaseStage:
    """A stage is reached `days` after a day: the due day of a return, or the day when a question arose."""

    name: str
    days: int


@dataclass(frozen=True, slots=True)
class ChaseRules:
    """When bodies are written to: the stages of returns and of questions, and the days on which nobody is."""

    returns: tuple[ChaseStage, ...]
    questions: tuple[ChaseStage, ...]
    weekdays: frozenset[int]
    bank_holidays: bool
    dates: frozenset[date]

    def is_quiet(self, on: date, body: Body) -> bool:
        """Whether nobody of a body is written to on a day."""
        holiday = self.bank_holidays and is_bank_holiday(on, body.nation)
        return on.weekday() in self.weekdays or on in self.dates or holiday


@dataclass(frozen=True, slots=True)
class Contact:
    """Who is written to for a body: an e-mail address or the address of a webhook; for some `datasets`, or for all."""

    body: str
    address: str
    datasets: frozenset[str] = frozenset()

    @property
    def channel(self) -> str:
        """`webhook` or `mail`."""
        return "webhook" if "://" in self.address else "mail"

    def wants(self, dataset: str) -> bool:
        """Whether this contact is for a dataset."""
        return not self.datasets or dataset in self.datasets


@dataclass(frozen=True, slots=True)
class ChasedThing:
    """One return or question at a stage: a line of a message, and what a program is told of it.

    `key` names it and its stage, the same whenever a message is planned. `group` is the heading that it is under,
    `subject` says what it is in words that name nobody.
    """

    key: tuple[str, ...]
    dataset: str
    stage: str
    group: str
    line: str
    subject: str
    document: Mapping[str, Any]
    body: str

    def digest(self, secret: bytes, recipient: str) -> str:
        """The identifier of this thing for a recipient, which tells nobody else what or who it is."""
        return keyed_digest(secret, "chased", "\0".join((recipient, self.body, *self.key)))


@dataclass(frozen=True, slots=True)
class ChaseMessage:
    """What one recipient would be sent about one body; `things` with the number of the attempt, by their digest."""

    id: str
    contact: Contact
    body: Body
    recipient: str
    subject: str
    text: str
    things: tuple[ChasedThing, ...]
    claims: Mapping[str, int]
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChasePlan:
    """What would be sent on a day.

    `quiet` are bodies that are not written to on this day although they have something to do, `without_contact` those
    that nobody is named for, `unknown` the bodies of the contacts file that nobody knows. `told` counts what recipients
    were sent before at the stage that it has reached.
    """

    on: date
    messages: tuple[ChaseMessage, ...]
    quiet: tuple[str, ...]
    without_contact: tuple[str, ...]
    unknown: tuple[str, ...]
    told: int


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: the name of the publisher, the address of the portal, and who runs it, for the log."""

    publisher: str
    portal: str
    by: str = ""


# --- what is read: rules and contacts -------------------------------------------------------------------------------


def read_chase_rules(path: Path | None = None) -> ChaseRules:
    """The rules of a file, or ours. Raises: UsageError: it cannot be read or says something that is not valid."""
    name = path or assets.folder("datapackages") / "chasing" / "chasing.toml"
    try:
        return _parse_rules(tomllib.loads(name.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{name} cannot be read as rules of chasing: {error}. docs/chasing.md has an example"
        ) from error


def _parse_rules(document: Mapping[str, Any]) -> ChaseRules:
    if unknown := document.keys() - {"version", "returns", "questions", "quiet"}:
        raise ValueError(f"there is nothing called {', '.join(sorted(unknown))}")
    quiet = document.get("quiet", {})
    days = [str(day).lower() for day in quiet.get("weekdays", ())]
    if wrong := [day for day in days if day not in _WEEKDAYS]:
        raise ValueError(f"'{wrong[0]}' is not a day of the week")
    return ChaseRules(
        _parse_stages(document.get("returns", ())),
        _parse_stages(document.get("questions", ())),
        frozenset(_WEEKDAYS.index(day) for day in days),
        bool(quiet.get("bank_holidays", False)),
        frozenset(date.fromisoformat(str(day)) for day in quiet.get("dates", ())),
    )


def _parse_stages(documents: Iterable[Mapping[str, Any]]) -> tuple[ChaseStage, ...]:
    stages = [ChaseStage(str(one["stage"]), int(one["days"])) for one in documents]
    if len({one.name for one in stages}) < len(stages):
        raise ValueError("two stages have the same name")
    return tuple(sorted(stages, key=lambda one: one.days))


def read_contacts(path: Path, known: Register) -> list[Contact]:
    """The contacts of a CSV file with the columns `body`, `address` and, if wanted, `datasets` (separated by spaces).

    `body` is a slug or a name that a register knows. Lines with the same body and address are one contact, for the
    datasets of both. Raises: UsageError: the file cannot be read, or a line is wrong.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            if not {"body", "address"} <= set(reader.fieldnames or ()):
                raise UsageError(f"{path} needs the columns body and address")
            found = [_parse_contact(path, reader.line_num, row, known) for row in reader if any(row.values())]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a list of contacts: {error}") from error
    merged: dict[tuple[str, str], Contact] = {}
    for one in found:
        before = merged.setdefault((one.body, one.address), one)
        datasets = before.datasets | one.datasets if before.datasets and one.datasets else frozenset()
        merged[one.body, one.address] = replace(one, datasets=datasets)
    return list(merged.values())


def _parse_contact(path: Path, line: int, row: Mapping[str, str | None], known: Register) -> Contact:
    address, where = (row["address"] or "").strip(), f"{path}, line {line}"
    if "://" in address:
        parts = urlsplit(address)
        if parts.scheme not in ("https", "http") or not parts.hostname or not address.isprintable() or " " in address:
            raise UsageError(f"{where}: a webhook is an https:// address")
    elif normalise_address(address) is None:
        raise UsageError(f"{where}: '{address[:80]}' is not an e-mail address or an https:// address")
    else:
        address = normalise_address(address) or ""
    datasets = frozenset((row.get("datasets") or "").split())
    if unknown := datasets - {one.name for one in assets.datasets()}:
        raise UsageError(f"{where}: there is no dataset {', '.join(sorted(unknown))}")
    return Contact(known.find((row["body"] or "").strip()).slug, address, datasets)


# --- what is to be chased -------------------------------------------------------------------------------------------


def plan_chase(
    index: StoreIndex,
    contacts: Iterable[Contact],
    rules: ChaseRules,
    secret: bytes,
    sender: Sender,
    *,
    bodies: Sequence[str] | None = None,
) -> ChasePlan:
    """What is to be sent on the day of the index, about some bodies or all; nothing is written.

    Only what waits for the body is chased: never what waits for the platform. A return is chased from the day that the
    body promised, if it promised one.
    """
    by_body: dict[str, list[Contact]] = {}
    for contact in contacts:
        by_body.setdefault(contact.body, []).append(contact)
    on, claims = index.context.on, publishers.list_chase_claims(index.store)
    messages: list[ChaseMessage] = []
    quiet: list[str] = []
    without: list[str] = []
    told = 0
    for body, things in _group_things(index, rules, bodies):
        if rules.is_quiet(on, body):
            quiet.append(body.slug)
            continue
        if body.slug not in by_body:
            without.append(body.slug)
        for contact in by_body.get(body.slug, ()):
            recipient = keyed_digest(secret, "contact", contact.address)
            new: list[ChasedThing] = []
            attempts: dict[str, int] = {}
            for thing in things:
                if not contact.wants(thing.dataset):
                    continue
                digest = thing.digest(secret, recipient)
                claim = claims.get(digest)
                if claim is None or claim.failed:
                    new.append(thing)
                    attempts[digest] = 1 if claim is None else claim.attempt + 1
                else:
                    told += 1
            if new:
                messages.append(write_message(body, contact, recipient, new, attempts, sender, on))
    unknown = () if bodies is not None else tuple(sorted(by_body.keys() - {*index.slugs}))
    return ChasePlan(on, tuple(messages), tuple(quiet), tuple(without), unknown, told)


def _group_things(
    index: StoreIndex, rules: ChaseRules, bodies: Sequence[str] | None
) -> Iterator[tuple[Body, list[ChasedThing]]]:
    """What waits for each body and has reached a stage, by body."""
    found: dict[str, tuple[Body, list[ChasedThing]]] = {}
    on = index.context.on
    for slug in (None,) if bodies is None else bodies:
        for duty in list_calendar(index, CalendarFilter(window_start(on), slug)):
            thing = _chase_return(duty, rules, on)
            if thing is not None:
                found.setdefault(duty.body.slug, (duty.body, []))[1].append(thing)
    for one in index.read_all(index.slugs if bodies is None else bodies):
        for item in list_body_items(index.store, one):
            thing = _chase_question(item, rules, on) if item.turn is Acts.BODY else None
            if thing is not None:
                found.setdefault(item.body, (one.body, []))[1].append(thing)
    yield from (found[slug] for slug in sorted(found))


def _chase_return(duty: Duty, rules: ChaseRules, on: date) -> ChasedThing | None:
    """A return that the body has to send, at the last stage that it has reached; None if it has reached none."""
    if not (duty.outstanding and duty.acts is Acts.BODY) and duty.state is not DutyState.NOT_YET_DUE:
        return None
    promised = date.fromisoformat(duty.statement.expected) if duty.statement and duty.statement.expected else duty.due
    expected = max(duty.due, promised)
    stage = _find_stage(rules.returns, (on - expected).days)
    if stage is None:
        return None
    title = return_title(assets.dataset(duty.dataset), duty.part)
    named = f"{title}, {duty.period.title}"
    words = {
        DutyState.NOT_YET_DUE: "it has not come yet",
        DutyState.MISSING: "nothing has come" if not duty.months_arrived else _describe_progress(duty),
        DutyState.HELD: "what came is held and waits for you",
        DutyState.REPEATED: "what came is the file of another period, so there is none for this one",
        DutyState.REJECTED: "what came cannot be published",
    }[duty.state]
    day = f"due {format_day(duty.due)}"
    if expected > duty.due:
        day += f", which you promised for {format_day(expected)}"
    return ChasedThing(
        ("return", duty.dataset, duty.part or "", str(duty.period), stage.name),
        duty.dataset,
        stage.name,
        "Due soon" if on <= expected else "Overdue",
        f"{named}: {day}; {words}.\n  {duty.clause}",
        named,
        {"kind": "return", "stage": stage.name, "period": str(duty.period), **duty.to_document()},
        duty.body.slug,
    )


def _describe_progress(duty: Duty) -> str:
    return f"{duty.months_arrived} of {format_count(duty.months_due, 'month')} came"


def _chase_question(item: QueueItem, rules: ChaseRules, on: date) -> ChasedThing | None:
    """A question that the body has to answer. The message does not quote it: it may have a name in it."""
    stage = _find_stage(rules.questions, item.age_days(on))
    if stage is None:
        return None
    dataset = assets.dataset(item.dataset)
    asked = {
        ItemKind.HEADING: "a heading that changed",
        ItemKind.VALUE: "a name or text that is held",
        ItemKind.FILE: "a file that is held",
        ItemKind.CLAIM: "several files for one period",
        ItemKind.REPORT: "what a reader reported",
    }.get(item.kind, "a decision")
    waits = [format_count(item.rows, "row")] if item.rows else []
    waits += [format_pounds(item.pounds)] if item.pounds is not None else []
    subject = f"a question about {asked} in {lower_first(dataset.title)}"
    line = ", ".join([capitalize_first(subject), *waits, f"since {format_day(item.since[:10])}"]) + "."
    document = {
        "kind": "question",
        "stage": stage.name,
        "id": item.id,
        "asks": str(item.kind),
        "dataset": item.dataset,
        "rows": item.rows,
        "pounds": None if item.pounds is None else f"{item.pounds:.2f}",
        "since": item.since,
    }
    key = ("question", item.id, stage.name)
    return ChasedThing(key, item.dataset, stage.name, "Questions for you", line, subject, document, item.body)


def _find_stage(stages: Iterable[ChaseStage], days: int) -> ChaseStage | None:
    """The last stage that is reached when the due day is this many days ago."""
    reached = [stage for stage in stages if days >= stage.days]
    return reached[-1] if reached else None


def write_message(
    body: Body,
    contact: Contact,
    recipient: str,
    things: Sequence[ChasedThing],
    attempts: Mapping[str, int],
    sender: Sender,
    on: date,
) -> ChaseMessage:
    """The message to one recipient about one body."""
    portal = f"{sender.portal}bodies/{body.slug}/"
    name = " ".join(body.name.split())
    returns = sum(thing.key[0] == "return" for thing in things)
    counts = [format_count(returns, "return")] if returns else []
    counts += [format_count(len(things) - returns, "question")] if len(things) > returns else []
    what = f"{' and '.join(counts)} {'waits' if len(things) == 1 else 'wait'} for {name}"
    lines = [f"As of {format_day(on)}, {what}."]
    for group in ("Overdue", "Questions for you", "Due soon"):
        listed = [thing.line for thing in things if thing.group == group]
        if listed:
            lines += ["", group, *(f"- {line}" for line in listed[:_MOST_LISTED])]
            lines += [f"- and {len(listed) - _MOST_LISTED} more"] if len(listed) > _MOST_LISTED else []
    lines += [
        "",
        "Send a file, say that there is nothing to send or that it will be late, and answer questions here:",
        portal,
        "",
        f"{' '.join(sender.publisher.split())} wrote to you because it has this address for {name}.",
        "You are not written to about the same thing again until it is later still.",
    ]
    document = {
        "type": "piperoll.chase",
        "on": on.isoformat(),
        "body": body.slug,
        "name": name,
        "portal": portal,
        "publisher": sender.publisher,
        "subject": what,
        "outstanding": [to_document(thing.document) for thing in things],
    }
    identifier = secrets.token_hex(8)
    return ChaseMessage(
        identifier,
        contact,
        body,
        recipient,
        what,
        "\n".join(lines) + "\n",
        tuple(things),
        attempts,
        {"id": identifier} | document,
    )


# --- sending --------------------------------------------------------------------------------------------------------


def send_chase(
    store: publishers.Store, plan: ChasePlan, secret: bytes, sender: Sender, deliver: Callable[[ChaseMessage], None]
) -> Iterator[publishers.ChaseEntry]:
    """Send the messages of a plan one after the other, and yield what became of each, as it is in the log.

    `deliver` raises NotDelivered, which does not stop the other messages; or SettingsError before it sends anything,
    which does. What another process has claimed since the plan was made is left out.
    """
    for planned in plan.messages:
        message = _claim(store, planned, secret, sender, plan.on)
        if message is None:
            continue
        outcome, why = SENT, ""
        try:
            deliver(message)
        except NotDelivered as error:
            outcome, why = (UNKNOWN if error.uncertain else FAILED), str(error)
        except SettingsError:
            _give_up(store, message)
            raise
        if outcome == FAILED:
            _give_up(store, message)
        entry = publishers.ChaseEntry(
            message.id,
            current_instant(),
            message.body.slug,
            message.recipient[:12],
            message.contact.channel,
            outcome,
            why,
            tuple(sorted(message.claims)),
            tuple(f"{thing.subject} ({thing.stage})" for thing in message.things),
            sender.by,
        )
        publishers.log_chase(store, entry)
        yield entry


def _give_up(store: publishers.Store, message: ChaseMessage) -> None:
    for digest, attempt in message.claims.items():
        publishers.give_up_claim(store, message.body.slug, digest, attempt)


def _claim(
    store: publishers.Store, message: ChaseMessage, secret: bytes, sender: Sender, on: date
) -> ChaseMessage | None:
    """The message with the things that we have claimed; None if others have claimed all of them."""
    body = message.body.slug
    claimed = {
        digest: attempt
        for digest, attempt in message.claims.items()
        if publishers.claim_chase(store, body, digest, attempt, message.id)
    }
    if claimed == message.claims:
        return message
    things = [one for one in message.things if one.digest(secret, message.recipient) in claimed]
    if not things:
        return None
    written = write_message(message.body, message.contact, message.recipient, things, claimed, sender, on)
    return replace(written, id=message.id, document={**written.document, "id": message.id})
