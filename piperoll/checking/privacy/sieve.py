"""Columns of text sieved: the cells that cannot hold what the detectors look for are passed over, all others are kept.

Each pattern is the one of a detector without what looks around it, and so finds whatever that finds. It is put for
plain ASCII, where the expressions of Arrow (RE2) and of Python mean the same by a letter, a digit and an edge; a text
with other characters is sieved with ASCII characters in their stead, or kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import pyarrow.compute as pc

from piperoll.model.columns import Cells, Flags, is_filled, to_flags

_S = r"[\t-\r\x1c-\x20]"
"""What Python takes for white space; RE2 knows of less."""
_GAP = r"[\t-\r\x1c-\x20)-]"
_TITLES = "Mr|Mrs|Ms|Miss|Mx|Master|Dr|Cllr|Rev|Prof|MR|MRS|MISS|CLLR|mrs?"
_PERSONAL = "|".join((
    rf"(?i:\b[a-z]{{2}}{_S}?[0-9]{{2}}{_S}?[0-9]{{2}}{_S}?[0-9]{{2}}{_S}?[a-d]\b)",  # National Insurance
    r"[0-9]{3}[ -][0-9]{3}[ -][0-9]{4}",  # NHS, in its groups
    r"(?is:\b(?:NHS|patient)\b.*[0-9]{10}|[0-9]{10}.*\b(?:NHS|patient)\b)",  # NHS, beside the word
    r"(?i:[a-z0-9._%+'-]@[a-z0-9.-]+\.[a-z]{2})",  # e-mail
    rf"(?:\+44{_S}?\(?0?\)?{_S}?|0)[127](?:{_GAP}{{0,2}}[0-9]){{8}}",  # telephone
    r"[0-9]{2}[- ][0-9]{2}[- ][0-9]{2}",  # sort code, and the account number beside one
    r"(?is:\bbank\b.*[0-9]{8})",
    rf"(?is:\bacc(?:oun)?t\.?{_S}?(?:no|num(?:ber)?)\b[^0-9]{{0,5}}[0-9]{{8}})",
    r"(?is:\b(?:dob|d\.o\.b|born)\b.*[0-9])",
    rf"(?i:\b(?:client|child|case|swift|mosaic|las){_S}?(?:no|id|ref)?\.?[\t-\r\x1c-\x20:]*[0-9]{{4}})",
    rf"\b(?:{_TITLES})\.{{0,2}}{_S}+[A-Za-z'-]",
))  # fmt: skip
_WORTH_A_SIEVE = 100
"""It takes as long to make a sieve as to look at so many cells one by one."""

_STEADS = (("[£€–—…•·“”]", "~"), ("[\u2018\u2019]", "'"), ("\u00a0", " "), ("[À-ÖØ-öø-ÿ]", "x"))
"""Characters, and one of ASCII that fits wherever they do: no detector names those or `~`, and they are words or none
as the other is."""


def may_be_personal(cells: Cells) -> Flags:
    """Which cells may hold what `detectors.personal_rules` finds: all that do, and few others."""
    return _sieved(cells, _PERSONAL)


def may_hold_any(cells: Cells, phrases: Iterable[str]) -> Flags:
    """Which cells may hold one of `phrases` as whole words, in any case."""
    return _sieved(cells, _any_of(tuple(phrases)))


@cache
def _any_of(phrases: tuple[str, ...]) -> str:
    if not all(phrase.isascii() for phrase in phrases):
        return ""  # it may stand in any text
    return "(?i:" + "|".join(re.escape(phrase) for phrase in phrases) + ")"


def _sieved(cells: Cells, pattern: str) -> Flags:
    if len(cells) < _WORTH_A_SIEVE:
        return is_filled(cells)
    plain = to_flags(pc.string_is_ascii(cells))
    found = to_flags(pc.match_substring_regex(cells, pattern))
    odd = (~plain & to_flags(pc.is_valid(cells))).nonzero()[0]
    if odd.size:
        texts = cells.take(odd)
        for characters, stead in _STEADS:
            texts = pc.replace_substring_regex(texts, characters, stead)
        found[odd] = to_flags(pc.match_substring_regex(texts, pattern)) | ~to_flags(pc.string_is_ascii(texts))
    return found
