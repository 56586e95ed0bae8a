"""Columns of Arrow and vectors of NumPy: the types that every layer shares, and the idioms that Arrow has no name for.

Plain conversions need no helper: `pa.array(values)` makes a column from Python or NumPy values, `column.to_pylist()`
and `column.to_numpy()` go back. This module is the only one in `piperoll.model` that needs more than the standard
library.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

Cells: TypeAlias = Any
"""One column of a batch, a `pa.Array`; untyped, like `pc`."""

Mask: TypeAlias = Any
"""One column of truth values, to filter by."""

Vector: TypeAlias = Any
"""A NumPy vector."""

Integers: TypeAlias = "npt.NDArray[np.int64]"
"""A NumPy vector of integers: row numbers, or indices into a column."""

Flags: TypeAlias = "npt.NDArray[np.bool_]"
"""A NumPy vector with a truth value for each cell of a column."""

pc: Any = pyarrow.compute
"""`pyarrow.compute`, untyped: its published stubs describe an earlier release and reject valid calls."""


class _HidePandas(MetaPathFinder):
    """An import hook that reports pandas as not installed."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Raise for pandas; return None for every other module, so that the next finder looks for it."""
        if fullname == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name="pandas")


def _leave_pandas_out() -> None:
    """Make Arrow convert values without importing pandas, unless pandas is imported already.

    The first `pa.array` or `to_numpy` of a process imports pandas to recognise its types, which takes half a second: as
    long as checking a council's file. Arrow looks for pandas once; if the import fails, it does not try again until
    someone asks for a data frame (`to_pandas`), as Great Expectations does. Other code can import pandas at any time.
    """
    if "pandas" in sys.modules:
        return
    hook = _HidePandas()
    sys.meta_path.insert(0, hook)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(hook)


_leave_pandas_out()


def texts(values: Sequence[str | None]) -> Cells:
    """A column of text. A lone surrogate, which UTF-8 cannot hold, becomes `?`."""
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        return pa.array([value and value.encode("utf-8", "replace").decode() for value in values], pa.string())


def to_flags(mask: Mask) -> Flags:
    """A column of truth values as a vector; null counts as False."""
    known = pc.fill_null(mask, False) if mask.null_count else mask
    vector: Flags = known.to_numpy(zero_copy_only=False)
    return vector


def is_filled(column: Cells) -> Flags:
    """Which cells of a column are not null."""
    vector: Flags = pc.is_valid(column).to_numpy(zero_copy_only=False)
    return vector


def mask_at(indices: Iterable[int], length: int) -> Mask:
    """A mask of this length that is true at the given indices."""
    found = np.zeros(length, np.bool_)
    found[list(indices)] = True
    return pa.array(found)


def true_indices(mask: Mask) -> list[int]:
    """The indices at which a mask is true."""
    found: list[int] = pc.indices_nonzero(mask).to_pylist()
    return found


def offsets(lengths: Iterable[int]) -> npt.NDArray[np.int32]:
    """The 32-bit Arrow offsets of consecutive items with these lengths.

    Raises: OverflowError: the total does not fit into 32 bits.
    """
    ends = np.cumsum(np.fromiter(lengths, np.int64))
    if len(ends) and ends[-1] > np.iinfo(np.int32).max:
        raise OverflowError(f"{ends[-1]} bytes or cells are more than a column of Arrow holds")
    return np.concatenate([[0], ends]).astype(np.int32)


def texts_from_buffers(edges: Any, content: Any) -> Cells:
    """A column of text from its 32-bit offsets and its UTF-8, neither of which is validated."""
    buffer = pa.py_buffer(edges)
    return pa.StringArray.from_buffers(buffer.size // 4 - 1, buffer, pa.py_buffer(content))


def lists_from_offsets(edges: Any, cells: Cells) -> Cells:
    """A column of lists of cells from the 32-bit offsets of the lists."""
    buffer = pa.py_buffer(edges)
    own: Any = pa.Array.from_buffers(pa.int32(), buffer.size // 4, [None, buffer])
    return pa.ListArray.from_arrays(own, cells)


def large_text(content: bytes) -> Cells:
    """A column of one text from UTF-8 that is still to be validated; it may be larger than 2 GiB."""
    edges: Any = np.array([0, len(content)], np.int64)
    return pa.LargeStringArray.from_buffers(1, pa.py_buffer(edges), pa.py_buffer(content))


def text_offsets(cells: Cells) -> npt.NDArray[np.int32]:
    """The offsets of each text of a column in its `utf8`, and the end of the last."""
    if not len(cells):
        return np.zeros(1, np.int32)
    content: Any = cells.buffers()[1]
    return np.frombuffer(content, np.int32, len(cells) + 1, cells.offset * 4)


def utf8(cells: Cells) -> npt.NDArray[np.uint8]:
    """The bytes of a column of text; a slice shares the bytes of the whole column."""
    content: Any = cells.buffers()[2]
    return np.frombuffer(content or b"", np.uint8)


def with_utf8(cells: Cells, content: Any) -> Cells:
    """A column of text without nulls with other bytes: `content` replaces its `utf8`, byte for byte."""
    return pa.StringArray.from_buffers(len(cells), cells.buffers()[1], pa.py_buffer(content), offset=cells.offset)


def constant_text(cells: Cells) -> str | None:
    """The text that every cell of a column of text has, an empty one if all are null; None if they differ.

    It compares bytes: a fraction of what any work on each cell takes. A column of fewer than two cells is not constant.
    """
    size = len(cells)
    if size < 2 or not pa.types.is_string(cells.type):
        return None
    if cells.null_count:
        return "" if cells.null_count == size else None
    edges = text_offsets(cells)
    start, end, width = int(edges[0]), int(edges[-1]), int(edges[1] - edges[0])
    if end - start != size * width or (np.diff(edges) != width).any():
        return None
    content = utf8(cells)[start:end]
    if width and (content[width:] != content[:-width]).any():
        return None
    return content[:width].tobytes().decode()
