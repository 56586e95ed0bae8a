"""A grid parted at its heading rows: which rows belong under which headings."""

from __future__ import annotations

from dataclasses import dataclass

from piperoll.reading.grids import Grid, is_blank, tidy
from piperoll.reading.headings import (
    HeadingRow,
    best_heading_row,
    heading_rows,
    repeats,
    stands_below,
    structural_heading_row,
)
from piperoll.reading.lexicon import Lexicon, bare
from piperoll.reading.rows import Rows


@dataclass(frozen=True)
class Section:
    """Rows under one row of headings; `below` says that the headings come after the rows."""

    heading: HeadingRow
    rows: Rows
    below: bool = False


def sections_of(grid: Grid, lexicon: Lexicon) -> list[Section]:
    """The grid's sections in order; empty where no row names columns that the dataset knows.

    The first is the one whose headings name most. A later row of headings opens a section of its own only if it
    is no repetition and names nearly as much.
    """
    if grid.headings is not None:
        return [Section(_given(grid.headings, lexicon), grid.rows)]
    candidates = heading_rows(grid, lexicon)
    best = best_heading_row(candidates) or structural_heading_row(grid, lexicon)
    if best is None:
        return []
    if stands_below(grid, best):
        return [Section(best, grid.rows[: best.index], below=True)]
    opening = [best]
    for other in candidates:
        if other.index > best.index and _is_new(other, best, opening[-1], grid):
            opening.append(other)
    ends = [heading.start for heading in opening[1:]] + [len(grid.rows)]
    return [Section(heading, grid.rows[heading.end : end]) for heading, end in zip(opening, ends, strict=True)]


def _given(headings: tuple[str, ...], lexicon: Lexicon) -> HeadingRow:
    fields = {match.field for heading in headings for match in lexicon.meanings(heading)[:1]}
    return HeadingRow(-1, headings, frozenset(fields), float(len(fields)))


def _is_new(other: HeadingRow, best: HeadingRow, last: HeadingRow, grid: Grid) -> bool:
    row = grid.rows[other.index]
    filled = [column for column, cell in enumerate(row.cells) if tidy(cell)]
    if other.score < 0.6 * best.score or repeats(row, tuple(map(bare, last.cells)), filled):
        return False
    return any(not is_blank(row) for row in grid.rows[other.index + 1 : other.index + 6])
