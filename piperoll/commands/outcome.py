"""What came of a run, for a person: the progress bar, the tables, and where to look next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flows import Ending, FileResult, Pounds, Rows, RunSummary
from piperoll import terminal
from piperoll.describing import counted, pounds
from piperoll.model import Verdict

if TYPE_CHECKING:
    from flows import Progress as Step
    from flows import Watcher

LISTED = 25
"""How many files that were not published a terminal names; the catalogue has a page for each."""


@contextmanager
def bar(out: Console) -> Iterator[Watcher | None]:
    """A progress bar while the work goes on, where a person is looking; else None."""
    if not out.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task("Starting", total=None)

        def tell(step: Step) -> None:
            name = step.last.file.rpartition("/")[2]
            progress.update(
                task, completed=step.done, total=step.total, description=terminal.clean(name)[:30].ljust(30)
            )

        yield tell


def show(summary: RunSummary, out: Console, to: str) -> None:
    """The whole summary: by verdict, rows and pounds, what was not published and why, and where to look."""
    if not summary.changed and summary.results:
        out.print(f"Nothing changed: all {counted(len(summary.results), 'file')} had been taken in before.\n")
    by_verdict(summary.results, out)
    out.print()
    figures(summary.rows, summary.pounds, out)
    not_published(summary.results, out)
    for miss in summary.missed:
        out.print(
            f"No file from {terminal.clean(miss.address)} ({miss.dataset}/{miss.body}): {terminal.clean(miss.why)}"
        )
    for left in summary.left_out:
        out.print(f"Left out of the inbox: {terminal.clean(left.path)}: {left.why}")
    if summary.trouble:
        out.print(f"\nThe catalogue could not be made: {summary.trouble}")
    out.print(f"\nTo look at it: piperoll site {to}")


def line(summary: RunSummary, label: str) -> str:
    """The summary in one line."""
    endings = ", ".join(f"{number:,} {ending}" for ending, number in _in_order(summary))
    change = "" if summary.changed else " Nothing changed."
    return f"{label}: {counted(len(summary.results), 'file')} collected: {endings or 'none'}.{change}"


def by_verdict(results: Sequence[FileResult], out: Console) -> None:
    """How many files have which verdict, and how many rows and pounds they hold."""
    rows = []
    for verdict in (*Verdict, None):
        of_it = [result for result in results if result.verdict is verdict]
        if of_it:
            rows.append(_row(str(verdict).replace("_", " ") if verdict else "failed", of_it))
    rows.append(_row("all", results))
    out.print(terminal.grid(("Verdict", "Files", "Rows read", "Pounds read"), rows, right=frozenset((1, 2, 3))))


def figures(rows: Rows, amount: Pounds, out: Console) -> None:
    """Where every row and pound went: read is published and held together; what was left out stands beside."""
    names = (("Read", "read"), ("Published", "published"), ("Held", "held"), ("Left out", "excluded"))
    lines = [(title, f"{getattr(rows, name):,}", pounds(getattr(amount, name))) for title, name in names]
    out.print(terminal.grid(("", "Rows", "Pounds"), lines, right=frozenset((1, 2))))


def not_published(results: Iterable[FileResult], out: Console) -> None:
    """The files that were held, rejected or failed, each with the reason."""
    stopped = [each for each in results if each.ending in (Ending.HELD, Ending.REJECTED, Ending.FAILED)]
    if not stopped:
        return
    out.print(f"\nNot published ({len(stopped):,}):")
    for result in stopped[:LISTED]:
        out.print(f"  {terminal.clean(result.file)} ({result.sha256[:12]})")
        out.print(f"    {terminal.clean(result.outcome)}")
    if more := len(stopped) - LISTED:
        out.print(f"  and {more:,} more: the catalogue has a page for each." if more > 0 else "", end="\n")


def _row(name: str, results: Sequence[FileResult]) -> tuple[str, ...]:
    rows = sum((result.rows for result in results), Rows())
    amount = sum((result.pounds for result in results), Pounds())
    return name, f"{len(results):,}", f"{rows.read:,}", pounds(amount.read)


def _in_order(summary: RunSummary) -> list[tuple[Ending, int]]:
    return [(ending, summary.endings[ending]) for ending in Ending if summary.endings.get(ending)]
