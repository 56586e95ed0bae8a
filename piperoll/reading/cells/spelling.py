"""Whole columns of cells read at once, where that gives exactly what `values.Reader` gives cell by cell.

Each distinct cell is read once. Amounts and texts that are written plainly are spelt by Arrow; every other cell goes
through the reader, so that there is one meaning of a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.model.columns import Vector, pc, text_offsets, texts, to_flags, true_indices
from piperoll.reading.cells.marks import is_error, means_nothing
from piperoll.reading.cells.plain import Plain
from piperoll.reading.cells.values import UNREADABLE, Reader
from piperoll.reading.grids.forms import forms_in
from piperoll.reading.grids.grid import tidy


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
        coded = forms_in(cells).dictionary_encode()
        plain = np.array([is_plain_text(form) for form in coded.dictionary.to_pylist()], np.bool_)
        return unless_empty(cells), plain[coded.indices.to_numpy()]
    return cells, np.zeros(len(cells), np.bool_)


def spells_plainly(reader: Reader) -> bool:
    """Whether a reader leaves plain texts as they stand."""
    return reader.field.type == "string" and not reader.codes
