"""Which column is which: headings and contents weighed together, each column used once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from piperoll.model import Dataset, Field, Level, Origin
from piperoll.reading.grids import Row, cell_at, tidy
from piperoll.reading.lexicon import Lexicon
from piperoll.reading.profiles import Profile

_LEAST = 0.3
"""Below this a heading and its contents contradict each other too much to be one field, unless it is a core field."""

_CERTAIN = 0.95
"""A heading that fits at least so well names its first field as listed."""

_ENOUGH_ROWS = 5
"""In fewer rows a column of slips cannot be told from a column that belongs to another heading."""

_BESIDE = {"department_family": "body_name"}
"""A field that a heading of several meanings names only beside another: a council's departments are its units."""

_GROSS = re.compile(r"\bgross\b|\binc(?:l\w*)?\.?\s*(?:of\s+)?vat\b|\bwith vat\b|\bvat inc", re.I)
_NET = re.compile(r"\bnet\b|\bex(?:cl\w*)?\.?\s*(?:of\s+)?vat\b|\bwithout vat\b", re.I)


@dataclass(frozen=True, slots=True)
class Choice:
    """The column taken for a field, with its heading, its score, and the second best column with its own."""

    field: str
    column: int
    heading: str
    score: float
    runner_up: int | None = None
    runner_up_score: float = 0.0
    how: str = "heading"


@dataclass(frozen=True)
class Columns:
    """The columns of a table: a choice for each field found.

    From the heading `shifted_from` on, the data stand `shift` columns beside their headings.
    """

    choices: Mapping[str, Choice]
    shift: int = 0
    shifted_from: int = 0
    headings: tuple[str, ...] = field(default=(), repr=False)

    def column(self, name: str) -> int | None:
        """Where the data of a field stand, counted from 0; None if it was not found."""
        choice = self.choices.get(name)
        return choice.column if choice else None

    @property
    def used(self) -> frozenset[int]:
        """Every column that some field was found in."""
        return frozenset(choice.column for choice in self.choices.values())


@dataclass(frozen=True, slots=True)
class _Bid:
    score: float
    rank: int
    column: int
    field: str
    sole: bool
    """Whether the heading means nothing else."""
    certain: bool
    """Whether the heading is a core field's own: cells that cannot be read do not take its name away."""


def assign(headings: Sequence[str], profiles: Sequence[Profile], lexicon: Lexicon) -> Columns:
    """The best column for each field that the headings name, by name and by content, each column once."""
    shift, start = find_shift(headings, profiles, lexicon)
    bids = list(_bids(headings, profiles, lexicon, shift, start))
    there = {bid.field for bid in bids}
    bids = [bid for bid in bids if bid.sole or _BESIDE.get(bid.field, bid.field) in there]
    bids.sort(key=lambda bid: (-bid.score, bid.rank, bid.column, bid.field))
    choices: dict[str, Choice] = {}
    taken: set[int] = set()
    for bid in bids:
        if bid.field in choices or bid.column in taken or not (bid.score >= _LEAST or bid.certain):
            continue
        heading = cell_at(Row(0, None, headings), bid.column - (shift if bid.column - shift >= start else 0))
        choices[bid.field] = Choice(bid.field, bid.column, heading, round(bid.score, 3))
        taken.add(bid.column)
    return Columns(_with_runners_up(choices, bids), shift, start, tuple(headings))


def _bids(
    headings: Sequence[str], profiles: Sequence[Profile], lexicon: Lexicon, shift: int, start: int
) -> Iterator[_Bid]:
    for place, heading in enumerate(headings):
        column = place + shift if shift and place >= start else place
        lost = shift < 0 and start + shift <= place < start  # the heading whose data were left out
        if lost or not 0 <= column < len(profiles):
            continue
        meanings = lexicon.meanings(heading)
        for place_in_list, match in enumerate(meanings):
            wanted = lexicon.dataset.field(match.field)
            order = 1 - 0.05 * min(place_in_list, 4) - 0.0005 * min(match.rank, 60)
            score = match.score * order * fit(profiles[column], wanted)
            certain = place_in_list == 0 and match.score >= _CERTAIN and match.field in lexicon.dataset.core_fields
            yield _Bid(
                score * _vat_weight(heading, wanted), match.rank, column, match.field, len(meanings) == 1, certain
            )


def _vat_weight(heading: str, wanted: Field) -> float:
    """Net amounts are asked for: a gross column stands back where there is a net one."""
    if wanted.type != "number" or wanted.level is not Level.CORE:
        return 1.0
    return 0.93 if _GROSS.search(heading) else 1.0


def fit(profile: Profile, wanted: Field) -> float:
    """How well what a column holds agrees with a field's type: 1 wholly, 0.25 not at all, 0.6 for an empty column."""
    if not profile.filled:
        return 0.6
    if wanted.type == "date":
        return 0.25 + 0.75 * min(1.0, profile.dates + max(profile.serials, 0.5 * profile.months))
    if wanted.type in ("number", "integer"):
        return 0.25 + 0.75 * profile.numbers * (1 - 0.5 * profile.dates)
    if wanted.type == "boolean":
        return 0.6 + 0.4 * profile.truths
    if wanted.privacy == "name":
        return 1 - 0.6 * max(profile.numbers, profile.dates)
    return 1 - 0.15 * profile.dates


def _with_runners_up(choices: Mapping[str, Choice], bids: Sequence[_Bid]) -> dict[str, Choice]:
    found = {}
    for name, choice in choices.items():
        others = [bid for bid in bids if bid.field == name and bid.column != choice.column]
        second = others[0] if others else None
        found[name] = Choice(
            name,
            choice.column,
            choice.heading,
            choice.score,
            second.column if second else None,
            round(second.score, 3) if second else 0.0,
        )
    return found


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
        if meanings and meanings[0].score >= _CERTAIN and meanings[0].field in lexicon.dataset.core_fields:
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


def is_identifier(wanted: Field) -> bool:
    """Whether a field of text is a reference, by our naming: it ends in number, ref or id."""
    return wanted.type == "string" and wanted.name.rsplit("_", 1)[-1] in ("number", "ref", "id", "ocid")


def guess_unnamed(columns: Columns, headings: Sequence[str], profiles: Sequence[Profile], dataset: Dataset) -> Columns:
    """The columns with a reference found by its content, where a filled column has no heading at all."""
    references = (each for each in dataset.fields if is_identifier(each) and _asked_for(each, dataset))
    missing = next(references, None)
    if missing is None or missing.name in columns.choices:
        return columns
    for column, profile in enumerate(profiles):
        unnamed = column < len(headings) and not tidy(headings[column]) and column not in columns.used
        if unnamed and _holds_references(profile):
            choice = Choice(missing.name, column, headings[column], 0.5, how="content")
            return replace(columns, choices={**columns.choices, missing.name: choice})
    return columns


def _asked_for(each: Field, dataset: Dataset) -> bool:
    return each.origin is Origin.SENT and (each.level is not Level.WANTED or each.name in dataset.core_fields)


def _holds_references(profile: Profile) -> bool:
    full = profile.filled > 0.9 and profile.identifiers > 0.9
    return full and not profile.counts_up and not profile.money and profile.dates < 0.5


def is_gross(heading: str) -> bool:
    """Whether a heading says that its amounts include VAT."""
    return bool(_GROSS.search(heading)) and not _NET.search(heading)
