"""Whole columns of cells read at once, where that gives exactly what `values.Reader` gives cell by cell.

Each distinct cell is read once. Amounts and texts that are written plainly are spelt by Arrow; every other cell goes
through the reader, so that there is one meaning of a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from piperoll.reading.cells.values import UNREADABLE, Reader
from piperoll.reading.grids import arrays

_PLAIN_AMOUNT = r"^ *(?:-?£?|£-)(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:\.[0-9]{1,6})? *$"
_AS_DECIMAL = r"^-?(?:[1-9][0-9]*(?:\.[0-9]+)?|0\.[0-9]*[1-9][0-9]*)$"
"""A number without its thousands' commas that is spelt as a decimal is: no nought before it, and not zero."""

_PLAIN_TEXT = r"^(?:(?:[0-9]|F[ -~]*[0-9])(?:[ -~]*[!-~])?|F[ -~]{13,}[!-~])$".replace("F", '[!"$-DF-~]')
"""ASCII without space around it that is no error (they begin with # or Err:) and no mark for nothing: it has a digit
or is longer than any of them."""

EXACT = pa.decimal128(38, 6)
"""Wide enough for the exact sum of any number of plain amounts."""


@dataclass(frozen=True)
class Spelt:
    """A column in canonical spelling, null where nothing stands; and where something stands that cannot be read."""

    values: Any
    unreadable: list[int]


def spell(cells: Any, reader: Reader) -> Spelt:
    """What the reader makes of a column of cells."""
    coded = cells.dictionary_encode()
    distinct = coded.dictionary
    plain = _plainly(distinct, reader)
    rest = pc.is_null(plain)
    found = list(map(reader.read, arrays.listed(distinct.filter(rest))))
    read = arrays.texts([value if isinstance(value, str) else None for value in found])
    values = pc.replace_with_mask(plain, rest, read)
    if UNREADABLE not in found:
        return Spelt(values.take(coded.indices), [])
    lost = pc.replace_with_mask(rest, rest, arrays.mask(value is UNREADABLE for value in found))
    return Spelt(values.take(coded.indices), arrays.true_places(lost.take(coded.indices)))


def _plainly(cells: Any, reader: Reader) -> Any:
    """The spelling of the cells that are written plainly, null for the others."""
    if reader.field.type == "number" and reader.scale == 1 and not (reader.refuses or reader.decimal_comma):
        digits = _digits(cells)
        return _only(digits, pc.match_substring_regex(digits, _AS_DECIMAL))
    if reader.field.type == "string" and not reader.codes:
        return _only(cells, pc.match_substring_regex(cells, _PLAIN_TEXT))
    return pa.nulls(len(cells), pa.string())


def plain_amounts(cells: Any) -> Any:
    """The exact decimals of the cells that are plain amounts (`-£1,234.50`), null for all others."""
    return _digits(cells).cast(EXACT)


def _digits(cells: Any) -> Any:
    """The sign, digits and point of the cells that are plain amounts, null for all others."""
    bare = cells
    for mark in (",", "£", " "):
        bare = pc.replace_substring(bare, mark, "")
    return _only(bare, pc.match_substring_regex(cells, _PLAIN_AMOUNT))


def _only(values: Any, mask: Any) -> Any:
    return pc.if_else(mask, values, arrays.texts([None])[0])
