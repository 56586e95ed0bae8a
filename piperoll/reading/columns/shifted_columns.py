"""Data that are not below their headings.

Where the shift starts, how far it goes, and whether one column moved alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from piperoll.model import Field
from piperoll.reading.columns.lexicon import CERTAIN, Lexicon
from piperoll.reading.columns.profiles import ColumnProfile


@dataclass(frozen=True, slots=True)
class ColumnShift:
    """From the heading `start` up to the one before `end`, the data are `shift` columns beside their headings.

    If `end` is None, the shift goes to the end of the row: a cell was inserted or left out. Otherwise one column of
    data was moved to the other end of the stretch without its heading.
    """

    shift: int = 0
    start: int = 0
    end: int | None = None

    def column_of(self, place: int) -> int | None:
        """Return the column with the data of a heading; None for a heading whose data were left out."""
        if not self.shift:
            return place
        if self.end is not None:
            return self._among(place, self.end)
        if self.shift < 0 and self.start + self.shift <= place < self.start:
            return None
        return place + self.shift if place >= self.start else place

    def _among(self, place: int, end: int) -> int:
        if not self.start <= place < end:
            return place
        size = end - self.start
        return self.start + (place - self.start + self.shift) % size


NO_SHIFT = ColumnShift()
"""Every column is below its own heading."""


_ENOUGH_ROWS = 5
"""In fewer rows, a column with typing errors looks the same as a column that belongs to another heading."""

_FARTHEST = 8
"""The most columns between a heading and its data, if one column was moved alone."""

_WORDS = frozenset(["name", "area", "text"])


def find_moved(headings: Sequence[str], profiles: Sequence[ColumnProfile], lexicon: Lexicon) -> ColumnShift:
    """Return how the data are shifted against their headings.

    A shift needs a date or amount that is clearly not below its heading but in the column beside it, and moving all
    headings from some column on must put every date and amount right. Otherwise the only core name must be above
    numbers, and moving one column alone must put that right too. In few rows, a date proves it: not one date below its
    heading, and nothing else beside it.
    """
    typed = list(_typed(headings, lexicon))
    wrong = [place for place, wanted in typed if not _agrees(profiles, place, wanted)]
    if wrong:
        sure = all(_denies(profiles, place, wanted) for place, wanted in typed if place in wrong)
        proved = sure and _enough(profiles, [wanted for place, wanted in typed if place in wrong])
        candidates = [
            ColumnShift(shift, start) for shift in (-1, 1) for start in range(min(wrong) + 1) if start or shift > 0
        ]
        return _best(candidates, headings, profiles, lexicon) if proved else NO_SHIFT
    nameless = _nameless(headings, profiles, lexicon)
    if nameless is None:
        return NO_SHIFT
    ends = range(nameless + 1, min(len(headings), nameless + _FARTHEST) + 1)
    starts = range(max(0, nameless + 1 - _FARTHEST), nameless + 1)
    candidates = [
        ColumnShift(shift, start, end)
        for shift, end, start in product((-1, 1), ends, starts)
        if 2 <= end - start <= _FARTHEST
    ]
    found = _best(candidates, headings, profiles, lexicon)
    column = found.column_of(nameless)
    return found if column is not None and profiles[column].is_wordy else NO_SHIFT


def _best(
    candidates: Sequence[ColumnShift], headings: Sequence[str], profiles: Sequence[ColumnProfile], lexicon: Lexicon
) -> ColumnShift:
    """Return the shift with which data fit their headings best, the latest start of equals.

    NO_SHIFT if one is misplaced.

    Every date and amount must be below its heading with it.
    """
    typed = list(_typed(headings, lexicon))
    named = [(place, fields) for place, heading in enumerate(headings) if (fields := _fields(heading, lexicon))]
    best = max(
        [NO_SHIFT, *candidates],
        key=lambda moved: (_score(moved, typed, named, profiles), moved.start, -(moved.end or 0)),
    )
    settled = all(_agrees(profiles, best.column_of(place), wanted) for place, wanted in typed)
    return best if settled else NO_SHIFT


def _typed(headings: Sequence[str], lexicon: Lexicon) -> Iterator[tuple[int, Field]]:
    """Yield the headings that certainly name a core date or amount, with their field."""
    for place, wanted in _core(headings, lexicon):
        if wanted.type in ("date", "number", "integer"):
            yield place, wanted


def _core(headings: Sequence[str], lexicon: Lexicon) -> Iterator[tuple[int, Field]]:
    for place, heading in enumerate(headings):
        meanings = lexicon.meanings(heading)
        if meanings and meanings[0].score >= CERTAIN and meanings[0].field in lexicon.dataset.core_fields:
            yield place, lexicon.dataset.field(meanings[0].field)


def _nameless(headings: Sequence[str], profiles: Sequence[ColumnProfile], lexicon: Lexicon) -> int | None:
    """Return the heading of the core name if it is above numbers only and no other heading names it."""
    names = [place for place, wanted in _core(headings, lexicon) if wanted.privacy == "name"]
    if len(names) != 1 or names[0] >= len(profiles):
        return None
    profile = profiles[names[0]]
    return names[0] if profile.filled > 0.5 and profile.numbers > 0.9 else None


def _agrees(profiles: Sequence[ColumnProfile], column: int | None, wanted: Field) -> bool:
    if column is None or not 0 <= column < len(profiles):
        return False
    profile = profiles[column]
    return profile.filled > 0.2 and _share(profile, wanted) > 0.8


def _denies(profiles: Sequence[ColumnProfile], column: int, wanted: Field) -> bool:
    """Return whether the cells below a heading are clearly not of its type; in few rows, not one cell may be."""
    if not 0 <= column < len(profiles):
        return True
    share = _share(profiles[column], wanted)
    return share < 0.2 if _rows(profiles) >= _ENOUGH_ROWS else share == 0


def _enough(profiles: Sequence[ColumnProfile], wrong: Sequence[Field]) -> bool:
    """Return whether there are enough rows to be sure.

    Few are enough if not one cell below the heading of a date is one.
    """
    return _rows(profiles) >= _ENOUGH_ROWS or (_rows(profiles) > 1 and any(each.type == "date" for each in wrong))


def _rows(profiles: Sequence[ColumnProfile]) -> int:
    return max((profile.count for profile in profiles), default=0)


def _share(profile: ColumnProfile, wanted: Field) -> float:
    return profile.dates + profile.serials if wanted.type == "date" else profile.numbers


def _fields(heading: str, lexicon: Lexicon) -> list[Field]:
    return [lexicon.dataset.field(match.field) for match in lexicon.meanings(heading)]


def _score(
    moved: ColumnShift,
    typed: Sequence[tuple[int, Field]],
    named: Sequence[tuple[int, Sequence[Field]]],
    profiles: Sequence[ColumnProfile],
) -> float:
    score = 5.0 * sum(_agrees(profiles, moved.column_of(place), wanted) for place, wanted in typed)
    for place, fields in named:
        column = moved.column_of(place)
        if column is not None and 0 <= column < len(profiles):
            score += max(_suits(profiles[column], wanted) for wanted in fields)
    return score


def _suits(profile: ColumnProfile, wanted: Field) -> float:
    """Return how well a column suits a field without a form of its own: names, words, references."""
    if wanted.is_code:
        return profile.identifiers
    if wanted.is_name:
        return 2 * profile.companies + 0.5 * profile.is_wordy
    return float(wanted.privacy in _WORDS and profile.is_wordy)
