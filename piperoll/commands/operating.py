"""What an operator comes to do: run, release what was held, replay, serve."""

from __future__ import annotations

from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from piperoll.errors import UsageError

OURS = 2
"""The exit status when something failed that is our fault, the network's or the store's."""

INTERRUPTED = 130
"""The exit status of what was stopped with Ctrl+C, as shells have it."""

Dest = Annotated[str, typer.Option("--to", metavar="DEST", help="A folder, or s3://bucket/prefix.")]
Inboxes = Annotated[
    list[Path] | None,
    typer.Option("--inbox", metavar="DIR", help="Laid out as <dataset>/<body>/<file>; may be given again."),
]
SourcesFile = Annotated[Path | None, typer.Option("--sources", metavar="FILE", help="Web addresses: sources.toml.")]
Bodies = Annotated[Path | None, typer.Option(metavar="FILE", help="Your bodies: they are expected to send.")]
Given = Annotated[str | None, typer.Option(metavar="PERIOD", help="2026-10, 2026-Q4, 2026-27 or a day.")]
Because = Annotated[str, typer.Option(metavar="REASON", help="Why, in your words: it stands in the history.")]


class As(StrEnum):
    """What letting a held submission go does to the version that stands."""

    REPLACE = "replace"
    ADD = "add"


def run(
    to: Dest,
    inbox: Inboxes = None,
    sources: SourcesFile = None,
    period: Given = None,
    bodies: Bodies = None,
) -> None:
    """Collect, check and publish, from inboxes or the web.

    Every file gets a verdict. What passes is published; what does not replaces nothing. Run it again and nothing
    changes; stop it half-way and it goes on from there. The exit status is 0 when the run went through, whatever the
    verdicts, and 2 when something of ours failed.

    piperoll run --inbox inbox --to published
    piperoll run --inbox 2026-09 --inbox 2026-10 --to published --bodies bodies.csv
    piperoll run --sources sources.toml --to s3://bucket/prefix --period 2026-10
    """
    if bool(inbox) == bool(sources):
        raise UsageError("say where the files come from: either --inbox DIR or --sources FILE")
    import flows
    from flows import prefect_server as quiet
    from piperoll import checking, terminal
    from piperoll.commands import outcome
    from piperoll.model import Period

    about = Period.parse(period) if period else None
    summaries = []
    shared = quiet.server() if len(inbox or ()) > 1 else nullcontext()
    with outcome.bar(terminal.console(stderr=True)) as watcher, shared as server:
        if server:
            checking.warm_up()
            server.wait()
        try:
            for place in inbox or (None,):
                summary = flows.run(to, inbox=place, sources=sources, period=about, bodies=bodies, watcher=watcher)
                summaries.append(summary)
        except KeyboardInterrupt:
            typer.echo("Stopped. What is done is done: run it again, and it goes on from there.", err=True)
            raise typer.Exit(INTERRUPTED) from None
    outcome.show(summaries, terminal.console(), to)
    raise typer.Exit(OURS if any(summary.failed for summary in summaries) else 0)


def release(
    submission: Annotated[str, typer.Argument(help="The beginning of its sha256, as a run or its report gives it.")],
    to: Dest,
    because: Because,
    how: Annotated[
        As, typer.Option("--as", help="In place of the version that stands, or together with it.")
    ] = As.REPLACE,
    period: Given = None,
    bodies: Bodies = None,
) -> None:
    """Let a held submission go, with your reason on the record.

    It is examined by today's rules, and rows that are held for privacy stay held. Name its period where none could be
    told.

    piperoll release 3fa9c2d17b60 --to published --because "The finance team confirmed that October was small"
    piperoll release 3fa9c2d17b60 --to published --as add --because "Second half of the month"
    """
    import flows
    from piperoll.model import Period
    from publishers import open_store

    about = Period.parse(period) if period else None
    done = flows.release(open_store(to), submission, because=because, how=str(how), period=about, bodies=bodies)
    typer.echo(f"{done.result.file}: {done.result.outcome}.")
    if done.trouble:
        typer.echo(f"The catalogue could not be made: {done.trouble}", err=True)
    raise typer.Exit(OURS if done.trouble or not done.result.version else 0)


def replay(
    source: Annotated[
        str, typer.Option("--from", metavar="DEST", help="The folder or bucket to read; it stays as it is.")
    ],
    into: Annotated[str, typer.Option(metavar="OTHER", help="An empty folder or bucket prefix.")],
    bodies: Bodies = None,
) -> None:
    """Put all that was ever received through today's rules, elsewhere.

    It says for which files the verdict, the period, the rows or the pounds would change.

    piperoll replay --from published --into build/replay
    """
    import flows
    from piperoll import terminal
    from piperoll.commands import outcome
    from publishers import open_store

    with outcome.bar(terminal.console(stderr=True)) as watcher:
        replayed = flows.replay(open_store(source), open_store(into), bodies=bodies, watcher=watcher)
    outcome.show_changes(replayed, terminal.console(), into)
    raise typer.Exit(OURS if replayed.trouble or any(one.verdict is None for one in replayed.results) else 0)


def serve(
    to: Dest,
    inbox: Annotated[Path | None, typer.Option(metavar="DIR", help="Laid out as <dataset>/<body>/<file>.")] = None,
    sources: SourcesFile = None,
    period: Given = None,
    bodies: Bodies = None,
    cron: Annotated[str, typer.Option(metavar="CRON", help="When, in London's time.")] = "0 6 * * *",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of the page that shows the runs.")] = 4200,
) -> None:
    """Run on a schedule, with a page that shows the runs.

    With PREFECT_API_URL set, that server keeps the schedule; else one of our own is started. Stop it with Ctrl+C.

    piperoll serve --sources sources.toml --to s3://bucket/prefix
    piperoll serve --inbox inbox --to published --cron "0 7 * * 1-5"
    """
    from flows import Asked
    from flows import serve as serve_flow
    from piperoll.model import Period

    about = Period.parse(period) if period else None
    order = Asked(to=to, inbox=inbox, sources=sources, period=about, bodies=bodies)

    def ready(page: str) -> None:
        typer.echo(f"The runs are shown at {page} (stop with Ctrl+C). They begin at {cron}, London's time.")

    serve_flow(order, cron=cron, port=port, ready=ready)
