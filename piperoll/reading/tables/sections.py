"""Divide a grid into its tables: which rows and columns belong to which headings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from piperoll.model.mapping import bare
from piperoll.reading.cells.amounts import is_number
from piperoll.reading.cells.dates import is_date
from piperoll.reading.columns.lexicon import Lexicon
from piperoll.reading.grids.grid import Grid, Row, Rows, is_blank, tidy
from piperoll.reading.tables import heading_rows
from piperoll.reading.tables.heading_rows import HeadingRow

Span = tuple[int, int]
"""A range of columns, counted from 0, without the last."""

_LOOK_FOR_GAPS = 400
"""The number of rows from the headings on that show which columns are empty."""


def find_spans(grid: Grid, best: HeadingRow, lexicon: Lexicon) -> list[Span]:
    """Return the columns of each table if two or more are side by side; empty for one table.

    Each table has headings for every core field and repeats some of the other's. An empty column separates tables, or
    their headings start again: `Date, Supplier, Amount, Date, Supplier, Amount`.
    """
    first = max(0, best.start - 5)
    near = grid.rows[first : best.index + _LOOK_FOR_GAPS]
    used: set[int] = set()
    for row in near:
        used.update(column for column, cell in enumerate(row.cells) if column not in used and tidy(cell))
    filled = sorted(used)
    runs: list[list[int]] = []
    for column in filled:
        if runs and column == runs[-1][-1] + 1:
            runs[-1].append(column)
        else:
            runs.append([column])
    named: dict[int, frozenset[str]] = {}  # the fields of each run of columns; none unless they are the whole core
    # one run from the first row on is the grid itself, whose headings are `best`
    for run in runs if first or len(runs) > 1 else []:
        if len(run) > 1:
            part = Grid(None, Rows.of(mask_rows(near, (run[0], run[-1] + 1))))
            found = heading_rows.choose_heading_row(heading_rows.find_heading_rows(part, lexicon))
            named[run[0]] = frozenset()
            if found is not None and heading_rows.names_core(found, lexicon):
                named[run[0]] = found.fields
    again = any(one & other for one, other in combinations(named.values(), 2))
    starts = [start for start, fields in named.items() if fields] if again else _beginnings(best, lexicon)
    if len(starts) < 2:
        return []
    starts[0] = 0
    return list(pairwise([*starts, max(grid.width, filled[-1] + 1)]))


def _beginnings(best: HeadingRow, lexicon: Lexicon) -> list[int]:
    """Return where a row of headings starts again from its first heading; empty if it does not repeat throughout."""
    named = [(column, bare(cell)) for column, cell in enumerate(best.cells) if bare(cell)]
    for times in range(len(named) // 2, 1, -1):
        size, rest = divmod(len(named), times)
        keys = [key for _, key in named[:size]]
        if rest or len(set(keys)) < size or keys * times != [key for _, key in named]:
            continue
        fields = {match.field for column, _ in named[:size] for match in lexicon.meanings(best.cells[column])[:1]}
        if not lexicon.dataset.missing_core(fields, period_given=True):
            return [column for column, _ in named[::size]]
    return []


def mask_rows(rows: Rows, span: Span) -> Iterator[Row]:
    """Yield the rows with all cells outside the span emptied; every cell keeps its letter."""
    start, end = span
    for row in rows:
        yield Row(row.number, row.line, [""] * min(start, len(row.cells)) + list(row.cells[start:end]))


def mask_grid(grid: Grid, span: Span) -> Grid:
    """Return the grid with all cells outside the span emptied."""
    return replace(grid, rows=Rows.of(mask_rows(grid.rows, span)))


_NEARLY = 0.6
"""Headings with at least this share of the best score open a table of the same kind."""

_NEAR = 6
"""A table begins within this many rows below its headings."""


@dataclass(frozen=True, slots=True)
class RowShift:
    """Rows whose cells are one column to the right (1) or left (-1) of their headings, from a column on.

    `column` is where the cell was inserted or left out; `first` and `last` are the numbers of the rows.
    """

    shift: int
    column: int
    first: int
    last: int
    certain: bool = True

    def headings(self, cells: Sequence[str]) -> tuple[str, ...]:
        """The headings as they stand above the cells of these rows."""
        if self.shift > 0:
            return (*cells[: self.column], "", *cells[self.column :])
        return (*cells[: self.column], *cells[self.column + 1 :])


_TITLE_ROWS, _TITLE_CELLS, _TITLE_LENGTH = 12, 3, 200
"""Titles are texts of at most 200 characters in the last 12 rows above the headings; more than 3 are a record."""


@dataclass(frozen=True)
class Section:
    """Rows under one row of headings; `below` means that the headings come after the rows.

    `span` are its columns if tables are side by side. A `lesser` section has little more than the core, in a sheet with
    a fuller table: it may be a summary of that table.
    """

    heading: HeadingRow
    rows: Rows
    below: bool = False
    span: Span | None = None
    lesser: bool = False
    heading_texts: frozenset[tuple[str, ...]] = frozenset()
    """The rows of the headings and the titles above them, as sent."""

    def rows_above(self, grid: Grid) -> Rows:
        """Return the last rows above the headings; none if the headings come after the records."""
        start = 0 if self.below else max(0, self.heading.start)
        return grid.rows[max(0, start - _TITLE_ROWS) : start]

    def find_titles(self, grid: Grid) -> tuple[str, ...]:
        """Return the texts above the headings that can name the period, from the last row up."""
        rows = [[text for cell in row.cells if (text := tidy(cell))] for row in self.rows_above(grid)]
        titles = [text for cells in reversed(rows) if len(cells) <= _TITLE_CELLS for text in cells]
        return tuple(text for text in titles if 3 <= len(text) <= _TITLE_LENGTH)

    continues: bool = False
    """Whether the rows go on from those of the section before, below the same row of headings."""
    signed: tuple[int, int] | None = None
    """The column whose marks gave amounts a minus sign, and how many; None if no sign was added."""
    shifted: RowShift | None = None
    """How the cells of these rows stand to their headings; `heading` gives the headings as they should stand."""


def find_sections(grid: Grid, lexicon: Lexicon) -> list[Section]:
    """Return the grid's sections in order of their rows; empty if no row names columns that the dataset knows.

    The headings that name the most fields open a section. Others open one too if they are no repetition and name nearly
    as many fields, or the whole core. Tables side by side are read one after the other.
    """
    if grid.headings is not None:
        fields = {match.field for heading in grid.headings for match in lexicon.meanings(heading)[:1]}
        given = HeadingRow(-1, grid.headings, frozenset(fields), float(len(fields)))
        return [Section(given, grid.rows)]
    candidates = heading_rows.find_heading_rows(grid, lexicon)
    best = heading_rows.choose_heading_row(candidates) or heading_rows.find_structural_headings(grid, lexicon)
    if best is None:
        return []
    if heading_rows.is_below_data(grid, best):
        return [Section(best, grid.rows[heading_rows.index_of_first_full(grid, best) : best.start], below=True)]
    if spans := find_spans(grid, best, lexicon):
        bands = [(span, mask_grid(grid, span)) for span in spans]
        return [replace(part, span=span) for span, each in bands for part in _stacked(each, lexicon)]
    return _stacked(grid, lexicon, candidates)


def _stacked(grid: Grid, lexicon: Lexicon, candidates: list[HeadingRow] | None = None) -> list[Section]:
    """Return the sections of tables that are one below another."""
    candidates = heading_rows.find_heading_rows(grid, lexicon) if candidates is None else candidates
    best = heading_rows.choose_heading_row(candidates) or heading_rows.find_structural_headings(grid, lexicon)
    if best is None:
        return []
    opening: list[HeadingRow] = []
    for each in candidates or [best]:
        if each is best or _opens(each, best, opening[-1] if opening else best, grid, lexicon):
            opening.append(each)
    ends = [heading.start for heading in opening[1:]] + [len(grid.rows)]
    return [
        Section(
            heading,
            grid.rows[heading.end : end],
            lesser=heading.score < _NEARLY * best.score,
            heading_texts=heading_rows.heading_words(grid.rows, heading.start, heading.end),
        )
        for heading, end in zip(opening, ends, strict=True)
    ]


def _opens(other: HeadingRow, best: HeadingRow, last: HeadingRow, grid: Grid, lexicon: Lexicon) -> bool:
    """Return whether headings open a section beside the best: they differ from the last, and a table begins below."""
    row = grid.rows[other.index]
    filled = [column for column, cell in enumerate(row.cells) if tidy(cell)]
    keys = tuple(map(bare, last.cells))
    if heading_rows.repeats_headings(row, keys, filled) or (other.extra and tuple(map(bare, other.cells)) == keys):
        return False
    below = [row for row in grid.rows[other.end : other.end + _NEAR] if not is_blank(row)]
    if other.index > best.index and other.score >= _NEARLY * best.score:
        return bool(below)
    # Otherwise there must be nothing, or only a title, right above, and figures below.
    above = grid.rows[other.start - 1].cells if other.start else ()
    alone = sum(1 for cell in above if tidy(cell)) <= 1
    figures = any(is_number(cell) or is_date(cell) for row in below for cell in row.cells)
    return heading_rows.names_core(other, lexicon) and alone and figures
