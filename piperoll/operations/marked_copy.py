"""Give a sender their own file back: marked with what was found, or with the safe corrections made.

A marked copy has every cell as it was sent, those with findings coloured and commented, and a sheet that lists all
findings. A corrected copy changes only what can be changed without a judgement: a date, amount or text is written as it
was read, and total rows are moved out of the table. Every change is listed. openpyxl keeps formats, formulas, merged
cells and pictures of a workbook; charts, drawings and text boxes are lost, and the added sheet says so.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from piperoll.checking.examine import Examination
from piperoll.errors import UsageError
from piperoll.model import Acts, Dataset, Finding, Report, Severity
from piperoll.reading import (
    CHANGES_SHEET,
    FINDINGS_SHEET,
    SENT,
    Content,
    Grid,
    ReadTable,
    SentCells,
    cell_at,
    column_number,
    read_cells,
    squeeze,
)

MOST_CELLS = 2_000_000
"""Cells of the largest file that is given back: openpyxl needs some hundred bytes of memory for each."""

MOST_COMMENTS = 5_000
"""Cells of a sheet that get a comment; spreadsheet programs become slow with more. The list has every finding."""

_MOST_COMMENT_LETTERS = 1_500
_FILLS = {Severity.ERROR: "FFC7CE", Severity.WARNING: "FFEB9C", Severity.INFO: "DDEBF7"}
"""The colour of a marked cell by the weight of its gravest finding: those that spreadsheet programs use themselves."""

_SEVERITIES = {Severity.ERROR: "Must fix", Severity.WARNING: "Should fix", Severity.INFO: "Good to know"}
_ORDER = tuple(_SEVERITIES)
_SHEET_TITLE = "As sent"
"""The name of the sheet of a file that has no sheets."""

_LOST = (
    "This copy keeps cells, formats, formulas, merged cells and pictures. "
    "Charts, drawings and text boxes of your file are not in it: keep your original."
)


@dataclass(frozen=True, slots=True)
class Change:
    """One cell that was changed, or one row that was moved out (`column` None), and why.

    Row 0 is the whole file: its letters were in a code page, and are in UTF-8 now.
    """

    sheet: str | None
    row: int
    column: str | None
    before: str
    after: str
    why: str


@dataclass(frozen=True)
class CorrectedCopy:
    """A corrected file: `extension` is `.csv` or `.xlsx`; `changes` are in order of sheet and row."""

    content: bytes = field(repr=False)
    extension: str
    changes: tuple[Change, ...]


def make_marked_copy(content: Content, examination: Examination) -> bytes:
    """Make an XLSX workbook of the file with its findings marked, commented and listed.

    An XLSX file keeps its formats. Any other file becomes a workbook of its cells as text.
    Raises: UsageError: the file has no cells, or more than MOST_CELLS.
    """
    sent = _read_sent(content)
    workbook = _open_workbook(sent)
    marks: dict[tuple[str | None, int, int], list[Finding]] = defaultdict(list)
    for finding in examination.report.findings:
        for row, column in _places(finding, examination.reading.tables):
            marks[finding.sheet, row, column].append(finding)
    commented: dict[str | None, int] = defaultdict(int)
    for (sheet, row, column), found in marks.items():
        cells = _find_sheet(workbook, sheet)
        if cells is not None:
            commented[sheet] += 1
            _mark(_own_cell(cells, row, column), found, comment=commented[sheet] <= MOST_COMMENTS)
    _add_findings_sheet(workbook, examination.report, marks)
    return _save(workbook)


def make_corrected_copy(content: Content, examination: Examination) -> CorrectedCopy:
    """Make a copy with the safe corrections: a text file stays one (in UTF-8), anything else becomes XLSX.

    Raises: UsageError: the file has no cells, more than MOST_CELLS, or no table to correct.
    """
    reading = examination.reading
    if reading.dataset is None or not reading.tables:
        raise UsageError("the file has no table that could be read, so there is nothing to correct: see the report")
    sent = _read_sent(content)
    changes = [change for table in reading.tables for change in _find_changes(reading.dataset, table, sent)]
    changes.sort(key=lambda change: (change.sheet or "", change.row, len(change.column or ""), change.column or ""))
    if sent.format == "csv":
        if (page := (reading.encoding or "").replace("_", "-").lower()) not in _UNICODE:
            changes.insert(
                0, Change(None, 0, None, page, "utf-8", "a code page: other programs may show other letters")
            )
        return CorrectedCopy(_write_text(sent.grids[0], changes), ".csv", tuple(changes))
    workbook = _open_workbook(sent)
    for change in changes:
        cells = _find_sheet(workbook, change.sheet)
        if cells is not None:
            _apply(cells, change)
    _add_changes_sheet(workbook, changes)
    return CorrectedCopy(_save(workbook), ".xlsx", tuple(changes))


def write_changes(changes: Iterable[Change], stream: io.TextIOBase) -> None:
    """Write a list of changes as CSV. A text that a spreadsheet program would take for a formula gets an apostrophe."""
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(_CHANGE_HEADINGS)
    for change in changes:
        writer.writerow(map(_defuse, _change_cells(change)))


# --- the file as sent -------------------------------------------------------------------------------------------------


def _read_sent(content: Content) -> SentCells:
    sent = read_cells(content)
    if not sent.grids:
        raise UsageError("the file has no cells that could be marked: the report says what it is")
    cells = sum(len(grid.rows) * grid.width for grid in sent.grids)
    if cells > MOST_CELLS:
        raise UsageError(f"the file has {cells:,} cells: a copy is made of up to {MOST_CELLS:,}. The report lists all")
    return sent


def _open_workbook(sent: SentCells) -> Workbook:
    """The workbook as sent, or one made of the cells of another file, all as text."""
    if sent.format == "xlsx":
        return load_workbook(io.BytesIO(sent.content), keep_vba=b"vbaProject" in sent.content, rich_text=True)
    workbook = Workbook()
    workbook.remove(workbook.active)
    for grid in sent.grids:
        sheet = workbook.create_sheet(grid.sheet or _SHEET_TITLE)
        for row in grid.rows:
            for number, text in enumerate(row.cells, start=1):
                if text:
                    _write_text_cell(sheet.cell(row.number, number), text)
    return workbook


def _find_sheet(workbook: Workbook, name: str | None) -> Worksheet | None:
    if name is None:
        return workbook.worksheets[0]
    return workbook[name] if name in workbook.sheetnames else None


def _own_cell(sheet: Worksheet, row: int, column: int) -> Cell:
    """The cell that can be marked: of merged cells, the first."""
    cell = sheet.cell(row, column)
    if isinstance(cell, Cell):
        return cell
    merged = next(each for each in sheet.merged_cells.ranges if cell.coordinate in each)
    return sheet.cell(merged.min_row, merged.min_col)


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Characters that a workbook cannot hold."""


def _write_text_cell(cell: Cell, text: str) -> None:
    """Write a text as a text, also if it looks like a formula."""
    cell.value = _CONTROL.sub("", text)[:32_767]
    cell.data_type = "s"


def _save(workbook: Workbook) -> bytes:
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


# --- marking ----------------------------------------------------------------------------------------------------------


def _places(finding: Finding, tables: Sequence[ReadTable]) -> Iterator[tuple[int, int]]:
    """The cells (row, column from 1) that a finding is about; the heading, for a finding about a column."""
    column = column_number(finding.column) if finding.column else 1
    rows = finding.rows or ((finding.row,) if finding.row is not None else ())
    if not rows and finding.column:
        rows = tuple(table.header_row for table in tables if table.sheet == finding.sheet and table.header_row)[:1]
    yield from ((row, column) for row in rows)


def _mark(cell: Cell, found: Sequence[Finding], *, comment: bool) -> None:
    gravest = min((finding.severity for finding in found), key=_ORDER.index)
    cell.fill = PatternFill("solid", start_color=_FILLS[gravest])
    if comment:
        before = f"{cell.comment.text}\n\n" if cell.comment else ""
        texts = [f"{_SEVERITIES[finding.severity]}: {finding.message}\nTo do: {finding.fix}" for finding in found]
        text = before + "\n\n".join(texts)
        cell.comment = Comment(_CONTROL.sub("", text)[:_MOST_COMMENT_LETTERS], "Piperoll", height=160, width=320)


def _add_findings_sheet(
    workbook: Workbook, report: Report, marks: Mapping[tuple[str | None, int, int], Sequence[Finding]]
) -> None:
    first: dict[int, tuple[str | None, int, int]] = {}
    for place, found in marks.items():
        for finding in found:
            first.setdefault(id(finding), place)
    rows: list[Sequence[str]] = []
    links: list[str | None] = []
    for finding in sorted(report.findings, key=lambda finding: _ORDER.index(finding.severity)):
        who = "You" if finding.acts is Acts.BODY else "The platform"
        cells = (str(finding.address), finding.message, finding.fix, finding.value or "")
        rows.append((_SEVERITIES[finding.severity], who, *cells, str(finding.count), finding.code))
        links.append(_link(workbook, first[id(finding)]) if id(finding) in first else None)
    verdict = str(report.verdict).replace("_", " ")
    headings = ("Weight", "Who acts", "Where", "What was found", "What to do", "The cell says", "Places", "Code")
    _add_sheet(workbook, FINDINGS_SHEET, f"{report.file}: {verdict}. {_LOST}", headings, rows, links)


def _link(workbook: Workbook, place: tuple[str | None, int, int]) -> str | None:
    """Where a cell is, as a link within the workbook."""
    sheet = _find_sheet(workbook, place[0])
    return None if sheet is None else f"{quote_sheetname(sheet.title)}!{get_column_letter(place[2])}{place[1]}"


# --- corrections ------------------------------------------------------------------------------------------------------

_UNICODE = ("", "ascii", "utf-8", "utf-8-sig")
_CHANGE_HEADINGS = ("Sheet", "Row", "Column", "Before", "After", "Why")
_MONEY = re.compile(r"[£,\s\u00a0]")


def _find_changes(dataset: Dataset, table: ReadTable, sent: SentCells) -> Iterator[Change]:
    """What can be changed without a judgement in the rows of a table."""
    grid = next((grid for grid in sent.grids if grid.sheet == table.sheet), None)
    if grid is None or table.wide or not table.header_row:
        return  # one cell of a wide table is several lines, and records of JSON have no cells
    rows = {row.number: row for row in grid.rows}
    for batch in table.batches():
        numbers = batch.column("row").to_numpy().tolist()
        for name in table.columns:
            values = batch.column(name).to_pylist()
            texts = batch.column(name + SENT).to_pylist() if name + SENT in batch.schema.names else values
            kind = dataset.field(name).type
            for number, value, text in zip(numbers, values, texts, strict=True):
                letter = table.letter(name, number)
                if value is None or letter is None or number not in rows:
                    continue
                cell = cell_at(rows[number], column_number(letter) - 1)
                if (why := _why_correct(kind, cell, text, value)) is not None:
                    yield Change(table.sheet, number, letter, cell, value, why)
    for excluded in table.excluded_rows:
        if excluded.kind == "total" and excluded.row in rows:
            cells = " | ".join(filter(None, map(squeeze, rows[excluded.row].cells)))
            yield Change(
                table.sheet, excluded.row, None, cells, "", "a total: it is no payment, and would be counted twice"
            )


def _why_correct(kind: str, cell: str, text: str | None, value: str) -> str | None:
    """Why a cell is to be written as `value`; None if it already is, or if that would need a judgement."""
    if text is None or squeeze(cell) != squeeze(text) or cell == value:
        return None  # the value was read from elsewhere: the row had moved, or its heading says thousands
    match kind:
        case "date":
            return "a date, as year-month-day"
        case "number" | "integer":
            return "a number, without signs around it" if _plain_number(cell) == Decimal(value) else None
        case "string" if squeeze(cell) == squeeze(value):
            return "spaces and invisible characters"
    return None


def _plain_number(cell: str) -> Decimal | None:
    """The number in a cell that has only pound signs, commas, spaces, and brackets or a minus sign around it."""
    text = _MONEY.sub("", cell).replace("\N{MINUS SIGN}", "-")
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    elif text.endswith("-"):
        text = f"-{text[:-1]}"
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _apply(sheet: Worksheet, change: Change) -> None:
    if change.column is None:
        for cell in sheet[change.row]:
            if isinstance(cell, Cell):
                cell.value = None
        return
    cell = _own_cell(sheet, change.row, column_number(change.column))
    if not isinstance(cell.value, str) or cell.data_type == "f":
        return  # a date or number of the workbook already, or a formula
    if change.why.startswith("a date"):
        cell.value = date.fromisoformat(change.after)
        cell.number_format = "yyyy-mm-dd"
    elif change.why.startswith("a number"):
        cell.value = Decimal(change.after)
        cell.number_format = "#,##0.00##"
    else:
        _write_text_cell(cell, change.after)


def _write_text(grid: Grid, changes: Sequence[Change]) -> bytes:
    """The rows of a text file with the changes, in UTF-8 with the mark by which spreadsheet programs recognise it."""
    cells = {(change.row, column_number(change.column)): change.after for change in changes if change.column}
    moved = {change.row for change in changes if change.column is None}
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=grid.delimiter, lineterminator="\r\n")
    for row in grid.rows:
        if row.number not in moved:
            writer.writerow([cells.get((row.number, number), text) for number, text in enumerate(row.cells, start=1)])
    return stream.getvalue().encode("utf-8-sig")


def _change_cells(change: Change) -> tuple[str, ...]:
    where = change.column or ("whole row, moved out of the table" if change.row else "whole file")
    return change.sheet or "", str(change.row or ""), where, change.before, change.after, change.why


def _add_changes_sheet(workbook: Workbook, changes: Sequence[Change]) -> None:
    count = f"{len(changes):,} change{'' if len(changes) == 1 else 's'}; nothing else differs from what you sent."
    _add_sheet(workbook, CHANGES_SHEET, f"{count} {_LOST}", _CHANGE_HEADINGS, [_change_cells(one) for one in changes])


def _defuse(text: str) -> str:
    return (
        f"'{text}"
        if text[:1] in ("=", "+", "@", "\t", "\r") or (text[:1] == "-" and _plain_number(text) is None)
        else text
    )


# --- the sheet that is added --------------------------------------------------------------------------------------


def _add_sheet(
    workbook: Workbook,
    title: str,
    introduction: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    links: Sequence[str | None] = (),
) -> None:
    """Add a sheet at the end; `links` are the places that the third cell of each row leads to."""
    if title in workbook.sheetnames:  # of a copy that was sent back
        workbook.remove(workbook[title])
    sheet = workbook.create_sheet(title)
    _write_text_cell(sheet.cell(1, 1), introduction)
    for number, heading in enumerate(headings, start=1):
        _write_text_cell(sheet.cell(3, number), heading)
        sheet.cell(3, number).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(number)].width = 14 if len(heading) < 10 else 50
    for line, row in enumerate(rows, start=4):
        for number, text in enumerate(row, start=1):
            _write_text_cell(sheet.cell(line, number), text)
            sheet.cell(line, number).alignment = Alignment(wrap_text=True, vertical="top")
        if line - 4 < len(links) and (link := links[line - 4]):
            sheet.cell(line, 3).hyperlink = Hyperlink(ref=f"C{line}", location=link)
            sheet.cell(line, 3).style = "Hyperlink"
    sheet.freeze_panes = "A4"
