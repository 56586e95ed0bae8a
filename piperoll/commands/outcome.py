"""Show the result of a run or replay in the terminal: progress bar, tables, and where to look next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from piperoll import terminal
from piperoll.describing.wording import format_count, format_pounds
from piperoll.model import Restated, Verdict, describe_period
from piperoll.operations.replay import ReplayChange, ReplayResult
from piperoll.operations.restating import sum_by_body
from piperoll.operations.run_summary import (
    Ending,
    FileResult,
    MissedAddress,
    PoundTotals,
    RowTotals,
    RunSummary,
    group_missed,
)

if TYPE_CHECKING:
    from piperoll.operations.run_summary import Progress as RunProgress
    from piperoll.operations.run_summary import Watcher

LISTED = 25
"""List at most this many files that were not published; the catalogue has a page for each."""


@contextmanager
def progress_bar(out: Console) -> Iterator[Watcher | None]:
    """Show a progress bar if the output is a terminal; yields the watcher for the run, or None."""
    if not out.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task("Starting", total=None)

        def update(step: RunProgress) -> None:
            name = step.last.file.rpartition("/")[2]
            progress.update(
                task, completed=step.done, total=step.total, description=terminal.clean(name)[:30].ljust(30)
            )

        yield update


def show(summaries: Sequence[RunSummary], out: Console, to: str) -> None:
    """Show one run or several: files by verdict, totals, what was not published and why, and where to look."""
    results = [result for summary in summaries for result in summary.results]
    out.print(describe_repeats(results), end="")
    by_verdict(results, out)
    out.print()
    figures(
        sum((each.rows for each in results), RowTotals()), sum((each.pounds for each in results), PoundTotals()), out
    )
    not_published(results, out)
    for summary in summaries:
        _troubles(summary, out)
    out.print(f"\nTo look at it: piperoll site {to}")


def describe_repeats(results: Sequence[FileResult]) -> str:
    """Say how many files were already known, so that nobody takes their rows for new; empty if none."""
    again = sum(result.ending is Ending.ALREADY_DONE for result in results)
    if not again:
        return ""
    if again == len(results):
        return f"Nothing changed: {format_count(again, 'file')} had been received before.\n\n"
    repeats = f"{again:,} of {format_count(len(results), 'file')} had been received before, byte for byte"
    return f"{repeats}: the tables show their earlier results.\n\n"


_RESTATED = {Restated.PUBLISHED: "published", Restated.RESTATED: "restated", Restated.HELD: "held"}


def show_changes(replayed: ReplayResult, out: Console, into: str | None) -> None:
    """Show what today's rules would change, or have changed: file by file, and body by body."""
    for change in replayed.changes:
        out.print(f"{terminal.clean(change.file)} ({change.sha256[:12]})")
        for what, (before, after) in _differences(change):
            out.print(f"  {what}: {before} before, {after} now")
    if replayed.impacts:
        rows = [
            (
                one.body,
                _RESTATED[one.what],
                *(f"{count:,}" for count in (one.tables, one.files, *one.rows)),
                *("" if amount is None else format_pounds(amount) for amount in one.pounds),
            )
            for one in sum_by_body(replayed.impacts)
        ]
        heads = ("Body", "Tables are", "Tables", "Files", "Rows before", "Rows now", "Pounds before", "Pounds now")
        terminal.print_grid(out, heads, rows, right=frozenset(range(2, 8)))
    same = len(replayed.results) - len(replayed.changes)
    would, place = ("would change", "would not") if replayed.applied is None else ("changed", "did not")
    kept = f" The result is in {into}." if into else ""
    out.print(f"{format_count(len(replayed.changes), 'file')} {would}, {same:,} {place}.{kept}")
    if replayed.applied:
        out.print(f"Applied to {format_count(len(replayed.applied.results), 'file')}: piperoll history shows each.")
        for series, why in replayed.applied.skipped.items():
            out.print(f"Not applied to {series}: {why}")
    if replayed.trouble:
        out.print(f"The catalogue could not be built: {replayed.trouble}")


def _differences(change: ReplayChange) -> Iterator[tuple[str, tuple[str, str]]]:
    """The values that differ, as text: before and after."""
    values = (
        ("verdict", (str(change.verdict[0] or "none"), str(change.verdict[1] or "failed"))),
        ("period", (describe_period(change.period[0]), describe_period(change.period[1]))),
        ("rows read", (f"{change.rows[0].read:,}", f"{change.rows[1].read:,}")),
        ("rows published", (f"{change.rows[0].published:,}", f"{change.rows[1].published:,}")),
        ("pounds read", (format_pounds(change.pounds[0].read), format_pounds(change.pounds[1].read))),
        ("pounds published", (format_pounds(change.pounds[0].published), format_pounds(change.pounds[1].published))),
    )
    yield from ((what, pair) for what, pair in values if pair[0] != pair[1])


def _troubles(summary: RunSummary, out: Console) -> None:
    _missed(summary.missed, out)
    for left in summary.left_out:
        out.print(f"Left out of the inbox: {terminal.clean(left.path)}: {left.why}")
    if summary.trouble:
        out.print(f"\nThe catalogue could not be built: {summary.trouble}")
    if summary.unrecorded:
        out.print(
            f"\nEverything above is done and stored, but {summary.unrecorded}: "
            "Prefect's record of this run lacks its end."
        )


def _missed(missed: Sequence[MissedAddress], out: Console) -> None:
    """List every address without a file by what is to be done about it: whose it is, why, and since when."""
    for title, advice, of_it in group_missed(missed):
        bodies = format_count(len({miss.body for miss in of_it}), "body", "bodies")
        out.print(f"\n{title} ({bodies}):")
        for miss in of_it:
            out.print(f"  {terminal.clean(miss.body)}, {miss.dataset}: {terminal.clean(miss.address)}")
            out.print(terminal.clean(f"    {miss.why.rstrip('.')}. {miss.history}".rstrip()))
        out.print(f"  -> {advice}")


def by_verdict(results: Sequence[FileResult], out: Console) -> None:
    """Show a table of files, rows and pounds by verdict; refused and failed files have none."""
    rows = []
    for name in (*Verdict, Ending.REFUSED, Ending.FAILED):
        of_it = [result for result in results if (result.verdict or result.ending) is name]
        if of_it:
            rows.append(_row(str(name).replace("_", " "), of_it))
    rows.append(_row("all", results))
    terminal.print_grid(out, ("Verdict", "Files", "Rows read", "Pounds read"), rows, right=frozenset((1, 2, 3)))


def figures(rows: RowTotals, amount: PoundTotals, out: Console) -> None:
    """Show where every row and pound went: read = published + held, and what was left out."""
    names = (("Read", "read"), ("Published", "published"), ("Held", "held"), ("Left out", "excluded"))
    lines = [(title, f"{getattr(rows, name):,}", format_pounds(getattr(amount, name))) for title, name in names]
    terminal.print_grid(out, ("", "Rows", "Pounds"), lines, right=frozenset((1, 2)))
    if amount.held_unreadable:
        rows_held = format_count(amount.held_unreadable, "held row")
        out.print(f"The pounds held do not include {rows_held} whose amount cannot be read.")


def not_published(results: Iterable[FileResult], out: Console) -> None:
    """List the files that were not published, each with the reason."""
    endings = (Ending.HELD, Ending.REJECTED, Ending.REFUSED, Ending.FAILED)
    stopped = [each for each in results if each.ending in endings or each.stale]
    if not stopped:
        return
    out.print(f"\nNot published ({len(stopped):,}):")
    for result in stopped[:LISTED]:
        out.print(f"  {terminal.clean(result.file)} ({result.sha256[:12]})")
        out.print(f"    {terminal.clean(result.outcome)}")
    if len(stopped) > LISTED:
        out.print(f"  and {len(stopped) - LISTED:,} more: the catalogue has a page for each.")
    if any(each.ending is Ending.HELD for each in stopped):
        out.print("\nTo publish a held file that is right as it is: piperoll release --help")


def _row(name: str, results: Sequence[FileResult]) -> tuple[str, ...]:
    rows = sum((result.rows for result in results), RowTotals())
    amount = sum((result.pounds for result in results), PoundTotals())
    return name, f"{len(results):,}", f"{rows.read:,}", format_pounds(amount.read)
