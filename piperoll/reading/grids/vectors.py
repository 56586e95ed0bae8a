"""NumPy vectors to Arrow columns and back, without the detour that imports pandas (`pa.array` and `to_numpy` do)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

Vector = Any
"""A NumPy array of one dimension."""


def numbers(column: Any) -> Vector:
    """The values of a column of integers without nulls."""
    kind = np.dtype(f"int{column.type.bit_width}")
    return (
        np.frombuffer(column.buffers()[1], kind, len(column), column.offset * kind.itemsize)
        if len(column)
        else (np.zeros(0, kind))
    )


def column(values: Vector) -> Any:
    """A column of 64-bit integers."""
    held: Vector = np.ascontiguousarray(values, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(held), [None, pa.py_buffer(held)])


def mask(truths: Vector) -> Any:
    """A column of truth values."""
    packed: Vector = np.packbits(truths, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(truths), [None, pa.py_buffer(packed)])


def truths(mask: Any) -> Vector:
    """The values of a column of truth values, a null as False."""
    bits = _bits(mask, 1)
    return bits if mask.null_count == 0 else bits & _bits(mask, 0)


def _bits(mask: Any, buffer: int) -> Vector:
    packed = np.frombuffer(mask.buffers()[buffer] or b"", np.uint8)
    return np.unpackbits(packed, bitorder="little")[mask.offset : mask.offset + len(mask)].astype(np.bool_)


def edges(cells: Any) -> Vector:
    """Where each of a column of texts begins in `letters`, and where the last ends."""
    if not len(cells):
        return np.zeros(1, np.int32)
    return np.frombuffer(cells.buffers()[1], np.int32, len(cells) + 1, cells.offset * 4)


def letters(cells: Any) -> Vector:
    """The bytes of a column of texts, and maybe of those beside them."""
    return np.frombuffer(cells.buffers()[2] or b"", np.uint8)
