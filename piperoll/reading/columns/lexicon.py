"""What a heading may mean: the headings a dataset knows, with slips forgiven, and what is remembered of a body's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from piperoll.model import DIFFERENT, BodyMapping, Dataset, Origin
from piperoll.reading.grids.cell_shapes import to_shape
from piperoll.reading.grids.grid import squeeze


def count_slips(one: str, other: str, most: int) -> int:
    """Count the letters to insert, delete, change or swap with the next.

    Return `most` + 1 if there are more than `most`.
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, char in enumerate(one, start=1):
        line = [row]
        for column, letter in enumerate(other, start=1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (char != letter))
            if row > 1 and column > 1 and char == other[column - 2] and one[row - 2] == letter:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        if min(line) > most:
            return most + 1
        before, last = last, line
    return min(last[-1], most + 1)


_BRACKETED = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_NUMBERED = re.compile(r"^\s*(?:\d{1,2}\s?[.):]|\d{0,2}[A-Z]{1,3}\d{0,2}\s+-)\s*")
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
    """One meaning of a heading.

    The field, how well it fits (1: as listed), its position in the list, and on what grounds.

    `how` is `listed` (apart from decoration), `slip`, `phrase`, `remembered` or `answered`.
    """

    field: str
    score: float
    rank: int
    how: str = "listed"


@dataclass(frozen=True)
class Lexicon:
    """The headings of one dataset, compared by their letters and digits alone.

    `own` are the body's headings that a person has answered a question about. `before` are those that the body sent
    earlier for another field than the first in the list.
    """

    dataset: Dataset
    exact: Mapping[str, tuple[HeadingMeaning, ...]]
    phrases: tuple[tuple[tuple[str, ...], HeadingMeaning], ...]
    wide: tuple[re.Pattern[str], ...]
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
        """Return whether a cell is a heading as listed, letter for letter.

        Fast enough to ask about every cell of a file.
        """
        if not cell or len(cell) > _LONGEST or cell[0].isdigit():
            return False
        key = bare(cell)
        return bool(self.own[key]) if key in self.own else key in self.exact

    def may_know(self, form: str) -> bool:
        """Return whether a cell of this shape (digits written as 9) may be a heading as listed."""
        return 0 < len(form) <= _LONGEST and to_shape(bare(form)) in self._forms

    @cached_property
    def _forms(self) -> frozenset[str]:
        return frozenset(map(to_shape, (*self.exact, *self.own)))

    def is_set_aside(self, heading: str) -> bool:
        """Return whether a person has answered that a heading is none of the dataset's fields."""
        return self.own.get(bare(heading)) == ()

    def is_wide(self, heading: str) -> bool:
        """Return whether the heading is one of the repeating columns of a wide table."""
        return any(pattern.search(squeeze(heading)) for pattern in self.wide)

    def recalling(self) -> Lexicon:
        """Return the same lexicon with the body's earlier headings taking precedence."""
        return replace(self, own={**self.before, **self.own}, before={}, known={})

    def answers_consulted(self) -> tuple[tuple[str, ...], ...]:
        """Return the answers about headings that were met: each heading with the fields that it may mean."""
        met = {bare(heading) for heading in self.known} & {*self.own}
        return tuple((key, *(match.field for match in self.own[key])) for key in sorted(met))


def bare(text: str) -> str:
    """Return the letters and digits of a heading in lower case: `Amount (£) ` and `amount` are the same."""
    if text.isascii():
        return text.lower().encode("ascii").translate(None, _DECORATION).decode("ascii")
    return "".join(_WORDS.findall(_folded(text)))


_DECORATION = bytes(code for code in range(128) if not chr(code).isalnum())


def _folded(text: str) -> str:
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return text.casefold()


def build_lexicon(dataset: Dataset, part: str | None, remembered: BodyMapping | None = None) -> Lexicon:
    """Build the lexicon of a dataset, without the headings of other parts than the given one.

    What is `remembered` about the body counts as evidence; an answer by a person decides.
    """
    exact, phrases = _by_letters(tuple(_listed(dataset, part)))
    patterns = tuple(re.compile(shape["pattern"]) for shape in dataset.wide)
    lexicon = Lexicon(dataset, exact, phrases, patterns)
    if remembered is None:
        return lexicon
    own, before = _answered(lexicon, remembered), _sent_before(lexicon, remembered, part)
    return replace(lexicon, own=own, before=before, known={})


@lru_cache(maxsize=32)
def _by_letters(
    listed: tuple[tuple[str, str, float], ...],
) -> tuple[Mapping[str, tuple[HeadingMeaning, ...]], tuple[tuple[tuple[str, ...], HeadingMeaning], ...]]:
    """Index listed headings by their letters and digits, and collect those of several words; cached for each list."""
    exact: dict[str, list[HeadingMeaning]] = {}
    phrases = []
    ranks: dict[str, int] = {}
    for heading, name, weight in listed:
        ranks[name] = ranks.get(name, -1) + 1
        match = HeadingMeaning(name, weight, ranks[name])
        found = exact.setdefault(bare(heading), [])
        if all(other.field != name for other in found):
            found.append(match)
        words = tuple(_WORDS.findall(_folded(heading)))
        if len(words) > 1:
            phrases.append((words, match))
    exact.pop("", None)
    phrases.sort(key=lambda item: (-len(item[0]), item[1].rank))
    return {key: tuple(found) for key, found in exact.items()}, tuple(phrases)


def _answered(lexicon: Lexicon, remembered: BodyMapping) -> dict[str, tuple[HeadingMeaning, ...]]:
    """Return the meanings of headings by people's answers; empty for those to ignore."""
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
    """Return the headings that always meant one field when they came, where the list names another field first."""
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


def _listed(dataset: Dataset, part: str | None) -> Iterator[tuple[str, str, float]]:
    for heading in dataset.headings:
        if heading.part is None or part in (None, heading.part):
            yield heading.heading, heading.field, 1.0 if heading.part in (None, part) else 0.97
    for each in dataset.fields:
        if each.origin is Origin.SENT or each.derive:
            yield each.name, each.name, 1.0
            yield each.title, each.name, 0.99


def _meanings(heading: str, lexicon: Lexicon) -> tuple[HeadingMeaning, ...]:
    text = squeeze(heading)
    if not text or len(text) > 160:
        return ()
    for forgiven, score in _spellings(text):
        if found := lexicon.exact.get(bare(forgiven)):
            return tuple(HeadingMeaning(match.field, match.score * score, match.rank) for match in found)
    shorter = _UNIT.sub("", _BRACKETED.sub(" ", text).rstrip())
    return _slips(bare(text), lexicon) or _slips(bare(shorter), lexicon) or _phrase(text, lexicon)


def _spellings(text: str) -> Iterator[tuple[str, float]]:
    yield text, 1.0
    shorter = _NUMBERED.sub("", text)
    yield shorter, 0.97
    yield _BRACKETED.sub(" ", shorter), 0.95
    yield _UNIT.sub("", shorter), 0.95
    yield _written_out(shorter), 0.93
    yield _AFTER_DASH.sub("", _BRACKETED.sub(" ", shorter)), 0.9
    yield _BEFORE_SLASH.sub("", shorter), 0.9


def _written_out(text: str) -> str:
    """Expand the abbreviations in a heading: `TransNo` becomes `transaction number`."""
    words = _WORDS.findall(_folded(_CAMEL.sub(" ", text)))
    return " ".join(_ABBREVIATIONS.get(word, word) for word in words)


def _slips(key: str, lexicon: Lexicon) -> tuple[HeadingMeaning, ...]:
    """Find listed headings that differ by one letter (two in a long one); two swapped neighbours count as one.

    The first letter is rarely mistyped, only lost: `Postcode` is not a typing error for `Cost code`. Neither is an
    opposite, such as `Recoverable VAT`.
    """
    if len(key) < 5 or key.isdigit():
        return ()
    allowed = 1 if len(key) < 10 else 2
    found: dict[str, HeadingMeaning] = {}
    for other, matches in lexicon.exact.items():
        if abs(len(other) - len(key)) > allowed or len(other) < 5 or key[0] not in other[:2]:
            continue
        slips = count_slips(key, other, allowed)
        if slips <= allowed and _digits(key) == _digits(other) and not _opposite(key, other):
            for match in matches:
                scored = HeadingMeaning(match.field, match.score * (0.9 - 0.05 * slips), match.rank, "slip")
                if match.field not in found or found[match.field].score < scored.score:
                    found[match.field] = scored
    return tuple(sorted(found.values(), key=lambda match: (-match.score, match.rank, match.field)))


def _opposite(key: str, other: str) -> bool:
    """Return whether one word is the other with a negating prefix (`irrecoverable`) or with `no` or `id` after it."""
    short, long = sorted((key, other), key=len)
    denied = long.endswith(short) and long.removesuffix(short) in _NEGATIONS
    return denied or (key.startswith(other) and key.removeprefix(other) in _NUMBERS)


def _digits(key: str) -> str:
    return "".join(char for char in key if char.isdigit())


def _phrase(text: str, lexicon: Lexicon) -> tuple[HeadingMeaning, ...]:
    """Find a listed heading of several words within this one: `XYZ Transaction number`."""
    words = tuple(_WORDS.findall(_folded(text)))
    if len(words) > 8:
        return ()
    for phrase, match in lexicon.phrases:
        if len(phrase) < len(words) and any(
            words[start : start + len(phrase)] == phrase for start in range(len(words) - len(phrase) + 1)
        ):
            score = 0.75 if words[-len(phrase) :] == phrase or words[: len(phrase)] == phrase else 0.65
            return (HeadingMeaning(match.field, match.score * score, match.rank, "phrase"),)
    return ()
