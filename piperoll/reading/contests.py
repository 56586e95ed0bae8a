"""Two columns for one field: whether arithmetic settles which it is, and whether it stays a doubt."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import permutations

from piperoll.model import Dataset, Field
from piperoll.reading.evidence import ASIDE, Bid
from piperoll.reading.lexicon import bare
from piperoll.reading.profiles import Profile
from piperoll.reading.relations import Figures, adds_tax, are_equal, repeats_total
from piperoll.reading.senses import is_gross

_MARGIN = 0.03
"""Two columns whose scores for a field lie closer than this could each be it."""

_WELL_USED = 0.1
"""A second best column that fits another field about as well is that field's, and no doubt."""

_ALIKE = 0.5
"""Of two columns with one heading a filled one is a doubt where it is worth at least so much of the other."""

_A_TOTAL = 0.8
"""What is left of a column that says an invoice's total on each of its lines."""


def related(
    bids: Sequence[Bid], figures: Figures, profiles: Sequence[Profile], dataset: Dataset
) -> tuple[list[Bid], frozenset[frozenset[int]]]:
    """The bids as arithmetic leaves them, and the pairs of columns between which it has decided."""
    settled: set[frozenset[int]] = set()
    found = list(bids)
    for name in dataset.amount:
        places = list(dict.fromkeys(bid.column for bid in bids if bid.field == name))
        for one, other in permutations(places, 2):
            why, weight = _related(one, other, figures, profiles)
            if weight:
                settled.add(frozenset((one, other)))
                found = [
                    _weighed(bid, why, weight) if (bid.field, bid.column) == (name, other) else bid for bid in found
                ]
    return found, frozenset(settled)


def _related(one: int, other: int, figures: Figures, profiles: Sequence[Profile]) -> tuple[str, float]:
    """Why a column goes before another, and what that leaves of the other; nothing where they do not show it."""
    numbers = [place for place, profile in enumerate(profiles) if profile.numbers > 0.8 and place not in (one, other)]
    codes = [place for place, profile in enumerate(profiles) if profile.is_code and place not in (one, other)]
    if are_equal(figures, one, other):
        return "", 1.0
    if adds_tax(figures, one, other, numbers):
        return "its figures are another column's with the tax on top", ASIDE
    if repeats_total(figures, other, one, codes):
        return "it says the total of an invoice on each of its lines", _A_TOTAL
    return "", 0.0


def _weighed(bid: Bid, why: str, weight: float) -> Bid:
    """The bid for less; one whose heading says gross stands back already."""
    if weight == 1 or (weight == ASIDE and is_gross(bid.heading)):
        return bid
    return replace(bid, score=bid.score * weight, why=(*bid.why, why), certain=False)


@dataclass(frozen=True, slots=True)
class Contest:
    """All columns that were given out, and the pairs between which arithmetic has decided."""

    taken: Mapping[str, Bid]
    settled: Set[frozenset[int]]

    def is_open(self, bid: Bid, other: Bid, wanted: Field, dataset: Dataset) -> bool:
        """Whether the other column could be the field as well as the one that was taken for it."""
        if frozenset((bid.column, other.column)) in self.settled or (bid.how == "answered") != (
            other.how == "answered"
        ):
            return False
        if _is_elsewhere(other, self.taken.values()) or _says_one_thing(bid, other, wanted):
            return False
        near = other.score > bid.score - _MARGIN
        same = other.profile.count > 0 and bare(bid.heading) == bare(other.heading) != ""
        figures = wanted.name in dataset.core_fields and wanted.type in ("number", "date")
        return (
            near
            or (same and other.score > _ALIKE * bid.score)
            or (wanted.name in dataset.amount and _both_listed(bid, other))
            or (figures and _lost_by_content(bid, other))
        )


def _is_elsewhere(other: Bid, taken: Collection[Bid]) -> bool:
    return any(one.column == other.column and one.score > other.score - _WELL_USED for one in taken)


def _says_one_thing(bid: Bid, other: Bid, wanted: Field) -> bool:
    """Whether the other column holds one name throughout, which is hardly the name of many."""
    return wanted.privacy == "name" and other.profile.kinds == 1 and bid.profile.kinds > 1


def _both_listed(bid: Bid, other: Bid) -> bool:
    """Whether two headings are both listed and fit alike, wherever in the list they stand."""
    return bid.how == other.how == "listed" and other.level > bid.level - _MARGIN and other.profile.count > 0


def _lost_by_content(bid: Bid, other: Bid) -> bool:
    """Whether by the headings alone the other would have gone before, and only what it holds speaks against it."""
    return other.how == "listed" and other.profile.count > 0 and other.said > bid.said + 0.001
