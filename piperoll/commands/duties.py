"""The due command: which returns the law asks for, by which day, and what was received."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from piperoll.commands.operating import local_file
from piperoll.errors import UsageError
from piperoll.model import to_json_bytes

if TYPE_CHECKING:
    from piperoll.duties import Duty
    from piperoll.operations.due import DutyList


def due(  # noqa: PLR0913, PLR0917 - one parameter for each option
    to: Annotated[str, typer.Option(metavar="DEST", help="The folder or s3://bucket/prefix that is published to.")],
    bodies: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=local_file,
            help="Your list of bodies, beside those that have sent; default: those of the catalogue.",
        ),
    ] = None,
    body: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this body: its name, short name or another name.")
    ] = None,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="As of this day, for example 2026-11-30; default today.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="For periods that ended from this day on; default: what the catalogue shows."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List returns that were on time, too.")] = False,
    brief: Annotated[bool, typer.Option("--brief", help="Only the number of returns by state.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: every return, on time or not.")] = False,
    as_calendar: Annotated[
        bool, typer.Option("--ics", help="Print an iCalendar: every return, and those of the coming year.")
    ] = False,
) -> None:
    """List the returns that the law asks for: body, dataset, period, the day it is due, and what was received.

    piperoll due --to published
    piperoll due --to published --body "Anytown Council"
    piperoll due --to published --bodies bodies.csv --on 2026-11-30 --all
    piperoll due --to published --body "Anytown Council" --ics > duties.ics
    """
    from piperoll.operations.due import list_duties

    today = parse_day(on) if on else datetime.now(UTC).date()
    listed = list_duties(to, today, bodies=bodies, body=body, since=parse_day(since) if since else None)
    if as_json:
        sys.stdout.buffer.write(to_json_bytes(_document(listed)))
        return
    if as_calendar:
        sys.stdout.buffer.write(_calendar(listed).encode())
        return
    from piperoll import terminal  # rich, which --json does not need

    shown = [duty for duty in listed.duties if everything or str(duty.state) != "on-time"]
    out = terminal.console()
    if shown and not brief:
        headings = ("Due", "State", "Dataset", "Period", "Body")
        terminal.print_grid(out, headings, [_row(duty) for duty in shown])
        out.print()
    counts = Counter(str(duty.state).replace("-", " ") for duty in listed.duties)
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(counts.items())) or "nothing"
    returns = f"{len(listed.duties):,} {'return' if len(listed.duties) == 1 else 'returns'}"
    owing = "1 body owes" if len(listed.bodies) == 1 else f"{len(listed.bodies):,} bodies owe"
    out.print(f"As of {today.isoformat()}, {owing} {returns} by law: {states}.")
    if listed.not_followed:
        names = ", ".join(listed.not_followed)
        out.print(f"Not followed, because nobody has ever sent it: {names}. To list it all the same: --since DATE.")


def _document(listed: DutyList) -> dict[str, Any]:
    return {
        "on": listed.on.isoformat(),
        "bodies": [
            {"body": body.slug, "name": body.name, "kind": body.kind, "provisional": body.provisional}
            for body in listed.bodies
        ],
        "duties": [{"body": duty.body.slug, **duty.to_document()} for duty in listed.duties],
        "not_followed": list(listed.not_followed),
    }


def _calendar(listed: DutyList) -> str:
    from piperoll import assets
    from piperoll.operations.duty_calendar import list_upcoming, write_icalendar
    from piperoll.settings import Settings

    followed = [one for one in assets.datasets() if one.name not in listed.not_followed]
    upcoming = list_upcoming(followed, listed.bodies, listed.on, listed.statements)
    name = f"Returns of {listed.bodies[0].name}" if len(listed.bodies) == 1 else "Returns"
    portal = Settings.from_environment().portal_url or "http://127.0.0.1:8090/"
    return write_icalendar([*listed.duties, *upcoming], listed.on, name, portal)


def _row(duty: Duty) -> tuple[str, ...]:
    dataset = f"{duty.dataset} ({duty.part})" if duty.part else duty.dataset
    return (
        duty.due.isoformat(),
        str(duty.state).replace("-", " "),
        dataset,
        duty.period.title,
        f"{duty.body.name} (provisional)" if duty.body.provisional else duty.body.name,
    )


def parse_day(text: str) -> date:
    """A day written as YYYY-MM-DD. Raises: UsageError: it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is not a day: write it as YYYY-MM-DD, for example 2026-11-30") from error
