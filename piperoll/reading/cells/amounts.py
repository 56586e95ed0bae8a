"""Money and numbers in the notations of the wild, as exact decimals. Nothing here passes through a float."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from piperoll.model.columns import Cells, Vector, pc, text_offsets, texts_from_buffers, to_flags, utf8
from piperoll.reading.grids.cell_shapes import shapes_of
from piperoll.reading.grids.grid import tidy

_NUMBER = re.compile(
    r"(?=\.?\d)(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+|\d{1,3}(?:'\d{3})+|\d+)?(?:\.\d*)?(?:[eE][+-]?\d{1,2})?\Z",
    re.ASCII,
)
_SPACES = dict.fromkeys("\xa0\u2002\u2003\u2005\u2007\u2008\u2009\u200a\u202f\u3000\t\r\n", " ")
_MINUSES = dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\u00ad\ufe63\uff0d", "-")
_WIDE = dict(zip("\uff0e\uff0c\uffe1\uff08\uff09\uff0b\u066b\u066c\u2019", ".,£()+.,'", strict=True))
_SIGNS = str.maketrans(_SPACES | _MINUSES | _WIDE)
_SWAPPED = str.maketrans(",.", ".,")
_GBP = re.compile(r"\u00c2?£|(?<![a-z])gbp(?![a-z])", re.I)
_CODES = "eur|euros?|usd|us dollars?|dollars?|chf|francs?|jpy|yen|aud|cad|nzd|sek|nok|dkk|pln|inr|zar|hkd|sgd|cny|aed"
_FOREIGN = re.compile(rf"[€$¥₹]|(?<![a-z])(?:{_CODES})(?![a-z])", re.I)
_POUNDS = re.compile(r"£|\bgbp\b|\bsterling\b|\bpounds?\b", re.I)
_CREDIT = re.compile(r"(?<![a-z])(cr|dr)\.?\Z|\A(cr|dr)\b\.?", re.I)
_FOOTNOTE = re.compile(r"(?<=[\d)])\s*[*†‡]+\Z")
_SECOND_POINT = re.compile(r"(?<=\.\d\d)\.\Z")
_THREE_PLACES = re.compile(r"[1-9]\d{0,2}\.\d{3}", re.ASCII)
_THOUSANDS = re.compile(r"\d{1,3},\d{3}", re.ASCII)

_WORD = r"(?<!\bper )(?<!\d )(?<!\d)\b"
"""The start of a word for a unit; after a number it says how many (`over 25 thousand`), after `per` it is a rate."""

_SCALES = (
    (Decimal(1_000_000_000), rf"{_WORD}billions?\b", r"£\s?bn\b"),
    (
        Decimal(1_000_000),
        rf"{_WORD}millions?\b",
        r"(?:£|\bgbp)\s*['’]?(?:m|mn|mln|millions?)\b",
        r"\(m\)",
        r"£\s*0{3},?0{3}",
    ),
    (
        Decimal(1000),
        rf"{_WORD}thousands?\b",
        r"(?:[£(]|(?<![\d,.])\s)\s*['\u2018\u2019]?0{3}['\u2019]?s?\b",
        r"£\s?['’]?k\b",
        r"\bk£",
        r"\(k\)",
    ),
    (Decimal("0.01"), r"\bpence\b", r"\(p\)"),
)
_SCALE_PATTERNS = tuple((scale, re.compile("|".join(words), re.I)) for scale, *words in _SCALES)


_USUAL = re.compile(r"(-?)£?((?:\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:\.\d{1,6})?)", re.ASCII)
"""What most amounts are: they need no closer look, and fit into a decimal of 28 digits."""


@lru_cache(maxsize=100_000)
def read_amount(cell: str, *, decimal_comma: bool = False) -> Decimal | None:
    """The number a cell states, in the unit it is written in; None if that cannot be said for certain.

    Understood: `1,234.50`, `£ 1 234.50`, `-£5`, `£-5`, `(1,234.00)`, `165,546.00-`, `5.00 CR`, `1.5E+05`, `1,234*`;
    a Unicode minus or dash is a minus, and digits of any script are digits.
    Refused as doubtful: `34,551,00`, `1234,56`, `1.234,56`, `1,23,456`, `€5`, `£1.2m`, `5%`, `500.00 (1)`.
    With `decimal_comma`, which a whole column must prove, `1234,56` and `1.234,56` are numbers; `1,234` is not then.
    """
    if not decimal_comma and (usual := _USUAL.fullmatch(cell)):
        return Decimal(usual[1] + usual[2].replace(",", "")) or Decimal(0)
    text = _plain(cell)
    if not any(char.isdigit() for char in text):
        return None
    digits, negative = _sign(_GBP.sub(" ", text).strip())
    if digits is not None and decimal_comma:
        digits = None if _THOUSANDS.fullmatch(digits) else digits.translate(_SWAPPED)
    if digits is None or not _NUMBER.match(digits):
        return None
    value = Decimal(digits.replace(",", "").replace(" ", "").replace("'", ""))
    return (-value if negative else value) + Decimal(0) if value else Decimal(0)


def _plain(cell: str) -> str:
    """The cell with plain digits, spaces and minus signs, without marks that say nothing of its number."""
    text = tidy(cell)
    if not text.isascii():
        text = text.translate(_SIGNS)
        text = "".join(str(unicodedata.decimal(char, char)) for char in text) if not text.isascii() else text
        text = text.strip()
    text = _FOOTNOTE.sub("", text.removeprefix("'"))
    return _SECOND_POINT.sub("", text)


def _sign(text: str) -> tuple[str | None, bool]:
    """The digits without their sign, and whether they are negative; None if there are two signs."""
    signs = 0
    if match := _CREDIT.search(text):
        signs += (match[1] or match[2]).lower() == "cr"
        text = (text[: match.start()] + text[match.end() :]).strip()
    if text.startswith("(") and text.endswith(")"):
        signs, text = signs + 1, text[1:-1].strip()
    if text.endswith("-"):
        signs, text = signs + 1, text[:-1].strip()
    if text.startswith("-"):
        signs, text = signs + 1, text[1:].strip()
    elif text.startswith("+"):
        text = text[1:].strip()
    return (text if signs <= 1 else None), signs == 1


@dataclass(frozen=True, slots=True)
class AmountStyle:
    """How the numbers of one column are written, and the evidence: cells that can only be read one way.

    `comma_proofs` and `point_proofs` count the cells in which only a comma, or only a point, can be the decimal mark;
    `with_pence` those with a point and two digits behind it. `three_places`: every point has three digits behind it, as
    if it parted thousands.
    """

    comma_proofs: int = 0
    point_proofs: int = 0
    with_pence: int = 0
    three_places: bool = False

    @property
    def decimal_comma(self) -> bool:
        """Whether the column proves a decimal comma: by two cells or more, at least twenty for each against it."""
        return self.comma_proofs > 1 and self.comma_proofs >= 20 * self.point_proofs


_PLAIN = re.compile(r"-?£?(?:\d{1,3}(?:,\d{3})+|\d+)(?P<pence>\.\d\d)?\Z", re.ASCII)
"""What most cells are: they need no closer look."""


def style_of(counts: Mapping[str, int]) -> AmountStyle:
    """How the numbers of a column are written, from its distinct cells and how often each stands there."""
    comma = point = pence = 0
    fractions: list[str] = []
    for cell, count in counts.items():
        if plain := _PLAIN.match(cell):
            pence += count * bool(plain["pence"])
            point += count * bool(plain["pence"] or "," in cell)
            continue
        text = _plain(cell)
        by_point, by_comma = read_amount(text), read_amount(text, decimal_comma=True)
        comma += count * (by_point is None and by_comma is not None)
        point += count * (by_comma is None and by_point is not None)
        if by_point is not None and "." in text:
            fractions.append(_sign(_GBP.sub(" ", text).strip())[0] or "")
            pence += count * (by_point.as_tuple().exponent == -2)
    three = not pence and len(fractions) > 2 and all(map(_THREE_PLACES.fullmatch, fractions))
    return AmountStyle(comma, point, pence, three_places=three)


_ODD = re.compile(r"[A-Za-z*†‡]")


def notation_of(cell: str) -> str | None:
    """What about the notation of a cell that was read must be told: `credit`, `exponent` or `mark`; None if nothing."""
    if not _ODD.search(cell):
        return None
    text = _plain(cell)
    if _CREDIT.search(text):
        return "credit"
    if re.search(r"\de[+-]?\d", text, re.I):
        return "exponent"
    return "mark" if _FOOTNOTE.search(tidy(cell)) else None


_REASONS = (
    (_FOREIGN, "it is not in pounds"),
    (re.compile(r"%"), "it is a share, not an amount"),
    (re.compile(r"\d\s*(?:k|m|bn|million|thousand|billion)\b", re.I), "it is rounded to thousands or millions"),
    (re.compile(r"\d\s*\(?\d?\d?\)\s*\Z"), "the number in brackets may be a note's or part of it"),
    (re.compile(r"(?<=[\d.,])[oO]|[oO](?=[\d.,])"), "it has the letter O where a nought should be"),
    (re.compile(r"(?<=[\d.,])[lI]|[lI](?=[\d.,])"), "it has a letter where a one should be"),
    (re.compile(r"\d,\d{1,2}(?!\d)"), "a comma stands where no thousands end: it may be meant as a decimal point"),
    (re.compile(r"\d\s*(?:[/;|]|to|and|&)\s*£?\d|\d +£\d", re.I), "it holds more than one number"),
)


def why_unreadable(cell: str) -> str | None:
    """Why a cell with digits is no amount for certain, as the end of a sentence; None if there is no more to say."""
    text = tidy(cell)
    if not any(char.isdigit() for char in text):
        return None
    return next((reason for pattern, reason in _REASONS if pattern.search(text)), None)


def scale_of(heading: str) -> Decimal:
    """By what to multiply the amounts under a heading: 1000 for `£000`, 0.01 for pence, else 1."""
    for scale, pattern in _SCALE_PATTERNS:
        if pattern.search(heading):
            return scale
    return Decimal(1)


def is_foreign(heading: str) -> bool:
    """Whether a heading says that its amounts are in euros, dollars or such, and not in pounds."""
    return bool(_FOREIGN.search(heading)) and not _POUNDS.search(heading)


def plain_number(value: Decimal) -> str:
    """A number as digits and a point with no exponent: as many places as it came with."""
    return f"{value + Decimal(0):f}"


@lru_cache(maxsize=20_000)
def is_number(cell: str) -> bool:
    """Whether a cell states a number for certain, though it may take its column to tell which (`1234,56`)."""
    return read_amount(cell) is not None or read_amount(cell, decimal_comma=True) is not None


# Amounts that are written plainly (`-£1,234.50`), a column at a time: what they come to and how they are spelt.
#
# Whether a cell is plain is asked of its form, which has a 9 for every digit.
#


_PLAIN_PLAIN = r"^ *(?:-?£?|£-)(?:9{1,3}(?:,9{3}){1,4}|9{1,15})(?:\.9{1,6})? *$"
"""The form of a plain amount (for RE2)."""

_AS_DECIMAL = r"^-?(?:[1-9][0-9]*(?:\.[0-9]+)?|0\.[0-9]*[1-9][0-9]*)$"
"""A number without its thousands' commas that is spelt as a decimal is: no nought before it, and not zero."""

PLACES = 6
_DIGITS = 12
"""Digits before the point: with six places more they fit into 64 bits."""

_MINUS, _POINT, _NOUGHT = np.frombuffer(b"-.0", np.uint8)


@dataclass(frozen=True)
class Plain:
    """The cells of a column as far as they are plain amounts: `there` says which are."""

    cells: Cells

    @cached_property
    def _coded(self) -> Any:
        return shapes_of(self.cells).dictionary_encode()

    @cached_property
    def _forms(self) -> tuple[Any, Any]:
        """Which of the distinct forms are plain amounts, and how many places those have."""
        forms = self._coded.dictionary
        plain = to_flags(pc.match_substring_regex(forms, _PLAIN_PLAIN))
        places = np.zeros(len(forms), np.int64)
        for place in np.flatnonzero(plain):
            whole, _, part = forms[place].as_py().strip().partition(".")
            places[place] = len(part)
            plain[place] = whole.count("9") <= _DIGITS
        return plain, places

    @cached_property
    def there(self) -> Vector:
        """Which cells are plain amounts of at most twelve digits before the point."""
        return self._forms[0][self._coded.indices.to_numpy()]

    @property
    def none(self) -> Vector:
        """Which cells surely state no amount: none of their form does."""
        own = self._forms[0].copy()
        for place in np.flatnonzero(~own):
            own[place] = read_amount(self._coded.dictionary[place].as_py()) is not None
        return ~own[self._coded.indices.to_numpy()]

    @cached_property
    def _own(self) -> Cells:
        return self.cells if self.there.all() else self.cells.filter(pa.array(self.there))

    @cached_property
    def millionths(self) -> Vector:
        """What each cell comes to, in millionths; 0 where it is no plain amount."""
        places = self._forms[1][self._coded.indices.to_numpy()[self.there]]
        digits, signs = _only(self._own, digits=True), _only(self._own, digits=False)
        values = digits.cast(pa.int64()).to_numpy() * 10 ** (PLACES - places)
        found = np.zeros(len(self.cells), np.int64)
        found[self.there] = np.where(_begins(signs, _MINUS), -values, values)
        return found

    @property
    def spelt(self) -> Cells:
        """The canonical spelling of the plain amounts, null for all other cells and where a nought stands before."""
        bare = _only(self._own, digits=False)
        odd = _begins(_only(self._own, digits=True), _NOUGHT)
        if odd.any():
            fits = pc.match_substring_regex(bare.filter(pa.array(odd)), _AS_DECIMAL)
            bare = pc.if_else(pa.array(_but(odd, ~to_flags(fits))), pa.scalar(None, pa.string()), bare)
        if self.there.all():
            return bare
        return pc.replace_with_mask(pa.nulls(len(self.cells), pa.string()), pa.array(self.there), bare)


def _but(odd: Vector, wrong: Vector) -> Vector:
    """Those of the odd ones that are wrong."""
    found = odd.copy()
    found[odd] = wrong
    return found


def _only(cells: Cells, *, digits: bool) -> Cells:
    """The cells with nothing but their digits, or their digits, signs and points."""
    edges = text_offsets(cells)
    text = utf8(cells)[edges[0] : edges[-1]]
    kept = text - _NOUGHT < len("0123456789")
    if not digits:
        kept |= (text == _MINUS) | (text == _POINT)
    so_far = np.zeros(len(text) + 1, np.int32)
    np.cumsum(kept, out=so_far[1:])
    return texts_from_buffers(so_far[edges - edges[0]], text[kept].tobytes())


def _begins(cells: Cells, letter: Any) -> Vector:
    """Which cells, none of them empty, begin with a letter."""
    return utf8(cells)[text_offsets(cells)[:-1]] == letter


def total(millionths: Vector) -> Decimal:
    """The exact sum."""
    whole, part = np.divmod(millionths, 10**PLACES)
    return Decimal(int(whole.sum()) * 10**PLACES + int(part.sum())).scaleb(-PLACES)
