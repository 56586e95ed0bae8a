"""The operator's commands: run, release, replay, serve, withdraw, purge, sweep."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from piperoll.errors import UsageError

if TYPE_CHECKING:
    from publishers import Tombstone

OURS = 2
"""Exit status when something failed because of us or the store."""

INTERRUPTED = 130
"""Exit status after Ctrl+C, as in shells: 128 plus the number of SIGINT."""

TERMINATED = 143
"""Exit status after SIGTERM."""

Dest = Annotated[str, typer.Option("--to", metavar="DEST", help="A folder, or s3://bucket/prefix.")]
Inboxes = Annotated[
    list[str] | None,
    typer.Option(
        "--inbox", metavar="DIR", help="A folder or s3://bucket/prefix, as <dataset>/<body>/<file>; can be repeated."
    ),
]
SourcesFile = Annotated[
    str | None,
    typer.Option("--sources", metavar="FILE", help="Web addresses: sources.toml, here or at s3:// or https://."),
]


def local_file(text: str) -> Path:
    """The path of a file; one that is at an address is copied first."""
    from piperoll.operations import remote_files

    return remote_files.local_file(text)


Bodies = Annotated[
    Path | None,
    typer.Option(metavar="FILE", parser=local_file, help="Your list of bodies: the ones expected to send."),
]
BodiesPlace = Annotated[str | None, typer.Option("--bodies", metavar="FILE", help="Your list of bodies, as for run.")]
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
    next run finishes. The exit status is 0 if the run ended well, whatever the verdicts and whatever sites did not
    answer, and 2 if something failed because of us or the store.

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
        except (KeyboardInterrupt, SystemExit) as stop:  # SystemExit: a signal, see `piperoll.cli.main`
            typer.echo("Stopped. Finished files are kept: run it again to do the rest.", err=True)
            code = INTERRUPTED if isinstance(stop, KeyboardInterrupt) else stop.code
            raise typer.Exit(code if isinstance(code, int) else TERMINATED) from None
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
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who decided; default: your login name.")] = None,
) -> None:
    """Publish a held file, with your reason on record.

    It is examined by today's rules, and rows that are held for privacy stay held: piperoll decide is for those. Give
    its period if the file does not show one.

    piperoll release 3fa9c2d17b60 --to published --because "The finance team confirmed that October was small"
    piperoll release 3fa9c2d17b60 --to published --as add --because "Second half of the month"
    """
    from piperoll import api
    from piperoll.operations.release import release as release_submission
    from piperoll.terminal import clean

    who = by or api.login_name()
    done = release_submission(to, submission, because=because, how=str(how), period=period, bodies=bodies, by=who)
    typer.echo(f"{clean(done.result.file)}: {done.result.outcome}.")
    _finish(done.trouble, failed=not done.result.version)


def replay(
    source: Annotated[
        str, typer.Option("--from", metavar="DEST", help="The folder or bucket; changed only with --apply.")
    ],
    into: Annotated[
        str | None, typer.Option(metavar="OTHER", help="An empty folder or bucket prefix, to look at the result.")
    ] = None,
    bodies: Bodies = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Publish the result as restatements, with your reason.")
    ] = False,
    because: Annotated[
        str | None, typer.Option(metavar="REASON", help="Why it is applied; published in the history.")
    ] = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who applies it; default: your login name.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check everything ever received by today's rules.

    It lists the files whose verdict, period, rows or pounds would change, and for each body what would be published,
    restated and held. With --apply it is done: each table that changes is a new version, or is withdrawn, with your
    reason. Interrupted, it is finished by the same command, with another --into if you gave one.

    piperoll replay --from published --into build/replay
    piperoll replay --from published --apply --because "Amounts with a k suffix are read"
    """
    from piperoll import api, terminal
    from piperoll.commands import outcome
    from piperoll.operations import replay as replaying
    from piperoll.scratch import scratch_folder

    if apply and not because:
        raise UsageError("give a reason with --because: it is published in the history of every table that changes")
    with (
        scratch_folder("replay") as scratch,
        outcome.progress_bar(terminal.console(stderr=True)) as watcher,
    ):
        place = into or f"{scratch}/replayed"
        if apply and because:
            replayed = replaying.apply_replay(
                source,
                place,
                because=because,
                by=by or api.login_name(),
                bodies=bodies,
                watcher=watcher,
                catalogued=into is not None,
            )
        else:
            replayed = replaying.replay(source, place, bodies=bodies, watcher=watcher, catalogued=into is not None)
    if as_json:
        typer.echo(json.dumps(replayed.to_document(), ensure_ascii=False, indent=2))
    else:
        outcome.show_changes(replayed, terminal.console(), into)
    failed = any(one.verdict is None for one in replayed.results) or (replayed.applied and replayed.applied.skipped)
    raise typer.Exit(OURS if replayed.trouble or failed else 0)


def serve(
    to: Dest,
    inbox: Annotated[str | None, typer.Option(metavar="DIR", help="Laid out as <dataset>/<body>/<file>.")] = None,
    sources: SourcesFile = None,
    period: Given = None,
    bodies: BodiesPlace = None,
    cron: Annotated[str, typer.Option(metavar="CRON", help="When, in London time.")] = "0 6 * * *",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page that shows the runs.")] = 4200,
) -> None:
    """Run on a schedule, with a page that shows the runs.

    With PREFECT_API_URL set, that server keeps the schedule; otherwise one is started, with a password that is printed
    here and kept in PREFECT_HOME. Stop it with Ctrl+C.

    piperoll serve --sources sources.toml --to s3://bucket/prefix
    piperoll serve --inbox inbox --to published --cron "0 7 * * 1-5"
    """
    import signal

    from flows.prefect_server import PrefectServer
    from flows.serve import serve as serve_flow
    from piperoll.operations.run_request import parse_request

    def ready(server: PrefectServer) -> None:
        page = server.address.removesuffix("/api")
        typer.echo(f"The runs are shown at {page} (stop with Ctrl+C). They start at {cron}, London time.")
        if server.auth:
            typer.echo(f"The page asks for a password: {server.auth}")

    signal.signal(signal.SIGINT, signal.default_int_handler)  # Prefect ends its runs by KeyboardInterrupt
    serve_flow(parse_request(to, inbox, sources, period, bodies), cron=cron, port=port, ready=ready)


def withdraw(
    series: Annotated[
        str, typer.Argument(metavar="SERIES", help="dataset/body/period, for example spend/anytown/2026-10.")
    ],
    number: Annotated[int, typer.Argument(min=1, help="The version's number, as piperoll history lists it.")],
    to: Dest,
    because: Because,
    bodies: Bodies = None,
) -> None:
    """Withdraw a published version: it can still be read, marked with your reason, but is no longer current.

    No older version becomes current. The next file of the body is the next version. For personal data, use purge.

    piperoll withdraw spend/anytown/2026-10 2 --to published --because "The file was for another month"
    """
    from piperoll.api import login_name
    from piperoll.model import Series
    from piperoll.operations.takedown import withdraw_version

    done = withdraw_version(to, Series.parse(series), number, because=because, bodies=bodies, by=login_name())
    typer.echo(f"Version {number} of {series} is withdrawn. What is current now: piperoll history {series} --from {to}")
    _finish(done.trouble)


def purge(
    submission: Annotated[str, typer.Argument(help="The beginning of its sha256, as in its report.")],
    to: Dest,
    because: Annotated[
        str, typer.Option(metavar="REASON", help="Why, without the personal data; published in the history.")
    ],
    value: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="Text that must be gone: the whole store is searched for it afterwards."),
    ] = None,
    bodies: Bodies = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a file with personal data and everything made from it, permanently.

    Deletes every version with its rows, their differences, reports and previews, and the file as received. A record of
    when, why and how much is kept, and the same file is refused if it is sent again. To finish an interrupted purge,
    give the whole sha256.

    piperoll purge 3fa9c2d17b60 --to published --because "Names of foster carers" --value "Jane Carer"
    """
    from piperoll.api import login_name
    from piperoll.describing.wording import format_count
    from piperoll.operations.takedown import purge_submission

    if not yes:
        typer.confirm(f"Everything made from {submission} in {to} will be deleted permanently. Continue?", abort=True)
    by = login_name()
    done = purge_submission(to, submission, because=because, values=value or (), bodies=bodies, by=by)
    stone = done.tombstone
    held = f"{format_count(len(stone.versions), 'version')} with {format_count(stone.rows, 'row')}"
    typer.echo(f"{stone.sha256} is purged: {held}.")
    for version in stone.versions:
        typer.echo(f"  {version}")
    for other in stone.others:
        typer.echo(
            f"Rows of {other[:12]} were in the same versions: piperoll release {other[:12]} publishes them again."
        )
    for seen in done.seen:
        typer.echo(f"Still there: '{seen.value}' in {seen.key}", err=True)
    if value and not done.seen:
        typer.echo("The whole store was searched, as far as its files can be opened: none of the values is in it.")
    forgotten = _forget_flow_runs(stone) if "PREFECT_API_URL" in os.environ else True
    _finish(done.trouble, failed=bool(done.seen) or not forgotten)


def _forget_flow_runs(stone: Tombstone) -> bool:
    """Delete what the Prefect server keeps about a purged file; False if it does not let us."""
    from flows.forgetting import forget_flow_runs
    from piperoll.describing.wording import format_count

    try:
        forgotten = forget_flow_runs(stone)
    except Exception as error:  # noqa: BLE001 - the file is purged, whatever the server answers
        typer.echo(
            f"Flow runs about the file may still be on the Prefect server ({type(error).__name__}). When it answers, "
            f"give the same command with the whole sha256: {stone.sha256}",
            err=True,
        )
        return False
    if forgotten:
        typer.echo(f"Deleted from the Prefect server: {format_count(forgotten, 'flow run')} about it.")
    return True


def sweep(
    to: Dest,
    hours: Annotated[
        float, typer.Option(min=0, help="Only files older than this, which nobody can still be writing.")
    ] = 24,
    access_log_days: Annotated[
        int | None, typer.Option(metavar="DAYS", min=1, help="Delete entries of the access log older than DAYS.")
    ] = None,
) -> None:
    """Delete what interrupted runs left behind: files that no pointer names, unfinished writes, abandoned drafts.

    A draft in the portal is abandoned if nobody has worked on it for seven days. The log of the portal stays unless
    you say how long it is kept.

    piperoll sweep --to published
    piperoll sweep --to published --access-log-days 400
    """
    from piperoll.describing.wording import format_count
    from publishers import open_store, sweep_access_log, sweep_drafts, sweep_store

    store = open_store(to)
    swept = sweep_store(store, older_than=hours * 3600)
    files = format_count(len(swept.removed), "file that no pointer names", "files that no pointer names")
    typer.echo(f"Removed: {files}, {format_count(swept.unfinished, 'unfinished write')}.")
    if drafts := sweep_drafts(store):
        typer.echo(f"Removed: {format_count(drafts, 'abandoned draft')}.")
    if access_log_days is not None:
        before = (datetime.now(UTC) - timedelta(days=access_log_days)).date().isoformat()
        entries = sweep_access_log(store, before=before)
        typer.echo(f"Removed: {format_count(entries, 'log entry', 'log entries')} of the portal from before {before}.")
    if swept.waiting:
        verb = "is" if len(swept.waiting) == 1 else "are"
        more = f"{format_count(len(swept.waiting), 'file')} more {verb} younger than {hours:g} hours"
        typer.echo(f"{more}: someone may still be writing them.")


def _finish(trouble: str | None, *, failed: bool = False) -> None:
    """Report a catalogue that could not be built, and exit."""
    if trouble:
        typer.echo(f"The catalogue could not be built: {trouble}", err=True)
    raise typer.Exit(OURS if trouble or failed else 0)
