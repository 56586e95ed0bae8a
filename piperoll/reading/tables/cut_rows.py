"""Repair rows with a cell that was cut at a delimiter within it, if there is only one right way to join it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from piperoll.model.columns import Mask, pc
from piperoll.reading.cells.amounts import is_number
from piperoll.reading.cells.dates import is_date, is_serial
from piperoll.reading.columns.profiles import ColumnProfile, is_reference, profile_columns
from piperoll.reading.grids.blocks import Block
from piperoll.reading.grids.grid import Row, Rows, cell_at, sample_rows, tidy

_ALL = 0.9
"""The share of a column's cells that must be of a kind for the column to be of that kind."""

_FULL = 0.98
"""From this share of filled cells, a column counts as always filled."""

_FEW = 0.5
"""Up to this share of distinct cells, a column counts as repetitive."""

_RARE = 0.02
"""If a larger share of rows has cells beyond the last heading, those cells are a column without a heading."""

_SAMPLE = 2000
"""Rows sampled to find the usual width of a table."""
_ENOUGH = 5
"""The fewest rows of the usual length that show what a column holds."""

_MOST = 20
"""The most surplus cells in a row that was cut at a delimiter."""


@dataclass(frozen=True, slots=True)
class RepairedRow:
    """A repaired row: the row as read now, the column of the cell that had been cut, and the whole cell."""

    row: Row
    column: int
    value: str


@dataclass(frozen=True)
class UsualRow:
    """The usual row of a table: how many headings it has, how many cells most rows have, and what each column holds."""

    named: int
    usual: int
    profiles: Sequence[ColumnProfile]
    words: Mapping[int, frozenset[str]]
    delimiter: str
    sure: bool
    """True if there are enough rows to know what a column holds."""


@dataclass(frozen=True)
class RepairedRows:
    """The rows of a table, the repaired ones among them, and those that were cut and could not be repaired.

    The rows `beside` have a cell beyond the last heading. They may be cut, but their figures are right.
    """

    rows: Rows
    mends: Sequence[RepairedRow] = ()
    cut: Sequence[Row] = ()
    beside: Sequence[Row] = ()


def repair_cut_rows(rows: Rows, headings: Sequence[str], delimiter: str) -> RepairedRows:
    """Return the rows of a text file with the cut ones repaired.

    Only rows that have a filled cell beyond the last heading, or that are longer than most, are looked at.
    """
    layout = _layout(rows, headings, delimiter)
    if layout is None:
        return RepairedRows(rows)
    candidates = rows.filter(_may_be_long(block, layout) for block in rows.blocks())
    long = candidates.select(lambda row: len(row.cells) > layout.usual or _extent(row) > layout.named)
    rare = sum(_extent(row) > layout.named for row in long) <= max(1, _RARE * len(rows))
    mends: dict[int, RepairedRow] = {}
    doubtful: dict[bool, list[Row]] = {True: [], False: []}
    for row in long:
        inside = any(map(tidy, row.cells[: layout.named]))
        # A cell beyond all others, or in a column where it cannot belong, proves a cut. A remark beside the table and
        # trailing delimiters leave the other cells where they belong.
        if inside and (any(map(tidy, row.cells[layout.usual :])) or not _fits(row.cells, -1, layout)):
            repaired, same_figures = repair_row(row, layout) if layout.sure else None, False
        elif rare and inside and _at(row.cells, layout.named):  # it fits as it is, but continues beyond the headings
            extent = _extent(row)
            surplus = extent - layout.named
            ways = {-1: list(row.cells)} | _ways(row.cells[:extent], surplus, layout)
            column = -1 if len(ways) == 1 else None  # -1: it was not cut
            if layout.sure:
                column = _only(ways, row.cells[:extent], surplus, layout)
            repaired = (
                None if column is None else RepairedRow(row._replace(cells=ways[column]), column, ways[column][column])
            )
            same_figures = len({_figures(way, layout) for way in ways.values()}) == 1
        else:
            continue
        if repaired is None:
            doubtful[same_figures].append(row)
        elif repaired.column >= 0:
            mends[row.number] = repaired
    whole = Rows.of(mends[row.number].row if row.number in mends else row for row in rows) if mends else rows
    return RepairedRows(whole, list(mends.values()), doubtful[False], doubtful[True])


def _may_be_long(block: Block, layout: UsualRow) -> Mask:
    """Return which rows may have a cell beyond the last heading or be longer than most, from whole columns."""
    if block.width - layout.named > _MOST:
        return pc.greater(block.lengths, layout.named)
    found = pc.greater(block.lengths, layout.usual)
    for column in range(layout.named, block.width):
        found = pc.or_(found, pc.not_equal(block.column(column), ""))
    return found


def _layout(rows: Rows, headings: Sequence[str], delimiter: str) -> UsualRow | None:
    """Return the usual row; None if there is none, or if no row is longer than the headings."""
    widths = rows.widths()
    named = max((column + 1 for column, heading in enumerate(headings) if tidy(heading)), default=0)
    if not named or not widths or max(widths) <= named or rows[0].line is None:
        return None
    common, count = widths.most_common(1)[0]
    usual = max(len(headings), common if 2 * count >= len(rows) else max(widths))
    some = [row for row in sample_rows(rows, _SAMPLE) if any(row.cells)]
    within = [row for row in some if _extent(row) <= named]
    sample = [row for row in within if len(row.cells) <= usual]
    if 2 * len(sample) < len(some):  # trailing delimiters in some rows only: there is no usual length
        sample, usual = within, max(widths)
    if not sample or 2 * len(sample) < len(some):
        return None
    words = {}  # the repeated values of each repetitive column
    for column in range(named):
        counts = Counter(text for row in sample if (text := tidy(cell_at(row, column))))
        if len(counts) <= _FEW * counts.total():
            words[column] = frozenset(text for text, count in counts.items() if count > 1)
    return UsualRow(named, usual, profile_columns(sample, named), words, delimiter, len(sample) >= _ENOUGH)


def _extent(row: Row) -> int:
    """Return the number of cells up to the last filled one."""
    return max((column + 1 for column, cell in enumerate(row.cells) if tidy(cell)), default=0)


def repair_row(row: Row, layout: UsualRow) -> RepairedRow | None:
    """Join the cells of a cut row; None if it could have been cut in several places, or in none.

    Every date, number and reference must end up in its column. Of several ways, use the one whose second piece begins
    with a space, as after a comma in a sentence. If all ways give the same dates and numbers, use the one with the most
    values that occur elsewhere in their columns.
    """
    for cells, width in ((row.cells, layout.usual), (row.cells[: _extent(row)], layout.named)):
        surplus = len(cells) - width
        if not 0 < surplus <= _MOST:
            continue
        ways = _ways(cells, surplus, layout)
        column = _only(ways, cells, surplus, layout)
        if column is not None:
            return RepairedRow(row._replace(cells=ways[column]), column, ways[column][column])
    return None


def _ways(cells: Sequence[str], surplus: int, layout: UsualRow) -> dict[int, list[str]]:
    """Return the ways to join the cells of a row so that every cell fits, by the column of the joined cell."""
    ways = {}
    for column in range(layout.named):
        end = column + surplus + 1
        if tidy(cells[column]) and tidy(cells[end - 1]):
            joined = [*cells[:column], layout.delimiter.join(cells[column:end]), *cells[end:]]
            if _fits(joined, column, layout):
                ways[column] = joined
    return ways


def _fits(cells: Sequence[str], joint: int, layout: UsualRow) -> bool:
    """Return whether every cell is of the kind its column holds, the joined one too: `1,200.00` is a number."""
    known = [
        (column, profile)
        for column, profile in enumerate(layout.profiles)
        if _is_typed(profile) or profile.identifiers >= _ALL
    ]
    suited = (_suits(_at(cells, column), profile, joint=column == joint) for column, profile in known)
    return bool(known) and not any(map(tidy, cells[layout.usual :])) and all(suited)


def _at(cells: Sequence[str], column: int) -> str:
    return tidy(cells[column]) if column < len(cells) else ""


def _is_typed(profile: ColumnProfile) -> bool:
    return max(profile.dates + profile.serials, profile.numbers) >= _ALL


def _suits(text: str, profile: ColumnProfile, *, joint: bool) -> bool:
    if not text:
        return profile.filled < _FULL
    if profile.dates + profile.serials >= _ALL:
        return is_date(text) or is_serial(text)
    if profile.numbers >= _ALL:
        return is_number(text)
    return is_reference(text) and not joint


def _only(ways: Mapping[int, list[str]], cells: Sequence[str], surplus: int, layout: UsualRow) -> int | None:
    """Return the only right way, or the one with strong evidence and none for another; None otherwise."""
    if len(ways) < 2:
        return next(iter(ways), None)
    spaced = [column for column in ways if column >= 0 and all(map(_goes_on, cells[column + 1 : column + surplus + 1]))]
    others = sum(map(_goes_on, cells[1:])) > surplus
    if len(spaced) == 1 and not others:
        return spaced[0]
    if len({_figures(joint, layout) for joint in ways.values()}) > 1:
        return None
    # Count the cells with a value that occurs elsewhere in their column.
    known = {
        way: sum(column != way and _at(joined, column) in words for column, words in layout.words.items())
        for way, joined in ways.items()
    }
    best = max(known.values())
    right = [column for column, count in known.items() if count == best]
    return right[0] if len(right) == 1 else None


def _figures(cells: Sequence[str], layout: UsualRow) -> tuple[str, ...]:
    """Return the dates and numbers of a row."""
    return tuple(_at(cells, column) for column, profile in enumerate(layout.profiles) if _is_typed(profile))


def _goes_on(cell: str) -> bool:
    return cell[:1] == " " and bool(tidy(cell))
