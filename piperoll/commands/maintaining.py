"""Commands for those who look after a deployment: settings, upgrade, backup, restore, stats, health."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from typing import Annotated, Any

import typer

from piperoll.commands.operating import Bodies
from piperoll.errors import UsageError

Dest = Annotated[str, typer.Argument(metavar="DEST", help="The folder or s3://bucket/prefix of the store.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def settings(as_json: AsJson = False) -> None:
    """Print every setting that is in force and where it comes from. Secrets are not shown.

    piperoll settings
    piperoll --config /etc/piperoll/piperoll.toml settings --json
    """
    from piperoll.settings import SECRETS, Settings, read_settings

    given = read_settings()
    listed: dict[str, dict[str, Any]] = {}
    for one in fields(Settings):
        value, source = given.get(one.name, (one.default, "default"))
        listed[one.name] = {"value": ("(set)" if value else "") if one.name in SECRETS else value, "from": source}
    if as_json:
        typer.echo(json.dumps(listed, ensure_ascii=False, indent=2))
        return
    width = max(map(len, listed))
    for name, shown in listed.items():
        typer.echo(f"{name:{width}}  {shown['value']}  ({shown['from']})")


def upgrade(
    dest: Dest,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would change.")] = False,
) -> None:
    """Bring a store that an older version wrote up to date.

    Runs may go on meanwhile. Stop it half-way and the next call does the rest. docs/running.md says what each form of
    the store is.

    piperoll upgrade published --dry-run
    piperoll upgrade s3://bucket/prefix
    """
    from piperoll.describing.wording import format_count
    from publishers import open_store, upgrade_store

    done = upgrade_store(open_store(dest), dry_run=dry_run)
    if done.before == done.after:
        typer.echo(f"{dest} is of form {done.after}, the latest: there is nothing to do.")
        return
    verb = "would change" if dry_run else "changed"
    counts = f"{format_count(done.looked_at, 'object')} looked at, {done.changed:,} {verb}"
    typer.echo(f"From form {done.before} to form {done.after}: {counts}.")


def backup(
    dest: Dest,
    to: Annotated[str, typer.Option(metavar="PLACE", help="A folder or s3://bucket/prefix for backups alone.")],
    keep: Annotated[int, typer.Option(min=1, help="How many backups to keep; older ones are deleted.")] = 30,
) -> None:
    """Back up a store, also while runs publish. Only what has changed is copied.

    If something was purged since, the backups that still hold it are deleted. Stop it half-way and the next call goes
    on. The exit status is 1 if an object of the store is damaged: its earlier backup is kept.

    piperoll backup published --to /mnt/backup/piperoll
    piperoll backup s3://bucket/prefix --to s3://backups/piperoll --keep 90
    """
    from piperoll.describing.wording import format_count
    from piperoll.operations.run_request import current_moment
    from publishers import open_store, take_backup

    if f"{_absolute(to)}/".startswith(f"{_absolute(dest)}/"):
        raise UsageError(f"{to} is in the store {dest}: give the backups a place of their own")
    done = take_backup(open_store(dest), open_store(to), now=current_moment(), keep=keep)
    copied = f"{format_count(done.copied, 'new content')} with {_size(done.copied_bytes)}"
    typer.echo(f"Backup {done.taken}: {format_count(done.objects, 'object')} with {_size(done.bytes)}; {copied}.")
    if done.ended:
        typer.echo(f"Deleted, because they held what was purged since: {', '.join(done.ended)}.")
    for key in done.damaged:
        typer.echo(f"Damaged in {dest}: {key}", err=True)
    raise typer.Exit(1 if done.damaged else 0)


def restore(
    place: Annotated[str, typer.Argument(metavar="PLACE", help="Where the backups are.")],
    to: Annotated[str | None, typer.Option(metavar="DEST", help="An empty folder or bucket prefix.")] = None,
    taken: Annotated[str | None, typer.Option(metavar="INSTANT", help="Which backup; default: the latest.")] = None,
    bodies: Bodies = None,
) -> None:
    """Make a store again from a backup, into an empty place; without --to, list the backups.

    What was purged since the backup is purged again, as far as any backup knows of it. Then the catalogue is built.
    Stop it half-way and the same call goes on. Let nothing else use the store until it has ended.

    piperoll restore /mnt/backup/piperoll
    piperoll restore /mnt/backup/piperoll --to published-again
    """
    from piperoll.describing.wording import format_count
    from piperoll.operations.restoring import restore_store
    from publishers import list_backups, open_store

    if to is None:
        listed = list_backups(open_store(place))
        if not listed:
            raise UsageError(f"there is no backup in {place}")
        for one in listed:
            typer.echo(f"{one.taken}  {format_count(one.objects, 'object')}, {_size(one.bytes)}")
        return
    done, trouble = restore_store(place, to, taken=taken, bodies=bodies)
    already = f", {done.found:,} were there already" if done.found else ""
    typer.echo(f"Backup {done.taken}: {format_count(done.written, 'object')} restored{already}.")
    if done.purged:
        typer.echo(f"Purged again: {format_count(done.purged, 'submission')}.")
    if trouble:
        typer.echo(f"The catalogue could not be built: {trouble}", err=True)
        raise typer.Exit(2)
    typer.echo(f"To compare it with what was written: piperoll verify {to}")


def stats(
    dest: Dest,
    price: Annotated[
        float | None, typer.Option(metavar="POUNDS", min=0, help="What a GB costs a month, to show what it all costs.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a store holds: objects and bytes by prefix and kind, by month of writing, and by body.

    It lists keys and reads nothing. Old versions that a bucket keeps are not counted.

    piperoll stats published
    piperoll stats s3://bucket/prefix --price 0.02 --json
    """
    from dataclasses import asdict

    from publishers import Amount, measure_usage, open_store

    usage = measure_usage(open_store(dest))
    if as_json:
        cost = {} if price is None else {"pounds_a_month": round(usage.total.bytes / 1e9 * price, 4)}
        typer.echo(json.dumps(asdict(usage) | cost, indent=2, sort_keys=True))
        return

    def show(title: str, listed: list[tuple[str, Amount]]) -> None:
        typer.echo(f"\n{title:32} {'objects':>10} {'size':>12}{'' if price is None else '   £ a month'}")
        for name, one in listed:
            cost = "" if price is None else f" {one.bytes / 1e9 * price:11,.2f}"
            typer.echo(f"{name:32} {one.objects:>10,} {_size(one.bytes):>12}{cost}")

    largest = sorted(usage.bodies.items(), key=lambda one: (-one[1].bytes, one[0]))
    show("Prefix", [*sorted(usage.prefixes.items()), ("all", usage.total)])
    show("Kind", sorted(usage.kinds.items(), key=lambda one: (-one[1].bytes, one[0])))
    show("Written in", sorted(usage.months.items()))
    show(f"Body (the largest of {len(largest):,})", largest[:_BODIES_SHOWN])


def health(
    dest: Dest,
    hours: Annotated[float, typer.Option(min=0, help="No run, file or change may be older.")] = 26,
    as_json: AsJson = False,
    metrics: Annotated[bool, typer.Option("--metrics", help="OpenMetrics text, for Prometheus.")] = False,
) -> None:
    """Say whether runs are well: exit status 0 if they are, 1 if not, 2 if the store cannot be asked.

    It tells when the last run ended and how, which runs were killed, and how long the oldest file that was received
    and the oldest change of the catalogue have waited.

    piperoll health published
    piperoll health s3://bucket/prefix --hours 50 --json
    """
    from dataclasses import asdict

    from piperoll.operations.health import check_health
    from piperoll.operations.run_record import format_metrics
    from piperoll.operations.run_request import current_moment
    from publishers import CURRENT_FORM, open_store

    found = check_health(open_store(dest), now=current_moment(), hours=hours)
    if metrics:
        typer.echo(format_metrics(list(found.last_runs), found.gauges), nl=False)
    elif as_json:
        typer.echo(json.dumps({"healthy": not found.problems} | asdict(found), ensure_ascii=False, indent=2))
    else:
        for one in found.last_runs[:1]:
            typer.echo(f"The last run ended {one['ended']}: {one['outcome']}.")
        for began in found.running:
            typer.echo(f"A run that began {began} is going on.")
        for problem in found.problems:
            typer.echo(f"Problem: {problem}")
        if found.form < CURRENT_FORM:
            typer.echo(f"The store is of form {found.form}: piperoll upgrade brings it to form {CURRENT_FORM}.")
        typer.echo("Not well." if found.problems else "Well.")
    raise typer.Exit(1 if found.problems else 0)


_BODIES_SHOWN = 20


def _absolute(place: str) -> str:
    """The address of a store in a form that can be compared."""
    return place.rstrip("/") if "://" in place else os.path.realpath(place)


def _size(count: int) -> str:
    """A number of bytes, as people read it."""
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:,.1f} {_UNITS[unit]}" if unit else f"{count:,} bytes"


_UNITS = ("bytes", "kB", "MB", "GB", "TB")
