"""Commands that take things back or clean up: withdraw, purge, sweep."""

from __future__ import annotations

from typing import Annotated

import typer

from piperoll.commands.operating import OURS, Because, Bodies, Dest


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
    from piperoll.model import Series
    from piperoll.operations.takedown import withdraw_version

    done = withdraw_version(to, Series.parse(series), number, because=because, bodies=bodies)
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
    from piperoll.describing import format_count
    from piperoll.operations.takedown import purge_submission

    if not yes:
        typer.confirm(f"Everything made from {submission} in {to} will be deleted permanently. Continue?", abort=True)
    done = purge_submission(to, submission, because=because, values=value or (), bodies=bodies)
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
    _finish(done.trouble, failed=bool(done.seen))


def sweep(
    to: Dest,
    hours: Annotated[
        float, typer.Option(min=0, help="Only files older than this, which nobody can still be writing.")
    ] = 24,
) -> None:
    """Delete what interrupted runs left behind: files that no pointer names, and unfinished writes.

    piperoll sweep --to published
    """
    from piperoll.describing import format_count
    from publishers import open_store, sweep_store

    swept = sweep_store(open_store(to), older_than=hours * 3600)
    files = format_count(len(swept.removed), "file that no pointer names", "files that no pointer names")
    typer.echo(f"Removed: {files}, {format_count(swept.unfinished, 'unfinished write')}.")
    if swept.waiting:
        verb = "is" if len(swept.waiting) == 1 else "are"
        more = f"{format_count(len(swept.waiting), 'file')} more {verb} younger than {hours:g} hours"
        typer.echo(f"{more}: someone may still be writing them.")


def _finish(trouble: str | None, *, failed: bool = False) -> None:
    if trouble:
        typer.echo(f"The catalogue could not be built: {trouble}", err=True)
    raise typer.Exit(OURS if trouble or failed else 0)
