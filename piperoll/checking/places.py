"""Cells and their addresses, in the sender's own terms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict

import pyarrow as pa

from piperoll.reading import SENT, ReadTable


class Address(TypedDict):
    """A place as a Finding takes it."""

    sheet: str | None
    row: int | None
    line: int | None
    column: str | None
    field: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a cell, a row, a column or (all None) the whole table."""

    sheet: str | None = None
    row: int | None = None
    line: int | None = None
    column: str | None = None
    field: str | None = None

    @property
    def words(self) -> str:
        """The place as one would say it: cell F1207 of sheet 'Oct 26'; row 12; column F."""
        sheet = f" of sheet '{self.sheet}'" if self.sheet else ""
        if self.row is None:
            return f"column {self.column}{sheet}" if self.column else f"the table{sheet}"
        return f"cell {self.column}{self.row}{sheet}" if self.column else f"row {self.row}{sheet}"

    @property
    def address(self) -> Address:
        """The place as a Finding takes it."""
        return {"sheet": self.sheet, "row": self.row, "line": self.line, "column": self.column, "field": self.field}


def place(table: ReadTable, field: str | None = None, row: int | None = None, line: int | None = None) -> Place:
    """The place of `field` (None: of the whole row) in `table`."""
    letter = table.letter(field, row) if field else None
    return Place(table.sheet, row, line, letter, field)


def filled(table: ReadTable) -> frozenset[str]:
    """The fields that the lines of `table` have: those of its columns, and what the headings of a wide table say."""
    first = next(table.batches(), None)
    return frozenset(table.columns) | frozenset(first.schema.names if first else ())


def cells(table: ReadTable, field: str) -> Iterator[tuple[int, str | None]]:
    """Every line's row and canonical cell of `field`, in order."""
    for batch in table.batches():
        yield from zip(batch["row"].to_pylist(), batch[field].to_pylist(), strict=True)


def as_sent(batch: pa.RecordBatch, field: str) -> pa.Array[Any]:
    """The cells of `field` as they stand in the file."""
    return batch[f"{field}{SENT}"] if f"{field}{SENT}" in batch.schema.names else batch[field]


def lines_of(table: ReadTable) -> Iterator[tuple[int, int | None]]:
    """Every line's row and physical line, in order."""
    for batch in table.batches():
        yield from zip(batch["row"].to_pylist(), batch["line"].to_pylist(), strict=True)
