"""Commands of the portal: `portal`, and `access grant | list | revoke`."""

from __future__ import annotations

import getpass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from piperoll.errors import UsageError
from piperoll.model import Role, SubjectKind
from piperoll.settings import Settings

Store = Annotated[str, typer.Option("--to", metavar="DEST", help="The folder or s3://bucket/prefix of the portal.")]


def portal(
    dest: Annotated[str, typer.Argument(metavar="DEST", help="The folder or s3://bucket/prefix that is published to.")],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8090,
    body: Annotated[
        str | None, typer.Option(metavar="SLUG", help="Print an address that signs in once, for this body.")
    ] = None,
    operate: Annotated[bool, typer.Option("--operate", help="That address is for the operator's pages too.")] = False,
    bodies: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Your own list of bodies (CSV).")
    ] = None,
) -> None:
    """Serve the portal, where public bodies send files and see what became of them.

    With --body or --operate it prints an address that signs in once, on this computer only. For others, set up an
    OpenID provider or an SMTP server with PIPEROLL_PORTAL_ variables (docs/portal.md), and say who may do what with
    piperoll access grant. Stop it with Ctrl+C.

    piperoll portal build/demo --body city-of-placeholder
    piperoll portal s3://bucket/prefix --host 0.0.0.0
    """
    from hosting.server_process import require_free_port
    from portal.app import run_portal
    from portal.settings import LocalSignIn, PortalSettings, is_loopback

    settings = Settings.from_environment()
    local = LocalSignIn(body, operate) if body or operate else None
    if local is not None and not is_loopback(host):
        raise UsageError("--body and --operate print an address that signs in: use them with --host 127.0.0.1 only")
    given: dict[str, object] = {"bodies": str(bodies) if bodies else None, "local": local}
    if not settings.portal_url:
        given["address"] = f"http://{host}:{port}/"
    require_free_port(host, port)
    run_portal(PortalSettings.from_settings(dest, settings, **given), host, port, typer.echo)


def grant(  # noqa: PLR0913, PLR0917 - one parameter for each option
    roles: Annotated[list[Role], typer.Argument(help="submit, decide, operate, calendar; several are possible.")],
    to: Store,
    body: Annotated[
        str | None, typer.Option(metavar="SLUG", help="The body; none for operate, or for the calendar of all.")
    ] = None,
    person: Annotated[str | None, typer.Option(metavar="EMAIL", help="A person, by e-mail address.")] = None,
    domain: Annotated[str | None, typer.Option(help="Everyone whom the OpenID provider knows by this domain.")] = None,
    group: Annotated[str | None, typer.Option(help="Everyone in a group of the OpenID provider.")] = None,
    key: Annotated[bool, typer.Option("--key", help="A new key for a machine. It is printed once.")] = False,
    note: Annotated[str, typer.Option(help="What you will recognise it by; no names of people.")] = "",
    until: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day.")] = None,
) -> None:
    """Let a person, an e-mail domain, a group or a machine use the portal for a body.

    The store keeps hashes of addresses, groups and keys, and never themselves: nobody can read from it who they are.

    piperoll access grant submit decide --body anytown --person j.example@anytown.gov.uk --to published
    piperoll access grant submit --body anytown --key --note "finance system" --to published
    piperoll access grant operate --group open-data-team --to published
    piperoll access grant calendar --key --body anytown --note "calendar of the clerk" --to published
    """
    from piperoll.operations.access import NewGrant, grant_access, platform_secret
    from publishers import open_store

    named = [
        (kind, name)
        for kind, name in (
            (SubjectKind.PERSON, person),
            (SubjectKind.DOMAIN, domain),
            (SubjectKind.GROUP, group),
            (SubjectKind.KEY, "" if key else None),
        )
        if name is not None
    ]
    if len(named) != 1:
        raise UsageError("say to whom, with one of --person, --domain, --group and --key")
    if until is not None:
        _check_day(until)
    store, settings = open_store(to), Settings.from_environment()
    (kind, name), secret = named[0], platform_secret(store, settings)
    wanted = NewGrant(kind, name, body, tuple(roles), note, until)
    made = grant_access(store, secret, wanted, by=getpass.getuser())
    typer.echo(f"Granted {', '.join(made.grant.roles)} for {body or 'the platform'}. To take it back:")
    typer.echo(f"  piperoll access revoke {made.grant.id} --to {to}")
    if made.key is not None and Role.CALENDAR in roles:
        typer.echo("The address to subscribe to, which is not shown again. Anyone who has it can read the calendar:")
        typer.echo(f"{settings.portal_url or 'http://127.0.0.1:8090/'}calendar/{made.key}.ics")
    elif made.key is not None:
        typer.echo("The key, which is not shown again:")
        typer.echo(made.key)


def list_access(
    to: Store,
    body: Annotated[str | None, typer.Option(metavar="SLUG", help="Only grants for this body.")] = None,
    person: Annotated[str | None, typer.Option(metavar="EMAIL", help="Only grants of this person.")] = None,
) -> None:
    """List who may use the portal, by the identifiers that take grants back.

    piperoll access list --to published
    piperoll access list --person j.example@anytown.gov.uk --to published
    """
    from piperoll.operations.access import find_subject, platform_secret
    from publishers import open_store
    from publishers.access import list_grants

    store = open_store(to)
    only = None
    if person is not None:
        only = find_subject(platform_secret(store, Settings.from_environment()), SubjectKind.PERSON, person)
    found = False
    for subject, one in list_grants(store):
        if (only is None or subject == only) and (body is None or one.body == body):
            found = True
            ends = f" until {one.until}" if one.until else ""
            note = f"  {one.note}" if one.note else ""
            who = f"{subject.kind} {subject.digest[:8]}"
            typer.echo(f"{one.id}  {who}  {one.body or 'the platform'}: {', '.join(one.roles)}{ends}{note}")
    if not found:
        typer.echo("Nothing is granted.")


def revoke(
    identifier: Annotated[str, typer.Argument(metavar="GRANT", help="As piperoll access list shows it.")], to: Store
) -> None:
    """Take a grant back. Sessions and keys lose it with their next request.

    piperoll access revoke 3fa9c2d17b60 --to published
    """
    from piperoll.operations.access import platform_secret, revoke_access
    from publishers import open_store

    store = open_store(to)
    gone = revoke_access(store, platform_secret(store, Settings.from_environment()), identifier, by=getpass.getuser())
    typer.echo(f"Revoked {', '.join(gone.roles)} for {gone.body or 'the platform'}.")


def _check_day(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is not a day: write it as YYYY-MM-DD") from error
