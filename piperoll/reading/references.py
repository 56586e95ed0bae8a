"""References that a program has taken for numbers on their way: what the distinct cells of a column show of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from piperoll.reading.grids import tidy

_DECIMAL = re.compile(r"\d+\.0\Z", re.ASCII)
_DIGITS = re.compile(r"\d+\Z", re.ASCII)
_LEAST = 3
"""Distinct references that begin with a nought, from which on they show how long references are."""


def decimal_references(counts: Mapping[str, int]) -> list[str]:
    """The cells that are whole numbers with a point and a nought behind them: `12345.0`."""
    return [cell for cell in counts if _DECIMAL.match(tidy(cell))]


def short_references(counts: Mapping[str, int]) -> tuple[int, list[str]]:
    """How many digits the references have that begin with a nought, and the cells that lack some of them.

    Only where every cell is digits alone, those with a nought are all of one length and none is longer: then a
    shorter one has probably lost its own. (0, []) where the column shows no such thing.
    """
    cells = {cell: tidy(cell) for cell in counts if tidy(cell)}
    led = [text for text in cells.values() if text.startswith("0")]
    if len(led) < _LEAST or not all(map(_DIGITS.match, cells.values())):
        return 0, []
    width = len(led[0])
    if any(len(text) != width for text in led) or any(len(text) > width for text in cells.values()):
        return 0, []
    return width, [cell for cell, text in cells.items() if len(text) < width]
