"""Two columns for one field: whether arithmetic decides between them, and whether a doubt remains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import permutations

from piperoll.model import Dataset, Field
from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.columns.evidence import ASIDE, Candidate
from piperoll.reading.columns.heading_terms import is_gross, vat_basis
from piperoll.reading.columns.lexicon import bare
from piperoll.reading.columns.profiles import ColumnProfile
from piperoll.reading.grids.grid import Row, cell_at, tidy

_SAMPLE = 2000
_PENNY = Decimal("0.02")
_RATE = Decimal("0.2")
"""The highest rate of value added tax (Value Added Tax Act 1994, section 2)."""
_MOST_INVOICES = 0.95


@dataclass(frozen=True)
class AmountTable:
    """The amounts in the first 2,000 rows of a table, by column; each column is read once."""

    rows: Sequence[Row] = ()
    known: dict[int, list[Decimal | None]] = field(default_factory=dict, compare=False, repr=False)

    def of(self, column: int) -> list[Decimal | None]:
        """Return the amounts of a column, with None for a cell without one."""
        if column not in self.known:
            self.known[column] = [read_amount(text) for text in self.texts(column)]
        return self.known[column]

    def texts(self, column: int) -> list[str]:
        """Return the cells of a column."""
        return [tidy(cell_at(row, column)) for row in self.rows[:_SAMPLE]]

    def both(self, one: int, other: int) -> list[tuple[int, Decimal, Decimal]]:
        """Return the rows in which two columns hold an amount, counted from 0, with both amounts."""
        pairs = enumerate(zip(self.of(one), self.of(other), strict=True))
        return [(row, a, b) for row, (a, b) in pairs if a is not None and b is not None]


def are_equal(figures: AmountTable, one: int, other: int) -> bool:
    """Return whether two columns are equal in every row."""
    same = [a == b for a, b in zip(figures.of(one), figures.of(other), strict=True)]
    return bool(same) and all(same) and bool(figures.both(one, other))


def adds_tax(figures: AmountTable, net: int, gross: int, others: Iterable[int]) -> bool:
    """Return whether one column is another plus the tax in one of the `others`, in every row."""
    return may_add_tax(figures, net, gross) and any(_sums(figures, net, gross, other) for other in others)


def may_add_tax(figures: AmountTable, net: int, gross: int) -> bool:
    """Return whether one column could be another plus tax in every row, and differs from it in some."""
    pairs = figures.both(net, gross)
    return all(_is_taxed(a, b) for _, a, b in pairs) and any(a != b for _, a, b in pairs)


def _is_taxed(net: Decimal, gross: Decimal) -> bool:
    """Return whether one amount may be another plus tax: same sign, no smaller, and within the highest rate."""
    return net * gross >= 0 and -_PENNY <= abs(gross) - abs(net) <= abs(net) * _RATE + _PENNY


def _sums(figures: AmountTable, net: int, gross: int, tax: int) -> bool:
    taxes = figures.of(tax)
    return all(less + (taxes[row] or 0) == more for row, less, more in figures.both(net, gross))


def repeats_total(figures: AmountTable, total: int, line: int, references: Collection[int]) -> bool:
    """Return whether one column repeats on each line of an invoice the sum of the invoice's lines in another.

    `references` are the columns that may identify the invoices. One invoice in twenty may disagree, because the sample
    can end within one.
    """
    pairs = figures.both(total, line)
    return any(_is_total(pairs, figures.texts(column)) for column in references)


def _is_total(pairs: Sequence[tuple[int, Decimal, Decimal]], references: Sequence[str]) -> bool:
    groups: dict[str, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for row, total, line in pairs:
        groups[references[row]].append((total, line))
    groups.pop("", None)
    held = [all(total == sum(line for _, line in lines) for total, _ in lines) for lines in groups.values()]
    parted = any(total != line for lines in groups.values() for total, line in lines)
    return parted and sum(held) >= _MOST_INVOICES * len(held)


_MARGIN = 0.03
"""Two columns whose scores for a field are closer than this could each be the field."""

_WELL_USED = 0.1
"""A second best column that fits another field to within this score belongs to that field and raises no doubt."""

_ALIKE = 0.5
"""Of two columns with the same heading, the other raises a doubt if its score is at least this share."""

_LIKELY = 0.98
"""The factor for a column that may be another one with tax added: lower, but still a doubt."""

_A_TOTAL = 0.8
"""The factor for a column that repeats an invoice's total on each of its lines."""


@dataclass(frozen=True, slots=True)
class _Relation:
    """Why one column is preferred to another, the factor for the other's score, and whether it is proved."""

    why: str
    weight: float
    proved: bool = True


def settle_by_arithmetic(
    bids: Sequence[Candidate], figures: AmountTable, profiles: Sequence[ColumnProfile], dataset: Dataset
) -> tuple[list[Candidate], frozenset[frozenset[int]]]:
    """Return the candidates as weighed by arithmetic, and the pairs of columns that it has decided between."""
    settled: set[frozenset[int]] = set()
    found = list(bids)
    for name in dataset.amount:
        places = list(dict.fromkeys(bid.column for bid in bids if bid.field == name))
        for one, other in permutations(places, 2):
            if relation := _related(one, other, figures, profiles):
                settled |= {frozenset((one, other))} if relation.proved else set()
                plain = max((bid for bid in found if (bid.field, bid.column) == (name, one)), key=lambda bid: bid.score)
                found = [
                    _weighed(bid, relation, plain) if (bid.field, bid.column) == (name, other) else bid for bid in found
                ]
    return found, frozenset(settled)


def _related(one: int, other: int, figures: AmountTable, profiles: Sequence[ColumnProfile]) -> _Relation | None:
    """Return what arithmetic says in favour of one column against another; None if it says nothing."""
    left = [(place, profile) for place, profile in enumerate(profiles) if place not in (one, other)]
    if are_equal(figures, one, other):
        return _Relation("", 1.0)
    if adds_tax(figures, one, other, [place for place, profile in left if profile.numbers > 0.8]):
        return _Relation("its figures are another column's with the tax on top", ASIDE)
    if repeats_total(figures, other, one, [place for place, profile in left if profile.is_code]):
        return _Relation("it says the total of an invoice on each of its lines", _A_TOTAL)
    if may_add_tax(figures, one, other):
        return _Relation("its figures may be another column's with the tax on top", _LIKELY, proved=False)
    return None


def _weighed(bid: Candidate, relation: _Relation, plain: Candidate) -> Candidate:
    """Return the candidate with a lower score; one whose heading says gross is low already.

    A column with tax added ranks behind the `plain` one if its heading says gross, or if the relation is proved and the
    plain one's heading is as good. Then it does not matter how many cells of the plain one can be read.
    """
    if relation.weight == 1:
        return bid
    taxed = relation.weight in (ASIDE, _LIKELY)
    if taxed and is_gross(bid.heading):
        return replace(bid, score=min(bid.score, ASIDE * plain.score))
    score = bid.score * relation.weight
    if taxed and relation.proved and plain.said > bid.said - _MARGIN:
        score = min(score, ASIDE * plain.score)
    return replace(bid, score=score, why=(*bid.why, relation.why), certain=False)


@dataclass(frozen=True, slots=True)
class Rivals:
    """The assigned columns, and the pairs that arithmetic has decided between."""

    taken: Mapping[str, Candidate]
    settled: Set[frozenset[int]]

    def is_open(self, bid: Candidate, other: Candidate, wanted: Field, dataset: Dataset) -> bool:
        """Return whether the other column could be the field as well as the assigned one."""
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
            or (wanted.name in dataset.amount and (_both_listed(bid, other) or _goes_before_net(bid, other)))
            or (figures and _lost_by_content(bid, other))
        )


def _is_elsewhere(other: Candidate, taken: Collection[Candidate]) -> bool:
    return any(one.column == other.column and one.score > other.score - _WELL_USED for one in taken)


def _says_one_thing(bid: Candidate, other: Candidate, wanted: Field) -> bool:
    """Return whether the other column holds a single name throughout, so that it is hardly a column of names."""
    return wanted.privacy == "name" and other.profile.kinds == 1 and bid.profile.kinds > 1


def _both_listed(bid: Candidate, other: Candidate) -> bool:
    """Return whether two headings are both listed and fit equally well, wherever they are in the list."""
    return bid.how == other.how == "listed" and other.level > bid.level - _MARGIN and other.profile.count > 0


def _goes_before_net(bid: Candidate, other: Candidate) -> bool:
    """Return whether amounts with tax were chosen although a heading beside them, perhaps mistyped, says net."""
    return is_gross(bid.heading) and vat_basis(other.heading) == "net" and other.profile.count > 0


def _lost_by_content(bid: Candidate, other: Candidate) -> bool:
    """Return whether the other has the better heading and lost only because of its cells."""
    return other.how == "listed" and other.profile.count > 0 and other.said > bid.said + 0.001
