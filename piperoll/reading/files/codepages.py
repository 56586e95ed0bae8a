"""Which code page a text without a mark is in, decided by where its pound signs, dashes and accents come out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from piperoll.reading.files.contents import STRETCH, Content

CODE_PAGES = ("cp1252", "mac_roman", "cp850")
"""The single-byte code pages that British spreadsheets write; in doubt the earlier one stands."""

_HIGH = re.compile(rb"[\x80-\xff]")
_WINDOWS = 64
_EACH = 64
"""At most this many characters are looked at in each of so many equal parts of the file."""

_MARGIN = 1.0
"""What one telling character makes: with less between two code pages the choice is doubtful."""

_QUOTES = "\u2018\u2019\u201c\u201d"
_DASHES = "\u2013\u2014"
_MARKS = "•…·®©™°½¼¾²³€"


@dataclass(frozen=True, slots=True)
class CodePage:
    """The code page taken, the second best that gives other text, and whether nothing fits nearly as well."""

    name: str
    runner_up: str | None
    sure: bool


def code_page(content: Content) -> CodePage:
    """The code page that makes best sense of the whole, told from samples of all its parts."""
    old_mac = _has(content, b"\r") and not _has(content, b"\n")
    return choose(list(_samples(content)), {"mac_roman": 0.5} if old_mac else {})


def choose(samples: Sequence[bytes], bonus: dict[str, float]) -> CodePage:
    """The code page that makes best sense of samples: each a byte beyond ASCII between its neighbours."""
    scores = {name: sense(samples, name) + bonus.get(name, 0.0) for name in CODE_PAGES}
    ranked = sorted(CODE_PAGES, key=lambda name: -scores[name])  # stable: the earlier one stands
    together = b"".join(samples)
    texts = {name: together.decode(name, "replace") for name in CODE_PAGES}
    best, others = ranked[0], [name for name in ranked[1:] if texts[name] != texts[ranked[0]]]
    if not others:
        return CodePage(best, None, sure=True)
    return CodePage(best, others[0], sure=scores[best] - scores[others[0]] >= _MARGIN)


def line_page(line: bytes, usual: str) -> str:
    """The code page of one line in a file that is otherwise in `usual`: another only if the usual makes no sense."""
    samples = [_around(line, place) for place in _places(line)]
    if sense(samples, usual) >= 0:
        return usual
    found = choose(samples, {})
    return found.name if found.sure and sense(samples, found.name) > 0 else usual


def senseless(content: bytes, name: str) -> list[bytes]:
    """Bytes beyond ASCII, with their neighbours in the line, that make no sense in a code page; each once."""
    found = {_around(content, place) for place in _places(content)}
    return sorted(sample.strip() for sample in found if _sense(sample, name) < 0)


def _places(content: bytes) -> Iterator[int]:
    return (match.start() for match in _HIGH.finditer(content))


def _has(content: Content, byte: bytes) -> bool:
    return any(byte in content[at : at + STRETCH] for at in range(0, len(content), STRETCH))


def _samples(content: Content) -> Iterator[bytes]:
    size = len(content) // _WINDOWS + 1
    for start in range(0, len(content), size):
        before = start > 0  # the neighbours of the first and the last byte stand beside the window
        window = content[start - before : start + size + 1]
        for match in islice(_HIGH.finditer(window, before, before + size), _EACH):
            yield _around(window, match.start())


def _around(content: bytes, place: int) -> bytes:
    """The byte at a place between its neighbours; a space stands before the first."""
    return content[place - 1 : place + 2] if place else b" " + content[:2]


def sense(samples: Iterable[bytes], name: str) -> float:
    """How much sense bytes beyond ASCII make between their neighbours in a code page; higher is better."""
    return sum(_sense(sample, name) for sample in samples)


@lru_cache(4096)
def _sense(sample: bytes, name: str) -> float:
    text = sample.decode(name, "replace")
    return _one(text[0], text[1], text[2:3] or " ")


def _one(before: str, char: str, after: str) -> float:
    if char == "£":
        return 3.0 if after.isdigit() or after in " (-,\"')m" or before in "(' -" else 1.0
    if char in _QUOTES:
        return 3.0 if before.isalnum() or after.isalnum() else 1.0
    if char in _DASHES:
        return 2.0 if before.isspace() or after.isspace() or (before.isalnum() and after.isalnum()) else 0.5
    if char in _MARKS or char == "\xa0":
        return 0.5
    if char.isalpha() and ord(char) < 0x250:
        return _letter_sense(before, char, after)
    return -4.0 if ord(char) < 0xA0 or ord(char) >= 0x2500 else -1.0


def _letter_sense(before: str, char: str, after: str) -> float:
    if after.isdigit() or not (before.isalpha() or after.isalpha()):
        return -3.0
    if char in (before, after):  # ááá: spaces of another code page
        return -2.0
    if char.isupper() and before.islower():
        return -2.0
    if char.islower() and before.isupper() and after.isupper():
        return -1.0
    if char not in "éèêëàâäáåçîïíìôöóòøûüúùñæœ":
        return 0.5
    return 2.0 if (before.isalpha() and after.isalpha()) or char == "é" else 1.0
