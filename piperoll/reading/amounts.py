"""Money and numbers in the notations of the wild, as exact decimals. Nothing here passes through a float."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from piperoll.reading.grids import tidy

_NUMBER = re.compile(
    r"(?=\.?\d)(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+|\d{1,3}(?:'\d{3})+|\d+)?(?:\.\d*)?(?:[eE][+-]?\d{1,2})?\Z",
    re.ASCII,
)
_SPACES = str.maketrans(dict.fromkeys("\xa0\u2007\u2009\u202f\u2002\u2003\t\r\n", " "))
_MINUSES = str.maketrans(dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\u00ad", "-"))
_GBP = re.compile(r"£|\bgbp\b|\u00c2£", re.I)
_FOREIGN = re.compile(r"€|\$|¥|\b(?:eur|euros?|usd|us dollars?|dollars?|chf|jpy|yen)\b", re.I)
_POUNDS = re.compile(r"£|\bgbp\b|\bsterling\b|\bpounds?\b", re.I)
_CREDIT = re.compile(r"\s*\b(cr|dr)\b\.?\Z", re.I)
_MIDDLE = re.compile(r"(?<=\d) (?=\d)")

_SCALES = (
    (re.compile(r"(?:[£(]|\s)\s*['’]?0{3}s?\b|\bthousands?\b|£\s?k\b", re.I), Decimal(1000)),
    (re.compile(r"£\s*m\b|£\s*millions?\b|\bin millions\b|\(m\)", re.I), Decimal(1_000_000)),
    (re.compile(r"\bpence\b|\(p\)", re.I), Decimal("0.01")),
)


@lru_cache(maxsize=100_000)
def read_amount(cell: str) -> Decimal | None:
    """The number a cell states, in the unit it is written in; None if that cannot be said for certain.

    Understood: `1,234.50`, `£ 1 234.50`, `-£5`, `£-5`, `(1,234.00)`, `165,546.00-`, `5.00 CR`, `1.5E+05`;
    a Unicode minus or dash is a minus.
    Refused as doubtful: `34,551,00`, `1234,56`, `1.234,56`, `€5`, `£1.2m`, `5%`.
    """
    text = tidy(cell).translate(_SPACES).translate(_MINUSES).strip().removeprefix("'")
    if not any(char.isdigit() for char in text):
        return None
    digits, negative = _sign(_GBP.sub(" ", text).strip())
    if digits is None or not _NUMBER.match(digits):
        return None
    value = Decimal(digits.replace(",", "").replace(" ", "").replace("'", ""))
    return (-value if negative else value) + Decimal(0) if value else Decimal(0)


def _sign(text: str) -> tuple[str | None, bool]:
    """The digits without their sign, and whether they are negative; None if there are two signs."""
    signs = 0
    if match := _CREDIT.search(text):
        signs += match[1].lower() == "cr"
        text = text[: match.start()].strip()
    if text.startswith("(") and text.endswith(")"):
        signs, text = signs + 1, text[1:-1].strip()
    if text.endswith("-"):
        signs, text = signs + 1, text[:-1].strip()
    if text.startswith("-"):
        signs, text = signs + 1, text[1:].strip()
    elif text.startswith("+"):
        text = text[1:].strip()
    return (text if signs <= 1 else None), signs == 1


def scale_of(heading: str) -> Decimal:
    """By what to multiply the amounts under a heading: 1000 for `£000`, 0.01 for pence, else 1."""
    for pattern, scale in _SCALES:
        if pattern.search(heading):
            return scale
    return Decimal(1)


def is_foreign(heading: str) -> bool:
    """Whether a heading says that its amounts are in euros, dollars or such, and not in pounds."""
    return bool(_FOREIGN.search(heading)) and not _POUNDS.search(heading)


def plain_number(value: Decimal) -> str:
    """A number as digits and a point with no exponent: as many places as it came with."""
    return f"{value + Decimal(0):f}"


def is_number(cell: str) -> bool:
    """Whether a cell states a number for certain."""
    return read_amount(cell) is not None
