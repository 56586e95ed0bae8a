"""Columns of Arrow as arrays of NumPy and back, without the detour that imports pandas (`to_numpy` does)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Numbers: TypeAlias = "npt.NDArray[np.int64]"
"""Whole numbers: rows, or places in a column."""
Flags: TypeAlias = "npt.NDArray[np.bool_]"
"""A truth value for each cell of a column."""
Cells: TypeAlias = "pa.Array[Any]"


def numbers(column: Cells) -> npt.NDArray[Any]:
    """A column of whole numbers without nulls."""
    kind = np.dtype(f"i{column.type.bit_width // 8}")
    if not len(column):
        return np.empty(0, kind)
    content: Any = column.buffers()[1]
    return np.frombuffer(content, kind)[column.offset :][: len(column)]


def there(column: Cells) -> Flags:
    """Which cells hold something."""
    validity = column.buffers()[0]
    return np.ones(len(column), np.bool_) if validity is None else _bits(validity, column)


def true(column: Cells) -> Flags:
    """Which cells of a column of truth values are true; null is not."""
    return _bits(column.buffers()[1], column) & there(column) if len(column) else np.zeros(0, np.bool_)


def _bits(buffer: Any, column: Cells) -> Flags:
    first = column.offset // 8
    bits = np.unpackbits(np.frombuffer(buffer, np.uint8)[first:], bitorder="little")
    return bits[column.offset - 8 * first :][: len(column)].view(np.bool_)


def mask(flags: Flags) -> Cells:
    """Truth values as a column, to filter by."""
    bits: Any = np.packbits(flags, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(flags), [None, pa.py_buffer(bits)])


def places(positions: Numbers) -> Cells:
    """Places in a column, to take."""
    content: Any = np.ascontiguousarray(positions)
    return pa.Array.from_buffers(pa.int64(), len(positions), [None, pa.py_buffer(content)])


def texts(values: Sequence[str]) -> Cells:
    """Texts as a column."""
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()
