"""Columns in, masks out: what every predicate is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Cells: TypeAlias = pa.StringArray
"""A column of text, as Arrow's `string`; null where there is no value or where a predicate is not to look."""
Mask: TypeAlias = npt.NDArray[np.bool_]
"""One truth for each cell of a column."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """`unproven(cells, argument)` is true where a cell is *not* proven good; `source` is the clause that it stands for.

    A cell that it calls good is good by Frictionless's own reading. Of the others some may be good, too, unless the
    rule that uses the predicate says that it decides. What it says of a null is never looked at.
    """

    source: str
    unproven: Callable[[Cells, Any], Mask]


def mask(truths: pa.BooleanArray, *, null: bool = False) -> Mask:
    """Arrow's truths as a mask; `null` is what a null becomes."""
    return np.asarray(truths.fill_null(null).to_numpy(zero_copy_only=False), np.bool_)


def unlike(cells: Cells, expression: str) -> Mask:
    """Where a cell does not match an RE2 expression (which anchors itself)."""
    return ~mask(pc.match_substring_regex(cells, expression))


def not_in(cells: pa.Array[Any], values: pa.Array[Any]) -> Mask:
    """Where a cell is none of `values`."""
    return ~mask(pc.is_in(cells, value_set=values))


def texts(values: Iterable[str]) -> Cells:
    """Distinct texts as an Arrow array, in order."""
    return pa.array(sorted(set(values)), pa.string())
