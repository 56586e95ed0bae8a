"""A table: what was read from one sheet, CSV or JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar

BatchT_co = TypeVar("BatchT_co", covariant=True)


class Table(Protocol[BatchT_co]):
    """A stream of batches of text with addresses; `piperoll.reading.ReadTable` implements it with Arrow.

    A batch has the columns `row` (as a spreadsheet program shows it; for JSON the ordinal of the
    record), `line` (physical line, null outside text files) and one for each mapped field, with the
    cell in its canonical spelling: text without the space around it, an ISO 8601 date, a plain decimal, `true`
    or `false`; null where the cell is empty or cannot be read. For fields that are not text there is also
    `{field}:sent`, the cell as it is in the file. One record of the file may give several lines
    (a wide table, an OCDS release): they share `row`, and rows are counted by that.
    """

    @property
    def sheet(self) -> str | None:
        """The sheet's name untrimmed; None for text files and JSON."""

    @property
    def header_row(self) -> int:
        """The row of the headings (the last of them if there are several); 0 if there are none."""

    @property
    def header_line(self) -> int | None:
        """The first physical line of the heading row, for text files."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Map each field to its heading as sent; for JSON, to its path."""

    @property
    def column_letters(self) -> Mapping[str, str]:
        """Map each field to the letter of its column."""

    @property
    def rows(self) -> int:
        """The number of records."""

    @property
    def excluded(self) -> Mapping[str, int]:
        """How many rows after the headings are not records, by kind: blank, total, repeated_header, note, other."""

    def batches(self) -> Iterator[BatchT_co]:
        """Yield the records in order; can be called again."""
