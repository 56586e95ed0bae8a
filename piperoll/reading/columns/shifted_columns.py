"""Find data that are not below their headings, but one column beside them or moved to another place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from piperoll.model import Field
from piperoll.reading.columns.lexicon import CERTAIN, Lexicon
from piperoll.reading.columns.profiles import ColumnProfile


@dataclass(frozen=True, slots=True)
class ColumnShift:
    """A shift of the data by `shift` columns against the headings from `start` to before `end`.

    If `end` is None, a cell was inserted or left out, and everything to the end of the row is shifted. Otherwise one
    column of data was moved, without its heading, from one end of the range to the other.
    """

    shift: int = 0
    start: int = 0
    end: int | None = None

    def column_of(self, heading: int) -> int | None:
        """Return the column with the data of a heading (by index); None for a heading whose data were left out."""
        if not self.shift:
            return heading
        if self.end is not None:
            size = self.end - self.start
            inside = self.start <= heading < self.end
            return self.start + (heading - self.start + self.shift) % size if inside else heading
        if self.shift < 0 and self.start + self.shift <= heading < self.start:
            return None
        return heading + self.shift if heading >= self.start else heading


NO_SHIFT = ColumnShift()
"""Every column is below its own heading."""


_ENOUGH_ROWS = 5
"""In fewer rows, a column with typing errors cannot be told from one that belongs to another heading."""

_FARTHEST = 8
"""The most columns between a heading and its data, if one column was moved alone."""

_WORDS = frozenset(["name", "area", "text"])


def find_moved(headings: Sequence[str], profiles: Sequence[ColumnProfile], lexicon: Lexicon) -> ColumnShift:
    """Return how the data are shifted against their headings.

    A shift needs a date or amount that is clearly not below its heading, and shifting all headings from some column on
    must put every date and amount right. If all dates and amounts are right but the only core name is above numbers,
    moving a single column must put that right.
    """
    core = _core_headings(headings, lexicon)
    typed = [(index, wanted) for index, wanted in core if wanted.type in ("date", "number", "integer")]
    wrong = [(index, wanted) for index, wanted in typed if not _agrees(profiles, index, wanted)]
    if wrong:
        rows = max((profile.count for profile in profiles), default=0)
        for index, wanted in wrong:
            share = _share(profiles[index], wanted) if index < len(profiles) else 0
            denied = share < 0.2 if rows >= _ENOUGH_ROWS else share == 0
            if not denied:
                return NO_SHIFT
        # A few rows prove it only if not one cell below the heading of a date is a date.
        dated = any(wanted.type == "date" for _, wanted in wrong)
        if rows < _ENOUGH_ROWS and (rows < 2 or not dated):
            return NO_SHIFT
        starts = range(min(index for index, _ in wrong) + 1)
        shifts = [ColumnShift(shift, start) for shift in (-1, 1) for start in starts if start or shift > 0]
        return _best(shifts, typed, headings, profiles, lexicon)
    names = [index for index, wanted in core if wanted.privacy == "name"]
    if len(names) != 1 or names[0] >= len(profiles):
        return NO_SHIFT
    name, profile = names[0], profiles[names[0]]
    if profile.filled <= 0.5 or profile.numbers <= 0.9:
        return NO_SHIFT
    ends = range(name + 1, min(len(headings), name + _FARTHEST) + 1)
    starts = range(max(0, name + 1 - _FARTHEST), name + 1)
    ranges = [(start, end) for end, start in product(ends, starts) if 2 <= end - start <= _FARTHEST]
    shifts = [ColumnShift(shift, start, end) for shift in (-1, 1) for start, end in ranges]
    best = _best(shifts, typed, headings, profiles, lexicon)
    column = best.column_of(name)
    return best if column is not None and profiles[column].is_wordy else NO_SHIFT


def _best(
    shifts: Sequence[ColumnShift],
    typed: Sequence[tuple[int, Field]],
    headings: Sequence[str],
    profiles: Sequence[ColumnProfile],
    lexicon: Lexicon,
) -> ColumnShift:
    """Return the shift with which data fit their headings best, the latest start of equals.

    NO_SHIFT if the best one leaves a date or amount below another heading.
    """
    named = [(index, fields) for index, heading in enumerate(headings) if (fields := _fields(heading, lexicon))]

    def score(moved: ColumnShift) -> float:
        total = 5.0 * sum(_agrees(profiles, moved.column_of(index), wanted) for index, wanted in typed)
        for index, fields in named:
            column = moved.column_of(index)
            if column is not None and 0 <= column < len(profiles):
                total += max(_suits(profiles[column], wanted) for wanted in fields)
        return total

    best = max([NO_SHIFT, *shifts], key=lambda moved: (score(moved), moved.start, -(moved.end or 0)))
    return best if all(_agrees(profiles, best.column_of(index), wanted) for index, wanted in typed) else NO_SHIFT


def _core_headings(headings: Sequence[str], lexicon: Lexicon) -> list[tuple[int, Field]]:
    """Return the index of each heading that certainly names a core field, with the field."""
    found = []
    for index, heading in enumerate(headings):
        meanings = lexicon.meanings(heading)
        if meanings and meanings[0].score >= CERTAIN and meanings[0].field in lexicon.dataset.core_fields:
            found.append((index, lexicon.dataset.field(meanings[0].field)))
    return found


def _agrees(profiles: Sequence[ColumnProfile], column: int | None, wanted: Field) -> bool:
    if column is None or not 0 <= column < len(profiles):
        return False
    profile = profiles[column]
    return profile.filled > 0.2 and _share(profile, wanted) > 0.8


def _share(profile: ColumnProfile, wanted: Field) -> float:
    return profile.dates + profile.serials if wanted.type == "date" else profile.numbers


def _fields(heading: str, lexicon: Lexicon) -> list[Field]:
    return [lexicon.dataset.field(match.field) for match in lexicon.meanings(heading)]


def _suits(profile: ColumnProfile, wanted: Field) -> float:
    """Return how well a column suits a field without a form of its own: names, words, references."""
    if wanted.is_code:
        return profile.identifiers
    if wanted.is_name:
        return 2 * profile.companies + 0.5 * profile.is_wordy
    return float(wanted.privacy in _WORDS and profile.is_wordy)
