"""The evidence that a column is a field: its heading and its cells, each weighed, with the reasons in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from piperoll.model import Dataset, Field, Level, Origin
from piperoll.reading.columns.heading_terms import names_money, terms_in, vat_basis
from piperoll.reading.columns.lexicon import CERTAIN, HeadingMeaning, Lexicon, bare
from piperoll.reading.columns.profiles import EMPTY, ColumnProfile
from piperoll.reading.columns.shifted_columns import NO_SHIFT, ColumnShift
from piperoll.reading.grids.grid import squeeze

LEAST = 0.3
"""Below this score, a heading and the cells contradict each other too much; a core field's own heading is exempt."""

ASIDE = 0.93
"""The factor for a heading that says gross, invoice, order, forecast or the like: a plain or net one is preferred."""

_BY_HEADING = {
    "listed": "its heading is one we know for it",
    "slip": "its heading is near to one we know for it",
    "phrase": "its heading holds one we know for it",
    "remembered": "the body has sent it under this heading before",
    "answered": "somebody has said so",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A column that may be a field: how well it fits (0 to 1), on what grounds, and the reasons in words."""

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
    """True for a core field's own heading, which counts even if many of its cells cannot be read."""

    @property
    def stands(self) -> bool:
        """Whether heading and cells agree enough for the column to be used."""
        return self.score >= LEAST or self.certain

    @property
    def said(self) -> float:
        """How well the heading alone fits, without its position in the list, which says little."""
        return self.score / self.fit / _by_rank(self.rank)

    @property
    def level(self) -> float:
        """How well heading and cells fit, without the heading's position in the list."""
        return self.score / _by_rank(self.rank)


def _by_rank(rank: int) -> float:
    """Return the factor for a heading's position in its field's list: just enough to decide between equals."""
    return 1 - 0.0005 * min(rank, 60)


def find_candidates(
    headings: Sequence[str],
    profiles: Sequence[ColumnProfile],
    lexicon: Lexicon,
    moved: ColumnShift = NO_SHIFT,
    meant: Mapping[int, Sequence[HeadingMeaning]] | None = None,
) -> list[Candidate]:
    """Return every candidate of every heading, at the columns where the data are.

    `meant` gives the meanings of headings, by column, where neighbouring headings say more than a heading alone.
    """
    found: list[Candidate] = []
    several: set[int] = set()
    for place, heading in enumerate(headings):
        column = moved.column_of(place)
        if column is None or not 0 <= column < len(profiles):
            continue
        meanings = lexicon.meanings(heading) if meant is None or place not in meant else meant[place]
        if len(meanings) > 1:
            several.add(column)
        for order, match in enumerate(meanings):
            if bid := _bid(match, order, column, heading, profiles[column], lexicon.dataset):
                found.append(bid)
    beside = {bid.field: profiles[bid.column] for bid in found}
    return [bid for bid in found if bid.column not in several or _fits_beside(lexicon.dataset.field(bid.field), beside)]


def _fits_beside(wanted: Field, beside: Mapping[str, ColumnProfile]) -> bool:
    """Return whether the rule `only_beside` allows reading a heading as this field.

    The other field must have a column, and its cells must not rule this field out. For example, the rows of a council
    have no "department family", so `Department` means its organisational unit there.
    """
    rules = wanted.reading
    if rules.only_beside is None:
        return True
    other = beside.get(rules.only_beside)
    pattern = rules.unless_beside_matches
    return other is not None and (pattern is None or other.share_matching(pattern) <= 0.5)


def _bid(
    match: HeadingMeaning, order: int, column: int, heading: str, profile: ColumnProfile, dataset: Dataset
) -> Candidate | None:
    """Return the candidate for one meaning of a heading; None if the column cannot be the field.

    It cannot if the heading says that the figures are the tax, or if the cells are amounts but the field is a count or
    a reference.
    """
    wanted = dataset.field(match.field)
    if match.how == "answered":
        return Candidate(
            match.field, column, heading, 1.0, match.how, (_BY_HEADING[match.how],), profile=profile, certain=True
        )
    money = wanted.type == "number" and wanted.level is Level.CORE
    if (money and vat_basis(heading) == "vat") or contradicts_type(profile, wanted):
        return None
    first = (1 - 0.05 * min(order, 4)) * _by_rank(match.rank)
    fitting = fit_to_field(profile, wanted)
    aside = (
        terms_in(heading) if money or (wanted.type == "date" and wanted.name in dataset.core_fields) else frozenset()
    )
    return Candidate(
        field=match.field,
        column=column,
        heading=heading,
        score=match.score * first * fitting * (ASIDE if aside else 1.0),
        how=match.how,
        why=tuple(_reasons(match, profile, wanted, aside)),
        rank=match.rank,
        profile=profile,
        fit=fitting,
        certain=order == 0 and match.score >= CERTAIN and match.field in dataset.core_fields,
    )


def _reasons(match: HeadingMeaning, profile: ColumnProfile, wanted: Field, aside: Set[str]) -> Iterator[str]:
    yield _BY_HEADING[match.how]
    if not profile.filled:
        yield "it is empty"
    elif what := _contents(profile, wanted):
        yield what
    if aside:
        yield f"its heading says '{', '.join(sorted(aside))}', so a plain one would have gone before it"


def _contents(profile: ColumnProfile, wanted: Field) -> str | None:
    if wanted.type == "date":
        return f"{profile.dates + profile.serials:.0%} of its cells are dates"
    if wanted.type in ("number", "integer"):
        return f"{profile.numbers:.0%} of its cells are numbers"
    if wanted.privacy == "name" and profile.companies:
        return f"{profile.companies:.0%} of its cells look like names of organisations"
    return None


def fit_to_field(profile: ColumnProfile, wanted: Field) -> float:
    """Return how well the cells agree with a field's type: 1 for all of them, 0.25 for none, 0.6 for an empty column.

    A column of amounts that are all zero counts as an empty column.
    """
    nought = wanted.type == "number" and wanted.level is Level.CORE and profile.zeros == 1
    if not profile.filled or nought:
        return 0.6
    if wanted.reading.cells_match is not None:
        return 0.5 + 0.5 * profile.share_matching(wanted.reading.cells_match)
    if wanted.type in ("date", "number", "integer", "boolean"):
        return _fit_of_form(profile, wanted)
    if wanted.privacy == "name":
        return 1 - 0.6 * max(profile.numbers, profile.dates, 0.5 * profile.identifiers)
    return 1 - max(0.15 * profile.dates, 0.6 * profile.numbers * (wanted.reading.kind == "band"))


def _fit_of_form(profile: ColumnProfile, wanted: Field) -> float:
    """Return the same for a field whose cells have a form of their own: dates, numbers, true and false."""
    if wanted.type == "date":
        return 0.25 + 0.75 * min(1.0, profile.dates + max(profile.serials, 0.5 * profile.months))
    if wanted.type == "boolean":
        return 0.6 + 0.4 * profile.truths
    return 0.25 + 0.75 * profile.numbers * (1 - 0.5 * profile.dates)


def contradicts_type(profile: ColumnProfile, wanted: Field) -> bool:
    """Return whether the cells are pounds and pence although the field is a whole number or a reference."""
    counted = wanted.type == "integer" or wanted.is_code
    return counted and profile.pence > 0.3 and profile.numbers > 0.8


def is_meaningless(heading: str, profile: ColumnProfile, lexicon: Lexicon) -> bool:
    """Return whether a heading tells us nothing about its column: it is unknown, or names only other kinds of things.

    For example, `Payment` names a date, but not above a column of amounts.
    """
    if lexicon.is_set_aside(heading) or vat_basis(heading) == "vat":
        return False
    fields = [lexicon.dataset.field(match.field) for match in lexicon.meanings(heading)]
    undated = _is_money(profile, heading) and not profile.dates and profile.serials < 0.5
    return all(contradicts_type(profile, each) or (each.type == "date" and undated) for each in fields)


def candidate_by_content(
    profile: ColumnProfile, column: int, heading: str, wanted: Field, dataset: Dataset
) -> Candidate | None:
    """Return the candidate of a column with a meaningless heading for a field that no heading names.

    None if it does not fit.

    Only clear cases count: amounts for the amount, dates for a date, names of organisations for the supplier.
    """
    if profile.filled < 0.5 or (profile.counts_up and not names_money(heading)):
        return None
    how_like, why = _likeness(profile, heading, wanted, dataset)
    if how_like <= 0:
        return None
    return Candidate(wanted.name, column, heading, round(0.5 * how_like, 6), "content", (why,), profile=profile)


def _is_money(profile: ColumnProfile, heading: str) -> bool:
    """Return whether a column holds amounts.

    Numbers, some with pence or a pound sign or below a heading about money.
    """
    return profile.numbers > 0.9 and (profile.money > 0.3 or names_money(heading))


def _likeness(profile: ColumnProfile, heading: str, wanted: Field, dataset: Dataset) -> tuple[float, str]:
    if wanted.name in dataset.amount and _is_money(profile, heading) and profile.dates < 0.5:
        kind = "sums of money" if profile.money else "numbers"
        return 0.6 + 0.4 * profile.money, f"{profile.money or profile.numbers:.0%} of its cells are {kind}"
    if wanted.type == "date" and profile.dates > 0.6 and not profile.stamps:
        return profile.dates, f"{profile.dates:.0%} of its cells are dates"
    if wanted.privacy == "name" and profile.companies * profile.distinct > 0.05 and profile.companies > 0.2:
        return min(1.0, 0.6 + profile.companies * profile.distinct), (
            f"{profile.companies:.0%} of its cells look like names of organisations"
        )
    return 0.0, ""


def holds_references(profile: ColumnProfile) -> bool:
    """Return whether a column holds references and nothing else."""
    full = profile.filled > 0.9 and profile.identifiers > 0.9
    return full and not profile.counts_up and not profile.money and profile.dates < 0.5


def is_asked_for(each: Field, dataset: Dataset) -> bool:
    """Return whether a body must send the field."""
    return each.origin is Origin.SENT and (each.level is not Level.WANTED or each.name in dataset.core_fields)


_WORDS_OF = re.compile(
    r"\s*(?:\(\s*(?:T|text|description|desc|name)\s*\)|[\s_-](?:description|descr?|text|name))\s*\Z", re.I
)
"""How a heading ends if its column gives in words what another column gives in codes."""


def tell_codes_from_labels(
    headings: Sequence[str], profiles: Sequence[ColumnProfile], lexicon: Lexicon
) -> dict[int, tuple[HeadingMeaning, ...]]:
    """Return the meanings of the headings of pairs, by column: codes are never a label, and words are never a code.

    A pair is two columns, one of codes and one of words, whose headings are equal apart from `(T)`, `Description` or
    the like. A column may be left without any meaning.
    """
    found: dict[int, tuple[HeadingMeaning, ...]] = {}
    for code, words in _pairs(headings, profiles):
        said = (*lexicon.meanings(headings[words]), *lexicon.meanings(headings[code]))
        found[words] = _distinct(_as_words(said, lexicon.dataset))
        found[code] = _distinct(_as_code(said, lexicon.dataset))
    return found


def _pairs(headings: Sequence[str], profiles: Sequence[ColumnProfile]) -> Iterator[tuple[int, int]]:
    """Yield each pair of a column of codes and the column with their words; of several, the nearest two."""
    places = [place for place in range(min(len(headings), len(profiles))) if bare(headings[place])]
    codes = [place for place in places if profiles[place].is_code]
    taken: set[int] = set()
    for words in (place for place in places if profiles[place].is_wordy):
        keys = {bare(headings[words]), bare(_WORDS_OF.sub("", squeeze(headings[words])))}
        fitting = [place for place in codes if bare(headings[place]) in keys and place not in taken]
        if fitting:
            nearest = min(fitting, key=lambda place: (abs(place - words), place))
            taken.add(nearest)
            yield nearest, words


def _as_words(said: Sequence[HeadingMeaning], dataset: Dataset) -> Iterator[HeadingMeaning]:
    for match in said:
        wanted = dataset.field(match.field)
        if not wanted.is_code:
            yield match
        elif wanted.reading.label is not None:
            yield HeadingMeaning(wanted.reading.label, match.score * 0.97, match.rank, match.how)


def _as_code(said: Sequence[HeadingMeaning], dataset: Dataset) -> Iterator[HeadingMeaning]:
    for match in said:
        wanted = dataset.field(match.field)
        if wanted.is_code:
            yield match
        elif wanted.reading.code is not None:
            yield HeadingMeaning(wanted.reading.code, match.score * 0.97, match.rank, match.how)


def _distinct(said: Iterator[HeadingMeaning]) -> tuple[HeadingMeaning, ...]:
    """Return each field once, by its best meaning, in the order of first occurrence."""
    best: dict[str, HeadingMeaning] = {}
    for match in said:
        if match.field not in best or best[match.field].score < match.score:
            best[match.field] = match
    return tuple(best.values())
