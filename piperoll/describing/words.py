"""The words that something is found by: the same here as in `catalogue/search.js`, which asks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

LITTLE = frozenset({"and", "co", "for", "limited", "llp", "ltd", "of", "plc", "the"})
"""Words that many names have and nobody looks for; they count where there is no other."""

SHORTEST = 2
"""A word of fewer letters is found only as part of a whole name."""

_LONGEST = 40

_APOSTROPHES = re.compile(r"['’`]")
_WORDS = re.compile(r"[a-z0-9]+")


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text in order: small letters without accents or apostrophes, and digits."""
    return tuple(_WORDS.findall(_APOSTROPHES.sub("", (text if text.isascii() else _bare(text)).lower())))


def _bare(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


def telling(words: Iterable[str]) -> tuple[str, ...]:
    """The words that tell one name from another; all of them if none does."""
    every = tuple(words)
    return tuple(word for word in every if word not in LITTLE and len(word) >= SHORTEST) or every


@lru_cache(maxsize=1 << 16)
def tokens(text: str) -> frozenset[str]:
    """What a text is found under: each telling word, and all its words run together, so that a whole name is enough."""
    words = words_of(text)
    whole = "".join(words)[:_LONGEST]
    return frozenset(token for token in (*telling(words), whole) if len(token) >= SHORTEST)
