"""References that a program has taken for numbers on their way: what the distinct cells of a column show of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from piperoll.model import Field
from piperoll.reading.grids.grid import tidy

_DECIMAL = re.compile(r"\d+\.0\Z", re.ASCII)
_DIGITS = re.compile(r"\d+\Z", re.ASCII)
_LEAST = 3
"""Distinct references that begin with a nought, from which on they show how long references are."""

_WIDTHS = {"company_number": 8}
"""Characters of a register's numbers, by the end of the field's name: Companies House gives eight."""


def known_width(field: Field) -> int | None:
    """How many characters a register gives to all its numbers; None where they differ or nobody can say."""
    return next((width for end, width in _WIDTHS.items() if field.name.endswith(end)), None)


def decimal_references(counts: Mapping[str, int]) -> list[str]:
    """The cells that are whole numbers with a point and a nought behind them: `12345.0`."""
    return [cell for cell in counts if _DECIMAL.match(tidy(cell))]


def short_references(counts: Mapping[str, int], width: int | None = None) -> tuple[int, list[str]]:
    """How many digits the references have, and the cells of digits alone that lack some of them.

    `width` is given for references of a register that gives all of them the same. Else the column must show it: every
    cell is digits alone, those with a nought before them are all of one length, and none is longer; then a shorter one
    has probably lost its own. (0, []) where nothing shows.
    """
    cells = {cell: tidy(cell) for cell in counts if tidy(cell)}
    width = width or _shown(list(cells.values()))
    short = [cell for cell, text in cells.items() if _DIGITS.match(text) and len(text) < width]
    return (width, short) if short else (0, [])


def _shown(texts: list[str]) -> int:
    """The length of the references that begin with a nought, if the column shows that all have it; else 0."""
    led = {len(text) for text in texts if text.startswith("0")}
    enough = sum(text.startswith("0") for text in texts) >= _LEAST
    if len(led) != 1 or not enough or not all(map(_DIGITS.match, texts)) or max(map(len, texts)) > max(led):
        return 0
    return max(led)
