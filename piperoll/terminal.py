"""Reports, tables and progress in a terminal, readable without colours and at 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid
from rich.text import Text

from piperoll.describing import wording
from piperoll.model import Period, Report, TableReport, What

SHOWN = 3
"""Findings of one code that are printed; the rest are counted, and `--json` lists them."""


HELD_SHOWN = 10
"""Held values that are printed, those with the most rows first; `--held` prints all of them."""

_HELD_ROWS_NAMED = 3
"""Rows, or ranges of rows, that are named of each held value."""


def console(*, stderr: bool = False) -> Console:
    """A console that prints text unchanged: no markup, emoji or highlighting, which text of a file could trigger."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def report_view(report: Report, *, quick: bool = False, held: bool = False) -> RenderableType:
    """A report: the verdict, the tables, then what must be fixed, should be fixed, is good to know, and passed.

    With `held`, every value that is held for privacy is shown with all its rows.
    """
    words = wording.explain_report(report)
    style = "bold green" if report.verdict.publishes else "bold red"
    parts: list[RenderableType] = [
        Text(clean(report.file), "bold"),
        Text(f"{words.verdict}. {words.sentence}", style),
        Text(_describe_file(report)),
    ]
    if kind := wording.describe_kind(report):
        parts.append(Text(kind))
    parts += [_indented(2, line) for table in report.tables for line in _describe_table(table)]
    for title, color, groups in (
        ("Must fix", "red", words.must_fix),
        ("Should fix", "yellow", words.should_fix),
        ("With us", "magenta", words.with_us),
        ("Good to know", "cyan", words.to_know),
    ):
        if groups:
            parts.append(Text(f"\n{title} ({sum(group.count for group in groups):,})", f"bold {color}"))
            parts += [line for group in groups for line in _finding_lines(group)]
    if report.held_values:
        parts += _held_lines(report, all_of_them=held)
    if words.passed:
        parts.append(Text(f"\nPassed ({len(words.passed)})", "bold green"))
        parts += [_indented(2, line) for line in words.passed]
    if quick:
        parts.append(Text("\nNot checked: whether figures are plausible (because of --quick)."))
    return Group(*parts)


def clean(text: str) -> str:
    """`text` without control characters, with which a file could write anywhere on the screen."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def grid(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[int] = frozenset()) -> Grid:
    """A table without lines; the columns in `right` (by number) are aligned to the right."""
    table = Grid(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(clean, row))
    return table


@contextmanager
def steps(description: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar; call the result after each of `total` steps. Without a terminal nothing is shown."""
    out = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(description, total=total)
        yield lambda: progress.advance(task)


@contextmanager
def working() -> Iterator[Callable[[str], None]]:
    """A spinner with the time taken; call the result with the current action.

    Without a terminal nothing is shown.
    """
    out = console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("", total=None)
        yield lambda action: progress.update(task, description=clean(action))


def _describe_file(report: Report) -> str:
    form = f"{report.format}, {report.encoding}" if report.encoding else report.format
    if report.what is What.NOT_DATA:
        return f"Read as {form}, {wording.format_count(report.bytes, 'byte')}."
    part = f", {report.part} part" if report.part else ""
    period = Period.parse(report.period).title if report.period else "not known"
    return f"Dataset: {report.dataset or 'not known'}{part}. Period: {period}. Read as {form}."


def _describe_table(table: TableReport) -> Iterator[str]:
    sheet = f"Sheet '{table.sheet}': " if table.sheet else ""
    headings = f"headings in row {table.header_row}" if table.header_row else "no headings"
    held = f", {table.rows.held:,} held" if table.rows.held else ""
    read = wording.format_count(table.rows.read, "row")
    sentence = f"{sheet}{headings}, {read} read, {table.rows.accepted:,} accepted{held}."
    yield sentence[0].upper() + sentence[1:]
    if any(table.rows.excluded.values()):
        yield f"Left out because they are not records: {wording.describe_excluded(dict(table.rows.excluded))}."
    if amount := table.amount:
        held = f", {wording.format_pounds(amount.held)} held" if table.rows.held else ""
        pounds = wording.format_pounds
        yield f"{amount.field}: {pounds(amount.read)} read, {pounds(amount.accepted)} accepted{held}."


def _finding_lines(group: wording.FindingGroup) -> Iterator[RenderableType]:
    """The code of a group, then each finding with its address, unless its message contains the address."""
    times = f", {group.count:,} times" if group.count > 1 else ""
    yield Padding(Text(f"{group.first.code}{times}", "bold"), (0, 0, 0, 2))
    for finding in group.findings[:SHOWN]:
        address = ""
        if (finding.sheet, finding.row, finding.column) != (None, None, None):
            address = wording.describe_address(finding)
            if clean(address).rpartition(", ")[2].lower() in finding.message.lower():
                address = ""
        yield _indented(4, f"{address}: {finding.message}" if address else finding.message)
        yield _indented(6, f"-> {finding.fix}")
    if more := sum(finding.count for finding in group.findings[SHOWN:]):
        yield _indented(4, f"and {more:,} more like this: --json lists them.")


def _held_lines(report: Report, *, all_of_them: bool) -> Iterator[RenderableType]:
    """The values that are held for privacy, with their rows; and how to say that one is no private person's."""
    values = report.held_values
    yield Text(f"\nHeld or left out for privacy, by value ({len(values):,})", "bold red")
    for held in values if all_of_them else values[:HELD_SHOWN]:
        rows = wording.describe_held_value(held, None if all_of_them else _HELD_ROWS_NAMED)
        pounds = "" if held.amount is None else f", {wording.format_pounds(held.amount)}"
        left_out = " (left out; the row is published)" if wording.is_left_out(held) else ""
        yield _indented(2, f"'{held.value}', {wording.format_count(held.count, 'row')}{pounds}: {rows}{left_out}")
    if not all_of_them and len(values) > HELD_SHOWN:
        yield _indented(2, f"and {wording.format_count(len(values) - HELD_SHOWN, 'more value')}: see --held.")
    yield _indented(2, "--held lists every value with all its rows, and so does --json. Keep both private.")
    yield _indented(2, "If one is a business or is named in a public role, tell the platform. The platform's operator:")
    example = values[0].value if '"' not in values[0].value and len(values[0].value) < 60 else "VALUE"
    yield _indented(4, f'piperoll decide business "{example}" --body NAME --to PLACE --because "…"')


def _indented(spaces: int, text: str) -> Padding:
    return Padding(Text(clean(text)), (0, 0, 0, spaces))
