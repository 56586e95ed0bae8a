"""Reports, tables and progress in a terminal, readable without colours and at 80 columns."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid
from rich.text import Text

from piperoll.describing import wording
from piperoll.model import Finding, Report, TableReport, What, describe_period

SHOWN = 3
"""Findings of one code that are printed; the rest are counted, and `--json` lists them."""

_ANY_WIDTH = 10_000
"""Columns of a line that is written to a file or another program: tables take what they need."""

_COLORS = {"must": "red", "should": "yellow", "info": "cyan"}
"""The color of a section of findings, by its weight."""


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
    for section in words.sections:
        parts.append(Text(f"\n{section.title} ({section.counts})", f"bold {_COLORS[section.weight]}"))
        parts += [line for group in section.groups for line in _finding_lines(group, report)]
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


def shell_word(text: str) -> str:
    """`text` as one word of a command that someone may copy: what a sender wrote must not become a command."""
    return shlex.quote(clean(text)) if re.search(r'[$`"\\\\!]', text) else f'"{clean(text)}"'


def print_grid(
    out: Console, headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[int] = frozenset()
) -> None:
    """Print a table without lines; the columns of figures in `right` (by number) are aligned to the right.

    In a terminal long texts are folded and figures are not. Elsewhere each row is one line, for `grep` and the like.
    """
    table = Grid(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for number, heading in enumerate(headings):
        figures = number in right
        table.add_column(heading, justify="right" if figures else "left", overflow="fold", no_wrap=figures)
    for row in rows:
        table.add_row(*map(clean, row))
    width = out.width
    if not out.is_terminal:
        out.width = _ANY_WIDTH
    out.print(table)
    out.width = width


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
    period = describe_period(report.period)
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
        pounds = wording.format_pounds
        held = ""
        if table.rows.held:
            words = wording.format_held(amount)
            held = f", {words} held" if words == pounds(amount.held) else f", held: {words}"
        yield f"{amount.field}: {pounds(amount.read)} read, {pounds(amount.accepted)} accepted{held}."


def _finding_lines(group: wording.FindingGroup, report: Report) -> Iterator[RenderableType]:
    """The code of a group, then each finding with its address, unless its message contains the address."""
    places = f", {wording.format_count(group.count, 'place')}" if group.count > 1 else ""
    yield Padding(Text(f"{group.first.code}{places}", "bold"), (0, 0, 0, 2))
    fix = ""
    for finding in group.findings[:SHOWN]:
        address = wording.describe_missing_address(finding)
        yield _indented(4, f"{address}: {finding.message}" if address else finding.message)
        if finding.fix != fix:
            yield _indented(6, f"-> {finding.fix}")
        fix = finding.fix
    values = group.held_values(report)
    for value in values[:SHOWN]:
        yield _indented(6, wording.describe_held_value(value))
    if left := len(values[SHOWN:]):
        yield _indented(6, f"and {wording.format_count(left, 'more value', 'more values')}: --json lists them.")
    yield from _describe_rest(group.findings[SHOWN:])


def _describe_rest(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    """Say how many more places there are, and whether `--json` lists them."""
    more = sum(finding.count for finding in findings)
    unlisted = sum(finding.count for finding in findings if finding.row is None and finding.count > 1)
    if more and unlisted:
        yield _indented(4, f"and {more:,} more like this, of which --json lists {more - unlisted:,}.")
    elif more:
        yield _indented(4, f"and {more:,} more like this: --json lists {'it' if more == 1 else 'them'}.")


def _held_lines(report: Report, *, all_of_them: bool) -> Iterator[RenderableType]:
    """What to do about the values that are held for privacy, and on request each with all its rows."""
    values = report.held_values
    yield Text(f"\nHeld or left out for privacy ({wording.format_count(len(values), 'value')})", "bold red")
    for held in values if all_of_them else ():
        pounds = "" if held.amount is None else f", {wording.format_pounds(held.amount)}"
        left_out = " (left out; the row is published)" if held.left_out else ""
        rows = wording.format_count(held.count, "row")
        yield _indented(2, f"'{held.value}', {rows}{pounds}: {held.where()}{left_out}")
    if not all_of_them:
        yield _indented(2, "--held lists every value with all its rows, and so does --json. Keep both private.")
    yield _indented(2, "If one is a business or is named in a public role, tell the platform. The platform's operator:")
    example = values[0].value if '"' not in values[0].value and len(values[0].value) < 60 else "VALUE"
    yield _indented(4, f'piperoll decide business {shell_word(example)} --body NAME --to PLACE --because "…"')


def _indented(spaces: int, text: str) -> Padding:
    return Padding(Text(clean(text)), (0, 0, 0, spaces))
