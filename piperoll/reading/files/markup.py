"""Tables in markup to grids: web pages that programs save for Excel, and XML workbooks of Excel 2003."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from lxml import etree

from piperoll.reading.files.workbook_cells import number_text
from piperoll.reading.grids.grid import Grid, Row, Rows

CELLS = 20_000_000
"""The most cells that a table in markup can span, including those that its spans and indices skip."""

_ROWS, _COLUMNS = 1_048_576, 16_384
_ALL_ROWS = 3 * _ROWS
"""The most rows of all sheets together if any of them skips rows: a short file can skip to the last row of each."""

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_MOSTLY = 0.6
"""A page is a saved table if at least this share of its characters is in tables."""

_TOO_LARGE = "workbook-too-large"


class MarkupTrouble(ValueError):
    """Markup that cannot be read; the message is the code of a finding."""


@dataclass
class _Table:
    """A table while it is read: its rows, the number of cells that it spans, and the number of its characters."""

    name: str | None = None
    hidden: bool = False
    rows: list[list[str]] = field(default_factory=list)
    spanned: int = 0
    characters: int = 0

    def begin_row(self, number: int) -> None:
        """Begin a row; `number` counts from 1, and skipped rows are blank."""
        if number > _ROWS:
            raise MarkupTrouble(_TOO_LARGE)
        while len(self.rows) < number:
            self.rows.append([])

    def add_cell(self, column: int, text: str) -> None:
        """Add a cell to the last row; `column` counts from 0, and skipped cells are empty."""
        if not self.rows:
            self.begin_row(1)
        row = self.rows[-1]
        self.spanned += max(column + 1 - len(row), 0)
        if column >= _COLUMNS or self.spanned > CELLS:
            raise MarkupTrouble(_TOO_LARGE)
        row.extend([""] * (column + 1 - len(row)))
        row[column] = text
        self.characters += len(text)

    def grid(self) -> Grid:
        """The rows so far, without blank ones at the end."""
        rows = self.rows
        while rows and not any(rows[-1]):
            rows.pop()
        numbered = (Row(number, None, cells) for number, cells in enumerate(rows, start=1))
        return Grid(self.name, Rows.of(numbered), self.hidden)


class _Page:
    """The lxml parser target for a web page. A table inside a table is part of the outer one."""

    def __init__(self) -> None:
        self.tables: list[_Table] = []
        self.characters = 0
        self._depth = self._hidden_text = self._span = 0
        self._cell: list[str] | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in ("script", "style", "title"):
            self._hidden_text += 1
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
                self._cell, self._span = [], _number_or(attributes.get("colspan"), 1)

    def end(self, tag: str) -> None:
        if tag in ("script", "style", "title"):
            self._hidden_text = max(self._hidden_text - 1, 0)
        if tag == "table" and self._depth:
            self._close_cell()
            self._depth -= 1
        elif self._depth == 1 and tag in ("td", "th", "tr"):
            self._close_cell()

    def data(self, text: str) -> None:
        if not self._hidden_text:
            self.characters += len(text.strip())
            if self._cell is not None:
                self._cell.append(text)

    def close(self) -> None:
        """Required by lxml; there is nothing to close."""

    def _close_cell(self) -> None:
        if self._cell is None:
            return
        table, text = self.tables[-1], " ".join("".join(self._cell).split())
        column = len(table.rows[-1]) if table.rows else 0
        table.add_cell(column, text)
        if self._span > 1:
            table.add_cell(column + self._span - 1, "")
        self._cell = None


class _Sheets:
    """The lxml parser target for an XML workbook (SpreadsheetML 2003)."""

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
                number = _number_or(given.get("Index"), self._row + 1)
                skipped = number - self._row > 1
                if skipped and number + sum(len(table.rows) for table in self.tables) > _ALL_ROWS:
                    raise MarkupTrouble(_TOO_LARGE)
                self._row, self._column = number, 0
                self.tables[-1].begin_row(number)
            case "Cell":
                self._column = _number_or(given.get("Index"), self._column + 1)
                self._span = _number_or(given.get("MergeAcross"), 0)
            case "Visible" if self.tables:
                self._text = []
            case "Data" if self.tables and self._row:
                self._text, self._type = [], given.get("Type", "String")

    def end(self, tag: str) -> None:
        name = _local(tag)
        if name == "Data" and self._text is not None:
            # The same text as in other workbooks: no exponents, no midnight after a day, TRUE and FALSE.
            text = "".join(self._text)
            match self._type:
                case "DateTime":
                    text = text.removesuffix(".000").removesuffix("T00:00:00")
                case "Boolean":
                    text = {"1": "TRUE", "0": "FALSE"}.get(text, text)
                case "Number" if _NUMBER.fullmatch(text):
                    text = number_text(float(text))
            self.tables[-1].add_cell(max(self._column, 1) - 1, text)
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
        """Required by lxml; there is nothing to close."""


def read_page_table(pieces: Iterable[str]) -> list[Grid]:
    """The largest table of a web page that contains little else, as programs save one for Excel; else none.

    Raises: MarkupTrouble: workbook-too-large.
    """
    page = _Page()
    parser = etree.HTMLParser(target=cast("Any", page), encoding="utf-8", no_network=True)
    _feed(parser, (piece.encode("utf-8", "replace") for piece in pieces))
    best = max(page.tables, key=lambda table: table.characters, default=None)
    inside = sum(table.characters for table in page.tables)
    return [best.grid()] if best and inside >= _MOSTLY * page.characters else []


def read_xml_workbook(content: bytes) -> list[Grid]:
    """The sheets of an XML workbook of Excel 2003.

    Raises: MarkupTrouble: workbook-too-large, or workbook-broken if it is not complete XML.
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


def _number_or(text: str | None, default: int) -> int:
    """An attribute that is a number; anything else counts as missing."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 9 else default


def _local(name: str) -> str:
    return name.rpartition("}")[2]
