"""Plain Python values to Arrow and back, without the detour that imports pandas (`pa.array` and `pa.scalar` do)."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Texts = Any
"""A column of text."""
Mask = Any
"""A column of truth values."""
Numbers = Any
"""A NumPy array of whole numbers."""


def texts(values: Sequence[str | None]) -> Texts:
    """A column of text, null where there is None."""
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def cells(values: Sequence[str]) -> Texts:
    """A column of text without nulls, in half the time; a lone surrogate, which is no character, becomes `?`."""
    whole = "".join(values)
    content, edges = whole.encode("utf-8", "replace"), offsets(map(len, values))
    if len(content) > len(whole):
        edges = _character_edges(content)[edges]
    return cells_of(edges, content)


def _character_edges(content: bytes) -> Numbers:
    """Where each character of UTF-8 begins, and where the last one ends."""
    starts = np.flatnonzero(np.frombuffer(content, np.uint8) & 0xC0 != 0x80)
    return np.concatenate([starts, [len(content)]]).astype(np.int32)


def cells_of(edges: Any, content: bytes) -> Texts:
    """A column of text from its UTF-8 and the 32-bit edges of the cells in it."""
    buffer = pa.py_buffer(edges)
    return pa.StringArray.from_buffers(buffer.size // 4 - 1, buffer, pa.py_buffer(content))


def one_text(content: bytes) -> Texts:
    """A column of one text, however long, whose UTF-8 is still to be validated."""
    edges: Numbers = np.array([0, len(content)], np.int64)
    return pa.LargeStringArray.from_buffers(1, pa.py_buffer(edges), pa.py_buffer(content))


def whole_numbers(values: Iterable[int | None]) -> Any:
    """A column of 64-bit integers: all there, or (if one is None or there is none) all null."""
    held = list(values)
    there = [value for value in held if value is not None]
    if len(there) < len(held) or not held:
        return pa.nulls(len(held), pa.int64())
    return _sealed(pa.int64(), "q", there)


def places(values: Iterable[int]) -> Any:
    """Positions in a column, to take."""
    return _sealed(pa.int64(), "q", values)


def lists_of(edges: Any, cells: Texts) -> Any:
    """Lists of cells from the 32-bit edges of the lists."""
    buffer = pa.py_buffer(edges)
    own: Any = pa.Array.from_buffers(pa.int32(), buffer.size // 4, [None, buffer])
    return pa.ListArray.from_arrays(own, cells)


def offsets(lengths: Iterable[int]) -> Numbers:
    """Where what has these lengths begins and ends, one after another, in 32 bits.

    Raises: OverflowError: they come to more than 32 bits can say.
    """
    ends = np.cumsum(np.fromiter(lengths, np.int64))
    if len(ends) and ends[-1] > np.iinfo(np.int32).max:
        raise OverflowError(f"{ends[-1]} bytes or cells are more than a column of Arrow holds")
    return np.concatenate([[0], ends]).astype(np.int32)


def listed(column: Any) -> list[Any]:
    """The values of a column."""
    found: list[Any] = column.to_pylist()
    return found


def number(value: int) -> Any:
    """One 64-bit integer."""
    return whole_numbers([value])[0]


def text(value: str) -> Any:
    """One text."""
    return texts([value])[0]


def mask(values: Iterable[bool]) -> Mask:
    """A column of truth values."""
    held: Mask = _sealed(pa.int8(), "b", values).cast(pa.bool_())
    return held


def mask_of(places: Iterable[int], length: int) -> Mask:
    """Truth at these places, and nowhere else."""
    held = bytearray(length)
    for place in places:
        held[place] = 1
    return mask(map(bool, held))


def true_places(column: Mask) -> list[int]:
    """Where a column of truth values is true."""
    return listed(pc.indices_nonzero(column))


def _sealed(kind: pa.DataType, code: str, values: Iterable[int]) -> Any:
    held = array(code, values)
    return pa.Array.from_buffers(kind, len(held), [None, pa.py_buffer(held)])
