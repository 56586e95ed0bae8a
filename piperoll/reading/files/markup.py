"""Tables in markup to grids: web pages that programs save for Excel, and the XML workbooks of Excel 2003."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from lxml import etree

from piperoll.reading.files.workbook_cells import number_text
from piperoll.reading.grids.grid import Grid, Row, Rows

CELLS = 20_000_000
"""Cells that a table in markup may span, those that its spans and places skip included."""

_ROWS, _COLUMNS = 1_048_576, 16_384
_ALL_ROWS = 3 * _ROWS
"""Rows of all the sheets of a workbook of which any skips rows: each may skip to its last one."""

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_MOSTLY = 0.6
"""A page of which less of the words than this stands in its table is a page, not a table saved as one."""

_TOO_LARGE = "workbook-too-large"


class MarkupTrouble(ValueError):
    """Markup that cannot be read; the text is the code of a finding."""


@dataclass
class _Table:
    """A table as it grows: its rows, the cells spanned so far, and the letters in it."""

    name: str | None = None
    hidden: bool = False
    rows: list[list[str]] = field(default_factory=list)
    spanned: int = 0
    letters: int = 0

    def begin_row(self, number: int) -> None:
        """A new row; `number` is counted from 1, and the rows it skips are blank."""
        if number > _ROWS:
            raise MarkupTrouble(_TOO_LARGE)
        while len(self.rows) < number:
            self.rows.append([])

    def put(self, column: int, text: str) -> None:
        """A cell of the latest row; `column` is counted from 0, and the cells it skips are empty."""
        if not self.rows:
            self.begin_row(1)
        row = self.rows[-1]
        self.spanned += max(column + 1 - len(row), 0)
        if column >= _COLUMNS or self.spanned > CELLS:
            raise MarkupTrouble(_TOO_LARGE)
        row.extend([""] * (column + 1 - len(row)))
        row[column] = text
        self.letters += len(text)

    def grid(self) -> Grid:
        """The rows that were put."""
        rows = self.rows
        while rows and not any(rows[-1]):
            rows.pop()
        numbered = (Row(number, None, cells) for number, cells in enumerate(rows, start=1))
        return Grid(self.name, Rows.of(numbered), self.hidden)


class _Page:
    """What lxml calls for each tag of a web page; a table within a table belongs to the outer one."""

    def __init__(self) -> None:
        self.tables: list[_Table] = []
        self.letters = 0
        self._depth = self._silent = self._span = 0
        self._cell: list[str] | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in ("script", "style", "title"):
            self._silent += 1
        if tag == "table":
            self._depth += 1
            if self._depth == 1:
                self.tables.append(_Table())
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")
        elif self._depth == 1 and tag in ("tr", "td", "th"):
            self._close_cell()
            table = self.tables[-1]
            if tag == "tr":
                table.begin_row(len(table.rows) + 1)
            else:
                self._cell, self._span = [], _whole(attributes.get("colspan"), 1)

    def end(self, tag: str) -> None:
        if tag in ("script", "style", "title"):
            self._silent = max(self._silent - 1, 0)
        if tag == "table" and self._depth:
            self._close_cell()
            self._depth -= 1
        elif self._depth == 1 and tag in ("td", "th", "tr"):
            self._close_cell()

    def data(self, text: str) -> None:
        if not self._silent:
            self.letters += len(text.strip())
            if self._cell is not None:
                self._cell.append(text)

    def close(self) -> None:
        """Nothing is kept open."""

    def _close_cell(self) -> None:
        if self._cell is None:
            return
        table, text = self.tables[-1], " ".join("".join(self._cell).split())
        column = len(table.rows[-1]) if table.rows else 0
        table.put(column, text)
        if self._span > 1:
            table.put(column + self._span - 1, "")
        self._cell = None


class _Sheets:
    """What lxml calls for each tag of an XML workbook (SpreadsheetML 2003, Microsoft's schema of that year)."""

    def __init__(self) -> None:
        self.tables: list[_Table] = []
        self._row = self._column = self._span = 0
        self._type = ""
        self._text: list[str] | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        given = {_local(name): value for name, value in attributes.items()}
        match _local(tag):
            case "Worksheet":
                self.tables.append(_Table(given.get("Name", "")))
                self._row = 0
            case "Row" if self.tables:
                self._begin_row(_whole(given.get("Index"), self._row + 1))
            case "Cell":
                self._column = _whole(given.get("Index"), self._column + 1)
                self._span = _whole(given.get("MergeAcross"), 0)
            case "Visible" if self.tables:
                self._text = []
            case "Data" if self.tables and self._row:
                self._text, self._type = [], given.get("Type", "String")

    def _begin_row(self, number: int) -> None:
        skipped = number - self._row > 1
        if skipped and number + sum(len(table.rows) for table in self.tables) > _ALL_ROWS:
            raise MarkupTrouble(_TOO_LARGE)
        self._row, self._column = number, 0
        self.tables[-1].begin_row(number)

    def end(self, tag: str) -> None:
        name = _local(tag)
        if name == "Data" and self._text is not None:
            self.tables[-1].put(max(self._column, 1) - 1, _typed("".join(self._text), self._type))
            self._text = None
        elif name == "Visible" and self._text is not None and self.tables:
            self.tables[-1].hidden = "".join(self._text).strip().startswith("SheetHidden")
            self._text = None
        elif name == "Cell":
            self._column += self._span

    def data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def close(self) -> None:
        """Nothing is kept open."""


def page_tables(pieces: Iterable[str]) -> list[Grid]:
    """The table of a web page that holds little else, as programs save one for Excel; none if it is a page to read.

    Raises:
        MarkupTrouble: workbook-too-large.
    """
    page = _Page()
    parser = etree.HTMLParser(target=cast("Any", page), encoding="utf-8", no_network=True)
    _feed(parser, (piece.encode("utf-8", "replace") for piece in pieces))
    best = max(page.tables, key=lambda table: table.letters, default=None)
    inside = sum(table.letters for table in page.tables)
    return [best.grid()] if best and inside >= _MOSTLY * page.letters else []


def workbook_sheets(content: bytes) -> list[Grid]:
    """The sheets of an XML workbook of Excel 2003.

    Raises:
        MarkupTrouble: workbook-too-large, or workbook-broken where it is no whole XML.
    """
    if b"<!DOCTYPE" in content[:4096] or b"<!ENTITY" in content:
        raise MarkupTrouble("workbook-broken")
    sheets = _Sheets()
    parser = etree.XMLParser(target=cast("Any", sheets), resolve_entities=False, no_network=True)
    _feed(parser, (content[at : at + 1_000_000] for at in range(0, len(content), 1_000_000)))
    return [table.grid() for table in sheets.tables]


def _feed(parser: etree.XMLParser | etree.HTMLParser, pieces: Iterable[bytes]) -> None:
    try:
        for piece in pieces:
            parser.feed(piece)
        parser.close()
    except etree.LxmlError as error:
        raise MarkupTrouble("workbook-broken") from error


def _typed(text: str, type_: str) -> str:
    """A cell as workbooks give it: numbers without exponents, days without a midnight, truth in words."""
    if type_ == "DateTime":
        return text.removesuffix(".000").removesuffix("T00:00:00")
    if type_ == "Boolean":
        return {"1": "TRUE", "0": "FALSE"}.get(text, text)
    return number_text(float(text)) if type_ == "Number" and _NUMBER.fullmatch(text) else text


def _whole(text: str | None, default: int) -> int:
    """An attribute that counts; a word in its place counts as if it were not there."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 9 else default


def _local(name: str) -> str:
    return name.rpartition("}")[2]
