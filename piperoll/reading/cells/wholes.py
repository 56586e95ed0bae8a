"""Words for the whole: which cells say total, and which name a firm that only begins so."""

from __future__ import annotations

import re

TOTAL = "total"
"""What every cell holds, in capitals or not, that says a row is a total."""

_OF = (
    r"for|of|to|in|as at|this|the|all|spend|spending|expenditure|payments?|paid|amounts?|value|net|gross"
    r"|excl?\w*|incl?\w*|vat|carried|month|year|period|page|report|january|february|march|april|may|june|july|august|september|october"
    r"|november|december|q[1-4]|[£\d(\[:=–-]"
)
_LABEL = re.compile(
    rf"(?:(?:grand|sub|overall|report|page|final|running|cumulative|sum|net|gross)[\s\-]*)*totals?\W*"
    rf"(?:\s+(?:{_OF})(?![a-z]).{{0,40}}|[:=(\-–].{{0,40}})?\W*",
    re.I,
)
_CARRIED = re.compile(r"(?:balance |totals? )?(?:(?:carried|brought)[ -](?:forward|down)|[cb]/[fd])\W*", re.I)
_ALONE = re.compile(r"(?:(?:grand|sub|overall|report)[\s\-]*)?totals?\W*", re.I)
_WHOLE = re.compile(
    _ALONE.pattern + r"|england|scotland|wales|northern ireland|great britain|united kingdom"
    r"|all (?:authorities|bodies|councils|departments|regions|classes|services|suppliers)",
    re.I,
)
_FIRM = re.compile(r"\b(?:ltd|limited|plc|llp|inc|cic)\b", re.I)


def is_label(word: str) -> bool:
    """Whether a tidy cell is the label of a total, and no name: `Total Gas & Power` is a supplier."""
    return bool(_LABEL.fullmatch(word) or _CARRIED.fullmatch(word)) and not _FIRM.search(word)


def is_carried(word: str) -> bool:
    """Whether a tidy cell says that a sum is carried on from, or to, another page."""
    return bool(_CARRIED.fullmatch(word))


def names_whole(word: str) -> bool:
    """Whether a tidy cell names the sum of all others: a total, or the country or class that takes in the rest."""
    return bool(_WHOLE.fullmatch(word))


def is_total(word: str) -> bool:
    """Whether a tidy cell says `Total`, `Grand total` or the like and nothing else."""
    return bool(_ALONE.fullmatch(word))
