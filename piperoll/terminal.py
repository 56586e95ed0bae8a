"""What a person reads in a terminal: reports, tables and plain lines; readable without colours and at 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid
from rich.text import Text

from piperoll.describing import (
    FindingGroup,
    describe_address,
    describe_excluded,
    explain_report,
    format_count,
    format_pounds,
)
from piperoll.model import Finding, Period, Report, TableReport, What

SHOWN = 3
"""How many findings that say the same a terminal shows; the rest are counted, and `--json` lists them."""


def console(*, stderr: bool = False) -> Console:
    """A console that prints what it is given and nothing cleverer: no markup, no emoji, no guessed colours."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def report_view(report: Report, *, quick: bool = False) -> RenderableType:
    """A report as a person reads it: the verdict, then must fix, should fix, good to know and passed."""
    words = explain_report(report)
    style = "bold green" if report.verdict.publishes else "bold red"
    parts: list[RenderableType] = [Text(clean(report.file), "bold"), Text(f"{words.verdict}. {words.sentence}", style)]
    parts.append(Text(_about(report)))
    parts += [Padding(Text(line), (0, 0, 0, 2)) for table in report.tables for line in _table_lines(table)]
    parts += _section("Must fix", "bold red", words.must_fix)
    parts += _section("Should fix", "bold yellow", words.should_fix)
    parts += _section("With us", "bold magenta", words.with_us)
    parts += _section("Good to know", "bold cyan", words.told)
    parts += _passed(words.passed, quick=quick)
    return Group(*parts)


def clean(text: str) -> str:
    """`text` without the control characters by which a file could write elsewhere on a person's screen."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def grid(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[int] = frozenset()) -> Grid:
    """A plain table: headings, a line, rows; the columns in `right` are figures."""
    table = Grid(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(clean, row))
    return table


@contextmanager
def steps(description: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar of so many steps, each told by a call, where a person is looking; elsewhere nothing is shown."""
    out = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(description, total=total)
        yield lambda: progress.advance(task)


@contextmanager
def working() -> Iterator[Callable[[str], None]]:
    """A moving sign and the time taken, while a person waits for what may be long; elsewhere nothing is shown.

    What is being done is told by a call.
    """
    out = console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("", total=None)
        yield lambda doing: progress.update(task, description=clean(doing))


def _about(report: Report) -> str:
    form = f"{report.format}, {report.encoding}" if report.encoding else report.format
    if report.what is What.NOT_DATA:
        return f"Read as {form}, {format_count(report.bytes, 'byte')}."
    part = f", {report.part} part" if report.part else ""
    period = Period.parse(report.period).title if report.period else "not known"
    return f"Dataset: {report.dataset or 'not known'}{part}. Period: {period}. Read as {form}."


def _table_lines(table: TableReport) -> Iterator[str]:
    place = f"Sheet '{clean(table.sheet)}': " if table.sheet else ""
    head = f"headings in row {table.header_row}" if table.header_row else "no headings"
    held = f", {table.rows.held:,} held" if table.rows.held else ""
    sentence = f"{place}{head}, {format_count(table.rows.read, 'row')} read, {table.rows.accepted:,} accepted{held}."
    yield sentence[0].upper() + sentence[1:]
    if any(table.rows.excluded.values()):
        yield f"Left out, as no records: {describe_excluded(dict(table.rows.excluded))}."
    if amount := table.amount:
        held = f", {format_pounds(amount.held)} held" if table.rows.held else ""
        yield f"{amount.field}: {format_pounds(amount.read)} read, {format_pounds(amount.accepted)} accepted{held}."


def _section(title: str, style: str, matters: Sequence[FindingGroup]) -> list[RenderableType]:
    if not matters:
        return []
    parts: list[RenderableType] = [Text(f"\n{title} ({sum(matter.count for matter in matters):,})", style)]
    return parts + [line for matter in matters for line in _matter(matter)]


def _matter(matter: FindingGroup) -> Iterator[RenderableType]:
    times = f", {matter.count:,} times" if matter.count > 1 else ""
    yield Padding(Text(f"{matter.first.code}{times}", "bold"), (0, 0, 0, 2))
    for finding in matter.findings[:SHOWN]:
        yield Padding(Text(f"{_address(finding)}{clean(finding.message)}"), (0, 0, 0, 4))
        yield Padding(Text(f"-> {clean(finding.fix)}"), (0, 0, 0, 6))
    if more := sum(finding.count for finding in matter.findings[SHOWN:]):
        yield Padding(Text(f"and {more:,} more like this: --json lists them."), (0, 0, 0, 4))


def _address(finding: Finding) -> str:
    """Where it is, unless the message itself says so."""
    if finding.sheet is None and finding.row is None and finding.column is None:
        return ""
    place = clean(describe_address(finding))
    return "" if place.rpartition(", ")[2].lower() in finding.message.lower() else f"{place}: "


def _passed(passed: Sequence[str], *, quick: bool) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if passed:
        parts = [Text(f"\nPassed ({len(passed)})", "bold green")]
        parts += [Padding(Text(clean(line)), (0, 0, 0, 2)) for line in passed]
    if quick:
        parts.append(Text("\nNot checked: whether the figures are plausible (--quick leaves that out)."))
    return parts
