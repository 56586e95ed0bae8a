"""Data that stand one column beside their headings: by how much, and from which heading on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from piperoll.model import Field
from piperoll.reading.evidence import CERTAIN, is_identifier
from piperoll.reading.lexicon import Lexicon
from piperoll.reading.profiles import Profile

_ENOUGH_ROWS = 5
"""In fewer rows a column of slips cannot be told from a column that belongs to another heading."""


def find_shift(headings: Sequence[str], profiles: Sequence[Profile], lexicon: Lexicon) -> tuple[int, int]:
    """By how many columns, and from which heading on, the data stand beside their headings; (0, 0) if they do not.

    Only where a date or an amount is clearly not under its own heading but in the column beside it, and where moving
    every heading from some place on puts all dates and amounts right. A few rows prove nothing: their cells are
    unreadable rather than another column's.
    """
    typed = list(_typed(headings, lexicon))
    wrong = [place for place, wanted in typed if not _agrees(profiles, place, wanted)]
    if not wrong or not all(_denies(profiles, place, wanted) for place, wanted in typed if place in wrong):
        return 0, 0
    best = (_shift_score(typed, profiles, headings, lexicon, 0, 0), 0, 0)
    for shift in (-1, 1):
        for start in range(1, min(wrong) + 1):
            score = _shift_score(typed, profiles, headings, lexicon, shift, start)
            best = max(best, (score, shift, start), key=lambda item: (item[0], item[2]))
    _, shift, start = best
    settled = all(_agrees(profiles, place + (shift if place >= start else 0), wanted) for place, wanted in typed)
    return (shift, start) if shift and settled else (0, 0)


def _typed(headings: Sequence[str], lexicon: Lexicon) -> Iterator[tuple[int, Field]]:
    """The headings that certainly name a core date or amount, with their field."""
    for place, heading in enumerate(headings):
        meanings = lexicon.meanings(heading)
        if meanings and meanings[0].score >= CERTAIN and meanings[0].field in lexicon.dataset.core_fields:
            wanted = lexicon.dataset.field(meanings[0].field)
            if wanted.type in ("date", "number", "integer"):
                yield place, wanted


def _agrees(profiles: Sequence[Profile], column: int, wanted: Field) -> bool:
    if not 0 <= column < len(profiles):
        return False
    profile = profiles[column]
    return profile.filled > 0.2 and _share(profile, wanted) > 0.8


def _denies(profiles: Sequence[Profile], column: int, wanted: Field) -> bool:
    """Whether what stands under a heading is clearly no such thing, in enough rows to say so."""
    if not 0 <= column < len(profiles):
        return True
    rows = max(profile.count for profile in profiles)
    return rows >= _ENOUGH_ROWS and _share(profiles[column], wanted) < 0.2


def _share(profile: Profile, wanted: Field) -> float:
    return profile.dates + profile.serials if wanted.type == "date" else profile.numbers


def _shift_score(
    typed: Sequence[tuple[int, Field]],
    profiles: Sequence[Profile],
    headings: Sequence[str],
    lexicon: Lexicon,
    shift: int,
    start: int,
) -> float:
    score = 0.0
    for place, wanted in typed:
        score += 5 * _agrees(profiles, place + (shift if place >= start else 0), wanted)
    for place, heading in enumerate(headings):
        column = place + (shift if place >= start else 0)
        meanings = lexicon.meanings(heading)
        if not meanings or not 0 <= column < len(profiles):
            continue
        wanted = lexicon.dataset.field(meanings[0].field)
        if wanted.privacy == "name":
            score += 2 * profiles[column].companies + (profiles[column].numbers < 0.5 and profiles[column].filled > 0)
        elif is_identifier(wanted):
            score += profiles[column].identifiers
    return score
