"""The names that a file holds anywhere, found again in all of it: what is held in one place is held in every place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from piperoll.people.lists import privacy_lists
from piperoll.people.names import TITLES, fold_name, fold_text
from piperoll.people.private_people import is_clearly_organisation

_WORD = re.compile(r"[^\W_]+")
_MOST_IN_A_SIEVE = 400
"""How many words one regular expression of Arrow takes before it becomes slow to compile."""

_REFUND = re.compile(r"\b(?:refund|reimburse|payment|re[:;]|c/o)", re.IGNORECASE)
"""What a supplier's name begins with that is no firm's, though it may have a word of firms."""

_ABOUT = re.compile(
    r"\b(?:FOR|ESTATE OF|EXECUTORS? OF|LATE|DECEASED|PAYPAL|SUMUP|I?ZETTLE|STRIPE|WORLDPAY|GOCARDLESS)\b"
)
"""What stands beside a person's name and is no firm's, though the words around it may be."""
_SIGNS = re.compile(r"[^\w\s&'-]|_")

_STREETS = frozenset(
    (
        "ROAD",
        "STREET",
        "AVENUE",
        "LANE",
        "CLOSE",
        "DRIVE",
        "CRESCENT",
        "COURT",
        "WAY",
        "GROVE",
        "TERRACE",
        "PLACE",
        "HOUSE",
    )
)

_SHORTEST_BESIDE_INITIAL = 4
"""Letters of a family name that is searched beside an initial: "C Ho" is in too many codes."""

NameKey = tuple[str, ...]
"""The words of a folded name in alphabetical order: "SMITH, Jane" and "Jane Smith" have the same."""


def name_words(text: str) -> list[str]:
    """The words of a name or text in capitals, without accents, apostrophes, numbers and titles."""
    words = _WORD.findall(fold_text(text).replace("'", ""))
    return [word for word in words if word not in TITLES and not word.isdigit()]


@lru_cache(maxsize=65536)
def name_key(name: str) -> NameKey:
    """The key of a name in a cell of its own."""
    return tuple(sorted(name_words(fold_name(name))))


class HeldNames:
    """The names that are held in one file, by key.

    A single word is compared with whole cells of suppliers only: "Smith" is in many texts about others.
    """

    def __init__(self) -> None:
        self._keys: set[NameKey] = set()
        self._phrases: set[NameKey] = set()
        self._lengths: set[int] = set()
        self._indexed = -1
        self._suppliers: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def add(self, names: Iterable[str | None]) -> None:
        """Add names as they are in cells."""
        for name in names:
            if name and (key := name_key(name)):
                self._keys.add(key)

    def update(self, other: HeldNames) -> None:
        """Add the names of another table."""
        self._keys |= other._keys

    def discard(self, names: Iterable[str]) -> None:
        """Leave out names that are due to be published."""
        self._keys -= {name_key(name) for name in names}

    def sieves(self) -> list[str]:
        """Patterns of RE2: every text of ASCII that contains one of the names matches one of them."""
        short = {max(key, key=len) for key in self._keys if len(key) >= 2 and not _is_phrase(key)}
        words = sorted({max(key, key=len) for key in self._index()[0]})
        patterns = ["'?".join(map(re.escape, word)) for word in words] + [rf"\b{word}\b" for word in sorted(short)]
        return [
            f"(?i:{'|'.join(patterns[start : start + _MOST_IN_A_SIEVE])})"
            for start in range(0, len(patterns), _MOST_IN_A_SIEVE)
        ]

    def is_supplier(self, cell: str) -> bool:
        """Whether a supplier is one of the names, or contains one and is no firm: "Refund Jane Doe Council Tax"."""
        known = self._suppliers.get(cell)
        if known is None:
            known = name_key(cell) in self._keys or (
                self.in_text(cell)
                and (
                    not is_clearly_organisation(cell)
                    or bool(_REFUND.search(cell))
                    or bool(_ABOUT.search(" ".join(_SIGNS.sub(" ", fold_text(cell)).split())))
                )
            )
            self._suppliers[cell] = known
        return known

    def in_text(self, text: str) -> bool:
        """Whether a text contains one of the names, and not as part of a firm's or a street's name."""
        phrases, lengths = self._index()
        words, is_refund = name_words(text), bool(_REFUND.search(text))
        if _contains(words, phrases, lengths, anywhere=is_refund):
            return True
        if len(words) >= 2:  # also a name too short to be searched in longer texts
            key = name_key(text)
            if not self._keys.isdisjoint((key, tuple(word for word in key if len(word) > 1))):
                return True
        without_initials = [word for word in words if len(word) > 1]
        return len(without_initials) < len(words) and _contains(without_initials, phrases, lengths, anywhere=is_refund)

    def _index(self) -> tuple[set[NameKey], set[int]]:
        """The names that are searched in texts, and how many words they have; made again if a name has been added."""
        if self._indexed != len(self._keys):
            self._phrases = {form for key in self._keys for form in _forms(key) if _is_phrase(form)}
            self._lengths = {len(key) for key in self._phrases}
            self._indexed = len(self._keys)
            self._suppliers.clear()
        return self._phrases, self._lengths


def _contains(words: list[str], phrases: set[NameKey], lengths: set[int], *, anywhere: bool) -> bool:
    """Whether words contain a phrase. Unless `anywhere`, one within the name of a firm or street does not count."""
    lists = privacy_lists()
    for length in lengths:
        for start in range(len(words) - length + 1):
            if tuple(sorted(words[start : start + length])) in phrases:
                following = words[start + length] if start + length < len(words) else ""
                if anywhere or (following not in lists.strong and following not in _STREETS):
                    return True
    return False


def _forms(key: NameKey) -> Iterator[NameKey]:
    """The ways to write a name: as it is, without initials, and with the given name as an initial.

    Either word can be the family name, but not one that is a known given name while the other is not.
    """
    yield key
    words = [word for word in key if len(word) > 1]
    if len(words) < 2:
        return
    yield tuple(words)
    lists = privacy_lists()
    for at, given in enumerate(words):
        family = words[:at] + words[at + 1 :]
        if len(family) == 1:
            (name,) = family
            is_given = name in lists.given_names and given not in lists.given_names
            is_other = any(name in each for each in (lists.usual, lists.strong, lists.things, lists.label_words))
            if is_given or is_other or len(name) < _SHORTEST_BESIDE_INITIAL:
                continue
        yield tuple(sorted((given[0], *family)))


def _is_phrase(key: NameKey) -> bool:
    """Whether a name is distinct enough to be searched in texts: two words, one of them of three letters or more."""
    return len(key) >= 2 and len(max(key, key=len)) >= 3
