"""The chase command: write to bodies about what they owe, once for each thing at each stage."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from piperoll.commands.operating import local_file
from piperoll.errors import SettingsError, UsageError
from piperoll.model import to_document, to_json_bytes
from piperoll.settings import Settings

if TYPE_CHECKING:
    from piperoll.operations.chasing import ChaseMessage, ChasePlan, Contact
    from publishers import Store


def chase(  # noqa: PLR0913, PLR0917 - one parameter for each option
    to: Annotated[str, typer.Option(metavar="DEST", help="The folder or s3://bucket/prefix that is published to.")],
    contacts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Whom to write to (CSV: body, address, datasets); default: PIPEROLL_CONTACTS."
        ),
    ] = None,
    body: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this body: its name, short name or another name.")
    ] = None,
    bodies: Annotated[
        Path | None,
        typer.Option(metavar="FILE", parser=local_file, help="Your list of bodies; default: those of the catalogue."),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your stages and quiet days (TOML); default: ours.")
    ] = None,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="Show what would be sent on this day, 2026-11-30; default today.")
    ] = None,
    send: Annotated[bool, typer.Option("--send", help="Send the messages. Without it, they are only shown.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write each message to this folder, as text and as JSON.")
    ] = None,
    log: Annotated[
        bool, typer.Option("--log", help="List what was sent, to which body, when, and what failed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write to bodies about what waits for them: overdue returns, held files and open questions.

    A body gets one message for everything, by e-mail or webhook, and each thing once at each stage. What waits for us
    is never chased. Without --send nothing is sent and nothing is written: look at it first.

    piperoll chase --to published --contacts contacts.csv
    piperoll chase --to published --contacts contacts.csv --send
    piperoll chase --to published --log
    """
    from publishers import open_store

    settings = Settings.from_environment()
    file = contacts or (Path(settings.contacts) if settings.contacts else None)
    known = _known_contacts(file, bodies)
    if log and (send or out is not None or on is not None or rules is not None):
        raise UsageError("--log lists what was sent and sends nothing: leave out --send, --out, --on and --rules")
    if log:
        _show_log(open_store(to), known, body=_slug(body, bodies) if body else None, as_json=as_json)
        return
    if file is None:
        raise UsageError(
            "say whom to write to, with --contacts FILE or PIPEROLL_CONTACTS: docs/chasing.md has an example"
        )
    from piperoll.commands.duties import parse_day
    from piperoll.operations.body_index import open_index
    from piperoll.operations.chasing import plan_chase, read_chase_rules
    from publishers.access import chase_secret

    sender, today = _sender(settings), datetime.now(UTC).date()
    if send and not settings.portal_url:
        raise SettingsError("messages lead to the portal: set PIPEROLL_PORTAL_URL to the address where bodies reach it")
    if send and on is not None and parse_day(on) != today:
        raise UsageError("--on shows what would be sent on another day: leave it out to send")
    store = open_store(to)
    index = open_index(store, parse_day(on) if on else today, bodies=bodies, settings=settings)
    secret = chase_secret(store, write=send)
    only = [_slug(body, bodies)] if body else None
    plan = plan_chase(index, known, read_chase_rules(rules), secret, sender, bodies=only)
    if out is not None:
        _write_messages(out, plan.messages)
    if not send:
        _show_plan(plan, as_json=as_json)
        return
    _send(store, plan, secret, settings, as_json=as_json)


def _sender(settings: Settings) -> Any:
    from piperoll.api import login_name
    from piperoll.operations.chasing import Sender

    return Sender(settings.publisher_name, settings.portal_url or "http://127.0.0.1:8090/", login_name())


def _known_contacts(file: Path | None, bodies: Path | None) -> list[Contact]:
    from piperoll.operations.chasing import read_contacts
    from piperoll.operations.run_request import known_bodies

    return [] if file is None else read_contacts(file, known_bodies(bodies))


def _slug(body: str, bodies: Path | None) -> str:
    from piperoll.operations.run_request import known_bodies

    return known_bodies(bodies).find(body).slug


def _send(store: Store, plan: ChasePlan, secret: bytes, settings: Settings, *, as_json: bool) -> None:
    from piperoll.operations.chasing import send_chase

    deliver = _deliverer(settings, {message.contact.channel for message in plan.messages})
    entries = []
    for entry in send_chase(store, plan, secret, _sender(settings), deliver):
        entries.append(entry)
        if not as_json:
            about = f"{len(entry.about)} thing{'' if len(entry.about) == 1 else 's'}"
            typer.echo(
                f"{entry.outcome}: {entry.body} by {entry.channel}, {about}{f' ({entry.why})' if entry.why else ''}"
            )
    if as_json:
        sys.stdout.buffer.write(to_json_bytes({"on": plan.on.isoformat(), "messages": to_document(entries)}))
    else:
        typer.echo(_summarise(plan) if plan.messages else "Nothing to send. " + _summarise(plan))
    if any(entry.outcome != "sent" for entry in entries):
        raise typer.Exit(1)


def _deliverer(settings: Settings, channels: Iterable[str]) -> Callable[[ChaseMessage], None]:
    """What sends one message. Raises: SettingsError: a channel that is needed is not set up."""
    from piperoll.operations.chasing import NotDelivered
    from portal.mail import MailNotSent, send_mail
    from portal.settings import read_mail_settings
    from portal.webhooks import WebhookNotTaken, post_webhook

    mail = read_mail_settings(settings)
    if "mail" in channels and mail is None:
        raise SettingsError("there is no mail server: set PIPEROLL_PORTAL_SMTP and PIPEROLL_PORTAL_MAIL_FROM")
    if "webhook" in channels and len(settings.webhook_secret) < 32:
        raise SettingsError("PIPEROLL_WEBHOOK_SECRET is needed for webhooks: use at least 32 random characters")

    def deliver(message: ChaseMessage) -> None:
        try:
            if message.contact.channel == "webhook":
                content = to_json_bytes(dict(message.document))
                post_webhook(
                    message.contact.address,
                    content,
                    settings.webhook_secret,
                    message.id,
                    allow_private=settings.allow_private_addresses,
                )
            elif mail is not None:
                send_mail(mail, message.contact.address, message.subject, message.text)
        except (MailNotSent, WebhookNotTaken) as error:
            raise NotDelivered(str(error), uncertain=error.uncertain) from error

    return deliver


# --- what is shown --------------------------------------------------------------------------------------------------


def _show_plan(plan: ChasePlan, *, as_json: bool) -> None:
    if as_json:
        messages = [
            {"to": one.contact.address, "channel": one.contact.channel, "subject": one.subject, "text": one.text}
            | {"message": dict(one.document) | {"id": None}}
            for one in plan.messages
        ]
        document: dict[str, Any] = {"on": plan.on.isoformat(), "messages": messages, "told": plan.told}
        document |= {"quiet": list(plan.quiet)}
        document |= {"without_contact": list(plan.without_contact), "unknown": list(plan.unknown)}
        sys.stdout.buffer.write(to_json_bytes(document))
        return
    for message in plan.messages:
        typer.echo(f"To {message.contact.address}, about {message.body.name}: {message.subject}")
        for thing in message.things:
            typer.echo(f"  {thing.stage}: {thing.line.partition(chr(10))[0]}")
    typer.echo(_summarise(plan) + (" Nothing was sent: add --send." if plan.messages else ""))


def _summarise(plan: ChasePlan) -> str:
    from piperoll.describing.wording import format_count

    words = [f"As of {plan.on.isoformat()}: {format_count(len(plan.messages), 'message')}."]
    if plan.told:
        words.append(f"{format_count(plan.told, 'thing')} told before at this stage.")
    for slugs, what in (
        (plan.quiet, "today is a quiet day for"),
        (plan.without_contact, "nobody to write to at"),
        (plan.unknown, "in the list of contacts, and owing nothing that we know of:"),
    ):
        if slugs:
            more = f" and {len(slugs) - 8} more" if len(slugs) > 8 else ""
            words.append(f"{what[:1].upper()}{what[1:]} {', '.join(slugs[:8])}{more}.")
    return " ".join(words)


def _write_messages(folder: Path, messages: Iterable[ChaseMessage]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, message in enumerate(messages, 1):
        stem = folder / f"{number:04}-{message.body.slug}"
        head = f"To: {message.contact.address}\nSubject: {message.subject}\n\n"
        stem.with_suffix(".txt").write_text(head + message.text, "utf-8")
        stem.with_suffix(".json").write_bytes(to_json_bytes(dict(message.document)))


def _show_log(store: Store, contacts: Iterable[Contact], *, body: str | None, as_json: bool) -> None:
    from piperoll import terminal
    from piperoll.operations.access import keyed_digest
    from publishers import list_unfinished_chases, read_chase_log
    from publishers.access import chase_secret

    secret = chase_secret(store, write=False)
    names = {keyed_digest(secret, "contact", one.address)[:12]: one.address for one in contacts}
    everything = list(read_chase_log(store))
    entries = [one for one in everything if body in (None, one.body)]
    unfinished = [
        (whose, message)
        for whose, message in list_unfinished_chases(store, {one.id for one in everything})
        if body in (None, whose)
    ]
    if as_json:
        listed = [to_document(one) | {"address": names.get(one.recipient)} for one in entries]
        interrupted = [{"body": whose, "id": message} for whose, message in unfinished]
        sys.stdout.buffer.write(to_json_bytes({"messages": listed, "interrupted": interrupted}))
        return
    rows = [
        (
            one.instant[:16].replace("T", " "),
            one.body,
            names.get(one.recipient, one.recipient),
            one.channel,
            one.outcome,
            "; ".join(one.subjects) + (f" ({one.why})" if one.why else ""),
        )
        for one in entries
    ]
    if rows:
        headings = ("When", "Body", "To", "By", "Outcome", "About")
        terminal.print_grid(terminal.console(), headings, rows)
    else:
        typer.echo("Nothing was sent.")
    for whose, message in unfinished:
        typer.echo(f"Interrupted: whether message {message} reached {whose} is not known. It is not sent again.")
