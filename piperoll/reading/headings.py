"""Where the headings are: the row whose cells best fit what the dataset knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from piperoll.reading.amounts import is_number
from piperoll.reading.dates import is_date
from piperoll.reading.grids import Grid, Row, cell_at, is_blank, squeezed, tidy
from piperoll.reading.lexicon import Lexicon, bare

_CELL = 160
"""A heading is no longer than this; the longest real one seen is 147 characters."""


_TOP = 200
"""Within so many rows from the top one heading as listed is enough to look closer; further down it takes two."""

_START = 6
"""Further down, one of so many first cells must be a heading as listed: this keeps long files quick."""


@dataclass(frozen=True)
class HeadingRow:
    """A row of headings: where it stands (index into the grid's rows), its cells, the fields they name, how well.

    `extra` is how many rows above it carry a part of the headings. `index` is -1 where there is no such row and
    the headings are empty or come with the records.
    """

    index: int
    cells: tuple[str, ...]
    fields: frozenset[str]
    score: float
    extra: int = 0


def heading_rows(grid: Grid, lexicon: Lexicon) -> list[HeadingRow]:
    """Every row that could be a heading row, in the order of the sheet."""
    found = []
    for index, row in enumerate(grid.rows):
        if index >= _TOP and not any(map(lexicon.knows, row.cells[:_START])):
            continue
        known = sum(map(lexicon.knows, row.cells))
        if known < (1 if index < _TOP else 2):
            continue
        if candidate := _judged(index, tuple(row.cells), lexicon):
            found.append(_with_rows_above(grid, candidate, lexicon))
    return found


def structural_heading_row(grid: Grid, lexicon: Lexicon) -> HeadingRow | None:
    """The last row of words above a block of figures, where it has one heading we know; None if there is none.

    This finds tables that are not of the dataset, so that it can be said which columns they lack.
    """
    for index, row in enumerate(grid.rows[:_TOP]):
        known = {match.field for cell in row.cells if lexicon.knows(cell) for match in lexicon.meanings(cell)[:1]}
        if not known or _figures(row) or len([cell for cell in row.cells if tidy(cell)]) < 3:
            continue
        below = [other for other in grid.rows[index + 1 : index + 40] if not is_blank(other)]
        if len(below) > 2 and sum(_figures(other) >= 2 for other in below) >= 0.9 * len(below):
            return HeadingRow(index, tuple(row.cells), frozenset(known), 1.0)
    return None


def _figures(row: Row) -> int:
    return sum(1 for cell in row.cells if is_number(cell) or is_date(cell))


def best_heading_row(candidates: Sequence[HeadingRow]) -> HeadingRow | None:
    """The candidate that names the most fields, the first of equals."""
    return max(candidates, key=lambda candidate: (candidate.score, -candidate.index), default=None)


def _judged(index: int, cells: tuple[str, ...], lexicon: Lexicon, least: float = 2.0) -> HeadingRow | None:
    """The row as a candidate; None where its cells name fewer than two fields or look like data."""
    texts = [cell for cell in cells if cell and not cell.isspace()]
    dates = sum(map(is_date, texts))
    if dates + sum(map(is_number, texts)) > max(1, len(texts) // 4):
        return None
    if dates and sum(map(lexicon.knows, texts)) < 4:  # a day may head a column, but hardly among unknown ones
        return None
    best: dict[str, float] = {}
    filled = wide = 0
    for cell in cells:
        if not cell or cell.isspace():
            continue
        filled += 1
        if len(cell) > _CELL:
            continue
        meanings = lexicon.meanings(cell) if filled > 1 or not tidy(cell).isdigit() else ()
        for match in meanings[:1]:
            best[match.field] = max(best.get(match.field, 0.0), match.score)
        wide += not meanings and lexicon.is_wide(cell)
    core = lexicon.dataset.core_fields
    score = sum(value * (1.5 if name in core else 1.0) for name, value in best.items()) + min(wide, 6) * 0.5
    if score < least or len(best) + min(wide, 2) < 2:
        return None
    if (len(best) + wide) * 5 < min(filled, 20):
        return None
    return HeadingRow(index, cells, frozenset(best), score - 0.02 * max(0, filled - len(best) - wide))


def _with_rows_above(grid: Grid, candidate: HeadingRow, lexicon: Lexicon) -> HeadingRow:
    """The candidate with the group titles above it, and with their words where that names more fields."""
    above: list[Row] = []
    for row in reversed(grid.rows[max(0, candidate.index - 3) : candidate.index]):
        texts = [tidy(cell) for cell in row.cells if tidy(cell)]
        if len(texts) < 2 or any(is_number(text) or is_date(text) or len(text) > 80 for text in texts):
            break
        above.append(row)
    best = candidate
    for extra in range(1, len(above) + 1):
        merged = _merged(above[:extra], candidate.cells)
        judged = _judged(candidate.index, merged, lexicon)
        if judged and judged.score > best.score + 0.9 and judged.fields > best.fields:
            best = HeadingRow(candidate.index, merged, judged.fields, judged.score, extra)
    return best if best.extra or not above else HeadingRow(best.index, best.cells, best.fields, best.score, 0)


def _merged(above: Sequence[Row], cells: Sequence[str]) -> tuple[str, ...]:
    width = max(len(cells), *(len(row.cells) for row in above))
    lower = Row(0, None, cells)
    merged = []
    for column in range(width):
        parts = [cell_at(row, column) for row in reversed(above)] + [cell_at(lower, column)]
        merged.append(" ".join(squeezed(part) for part in parts if tidy(part)))
    return tuple(merged)


def repeats(row: Row, keys: Sequence[str], filled: Sequence[int]) -> bool:
    """Whether a row says the headings again (given by `bare`): at least seven in ten of its filled cells, and two."""
    cells = row.cells
    if len(filled) < 2 or not any(_same(keys, column, cells[column]) for column in filled[:3]):
        return False
    texts = [(column, cells[column]) for column in filled]
    same = sum(1 for text in texts if _same(keys, *text))
    named = sum(1 for key in keys if key)
    letters = any(any(char.isalpha() for char in cell) for _, cell in texts)
    return letters and same >= 2 and same >= 0.7 * len(texts) and 2 * same >= min(named, 12)


def _same(keys: Sequence[str], column: int, cell: str) -> bool:
    if column >= len(keys) or not keys[column] or len(cell) > _CELL:
        return False
    start = cell[0].lower()
    return not (start.isalnum() and start.isascii() and start != keys[column][0]) and bare(cell) == keys[column]


def stands_below(grid: Grid, heading: HeadingRow) -> bool:
    """Whether the headings come after their data: nothing follows them, and rows with figures come before."""
    after = sum(1 for row in grid.rows[heading.index + 1 :] if not is_blank(row))
    if after:
        return False
    before = [row for row in grid.rows[: heading.index] if not is_blank(row)]
    return sum(1 for row in before if any(is_number(cell) or is_date(cell) for cell in row.cells)) > len(before) // 2
