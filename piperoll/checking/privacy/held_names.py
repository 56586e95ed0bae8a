"""The names that a file holds anywhere, found again in all of it: what is held in one place is held in every place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from piperoll.people.lists import privacy_lists
from piperoll.people.names import TITLES, fold_name, fold_text
from piperoll.people.private_people import is_clearly_organisation

_WORD = re.compile(r"[^\W_]+")
_MOST_IN_A_SIEVE = 400
"""How many words one regular expression of Arrow takes before it becomes slow to compile."""

_REFUND = re.compile(r"\b(?:refund|reimburse|payment|re[:;]|c/o)", re.IGNORECASE)
"""What a supplier's name begins with that is no firm's, though it may have a word of firms."""

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
        longest = sorted({max(key, key=len) for key in self._keys if _is_phrase(key)})
        return [
            "(?i:"
            + "|".join("'?".join(map(re.escape, word)) for word in longest[start : start + _MOST_IN_A_SIEVE])
            + ")"
            for start in range(0, len(longest), _MOST_IN_A_SIEVE)
        ]

    def is_supplier(self, cell: str) -> bool:
        """Whether a supplier is one of the names, or contains one and is no firm: "Refund Jane Doe Council Tax"."""
        known = self._suppliers.get(cell)
        if known is None:
            known = name_key(cell) in self._keys or (
                self.in_text(cell) and (not is_clearly_organisation(cell) or bool(_REFUND.search(cell)))
            )
            self._suppliers[cell] = known
        return known

    def in_text(self, text: str) -> bool:
        """Whether a text contains one of the names, and not as part of a firm's or a street's name."""
        phrases, lengths = self._index()
        words, lists, is_refund = name_words(text), privacy_lists(), bool(_REFUND.search(text))
        for length in lengths:
            for start in range(len(words) - length + 1):
                if tuple(sorted(words[start : start + length])) in phrases:
                    following = words[start + length] if start + length < len(words) else ""
                    if is_refund or (following not in lists.strong and following not in _STREETS):
                        return True
        return False

    def _index(self) -> tuple[set[NameKey], set[int]]:
        """The names that are searched in texts, and how many words they have; made again if a name has been added."""
        if self._indexed != len(self._keys):
            self._phrases = {key for key in self._keys if _is_phrase(key)}
            self._lengths = {len(key) for key in self._phrases}
            self._indexed = len(self._keys)
            self._suppliers.clear()
        return self._phrases, self._lengths


def _is_phrase(key: NameKey) -> bool:
    """Whether a name is distinct enough to be searched in texts: two words, one of them of three letters or more."""
    return len(key) >= 2 and len(max(key, key=len)) >= 3
