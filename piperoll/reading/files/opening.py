"""A file of a known kind to grids or releases, with what there is to say about the file as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from piperoll.findings import make_finding
from piperoll.model import Address, Finding
from piperoll.reading.files.contents import Content, whole
from piperoll.reading.files.delimited import read_text
from piperoll.reading.files.encodings import Decoded, decode
from piperoll.reading.files.json_files import JsonTrouble, open_json
from piperoll.reading.files.kinds import Kind
from piperoll.reading.files.markup import MarkupTrouble, page_tables, workbook_sheets
from piperoll.reading.files.mojibake import repair_sheet
from piperoll.reading.files.workbooks import Parts, parts_of, read_workbook
from piperoll.reading.findings import files as say
from piperoll.reading.findings import workbooks as warn
from piperoll.reading.grids.grid import Grid
from piperoll.reading.reading import ReadTable

_WHY = {"pdf": "pdf", "empty": "empty", "unknown": "unknown_format", "markup": "xml", "document": "document"}
_WHY |= {"picture": "picture", "parquet": "parquet", "database": "database"}


@dataclass
class Opened:
    """A file opened as far as grids or releases, with what there was to say on the way.

    `why` says that it holds no table; where there are grids all the same, that it holds none unless one has headings.
    """

    grids: list[Grid] = field(default_factory=list)
    releases: tuple[object, ...] | None = None
    encoding: str | None = None
    findings: list[Finding] = field(default_factory=list)
    why: str | None = None
    parts: list[Parts] = field(default_factory=list)


def open_file(kind: Kind) -> Opened:
    """The grids or releases of a file, or why it has none."""
    if kind.trouble:
        return _closed(kind.trouble, kind.others)
    if kind.format in _WHY:
        return Opened(findings=[say.not_a_table(kind.format)], why=_WHY[kind.format])
    opened = _open(kind)
    if kind.others:
        opened.findings.insert(0, say.archive_member_taken(kind.member or "", kind.others))
    return opened


def _open(kind: Kind) -> Opened:
    if kind.format == "csv":
        return _open_text(kind.content)
    return _OPENERS[kind.format](whole(kind.content), kind.format)


def _closed(trouble: str, others: tuple[str, ...] = ()) -> Opened:
    return Opened(findings=[say.cannot_open(trouble, others)], why=trouble.replace("-", "_"))


def _open_workbook(content: bytes, format_: str) -> Opened:
    workbook = read_workbook(content, format_)
    if workbook.trouble:
        return _closed(workbook.trouble)
    opened = _with_sheets(list(workbook.grids))
    opened.parts = parts_of(content) if format_ == "xlsx" else []
    opened.findings += [said for parts in opened.parts for said in _about_parts(parts)]
    return opened


def _about_parts(parts: Parts) -> Iterator[Finding]:
    if parts.hidden_rows.count:
        yield warn.rows_hidden(parts.sheet, parts.hidden_rows)
    if parts.hidden_columns.count:
        yield warn.columns_hidden(parts.sheet, parts.hidden_columns)
    if parts.errors.count:
        yield warn.cells_in_error(parts.sheet, parts.errors)
    if parts.unworked.count:
        yield warn.formulas_unworked(parts.sheet, parts.unworked)


def about_merged(parts: Sequence[Parts], tables: Sequence[ReadTable]) -> Iterator[Finding]:
    """Cells merged over several rows, where these lie below the headings of a table."""
    below = {table.sheet: table.header_row for table in reversed(tables)}
    for each in parts:
        merged = [address for _, last, address in each.merged if last > below.get(each.sheet, last)]
        if merged:
            yield warn.cells_merged(each.sheet, len(merged), merged[0])


def _open_sheets(content: bytes, _format: str) -> Opened:
    try:
        return _with_sheets(workbook_sheets(content))
    except MarkupTrouble as trouble:
        return _closed(str(trouble))


def _with_sheets(grids: list[Grid]) -> Opened:
    opened = Opened(findings=[warn.sheet_hidden(grid.sheet or "") for grid in grids if grid.hidden])
    for grid in grids:
        better, mended, garbled = repair_sheet(grid)
        opened.grids.append(better)
        if mended.count:
            opened.findings.append(say.letters_mended(mended, grid.sheet))
        if garbled.count:
            opened.findings.append(say.letters_garbled(garbled, grid.sheet))
    return opened


def _open_page(content: bytes, _format: str) -> Opened:
    """A web page is none of ours, unless it is a table that a program saved as one."""
    decoded = decode(content)
    try:
        grids = page_tables(decoded.pieces())
    except MarkupTrouble as trouble:
        return _closed(str(trouble))
    findings = [*_about_text(decoded), say.table_in_html()] if grids else [say.not_a_table("html")]
    return Opened(grids, encoding=decoded.encoding, findings=findings, why="html_page")


def _open_text(content: Content) -> Opened:
    decoded = decode(content)
    rows = read_text(decoded.utf8())
    findings = [*_about_text(decoded)]
    findings += [make_finding("quotes-broken", Address(row=row.number, line=row.line)) for row in rows.broken_quotes]
    return Opened([Grid(None, rows.rows, delimiter=rows.delimiter)], encoding=decoded.encoding, findings=findings)


def _about_text(decoded: Decoded) -> Iterator[Finding]:
    if decoded.mixed:
        yield say.encoding_mixed(decoded.mixed, decoded.encoding, decoded.runner_up)
    elif decoded.encoding in ("cp1252", "mac_roman", "cp850"):
        yield say.encoding_guessed(decoded.encoding, decoded.runner_up, sure=decoded.sure)
    if decoded.repaired.count:
        yield say.letters_mended(decoded.repaired)
    if decoded.garbled.count:
        yield say.letters_garbled(decoded.garbled)
    if decoded.lost.count:
        yield say.letters_lost(decoded.lost)
    if decoded.nuls.count:
        yield say.nul_characters(decoded.nuls)


def _open_json(content: bytes, _format: str) -> Opened:
    decoded = decode(content)
    try:
        document = open_json(decoded.text)
    except JsonTrouble as trouble:
        broken = say.json_broken(trouble.problem, trouble.line)
        return Opened(encoding=decoded.encoding, findings=[broken], why="json_broken")
    opened = Opened(encoding=decoded.encoding, releases=document.releases, findings=list(_about_text(decoded)))
    if document.repeated:
        opened.findings.append(say.json_names_repeat(*document.repeated))
    if document.others:
        opened.findings.append(say.json_list_taken(document.path, document.others))
    if document.grid:
        opened.grids.append(document.grid)
    elif document.releases is None:
        opened.why = "empty" if document.empty else "no_table"
        opened.findings.append(say.not_a_table("json"))
    return opened


_OPENERS = {
    "json": _open_json,
    "html": _open_page,
    "xml": _open_sheets,
    "xlsx": _open_workbook,
    "xls": _open_workbook,
    "ods": _open_workbook,
}
