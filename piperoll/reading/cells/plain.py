"""Amounts that are written plainly (`-£1,234.50`), a column at a time: what they come to and how they are spelt.

Whether a cell is plain is asked of its form, which has a 9 for every digit; the rest is done on the bytes of all cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.model.columns import Cells, Vector, pc, text_offsets, texts_from_buffers, to_flags, utf8
from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.grids.forms import forms_in

_PLAIN = r"^ *(?:-?£?|£-)(?:9{1,3}(?:,9{3}){1,4}|9{1,15})(?:\.9{1,6})? *$"
"""The form of a plain amount (for RE2)."""

_AS_DECIMAL = r"^-?(?:[1-9][0-9]*(?:\.[0-9]+)?|0\.[0-9]*[1-9][0-9]*)$"
"""A number without its thousands' commas that is spelt as a decimal is: no nought before it, and not zero."""

PLACES = 6
_DIGITS = 12
"""Digits before the point: with six places more they fit into 64 bits."""

_MINUS, _POINT, _NOUGHT = np.frombuffer(b"-.0", np.uint8)


@dataclass(frozen=True)
class Plain:
    """The cells of a column as far as they are plain amounts: `there` says which are."""

    cells: Cells

    @cached_property
    def _coded(self) -> Any:
        return forms_in(self.cells).dictionary_encode()

    @cached_property
    def _forms(self) -> tuple[Any, Any]:
        """Which of the distinct forms are plain amounts, and how many places those have."""
        forms = self._coded.dictionary
        plain = to_flags(pc.match_substring_regex(forms, _PLAIN))
        places = np.zeros(len(forms), np.int64)
        for place in np.flatnonzero(plain):
            whole, _, part = forms[place].as_py().strip().partition(".")
            places[place] = len(part)
            plain[place] = whole.count("9") <= _DIGITS
        return plain, places

    @cached_property
    def there(self) -> Vector:
        """Which cells are plain amounts of at most twelve digits before the point."""
        return self._forms[0][self._coded.indices.to_numpy()]

    @property
    def none(self) -> Vector:
        """Which cells surely state no amount: none of their form does."""
        own = self._forms[0].copy()
        for place in np.flatnonzero(~own):
            own[place] = read_amount(self._coded.dictionary[place].as_py()) is not None
        return ~own[self._coded.indices.to_numpy()]

    @cached_property
    def _own(self) -> Cells:
        return self.cells if self.there.all() else self.cells.filter(pa.array(self.there))

    @cached_property
    def millionths(self) -> Vector:
        """What each cell comes to, in millionths; 0 where it is no plain amount."""
        places = self._forms[1][self._coded.indices.to_numpy()[self.there]]
        digits, signs = _only(self._own, digits=True), _only(self._own, digits=False)
        values = digits.cast(pa.int64()).to_numpy() * 10 ** (PLACES - places)
        found = np.zeros(len(self.cells), np.int64)
        found[self.there] = np.where(_begins(signs, _MINUS), -values, values)
        return found

    @property
    def spelt(self) -> Cells:
        """The canonical spelling of the plain amounts, null for all other cells and where a nought stands before."""
        bare = _only(self._own, digits=False)
        odd = _begins(_only(self._own, digits=True), _NOUGHT)
        if odd.any():
            fits = pc.match_substring_regex(bare.filter(pa.array(odd)), _AS_DECIMAL)
            bare = pc.if_else(pa.array(_but(odd, ~to_flags(fits))), pa.scalar(None, pa.string()), bare)
        if self.there.all():
            return bare
        return pc.replace_with_mask(pa.nulls(len(self.cells), pa.string()), pa.array(self.there), bare)


def _but(odd: Vector, wrong: Vector) -> Vector:
    """Those of the odd ones that are wrong."""
    found = odd.copy()
    found[odd] = wrong
    return found


def _only(cells: Cells, *, digits: bool) -> Cells:
    """The cells with nothing but their digits, or their digits, signs and points."""
    edges = text_offsets(cells)
    text = utf8(cells)[edges[0] : edges[-1]]
    kept = text - _NOUGHT < len("0123456789")
    if not digits:
        kept |= (text == _MINUS) | (text == _POINT)
    so_far = np.zeros(len(text) + 1, np.int32)
    np.cumsum(kept, out=so_far[1:])
    return texts_from_buffers(so_far[edges - edges[0]], text[kept].tobytes())


def _begins(cells: Cells, letter: Any) -> Vector:
    """Which cells, none of them empty, begin with a letter."""
    return utf8(cells)[text_offsets(cells)[:-1]] == letter


def total(millionths: Vector) -> Decimal:
    """The exact sum."""
    whole, part = np.divmod(millionths, 10**PLACES)
    return Decimal(int(whole.sum()) * 10**PLACES + int(part.sum())).scaleb(-PLACES)
