"""One spelling for each value, and its type in Parquet.

CSV has text, Parquet has types: both are made here from the same canonical strings, so they always agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa

from piperoll.errors import ConservationError, DescriptorError
from piperoll.model import Field
from piperoll.model.columns import Cells, pc

SCALES = (4, 10, 18)
"""Decimal places of a Parquet column: the first that holds every value of the release exactly.

Few steps, so that nearly all releases of a dataset share one type: a reader that joins files takes the type of the
first and would round the others. Four places hold a sub-penny amount; 18 leave 20 digits for whole pounds.
"""

_DIGITS = 38
_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}


@dataclass(frozen=True, slots=True)
class PublishedColumn:
    """A published column: its field, and for a number the decimal places that it is kept with."""

    field: Field
    scale: int = SCALES[0]

    @property
    def name(self) -> str:
        """The field's name, which is the heading in CSV and Parquet."""
        return self.field.name

    @property
    def type(self) -> pa.DataType:
        """The Arrow type that Parquet keeps. Raises: DescriptorError: the field's type is none that we publish."""
        if self.field.type == "number":
            return pa.decimal128(_DIGITS, self.scale)
        if self.field.type not in _TYPES:
            raise DescriptorError(f"field {self.name}: type '{self.field.type}' is none of {', '.join(_TYPES)}, number")
        return _TYPES[self.field.type]

    def typed(self, cells: Cells) -> Cells:
        """Canonical strings as values of the column's type, exactly.

        Raises: ConservationError: a cell cannot be kept exactly as this type.
        """
        try:
            if self.field.type == "integer":
                return cells.cast(pa.decimal128(_DIGITS, 0)).cast(pa.int64())
            return cells.cast(self.type)
        except pa.ArrowInvalid as error:
            raise ConservationError(
                f"field {self.name}: a cell is no {self.field.type} as we spell it: {error}"
            ) from error

    def spelled(self, cells: Cells) -> Cells:
        """Cells in the one spelling of their values: `1250.00`, `2026-10-01`, `true`; an empty text is a null."""
        if self.field.type == "string":
            filled: Cells = pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
            return filled
        if self.field.type == "number":
            return plain_decimals(self.typed(cells), places=2 if self.field.unit == "GBP" else 0)
        return self.typed(cells).cast(pa.string())


def scale_for(columns: Iterable[Cells]) -> int:
    """The decimal places with which every number in `columns` (canonical strings) is kept exactly.

    Raises: ConservationError: a number has more places than any column can keep.
    """
    places = max((_places(cells) for cells in columns), default=0)
    if places > _DIGITS:
        raise ConservationError(f"a number has {places} decimal places: {_DIGITS} are the most that Parquet can keep")
    return next((scale for scale in SCALES if scale >= places), places)


def _places(cells: Cells) -> int:
    short = pc.utf8_rtrim(cells, "0")
    point = pc.find_substring(short, ".")
    after = pc.if_else(pc.less(point, 0), 0, pc.subtract(pc.subtract(pc.utf8_length(short), point), 1))
    return pc.max(after).as_py() or 0


def plain_decimals(values: Cells, places: int) -> Cells:
    """Decimals as digits and a point with at least `places` after it, never an exponent, no needless noughts."""
    cells = values.cast(pa.string())
    if pc.any(pc.match_substring(cells, "E")).as_py():  # Arrow writes the smallest with an exponent
        cells = pa.array([None if value is None else _digits(value) for value in values.to_pylist()], pa.string())
    noughts = r"\.?0+$" if places == 0 else rf"(\.\d{{{places}}}\d*?)0+$"
    plain: Cells = pc.replace_substring_regex(cells, noughts, "" if places == 0 else r"\1")
    return plain


def _digits(value: Decimal) -> str:
    return f"{value:f}"
