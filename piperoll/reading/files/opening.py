"""Open a file of a known kind: as grids or OCDS releases, with the findings about the file as a whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from piperoll.findings import make_finding
from piperoll.model import Address, Finding, Severity
from piperoll.reading.files.contents import whole
from piperoll.reading.files.delimited import read_text
from piperoll.reading.files.encodings import CODE_PAGES, Decoded, decode
from piperoll.reading.files.json_files import JsonTrouble, open_json
from piperoll.reading.files.kinds import Kind
from piperoll.reading.files.limits import FileTooLarge, RowBudget
from piperoll.reading.files.markup import MarkupTrouble, read_page_table, read_xml_workbook
from piperoll.reading.files.mojibake import Damage, repair_sheet
from piperoll.reading.files.workbooks import SheetParts, read_parts, read_workbook
from piperoll.reading.grids.grid import Grid, address_of
from piperoll.reading.reading import ReadTable

FINDINGS_SHEET, CHANGES_SHEET = "Piperoll findings", "Piperoll changes"
"""The names of the sheets that are added to a copy of a file for its sender. They are not read when it is sent back."""

_NOT_TABLES = {
    "html": ("file-is-html", "html_page"),
    "pdf": ("file-is-pdf", "pdf"),
    "document": ("file-is-document", "document"),
    "picture": ("file-is-picture", "picture"),
    "parquet": ("file-is-parquet", "parquet"),
    "database": ("file-is-database", "database"),
    "markup": ("file-is-xml", "xml"),
    "json": ("json-without-records", "no_table"),
    "empty": ("file-empty", "empty"),
    "unknown": ("file-unknown", "unknown_format"),
}
"""For each format that is not a table: the code of the finding and `why` of the reading."""

_DESCRIPTIONS = {
    "csv": "a text table (CSV)",
    "xlsx": "an Excel workbook (XLSX)",
    "xls": "an Excel workbook (XLS)",
    "ods": "an OpenDocument spreadsheet (ODS)",
    "xml": "a workbook of Excel 2003 (XML)",
    "json": "a JSON document",
    "html": "a web page",
    "pdf": "a PDF document",
    "document": "an office document",
    "picture": "a picture",
    "parquet": "a Parquet file",
    "database": "a database",
    "markup": "an XML document",
    "unknown": "of a kind that we do not know",
    "empty": "empty",
}
"""What to call the content of a file of each format."""


@dataclass
class Opened:
    """A file opened as grids or OCDS releases, with the findings about the file as a whole.

    `why` is the reason that it has no table; if there are grids, the reason applies only if none of them has headings.
    """

    grids: list[Grid] = field(default_factory=list)
    releases: tuple[object, ...] | None = None
    encoding: str | None = None
    findings: list[Finding] = field(default_factory=list)
    why: str | None = None
    parts: list[SheetParts] = field(default_factory=list)


def open_file(kind: Kind) -> Opened:
    """The grids or releases of a file, or why it has none."""
    if kind.trouble:
        return _cannot_open(kind.trouble, kind)
    if kind.format in _NOT_TABLES and kind.format not in ("html", "json"):
        return Opened(findings=[report_no_table(kind.format)], why=_NOT_TABLES[kind.format][1])
    try:
        opened = _open_table(kind)
    except FileTooLarge as error:
        address = Address(sheet=error.sheet)
        finding = make_finding("file-too-large", address, variant=error.kind, limit=error.limit)
        return Opened(findings=[finding], why="file_too_large")
    if kind.others:
        others = list_names(kind.others)
        opened.findings.insert(0, make_finding("archive-member-taken", value=kind.member or "", others=others))
    return opened


def _open_table(kind: Kind) -> Opened:
    """The grids or releases of a file of a kind that can have tables. Raises: FileTooLarge."""
    if kind.format == "csv":
        return _open_text(kind)
    content = whole(kind.content)
    if kind.format in ("xlsx", "xls", "ods"):
        return _open_workbook(content, kind)
    if kind.format == "xml":
        try:
            opened = _repair_sheets(read_xml_workbook(content))
        except MarkupTrouble as trouble:
            return _cannot_open(str(trouble), kind)
    else:
        opened = _open_page(content, kind) if kind.format == "html" else _open_json(content)
    budget = RowBudget(kind.received)
    for grid in opened.grids:
        deque(budget.check(grid.rows.blocks(), grid.sheet), maxlen=0)
    return opened


def _open_text(kind: Kind) -> Opened:
    decoded = decode(kind.content)
    text = read_text(decoded.utf8(), RowBudget(kind.received))
    findings = list(_report_encoding(decoded))
    findings += [make_finding("quotes-broken", address_of(None, row)) for row in text.broken_quotes]
    grids = [Grid(None, text.rows, delimiter=text.delimiter)]
    return Opened(grids, encoding=decoded.encoding, findings=findings)


def report_no_table(format_: str) -> Finding:
    """Report that a file is of a kind that has no tables, or that it contains none."""
    return make_finding(_NOT_TABLES[format_][0])


def report_wrong_name(name: str, format_: str) -> Finding:
    """Report that the extension of a file's name does not match its content."""
    return make_finding("content-not-as-named", value=name, kind=_DESCRIPTIONS[format_])


def list_names(names: Sequence[str]) -> str:
    """The first three names in quotes, and how many more there are."""
    shown = ", ".join(f"'{name}'" for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"


def _cannot_open(trouble: str, kind: Kind) -> Opened:
    variant = ""
    if trouble == "archive-of-several":
        variant = "listed" if kind.others else "unlisted"
    elif trouble == "workbook-broken":
        variant = _workbook_variant(kind)
    others, megabytes = list_names(kind.others), kind.limit // 1_000_000
    finding = make_finding(trouble, variant=variant, others=others, megabytes=megabytes)
    return Opened(findings=[finding], why=trouble.replace("-", "_"))


def _workbook_variant(kind: Kind) -> str:
    """The variant of `workbook-broken`: for some kinds, saving as another kind is worth more than saving again."""
    if kind.format == "xlsx" and b"xl/workbook.bin" in whole(kind.content):
        return "binary"
    return kind.format if kind.format in ("xls", "ods") else "xlsx"


def _open_workbook(content: bytes, kind: Kind) -> Opened:
    workbook = read_workbook(content, kind.format, kind.received)
    if workbook.trouble:
        return _cannot_open(workbook.trouble, kind)
    ours = (FINDINGS_SHEET, CHANGES_SHEET)
    opened = _repair_sheets([grid for grid in workbook.grids if grid.sheet not in ours])
    every = read_parts(content) if kind.format == "xlsx" else []
    opened.parts = [parts for parts in every if parts.sheet not in ours]
    for parts in opened.parts:
        for code, found in (
            ("rows-hidden", parts.hidden_rows),
            ("columns-hidden", parts.hidden_columns),
            ("cells-in-error", parts.errors),
            ("formulas-without-results", parts.without_results),
            ("cells-with-links", parts.links),
        ):
            if found.count:
                finding = _report_sheet(code, parts.sheet, count=found.count, first=found.first)
                rows = tuple(sorted(set(found.rows)))
                opened.findings.append(
                    replace(finding, row=rows[0] if rows else None, rows=rows if len(rows) > 1 else ())
                )
    return opened


def report_merged_cells(parts: Sequence[SheetParts], tables: Sequence[ReadTable]) -> Iterator[Finding]:
    """Report cells that are merged over several rows below the headings of a table."""
    headings = {table.sheet: table.header_row for table in reversed(tables)}
    for each in parts:
        merged = [address for _, last, address in each.merged if last > headings.get(each.sheet, last)]
        if merged:
            yield _report_sheet("cells-merged", each.sheet, count=len(merged), first=merged[0])


def _report_sheet(code: str, sheet: str, **values: Any) -> Finding:
    return make_finding(code, Address(sheet=sheet), sheet_name=sheet.strip(), **values)


def _repair_sheets(grids: list[Grid]) -> Opened:
    opened = Opened(findings=[_report_sheet("sheet-hidden", grid.sheet or "") for grid in grids if grid.hidden])
    for grid in grids:
        better, repaired, garbled = repair_sheet(grid)
        opened.grids.append(better)
        opened.findings += _report_damage(grid.sheet, repaired=repaired, garbled=garbled)
    return opened


def _open_page(content: bytes, kind: Kind) -> Opened:
    """A web page is not a table, unless a program saved one as a page."""
    decoded = decode(content)
    try:
        grids = read_page_table(decoded.pieces())
    except MarkupTrouble as trouble:
        return _cannot_open(str(trouble), kind)
    findings = [*_report_encoding(decoded), make_finding("table-in-html")] if grids else [report_no_table("html")]
    return Opened(grids, encoding=decoded.encoding, findings=findings, why="html_page")


def _report_encoding(decoded: Decoded) -> Iterator[Finding]:
    if decoded.mixed:
        other = decoded.runner_up or "another encoding"
        yield make_finding("encoding-mixed", count=decoded.mixed, encoding=decoded.encoding, other=other)
    elif decoded.encoding in CODE_PAGES:
        yield make_finding(
            "encoding-guessed",
            variant="sure" if decoded.sure or not decoded.runner_up else "doubtful",
            severity=Severity.INFO if decoded.sure else Severity.WARNING,
            value=decoded.encoding,
            runner_up=decoded.runner_up,
        )
    yield from _report_damage(
        None, repaired=decoded.repaired, garbled=decoded.garbled, lost=decoded.lost, nuls=decoded.nuls
    )


def _report_damage(sheet: str | None, **found: Damage) -> Iterator[Finding]:
    codes = {
        "repaired": "letters-mended",
        "garbled": "letters-garbled",
        "lost": "letters-lost",
        "nuls": "nul-characters",
    }
    for kind, damage in found.items():
        if damage.count:
            yield make_finding(
                codes[kind],
                Address(sheet=sheet, line=damage.line),
                value=damage.example[0] if damage.example else None,
                count=damage.count,
                first=f"line {damage.line:,}" if damage.line else damage.cell,
                restored=damage.example[-1] if damage.example else None,
            )


def _open_json(content: bytes) -> Opened:
    decoded = decode(content)
    try:
        document = open_json(decoded.text)
    except JsonTrouble as trouble:
        broken = make_finding("json-broken", Address(line=trouble.line), variant=trouble.kind, problem=trouble.problem)
        return Opened(encoding=decoded.encoding, findings=[broken], why="json_broken")
    opened = Opened(encoding=decoded.encoding, releases=document.releases, findings=list(_report_encoding(decoded)))
    if document.repeated:
        name, count = document.repeated
        opened.findings.append(make_finding("json-names-repeat", value=name, count=count))
    if document.others:
        others = list_names(document.others)
        opened.findings.append(make_finding("json-list-taken", value=document.path, others=others))
    if document.grid:
        opened.grids.append(document.grid)
    elif document.releases is None:
        opened.why = "empty" if document.empty else "no_table"
        opened.findings.append(report_no_table("json"))
    return opened
