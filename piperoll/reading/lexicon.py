"""What a heading may mean: the headings a dataset knows, with typing slips and decorations forgiven."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from piperoll.model import Dataset, Origin
from piperoll.reading.grids import squeezed

_BRACKETED = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_NUMBERED = re.compile(r"^\s*(?:\d{1,2}\s?[.):]|\d{0,2}[A-Z]{1,3}\d{0,2}\s+-)\s*")
_AFTER_DASH = re.compile(r"\s+[-–:/]\s+.*|:\s*\Z")
_UNIT = re.compile(r"\s£?\s*['’]?(?:0{3}s?|k)\s*\Z", re.I)
_WORDS = re.compile(r"[a-z0-9]+")
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Match:
    """One meaning of a heading: the field, how well it fits (1 is as listed), and its place in the list."""

    field: str
    score: float
    rank: int


@dataclass(frozen=True)
class Lexicon:
    """The headings of one dataset, by their letters and digits alone."""

    dataset: Dataset
    exact: Mapping[str, tuple[Match, ...]]
    phrases: tuple[tuple[tuple[str, ...], Match], ...]
    wide: tuple[re.Pattern[str], ...]
    known: dict[str, tuple[Match, ...]] = field(default_factory=dict, compare=False, repr=False)

    def meanings(self, heading: str) -> tuple[Match, ...]:
        """What a heading may mean, best first; nothing for one that is empty or unknown."""
        if heading not in self.known:
            self.known[heading] = _meanings(heading, self)
        return self.known[heading]

    def knows(self, cell: str) -> bool:
        """Whether a cell is a heading as listed, letter for letter; quick enough to ask of every cell of a file."""
        return bool(cell) and len(cell) <= _LONGEST and not cell[0].isdigit() and bare(cell) in self.exact

    def is_wide(self, heading: str) -> bool:
        """Whether the heading is one of the repeating columns of a wide table."""
        return any(pattern.search(squeezed(heading)) for pattern in self.wide)


def bare(text: str) -> str:
    """The letters and digits of a heading in lower case: `Amount (£) ` and `amount` are the same."""
    if text.isascii():
        return text.lower().encode("ascii").translate(None, _DECORATION).decode("ascii")
    return "".join(_WORDS.findall(_folded(text)))


_DECORATION = bytes(code for code in range(128) if not chr(code).isalnum())


def _folded(text: str) -> str:
    if not text.isascii():
        text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return text.casefold()


def lexicon_of(dataset: Dataset, part: str | None) -> Lexicon:
    """The headings of a dataset; those of another part than the given one are left out."""
    exact: dict[str, list[Match]] = {}
    phrases = []
    ranks: dict[str, int] = {}
    for heading, name, weight in _listed(dataset, part):
        ranks[name] = ranks.get(name, -1) + 1
        match = Match(name, weight, ranks[name])
        found = exact.setdefault(bare(heading), [])
        if all(other.field != name for other in found):
            found.append(match)
        words = tuple(_WORDS.findall(_folded(heading)))
        if len(words) > 1:
            phrases.append((words, match))
    exact.pop("", None)
    phrases.sort(key=lambda item: (-len(item[0]), item[1].rank))
    patterns = tuple(re.compile(shape["pattern"]) for shape in dataset.wide)
    return Lexicon(dataset, {key: tuple(found) for key, found in exact.items()}, tuple(phrases), patterns)


def _listed(dataset: Dataset, part: str | None) -> Iterator[tuple[str, str, float]]:
    for heading in dataset.headings:
        if heading.part is None or part in (None, heading.part):
            yield heading.heading, heading.field, 1.0 if heading.part in (None, part) else 0.97
    for each in dataset.fields:
        if each.origin is Origin.SENT or each.derive:
            yield each.name, each.name, 1.0
            yield each.title, each.name, 0.99


def _meanings(heading: str, lexicon: Lexicon) -> tuple[Match, ...]:
    text = squeezed(heading)
    if not text or len(text) > 160:
        return ()
    for forgiven, score in _spellings(text):
        if found := lexicon.exact.get(bare(forgiven)):
            return tuple(Match(match.field, match.score * score, match.rank) for match in found)
    return _slips(bare(text), lexicon) or _phrase(text, lexicon)


def _spellings(text: str) -> Iterator[tuple[str, float]]:
    yield text, 1.0
    shorter = _NUMBERED.sub("", text)
    yield shorter, 0.97
    yield _BRACKETED.sub(" ", shorter), 0.95
    yield _UNIT.sub("", shorter), 0.95
    yield _AFTER_DASH.sub("", _BRACKETED.sub(" ", shorter)), 0.9


def _slips(key: str, lexicon: Lexicon) -> tuple[Match, ...]:
    """Headings one letter away (two in a long one), swapped neighbours counting as one slip."""
    if len(key) < 5 or key.isdigit():
        return ()
    allowed = 1 if len(key) < 10 else 2
    found: dict[str, Match] = {}
    for other, matches in lexicon.exact.items():
        if abs(len(other) - len(key)) > allowed or len(other) < 5:
            continue
        slips = distance(key, other, allowed)
        if slips <= allowed and _digits(key) == _digits(other):
            for match in matches:
                scored = Match(match.field, match.score * (0.9 - 0.05 * slips), match.rank)
                if match.field not in found or found[match.field].score < scored.score:
                    found[match.field] = scored
    return tuple(sorted(found.values(), key=lambda match: (-match.score, match.rank, match.field)))


def _digits(key: str) -> str:
    return "".join(char for char in key if char.isdigit())


def _phrase(text: str, lexicon: Lexicon) -> tuple[Match, ...]:
    """A listed heading of several words that stands whole within this one: `XYZ Transaction number`."""
    words = tuple(_WORDS.findall(_folded(text)))
    if len(words) > 8:
        return ()
    for phrase, match in lexicon.phrases:
        if len(phrase) < len(words) and any(
            words[start : start + len(phrase)] == phrase for start in range(len(words) - len(phrase) + 1)
        ):
            score = 0.75 if words[-len(phrase) :] == phrase or words[: len(phrase)] == phrase else 0.65
            return (Match(match.field, match.score * score, match.rank),)
    return ()


def distance(one: str, other: str, most: int) -> int:
    """How many letters must be put in, left out, changed or swapped with the next; more than `most` is `most` + 1."""
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
