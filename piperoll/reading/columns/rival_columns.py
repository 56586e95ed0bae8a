"""Two columns for one field: whether arithmetic decides between them, and whether a doubt remains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import permutations

from piperoll.model import Dataset, Field
from piperoll.model.mapping import bare
from piperoll.reading.cells.amounts import read_amount
from piperoll.reading.columns.evidence import ASIDE, Candidate
from piperoll.reading.columns.lexicon import vat_basis
from piperoll.reading.columns.profiles import ColumnProfile
from piperoll.reading.grids.grid import Row, cell_at, tidy

_SAMPLE = 2000
"""Rows in which two columns are compared."""
_PENNY = Decimal("0.02")
_RATE = Decimal("0.2")
"""The highest rate of value added tax (Value Added Tax Act 1994, section 2)."""
_MOST_INVOICES = 0.95
"""The share of invoices that must agree before one column is taken as the total of the other."""


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
    if not may_add_tax(figures, net, gross):
        return False
    pairs = figures.both(net, gross)
    return any(all(less + (figures.of(tax)[row] or 0) == more for row, less, more in pairs) for tax in others)


def may_add_tax(figures: AmountTable, net: int, gross: int) -> bool:
    """Return whether one column could be another plus tax in every row, and differs from it in some.

    An amount may be another plus tax if it has the same sign, is no smaller, and is within the highest rate.
    """
    pairs = figures.both(net, gross)
    return any(less != more for _, less, more in pairs) and all(
        less * more >= 0 and -_PENNY <= abs(more) - abs(less) <= abs(less) * _RATE + _PENNY for _, less, more in pairs
    )


def repeats_total(figures: AmountTable, total: int, line: int, references: Collection[int]) -> bool:
    """Return whether one column repeats on each line of an invoice the sum of the invoice's lines in another.

    `references` are the columns that may identify the invoices.
    """
    pairs = figures.both(total, line)
    for column in references:
        texts = figures.texts(column)
        invoices: dict[str, list[tuple[Decimal, Decimal]]] = defaultdict(list)
        for row, stated, amount in pairs:
            if texts[row]:
                invoices[texts[row]].append((stated, amount))
        agree = [
            all(stated == sum(amount for _, amount in lines) for stated, _ in lines) for lines in invoices.values()
        ]
        divided = any(stated != amount for lines in invoices.values() for stated, amount in lines)
        # One invoice in twenty may disagree, because the sample can end within one.
        if divided and sum(agree) >= _MOST_INVOICES * len(agree):
            return True
    return False


_MARGIN = 0.03
"""Two columns whose scores for a field are closer than this could each be the field."""

_WELL_USED = 0.1
"""A second best column that fits another field to within this score belongs to that field and raises no doubt."""

_ALIKE = 0.5
"""Of two columns with the same heading, the other raises a doubt if its score is at least this share."""

_LIKELY = 0.98
"""The factor for a column that may be another one with tax added: low enough to lose, high enough to be reported."""

_A_TOTAL = 0.8
"""The factor for a column that repeats an invoice's total on each of its lines."""


@dataclass(frozen=True, slots=True)
class _Relation:
    """Why one column is preferred to another, the factor for the other's score, and whether it is proved."""

    why: str
    weight: float
    proved: bool = True


def settle_by_arithmetic(
    candidates: Sequence[Candidate], figures: AmountTable, profiles: Sequence[ColumnProfile], dataset: Dataset
) -> tuple[list[Candidate], frozenset[frozenset[int]]]:
    """Return the candidates with scores changed by arithmetic, and the pairs of columns that it has decided between."""
    settled: set[frozenset[int]] = set()
    found = list(candidates)
    for name in dataset.amount:
        columns = list(dict.fromkeys(each.column for each in candidates if each.field == name))
        for one, other in permutations(columns, 2):
            if relation := _related(one, other, figures, profiles):
                settled |= {frozenset((one, other))} if relation.proved else set()
                plain = max((c for c in found if (c.field, c.column) == (name, one)), key=lambda each: each.score)
                found = [_reweigh(c, relation, plain) if (c.field, c.column) == (name, other) else c for c in found]
    return found, frozenset(settled)


def _related(one: int, other: int, figures: AmountTable, profiles: Sequence[ColumnProfile]) -> _Relation | None:
    """Return what arithmetic says in favour of one column against another; None if it says nothing."""
    others = [(column, profile) for column, profile in enumerate(profiles) if column not in (one, other)]
    if are_equal(figures, one, other):
        return _Relation("", 1.0)
    if adds_tax(figures, one, other, [column for column, profile in others if profile.numbers > 0.8]):
        return _Relation("its figures are another column's with the tax on top", ASIDE)
    if repeats_total(figures, other, one, [column for column, profile in others if profile.is_code]):
        return _Relation("it says the total of an invoice on each of its lines", _A_TOTAL)
    if may_add_tax(figures, one, other):
        return _Relation("its figures may be another column's with the tax on top", _LIKELY, proved=False)
    return None


def _reweigh(candidate: Candidate, relation: _Relation, plain: Candidate) -> Candidate:
    """Return the candidate with a lower score.

    A column with tax added ranks behind the `plain` one if its heading says gross, or if the relation is proved and the
    plain one's heading is as good. Then it does not matter how many cells of the plain one can be read.
    """
    if relation.weight == 1:
        return candidate
    taxed = relation.weight in (ASIDE, _LIKELY)
    if taxed and vat_basis(candidate.heading) == "gross":  # the heading has lowered its score already
        return replace(candidate, score=min(candidate.score, ASIDE * plain.score))
    score = candidate.score * relation.weight
    if taxed and relation.proved and plain.heading_score > candidate.heading_score - _MARGIN:
        score = min(score, ASIDE * plain.score)
    return replace(candidate, score=score, why=(*candidate.why, relation.why), certain=False)


@dataclass(frozen=True, slots=True)
class Rivals:
    """The assigned columns, and the pairs that arithmetic has decided between."""

    taken: Mapping[str, Candidate]
    settled: Set[frozenset[int]]

    def is_open(self, chosen: Candidate, other: Candidate, wanted: Field, dataset: Dataset) -> bool:
        """Return whether the other column could be the field as well as the chosen one."""
        if frozenset((chosen.column, other.column)) in self.settled:
            return False
        if (chosen.how == "answered") != (other.how == "answered"):
            return False
        elsewhere = any(
            one.column == other.column and one.score > other.score - _WELL_USED for one in self.taken.values()
        )
        # A column with a single name throughout is hardly a column of names.
        one_name = wanted.privacy == "name" and other.profile.kinds == 1 and chosen.profile.kinds > 1
        if elsewhere or one_name:
            return False
        if other.score > chosen.score - _MARGIN or not other.profile.count:
            return other.score > chosen.score - _MARGIN
        same = bare(chosen.heading) == bare(other.heading) != "" and other.score > _ALIKE * chosen.score
        # Both headings are listed and fit equally well, wherever they are in the list.
        listed = chosen.how == other.how == "listed" and other.unranked_score > chosen.unranked_score - _MARGIN
        # Amounts with tax were chosen although a heading beside them, perhaps mistyped, says net.
        taxed = vat_basis(chosen.heading) == "gross" and vat_basis(other.heading) == "net"
        # The other column has the better heading and lost only because of its cells.
        by_cells = other.how == "listed" and other.heading_score > chosen.heading_score + 0.001
        figures = wanted.name in dataset.core_fields and wanted.type in ("number", "date")
        return same or (wanted.name in dataset.amount and (listed or taxed)) or (figures and by_cells)
