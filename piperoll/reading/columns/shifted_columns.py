"""Data that stand beside their headings: from where on, how far, and whether one column was moved alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from piperoll.model import Field
from piperoll.reading.columns.lexicon import CERTAIN, Lexicon
from piperoll.reading.columns.profiles import ColumnProfile


@dataclass(frozen=True, slots=True)
class ColumnShift:
    """From the heading `start` up to the one before `end`, the data stand `shift` columns beside their headings.

    `end` None is the end of the row: a cell was put in or left out. Else one column was moved among the data alone, and
    the heading that it left behind finds it at the other end of the stretch.
    """

    shift: int = 0
    start: int = 0
    end: int | None = None

    def column_of(self, place: int) -> int | None:
        """Where the data of a heading stand; None for one whose data were left out."""
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
"""Every column stands under its own heading."""


_ENOUGH_ROWS = 5
"""In fewer rows a column of slips can hardly be told from a column that belongs to another heading."""

_FARTHEST = 8
"""So many columns at most may lie between a heading and its data that were moved alone."""

_WORDS = frozenset(["name", "area", "text"])


def find_moved(headings: Sequence[str], profiles: Sequence[ColumnProfile], lexicon: Lexicon) -> ColumnShift:
    """How the data stand beside their headings.

    Only where a date or an amount is clearly not under its own heading but in the column beside it, and where moving
    every heading from some place on puts all dates and amounts right; or where numbers stand for the one core name,
    and moving one column alone puts that right too. Few rows prove it by a date: not one under its heading, and
    nothing else beside it.
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
    """The candidate under which the data fit their headings best, the latest start of equals; none that misplaces one.

    Every date and amount must be right with it.
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
    """The headings that certainly name a core date or amount, with their field."""
    for place, wanted in _core(headings, lexicon):
        if wanted.type in ("date", "number", "integer"):
            yield place, wanted


def _core(headings: Sequence[str], lexicon: Lexicon) -> Iterator[tuple[int, Field]]:
    for place, heading in enumerate(headings):
        meanings = lexicon.meanings(heading)
        if meanings and meanings[0].score >= CERTAIN and meanings[0].field in lexicon.dataset.core_fields:
            yield place, lexicon.dataset.field(meanings[0].field)


def _nameless(headings: Sequence[str], profiles: Sequence[ColumnProfile], lexicon: Lexicon) -> int | None:
    """The heading of the core name, where it stands above numbers alone and no other column is called so."""
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
    """Whether what stands under a heading is clearly no such thing; in few rows, whether not one cell is."""
    if not 0 <= column < len(profiles):
        return True
    share = _share(profiles[column], wanted)
    return share < 0.2 if _rows(profiles) >= _ENOUGH_ROWS else share == 0


def _enough(profiles: Sequence[ColumnProfile], wrong: Sequence[Field]) -> bool:
    """Whether there are rows enough to say so: few are where not one cell under the heading of a date is one."""
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
    """How well a column suits a field that no form of its own tells: names, words, references."""
    if wanted.is_code:
        return profile.identifiers
    if wanted.is_name:
        return 2 * profile.companies + 0.5 * profile.is_wordy
    return float(wanted.privacy in _WORDS and profile.is_wordy)
