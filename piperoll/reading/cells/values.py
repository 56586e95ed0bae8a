"""Cells to their canonical spelling: one by one with a `Reader`, or a whole column at a time with `spell`.

Most cells are amounts or texts in a plain notation. `spell` converts these all at once, and asks the reader for the
others, once for each distinct cell.
"""

from __future__ import annotations

import dataclasses
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np
import pyarrow as pa

from piperoll.model import Field
from piperoll.model.columns import Cells, Flags, pc, text_offsets, texts, to_flags, true_indices
from piperoll.reading.cells.amounts import (
    MOST_POUNDS,
    PlainAmounts,
    is_accounting_zero,
    read_amount,
    read_rounded,
    spell_number,
)
from piperoll.reading.cells.dates import DateOrder, names_day, read_date, read_month
from piperoll.reading.cells.marks import is_error, means_nothing
from piperoll.reading.cells.periods import find_periods, is_bare_quarter, read_period
from piperoll.reading.grids.cell_shapes import to_shapes
from piperoll.reading.grids.grid import tidy

_YES, _NO = frozenset(["yes", "y", "true", "1", "x"]), frozenset(["no", "n", "false", "0"])

_REMEMBERED = 20_000
"""Remember the values of at most this many distinct cells of a column."""

_MOST_PLACES = 30
"""A number other than zero with its first digit farther from the point cannot be stored exactly."""

UNREADABLE = object()
"""The value of a cell that is not empty but cannot be read."""


@dataclass
class Reader:
    """Reads the cells of one column as one field: to text in canonical spelling, None for nothing, or UNREADABLE.

    The result depends only on the cell and on what was decided for the whole column (`decisions.decide`).
    """

    field: Field
    order: DateOrder = dataclasses.field(default_factory=DateOrder)
    """The order of day and month."""
    scale: Decimal = Decimal(1)
    """The factor for every number: 1000 under the heading `£000`."""
    decimal_comma: bool = False
    """True if the column proves that a comma begins the pence."""
    rounded: bool = False
    """True if the cells give thousands or millions by a letter: `37.5k`."""
    accounting: bool = False
    """True if the column is in an accounting format, in which a dash between blanks is zero."""
    refuses: bool = False
    """True if no cell can be read with certainty, as with euros where pounds are needed."""
    accepts_periods: bool = False
    """True if a quarter or several months can be in place of a day: the days are in the period of the file."""
    reported: bool = False
    """True if unreadable cells were reported once for the whole column, so they get no findings of their own."""
    known: dict[str, object] = dataclasses.field(default_factory=dict, repr=False)

    def read(self, cell: str) -> object:
        """The canonical spelling of a cell; remembered for the next cell with the same text."""
        found = self.known.get(cell, self)
        if found is self:
            if len(self.known) > _REMEMBERED:
                self.known.clear()
            found = self.known[cell] = self._read_fresh(cell)
        return found

    @cached_property
    def codes(self) -> Mapping[str, str]:
        """The field's list of codes, if it has one, by their lower-case spelling."""
        if self.field.type != "string":
            return {}
        return {code.casefold(): code for code in (self.field.constraints or {}).get("enum", ())}

    @property
    def typed(self) -> bool:
        """True if the field is not text."""
        return self.field.type != "string"

    @property
    def keeps_plain_texts(self) -> bool:
        """True if a plain text is its own canonical spelling."""
        return self.field.type == "string" and not self.codes

    def _read_fresh(self, cell: str) -> object:
        if self.accounting and is_accounting_zero(cell):
            return "0"
        text = tidy(cell)
        if means_nothing(text, typed=self.typed):
            return None
        if self.refuses or is_error(text):
            return UNREADABLE
        value = self._spell(text)
        if value is None:
            # A month where a day is needed gives nothing: we do not make up a day.
            return None if self.field.type == "date" and self.lacks_day(text) else UNREADABLE
        return value

    def _spell(self, text: str) -> str | None:
        """The canonical spelling of a tidy cell that has a value; None if it cannot be read."""
        match self.field.type:
            case "number" | "integer" as kind:
                number = read_amount(text, decimal_comma=self.decimal_comma)
                number = read_rounded(text) if number is None and self.rounded else number
                if number is None or (kind == "integer" and number != number.to_integral_value()):
                    return None
                number = number * self.scale if self.scale != 1 else number
                too_large = self.field.unit == "GBP" and abs(number) > MOST_POUNDS
                if too_large or abs(number.adjusted()) > _MOST_PLACES:
                    return None
                return spell_number(number.to_integral_value() if kind == "integer" else number)
            case "boolean":
                word = text.casefold()
                return "true" if word in _YES else "false" if word in _NO else None
            case "date":
                day, edge = read_date(text, self.order), self.field.reading.edge
                if day is None and edge is not None:
                    day = _edge_of_period(text, first=edge == "start")
                return day.isoformat() if day else None
            case _:
                # A code of the field's list in the spelling of the list: `GPC` is `gpc`.
                return self.codes.get(text.casefold(), text)

    def lacks_day(self, cell: str) -> bool:
        """Whether a cell without a day names a month or, if periods are accepted, a quarter, a year or months."""
        return read_month(cell) is not None or (self.accepts_periods and read_period(tidy(cell)) is not None)


def _edge_of_period(text: str, *, first: bool) -> date | None:
    """The first or last day of the month, quarter or year that a cell names."""
    if month := read_month(text):
        year, number = month
        return date(year, number, 1 if first else monthrange(year, number)[1])
    periods = () if names_day(text) else find_periods(text, snapshot=False)
    if not periods or (len(periods) > 1 and not is_bare_quarter(text)):
        return None
    return periods[0].start if first else periods[0].end


@dataclass(frozen=True, slots=True)
class SpelledColumn:
    """A column in canonical spelling, null for nothing, and the indices of the cells that cannot be read."""

    values: Cells
    unreadable: list[int]


def spell(cells: Cells, reader: Reader) -> SpelledColumn:
    """Read a column of cells."""
    plain, done = _spell_plain(cells, reader)
    if done.all():
        return SpelledColumn(plain, [])
    rest = pa.array(~done)
    coded = cells.filter(rest).dictionary_encode()
    found = list(map(reader.read, coded.dictionary.to_pylist()))
    read = texts([value if isinstance(value, str) else None for value in found]).take(coded.indices)
    values = pc.replace_with_mask(plain, rest, read) if done.any() else read
    if UNREADABLE not in found:
        return SpelledColumn(values, [])
    lost = pa.array([value is UNREADABLE for value in found]).take(coded.indices)
    return SpelledColumn(values, true_indices(pc.replace_with_mask(rest, rest, lost)))


def _spell_plain(cells: Cells, reader: Reader) -> tuple[Cells, Flags]:
    """The spelling of the cells in plain notation, and which cells those are."""
    if reader.field.type == "number" and reader.scale == 1 and not (reader.refuses or reader.decimal_comma):
        spelled = PlainAmounts(cells).spelled
        return spelled, to_flags(pc.is_valid(spelled))
    if reader.keeps_plain_texts:
        coded = to_shapes(cells).dictionary_encode()
        plain = np.array([is_plain_text(shape) for shape in coded.dictionary.to_pylist()], np.bool_)
        return null_if_empty(cells), plain[coded.indices.to_numpy()]
    return cells, np.zeros(len(cells), np.bool_)


def is_plain_text(shape: str) -> bool:
    """Whether every text of this shape is its own canonical spelling, or empty."""
    return not shape or (tidy(shape) == shape and not means_nothing(shape, typed=False) and not is_error(shape))


def null_if_empty(cells: Cells) -> Cells:
    """The cells, with null in place of empty ones."""
    filled = np.diff(text_offsets(cells)) > 0
    return cells if filled.all() else pc.if_else(pa.array(filled), cells, None)
