"""What a heading may mean.

The listed headings of a dataset with typing errors forgiven, the headings remembered for a body, and the terms that say
which kind of amount or date a column holds: net or gross, invoice or payment, actual or forecast.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from piperoll.model import DIFFERENT, BodyMapping, Dataset, Origin
from piperoll.model.mapping import bare, fold_case
from piperoll.reading.grids.cell_shapes import to_shape
from piperoll.reading.grids.grid import squeeze


def count_slips(one: str, other: str, most: int) -> int:
    """Count the letters to insert, delete, change or swap with the next; `most` + 1 if there are more than `most`."""
    # Damerau-Levenshtein distance in its restricted form, abandoned as soon as a whole row of the table exceeds `most`
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, char in enumerate(one, start=1):
        current = [row]
        for column, letter in enumerate(other, start=1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (char != letter))
            if row > 1 and column > 1 and char == other[column - 2] and one[row - 2] == letter:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) > most:
            return most + 1
        before, last = last, current
    return min(last[-1], most + 1)


_BRACKETED = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_NUMBERED = re.compile(
    r"^\s*(?:\d{1,2}\s?[.):]|\d{0,2}[A-Z]{1,3}\d{0,2}\s+-"
    r"|\(\s?(?:\d{1,2}|[A-Za-z])\s?\)|\[\s?(?:\d{1,2}|[A-Za-z])\s?\]|[A-Za-z]\s?[.):]"
    r"|(?:[Cc]ol(?:umn)?|COL(?:UMN)?|[Ff]ield|FIELD)\.?\s*(?:\d{1,2}|[A-Za-z])\b\s*[-\u2013\u2014.:)]?"
    r"|\d{1,2}\s?[-\u2013\u2014]|\d{1,2}(?=\s+[A-Za-z]))\s*(?=[^\s\d])"
)
"""The number of a column before its heading: `1 Supplier`, `2. Date`, `(c) Amount`, `Column 4 - Entity`."""
_AFTER_DASH = re.compile(r"\s+[-–:/|]\s+.*|:\s*\Z")
_BEFORE_SLASH = re.compile(r".*\s[/|]\s+")
_UNIT = re.compile(
    r"\s(?:in\s+)?(?:£?\s*['’]?(?:0{3}s?|k)|£\W?p|gbp|eur|euros?|usd?\$?|(?:us\s+)?dollars?|pounds?|sterling|pence|thousands?)"
    r"\s*\Z",
    re.I,
)
_NEGATIONS = frozenset(["ir", "un", "in", "im", "non", "not", "dis"])
_NUMBERS = frozenset(["id", "no", "nr"])
_WORDS = re.compile(r"[a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LONGEST = 100
"""Characters of a heading at most; longer cells are text and are not compared."""

CERTAIN = 0.95
"""A heading with at least this score certainly names its first field."""

_ABBREVIATIONS = {
    "amt": "amount",
    "cat": "category",
    "dep": "department",
    "dept": "department",
    "desc": "description",
    "descr": "description",
    "dt": "date",
    "exp": "expense",
    "inv": "invoice",
    "merch": "merchant",
    "nbr": "number",
    "nm": "name",
    "no": "number",
    "nr": "number",
    "num": "number",
    "org": "organisation",
    "orgn": "organisation",
    "pay": "payment",
    "pd": "paid",
    "pmt": "payment",
    "pymt": "payment",
    "ref": "reference",
    "supp": "supplier",
    "suppl": "supplier",
    "tran": "transaction",
    "trans": "transaction",
    "trx": "transaction",
    "txn": "transaction",
    "val": "value",
    "ven": "vendor",
}
"""Abbreviations that finance systems use in headings."""


@dataclass(frozen=True, slots=True)
class HeadingMeaning:
    """One meaning of a heading: a field, and how well the heading fits it (1: as listed).

    `rank` is the heading's position in the field's list. `how` is `listed` (apart from decoration), `slip`, `phrase`,
    `remembered` or `answered`.
    """

    field: str
    score: float
    rank: int
    how: str = "listed"


@dataclass(frozen=True)
class Lexicon:
    """The headings of one dataset, compared by their letters and digits alone.

    `own` holds the body's headings about which a person has answered a question. `before` holds the headings that the
    body used earlier for another field than the first one listed.
    """

    dataset: Dataset
    exact: Mapping[str, tuple[HeadingMeaning, ...]]
    phrases: tuple[tuple[tuple[str, ...], HeadingMeaning], ...]
    wide: tuple[re.Pattern[str], ...]
    listed_shapes: frozenset[str]
    own: Mapping[str, tuple[HeadingMeaning, ...]] = field(default_factory=dict)
    before: Mapping[str, tuple[HeadingMeaning, ...]] = field(default_factory=dict)
    known: dict[str, tuple[HeadingMeaning, ...]] = field(default_factory=dict, compare=False, repr=False)

    def meanings(self, heading: str) -> tuple[HeadingMeaning, ...]:
        """Return the meanings of a heading, the best first; empty for an empty or unknown heading."""
        if heading not in self.known:
            own = self.own.get(bare(heading)) if self.own and len(heading) <= 160 else None
            self.known[heading] = _meanings(heading, self) if own is None else own
        return self.known[heading]

    def knows(self, cell: str) -> bool:
        """Return whether a cell is a listed heading; fast enough to be called for every cell of a file."""
        if not cell or len(cell) > _LONGEST:
            return False
        numbered = _NUMBERED.match(cell)
        if cell[0].isdigit() and not numbered:  # a figure or a date, as most cells of a file are
            return False
        unnumbered = cell[numbered.end() :] if numbered else ""
        return any(self._lists(bare(name)) for name in (cell, unnumbered, *_names_in(cell)))

    def _lists(self, key: str) -> bool:
        return bool(self.own[key]) if key in self.own else key in self.exact

    def may_know(self, form: str) -> bool:
        """Return whether a cell of this shape (digits written as 9) may be a listed heading."""
        if not 0 < len(form) <= _LONGEST:
            return False
        unnumbered = _NUMBERED.sub("", form) if _NUMBERED.match(form) else ""
        return any(to_shape(bare(name)) in self._shapes for name in (form, unnumbered, *_names_in(form)))

    @cached_property
    def _shapes(self) -> frozenset[str]:
        return self.listed_shapes.union(map(to_shape, self.own))

    def is_set_aside(self, heading: str) -> bool:
        """Return whether a person has answered that a heading names none of the dataset's fields."""
        return self.own.get(bare(heading)) == ()

    def is_wide(self, heading: str) -> bool:
        """Return whether the heading is one of the repeating columns of a wide table."""
        return any(pattern.search(squeeze(heading)) for pattern in self.wide)

    def recalling(self) -> Lexicon:
        """Return a lexicon in which the headings that the body used earlier take precedence over the list."""
        return replace(self, own={**self.before, **self.own}, before={}, known={})

    def answers_consulted(self) -> tuple[tuple[str, ...], ...]:
        """Return the answers that were used: each heading that was looked up, with the fields that it may mean."""
        met = {bare(heading) for heading in self.known} & {*self.own}
        return tuple((key, *(match.field for match in self.own[key])) for key in sorted(met))


def _names_in(heading: str) -> list[str]:
    """The names in a heading that gives it in two languages, as in Wales: `Cyflenwr / Supplier`."""
    return heading.split(" / ") if " / " in heading else []


def build_lexicon(dataset: Dataset, part: str | None, remembered: BodyMapping | None = None) -> Lexicon:
    """Build the lexicon of a dataset, with the headings of the given part or, if it is None, of all parts.

    The headings `remembered` for the body are evidence; an answer by a person decides.
    """
    listed = _LISTED.get((dataset.name, part))
    if listed is None or listed.dataset is not dataset:
        listed = _LISTED[dataset.name, part] = _list_headings(dataset, part)
    lexicon = replace(listed, known={})
    if remembered is None:
        return lexicon
    own, before = _answered(lexicon, remembered), _sent_before(lexicon, remembered, part)
    return replace(lexicon, own=own, before=before, known={})


_LISTED: dict[tuple[str, str | None], Lexicon] = {}
"""The lexicon of each dataset and part, of which every file has its own copy; a dataset cannot be hashed."""


def _list_headings(dataset: Dataset, part: str | None) -> Lexicon:
    """The lexicon of a dataset or of one of its parts, whatever the body."""
    listed = [
        (heading.heading, heading.field, 1.0 if heading.part in (None, part) else 0.97)
        for heading in dataset.headings
        if heading.part is None or part in (None, heading.part)
    ]
    for each in dataset.fields:
        if each.origin is Origin.SENT or each.derive:
            listed += [(each.name, each.name, 1.0), (each.title, each.name, 0.99)]
    exact, phrases, shapes = _by_letters(tuple(listed))
    patterns = tuple(re.compile(shape["pattern"]) for shape in dataset.wide)
    return Lexicon(dataset, exact, phrases, patterns, shapes)


def _by_letters(
    listed: tuple[tuple[str, str, float], ...],
) -> tuple[
    Mapping[str, tuple[HeadingMeaning, ...]], tuple[tuple[tuple[str, ...], HeadingMeaning], ...], frozenset[str]
]:
    """Index listed headings by their letters and digits, and collect those of several words.

    The third result are the shapes of the first's keys.
    """
    exact: dict[str, list[HeadingMeaning]] = {}
    phrases = []
    ranks: dict[str, int] = {}
    for heading, name, weight in listed:
        ranks[name] = ranks.get(name, -1) + 1
        match = HeadingMeaning(name, weight, ranks[name])
        found = exact.setdefault(bare(heading), [])
        if all(other.field != name for other in found):
            found.append(match)
        words = tuple(_WORDS.findall(fold_case(heading)))
        if len(words) > 1:
            phrases.append((words, match))
    exact.pop("", None)
    phrases.sort(key=lambda item: (-len(item[0]), item[1].rank))
    return {key: tuple(found) for key, found in exact.items()}, tuple(phrases), frozenset(map(to_shape, exact))


def _answered(lexicon: Lexicon, remembered: BodyMapping) -> dict[str, tuple[HeadingMeaning, ...]]:
    """Return the meanings that people's answers give to headings; an empty tuple for a heading to ignore."""
    found: dict[str, tuple[HeadingMeaning, ...]] = {}
    for question in remembered.questions:
        key = bare(question.heading)
        if question.means is not None:
            found[key] = (HeadingMeaning(question.means, 1.0, 0, "answered"),)
        elif question.answer:
            listed = found.get(key, lexicon.meanings(question.heading))
            others = tuple(match for match in listed if match.field != question.field)
            found[key] = others if question.answer == DIFFERENT else ()
    found.pop("", None)
    return found


def _sent_before(lexicon: Lexicon, remembered: BodyMapping, part: str | None) -> dict[str, tuple[HeadingMeaning, ...]]:
    """Return the headings that the body always used for one field although the list names another field first."""
    fields: dict[str, set[str]] = {}
    for layout in remembered.layouts:
        if part in (None, layout.part):
            for name, heading in layout.columns.items():
                fields.setdefault(heading, set()).add(name)
    found: dict[str, tuple[HeadingMeaning, ...]] = {}
    for heading, names in fields.items():
        listed, first = lexicon.meanings(heading), min(names)
        if len(names) == 1 and [match.field for match in listed[:1]] != [first]:
            rest = tuple(match for match in listed if match.field != first)
            found[bare(heading)] = (HeadingMeaning(first, 0.95 if listed else 0.9, 0, "remembered"), *rest)
    return found


def _meanings(heading: str, lexicon: Lexicon) -> tuple[HeadingMeaning, ...]:
    text = squeeze(heading)
    if not text or len(text) > 160:
        return ()
    unnumbered = _NUMBERED.sub("", text)
    unbracketed = _BRACKETED.sub(" ", unnumbered)
    words = _WORDS.findall(fold_case(_CAMEL.sub(" ", unnumbered)))
    in_full = " ".join(_ABBREVIATIONS.get(word, word) for word in words)
    spellings = (
        (text, 1.0),
        (unnumbered, 0.97),
        (unbracketed, 0.95),
        (_UNIT.sub("", unnumbered), 0.95),
        (in_full, 0.93),  # `TransNo` is `transaction number`
        (_UNIT.sub("", in_full), 0.92),  # `AMT_GBP`
        (_AFTER_DASH.sub("", unbracketed), 0.9),
        (_BEFORE_SLASH.sub("", unnumbered), 0.9),
    )
    for spelling, score in spellings:
        if found := lexicon.exact.get(bare(spelling)):
            return tuple(HeadingMeaning(match.field, match.score * score, match.rank) for match in found)
    shorter = _UNIT.sub("", _BRACKETED.sub(" ", text).rstrip())
    return _slips(bare(text), lexicon) or _slips(bare(shorter), lexicon) or _phrase(text, lexicon)


def _slips(key: str, lexicon: Lexicon) -> tuple[HeadingMeaning, ...]:
    """Find listed headings that differ by one letter (two in a long one); two swapped neighbours count as one."""
    if len(key) < 5 or key.isdigit():
        return ()
    allowed, digits = 1 if len(key) < 10 else 2, "".join(filter(str.isdigit, key))
    found: dict[str, HeadingMeaning] = {}
    for other, matches in lexicon.exact.items():
        # The first letter is rarely mistyped, only lost: `Postcode` is not a typing error for `Cost code`.
        if abs(len(other) - len(key)) > allowed or len(other) < 5 or key[0] not in other[:2]:
            continue
        slips = count_slips(key, other, allowed)
        if slips > allowed or "".join(filter(str.isdigit, other)) != digits:
            continue
        # A prefix such as in `Irrecoverable VAT` reverses the meaning, and `Supplier No` is not `Supplier`.
        short, long = sorted((key, other), key=len)
        if long.endswith(short) and long.removesuffix(short) in _NEGATIONS:
            continue
        if key.startswith(other) and key.removeprefix(other) in _NUMBERS:
            continue
        for match in matches:
            scored = HeadingMeaning(match.field, match.score * (0.9 - 0.05 * slips), match.rank, "slip")
            if match.field not in found or found[match.field].score < scored.score:
                found[match.field] = scored
    return tuple(sorted(found.values(), key=lambda match: (-match.score, match.rank, match.field)))


_PARTY = re.compile(r"[^:]*\b(?:org(?:ani[sz]ation)?|party|location|person|contact) ?:(?=\S)", re.I)
"""How a flattened record begins the heading of a property of one of its parties: `Recipient Org:Web Address`."""


def _phrase(text: str, lexicon: Lexicon) -> tuple[HeadingMeaning, ...]:
    """Find a listed heading of several words within this one: `XYZ Transaction number`."""
    words = tuple(_WORDS.findall(fold_case(text)))
    if len(words) > 8:
        return ()
    party = _PARTY.match(text)
    about = len(_WORDS.findall(fold_case(party[0]))) if party else 0
    for phrase, match in lexicon.phrases:
        if about and phrase == words[-len(phrase) :] and len(phrase) <= len(words) - about:
            continue  # it is a property of the party
        if len(phrase) < len(words) and any(
            words[start : start + len(phrase)] == phrase for start in range(len(words) - len(phrase) + 1)
        ):
            score = 0.75 if words[-len(phrase) :] == phrase or words[: len(phrase)] == phrase else 0.65
            return (HeadingMeaning(match.field, match.score * score, match.rank, "phrase"),)
    return ()


_GROSS = re.compile(
    r"\bgross\b|\binc(?:l\w*)?\.?\s*(?:of\s+)?vat\b|\bwith vat\b|\bvat inc|\bplus vat\b|\+\s*vat\b",
    re.I,
)
_NET = re.compile(
    r"\bnet\b|\bex(?:c|cl|clud\w*|cluding)?\.?\s*(?:of\s+)?vat\b|\bwithout vat\b|\bless vat\b|\bvat ex"
    r"|\bbefore vat\b",
    re.I,
)
_VAT = re.compile(r"\bvat\b", re.I)

_MONEY = re.compile(r"\b(?:amounts?|payments?|paid|value|cost|price|spend|spent|pounds|gbp)\b|£", re.I)
_OTHER = re.compile(r"\b(?:no|number|ref\w*|ids?|run|codes?|terms|types?|methods?|periods?|years?|days?)\b", re.I)

_SENSES = {
    "invoice": re.compile(r"\binv(?:oice[ds]?)?\b", re.I),
    "order": re.compile(r"\border(?:ed|s)?\b|\bp\.?o\b", re.I),
    "expected": re.compile(r"\bforecast|\bbudget|\bestimat|\bexpected\b|\bplanned\b|\bcommit(?:ted|ment)", re.I),
    "so far": re.compile(r"\bcumulative\b|\bytd\b|\byear to date\b|\bto date\b|\bbalance\b|\boutstanding\b", re.I),
    "record": re.compile(r"\bcreated?\b|\bmodified\b|\bupdated?\b|\bpublished\b|\bentered\b|\bentry\b|\binput\b", re.I),
    "due": re.compile(r"\bdue\b", re.I),
    "year": re.compile(r"\bannual\b|\bper (?:year|annum)\b|\byearly\b|\bp\.?a\b", re.I),
}
"""Terms that change what an amount or a date is, whatever else the heading says."""


def vat_basis(heading: str) -> str:
    """Return `gross`, `net`, `vat` (the amounts are the tax itself), or an empty string if VAT is not mentioned."""
    if _NET.search(heading):
        return "net"
    if _GROSS.search(heading):
        return "gross"
    return "vat" if _VAT.search(heading) else ""


def names_money(heading: str) -> bool:
    """Return whether a heading names amounts of money, of whichever kind."""
    return bool(_MONEY.search(heading)) and not _OTHER.search(heading)


def terms_in(heading: str) -> frozenset[str]:
    """Return the terms in a heading that change its meaning; `net` is left out because the standards ask for it."""
    terms = {name for name, pattern in _SENSES.items() if pattern.search(heading.replace("_", " "))}
    return frozenset(terms | ({vat_basis(heading)} - {"", "net"}))
