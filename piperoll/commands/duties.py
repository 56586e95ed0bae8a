"""The due command: which returns the law asks for, by which day, and what was received."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from piperoll.errors import UsageError

if TYPE_CHECKING:
    from piperoll.duties import Duty

A_YEAR = timedelta(days=365)
"""Without --since, periods that ended in the last year."""


def due(
    to: Annotated[str, typer.Option(metavar="DEST", help="The folder or s3://bucket/prefix that is published to.")],
    bodies: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your list of bodies, as well as those that have sent.")
    ] = None,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="As of this day, for example 2026-11-30; default today.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="For periods that ended on or after this day; default a year ago."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List returns that were on time, too.")] = False,
    brief: Annotated[bool, typer.Option("--brief", help="Only the number of returns by state.")] = False,
) -> None:
    """List the returns that the law asks for: body, dataset, period, the day it is due, and what was received.

    piperoll due --to published
    piperoll due --to published --bodies bodies.csv --on 2026-11-30 --all
    """
    from piperoll import assets, terminal
    from piperoll.duties import judge_duties, summarise_received
    from piperoll.model import Register
    from piperoll.operations.run_request import add_senders, expected_bodies, known_bodies
    from publishers import list_submissions, open_store

    today = _day(on) if on else datetime.now(UTC).date()
    came = list(list_submissions(open_store(to)))
    # the bodies of the operator's file, and those that have ever sent something
    listed = expected_bodies(bodies) if bodies else Register(())
    register = add_senders(listed, known_bodies(bodies), (submission.body for submission, _ in came))
    received = summarise_received(came)
    duties = judge_duties(assets.datasets(), register, received, today, _day(since) if since else today - A_YEAR)
    shown = duties if everything else [duty for duty in duties if str(duty.state) != "on-time"]
    out = terminal.console()
    if shown and not brief:
        headings = ("Due", "State", "Dataset", "Period", "Body")
        out.print(terminal.grid(headings, [_row(duty) for duty in shown]))
        out.print()
    counts = Counter(str(duty.state).replace("-", " ") for duty in duties)
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(counts.items())) or "nothing"
    bodies_owe = "1 body owes" if len(list(register)) == 1 else f"{len(list(register)):,} bodies owe"
    out.print(f"As of {today.isoformat()}, {bodies_owe} {len(duties):,} returns by law: {states}.")


def _row(duty: Duty) -> tuple[str, ...]:
    dataset = f"{duty.dataset} ({duty.part})" if duty.part else duty.dataset
    return (
        duty.due.isoformat(),
        str(duty.state).replace("-", " "),
        dataset,
        str(duty.period).replace("--", " to "),
        duty.body.name,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is not a day: write it as YYYY-MM-DD, for example 2026-11-30") from error
