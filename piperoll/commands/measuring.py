"""The command `measure`: make the measures of a store, preview what would change, and print the working of a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from piperoll.commands.operating import OURS, Dest
from piperoll.errors import UsageError

if TYPE_CHECKING:
    from decimal import Decimal

    from piperoll.operations.measure import Effect, Measured

Only = Annotated[list[str] | None, typer.Option("--only", metavar="ID", help="Only this measure; can be repeated.")]
Slugs = Annotated[
    list[str] | None, typer.Option("--bodies", metavar="SLUG", help="With --preview: only this body; can be repeated.")
]
Years = Annotated[
    list[str] | None,
    typer.Option("--years", metavar="YEAR", help="Only this financial year: 2026-27; can be repeated."),
]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--source", metavar="NAME=PLACE", help="An outside source, from a file or web address; can be repeated."
    ),
]
Working = Annotated[
    tuple[str, str, str] | None,
    typer.Option("--explain", metavar="ID BODY YEAR", help="Print how the figures of a body were made."),
]


def measure(  # noqa: PLR0913, PLR0917 - one option each
    to: Dest,
    only: Only = None,
    bodies: Slugs = None,
    years: Years = None,
    source: Sources = None,
    licence: Annotated[str | None, typer.Option(metavar="NAME", help="The licence of the --source.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Publish nothing: print what would change.")] = False,
    explain: Working = None,
    again: Annotated[bool, typer.Option("--again", help="Make everything again, even where nothing changed.")] = False,
) -> None:
    """Make the measures: figures about bodies, from what is published, with their bounds and coverage.

    Every piperoll run makes them, so this command is for looking ahead, for outside sources and for repairs. Only
    measures whose data or method has changed are made. They are published as versions of measures/ID/YEAR, like
    releases; a figure that must not be compared is published too, without its value and with the reason.

    An outside source is kept with its hash, address and date, and used from then on. Without it, measures that need it
    say what they lack.

    piperoll measure --to published
    piperoll measure --to published --only coverage --years 2026-27 --preview
    piperoll measure --to published --explain coverage anytown 2026-27
    piperoll measure --to published --source population=population.csv --licence OGL-UK-3.0
    """
    from piperoll import terminal
    from piperoll.operations import measure as operation
    from piperoll.operations.run_request import open_run
    from publishers.published_bodies import read_register

    if bodies and not preview:
        raise UsageError("measures are published for all bodies at once: add --preview to look at some of them")
    with open_run(to) as run, terminal.working() as progress:
        register = read_register(run.store)
        if explain:
            for line in operation.explain(run, *explain, register=register):
                typer.echo(line)
            return
        for text in source or ():
            name = text.partition("=")[0]
            changed = operation.use_source(run, text, licence=licence)
            typer.echo(f"{name}: {'used from now on' if changed else 'the same as before'}.")
        if preview:
            _show_effects(operation.preview(
                run, only=only or (), years=years or (), bodies=bodies or (), register=register, progress=progress
            ))  # fmt: skip
            return
        outcomes = operation.measure_store(
            run, only=only or (), years=years or (), register=register, progress=progress, again=again
        )
    _show_outcomes(outcomes)
    raise typer.Exit(OURS if any(one.outcome == "failed" for one in outcomes) else 0)


def _show_outcomes(outcomes: list[Measured]) -> None:
    from piperoll import terminal
    from piperoll.describing.wording import format_count

    rows = [
        (str(one.series), one.outcome, f"{one.rows:,}", f"{one.withheld:,}", str(one.version or ""), one.why)
        for one in outcomes
    ]
    if rows:
        headings = ("measure", "", "rows", "withheld", "version", "")
        terminal.print_grid(terminal.console(), headings, rows, right=frozenset({2, 3, 4}))
    published = sum(one.outcome == "published" for one in outcomes)
    typer.echo(f"Made {format_count(len(outcomes), 'measure')}, of which {published:,} differ and were published."
               if outcomes else "Nothing has changed: every measure is up to date.")  # fmt: skip


def _show_effects(effects: list[Effect]) -> None:
    from piperoll import terminal
    from piperoll.describing.wording import format_count

    def spell(value: Decimal | None, unit: str) -> str:
        if value is None:
            return "none"
        return f"£{value:,.2f}" if unit.startswith("gbp") else f"{value.normalize():f}"

    rows = [
        (
            str(one.series).removeprefix("measures/"),
            one.body_name,
            one.figure,
            spell(one.before, one.unit),
            spell(one.after, one.unit),
        )
        for one in effects
    ]
    if rows:
        headings = ("measure", "body", "figure", "published", "now")
        terminal.print_grid(terminal.console(), headings, rows, right=frozenset({3, 4}))
    bodies = len({one.body for one in effects})
    changed = f"{format_count(len(effects), 'figure')} of {format_count(bodies, 'body', 'bodies')}"
    typer.echo(f"{changed} would change." if effects else "No figure would change.")
