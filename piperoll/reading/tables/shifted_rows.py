"""Find rows whose cells stand one column beside those of the rows above or below: a cell was inserted or left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np

from piperoll.model.columns import Vector
from piperoll.reading.cells.amounts import is_number
from piperoll.reading.cells.dates import may_be_time
from piperoll.reading.cells.marks import is_error, means_nothing
from piperoll.reading.columns.heading_fits import fit_to_fields
from piperoll.reading.columns.lexicon import Lexicon
from piperoll.reading.columns.profiles import COMPANY, is_reference, profile_column
from piperoll.reading.grids.cell_shapes import to_shape
from piperoll.reading.grids.grid import Row, Rows, cell_at, sample_rows, tidy
from piperoll.reading.tables.heading_rows import words
from piperoll.reading.tables.sections import RowShift, Section

_SAMPLE = 600
"""Rows that show where the kinds of the cells change, at least."""
_MOST_COLUMNS = 40
"""Tables with more columns are not looked at."""
_BEYOND = 2
"""Columns after the last heading that are looked at."""
_LEAST = 3
"""The fewest rows that can be told from their neighbours."""
_MANY = 10
_MOST_PARTS = 8

_KINDS = 8
_NOTHING, _DATE, _MONEY, _WHOLE, _LONG, _CODE, _WORDS, _ORGANISATION = range(_KINDS)
_TELLING = (_DATE, _MONEY, _ORGANISATION, _CODE, _WHOLE, _LONG)
"""The kinds of which a column holds little else: words may stand anywhere."""

_LONG_NUMBER = 6
"""Digits: numbers of documents are often longer than amounts in whole pounds."""

_LEAST_GAIN = 8.0
"""In nats: how much better two distributions must describe the rows than one before the two are compared."""
_LEAST_DIFFERENCE = 1.2
"""In columns: how much more alike two parts must be once one of them is moved."""
_LEAST_BEYOND = 0.9
"""The same if the part fills a column beyond the last heading, as an inserted cell does. Then someone must say."""
_LEAST_LIKENESS = 0.75
"""How alike the columns of two parts must be on average once one is moved: 1 is equal."""
_CLEARLY = 0.5
"""In columns: a place where a cell may be inserted as well is no worse than this."""


def divide_shifted(section: Section, lexicon: Lexicon) -> list[Section]:
    """Divide a section where its cells begin or cease to stand beside their headings; each part has its own headings.

    The section itself is returned if no rows are shifted.
    """
    cells = words(section.heading.cells)
    if len(section.rows) < 2 * _LEAST or not cells or len(cells) > _MOST_COLUMNS:
        return [section]
    step = max(1, len(section.rows) // _SAMPLE)
    sample = _SampledRows.of(sample_rows(section.rows, _SAMPLE), step, len(cells))
    if len(sample.at) < 2 * _LEAST:
        return [section]
    parts = list(_divide(sample, 0, len(sample.at)))
    if len(parts) < 2:
        return [section]
    shifts = _shifts(sample, parts, cells, lexicon)
    if not any(shift for shift, _, _ in shifts):
        return [section]
    return _sections(section, sample, parts, shifts)


@dataclass(frozen=True)
class _SampledRows:
    """Rows at equal distances, without those of titles and totals: the index of each, and the kinds of its cells."""

    rows: Sequence[Row]
    at: Sequence[int]
    kinds: Vector
    named: int = 0
    """How many columns the headings take."""

    @classmethod
    def of(cls, rows: Sequence[Row], step: int, named: int) -> _SampledRows:
        """Look at the cells below `named` columns of headings and beside; `step` is the distance between the rows."""
        width = max((len(row.cells) for row in rows), default=0)
        found = np.zeros((len(rows), min(width, named + _BEYOND)), np.int8)
        inside = [row.cells[: found.shape[1]] for row in rows]
        kinds = {cell: _kind_of(to_shape(cell)) for cell in set(chain.from_iterable(inside))}
        for number, cells in enumerate(inside):
            found[number, : len(cells)] = [kinds[cell] for cell in cells]
        filled = (found != _NOTHING).sum(axis=1)
        full = np.flatnonzero(2 * filled > (np.median(filled[filled > 0]) if filled.any() else 0)).tolist()
        return cls([rows[number] for number in full], [number * step for number in full], found[full], named)

    def shares(self, start: int, end: int) -> Vector:
        """The share of each kind in each column of the rows from `start` to before `end`."""
        own = self.kinds[start:end]
        return np.stack([(own == kind).mean(axis=0) for kind in range(_KINDS)], axis=1)

    def texts(self, start: int, end: int, column: int) -> list[str]:
        """The filled cells of a column."""
        return [text for row in self.rows[start:end] if (text := tidy(cell_at(row, column)))]


@lru_cache(maxsize=50_000)
def _kind_of(shape: str) -> int:
    """The kind of the cells of a shape (digits written as 9)."""
    text = tidy(shape)
    if means_nothing(text, typed=True) or is_error(text):
        return _NOTHING
    if is_number(text):
        if any(mark in text for mark in ".,£"):
            return _MONEY
        return _LONG if sum(map(str.isdigit, text)) >= _LONG_NUMBER else _WHOLE
    if may_be_time(text):
        return _DATE
    if is_reference(text) or not re.search("[^\\W\\d]{2}", text):
        return _CODE
    return _ORGANISATION if COMPANY.search(text) else _WORDS


def _divide(sample: _SampledRows, start: int, end: int, most: int = _MOST_PARTS) -> Iterator[tuple[int, int]]:
    """Yield the ranges of rows between which the kinds of the cells change most, in order."""
    at, gain = _best_cut(sample.kinds[start:end])
    if gain < _LEAST_GAIN or most < 2 or not _differ(sample, start, start + at, end):
        yield start, end
        return
    yield from _divide(sample, start, start + at, most // 2)
    yield from _divide(sample, start + at, end, most // 2)


def _best_cut(kinds: Vector) -> tuple[int, float]:
    """Return where two distributions describe the rows best, and the gain in log-likelihood over one."""
    rows = len(kinds)
    if rows < 2 * _LEAST:
        return 0, 0.0
    counts = np.cumsum(kinds[:, :, None] == np.arange(_KINDS), axis=0, dtype=np.float64)
    sizes = np.arange(1, rows + 1, dtype=np.float64)
    whole = _entropy(counts[-1:], sizes[-1:])
    cuts = slice(_LEAST - 1, rows - _LEAST)
    gains = _entropy(counts[cuts], sizes[cuts]) + _entropy(counts[-1] - counts[cuts], rows - sizes[cuts]) - whole
    best = int(np.argmax(gains))
    return best + _LEAST, float(gains[best])


def _entropy(counts: Any, sizes: Any) -> Any:
    """Return the log-likelihood of counts under their own shares, summed over columns."""
    logs = np.log(np.where(counts > 0, counts, 1.0))
    columns = counts.shape[1]
    return (counts * logs).sum(axis=(1, 2)) - columns * sizes * np.log(np.where(sizes > 0, sizes, 1.0))


def _differ(sample: _SampledRows, start: int, cut: int, end: int) -> bool:
    """Return whether a column with cells of one telling kind on one side of a cut has hardly any on the other."""
    one, other = sample.shares(start, cut), sample.shares(cut, end)
    telling = [*_TELLING]
    high, low = np.maximum(one, other)[:, telling], np.minimum(one, other)[:, telling]
    if bool(((high > 0.5) & (low < 0.2)).any()):
        return True
    # Many rows in a row with a cell beyond the last heading: single ones may have been cut at a delimiter.
    few = min(cut - start, end - cut) >= max(_MANY, (end - start) // 10)
    beyond = slice(sample.named, None)
    nothing = np.sort(np.stack([one[beyond, _NOTHING], other[beyond, _NOTHING]]), axis=0)
    return few and bool(((nothing[0] < 0.05) & (nothing[1] > 0.95)).any())


def _shifts(
    sample: _SampledRows, parts: Sequence[tuple[int, int]], cells: Sequence[str], lexicon: Lexicon
) -> list[tuple[int, int, bool]]:
    """Return for each part its shift against the part that fits the headings best, the column, and certainty."""
    fits = [_fit_to_headings(sample, part, cells, lexicon) for part in parts]
    right = max(range(len(parts)), key=lambda number: (round(fits[number], 3), parts[number][1] - parts[number][0]))
    found = []
    for number, part in enumerate(parts):
        shift, column, certain = (0, 0, True) if number == right else _compare(sample, parts[right], part, cells)
        found.append((shift, column, certain and not (shift < 0 and _names_core(cells, column, lexicon))))
    return found


def _names_core(cells: Sequence[str], column: int, lexicon: Lexicon) -> bool:
    """Return whether a heading names a field that a table cannot do without: its cells must not be lost unasked."""
    meanings = lexicon.meanings(cells[column]) if column < len(cells) else ()
    return any(match.field in lexicon.dataset.core_fields for match in meanings[:1])


def _fit_to_headings(sample: _SampledRows, part: tuple[int, int], cells: Sequence[str], lexicon: Lexicon) -> float:
    rows, total = sample.rows[part[0] : part[1]], 0.0
    for column, heading in enumerate(cells):
        fields = [lexicon.dataset.field(match.field) for match in lexicon.meanings(heading)]
        if fields:
            profile = profile_column([cell_at(row, column) for row in rows])
            total += fit_to_fields(profile, fields, lexicon.dataset)
    return total


def _compare(
    sample: _SampledRows, right: tuple[int, int], part: tuple[int, int], cells: Sequence[str]
) -> tuple[int, int, bool]:
    """Return the shift that makes a part most like the one that is right; no shift if none is clearly better."""
    likeness = _Likeness(sample, right, part)
    named = [column for column, cell in enumerate(cells) if tidy(cell)]
    width = likeness.width
    ranked = sorted(
        ((likeness.moved(shift, column), shift, column) for shift in (1, -1) for column in range(width)),
        key=lambda each: (-round(each[0], 6), -each[2]),
    )
    best, shift, column = ranked[0]
    gain = best - likeness.moved(0, 0)
    beyond = any(not likeness.is_empty(each) for each in range(max(named, default=0) + 1, width))
    least = _LEAST_BEYOND if beyond and shift > 0 else _LEAST_DIFFERENCE
    if gain < least or best < _LEAST_LIKENESS * likeness.compared(shift):
        return 0, 0, True
    if gain < _LEAST_DIFFERENCE:
        return shift, column, False
    rivals = [each for each in ranked[1:] if each[0] > best - _CLEARLY]
    read = [_read_at(shift, column, each) for each in named]
    alike = all(
        own == other or (likeness.is_empty(own) and likeness.is_empty(other))
        for _, its_shift, its_column in rivals
        for own, other in zip(read, (_read_at(its_shift, its_column, each) for each in named), strict=True)
    )
    return shift, column, alike


def _read_at(shift: int, column: int, heading: int) -> int | None:
    """Return the column with the cells of a heading in rows that are shifted; None if they were left out."""
    if heading < column:
        return heading
    return None if shift < 0 and heading == column else heading + shift


class _Likeness:
    """How alike the columns of two parts are, if one of them is moved."""

    def __init__(self, sample: _SampledRows, right: tuple[int, int], part: tuple[int, int]) -> None:
        self.sample, self.right, self.part = sample, right, part
        self.own, self.its = sample.shares(*right), sample.shares(*part)
        self.width = sample.kinds.shape[1]
        self.known: dict[tuple[int, int], float] = {}

    def moved(self, shift: int, column: int) -> float:
        """The sum over the columns of the part that is right, each compared with where its cells would be."""
        return sum(
            self._pair(heading, at)
            for heading in range(self.width)
            if (at := _read_at(shift, column, heading) if shift else heading) is not None
        )

    def compared(self, shift: int) -> int:
        """How many columns `moved` compares."""
        return int(self.width) - (shift < 0)

    def is_empty(self, column: int | None) -> bool:
        """Whether hardly a cell of the part is filled in a column."""
        return column is None or not 0 <= column < self.width or self.its[column, _NOTHING] > _NEARLY_ALL

    def _pair(self, one: int, other: int) -> float:
        if (one, other) not in self.known:
            beyond = not 0 <= other < self.width
            shares = _NO_CELLS if beyond else self.its[other]
            like = float(np.minimum(self.own[one], shares).sum())
            if not beyond and min(self.own[one, _NOTHING], shares[_NOTHING]) < _NEARLY_ALL:
                like = 0.6 * like + 0.4 * self._repeated(one, other, like)
            self.known[one, other] = like
        return self.known[one, other]

    def _repeated(self, one: int, other: int, otherwise: float) -> float:
        """Return the share of cells of the part that also stand in a column of the right part, if cells recur there."""
        known = self.sample.texts(*self.right, one)
        if len({*known}) > _NEARLY_ALL * len(known):
            return otherwise
        cells = self.sample.texts(*self.part, other)
        values = {*known}
        return sum(cell in values for cell in cells) / len(cells) if cells else 0.0


_NEARLY_ALL = 0.9
_NO_CELLS = np.eye(_KINDS)[_NOTHING]


def _sections(
    section: Section,
    sample: _SampledRows,
    parts: Sequence[tuple[int, int]],
    shifts: Sequence[tuple[int, int, bool]],
) -> list[Section]:
    """Return the section in parts, each with its headings above its own cells; neighbours shifted alike are one."""
    merged: list[tuple[int, int, tuple[int, int, bool]]] = []
    for (start, end), shift in zip(parts, shifts, strict=True):
        if merged and merged[-1][2][:2] == shift[:2]:
            merged[-1] = (merged[-1][0], end, (*shift[:2], merged[-1][2][2] and shift[2]))
        else:
            merged.append((start, end, shift))
    bounds = [0, *(_first_row(section.rows, sample, start) for start, _, _ in merged[1:]), len(section.rows)]
    found = []
    for number, (_, _, (side, column, certain)) in enumerate(merged):
        rows = section.rows[bounds[number] : bounds[number + 1]]
        piece = replace(section, rows=rows, continues=number > 0)
        if side:
            moved = RowShift(side, column, rows[0].number, rows[len(rows) - 1].number, certain)
            heading = replace(section.heading, cells=moved.headings(section.heading.cells))
            piece = replace(piece, heading=heading, shifted=moved)
        found.append(piece)
    return found


def _first_row(rows: Rows, sample: _SampledRows, cut: int) -> int:
    """Return the index of the first row of a part, which may be between two rows that were sampled."""
    before, after = sample.at[cut - 1], sample.at[cut]
    if after - before < 2:
        return after
    between = _SampledRows.of(list(rows[before + 1 : after]), 1, sample.named)
    if not len(between.at):
        return after
    one, other = sample.shares(max(0, cut - 50), cut), sample.shares(cut, cut + 50)
    width = min(between.kinds.shape[1], one.shape[0])
    columns = np.arange(width)
    gains = sum(
        np.log((other[column, between.kinds[:, column]] + 0.01) / (one[column, between.kinds[:, column]] + 0.01))
        for column in columns
    )
    # The sum of the gains from each row on: the part begins where it is largest.
    from_here = np.append(np.cumsum(np.asarray(gains)[::-1])[::-1], 0.0)
    best = int(np.argmax(from_here))
    return after if best == len(between.at) else before + 1 + between.at[best]
