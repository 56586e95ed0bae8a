"""The evidence that a column is a field: its heading and its cells, each weighed, with the reasons in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from piperoll.model import Dataset, Field, Level, Origin
from piperoll.model.mapping import bare
from piperoll.reading.columns.lexicon import CERTAIN, HeadingMeaning, Lexicon, names_money, terms_in, vat_basis
from piperoll.reading.columns.profiles import EMPTY, ColumnProfile
from piperoll.reading.columns.shifted_columns import NO_SHIFT, ColumnShift
from piperoll.reading.grids.grid import squeeze

LEAST = 0.3
"""The lowest score of a column that is used, except below a core field's own heading."""

ASIDE = 0.93
"""The factor for a heading that says gross, invoice, order or forecast: a plain or net one is preferred."""

_BY_HEADING = {
    "listed": "its heading is one we know for it",
    "slip": "its heading is near to one we know for it",
    "phrase": "its heading holds one we know for it",
    "remembered": "the body has sent it under this heading before",
    "answered": "somebody has said so",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A column that may be a field: its score (0 to 1), how it was found, and the reasons in words."""

    field: str
    column: int
    heading: str
    score: float
    how: str
    why: tuple[str, ...] = ()
    rank: int = 0
    profile: ColumnProfile = EMPTY
    """The profile of the column's cells."""
    fit: float = 1.0
    """How well the cells agree with the field's type."""
    certain: bool = False
    """True for a core field's own heading, which counts even if many of the cells cannot be read."""

    @property
    def is_usable(self) -> bool:
        """Whether heading and cells agree enough for the column to be used."""
        return self.score >= LEAST or self.certain

    @property
    def heading_score(self) -> float:
        """The score of the heading alone, whatever its position in the list."""
        return self.score / self.fit / _by_rank(self.rank)

    @property
    def unranked_score(self) -> float:
        """The score of heading and cells, whatever the heading's position in the list."""
        return self.score / _by_rank(self.rank)


def _by_rank(rank: int) -> float:
    """Return the factor for a heading's position in its field's list: just enough to break ties."""
    return 1 - 0.0005 * min(rank, 60)


def find_candidates(
    headings: Sequence[str],
    profiles: Sequence[ColumnProfile],
    lexicon: Lexicon,
    moved: ColumnShift = NO_SHIFT,
    meant: Mapping[int, Sequence[HeadingMeaning]] | None = None,
) -> list[Candidate]:
    """Return a candidate for each meaning of each heading, at the column that holds the data.

    `meant` overrides the meanings of some headings, by column, where neighbouring columns say more about them.
    """
    found: list[Candidate] = []
    ambiguous: set[int] = set()
    for index, heading in enumerate(headings):
        column = moved.column_of(index)
        if column is None or not 0 <= column < len(profiles):
            continue
        meanings = lexicon.meanings(heading) if meant is None or index not in meant else meant[index]
        if len(meanings) > 1:
            ambiguous.add(column)
        for order, match in enumerate(meanings):
            if candidate := _make_candidate(match, order, column, heading, profiles[column], lexicon.dataset):
                found.append(candidate)
    # `only_beside` narrows an ambiguous heading: the rows of a council have no "department family", so `Department`
    # means its organisational unit there. The other field needs a column whose cells do not rule this field out.
    beside = {candidate.field: candidate.profile for candidate in found}
    fitting = []
    for candidate in found:
        rules = lexicon.dataset.field(candidate.field).reading
        if candidate.column in ambiguous and rules.only_beside is not None:
            other, pattern = beside.get(rules.only_beside), rules.unless_beside_matches
            if other is None or (pattern is not None and other.share_matching(pattern) > 0.5):
                continue
        fitting.append(candidate)
    return fitting


def _make_candidate(
    match: HeadingMeaning, order: int, column: int, heading: str, profile: ColumnProfile, dataset: Dataset
) -> Candidate | None:
    """Return the candidate for one meaning of a heading; None if the column cannot be the field.

    It cannot if the heading says that the figures are the tax, or if the cells are amounts but the field is a count or
    a reference.
    """
    wanted, why = dataset.field(match.field), [_BY_HEADING[match.how]]
    if match.how == "answered":
        return Candidate(match.field, column, heading, 1.0, match.how, tuple(why), profile=profile, certain=True)
    money = wanted.type == "number" and wanted.level is Level.CORE
    if (money and vat_basis(heading) == "vat") or contradicts_type(profile, wanted):
        return None
    fit, terms = fit_to_field(profile, wanted), frozenset[str]()
    if money or (wanted.type == "date" and wanted.name in dataset.core_fields):
        terms = terms_in(heading)
    if not profile.filled:
        why.append("it is empty")
    elif wanted.type == "date":
        why.append(f"{profile.dates + profile.serials:.0%} of its cells are dates")
    elif wanted.type in ("number", "integer"):
        why.append(f"{profile.numbers:.0%} of its cells are numbers")
    elif wanted.privacy == "name" and profile.companies:
        why.append(f"{profile.companies:.0%} of its cells look like names of organisations")
    if terms:
        why.append(f"its heading says '{', '.join(sorted(terms))}', so a plain one would have gone before it")
    first = (1 - 0.05 * min(order, 4)) * _by_rank(match.rank)
    return Candidate(
        field=match.field,
        column=column,
        heading=heading,
        score=match.score * first * fit * (ASIDE if terms else 1.0),
        how=match.how,
        why=tuple(why),
        rank=match.rank,
        profile=profile,
        fit=fit,
        certain=order == 0 and match.score >= CERTAIN and match.field in dataset.core_fields,
    )


def fit_to_field(profile: ColumnProfile, wanted: Field) -> float:
    """Return how well the cells agree with a field's type: 1 for all of them, 0.25 for none, 0.6 for an empty column.

    A column of amounts that are all zero counts as an empty column.
    """
    all_zero = wanted.type == "number" and wanted.level is Level.CORE and profile.zeros == 1
    if not profile.filled or all_zero:
        return 0.6
    if wanted.reading.cells_match is not None:
        return 0.5 + 0.5 * profile.share_matching(wanted.reading.cells_match)
    if wanted.type == "date":
        return 0.25 + 0.75 * min(1.0, profile.dates + max(profile.serials, 0.5 * profile.months))
    if wanted.type == "boolean":
        return 0.6 + 0.4 * profile.truths
    if wanted.type in ("number", "integer"):
        return 0.25 + 0.75 * profile.numbers * (1 - 0.5 * profile.dates)  # `20240131` is a number and a date
    if wanted.privacy == "name":
        unlike = 0.6 * max(profile.numbers, profile.dates, 0.5 * profile.identifiers)
    else:
        unlike = max(0.15 * profile.dates, 0.6 * profile.numbers * (wanted.reading.kind == "band"))
    return 1 - unlike


def contradicts_type(profile: ColumnProfile, wanted: Field) -> bool:
    """Return whether the cells are pounds and pence but the field is a whole number or a reference."""
    counted = wanted.type == "integer" or wanted.is_code
    return counted and profile.pence > 0.3 and profile.numbers > 0.8


def is_meaningless(heading: str, profile: ColumnProfile, lexicon: Lexicon) -> bool:
    """Return whether a heading says nothing about its column: it is unknown, or the cells rule out all it may mean.

    For example, `Payment` names a date, but says nothing above a column of amounts.
    """
    if lexicon.is_set_aside(heading) or vat_basis(heading) == "vat":
        return False
    fields = [lexicon.dataset.field(match.field) for match in lexicon.meanings(heading)]
    undated = _is_money(profile, heading) and not profile.dates and profile.serials < 0.5
    return all(contradicts_type(profile, each) or (each.type == "date" and undated) for each in fields)


def candidate_by_content(
    profile: ColumnProfile, column: int, heading: str, wanted: Field, dataset: Dataset
) -> Candidate | None:
    """Return a column with a meaningless heading as a candidate for a field, by its cells; None if they do not fit.

    Only clear cases count: amounts for the amount, dates for a date, names of organisations for the supplier.
    """
    if profile.filled < 0.5 or (profile.counts_up and not names_money(heading)):
        return None
    names = profile.companies * profile.distinct
    if wanted.name in dataset.amount and _is_money(profile, heading) and profile.dates < 0.5:
        likeness, share = 0.6 + 0.4 * profile.money, profile.money or profile.numbers
        why = f"{share:.0%} of its cells are {'sums of money' if profile.money else 'numbers'}"
    elif wanted.type == "date" and profile.dates > 0.6 and not profile.stamps:
        likeness, why = profile.dates, f"{profile.dates:.0%} of its cells are dates"
    elif wanted.privacy == "name" and names > 0.05 and profile.companies > 0.2:
        likeness, why = min(1.0, 0.6 + names), f"{profile.companies:.0%} of its cells look like names of organisations"
    else:
        return None
    return Candidate(wanted.name, column, heading, round(0.5 * likeness, 6), "content", (why,), profile=profile)


def _is_money(profile: ColumnProfile, heading: str) -> bool:
    """Return whether a column holds amounts: numbers, with pence or pound signs or below a heading about money."""
    return profile.numbers > 0.9 and (profile.money > 0.3 or names_money(heading))


def holds_references(profile: ColumnProfile) -> bool:
    """Return whether a column holds references and nothing else."""
    full = profile.filled > 0.9 and profile.identifiers > 0.9
    return full and not profile.counts_up and not profile.money and profile.dates < 0.5


def is_asked_for(each: Field, dataset: Dataset) -> bool:
    """Return whether a body must send the field."""
    return each.origin is Origin.SENT and (each.level is not Level.WANTED or each.name in dataset.core_fields)


_LABEL_ENDING = re.compile(
    r"\s*(?:\(\s*(?:T|text|description|desc|name)\s*\)|[\s_-](?:description|descr?|text|name))\s*\Z", re.I
)
"""The ending of a heading whose column gives in words what another column gives in codes."""


def tell_codes_from_labels(
    headings: Sequence[str], profiles: Sequence[ColumnProfile], lexicon: Lexicon
) -> dict[int, tuple[HeadingMeaning, ...]]:
    """Return the meanings of the headings of pairs, by column: codes are never a label, and words are never a code.

    A pair is two columns, one of codes and one of words, whose headings are equal apart from `(T)`, `Description` or
    the like. A column may be left without any meaning. Of several columns of codes, the nearest is used.
    """
    found: dict[int, tuple[HeadingMeaning, ...]] = {}
    named = [column for column in range(min(len(headings), len(profiles))) if bare(headings[column])]
    codes = [column for column in named if profiles[column].is_code]
    for labels in (column for column in named if profiles[column].is_wordy):
        keys = {bare(headings[labels]), bare(_LABEL_ENDING.sub("", squeeze(headings[labels])))}
        fitting = [column for column in codes if bare(headings[column]) in keys and column not in found]
        if fitting:
            nearest = min(fitting, key=lambda column: (abs(column - labels), column))
            both = (*lexicon.meanings(headings[labels]), *lexicon.meanings(headings[nearest]))
            found[labels] = _meanings_of_kind(both, lexicon.dataset, code=False)
            found[nearest] = _meanings_of_kind(both, lexicon.dataset, code=True)
    return found


def _meanings_of_kind(
    meanings: Sequence[HeadingMeaning], dataset: Dataset, *, code: bool
) -> tuple[HeadingMeaning, ...]:
    """Return the meanings as fields for codes, or as fields for words; each field once, by its best meaning."""
    best: dict[str, HeadingMeaning] = {}
    for each in meanings:
        wanted, match = dataset.field(each.field), each
        if wanted.is_code != code:
            counterpart = wanted.reading.code if code else wanted.reading.label
            if counterpart is None:
                continue
            match = HeadingMeaning(counterpart, each.score * 0.97, each.rank, each.how)
        if match.field not in best or best[match.field].score < match.score:
            best[match.field] = match
    return tuple(best.values())
