"""What whoever keeps the store comes to do: withdraw, purge, sweep."""

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
    """Take a published version back: it stays to be read, marked as withdrawn with your reason, and stands no longer.

    No older version takes its place. The body's next file is the next version. For personal data, purge it instead.

    piperoll withdraw spend/anytown/2026-10 2 --to published --because "The file was for another month"
    """
    import flows
    from piperoll.model import Series
    from publishers import open_store

    done = flows.withdraw_version(open_store(to), Series.parse(series), number, because=because, bodies=bodies)
    typer.echo(f"Version {number} of {series} is withdrawn. What stands now: piperoll history {series} --from {to}")
    _finish(done.trouble)


def purge(
    submission: Annotated[str, typer.Argument(help="The beginning of the file's sha256, as its report gives it.")],
    to: Dest,
    because: Annotated[
        str, typer.Option(metavar="REASON", help="Why, without the personal data: it stands in the history.")
    ],
    value: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="What must be gone: the whole store is searched for it after."),
    ] = None,
    bodies: Bodies = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a file with personal data and everything made of it, for ever.

    Every version that holds its rows goes, with differences, reports, previews and the bytes as received. A note stays
    of when, why and how much; the same bytes are refused if they come again. Killed half-way, give the whole sha256
    again.

    piperoll purge 3fa9c2d17b60 --to published --because "Names of foster carers" --value "Jane Carer"
    """
    import flows
    from piperoll.describing import format_count
    from publishers import open_store

    if not yes:
        typer.confirm(f"Everything made of {submission} in {to} will be gone for ever. Go on?", abort=True)
    done = flows.purge_submission(open_store(to), submission, because=because, values=value or (), bodies=bodies)
    stone = done.tombstone
    held = f"{format_count(len(stone.versions), 'version')} with {format_count(stone.rows, 'row')}"
    typer.echo(f"{stone.sha256} is purged: {held}.")
    for version in stone.versions:
        typer.echo(f"  {version}")
    for other in stone.others:
        typer.echo(f"Rows of {other[:12]} stood in the same versions: piperoll release {other[:12]} brings them back.")
    for seen in done.seen:
        typer.echo(f"Still there: '{seen.value}' in {seen.key}", err=True)
    if value and not done.seen:
        typer.echo("The whole store was searched: nothing that you named is in it, as far as its files can be opened.")
    _finish(done.trouble, failed=bool(done.seen))


def sweep(
    to: Dest,
    hours: Annotated[float, typer.Option(min=0, help="Only what is older: nobody can be writing it any more.")] = 24,
) -> None:
    """Remove what killed runs left behind: files that no pointer names, and writes that were never finished.

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
        typer.echo(f"{more}: someone may be writing there.")


def _finish(trouble: str | None, *, failed: bool = False) -> None:
    if trouble:
        typer.echo(f"The catalogue could not be made: {trouble}", err=True)
    raise typer.Exit(OURS if trouble or failed else 0)
