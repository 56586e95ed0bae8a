"""Checking without pandas, which takes half a second to import: as long as a council's file takes to be checked."""

from __future__ import annotations

import sys
from functools import cache
from importlib.abc import MetaPathFinder

import pyarrow as pa

_PANDAS = "pandas"


class _Without(MetaPathFinder):
    """Says of pandas that it is not installed."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """None for any other module: whoever knows it may find it."""
        if fullname == _PANDAS:
            raise ModuleNotFoundError(f"No module named '{_PANDAS}'", name=_PANDAS)


@cache
def leave_pandas_out() -> None:
    """Make Arrow work without pandas from here on, unless that is there already.

    The first time that Arrow is given Python values it imports pandas, to tell whether they are of its kinds. It looks
    for it once: when it is not found, Arrow asks no more, until somebody wants a frame (`to_pandas`), as Great
    Expectations does. Anybody else may import pandas at any time.
    """
    if _PANDAS in sys.modules:
        return
    without = _Without()
    sys.meta_path.insert(0, without)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(without)
