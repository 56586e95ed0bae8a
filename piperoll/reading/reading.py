"""The result of reading a file: tables with addresses, and findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa

from piperoll.model import Dataset, Finding, Question, What
from piperoll.reading.columns.assignment import ColumnChoice

SENT = ":sent"
"""The suffix of a field's column with the cells as sent."""


@dataclass(frozen=True, slots=True)
class ExcludedRow:
    """A row below the headings that is no record: its kind, and its amount if it has one.

    `kind` is one of `piperoll.model.EXCLUSIONS`. `amount` is in pounds, or None.
    """

    row: int
    line: int | None
    kind: str
    amount: Decimal | None = None


@dataclass(frozen=True)
class ReadTable:
    """One table of a file: `piperoll.model.Table` implemented with Arrow record batches.

    `unreadable` maps a field to the rows with a cell that could not be read (null in the field's column); any other
    null is a missing value. `wide` names the fields that were unpivoted. `stored` can be iterated any number of times;
    the batches of a large table are in a temporary file that is deleted with the table.
    """

    sheet: str | None
    header_row: int
    header_line: int | None
    columns: Mapping[str, str]
    column_letters: Mapping[str, str]
    rows: int
    excluded_rows: tuple[ExcludedRow, ...]
    unreadable: Mapping[str, tuple[int, ...]]
    stored: Iterable[pa.RecordBatch] = field(repr=False)
    wide: tuple[str, ...] = ()
    later_letters: tuple[tuple[int, Mapping[str, str]], ...] = ()
    """Where the headings change within the table: the first row, and the letters from there on."""
    choices: Mapping[str, ColumnChoice] = field(default_factory=dict, repr=False)
    """How the column of each field was found; empty for OCDS releases."""
    titles: tuple[str, ...] = field(default=(), repr=False)
    """The texts above the headings."""

    @property
    def excluded(self) -> Mapping[str, int]:
        """The number of excluded rows, by kind."""
        counts: dict[str, int] = {}
        for excluded in self.excluded_rows:
            counts[excluded.kind] = counts.get(excluded.kind, 0) + 1
        return counts

    def letter(self, name: str, row: int | None = None) -> str | None:
        """Return the column letter of a field, in a given row if the headings change within the table."""
        there = [letters for first, letters in self.later_letters if row is not None and first <= row]
        return (there[-1] if there else self.column_letters).get(name)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Return the records, in order, as `piperoll.model.Table` describes them."""
        return iter(self.stored)


@dataclass
class GridReading:
    """What was read from one grid.

    `outcome` is data, nil, no_records, no_table, stray_cell, empty, left_out or reference: a sheet with the values of
    drop-downs, or with notes on the columns of another sheet.
    """

    outcome: str
    tables: list[ReadTable] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    date_proofs: tuple[int, int] = (0, 0)
    """The payment dates that can only be read day first, and only month first."""
    order_unproved: bool = False
    """True if there are payment dates that can be read both ways, and none that shows which."""


@dataclass(frozen=True)
class Reading:
    """Everything that was read from one file.

    `format` is recognised from the bytes: csv, xlsx, xls, ods, xml, json, html, pdf, document, picture, parquet,
    database, markup, empty, unknown. `container` is `zip` or `gzip` if the file was one, and `member` is the file
    within it. `encoding` is a Python codec name, None for workbooks. `what` with `why` (html_page, empty, pro_forma,
    no_table, …) says whether it is data. `dataset` is the one given or recognised, None if none fits. `part` is the one
    recognised from the columns or the name.
    """

    format: str
    encoding: str | None
    what: What
    tables: tuple[ReadTable, ...]
    findings: tuple[Finding, ...]
    dataset: Dataset | None
    part: str | None = None
    why: str | None = None
    container: str | None = None
    member: str | None = None
    questions: tuple[Question, ...] = ()
    """The questions about the file's headings, compared with what the body sent before."""
    names: tuple[str, ...] = field(default=(), repr=False)
    """The names of the sheets and the texts of a nil return, any of which can give its period."""
    mapping_version: str | None = None
    """Identifies the remembered headings that affected the reading; None if none did."""
