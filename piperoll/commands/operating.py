"""The operator's commands: run, release, replay, serve."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from piperoll.errors import UsageError

OURS = 2
"""Exit status when something failed because of us, the network or the store."""

INTERRUPTED = 130
"""Exit status after Ctrl+C, as in shells: 128 plus the number of SIGINT."""

Dest = Annotated[str, typer.Option("--to", metavar="DEST", help="A folder, or s3://bucket/prefix.")]
Inboxes = Annotated[
    list[Path] | None,
    typer.Option("--inbox", metavar="DIR", help="Laid out as <dataset>/<body>/<file>; can be repeated."),
]
SourcesFile = Annotated[Path | None, typer.Option("--sources", metavar="FILE", help="Web addresses: sources.toml.")]
Bodies = Annotated[Path | None, typer.Option(metavar="FILE", help="Your list of bodies: the ones expected to send.")]
Given = Annotated[str | None, typer.Option(metavar="PERIOD", help="2026-10, 2026-Q4, 2026-27 or a day.")]
Because = Annotated[str, typer.Option(metavar="REASON", help="Why; published in the history.")]


class As(StrEnum):
    """What a released file does to the current version."""

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

    Every file gets a verdict, and what passes is published. Run it again and nothing changes; stop it half-way and the
    next run finishes. The exit status is 0 if the run ended well, whatever the verdicts, and 2 if something failed
    because of us, the network or the store.

    piperoll run --inbox inbox --to published
    piperoll run --inbox 2026-09 --inbox 2026-10 --to published --bodies bodies.csv
    piperoll run --sources sources.toml --to s3://bucket/prefix --period 2026-10
    """
    if bool(inbox) == bool(sources):
        raise UsageError("give either --inbox DIR or --sources FILE to collect from")
    from flows import prefect_server
    from flows.run import run_month
    from piperoll import checking, terminal
    from piperoll.commands import outcome
    from piperoll.operations.run_request import parse_request

    summaries = []
    # several inboxes share one server; run_month starts one for a single inbox, if there is anything new in it
    shared = prefect_server.server() if len(inbox or ()) > 1 else nullcontext()
    with outcome.progress_bar(terminal.console(stderr=True)) as watcher, shared as server:
        if server:
            checking.warm_up()
            server.wait()
        try:
            for folder in inbox or (None,):
                request = parse_request(to, folder, sources, period, bodies)
                summaries.append(run_month(replace(request, watcher=watcher)))
        except KeyboardInterrupt:
            typer.echo("Stopped. Finished files are kept: run it again to do the rest.", err=True)
            raise typer.Exit(INTERRUPTED) from None
    outcome.show(summaries, terminal.console(), to)
    raise typer.Exit(OURS if any(summary.failed for summary in summaries) else 0)


def release(
    submission: Annotated[
        str, typer.Argument(help="The beginning of its sha256, as printed by run and in its report.")
    ],
    to: Dest,
    because: Because,
    how: Annotated[As, typer.Option("--as", help="Replace the current version, or add to it.")] = As.REPLACE,
    period: Given = None,
    bodies: Bodies = None,
) -> None:
    """Publish a held file, with your reason on record.

    It is examined by today's rules, and rows that are held for privacy stay held. Give its period if the file does not
    show one.

    piperoll release 3fa9c2d17b60 --to published --because "The finance team confirmed that October was small"
    piperoll release 3fa9c2d17b60 --to published --as add --because "Second half of the month"
    """
    from piperoll.operations.release import release as release_submission

    done = release_submission(to, submission, because=because, how=str(how), period=period, bodies=bodies)
    typer.echo(f"{done.result.file}: {done.result.outcome}.")
    if done.trouble:
        typer.echo(f"The catalogue could not be built: {done.trouble}", err=True)
    raise typer.Exit(OURS if done.trouble or not done.result.version else 0)


def replay(
    source: Annotated[
        str, typer.Option("--from", metavar="DEST", help="The folder or bucket to read; it is not changed.")
    ],
    into: Annotated[str, typer.Option(metavar="OTHER", help="An empty folder or bucket prefix.")],
    bodies: Bodies = None,
) -> None:
    """Check everything ever received by today's rules, into an empty place.

    It lists the files whose verdict, period, rows or pounds would change.

    piperoll replay --from published --into build/replay
    """
    from piperoll import terminal
    from piperoll.commands import outcome
    from piperoll.operations.replay import replay as replay_store

    with outcome.progress_bar(terminal.console(stderr=True)) as watcher:
        replayed = replay_store(source, into, bodies=bodies, watcher=watcher)
    outcome.show_changes(replayed, terminal.console(), into)
    raise typer.Exit(OURS if replayed.trouble or any(one.verdict is None for one in replayed.results) else 0)


def serve(
    to: Dest,
    inbox: Annotated[Path | None, typer.Option(metavar="DIR", help="Laid out as <dataset>/<body>/<file>.")] = None,
    sources: SourcesFile = None,
    period: Given = None,
    bodies: Bodies = None,
    cron: Annotated[str, typer.Option(metavar="CRON", help="When, in London time.")] = "0 6 * * *",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page that shows the runs.")] = 4200,
) -> None:
    """Run on a schedule, with a page that shows the runs.

    With PREFECT_API_URL set, that server keeps the schedule; otherwise one is started. Stop it with Ctrl+C.

    piperoll serve --sources sources.toml --to s3://bucket/prefix
    piperoll serve --inbox inbox --to published --cron "0 7 * * 1-5"
    """
    from flows.serve import serve as serve_flow
    from piperoll.operations.run_request import parse_request

    def ready(page: str) -> None:
        typer.echo(f"The runs are shown at {page} (stop with Ctrl+C). They start at {cron}, London time.")

    serve_flow(parse_request(to, inbox, sources, period, bodies), cron=cron, port=port, ready=ready)
