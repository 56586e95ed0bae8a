"""One row of a file as it was sent, before anything was made of it."""

from __future__ import annotations

from piperoll.reading.files.kinds import classify
from piperoll.reading.files.opening import open_file
from piperoll.reading.grids.grid import Row


def row_as_sent(content: bytes, sheet: str | None, number: int) -> Row | None:
    """The row that a spreadsheet program shows under this number in this sheet (None: the file has no sheets).

    None where the file has no such row, as an OCDS package has none.
    """
    grids = [grid for grid in open_file(classify(content)).grids if grid.sheet == sheet]
    return next((row for grid in grids for row in grid.rows if row.number == number), None)
