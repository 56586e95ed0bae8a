"""Cells to their canonical spelling, a column at a time; each distinct cell is read once."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as part
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.model import Field
from piperoll.model.columns import Vector, pc, text_offsets, texts, to_flags, true_indices
from piperoll.reading.cells.amounts import Plain, plain_number, read_amount
from piperoll.reading.cells.dates import DateOrder, names_day, read_date, read_month
from piperoll.reading.cells.marks import is_error, means_nothing
from piperoll.reading.cells.periods import is_bare_quarter, period_in_cell, periods_in_name
from piperoll.reading.grids.cell_shapes import shapes_of
from piperoll.reading.grids.grid import tidy

_YES, _NO = frozenset(["yes", "y", "true", "1", "x"]), frozenset(["no", "n", "false", "0"])

UNREADABLE = object()
"""What a cell gives that holds something which cannot be read."""


@dataclass
class Reader:
    """Reads the cells of one column as one field: to text in canonical spelling, None for nothing, or UNREADABLE.

    What it gives is a function of the cell and of what was decided for the whole column (`decisions.decide`): the
    order of day and month, what to multiply by, which mark begins the pence.
    """

    field: Field
    order: DateOrder = part(default_factory=DateOrder)
    scale: Decimal = Decimal(1)
    decimal_comma: bool = False
    refuses: bool = False
    """Whether nothing that stands here can be taken for certain, such as euros where pounds are asked for."""
    stretches: bool = False
    """Whether a quarter or several months may stand for a day, as where the days lie in the time of the file."""
    told: bool = False
    """Whether what cannot be read here was told once for the whole column, so that no cell need be named."""
    known: dict[str, object] = part(default_factory=dict, repr=False)

    def read(self, cell: str) -> object:
        """The canonical spelling of a cell; remembered while the column is read."""
        found = self.known.get(cell, self)
        if found is self:
            if len(self.known) > 20_000:
                self.known.clear()
            found = self.known[cell] = self._fresh(cell)
        return found

    @cached_property
    def codes(self) -> Mapping[str, str]:
        """The field's list of codes, if it has one, by their folded spelling."""
        return {
            code.casefold(): code
            for code in (self.field.constraints or {}).get("enum", ())
            if self.field.type == "string"
        }

    @property
    def typed(self) -> bool:
        """Whether the field is something other than text."""
        return self.field.type != "string"

    def _fresh(self, cell: str) -> object:
        text = tidy(cell)
        if means_nothing(text, typed=self.typed):
            return None
        if self.refuses or is_error(text):
            return UNREADABLE
        value = _READERS.get(self.field.type, _text)(text, self)
        return self._without_day(text) if value is None else value

    def lacks_day(self, cell: str) -> bool:
        """Whether a cell that states no day names a month, or where stretches are taken a quarter, a year or months."""
        return read_month(cell) is not None or (self.stretches and period_in_cell(tidy(cell)) is not None)

    def _without_day(self, text: str) -> object:
        """Nothing, for a month where a day is asked for: a day would be made up. UNREADABLE for all else."""
        return None if self.field.type == "date" and self.lacks_day(text) else UNREADABLE


def _text(text: str, reader: Reader) -> str | None:
    """Text as it stands, but a code of the field's own list in the list's spelling: `GPC` is `gpc`."""
    return reader.codes.get(text.casefold(), text)


def _number(text: str, reader: Reader) -> str | None:
    value = read_amount(text, decimal_comma=reader.decimal_comma)
    return None if value is None else plain_number(value * reader.scale if reader.scale != 1 else value)


def _integer(text: str, reader: Reader) -> str | None:
    value = read_amount(text, decimal_comma=reader.decimal_comma)
    if value is None or value != value.to_integral_value():
        return None
    return plain_number((value * reader.scale).to_integral_value())


def _truth(text: str, reader: Reader) -> str | None:  # noqa: ARG001
    word = text.casefold()
    return "true" if word in _YES else "false" if word in _NO else None


def _date(text: str, reader: Reader) -> str | None:
    day = read_date(text, reader.order)
    if day is None and reader.field.reading.edge is not None:
        day = _edge(text, first=reader.field.reading.edge == "start")
    return day.isoformat() if day else None


def _edge(text: str, *, first: bool) -> date | None:
    if month := read_month(text):
        year, number = month
        return date(year, number, 1 if first else monthrange(year, number)[1])
    periods = () if names_day(text) else periods_in_name(text, snapshot=False)
    if not periods or (len(periods) > 1 and not is_bare_quarter(text)):
        return None
    return periods[0].start if first else periods[0].end


_READERS: dict[str, Callable[[str, Reader], str | None]] = {
    "number": _number,
    "integer": _integer,
    "boolean": _truth,
    "date": _date,
}


# Whole columns of cells read at once, where that gives exactly what `values.Reader` gives cell by cell.
#
# Each distinct cell is read once. Amounts and texts that are written plainly are spelt by Arrow; every other cell goes
# through the reader, so that there is one meaning of a cell.
#


@dataclass(frozen=True)
class Spelt:
    """A column in canonical spelling, null where nothing stands; and where something stands that cannot be read."""

    values: Any
    unreadable: list[int]


def is_plain_text(form: str) -> bool:
    """Whether every text of this form, its digits as 9, is spelt as it stands, or empty."""
    return not form or (tidy(form) == form and not means_nothing(form, typed=False) and not is_error(form))


def unless_empty(cells: Any) -> Any:
    """The cells, null for an empty one."""
    filled = np.diff(text_offsets(cells)) > 0
    if filled.all():
        return cells
    kept = pa.array(filled).buffers()[1]
    _, edges, letters = cells.buffers()
    if cells.offset:
        return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
    return pa.StringArray.from_buffers(len(cells), edges, letters, kept, int(len(cells) - filled.sum()))


def spell(cells: Any, reader: Reader) -> Spelt:
    """What the reader makes of a column of cells."""
    plain, done = _plainly(cells, reader)
    if done.all():
        return Spelt(plain, [])
    rest = pa.array(~done)
    coded = cells.filter(rest).dictionary_encode()
    found = list(map(reader.read, coded.dictionary.to_pylist()))
    read = texts([value if isinstance(value, str) else None for value in found]).take(coded.indices)
    values = pc.replace_with_mask(plain, rest, read) if done.any() else read
    if UNREADABLE not in found:
        return Spelt(values, [])
    lost = pa.array([value is UNREADABLE for value in found]).take(coded.indices)
    return Spelt(values, true_indices(pc.replace_with_mask(rest, rest, lost)))


def _plainly(cells: Any, reader: Reader) -> tuple[Any, Vector]:
    """The spelling of the cells that are written plainly, and which those are."""
    if reader.field.type == "number" and reader.scale == 1 and not (reader.refuses or reader.decimal_comma):
        spelt = Plain(cells).spelt
        return spelt, to_flags(pc.is_valid(spelt))
    if spells_plainly(reader):
        coded = shapes_of(cells).dictionary_encode()
        plain = np.array([is_plain_text(form) for form in coded.dictionary.to_pylist()], np.bool_)
        return unless_empty(cells), plain[coded.indices.to_numpy()]
    return cells, np.zeros(len(cells), np.bool_)


def spells_plainly(reader: Reader) -> bool:
    """Whether a reader leaves plain texts as they stand."""
    return reader.field.type == "string" and not reader.codes
