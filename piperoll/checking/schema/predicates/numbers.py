"""Integers and numbers: only what is spelled plainly is proven; padding, exponents, underscores and NaN are doubted.

Table Schema, "integer" and "number". Amounts are compared as decimals and never as floats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from piperoll.checking.schema.predicates.masks import Cells, Mask, mask, not_in, unlike

DECIMAL = pa.decimal128(38, 9)
"""Wide enough for every number that `number_unproven` calls plain: 25 digits before the point, 9 after it."""
WHOLE = pa.int64()
_PLAIN_INTEGER = r"\A-?[0-9]{1,18}\z"
_PLAIN_YEAR = r"\A[0-9]{4}\z"


@dataclass(frozen=True, slots=True)
class NumberForm:
    """How a field spells numbers. `group` is "" where digits are not grouped; `bare` as Table Schema's bareNumber."""

    decimal: str = "."
    group: str = ""
    bare: bool = True

    @property
    def plain(self) -> str:
        """The RE2 expression of a number that is plain in this form."""
        group = re.escape(self.group)
        whole = f"[0-9](?:{group}?[0-9]){{0,24}}" if group else "[0-9]{1,25}"
        number = f"-?{whole}(?:{re.escape(self.decimal)}[0-9]{{1,9}})?"
        return rf"\A{number}\z" if self.bare else rf"\A[£$€ ]*{number}[% ]*\z"


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound, or the values of an enum, and how the cells beside it are spelled: None for integers and years."""

    value: Any
    form: NumberForm | None


def integer_unproven(cells: Cells, _: object) -> Mask:
    """Not up to 18 ASCII digits, with or without a minus: Python's `int` reads those, and they fit an int64."""
    return unlike(cells, _PLAIN_INTEGER)


def year_unproven(cells: Cells, _: object) -> Mask:
    """Not four ASCII digits. Frictionless takes 0000 to 9999, and any text of four characters that `int` reads."""
    return unlike(cells, _PLAIN_YEAR)


def number_unproven(cells: Cells, form: NumberForm) -> Mask:
    """Not a plain decimal in the field's own form."""
    return unlike(cells, form.plain)


def below_minimum(cells: Cells, bound: Bound) -> Mask:
    """Less than the bound."""
    return mask(pc.less(read(cells, bound.form), bound.value))


def above_maximum(cells: Cells, bound: Bound) -> Mask:
    """More than the bound."""
    return mask(pc.greater(read(cells, bound.form), bound.value))


def not_above_minimum(cells: Cells, bound: Bound) -> Mask:
    """The bound or less."""
    return mask(pc.less_equal(read(cells, bound.form), bound.value))


def not_below_maximum(cells: Cells, bound: Bound) -> Mask:
    """The bound or more."""
    return mask(pc.greater_equal(read(cells, bound.form), bound.value))


def not_among_numbers(cells: Cells, bound: Bound) -> Mask:
    """None of the values, whatever their spelling: 1.50 is 1.5."""
    return not_in(read(cells, bound.form), bound.value)


def read(cells: Cells, form: NumberForm | None) -> pa.Array[Any]:
    """Plain cells as numbers, null where they are null: int64 without a form, else decimals."""
    return pc.cast(cells, WHOLE) if form is None else pc.cast(bare(cells, form), DECIMAL)


def bare(cells: Cells, form: NumberForm) -> Cells:
    """Plain cells without their signs of money, groups, and with a point: text that `Decimal` reads."""
    if not form.bare:
        cells = pc.utf8_trim(cells, "£$€% ")
    if form.group:
        cells = pc.replace_substring(cells, form.group, "")
    return cells if form.decimal == "." else pc.replace_substring(cells, form.decimal, ".")


def exact(value: Any, form: NumberForm | None) -> Any:
    """A bound of a descriptor as an Arrow scalar; None where it is not plain, so that it cannot be compiled."""
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return None
    cells = pa.array([text], pa.string())
    # what the descriptor writes as a number of JSON has a point, whatever the cells have
    spelled = form if isinstance(value, str) else form and NumberForm()
    if (integer_unproven(cells, None) if spelled is None else number_unproven(cells, spelled))[0]:
        return None
    if form is None:
        return pa.scalar(int(text), WHOLE)
    return pa.scalar(Decimal(bare(cells, spelled or form)[0].as_py()), DECIMAL)
