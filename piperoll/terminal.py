"""What a person reads in a terminal: reports, tables and plain lines; readable without colours and at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from piperoll.model import Finding, Period, Report, Severity, TableReport, Verdict, What

SHOWN = 3
"""How many findings of one code a terminal shows; the rest are counted, and `--json` lists them."""

SECTIONS = (
    (Severity.ERROR, "Must fix", "bold red"),
    (Severity.WARNING, "Should fix", "bold yellow"),
    (Severity.INFO, "Good to know", "bold cyan"),
)
VERDICTS = {
    Verdict.ACCEPTED: ("Accepted. Every row can be published as it is.", "bold green"),
    Verdict.ACCEPTED_WITH_WARNINGS: ("Accepted, with things to fix for next time.", "bold green"),
    Verdict.HELD: ("Held. Nothing of this file is published until it is put right.", "bold red"),
    Verdict.REJECTED: ("Rejected. We cannot use this file as it is.", "bold red"),
    Verdict.NIL: ("Accepted as a nil return: nothing to report for this period.", "bold green"),
}
EXCLUDED = {
    "blank": ("blank row", "blank rows"),
    "total": ("total", "totals"),
    "repeated_header": ("repeated heading", "repeated headings"),
    "note": ("note", "notes"),
    "other": ("other row", "other rows"),
}


def console(*, stderr: bool = False) -> Console:
    """A console that prints what it is given and nothing cleverer: no markup, no emoji, no guessed colours."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def report_view(report: Report, *, quick: bool = False) -> RenderableType:
    """A report as a person reads it: the verdict, then must fix, should fix, good to know and passed."""
    sentence, style = VERDICTS[report.verdict]
    if report.verdict is Verdict.ACCEPTED_WITH_WARNINGS and (held := sum(table.rows.held for table in report.tables)):
        sentence = f"Accepted, but {counted(held, 'row is', 'rows are')} held back until fixed."
    parts: list[RenderableType] = [Text(clean(report.file), "bold"), Text(sentence, style), Text(_about(report))]
    parts += [Padding(Text(line), (0, 0, 0, 2)) for table in report.tables for line in _table_lines(table)]
    for severity, title, heading_style in SECTIONS:
        parts += _section([each for each in report.findings if each.severity is severity], title, heading_style)
    parts += _passed(report.passed, quick=quick)
    return Group(*parts)


def counted(number: int, one: str, many: str) -> str:
    """`number` with its noun: 1 row, 2 rows."""
    return f"{number:,} {one if number == 1 else many}"


def pounds(text: str) -> str:
    """An amount in plain digits, as people write it: £1,250.00 or -£3.50."""
    whole, _, pence = text.lstrip("-").partition(".")
    return f"{'-' if text.startswith('-') else ''}£{int(whole):,}.{pence}"


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


def _about(report: Report) -> str:
    if report.what is What.NOT_DATA:
        return f"Read as {report.format}, {counted(report.bytes, 'byte', 'bytes')}."
    part = f", {report.part} part" if report.part else ""
    period = Period.parse(report.period).title if report.period else "not known"
    form = f"{report.format}, {report.encoding}" if report.encoding else report.format
    return f"Dataset: {report.dataset or 'not known'}{part}. Period: {period}. Read as {form}."


def _table_lines(table: TableReport) -> Iterator[str]:
    place = f"Sheet '{clean(table.sheet)}': " if table.sheet else ""
    head = f"headings in row {table.header_row}" if table.header_row else "no headings"
    rows = table.rows
    held = f", {rows.held:,} held" if rows.held else ""
    sentence = f"{place}{head}, {counted(rows.read, 'row', 'rows')} read, {rows.accepted:,} accepted{held}."
    yield sentence[0].upper() + sentence[1:]
    if left_out := [counted(rows.excluded[kind], *EXCLUDED[kind]) for kind in EXCLUDED if rows.excluded.get(kind)]:
        yield f"Left out, as no records: {', '.join(left_out)}."
    if amount := table.to_json()["amount"]:
        held = f", {pounds(amount['held'])} held" if rows.held else ""
        yield f"{amount['field']}: {pounds(amount['read'])} read, {pounds(amount['accepted'])} accepted{held}."


def _section(findings: Sequence[Finding], title: str, style: str) -> list[RenderableType]:
    if not findings:
        return []
    total = sum(finding.count for finding in findings)
    parts: list[RenderableType] = [Text(f"\n{title} ({total:,})", style)]
    ordered = sorted(findings, key=lambda finding: [each.code for each in findings].index(finding.code))
    for code, group in groupby(ordered, key=lambda finding: finding.code):
        parts += _of_one_code(code, list(group))
    return parts


def _of_one_code(code: str, findings: Sequence[Finding]) -> Iterator[RenderableType]:
    times = sum(finding.count for finding in findings)
    yield Padding(Text(f"{code}{f', {times:,} times' if times > 1 else ''}", "bold"), (0, 0, 0, 2))
    for finding in findings[:SHOWN]:
        yield Padding(Text(f"{_address(finding)}{clean(finding.message)}"), (0, 0, 0, 4))
        yield Padding(
            Text(f"-> {clean(finding.fix)}", "dim" if finding.severity is Severity.INFO else ""), (0, 0, 0, 6)
        )
    if more := sum(finding.count for finding in findings[SHOWN:]):
        yield Padding(Text(f"and {more:,} more like this: --json lists them."), (0, 0, 0, 4))


def _address(finding: Finding) -> str:
    places = [f"sheet '{clean(finding.sheet)}'"] if finding.sheet else []
    places += [f"row {finding.row}"] if finding.row is not None else []
    places += [f"line {finding.line}"] if finding.line not in (None, finding.row) else []
    places += [f"column {finding.column}"] if finding.column else []
    text = ", ".join(places)
    return f"{text[0].upper()}{text[1:]}: " if text else ""


def _passed(passed: Sequence[str], *, quick: bool) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if passed:
        parts = [Text(f"\nPassed ({len(passed)})", "bold green")]
        parts += [Padding(Text(clean(line)), (0, 0, 0, 2)) for line in passed]
    if quick:
        parts.append(Text("\nNot checked: whether the figures are plausible (--quick leaves that out)."))
    return parts
