"""What an operator comes to do: run, release what was held, replay, serve."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from piperoll.errors import UsageError

OURS = 2
"""The exit status when something failed that is our fault, the network's or the store's."""

Dest = Annotated[str, typer.Option("--to", metavar="DEST", help="A folder, or s3://bucket/prefix.")]
Inbox = Annotated[Path | None, typer.Option(metavar="DIR", help="Laid out as <dataset>/<body>/<file>.")]
SourcesFile = Annotated[Path | None, typer.Option("--sources", metavar="FILE", help="Web addresses: sources.toml.")]
Bodies = Annotated[Path | None, typer.Option(metavar="FILE", help="Your own register of bodies.")]
Given = Annotated[str | None, typer.Option(metavar="PERIOD", help="2026-10, 2026-Q4, 2026-27 or a day.")]
Because = Annotated[str, typer.Option(metavar="REASON", help="Why, in your words: it stands in the history.")]


class As(StrEnum):
    """What letting a held submission go does to the version that stands."""

    REPLACE = "replace"
    ADD = "add"


def run(
    to: Dest,
    inbox: Inbox = None,
    sources: SourcesFile = None,
    period: Given = None,
    bodies: Bodies = None,
    brief: Annotated[bool, typer.Option("--brief", help="One line in place of the tables.")] = False,
) -> None:
    """Collect, check and publish: from an inbox or from the web, into a folder or a bucket.

    Every file gets a verdict. What passes is published; what does not replaces nothing. Run it again and nothing changes;
    stop it half-way and it goes on from there. The exit status is 0 when the run went through, whatever the verdicts, and
    2 when something of ours failed.

    piperoll run --inbox inbox --to published
    piperoll run --sources sources.toml --to s3://bucket/prefix --period 2026-10
    """
    if (inbox is None) == (sources is None):
        raise UsageError("say where the files come from: either --inbox DIR or --sources FILE")
    import flows
    from piperoll import terminal
    from piperoll.commands import outcome
    from piperoll.model import Period

    about = Period.parse(period) if period else None
    with outcome.bar(terminal.console(stderr=True)) as watcher:
        summary = flows.run(to, inbox=inbox, sources=sources, period=about, bodies=bodies, watcher=watcher)
    if brief:
        typer.echo(outcome.line(summary, str(inbox or sources)))
    else:
        outcome.show(summary, terminal.console(), to)
    raise typer.Exit(OURS if summary.failed else 0)
