"""Garbled letters in the cells of a workbook: mended as in a text, and told by the cell of the first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from piperoll.reading.files.encodings import Spot
from piperoll.reading.files.mojibake import Found, garbled, mend
from piperoll.reading.grids.grid import Grid, Row, letter
from piperoll.reading.grids.rows import Rows

_TRACES = tuple(trace.encode() for trace in "ÂÃâ¬┬├Ł")
"""What garbled letters begin with, nearly always; a sheet without any of these is not gone through."""


@dataclass
class _Tally:
    """What was found in the cells so far."""

    mended: Spot = field(default_factory=Spot)
    garbled: Spot = field(default_factory=Spot)

    def mend(self, row: Row) -> Row:
        """The row with its cells mended, and counted."""
        return row._replace(cells=[self._mend(cell, row.number, place) for place, cell in enumerate(row.cells)])

    def _mend(self, cell: str, number: int, place: int) -> str:
        if cell.isascii():
            return cell
        better, found = mend(cell)
        self.mended = _and_then(self.mended, found, f"cell {letter(place)}{number}")
        self.garbled = _and_then(self.garbled, garbled(better), f"cell {letter(place)}{number}")
        return better


def _and_then(spot: Spot, found: Found, cell: str) -> Spot:
    if spot.count or not found.count:
        return replace(spot, count=spot.count + found.count)
    return Spot(found.count, None, found.example, cell)


def mended_sheet(grid: Grid) -> tuple[Grid, Spot, Spot]:
    """A sheet with its letters mended, what was mended, and what is garbled still."""
    if not any(trace in block.text for block in grid.rows.blocks() for trace in _TRACES):
        return grid, Spot(), Spot()
    tally = _Tally()
    better = Rows.of(map(tally.mend, grid.rows))
    return (replace(grid, rows=better) if tally.mended.count else grid), tally.mended, tally.garbled
